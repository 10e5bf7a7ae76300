//! `shopping-list`: what to buy, in the order of the shop.

use super::failure::Failure;
use super::output::say;
use super::table::{Table, shorten};
use super::wire::{MealPlan, Page, ShoppingLine, ShoppingList};
use crate::clients::own_api::{ApiError, OwnApi, decode};
use serde::Deserialize;
use serde_json::Value;

const PATH: &str = "/api/shopping-lists";
const LONGEST_REASON: usize = 60;

/// # Errors
/// When there is no such list.
pub async fn run(api: &OwnApi, id: Option<String>, as_json: bool) -> Result<(), Failure> {
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
    #[serde(default = "Option::default")]
    plan: Option<String>,
}

/// The list of the newest plan, else the newest list. Ids of version 7 sort by time.
async fn newest(api: &OwnApi) -> Result<String, Failure> {
    let lists: Vec<Brief> = super::recipes::all(api, PATH, &[]).await?;
    let plans: Page<MealPlan> = match api.read("/api/meal-plans?limit=500").await {
        Ok(plans) => plans,
        Err(ApiError::Refused(_)) => Page { items: Vec::new(), next: None },
        Err(error) => return Err(error.into()),
    };
    let newest_plan = plans.items.into_iter().map(|plan| plan.id).max();
    let of_plan = lists.iter().find(|list| list.plan.is_some() && list.plan == newest_plan);
    let found = of_plan.or_else(|| lists.iter().max_by(|a, b| a.id.cmp(&b.id)));
    found.map(|list| list.id.clone()).ok_or_else(|| {
        Failure::failed("there is no shopping list yet", "`meal-planner plan` makes a plan and its list")
    })
}

#[must_use]
pub fn render(list: &ShoppingList) -> String {
    let (staples, bought): (Vec<_>, Vec<_>) = list.lines.iter().partition(|line| line.staple);
    let mut aisles: Vec<&str> = Vec::new();
    for line in &bought {
        if !aisles.contains(&aisle(line)) {
            aisles.push(aisle(line));
        }
    }
    let mut parts: Vec<String> = aisles
        .into_iter()
        .map(|name| group(name, bought.iter().copied().filter(|line| aisle(line) == name)))
        .collect();
    if !staples.is_empty() {
        parts.push(group("probably at home", staples.into_iter()));
    }
    if parts.is_empty() { "The shopping list is empty.".to_owned() } else { parts.join("\n\n") }
}

fn aisle(line: &ShoppingLine) -> &str {
    line.aisle.as_deref().unwrap_or("other")
}

fn group<'l>(name: &str, lines: impl Iterator<Item = &'l ShoppingLine>) -> String {
    let mut table = Table::default().left(name).right("").left("").left("for");
    for line in lines {
        let check = if line.checked { "[x]" } else { "[ ]" };
        table.row([check, &amount(line), &line.name, &shorten(&purpose(line), LONGEST_REASON)]);
    }
    table.render()
}

/// What is needed without a measure is said, not dropped.
fn amount(line: &ShoppingLine) -> String {
    let amount = line.amount_text.clone().unwrap_or_default();
    match (amount.is_empty(), line.unmeasured.is_empty()) {
        (true, _) => "some".to_owned(),
        (false, true) => amount,
        (false, false) => format!("{amount} + some"),
    }
}

fn purpose(line: &ShoppingLine) -> String {
    let unmeasured = line.unmeasured.iter().filter_map(|reason| reason.get("recipe").and_then(Value::as_str));
    let recipes = line.reasons.iter().filter_map(|reason| reason.recipe.as_deref()).chain(unmeasured);
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
            { "key": "salt", "name": "salt", "aisle": "spices", "staple": true, "unmeasured": ["to taste"] },
            { "key": "leek", "name": "leek", "aisle": "produce", "amount_text": "900 g",
              "reasons": [{ "recipe": "Soup" }, { "recipe": "Soup" }, { "recipe": "Pie" }] },
            { "key": "milk", "name": "milk", "aisle": "dairy & eggs", "amount_text": "1 l", "checked": true,
              "unmeasured": ["for the pan"] },
        ] }))
        .unwrap();
        let text = render(&list);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["PRODUCE", "FOR"]);
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>().join(" "), "[ ] 900 g leek Soup, Pie");
        assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>().join(" "), "[x] 1 l + some milk");
        assert!(lines[6].starts_with("PROBABLY AT HOME") && lines[7].contains("some  salt"), "{text}");
    }
}
