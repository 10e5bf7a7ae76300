//! Exact descent: every meal, exchange, leftover and portion is tried until no single change is an improvement.

use super::anneal::{Chain, Progress};
use super::batch::Batch;
use super::chains::Found;
use super::evaluate::evaluate;
use super::plan::NONE;
use super::state::State;
use super::table::Table;
use std::ops::ControlFlow;

/// Changes single meals of what was found until that improves nothing any more: a search may end before.
#[must_use]
pub fn descend(table: &Table, found: Found) -> Found {
    let go_on = |_: &Progress| ControlFlow::Continue(());
    let mut chain = Chain::new(table, Some(&found.plan), &|_| true, (0, 0), &go_on);
    chain.descend();
    let plan = chain.state.plan();
    let terms = evaluate(table, &plan);
    Found { objective: terms.total(), terms, plan, moves: found.moves }
}

impl Chain<'_, '_> {
    /// Improves portions and the open slots in turn until none can be.
    pub(super) fn descend(&mut self) {
        loop {
            let before = self.state.objective();
            self.descend_portions();
            for place in 0..self.open.len() {
                self.improve(self.open[place]);
                self.report();
                if self.stopped {
                    return;
                }
            }
            if self.state.objective() >= before {
                return;
            }
        }
    }

    fn improve(&mut self, slot: usize) {
        self.state.improve(slot, &mut self.moves);
        for &source in &self.state.table.slots[slot].sources {
            self.moves += 1;
            let now = self.state.objective();
            self.state.reuse(slot, source as usize, now);
        }
        for place in 0..self.open.len() {
            let other = self.open[place];
            if other > slot {
                self.moves += 1;
                let now = self.state.objective();
                self.state.swap(slot, other, now);
            }
        }
    }

    fn descend_portions(&mut self) {
        for place in 0..self.portioned.len() {
            let (slot, eater) = self.portioned[place];
            for &portion in &self.state.table.choices[eater] {
                self.moves += 1;
                let now = self.state.objective();
                self.state.serve(slot, eater, portion, now);
            }
        }
    }
}

impl State<'_> {
    /// Cooks what is cheapest in a slot, if that is an improvement.
    fn improve(&mut self, slot: usize, moves: &mut u64) {
        let now = self.objective();
        let (rest, whole, old) = if self.of[slot] == NONE {
            let (batch, old) = (self.batch(slot), self.recipe[slot]);
            self.lift(batch);
            (None, batch, old)
        } else {
            let (rest, whole, old) = self.detach(slot);
            (Some(rest), whole, old)
        };
        let batch = if rest.is_some() { Batch::one(slot) } else { whole };
        match self.cheapest(batch, now, moves) {
            Some(recipe) => self.place(batch, recipe),
            None => {
                if let Some(rest) = rest {
                    self.lift(rest);
                }
                self.place(whole, old);
            }
        }
    }
}
