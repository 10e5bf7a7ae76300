//! The search's units: whole kilocalories, tenths of grams, tens of milligrams of sodium, whole grams of food.

use crate::domain::measure::Milli;

/// Thousandths of the unit in a nutrient's name that one unit of the search is.
const UNITS: [i64; 8] = [1000, 100, 100, 100, 100, 100, 100, 10_000];
/// No meal and no goal has more.
const MOST: i64 = 1_000_000;

/// An amount of the `n`-th nutrient in the search's unit.
pub(super) fn amount(n: usize, value: Milli) -> i32 {
    let unit = UNITS.get(n).copied().unwrap_or(1000);
    i32::try_from(value.scale(1, unit).0.clamp(0, MOST)).unwrap_or(0)
}

/// And back.
pub(super) fn milli(n: usize, amount: i32) -> Milli {
    Milli(i64::from(amount) * UNITS.get(n).copied().unwrap_or(1000))
}

/// Whole grams; what is there at all is at least one.
pub(super) fn grams(mass: Milli) -> i32 {
    let least = i64::from(mass.0 > 0);
    i32::try_from(mass.rounded().clamp(least, 100_000)).unwrap_or(0)
}
