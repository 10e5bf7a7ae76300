//! The household's rules of thumb and the prices of what it does not want.

use super::problem::{Slot, SlotMask};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rules that shape the plan; none of them is a weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Days before a recipe cooked for lunch or dinner is cooked again (7: not twice in any seven days).
    pub repeat_gap_main_days: u32,
    pub repeat_gap_other_days: u32,
    pub leftover_max_days: u32,
    /// Meals that may eat the rest of one cooking.
    pub leftover_max_uses: u32,
    pub leftover_from: SlotMask,
    pub leftover_into: SlotMask,
    /// Leftover meals beyond this number cost [`Weights::leftover_excess`] each.
    pub leftover_cap: u32,
    /// Portions to choose from, per cent, rising, 100 among them.
    pub portions: Vec<u16>,
    /// Per cent of a day's goals that each slot carries; 100 together.
    pub shares: [i64; 4],
    pub cuisine_cap: i64,
    pub protein_cap: i64,
    /// Recipes known less well are not planned, per mille.
    pub min_coverage: Option<u16>,
    /// A recipe of unknown energy is usable for eaters with goals from this coverage on, per mille.
    pub unknown_kcal_coverage: u16,
    pub unrated_x10: u8,
    pub budget_cents: Option<i64>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            repeat_gap_main_days: 7,
            repeat_gap_other_days: 3,
            leftover_max_days: 3,
            leftover_max_uses: 1,
            leftover_from: SlotMask::of(&[Slot::Dinner]),
            leftover_into: SlotMask::of(&[Slot::Lunch, Slot::Dinner]),
            leftover_cap: 28,
            portions: vec![75, 100, 125, 150],
            shares: [22, 33, 37, 8],
            cuisine_cap: 3,
            protein_cap: 4,
            min_coverage: None,
            unknown_kcal_coverage: 950,
            unrated_x10: 35,
            budget_cents: None,
        }
    }
}

/// Prices of what is not wanted. 10 000 is one point: one per cent off a daily target of importance 10.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Per star below five, per meal.
    pub rating_star: i64,
    /// Per minute of cooking.
    pub minute: i64,
    /// Per leftover meal; negative is a bonus.
    pub leftover: i64,
    pub leftover_excess: i64,
    /// The two mains of a day share their protein.
    pub protein_same_day: i64,
    /// Per main beyond [`Rules::cuisine_cap`].
    pub cuisine_excess: i64,
    /// Per main beyond [`Rules::protein_cap`].
    pub protein_excess: i64,
    /// Per cooking of a recipe beyond its first.
    pub repeat: i64,
    /// Per 25 % away from the usual portion.
    pub portion: i64,
    /// Per unit of the currency.
    pub money: i64,
    pub over_budget: i64,
    /// Per distinct food to buy.
    pub item: i64,
    /// Per unit of the currency left to expire.
    pub waste_money: i64,
    /// Per kilogram left to expire of a food without a price.
    pub waste_kg: i64,
    /// Per meal and per cent of its recipe that is unknown.
    pub coverage: i64,
    /// Per slot whose dish differs from the previous plan.
    pub change: i64,
    pub empty: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            rating_star: 10_000,
            minute: 500,
            leftover: 10_000,
            leftover_excess: 40_000,
            protein_same_day: 50_000,
            cuisine_excess: 40_000,
            protein_excess: 40_000,
            repeat: 5_000,
            portion: 2_000,
            money: 10_000,
            over_budget: 40_000,
            item: 5_000,
            waste_money: 30_000,
            waste_kg: 150_000,
            coverage: 1_000,
            change: 20_000,
            empty: 100_000_000,
        }
    }
}
