//! What planning learns from the events of others.

use super::classes::protein;
use crate::domain::context::{Context, Projection, read_as};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::envelope::Envelope;
use crate::domain::foods::{self, Aisle, FoodId, Foods};
use crate::domain::household::{self, HOME, Household, Profile};
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::message::DecodeError;
use crate::domain::nutrition::{self, MemberGoals, Nutrition};
use crate::domain::recipes::slots::MealSlot;
use crate::domain::recipes::{self, Recipe, Recipes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A recipe as planning knows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct KnownRecipe {
    pub id: Uuid,
    pub name: String,
    pub slots: BTreeSet<MealSlot>,
    pub minutes: Option<u32>,
    pub stars: Option<u8>,
    pub servings: u32,
    pub leftover_days: u32,
    /// Whether its lines have been read; before that it is not planned.
    pub measured: bool,
    pub per_serving: Nutrients,
    pub coverage_permille: u16,
    pub allergens: BTreeSet<Allergen>,
    pub allergens_complete: bool,
    pub diet: Option<Diet>,
    /// Keywords and categories, in lower case.
    pub tags: BTreeSet<String>,
    pub cuisine: Option<String>,
    /// Grams a serving.
    pub foods: Vec<(FoodId, Milli)>,
}

/// Recipes as planning knows them.
pub(super) struct RecipesLearned;

impl Projection for RecipesLearned {
    const NAME: &'static str = "planning_recipes";
    const VERSION: u32 = 2;
    const READS: &'static [&'static str] = &[Recipes::NAME];
    type Row = KnownRecipe;
    type Event = recipes::Event;

    fn read(envelope: &Envelope) -> Result<Option<recipes::Event>, DecodeError> {
        read_as::<Recipes>(envelope)
    }

    fn keys(envelope: &Envelope, _: &recipes::Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<KnownRecipe>, _: &str, envelope: &Envelope, event: &recipes::Event) {
        let stars = row.as_ref().and_then(|row| row.stars);
        let known = |recipe: &Recipe| envelope.key.uuid().map(|id| known(id, recipe, stars));
        match event {
            recipes::Event::RecipeCreated(created) => *row = known(&created.recipe),
            recipes::Event::RecipeUpdated(updated) => *row = known(&updated.recipe),
            recipes::Event::RecipeImported(imported) => *row = known(&imported.recipe),
            recipes::Event::RecipeDeleted(_) => *row = None,
            recipes::Event::NutritionCalculated(calculated) => {
                if let Some(row) = row {
                    measure(row, calculated);
                }
            }
            recipes::Event::RecipeRated(rated) => {
                if let Some(row) = row {
                    row.stars = Some(rated.stars);
                }
            }
        }
    }

    fn sort(row: &KnownRecipe) -> String {
        row.name.to_lowercase()
    }
}

fn known(id: Uuid, recipe: &Recipe, stars: Option<u8>) -> KnownRecipe {
    KnownRecipe {
        id,
        name: recipe.name.clone(),
        slots: recipe.suits(),
        minutes: recipe.minutes(),
        stars,
        servings: recipe.servings.max(1),
        leftover_days: recipe.keeps_days(),
        measured: false,
        per_serving: Nutrients::default(),
        coverage_permille: 0,
        allergens: BTreeSet::new(),
        allergens_complete: false,
        diet: None,
        tags: recipe.keywords.iter().chain(&recipe.categories).filter_map(|word| plain(word)).collect(),
        cuisine: recipe.cuisine.as_deref().and_then(plain),
        foods: Vec::new(),
    }
}

/// In lower case and without the space around; `None` when nothing is left.
fn plain(word: &str) -> Option<String> {
    let word = word.trim().to_lowercase();
    (!word.is_empty()).then_some(word)
}

fn measure(row: &mut KnownRecipe, calculated: &recipes::NutritionCalculated) {
    let nutrition = &calculated.nutrition;
    row.measured = true;
    row.per_serving = nutrition.per_serving;
    row.coverage_permille = nutrition.coverage.lines_permille();
    row.allergens.clone_from(&nutrition.allergens);
    row.allergens_complete = nutrition.allergens_complete;
    row.diet = nutrition.diet;
    let servings = i64::from(row.servings);
    let lines = calculated.lines.iter().filter(|line| !line.optional);
    let foods = lines.filter_map(|line| Some((line.food.clone()?, line.grams?.scale(1, servings))));
    row.foods = foods.collect();
}

/// The household as planning knows it.
pub(super) struct HouseholdLearned;

impl Projection for HouseholdLearned {
    const NAME: &'static str = "planning_household";
    const READS: &'static [&'static str] = &[Household::NAME];
    type Row = Profile;
    type Event = household::Event;

    fn read(envelope: &Envelope) -> Result<Option<household::Event>, DecodeError> {
        read_as::<Household>(envelope)
    }

    fn keys(_: &Envelope, _: &household::Event) -> Vec<String> {
        vec![HOME.to_owned()]
    }

    fn apply(row: &mut Option<Profile>, _: &str, _: &Envelope, event: &household::Event) {
        Household::evolve(row.get_or_insert_default(), event);
    }
}

/// Goals as planning knows them.
pub(super) struct GoalsLearned;

impl Projection for GoalsLearned {
    const NAME: &'static str = "planning_goals";
    const READS: &'static [&'static str] = &[Nutrition::NAME];
    type Row = MemberGoals;
    type Event = nutrition::Event;

    fn read(envelope: &Envelope) -> Result<Option<nutrition::Event>, DecodeError> {
        read_as::<Nutrition>(envelope)
    }

    fn keys(envelope: &Envelope, _: &nutrition::Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<MemberGoals>, _: &str, _: &Envelope, event: &nutrition::Event) {
        let nutrition::Event::NutritionGoalSet(set) = event;
        *row = Some(MemberGoals { member: set.member, goals: set.goals.clone() });
    }
}

/// A food as planning knows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct KnownFood {
    pub id: FoodId,
    pub name: String,
    pub aisle: Aisle,
    /// Every kitchen has it; nobody goes shopping for it.
    pub staple: bool,
    pub protein: Option<String>,
}

/// Foods as planning knows them.
pub(super) struct FoodsLearned;

impl Projection for FoodsLearned {
    const NAME: &'static str = "planning_foods";
    const READS: &'static [&'static str] = &[Foods::NAME];
    type Row = KnownFood;
    type Event = foods::FoodsImported;

    fn read(envelope: &Envelope) -> Result<Option<foods::FoodsImported>, DecodeError> {
        foods::read_imported(envelope)
    }

    fn keys(_: &Envelope, event: &foods::FoodsImported) -> Vec<String> {
        event.keys()
    }

    fn apply(row: &mut Option<KnownFood>, key: &str, _: &Envelope, event: &foods::FoodsImported) {
        if let Some(food) = event.food(key) {
            *row = Some(KnownFood {
                id: food.id.clone(),
                name: food.name.clone(),
                aisle: food.aisle,
                staple: food.staple,
                protein: protein(&food.id, food.aisle).map(str::to_owned),
            });
        }
    }
}
