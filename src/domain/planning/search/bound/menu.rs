//! A day's four dishes as one column: what it costs and what it uses of each relaxed rule.

use super::model::{DINNER, LUNCH, Model, SLOTS};
use super::money::Money;
use super::nutrition::Nutrition;
use super::options::{Kind, Options, times};
use super::rows::{Rows, family};

/// The option of each slot, and for leftovers which of its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Picks {
    pub(crate) options: [u32; SLOTS],
    pub(crate) source: u32,
}

/// A menu as a column of the relaxed problem.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    pub(crate) picks: Picks,
    /// The tracked items that it forces.
    pub(crate) mask: u128,
    cost: i64,
    uses: Vec<(u32, i64)>,
}

impl Menu {
    /// What the menu costs at some prices of the rows.
    pub(crate) fn price(&self, prices: &[i64]) -> i64 {
        self.cost + self.uses.iter().map(|&(row, n)| n * prices[row as usize]).sum::<i64>()
    }

    /// The same where late rows may have no price yet.
    pub(crate) fn rough_price(&self, prices: &[i64]) -> i64 {
        let price = |row: u32| prices.get(row as usize).copied().unwrap_or(0);
        self.cost + self.uses.iter().map(|&(row, n)| n * price(row)).sum::<i64>()
    }

    pub(crate) fn uses(&self) -> &[(u32, i64)] {
        &self.uses
    }
}

/// All that stays the same while prices change.
pub(crate) struct Frame<'a> {
    pub(crate) model: &'a Model,
    pub(crate) options: Vec<Options>,
    pub(crate) tracked: Vec<Option<u8>>,
    /// The item of each bit.
    pub(crate) items: Vec<usize>,
    pub(crate) nutrition: Vec<Nutrition>,
    pub(crate) money: Money,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let (options, tracked) = super::options::all(model);
        let mut items = vec![0; super::options::TRACKED];
        for (item, bit) in tracked.iter().enumerate() {
            if let Some(bit) = bit {
                items[usize::from(*bit)] = item;
            }
        }
        let width = model.eaters * model.nutrients;
        let nutrition =
            (0..model.days).map(|d| Nutrition::new(&model.goals[d * width..(d + 1) * width])).collect();
        Self { model, options, tracked, items, nutrition, money: Money::new(model) }
    }

    pub(crate) fn day(&self, day: usize) -> &[Options] {
        &self.options[day * SLOTS..(day + 1) * SLOTS]
    }

    /// The column of a menu; makes the rows that it is the first to use.
    pub(crate) fn column(&self, rows: &mut Rows, day: usize, picks: Picks) -> Menu {
        let width = self.nutrition[day].len();
        let (mut cost, mut mask, mut eaten, mut uses) = (0, 0_u128, vec![0; width], Vec::new());
        for (slot, options) in self.day(day).iter().enumerate() {
            let option = picks.options[slot] as usize;
            cost += options.own[option];
            mask |= options.mask[option];
            for (sum, a) in eaten.iter_mut().zip(options.amounts(option)) {
                *sum += i64::from(*a);
            }
            cost += self.use_option(rows, (day, slot), option, picks.source as usize, &mut uses);
        }
        cost += self.nutrition[day].cost(&eaten) + self.same_day(day, picks);
        for bit in bits(mask) {
            if let Some(row) = rows.day_item(day, self.items[bit]) {
                uses.push((row, 1));
            }
        }
        Menu { picks, mask, cost, uses: merged(uses) }
    }

    /// What lunch and dinner of one protein cost.
    pub(crate) fn same_day(&self, day: usize, picks: Picks) -> i64 {
        let class = |slot: usize| self.day(day)[slot].protein[picks.options[slot] as usize];
        if class(LUNCH) == class(DINNER) { self.model.weights.protein_same_day * super::FINE } else { 0 }
    }

    fn use_option(
        &self,
        rows: &mut Rows,
        (day, slot): (usize, usize),
        option: usize,
        source: usize,
        uses: &mut Vec<(usize, i64)>,
    ) -> i64 {
        let options = &self.day(day)[slot];
        let (kind, recipe) = (options.kind[option], options.recipe[option]);
        let Some(dish) = self.model.recipes.get(recipe) else { return 0 };
        if slot == LUNCH || slot == DINNER {
            uses.extend(dish.cuisine.map(|c| (rows.cuisine[c], 1)));
            uses.extend(dish.protein.map(|p| (rows.protein[p], 1)));
        }
        if kind == Kind::Double || kind == Kind::Again {
            let (cooked, place) = options.sources(option)[if kind == Kind::Again { source } else { 0 }];
            uses.push((rows.make_link(cooked, place), if kind == Kind::Again { 1 } else { -1 }));
        }
        if kind == Kind::Again {
            return 0;
        }
        let mut cost = 0;
        let family = family(slot);
        for (place, &(item, grams)) in dish.grams.iter().enumerate() {
            let grams = grams * times(kind);
            cost += grams * self.money.pay[item];
            uses.push((rows.budget, grams * self.money.price(item)));
            if let (Some(row), Some(stock)) = (rows.credit[item], &self.model.items[item].stock)
                && stock.last_day.is_none_or(|last| day <= last)
            {
                uses.push((row, -grams.min(stock.grams)));
            }
            if super::options::forces(self.model, day, item, grams) {
                for first in rows.windows(family, day) {
                    uses.push((rows.make_recipe_item(family, recipe, place, item, first), 1));
                }
            }
        }
        for first in rows.windows(family, day) {
            uses.push((rows.make_window(family, recipe, first), 1));
        }
        cost
    }
}

/// The places of the ones.
pub(crate) fn bits(mut mask: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let bit = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(bit)
    })
}

fn merged(mut uses: Vec<(usize, i64)>) -> Vec<(u32, i64)> {
    uses.sort_unstable();
    let mut out: Vec<(u32, i64)> = Vec::with_capacity(uses.len());
    for (row, n) in uses {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        match out.last_mut() {
            Some(last) if last.0 == row => last.1 += n,
            _ => out.push((row, n)),
        }
    }
    out
}
