//! Looks into JSON-LD objects: prefixed names, wrapped values, lists in their many shapes.

use super::text::clean;
use crate::domain::measure::Milli;
use serde_json::{Map, Number, Value};

pub(super) type Object = Map<String, Value>;

const PREFIXES: [&str; 4] =
    ["schema:", "http://schema.org/", "https://schema.org/", "http://www.schema.org/"];

/// The value of a property, with or without a prefix to its name; null counts as absent.
pub(super) fn get<'a>(map: &'a Object, name: &str) -> Option<&'a Value> {
    let plain = map.get(name).filter(|value| !value.is_null());
    plain
        .or_else(|| PREFIXES.iter().find_map(|prefix| map.get(&format!("{prefix}{name}"))))
        .filter(|v| !v.is_null())
}

/// The value of the first of these properties that has one.
pub(super) fn get_any<'a>(map: &'a Object, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| get(map, name))
}

/// The first of these properties that holds a text.
pub(super) fn first_text(map: &Object, names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| get(map, name)).find_map(text)
}

/// The members of a list in any of its shapes; a single value is a list of one.
pub(super) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => match map.get("@list").or_else(|| map.get("@set")) {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => numbered(map).unwrap_or_else(|| vec![value]),
        },
        Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![value],
    }
}

/// A list written as an object with the keys `0`, `1`, `2`…, as some programs do when a member is missing.
fn numbered(map: &Object) -> Option<Vec<&Value>> {
    let keyed = map.iter().map(|(key, value)| key.parse::<u32>().ok().map(|at| (at, value)));
    let mut members = keyed.collect::<Option<Vec<_>>>().filter(|members| !members.is_empty())?;
    members.sort_by_key(|(at, _)| *at);
    Some(members.into_iter().map(|(_, value)| value).collect())
}

/// The cleaned text of a value; of an object its value, name or text; of a list its first. Never blank.
pub(super) fn text(value: &Value) -> Option<String> {
    raw_text(value).map(|raw| clean(&raw)).filter(|text| !text.is_empty())
}

/// Like [`text`], with its line breaks and tags.
pub(super) fn raw_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number_text(number)),
        Value::Object(map) => ["@value", "value", "name", "text", "@list", "@set"]
            .iter()
            .filter_map(|key| get(map, key))
            .find_map(raw_text),
        Value::Array(items) => items.iter().find_map(raw_text),
        Value::Null | Value::Bool(_) => None,
    }
}

/// A number without needless decimals: `4.0` is `4`.
fn number_text(number: &Number) -> String {
    let exact = if number.is_f64() { number.as_f64().and_then(Milli::from_f64) } else { None };
    exact.map_or_else(|| number.to_string(), |exact| exact.to_string())
}

/// The names of the object's types, without prefixes.
pub(super) fn types(map: &Object) -> Vec<&str> {
    let given = map.get("@type").or_else(|| map.get("type"));
    let names = given.map(items).unwrap_or_default().into_iter().filter_map(Value::as_str);
    names.map(|name| short(name.trim())).collect()
}

/// The part of a type or an address behind its last `/`, `#` or `:`.
pub(super) fn short(name: &str) -> &str {
    name.trim_end_matches('/').rsplit(['/', '#', ':']).next().unwrap_or(name)
}

/// `text` when it is the address of something on the web; `//host/path` is completed.
pub(super) fn web_address(text: &str) -> Option<String> {
    let text = text.trim().replace(' ', "%20");
    let whole = if text.starts_with("//") { format!("https:{text}") } else { text };
    let scheme = whole.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let web = matches!(scheme.as_deref(), Some("http" | "https"));
    (web && !whole.contains(|c: char| c.is_whitespace() || c.is_control())).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_may_carry_a_prefix() {
        let object =
            json!({"schema:name": "a", "http://schema.org/url": "b", "image": null, "schema:image": "c"});
        let map = object.as_object().unwrap();
        assert_eq!(get(map, "name"), Some(&json!("a")));
        assert_eq!(get(map, "url"), Some(&json!("b")));
        assert_eq!(get(map, "image"), Some(&json!("c")));
    }

    #[test]
    fn texts_are_found_in_their_wrappers() {
        for (value, expected) in [
            (json!(" a&amp;b "), Some("a&b")),
            (json!(4.0), Some("4")),
            (json!(2.5), Some("2.5")),
            (json!({"@value": "x", "@language": "en"}), Some("x")),
            (json!([null, "", {"name": "y"}]), Some("y")),
            (json!({"other": "x"}), None),
            (json!(true), None),
        ] {
            assert_eq!(text(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn lists_come_in_many_shapes() {
        assert_eq!(items(&json!({"10": "c", "2": "b", "0": "a"})), [&json!("a"), &json!("b"), &json!("c")]);
        assert_eq!(items(&json!({"@list": [1]})), [&json!(1)]);
        assert_eq!(items(&json!("x")), [&json!("x")]);
        assert!(items(&json!(null)).is_empty());
    }

    #[test]
    fn only_web_addresses_pass() {
        assert_eq!(web_address("//cdn.test/a.jpg").as_deref(), Some("https://cdn.test/a.jpg"));
        for text in ["javascript:alert(1)", "/a.jpg", "data:image/png;base64,x", "", "http://a\tb", "ftp://a"]
        {
            assert_eq!(web_address(text), None, "{text}");
        }
    }
}
