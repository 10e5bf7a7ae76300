//! `shopping-list`: what to buy, in the order of the shop.

use super::failure::Failure;
use super::output::say;
use super::table::{Table, shorten};
use super::wire::{ShoppingLine, ShoppingList};
use crate::clients::own_api::{OwnApi, decode};
use serde::Deserialize;
use serde_json::Value;

const PATH: &str = "/api/shopping-lists";
const LONGEST_REASON: usize = 60;
const AT_HOME: &str = "probably at home";

/// # Errors
/// When there is no such list.
pub(super) async fn run(api: &OwnApi, id: Option<String>, as_json: bool) -> Result<(), Failure> {
    let id = match id {
        Some(id) => id,
        None => newest(api).await?,
    };
    let path = format!("{PATH}/{id}");
    let text = api.get(&path, &[]).await?;
    if as_json { say(&text) } else { say(&render(&decode(&path, &text)?)) }
}

#[derive(Deserialize)]
struct Brief {
    id: String,
    /// RFC 3339 in UTC, so it sorts as text.
    #[serde(default)]
    created: String,
}

async fn newest(api: &OwnApi) -> Result<String, Failure> {
    let lists: Vec<Brief> = super::recipes::all(api, PATH, &[]).await?;
    let newest = lists.into_iter().max_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    newest.map(|list| list.id).ok_or_else(|| {
        Failure::failed("there is no shopping list yet", "`meal-planner plan` makes a plan and its list")
    })
}

/// Grouped by aisle, in the order in which the aisles come; what is probably at home stands last.
#[must_use]
pub(super) fn render(list: &ShoppingList) -> String {
    if list.lines.is_empty() {
        return "The shopping list is empty.".to_owned();
    }
    let mut groups: Vec<(&str, Vec<&ShoppingLine>)> = Vec::new();
    for line in &list.lines {
        match groups.iter_mut().find(|(name, _)| *name == group(line)) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((group(line), vec![line])),
        }
    }
    groups.sort_by_key(|(name, _)| *name == AT_HOME);
    let mut table = Table::default().left("").left("what").left("how much").left("for");
    for line in groups.iter().flat_map(|(_, lines)| lines) {
        let check = if line.checked { "[x]" } else { "[ ]" };
        table.row([check, &line.name, &amount(line), &shorten(&purpose(line), LONGEST_REASON)]);
    }
    // One table for all, so that its columns stand in line; every row of it is one line.
    let table = table.render();
    let mut rows = table.lines();
    let mut text: Vec<String> = rows.next().map(str::to_owned).into_iter().collect();
    for (name, lines) in groups {
        text.push(format!("\n{}", name.to_uppercase()));
        text.extend(rows.by_ref().take(lines.len()).map(str::to_owned));
    }
    text.join("\n")
}

fn group(line: &ShoppingLine) -> &str {
    if line.staple { AT_HOME } else { line.aisle.as_deref().unwrap_or("other") }
}

/// What is needed without a measure is said, not dropped.
fn amount(line: &ShoppingLine) -> String {
    let amount = line.amount_text.clone().unwrap_or_default();
    match (amount.is_empty(), line.line.unmeasured.is_empty()) {
        (true, _) => "some".to_owned(),
        (false, true) => amount,
        (false, false) => format!("{amount} + some"),
    }
}

fn purpose(line: &ShoppingLine) -> String {
    let unmeasured =
        line.line.unmeasured.iter().filter_map(|reason| reason.get("recipe").and_then(Value::as_str));
    let recipes = line.line.reasons.iter().filter_map(|reason| reason.recipe.as_deref()).chain(unmeasured);
    let mut names: Vec<&str> = Vec::new();
    for name in recipes {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_stand_under_their_aisles_and_staples_come_last() {
        let list = serde_json::from_value(json!({ "id": "l", "lines": [
            { "key": "salt", "name": "salt", "aisle": "spices", "staple": true,
              "line": { "unmeasured": [{ "recipe": "Soup" }] } },
            { "key": "leek", "name": "leek", "aisle": "produce", "amount_text": "900 g",
              "line": { "reasons": [{ "recipe": "Soup" }, { "recipe": "Soup" }, { "recipe": "Pie" }] } },
            { "key": "milk", "name": "milk", "aisle": "dairy & eggs", "amount_text": "1 l", "checked": true,
              "line": { "unmeasured": ["for the pan"] } },
        ] }))
        .unwrap();
        let expected = [
            "     WHAT  HOW MUCH    FOR",
            "",
            "PRODUCE",
            "[ ]  leek  900 g       Soup, Pie",
            "",
            "DAIRY & EGGS",
            "[x]  milk  1 l + some",
            "",
            "PROBABLY AT HOME",
            "[ ]  salt  some        Soup",
        ];
        assert_eq!(render(&list), expected.join("\n"));
    }
}
