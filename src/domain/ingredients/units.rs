//! The kitchen units, how people write them, and their exact sizes (US customary where customs differ).

use crate::domain::measure::Milli;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a unit measures, with its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// Micrograms in one.
    Mass(i64),
    /// Nanolitres in one.
    Volume(i64),
    /// A rough measure of the hand; nanolitres in one, only an estimate.
    Rough(i64),
    /// A counted part of a food (clove, slice, bunch), whose weight depends on the food.
    Part,
    /// Something a food is sold in (can, jar, bag).
    Container,
}

macro_rules! units {
    ($($unit:ident $name:literal $kind:expr, $spellings:literal;)*) => {
        /// A unit of an ingredient line.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Unit { $($unit),* }

        impl Unit {
            pub const ALL: &'static [Self] = &[$(Self::$unit),*];

            /// The name in the singular.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$unit => $name),* }
            }

            #[must_use]
            pub const fn kind(self) -> UnitKind {
                use UnitKind::{Container, Mass, Part, Rough, Volume};
                match self { $(Self::$unit => $kind),* }
            }

            /// Other spellings in the singular, separated by spaces.
            const fn spellings(self) -> &'static str {
                match self { $(Self::$unit => $spellings),* }
            }
        }
    };
}

units! {
    Milligram "mg" Mass(1_000), "milligram milligramme";
    Gram "g" Mass(1_000_000), "gr gm gram gramm gramme grm";
    Kilogram "kg" Mass(1_000_000_000), "kilo kilogram kilogramme kgs";
    Ounce "oz" Mass(28_349_523), "ounce onz ozs";
    Pound "lb" Mass(453_592_370), "pound lbs # pd";
    Milliliter "ml" Volume(1_000_000), "milliliter millilitre mls cc";
    Centiliter "cl" Volume(10_000_000), "centiliter centilitre";
    Deciliter "dl" Volume(100_000_000), "deciliter decilitre";
    Liter "l" Volume(1_000_000_000), "liter litre lt ltr";
    Teaspoon "tsp" Volume(4_928_922), "t ts teaspoon teaspoonful tsps teasp";
    Tablespoon "tbsp" Volume(14_786_765), "T TS TB TBS tb tbs tbl tblsp tblspn tbspn tbsps tablespoon tablespoonful tablesp";
    FluidOunce "fl oz" Volume(29_573_530), "floz";
    Cup "cup" Volume(236_588_237), "c cupful";
    Pint "pint" Volume(473_176_473), "pt";
    Quart "quart" Volume(946_352_946), "qt";
    Gallon "gallon" Volume(3_785_411_784), "gal";
    Shot "shot" Volume(44_360_294), "jigger";
    Drop "drop" Rough(50_000), "";
    Pinch "pinch" Rough(308_058), "";
    Dash "dash" Rough(616_115), "";
    Splash "splash" Rough(4_928_922), "glug";
    Drizzle "drizzle" Rough(4_928_922), "";
    Squeeze "squeeze" Rough(4_928_922), "squirt";
    Spoon "spoon" Rough(14_786_765), "spoonful";
    Knob "knob" Rough(14_786_765), "pat nub thumb";
    Handful "handful" Rough(118_294_118), "handfull";
    Glass "glass" Rough(200_000_000), "wineglass wineglassful glassful";
    Mug "mug" Rough(250_000_000), "mugful";
    Bowl "bowl" Rough(400_000_000), "bowlful";
    Stick "stick" Part, "";
    Bunch "bunch" Part, "bouquet";
    Sprig "sprig" Part, "strand thread";
    Clove "clove" Part, "";
    Bulb "bulb" Part, "";
    Head "head" Part, "";
    Stalk "stalk" Part, "rib stem spear";
    Slice "slice" Part, "rasher strip";
    Leaf "leaf" Part, "leave";
    Sheet "sheet" Part, "";
    Ear "ear" Part, "cob";
    Cube "cube" Part, "";
    Scoop "scoop" Part, "";
    Block "block" Part, "";
    Ball "ball" Part, "";
    Loaf "loaf" Part, "loave";
    Wedge "wedge" Part, "";
    Pod "pod" Part, "";
    Piece "piece" Part, "pc pcs chunk";
    Fillet "fillet" Part, "filet";
    Breast "breast" Part, "";
    Thigh "thigh" Part, "";
    Inch "inch" Part, "in inche \"";
    Centimeter "cm" Part, "centimeter centimetre";
    Fruit "fruit" Part, "";
    Serving "serving" Part, "portion";
    Can "can" Container, "tin";
    Jar "jar" Container, "";
    Package "package" Container, "pack packet pkg pkt sachet envelope pouch";
    Bag "bag" Container, "";
    Box "box" Container, "boxe";
    Bottle "bottle" Container, "";
    Tub "tub" Container, "container carton tube";
}

impl Unit {
    /// The unit written as this word, plural or not; `T` is a tablespoon, `t` a teaspoon.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        if word.len() > 20 {
            return None;
        }
        let plain = word.trim_end_matches('.').replace('-', "");
        if plain.len() <= 3
            && let Some(unit) = Self::spelled(&plain)
        {
            return Some(unit);
        }
        let lower = plain.to_lowercase();
        let singular = match lower.as_str() {
            "leaves" | "loaves" | "inches" | "boxes" | "bunches" | "pinches" | "dashes" | "splashes"
            | "glasses" | "pouches" => {
                let stem = lower.strip_suffix("es").unwrap_or(&lower);
                match stem {
                    "leav" => "leaf",
                    "loav" => "loaf",
                    other => other,
                }
            }
            "glass" => "glass",
            other => other.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(other),
        };
        Self::spelled(&lower).or_else(|| Self::spelled(singular)).or_else(|| {
            let filled = singular.strip_suffix("sful").or_else(|| singular.strip_suffix("ful"))?;
            Self::spelled(filled)
        })
    }

    fn spelled(word: &str) -> Option<Self> {
        let known =
            |unit: &&Self| unit.name() == word || unit.spellings().split(' ').any(|other| other == word);
        if word.is_empty() { None } else { Self::ALL.iter().find(known).copied() }
    }

    /// Whether an amount in it is a mass or a volume, so that it can stand for an amount in another unit.
    #[must_use]
    pub const fn is_measure(self) -> bool {
        matches!(self.kind(), UnitKind::Mass(_) | UnitKind::Volume(_))
    }

    /// Grams of an amount of this unit, when it is a unit of mass.
    #[must_use]
    pub fn grams(self, amount: Milli) -> Option<Milli> {
        match self.kind() {
            UnitKind::Mass(micrograms) => Some(amount.scale(micrograms, 1_000_000)),
            UnitKind::Volume(_) | UnitKind::Rough(_) | UnitKind::Part | UnitKind::Container => None,
        }
    }

    /// Millilitres of an amount of this unit, when it is a unit of volume or a rough one.
    #[must_use]
    pub fn milliliters(self, amount: Milli) -> Option<Milli> {
        match self.kind() {
            UnitKind::Volume(nanoliters) | UnitKind::Rough(nanoliters) => {
                Some(amount.scale(nanoliters, 1_000_000).max(Milli::ZERO))
            }
            UnitKind::Mass(_) | UnitKind::Part | UnitKind::Container => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_people_write_them() {
        for (word, unit) in [
            ("T", Unit::Tablespoon),
            ("t", Unit::Teaspoon),
            ("Tbsp.", Unit::Tablespoon),
            ("TSP", Unit::Teaspoon),
            ("tblsp", Unit::Tablespoon),
            ("tea-spoonful", Unit::Teaspoon),
            ("Tablespoonsful", Unit::Tablespoon),
            ("Cups", Unit::Cup),
            ("c.", Unit::Cup),
            ("LBS", Unit::Pound),
            ("#", Unit::Pound),
            ("grammes", Unit::Gram),
            ("L", Unit::Liter),
            ("litres", Unit::Liter),
            ("leaves", Unit::Leaf),
            ("pinches", Unit::Pinch),
            ("pkg.", Unit::Package),
            ("glasses", Unit::Glass),
            ("oz", Unit::Ounce),
            ("mL", Unit::Milliliter),
            ("inches", Unit::Inch),
        ] {
            assert_eq!(Unit::read(word), Some(unit), "{word}");
        }
        for word in ["", "s", ".", "salt", "large", "çà", "flour"] {
            assert_eq!(Unit::read(word), None, "{word}");
        }
    }

    #[test]
    fn sizes_are_exact() {
        assert_eq!(Unit::Pound.grams(Milli::whole(2)), Some(Milli(907_185)));
        assert_eq!(Unit::Cup.milliliters(Milli(500)), Some(Milli(118_294)));
        assert_eq!(Unit::Milliliter.milliliters(Milli::whole(250)), Some(Milli::whole(250)));
        assert_eq!(Unit::Liter.milliliters(Milli(1)), Some(Milli::whole(1)));
        assert_eq!(Unit::Clove.grams(Milli::whole(1)), None);
    }
}
