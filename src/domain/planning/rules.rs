//! What the household wishes of every plan: prices of the terms, a budget, what foods cost, rules by tag.

use super::search::{self, Kinds};
use crate::domain::context::Rejection;
use crate::domain::foods::FoodId;
use crate::domain::household::Weekday;
use crate::domain::measure::Milli;
use crate::domain::recipes::slots::MealSlot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The key of the household's rules among the plans.
pub(super) const RULES: &str = "rules";
const MOST_WEIGHT: u32 = 10_000;
const MOST_RULES: usize = 40;
const LONGEST_TAG: usize = 60;
const MOST_POINTS: i32 = 1000;

/// Prices of the terms, in percent of their usual price (100); 0 switches a term off. The currency: 1 point is
/// 1 % off a daily goal of importance 10, 1 unit of money, or one star of one meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Distance to everybody's daily goals.
    pub nutrition: u32,
    /// The same recipe, cuisine or kind of protein again.
    pub variety: u32,
    /// Distinct foods to buy.
    pub items: u32,
    /// Few stars.
    pub rating: u32,
    /// Minutes of cooking.
    pub effort: u32,
    /// Eating leftovers (a gain when it saves cooking, limited a week).
    pub leftovers: u32,
    /// Nutrition that rests on incomplete data.
    pub coverage: u32,
    /// Money spent on what is bought, as far as prices are known.
    #[serde(skip_serializing_if = "is_usual")]
    pub cost: u32,
    /// Money beyond the budget.
    #[serde(skip_serializing_if = "is_usual")]
    pub over_budget: u32,
    /// Food at home that is left to expire.
    #[serde(skip_serializing_if = "is_usual")]
    pub waste: u32,
    /// Portions other than a whole one.
    #[serde(skip_serializing_if = "is_usual")]
    pub portions: u32,
    /// Rules and wishes by tag.
    #[serde(skip_serializing_if = "is_usual")]
    pub wishes: u32,
    /// Dishes other than the planned ones, when a plan is changed.
    #[serde(skip_serializing_if = "is_usual")]
    pub change: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn is_usual(weight: &u32) -> bool {
    *weight == 100
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            nutrition: 100,
            variety: 100,
            items: 100,
            rating: 100,
            effort: 100,
            leftovers: 100,
            coverage: 100,
            cost: 100,
            over_budget: 100,
            waste: 100,
            portions: 100,
            wishes: 100,
            change: 100,
        }
    }
}

impl Weights {
    fn all(&self) -> [(&'static str, u32); 13] {
        [
            ("nutrition", self.nutrition),
            ("variety", self.variety),
            ("items", self.items),
            ("rating", self.rating),
            ("effort", self.effort),
            ("leftovers", self.leftovers),
            ("coverage", self.coverage),
            ("cost", self.cost),
            ("over_budget", self.over_budget),
            ("waste", self.waste),
            ("portions", self.portions),
            ("wishes", self.wishes),
            ("change", self.change),
        ]
    }

    /// # Errors
    /// The first weight that is out of its bounds.
    pub(super) fn check(&self, pointer: &str) -> Result<(), Rejection> {
        match self.all().into_iter().find(|(_, weight)| *weight > MOST_WEIGHT) {
            Some((name, weight)) => Err(Rejection::invalid(
                &format!("{pointer}/{name}"),
                format!("a weight of {weight} % is too much"),
                format!("give 0 (off) to {MOST_WEIGHT} %; 100 is usual"),
            )),
            None => Ok(()),
        }
    }
}

/// A rule for recipes with a tag: one of their keywords, categories or their cuisine, or what they are told by their
/// foods: `meat`, `fish`, `vegetarian`, `vegan`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum TagRule {
    /// "Fish at least once a week": as good as kept; each missing time costs 15 points.
    AtLeast { tag: String, times: u32 },
    /// "Meat at most three times a week"; each time more costs 15 points.
    AtMost { tag: String, times: u32 },
    /// "No meat on Monday": never broken. No days or meals named means all of them.
    Never {
        tag: String,
        #[serde(default)]
        on: BTreeSet<Weekday>,
        #[serde(default)]
        slots: BTreeSet<MealSlot>,
    },
    /// "Only vegetarian on Friday": never broken.
    Only {
        tag: String,
        #[serde(default)]
        on: BTreeSet<Weekday>,
        #[serde(default)]
        slots: BTreeSet<MealSlot>,
    },
    /// "Soups are welcome from November to February": each such meal gains (or, negative, costs) some points.
    Prefer {
        tag: String,
        points: i32,
        /// 1 to 12; none named means all.
        #[serde(default)]
        months: BTreeSet<u32>,
    },
}

impl TagRule {
    pub(super) fn tag(&self) -> &str {
        match self {
            Self::AtLeast { tag, .. }
            | Self::AtMost { tag, .. }
            | Self::Never { tag, .. }
            | Self::Only { tag, .. }
            | Self::Prefer { tag, .. } => tag,
        }
    }

    fn check(&self, pointer: &str) -> Result<(), Rejection> {
        if !(1..=LONGEST_TAG).contains(&self.tag().trim().chars().count()) {
            let hint = format!("write 1 to {LONGEST_TAG} characters, such as \"fish\"");
            return Err(Rejection::invalid(&format!("{pointer}/tag"), "the tag is empty or too long", hint));
        }
        match self {
            Self::AtLeast { times, .. } | Self::AtMost { times, .. } if *times > 28 => {
                Err(Rejection::invalid(
                    &format!("{pointer}/times"),
                    "too many times",
                    "give 0 to 28 times a week",
                ))
            }
            Self::Prefer { points, .. } if points.abs() > MOST_POINTS => {
                let hint = format!("give {} to {MOST_POINTS} points", -MOST_POINTS);
                Err(Rejection::invalid(&format!("{pointer}/points"), "too many points", hint))
            }
            Self::Prefer { months, .. } if months.iter().any(|month| !(1..=12).contains(month)) => Err(
                Rejection::invalid(&format!("{pointer}/months"), "there is no such month", "give 1 to 12"),
            ),
            Self::AtLeast { .. }
            | Self::AtMost { .. }
            | Self::Never { .. }
            | Self::Only { .. }
            | Self::Prefer { .. } => Ok(()),
        }
    }
}

/// See the module. What is left out has its usual value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanningRules {
    pub weights: Weights,
    /// Money for seven days.
    pub budget: Option<Milli>,
    /// Money a kilogram. Foods without a price cost nothing and are told of.
    pub prices: BTreeMap<FoodId, Milli>,
    pub tags: Vec<TagRule>,
    /// Least days between two cookings of one lunch or dinner; 3 when left out.
    pub repeat_gap_days: Option<u32>,
    /// How often leftovers may be eaten a week; 4 when left out.
    pub leftovers_a_week: Option<u32>,
}

impl PlanningRules {
    /// # Errors
    /// The first value that makes no sense.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        self.weights.check("/weights")?;
        if self.tags.len() > MOST_RULES {
            let hint = format!("give at most {MOST_RULES}");
            return Err(Rejection::invalid("/tags", "too many rules", hint));
        }
        self.tags.iter().enumerate().try_for_each(|(n, rule)| rule.check(&format!("/tags/{n}")))?;
        let negative = |amount: &Milli| amount.0 < 0 || amount.0 > 1_000_000_000;
        if self.budget.as_ref().is_some_and(negative) {
            return Err(Rejection::invalid("/budget", "no such amount of money", "give 0 to 1,000,000"));
        }
        match self.prices.iter().find(|(_, price)| negative(price) || price.0 > 10_000_000) {
            Some((food, _)) => Err(Rejection::invalid(
                &format!("/prices/{food}"),
                "no such price of a kilogram",
                "give 0 to 10,000",
            )),
            None => Ok(()),
        }
    }
}

pub(super) fn kinds(slots: &BTreeSet<MealSlot>) -> Kinds {
    match slots.is_empty() {
        true => Kinds::ALL,
        false => slots.iter().fold(Kinds::NONE, |kinds, slot| kinds.with(kind(*slot))),
    }
}

pub(super) const fn kind(slot: MealSlot) -> search::Kind {
    match slot {
        MealSlot::Breakfast => search::Kind::Breakfast,
        MealSlot::Lunch => search::Kind::Lunch,
        MealSlot::Dinner => search::Kind::Dinner,
        MealSlot::Snack => search::Kind::Snack,
    }
}
