//! The search for the best plan: hard rules are filters, everything else is one integer objective.

mod problem;

pub use problem::*;
