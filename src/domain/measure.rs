//! Exact amounts: thousandths of a unit, and the nutrients of a food or a meal.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// A fixed-point number with three decimals: `Milli(1500)` is 1.5 of whatever unit its name says.
///
/// In JSON it is a plain decimal number (`1.5`), exact in both directions within [`Milli::LIMIT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub i64);

impl Milli {
    pub const ZERO: Self = Self(0);
    /// Largest magnitude taken from outside, in thousandths (a thousand tonnes in grams).
    pub const LIMIT: i64 = 1_000_000_000_000;

    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units * 1000)
    }

    /// Thousandths from a decimal number, rounded to the nearest; `None` for NaN, infinities and absurd sizes.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let thousandths = (value * 1000.0).round();
        #[expect(clippy::cast_precision_loss, reason = "the limit is far below 2^53")]
        let limit = Self::LIMIT as f64;
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the line above it")]
        (thousandths.is_finite() && thousandths.abs() <= limit).then_some(Self(thousandths as i64))
    }

    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for display and JSON, bounded by LIMIT")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// `self * numerator / denominator`, rounded half away from zero, in 128 bits; saturates.
    ///
    /// # Panics
    /// Never for a non-zero denominator; a zero denominator is a mistake in the calling code.
    #[must_use]
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        let product = i128::from(self.0) * i128::from(numerator);
        let divisor = i128::from(denominator);
        let half = divisor.abs() / 2;
        let rounded = if (product < 0) == (divisor < 0) {
            (product + half * divisor.signum()) / divisor
        } else {
            (product - half * divisor.signum()) / divisor
        };
        Self(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Whole units, rounded half away from zero.
    #[must_use]
    pub fn rounded(self) -> i64 {
        self.scale(1, 1000).0
    }
}

impl Add for Milli {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Milli {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Milli {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Milli {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Milli {
    /// The shortest exact decimal: `1500` prints `1.5`, `2000` prints `2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        let text = if rest == 0 {
            format!("{sign}{units}")
        } else {
            format!("{sign}{units}.{}", format!("{rest:03}").trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

impl Serialize for Milli {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            serializer.serialize_i64(self.0 / 1000)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Milli {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::from_f64(value).ok_or_else(|| {
            serde::de::Error::custom("an amount must be a finite number of at most a thousand million")
        })
    }
}

impl schemars::JsonSchema for Milli {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "number", "multipleOf": 0.001})
    }
}

/// What is in an amount of food. `None` is unknown, which is never the same as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nutrients {
    pub kcal: Option<Milli>,
    pub protein_g: Option<Milli>,
    pub carbs_g: Option<Milli>,
    pub fat_g: Option<Milli>,
    pub saturated_fat_g: Option<Milli>,
    pub fibre_g: Option<Milli>,
    pub sugar_g: Option<Milli>,
    pub sodium_mg: Option<Milli>,
}

impl Nutrients {
    /// Names in the order of [`Nutrients::to_array`], as they stand in JSON.
    pub const NAMES: [&'static str; 8] =
        ["kcal", "protein_g", "carbs_g", "fat_g", "saturated_fat_g", "fibre_g", "sugar_g", "sodium_mg"];

    #[must_use]
    pub const fn to_array(self) -> [Option<Milli>; 8] {
        [
            self.kcal,
            self.protein_g,
            self.carbs_g,
            self.fat_g,
            self.saturated_fat_g,
            self.fibre_g,
            self.sugar_g,
            self.sodium_mg,
        ]
    }

    #[must_use]
    pub const fn from_array(values: [Option<Milli>; 8]) -> Self {
        let [kcal, protein_g, carbs_g, fat_g, saturated_fat_g, fibre_g, sugar_g, sodium_mg] = values;
        Self { kcal, protein_g, carbs_g, fat_g, saturated_fat_g, fibre_g, sugar_g, sodium_mg }
    }

    /// Every known value times `numerator / denominator`; unknown stays unknown.
    #[must_use]
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        Self::from_array(self.to_array().map(|value| value.map(|known| known.scale(numerator, denominator))))
    }

    /// Adds what is known; a value known on one side only is kept as it is, so pair it with a coverage.
    #[must_use]
    pub fn plus_known(self, other: Self) -> Self {
        let (mine, theirs) = (self.to_array(), other.to_array());
        Self::from_array(std::array::from_fn(|i| match (mine[i], theirs[i]) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn json_keeps_every_thousandth(value in -Milli::LIMIT..=Milli::LIMIT) {
            let text = serde_json::to_string(&Milli(value)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Milli>(&text).unwrap(), Milli(value));
        }
    }

    #[test]
    fn scaling_rounds_half_away_from_zero() {
        assert_eq!(Milli(5).scale(1, 2), Milli(3));
        assert_eq!(Milli(-5).scale(1, 2), Milli(-3));
        assert_eq!(Milli(1500).rounded(), 2);
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["1e300", "-1e13"] {
            assert!(serde_json::from_str::<Milli>(text).is_err(), "{text}");
        }
        assert_eq!(Milli::from_f64(f64::NAN), None);
    }

    #[test]
    fn unknown_plus_known_is_not_zero() {
        let a = Nutrients { kcal: Some(Milli(1)), ..Nutrients::default() };
        assert_eq!(a.plus_known(Nutrients::default()).fibre_g, None);
        assert_eq!(a.plus_known(a).kcal, Some(Milli(2)));
    }
}
