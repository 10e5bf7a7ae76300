//! Shopping lists as they are read, and what shopping learns from the events of others.

use super::context::{Event, Shopping};
use super::merge::Line;
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::foods::{self, Aisle, FoodId, Foods};
use crate::domain::ingredients::ResolvedLine;
use crate::domain::measure::Milli;
use crate::domain::message::DecodeError;
use crate::domain::planning::{self, MealPlan, Planning};
use crate::domain::recipes::{self, Recipe, Recipes};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A line as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListLine {
    pub key: String,
    pub name: String,
    pub aisle: String,
    /// What to buy, in words; empty when nothing is known of it.
    pub amount_text: String,
    pub checked: bool,
    pub staple: bool,
    /// The line in full, for those that recipes ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// A shopping list as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListView {
    pub id: String,
    pub plan: Uuid,
    pub created: DateTime<Utc>,
    pub completed: bool,
    pub lines: Vec<ListLine>,
    pub remarks: Vec<String>,
}

/// Shopping lists, oldest first.
pub struct Lists;

impl Projection for Lists {
    const NAME: &'static str = "shopping_lists";
    const READS: &'static [&'static str] = &[Shopping::NAME];
    type Row = ListView;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Shopping>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<ListView>, key: &str, envelope: &Envelope, event: &Event) {
        match event {
            Event::ShoppingListCreated(created) => {
                *row = Some(ListView {
                    id: key.to_owned(),
                    plan: created.plan,
                    created: envelope.time,
                    completed: false,
                    lines: created.lines.iter().map(shown).collect(),
                    remarks: created.remarks.clone(),
                });
            }
            Event::ShoppingListDiscarded(_) => *row = None,
            Event::PlanFollowed(_) => {}
            Event::ShoppingListUpdated(_)
            | Event::LineAdded(_)
            | Event::LineChecked(_)
            | Event::ShoppingListCompleted(_) => {
                if let Some(list) = row {
                    change(list, event);
                }
            }
        }
    }

    fn sort(row: &ListView) -> String {
        row.created.to_rfc3339()
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/shopping-lists", summary: "Shopping lists, oldest first" },
            Route::Item { path: "/api/shopping-lists/{id}", summary: "One shopping list" },
        ]
    }
}

fn shown(line: &Line) -> ListLine {
    ListLine {
        key: line.key.clone(),
        name: line.name.clone(),
        aisle: line.aisle.clone(),
        amount_text: line.amount.display(),
        checked: false,
        staple: line.staple,
        line: Some(line.clone()),
    }
}

fn change(list: &mut ListView, event: &Event) {
    match event {
        Event::LineAdded(added) => list.lines.push(ListLine {
            key: added.key.clone(),
            name: added.name.clone(),
            aisle: Aisle::Other.to_string(),
            amount_text: added.amount.clone().unwrap_or_default(),
            checked: false,
            staple: false,
            line: None,
        }),
        Event::LineChecked(checked) => {
            if let Some(line) = list.lines.iter_mut().find(|line| line.key == checked.line) {
                line.checked = checked.checked;
            }
        }
        Event::ShoppingListUpdated(updated) => {
            let before = std::mem::take(&mut list.lines);
            let was_checked = |key: &str| before.iter().any(|line| line.key == key && line.checked);
            let now = |line: &Line| ListLine { checked: was_checked(&line.key), ..shown(line) };
            list.lines = updated.lines.iter().map(now).collect();
            list.lines.extend(before.into_iter().filter(|line| line.line.is_none()));
            list.remarks.clone_from(&updated.remarks);
        }
        Event::ShoppingListCompleted(_) => list.completed = true,
        Event::ShoppingListCreated(_) | Event::ShoppingListDiscarded(_) | Event::PlanFollowed(_) => {}
    }
}

/// Plans as shopping knows them.
pub(super) struct PlansLearned;

impl Projection for PlansLearned {
    const NAME: &'static str = "shopping_plans";
    const READS: &'static [&'static str] = &[Planning::NAME];
    type Row = MealPlan;
    type Event = planning::Event;

    fn read(envelope: &Envelope) -> Result<Option<planning::Event>, DecodeError> {
        read_as::<Planning>(envelope)
    }

    fn keys(envelope: &Envelope, _: &planning::Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<MealPlan>, _: &str, _: &Envelope, event: &planning::Event) {
        match event {
            planning::Event::MealPlanGenerated(generated) => *row = Some(generated.plan.clone()),
            planning::Event::MealPlanChanged(changed) => *row = Some(changed.plan.clone()),
            planning::Event::MealPlanDiscarded(_) => *row = None,
            planning::Event::MealPlanCreated(_)
            | planning::Event::MealPlanActivated(_)
            | planning::Event::PlanNutritionCalculated(_)
            | planning::Event::OlderPlansReplaced(_)
            | planning::Event::MealPlanRetired(_)
            | planning::Event::MealPlanReinstated(_)
            | planning::Event::PlanningRulesSet(_)
            | planning::Event::SlotLocked(_)
            | planning::Event::SlotUnlocked(_)
            | planning::Event::AlternativesRanked(_) => {}
        }
    }
}

/// A recipe as shopping knows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct KnownRecipe {
    pub id: Uuid,
    pub name: String,
    pub servings: u32,
    pub lines: Vec<ResolvedLine>,
}

/// Recipes as shopping knows them.
pub(super) struct RecipesLearned;

impl Projection for RecipesLearned {
    const NAME: &'static str = "shopping_recipes";
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
        let known = |recipe: &Recipe| {
            let id = envelope.key.uuid()?;
            Some(KnownRecipe { id, name: recipe.name.clone(), servings: recipe.servings, lines: Vec::new() })
        };
        match event {
            recipes::Event::RecipeCreated(created) => *row = known(&created.recipe),
            recipes::Event::RecipeUpdated(updated) => *row = known(&updated.recipe),
            recipes::Event::RecipeImported(imported) => *row = known(&imported.recipe),
            recipes::Event::RecipeDeleted(_) => *row = None,
            recipes::Event::NutritionCalculated(calculated) => {
                if let Some(row) = row {
                    row.lines.clone_from(&calculated.lines);
                }
            }
            recipes::Event::RecipeRated(_) => {}
        }
    }
}

/// A food as shopping knows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct KnownFood {
    pub id: FoodId,
    pub name: String,
    pub aisle: Aisle,
    pub staple: bool,
    pub pieces: BTreeMap<String, Milli>,
    pub density_g_per_ml: Option<Milli>,
}

/// Foods as shopping knows them.
pub(super) struct FoodsLearned;

impl Projection for FoodsLearned {
    const NAME: &'static str = "shopping_foods";
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
        let Some(food) = event.food(key) else { return };
        *row = Some(KnownFood {
            id: food.id.clone(),
            name: food.name.clone(),
            aisle: food.aisle,
            staple: food.staple,
            pieces: food.pieces.clone(),
            density_g_per_ml: food.density_g_per_ml,
        });
    }
}
