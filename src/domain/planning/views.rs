//! Plans as they are read, and what planning learns from the events of others.

use super::context::Planning;
use super::messages::{Event, MealPlanChanged, MealPlanGenerated};
use super::plan::{Alternative, Dish, MealPlan};
use super::rules::{PlanningRules, RULES};
use super::tally::PlanNutrition;
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
