//! The hard rules that decide, for each meal and recipe alone, whether the recipe may be cooked or served there.

use super::problem::{Candidate, Eater, Meal, Problem};
use crate::domain::diet::Diet;

/// Rules a recipe breaks at a meal, as bits; 0 is a recipe that may be cooked there.
pub(super) type Faults = u8;

pub(super) const SLOT: Faults = 1;
pub(super) const MINUTES: Faults = 2;
pub(super) const ALLERGENS: Faults = 4;
pub(super) const DIET: Faults = 8;
pub(super) const EXCLUDED: Faults = 16;
pub(super) const COVERAGE: Faults = 32;
pub(super) const EATEN: Faults = 64;
/// What leftovers are free of: nothing is cooked.
pub(super) const COOKING_ONLY: Faults = MINUTES | EATEN;

/// What an eater, who eats the meal, holds against a recipe.
pub(super) fn against(eater: &Eater, recipe: &Candidate) -> Faults {
    let mut faults = 0;
    if !eater.allergens.is_empty()
        && (!recipe.allergens_complete || !eater.allergens.is_disjoint(&recipe.allergens))
    {
        faults |= ALLERGENS;
    }
    if !eater.diet.allows(recipe.diet.unwrap_or(Diet::Omnivore)) {
        faults |= DIET;
    }
    if recipe.foods.iter().any(|(food, _)| eater.excluded.contains(food)) {
        faults |= EXCLUDED;
    }
    faults
}

/// What speaks against a recipe at a meal, whoever eats it.
pub(super) fn at(
    problem: &Problem,
    day: usize,
    meal: &Meal,
    recipe: &Candidate,
    eaten: Option<u32>,
) -> Faults {
    let mut faults = 0;
    if !recipe.slots.contains(&meal.slot) {
        faults |= SLOT;
    }
    if meal.max_minutes.is_some_and(|limit| recipe.minutes.is_none_or(|minutes| minutes > limit)) {
        faults |= MINUTES;
    }
    if recipe.coverage_permille < problem.min_coverage_permille {
        faults |= COVERAGE;
    }
    let since = eaten.map(|before| before.saturating_add(u32::try_from(day).unwrap_or(u32::MAX)));
    if since.is_some_and(|days| too_soon(problem, days)) {
        faults |= EATEN;
    }
    faults
}

/// Whether two cookings of one recipe, `days` apart, are closer than the gap; a gap of 0 switches the rule off.
pub(super) const fn too_soon(problem: &Problem, days: u32) -> bool {
    problem.repeat_gap_days > 0 && days <= problem.repeat_gap_days
}

/// For each recipe, how many days before the plan it was eaten last.
pub(super) fn eaten_before(problem: &Problem) -> Vec<Option<u32>> {
    let mut before = vec![None; problem.recipes.len()];
    for eaten in &problem.eaten {
        if let Some(entry) = before.get_mut(eaten.recipe) {
            *entry = Some(entry.map_or(eaten.days_before, |other: u32| other.min(eaten.days_before)));
        }
    }
    before
}

/// What anybody at the table holds against each recipe, by eater and recipe.
pub(super) fn tables(problem: &Problem) -> Vec<Vec<Faults>> {
    let row = |eater: &Eater| problem.recipes.iter().map(|recipe| against(eater, recipe)).collect();
    problem.eaters.iter().map(row).collect()
}
