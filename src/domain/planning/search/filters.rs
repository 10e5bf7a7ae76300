//! Hard rules: each only takes recipes out of a slot's candidates; none has a price.

use super::model::Model;
use super::problem::{Problem, Recipe};
use schemars::JsonSchema;
use serde::Serialize;

/// A rule that keeps a recipe out of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Allergen,
    /// Somebody has an allergy and the recipe's allergens are not completely known.
    AllergensUnknown,
    Diet,
    ExcludedFood,
    UnknownEnergy,
    Coverage,
    Minutes,
    RecentlyEaten,
    /// The same recipe is cooked too close to this slot.
    RepeatGap,
}

impl Rule {
    pub const ALL: [Self; 9] = [
        Self::Allergen,
        Self::AllergensUnknown,
        Self::Diet,
        Self::ExcludedFood,
        Self::UnknownEnergy,
        Self::Coverage,
        Self::Minutes,
        Self::RecentlyEaten,
        Self::RepeatGap,
    ];
}

/// The rules a recipe breaks in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleSet(u16);

impl RuleSet {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u16) != 0
    }

    pub(super) fn with(self, rule: Rule, broken: bool) -> Self {
        Self(self.0 | u16::from(broken) << rule as u16)
    }
}

/// For every recipe, the rules it breaks for these eaters, whatever the day and slot.
pub(super) fn eater_rules(problem: &Problem, eaters: &[usize]) -> Vec<RuleSet> {
    let eaters = || eaters.iter().map(|&e| &problem.eaters[e]);
    let allergens = eaters().fold(0, |mask, eater| mask | eater.allergens);
    let diet = eaters().map(|eater| eater.diet).min().unwrap_or(u8::MAX);
    let counts_energy = eaters().any(|eater| eater.goals.iter().flatten().any(|goal| goal.importance > 0));
    let mut excluded = vec![false; problem.foods.len()];
    for &food in eaters().flat_map(|eater| &eater.excluded_foods) {
        excluded[food as usize] = true;
    }
    let rules = &problem.rules;
    let broken = |recipe: &Recipe| {
        let unknown = recipe.nutrients[0].is_none() && recipe.coverage < rules.unknown_kcal_coverage;
        RuleSet::default()
            .with(Rule::Allergen, recipe.allergens & allergens != 0)
            .with(Rule::AllergensUnknown, allergens != 0 && !recipe.allergens_complete)
            .with(Rule::Diet, recipe.diet > diet)
            .with(Rule::ExcludedFood, recipe.ingredients.iter().any(|part| excluded[part.food as usize]))
            .with(Rule::UnknownEnergy, counts_energy && unknown)
            .with(Rule::Coverage, rules.min_coverage.is_some_and(|least| recipe.coverage < least))
    };
    problem.recipes.iter().map(broken).collect()
}

/// The rules that keep a recipe from being cooked at a position, without the repeat gap; `None`: not meant for that slot.
pub(super) fn broken(model: &Model<'_>, position: usize, recipe: usize) -> Option<RuleSet> {
    let (place, data) = (&model.positions[position], &model.problem.recipes[recipe]);
    data.slots.has(place.slot).then(|| {
        model.eater_rules[model.rule_group[position]][recipe]
            .with(Rule::Minutes, place.max_minutes.is_some_and(|most| data.minutes > most))
            .with(Rule::RecentlyEaten, eaten_lately(model, position, recipe))
    })
}

fn eaten_lately(model: &Model<'_>, position: usize, recipe: usize) -> bool {
    let (place, rules) = (&model.positions[position], &model.problem.rules);
    let gap = if place.slot.is_main() { rules.repeat_gap_main_days } else { rules.repeat_gap_other_days };
    let near = |date| place.at.date.signed_duration_since(date).num_days().abs() < i64::from(gap);
    model.eaten[recipe].iter().any(|date| date.is_none_or(near))
}
