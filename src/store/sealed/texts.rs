//! Names in texts: taken out before they are stored, put in again when they are read, blotted out when erased.

use crate::domain::envelope::NOBODY;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Around the id of somebody who is named; not in any text that people write.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Who is called how within a body: of each object with a `member` and a `name`.
pub(super) fn names(value: &Value) -> BTreeMap<Uuid, String> {
    let mut found = BTreeMap::new();
    find_names(value, &mut found);
    found
}

fn find_names(value: &Value, found: &mut BTreeMap<Uuid, String>) {
    match value {
        Value::Object(fields) => {
            let member = fields.get("member").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
            if let (Some(member), Some(Value::String(name))) = (member, fields.get("name")) {
                found.insert(member, name.clone());
            }
            fields.values().for_each(|value| find_names(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_names(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts ids in the place of names, wherever they stand as a word.
pub(super) fn take_out(value: &mut Value, names: &BTreeMap<Uuid, String>) {
    // The longest first: one name may be a part of another.
    let mut words: Vec<(&str, String)> =
        names.iter().map(|(id, name)| (&**name, format!("{OPEN}{id}{CLOSE}"))).collect();
    words.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    walk(value, None, &mut |text, field| {
        words.iter().fold(text.to_owned(), |text, (name, id)| replace_word(&text, name, id, field))
    });
}

/// Puts names in the place of ids again, in JSON text.
pub(super) fn put_in(json: &str, names: impl IntoIterator<Item = (Uuid, String)>) -> String {
    names.into_iter().fold(json.to_owned(), |json, (id, name)| {
        json.replace(&format!("{OPEN}{id}{CLOSE}"), &escaped(&name))
    })
}

/// What of a body says something of a person that might stand elsewhere: names, and whatever was written freely.
pub(super) fn words_of(body: &str) -> Vec<String> {
    let mut words = Vec::new();
    if let Ok(mut value) = serde_json::from_str::<Value>(body) {
        walk(&mut value, None, &mut |text, field| {
            if field == Some("name") || !is_code(text) {
                words.push(text.to_owned());
            }
            text.to_owned()
        });
    }
    words.retain(|word| word.trim().chars().count() > 1 && Uuid::parse_str(word).is_err());
    words.sort();
    words.dedup();
    words
}

/// Blots words out of a text, which may be JSON; `None` when there are none in it.
pub(super) fn blot_out(text: &str, words: &[String]) -> Option<String> {
    let blot = |text: &str, field: Option<&str>| {
        let variants = words.iter().flat_map(|word| [escaped(&escaped(word)), escaped(word), word.clone()]);
        variants.fold(text.to_owned(), |text, word| replace_word(&text, &word, NOBODY, field))
    };
    let blotted = match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            let before = value.clone();
            walk(&mut value, None, &mut |text, field| blot(text, field));
            if value == before { text.to_owned() } else { value.to_string() }
        }
        Ok(_) | Err(_) => blot(text, Some("")),
    };
    (blotted != text).then_some(blotted)
}

/// As it stands within a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let json = Value::String(text.to_owned()).to_string();
    json.get(1..json.len() - 1).unwrap_or_default().to_owned()
}

/// Shows every string with the name of its field; what comes back takes its place.
fn walk(value: &mut Value, field: Option<&str>, change: &mut impl FnMut(&str, Option<&str>) -> String) {
    match value {
        Value::String(text) => *text = change(text, field),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, field, change)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| walk(value, Some(name), change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word of a machine, such as `dinner` or `2026-01-01`: nobody's name stands in for it.
fn is_code(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-:./+".contains(c))
}

/// Within sentences only as a whole word; codes stay as they are but in fields called `name`.
fn replace_word(text: &str, word: &str, with: &str, field: Option<&str>) -> String {
    if word.is_empty() || (text == word && is_code(text) && field != Some("name")) {
        return text.to_owned();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, found) = rest.split_at(at);
        let after = &found[word.len()..];
        replaced.push_str(before);
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let within = is_letter(replaced.chars().next_back()) && is_letter(word.chars().next())
            || is_letter(after.chars().next()) && is_letter(word.chars().next_back());
        replaced.push_str(if within { word } else { with });
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_go_out_and_come_back_as_they_were() {
        let (ann, bo) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let body = json!({
            "portions": [{"member": ann, "name": "Ann", "percent": 100}, {"member": bo, "name": "Ann \"B\" Lee", "percent": 50}],
            "reasons": ["Ann likes it; Annatto is in it", "good for Ann \"B\" Lee"], "slot": "dinner", "by": 0.5,
        });
        let mut taken = body.clone();
        let names = names(&body);
        assert_eq!(names.len(), 2);
        take_out(&mut taken, &names);
        let text = taken.to_string();
        assert!(!text.contains("Ann ") && !text.contains("Lee") && text.contains("Annatto"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&put_in(&text, names.clone())).unwrap(), body);
        let nobody = put_in(&text, [(ann, NOBODY.to_owned()), (bo, names[&bo].clone())]);
        assert!(nobody.contains("(erased) likes it; Annatto") && nobody.contains("Lee"), "{nobody}");
    }

    #[test]
    fn a_person_called_like_a_code_does_not_break_it() {
        let dinner = Uuid::from_u128(1);
        let mut body = json!({"member": dinner, "name": "dinner", "slot": "dinner", "why": "dinner is late"});
        let names = names(&body);
        take_out(&mut body, &names);
        assert_eq!(body["slot"], "dinner");
        assert!(!body["name"].as_str().unwrap().contains("dinner"));
        assert!(!body["why"].as_str().unwrap().contains("dinner"));
    }

    #[test]
    fn words_are_blotted_out_of_plain_text_and_json() {
        let words = vec!["Zaphod \"Q\"".to_owned()];
        let json = json!({"kind": "conflict", "message": "Zaphod \"Q\" is here", "deep": json!({"x": "Zaphod \"Q\""}).to_string()});
        let blotted = blot_out(&json.to_string(), &words).unwrap();
        assert!(!blotted.contains("Zaphod") && blotted.contains("conflict"), "{blotted}");
        assert_eq!(blot_out("panic: Zaphod \"Q\"!", &words).unwrap(), "panic: (erased)!");
        assert_eq!(blot_out("nothing", &words), None);
    }

    #[test]
    fn what_is_written_freely_counts_as_a_word() {
        let body =
            json!({"person": {"name": "ann", "diet": "vegan", "note": "Likes Figs"}, "id": Uuid::nil()});
        assert_eq!(words_of(&body.to_string()), ["Likes Figs", "ann"]);
    }
}
