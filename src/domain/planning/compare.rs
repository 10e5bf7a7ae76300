//! What changed between two plans, and where things stand in one.

use super::messages::SlotRef;
use super::plan::{Dish, Meal, MealPlan};
use crate::domain::measure::Nutrients;
use chrono::NaiveDate;
use std::collections::BTreeSet;

pub(super) const fn at(meal: &Meal) -> SlotRef {
    SlotRef { date: meal.date, slot: meal.slot }
}

/// The meal that this one is what is left of.
pub(super) const fn left_of(meal: &Meal) -> Option<SlotRef> {
    match &meal.dish {
        Dish::Leftover { from_date, from_slot, .. } => Some(SlotRef { date: *from_date, slot: *from_slot }),
        Dish::Cook { .. } | Dish::Empty { .. } => None,
    }
}

/// What the plan gives somebody on a day.
pub(super) fn planned_of(plan: &MealPlan, member: uuid::Uuid, date: NaiveDate) -> Nutrients {
    let total = plan.totals.iter().find(|total| total.member == member && total.date == date);
    let amount =
        |name: &str| total.and_then(|total| total.per_nutrient.get(name)).and_then(|found| found.planned);
    Nutrients::from_array(Nutrients::NAMES.map(amount))
}

/// Meals that have another dish now.
pub(super) fn changed(before: &MealPlan, now: &MealPlan) -> Vec<SlotRef> {
    let dish = |plan: &MealPlan, at: SlotRef| {
        let meal = plan.meals.iter().find(|meal| (meal.date, meal.slot) == (at.date, at.slot));
        meal.and_then(|meal| match &meal.dish {
            Dish::Cook { recipe_id, .. } => Some((*recipe_id, true)),
            Dish::Leftover { recipe_id, .. } => Some((*recipe_id, false)),
            Dish::Empty { .. } => None,
        })
    };
    let all: BTreeSet<SlotRef> = before.meals.iter().chain(&now.meals).map(at).collect();
    all.into_iter().filter(|at| dish(before, *at) != dish(now, *at)).collect()
}

pub(super) fn day_of(date: NaiveDate) -> String {
    date.format("%A %-d %B").to_string()
}
