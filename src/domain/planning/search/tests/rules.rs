//! Hard rules hold whatever the problem, and no problem makes the search panic.

use super::super::*;
use super::fixtures::{broken, day, eater, household, recipe};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::recipes::slots::MealSlot;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn hard_rules_are_never_broken(
        recipes in 0_usize..40,
        days in 1_u64..6,
        seed in any::<u64>(),
        gap in 0_u32..6,
        allergen in proptest::option::of(0_usize..14),
        diet in 0_usize..4,
        excluded in proptest::collection::btree_set(0_usize..90, 0..4),
        locks in proptest::collection::btree_map((0_usize..6, 0_usize..4), proptest::option::of(0_usize..40), 0..4),
        eaten in proptest::collection::vec((0_usize..40, 1_u32..6), 0..4),
        at_home in 1_usize..16,
        weights in (0_u32..300, 0_u32..1000),
    ) {
        let mut problem = household(recipes, days, 2, seed);
        problem.repeat_gap_days = gap;
        problem.weights = Weights { nutrition: weights.0, leftovers: weights.1, ..Weights::default() };
        problem.eaters[0].allergens = allergen.map(|a| Allergen::ALL[a]).into_iter().collect();
        problem.eaters[1].diet = Diet::ALL[diet];
        problem.eaters[1].excluded = excluded;
        problem.eaters[1].slots = (0..4).filter(|s| at_home >> s & 1 == 1).map(|s| MealSlot::ALL[s]).collect();
        for ((day, slot), recipe) in locks {
            if day < problem.days.len() && recipe.is_none_or(|r| r < recipes) {
                problem.locks.push(Lock { day, slot: MealSlot::ALL[slot], recipe });
            }
        }
        problem.eaten = eaten
            .into_iter()
            .filter(|(recipe, _)| *recipe < recipes)
            .map(|(recipe, days_before)| Eaten { recipe, days_before })
            .collect();
        prop_assert_eq!(check(&problem), Ok(()));
        let found = solve(&problem);
        prop_assert_eq!(broken(&problem, &found), None);
        prop_assert_eq!(found.totals.len(), problem.days.len() * problem.eaters.len());
    }
}

#[test]
fn nothing_to_cook_is_a_plan_of_empty_meals_that_say_so() {
    let problem = household(0, 2, 1, 0);
    assert_eq!(check(&problem), Ok(()));
    for meal in solve(&problem).meals {
        assert_eq!(meal.dish, Dish::Empty { why: "there are no recipes to choose from".to_owned() });
    }
}

#[test]
fn one_recipe_is_not_cooked_every_day_when_the_gap_forbids_it() {
    let mut problem = household(0, 7, 1, 0);
    problem.recipes = vec![recipe("Chili", &[MealSlot::Dinner])];
    let found = solve(&problem);
    assert_eq!(broken(&problem, &found), None);
    let cooked = |meal: &&PlannedMeal| matches!(meal.dish, Dish::Cook { .. });
    assert_eq!(found.meals.iter().filter(cooked).count(), 3, "days 1, 4 and 7");
}

#[test]
fn leftovers_are_eaten_within_their_shelf_life_and_cooked_with_the_first_meal() {
    let mut problem = household(0, 3, 2, 0);
    let mut chili = recipe("Chili", &[MealSlot::Lunch, MealSlot::Dinner]);
    chili.leftover_days = 2;
    problem.recipes = vec![chili];
    problem.days.iter_mut().for_each(|day| day.meals.retain(|meal| meal.slot == MealSlot::Dinner));
    let found = solve(&problem);
    assert_eq!(broken(&problem, &found), None);
    let percent: u32 = found.meals.iter().flat_map(|m| &m.portions).map(|&(_, p)| u32::from(p)).sum();
    assert_eq!(found.meals[0].dish, Dish::Cook { recipe: 0, percent });
    for meal in &found.meals[1..] {
        assert_eq!(meal.dish, Dish::Leftover { recipe: 0, of: 0 });
        assert_eq!(meal.reasons[0], "uses Monday's Chili");
    }
}

#[test]
fn locked_meals_stay_whatever_the_filters_say() {
    let mut problem = household(12, 1, 1, 0);
    problem.eaters[0].allergens = Allergen::ALL.into();
    problem.recipes.iter_mut().for_each(|recipe| recipe.allergens_complete = false);
    problem.locks = MealSlot::ALL.map(|slot| Lock { day: 0, slot, recipe: Some(5) }).to_vec();
    problem.locks[3].recipe = None;
    let found = solve(&problem);
    assert_eq!(broken(&problem, &found), None);
    assert!(found.meals[..3].iter().all(|meal| meal.reasons[0] == "kept as you set it"));
    assert_eq!(found.terms.empty, 0);
}

#[test]
fn absurd_and_contradictory_goals_do_not_overflow() {
    let mut problem = household(20, 28, 1, 0);
    let high = Some(MAX_AMOUNT);
    problem.eaters = vec![eater("Ann"); MAX_EATERS];
    for eater in &mut problem.eaters {
        eater.goals = [Some(Goal { min: high, low: high, high: Some(0), max: Some(1), importance: 255 }); 8];
    }
    problem.weights.nutrition = u32::MAX;
    problem.moves = 0;
    problem.recipes.truncate(8);
    assert!(check(&problem).is_err());
    assert!(solve(&problem).objective > 0);
}

#[test]
fn senseless_problems_are_refused_by_place() {
    let sound = household(8, 2, 1, 0);
    let pointer = |change: fn(&mut Problem)| {
        let mut problem = sound.clone();
        change(&mut problem);
        check(&problem).unwrap_err().pointer
    };
    assert_eq!(pointer(|p| p.days.clear()), "/days");
    assert_eq!(pointer(|p| p.days = vec![p.days[0].clone(); 29]), "/days");
    assert_eq!(pointer(|p| p.days[1].date = p.days[0].date), "/days/1");
    assert_eq!(pointer(|p| p.eaters.clear()), "/eaters");
    assert_eq!(pointer(|p| p.days[1] = day(1, &[(MealSlot::Snack, None); 2])), "/days/1/meals/1");
    assert_eq!(pointer(|p| p.eaters[0].goals[1] = Some(Goal::default())), "/eaters/0/goals/1/importance");
    let unsorted = Goal { low: Some(2), high: Some(1), importance: 5, ..Goal::default() };
    assert!(sound.eaters[0].goals[0].is_some());
    let mut problem = sound.clone();
    problem.eaters[0].goals[2] = Some(unsorted);
    assert_eq!(check(&problem).unwrap_err().pointer, "/eaters/0/goals/2");
    assert_eq!(pointer(|p| p.recipes[3].foods.push((90, 1))), "/recipes/3/foods");
    assert_eq!(pointer(|p| p.recipes[3].per_serving[0] = Some(-1)), "/recipes/3/per_serving");
    assert_eq!(pointer(|p| p.eaten.push(Eaten { recipe: 8, days_before: 1 })), "/eaten/0/recipe");
    assert_eq!(pointer(|p| p.weights.rating = 10_001), "/weights/rating");
    let lock = |day, recipe| Lock { day, slot: MealSlot::Lunch, recipe };
    problem = sound.clone();
    problem.locks = vec![lock(2, None)];
    assert_eq!(check(&problem).unwrap_err().pointer, "/locks/0");
    problem.locks = vec![lock(0, None), lock(0, Some(1))];
    assert_eq!(check(&problem).unwrap_err().pointer, "/locks/1");
    problem.locks = vec![lock(0, Some(8))];
    assert_eq!(check(&problem).unwrap_err().pointer, "/locks/0/recipe");
}
