//! The search for the best plan: hard rules are filters, everything else is one integer objective.
//!
//! Owned here: the rules, the prices and the search. Not known here: where recipes and people come from, the time,
//! threads, storage. A problem is checked once; solving it never fails and depends on nothing but the problem.

mod alternatives;
mod anneal;
mod check;
mod descent;
mod empty;
mod explain;
mod filters;
mod objective;
mod problem;
mod rng;
mod solve;
mod state;
mod table;
#[cfg(test)]
mod tests;

pub use alternatives::{Alternative, alternatives};
pub use check::{MAX_AMOUNT, MAX_DAYS, MAX_EATERS, MAX_RECIPES, MAX_WEIGHT, check};
pub use objective::POINT;
pub use problem::*;
pub use solve::{Progress, solve, solve_with};
