//! Recipes as the web writes them: schema.org Recipe in JSON-LD, alone, in sets, line by line or inside HTML pages.
//!
//! Owned here: the shapes of the foreign format. Not known here: what an ingredient line means, which draft is good
//! enough to keep.
//! **Invariants:** no input panics; a recipe that is odd in one field keeps the others, and a remark says what was odd;
//! an odd recipe in a set does not lose the rest of the set.

mod diets;
mod draft;
mod duration;
mod entities;
mod find;
mod html;
mod ingredients;
mod node;
mod numbers;
mod repair;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod write;
mod yields;

pub use write::write;

use crate::domain::measure::Milli;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A recipe as a foreign source describes it, cleaned but not judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipeDraft {
    /// What the source calls the recipe: its identifier, else its `@id`, else its address.
    pub external_id: Option<String>,
    /// Never blank when it was read.
    pub name: String,
    pub description: Option<String>,
    /// Always an `http` or `https` address when it was read; so is `image`.
    pub source_url: Option<String>,
    pub image: Option<String>,
    pub author: Option<String>,
    pub license: Option<String>,
    /// The smaller number of a range; unknown when the source speaks of loaves or grams only.
    pub servings: Option<Milli>,
    /// The yield in the source's words, unless it is a mere number.
    pub yield_text: Option<String>,
    /// Rounded up, the longer end of a range.
    pub prep_minutes: Option<u32>,
    pub cook_minutes: Option<u32>,
    pub total_minutes: Option<u32>,
    #[serde(default)]
    pub categories: Vec<String>,
    pub cuisine: Option<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Such as `vegan` and `gluten-free`.
    #[serde(default)]
    pub diets: Vec<String>,
    #[serde(default)]
    pub ingredient_lines: Vec<String>,
    #[serde(default)]
    pub steps: Vec<String>,
    /// Sentences for people about what was odd or could not be read.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// Why no recipe could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, JsonSchema)]
#[error("{message}")]
pub struct ReadError {
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// The recipes in an HTML page or a JSON-LD document, whichever the text is.
///
/// # Errors
/// As [`read`] and [`read_html`].
pub fn read_any(text: &str) -> Result<Vec<RecipeDraft>, ReadError> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if start.starts_with('<') { read_html(text) } else { read(text) }
}

/// The recipes in a JSON-LD document, or in one document a line.
///
/// # Errors
/// When the text is empty, is not JSON, or holds no Recipe.
pub fn read(text: &str) -> Result<Vec<RecipeDraft>, ReadError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') {
        return Err(nothing("The text is empty."));
    }
    match repair::parse(text) {
        Ok(document) => drafts(&document),
        Err(error) => lines(text).unwrap_or_else(|| Err(not_json("The text", &error))),
    }
}

/// The recipes in the JSON-LD blocks of an HTML page.
///
/// # Errors
/// When the page has no such block, none that is JSON, or none with a Recipe in it.
pub fn read_html(text: &str) -> Result<Vec<RecipeDraft>, ReadError> {
    let blocks = html::blocks(text);
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| !block.trim().is_empty()) {
        match repair::parse(block) {
            Ok(value) => values.push(value),
            Err(error) => errors.push(not_json(&format!("JSON-LD block {} of the page", at + 1), &error)),
        }
    }
    match (values.is_empty(), errors.first()) {
        (true, Some(error)) => return Err(error.clone()),
        (true, None) => return Err(nothing("The page carries no JSON-LD.")),
        (false, _) => {}
    }
    let mut drafts =
        drafts(&Value::Array(values)).map_err(|error| errors.first().cloned().unwrap_or(error))?;
    remark(&mut drafts, errors.into_iter().map(|error| error.message));
    Ok(drafts)
}

fn drafts(document: &Value) -> Result<Vec<RecipeDraft>, ReadError> {
    let found = find::search(document);
    let mut drafts: Vec<RecipeDraft> = Vec::with_capacity(found.recipes.len());
    let mut seen = std::collections::HashSet::new();
    for recipe in &found.recipes {
        if seen.insert(Value::Object((*recipe).clone()).to_string()) {
            drafts.push(draft::read(recipe, &found.ids));
        }
    }
    if drafts.is_empty() { Err(no_recipe(document, &found)) } else { Ok(drafts) }
}

/// One document a line, or `None` when the text is not written so. A line that is not JSON becomes an empty draft.
fn lines(text: &str) -> Option<Result<Vec<RecipeDraft>, ReadError>> {
    let lines: Vec<(usize, &str)> =
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    if lines.len() < 2 || !lines.iter().all(|(_, line)| line.trim_start().starts_with('{')) {
        return None;
    }
    let (mut out, mut notes, mut sound) = (Vec::new(), Vec::new(), false);
    for (at, line) in lines {
        let name = format!("Line {}", at + 1);
        match repair::parse(line).map(|value| drafts(&value)) {
            Ok(Ok(found)) => {
                sound = true;
                out.extend(found);
            }
            Ok(Err(_)) => notes.push(format!("{name} of the set holds no Recipe.")),
            Err(error) => out.push(unreadable(not_json(&name, &error).message)),
        }
    }
    remark(&mut out, notes.into_iter());
    sound.then_some(Ok(out))
}

fn unreadable(remark: String) -> RecipeDraft {
    RecipeDraft { name: draft::UNTITLED.to_owned(), remarks: vec![remark], ..RecipeDraft::default() }
}

fn remark(drafts: &mut [RecipeDraft], notes: impl Iterator<Item = String>) {
    if let Some(first) = drafts.first_mut() {
        first.remarks.extend(notes);
    }
}

fn not_json(what: &str, error: &serde_json::Error) -> ReadError {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    ReadError {
        message: format!("{what} is not JSON (line {}, column {}): {reason}.", error.line(), error.column()),
        hint: "Send schema.org Recipe objects as JSON-LD, or the HTML of a page that carries them."
            .to_owned(),
    }
}

fn no_recipe(document: &Value, found: &find::Found<'_>) -> ReadError {
    const SHOWN: usize = 8;
    let blank = |value: &Value| matches!(value, Value::Null) || value.as_array().is_some_and(Vec::is_empty);
    if blank(document) || document.as_object().is_some_and(serde_json::Map::is_empty) {
        return nothing("The JSON is empty.");
    }
    let types: Vec<String> = found.types.iter().take(SHOWN).map(|name| text::quote(name)).collect();
    let seen = match types.as_slice() {
        [] => "nothing in it has an @type".to_owned(),
        _ => format!("its @types are {}", types.join(", ")),
    };
    ReadError {
        message: format!("This is JSON, but there is no schema.org Recipe in it: {seen}."),
        hint: "Give every recipe \"@type\": \"Recipe\", or export as JSON-LD (schema.org).".to_owned(),
    }
}

fn nothing(message: &str) -> ReadError {
    ReadError {
        message: message.to_owned(),
        hint: "Send at least one schema.org Recipe as JSON-LD, or the HTML of a page that carries one."
            .to_owned(),
    }
}
