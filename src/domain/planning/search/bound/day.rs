//! One day at given prices: what a menu costs, and lines under that cost which make its slots independent.

use super::menu::bits;
use super::model::{DINNER, LUNCH, SLOTS};
use super::nutrition::Nutrition;
use super::options::{Kind, Options, TRACKED};

/// The order in which slots are fixed: what weighs most comes first.
pub(crate) const ORDER: [usize; SLOTS] = [DINNER, LUNCH, 0, 3];

/// One day at given prices.
pub(crate) struct Day<'a> {
    pub(crate) options: &'a [Options],
    pub(crate) nutrition: &'a Nutrition,
    /// What each option costs by itself, by slot.
    pub(crate) unary: &'a [Vec<i64>],
    /// What each tracked item costs the day once.
    pub(crate) items: [i64; TRACKED],
    /// Items that may not be bought.
    pub(crate) banned: u128,
    pub(crate) same_protein: i64,
    /// Whether one dish cannot be cooked twice this day: lunch and dinner, breakfast and snack.
    pub(crate) distinct: [bool; 2],
}

/// What is worth keeping between solves of one day.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// Slope of each nutrient.
    pub(crate) slopes: Vec<i64>,
    /// How an item's price is shared by the slots, in 1/1024.
    pub(crate) shares: Vec<[i64; SLOTS]>,
    /// How far the best menu was above the supporting lines.
    pub(crate) gap: i64,
    /// The gain that the next step hopes for.
    pub(crate) gain: i64,
}

/// The part of a menu that is fixed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    pub(crate) cost: i64,
    pub(crate) eaten: Vec<i64>,
    pub(crate) mask: u128,
    pub(crate) picks: [u32; SLOTS],
}

/// The options still open in each slot with their values under the lines; those of fixed slots mean nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(crate) open: [Vec<u32>; SLOTS],
    pub(crate) values: [Vec<i64>; SLOTS],
    pub(crate) least: [i64; SLOTS],
    pub(crate) argmin: [u32; SLOTS],
}

/// Item prices that each slot pays while these slots are open: all, and all but dinner.
pub(crate) type Charges = [[[i64; TRACKED]; SLOTS]; 2];

impl Day<'_> {
    /// The exact cost of a menu.
    pub(crate) fn cost(&self, picks: [u32; SLOTS]) -> i64 {
        let at = picks.map(|o| o as usize);
        let (mut cost, mut mask) = (self.clash(picks[LUNCH], picks[DINNER]), 0);
        for (slot, &option) in at.iter().enumerate() {
            cost += self.unary[slot][option];
            mask |= self.options[slot].mask[option];
        }
        let dishes = std::array::from_fn(|slot: usize| self.options[slot].amounts(at[slot]));
        cost + self.charge(mask) + self.nutrition.cost_of(dishes)
    }

    pub(crate) fn empty(&self) -> Base {
        Base { eaten: vec![0; self.nutrition.len()], ..Base::default() }
    }

    /// Fixes one more slot, dinner before lunch: all costs but nutrition.
    pub(crate) fn fix(&self, base: &Base, slot: usize, option: u32, next: &mut Base) {
        let o = option as usize;
        let options = &self.options[slot];
        next.picks = base.picks;
        next.picks[slot] = option;
        next.cost = base.cost + self.unary[slot][o] + self.charge(options.mask[o] & !base.mask);
        next.mask = base.mask | options.mask[o];
        next.eaten.clear();
        next.eaten.extend(base.eaten.iter().zip(options.amounts(o)).map(|(sum, a)| sum + i64::from(*a)));
        if slot == LUNCH {
            next.cost += self.clash(option, base.picks[DINNER]);
        }
    }

    pub(crate) fn charge(&self, mask: u128) -> i64 {
        bits(mask).map(|b| self.items[b]).sum()
    }

    fn clash(&self, lunch: u32, dinner: u32) -> i64 {
        let [l, d] = [(LUNCH, lunch), (DINNER, dinner)].map(|(s, o)| self.options[s].protein[o as usize]);
        if l == d { self.same_protein } else { 0 }
    }

    /// Whether two options of a day break the rule of repeats.
    pub(crate) fn repeated(&self, (a, x): (usize, u32), (b, y): (usize, u32)) -> bool {
        let family = super::rows::family(a);
        let recipe = |slot: usize, o: u32| self.options[slot].recipe[o as usize];
        let cooked =
            |slot: usize, o: u32| matches!(self.options[slot].kind[o as usize], Kind::Cook | Kind::Double);
        self.distinct[family] && recipe(a, x) == recipe(b, y) && cooked(a, x) && cooked(b, y)
    }

    pub(crate) fn is_possible(&self, p: [u32; SLOTS]) -> bool {
        let banned = (0..SLOTS).any(|s| self.options[s].mask[p[s] as usize] & self.banned != 0);
        !banned
            && !self.repeated((LUNCH, p[LUNCH]), (DINNER, p[DINNER]))
            && !self.repeated((0, p[0]), (3, p[3]))
    }

    /// The options that are not banned.
    pub(crate) fn open(&self) -> Lists {
        let mut lists = Lists::default();
        for slot in 0..SLOTS {
            lists.open[slot] = (0..)
                .zip(&self.options[slot].mask)
                .filter(|(_, mask)| *mask & self.banned == 0)
                .map(|(o, _)| o)
                .collect();
        }
        lists
    }

    /// The values of open options under the lines, and the bound that they give: no menu that continues `base`
    /// with open options costs less. `touch` gets where the lines meet the nutrition cost.
    pub(crate) fn evaluate(
        &self,
        base: &Base,
        lists: &mut Lists,
        (slopes, charges): (&[i64], &Charges),
        level: usize,
        touch: &mut [i64],
    ) -> i64 {
        let mut low = base.cost - self.nutrition.conjugate(slopes, touch);
        low += slopes.iter().zip(&base.eaten).map(|(g, a)| g * a).sum::<i64>();
        for &slot in &ORDER[level..] {
            let options = &self.options[slot];
            let charges = &charges[level][slot];
            let unary = &self.unary[slot];
            let values = &mut lists.values[slot];
            values.clear();
            let (mut least, mut argmin) = (i64::MAX, 0);
            for &o in &lists.open[slot] {
                let at = o as usize;
                let mut value = unary[at];
                if level == 1 && slot == LUNCH {
                    value += self.clash(o, base.picks[DINNER]);
                }
                for (g, a) in slopes.iter().zip(options.amounts(at)) {
                    value += g * i64::from(*a);
                }
                for &bit in options.bits(at) {
                    if base.mask >> bit & 1 == 0 {
                        value += charges[usize::from(bit)];
                    }
                }
                if value < least {
                    (least, argmin) = (value, o);
                }
                values.push(value);
            }
            lists.least[slot] = least;
            lists.argmin[slot] = argmin;
            low = low.saturating_add(least);
        }
        low
    }

    /// Turns slopes toward where the chosen options and the touching point agree, to gain about `gap`.
    pub(crate) fn tilt(
        &self,
        base: &Base,
        lists: &Lists,
        slopes: &mut [i64],
        off: &mut [i64],
        gap: i64,
        level: usize,
    ) {
        for (touch, eaten) in off.iter_mut().zip(&base.eaten) {
            *touch = eaten - *touch;
        }
        for &slot in &ORDER[level..] {
            for (sum, a) in off.iter_mut().zip(self.options[slot].amounts(lists.argmin[slot] as usize)) {
                *sum += i64::from(*a);
            }
        }
        let mut length = 0_i64;
        for (n, &v) in off.iter().enumerate() {
            let weighed = self.nutrition.weight(n).saturating_mul(v) / 1024;
            length = length.saturating_add(weighed.saturating_mul(weighed));
        }
        if length == 0 {
            return;
        }
        for (n, &v) in off.iter().enumerate() {
            let weight = self.nutrition.weight(n);
            let pull = i128::from(weight * weight) * i128::from(v) * i128::from(gap) / (1 << 20);
            let change = i64::try_from(pull / i128::from(length)).unwrap_or(0);
            slopes[n] = self.nutrition.clamp(n, slopes[n].saturating_add(change));
        }
    }

    /// The item prices that each slot pays; they sum to no more than the price, whatever slots are open.
    pub(crate) fn charges(&self, shares: &[[i64; SLOTS]], out: &mut Charges) {
        for (bit, parts) in shares.iter().enumerate() {
            let price = self.items[bit];
            for (level, open) in [&ORDER[..], &ORDER[1..]].into_iter().enumerate() {
                let sum: i64 = open.iter().map(|&s| parts[s]).sum();
                for (place, &slot) in open.iter().enumerate() {
                    out[level][slot][bit] = match sum {
                        0 if place == 0 => price,
                        0 => 0,
                        _ => price * parts[slot] / sum,
                    };
                }
            }
        }
    }

    /// Shifts item shares to the slots whose chosen options have the item.
    pub(crate) fn reshare(&self, lists: &Lists, shares: &mut [[i64; SLOTS]], step: i64) {
        let chosen: [u128; SLOTS] = std::array::from_fn(|s| self.options[s].mask[lists.argmin[s] as usize]);
        for bit in bits(chosen.iter().fold(0, |a, b| a | b)) {
            let parts = &mut shares[bit];
            for (part, mask) in parts.iter_mut().zip(chosen) {
                if mask >> bit & 1 == 1 {
                    *part += step;
                }
            }
            let sum: i64 = parts.iter().sum();
            for part in parts.iter_mut() {
                *part = *part * 1024 / sum.max(1);
            }
        }
    }
}

impl Lines {
    pub(crate) fn new(width: usize) -> Self {
        let gap = 20_000 * super::FINE;
        Self { slopes: vec![0; width], shares: vec![[1024 / 4; SLOTS]; TRACKED], gap, gain: gap / 8 }
    }

    /// The values of a slot's options under the lines.
    pub(crate) fn values(
        &self,
        options: &Options,
        unary: &[i64],
        items: &[i64; TRACKED],
        slot: usize,
    ) -> Vec<i64> {
        let value = |o: usize| {
            let lines: i64 = self.slopes.iter().zip(options.amounts(o)).map(|(g, a)| g * i64::from(*a)).sum();
            let charge: i64 = options
                .bits(o)
                .iter()
                .map(|&b| items[usize::from(b)] * self.shares[usize::from(b)][slot] / 1024)
                .sum();
            unary[o] + lines + charge
        };
        (0..options.len()).map(value).collect()
    }
}
