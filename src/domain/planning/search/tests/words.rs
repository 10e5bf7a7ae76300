//! What the search says about its plans.

use super::super::*;
use super::fixtures::{day, eater, recipe};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::recipes::slots::MealSlot;

/// One lunch of at most 15 minutes for Ann, with twelve lunch recipes that take ten.
fn lunch() -> Problem {
    Problem {
        days: vec![day(1, &[(MealSlot::Lunch, Some(15))])],
        eaters: vec![eater("Ann")],
        recipes: (0..12)
            .map(|r| Candidate { minutes: Some(10), ..recipe(&format!("Soup {r}"), &[MealSlot::Lunch]) })
            .collect(),
        foods: 3,
        ..Problem::default()
    }
}

fn why(problem: &Problem) -> String {
    match &solve(problem).meals[0].dish {
        Dish::Empty { why } => why.clone(),
        Dish::Cook { .. } | Dish::Leftover { .. } => panic!("not empty"),
    }
}

#[test]
fn an_empty_meal_names_the_rule_that_emptied_it() {
    let mut problem = lunch();
    problem.recipes.iter_mut().for_each(|recipe| recipe.minutes = Some(16));
    assert_eq!(why(&problem), "all 12 lunch recipes take longer than 15 minutes");
    problem.days[0].meals[0].slot = MealSlot::Snack;
    assert_eq!(why(&problem), "no recipe suits snack");
    problem.eaters[0].slots.clear();
    assert_eq!(why(&problem), "nobody eats snack at home");
}

#[test]
fn an_empty_meal_names_the_pair_of_rules_that_emptied_it() {
    let mut problem = lunch();
    problem.eaters[0].allergens.insert(Allergen::Milk);
    problem.recipes[..9].iter_mut().for_each(|recipe| recipe.allergens_complete = false);
    problem.recipes[9..].iter_mut().for_each(|recipe| recipe.minutes = None);
    assert_eq!(
        why(&problem),
        "9 of 12 are ruled out by Ann's allergens, the rest by the limit of 15 minutes"
    );
    problem.recipes[9..].iter_mut().for_each(|recipe| recipe.allergens_complete = false);
    assert_eq!(why(&problem), "all 12 lunch recipes are ruled out by Ann's allergens");
}

#[test]
fn an_empty_meal_lists_all_rules_when_it_takes_more_than_two() {
    let mut problem = lunch();
    problem.eaters[0].diet = Diet::Vegan;
    problem.eaters[0].excluded.insert(2);
    problem.recipes[..6].iter_mut().for_each(|recipe| recipe.diet = None);
    problem.recipes[6..9].iter_mut().for_each(|recipe| recipe.foods.push((2, 1)));
    problem.recipes[9..].iter_mut().for_each(|recipe| recipe.minutes = Some(60));
    assert_eq!(
        why(&problem),
        "all 12 lunch recipes are ruled out together by the limit of 15 minutes (3), foods that Ann is never \
         served (3), Ann's diet (6)"
    );
}

#[test]
fn a_meal_says_what_it_is_good_for_and_what_the_next_best_would_cost() {
    let mut problem = lunch();
    problem.recipes[4].per_serving[1] = Some(60_000);
    problem.recipes[4].stars = Some(5);
    problem.recipes[5].stars = Some(4);
    let found = solve(&problem);
    assert_eq!(found.meals[0].dish, Dish::Cook { recipe: 4, percent: 100 });
    assert_eq!(
        found.meals[0].reasons,
        [
            "adds 667 kcal for Ann, whose day reaches 667 kcal",
            "the next best (Soup 5) would cost 1 point more",
            "ready in 10 minutes"
        ]
    );
}

#[test]
fn a_goal_that_is_missed_says_by_how_much() {
    let mut problem = lunch();
    problem.recipes.iter_mut().for_each(|recipe| recipe.per_serving[1] = Some(10_000));
    let found = solve(&problem);
    let protein = found.unmet.iter().find(|unmet| unmet.nutrient == 1).unwrap();
    assert!(protein.sentence.starts_with("Ann on Tue 2 Dec: protein 1"), "{}", protein.sentence);
    assert!(protein.sentence.ends_with(" g of at least 30 g"), "{}", protein.sentence);
    assert_eq!(found.totals[0].amounts[1], Some(protein.planned));
}
