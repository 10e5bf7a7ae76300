//! What things cost at most or at least, in sub-units: every rounding here is to the safe side.

use super::FINE;
use super::model::{Item, Model, UNIT};

/// No price of a rule is farther from zero, so that sums cannot overflow.
pub(crate) const FAR: i64 = 1 << 44;

/// Prices per gram and of the other coupled terms, in sub-units.
#[derive(Clone, Debug)]
pub(crate) struct Money {
    /// For a gram bought of each item, over budget not counted.
    pub(crate) pay: Vec<i64>,
    /// For a unit of money over budget, at most.
    pub(crate) over: i64,
    waste: Vec<i64>,
    price: Vec<i64>,
    pub(crate) item: i64,
    pub(crate) cuisine: i64,
    pub(crate) protein: i64,
    /// The part of the relaxed objective that depends on no price and no menu, with rounding losses taken off.
    pub(crate) fixed: i64,
}

impl Money {
    pub(crate) fn new(model: &Model) -> Self {
        let w = &model.weights;
        let expiring = |i: &Item| i.stock.as_ref().is_some_and(|s| s.last_day.is_some());
        let waste = |i: &Item| if expiring(i) { i.price * w.waste * FINE / UNIT } else { 0 };
        let pay = |i: &Item| i.price * w.money * FINE / UNIT;
        let stock_cost: i64 =
            model.items.iter().map(|i| i.stock.as_ref().map_or(0, |s| -s.grams * pay(i))).sum();
        // A term that the objective rounds down can be below its exact value by one unit at most.
        let rounded = model.items.iter().filter(|i| expiring(i) && i.price * w.waste % UNIT != 0).count()
            + usize::from(w.money % UNIT != 0)
            + usize::from(w.over_budget % UNIT != 0);
        Self {
            pay: model.items.iter().map(pay).collect(),
            over: w.over_budget * FINE / UNIT,
            waste: model.items.iter().map(waste).collect(),
            price: model.items.iter().map(|i| i.price).collect(),
            item: w.item * FINE,
            cuisine: w.cuisine_excess * FINE,
            protein: w.protein_excess * FINE,
            fixed: stock_cost - FINE * i64::try_from(rounded).unwrap_or(i64::MAX / FINE),
        }
    }

    /// The most that a gram of stock can save.
    pub(crate) fn credit(&self, item: usize, over: i64) -> i64 {
        self.pay[item] + self.waste[item] + self.price[item] * over
    }

    pub(crate) fn price(&self, item: usize) -> i64 {
        self.price[item]
    }
}

/// What a part of the problem says about items.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Bits of items that are not bought, and of those that are, in any case.
    pub(crate) banned: u128,
    pub(crate) forced: u128,
    /// What the rows of an item may share.
    pub(crate) item: Vec<i64>,
    /// What is paid for items in any case.
    pub(crate) paid: i64,
}

impl Limits {
    pub(crate) fn new(money: &Money, items: usize) -> Self {
        Self { banned: 0, forced: 0, item: vec![money.item; items], paid: 0 }
    }

    pub(crate) fn force(&mut self, item: usize, bit: u128, money: &Money) {
        self.forced |= bit;
        self.item[item] = 0;
        self.paid += money.item;
    }
}
