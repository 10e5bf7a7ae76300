//! A proven lower bound of the weekly problem: whatever plan there is, it costs at least as much.
//!
//! Days are tied together by items bought once, stock, budget, repeats, caps and leftovers. Each such rule is
//! relaxed into a price (`rows`); at given prices every day is a problem of its own, solved exactly (`branch`),
//! and the sum is a bound. Prices are improved by a proximal bundle method over the menus seen (`master`), and
//! once they are settled the plans are split by whether an item is bought (`bound`).
//!
//! What makes it strong: an item is paid if *a recipe* that needs it is cooked at all within the days in which
//! that recipe may be cooked once only, not just if *a day* needs it.
//!
//! **Invariant:** no clock, no float, no chance: the same model gives the same bounds in the same order.
//! **Invariant:** prices may be anything that `Rows::allow` lets pass; the proof needs nothing else of them.

mod branch;
mod day;
mod engine;
mod lists;
mod master;
mod menu;
pub mod model;
mod money;
mod nutrition;
mod options;
mod pricing;
mod rows;
mod start;
#[cfg(test)]
mod tests;
mod tree;
mod week;
mod whole;

use engine::{Engine, Part};
use model::{Model, Unfit};
use std::ops::ControlFlow;

/// Sub-units of a unit of the objective, so that shares of prices lose little to rounding.
const FINE: i64 = 64;

/// More than any plan costs: the bound of a part that holds no plan is above.
const NO_PLAN: i64 = i64::MAX / 128;

/// Rounds that a part gets before it is split, if it does not settle earlier.
const ROUNDS: usize = 10;

/// What is proven so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// No plan costs less.
    pub bound: i64,
    /// Day menus looked at in earnest.
    pub menus: usize,
    /// Parts that the plans are split into.
    pub parts: usize,
}

/// Raises the bound until `watch`, told after each round, says to stop or nothing is left to do.
///
/// `known` is the value of a plan: parts that cannot beat it are closed, and no bound is above it.
///
/// # Errors
/// Where the model is not one that the bound can read.
pub fn bound(
    model: &Model,
    known: Option<i64>,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Progress, Unfit> {
    model.check()?;
    let mut engine = Engine::new(model);
    let mut open = vec![engine.whole()];
    let ceiling = known.map_or(NO_PLAN, |k| k.saturating_mul(FINE).min(NO_PLAN));
    loop {
        let Some(at) = (0..open.len()).min_by_key(|&p| open[p].bound) else {
            return Ok(engine.progress(ceiling, 0));
        };
        if open[at].bound >= ceiling {
            return Ok(engine.progress(ceiling, open.len()));
        }
        if engine.is_due(&open[at]) {
            engine.look_at_weeks(&mut open[at], ceiling);
        } else if open[at].is_settled() || (open.len() > 1 && open[at].rounds >= ROUNDS) {
            let part = open.swap_remove(at);
            match engine.undecided(&part) {
                Some(item) => open.extend(engine.split(&part, item)),
                None => return Ok(engine.progress(part.bound, open.len() + 1)),
            }
            continue;
        } else {
            engine.round(&mut open[at]);
        }
        let least = open.iter().map(|p: &Part| p.bound).min().unwrap_or(ceiling);
        let progress = engine.progress(least.min(ceiling), open.len());
        if watch(&progress).is_break() {
            return Ok(progress);
        }
    }
}
