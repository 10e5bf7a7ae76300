//! What is read of recipes: the catalogue, one recipe in full, its versions; and the foods as recipes know them.

use super::context::{Event, Recipes};
use super::recipe::Recipe;
use super::slots::MealSlot;
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::envelope::Envelope;
use crate::domain::foods::{self, Food, FoodId, Foods};
use crate::domain::ingredients::{RecipeNutrition, ResolvedLine};
use crate::domain::measure::Nutrients;
use crate::domain::message::DecodeError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A recipe in a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub id: String,
    pub name: String,
    pub version: u32,
    pub servings: u32,
    pub minutes: Option<u32>,
    pub slots: BTreeSet<MealSlot>,
    pub cuisine: Option<String>,
    pub keywords: Vec<String>,
    pub stars: Option<u8>,
    pub per_serving: Nutrients,
    /// Lines whose food and weight are known, of all lines.
    pub lines_counted: u32,
    pub lines_total: u32,
    pub mass_share_permille: Option<u16>,
    pub diet: Option<Diet>,
    pub allergens: BTreeSet<Allergen>,
    pub allergens_complete: bool,
}

/// Recipes by name.
pub struct Catalogue;

impl Projection for Catalogue {
    const NAME: &'static str = "recipes_catalogue";
    const READS: &'static [&'static str] = &[Recipes::NAME];
    type Row = Summary;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Recipes>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Summary>, key: &str, _: &Envelope, event: &Event) {
        let mut said = |recipe: &Recipe, version| {
            *row = Some(summary(key, recipe, version, row.as_ref().and_then(|row| row.stars)));
        };
        match event {
            Event::RecipeCreated(created) => said(&created.recipe, 1),
            Event::RecipeUpdated(updated) => said(&updated.recipe, updated.version),
            Event::RecipeImported(imported) => said(&imported.recipe, imported.version),
            Event::RecipeDeleted(_) => *row = None,
            Event::NutritionCalculated(calculated) => {
                if let Some(row) = row {
                    calculate(row, &calculated.nutrition);
                }
            }
            Event::RecipeRated(rated) => {
                if let Some(row) = row {
                    row.stars = Some(rated.stars);
                }
            }
        }
    }

    fn sort(row: &Summary) -> String {
        row.name.to_lowercase()
    }

    fn search(row: &Summary) -> String {
        let slots: Vec<String> = row.slots.iter().map(ToString::to_string).collect();
        let cuisine = row.cuisine.as_deref().unwrap_or_default();
        format!("{} {} {cuisine} {}", row.name, row.keywords.join(" "), slots.join(" "))
    }

    fn routes() -> Vec<Route> {
        vec![Route::List { path: "/api/recipes", summary: "Recipes by name" }]
    }
}

fn summary(key: &str, recipe: &Recipe, version: u32, stars: Option<u8>) -> Summary {
    Summary {
        id: key.to_owned(),
        name: recipe.name.clone(),
        version,
        servings: recipe.servings,
        minutes: recipe.minutes(),
        slots: recipe.suits(),
        cuisine: recipe.cuisine.clone(),
        keywords: recipe.keywords.clone(),
        stars,
        per_serving: Nutrients::default(),
        lines_counted: 0,
        lines_total: 0,
        mass_share_permille: None,
        diet: None,
        allergens: BTreeSet::new(),
        allergens_complete: false,
    }
}

fn calculate(row: &mut Summary, nutrition: &RecipeNutrition) {
    row.per_serving = nutrition.per_serving;
    row.lines_counted = nutrition.coverage.lines_counted;
    row.lines_total = nutrition.coverage.lines_total;
    row.mass_share_permille = nutrition.coverage.mass_share_permille;
    row.diet = nutrition.diet;
    row.allergens.clone_from(&nutrition.allergens);
    row.allergens_complete = nutrition.allergens_complete;
}

/// Everything that is known of a recipe.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Detail {
    pub id: String,
    pub version: u32,
    pub stars: Option<u8>,
    pub recipe: Recipe,
    pub lines: Vec<ResolvedLine>,
    pub nutrition: Option<RecipeNutrition>,
}

/// Recipes in full.
pub struct Details;

impl Projection for Details {
    const NAME: &'static str = "recipes_details";
    const READS: &'static [&'static str] = &[Recipes::NAME];
    type Row = Detail;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Recipes>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Detail>, key: &str, _: &Envelope, event: &Event) {
        let mut said = |recipe: &Recipe, version| {
            let stars = row.as_ref().and_then(|row| row.stars);
            let (id, recipe) = (key.to_owned(), recipe.clone());
            *row = Some(Detail { id, version, stars, recipe, lines: Vec::new(), nutrition: None });
        };
        match event {
            Event::RecipeCreated(created) => said(&created.recipe, 1),
            Event::RecipeUpdated(updated) => said(&updated.recipe, updated.version),
            Event::RecipeImported(imported) => said(&imported.recipe, imported.version),
            Event::RecipeDeleted(_) => *row = None,
            Event::NutritionCalculated(calculated) => {
                if let Some(row) = row {
                    row.lines.clone_from(&calculated.lines);
                    row.nutrition = Some(calculated.nutrition.clone());
                }
            }
            Event::RecipeRated(rated) => {
                if let Some(row) = row {
                    row.stars = Some(rated.stars);
                }
            }
        }
    }

    fn routes() -> Vec<Route> {
        vec![Route::Item { path: "/api/recipes/{id}", summary: "One recipe in full" }]
    }
}

/// What a recipe said at one time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    pub version: u32,
    pub at: DateTime<Utc>,
    /// `None`: it was deleted.
    pub recipe: Option<Recipe>,
}

/// All versions of a recipe, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct History {
    pub versions: Vec<Version>,
}

/// Versions by recipe.
pub struct Versions;

impl Projection for Versions {
    const NAME: &'static str = "recipes_versions";
    const READS: &'static [&'static str] = &[Recipes::NAME];
    type Row = History;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Recipes>(envelope)
    }

    fn keys(envelope: &Envelope, event: &Event) -> Vec<String> {
        match event {
            Event::NutritionCalculated(_) | Event::RecipeRated(_) => Vec::new(),
            Event::RecipeCreated(_)
            | Event::RecipeUpdated(_)
            | Event::RecipeImported(_)
            | Event::RecipeDeleted(_) => vec![envelope.key.to_string()],
        }
    }

    fn apply(row: &mut Option<History>, _: &str, envelope: &Envelope, event: &Event) {
        let versions = &mut row.get_or_insert_default().versions;
        let newest = versions.last().map_or(0, |version| version.version);
        let (version, recipe) = match event {
            Event::RecipeCreated(created) => (newest + 1, Some(created.recipe.clone())),
            Event::RecipeUpdated(updated) => (updated.version, Some(updated.recipe.clone())),
            Event::RecipeImported(imported) => (imported.version, Some(imported.recipe.clone())),
            Event::RecipeDeleted(_) => (newest, None),
            Event::NutritionCalculated(_) | Event::RecipeRated(_) => return,
        };
        versions.push(Version { version, at: envelope.time, recipe });
    }

    fn routes() -> Vec<Route> {
        vec![Route::Item { path: "/api/recipes/{id}/versions", summary: "What a recipe said before" }]
    }
}

/// A food and the phrases that somebody said mean it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KnownFood {
    pub id: FoodId,
    pub food: Option<Food>,
    pub phrases: BTreeSet<String>,
}

/// Foods as recipes know them, learned from the foods' events.
pub struct KnownFoods;

impl Projection for KnownFoods {
    const NAME: &'static str = "recipes_foods";
    const READS: &'static [&'static str] = &[Foods::NAME];
    type Row = KnownFood;
    type Event = foods::Event;

    fn read(envelope: &Envelope) -> Result<Option<foods::Event>, DecodeError> {
        read_as::<Foods>(envelope)
    }

    fn keys(_: &Envelope, event: &foods::Event) -> Vec<String> {
        match event {
            foods::Event::FoodsImported(imported) => imported.keys(),
            foods::Event::IngredientMatched(matched) => vec![matched.food.to_string()],
        }
    }

    fn apply(row: &mut Option<KnownFood>, key: &str, _: &Envelope, event: &foods::Event) {
        let Ok(id) = key.parse::<FoodId>() else { return };
        let known = row.get_or_insert(KnownFood { id, food: None, phrases: BTreeSet::new() });
        match event {
            foods::Event::FoodsImported(imported) => {
                known.food = imported.food(key).cloned().or(known.food.take());
            }
            foods::Event::IngredientMatched(matched) => {
                known.phrases.insert(matched.phrase.clone());
            }
        }
    }
}
