//! What holds for every problem and every run of moves.

use super::super::anneal::Search;
use super::super::model::{Choice, Model};
use super::super::objective::evaluate;
use super::*;
use proptest::prelude::*;
use std::ops::ControlFlow;

prop_compose! {
    fn small_problem()(
        recipes in 1..14_usize, day_count in 1..5_usize, seed in 0..1000_u64, slots in 1..16_u8,
        locks in prop::collection::vec((0..5_usize, 0..4_usize, 0..14_usize, any::<bool>()), 0..4),
        main_gap in 0..8_u32, diet in 0..4_u8, allergens in 0..8_u32, minutes in prop::option::of(0..60_u32),
        history in prop::collection::vec((0..14_usize, prop::option::of(0..6_u64)), 0..3),
        uses in 0..3_u32, excluded in prop::collection::vec(0..60_u32, 0..4), away in prop::option::of(0..4_usize),
        min_coverage in prop::option::of(800..1000_u16),
    ) -> Problem {
        let mut problem = household(recipes, day_count, seed);
        problem.moves = 300;
        for day in &mut problem.days {
            for slot in Slot::ALL {
                day.slots[slot.index()] = SlotMask(slots).has(slot).then_some(PlannedSlot { max_minutes: minutes });
            }
        }
        problem.eaters[0].diet = diet;
        problem.eaters[0].excluded_foods = excluded;
        problem.eaters[1].allergens = allergens;
        problem.eaters[1].slots = SlotMask(0b0110);
        problem.eaters[1].away = away.map(date).into_iter().collect();
        problem.rules.repeat_gap_main_days = main_gap;
        problem.rules.leftover_max_uses = uses;
        problem.rules.leftover_from = SlotMask::of(&[Slot::Lunch, Slot::Dinner]);
        problem.rules.min_coverage = min_coverage;
        let past = |(r, back): (usize, Option<u64>)| Eaten { recipe: id(1000 + r as u128), date: back.map(|back| date(0) - chrono::Days::new(back)) };
        problem.history = history.into_iter().map(past).collect();
        for (day, slot, r, portion) in locks {
            let place = at(day, Slot::ALL[slot]);
            if r < recipes && problem.is_planned(place) && problem.locks.iter().all(|lock| lock.at != place) {
                let portions = if portion { vec![Portion { eater: id(1), pct: 150 }] } else { vec![] };
                problem.locks.push(Lock { at: place, meal: Meal::Cook { recipe: id(1000 + r as u128) }, portions });
            }
        }
        problem
    }
}

fn find(problem: &Problem, wanted: uuid::Uuid) -> &Recipe {
    problem.recipes.iter().find(|recipe| recipe.id == wanted).unwrap()
}

/// Whether everybody who eats there may eat it.
fn is_safe(problem: &Problem, place: SlotRef, dish: &Recipe) -> bool {
    let eats = |eater: &&Eater| eater.slots.has(place.slot) && !eater.away.contains(&place.date);
    problem.eaters.iter().filter(eats).all(|eater| {
        dish.allergens & eater.allergens == 0
            && (eater.allergens == 0 || dish.allergens_complete)
            && dish.diet <= eater.diet
            && !dish.ingredients.iter().any(|part| eater.excluded_foods.contains(&part.food))
            && problem.rules.min_coverage.is_none_or(|least| dish.coverage >= least)
    })
}

fn gap(problem: &Problem, slot: Slot) -> i64 {
    let rules = &problem.rules;
    i64::from(if slot.is_main() { rules.repeat_gap_main_days } else { rules.repeat_gap_other_days })
}

fn assert_cooking_is_allowed(problem: &Problem, place: SlotRef, dish: &Recipe) {
    assert!(is_safe(problem, place, dish) && dish.slots.has(place.slot));
    let day = problem.days.iter().find(|day| day.date == place.date).unwrap();
    let limit = day.slots[place.slot.index()].unwrap().max_minutes;
    assert!(limit.is_none_or(|limit| dish.minutes <= limit));
    for eaten in problem.history.iter().filter(|eaten| eaten.recipe == dish.id) {
        assert!((place.date - eaten.date.unwrap()).num_days() >= gap(problem, place.slot));
    }
}

fn assert_rules_hold(problem: &Problem, solution: &Solution) {
    let cooked = |meal: Meal| match meal {
        Meal::Cook { recipe } => Some(recipe),
        Meal::Leftover { .. } | Meal::Empty => None,
    };
    for (i, planned) in solution.meals.iter().enumerate() {
        if let Some(lock) = problem.locks.iter().find(|lock| lock.at == planned.at) {
            assert_eq!(lock.meal, planned.meal);
            assert!(
                lock.portions
                    .iter()
                    .all(|p| planned.portions.contains(p)
                        || planned.portions.iter().all(|q| q.eater != p.eater))
            );
            continue;
        }
        match planned.meal {
            Meal::Cook { recipe } => {
                assert_cooking_is_allowed(problem, planned.at, find(problem, recipe));
                for (j, other) in solution.meals.iter().enumerate() {
                    if j != i && cooked(other.meal) == Some(recipe) {
                        let first = planned.at.min(other.at);
                        assert!(
                            (planned.at.date - other.at.date).num_days().abs() >= gap(problem, first.slot)
                        );
                    }
                }
            }
            Meal::Leftover { of, recipe } => {
                let dish = find(problem, recipe);
                let distance = (planned.at.date - of.date).num_days();
                assert!(distance >= 1 && distance <= i64::from(dish.leftover_days) && distance <= 3);
                assert!(is_safe(problem, planned.at, dish));
                assert!(solution.meals.iter().any(|m| m.at == of && m.meal == Meal::Cook { recipe }));
                let uses = solution
                    .meals
                    .iter()
                    .filter(|m| matches!(m.meal, Meal::Leftover { of: from, .. } if from == of));
                assert!(uses.count() <= problem.rules.leftover_max_uses as usize);
            }
            Meal::Empty => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_plan_breaks_a_hard_rule_and_every_plan_explains_itself(problem in small_problem()) {
        let solution = solve(&problem).unwrap();
        assert_rules_hold(&problem, &solution);
        prop_assert!(solution.bound <= solution.objective);
        let explanation = explain(&problem, &solution).unwrap();
        let empty = solution.meals.iter().filter(|planned| planned.meal == Meal::Empty).count();
        prop_assert_eq!(explanation.empty.len(), empty);
        prop_assert_eq!(explanation.meals.len() + empty, solution.meals.len());
    }

    #[test]
    fn the_kept_objective_is_the_full_one_after_every_move(problem in small_problem()) {
        let model = Model::new(&problem);
        let mut go_on = |_: &Progress| ControlFlow::Continue(());
        let mut search = Search::new(&model, &mut go_on);
        for i in 0..150 {
            if i % 10 == 0 {
                search.state.commit();
            }
            let (mark, before) = (search.state.mark(), search.state.terms());
            let made = search.propose().is_some_and(|step| search.state.make(step));
            let after = search.state.terms();
            prop_assert_eq!(after, evaluate(&model, &search.state.plan()));
            prop_assert_eq!(after.total(), search.state.objective());
            if !made {
                prop_assert_eq!(before, after);
            } else if i % 3 == 0 {
                search.state.undo(mark);
                prop_assert_eq!(before, search.state.terms());
                prop_assert_eq!(before, evaluate(&model, &search.state.plan()));
            }
        }
    }
}

#[test]
fn moves_do_make_and_drop_leftovers() {
    let problem = Problem { recipes: household(30, 4, 1).recipes, ..household(30, 4, 1) };
    let model = Model::new(&problem);
    let mut go_on = |_: &Progress| ControlFlow::Continue(());
    let mut search = Search::new(&model, &mut go_on);
    let mut most = 0;
    for _ in 0..3000 {
        if let Some(step) = search.propose() {
            search.state.make(step);
        }
        let plan = search.state.plan();
        most = most.max(plan.choices.iter().filter(|choice| matches!(choice, Choice::Leftover(_))).count());
    }
    assert!(most > 1, "{most}");
}
