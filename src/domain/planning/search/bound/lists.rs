//! Listed menus as the search for weeks wants them: with what they pay for items told apart.

use super::branch::Solved;
use super::menu::{Frame, bits};
use super::model::{DINNER, LUNCH, SLOTS};
use super::money::Limits;
use super::options::{Kind, TRACKED, forces, times};
use super::rows::{Row, Rows, family};
use super::week::{Choices, Menu, NOTHING, Rule};

/// A part of the problem at some prices.
pub(crate) struct View<'a> {
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) rows: &'a Rows,
    pub(crate) prices: &'a [i64],
    pub(crate) limits: &'a Limits,
}

impl View<'_> {
    /// What each tracked item costs where it is bought.
    pub(crate) fn items(&self) -> [i64; TRACKED] {
        let mut out = [0; TRACKED];
        for (item, bit) in self.frame.tracked.iter().enumerate() {
            if let Some(bit) = bit {
                out[usize::from(*bit)] = self.limits.item[item];
            }
        }
        out
    }
}

/// What an option pays for items beyond the share of its day.
fn extra(view: &View<'_>, (day, slot): (usize, usize), option: usize) -> Vec<(u8, i64)> {
    let View { frame, rows, prices, .. } = view;
    let options = &frame.day(day)[slot];
    let (kind, recipe) = (options.kind[option], options.recipe[option]);
    let family = family(slot);
    let mut out = Vec::new();
    let Some(dish) = frame.model.recipes.get(recipe) else { return out };
    if kind == Kind::Again || !rows.active[family][recipe] {
        return out;
    }
    for (place, &(item, grams)) in dish.grams.iter().enumerate() {
        if let Some(bit) = frame.tracked[item]
            && forces(frame.model, day, item, grams * times(kind))
        {
            let price =
                |first| rows.recipe_item(family, recipe, place, first).and_then(|row| prices.get(row));
            let pay: i64 = rows.windows(family, day).filter_map(price).sum();
            if pay != 0 {
                out.push((bit, pay));
            }
        }
    }
    out
}

/// The rules of the week that have a price, and the number of each by its row.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) all: Vec<Rule>,
    numbers: Vec<Option<u16>>,
}

impl Rules {
    pub(crate) fn new(view: &View<'_>) -> Self {
        let View { frame, rows, prices, .. } = view;
        let mut rules = Self::default();
        let over = prices.get(rows.budget).copied().unwrap_or(0);
        let money = &frame.money;
        for (row, kind) in rows.kinds.iter().enumerate() {
            let price = prices.get(row).copied().unwrap_or(0);
            let rhs = rows.rhs[row];
            let rule = match *kind {
                Row::Cuisine => Rule { limit: rhs, over: money.cuisine - price, under: price },
                Row::Protein => Rule { limit: rhs, over: money.protein - price, under: price },
                Row::Credit { item } => {
                    Rule { limit: -rhs, over: price, under: money.credit(item, over) - price }
                }
                // More than one use is no week at all.
                Row::Window => Rule { limit: rhs, over: 0, under: price },
                Row::Day { .. } | Row::Recipe { .. } | Row::Budget | Row::Link => {
                    Rule { limit: 0, over: 0, under: 0 }
                }
            };
            let number = u16::try_from(rules.all.len()).ok().filter(|_| rule.over > 0 || rule.under > 0);
            rules.numbers.push(number);
            if number.is_some() {
                rules.all.push(rule);
            }
        }
        rules
    }

    /// How much of which rule an option uses.
    fn uses(&self, view: &View<'_>, (day, slot): (usize, usize), option: usize) -> Vec<(u16, i64)> {
        let View { frame, rows, .. } = view;
        let options = &frame.day(day)[slot];
        let (kind, recipe) = (options.kind[option], options.recipe[option]);
        let Some(dish) = frame.model.recipes.get(recipe) else { return Vec::new() };
        let mut out = Vec::new();
        let mut push = |row: Option<usize>, n: i64| {
            if let Some(rule) = row.and_then(|row| self.numbers.get(row).copied().flatten()) {
                out.push((rule, n));
            }
        };
        if slot == LUNCH || slot == DINNER {
            push(dish.cuisine.map(|c| rows.cuisine[c]), 1);
            push(dish.protein.map(|p| rows.protein[p]), 1);
        }
        if kind != Kind::Again {
            for &(item, grams) in &dish.grams {
                let stock = frame.model.items[item].stock.as_ref();
                if let Some(stock) = stock.filter(|s| s.last_day.is_none_or(|last| day <= last)) {
                    push(rows.credit[item], (grams * times(kind)).min(stock.grams));
                }
            }
            let family = family(slot);
            if rows.active[family][recipe] {
                for first in rows.windows(family, day) {
                    push(rows.window(family, recipe, first), 1);
                }
            }
        }
        out
    }

    /// The most of each rule that a menu of a day uses.
    fn reach(&self, view: &View<'_>, day: usize) -> Vec<i64> {
        let mut reach = vec![0; self.all.len()];
        for slot in 0..SLOTS {
            let mut most = vec![0; self.all.len()];
            for option in 0..view.frame.day(day)[slot].len() {
                for (rule, n) in self.uses(view, (day, slot), option) {
                    let most = &mut most[usize::from(rule)];
                    *most = n.max(*most);
                }
            }
            reach.iter_mut().zip(most).for_each(|(reach, most)| *reach += most);
        }
        reach
    }
}

/// The menus of a day that cost less than what `solved` says of the rest.
pub(crate) fn choices(
    view: &View<'_>,
    share: &[i64; TRACKED],
    rules: &Rules,
    day: usize,
    solved: &Solved,
) -> Choices {
    let frame = view.frame;
    let items = view.items();
    let priced = (0..TRACKED).filter(|b| items[*b] > 0).fold(0_u128, |all, b| all | 1 << b);
    let extras = std::array::from_fn(|slot| {
        let all = (0..frame.day(day)[slot].len()).map(|option| extra(view, (day, slot), option));
        let mut all: Vec<_> = all.filter(|paid| !paid.is_empty()).collect();
        all.sort_unstable();
        all.dedup();
        all
    });
    let menu = |&(price, picks): &(i64, [u32; SLOTS])| {
        let (mut all, mut paid, mut cooked) = (0, Vec::new(), [NOTHING; SLOTS]);
        let (mut uses, mut left, mut again) = (Vec::new(), NOTHING, (NOTHING, 0));
        for (slot, options) in frame.day(day).iter().enumerate() {
            let option = picks[slot] as usize;
            all |= options.mask[option];
            uses.extend(rules.uses(view, (day, slot), option));
            paid.extend(extra(view, (day, slot), option));
            let recipe = u32::try_from(options.recipe[option]).unwrap_or(NOTHING);
            match options.kind[option] {
                Kind::Nothing => {}
                Kind::Cook => cooked[slot] = recipe,
                Kind::Double => (cooked[slot], left) = (recipe, recipe),
                Kind::Again => {
                    let days = options.sources(option).iter().map(|s| s.0).filter(|c| *c < 64);
                    again = (recipe, days.fold(0, |all, c| all | 1 << c));
                }
            }
        }
        let mask = all & priced;
        paid.retain(|e: &(u8, i64)| mask >> e.0 & 1 == 1);
        let sum: i64 =
            bits(mask).map(|b| share[b]).sum::<i64>() + paid.iter().map(|e: &(u8, i64)| e.1).sum::<i64>();
        Menu { net: price - sum, mask, extra: paid, cooked, uses, left, again }
    };
    Choices {
        menus: solved.listed.iter().map(menu).collect(),
        floor: solved.bound,
        share: *share,
        extras,
        reach: rules.reach(view, day),
    }
}
