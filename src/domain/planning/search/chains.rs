//! Runs the chains of a search on threads; which thread runs which chain makes no difference.

use super::adopt::adopt;
use super::anneal::{Chain, Watch};
use super::evaluate::evaluate;
use super::plan::Plan;
use super::table::Table;
use super::terms::Terms;
use std::sync::atomic::{AtomicU32, Ordering};

/// How long to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    pub seed: u64,
    /// Moves tried by each chain.
    pub moves: u64,
    /// Independent chains, of which the best is taken. They decide what is found.
    pub chains: u32,
    /// They only decide how soon.
    pub threads: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { seed: 1, moves: 1_000_000, chains: 2, threads: 2 }
    }
}

/// The best plan of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub plan: Plan,
    /// In 1/10 000 points; less is better.
    pub objective: i64,
    pub terms: Terms,
    /// Tried by all chains.
    pub moves: u64,
}

/// Searches for the best plan, beginning with a plan of the table (which keeps the locks) or with nothing.
#[must_use]
pub fn solve(table: &Table, start: Option<&Plan>, effort: &Effort, watch: &Watch<'_>) -> Found {
    solve_open(table, start, &|_| true, &[], effort, watch)
}

/// [`solve`], with only those slots changed for which `open` says so, and some recipes not planned there.
pub(super) fn solve_open(
    table: &Table,
    start: Option<&Plan>,
    open: &(dyn Fn(usize) -> bool + Sync),
    banned: &[u32],
    effort: &Effort,
    watch: &Watch<'_>,
) -> Found {
    let chains = effort.chains.max(1);
    let start = start.map(|plan| adopt(table, plan));
    let next = AtomicU32::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= chains {
                return done;
            }
            let mut chain = Chain::new(table, start.as_ref(), open, (effort.seed, number), watch);
            chain.state.banned = banned.to_vec();
            let (objective, plan, moves) = chain.run(effort.moves);
            done.push((objective, number, plan, moves));
        }
    };
    let mut ends = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..effort.threads.clamp(1, chains)).map(|_| scope.spawn(work)).collect();
        let mut ends = work();
        // A thread that panicked has nothing to tell; the others have.
        helpers.into_iter().for_each(|helper| ends.extend(helper.join().unwrap_or_default()));
        ends
    });
    ends.sort_by_key(|(objective, number, _, _)| (*objective, *number));
    let moves = ends.iter().map(|(_, _, _, moves)| moves).sum();
    let plan = ends.into_iter().next().map_or_else(|| super::state::empty(table), |(_, _, plan, _)| plan);
    let terms = evaluate(table, &plan);
    Found { objective: terms.total(), plan, terms, moves }
}
