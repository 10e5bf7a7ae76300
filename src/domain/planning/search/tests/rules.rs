//! Given a problem, when it is solved, then its rules hold and its wishes count.

use super::*;

#[test]
fn a_dish_with_an_eaters_allergen_is_not_planned_however_good_it_is() {
    let mut nuts = recipe(1, &[Slot::Dinner]);
    (nuts.allergens, nuts.rating_x10) = (4, Some(50));
    let poor = Recipe { rating_x10: Some(10), ..recipe(2, &[Slot::Dinner]) };
    let mut problem = dinners(1, vec![nuts, poor]);
    problem.eaters[0].allergens = 4;
    assert_eq!(dish_at(&solve(&problem).unwrap(), at(0, Slot::Dinner)), Some(id(2)));
}

#[test]
fn one_eaters_rule_holds_for_the_shared_meal_only_when_that_eater_eats() {
    let meat = Recipe { diet: 3, rating_x10: Some(50), ..recipe(1, &[Slot::Dinner]) };
    let mut problem = dinners(2, vec![meat, recipe(2, &[Slot::Dinner])]);
    problem.eaters.push(Eater { diet: 0, away: vec![date(1)], ..eater(2, "Bob") });
    let solution = solve(&problem).unwrap();
    assert_eq!(dish_at(&solution, at(0, Slot::Dinner)), Some(id(2)));
    assert_eq!(dish_at(&solution, at(1, Slot::Dinner)), Some(id(1)));
}

#[test]
fn unknown_energy_is_not_taken_for_none() {
    let mut unknown = recipe(1, &[Slot::Dinner]);
    (unknown.nutrients[0], unknown.coverage) = (None, 700);
    let problem = dinners(1, vec![unknown]);
    let solution = solve(&problem).unwrap();
    assert_eq!(dish_at(&solution, at(0, Slot::Dinner)), None);
    assert_eq!(explain(&problem, &solution).unwrap().empty[0].blocking, [Rule::UnknownEnergy]);
}

#[test]
fn a_locked_slot_overrides_the_filters_and_stays() {
    let mut problem = dinners(2, vec![recipe(1, &[Slot::Lunch]), recipe(2, &[Slot::Dinner])]);
    let portions = vec![Portion { eater: id(1), pct: 125 }];
    problem.locks = vec![Lock {
        at: at(1, Slot::Dinner),
        meal: Meal::Cook { recipe: id(1) },
        portions: portions.clone(),
    }];
    let solution = solve(&problem).unwrap();
    assert_eq!(solution.meals[1].meal, Meal::Cook { recipe: id(1) });
    assert_eq!(solution.meals[1].portions, portions);
    assert!(solution.meals[1].locked && !solution.meals[0].locked);
}

#[test]
fn one_recipe_fills_as_many_days_as_its_gap_allows() {
    let mut problem = dinners(7, vec![recipe(1, &[Slot::Dinner])]);
    problem.rules.repeat_gap_main_days = 3;
    let solution = solve(&problem).unwrap();
    let filled: Vec<bool> = solution.meals.iter().map(|planned| planned.meal != Meal::Empty).collect();
    assert_eq!(filled, [true, false, false, true, false, false, true]);
}

#[test]
fn a_recipe_eaten_lately_waits_for_its_gap() {
    let mut problem = dinners(2, vec![recipe(1, &[Slot::Dinner])]);
    problem.rules.repeat_gap_main_days = 4;
    problem.history = vec![Eaten { recipe: id(1), date: Some(date(0) - chrono::Days::new(3)) }];
    let solution = solve(&problem).unwrap();
    assert_eq!(
        (dish_at(&solution, at(0, Slot::Dinner)), dish_at(&solution, at(1, Slot::Dinner))),
        (None, Some(id(1)))
    );
}

#[test]
fn leftovers_fill_what_the_rules_leave_empty_while_the_dish_keeps() {
    let mut problem = dinners(4, vec![Recipe { leftover_days: 2, ..recipe(1, &[Slot::Dinner]) }]);
    problem.rules.leftover_max_uses = 3;
    let solution = solve(&problem).unwrap();
    let of = at(0, Slot::Dinner);
    let kept = Meal::Leftover { of, recipe: id(1) };
    let meals: Vec<Meal> = solution.meals.iter().map(|planned| planned.meal).collect();
    assert_eq!(meals, [Meal::Cook { recipe: id(1) }, kept, kept, Meal::Empty]);
}

#[test]
fn portions_follow_hunger() {
    let mut problem = dinners(1, vec![recipe(1, &[Slot::Dinner])]);
    problem.eaters.push(Eater { portion_pct: 60, ..eater(2, "Bob") });
    let portions = &solve(&problem).unwrap().meals[0].portions;
    assert_eq!(portions.iter().map(|portion| portion.pct).collect::<Vec<_>>(), [125, 150]);
}

#[test]
fn what_expires_is_cooked_in_time() {
    let foods = vec![Food { name: "spinach".to_owned(), ..Food::default() }];
    let green =
        Recipe { ingredients: vec![Ingredient { food: 0, mg: 300_000 }], ..recipe(1, &[Slot::Dinner]) };
    let mut problem = Problem { foods, ..dinners(2, vec![green, recipe(2, &[Slot::Dinner])]) };
    problem.pantry = vec![PantryLot { food: 0, mg: 300_000, expires: Some(date(0)) }];
    problem.rules.portions = vec![100];
    let solution = solve(&problem).unwrap();
    assert_eq!(dish_at(&solution, at(0, Slot::Dinner)), Some(id(1)));
    assert_eq!((solution.terms.waste, solution.terms.items), (0, 0));
}

#[test]
fn a_previous_plan_is_kept_where_little_speaks_against_it() {
    let better = Recipe { rating_x10: Some(45), ..recipe(1, &[Slot::Dinner]) };
    let mut problem = dinners(1, vec![better, recipe(2, &[Slot::Dinner])]);
    assert_eq!(dish_at(&solve(&problem).unwrap(), at(0, Slot::Dinner)), Some(id(1)));
    problem.previous = vec![PreviousMeal { at: at(0, Slot::Dinner), recipe: id(2) }];
    assert_eq!(dish_at(&solve(&problem).unwrap(), at(0, Slot::Dinner)), Some(id(2)));
}

#[test]
fn the_objective_is_what_its_formulas_say() {
    let mut problem = dinners(1, vec![recipe(1, &[Slot::Dinner])]);
    problem.foods = vec![Food { cents_per_kg: Some(500), ..Food::default() }, Food::default()];
    problem.recipes[0].ingredients = vec![Ingredient { food: 0, mg: 200_000 }];
    problem.pantry = vec![
        PantryLot { food: 0, mg: 50_000, expires: None },
        PantryLot { food: 1, mg: 300_000, expires: Some(date(0)) },
    ];
    (problem.rules.portions, problem.rules.budget_cents) = (vec![100], Some(50));
    let expected = Terms {
        // Dinner carries 37 %: 103 kcal short of 703 at 1000 each, 1.1 g fibre short of 11.1 at 16 666 each.
        nutrition: 103_000 + 18_332,
        rating: 10_000,
        effort: 20 * 500,
        // 150 g at 5 a kilogram is 0.75, 0.25 above the budget.
        money: 7_500,
        over_budget: 10_000,
        items: 5_000,
        waste: 45_000,
        ..Terms::default()
    };
    assert_eq!(solve(&problem).unwrap().terms, expected);
}

#[test]
fn bad_problems_are_refused_with_a_pointer_each() {
    let pointers = |problem: &Problem| -> Vec<String> {
        problem.check().unwrap_err().into_iter().map(|invalid| invalid.pointer).collect()
    };
    let none = Problem::new(vec![], vec![], vec![], vec![]);
    assert_eq!(pointers(&none), ["/days", "/eaters", "/recipes"]);
    assert_eq!(pointers(&dinners(29, vec![recipe(1, &[Slot::Dinner])])), ["/days"]);

    let mut odd = dinners(1, vec![recipe(1, &[Slot::Dinner])]);
    odd.eaters[0].goals[2] = Some(Goal { lo: Some(2), hi: Some(1), reference: i64::MAX, ..Goal::default() });
    odd.recipes[0].nutrients[3] = Some(i64::MAX);
    odd.recipes[0].ingredients = vec![Ingredient { food: 9, mg: -1 }];
    odd.weights.minute = i64::MIN;
    odd.locks = vec![Lock { at: at(0, Slot::Dinner), meal: Meal::Cook { recipe: id(77) }, portions: vec![] }];
    assert_eq!(
        pointers(&odd),
        [
            "/eaters/0/goals/2",
            "/eaters/0/goals/2/reference",
            "/recipes/0/nutrients",
            "/recipes/0/ingredients/0/food",
            "/recipes/0/ingredients/0/mg",
            "/weights",
            "/locks/0/meal/recipe"
        ]
    );
    assert!(solve(&odd).is_err());
}

#[test]
fn the_largest_allowed_numbers_do_not_overflow() {
    let mut problem = household(6, 28, 1);
    problem.moves = 200;
    problem
        .foods
        .iter_mut()
        .for_each(|food| (food.cents_per_kg, food.staple) = (Some(MAX_CENTS_PER_KG), false));
    for dish in &mut problem.recipes {
        dish.slots = SlotMask::ALL;
        (dish.nutrients, dish.minutes) = ([Some(MAX_NUTRIENT); NUTRIENTS], MAX_MINUTES);
        dish.ingredients =
            (0..MAX_INGREDIENTS).map(|i| Ingredient { food: i as u32 % 3, mg: MAX_MASS }).collect();
    }
    problem.pantry =
        (0..3).map(|food| PantryLot { food, mg: MAX_MASS * 1000, expires: Some(date(2)) }).collect();
    let goal = Goal { hi: Some(0), max: Some(0), reference: 1, importance: 100, ..Goal::default() };
    let glutton = |i: u128| Eater { goals: [Some(goal); NUTRIENTS], portion_pct: 300, ..eater(i, "Ann") };
    problem.eaters = (0..MAX_EATERS as u128).map(glutton).collect();
    (problem.rules.portions, problem.unit) = (vec![100, 200], 1);
    problem.rules.repeat_gap_main_days = 0;
    problem.rules.repeat_gap_other_days = 0;
    let w = &mut problem.weights;
    (w.money, w.over_budget, w.waste_money, w.empty) = (MAX_WEIGHT, MAX_WEIGHT, MAX_WEIGHT, MAX_EMPTY_WEIGHT);
    let solution = solve(&problem).unwrap();
    explain(&problem, &solution).unwrap();
}
