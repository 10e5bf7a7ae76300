//! A plan as it is kept and shown: names and amounts instead of the search's numbers.

use super::search::{self, Problem, Solution, Terms, Weights};
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The result of one search, with everything needed to understand and repeat it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlan {
    pub start: NaiveDate,
    pub days: u32,
    pub seed: u64,
    pub moves: u64,
    pub weights: Weights,
    /// In 1/10 000 points; smaller is better. A point is 1 % off a daily goal of importance 10.
    pub objective: i64,
    pub terms: Terms,
    pub meals: Vec<Meal>,
    pub totals: Vec<Total>,
    /// Goals that the plan misses.
    pub unmet: Vec<Missed>,
    /// What else one should know, such as members without goals.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meal {
    pub date: NaiveDate,
    pub slot: MealSlot,
    pub dish: Dish,
    pub minutes: Option<u32>,
    pub portions: Vec<Portion>,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Dish {
    /// Cooked for this meal; `servings` cover later leftovers too.
    Cook {
        recipe_id: Uuid,
        recipe: String,
        servings: Milli,
    },
    Leftover {
        recipe_id: Uuid,
        recipe: String,
        from_date: NaiveDate,
        from_slot: MealSlot,
    },
    /// Nothing fits, and why.
    Empty {
        why: String,
    },
}

/// Percent of a serving that a member gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Portion {
    pub member: Uuid,
    pub name: String,
    pub percent: u16,
}

/// What a member eats in a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    pub date: NaiveDate,
    pub member: Uuid,
    pub name: String,
    pub per_nutrient: BTreeMap<String, NutrientTotal>,
}

/// A daily amount beside its goal. Incomplete amounts are lower bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NutrientTotal {
    pub planned: Option<Milli>,
    pub complete: bool,
    pub min: Option<Milli>,
    pub low: Option<Milli>,
    pub high: Option<Milli>,
    pub max: Option<Milli>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Missed {
    pub date: NaiveDate,
    pub member: Uuid,
    pub nutrient: String,
    pub planned: Milli,
    pub wanted: Milli,
    /// Beyond the least or the most, not only beside what was wished.
    pub hard: bool,
    pub sentence: String,
}

impl MealPlan {
    /// The solution in words; `None` when it does not belong to the problem.
    #[must_use]
    pub fn of(problem: &Problem, solution: &Solution, remarks: Vec<String>) -> Option<Self> {
        let meals: Option<Vec<_>> =
            solution.meals.iter().map(|planned| meal(problem, solution, planned)).collect();
        let totals: Option<Vec<_>> = solution.totals.iter().map(|day| total(problem, day)).collect();
        let unmet: Option<Vec<_>> = solution.unmet.iter().map(|unmet| missed(problem, unmet)).collect();
        Some(Self {
            start: problem.days.first()?.date,
            days: u32::try_from(problem.days.len()).ok()?,
            seed: problem.seed,
            moves: solution.moves,
            weights: problem.weights,
            objective: solution.objective,
            terms: solution.terms,
            meals: meals?,
            totals: totals?,
            unmet: unmet?,
            remarks,
        })
    }
}

fn meal(problem: &Problem, solution: &Solution, planned: &search::PlannedMeal) -> Option<Meal> {
    let mut minutes = None;
    let dish = match &planned.dish {
        search::Dish::Cook { recipe, percent } => {
            let candidate = problem.recipes.get(*recipe)?;
            minutes = candidate.minutes;
            let servings = Milli(i64::from(*percent) * 10);
            Dish::Cook { recipe_id: candidate.id, recipe: candidate.name.clone(), servings }
        }
        search::Dish::Leftover { recipe, of } => {
            let candidate = problem.recipes.get(*recipe)?;
            let cooked = solution.meals.get(*of)?;
            Dish::Leftover {
                recipe_id: candidate.id,
                recipe: candidate.name.clone(),
                from_date: problem.days.get(cooked.day)?.date,
                from_slot: cooked.slot,
            }
        }
        search::Dish::Empty { why } => Dish::Empty { why: why.clone() },
    };
    let portions = planned.portions.iter().map(|(eater, percent)| {
        let eater = problem.eaters.get(*eater)?;
        Some(Portion { member: eater.id, name: eater.name.clone(), percent: *percent })
    });
    Some(Meal {
        date: problem.days.get(planned.day)?.date,
        slot: planned.slot,
        dish,
        minutes,
        portions: portions.collect::<Option<_>>()?,
        reasons: planned.reasons.clone(),
    })
}

fn total(problem: &Problem, day: &search::DayTotal) -> Option<Total> {
    let eater = problem.eaters.get(day.eater)?;
    let per_nutrient = Nutrients::NAMES.iter().enumerate().map(|(n, name)| {
        let goal = eater.goals[n].unwrap_or_default();
        let total = NutrientTotal {
            planned: day.amounts[n].map(Milli),
            complete: !day.incomplete[n] && day.amounts[n].is_some(),
            min: goal.min.map(Milli),
            low: goal.low.map(Milli),
            high: goal.high.map(Milli),
            max: goal.max.map(Milli),
        };
        ((*name).to_owned(), total)
    });
    Some(Total {
        date: problem.days.get(day.day)?.date,
        member: eater.id,
        name: eater.name.clone(),
        per_nutrient: per_nutrient.collect(),
    })
}

fn missed(problem: &Problem, unmet: &search::Unmet) -> Option<Missed> {
    Some(Missed {
        date: problem.days.get(unmet.day)?.date,
        member: problem.eaters.get(unmet.eater)?.id,
        nutrient: (*Nutrients::NAMES.get(unmet.nutrient)?).to_owned(),
        planned: Milli(unmet.planned),
        wanted: Milli(unmet.wanted),
        hard: unmet.hard,
        sentence: unmet.sentence.clone(),
    })
}
