//! What is in a plan, added up with the recipes as they are known when somebody asks.

use super::learned::KnownRecipe;
use super::plan::{Dish, MealPlan};
use crate::domain::measure::{Milli, Nutrients};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Percent of a serving that somebody eats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Eaten {
    date: NaiveDate,
    member: Uuid,
    recipe: Uuid,
    percent: u16,
}

/// What everybody gets on each day, and how far that can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNutrition {
    pub totals: Vec<DayNutrition>,
    /// Recipes of the plan whose nutrition nobody knows; what is in them is in no total.
    pub unknown_recipes: BTreeSet<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayNutrition {
    pub date: NaiveDate,
    pub member: Uuid,
    /// By nutrient; one of which nothing is known is left out.
    pub amounts: BTreeMap<String, Sum>,
    /// Share of the ingredient lines that count, by what is eaten of each recipe.
    pub coverage_permille: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sum {
    pub amount: Milli,
    /// Otherwise it is a lower bound.
    pub complete: bool,
}

/// Everything that is eaten of a plan.
pub(super) fn eaten(plan: &MealPlan) -> Vec<Eaten> {
    let mut eaten = Vec::new();
    for meal in &plan.meals {
        let (Dish::Cook { recipe_id, .. } | Dish::Leftover { recipe_id, .. }) = meal.dish else { continue };
        eaten.extend(meal.portions.iter().map(|portion| Eaten {
            date: meal.date,
            member: portion.member,
            recipe: recipe_id,
            percent: portion.percent,
        }));
    }
    eaten
}

pub(super) fn tally(eaten: &[Eaten], recipes: &[KnownRecipe]) -> PlanNutrition {
    let recipes: HashMap<Uuid, &KnownRecipe> = recipes.iter().map(|recipe| (recipe.id, recipe)).collect();
    let mut days: BTreeMap<(NaiveDate, Uuid), Vec<&Eaten>> = BTreeMap::new();
    for portion in eaten {
        days.entry((portion.date, portion.member)).or_default().push(portion);
    }
    let is_unknown = |portion: &&Eaten| !recipes.contains_key(&portion.recipe);
    PlanNutrition {
        totals: days
            .into_iter()
            .map(|((date, member), portions)| day(date, member, &portions, &recipes))
            .collect(),
        unknown_recipes: eaten.iter().filter(is_unknown).map(|portion| portion.recipe).collect(),
    }
}

fn day(
    date: NaiveDate,
    member: Uuid,
    portions: &[&Eaten],
    recipes: &HashMap<Uuid, &KnownRecipe>,
) -> DayNutrition {
    let mut amounts = BTreeMap::new();
    for (n, name) in Nutrients::NAMES.iter().enumerate() {
        let of = |portion: &&Eaten| {
            let per_serving = recipes.get(&portion.recipe)?.per_serving.to_array()[n]?;
            Some(per_serving.scale(i64::from(portion.percent), 100))
        };
        let known: Vec<Milli> = portions.iter().filter_map(of).collect();
        if !known.is_empty() {
            let complete = known.len() == portions.len();
            amounts.insert((*name).to_owned(), Sum { amount: known.into_iter().sum(), complete });
        }
    }
    let weight: u64 = portions.iter().map(|portion| u64::from(portion.percent)).sum();
    let covered = |portion: &&Eaten| {
        let recipe = recipes.get(&portion.recipe).map_or(0, |recipe| u64::from(recipe.coverage_permille));
        recipe * u64::from(portion.percent)
    };
    let covered: u64 = portions.iter().map(covered).sum();
    let coverage_permille =
        covered.checked_div(weight).and_then(|share| u16::try_from(share).ok()).unwrap_or(0);
    DayNutrition { date, member, amounts, coverage_permille }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(id: u128, kcal: Option<i64>, coverage_permille: u16) -> KnownRecipe {
        KnownRecipe {
            id: Uuid::from_u128(id),
            name: "Soup".into(),
            slots: BTreeSet::new(),
            minutes: None,
            stars: None,
            servings: 1,
            leftover_days: 0,
            measured: true,
            per_serving: Nutrients { kcal: kcal.map(Milli::whole), ..Nutrients::default() },
            coverage_permille,
            allergens: BTreeSet::new(),
            allergens_complete: false,
            diet: None,
            tags: BTreeSet::new(),
            cuisine: None,
            foods: Vec::new(),
        }
    }

    fn portion(recipe: u128, percent: u16) -> Eaten {
        let date = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        Eaten { date, member: Uuid::nil(), recipe: Uuid::from_u128(recipe), percent }
    }

    #[test]
    fn portions_add_up_and_what_is_unknown_makes_a_lower_bound_of_it() {
        let recipes = [recipe(1, Some(500), 1000), recipe(2, None, 400)];
        let found = tally(&[portion(1, 150), portion(1, 50)], &recipes);
        let kcal = found.totals[0].amounts["kcal"];
        assert_eq!(kcal, Sum { amount: Milli::whole(1000), complete: true });
        let found = tally(&[portion(1, 100), portion(2, 200)], &recipes);
        let total = &found.totals[0];
        assert_eq!(total.amounts["kcal"], Sum { amount: Milli::whole(500), complete: false });
        assert_eq!((total.coverage_permille, total.amounts.contains_key("fat_g")), (600, false));
    }

    #[test]
    fn a_recipe_that_is_gone_is_named_and_counts_as_not_covered() {
        let found = tally(&[portion(1, 100), portion(9, 100)], &[recipe(1, Some(500), 1000)]);
        assert_eq!(found.unknown_recipes, [Uuid::from_u128(9)].into());
        assert_eq!(
            (found.totals[0].coverage_permille, found.totals[0].amounts["kcal"].complete),
            (500, false)
        );
    }
}
