//! A plan as it is kept and shown: names and amounts instead of the search's numbers.

use super::rules::Weights;
use super::search;
use crate::domain::measure::Milli;
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
    /// Proven: no plan under the same rules and prices has a smaller objective than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<i64>,
    /// What is to be bought costs, as far as prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Milli>,
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
    /// Servings of those who eat along once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<Milli>,
    /// It stays, whatever is planned anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
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
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub cost: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub over_budget: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub waste: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub portions: i64,
    /// Rules and wishes by tag.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub wishes: i64,
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub change: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn is_nothing(term: &i64) -> bool {
    *term == 0
}

impl From<search::Terms> for Terms {
    fn from(terms: search::Terms) -> Self {
        Self {
            nutrition: terms.nutrition,
            variety: terms.variety + terms.repeat,
            items: terms.items,
            rating: terms.rating,
            effort: terms.effort,
            leftovers: terms.leftover,
            coverage: terms.coverage,
            empty: terms.empty,
            cost: terms.cost,
            over_budget: terms.overbudget,
            waste: terms.waste,
            portions: terms.portions,
            wishes: terms.preference + terms.quotas,
            change: terms.change,
        }
    }
}

/// Another dish for a meal, with what the plan would cost with it, beside what it costs now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    pub recipe_id: Uuid,
    pub recipe: String,
    /// By how much the objective would change, in 1/10 000 points; above zero it is worse.
    pub difference: i64,
    pub terms: Terms,
    /// The same in words.
    pub why: Vec<String>,
}
