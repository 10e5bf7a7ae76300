//! A plan and its objective, kept up to date by integer differences.
//!
//! What is cooked in a slot and eaten there and in later slots is a batch. A batch is lifted out, dishes are priced
//! for it, and one is placed: pricing changes nothing, and lifting and placing cost less than a price each.

use super::band::Amounts;
use super::batch::Batch;
use super::evaluate::{eaten, evaluate};
use super::plan::{Choice, NONE, Plan, index, number};
use super::problem::NUTRIENTS;
use super::scale::{Floors, NO_FLOORS};
use super::table::{COOK, Purchase, Table};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct State<'t> {
    pub(super) table: &'t Table,
    /// What is eaten in each slot; `NONE` while it is empty or lifted.
    pub(super) recipe: Vec<u32>,
    /// The slot whose leftovers are eaten, or `NONE`.
    pub(super) of: Vec<u32>,
    /// Slots that eat what is left of each.
    pub(super) uses: Vec<u8>,
    /// By slot and eater.
    pub(super) portion: Vec<u8>,
    /// What all eat in a slot, in percent of a serving.
    pub(super) percent: Vec<u32>,
    pub(super) portion_price: Vec<i64>,
    /// By day and eater: what is eaten, what that costs, how many of the slots are lifted.
    pub(super) sums: Vec<Amounts>,
    pub(super) cells: Vec<i64>,
    pub(super) out: Vec<u8>,
    /// Batches that buy each food.
    pub(super) buys: Vec<u16>,
    /// Foods that are not bought, as `missing` knows it; those for which that may have changed.
    pub(super) absent: Vec<bool>,
    pub(super) dirty: Vec<u16>,
    /// Foods of each recipe that are absent.
    pub(super) missing: Vec<u8>,
    /// For a scan: what each cuisine and each protein adds to the price; the last is for none.
    pub(super) cuisine_prices: Vec<i64>,
    pub(super) protein_prices: Vec<i64>,
    /// For a scan: what dishes with these tags add for the quotas.
    pub(super) quota_prices: Vec<(u64, i64)>,
    /// Recipes that are not to be planned.
    pub(super) banned: Vec<u32>,
    /// Candidates of a meal that random steps look at, the cheapest in themselves first.
    pub(super) looked_at: usize,
    pub(super) floors: Floors,
    /// Batches of each recipe.
    pub(super) times: Vec<u8>,
    pub(super) need: Vec<i64>,
    pub(super) reach: Vec<i64>,
    pub(super) bought: Vec<Purchase>,
    pub(super) cuisines: Vec<u32>,
    pub(super) proteins: Vec<u32>,
    pub(super) quotas: Vec<u32>,
    pub(super) leftovers: u32,
    pub(super) spent: i64,
    /// Everything but the price of money.
    pub(super) sum: i64,
}

impl<'t> State<'t> {
    /// The empty plan at usual portions, with the locks in place.
    pub(super) fn new(table: &'t Table) -> Self {
        let mut state = Self::of(table, &empty(table));
        for s in 0..table.slots.len() {
            if let Some(Choice::Cook(recipe)) = table.slots[s].locked {
                let eats = |&m: &usize| table.slots[m].locked == Some(Choice::Leftover(number(s)));
                let followers = (s + 1..table.slots.len()).filter(eats);
                let batch = followers.fold(Batch::one(s), Batch::with);
                batch.iter().for_each(|m| state.lift(Batch::one(m)));
                state.place(batch, recipe);
            }
        }
        state
    }

    /// The state of a plan.
    pub(super) fn of(table: &'t Table, plan: &Plan) -> Self {
        let slots = table.slots.len();
        let nothing = empty(table);
        let mut state = Self {
            table,
            recipe: vec![NONE; slots],
            of: vec![NONE; slots],
            uses: vec![0; slots],
            portion: plan.portions.clone(),
            percent: vec![0; slots],
            portion_price: vec![0; slots],
            sums: eaten(table, &nothing),
            cells: table.bands.iter().map(|band| band.cost(&[0; NUTRIENTS])).collect(),
            out: vec![0; table.bands.len()],
            buys: vec![0; table.food_prices.len()],
            absent: vec![true; table.food_prices.len()],
            dirty: Vec::new(),
            missing: table.food_counts.clone(),
            banned: Vec::new(),
            looked_at: usize::MAX,
            floors: NO_FLOORS,
            cuisine_prices: vec![0; table.cuisines + 1],
            protein_prices: vec![0; table.proteins + 1],
            quota_prices: Vec::new(),
            times: vec![0; table.recipes.len()],
            need: vec![0; table.stocks.len()],
            reach: vec![0; table.lots.len()],
            bought: (0..table.stocks.len()).map(|stock| table.purchase(stock, 0, |_| 0)).collect(),
            cuisines: vec![0; table.windows * table.cuisines],
            proteins: vec![0; table.windows * table.proteins],
            quotas: vec![0; table.quotas.len()],
            leftovers: 0,
            spent: 0,
            sum: 0,
        };
        let [cost, over] = table.money(0);
        state.sum = evaluate(table, &nothing).total() - cost - over;
        state.spent = state.bought.iter().map(|purchase| purchase.spent).sum();
        (0..slots).for_each(|slot| state.count_portions(slot));
        state.enter(plan);
        state
    }

    fn enter(&mut self, plan: &Plan) {
        for s in 0..plan.choices.len() {
            if let Choice::Cook(recipe) = plan.choices[s] {
                let eats = |&m: &usize| plan.choices[m] == Choice::Leftover(number(s));
                let batch = (s + 1..plan.choices.len()).filter(eats).fold(Batch::one(s), Batch::with);
                batch.iter().for_each(|m| self.lift(Batch::one(m)));
                self.place(batch, recipe);
            }
        }
    }

    /// Puts another plan in.
    pub(super) fn load(&mut self, plan: &Plan) {
        for s in 0..self.recipe.len() {
            if self.recipe[s] != NONE && self.of[s] == NONE {
                self.clear(s);
            }
        }
        self.portion.copy_from_slice(&plan.portions);
        (0..self.recipe.len()).for_each(|slot| self.count_portions(slot));
        self.enter(plan);
    }

    /// Empties a slot and those that eat its leftovers.
    pub(super) fn clear(&mut self, slot: usize) {
        let batch = self.batch(slot);
        self.lift(batch);
        batch.iter().for_each(|m| self.place(Batch::one(m), NONE));
    }

    /// What stands in the slots, to come back to with [`Self::restore`].
    pub(super) fn save(&self, saved: &mut Saved) {
        saved.recipe.clone_from(&self.recipe);
        saved.of.clone_from(&self.of);
    }

    /// Puts back what stood in the slots; portions must not have changed since.
    pub(super) fn restore(&mut self, saved: &Saved) {
        let differs =
            |state: &Self, s: usize| state.recipe[s] != saved.recipe[s] || state.of[s] != saved.of[s];
        for s in 0..self.recipe.len() {
            if differs(self, s) {
                // What it is part of now, and what it is to be part of again.
                for source in [s, index(saved.of[s]).unwrap_or(s)] {
                    if self.recipe[source] != NONE {
                        self.clear(self.cooked_at(source));
                    }
                }
            }
        }
        for s in 0..self.recipe.len() {
            if self.recipe[s] == NONE && saved.recipe[s] != NONE && saved.of[s] == NONE {
                let eats = |&m: &usize| saved.of[m] == number(s);
                let batch = (s + 1..saved.of.len()).filter(eats).fold(Batch::one(s), Batch::with);
                batch.iter().for_each(|m| self.lift(Batch::one(m)));
                self.place(batch, saved.recipe[s]);
            }
        }
    }

    /// Only of slots that are empty or lifted.
    pub(super) fn count_portions(&mut self, slot: usize) {
        let portions = &self.portion[slot * self.table.eaters..(slot + 1) * self.table.eaters];
        self.percent[slot] = self.table.percent(slot, portions);
        self.portion_price[slot] = self.table.portion_price(slot, portions);
    }

    pub(super) fn plan(&self) -> Plan {
        let choice = |s: usize| match (self.recipe[s], self.of[s]) {
            (NONE, _) => Choice::Empty,
            (recipe, NONE) => Choice::Cook(recipe),
            (_, of) => Choice::Leftover(of),
        };
        Plan { choices: (0..self.recipe.len()).map(choice).collect(), portions: self.portion.clone() }
    }

    /// Brings `missing` up to date.
    pub(super) fn sync(&mut self) {
        for food in self.dirty.drain(..).map(usize::from) {
            let absent = self.buys[food] == 0;
            if absent != self.absent[food] {
                self.absent[food] = absent;
                let change: u8 = if absent { 1 } else { u8::MAX };
                for &recipe in self.table.users_of(food) {
                    let missing = &mut self.missing[recipe as usize];
                    *missing = missing.wrapping_add(change);
                }
            }
        }
    }

    /// Of the plan; meaningless while something is lifted.
    #[inline]
    pub(super) fn objective(&self) -> i64 {
        let [cost, over] = self.table.money(self.spent);
        self.sum + cost + over
    }

    /// What is cooked in a slot, with the slots that eat what is left.
    #[inline]
    pub(super) fn batch(&self, slot: usize) -> Batch {
        let mut batch = Batch::one(slot);
        if self.uses[slot] > 0 {
            for other in slot + 1..self.of.len() {
                if self.of[other] == number(slot) {
                    batch = batch.with(other);
                }
            }
        }
        batch
    }

    /// The slot in which the dish of a slot is cooked.
    #[inline]
    pub(super) fn cooked_at(&self, slot: usize) -> usize {
        index(self.of[slot]).unwrap_or(slot)
    }

    /// Whether a lifted batch may be of this recipe.
    #[inline]
    pub(super) fn fits(&self, batch: Batch, recipe: u32) -> bool {
        let source = batch.source();
        self.table.groups[self.table.slots[source].group].allow[recipe as usize] & COOK != 0
            && self.follows(batch, recipe)
    }

    /// [`Self::fits`] for a recipe that may be cooked in the slot.
    #[inline]
    pub(super) fn follows(&self, batch: Batch, recipe: u32) -> bool {
        let source = batch.source();
        (self.times[recipe as usize] == 0 || !self.repeats(source, recipe))
            && (self.banned.is_empty() || !self.banned.contains(&recipe))
            && (batch.len() == 1
                || batch.iter().skip(1).all(|m| self.table.keeps(source, m, recipe as usize)))
    }

    /// Whether the recipe is cooked too close to a slot.
    pub(super) fn repeats(&self, slot: usize, recipe: u32) -> bool {
        (0..self.recipe.len()).any(|other| {
            self.recipe[other] == recipe
                && self.of[other] == NONE
                && other != slot
                && self.table.too_close(slot, other)
        })
    }
}

/// See [`State::save`].
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    recipe: Vec<u32>,
    of: Vec<u32>,
}

/// The plan of nothing at the usual (or locked) portions.
pub(super) fn empty(table: &Table) -> Plan {
    let portion = |cell: usize| table.fixed[cell].unwrap_or(table.usual[cell % table.eaters.max(1)]);
    Plan {
        choices: vec![Choice::Empty; table.slots.len()],
        portions: (0..table.slots.len() * table.eaters).map(portion).collect(),
    }
}
