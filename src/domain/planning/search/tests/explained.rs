//! Explanations are exact: differences are real re-evaluations, empty slots name their rule.

use super::super::model::Model;
use super::super::objective::evaluate;
use super::super::solution::plan_of;
use super::*;

/// Evaluates the plan with one slot's meal, and the leftovers of it, exchanged.
fn objective_with(problem: &Problem, solution: &Solution, place: SlotRef, other: &Alternative) -> Terms {
    let mut changed = solution.clone();
    let planned = changed.meals.iter_mut().find(|planned| planned.at == place).unwrap();
    (planned.meal, planned.portions) = (other.meal, other.portions.clone());
    let model = Model::new(problem);
    evaluate(&model, &plan_of(&model, &changed).unwrap())
}

#[test]
fn every_alternative_costs_exactly_what_it_says_and_none_is_better() {
    let problem = Problem { moves: 12_000, ..household(40, 4, 6) };
    let solution = solve(&problem).unwrap();
    let mut count = 0;
    for planned in &solution.meals {
        let others = alternatives(&problem, &solution, planned.at, 5).unwrap();
        assert!(others.is_sorted_by_key(|other| other.delta));
        for other in &others {
            let terms = objective_with(&problem, &solution, planned.at, other) - solution.terms;
            assert_eq!((terms, terms.total()), (other.terms, other.delta));
            assert!(other.delta >= 0, "the polished plan is beaten by {other:?}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn a_meal_says_what_it_is_better_in_than_the_runner_up() {
    let slow = Recipe { minutes: 60, rating_x10: Some(20), ..recipe(2, &[Slot::Dinner]) };
    let problem = dinners(1, vec![recipe(1, &[Slot::Dinner]), slow]);
    let explanation = explain(&problem, &solve(&problem).unwrap()).unwrap();
    let meal = &explanation.meals[0];
    assert_eq!(meal.runner_up.as_ref().unwrap().delta, 40_000);
    assert_eq!(
        meal.reasons.iter().map(|r| (r.term, r.gain)).collect::<Vec<_>>(),
        [(Term::Rating, 20_000), (Term::Effort, 20_000)]
    );
    assert_eq!(meal.sentence, "rated 4.0; 20 min; dish 2 instead would cost 4 points more");
}

#[test]
fn nutrition_names_the_eater_and_the_amount() {
    let mut weak = recipe(2, &[Slot::Dinner]);
    weak.nutrients[1] = Some(5_000);
    let problem = dinners(1, vec![recipe(1, &[Slot::Dinner]), weak]);
    let explanation = explain(&problem, &solve(&problem).unwrap()).unwrap();
    assert!(
        explanation.meals[0].sentence.starts_with("brings Ann to 44 g protein"),
        "{}",
        explanation.meals[0].sentence
    );
}

#[test]
fn a_leftover_names_where_it_comes_from() {
    let problem = dinners(2, vec![Recipe { leftover_days: 2, ..recipe(1, &[Slot::Dinner]) }]);
    let explanation = explain(&problem, &solve(&problem).unwrap()).unwrap();
    assert!(
        explanation.meals[1].sentence.starts_with("uses the leftover of Monday's dish 1"),
        "{:?}",
        explanation.meals
    );
}

#[test]
fn an_unmet_goal_says_how_much_is_missing() {
    let mut problem = dinners(1, vec![recipe(1, &[Slot::Dinner])]);
    problem.eaters[0].goals[6] =
        Some(Goal { hi: Some(10_000), reference: 10_000, importance: 1, ..Goal::default() });
    problem.rules.portions = vec![100];
    let explanation = explain(&problem, &solve(&problem).unwrap()).unwrap();
    let sentences: Vec<&str> = explanation.unmet.iter().map(|unmet| unmet.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "Ann gets 600 kcal on Monday, 103 kcal too little",
            "Ann gets 10 g fibre on Monday, 1.1 g fibre too little",
            "Ann gets 8 g sugar on Monday, 4.3 g sugar too much",
        ]
    );
    assert_eq!((explanation.unmet[2].bound, explanation.unmet[2].missing), (3_700, -4_300));
    assert_eq!(explanation.days[0].nutrients[1].planned, 35_000);
}

fn empty_of(problem: &Problem) -> EmptySlot {
    explain(problem, &solve(problem).unwrap()).unwrap().empty.remove(0)
}

#[test]
fn an_empty_slot_names_the_rule_that_emptied_it() {
    let recipes = (1..13).map(|i| recipe(i, &[Slot::Dinner])).collect();
    let mut problem = dinners(1, recipes);
    problem.days[0].slots[2] = Some(PlannedSlot { max_minutes: Some(15) });
    let empty = empty_of(&problem);
    assert_eq!((empty.blocking, empty.recipes), (vec![Rule::Minutes], 12));
    assert_eq!(empty.sentence, "Monday's dinner is empty: all 12 dinner recipes take more than 15 minutes");
}

#[test]
fn two_rules_that_only_together_empty_a_slot_are_both_named() {
    let allergenic = |i| Recipe { allergens: 2, ..recipe(i, &[Slot::Dinner]) };
    let slow = Recipe { minutes: 90, ..recipe(9, &[Slot::Dinner]) };
    let mut problem = dinners(1, vec![allergenic(1), allergenic(2), slow]);
    problem.eaters[0].allergens = 2;
    problem.days[0].slots[2] = Some(PlannedSlot { max_minutes: Some(30) });
    let empty = empty_of(&problem);
    assert_eq!(empty.blocking, [Rule::Allergen, Rule::Minutes]);
    assert_eq!(
        empty.sentence,
        "Monday's dinner is empty: of 3 dinner recipes 2 contain an allergen of somebody who eats then and 1 takes more than 30 minutes"
    );
    assert_eq!(
        empty.hint,
        "add dinner recipes without these allergens; or allow more minutes or add quicker dinner recipes"
    );
}

#[test]
fn an_allergy_leaves_recipes_of_unknown_allergens_out_by_name() {
    let vague = Recipe { allergens_complete: false, ..recipe(1, &[Slot::Dinner]) };
    let mut problem = dinners(1, vec![vague]);
    problem.eaters[0].allergens = 8;
    let empty = empty_of(&problem);
    assert_eq!(empty.blocking, [Rule::AllergensUnknown]);
    assert_eq!(
        empty.sentence,
        "Monday's dinner is empty: the only dinner recipe has allergens that are not completely known"
    );
}

#[test]
fn a_solution_of_another_problem_is_refused() {
    let (one, two) =
        (dinners(1, vec![recipe(1, &[Slot::Dinner])]), dinners(2, vec![recipe(1, &[Slot::Dinner])]));
    assert!(explain(&two, &solve(&one).unwrap()).is_err());
    assert!(alternatives(&one, &solve(&one).unwrap(), at(5, Slot::Lunch), 3).is_err());
}
