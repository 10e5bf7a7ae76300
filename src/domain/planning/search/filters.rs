//! The hard rules that decide, for each meal and recipe alone, whether the recipe may be cooked or eaten there.

use super::problem::{Kind, Meal, Needs, Problem, Recipe};

/// Rules that a recipe breaks at a meal, as bits; 0 is a recipe that may be cooked there.
pub(super) type Faults = u16;

pub(super) const UNSUITABLE: Faults = 1;
pub(super) const MINUTES: Faults = 2;
pub(super) const ALLERGENS: Faults = 4;
pub(super) const DIET: Faults = 8;
pub(super) const EXCLUDED: Faults = 16;
pub(super) const COVERAGE: Faults = 32;
pub(super) const EATEN: Faults = 64;
pub(super) const TAGS: Faults = 128;
/// Cooked too close to the meal; never set here, because it depends on the plan.
pub(super) const REPEATED: Faults = 256;
/// What leftovers are free of: nothing is cooked.
pub(super) const COOKING_ONLY: Faults = MINUTES | EATEN;

/// What all who eat a meal must not be served, together.
pub(super) fn needs_of(problem: &Problem, meal: &Meal) -> Needs {
    let mut all = problem.household.clone();
    let eaters = meal.eaters.iter().filter_map(|&e| problem.eaters.get(e as usize)).map(|eater| &eater.needs);
    for needs in eaters.chain(meal.guests.iter().map(|guest| &guest.needs)) {
        all.allergens |= needs.allergens;
        all.diet = all.diet.min(needs.diet);
        all.excluded_foods.extend(&needs.excluded_foods);
    }
    all.excluded_foods.sort_unstable();
    all.excluded_foods.dedup();
    all
}

/// What these needs hold against a recipe.
pub(super) fn against(needs: &Needs, recipe: &Recipe) -> Faults {
    let mut faults = 0;
    if needs.allergens != 0 && (!recipe.allergens_complete || needs.allergens & recipe.allergens != 0) {
        faults |= ALLERGENS;
    }
    if recipe.diet > needs.diet {
        faults |= DIET;
    }
    let excluded = &needs.excluded_foods;
    if !excluded.is_empty() && recipe.foods.iter().any(|(food, _)| excluded.binary_search(food).is_ok()) {
        faults |= EXCLUDED;
    }
    faults
}

/// What speaks against a recipe at a meal, whoever eats it and whenever it was eaten last.
pub(super) fn at(problem: &Problem, meal: &Meal, recipe: &Recipe) -> Faults {
    let mut faults = 0;
    if !recipe.kinds.has(meal.kind) {
        faults |= UNSUITABLE;
    }
    if meal.max_minutes.is_some_and(|limit| recipe.minutes.is_none_or(|minutes| minutes > limit)) {
        faults |= MINUTES;
    }
    if recipe.coverage_permille < problem.rules.min_coverage_permille {
        faults |= COVERAGE;
    }
    let lacks = recipe.tags & meal.required_tags != meal.required_tags;
    if lacks || recipe.tags & meal.forbidden_tags != 0 {
        faults |= TAGS;
    }
    faults
}

/// Recipes eaten too lately to be cooked for this kind of meal on a day, rising.
pub(super) fn eaten_lately(problem: &Problem, day: usize, kind: Kind) -> Vec<u32> {
    let gap =
        if kind.is_main() { problem.rules.repeat_gap_main_days } else { problem.rules.repeat_gap_other_days };
    let lately = |before: u32| before as usize + day < gap as usize;
    let eaten = problem.eaten.iter().filter(|eaten| eaten.days_before.is_none_or(lately));
    let mut recipes: Vec<u32> = eaten.map(|eaten| eaten.recipe).collect();
    recipes.sort_unstable();
    recipes.dedup();
    recipes
}
