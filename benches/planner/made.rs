//! Made-up weeks: dishes of a few foods each, with amounts that hang together.

use meal_planner::domain::planning::search::{
    Day, Eater, Food, Goal, Kind, Kinds, Lot, Meal, Needs, POINT, Problem, Recipe, Weights,
};

const FOODS: u32 = 120;

struct Chance(u64);

impl Chance {
    /// From 0 on, below `n`.
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(n.max(1))).unwrap_or(0)
    }

    fn between(&mut self, least: i32, most: i32) -> i32 {
        least + i32::try_from(self.below(u32::try_from(most - least + 1).unwrap_or(1))).unwrap_or(0)
    }
}

/// A week of four meals a day for so many people.
pub(crate) fn problem(recipes: usize, people: u32, seed: u64) -> Problem {
    let mut chance = Chance(seed);
    let foods =
        (0..FOODS).map(|n| Food { price: Some(chance.between(10, 160)), staple: n % 10 == 0 }).collect();
    let recipes = (0..recipes).map(|n| recipe(n, &mut chance)).collect();
    let meal = |kind: Kind, day: u32| Meal {
        kind,
        max_minutes: Some(if day >= 5 { 90 } else { 35 }),
        eaters: (0..people).collect(),
        guests: Vec::new(),
        forbidden_tags: 0,
        required_tags: 0,
    };
    Problem {
        days: (0..7).map(|day| Day { meals: Kind::ALL.map(|kind| meal(kind, day)).to_vec() }).collect(),
        eaters: (0..people).map(|n| eater(if n % 2 == 0 { 100 } else { 125 })).collect(),
        pantry: (1..9)
            .map(|n| Lot { food: n * 7, mass: 300, last_day: Some(i32::try_from(n % 5).unwrap_or(0)) })
            .collect(),
        foods,
        recipes,
        weights: Weights { item: POINT / 2, ..Weights::default() },
        budget: Some(i64::from(people) * 60 * POINT),
        ..Problem::default()
    }
}

fn recipe(n: usize, chance: &mut Chance) -> Recipe {
    let kinds =
        [&[Kind::Breakfast][..], &[Kind::Lunch, Kind::Dinner], &[Kind::Lunch, Kind::Dinner], &[Kind::Snack]];
    let kind = kinds[n % kinds.len()];
    let kcal = if kind == [Kind::Snack] { chance.between(90, 260) } else { chance.between(280, 820) };
    let share = |chance: &mut Chance, least: i32, most: i32| kcal * chance.between(least, most) / 100;
    let mut foods: Vec<(u32, i32)> = (0..5).map(|_| (chance.below(FOODS), chance.between(20, 250))).collect();
    foods.sort_unstable();
    foods.dedup_by_key(|(food, _)| *food);
    Recipe {
        kinds: Kinds::of(kind),
        minutes: Some(5 * chance.below(14)),
        allergens_complete: true,
        nutrients: [
            Some(kcal),
            Some(share(chance, 25, 75)),
            Some(share(chance, 70, 150)),
            Some(share(chance, 20, 55)),
            Some(share(chance, 5, 22)),
            Some(share(chance, 5, 25)),
            Some(share(chance, 2, 12)),
            Some(share(chance, 4, 16)),
        ],
        coverage_permille: 1000,
        foods,
        leftover_days: u8::try_from(chance.below(4)).unwrap_or(0),
        rating_x10: Some(u8::try_from(chance.between(20, 50)).unwrap_or(30)),
        cuisine: u16::try_from(chance.below(12)).ok(),
        protein: u16::try_from(chance.below(8)).ok(),
        ..Recipe::default()
    }
}

fn eater(percent: u16) -> Eater {
    let around = |amount: i32, importance: i32| {
        let amount = amount * i32::from(percent) / 100;
        let part = |share: i32| Some(amount * share / 100);
        Some(Goal {
            lo: part(95),
            hi: part(105),
            min: part(85),
            max: part(120),
            reference: amount,
            importance,
        })
    };
    let upto = |amount: i32, importance: i32| {
        Some(Goal {
            hi: Some(amount),
            max: Some(amount * 13 / 10),
            reference: amount,
            importance,
            ..Goal::default()
        })
    };
    Eater {
        goals: [
            around(2100, 20),
            around(1000, 10),
            around(2400, 5),
            around(720, 5),
            upto(230, 3),
            around(300, 5),
            upto(260, 3),
            upto(230, 5),
        ],
        portions: vec![percent],
        needs: Needs::default(),
    }
}
