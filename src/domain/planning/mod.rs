//! Planning: which dish at which meal, and how much of it for whom.
//!
//! Not known here: how recipes are written or measured; what is bought. Invariant: an event holds the whole plan
//! with its seed and reasons, so replay never searches again.

mod book;
mod changes;
mod checks;
mod classes;
mod compare;
mod context;
mod decisions;
mod endpoints;
mod learned;
mod messages;
mod overlap;
mod plan;
mod problem;
mod rules;
pub mod search;
mod tally;
#[cfg(test)]
mod tests;
mod units;
mod views;
mod why;
mod write;

pub(crate) use checks::check_generate;
pub use context::{Facts, Planning, State};
pub(crate) use decisions::no_first_day;
pub use messages::*;
pub use plan::{Alternative, Dish, Meal, MealPlan, Missed, NutrientTotal, Portion, Terms, Total};
pub use rules::{PlanningRules, TagRule, Weights};
pub use tally::{DayNutrition, PlanNutrition, Sum};
pub use views::{PlanView, Plans, Rules, Status};
