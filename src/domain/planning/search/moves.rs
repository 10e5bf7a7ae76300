//! Changes to a plan that keep every hard rule: tried, then taken or taken back.

use super::batch::Batch;
use super::plan::{NONE, index};
use super::state::State;
use super::table::COOK;

impl State<'_> {
    /// Lifts a slot out of the batch whose leftovers it eats: what is left of the batch, all of it, its recipe.
    pub(super) fn detach(&mut self, slot: usize) -> (Batch, Batch, u32) {
        let whole = self.batch(self.cooked_at(slot));
        let (rest, recipe) = (whole.without(slot), self.recipe[slot]);
        self.lift(whole);
        self.place(rest, recipe);
        (rest, whole, recipe)
    }

    /// Whether the filters of a slot let a recipe be cooked there.
    pub(super) fn suits(&self, slot: usize, recipe: u32) -> bool {
        self.table.groups[self.table.slots[slot].group].allow[recipe as usize] & COOK != 0
    }

    /// Whether a slot may eat what is left of an earlier one, whatever will be cooked there.
    pub(super) fn may_join(&self, slot: usize, source: usize) -> bool {
        let slots = &self.table.slots;
        self.of[source] == NONE
            && self.of[slot] == NONE
            && self.uses[slot] == 0
            && self.uses[source] < self.table.rules.leftover_uses
            && self.batch(source).iter().all(|other| slots[other].day != slots[slot].day)
    }

    /// Whether a slot may eat what is left of what is cooked in an earlier one.
    fn may_reuse(&self, slot: usize, source: usize) -> bool {
        let slots = &self.table.slots;
        let keeps = |recipe| self.table.keeps(source, slot, recipe);
        self.of[source] == NONE
            && self.uses[slot] == 0
            && self.cooked_at(slot) != source
            && self.uses[source] < self.table.rules.leftover_uses
            && index(self.recipe[source]).is_some_and(keeps)
            && self.batch(source).iter().all(|other| slots[other].day != slots[slot].day)
    }

    /// Eats leftovers in a slot, if that is allowed and the objective stays below `limit`.
    pub(super) fn reuse(&mut self, slot: usize, source: usize, limit: i64) -> bool {
        if !self.may_reuse(slot, source) {
            return false;
        }
        let recipe = self.recipe[source];
        let before = self.take_out(slot);
        let batch = self.batch(source);
        self.lift(batch);
        let more = batch.with(slot);
        let taken = self.price_below(more, recipe, limit) < limit;
        if taken {
            self.place(more, recipe);
        } else {
            self.place(batch, recipe);
            self.take_back(&before);
        }
        taken
    }

    /// Lifts a slot without followers; how to take that back.
    fn take_out(&mut self, slot: usize) -> Taken {
        if self.of[slot] == NONE {
            let (one, recipe) = (Batch::one(slot), self.recipe[slot]);
            self.lift(one);
            Taken { rest: None, whole: one, recipe }
        } else {
            let (rest, whole, recipe) = self.detach(slot);
            Taken { rest: Some(rest), whole, recipe }
        }
    }

    fn take_back(&mut self, taken: &Taken) {
        if let Some(rest) = taken.rest {
            self.lift(rest);
        }
        self.place(taken.whole, taken.recipe);
    }

    /// Exchanges what two slots cook, if that is allowed and the objective stays below `limit`.
    pub(super) fn swap(&mut self, a: usize, b: usize, limit: i64) -> bool {
        let (first, second) = (self.recipe[a], self.recipe[b]);
        let sensible = first != NONE && second != NONE && first != second;
        if !sensible
            || self.of[a] != NONE
            || self.of[b] != NONE
            || !self.suits(a, second)
            || !self.suits(b, first)
        {
            return false;
        }
        let (one, two) = (self.batch(a), self.batch(b));
        self.lift(one);
        self.lift(two);
        if self.follows(one, second) {
            self.place(one, second);
            if self.follows(two, first) && self.price_below(two, first, limit) < limit {
                self.place(two, first);
                return true;
            }
            self.lift(one);
        }
        self.place(one, first);
        self.place(two, second);
        false
    }

    /// Gives an eater another portion, if the objective stays below `limit`.
    pub(super) fn serve(&mut self, slot: usize, eater: usize, portion: u8, limit: i64) -> bool {
        let cell = slot * self.table.eaters + eater;
        let old = self.portion[cell];
        if old == portion || self.recipe[slot] == NONE {
            return false;
        }
        let (batch, recipe) = (self.batch(self.cooked_at(slot)), self.recipe[slot]);
        self.lift(batch);
        self.portion[cell] = portion;
        self.count_portions(slot);
        let taken = self.price_below(batch, recipe, limit) < limit;
        if !taken {
            self.portion[cell] = old;
            self.count_portions(slot);
        }
        self.place(batch, recipe);
        taken
    }
}

/// What [`State::take_out`] lifted.
struct Taken {
    rest: Option<Batch>,
    whole: Batch,
    recipe: u32,
}
