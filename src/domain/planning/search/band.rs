//! The price of what one eater eats in a day, against the goals of that day: eight lanes of 32 bits.

use super::problem::{Goal, NUTRIENTS};

/// Amounts of the nutrients; at most 2^26 each, which [`super::check()`] sees to.
pub type Amounts = [i32; NUTRIENTS];

/// Never reached by an amount, and far from overflow when subtracted.
const NEVER: i32 = 1 << 27;

/// The goals of one eater on one day, scaled to the meals eaten at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    pub lo: Amounts,
    pub hi: Amounts,
    pub min: Amounts,
    pub max: Amounts,
    /// Price of one unit outside `lo..=hi`; three more beyond `min` and `max`.
    pub slope: [u32; NUTRIENTS],
}

impl Band {
    /// No goal: everything is free.
    pub const FREE: Self = Self {
        lo: [-1; NUTRIENTS],
        hi: [NEVER; NUTRIENTS],
        min: [-1; NUTRIENTS],
        max: [NEVER; NUTRIENTS],
        slope: [0; NUTRIENTS],
    };

    /// The goals for a share (percent) of the day.
    pub(super) fn new(goals: &[Option<Goal>; NUTRIENTS], share: i32, nutrition: i64) -> Self {
        let mut band = Self::FREE;
        for (n, goal) in goals.iter().enumerate() {
            let Some(goal) = goal else { continue };
            let scaled = |amount: Option<i32>, none: i32| amount.map_or(none, |amount| part(amount, share));
            band.lo[n] = scaled(goal.lo, -1);
            band.hi[n] = scaled(goal.hi, NEVER);
            band.min[n] = scaled(goal.min, -1);
            band.max[n] = scaled(goal.max, NEVER);
            band.slope[n] = slope(goal, nutrition);
        }
        band
    }

    /// The part of the goals that falls to one meal of the day, `share` of `all`.
    pub(super) fn of_meal(&self, share: i32, all: i32) -> Self {
        let least = |amount: i32| if amount < 0 { amount } else { scaled(amount, share, all) };
        let most = |amount: i32| if amount >= NEVER { NEVER } else { scaled(amount, share, all) };
        Self {
            lo: self.lo.map(least),
            hi: self.hi.map(most),
            min: self.min.map(least),
            max: self.max.map(most),
            slope: self.slope,
        }
    }

    /// What eating these amounts costs.
    #[inline]
    #[must_use]
    pub fn cost(&self, amounts: &Amounts) -> i64 {
        let mut total = 0;
        for n in 0..NUTRIENTS {
            total += u64::from(self.miss(amounts, n).cast_unsigned()) * u64::from(self.slope[n]);
        }
        total.cast_signed()
    }

    /// What eating `base + row` costs.
    #[inline]
    #[must_use]
    pub fn cost_with(&self, base: &Amounts, row: &Amounts) -> i64 {
        let mut sums = *base;
        add(&mut sums, row);
        self.cost(&sums)
    }

    #[inline]
    fn miss(&self, amounts: &Amounts, n: usize) -> i32 {
        let amount = amounts[n];
        let near = (self.lo[n] - amount).max(0) + (amount - self.hi[n]).max(0);
        let far = (self.min[n] - amount).max(0) + (amount - self.max[n]).max(0);
        near + 3 * far
    }
}

/// `amount * share / 100`; amounts are not negative and shares at most 100, so the result fits.
fn part(amount: i32, share: i32) -> i32 {
    i32::try_from(i64::from(amount) * i64::from(share) / 100).unwrap_or(NEVER)
}

/// Adds what is eaten.
#[inline]
pub(super) fn add(sums: &mut Amounts, row: &Amounts) {
    sums.iter_mut().zip(row).for_each(|(sum, amount)| *sum += amount);
}

/// Takes away what is not eaten after all.
#[inline]
pub(super) fn subtract(sums: &mut Amounts, row: &Amounts) {
    sums.iter_mut().zip(row).for_each(|(sum, amount)| *sum -= amount);
}

fn scaled(amount: i32, share: i32, all: i32) -> i32 {
    i32::try_from(i64::from(amount) * i64::from(share) / i64::from(all.max(1))).unwrap_or(NEVER)
}

/// The price of one unit off a goal; [`super::check()`] bounds it.
pub(super) fn slope(goal: &Goal, nutrition: i64) -> u32 {
    let slope = i64::from(goal.importance) * 1000 * nutrition / i64::from(goal.reference.max(1));
    u32::try_from(slope).unwrap_or(0)
}
