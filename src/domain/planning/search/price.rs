//! What a dish would cost in a batch that is lifted out.

use super::batch::Batch;
use super::plan::index;
use super::state::State;
use super::table::{Facts, NO_CLASS, Table, household};

impl State<'_> {
    /// The objective if this recipe were in a lifted batch and nothing else were lifted.
    #[inline]
    pub(super) fn price(&self, batch: Batch, recipe: u32) -> i64 {
        let (rest, spent) = self.price_apart(batch, recipe);
        let [cost, over] = self.table.money(spent);
        rest + self.price_eaten(batch, recipe) + cost + over
    }

    /// [`Self::price`] where the nutrition is known.
    pub(super) fn price_with(&self, batch: Batch, recipe: u32, eaten: i64) -> i64 {
        let (rest, spent) = self.price_apart(batch, recipe);
        let [cost, over] = self.table.money(spent);
        rest + eaten + cost + over
    }

    /// [`Self::price`], unless it is seen early to be `limit` or more: then some number that is not less.
    #[inline]
    pub(super) fn price_below(&self, batch: Batch, recipe: u32, limit: i64) -> i64 {
        let (rest, spent) = self.price_apart(batch, recipe);
        let [cost, over] = self.table.money(spent);
        let least = rest + cost + over;
        if least >= limit { least } else { least + self.price_eaten(batch, recipe) }
    }

    /// [`Self::price`] without the nutrition of one day.
    pub(super) fn price_aside(&self, batch: Batch, recipe: u32, day: usize) -> i64 {
        let (rest, spent) = self.price_apart(batch, recipe);
        let [cost, over] = self.table.money(spent);
        let mut price = rest + cost + over;
        if batch.len() > 1 {
            for slot in batch.iter().filter(|&slot| self.table.slots[slot].day != day) {
                price += self.price_slot(slot, recipe);
            }
        }
        price
    }

    #[inline]
    fn price_slot(&self, slot: usize, recipe: u32) -> i64 {
        let table = self.table;
        let first = table.places[slot].cell;
        let mut price = 0;
        for &e in &table.slots[slot].eaters {
            let e = usize::from(e);
            let row = table.row(recipe as usize, self.portion[slot * table.eaters + e]);
            price += table.bands[first + e].cost_with(&self.sums[first + e], row);
        }
        price
    }

    /// The nutrition of the cells of a lifted batch with this recipe in it.
    #[inline]
    pub(super) fn price_eaten(&self, batch: Batch, recipe: u32) -> i64 {
        let price = self.price_slot(batch.source(), recipe);
        if batch.len() == 1 {
            price
        } else {
            price + batch.iter().skip(1).map(|slot| self.price_slot(slot, recipe)).sum::<i64>()
        }
    }

    /// Everything but nutrition, and the money spent.
    #[inline]
    fn price_apart(&self, batch: Batch, recipe: u32) -> (i64, i64) {
        let (table, r) = (self.table, recipe as usize);
        let (price, cost) = self.price_dishes(batch, r);
        let (mut sum, mut spent) = (self.sum + price, self.spent + cost);
        let most = self.most(batch);
        if most >= 50 {
            let missing = |&&food: &&u16| self.buys[usize::from(food)] == 0;
            let new = table.foods_of(r).iter().filter(missing).count();
            // A recipe has fewer than 2^16 foods.
            sum += table.weights.item * i64::try_from(new).unwrap_or(0);
        } else {
            sum += table.weights.item * self.small_items(r, most);
        }
        for &(stock, mass) in table.stocks_of(r) {
            let (added, saved) = self.price_stock(batch, stock as usize, mass);
            sum += added;
            spent += saved;
        }
        (sum, spent)
    }

    /// The largest amount eaten of a batch, in percent of a serving.
    #[inline]
    pub(super) fn most(&self, batch: Batch) -> u32 {
        batch.iter().map(|slot| self.percent[slot]).max().unwrap_or(0)
    }

    /// Foods that so little of a recipe adds to the list; what rounds to nothing is not bought.
    fn small_items(&self, recipe: usize, percent: u32) -> i64 {
        let foods = self.table.foods_of(recipe).iter().zip(self.table.masses_of(recipe));
        let new =
            foods.filter(|&(&food, &mass)| self.buys[usize::from(food)] == 0 && household(mass, percent) > 0);
        i64::try_from(new.count()).unwrap_or(0)
    }

    /// What the dishes of a batch cost apart from nutrition, items and the pantry; and the money for them.
    #[inline]
    pub(super) fn price_dishes(&self, batch: Batch, recipe: usize) -> (i64, i64) {
        let (table, source) = (self.table, batch.source());
        let facts = &table.recipes[recipe];
        let mut price = table.dish_price(source, recipe, true) + self.portion_price[source];
        let mut cost = table.cost(recipe, self.percent[source]);
        if table.places[source].main {
            price += self.price_main(source, facts, 0);
        }
        if self.times[recipe] > 0 {
            price += table.weights.repeat;
        }
        if batch.len() > 1 {
            let (more, spent) = self.price_leftover_dishes(batch, recipe);
            price += more;
            cost += spent;
        }
        if !table.quotas.is_empty() {
            price += self.price_quotas(batch, facts.tags);
        }
        (price, cost)
    }

    fn price_leftover_dishes(&self, batch: Batch, recipe: usize) -> (i64, i64) {
        let (table, facts) = (self.table, &self.table.recipes[recipe]);
        let (mut price, mut cost) = (self.price_leftovers(count(batch.iter().skip(1))), 0);
        for (place, slot) in batch.iter().enumerate().skip(1) {
            price += table.dish_price(slot, recipe, false) + self.portion_price[slot];
            cost += table.cost(recipe, self.percent[slot]);
            let here = &table.places[slot];
            if here.main {
                let same = |&other: &usize| {
                    table.places[other].main
                        && table.window(table.slots[other].day) == table.window(table.slots[slot].day)
                };
                price += self.price_main(slot, facts, count(batch.iter().take(place).filter(same)));
            }
        }
        (price, cost)
    }

    /// Caps and same proteins of a main, with `before` more of the same counted already.
    #[inline]
    fn price_main(&self, slot: usize, facts: &Facts, before: u32) -> i64 {
        let (table, place) = (self.table, &self.table.places[slot]);
        let (rules, weights) = (&table.rules, &table.weights);
        let mut price = 0;
        if facts.cuisine != NO_CLASS {
            let count = self.cuisines[place.cuisines + usize::from(facts.cuisine)];
            price += beyond(count + before, rules.cuisine_cap, weights.cuisine_excess);
        }
        if facts.protein != NO_CLASS {
            let count = self.proteins[place.proteins + usize::from(facts.protein)];
            price += beyond(count + before, rules.protein_cap, weights.protein_excess);
            let other = index(place.mate).and_then(|mate| index(self.recipe[mate]));
            if other.is_some_and(|other| table.recipes[other].protein == facts.protein) {
                price += weights.protein_same_day;
            }
        }
        price
    }

    /// The difference that a batch's need for a food of the pantry makes.
    fn price_stock(&self, batch: Batch, stock: usize, mass: i32) -> (i64, i64) {
        let table = self.table;
        let need: i64 = batch.iter().map(|slot| household(mass, self.percent[slot])).sum();
        let day = table.slots[batch.source()].day;
        let reach = |lot: usize| self.reach[lot] + if lasts(table, lot, day) { need } else { 0 };
        let (now, then) = (&self.bought[stock], table.purchase(stock, self.need[stock] + need, reach));
        (then.items + then.waste - now.items - now.waste, then.spent - now.spent)
    }

    fn price_leftovers(&self, more: u32) -> i64 {
        let beyond = |count: u32| i64::from(count.saturating_sub(self.table.rules.leftover_cap));
        (beyond(self.leftovers + more) - beyond(self.leftovers)) * self.table.weights.leftover_excess
    }

    fn price_quotas(&self, batch: Batch, tags: u64) -> i64 {
        let table = self.table;
        let carried = table.quotas.iter().enumerate().filter(|(_, quota)| quota.tags & tags != 0);
        carried.map(|(q, _)| self.price_quota(batch, q)).sum()
    }

    /// What a dish that counts for a quota adds for it, in all meals of a batch that count.
    pub(super) fn price_quota(&self, batch: Batch, q: usize) -> i64 {
        let (table, quota, now) = (self.table, &self.table.quotas[q], self.quotas[q]);
        let more = count(batch.iter().filter(|&slot| table.counts(quota, slot)));
        Table::quota_price(quota, now + more) - Table::quota_price(quota, now)
    }
}

/// Whether a lot may be used for what is cooked on a day.
#[inline]
pub(super) fn lasts(table: &Table, lot: usize, day: usize) -> bool {
    i32::try_from(day).is_ok_and(|day| day <= table.lots[lot].last_day)
}

#[inline]
pub(super) fn beyond(count: u32, cap: u32, price: i64) -> i64 {
    if count >= cap { price } else { 0 }
}

#[inline]
pub(super) fn count(slots: impl Iterator<Item = usize>) -> u32 {
    u32::try_from(slots.count()).unwrap_or(u32::MAX)
}
