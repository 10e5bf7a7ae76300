//! Lifting a batch out and placing a dish in one: everything that is counted, with the difference to the objective.

use super::band::{add, subtract};
use super::batch::Batch;
use super::plan::{NONE, index, number};
use super::price::{count, lasts};
use super::state::State;
use super::table::{NO_CLASS, household};

/// Foods to bring up to date at most before it is done, wanted or not.
const MANY_DIRTY: usize = 4_096;

impl State<'_> {
    /// Takes out a batch, whose slots are then neither empty nor filled until something is placed in them.
    pub(super) fn lift(&mut self, batch: Batch) {
        let table = self.table;
        if self.dirty.len() > MANY_DIRTY {
            self.sync();
        }
        for slot in batch.iter() {
            let first = table.places[slot].cell;
            let dish = index(self.recipe[slot]);
            for &e in &table.slots[slot].eaters {
                let cell = first + usize::from(e);
                if self.out[cell] == 0 {
                    self.sum -= self.cells[cell];
                }
                self.out[cell] += 1;
                if let Some(r) = dish {
                    let row = table.row(r, self.portion[slot * table.eaters + usize::from(e)]);
                    subtract(&mut self.sums[cell], row);
                }
            }
        }
        match index(self.recipe[batch.source()]) {
            Some(recipe) => self.count_out(batch, recipe),
            None => batch.iter().for_each(|slot| self.sum -= table.slots[slot].empty),
        }
    }

    /// Everything but nutrition of a batch that is taken out.
    fn count_out(&mut self, batch: Batch, recipe: usize) {
        for slot in batch.iter() {
            self.recipe[slot] = NONE;
            self.of[slot] = NONE;
            let sign = -1;
            self.count_classes(slot, recipe, sign);
        }
        self.uses[batch.source()] = 0;
        self.times[recipe] -= 1;
        self.leftovers -= count(batch.iter().skip(1));
        let mut sum = self.sum - self.buy(batch, recipe, false);
        let mut spent = self.spent;
        for &(stock, mass) in self.table.stocks_of(recipe) {
            let (added, saved) = self.count_stock(batch, stock as usize, mass, -1);
            sum += added;
            spent += saved;
        }
        let (price, cost) = self.price_dishes(batch, recipe);
        self.sum = sum - price;
        self.spent = spent - cost;
    }

    /// Counts the foods that a batch buys in or out; the price of those that come or go.
    fn buy(&mut self, batch: Batch, recipe: usize, comes: bool) -> i64 {
        let (table, most) = (self.table, self.most(batch));
        let mut items = 0;
        for (&food, &mass) in table.foods_of(recipe).iter().zip(table.masses_of(recipe)) {
            if most < 50 && household(mass, most) == 0 {
                continue;
            }
            let buys = &mut self.buys[usize::from(food)];
            if comes {
                if *buys == 0 {
                    items += 1;
                    self.dirty.push(food);
                }
                *buys += 1;
            } else {
                *buys -= 1;
                if *buys == 0 {
                    items += 1;
                    self.dirty.push(food);
                }
            }
        }
        items * table.weights.item
    }

    /// Puts a recipe (or `NONE`, into a single slot) into a lifted batch.
    pub(super) fn place(&mut self, batch: Batch, recipe: u32) {
        self.put(batch, recipe, false);
    }

    /// Puts back what has just been lifted, with nothing changed since in the days it is eaten on.
    pub(super) fn put_back(&mut self, batch: Batch, recipe: u32) {
        self.put(batch, recipe, true);
    }

    fn put(&mut self, batch: Batch, recipe: u32, same: bool) {
        let table = self.table;
        match index(recipe) {
            Some(r) => self.count_in(batch, r),
            None => batch.iter().for_each(|slot| self.sum += table.slots[slot].empty),
        }
        for slot in batch.iter() {
            let first = table.places[slot].cell;
            for &e in &table.slots[slot].eaters {
                let cell = first + usize::from(e);
                if let Some(r) = index(recipe) {
                    let row = table.row(r, self.portion[slot * table.eaters + usize::from(e)]);
                    add(&mut self.sums[cell], row);
                }
                self.out[cell] -= 1;
                if self.out[cell] == 0 {
                    if !same {
                        self.cells[cell] = table.bands[cell].cost(&self.sums[cell]);
                    }
                    self.sum += self.cells[cell];
                }
            }
        }
    }

    fn count_in(&mut self, batch: Batch, recipe: usize) {
        let (price, cost) = self.price_dishes(batch, recipe);
        let mut sum = self.sum + price + self.buy(batch, recipe, true);
        let mut spent = self.spent + cost;
        for &(stock, mass) in self.table.stocks_of(recipe) {
            let (added, saved) = self.count_stock(batch, stock as usize, mass, 1);
            sum += added;
            spent += saved;
        }
        self.sum = sum;
        self.spent = spent;
        let source = batch.source();
        for slot in batch.iter() {
            self.recipe[slot] = number(recipe);
            self.of[slot] = if slot == source { NONE } else { number(source) };
            self.count_classes(slot, recipe, 1);
        }
        let leftovers = count(batch.iter().skip(1));
        self.uses[source] = u8::try_from(leftovers).unwrap_or(u8::MAX);
        self.times[recipe] += 1;
        self.leftovers += leftovers;
    }

    fn count_classes(&mut self, slot: usize, recipe: usize, sign: i32) {
        let (table, facts) = (self.table, &self.table.recipes[recipe]);
        let place = &table.places[slot];
        if place.main {
            if facts.cuisine != NO_CLASS {
                let cell = place.cuisines + usize::from(facts.cuisine);
                self.cuisines[cell] = self.cuisines[cell].wrapping_add_signed(sign);
            }
            if facts.protein != NO_CLASS {
                let cell = place.proteins + usize::from(facts.protein);
                self.proteins[cell] = self.proteins[cell].wrapping_add_signed(sign);
            }
        }
        for (q, quota) in table.quotas.iter().enumerate() {
            if quota.tags & facts.tags != 0 && table.counts(quota, slot) {
                self.quotas[q] = self.quotas[q].wrapping_add_signed(sign);
            }
        }
    }

    /// Counts the need for a food of the pantry in or out; the difference it makes, and that to the money spent.
    fn count_stock(&mut self, batch: Batch, stock: usize, mass: i32, sign: i64) -> (i64, i64) {
        let table = self.table;
        let need: i64 = batch.iter().map(|slot| household(mass, self.percent[slot])).sum();
        let day = table.slots[batch.source()].day;
        self.need[stock] += sign * need;
        for lot in table.stocks[stock].lots.clone() {
            if lasts(table, lot, day) {
                self.reach[lot] += sign * need;
            }
        }
        let then = table.purchase(stock, self.need[stock], |lot| self.reach[lot]);
        let now = std::mem::replace(&mut self.bought[stock], then);
        (then.items + then.waste - now.items - now.waste, then.spent - now.spent)
    }
}
