//! One food: what is in 100 g of it, how it is measured in a kitchen, who may eat it.

use super::Aisle;
use crate::domain::diet::{Allergen, Diet};
use crate::domain::invalid::Invalid;
use crate::domain::measure::{Milli, Nutrients};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// The stable name of a food: 1 to 64 of `a`-`z`, `0`-`9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FoodId(String);

/// A text that cannot be the id of a food.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no food id; use 1 to 64 lowercase letters, digits and hyphens, as in \"olive-oil\"")]
pub struct InvalidFoodId(pub String);

impl FoodId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FoodId {
    type Err = InvalidFoodId;

    fn from_str(text: &str) -> Result<Self, InvalidFoodId> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFoodId(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for FoodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for FoodId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for FoodId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FoodId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"})
    }
}

/// A food. Weights are grams, whatever is `None` or absent is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Food {
    pub id: FoodId,
    pub name: String,
    /// Other names under which recipes mention it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where the composition comes from.
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub per_100g: Nutrients,
    #[serde(default)]
    pub density_g_per_ml: Option<Milli>,
    #[serde(default)]
    pub cup_g: Option<Milli>,
    #[serde(default)]
    pub tbsp_g: Option<Milli>,
    #[serde(default)]
    pub tsp_g: Option<Milli>,
    /// Grams of one counted piece by its name (`clove`, `slice`, `large`, `can`); `each` is the usual piece.
    #[serde(default)]
    pub pieces: BTreeMap<String, Milli>,
    #[serde(default)]
    pub shelf_life_days: Option<u32>,
    #[serde(default)]
    pub aisle: Aisle,
    #[serde(default)]
    pub allergens: BTreeSet<Allergen>,
    /// The strictest diet whose followers eat it.
    pub diet: Diet,
    /// Usually at home (salt, oil), so not put on a shopping list by itself.
    #[serde(default)]
    pub staple: bool,
}

impl Food {
    /// A food of which only the name and the diet are known.
    #[must_use]
    pub fn unknown(id: FoodId, name: impl Into<String>, diet: Diet) -> Self {
        Self {
            id,
            name: name.into(),
            aliases: Vec::new(),
            source: None,
            per_100g: Nutrients::default(),
            density_g_per_ml: None,
            cup_g: None,
            tbsp_g: None,
            tsp_g: None,
            pieces: BTreeMap::new(),
            shelf_life_days: None,
            aisle: Aisle::Other,
            allergens: BTreeSet::new(),
            diet,
            staple: false,
        }
    }

    /// Whether the numbers can be those of a food at all.
    ///
    /// # Errors
    /// The first implausible value, with the JSON pointer to it.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.name.trim().is_empty() {
            return Err(Invalid::new("/name", "a food needs a name", "write what a shop would call it"));
        }
        self.check_composition()?;
        self.check_measures()
    }

    fn check_composition(&self) -> Result<(), Invalid> {
        const MOST: [i64; 8] = [910, 105, 105, 105, 105, 105, 105, 40_000];
        let values = self.per_100g.to_array();
        for ((name, most), value) in Nutrients::NAMES.into_iter().zip(MOST).zip(values) {
            in_range(&format!("/per_100g/{name}"), value, Milli::ZERO, Milli::whole(most))?;
        }
        let per_100g = &self.per_100g;
        let macros: Milli =
            [per_100g.protein_g, per_100g.carbs_g, per_100g.fat_g].into_iter().flatten().sum();
        if macros > Milli::whole(105) {
            return Err(Invalid::new(
                "/per_100g",
                format!("protein, carbohydrates and fat add up to {macros} g in 100 g"),
                "they cannot weigh more than the food; check that all are per 100 g",
            ));
        }
        part_of("/per_100g/saturated_fat_g", per_100g.saturated_fat_g, per_100g.fat_g)?;
        part_of("/per_100g/sugar_g", per_100g.sugar_g, per_100g.carbs_g)
    }

    fn check_measures(&self) -> Result<(), Invalid> {
        let fixed = [
            ("/density_g_per_ml", self.density_g_per_ml, Milli(50), Milli::whole(3)),
            ("/cup_g", self.cup_g, Milli::whole(1), Milli::whole(600)),
            ("/tbsp_g", self.tbsp_g, Milli(100), Milli::whole(50)),
            ("/tsp_g", self.tsp_g, Milli(50), Milli::whole(20)),
        ];
        for (pointer, value, least, most) in fixed {
            in_range(pointer, value, least, most)?;
        }
        for (name, &grams) in &self.pieces {
            if name.trim().is_empty() {
                return Err(Invalid::new(
                    "/pieces",
                    "a piece needs a name",
                    "use \"each\" for the usual piece",
                ));
            }
            let pointer = format!("/pieces/{}", name.replace('~', "~0").replace('/', "~1"));
            in_range(&pointer, Some(grams), Milli(1), Milli::whole(20_000))?;
        }
        Ok(())
    }
}

fn in_range(pointer: &str, value: Option<Milli>, least: Milli, most: Milli) -> Result<(), Invalid> {
    match value {
        Some(known) if known < least || known > most => Err(Invalid::new(
            pointer,
            format!("{known} is not plausible"),
            format!("expected between {least} and {most}, or nothing when it is not known"),
        )),
        _ => Ok(()),
    }
}

/// Tables round each value on its own, so a part may be a little more than the whole.
fn part_of(pointer: &str, part: Option<Milli>, whole: Option<Milli>) -> Result<(), Invalid> {
    match (part, whole) {
        (Some(part), Some(whole)) if part > whole + Milli::whole(3) => Err(Invalid::new(
            pointer,
            format!("{part} g is more than the {whole} g it is a part of"),
            "check that the values stand in the right columns",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn butter() -> Food {
        let mut food = Food::unknown("butter".parse().unwrap(), "Butter", Diet::Vegetarian);
        food.per_100g.kcal = Some(Milli::whole(717));
        food.per_100g.fat_g = Some(Milli::whole(81));
        food
    }

    #[test]
    fn ids_are_slugs() {
        for bad in ["", "Olive", "a b", "é", &"x".repeat(65)] {
            assert!(bad.parse::<FoodId>().is_err(), "{bad}");
        }
        assert_eq!("olive-oil".parse::<FoodId>().unwrap().to_string(), "olive-oil");
        assert!(serde_json::from_str::<FoodId>("\"A\"").is_err());
    }

    #[test]
    fn implausible_values_are_named_by_pointer() {
        type Spoil = fn(&mut Food);
        let cases: [(&str, Spoil); 6] = [
            ("/name", |food| food.name = "  ".into()),
            ("/per_100g/kcal", |food| food.per_100g.kcal = Some(Milli(-1))),
            ("/per_100g/kcal", |food| food.per_100g.kcal = Some(Milli::whole(2000))),
            ("/per_100g", |food| food.per_100g.protein_g = Some(Milli::whole(60))),
            ("/per_100g/saturated_fat_g", |food| food.per_100g.saturated_fat_g = Some(Milli::whole(90))),
            ("/pieces/stick", |food| _ = food.pieces.insert("stick".into(), Milli::ZERO)),
        ];
        assert_eq!(butter().check(), Ok(()));
        for (pointer, spoil) in cases {
            let mut food = butter();
            spoil(&mut food);
            assert_eq!(food.check().unwrap_err().pointer, pointer);
        }
    }

    #[test]
    fn a_food_survives_json_and_refuses_fields_it_does_not_know() {
        let text = serde_json::to_string(&butter()).unwrap();
        assert_eq!(serde_json::from_str::<Food>(&text).unwrap(), butter());
        assert!(serde_json::from_str::<Food>(r#"{"id":"a","name":"A","diet":"vegan","fat":1}"#).is_err());
    }
}
