//! Planning: which dish at which meal, and how much of it for whom.
//!
//! Not known here: how recipes are written or measured; what is bought. Invariant: an event holds the whole plan
//! with its seed and reasons, so replay never searches again.

mod context;
mod plan;
mod problem;
pub mod search;
mod views;

pub use context::{
    ActivateMealPlan, Command, DiscardMealPlan, Event, Facts, GenerateMealPlan, MealPlanActivated,
    MealPlanCreated, MealPlanDiscarded, MealPlanGenerated, Planning, State,
};
pub use plan::{Dish, Meal, MealPlan, Missed, NutrientTotal, Portion, Total};
pub(crate) use problem::no_first_day;
pub use views::{PlanView, Plans, Status};
