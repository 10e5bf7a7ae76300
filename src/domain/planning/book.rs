//! The names behind the search's numbers: days, eaters, recipes, foods.

use super::context::Facts;
use super::learned::KnownRecipe;
use super::rules::Weights;
use crate::domain::context::Rejection;
use crate::domain::foods::FoodId;
use crate::domain::household::{Member, SetUpHousehold};
use crate::domain::measure::Milli;
use chrono::{Days, NaiveDate};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// See the module.
pub(super) struct Book<'f> {
    pub facts: &'f Facts,
    pub household: &'f SetUpHousehold,
    pub members: &'f [Member],
    pub weights: Weights,
    pub dates: Vec<NaiveDate>,
    pub recipes: Vec<&'f KnownRecipe>,
    pub foods: Vec<FoodId>,
    recipe_numbers: HashMap<Uuid, u32>,
    food_numbers: HashMap<FoodId, u32>,
    cuisines: BTreeMap<&'f str, u16>,
    proteins: BTreeMap<String, u16>,
}

impl<'f> Book<'f> {
    /// # Errors
    /// When somebody or something is missing that no plan can be without.
    pub(super) fn open(
        facts: &'f Facts,
        weights: Weights,
        (start, days): (NaiveDate, u32),
        more_foods: impl Iterator<Item = FoodId>,
    ) -> Result<Self, Rejection> {
        let Some(household) = &facts.profile.household else {
            let hint = "PUT /api/household, then POST /api/household/members, or start with --demo";
            return Err(Rejection::conflict("there is no household to plan for", hint));
        };
        if facts.profile.members.is_empty() {
            return Err(Rejection::conflict("nobody eats here", "POST /api/household/members adds somebody"));
        }
        if facts.recipes.is_empty() {
            let hint = "import some first: meal-planner import PATH|URL";
            return Err(Rejection::conflict("there are no recipes to plan with", hint));
        }
        let recipes: Vec<&KnownRecipe> = facts.recipes.iter().collect();
        let mut named: BTreeSet<FoodId> = more_foods.collect();
        for member in &facts.profile.members {
            named.extend(member.person.excluded_foods.iter().cloned());
        }
        for recipe in &recipes {
            named.extend(recipe.foods.iter().map(|(food, _)| food.clone()));
        }
        let foods: Vec<FoodId> = named.into_iter().collect();
        let cuisines: BTreeSet<&str> =
            recipes.iter().filter_map(|recipe| recipe.cuisine.as_deref()).collect();
        let proteins: BTreeSet<String> =
            facts.foods.values().filter_map(|food| food.protein.clone()).collect();
        Ok(Self {
            facts,
            household,
            members: &facts.profile.members,
            weights,
            dates: (0..days).map_while(|n| start.checked_add_days(Days::new(n.into()))).collect(),
            recipe_numbers: (0..).zip(&recipes).map(|(n, recipe)| (recipe.id, n)).collect(),
            food_numbers: (0..).zip(&foods).map(|(n, food)| (food.clone(), n)).collect(),
            cuisines: cuisines.into_iter().zip(0..).collect(),
            proteins: proteins.into_iter().zip(0..).collect(),
            recipes,
            foods,
        })
    }

    pub(super) fn recipe(&self, id: Uuid) -> Option<u32> {
        self.recipe_numbers.get(&id).copied()
    }

    pub(super) fn food(&self, id: &FoodId) -> Option<u32> {
        self.food_numbers.get(id).copied()
    }

    pub(super) fn cuisine(&self, name: &str) -> Option<u16> {
        self.cuisines.get(name).copied()
    }

    pub(super) fn protein(&self, name: &str) -> Option<u16> {
        self.proteins.get(name).copied()
    }

    pub(super) fn day(&self, date: NaiveDate) -> Option<usize> {
        self.dates.iter().position(|day| *day == date)
    }

    /// Each food of a recipe once, with its mass a serving.
    pub(super) fn foods_of(&self, recipe: &KnownRecipe) -> BTreeMap<u32, Milli> {
        let mut foods: BTreeMap<u32, Milli> = BTreeMap::new();
        for (food, grams) in &recipe.foods {
            if let Some(n) = self.food(food) {
                *foods.entry(n).or_default() += *grams;
            }
        }
        foods
    }

    /// As people call it.
    pub(super) fn food_name(&self, n: u32) -> String {
        let id = self.foods.get(n as usize);
        let known = id.and_then(|id| self.facts.foods.get(id)).map(|food| food.name.clone());
        known.or(id.map(|id| id.as_str().replace('-', " "))).unwrap_or_default()
    }
}
