//! Writes recipes as schema.org JSON-LD.

use super::node::Object;
use super::{RecipeDraft, diets, duration, yields};
use serde_json::{Value, json};

/// The draft as a schema.org Recipe; reading it again gives the same draft, except for its remarks.
#[must_use]
pub fn write(draft: &RecipeDraft) -> Value {
    let mut map = Object::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(key.to_owned(), value);
        }
    };
    put("@context", Some(json!("https://schema.org")));
    put("@type", Some(json!("Recipe")));
    put("identifier", draft.external_id.as_ref().map(|id| json!(id)));
    put("name", Some(json!(draft.name)));
    put("description", draft.description.as_ref().map(|text| json!(text)));
    put("url", draft.source_url.as_ref().map(|url| json!(url)));
    put("image", draft.image.as_ref().map(|image| json!(image)));
    put("author", draft.author.as_ref().map(|name| json!({"@type": "Person", "name": name})));
    put("license", draft.license.as_ref().map(|license| json!(license)));
    put("recipeYield", yields::write(draft.servings, draft.yield_text.as_deref()));
    put("prepTime", draft.prep_minutes.map(time));
    put("cookTime", draft.cook_minutes.map(time));
    put("totalTime", draft.total_minutes.map(time));
    put("recipeCategory", list(&draft.categories));
    put("recipeCuisine", draft.cuisine.as_ref().map(|cuisine| json!(cuisine)));
    put("keywords", (!draft.keywords.is_empty()).then(|| json!(draft.keywords.join(", "))));
    put("suitableForDiet", list(&draft.diets.iter().map(|diet| diets::write(diet)).collect::<Vec<_>>()));
    put("recipeIngredient", Some(json!(draft.ingredient_lines)));
    let steps = draft.steps.iter().map(|step| json!({"@type": "HowToStep", "text": step}));
    put("recipeInstructions", Some(steps.collect()));
    Value::Object(map)
}

fn time(minutes: u32) -> Value {
    json!(duration::to_iso(minutes))
}

fn list(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| json!(texts))
}
