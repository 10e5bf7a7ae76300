//! The nutrition of a serving from the ingredient lines, with an honest account of what it rests on.

use super::grams::{How, Unmeasured, grams};
use super::line::{Measure, ParsedLine};
use super::matching::{FoodIndex, FoodMatch};
use super::quantity::Quantity;
use super::units::Unit;
use crate::domain::diet::{Allergen, Diet};
use crate::domain::foods::{Food, FoodId};
use crate::domain::measure::{Milli, Nutrients};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

/// One ingredient line with the food it means and what it weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolvedLine {
    pub raw: String,
    #[serde(default)]
    pub amount: Option<Quantity>,
    #[serde(default)]
    pub unit: Option<Unit>,
    #[serde(default)]
    pub alternative: Option<Measure>,
    /// The phrase of the line that names the food.
    pub phrase: String,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub food: Option<FoodId>,
    #[serde(default)]
    pub food_name: Option<String>,
    /// Per mille that `food` is what the line means; 0 without one.
    #[serde(default)]
    pub confidence: u16,
    #[serde(default)]
    pub grams: Option<Milli>,
    #[serde(default)]
    pub how: Option<How>,
    /// `grams` is the middle of a range.
    #[serde(default)]
    pub from_range: bool,
    #[serde(default)]
    pub unmeasured: Option<Unmeasured>,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub is_heading: bool,
}

impl ResolvedLine {
    /// Reads a line and finds its food and weight.
    #[must_use]
    pub fn resolve(raw: &str, index: &FoodIndex) -> Self {
        let line = ParsedLine::read(raw);
        let found = if line.is_heading { None } else { food_of(&line, index) };
        Self::of(line, found)
    }

    /// A line with a food that somebody has chosen, or with none.
    #[must_use]
    pub fn of(line: ParsedLine, found: Option<FoodMatch>) -> Self {
        let weight = grams(&line, found.as_ref().map(|found| &*found.food));
        let weight = if line.is_heading { Err(Unmeasured::NoAmount) } else { weight };
        Self {
            raw: line.raw,
            amount: line.amount,
            unit: line.unit,
            alternative: line.alternative,
            phrase: line.food,
            note: line.note,
            food: found.as_ref().map(|found| found.food.id.clone()),
            food_name: found.as_ref().map(|found| found.food.name.clone()),
            confidence: found.map_or(0, |found| found.confidence),
            grams: weight.as_ref().ok().map(|weight| weight.grams),
            how: weight.as_ref().ok().map(|weight| weight.how),
            from_range: weight.as_ref().is_ok_and(|weight| weight.from_range),
            unmeasured: weight.err().filter(|_| !line.is_heading),
            optional: line.optional,
            is_heading: line.is_heading,
        }
    }
}

/// The food of a line; when it is unknown, one that the line allows instead, with less confidence.
fn food_of(line: &ParsedLine, index: &FoodIndex) -> Option<FoodMatch> {
    preserved(line, index).or_else(|| index.best(&line.food)).or_else(|| {
        let instead = line.alternatives.iter().find_map(|other| index.best(other))?;
        Some(FoodMatch { confidence: instead.confidence.saturating_sub(150), ..instead })
    })
}

/// The canned, frozen or dried food where only the unit or the note says that it is.
fn preserved(line: &ParsedLine, index: &FoodIndex) -> Option<FoodMatch> {
    let note = line.note.as_deref().filter(|note| !note.starts_with("or ")).unwrap_or_default();
    let says =
        |state: &str| note.split(|c: char| !c.is_alphabetic()).any(|word| word.eq_ignore_ascii_case(state));
    let phrase = if line.unit == Some(Unit::Ear) {
        format!("{} on the cob", line.food)
    } else if line.unit == Some(Unit::Can) || says("canned") || says("tinned") {
        format!("canned {}", line.food)
    } else if says("frozen") {
        format!("frozen {}", line.food)
    } else if says("dried") && !says("fresh") {
        format!("dried {}", line.food)
    } else {
        return None;
    };
    index.best(&phrase).filter(|found| found.confidence >= 980)
}

/// A line that is not part of the sums, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uncounted {
    pub line: String,
    pub reason: String,
}

/// How much of a recipe its nutrition rests on. Headings are not lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coverage {
    /// Lines whose food and weight are known. Optional lines are never counted.
    pub lines_counted: u32,
    /// All lines but the optional ones.
    pub lines_total: u32,
    /// Grams of the counted lines over the grams of all lines whose weight is known, per mille; `None` without
    /// any weight. Lines of unknown weight are on neither side, so read it together with `lines_counted`.
    pub mass_share_permille: Option<u16>,
    pub uncounted: Vec<Uncounted>,
    /// Optional lines, left out of the sums.
    pub optional: Vec<String>,
    /// Names of nutrients that some counted food has no value for; their sums are lower bounds.
    pub incomplete: BTreeSet<String>,
}

impl Coverage {
    /// Share of the lines that is accounted for; 0 without any line.
    #[must_use]
    pub fn lines_permille(&self) -> u16 {
        let share = u64::from(self.lines_counted) * 1000 / u64::from(self.lines_total.max(1));
        u16::try_from(share).unwrap_or(1000)
    }
}

/// What is in one serving of a recipe, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipeNutrition {
    /// A nutrient for which no counted food has a value is `None`.
    pub per_serving: Nutrients,
    /// Grams of all lines with a known weight, over the servings; raw, as bought.
    pub grams_per_serving: Option<Milli>,
    pub coverage: Coverage,
    /// Allergens of all matched foods, those of optional lines included.
    pub allergens: BTreeSet<Allergen>,
    /// False when the food of any line is unknown, so that there may be more allergens.
    pub allergens_complete: bool,
    /// The strictest diet it fits, optional lines included; `None` when the food of any line is unknown.
    pub diet: Option<Diet>,
}

#[derive(Default)]
struct Sums {
    total: Nutrients,
    grams_counted: Milli,
    grams_known: Milli,
    coverage: Coverage,
    allergens: BTreeSet<Allergen>,
    diet: Option<Diet>,
    unknown_foods: bool,
}

/// The nutrition of one of `servings` servings of these lines.
pub fn nutrition(
    lines: &[ResolvedLine],
    food: impl Fn(&FoodId) -> Option<Arc<Food>>,
    servings: NonZeroU32,
) -> RecipeNutrition {
    let mut sums = Sums::default();
    for line in lines.iter().filter(|line| !line.is_heading) {
        sums.add(line, line.food.as_ref().and_then(&food).as_deref());
    }
    let servings = i64::from(servings.get());
    let mut coverage = sums.coverage;
    let share = sums.grams_counted.scale(1000, sums.grams_known.0.max(1)).0;
    let any_weight = sums.grams_known > Milli::ZERO;
    coverage.mass_share_permille = u16::try_from(share).ok().filter(|_| any_weight);
    let has_lines = coverage.lines_total > 0 || !coverage.optional.is_empty();
    RecipeNutrition {
        per_serving: sums.total.scale(1, servings),
        grams_per_serving: any_weight.then(|| sums.grams_known.scale(1, servings)),
        coverage,
        allergens: sums.allergens,
        allergens_complete: has_lines && !sums.unknown_foods,
        diet: sums.diet.filter(|_| !sums.unknown_foods),
    }
}

impl Sums {
    fn add(&mut self, line: &ResolvedLine, food: Option<&Food>) {
        match food {
            Some(food) => {
                self.allergens.extend(&food.allergens);
                self.diet = self.diet.max(Some(food.diet));
            }
            None => self.unknown_foods = true,
        }
        if line.optional {
            self.coverage.optional.push(line.raw.clone());
            return;
        }
        self.coverage.lines_total += 1;
        self.grams_known += line.grams.unwrap_or_default();
        match (food, line.grams) {
            (Some(food), Some(grams)) if food.per_100g != Nutrients::default() => self.count(food, grams),
            (food, grams) => self.leave_out(line, food.is_some(), grams.is_some()),
        }
    }

    fn count(&mut self, food: &Food, grams: Milli) {
        self.coverage.lines_counted += 1;
        self.grams_counted += grams;
        self.total = self.total.plus_known(food.per_100g.scale(grams.0, 100_000));
        let unknown = Nutrients::NAMES.into_iter().zip(food.per_100g.to_array());
        let unknown = unknown.filter(|(_, value)| value.is_none()).map(|(name, _)| name.to_owned());
        self.coverage.incomplete.extend(unknown);
    }

    fn leave_out(&mut self, line: &ResolvedLine, has_food: bool, has_grams: bool) {
        let reason = match &line.unmeasured {
            Some(reason) if !has_grams => {
                if has_food || *reason == Unmeasured::UnknownFood {
                    reason.to_string()
                } else {
                    format!("{}, and {reason}", Unmeasured::UnknownFood)
                }
            }
            _ if has_food => "the composition of the food is not known".to_owned(),
            _ => Unmeasured::UnknownFood.to_string(),
        };
        self.coverage.uncounted.push(Uncounted { line: line.raw.clone(), reason });
    }
}
