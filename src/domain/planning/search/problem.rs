//! The question put to the search: days, eaters, recipes, rules, weights. Plain data, indexed by the caller.

use super::wishes::{Rules, Weights};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many nutrients a recipe and a goal have, in the order of [`crate::domain::measure::Nutrients::NAMES`].
pub const NUTRIENTS: usize = 8;
/// Moves evaluated when the caller does not say otherwise.
pub const DEFAULT_MOVES: u64 = 500_000;

/// A meal of the day. The order is that of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    Breakfast,
    Lunch,
    Dinner,
    Snack,
}

impl Slot {
    pub const ALL: [Self; 4] = [Self::Breakfast, Self::Lunch, Self::Dinner, Self::Snack];

    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lunch and dinner carry the variety rules.
    #[must_use]
    pub const fn is_main(self) -> bool {
        matches!(self, Self::Lunch | Self::Dinner)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breakfast => "breakfast",
            Self::Lunch => "lunch",
            Self::Dinner => "dinner",
            Self::Snack => "snack",
        }
    }
}

/// A set of slots: bit `slot.index()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SlotMask(pub u8);

impl SlotMask {
    pub const ALL: Self = Self(0b1111);

    #[must_use]
    pub fn of(slots: &[Slot]) -> Self {
        Self(slots.iter().fold(0, |mask, slot| mask | 1 << slot.index()))
    }

    #[must_use]
    pub const fn has(self, slot: Slot) -> bool {
        self.0 & (1 << slot.index()) != 0
    }
}

/// One meal time of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SlotRef {
    pub date: NaiveDate,
    pub slot: Slot,
}

/// A slot that is to be filled; `max_minutes` limits cooking, not the warming up of leftovers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSlot {
    pub max_minutes: Option<u32>,
}

/// One day. `slots[slot.index()]` is `None` where nothing is planned: the goals of that day shrink by its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    pub date: NaiveDate,
    pub slots: [Option<PlannedSlot>; 4],
}

/// A daily band in thousandths of the nutrient's unit: free within `lo..=hi`, slope 1 outside, 4 beyond `min`, `max`.
///
/// Being off by one per cent of `reference` costs `importance / 10` points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Goal {
    pub lo: Option<i64>,
    pub hi: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub reference: i64,
    pub importance: i64,
}

/// Somebody who eats. A rule of one eater of a slot holds for the meal all of them share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Eater {
    pub id: Uuid,
    pub name: String,
    /// The least restrictive recipe level eaten: 0 vegan, 1 vegetarian, 2 pescatarian, 3 everything.
    pub diet: u8,
    pub allergens: u32,
    /// Indices into [`Problem::foods`].
    pub excluded_foods: Vec<u32>,
    pub goals: [Option<Goal>; NUTRIENTS],
    /// Servings eaten of a meal at a portion of 100 %, in per cent.
    pub portion_pct: u16,
    pub slots: SlotMask,
    /// Days on which this eater does not eat from the plan.
    #[serde(default)]
    pub away: Vec<NaiveDate>,
}

/// What a recipe takes of one food, per serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ingredient {
    pub food: u32,
    pub mg: i64,
}

/// A recipe as the search sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    pub id: Uuid,
    pub name: String,
    pub servings: u16,
    pub slots: SlotMask,
    pub minutes: u32,
    pub allergens: u32,
    /// False: there may be allergens nobody has recorded.
    pub allergens_complete: bool,
    pub diet: u8,
    /// Per serving, thousandths; `None` is unknown.
    pub nutrients: [Option<i64>; NUTRIENTS],
    /// Share of the recipe whose composition is known, per mille.
    pub coverage: u16,
    pub ingredients: Vec<Ingredient>,
    /// Days the cooked dish keeps; 0: no leftovers.
    pub leftover_days: u8,
    /// 10..=50; `None` counts as [`Rules::unrated_x10`].
    pub rating_x10: Option<u8>,
    pub cuisine: Option<String>,
    /// Main protein class, `None` where there is none worth telling apart.
    pub protein: Option<String>,
}

/// A food that can be bought or be in the pantry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Food {
    pub name: String,
    /// Hundredths of the currency per kilogram; `None` is unknown and costs nothing in the objective.
    pub cents_per_kg: Option<i64>,
    /// Always at home: never bought, never wasted.
    pub staple: bool,
}

/// An amount at home. It covers only meals cooked on or before `expires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PantryLot {
    pub food: u32,
    pub mg: i64,
    pub expires: Option<NaiveDate>,
}

/// What a lock or a plan puts into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Meal {
    Cook {
        recipe: Uuid,
    },
    /// The rest of what is cooked at `of`, whose cook makes enough for both.
    Leftover {
        of: SlotRef,
        recipe: Uuid,
    },
    Empty,
}

/// What one eater gets of a meal, in per cent of the eater's usual portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Portion {
    pub eater: Uuid,
    pub pct: u16,
}

/// A slot the search may not touch; overrides every filter. Locked portions stay, others are chosen.
///
/// A locked leftover needs its cooking locked too; [`Meal::Empty`] is not lockable (leave the slot unplanned).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    pub at: SlotRef,
    pub meal: Meal,
    #[serde(default)]
    pub portions: Vec<Portion>,
}

/// A recipe eaten lately; without a date it is kept out of the whole plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Eaten {
    pub recipe: Uuid,
    pub date: Option<NaiveDate>,
}

/// What an earlier version of this plan had in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviousMeal {
    pub at: SlotRef,
    pub recipe: Uuid,
}

/// Everything the search knows. Two equal problems have equal solutions on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// 1..=28 days, one after the other.
    pub days: Vec<Day>,
    pub eaters: Vec<Eater>,
    pub recipes: Vec<Recipe>,
    pub foods: Vec<Food>,
    pub locks: Vec<Lock>,
    pub history: Vec<Eaten>,
    pub pantry: Vec<PantryLot>,
    pub previous: Vec<PreviousMeal>,
    pub rules: Rules,
    pub weights: Weights,
    /// Stored units per whole unit of a nutrient and per gram: 1000, as everywhere in the domain.
    pub unit: i64,
    pub seed: u64,
    /// Moves to evaluate; what the last polish takes comes on top.
    pub moves: u64,
}

impl Problem {
    /// A problem without locks, history, pantry or a previous plan, under the default rules and weights.
    #[must_use]
    pub fn new(days: Vec<Day>, eaters: Vec<Eater>, recipes: Vec<Recipe>, foods: Vec<Food>) -> Self {
        Self {
            days,
            eaters,
            recipes,
            foods,
            locks: Vec::new(),
            history: Vec::new(),
            pantry: Vec::new(),
            previous: Vec::new(),
            rules: Rules::default(),
            weights: Weights::default(),
            unit: 1000,
            seed: 1,
            moves: DEFAULT_MOVES,
        }
    }
}
