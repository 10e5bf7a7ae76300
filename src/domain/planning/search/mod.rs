//! The search for the best plan: hard rules are filters and structure, everything else is one integer objective.
//!
//! Owned here: the rules, the prices and the search, in numbers only. Not known here: names, dates, ids, the clock,
//! floats, storage. A problem is checked once; after that nothing fails, and the same problem, seed and moves give
//! the same plan on every machine.

mod adopt;
mod anneal;
mod band;
mod batch;
pub mod bound;
mod broken;
mod chains;
mod chance;
mod check;
mod compile;
mod descent;
mod empty;
mod evaluate;
mod filters;
mod locks;
mod menu;
mod moves;
mod place;
mod plan;
mod price;
mod problem;
mod proof;
mod random;
mod rank;
mod replan;
mod rng;
mod scale;
mod scan;
mod slots;
mod state;
mod steps;
mod table;
mod terms;

pub use adopt::adopt;
pub use anneal::{Progress, Watch};
pub use band::{Amounts, Band};
pub use broken::{Broken, broken};
pub use chains::{Effort, Found, solve};
pub use check::{
    Fault, MAX_AMOUNT, MAX_DAYS, MAX_EATERS, MAX_FOODS, MAX_GOAL, MAX_PORTION, MAX_RECIPES, MAX_WEIGHT, check,
};
pub use compile::compile;
pub use descent::descend;
pub use empty::{Rule, Why, forbidden, why_empty};
pub use evaluate::{eaten, evaluate, spent};
pub use plan::{Choice, NONE, Plan};
pub use problem::*;
pub use proof::prove;
pub use random::random;
pub use rank::{Alternative, rank};
pub use replan::{Amended, amend, reroll, reroll_day};
pub use table::{COOK, Candidate, Details, Facts, Group, REUSE, Slot, Stock, StockLot, Table, household};
pub use terms::Terms;
#[cfg(test)]
mod tests;
