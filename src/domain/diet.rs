//! What people must not or will not eat: allergens and diets.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The fourteen allergens that have to be declared in the European Union.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Allergen {
    Gluten,
    Crustaceans,
    Egg,
    Fish,
    Peanut,
    Soy,
    Milk,
    Nuts,
    Celery,
    Mustard,
    Sesame,
    Sulphites,
    Lupin,
    Molluscs,
}

impl Allergen {
    pub const ALL: [Self; 14] = [
        Self::Gluten,
        Self::Crustaceans,
        Self::Egg,
        Self::Fish,
        Self::Peanut,
        Self::Soy,
        Self::Milk,
        Self::Nuts,
        Self::Celery,
        Self::Mustard,
        Self::Sesame,
        Self::Sulphites,
        Self::Lupin,
        Self::Molluscs,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gluten => "gluten",
            Self::Crustaceans => "crustaceans",
            Self::Egg => "egg",
            Self::Fish => "fish",
            Self::Peanut => "peanut",
            Self::Soy => "soy",
            Self::Milk => "milk",
            Self::Nuts => "nuts",
            Self::Celery => "celery",
            Self::Mustard => "mustard",
            Self::Sesame => "sesame",
            Self::Sulphites => "sulphites",
            Self::Lupin => "lupin",
            Self::Molluscs => "molluscs",
        }
    }

    fn other_name(text: &str) -> Option<Self> {
        Some(match text {
            "wheat" | "cereals" => Self::Gluten,
            "crustacean" | "shellfish" => Self::Crustaceans,
            "eggs" => Self::Egg,
            "peanuts" => Self::Peanut,
            "soya" | "soybeans" => Self::Soy,
            "dairy" | "lactose" => Self::Milk,
            "nut" | "tree nuts" | "tree-nuts" => Self::Nuts,
            "sulfites" | "sulphite" | "sulfite" => Self::Sulphites,
            "lupine" => Self::Lupin,
            "mollusc" | "mollusks" | "mollusk" => Self::Molluscs,
            _ => return None,
        })
    }
}

/// How much of the animal world is eaten; each diet allows what the ones before it allow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Diet {
    Vegan,
    Vegetarian,
    Pescatarian,
    Omnivore,
}

impl Diet {
    pub const ALL: [Self; 4] = [Self::Vegan, Self::Vegetarian, Self::Pescatarian, Self::Omnivore];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vegan => "vegan",
            Self::Vegetarian => "vegetarian",
            Self::Pescatarian => "pescatarian",
            Self::Omnivore => "omnivore",
        }
    }

    /// Whether somebody on this diet eats a food that needs at least the diet `food`.
    #[must_use]
    pub fn allows(self, food: Self) -> bool {
        food <= self
    }
}

/// A word that names none of the values there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is no {what}; it must be one of {allowed}")]
pub struct UnknownName {
    pub what: &'static str,
    pub given: String,
    pub allowed: String,
}

/// The value with this name, read without regard to case and surrounding space.
pub(crate) fn named<T: Copy>(
    what: &'static str,
    given: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let wanted = given.trim();
    all.iter().copied().find(|&value| name(value).eq_ignore_ascii_case(wanted)).ok_or_else(|| UnknownName {
        what,
        given: wanted.chars().take(80).collect(),
        allowed: all.iter().map(|&value| name(value)).collect::<Vec<_>>().join(", "),
    })
}

impl FromStr for Allergen {
    type Err = UnknownName;

    /// Also takes the common other names (shellfish, dairy, wheat, soya, …).
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::other_name(&text.trim().to_lowercase())
            .map_or_else(|| named("allergen", text, &Self::ALL, Self::name), Ok)
    }
}

impl FromStr for Diet {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named("diet", text, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Allergen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Diet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diet_allows_what_the_stricter_ones_allow() {
        assert!(Diet::Vegetarian.allows(Diet::Vegan));
        assert!(!Diet::Vegetarian.allows(Diet::Pescatarian));
        assert!(Diet::Omnivore.allows(Diet::Omnivore));
    }

    #[test]
    fn names_read_back_as_they_print_and_as_they_stand_in_json() {
        for allergen in Allergen::ALL {
            assert_eq!(allergen.to_string().parse(), Ok(allergen));
            assert_eq!(serde_json::to_string(&allergen).unwrap(), format!("\"{allergen}\""));
        }
        for diet in Diet::ALL {
            assert_eq!(serde_json::to_string(&diet).unwrap(), format!("\"{diet}\""));
        }
        assert_eq!(" Shellfish ".parse(), Ok(Allergen::Crustaceans));
    }

    #[test]
    fn an_unknown_name_lists_the_ones_there_are() {
        let error = "carnivore".parse::<Diet>().unwrap_err().to_string();
        assert!(error.contains("carnivore") && error.contains("vegan, vegetarian"), "{error}");
    }
}
