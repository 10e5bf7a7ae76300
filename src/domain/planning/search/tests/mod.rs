//! The engine against its definitions, on random problems with everything in them, and against nonsense.

mod nonsense;
mod problems;
mod properties;
mod uses;

use super::{Effort, Found, Plan, Table, solve};
use std::ops::ControlFlow;

fn effort(moves: u64) -> Effort {
    Effort { seed: 1, moves, chains: 2, threads: 1 }
}

fn solved(table: &Table, start: Option<&Plan>, effort: &Effort) -> Found {
    solve(table, start, effort, &|_| ControlFlow::Continue(()))
}
