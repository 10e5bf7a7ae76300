//! `recipes`: the catalogue as a table.

use super::failure::Failure;
use super::output::{note, say};
use super::table::{Table, shorten};
use super::wire::{Page, Recipe};
use crate::clients::own_api::{OwnApi, decode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub const PATH: &str = "/api/recipes";
const PAGE: &str = "500";
const LONGEST_NAME: usize = 48;

/// # Errors
/// When the server does not answer.
pub async fn run(api: &OwnApi, query: Option<String>, as_json: bool) -> Result<(), Failure> {
    let q: Vec<_> = query.iter().map(|words| ("q", words.clone())).collect();
    if as_json {
        let items: Vec<Value> = all(api, PATH, &q).await?;
        return say(&json!({ "items": items }).to_string());
    }
    let recipes: Vec<Recipe> = all(api, PATH, &q).await?;
    if recipes.is_empty() {
        note(match query {
            Some(_) => "No recipe has all these words.",
            None => "There are no recipes yet; `meal-planner import PATH|URL` takes some over.",
        });
        return Ok(());
    }
    say(&table(&recipes).render())?;
    say(&format!("\n{} recipes; LINES: ingredient lines whose food and weight are known.", recipes.len()))
}

/// Every item of a list, page after page.
///
/// # Errors
/// When the server does not answer.
pub async fn all<T: DeserializeOwned>(
    api: &OwnApi,
    path: &str,
    query: &[(&str, String)],
) -> Result<Vec<T>, Failure> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let mut asked = query.to_vec();
        asked.push(("limit", PAGE.to_owned()));
        asked.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page: Page<T> = decode(path, &api.get(path, &asked).await?)?;
        items.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(items),
        }
    }
}

fn table(recipes: &[Recipe]) -> Table {
    let table =
        Table::default().left("name").right("serves").right("minutes").right("kcal").right("protein g");
    let mut table = table.right("lines").left("stars").left("meals").left("id");
    for recipe in recipes {
        table.row([
            shorten(&recipe.name, LONGEST_NAME),
            number(recipe.servings),
            number(recipe.minutes),
            amount(recipe, "kcal"),
            amount(recipe, "protein_g"),
            format!("{}/{}", recipe.lines_counted, recipe.lines_total),
            "*".repeat(recipe.stars.unwrap_or(0).into()),
            recipe.slots.iter().cloned().collect::<Vec<_>>().join(" "),
            recipe.id.clone(),
        ]);
    }
    table
}

fn number(value: Option<u32>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}

/// Per serving; a sum over lines of which some are not known is a lower bound.
fn amount(recipe: &Recipe, nutrient: &str) -> String {
    let bound = if recipe.lines_counted < recipe.lines_total { "≥" } else { "" };
    let value = recipe.per_serving.get(nutrient).copied().flatten();
    value.map_or_else(|| "?".to_owned(), |value| format!("{bound}{value:.0}"))
}
