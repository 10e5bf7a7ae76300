//! What the product does with the engine, on a small scale.

use super::problems::random_problem;
use super::{effort, solved};
use crate::domain::planning::search::*;
use std::ops::ControlFlow;

#[test]
fn a_quota_is_kept_when_it_is_dear_enough() {
    let mut kept = 0;
    for seed in 0..40 {
        let mut problem = random_problem(seed);
        let last_day = u32::try_from(problem.days.len()).unwrap() - 1;
        problem.quotas = vec![Quota {
            tags: 2,
            kinds: Kinds::ALL,
            first_day: 0,
            last_day,
            least: 0,
            most: 0,
            price_missing: 0,
            price_excess: 900_000_000,
        }];
        problem.locks.clear();
        let table = compile(&problem);
        let found = solved(&table, None, &effort(3_000));
        let tagged = |s: &usize| found.plan.dish(*s).is_some_and(|r| problem.recipes[r].tags & 2 != 0);
        assert_eq!((0..table.slots.len()).filter(tagged).count(), 0, "{seed}");
        kept += 1;
    }
    assert_eq!(kept, 40);
}

#[test]
fn the_dish_that_meets_a_quota_is_the_best_however_dear_it_is_in_itself() {
    let mut tried = 0;
    for seed in 0..200 {
        let mut problem = random_problem(seed);
        problem.locks.clear();
        problem.eaters.iter_mut().for_each(|eater| eater.goals = [None; NUTRIENTS]);
        let Some(dearest) = compile(&problem).groups.first().and_then(|group| group.cook.last().copied())
        else {
            continue;
        };
        problem.recipes.iter_mut().for_each(|recipe| recipe.tags = 0);
        problem.days.iter_mut().flat_map(|day| &mut day.meals).for_each(|meal| meal.required_tags = 0);
        problem.days.iter_mut().flat_map(|day| &mut day.meals).for_each(|meal| meal.forbidden_tags = 0);
        problem.recipes[dearest.recipe as usize].tags = 2;
        problem.quotas = vec![Quota {
            tags: 2,
            kinds: Kinds::ALL,
            first_day: 0,
            last_day: u32::try_from(problem.days.len()).unwrap() - 1,
            least: 1,
            most: 28,
            price_missing: 100_000_000,
            price_excess: 0,
        }];
        let table = compile(&problem);
        let plan = random(&table, seed);
        let mut other = plan.clone();
        other.choices[0] = Choice::Cook(dearest.recipe);
        if plan.choices.iter().all(|choice| *choice != other.choices[0]) && broken(&table, &other).is_none() {
            assert_eq!(rank(&table, &plan, 0, 1)[0].choice, other.choices[0], "{seed}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn dear_changes_keep_the_current_plan() {
    for seed in 0..40 {
        let mut problem = random_problem(seed);
        problem.current.clear();
        let table = compile(&problem);
        let plan = random(&table, seed);
        problem.weights.change = MAX_WEIGHT;
        for (s, slot) in table.slots.iter().enumerate() {
            let recipe = plan.dish(s).map(|recipe| u32::try_from(recipe).unwrap());
            problem.current.push(Current { day: u32::try_from(slot.day).unwrap(), kind: slot.kind, recipe });
        }
        let table = compile(&problem);
        let found = solved(&table, Some(&plan), &effort(3_000));
        assert_eq!(found.terms.change, 0);
        assert!((0..table.slots.len()).all(|s| found.plan.dish(s) == plan.dish(s)));
    }
}

#[test]
fn rolling_a_day_again_gives_other_dishes_and_leaves_the_other_days() {
    for seed in 0..40 {
        let problem = random_problem(seed);
        let table = compile(&problem);
        let plan = solved(&table, None, &effort(2_000)).plan;
        let rolled = reroll_day(&table, &plan, 0, &effort(2_000), &|_| ControlFlow::Continue(())).plan;
        for (s, slot) in table.slots.iter().enumerate() {
            let (before, after) = (plan.dish(s), rolled.dish(s));
            let follows = matches!(plan.choices[s], Choice::Leftover(_));
            if slot.locked.is_none() && slot.day == 0 {
                assert!(before.is_none() || before != after, "{seed} {s}");
            } else if !follows {
                assert_eq!(before, after, "{seed} {s}");
            }
        }
    }
}

#[test]
fn unknown_nutrients_are_nothing_eaten_but_something_paid() {
    let mut problem = random_problem(3);
    problem.weights.unknown = 500;
    let table = compile(&problem);
    let plan = random(&table, 1);
    let with = evaluate(&table, &plan);
    problem.weights.unknown = 0;
    let without = evaluate(&compile(&problem), &plan);
    assert!(with.coverage > without.coverage);
    assert_eq!(with.nutrition, without.nutrition);
}
