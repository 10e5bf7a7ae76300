//! Promises about the search as a whole: same seed same plan, more moves no worse, sums that agree, speed.

use super::super::alternatives::plan_of;
use super::super::anneal::Moves;
use super::super::objective::evaluate;
use super::super::rng::Rng;
use super::super::solve::search;
use super::super::state::State;
use super::super::table::Table;
use super::super::*;
use super::fixtures::{broken, household};
use std::ops::ControlFlow;

#[test]
fn one_seed_finds_one_plan() {
    let problem = household(60, 7, 2, 3);
    assert_eq!(solve(&problem), solve(&problem));
}

#[test]
fn more_moves_are_never_worse() {
    for seed in 0..3 {
        let mut problem = household(40, 4, 2, seed);
        let mut last = i64::MAX;
        for moves in [0, 1_000, 2_000, 7_999, 8_000, 20_000] {
            problem.moves = moves;
            let objective = solve(&problem).objective;
            assert!(objective <= last, "seed {seed}, {moves} moves: {objective} after {last}");
            last = objective;
        }
    }
}

#[test]
fn searching_beats_choosing_meal_by_meal() {
    let mut problem = household(60, 7, 2, 1);
    problem.moves = 20_000;
    let table = Table::new(&problem);
    let mut greedy = State::new(&table);
    greedy.greedy();
    let found = solve(&problem);
    assert!(found.objective < greedy.objective(), "{} is not below {}", found.objective, greedy.objective());
    assert_eq!(broken(&problem, &found), None);
}

#[test]
fn every_random_move_leaves_the_sums_that_a_full_evaluation_gives() {
    for seed in 0..6 {
        let mut problem = household(30, 5, 3, seed);
        problem.eaters[1].slots.pop_first();
        problem.locks = vec![Lock { day: 1, slot: problem.days[1].meals[2].slot, recipe: Some(3) }];
        problem.eaten = vec![Eaten { recipe: 4, days_before: 3 }];
        let table = Table::new(&problem);
        let mut state = State::new(&table);
        state.greedy();
        let moves = Moves::of(&state);
        let mut rng = Rng::new(seed);
        for _ in 0..1_000 {
            let (plan, terms) = (state.plan.clone(), state.terms);
            if moves.change(&mut state, &mut rng) && rng.below(2) == 0 {
                state.keep();
                assert_eq!(state.terms, evaluate(&table, &state.plan));
            } else {
                state.undo();
                assert_eq!((&state.plan, state.terms), (&plan, terms));
            }
        }
    }
}

#[test]
fn the_objective_is_the_sum_of_its_terms_and_the_one_the_search_saw() {
    let problem = household(40, 3, 2, 5);
    let table = Table::new(&problem);
    let (best, _) = search(&table, &mut |_| ControlFlow::Continue(()));
    let found = solve(&problem);
    assert_eq!(found.objective, best.objective);
    assert_eq!(found.objective, found.terms.total());
}

#[test]
fn a_search_that_is_stopped_keeps_its_best_plan() {
    let mut problem = household(60, 7, 2, 2);
    problem.moves = 1_000_000;
    let mut seen = Vec::new();
    let stopped = solve_with(&problem, &mut |progress| {
        seen.push(*progress);
        if seen.len() < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a.objective >= b.objective && a.moves <= b.moves));
    assert_eq!(broken(&problem, &stopped), None);
    assert!(stopped.objective <= seen[4].objective);
}

#[test]
fn an_alternative_costs_exactly_what_it_says() {
    let problem = household(60, 3, 2, 4);
    let mut found = solve(&problem);
    let others = alternatives(&problem, &found, 2, 5);
    assert!(!others.is_empty() && others.is_sorted_by_key(|other| other.delta));
    let table = Table::new(&problem);
    let plan = plan_of(&table, &found).unwrap();
    for other in others {
        let mut state = State::with(&table, &plan);
        assert!(state.cook(2, u32::try_from(other.recipe).unwrap()));
        state.improve_portions(2);
        let terms = evaluate(&table, &state.plan).minus(&found.terms);
        assert_eq!((other.delta, other.terms), (terms.total(), terms));
    }
    found.meals.pop();
    assert_eq!(alternatives(&problem, &found, 2, 5), []);
}
