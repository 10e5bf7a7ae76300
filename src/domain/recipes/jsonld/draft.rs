//! Turns one schema.org Recipe object into a draft, and says what was odd about it.

use super::RecipeDraft;
use super::entities::decode;
use super::find::{Ids, id};
use super::node::{self, Object, get, get_any, short, web_address};
use super::text::{clean, quote};
use super::{diets, duration, ingredients, steps, yields};
use serde_json::Value;

/// The name of a recipe that has none.
pub(super) const UNTITLED: &str = "Untitled recipe";

pub(super) fn read(map: &Object, ids: &Ids<'_>) -> RecipeDraft {
    let mut draft = RecipeDraft::default();
    who_and_where(map, ids, &mut draft);
    name(map, &mut draft);
    times(map, &mut draft);
    classes(map, &mut draft);
    let yields = get_any(map, &["recipeYield", "yield", "servings"]).map(yields::read).unwrap_or_default();
    (draft.servings, draft.yield_text) = (yields.servings, yields.text);
    draft.remarks.extend(yields.remark);
    ingredient_lines(map, &mut draft);
    let given = get_any(map, &["recipeInstructions", "instructions", "steps", "step"]);
    draft.steps = given.map(steps::read).unwrap_or_default();
    if draft.steps.is_empty() {
        draft.remarks.push("no steps were found".to_owned());
    }
    draft
}

fn who_and_where(map: &Object, ids: &Ids<'_>, draft: &mut RecipeDraft) {
    let own = get(map, "url").and_then(address_text);
    draft.source_url = source_url(map, own.as_deref());
    draft.external_id = external_id(map).or_else(|| draft.source_url.clone());
    draft.author = get_any(map, &["author", "creator"]).and_then(|value| names(value, ids));
    draft.license = get(map, "license").and_then(text_or_address);
    draft.description = node::first_text(map, &["description", "summary"]);
    let images = get_any(map, &["image", "thumbnailUrl"]).map(|value| images(value, ids)).unwrap_or_default();
    draft.image = images.iter().find_map(|text| web_address(text));
    for (what, given, taken) in
        [("url", own.as_ref(), &draft.source_url), ("image", images.first(), &draft.image)]
    {
        if let (Some(given), None) = (given, taken) {
            draft.remarks.push(format!("{what} {} is not a web address", quote(given)));
        }
    }
}

fn source_url(map: &Object, own: Option<&str>) -> Option<String> {
    let page = get(map, "mainEntityOfPage").and_then(address_text);
    let original = get(map, "isBasedOn").and_then(address_text);
    [own, page.as_deref(), id(map), original.as_deref()].into_iter().flatten().find_map(web_address)
}

fn external_id(map: &Object) -> Option<String> {
    let given = get(map, "identifier").and_then(text_or_address);
    let own = id(map).map(clean).filter(|id| !id.is_empty() && !id.starts_with(['#', '_']));
    given.or(own)
}

fn text_or_address(value: &Value) -> Option<String> {
    let address = || address_text(value).map(|text| clean(&text)).filter(|text| !text.is_empty());
    node::text(value).or_else(address)
}

/// The address that a text or an object stands for.
fn address_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(decode(text.trim())).filter(|text| !text.is_empty()),
        Value::Array(items) => items.iter().find_map(address_text),
        Value::Object(map) => ["url", "contentUrl", "@id", "@value", "id"]
            .iter()
            .filter_map(|key| map.get(*key))
            .find_map(address_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn images(value: &Value, ids: &Ids<'_>) -> Vec<String> {
    let resolved = node::items(value).into_iter().map(|item| match ids.resolve(item) {
        Some(map) => get_any(map, &["url", "contentUrl", "@id"]).and_then(address_text),
        None => address_text(item),
    });
    resolved.flatten().collect()
}

fn names(value: &Value, ids: &Ids<'_>) -> Option<String> {
    let names = node::items(value).into_iter().filter_map(|item| match ids.resolve(item) {
        Some(map) => node::first_text(map, &["name", "@value"]),
        None => node::text(item),
    });
    let all = distinct(names);
    (!all.is_empty()).then(|| all.join(", "))
}

fn name(map: &Object, draft: &mut RecipeDraft) {
    let given = node::first_text(map, &["name", "headline", "alternateName"]);
    draft.name = given.unwrap_or_else(|| {
        let guess = draft.source_url.as_deref().and_then(name_in_address);
        draft.remarks.push(match guess {
            Some(_) => "the recipe has no name; it was named after its address".to_owned(),
            None => "the recipe has no name".to_owned(),
        });
        guess.unwrap_or_else(|| UNTITLED.to_owned())
    });
}

/// "Lentil soup" out of `https://example.org/recipes/lentil-soup.html?print=1`.
fn name_in_address(address: &str) -> Option<String> {
    let (_, path) = address.split(['?', '#']).next()?.split_once("://")?.1.split_once('/')?;
    let last = short(path).split('.').next()?.replace(['-', '_', '+'], " ").replace("%20", " ");
    let words = clean(&last);
    let first = words.chars().next().filter(|_| words.contains(char::is_alphabetic))?;
    Some(first.to_uppercase().chain(words.chars().skip(1)).collect())
}

fn times(map: &Object, draft: &mut RecipeDraft) {
    let mut read = |field: &str, other: &str| {
        get_any(map, &[field, other]).and_then(|value| {
            duration::minutes(value).unwrap_or_else(|text| {
                draft.remarks.push(format!("{field} {} is not a duration", quote(&text)));
                None
            })
        })
    };
    let (prep, cook, total) =
        (read("prepTime", "prep_time"), read("cookTime", "performTime"), read("totalTime", "total_time"));
    let some_time = [prep, cook, total].into_iter().flatten().any(|minutes| minutes > 0);
    draft.prep_minutes = prep.filter(|_| some_time);
    draft.cook_minutes = cook.filter(|_| some_time);
    draft.total_minutes = total.filter(|minutes| *minutes > 0);
    if total == Some(0) && some_time {
        draft.remarks.push("totalTime is zero and was taken as not given".to_owned());
    }
}

fn classes(map: &Object, draft: &mut RecipeDraft) {
    let words = |names: &[&str]| get_any(map, names).map(words).unwrap_or_default();
    draft.categories = words(&["recipeCategory", "category"]);
    let cuisines = words(&["recipeCuisine", "cuisine"]);
    draft.cuisine = (!cuisines.is_empty()).then(|| cuisines.join(", "));
    draft.keywords = words(&["keywords", "tags"]);
    draft.diets = distinct(words(&["suitableForDiet"]).iter().map(|diet| diets::read(diet)));
}

/// The terms of a list, also of one written as a single text with commas.
fn words(value: &Value) -> Vec<String> {
    let texts = node::items(value).into_iter().filter_map(text_or_address);
    let texts: Vec<String> = texts.collect();
    distinct(texts.iter().flat_map(|text| text.split([',', ';'])).map(clean))
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.filter(|text| !text.is_empty() && seen.insert(text.to_lowercase())).collect()
}

fn ingredient_lines(map: &Object, draft: &mut RecipeDraft) {
    let given = get_any(map, &["recipeIngredient", "ingredients", "ingredient", "supply"]);
    let found = given.map(ingredients::read).unwrap_or_default();
    if found.lines.is_empty() {
        draft.remarks.push("no ingredients were found".to_owned());
    }
    if !found.headings.is_empty() {
        let names: Vec<String> = found.headings.iter().map(|name| quote(name)).collect();
        draft.remarks.push(format!("headings among the ingredients were left out: {}", names.join(", ")));
    }
    draft.ingredient_lines = found.lines;
}
