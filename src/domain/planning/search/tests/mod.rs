//! Problems for the tests of the search, and its tests.

mod explained;
mod properties;
mod quality;
mod rules;

use super::*;
use chrono::NaiveDate;
use uuid::Uuid;

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) fn date(day: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + chrono::Days::new(day as u64) // a Monday
}

pub(super) fn at(day: usize, slot: Slot) -> SlotRef {
    SlotRef { date: date(day), slot }
}

pub(super) fn eater(number: u128, name: &str) -> Eater {
    let goal = |lo, hi, reference, importance| {
        Some(Goal { lo: Some(lo), hi: Some(hi), min: Some(lo / 2), max: Some(hi * 2), reference, importance })
    };
    let mut goals = [None; NUTRIENTS];
    goals[0] = goal(1_900_000, 2_100_000, 2_000_000, 20);
    goals[1] = goal(90_000, 130_000, 110_000, 10);
    goals[5] = Some(Goal { lo: Some(30_000), reference: 30_000, importance: 5, ..Goal::default() });
    Eater {
        id: id(number),
        name: name.to_owned(),
        diet: 3,
        allergens: 0,
        excluded_foods: vec![],
        goals,
        portion_pct: 100,
        slots: SlotMask::ALL,
        away: vec![],
    }
}

pub(super) fn recipe(number: u128, slots: &[Slot]) -> Recipe {
    Recipe {
        id: id(number),
        name: format!("dish {number}"),
        servings: 2,
        slots: SlotMask::of(slots),
        minutes: 20,
        allergens: 0,
        allergens_complete: true,
        diet: 0,
        nutrients: [600_000, 35_000, 60_000, 20_000, 6_000, 10_000, 8_000, 500_000].map(Some),
        coverage: 1000,
        ingredients: vec![],
        leftover_days: 0,
        rating_x10: Some(40),
        cuisine: None,
        protein: None,
    }
}

pub(super) fn days(count: usize, slots: &[Slot]) -> Vec<Day> {
    let planned = Slot::ALL.map(|slot| slots.contains(&slot).then(PlannedSlot::default));
    (0..count).map(|day| Day { date: date(day), slots: planned }).collect()
}

/// Dinners only, one eater, these recipes.
pub(super) fn dinners(count: usize, recipes: Vec<Recipe>) -> Problem {
    Problem {
        moves: 5_000,
        ..Problem::new(days(count, &[Slot::Dinner]), vec![eater(1, "Ann")], recipes, vec![])
    }
}

/// A household of two with `recipes` made-up but varied recipes, a pantry, prices and busy weekdays.
pub(super) fn household(recipes: usize, day_count: usize, seed: u64) -> Problem {
    let mut rng = rng::Rng::new(seed);
    let mut below = |bound: usize| rng.below(bound);
    let food = |i: usize| Food {
        name: format!("food {i}"),
        cents_per_kg: (i % 5 != 4).then_some(100 + 37 * (i as i64 % 40)),
        staple: i % 11 == 10,
    };
    let foods: Vec<Food> = (0..60).map(food).collect();
    let cuisines = ["thai", "italian", "local", "indian"];
    let proteins = ["poultry", "beef", "fish", "legumes"];
    let mut list = Vec::new();
    for i in 0..recipes {
        let slots: &[Slot] = match i % 4 {
            0 => &[Slot::Breakfast],
            1 => &[Slot::Lunch, Slot::Dinner],
            2 => &[Slot::Dinner],
            _ => &[Slot::Snack, Slot::Lunch],
        };
        let mut dish = recipe(1000 + i as u128, slots);
        let kcal = 200 + below(700) as i64;
        dish.nutrients[0] = Some(kcal * 1000);
        dish.nutrients[1] = Some(kcal * (20 + below(80) as i64));
        dish.nutrients[5] = (below(10) > 0).then_some(1000 * below(15) as i64);
        dish.minutes = 5 + below(60) as u32;
        dish.leftover_days = below(5) as u8;
        dish.rating_x10 = (below(3) > 0).then_some(10 + below(41) as u8);
        dish.coverage = 1000 - below(200) as u16;
        dish.diet = below(4) as u8;
        dish.allergens = 1 << below(6);
        dish.allergens_complete = below(8) > 0;
        dish.cuisine = Some(cuisines[below(4)].to_owned());
        dish.protein = (below(5) > 0).then(|| proteins[below(4)].to_owned());
        let parts = 3 + below(7);
        dish.ingredients = (0..parts)
            .map(|_| Ingredient { food: below(60) as u32, mg: 20_000 + below(150_000) as i64 })
            .collect();
        list.push(dish);
    }
    let mut planned = days(day_count, &Slot::ALL);
    for day in planned.iter_mut().take(5) {
        day.slots[2] = Some(PlannedSlot { max_minutes: Some(40) });
    }
    let mut bob = eater(2, "Bob");
    bob.allergens = 1;
    bob.portion_pct = 130;
    let mut problem = Problem::new(planned, vec![eater(1, "Ann"), bob], list, foods);
    problem.rules.budget_cents = Some(4_000);
    problem.pantry = (0..6)
        .map(|i| PantryLot {
            food: (i * 7) as u32,
            mg: 100_000 * (i as i64 + 1),
            expires: (i % 3 != 0).then(|| date(i)),
        })
        .collect();
    problem.seed = seed;
    problem
}

/// The dish of a slot, if any.
pub(super) fn dish_at(solution: &Solution, wanted: SlotRef) -> Option<Uuid> {
    let planned = solution.meals.iter().find(|planned| planned.at == wanted)?;
    match planned.meal {
        Meal::Cook { recipe } | Meal::Leftover { recipe, .. } => Some(recipe),
        Meal::Empty => None,
    }
}
