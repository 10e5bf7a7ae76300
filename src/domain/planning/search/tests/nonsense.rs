//! Problems that make no sense get a clear answer.

use super::problems::random_problem;
use super::{effort, solved};
use crate::domain::planning::search::*;

fn meal(kind: Kind) -> Meal {
    Meal { kind, max_minutes: None, eaters: vec![0], guests: Vec::new(), forbidden_tags: 0, required_tags: 0 }
}

fn week(recipes: Vec<Recipe>) -> Problem {
    let goal = Goal { lo: Some(1900), hi: Some(2100), reference: 2000, importance: 20, ..Goal::default() };
    let mut goals = [None; NUTRIENTS];
    goals[0] = Some(goal);
    Problem {
        days: vec![Day { meals: Kind::ALL.map(meal).to_vec() }; 7],
        eaters: vec![Eater { goals, portions: vec![75, 100, 125, 150], needs: Needs::default() }],
        recipes,
        foods: vec![Food { price: Some(10), staple: false }; 3],
        ..Problem::default()
    }
}

fn recipe(kinds: Kinds) -> Recipe {
    Recipe {
        kinds,
        minutes: Some(20),
        allergens_complete: true,
        nutrients: [Some(500); NUTRIENTS],
        coverage_permille: 1000,
        foods: vec![(0, 100), (1, 50)],
        leftover_days: 2,
        rating_x10: Some(40),
        ..Recipe::default()
    }
}

fn fault(problem: &Problem) -> Fault {
    check(problem).unwrap_err()
}

#[test]
fn no_recipes_leave_every_meal_empty() {
    let problem = week(Vec::new());
    assert_eq!(check(&problem), Ok(()));
    let table = compile(&problem);
    let found = solved(&table, None, &effort(5_000));
    assert!(found.plan.choices.iter().all(|choice| *choice == Choice::Empty));
    assert_eq!(found.terms.empty, 28 * problem.weights.empty);
    assert_eq!(why_empty(&problem, &table, &found.plan, 0), Why::NoRecipes);
    assert!(rank(&table, &found.plan, 0, 5).is_empty());
}

#[test]
fn one_recipe_is_cooked_as_often_as_the_gap_allows() {
    let problem = week(vec![recipe(Kinds::ALL)]);
    let table = compile(&problem);
    let found = solved(&table, None, &effort(20_000));
    assert_eq!(broken(&table, &found.plan), None);
    let cooked = found.plan.choices.iter().filter(|choice| matches!(choice, Choice::Cook(_))).count();
    assert!((1..=3).contains(&cooked), "{cooked}");
    let empty = found.plan.choices.iter().position(|choice| *choice == Choice::Empty).unwrap();
    let why = why_empty(&problem, &table, &found.plan, empty);
    let relax = vec![(vec![Rule::Repeated], 1)];
    assert_eq!(why, Why::Rules { broken: vec![(Rule::Repeated, 1)], relax });
}

#[test]
fn all_locked_is_what_was_locked() {
    let mut problem = week(vec![recipe(Kinds::NONE)]);
    for day in 0..7 {
        for kind in Kind::ALL {
            let dish = if kind == Kind::Snack { Locked::Empty } else { Locked::Recipe(0) };
            problem.locks.push(Lock { day, kind, dish, portions: vec![(0, 130)] });
        }
    }
    assert_eq!(check(&problem), Ok(()));
    let table = compile(&problem);
    let found = solved(&table, None, &effort(5_000));
    assert_eq!(broken(&table, &found.plan), None);
    assert_eq!(found.terms.empty, 0);
    // 92 % of the goal without the snack, three portions of 650.
    assert_eq!(eaten(&table, &found.plan)[0][0], 1950);
    assert_eq!(table.bands[0].lo[0], 1900 * 92 / 100);
}

#[test]
fn leftovers_may_be_locked_to_a_locked_cooking() {
    let mut problem = week(vec![recipe(Kinds::ALL)]);
    let of = Locked::LeftoverOf { day: 0, kind: Kind::Dinner };
    problem.locks.push(Lock { day: 1, kind: Kind::Lunch, dish: of, portions: Vec::new() });
    assert_eq!(fault(&problem).pointer, "/locks/0");
    problem.locks.push(Lock { day: 0, kind: Kind::Dinner, dish: Locked::Recipe(0), portions: Vec::new() });
    assert_eq!(check(&problem), Ok(()));
    let table = compile(&problem);
    let found = solved(&table, None, &effort(2_000));
    assert_eq!(broken(&table, &found.plan), None);
    assert_eq!(found.plan.choices[5], Choice::Leftover(2));
}

#[test]
fn nobody_at_home_plans_nothing() {
    let mut problem = week(vec![recipe(Kinds::ALL)]);
    problem.days.truncate(1);
    problem.days[0].meals.iter_mut().for_each(|meal| meal.eaters.clear());
    let table = compile(&problem);
    let found = solved(&table, None, &effort(1_000));
    assert_eq!(found.objective, 0);
    assert_eq!(why_empty(&problem, &table, &found.plan, 0), Why::NobodyEats);
}

#[test]
fn ten_thousand_recipes_none_of_which_is_allowed() {
    let mut problem = week(vec![Recipe { allergens: 1, minutes: Some(90), ..recipe(Kinds::ALL) }; 10_000]);
    problem.household.allergens = 1;
    let table = compile(&problem);
    let found = solved(&table, None, &effort(5_000));
    assert!(found.plan.choices.iter().all(|choice| *choice == Choice::Empty));
    let why = why_empty(&problem, &table, &found.plan, 0);
    assert_eq!(why, Why::Rules { broken: vec![(Rule::Allergens, 10_000)], relax: Vec::new() });
}

#[test]
fn two_rules_that_only_together_keep_all_out_are_named_as_a_pair() {
    let mut problem = week(vec![Recipe { diet: 3, minutes: Some(90), ..recipe(Kinds::ALL) }]);
    problem.household.diet = 0;
    problem.days[0].meals[0].max_minutes = Some(10);
    let table = compile(&problem);
    let found = solved(&table, None, &effort(1_000));
    let Why::Rules { relax, .. } = why_empty(&problem, &table, &found.plan, 0) else { panic!("not empty") };
    assert_eq!(relax, [(vec![Rule::Minutes, Rule::Diet], 1)]);
}

#[test]
fn days_and_eaters_are_counted() {
    let mut problem = week(Vec::new());
    problem.days.clear();
    assert_eq!(fault(&problem).pointer, "/days");
    problem = week(Vec::new());
    problem.days = vec![Day::default(); 29];
    assert_eq!(fault(&problem).message, "there are 29 days");
    problem = week(Vec::new());
    problem.eaters.clear();
    assert_eq!(fault(&problem).pointer, "/eaters");
    problem = week(Vec::new());
    problem.days[3].meals.push(meal(Kind::Lunch));
    assert_eq!(fault(&problem).pointer, "/days/3/meals/4");
}

#[test]
fn a_goal_that_contradicts_itself_is_refused() {
    let mut problem = week(Vec::new());
    let goal = Goal { lo: Some(10), hi: Some(5), reference: 10, importance: 1, ..Goal::default() };
    problem.eaters[0].goals[3] = Some(goal);
    assert_eq!(fault(&problem).pointer, "/eaters/0/goals/3");
}

#[test]
fn amounts_that_overflow_are_refused_wherever_they_stand() {
    let spoil: [fn(&mut Problem); 10] = [
        |p| p.recipes[0].nutrients[2] = Some(i32::MAX),
        |p| p.recipes[0].foods[0].1 = -1,
        |p| p.recipes[0].foods[0].0 = 3,
        |p| p.recipes[0].foods[1].0 = 0,
        |p| p.foods[0].price = Some(i32::MIN),
        |p| p.eaters[0].portions = vec![u16::MAX],
        |p| p.weights.item = i64::MAX,
        |p| p.weights.empty = -1,
        |p| p.budget = Some(i64::MAX),
        |p| {
            p.eaters[0].goals[0] =
                Some(Goal { reference: 1, importance: 1000, lo: Some(1), ..Goal::default() })
        },
    ];
    for (i, spoil) in spoil.iter().enumerate() {
        let mut problem = week(vec![recipe(Kinds::ALL)]);
        spoil(&mut problem);
        assert!(check(&problem).is_err(), "{i}");
    }
    let mut problem = week(vec![recipe(Kinds::ALL)]);
    problem.recipes[0].foods[0].1 = i32::MAX;
    problem.foods[0].price = Some(i32::MAX);
    assert_eq!(fault(&problem).pointer, "/foods");
}

#[test]
fn the_largest_amounts_that_are_accepted_do_not_overflow() {
    for seed in 0..20 {
        let mut problem = random_problem(seed);
        for recipe in &mut problem.recipes {
            recipe.nutrients = [Some(MAX_AMOUNT); NUTRIENTS];
            recipe.foods.iter_mut().for_each(|(_, mass)| *mass = 1_000_000);
            recipe.preference = 1_000_000_000;
        }
        problem.foods.iter_mut().for_each(|food| food.price = Some(200));
        problem.eaters.iter_mut().for_each(|eater| eater.portions = vec![MAX_PORTION]);
        problem.weights.minute = MAX_WEIGHT;
        problem.weights.item = MAX_WEIGHT;
        assert_eq!(check(&problem), Ok(()), "{seed}");
        let table = compile(&problem);
        let found = solved(&table, None, &effort(2_000));
        assert_eq!(broken(&table, &found.plan), None);
    }
}
