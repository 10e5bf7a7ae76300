//! The weekly plan search: integers in, the best plan found and its reasons out.
//!
//! Owned here: the problem's shape and bounds, the hard rules, the one objective, the search, its explanations.
//! Not known here: contexts, events, clocks, threads; who eats, what there is and the seed are data in [`Problem`].
//!
//! **Invariants:** hard rules only filter, prices only weigh. Nothing decides by floating point. The incremental
//! objective equals the full one after every move. Equal problems give equal plans.
//! **Absent:** repair of broken rules; a plan that would break one leaves the slot empty and says why.

mod alternatives;
mod anneal;
mod chance;
mod check;
mod compile;
mod empty;
mod explain;
mod filters;
mod goals;
mod model;
mod moves;
mod objective;
mod problem;
mod rng;
mod solution;
mod state;
mod terms;
mod wishes;
mod words;

#[cfg(test)]
mod tests;

pub use alternatives::{Alternative, alternatives};
pub use anneal::Progress;
pub use check::*;
pub use empty::{EmptySlot, RuleCount};
pub use explain::{Explanation, MealReason, Reason, explain};
pub use filters::Rule;
pub use goals::{EaterDay, NutrientTotal, Unmet};
pub use problem::*;
pub use solution::{PlannedMeal, Solution, solve, solve_with};
pub use terms::{Term, Terms};
pub use wishes::{Rules, Weights};
