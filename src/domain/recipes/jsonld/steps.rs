//! Reads instructions of every shape into plain steps.

use super::node::{self, Object};
use super::text::{clean, lines};
use serde_json::Value;

/// The steps in order; the name of a section stands before its first step.
pub(super) fn read(value: &Value) -> Vec<String> {
    let mut steps = Vec::new();
    collect(value, &mut steps);
    steps
}

fn collect(value: &Value, out: &mut Vec<String>) {
    for item in node::items(value) {
        match item {
            Value::String(text) => out.extend(split(text)),
            Value::Object(map) => collect_object(map, out),
            Value::Array(_) => collect(item, out),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn collect_object(map: &Object, out: &mut Vec<String>) {
    let text = node::get_any(map, &["text", "@value", "description"]).and_then(node::raw_text);
    let parts = ["itemListElement", "steps", "step", "item"].iter().find_map(|key| node::get(map, key));
    match (text, parts) {
        (Some(text), _) => out.extend(split(&text)),
        (None, Some(parts)) => {
            let first = out.len();
            collect(parts, out);
            if let (Some(name), Some(step)) = (section(map), out.get_mut(first)) {
                *step = format!("{name}: {step}");
            }
        }
        (None, None) => out.extend(node::first_text(map, &["name"]).iter().flat_map(|name| split(name))),
    }
}

/// The name of a section when it says more than that here are instructions.
fn section(map: &Object) -> Option<String> {
    const EMPTY: [&str; 7] =
        ["directions", "instructions", "method", "preparation", "section", "steps", "step"];
    let name = clean(&node::first_text(map, &["name"])?);
    let name = without_marker(name.trim_end_matches([':', ' ']));
    let word = name.to_lowercase();
    (!name.is_empty() && !EMPTY.contains(&word.trim_end_matches(|c: char| c == ' ' || c.is_ascii_digit())))
        .then(|| name.to_owned())
}

/// The steps in one text: its lines, or its numbered sentences when it has one line only.
fn split(text: &str) -> Vec<String> {
    let lines = rejoin(lines(text));
    let parts = match lines.as_slice() {
        [only] => numbered(only),
        _ => lines,
    };
    parts.iter().map(|part| without_marker(part).to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Puts lines together that were broken in the middle of a sentence.
fn rejoin(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        match out.last_mut() {
            Some(last)
                if line.starts_with(char::is_lowercase)
                    && last.ends_with(|c: char| c.is_alphanumeric() || c == ',') =>
            {
                last.push(' ');
                last.push_str(&line);
            }
            _ => out.push(line),
        }
    }
    out
}

/// Cuts `1. Mix. 2. Bake.` at its numbers, if they count up from one.
fn numbered(line: &str) -> Vec<String> {
    let mut cuts = Vec::new();
    let mut from = 0;
    for number in 1_u32.. {
        match find_marker(line, from, number) {
            Some(at) if number > 1 || at == 0 => {
                cuts.push(at);
                from = at + 1;
            }
            Some(_) | None => break,
        }
    }
    if cuts.len() < 2 {
        return vec![line.to_owned()];
    }
    let ends = cuts.iter().skip(1).copied().chain([line.len()]);
    cuts.iter().zip(ends).map(|(start, end)| line[*start..end].trim().to_owned()).collect()
}

fn find_marker(line: &str, from: usize, number: u32) -> Option<usize> {
    let name = number.to_string();
    line.get(from..)?.match_indices(&name).map(|(at, _)| from + at).find(|at| {
        let before = line[..*at].chars().next_back();
        let mut after = line[at + name.len()..].chars();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '.' | '!' | '(' | ')'))
            && matches!(after.next(), Some('.' | ')'))
            && after.next().is_some_and(|c| !c.is_ascii_digit())
    })
}

/// The line without bullets, step numbers and "Step 3:" at its beginning.
fn without_marker(line: &str) -> &str {
    let mut now = line.trim();
    loop {
        let next = strip_bullet(now).or_else(|| strip_number(now)).unwrap_or(now).trim();
        if next == now {
            return now;
        }
        now = next;
    }
}

/// The line without a bullet at its beginning.
pub(super) fn strip_bullet(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['•', '·', '▢', '☐', '□', '▪', '●', '‣', '►', '✓', '◦', '○']);
    rest.or_else(|| {
        line.strip_prefix(['-', '*', '–', '—', '+']).filter(|rest| rest.starts_with(' ') || rest.is_empty())
    })
}

fn strip_number(line: &str) -> Option<&str> {
    const STEP: &str = "step ";
    let said = line.get(..STEP.len()).is_some_and(|word| word.eq_ignore_ascii_case(STEP));
    let text = if said { &line[STEP.len()..] } else { line.strip_prefix('(').unwrap_or(line) };
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let rest = &text[end..];
    if !(1..=2).contains(&end) {
        return None;
    }
    if rest.is_empty() {
        return Some(rest);
    }
    let marked =
        rest.strip_prefix(['.', ')', ':']).filter(|tail| !tail.starts_with(|c: char| c.is_ascii_digit()));
    marked.or_else(|| said.then(|| rest.trim_start_matches([' ', '-', '–', '—'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn instructions_of_every_shape_become_the_same_steps() {
        for value in [
            json!("Mix well.\nBake."),
            json!("1. Mix well.\n2. Bake."),
            json!("1. Mix well. 2. Bake."),
            json!("1) Mix well. 2) Bake."),
            json!("Step 1: Mix well.\n\nStep 2: Bake."),
            json!("Step 1\nMix well.\nStep 2\nBake."),
            json!("<p>Mix well.</p><p>Bake.</p>"),
            json!("<ol><li>Mix well.</li><li>Bake.</li></ol>"),
            json!("&lt;p&gt;Mix well.&lt;/p&gt;Bake."),
            json!("• Mix well.\n• Bake."),
            json!("Mix\nwell.\nBake."),
            json!(["Mix well.", null, "", "Bake."]),
            json!(["1. Mix well.", "2. Bake."]),
            json!(["Mix well.\nBake."]),
            json!([["Mix well."], ["Bake."]]),
            json!({"0": "Mix well.", "2": "Bake."}),
            json!([{"@type": "HowToStep", "text": "Mix well."}, {"@type": "HowToStep", "name": "Bake."}]),
            json!([{"@type": "HowToStep", "name": "Mix", "text": "Mix well."}, "Bake."]),
            json!({"@type": "ItemList", "itemListElement": ["Mix well.", "Bake."]}),
            json!({"@type": "ItemList", "itemListElement": [
                {"@type": "ListItem", "position": 1, "item": {"@type": "HowToStep", "text": "Mix well."}},
                {"@type": "ListItem", "position": 2, "item": "Bake."}]}),
            json!([{"@type": "HowToSection", "name": "Instructions", "itemListElement": [
                {"@type": "HowToStep", "itemListElement": [{"@type": "HowToDirection", "text": "Mix well."}]},
                {"@type": "HowToStep", "text": ["Bake."]}]}]),
        ] {
            assert_eq!(read(&value), ["Mix well.", "Bake."], "{value}");
        }
    }

    #[test]
    fn a_section_names_its_first_step() {
        let value = json!([
            {"@type": "HowToSection", "name": "Sauce:", "itemListElement": ["Melt.", "Stir."]},
            {"@type": "HowToSection", "name": "Empty", "itemListElement": []},
            "Serve.",
        ]);
        assert_eq!(read(&value), ["Sauce: Melt.", "Stir.", "Serve."]);
    }

    #[test]
    fn amounts_at_the_beginning_of_a_step_stay() {
        for text in
            ["2 eggs go in first.", "1.5 l water: boil.", "10:30 start.", "-5 °C is best.", "350. Hot."]
        {
            assert_eq!(read(&json!(text)), [text]);
        }
    }

    #[test]
    fn nothing_is_no_step() {
        for value in [json!(null), json!(""), json!([]), json!({}), json!([{}, 5, true]), json!("1.\n2.")] {
            assert_eq!(read(&value), Vec::<String>::new(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn splitting_never_panics_and_is_done_once(text in "([0-9]|[.):(-]| |step|•|é|½|A|b|\\n){0,24}|.*") {
            let steps = read(&json!(text));
            prop_assert_eq!(read(&json!(steps.clone())), steps);
        }
    }
}
