//! Plans as they are read, and what planning learns from the events of others.

use super::classes::protein;
use super::context::Planning;
use super::messages::{Event, MealPlanChanged, MealPlanGenerated};
use super::plan::{Alternative, Dish, MealPlan};
use super::rules::{PlanningRules, RULES};
use super::tally::PlanNutrition;
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::envelope::Envelope;
use crate::domain::foods::{self, Aisle, FoodId, Foods};
use crate::domain::household::{self, HOME, Household, Profile};
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::message::DecodeError;
use crate::domain::nutrition::{self, MemberGoals, Nutrition};
use crate::domain::recipes::slots::MealSlot;
use crate::domain::recipes::{self, Recipe, Recipes};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Generated,
    Active,
    /// Another plan is in force on days of this one.
    Retired,
    Discarded,
}

/// A plan as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanView {
    pub id: String,
    pub status: Status,
    #[serde(flatten)]
    pub plan: MealPlan,
    /// What is in it as the recipes were known when it was added up last.
    #[serde(default)]
    pub nutrition: Option<PlanNutrition>,
    /// Ranked last for each meal that somebody asked for, by `<date> <slot>`; a change of the plan forgets them.
    #[serde(default)]
    pub alternatives: BTreeMap<String, Vec<Alternative>>,
    /// What the last change was.
    #[serde(default)]
    pub changed: Option<String>,
}

/// Plans by their first day.
pub struct Plans;

impl Projection for Plans {
    const NAME: &'static str = "planning_plans";
    const VERSION: u32 = 3;
    const READS: &'static [&'static str] = &[Planning::NAME];
    type Row = PlanView;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Planning>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<PlanView>, key: &str, _: &Envelope, event: &Event) {
        let mut set = |status| {
            if let Some(row) = row {
                row.status = status;
            }
        };
        match event {
            Event::MealPlanCreated(_) | Event::OlderPlansReplaced(_) | Event::PlanningRulesSet(_) => {}
            Event::SlotLocked(at) => lock(row, at.date, at.slot, true),
            Event::SlotUnlocked(at) => lock(row, at.date, at.slot, false),
            Event::AlternativesRanked(ranked) => {
                if let Some(row) = row {
                    let at = format!("{} {}", ranked.date, ranked.slot);
                    row.alternatives.insert(at, ranked.alternatives.clone());
                }
            }
            Event::MealPlanChanged(changed) => {
                if let Some(row) = row {
                    row.plan = changed.plan.clone();
                    row.changed = Some(changed.why.clone());
                    row.alternatives.clear();
                    row.nutrition = None;
                }
            }
            Event::PlanNutritionCalculated(calculated) => {
                if let Some(row) = row {
                    row.nutrition = Some(calculated.nutrition.clone());
                }
            }
            Event::MealPlanActivated(_) | Event::MealPlanReinstated(_) => set(Status::Active),
            Event::MealPlanRetired(_) => set(Status::Retired),
            Event::MealPlanDiscarded(_) => set(Status::Discarded),
            Event::MealPlanGenerated(generated) => {
                let (id, plan) = (key.to_owned(), generated.plan.clone());
                *row = Some(PlanView {
                    id,
                    status: Status::Generated,
                    plan,
                    nutrition: None,
                    alternatives: BTreeMap::new(),
                    changed: None,
                });
            }
        }
    }

    fn sort(row: &PlanView) -> String {
        row.plan.start.to_string()
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/meal-plans", summary: "Plans by their first day" },
            Route::Item { path: "/api/meal-plans/{id}", summary: "One plan" },
        ]
    }
}

fn lock(row: &mut Option<PlanView>, date: NaiveDate, slot: MealSlot, locked: bool) {
    let meals = row.iter_mut().flat_map(|row| &mut row.plan.meals);
    for meal in meals.filter(|meal| meal.date == date && meal.slot == slot) {
        meal.locked = locked;
    }
}

/// The household's rules as they are read.
pub struct Rules;

impl Projection for Rules {
    const NAME: &'static str = "planning_rules";
    const READS: &'static [&'static str] = &[Planning::NAME];
    type Row = PlanningRules;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Planning>(envelope)
    }

    fn keys(_: &Envelope, event: &Event) -> Vec<String> {
        if matches!(event, Event::PlanningRulesSet(_)) { vec![RULES.to_owned()] } else { Vec::new() }
    }

    fn apply(row: &mut Option<PlanningRules>, _: &str, _: &Envelope, event: &Event) {
        if let Event::PlanningRulesSet(set) = event {
            *row = Some(set.rules.clone());
        }
    }

    fn routes() -> Vec<Route> {
        vec![Route::One {
            path: "/api/planning/rules",
            key: RULES,
            summary: "What the household wishes of every plan",
        }]
    }
}

/// What was planned to be cooked when, by plan.
pub(super) struct History;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Cooked {
    pub cooked: Vec<(NaiveDate, Uuid)>,
}

impl Projection for History {
    const NAME: &'static str = "planning_history";
    const READS: &'static [&'static str] = &[Planning::NAME];
    type Row = Cooked;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Planning>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Cooked>, _: &str, _: &Envelope, event: &Event) {
        match event {
            Event::MealPlanCreated(_)
            | Event::MealPlanActivated(_)
            | Event::PlanNutritionCalculated(_)
            | Event::OlderPlansReplaced(_)
            | Event::MealPlanRetired(_)
            | Event::MealPlanReinstated(_)
            | Event::PlanningRulesSet(_)
            | Event::SlotLocked(_)
            | Event::SlotUnlocked(_)
            | Event::AlternativesRanked(_) => {}
            Event::MealPlanDiscarded(_) => *row = None,
            Event::MealPlanGenerated(MealPlanGenerated { plan, .. })
            | Event::MealPlanChanged(MealPlanChanged { plan, .. }) => {
                let cooked = plan.meals.iter().filter_map(|meal| match &meal.dish {
                    Dish::Cook { recipe_id, .. } => Some((meal.date, *recipe_id)),
                    Dish::Leftover { .. } | Dish::Empty { .. } => None,
                });
                *row = Some(Cooked { cooked: cooked.collect() });
            }
        }
    }
}

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
