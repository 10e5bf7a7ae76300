//! What a table asks of the lower bound: everything that the bound does not know is left out where that can only
//! lower it.

use super::bound::bound;
use super::bound::model::{DINNER, Goal, Item, LUNCH, Meal, Model, Recipe, SLOTS, Stock, Weights};
use super::plan::{Choice, index};
use super::problem::{Kind, Kinds, NUTRIENTS};
use super::table::{NO_CLASS, REUSE, Table, household};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Dishes and portionings that a model may have; more take too long to be of use.
const MOST_RECIPES: usize = 60_000;
/// More than any amount: no such side of a goal.
const NEVER: i32 = 1 << 27;

/// A model of which each bound is one of the table, once `offset` is added and `ceiling` not passed.
pub(super) struct Reading {
    pub(super) model: Model,
    offset: i64,
    ceiling: i64,
}

impl Reading {
    /// The bound of the table that a bound of the model is.
    pub(super) const fn bound(&self, of_model: i64) -> i64 {
        let bound = of_model.saturating_add(self.offset);
        if bound < self.ceiling { bound } else { self.ceiling }
    }

    /// The value of the model below which nothing is to be proven, for a plan of the table.
    pub(super) const fn known(&self, of_table: i64) -> i64 {
        of_table.saturating_sub(self.offset)
    }
}

/// `None`: there are too many dishes and portionings.
pub(super) fn read(table: &Table) -> Option<Reading> {
    Reader::new(table).read()
}

/// Who eats in a slot, and with how many guests.
type Company = (Vec<u8>, u32);

struct Reader<'t> {
    table: &'t Table,
    model: Model,
    offset: i64,
    /// By dish, company and everybody's portions.
    known: HashMap<(u32, Company, Vec<u8>), usize>,
    /// Leftovers as the bound knows them: a dinner's, once, for a lunch. Others are dishes that cost nothing to buy.
    native: bool,
}

impl<'t> Reader<'t> {
    fn new(table: &'t Table) -> Self {
        let rules = &table.rules;
        let native = rules.leftover_from == Kinds::of(&[Kind::Dinner])
            && rules.leftover_into == Kinds::of(&[Kind::Lunch])
            && rules.leftover_uses == 1
            && !rules.leftover_must_suit
            && table.weights.leftover >= 0
            && table.slots.iter().all(|slot| !matches!(slot.locked, Some(Choice::Leftover(_))))
            // The model's leftovers are eaten by the dinner's people, in its portions.
            && table.choices.iter().all(|choices| choices.len() == 1)
            && table.fixed.iter().all(Option::is_none)
            && table.slots.iter().all(|slot| slot.guests == 0 && slot.eaters.len() == table.eaters);
        Self { table, model: Model::default(), offset: 0, known: HashMap::new(), native }
    }

    fn read(mut self) -> Option<Reading> {
        let table = self.table;
        self.model.days = table.days;
        self.model.eaters = table.eaters;
        self.model.nutrients = NUTRIENTS;
        self.items();
        self.model.meals = vec![Meal::default(); table.days * SLOTS];
        for slot in 0..table.slots.len() {
            self.meal(slot)?;
        }
        self.goals();
        self.rules();
        let ceiling = table.weights.empty.saturating_add(self.offset.min(0));
        Some(Reading { model: self.model, offset: self.offset, ceiling })
    }

    fn items(&mut self) {
        let table = self.table;
        let bought = table.food_prices.iter().map(|&price| Item { price, stock: None });
        let stocked = table.stocks.iter().map(|stock| {
            let lots = table.lots.get(stock.lots.clone()).unwrap_or_default();
            let last_day = match lots {
                [lot] if lot.last_day != i32::MAX => usize::try_from(lot.last_day).ok(),
                [_] | [] | [_, _, ..] => None,
            };
            // What is over before the first day covers nothing.
            let gone = matches!(lots, [lot] if lot.last_day < 0);
            let grams = if gone { 0 } else { lots.iter().map(|lot| lot.mass).sum() };
            Item { price: stock.price, stock: Some(Stock { grams, last_day }) }
        });
        self.model.items = bought.chain(stocked).collect();
    }

    fn meal(&mut self, slot: usize) -> Option<()> {
        let table = self.table;
        let place = &table.slots[slot];
        let mut choices: Vec<(usize, i64)> = Vec::new();
        match place.locked {
            Some(Choice::Empty) => return Some(()),
            Some(Choice::Cook(recipe)) => self.cook(slot, recipe, &mut choices)?,
            Some(Choice::Leftover(of)) => {
                let of = table.slots.get(of as usize).and_then(|source| source.locked);
                if let Some(Choice::Cook(recipe)) = of {
                    self.reuse(slot, recipe, &mut choices)?;
                }
            }
            None => {
                for candidate in &table.groups[place.group].cook {
                    self.cook(slot, candidate.recipe, &mut choices)?;
                }
                if !self.native && !place.sources.is_empty() {
                    let allow = &table.groups[place.group].allow;
                    for recipe in (0..allow.len()).filter(|&recipe| allow[recipe] & REUSE != 0) {
                        self.reuse(slot, super::plan::number(recipe), &mut choices)?;
                    }
                }
            }
        }
        let at = place.day * SLOTS + order(place.kind);
        if choices.is_empty() {
            // Only leftovers could be eaten here, which the model does not know how to leave out.
            if self.native && place.locked.is_none() && !place.sources.is_empty() {
                return None;
            }
            // It stays empty in every plan.
            self.offset += table.weights.empty;
            return Some(());
        }
        // Costs in the model are never below zero.
        let least = choices.iter().map(|(_, cost)| *cost).min().unwrap_or(0).min(0);
        choices.iter_mut().for_each(|(_, cost)| *cost -= least);
        self.offset += least;
        choices.sort_unstable();
        choices.dedup_by_key(|(recipe, _)| *recipe);
        let eats_again = self.native && place.kind == Kind::Lunch && place.locked.is_none();
        let sources = place.sources.iter().filter_map(|&source| Some(table.slots.get(source as usize)?.day));
        let leftovers_of = if eats_again { sources.collect() } else { Vec::new() };
        self.model.meals[at] = Meal { planned: true, choices, leftovers_of };
        Some(())
    }

    fn cook(&mut self, slot: usize, recipe: u32, choices: &mut Vec<(usize, i64)>) -> Option<()> {
        let price = self.table.dish_price(slot, index(recipe)?, true);
        self.portionings(slot, recipe, price, true, choices)
    }

    fn reuse(&mut self, slot: usize, recipe: u32, choices: &mut Vec<(usize, i64)>) -> Option<()> {
        let price = self.table.dish_price(slot, index(recipe)?, false);
        self.portionings(slot, recipe, price, false, choices)
    }

    /// Each portioning is a dish of its own.
    fn portionings(
        &mut self,
        slot: usize,
        recipe: u32,
        price: i64,
        cooked: bool,
        choices: &mut Vec<(usize, i64)>,
    ) -> Option<()> {
        let table = self.table;
        let eaters: Vec<usize> = table.slots[slot].eaters.iter().map(|&e| usize::from(e)).collect();
        let mut portions = vec![0u8; table.eaters];
        let options = |e: usize| match table.fixed[slot * table.eaters + e] {
            Some(fixed) => vec![fixed],
            None => table.choices[e].clone(),
        };
        let options: Vec<Vec<u8>> = eaters.iter().map(|&e| options(e)).collect();
        let count = options.iter().try_fold(1usize, |count, options| count.checked_mul(options.len()))?;
        if count > MOST_RECIPES {
            return None;
        }
        for mut n in 0..count {
            for (&e, options) in eaters.iter().zip(&options) {
                portions[e] = options[n % options.len()];
                n /= options.len();
            }
            let cost = price + table.portion_price(slot, &portions);
            choices.push((self.dish(slot, recipe, &portions, cooked)?, cost));
        }
        Some(())
    }

    fn dish(&mut self, slot: usize, recipe: u32, portions: &[u8], cooked: bool) -> Option<usize> {
        let table = self.table;
        let place = &table.slots[slot];
        let company = (place.eaters.clone(), if cooked { place.guests } else { u32::MAX });
        let key = (recipe, company, portions.to_vec());
        if let Some(&known) = self.known.get(&key) {
            return Some(known);
        }
        let number = self.model.recipes.len();
        if number == MOST_RECIPES {
            return None;
        }
        let dish = self.portioned(slot, index(recipe)?, portions, cooked);
        self.model.recipes.push(dish);
        self.known.insert(key, number);
        Some(number)
    }

    fn portioned(&self, slot: usize, recipe: usize, portions: &[u8], cooked: bool) -> Recipe {
        let table = self.table;
        let facts = &table.recipes[recipe];
        let class = |class: u16| (class != NO_CLASS).then_some(usize::from(class));
        let mut amounts = vec![0; table.eaters * NUTRIENTS];
        for e in table.slots[slot].eaters.iter().map(|&e| usize::from(e)) {
            for (n, &amount) in table.row(recipe, portions[e]).iter().enumerate() {
                amounts[e * NUTRIENTS + n] = i64::from(amount);
            }
        }
        let percent = table.percent(slot, portions);
        let mut grams: Vec<(usize, i64)> = Vec::new();
        if cooked {
            let bought = table.foods_of(recipe).iter().zip(table.masses_of(recipe));
            grams.extend(bought.map(|(&food, &mass)| (usize::from(food), household(mass, percent))));
            let first = table.food_prices.len();
            let stocked = table.stocks_of(recipe).iter();
            grams.extend(stocked.map(|&(stock, mass)| (first + stock as usize, household(mass, percent))));
        }
        Recipe {
            amounts,
            grams,
            cuisine: class(facts.cuisine),
            protein: class(facts.protein),
            keeps: if self.native { usize::from(facts.leftover_days).min(self.keeps()) } else { 0 },
            again: if self.native { facts.base + table.weights.leftover } else { 0 },
        }
    }

    fn keeps(&self) -> usize {
        self.table.rules.leftover_max_days as usize
    }

    fn goals(&mut self) {
        let table = self.table;
        for band in &table.bands {
            for n in 0..NUTRIENTS {
                let least = |side: i32| (side >= 0).then_some(i64::from(side));
                let most = |side: i32| (side < NEVER).then_some(i64::from(side));
                self.model.goals.push(Goal {
                    lo: least(band.lo[n]),
                    hi: most(band.hi[n]),
                    min: least(band.min[n]),
                    max: most(band.max[n]),
                    slope: i64::from(band.slope[n]),
                });
            }
        }
    }

    fn rules(&mut self) {
        let (table, model) = (self.table, &mut self.model);
        let (rules, weights) = (&table.rules, &table.weights);
        if self.native && !locks_repeat(table) {
            model.gap_main = rules.repeat_gap_main_days as usize;
            model.gap_other = rules.repeat_gap_other_days as usize;
        }
        model.cuisines = table.cuisines;
        model.proteins = table.proteins;
        model.cuisine_cap = i64::from(rules.cuisine_cap);
        model.protein_cap = i64::from(rules.protein_cap);
        let one_window = table.windows == 1;
        let single_lots = table.stocks.iter().all(|stock| stock.lots.len() == 1);
        model.budget = table.budget.unwrap_or(0).max(0);
        model.weights = Weights {
            item: weights.item,
            money: weights.money,
            over_budget: if table.budget.is_some() { weights.over_budget } else { 0 },
            // Leftovers that are free of foods leave more of the pantry than they would.
            waste: if self.native && single_lots { weights.waste } else { 0 },
            cuisine_excess: if one_window { weights.cuisine_excess } else { 0 },
            protein_excess: if one_window { weights.protein_excess } else { 0 },
            protein_same_day: weights.protein_same_day,
        };
    }
}

/// Whether meals that are locked to one recipe stand closer than others may.
fn locks_repeat(table: &Table) -> bool {
    let locked = |slot: usize| matches!(table.slots[slot].locked, Some(Choice::Cook(_)));
    let cooked: Vec<usize> = (0..table.slots.len()).filter(|&slot| locked(slot)).collect();
    cooked.iter().any(|&a| {
        cooked
            .iter()
            .any(|&b| a < b && table.slots[a].locked == table.slots[b].locked && table.too_close(a, b))
    })
}

/// The best bound that so many rounds prove; `None`: none, or the table is too large for one.
///
/// `known`: the objective of a plan of the table. `watch` is told of each better bound and may stop.
#[must_use]
pub fn prove(
    table: &Table,
    known: Option<i64>,
    rounds: u32,
    watch: &mut dyn FnMut(i64) -> ControlFlow<()>,
) -> Option<i64> {
    let reading = read(table)?;
    let (mut best, mut done) = (None, 0);
    let ended = bound(&reading.model, known.map(|known| reading.known(known)), &mut |progress| {
        done += 1;
        let now = reading.bound(progress.bound);
        if best.is_none_or(|best| now > best) {
            best = Some(now);
        }
        if done >= rounds { ControlFlow::Break(()) } else { watch(best.unwrap_or(now)) }
    });
    let ended = ended.ok().map(|progress| reading.bound(progress.bound));
    best.max(ended)
}

/// The place of a meal among those of a day in the model.
const fn order(kind: Kind) -> usize {
    match kind {
        Kind::Breakfast => 0,
        Kind::Lunch => LUNCH,
        Kind::Dinner => DINNER,
        Kind::Snack => 3,
    }
}
