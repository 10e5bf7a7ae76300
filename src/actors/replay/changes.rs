//! What is different between two JSON values, as JSON pointers.

use serde::Serialize;
use serde_json::Value;

/// A place where two values differ. A side where there is nothing is absent; `null` is a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// RFC 6901.
    pub pointer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// Every place where `to` differs from `from`, in the order of the document.
#[must_use]
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), Some(from), Some(to), &mut found);
    found
}

fn compare(pointer: String, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    match (from, to) {
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let added = to.keys().filter(|key| !from.contains_key(*key));
            for key in from.keys().chain(added) {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                compare(format!("{pointer}/{escaped}"), from.get(key), to.get(key), found);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) => {
            for n in 0..from.len().max(to.len()) {
                compare(format!("{pointer}/{n}"), from.get(n), to.get(n), found);
            }
        }
        (from, to) if from == to => {}
        (from, to) => found.push(Difference { pointer, from: from.cloned(), to: to.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(from: Value, to: Value) -> Vec<String> {
        let text = |side: &Option<Value>| side.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
        let differences = differences(&from, &to);
        differences.iter().map(|d| format!("{} {} {}", d.pointer, text(&d.from), text(&d.to))).collect()
    }

    #[test]
    fn what_is_equal_has_no_differences() {
        let value = json!({"a": [1, {"b": null}], "c": "d"});
        assert!(differences(&value, &value).is_empty());
    }

    #[test]
    fn differences_are_named_by_pointer_with_both_sides() {
        assert_eq!(
            pointers(json!({"a": [1, 2], "b": 1, "n": null}), json!({"a": [1, 3, 4], "n": 0, "c/d~": {}})),
            ["/a/1 2 3", "/a/2 - 4", "/b 1 -", "/n null 0", "/c~1d~0 - {}"]
        );
        assert_eq!(pointers(json!(null), json!({"a": 1})), [r#" null {"a":1}"#]);
        assert_eq!(pointers(json!([1]), json!({"0": 1})), [r#" [1] {"0":1}"#]);
    }
}
