//! The random steps of annealing: each changes a few meals that belong together, then is taken or taken back.

use super::anneal::Chain;
use super::batch::Batch;
use super::chance::tolerance;
use super::plan::NONE;

/// Of a hundred steps: two meals of a day by the best combination, exchanges of dishes, leftovers, portions; the
/// rest choose one meal anew.
const MENU: usize = 10;
const EXCHANGE: usize = 15;
const LEFTOVERS: usize = 15;
const PORTION: usize = 20;
/// Of a hundred exchanges that make the plan worse: those that choose another meal of the days anew as well.
const REFIT: usize = 70;
/// Meals chosen together.
const COURSES: usize = 2;

impl Chain<'_, '_> {
    /// One step at a temperature.
    pub(super) fn step(&mut self, temperature: i64) {
        let kind = self.rng.below(100);
        self.moves += 1;
        if !self.portioned.is_empty() && (self.open.is_empty() || self.rng.below(100) < PORTION) {
            return self.portion_step(temperature);
        }
        let Some(slot) = self.rng.pick(&self.open) else { return };
        let has_sources = !self.state.table.slots[slot].sources.is_empty();
        if kind < MENU {
            self.menu_step(slot, temperature);
        } else if kind < MENU + EXCHANGE {
            self.exchange_step(slot, temperature);
        } else if kind < MENU + EXCHANGE + LEFTOVERS && has_sources {
            self.leftover_step(slot, temperature);
        } else {
            self.draw(slot, temperature);
        }
    }

    fn limit(&mut self, temperature: i64) -> i64 {
        self.state.objective() + tolerance(temperature, &mut self.rng) + 1
    }

    /// Another portion of somebody.
    fn portion_step(&mut self, temperature: i64) {
        let Some((slot, eater)) = self.rng.pick(&self.portioned) else { return };
        let choices = &self.state.table.choices[eater];
        if let Some(portion) = self.rng.pick(choices) {
            let limit = self.limit(temperature);
            self.state.serve(slot, eater, portion, limit);
        }
    }

    /// One meal by Boltzmann's chances.
    pub(super) fn draw(&mut self, slot: usize, temperature: i64) {
        if self.state.of[slot] != NONE {
            return self.draw_instead(slot, temperature);
        }
        let (batch, old) = (self.state.batch(slot), self.state.recipe[slot]);
        self.state.lift(batch);
        let first = (old != NONE).then_some(old);
        match self.state.draw(batch, first, temperature, &mut self.rng, &mut self.moves) {
            Some(recipe) if recipe != old => self.state.place(batch, recipe),
            Some(_) | None => self.state.put_back(batch, old),
        }
    }

    /// Something cooked instead of leftovers.
    fn draw_instead(&mut self, slot: usize, temperature: i64) {
        let limit = self.limit(temperature);
        let (rest, whole, old) = self.state.detach(slot);
        let one = Batch::one(slot);
        let found = self.state.draw(one, None, temperature, &mut self.rng, &mut self.moves);
        if let Some(recipe) = found
            && self.state.price(one, recipe) < limit
        {
            self.state.place(one, recipe);
        } else {
            self.state.lift(rest);
            self.state.place(whole, old);
        }
    }

    /// Some meals of the day of a slot together.
    fn menu_step(&mut self, slot: usize, temperature: i64) {
        let limit = self.limit(temperature);
        let day = self.state.table.slots[slot].day;
        let mut slots = self.open_of[day].clone();
        slots.retain(|&slot| self.state.of[slot] == NONE);
        while slots.len() > COURSES {
            let out = self.rng.below(slots.len());
            slots.swap_remove(out);
        }
        let mut menu = std::mem::take(&mut self.menu);
        menu.temperature = temperature;
        self.state.choose(&mut menu, &slots, limit, &mut self.rng, &mut self.moves);
        self.menu = menu;
    }

    /// The dish of another slot here; there the dish of this one, or a new one.
    fn exchange_step(&mut self, slot: usize, temperature: i64) {
        let limit = self.limit(temperature);
        let Some(other) = self.rng.pick(&self.open) else { return };
        self.state.save(&mut self.saved);
        let done = if self.rng.below(2) == 0 {
            self.state.swap(slot, other, i64::MAX)
        } else {
            self.shift(slot, other, temperature)
        };
        if done {
            self.settle([slot, other], limit, temperature);
        }
    }

    /// Leftovers in a slot that had none, or a new dish in one that had.
    fn leftover_step(&mut self, slot: usize, temperature: i64) {
        let limit = self.limit(temperature);
        let table = self.state.table;
        let Some(source) = self.rng.pick(&table.slots[slot].sources) else { return };
        let source = source as usize;
        self.state.save(&mut self.saved);
        if table.slots[source].locked.is_some() || !self.open.contains(&source) || self.rng.below(4) == 0 {
            self.state.reuse(slot, source, limit);
        } else if self.state.of[slot] == NONE {
            if self.join(slot, source, temperature) {
                self.settle([slot, source], limit, temperature);
            }
        } else {
            let from = self.state.cooked_at(slot);
            if self.open.contains(&from) && self.split(slot, temperature) {
                self.settle([slot, from], limit, temperature);
            }
        }
    }

    /// Ends a step that has been made: chooses other meals of its days anew if it needs that, then takes it, or
    /// everything since `save` back.
    fn settle(&mut self, slots: [usize; 2], limit: i64, temperature: i64) {
        if self.state.objective() >= limit && self.rng.below(100) < REFIT {
            for slot in slots {
                let day = self.state.table.slots[slot].day;
                let Some(other) = self.rng.pick(&self.open_of[day]) else { continue };
                if !slots.contains(&other) && self.state.of[other] == NONE {
                    self.draw(other, temperature);
                }
            }
        }
        if self.state.objective() >= limit {
            self.state.restore(&self.saved);
        }
    }

    /// Cooks in `slot` what is cooked in `other`, and something else there.
    fn shift(&mut self, slot: usize, other: usize, temperature: i64) -> bool {
        let state = &mut self.state;
        let (old, moved) = (state.recipe[slot], state.recipe[other]);
        let apart = slot != other && old != moved && moved != NONE;
        if !apart || state.of[slot] != NONE || state.of[other] != NONE || !state.suits(slot, moved) {
            return false;
        }
        let (one, two) = (state.batch(slot), state.batch(other));
        state.lift(one);
        state.lift(two);
        if state.fits(one, moved) {
            state.place(one, moved);
            let first = (old != NONE).then_some(old);
            let found = state.draw(two, first, temperature, &mut self.rng, &mut self.moves);
            if let Some(recipe) = found {
                state.place(two, recipe);
                return true;
            }
            state.lift(one);
        }
        state.place(one, old);
        state.place(two, moved);
        false
    }

    /// Eats in `slot` what is left of `source`, where a dish for both is chosen.
    fn join(&mut self, slot: usize, source: usize, temperature: i64) -> bool {
        let state = &mut self.state;
        if !state.may_join(slot, source) {
            return false;
        }
        let (one, batch) = (Batch::one(slot), state.batch(source));
        let old = (state.recipe[slot], state.recipe[source]);
        state.lift(one);
        state.lift(batch);
        let more = batch.with(slot);
        let first = (old.1 != NONE).then_some(old.1);
        let found = state.draw(more, first, temperature, &mut self.rng, &mut self.moves);
        if let Some(recipe) = found {
            state.place(more, recipe);
            return true;
        }
        state.place(batch, old.1);
        state.place(one, old.0);
        false
    }

    /// Cooks in `slot`, which eats leftovers, and chooses the dish anew that they were of.
    fn split(&mut self, slot: usize, temperature: i64) -> bool {
        let state = &mut self.state;
        let (whole, old) = (state.batch(state.cooked_at(slot)), state.recipe[slot]);
        let (rest, one) = (whole.without(slot), Batch::one(slot));
        state.lift(whole);
        if let Some(recipe) = state.draw(rest, Some(old), temperature, &mut self.rng, &mut self.moves) {
            state.place(rest, recipe);
            if let Some(recipe) = state.draw(one, None, temperature, &mut self.rng, &mut self.moves) {
                state.place(one, recipe);
                return true;
            }
            state.lift(rest);
        }
        state.place(whole, old);
        false
    }
}
