//! The parts of a shop, in the order in which one walks through it.

use crate::domain::diet::{UnknownName, named};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where in the shop a food stands; sorts in walking order.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Aisle {
    Produce,
    Bakery,
    #[serde(rename = "dairy & eggs")]
    DairyAndEggs,
    Meat,
    Fish,
    Frozen,
    #[serde(rename = "canned & jars")]
    CannedAndJars,
    #[serde(rename = "pasta & grains")]
    PastaAndGrains,
    Baking,
    Spices,
    #[serde(rename = "oils & condiments")]
    OilsAndCondiments,
    #[serde(rename = "nuts & seeds")]
    NutsAndSeeds,
    #[serde(rename = "snacks & sweets")]
    SnacksAndSweets,
    Drinks,
    #[default]
    Other,
}

impl Aisle {
    pub const ALL: [Self; 15] = [
        Self::Produce,
        Self::Bakery,
        Self::DairyAndEggs,
        Self::Meat,
        Self::Fish,
        Self::Frozen,
        Self::CannedAndJars,
        Self::PastaAndGrains,
        Self::Baking,
        Self::Spices,
        Self::OilsAndCondiments,
        Self::NutsAndSeeds,
        Self::SnacksAndSweets,
        Self::Drinks,
        Self::Other,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Produce => "produce",
            Self::Bakery => "bakery",
            Self::DairyAndEggs => "dairy & eggs",
            Self::Meat => "meat",
            Self::Fish => "fish",
            Self::Frozen => "frozen",
            Self::CannedAndJars => "canned & jars",
            Self::PastaAndGrains => "pasta & grains",
            Self::Baking => "baking",
            Self::Spices => "spices",
            Self::OilsAndCondiments => "oils & condiments",
            Self::NutsAndSeeds => "nuts & seeds",
            Self::SnacksAndSweets => "snacks & sweets",
            Self::Drinks => "drinks",
            Self::Other => "other",
        }
    }
}

impl FromStr for Aisle {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named("aisle", text, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Aisle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aisles_sort_in_walking_order_and_read_back() {
        assert!(Aisle::ALL.is_sorted());
        for aisle in Aisle::ALL {
            assert_eq!(aisle.to_string().parse(), Ok(aisle));
            assert_eq!(serde_json::to_string(&aisle).unwrap(), format!("\"{aisle}\""));
        }
    }
}
