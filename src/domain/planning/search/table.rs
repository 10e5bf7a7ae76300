//! A checked problem as flat arrays: what the search looks up a million times is computed once.

use super::band::{Amounts, Band};
use super::plan::{Choice, index};
use super::problem::{Kind, NUTRIENTS, Quota, Rules, Weights};
use super::scale::Scale;
use std::ops::Range;

/// May be cooked in the slots of a group.
pub const COOK: u8 = 1;
/// May be eaten there as leftovers.
pub const REUSE: u8 = 2;

/// A meal of the plan.
#[derive(Clone, Debug)]
pub struct Slot {
    pub day: usize,
    pub kind: Kind,
    pub group: usize,
    /// Who eats at home, by index.
    pub eaters: Vec<u8>,
    /// Servings of the guests, in percent.
    pub guests: u32,
    /// Decided already.
    pub locked: Option<Choice>,
    /// What it costs to stay empty.
    pub empty: i64,
    /// The current plan has something (or nothing) here; other dishes cost `weights.change`.
    pub current: Option<u32>,
    /// The other main of the day.
    pub mate: Option<usize>,
    /// Earlier slots whose cooking may be eaten here.
    pub sources: Vec<u32>,
}

/// Slots in which the same recipes may be cooked at the same price.
#[derive(Clone, Debug)]
pub struct Group {
    /// Recipes that may be cooked, the cheapest in itself first.
    pub cook: Vec<Candidate>,
    /// `COOK` and `REUSE` by recipe.
    pub allow: Vec<u8>,
}

/// A recipe that may be cooked in the slots of a group, with what a scan looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its price in itself: no plan pays less for cooking it here, what quotas and leftovers take off aside.
    pub least: i64,
    pub recipe: u32,
    /// `Table::cuisines` and `Table::proteins`: none.
    pub cuisine: u16,
    pub protein: u16,
    /// For each nutrient, the step of its scale (see `Scale`) that a serving is on.
    pub(super) steps: [u8; NUTRIENTS],
    /// Needs a food of the pantry, so that its price may be much more than `least`.
    pub stocked: bool,
}

/// A recipe, priced; one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Facts {
    /// Rating, coverage, preference: paid wherever it is eaten.
    pub base: i64,
    /// Paid where it is cooked.
    pub effort: i64,
    /// Cost of the foods that are not in the pantry, for `base_percent` of a serving.
    pub cost: i64,
    pub tags: u64,
    /// Its place in the table's list of foods, and how many it has there and among the foods of the pantry.
    pub(super) foods: u32,
    pub(super) stocks: u32,
    pub(super) food_count: u16,
    pub(super) stock_count: u16,
    pub cuisine: u16,
    pub protein: u16,
    pub leftover_days: u8,
    /// Nutrients without a value, as bits.
    pub unknown: u8,
}

/// What of the price of a recipe is only told apart when it is explained.
#[derive(Clone, Copy, Debug)]
pub struct Details {
    pub rating: i64,
    pub preference: i64,
}

/// What the search asks of a slot most often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// First of its day among the cells by day and eater.
    pub(super) cell: usize,
    pub(super) main: bool,
    /// First of its window among the counts.
    pub(super) cuisines: usize,
    pub(super) proteins: usize,
    /// `u32::MAX`: none.
    pub(super) mate: u32,
    pub(super) changes: bool,
    pub(super) current: u32,
}

/// "No cuisine", "no protein".
pub(super) const NO_CLASS: u16 = u16::MAX;

/// A food that is in the pantry.
#[derive(Clone, Debug)]
pub struct Stock {
    pub price: i64,
    /// Range of its lots, the first to expire first.
    pub lots: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
pub struct StockLot {
    pub mass: i64,
    /// `i32::MAX`: keeps.
    pub last_day: i32,
}

/// The compiled problem.
#[derive(Clone, Debug)]
pub struct Table {
    pub days: usize,
    pub eaters: usize,
    pub slots: Vec<Slot>,
    pub groups: Vec<Group>,
    pub(super) places: Vec<Place>,
    pub recipes: Vec<Facts>,
    pub details: Vec<Details>,
    /// Portions that somebody may get, in percent of a serving.
    pub percents: Vec<u16>,
    /// By eater: the portions to choose from, as indices of `percents`, and the usual one.
    pub choices: Vec<Vec<u8>>,
    pub usual: Vec<u8>,
    /// By slot and eater: a portion that is locked.
    pub fixed: Vec<Option<u8>>,
    /// By eater and portion: what it costs to differ from the usual one.
    pub portion_prices: Vec<i64>,
    /// By eater and set of unknown nutrients: what a meal with them costs.
    pub unknown_prices: Vec<[i64; 256]>,
    /// By day and eater.
    pub bands: Vec<Band>,
    /// By recipe and portion: what is eaten.
    pub(super) rows: Vec<Amounts>,
    pub(super) scale: Scale,
    /// Foods to buy that are not in the pantry: number and mass per serving.
    pub(super) foods: Vec<u16>,
    pub(super) masses: Vec<i32>,
    /// By recipe: how many foods it has in that list.
    pub(super) food_counts: Vec<u8>,
    pub food_prices: Vec<i64>,
    /// By food (not in the pantry): the recipes that need it; where each food's begin.
    pub(super) users: Vec<u32>,
    pub(super) user_starts: Vec<u32>,
    /// Foods of the pantry: index of the stock and mass per serving.
    pub(super) stocked: Vec<(u32, i32)>,
    pub stocks: Vec<Stock>,
    pub lots: Vec<StockLot>,
    pub base_percent: u32,
    /// The least `base` of a recipe.
    pub least_base: i64,
    pub cuisines: usize,
    pub proteins: usize,
    /// Windows of days over which the caps count.
    pub windows: usize,
    pub quotas: Vec<Quota>,
    pub budget: Option<i64>,
    pub rules: Rules,
    pub weights: Weights,
}

impl Table {
    /// What an eater gets of a recipe at a portion.
    #[inline]
    #[must_use]
    pub fn row(&self, recipe: usize, portion: u8) -> &Amounts {
        &self.rows[recipe * self.percents.len() + usize::from(portion)]
    }

    /// Foods of a recipe that are bought and not in the pantry.
    #[inline]
    #[must_use]
    pub fn foods_of(&self, recipe: usize) -> &[u16] {
        let facts = &self.recipes[recipe];
        &self.foods[facts.foods as usize..facts.foods as usize + usize::from(facts.food_count)]
    }

    /// Their mass per serving.
    #[inline]
    #[must_use]
    pub fn masses_of(&self, recipe: usize) -> &[i32] {
        let facts = &self.recipes[recipe];
        &self.masses[facts.foods as usize..facts.foods as usize + usize::from(facts.food_count)]
    }

    /// Foods of a recipe that are in the pantry: index of the stock and mass per serving.
    #[inline]
    #[must_use]
    pub fn stocks_of(&self, recipe: usize) -> &[(u32, i32)] {
        let facts = &self.recipes[recipe];
        &self.stocked[facts.stocks as usize..facts.stocks as usize + usize::from(facts.stock_count)]
    }

    /// Recipes that need a food which is bought and not in the pantry.
    #[inline]
    pub(super) fn users_of(&self, food: usize) -> &[u32] {
        &self.users[self.user_starts[food] as usize..self.user_starts[food + 1] as usize]
    }

    /// Cost of the bought foods for so many percent of a serving.
    #[inline]
    #[must_use]
    pub fn cost(&self, recipe: usize, percent: u32) -> i64 {
        if percent == self.base_percent { self.recipes[recipe].cost } else { self.cost_of(recipe, percent) }
    }

    fn cost_of(&self, recipe: usize, percent: u32) -> i64 {
        let bought = self.foods_of(recipe).iter().zip(self.masses_of(recipe));
        bought.map(|(&food, &mass)| household(mass, percent) * self.food_prices[usize::from(food)]).sum()
    }

    /// What a dish costs by itself in a slot, portions and foods aside.
    #[inline]
    #[must_use]
    pub fn dish_price(&self, slot: usize, recipe: usize, cooked: bool) -> i64 {
        let (facts, place) = (&self.recipes[recipe], &self.places[slot]);
        let mut price = facts.base + if cooked { facts.effort } else { self.weights.leftover };
        if facts.unknown != 0 {
            price += self.unknown_price(slot, facts.unknown);
        }
        if place.changes && index(place.current) != Some(recipe) {
            price += self.weights.change;
        }
        price
    }

    pub(super) fn unknown_price(&self, slot: usize, unknown: u8) -> i64 {
        let eaters = self.slots[slot].eaters.iter();
        eaters.map(|&e| self.unknown_prices[usize::from(e)][usize::from(unknown)]).sum()
    }

    /// The price of the money spent, and of what of it is over the budget.
    #[inline]
    #[must_use]
    pub fn money(&self, spent: i64) -> [i64; 2] {
        let over = self.budget.map_or(0, |budget| (spent - budget).max(0));
        [spent * self.weights.money / 10_000, over * self.weights.over_budget / 10_000]
    }

    /// Whether cooking a recipe in both slots breaks the repeat gap.
    #[inline]
    #[must_use]
    pub fn too_close(&self, a: usize, b: usize) -> bool {
        let (first, second) = (&self.slots[a.min(b)], &self.slots[a.max(b)]);
        second.day - first.day < self.gap(first.kind) as usize
    }

    pub(super) const fn gap(&self, kind: Kind) -> u32 {
        if kind.is_main() { self.rules.repeat_gap_main_days } else { self.rules.repeat_gap_other_days }
    }

    /// Whether what is left of a recipe cooked in `source` may be eaten in `slot`.
    #[inline]
    #[must_use]
    pub fn keeps(&self, source: usize, slot: usize, recipe: usize) -> bool {
        let days = self.slots[slot].day - self.slots[source].day;
        days <= usize::from(self.recipes[recipe].leftover_days)
            && self.groups[self.slots[slot].group].allow[recipe] & REUSE != 0
    }

    /// The window of the caps that a day is in.
    #[inline]
    pub(super) const fn window(&self, day: usize) -> usize {
        if self.rules.cap_days == 0 { 0 } else { day / self.rules.cap_days as usize }
    }

    /// What a slot's eaters and guests get at these portions (one per eater), in percent of a serving.
    pub(super) fn percent(&self, slot: usize, portions: &[u8]) -> u32 {
        let slot = &self.slots[slot];
        let eaten = slot.eaters.iter().map(|&e| u32::from(self.percents[portions[usize::from(e)] as usize]));
        slot.guests + eaten.sum::<u32>()
    }

    /// What a slot's portions cost.
    pub(super) fn portion_price(&self, slot: usize, portions: &[u8]) -> i64 {
        let price = |e: usize| self.portion_prices[e * self.percents.len() + usize::from(portions[e])];
        self.slots[slot].eaters.iter().map(|&e| price(usize::from(e))).sum()
    }

    /// What a count of meals costs under a quota.
    #[inline]
    pub(super) fn quota_price(quota: &Quota, count: u32) -> i64 {
        i64::from(quota.least.saturating_sub(count)) * quota.price_missing
            + i64::from(count.saturating_sub(quota.most)) * quota.price_excess
    }

    /// Whether meals of a slot count for a quota.
    #[inline]
    pub(super) fn counts(&self, quota: &Quota, slot: usize) -> bool {
        let slot = &self.slots[slot];
        (quota.first_day as usize..=quota.last_day as usize).contains(&slot.day) && quota.kinds.has(slot.kind)
    }

    /// What the stock of a food saves and loses: the money spent on the rest, and the price of items and waste.
    #[inline]
    pub(super) fn purchase(&self, stock: usize, need: i64, reach: impl Fn(usize) -> i64) -> Purchase {
        let stock = &self.stocks[stock];
        let (mut covered, mut waste) = (0, 0);
        for lot in stock.lots.clone() {
            let StockLot { mass, last_day } = self.lots[lot];
            let used = mass.min(reach(lot) - covered).max(0);
            covered += used;
            if last_day != i32::MAX {
                waste += (mass - used) * stock.price * self.weights.waste / 10_000;
            }
        }
        let bought = need - covered;
        Purchase { spent: bought * stock.price, items: i64::from(bought > 0) * self.weights.item, waste }
    }
}

/// What the need for a food of the pantry comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Purchase {
    pub(super) spent: i64,
    pub(super) items: i64,
    pub(super) waste: i64,
}

/// Mass for so many percent of a serving, rounded half up.
#[inline]
#[must_use]
pub const fn household(mass: i32, percent: u32) -> i64 {
    (mass as i64 * percent as i64 + 50) / 100
}
