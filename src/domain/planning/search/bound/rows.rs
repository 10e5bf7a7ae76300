//! The rules that tie days together, each relaxed into a price, and the prices that are allowed.

use super::model::{DINNER, LUNCH, Model};
use super::money::{FAR, Limits, Money};

/// One relaxed rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// An item that a day's meals force is bought.
    Day {
        item: usize,
    },
    /// An item that a recipe forces, cooked once at most within some days, is bought.
    Recipe {
        item: usize,
    },
    /// A recipe is cooked once at most within some days.
    Window,
    /// The stock of an item covers no more than there is.
    Credit {
        item: usize,
    },
    Budget,
    Cuisine,
    Protein,
    /// Leftovers eaten are leftovers made, of one dish of one dinner.
    Link,
}

/// Names of rows, for those that exist.
const NONE: u32 = u32::MAX;

/// All rows made so far: a row that was never made has the price zero, except for links.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) kinds: Vec<Row>,
    /// Right-hand sides.
    pub(crate) rhs: Vec<i64>,
    /// The usual size of a violation.
    pub(crate) norm: Vec<i64>,
    /// Rows that share the price of one item, by item.
    pub(crate) shares: Vec<Vec<u32>>,
    pub(crate) budget: usize,
    pub(crate) credit: Vec<Option<usize>>,
    pub(crate) cuisine: Vec<usize>,
    pub(crate) protein: Vec<usize>,
    /// Index `day * items + item`.
    day_item: Vec<u32>,
    windows: [usize; 2],
    gaps: [usize; 2],
    window: [Vec<u32>; 2],
    recipe_item: [Vec<u32>; 2],
    first_gram: Vec<usize>,
    links: Vec<Vec<u32>>,
    /// Recipes with any row of their own, by family.
    pub(crate) active: [Vec<bool>; 2],
    items: usize,
}

/// Lunches and dinners repeat by one rule (0), breakfasts and snacks by another (1).
pub(crate) fn family(slot: usize) -> usize {
    usize::from(slot != LUNCH && slot != DINNER)
}

impl Rows {
    pub(crate) fn new(model: &Model, tracked: &[Option<u8>]) -> Self {
        let gaps = [model.gap_main, model.gap_other];
        let windows = gaps.map(|gap| if gap == 0 { 0 } else { (model.days + 1).saturating_sub(gap).max(1) });
        let mut first_gram = vec![0];
        for r in &model.recipes {
            first_gram.push(first_gram.last().copied().unwrap_or(0) + r.grams.len());
        }
        let grams = first_gram.last().copied().unwrap_or(0);
        let mut rows = Self {
            kinds: Vec::new(),
            rhs: Vec::new(),
            norm: Vec::new(),
            shares: vec![Vec::new(); model.items.len()],
            budget: 0,
            credit: Vec::new(),
            cuisine: Vec::new(),
            protein: Vec::new(),
            day_item: vec![NONE; model.days * model.items.len()],
            windows,
            gaps,
            window: windows.map(|w| vec![NONE; w * model.recipes.len()]),
            recipe_item: windows.map(|w| vec![NONE; w * grams]),
            first_gram,
            links: (0..model.days).map(|d| vec![NONE; model.meal(d, DINNER).choices.len()]).collect(),
            active: [vec![false; model.recipes.len()], vec![false; model.recipes.len()]],
            items: model.items.len(),
        };
        rows.make_fixed(model, tracked);
        rows
    }

    fn make_fixed(&mut self, model: &Model, tracked: &[Option<u8>]) {
        let stock = |i: &super::model::Item| i.stock.as_ref().map_or(0, |s| s.grams * i.price);
        let money = model.budget + model.items.iter().map(stock).sum::<i64>();
        self.budget = self.push(Row::Budget, money, (model.budget / 4).max(1));
        for (item, x) in model.items.iter().enumerate() {
            let row =
                x.stock.as_ref().map(|s| self.push(Row::Credit { item }, -s.grams, (s.grams / 6).max(1)));
            self.credit.push(row);
        }
        self.cuisine = (0..model.cuisines).map(|_| self.push(Row::Cuisine, model.cuisine_cap, 1)).collect();
        self.protein = (0..model.proteins).map(|_| self.push(Row::Protein, model.protein_cap, 1)).collect();
        for day in 0..model.days {
            for item in (0..model.items.len()).filter(|&i| tracked[i].is_some()) {
                let row = self.push(Row::Day { item }, 0, 1);
                self.day_item[day * self.items + item] = name(row);
                self.shares[item].push(name(row));
            }
        }
    }

    fn push(&mut self, kind: Row, rhs: i64, norm: i64) -> usize {
        self.kinds.push(kind);
        self.rhs.push(rhs);
        self.norm.push(norm);
        self.kinds.len() - 1
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn day_item(&self, day: usize, item: usize) -> Option<usize> {
        found(self.day_item[day * self.items + item])
    }

    /// The first days of the windows that a day lies in.
    pub(crate) fn windows(&self, family: usize, day: usize) -> std::ops::Range<usize> {
        let last = self.windows[family].min(day + 1);
        (day + 1).saturating_sub(self.gaps[family]).min(last)..last
    }

    pub(crate) fn window(&self, family: usize, recipe: usize, first: usize) -> Option<usize> {
        found(self.window[family][recipe * self.windows[family] + first])
    }

    /// The row of the `place`th item of a recipe.
    pub(crate) fn recipe_item(
        &self,
        family: usize,
        recipe: usize,
        place: usize,
        first: usize,
    ) -> Option<usize> {
        found(self.recipe_item[family][(self.first_gram[recipe] + place) * self.windows[family] + first])
    }

    pub(crate) fn link(&self, day: usize, place: usize) -> Option<usize> {
        found(self.links[day][place])
    }

    pub(crate) fn make_window(&mut self, family: usize, recipe: usize, first: usize) -> usize {
        self.active[family][recipe] = true;
        let at = recipe * self.windows[family] + first;
        if self.window[family][at] == NONE {
            self.window[family][at] = name(self.push(Row::Window, 1, 1));
        }
        self.window[family][at] as usize
    }

    pub(crate) fn make_recipe_item(
        &mut self,
        family: usize,
        recipe: usize,
        place: usize,
        item: usize,
        first: usize,
    ) -> usize {
        self.active[family][recipe] = true;
        let at = (self.first_gram[recipe] + place) * self.windows[family] + first;
        if self.recipe_item[family][at] == NONE {
            let row = name(self.push(Row::Recipe { item }, 0, 1));
            self.recipe_item[family][at] = row;
            self.shares[item].push(row);
        }
        self.recipe_item[family][at] as usize
    }

    pub(crate) fn make_link(&mut self, day: usize, place: usize) -> usize {
        if self.links[day][place] == NONE {
            self.links[day][place] = name(self.push(Row::Link, 0, 1));
        }
        self.links[day][place] as usize
    }

    /// Moves prices (of the first rows, the rest being free of charge) to allowed ones: what the proof needs of them is exactly what this enforces.
    pub(crate) fn allow(&self, money: &Money, limits: &Limits, prices: &mut [i64]) {
        prices[self.budget] = prices[self.budget].clamp(0, money.over);
        let over = prices[self.budget];
        for (slot, kind) in prices.iter_mut().zip(&self.kinds) {
            let price = *slot;
            *slot = match *kind {
                Row::Budget => price,
                Row::Link => price.clamp(-FAR, FAR),
                Row::Day { .. } | Row::Recipe { .. } | Row::Window => price.clamp(0, FAR),
                Row::Credit { item } => price.clamp(0, money.credit(item, over)),
                Row::Cuisine => price.clamp(0, money.cuisine),
                Row::Protein => price.clamp(0, money.protein),
            };
        }
        for (group, &limit) in self.shares.iter().zip(&limits.item) {
            share(group, limit, prices);
        }
    }
}

/// Moves non-negative prices to the nearest ones that sum to no more than `limit`.
pub(crate) fn share(group: &[u32], limit: i64, prices: &mut [i64]) {
    let late = group.iter().position(|&r| r as usize >= prices.len()).unwrap_or(group.len());
    let group = &group[..late];
    let mut live: Vec<u32> = group.iter().copied().filter(|&r| prices[r as usize] > 0).collect();
    let mut sum: i64 = live.iter().map(|&r| prices[r as usize]).sum();
    if sum <= limit {
        return;
    }
    let cut = loop {
        let count = i64::try_from(live.len()).unwrap_or(i64::MAX).max(1);
        let cut = (sum - limit + count - 1) / count;
        let before = live.len();
        live.retain(|&r| prices[r as usize] > cut);
        if live.len() == before || live.is_empty() {
            break cut;
        }
        sum = live.iter().map(|&r| prices[r as usize]).sum();
    };
    for &r in group {
        prices[r as usize] = (prices[r as usize] - cut).max(0);
    }
}

fn name(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(NONE - 1)
}

fn found(name: u32) -> Option<usize> {
    (name != NONE).then_some(name as usize)
}
