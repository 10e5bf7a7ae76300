//! Made-up problems of any size, the same for the same seed, and the hard rules written down a second time.

use super::super::rng::Rng;
use super::super::*;
use crate::domain::diet::{Allergen, Diet};
use crate::domain::recipes::slots::MealSlot;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Kcal, protein, carbs, fat, saturated fat, fibre, sugar, sodium of a day, in thousandths.
const DAY: [i64; 8] = [2_000_000, 90_000, 230_000, 75_000, 18_000, 30_000, 50_000, 2_000_000];

pub(super) fn day(number: u64, meals: &[(MealSlot, Option<u32>)]) -> Day {
    let first = NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
    Day {
        date: first.checked_add_days(Days::new(number)).unwrap(),
        meals: meals.iter().map(|&(slot, max_minutes)| Meal { slot, max_minutes }).collect(),
    }
}

pub(super) fn eater(name: &str) -> Eater {
    let around = |n: usize| {
        let wanted = DAY[n];
        Some(match n {
            0 => Goal {
                min: Some(wanted * 9 / 10),
                low: Some(wanted * 95 / 100),
                high: Some(wanted * 105 / 100),
                max: Some(wanted * 11 / 10),
                importance: 10,
            },
            1 => Goal { min: None, low: Some(wanted), high: None, max: None, importance: 8 },
            4 | 6 | 7 => {
                Goal { min: None, low: None, high: Some(wanted), max: Some(wanted * 3 / 2), importance: 4 }
            }
            _ => Goal {
                min: None,
                low: Some(wanted * 8 / 10),
                high: Some(wanted * 12 / 10),
                max: None,
                importance: 3,
            },
        })
    };
    Eater {
        id: Uuid::nil(),
        name: name.to_owned(),
        diet: Diet::Omnivore,
        allergens: BTreeSet::new(),
        excluded: BTreeSet::new(),
        slots: MealSlot::ALL.into(),
        goals: std::array::from_fn(around),
    }
}

pub(super) fn recipe(name: &str, slots: &[MealSlot]) -> Candidate {
    Candidate {
        id: Uuid::nil(),
        name: name.to_owned(),
        slots: slots.iter().copied().collect(),
        minutes: Some(20),
        allergens: BTreeSet::new(),
        allergens_complete: true,
        diet: Some(Diet::Vegan),
        per_serving: DAY.map(|amount| Some(amount / 3)),
        coverage_permille: 1000,
        foods: Vec::new(),
        leftover_days: 0,
        stars: None,
    }
}

/// `recipes` dishes of many kinds for `days` days of four meals and `eaters` people.
pub(super) fn household(recipes: usize, days: u64, eaters: usize, seed: u64) -> Problem {
    let mut rng = Rng::new(seed);
    let mut dishes = Vec::new();
    for r in 0..recipes {
        let slot = [MealSlot::Breakfast, MealSlot::Lunch, MealSlot::Dinner, MealSlot::Snack][r % 4];
        let also = [MealSlot::Lunch, MealSlot::Dinner][rng.below(2)];
        let mut dish = recipe(
            &format!("Dish {r}"),
            &if r % 4 == 1 || r % 4 == 2 { vec![slot, also] } else { vec![slot] },
        );
        let size = i64::try_from([25, 33, 36, 9][r % 4] + rng.below(15)).unwrap() - 7;
        dish.per_serving = DAY.map(|amount| {
            let varied = amount * size / 100 * i64::try_from(60 + rng.below(81)).unwrap() / 100;
            (rng.below(40) != 0).then_some(varied)
        });
        dish.minutes = (rng.below(12) != 0).then(|| u32::try_from(5 + rng.below(50)).unwrap());
        dish.allergens = Allergen::ALL.into_iter().filter(|_| rng.below(12) == 0).collect();
        dish.allergens_complete = rng.below(10) != 0;
        dish.diet = [Some(Diet::Vegan), Some(Diet::Vegetarian), Some(Diet::Omnivore), None][rng.below(4)];
        dish.coverage_permille = u16::try_from(700 + rng.below(301)).unwrap();
        dish.foods = (0..3 + rng.below(7))
            .map(|_| (rng.below(90), i64::try_from(rng.below(300_000)).unwrap()))
            .collect();
        dish.leftover_days = u32::try_from(rng.below(4)).unwrap();
        dish.stars = (rng.below(3) != 0).then(|| u8::try_from(1 + rng.below(5)).unwrap());
        dishes.push(dish);
    }
    let limits = |d: u64| MealSlot::ALL.map(|slot| (slot, (d % 7 < 5).then_some(40)));
    Problem {
        days: (0..days).map(|d| day(d, &limits(d))).collect(),
        eaters: (0..eaters).map(|e| eater(["Ann", "Ben", "Cem", "Dee"][e % 4])).collect(),
        recipes: dishes,
        foods: 90,
        locks: Vec::new(),
        eaten: Vec::new(),
        repeat_gap_days: 2,
        min_coverage_permille: 750,
        weights: Weights::default(),
        seed,
        moves: 2_000,
    }
}

/// The hard rules once more, from the words of the domain; the name of the first one broken.
pub(super) fn broken(problem: &Problem, solution: &Solution) -> Option<String> {
    let meals: Vec<(usize, &Meal)> = problem
        .days
        .iter()
        .enumerate()
        .flat_map(|(d, day)| day.meals.iter().map(move |meal| (d, meal)))
        .collect();
    if meals.len() != solution.meals.len() {
        return Some("one planned meal for each meal".to_owned());
    }
    let mut cooked: Vec<(usize, usize, bool)> = Vec::new();
    for (m, (&(d, meal), planned)) in meals.iter().zip(&solution.meals).enumerate() {
        let wrong = |rule: &str| Some(format!("{rule} at meal {m}: {planned:?}"));
        let lock = problem.locks.iter().find(|lock| (lock.day, lock.slot) == (d, meal.slot));
        let (recipe, of) = match &planned.dish {
            Dish::Cook { recipe, .. } => (*recipe, None),
            Dish::Leftover { recipe, of } => (*recipe, Some(*of)),
            Dish::Empty { why } if why.is_empty() => return wrong("a reason"),
            Dish::Empty { .. } if lock.is_some_and(|lock| lock.recipe.is_some()) => return wrong("lock"),
            Dish::Empty { .. } => continue,
        };
        if planned.reasons.is_empty() || planned.reasons.len() > 3 {
            return wrong("one to three reasons");
        }
        if of.is_none() {
            cooked.push((d, recipe, lock.is_some()));
        }
        if let Some(lock) = lock {
            if lock.recipe != Some(recipe) || of.is_some() {
                return wrong("lock");
            }
            continue;
        }
        let dish = &problem.recipes[recipe];
        for eater in problem.eaters.iter().filter(|eater| eater.slots.contains(&meal.slot)) {
            let allergic =
                eater.allergens.iter().any(|a| !dish.allergens_complete || dish.allergens.contains(a));
            let diet = dish.diet.map_or(eater.diet == Diet::Omnivore, |diet| eater.diet.allows(diet));
            if allergic || !diet || dish.foods.iter().any(|(food, _)| eater.excluded.contains(food)) {
                return wrong("allergens, diet and excluded foods");
            }
        }
        if !dish.slots.contains(&meal.slot) || dish.coverage_permille < problem.min_coverage_permille {
            return wrong("slot and coverage");
        }
        if let Some(of) = of {
            let Dish::Cook { recipe: source, .. } = solution.meals[of].dish else { return wrong("a cook") };
            let days = d - solution.meals[of].day;
            let again =
                solution.meals.iter().filter(|p| matches!(p.dish, Dish::Leftover { of: o, .. } if o == of));
            if source != recipe || days == 0 || days > dish.leftover_days as usize || again.count() > 2 {
                return wrong("shelf life");
            }
        } else if meal.max_minutes.is_some_and(|limit| dish.minutes.is_none_or(|minutes| minutes > limit)) {
            return wrong("minutes");
        }
        let gap = problem.repeat_gap_days as usize;
        let lately = |e: &Eaten| e.recipe == recipe && e.days_before as usize + d <= gap;
        if of.is_none() && gap > 0 && problem.eaten.iter().any(lately) {
            return wrong("eaten lately");
        }
    }
    for (i, &(d, r, locked)) in cooked.iter().enumerate() {
        let close = |&&(e, s, also): &&(usize, usize, bool)| {
            s == r && !(locked && also) && e.abs_diff(d) <= problem.repeat_gap_days as usize
        };
        if problem.repeat_gap_days > 0 && cooked[..i].iter().any(|other| close(&other)) {
            return Some(format!("repeat gap of recipe {r} on day {d}"));
        }
    }
    None
}
