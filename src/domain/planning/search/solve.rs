//! The search as a whole: a greedy plan, then rounds of annealing and descent from the best plan so far.

use super::anneal::{Best, Moves, anneal};
use super::explain;
use super::problem::{Problem, Solution};
use super::rng::Rng;
use super::state::State;
use super::table::Table;
use std::ops::ControlFlow;

/// Moves of the rounds; the last entry repeats. Only whole rounds are run, so that a larger budget goes on where a
/// smaller one stopped and never finds a worse plan.
const ROUNDS: [u64; 6] = [2_000, 6_000, 12_000, 30_000, 50_000, 100_000];
/// Plans tried by one descent, at most.
const DESCENT: u64 = 20_000;

/// How far the search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Moves tried, and the budget for them.
    pub moves: u64,
    pub budget: u64,
    /// Of the best plan so far.
    pub objective: i64,
    pub improvements: u64,
}

/// The best plan found within the budget, the same for the same problem and seed.
///
/// The budget is rounded down to whole rounds (2 000, 8 000, 20 000, 50 000, 100 000, then every 100 000 moves).
#[must_use]
pub fn solve(problem: &Problem) -> Solution {
    solve_with(problem, &mut |_| ControlFlow::Continue(()))
}

/// Like [`solve`], telling `watch` about every thousandth move; `Break` ends the search with the best plan so far.
pub fn solve_with(problem: &Problem, watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Solution {
    let table = Table::new(problem);
    let (best, moves) = search(&table, watch);
    explain::solution(&table, &best, moves)
}

/// The best plan and the moves tried for it.
pub(super) fn search(table: &Table<'_>, watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> (Best, u64) {
    let budget = table.problem.moves;
    let mut state = State::new(table);
    state.greedy();
    let mut done = state.descend(DESCENT);
    let mut best = Best { objective: state.objective(), plan: state.plan.clone(), improvements: 0 };
    let moves = Moves::of(&state);
    let mut rng = Rng::new(table.problem.seed);
    let mut spent = 0u64;
    let mut go_on = |moves: u64, best: &Best| {
        let progress = Progress { moves, budget, objective: best.objective, improvements: best.improvements };
        watch(&progress).is_continue()
    };
    if moves.is_empty() || !go_on(0, &best) {
        return (best, done);
    }
    for round in 0.. {
        let size = ROUNDS[round.min(ROUNDS.len() - 1)];
        if size > budget.saturating_sub(spent) {
            break;
        }
        let heat = if round < ROUNDS.len() { 100 } else { 50 };
        let mut local = best.clone();
        let whole = anneal(&mut state, &moves, (size, heat), &mut rng, &mut local, &mut |moves, best| {
            go_on(spent + moves, best)
        });
        state.adopt(&local.plan);
        done += size;
        if whole {
            done += state.descend(DESCENT);
        }
        if state.objective() < local.objective {
            local = Best {
                objective: state.objective(),
                plan: state.plan.clone(),
                improvements: local.improvements + 1,
            };
        }
        best = local;
        spent += size;
        if !whole || !go_on(spent, &best) {
            break;
        }
    }
    (best, done)
}
