//! What must hold whatever the problem.

use super::problems::{large_problem, random_problem};
use super::{effort, solved};
use crate::domain::planning::search::anneal::Chain;
use crate::domain::planning::search::state::{Saved, State};
use crate::domain::planning::search::*;
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

fn compiled(seed: u64) -> (Problem, Table) {
    let problem = random_problem(seed);
    assert_eq!(check(&problem), Ok(()));
    let table = compile(&problem);
    (problem, table)
}

/// The rules once more, straight from the problem.
fn keeps_the_filters(problem: &Problem, table: &Table, plan: &Plan) -> bool {
    (0..table.slots.len()).all(|s| {
        let slot = &table.slots[s];
        let Some(recipe) = plan.dish(s).filter(|_| slot.locked.is_none()) else { return true };
        let (recipe, meal) = (
            &problem.recipes[recipe],
            problem.days[slot.day].meals.iter().find(|meal| meal.kind == slot.kind).unwrap(),
        );
        let served = |needs: &Needs| {
            (needs.allergens == 0 || (recipe.allergens_complete && recipe.allergens & needs.allergens == 0))
                && recipe.diet <= needs.diet
                && !recipe.foods.iter().any(|(food, _)| needs.excluded_foods.contains(food))
        };
        let cooked = plan.cooked_at(s) == s;
        served(&problem.household)
            && meal.eaters.iter().all(|&e| served(&problem.eaters[e as usize].needs))
            && meal.guests.iter().all(|guest| served(&guest.needs))
            && recipe.tags & meal.forbidden_tags == 0
            && recipe.tags & meal.required_tags == meal.required_tags
            && recipe.coverage_permille >= problem.rules.min_coverage_permille
            && (!cooked || recipe.kinds.has(meal.kind))
            && (!cooked || meal.max_minutes.is_none_or(|most| recipe.minutes.is_some_and(|m| m <= most)))
    })
}

/// Whether searches of ever more moves find ever better plans.
fn never_worse(table: &Table, moves: impl IntoIterator<Item = u64>) -> bool {
    let found: Vec<i64> =
        moves.into_iter().map(|moves| solved(table, None, &effort(moves)).objective).collect();
    found.is_sorted_by(|fewer, more| fewer >= more)
}

#[test]
fn a_single_move_more_is_never_worse() {
    for seed in 0..8 {
        let (_, table) = compiled(seed);
        assert!(never_worse(&table, 0..400), "{seed}");
    }
}

/// So many recipes that bounds, cores and rounds that only cool are used.
#[test]
fn large_libraries_keep_the_same_promises() {
    for seed in 0..3 {
        let problem = large_problem(seed, 700);
        assert_eq!(check(&problem), Ok(()));
        let table = compile(&problem);
        assert!(table.groups.iter().any(|group| group.cook.len() > 300), "{seed}");
        assert!(never_worse(&table, [0, 3_000, 20_000, 60_000]), "{seed}");
        let effort = Effort { seed, moves: 20_000, chains: 2, threads: 1 };
        let found = solved(&table, None, &effort);
        assert_eq!(found, solved(&table, None, &Effort { threads: 2, ..effort }), "{seed}");
        let found = descend(&table, found);
        assert_eq!(broken(&table, &found.plan), None, "{seed}");
        assert!(keeps_the_filters(&problem, &table, &found.plan), "{seed}");
        assert_eq!(found.objective, evaluate(&table, &found.plan).total(), "{seed}");
        for slot in (0..table.slots.len()).filter(|&slot| table.slots[slot].locked.is_none()) {
            let best = cheapest_by_trial(&problem, &table, &found.plan, slot);
            let ranked = rank(&table, &found.plan, slot, 5).first().map_or(i64::MAX, |other| other.delta);
            assert!(ranked <= best, "{seed}, slot {slot}: {ranked} {best}");
        }
    }
}

/// What the plan would grow by with the best of all other recipes in a slot.
fn cheapest_by_trial(problem: &Problem, table: &Table, plan: &Plan, slot: usize) -> i64 {
    let now = evaluate(table, plan).total();
    let with = |recipe: usize| {
        let mut other = plan.clone();
        other.choices[slot] = Choice::Cook(u32::try_from(recipe).unwrap());
        let allowed = other != *plan && broken(table, &other).is_none();
        allowed.then(|| evaluate(table, &other).total() - now)
    };
    (0..problem.recipes.len()).filter_map(with).min().unwrap_or(i64::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 600 }))]

    #[test]
    fn no_hard_rule_is_ever_broken(seed in any::<u64>()) {
        let (problem, table) = compiled(seed);
        let found = solved(&table, None, &effort(4_000));
        prop_assert_eq!(broken(&table, &found.plan), None);
        prop_assert!(keeps_the_filters(&problem, &table, &found.plan));
        prop_assert_eq!(found.objective, evaluate(&table, &found.plan).total());
    }

    #[test]
    fn every_step_agrees_with_the_full_evaluation(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let watch = |_: &Progress| ControlFlow::Continue(());
        let start = random(&table, seed);
        prop_assert_eq!(broken(&table, &start), None);
        let mut chain = Chain::new(&table, Some(&start), &|_| true, (seed, 0), &watch);
        for step in 0..150 {
            chain.step(if step % 2 == 0 { 200_000 } else { 2_000 });
            let plan = chain.state.plan();
            prop_assert_eq!(chain.state.objective(), evaluate(&table, &plan).total());
            prop_assert_eq!(broken(&table, &plan), None);
        }
        let again = State::of(&table, &chain.state.plan());
        prop_assert_eq!(again.objective(), chain.state.objective());
    }

    #[test]
    fn what_is_taken_back_is_as_it_was(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let watch = |_: &Progress| ControlFlow::Continue(());
        let mut chain = Chain::new(&table, Some(&random(&table, seed)), &|_| true, (seed, 0), &watch);
        // What is saved are dishes; portions stay.
        chain.portioned.clear();
        let mut saved = Saved::default();
        for steps in 0..40 {
            chain.state.save(&mut saved);
            let before = (chain.state.plan(), chain.state.objective());
            (0..=steps % 4).for_each(|_| chain.step(200_000));
            chain.state.restore(&saved);
            prop_assert_eq!((chain.state.plan(), chain.state.objective()), before);
            chain.step(200_000);
        }
    }

    #[test]
    fn threads_make_no_difference(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let one = Effort { seed, moves: 3_000, chains: 3, threads: 1 };
        let alone = solved(&table, None, &one);
        prop_assert_eq!(alone, solved(&table, None, &Effort { threads: 3, ..one }));
    }

    #[test]
    fn more_moves_are_never_worse(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        prop_assert!(never_worse(&table, [0, 500, 2_000, 10_000, 35_000]));
    }

    #[test]
    fn after_a_descent_no_single_dish_is_better(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let found = descend(&table, solved(&table, None, &effort(300)));
        prop_assert_eq!(broken(&table, &found.plan), None);
        prop_assert_eq!(found.objective, evaluate(&table, &found.plan).total());
        for slot in (0..table.slots.len()).filter(|&slot| table.slots[slot].locked.is_none()) {
            let best = rank(&table, &found.plan, slot, 1).first().map_or(0, |other| other.delta);
            // Ranking gives other portions along with another dish.
            prop_assert!(best >= 0 || table.choices.iter().any(|choices| choices.len() > 1), "slot {slot}");
        }
        let is_open = |cell: &usize| {
            table.fixed[*cell].is_none() && table.slots[cell / table.eaters].locked.is_none()
        };
        for cell in (0..found.plan.portions.len()).filter(is_open) {
            for &portion in &table.choices[cell % table.eaters] {
                let mut other = found.plan.clone();
                other.portions[cell] = portion;
                let allowed = broken(&table, &other).is_none();
                prop_assert!(!allowed || evaluate(&table, &other).total() >= found.objective, "cell {cell}");
            }
        }
    }

    #[test]
    fn a_plan_of_another_table_is_adopted_without_breaking_a_rule(a in any::<u64>(), b in any::<u64>()) {
        let ((_, one), (_, two)) = (compiled(a), compiled(b));
        let plan = random(&one, a);
        prop_assert_eq!(broken(&two, &adopt(&two, &plan)), None);
        prop_assert_eq!(broken(&two, &solved(&two, Some(&plan), &effort(500)).plan), None);
        let own = adopt(&one, &plan);
        prop_assert_eq!(own, plan);
    }

    #[test]
    fn a_start_is_never_made_worse(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let start = random(&table, seed);
        let found = solved(&table, Some(&start), &effort(1_000));
        prop_assert!(found.objective <= evaluate(&table, &start).total());
    }

    #[test]
    fn no_dish_is_cheaper_than_the_best_alternative(seed in any::<u64>()) {
        let (problem, table) = compiled(seed);
        let plan = random(&table, seed);
        for slot in (0..table.slots.len()).filter(|&slot| table.slots[slot].locked.is_none()) {
            let best = rank(&table, &plan, slot, 5).first().map_or(i64::MAX, |other| other.delta);
            prop_assert!(best <= cheapest_by_trial(&problem, &table, &plan, slot), "slot {slot}");
        }
    }

    #[test]
    fn alternatives_cost_exactly_what_they_say(seed in any::<u64>()) {
        let (_, table) = compiled(seed);
        let plan = random(&table, seed);
        let now = evaluate(&table, &plan);
        for slot in 0..table.slots.len() {
            let ranked = rank(&table, &plan, slot, 5);
            prop_assert!(ranked.is_sorted_by_key(|other| other.delta));
            for other in ranked {
                prop_assert_eq!(evaluate(&table, &other.plan).minus(&now), other.terms);
                prop_assert_eq!(other.terms.total(), other.delta);
                let only_the_lock = |fault| matches!(fault, Broken::Lock { slot: s } if s == slot);
                prop_assert!(broken(&table, &other.plan).is_none_or(only_the_lock));
            }
        }
    }

    #[test]
    fn new_plans_from_old_ones_keep_the_rules(seed in any::<u64>(), most in 0_usize..4) {
        let (_, table) = compiled(seed);
        let plan = random(&table, seed);
        let watch = |_: &Progress| ControlFlow::Continue(());
        let rolled = reroll_day(&table, &plan, 0, &effort(500), &watch);
        prop_assert_eq!(broken(&table, &rolled.plan), None);
        let amended = amend(&table, &plan, most);
        prop_assert_eq!(broken(&table, &amended.found.plan), None);
        let filled = plan.choices.iter().filter(|choice| **choice != Choice::Empty).count();
        prop_assert!(amended.changed.len() <= most + plan.choices.len() - filled);
        prop_assert!(amended.found.objective <= evaluate(&table, &plan).total());
    }

    #[test]
    fn stopping_early_keeps_the_best(seed in any::<u64>(), reports in 0_u64..4) {
        let (_, table) = compiled(seed);
        let seen = AtomicU64::new(0);
        let stop = |_: &Progress| {
            if seen.fetch_add(1, Ordering::Relaxed) >= reports {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let found = solve(&table, None, &effort(100_000), &stop);
        prop_assert_eq!(broken(&table, &found.plan), None);
    }
}
