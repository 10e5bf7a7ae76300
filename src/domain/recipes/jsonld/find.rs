//! Finds the recipes in a JSON-LD document, wherever they are nested.

use super::node::{Object, get_any, types};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What a document holds.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) recipes: Vec<&'a Object>,
    pub(super) ids: Ids<'a>,
    /// The types of everything that was looked into, without prefixes.
    pub(super) types: BTreeSet<&'a str>,
}

/// The objects of a document by their `@id`, to follow references.
#[derive(Default)]
pub(super) struct Ids<'a>(HashMap<&'a str, &'a Object>);

impl<'a> Ids<'a> {
    /// The object that a bare `{"@id": …}` refers to; anything else is its own answer.
    pub(super) fn resolve(&self, value: &'a Value) -> Option<&'a Object> {
        let map = value.as_object()?;
        let target = id(map).filter(|_| map.len() == 1).and_then(|id| self.0.get(id).copied());
        Some(target.unwrap_or(map))
    }
}

/// Looks through the whole document; depth is bounded by the parser's.
pub(super) fn search(document: &Value) -> Found<'_> {
    let mut found = Found::default();
    walk(document, &mut found);
    if found.recipes.len() > 1 {
        found.recipes.retain(|map| !is_reference(map));
    }
    found
}

fn walk<'a>(value: &'a Value, found: &mut Found<'a>) {
    /// Properties that lead to other people's recipes.
    const ELSEWHERE: [&str; 6] = ["citation", "comment", "isRelatedTo", "isSimilarTo", "mentions", "review"];
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(map) => {
            found.types.extend(types(map));
            if let Some(id) = id(map).filter(|_| map.len() > 1) {
                found.ids.0.entry(id).or_insert(map);
            }
            if is_recipe(map) {
                found.recipes.push(map);
            } else {
                let inner = map.iter().filter(|(key, _)| !ELSEWHERE.contains(&key.as_str()));
                inner.for_each(|(_, value)| walk(value, found));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_recipe(map: &Object) -> bool {
    let types = types(map);
    let untyped = types.is_empty() && get_any(map, &["recipeIngredient", "recipeInstructions"]).is_some();
    untyped || types.iter().any(|name| name.eq_ignore_ascii_case("recipe"))
}

fn is_reference(map: &Object) -> bool {
    map.keys().all(|key| key.starts_with('@') || matches!(key.as_str(), "id" | "type" | "url"))
}

/// The object's identity, if it has one.
pub(super) fn id(map: &Object) -> Option<&str> {
    map.get("@id").or_else(|| map.get("id")).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn recipes_are_found_wherever_they_are() {
        let recipe = json!({"@type": "Recipe", "name": "x"});
        for document in [
            recipe.clone(),
            json!([recipe]),
            json!({"@graph": [{"@type": "WebPage"}, recipe]}),
            json!({"@type": "WebPage", "mainEntity": recipe}),
            json!({"@type": "Article", "mainEntityOfPage": {"@type": "WebPage", "about": [recipe]}}),
            json!({"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": recipe}]}),
            json!([[recipe], {"@type": "Recipe", "@id": "#r"}]),
            json!({"@type": ["NewsArticle", "Recipe"], "name": "x"}),
            json!({"@type": "schema:Recipe", "schema:name": "x"}),
            json!({"@type": "http://schema.org/Recipe", "name": "x"}),
            json!({"@type": "https://schema.org/Recipe/", "name": "x"}),
            json!({"type": "Recipe", "name": "x"}),
            json!({"name": "x", "recipeIngredient": []}),
        ] {
            assert_eq!(search(&document).recipes.len(), 1, "{document}");
        }
    }

    #[test]
    fn other_things_are_no_recipes() {
        let document =
            json!([{"@type": "Person", "review": {"@type": "Recipe"}}, {"@type": "schema:WebPage"}, 5, null]);
        let found = search(&document);
        assert!(found.recipes.is_empty());
        assert_eq!(found.types, BTreeSet::from(["Person", "WebPage"]));
    }
}
