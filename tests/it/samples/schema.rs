//! What a JSON schema asks of a sample: every field and every variant present once, and drafts that are so.

use serde_json::{Map, Value, json};

/// A schema with the definitions that its references lead to.
pub struct Shape {
    pub schema: Value,
    pub definitions: Map<String, Value>,
}

impl Shape {
    /// JSON pointers, with `*` for any item or key, of what stands in none of the samples.
    pub fn missing(&self, samples: &[Value]) -> Vec<String> {
        let mut missing = Vec::new();
        self.look(&self.schema, &samples.iter().collect::<Vec<_>>(), "", &mut missing);
        missing
    }

    fn look(&self, schema: &Value, values: &[&Value], path: &str, missing: &mut Vec<String>) {
        let schema = self.resolved(schema);
        let values: Vec<&Value> = values.iter().copied().filter(|value| !value.is_null()).collect();
        for (name, inner) in properties(schema) {
            let found = values.iter().filter_map(|value| value.get(name)).collect();
            self.look_into(inner, found, format!("{path}/{name}"), missing);
        }
        if let Some(inner) = any_key(schema) {
            let objects = values.iter().filter_map(|value| value.as_object());
            let others = objects.flatten().filter(|(key, _)| !is_property(schema, key));
            self.look_into(inner, others.map(|(_, value)| value).collect(), format!("{path}/*"), missing);
        }
        if let Some(inner) = schema.get("items") {
            let items = values.iter().filter_map(|value| value.as_array()).flatten().collect();
            self.look_into(inner, items, format!("{path}/*"), missing);
        }
        for (n, branch) in self.variants(schema).into_iter().enumerate() {
            let fitting: Vec<&Value> =
                values.iter().copied().filter(|value| self.fits(branch, value)).collect();
            if fitting.is_empty() {
                missing.push(format!("{path} (variant {n})"));
            } else {
                self.look(branch, &fitting, path, missing);
            }
        }
    }

    fn look_into(&self, schema: &Value, values: Vec<&Value>, path: String, missing: &mut Vec<String>) {
        if values.iter().all(|value| value.is_null()) {
            missing.push(path);
        } else {
            self.look(schema, &values, &path, missing);
        }
    }

    /// Values with every field and, over enough rounds, every variant.
    pub fn draft(&self, round: usize) -> Value {
        self.drafted(&self.schema, "", round)
    }

    fn drafted(&self, schema: &Value, name: &str, round: usize) -> Value {
        let schema = self.resolved(schema);
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(first) = schema.pointer("/enum/0") {
            return first.clone();
        }
        let variants = self.variants(schema);
        let mut value = match variants.get(round % variants.len().max(1)) {
            Some(variant) => self.drafted(variant, name, round),
            None => Value::Null,
        };
        let is_null = |branch: &&Value| self.resolved(branch).get("type").is_some_and(|kind| kind == "null");
        if let (true, Some(word)) =
            (variants.is_empty(), self.branches(schema).into_iter().find(|b| !is_null(b)))
        {
            return self.drafted(word, name, round);
        }
        let kinds = schema.get("type").map(Value::to_string).unwrap_or_default();
        if kinds.contains("object") || value.is_object() {
            let mut object = value.as_object().cloned().unwrap_or_default();
            for (name, inner) in properties(schema) {
                object.insert(name.clone(), self.drafted(inner, name, round));
            }
            if let Some(inner) = any_key(schema) {
                object.insert("kcal".to_owned(), self.drafted(inner, name, round));
            }
            return Value::Object(object);
        }
        if let Some(inner) = schema.get("items") {
            let variants = self.variants(self.resolved(inner)).len().max(1);
            return (0..variants).map(|n| self.drafted(inner, name, n + round)).collect();
        }
        if value.is_null() {
            value = scalar(&kinds, schema.get("format").and_then(Value::as_str), name);
        }
        value
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match self.target(schema) {
            Some(definition) if schema.get("properties").is_none() => self.resolved(definition),
            Some(_) | None => schema,
        }
    }

    fn target(&self, schema: &Value) -> Option<&Value> {
        let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
        self.definitions.get(name)
    }

    /// What a value is one of; and what it is beside its own fields.
    fn branches<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let lists = ["oneOf", "anyOf"].into_iter().filter_map(|name| schema.get(name)?.as_array());
        lists.flatten().chain(self.target(schema)).collect()
    }

    /// The alternatives of a schema that differ in more than a word.
    fn variants<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let all = self.branches(schema).into_iter().filter(|branch| {
            let branch = self.resolved(branch);
            branch.get("type").is_none_or(|kind| kind != "null") && branch.get("const").is_none()
        });
        all.filter(|branch| !is_word(self.resolved(branch))).collect()
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let schema = self.resolved(schema);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
        let constants = properties(schema).filter_map(|(name, inner)| Some((name, inner.get("const")?)));
        required.into_iter().all(has) && constants.into_iter().all(|(name, is)| value.get(name) == Some(is))
    }
}

fn is_property(schema: &Value, name: &str) -> bool {
    schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
}

fn is_word(schema: &Value) -> bool {
    schema.get("enum").is_some() && schema.get("properties").is_none()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The schema of the values of a map.
fn any_key(schema: &Value) -> Option<&Value> {
    let patterns = schema.get("patternProperties").and_then(|patterns| patterns.as_object()?.values().next());
    schema.get("additionalProperties").filter(|inner| inner.is_object()).or(patterns)
}

fn scalar(kinds: &str, format: Option<&str>, name: &str) -> Value {
    match format {
        Some("uuid") => return json!("01900000-0000-7000-8000-000000000001"),
        Some("date") => return json!("2026-11-20"),
        Some("date-time") => return json!("2026-11-20T18:30:00Z"),
        _ => {}
    }
    if name == "time_zone" {
        return json!("Europe/Vienna");
    }
    match kinds {
        kinds if kinds.contains("string") => json!(format!("{}-1", name.replace('_', "-"))),
        kinds if kinds.contains("integer") => json!(3),
        kinds if kinds.contains("number") => json!(1.5),
        kinds if kinds.contains("boolean") => json!(true),
        _ => json!(null),
    }
}
