//! What a plan is searched for, and what is found: plain data, integers only.

use crate::domain::diet::{Allergen, Diet};
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Portions an eater can get of a meal, in percent of a serving.
pub const PORTIONS: [u16; 4] = [75, 100, 125, 150];

/// Everything the search knows. Foods are numbers below `foods`; nutrients are in thousandths of their units, in
/// the order of `Nutrients::NAMES`.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// Consecutive days with the meals to plan.
    pub days: Vec<Day>,
    pub eaters: Vec<Eater>,
    pub recipes: Vec<Candidate>,
    /// How many foods there are.
    pub foods: usize,
    pub locks: Vec<Lock>,
    /// Recipes eaten before the first day.
    pub eaten: Vec<Eaten>,
    /// Days that must lie between two cookings of one recipe.
    pub repeat_gap_days: u32,
    /// Recipes whose lines are known to a smaller share are not planned.
    pub min_coverage_permille: u16,
    pub weights: Weights,
    pub seed: u64,
    /// Budget: moves tried by the search.
    pub moves: u64,
}

#[derive(Clone, Debug)]
pub struct Day {
    pub date: NaiveDate,
    pub meals: Vec<Meal>,
}

#[derive(Clone, Debug)]
pub struct Meal {
    pub slot: MealSlot,
    pub max_minutes: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Eater {
    pub id: Uuid,
    pub name: String,
    pub diet: Diet,
    pub allergens: BTreeSet<Allergen>,
    /// Foods never served.
    pub excluded: BTreeSet<usize>,
    /// Meals eaten at home.
    pub slots: BTreeSet<MealSlot>,
    pub goals: [Option<Goal>; 8],
}

/// A daily goal: free from `low` to `high`, one slope outside, four times the slope beyond `min` and `max`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    pub min: Option<i64>,
    pub low: Option<i64>,
    pub high: Option<i64>,
    pub max: Option<i64>,
    /// 1 to 10.
    pub importance: u8,
}

/// A recipe that may be planned.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: Uuid,
    pub name: String,
    pub slots: BTreeSet<MealSlot>,
    pub minutes: Option<u32>,
    pub allergens: BTreeSet<Allergen>,
    pub allergens_complete: bool,
    /// `None`: not known, so only omnivores can eat it.
    pub diet: Option<Diet>,
    pub per_serving: [Option<i64>; 8],
    /// Share of its lines that is accounted for.
    pub coverage_permille: u16,
    /// Food and milligrams a serving; staples (salt, oil) left out.
    pub foods: Vec<(usize, i64)>,
    /// Days the cooked dish keeps; 0: no leftovers.
    pub leftover_days: u32,
    /// 1 to 5.
    pub stars: Option<u8>,
}

/// A meal that is already decided; overrides the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    pub day: usize,
    pub slot: MealSlot,
    /// Index of the recipe; `None` keeps the meal empty.
    pub recipe: Option<usize>,
}

/// A recipe eaten this many days before the first day (1 is the day before).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eaten {
    pub recipe: usize,
    pub days_before: u32,
}

/// Prices of the terms, in percent of their usual price (100); 0 switches a term off. The currency: 1 point is
/// 1 % off a daily goal of importance 10, for one person on one day; objectives are in 1/10 000 points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Distance to everybody's daily goals.
    pub nutrition: u32,
    /// The same recipe or nearly the same ingredients again.
    pub variety: u32,
    /// Distinct foods to buy.
    pub items: u32,
    /// Few stars.
    pub rating: u32,
    /// Minutes of cooking.
    pub effort: u32,
    /// Eating leftovers (a gain when it saves cooking, limited a week).
    pub leftovers: u32,
    /// Nutrition that rests on incomplete data.
    pub coverage: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            nutrition: 100,
            variety: 100,
            items: 100,
            rating: 100,
            effort: 100,
            leftovers: 100,
            coverage: 100,
        }
    }
}

/// The best plan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// One a meal of the problem, in order of days and meals.
    pub meals: Vec<PlannedMeal>,
    /// In 1/10 000 points; smaller is better.
    pub objective: i64,
    pub terms: Terms,
    /// One an eater and day, in that order.
    pub totals: Vec<DayTotal>,
    pub unmet: Vec<Unmet>,
    pub moves: u64,
    pub improvements: u64,
}

/// The objective by term, in 1/10 000 points, weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    pub nutrition: i64,
    pub variety: i64,
    pub items: i64,
    pub rating: i64,
    pub effort: i64,
    pub leftovers: i64,
    pub coverage: i64,
    pub empty: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMeal {
    pub day: usize,
    pub slot: MealSlot,
    pub dish: Dish,
    /// Percent of a serving by eater (index into the problem's eaters); only those who eat this meal.
    pub portions: Vec<(usize, u16)>,
    /// Why this dish, in plain sentences, most important first.
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dish {
    /// Cooked for this meal; `percent` of a serving in all, later leftovers included.
    Cook { recipe: usize, percent: u32 },
    /// What was cooked at an earlier meal (index into the solution's meals).
    Leftover { recipe: usize, of: usize },
    /// Nothing fits; `why` names the rule, or the pair of rules, that stands in the way.
    Empty { why: String },
}

/// What somebody eats in a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayTotal {
    pub eater: usize,
    pub day: usize,
    /// Sums of what is known; `None` when nothing is.
    pub amounts: [Option<i64>; 8],
    /// Whether some dish lacks a value for the nutrient, so that the sum is a lower bound.
    pub incomplete: [bool; 8],
}

/// A goal that the plan misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    pub eater: usize,
    pub day: usize,
    /// Index into `Nutrients::NAMES`.
    pub nutrient: usize,
    pub planned: i64,
    /// The nearest amount that would be free of cost.
    pub wanted: i64,
    /// Beyond `min` or `max`, not only outside `low` to `high`.
    pub hard: bool,
    pub sentence: String,
}
