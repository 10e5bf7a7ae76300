//! Recipes: how they come in, what they say in each version, what is in a serving.
//!
//! Not known here: who eats them and when. Invariant: an unknown amount or food is never counted as zero.

mod context;
pub mod jsonld;
mod recipe;
pub mod slots;
mod views;

pub use context::{
    CalculateNutrition, Command, CreateRecipe, DeleteRecipe, Event, Facts, ImportRecipe, NutritionCalculated,
    RateRecipe, RecipeCreated, RecipeDeleted, RecipeImported, RecipeRated, RecipeUpdated, Recipes, State,
    UpdateRecipe,
};
pub use recipe::{Recipe, from_draft, imported_id};
pub use views::{Catalogue, Detail, Details, History, KnownFood, KnownFoods, Summary, Version, Versions};
