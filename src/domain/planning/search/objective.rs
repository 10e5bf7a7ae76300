//! What a plan costs: the prices, the slope of a goal, and the plain full evaluation that the search must agree with.

use super::check::MAX_WEIGHT;
use super::problem::{Eater, Goal, Problem, Terms};
use super::table::{NONE, Plan, Table};
use crate::domain::recipes::slots::MealSlot;

/// One point in the objective's unit.
pub const POINT: i64 = 10_000;

/// Largest cost of one goal of one person on one day.
const CAP: i64 = 1_000_000 * POINT;
/// Leftovers a week that are welcome.
const FREE_LEFTOVERS: usize = 4;

/// Weighted prices.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    /// The same recipe cooked again after so many days; the last entry is for seven and more.
    pub(super) again: [i64; 8],
    /// Another recipe of the same main food on the same day, and on the next.
    pub(super) alike: [i64; 2],
    pub(super) item: i64,
    pub(super) star: i64,
    /// 30 minutes of cooking.
    pub(super) half_hour: i64,
    pub(super) leftover_gain: i64,
    pub(super) leftover_excess: i64,
    pub(super) free_leftovers: usize,
    /// One percent of the lines unknown.
    pub(super) coverage: i64,
    /// A nutrient that a goal of importance 1 needs is unknown.
    pub(super) unknown: i64,
    pub(super) empty: i64,
}

impl Prices {
    pub(super) fn of(problem: &Problem) -> Self {
        let w = problem.weights;
        let weighted = |price: i64, percent: u32| price * i64::from(percent.min(MAX_WEIGHT)) / 100;
        let variety = |price| weighted(price, w.variety);
        Self {
            again: [12, 8, 5, 4, 3, 3, 3, 1].map(|points| variety(points * POINT)),
            alike: [variety(POINT), variety(POINT / 2)],
            item: weighted(3 * POINT / 10, w.items),
            star: weighted(POINT, w.rating),
            half_hour: weighted(POINT, w.effort),
            leftover_gain: weighted(POINT / 2, w.leftovers),
            leftover_excess: weighted(3 * POINT, w.leftovers),
            free_leftovers: FREE_LEFTOVERS * problem.days.len().div_ceil(7),
            coverage: weighted(POINT / 10, w.coverage),
            unknown: weighted(POINT / 20, w.coverage),
            empty: 300 * POINT,
        }
    }

    /// The cost of so many leftover meals in the plan.
    pub(super) fn leftovers(&self, meals: usize) -> i64 {
        let count = |n: usize| i64::try_from(n).unwrap_or(0);
        self.leftover_excess * count(meals.saturating_sub(self.free_leftovers))
            - self.leftover_gain * count(meals)
    }
}

/// One goal of one eater on one day, ready to be priced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) min: i64,
    pub(super) max: i64,
    slope: i64,
    reference: i64,
}

impl Band {
    /// No goal: everything is free.
    pub(super) const FREE: Self =
        Self { low: i64::MIN, high: i64::MAX, min: i64::MIN, max: i64::MAX, slope: 0, reference: 1 };

    /// The goal for a share (percent) of the day.
    pub(super) fn new(goal: &Goal, share: i64, weight: u32) -> Self {
        let scaled = |amount: Option<i64>| amount.map(|amount| amount.clamp(0, CAP) * share / 100);
        let (min, max) = (scaled(goal.min), scaled(goal.max));
        let reference =
            [goal.low, goal.high, goal.min, goal.max].into_iter().flatten().find(|&amount| amount > 0);
        Self {
            low: scaled(goal.low).or(min).unwrap_or(i64::MIN),
            high: scaled(goal.high).or(max).unwrap_or(i64::MAX),
            min: min.unwrap_or(i64::MIN),
            max: max.unwrap_or(i64::MAX),
            slope: i64::from(goal.importance.min(10)) * 1000 * i64::from(weight.min(MAX_WEIGHT)),
            reference: reference.unwrap_or(1000),
        }
    }

    /// The cost of eating `amount`: 1 % of the reference outside the band is a tenth of the importance in points,
    /// four times that beyond `min` and `max`.
    pub(super) fn cost(&self, amount: i64) -> i64 {
        if amount >= self.low && amount <= self.high {
            return 0;
        }
        let near = if amount < self.low { self.low - amount } else { amount.saturating_sub(self.high) };
        let far = if amount < self.min {
            self.min - amount
        } else if amount > self.max {
            amount - self.max
        } else {
            0
        };
        ((near + 3 * far).saturating_mul(self.slope) / self.reference).min(CAP)
    }
}

/// The share of a day's goals, in percent, that a slot carries.
pub(super) const fn share(slot: MealSlot) -> i64 {
    match slot {
        MealSlot::Breakfast => 22,
        MealSlot::Lunch => 33,
        MealSlot::Dinner => 37,
        MealSlot::Snack => 8,
    }
}

/// For each set of unknown nutrients (as bits), what a meal with them costs an eater.
pub(super) fn unknown_costs(eater: &Eater, prices: &Prices) -> Vec<i64> {
    let cost = |set: usize| {
        let goals = eater.goals.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1);
        goals
            .filter_map(|(_, goal)| *goal)
            .map(|goal| i64::from(goal.importance.min(10)) * prices.unknown)
            .sum()
    };
    (0..256).map(cost).collect()
}

impl Terms {
    /// The objective: the sum of all terms.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.nutrition
            + self.variety
            + self.items
            + self.rating
            + self.effort
            + self.leftovers
            + self.coverage
            + self.empty
    }

    /// Term by term, `self - other`.
    #[must_use]
    pub const fn minus(&self, other: &Self) -> Self {
        Self {
            nutrition: self.nutrition - other.nutrition,
            variety: self.variety - other.variety,
            items: self.items - other.items,
            rating: self.rating - other.rating,
            effort: self.effort - other.effort,
            leftovers: self.leftovers - other.leftovers,
            coverage: self.coverage - other.coverage,
            empty: self.empty - other.empty,
        }
    }
}

/// The whole objective from scratch: the definition that the incremental sums are tested against.
pub(super) fn evaluate(table: &Table, plan: &Plan) -> Terms {
    let mut terms = Terms::default();
    let mut bought = vec![false; table.foods];
    let mut leftovers = 0;
    for m in 0..table.meals.len() {
        let Some(r) = plan.recipe_at(m) else {
            terms.empty += table.meals[m].empty_cost;
            continue;
        };
        let recipe = &table.recipes[r];
        terms.rating += recipe.rating;
        terms.coverage += table.coverage(m, r);
        if plan.of[m] == NONE {
            terms.effort += recipe.effort;
            terms.variety += table.since_eaten(m, r);
            recipe.foods.iter().for_each(|&food| bought[food] = true);
        } else {
            leftovers += 1;
        }
        terms.variety += (0..m).map(|other| table.pair(plan, m, other)).sum::<i64>();
    }
    terms.items = table.prices.item * i64::try_from(bought.iter().filter(|used| **used).count()).unwrap_or(0);
    terms.leftovers = table.prices.leftovers(leftovers);
    for (cell, bands) in table.bands.iter().enumerate() {
        let sums = table.sums(plan, cell / table.eaters, cell % table.eaters);
        terms.nutrition += bands.iter().zip(sums).map(|(band, amount)| band.cost(amount)).sum::<i64>();
    }
    terms
}
