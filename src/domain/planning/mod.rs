//! Planning: which dish at which meal, and how much of it for whom.
//!
//! Not known here: how recipes are written or measured; what is bought. Invariant: an event holds the whole plan
//! with its seed and reasons, so replay never searches again.

mod context;
mod overlap;
mod plan;
mod problem;
pub mod search;
mod tally;
mod views;

pub(crate) use context::check_generate;
pub use context::{
    ActivateMealPlan, CalculatePlanNutrition, Command, DiscardMealPlan, Event, Facts, GenerateMealPlan,
    MealPlanActivated, MealPlanCreated, MealPlanDiscarded, MealPlanGenerated, MealPlanReinstated,
    MealPlanRetired, OlderPlansReplaced, PlanNutritionCalculated, Planning, ReinstateMealPlan,
    RetireMealPlan, SettleOverlaps, State,
};
pub use plan::{Dish, Meal, MealPlan, Missed, NutrientTotal, Portion, Total};
pub(crate) use problem::no_first_day;
pub use tally::{DayNutrition, PlanNutrition, Sum};
pub use views::{PlanView, Plans, Status};
