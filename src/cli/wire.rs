//! The server's answers, as far as they are printed. Read leniently: what is missing is unknown.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Link {
    pub path: String,
}

/// What was told about an accepted command.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer<R = serde_json::Value> {
    pub key: String,
    /// `accepted` or `handled`.
    pub status: String,
    #[serde(default = "Option::default")]
    pub result: Option<R>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    #[serde(default = "Option::default")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Saga {
    pub id: String,
    pub status: String,
    pub steps: Vec<Step>,
    pub plan: Option<String>,
    pub shopping_list: Option<String>,
    pub flow: String,
    pub started: String,
    pub error: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schedule {
    pub flow: String,
    pub cron: String,
    pub time_zone: String,
    pub missed: String,
    pub next: Option<String>,
    pub last: Option<Occurrence>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Occurrence {
    pub at: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    pub name: String,
    pub status: String,
    pub error: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MealPlan {
    pub id: String,
    pub start: String,
    pub days: Option<u32>,
    pub status: String,
    pub meals: Vec<Meal>,
    pub totals: Vec<DayTotal>,
    pub unmet: Vec<Unmet>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meal {
    pub date: String,
    pub slot: String,
    pub dish: Dish,
    pub minutes: Option<u32>,
    pub portions: Vec<Portion>,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Dish {
    /// `cook`, `leftover` or `empty`.
    pub kind: String,
    pub recipe: Option<String>,
    pub servings: Option<f64>,
    pub from_date: Option<String>,
    pub from_slot: Option<String>,
    pub why: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Portion {
    pub member: String,
    pub name: Option<String>,
    pub percent: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DayTotal {
    pub date: String,
    pub member: String,
    pub name: Option<String>,
    pub per_nutrient: BTreeMap<String, Amount>,
}

/// A planned amount beside what it should be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Amount {
    pub planned: Option<f64>,
    pub complete: bool,
    pub min: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unmet {
    pub sentence: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ShoppingList {
    pub id: String,
    pub lines: Vec<ShoppingLine>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ShoppingLine {
    pub name: String,
    pub aisle: Option<String>,
    pub amount_text: Option<String>,
    pub staple: bool,
    pub checked: bool,
    pub line: Needs,
}

/// What a line is bought for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Needs {
    pub reasons: Vec<Reason>,
    pub unmeasured: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    pub recipe: Option<String>,
}

/// A recipe in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Recipe {
    pub id: String,
    pub name: String,
    pub servings: Option<u32>,
    pub minutes: Option<u32>,
    pub slots: BTreeSet<String>,
    pub stars: Option<u8>,
    pub per_serving: BTreeMap<String, Option<f64>>,
    pub lines_counted: u32,
    pub lines_total: u32,
}

/// A recipe in full.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RecipeDetail {
    pub nutrition: Option<Nutrition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Nutrition {
    pub coverage: Coverage,
}

/// How much of a recipe's ingredients is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Coverage {
    pub lines_counted: u32,
    pub lines_total: u32,
    pub mass_share_permille: Option<u16>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Household {
    pub household: Option<serde_json::Value>,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor {
    pub path: String,
    pub kind: String,
    pub state: String,
    pub generation: u64,
    pub restarts: u64,
    pub waiting: i64,
    pub in_flight: i64,
    pub handled: u64,
    pub failed: u64,
    pub last_error: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Breaker {
    pub service: String,
    pub state: String,
    pub since: Option<String>,
    pub last_error: Option<String>,
    pub calls: Calls,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Calls {
    pub in_flight: u64,
    pub answered: u64,
    pub failed: u64,
    pub unknown: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeadLetter {
    pub id: String,
    pub at: String,
    pub state: String,
    pub context: String,
    pub key: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub attempts: u32,
    pub reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Replay {
    pub replayed: String,
    pub follow_up: Option<String>,
}

/// A page of a sweep over dead letters.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Swept {
    pub replayed: usize,
    pub discarded: usize,
    pub left: Vec<Left>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Left {
    pub id: String,
    pub why: String,
}

/// A message of the log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Message {
    pub position: i64,
    pub time: String,
    pub kind: String,
    pub detail_type: String,
    pub context: String,
    pub key: String,
}
