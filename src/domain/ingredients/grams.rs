//! What an ingredient weighs: from its own weight, its volume, or the weight of its pieces.

use super::line::{ParsedLine, Size};
use super::quantity::Quantity;
use super::units::{Unit, UnitKind};
use crate::domain::foods::{Aisle, Food};
use crate::domain::measure::Milli;
use serde::{Deserialize, Serialize};

/// Where a weight comes from, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The line gives a weight.
    Weight,
    /// The line gives the weight of each package or piece.
    PackageWeight,
    /// A volume and what a cup or spoon of the food weighs.
    HouseholdMeasure,
    /// A volume and the density of the food.
    Density,
    /// A count and what one piece weighs.
    Piece,
    /// A rough measure (pinch, handful) or a size that the food has no weight for.
    Estimated,
}

/// The weight of a line; of a range it is the middle, and `from_range` says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Grams {
    pub grams: Milli,
    pub how: How,
    pub from_range: bool,
}

/// Why a line has no weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unmeasured {
    #[error("no amount is given")]
    NoAmount,
    #[error("the food is not known")]
    UnknownFood,
    #[error("it is not known what one {unit} of it weighs")]
    NoMeasureForUnit { unit: Unit },
    #[error("it is not known what one of it weighs")]
    NoPieceWeight,
    #[error("the amount is too large to be meant")]
    TooMuch,
}

/// Drained weight replaces the weight on the can between these, in milligrams: the usual can.
const USUAL_CAN: std::ops::RangeInclusive<i64> = 370_000..=450_000;

/// The weight of a line. A weight that the line gives itself needs no food.
///
/// # Errors
/// The reason why the weight is unknown.
pub fn grams(line: &ParsedLine, food: Option<&Food>) -> Result<Grams, Unmeasured> {
    let amount = line.amount.ok_or(Unmeasured::NoAmount)?;
    let found = if let Some(weight) = given_weight(line, amount, food) {
        weight
    } else {
        let food = food.ok_or(Unmeasured::UnknownFood)?;
        let by_unit = by_unit(line, amount.middle(), food);
        by_unit.or_else(|reason| alternative_volume(line, amount, food).ok_or(reason))?
    };
    let (grams, how) = found;
    let from_range = amount.high.is_some();
    if grams.0 > Milli::LIMIT / 1000 {
        Err(Unmeasured::TooMuch)
    } else {
        Ok(Grams { grams, how, from_range })
    }
}

fn times(amount: Milli, each: Milli) -> Milli {
    each.scale(amount.0, 1000)
}

/// The weight that stands in the line, in its unit or beside it.
fn given_weight(line: &ParsedLine, amount: Quantity, food: Option<&Food>) -> Option<(Milli, How)> {
    if let Some(grams) = line.unit.and_then(|unit| unit.grams(amount.middle())) {
        return Some((grams, How::Weight));
    }
    let other = line.alternative?;
    let grams = other.unit.grams(other.quantity.middle())?;
    if !other.each {
        return Some((grams, How::Weight));
    }
    let drained = line.unit == Some(Unit::Can)
        && line.note.as_deref().is_some_and(|note| note.contains("drained"))
        && USUAL_CAN.contains(&grams.0);
    let can = food.and_then(|food| piece(food, "can")).filter(|_| drained);
    Some((times(amount.middle(), can.unwrap_or(grams)), How::PackageWeight))
}

fn by_unit(line: &ParsedLine, amount: Milli, food: &Food) -> Result<(Milli, How), Unmeasured> {
    let Some(unit) = line.unit else {
        let (each, how) = one_piece(food, line.size).ok_or(Unmeasured::NoPieceWeight)?;
        return Ok((times(amount, each), how));
    };
    let unknown = Unmeasured::NoMeasureForUnit { unit };
    if let Some(each) = named_piece(food, unit, line.size) {
        return Ok((times(amount, each), How::Piece));
    }
    match unit.kind() {
        UnitKind::Mass(_) => unit.grams(amount).map(|grams| (grams, How::Weight)).ok_or(unknown),
        UnitKind::Volume(_) => volume(food, unit, amount).ok_or(unknown),
        UnitKind::Rough(_) => {
            volume(food, unit, amount).map(|(grams, _)| (grams, How::Estimated)).ok_or(unknown)
        }
        UnitKind::Part | UnitKind::Container => {
            let (each, how) = unnamed_piece(food, unit, line).ok_or(unknown)?;
            Ok((times(amount, each), how))
        }
    }
}

/// `1 bottle (750 ml)`: the volume beside a unit without a weight.
fn alternative_volume(line: &ParsedLine, amount: Quantity, food: &Food) -> Option<(Milli, How)> {
    let other = line.alternative?;
    let (grams, how) = volume(food, other.unit, other.quantity.middle()).or_else(|| {
        named_piece(food, other.unit, None).map(|each| (times(other.quantity.middle(), each), How::Piece))
    })?;
    Some((if other.each { times(amount.middle(), grams) } else { grams }, how))
}

/// What one of a unit weighs of a food.
type Weigh = fn(&Food) -> Option<Milli>;

/// The units that foods have a household measure for.
const HOUSEHOLD: [(Unit, Weigh); 3] =
    [(Unit::Teaspoon, spoon), (Unit::Tablespoon, tablespoon), (Unit::Cup, cup)];

/// Grams of a volume: by cup and spoon where the line does, else by density, else by the other of the two.
fn volume(food: &Food, unit: Unit, amount: Milli) -> Option<(Milli, How)> {
    let milliliters = unit.milliliters(amount)?;
    let household = HOUSEHOLD.iter().find(|(known, _)| *known == unit);
    let household = household.and_then(|(_, weigh)| weigh(food)).map(|each| times(amount, each));
    if let Some(grams) = household {
        return Some((grams, How::HouseholdMeasure));
    }
    if let Some(density) = food.density_g_per_ml {
        return Some((times(milliliters, density), How::Density));
    }
    let is_small = milliliters < Milli::whole(30);
    let by_spoon = spoon(food).map(|tsp| tsp.scale(milliliters.0, 4_929));
    let by_cup = cup(food).map(|cup| cup.scale(milliliters.0, 236_588));
    let grams = if is_small { by_spoon.or(by_cup) } else { by_cup.or(by_spoon) };
    grams.map(|grams| (grams, How::HouseholdMeasure))
}

fn cup(food: &Food) -> Option<Milli> {
    food.cup_g
        .or_else(|| food.tbsp_g.map(|tbsp| tbsp.scale(16, 1)))
        .or_else(|| food.tsp_g.map(|tsp| tsp.scale(48, 1)))
}

fn tablespoon(food: &Food) -> Option<Milli> {
    food.tbsp_g
        .or_else(|| food.tsp_g.map(|tsp| tsp.scale(3, 1)))
        .or_else(|| food.cup_g.map(|cup| cup.scale(1, 16)))
}

fn spoon(food: &Food) -> Option<Milli> {
    food.tsp_g
        .or_else(|| food.tbsp_g.map(|tbsp| tbsp.scale(1, 3)))
        .or_else(|| food.cup_g.map(|cup| cup.scale(1, 48)))
}

fn piece(food: &Food, name: &str) -> Option<Milli> {
    food.pieces.get(name).copied()
}

/// One of a food without a unit, of the size the line says.
fn one_piece(food: &Food, size: Option<Size>) -> Option<(Milli, How)> {
    if let Some(sized) = size.and_then(|size| piece(food, size.name())) {
        return Some((sized, How::Piece));
    }
    let each = piece(food, "each").or_else(|| piece(food, "medium")).or_else(|| only_piece(food))?;
    Some(match size {
        Some(Size::Small) => (each.scale(7, 10), How::Estimated),
        Some(Size::Large) => (each.scale(13, 10), How::Estimated),
        Some(Size::Medium) | None => (each, How::Piece),
    })
}

/// The piece of a food that has only one kind, unless that is what it is sold in.
fn only_piece(food: &Food) -> Option<Milli> {
    let mut pieces = food.pieces.iter();
    let (name, &grams) = pieces.next().filter(|_| food.pieces.len() == 1)?;
    let is_container = Unit::read(name).is_some_and(|unit| unit.kind() == UnitKind::Container);
    (!is_container).then_some(grams)
}

/// Names under which a food may list the piece of a unit, beside the name of the unit.
const PIECE_NAMES: &[(Unit, &[&str])] = &[
    (Unit::Stalk, &["rib", "stick", "stem", "spear"]),
    (Unit::Stick, &["stalk"]),
    (Unit::Sprig, &["stem", "strand", "thread"]),
    (Unit::Slice, &["rasher", "strip"]),
    (Unit::Can, &["tin"]),
    (Unit::Package, &["packet", "pack", "sachet", "envelope", "block"]),
    (Unit::Ear, &["cob"]),
    (Unit::Bulb, &["head"]),
    (Unit::Head, &["bulb"]),
    (Unit::Piece, &["chunk"]),
    (Unit::Fillet, &["filet"]),
    (Unit::Knob, &["thumb", "piece"]),
    (Unit::Block, &["package"]),
];

/// The piece with the name of the unit, or one that means the same.
fn named_piece(food: &Food, unit: Unit, size: Option<Size>) -> Option<Milli> {
    let others = PIECE_NAMES.iter().find(|(known, _)| *known == unit).map_or(&[][..], |(_, others)| others);
    let names = || std::iter::once(unit.name()).chain(others.iter().copied());
    let sized =
        size.and_then(|size| names().find_map(|name| piece(food, &format!("{} {name}", size.name()))));
    sized.or_else(|| names().find_map(|name| piece(food, name))).or_else(|| of_length(food, unit))
}

/// An inch is half a thumb of it.
fn of_length(food: &Food, unit: Unit) -> Option<Milli> {
    let thumb = || named_piece(food, Unit::Knob, None).map(|thumb| thumb.scale(1, 2));
    let inch = || piece(food, "inch").or_else(thumb);
    if unit == Unit::Inch {
        inch()
    } else if unit == Unit::Centimeter {
        inch().map(|inch| inch.scale(100, 254))
    } else {
        None
    }
}

/// Parts of which one is the usual piece of a food.
const ALWAYS_WHOLE: [Unit; 7] =
    [Unit::Piece, Unit::Breast, Unit::Thigh, Unit::Fillet, Unit::Ear, Unit::Cube, Unit::Pod];

/// A part whose weight the food does not name: where the part is the food itself, one of it.
fn unnamed_piece(food: &Food, unit: Unit, line: &ParsedLine) -> Option<(Milli, How)> {
    if unit == Unit::Stick && matches!(food.aisle, Aisle::DairyAndEggs) {
        return Some((Milli::whole(113), How::Estimated));
    }
    if unit == Unit::Fruit {
        return yield_of(&food.name.to_lowercase());
    }
    let named = |name: &str| name.to_lowercase().contains(unit.name());
    let whole = if matches!(unit, Unit::Head | Unit::Bulb | Unit::Stalk) {
        !food.pieces.contains_key("clove")
    } else {
        ALWAYS_WHOLE.contains(&unit) || named(&food.name) || named(&line.food)
    };
    if whole { one_piece(food, line.size) } else { None }
}

/// What one fruit gives, when the food does not say.
fn yield_of(name: &str) -> Option<(Milli, How)> {
    let grams = match (name.contains("zest"), name) {
        (true, name) if name.contains("orange") => 12,
        (true, name) if name.contains("lime") => 4,
        (true, _) => 6,
        (false, name) if name.contains("lemon juice") => 45,
        (false, name) if name.contains("lime juice") => 30,
        (false, name) if name.contains("orange juice") => 85,
        _ => return None,
    };
    Some((Milli::whole(grams), How::Estimated))
}
