//! Random small problems in which every feature occurs.

use crate::domain::planning::search::rng::Rng;
use crate::domain::planning::search::*;

/// A problem that `check` accepts.
pub(super) fn random_problem(seed: u64) -> Problem {
    let rng = &mut Rng::new(seed, 77);
    let eaters = 1 + rng.below(3);
    let foods: Vec<Food> = (0..12)
        .map(|_| Food { price: (rng.below(8) > 0).then(|| int(rng, 200)), staple: rng.below(10) == 0 })
        .collect();
    let recipes: Vec<Recipe> = (0..rng.below(25)).map(|_| recipe(rng, foods.len())).collect();
    let days: Vec<Day> = (0..1 + rng.below(5)).map(|_| day(rng, eaters)).collect();
    let mut problem = Problem {
        eaters: (0..eaters).map(|_| eater(rng)).collect(),
        pantry: (0..rng.below(6)).map(|_| lot(rng, foods.len())).collect(),
        quotas: (0..rng.below(3)).map(|_| quota(rng, days.len())).collect(),
        household: needs(rng),
        rules: rules(rng),
        weights: weights(rng),
        budget: (rng.below(2) == 0).then(|| i64::from(int(rng, 500_000))),
        eaten: recipes.iter().take(2).enumerate().map(|(r, _)| eaten(rng, r)).collect(),
        days,
        foods,
        recipes,
        ..Problem::default()
    };
    add_locks(rng, &mut problem);
    problem
}

/// Much to choose from, and few rules against it.
pub(super) fn large_problem(seed: u64, recipes: usize) -> Problem {
    let rng = &mut Rng::new(seed, 78);
    let mut problem = random_problem(seed);
    problem.locks.clear();
    problem.household = Needs::default();
    problem.recipes = (0..recipes).map(|_| recipe(rng, problem.foods.len())).collect();
    for meal in problem.days.iter_mut().flat_map(|day| &mut day.meals) {
        (meal.max_minutes, meal.required_tags) = (None, 0);
    }
    problem.eaters.iter_mut().for_each(|eater| eater.needs = Needs::default());
    problem
}

fn int(rng: &mut Rng, most: usize) -> i32 {
    i32::try_from(rng.below(most + 1)).unwrap()
}

fn tags(rng: &mut Rng) -> u64 {
    rng.next() & rng.next() & 0b1111
}

fn kinds(rng: &mut Rng) -> Kinds {
    Kind::ALL.into_iter().filter(|_| rng.below(3) > 0).fold(Kinds::NONE, Kinds::with)
}

fn needs(rng: &mut Rng) -> Needs {
    Needs {
        allergens: if rng.below(4) == 0 { tags(rng) } else { 0 },
        diet: if rng.below(5) == 0 { 1 } else { 3 },
        excluded_foods: (rng.below(4) == 0)
            .then(|| u32::try_from(rng.below(12)).unwrap())
            .into_iter()
            .collect(),
    }
}

fn recipe(rng: &mut Rng, foods: usize) -> Recipe {
    let mut list: Vec<(u32, i32)> =
        (0..rng.below(6)).map(|_| (u32::try_from(rng.below(foods)).unwrap(), int(rng, 300))).collect();
    list.sort_unstable();
    list.dedup_by_key(|(food, _)| *food);
    Recipe {
        kinds: kinds(rng),
        minutes: (rng.below(8) > 0).then(|| u32::try_from(rng.below(60)).unwrap()),
        allergens: tags(rng) & tags(rng),
        allergens_complete: rng.below(6) > 0,
        diet: u8::try_from(rng.below(4)).unwrap(),
        nutrients: std::array::from_fn(|_| (rng.below(8) > 0).then(|| int(rng, 900))),
        coverage_permille: 1000 - u16::try_from(rng.below(400)).unwrap(),
        foods: list,
        leftover_days: u8::try_from(rng.below(4)).unwrap(),
        rating_x10: (rng.below(4) > 0).then(|| 10 + u8::try_from(rng.below(41)).unwrap()),
        cuisine: (rng.below(4) > 0).then(|| u16::try_from(rng.below(3)).unwrap()),
        protein: (rng.below(4) > 0).then(|| u16::try_from(rng.below(3)).unwrap()),
        tags: tags(rng),
        preference: int(rng, 20_000) - 10_000,
    }
}

fn day(rng: &mut Rng, eaters: usize) -> Day {
    let kinds = Kind::ALL.into_iter().filter(|_| rng.below(5) > 0).collect::<Vec<_>>();
    let meals = kinds.into_iter().map(|kind| Meal {
        kind,
        max_minutes: (rng.below(3) == 0).then(|| 30 + u32::try_from(rng.below(30)).unwrap()),
        eaters: (0..u32::try_from(eaters).unwrap()).filter(|_| rng.below(6) > 0).collect(),
        guests: (0..rng.below(3) / 2).map(|_| Guest { percent: 130, needs: needs(rng) }).collect(),
        forbidden_tags: if rng.below(6) == 0 { 1 } else { 0 },
        required_tags: if rng.below(8) == 0 { 6 } else { 0 },
    });
    Day { meals: meals.collect() }
}

fn eater(rng: &mut Rng) -> Eater {
    let goal = |rng: &mut Rng| {
        let mut at = [int(rng, 2000), int(rng, 2000), int(rng, 2000), int(rng, 2000)];
        at.sort_unstable();
        let mut some = |amount: i32| (rng.below(3) > 0).then_some(amount);
        let (min, lo, hi, max) = (some(at[0]), some(at[1]), some(at[2]), some(at[3]));
        Goal { lo, hi, min, max, reference: at[3].max(100), importance: int(rng, 20) }
    };
    Eater {
        goals: std::array::from_fn(|_| (rng.below(4) > 0).then(|| goal(rng))),
        portions: match rng.below(3) {
            0 => vec![100],
            1 => vec![75, 100, 125, 150],
            _ => vec![30, 45],
        },
        needs: needs(rng),
    }
}

fn lot(rng: &mut Rng, foods: usize) -> Lot {
    let last_day = (rng.below(3) > 0).then(|| int(rng, 6) - 1);
    Lot { food: u32::try_from(rng.below(foods)).unwrap(), mass: int(rng, 600), last_day }
}

fn quota(rng: &mut Rng, days: usize) -> Quota {
    let first_day = u32::try_from(rng.below(days)).unwrap();
    Quota {
        tags: 1 << rng.below(4),
        kinds: kinds(rng),
        first_day,
        last_day: u32::try_from(days).unwrap() - 1,
        least: 1,
        most: 2,
        price_missing: 30_000,
        price_excess: 10_000,
    }
}

fn eaten(rng: &mut Rng, recipe: usize) -> Eaten {
    let days_before = (rng.below(3) > 0).then(|| 1 + u32::try_from(rng.below(5)).unwrap());
    Eaten { recipe: u32::try_from(recipe).unwrap(), days_before }
}

fn rules(rng: &mut Rng) -> Rules {
    Rules {
        repeat_gap_main_days: u32::try_from(rng.below(5)).unwrap(),
        repeat_gap_other_days: u32::try_from(rng.below(3)).unwrap(),
        leftover_uses: u8::try_from(rng.below(4)).unwrap(),
        leftover_from: kinds(rng),
        leftover_into: kinds(rng),
        leftover_must_suit: rng.below(2) == 0,
        leftover_cap: u32::try_from(rng.below(4)).unwrap(),
        cuisine_cap: 1,
        protein_cap: 1,
        cap_days: u32::try_from(rng.below(3)).unwrap(),
        min_coverage_permille: if rng.below(4) == 0 { 700 } else { 0 },
        ..Rules::default()
    }
}

fn weights(rng: &mut Rng) -> Weights {
    Weights {
        leftover: i64::from(int(rng, 20_000) - 10_000),
        leftover_excess: 7_000,
        coverage: 300,
        unknown: 150,
        unpriced: 900,
        portion: 1_100,
        repeat: 2_500,
        change: 6_000,
        empty: 1_000_000,
        ..Weights::default()
    }
}

fn add_locks(rng: &mut Rng, problem: &mut Problem) {
    let recipes = problem.recipes.len();
    for day in 0..problem.days.len() {
        for meal in 0..problem.days[day].meals.len() {
            let (at, kind) = (u32::try_from(day).unwrap(), problem.days[day].meals[meal].kind);
            let recipe = (recipes > 0).then(|| u32::try_from(rng.below(recipes)).unwrap());
            if rng.below(3) == 0 {
                problem.current.push(Current { day: at, kind, recipe });
            }
            let dish = match (rng.below(12), recipe) {
                (0, _) => Locked::Empty,
                (1, Some(recipe)) => Locked::Recipe(recipe),
                _ => continue,
            };
            let portions = if rng.below(2) == 0 { vec![(0, 110)] } else { Vec::new() };
            problem.locks.push(Lock { day: at, kind, dish, portions });
        }
    }
}
