//! Reads ingredient lists of every shape into lines, and sets headings aside.

use super::node::{self, Object};
use super::numbers::leading_number;
use super::steps::strip_bullet;
use super::text::lines;
use serde_json::Value;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Ingredients {
    pub(super) lines: Vec<String>,
    /// Lines such as "For the sauce:", which name a part of the list.
    pub(super) headings: Vec<String>,
}

/// Reads a `recipeIngredient` of any shape.
pub(super) fn read(value: &Value) -> Ingredients {
    let mut found = Ingredients::default();
    collect(value, &mut found);
    if let ([only], true) = (found.lines.as_slice(), value.is_string()) {
        found.lines = between_commas(only);
    }
    found
}

fn collect(value: &Value, out: &mut Ingredients) {
    for item in node::items(value) {
        match item {
            Value::String(text) => take_all(text, out),
            Value::Object(map) => collect_object(map, out),
            Value::Array(_) => collect(item, out),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn take_all(text: &str, out: &mut Ingredients) {
    for line in lines(text) {
        take(&line, out);
    }
}

fn take(line: &str, out: &mut Ingredients) {
    let mut line = line;
    while let Some(rest) = strip_bullet(line) {
        line = rest.trim();
    }
    match heading(line) {
        _ if line.is_empty() => {}
        Some(name) => out.headings.push(name),
        None => out.lines.push(line.to_owned()),
    }
}

fn collect_object(map: &Object, out: &mut Ingredients) {
    if let Some(parts) = node::get_any(map, &["itemListElement", "ingredients", "item"]) {
        out.headings.extend(node::first_text(map, &["name"]));
        collect(parts, out);
        return;
    }
    let whole = node::get_any(map, &["text", "@value", "display", "originalText"]).and_then(node::raw_text);
    take_all(&whole.unwrap_or_else(|| composed(map)), out);
}

/// "200 g flour" out of an object with an amount, a unit and a name.
fn composed(map: &Object) -> String {
    const AMOUNTS: [&str; 4] = ["requiredQuantity", "value", "amount", "quantity"];
    const UNITS: [&str; 3] = ["unitText", "unitCode", "unit"];
    let amount = node::get_any(map, &AMOUNTS);
    let inner = amount.and_then(Value::as_object);
    let parts = [
        amount.and_then(node::text),
        node::first_text(map, &UNITS).or_else(|| inner.and_then(|map| node::first_text(map, &UNITS))),
        node::first_text(map, &["name", "food", "ingredient"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn heading(line: &str) -> Option<String> {
    let inner = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.or_else(|| line.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")));
    let inner = inner.or_else(|| line.strip_prefix('#')).or_else(|| line.strip_suffix(':'));
    let words = line.split_whitespace().count();
    let has_amount = line.chars().any(char::is_numeric);
    let spoken = line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("for the ")) && words <= 6;
    let name = inner.or_else(|| (spoken && !line.contains([',', ':'])).then_some(line))?;
    (!has_amount).then(|| name.trim_matches(['#', '*', ':', ' ']).to_owned()).filter(|name| !name.is_empty())
}

/// Cuts at the commas when an amount stands behind each of them.
fn between_commas(line: &str) -> Vec<String> {
    let parts: Vec<&str> = line.split([',', ';']).map(str::trim).collect();
    let all_measured = parts.len() > 1 && parts.iter().all(|part| starts_an_ingredient(part));
    if all_measured { parts.into_iter().map(str::to_owned).collect() } else { vec![line.to_owned()] }
}

fn starts_an_ingredient(part: &str) -> bool {
    leading_number(part).is_some_and(|(_, rest)| rest.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn lists_of_every_shape_become_the_same_lines() {
        for value in [
            json!(["2 cups flour", "1 egg"]),
            json!(["2 cups flour", null, " ", "1 egg"]),
            json!([" 2&nbsp;cups <b>flour</b>", "• 1 egg"]),
            json!("2 cups flour\n1 egg"),
            json!("<ul><li>2 cups flour</li><li>1 egg</li></ul>"),
            json!("2 cups flour, 1 egg"),
            json!("- 2 cups flour\r\n- 1 egg\r\n"),
            json!({"1": "2 cups flour", "3": "1 egg"}),
            json!([{"@type": "PropertyValue", "name": "flour", "value": 2, "unitText": "cups"}, {"text": "1 egg"}]),
            json!([{"@type": "HowToSupply", "name": "flour",
                    "requiredQuantity": {"@type": "QuantitativeValue", "value": 2, "unitText": "cups"}},
                   {"@type": "HowToSupply", "name": "egg", "requiredQuantity": "1"}]),
            json!({"@type": "ItemList", "itemListElement": [
                {"@type": "ListItem", "item": "2 cups flour"}, {"@type": "ListItem", "item": {"name": "1 egg"}}]}),
            json!([["2 cups flour"], ["1 egg"]]),
        ] {
            assert_eq!(read(&value).lines, ["2 cups flour", "1 egg"], "{value}");
        }
    }

    #[test]
    fn headings_are_set_aside() {
        let value = json!(["For the sauce:", "1 onion", "[Topping]", "## Dough", "**Filling**", "For the crumble", "salt",
            {"@type": "ItemList", "name": "Glaze", "itemListElement": ["2 tbsp honey"]}]);
        let found = read(&value);
        assert_eq!(found.lines, ["1 onion", "salt", "2 tbsp honey"]);
        assert_eq!(
            found.headings,
            ["For the sauce", "Topping", "Dough", "Filling", "For the crumble", "Glaze"]
        );
    }

    #[test]
    fn what_only_looks_like_a_heading_or_a_list_stays() {
        for line in
            ["For serving: lemon", "2 onions, chopped, divided", "1 can (14 oz):", "flour, sugar, eggs"]
        {
            assert_eq!(read(&json!(line)).lines, [line]);
        }
    }

    proptest! {
        #[test]
        fn reading_twice_changes_nothing(text in "([0-9]|[:,#*\\[\\]-]| |for the |é|½|a|\\n){0,24}|.*") {
            let first = read(&json!([text])).lines;
            prop_assert_eq!(read(&json!(first.clone())).lines, first);
        }
    }
}
