//! Compiling the parts of a problem: positions, dishes, stock, goals scaled to the day.

use super::model::{Band, Dish, Lots, Position};
use super::problem::{Problem, Recipe, Slot, SlotRef};
use chrono::NaiveDate;
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn history(problem: &Problem, recipe_index: &HashMap<Uuid, usize>) -> Vec<Vec<Option<NaiveDate>>> {
    let mut eaten = vec![Vec::new(); problem.recipes.len()];
    for meal in &problem.history {
        if let Some(&recipe) = recipe_index.get(&meal.recipe) {
            eaten[recipe].push(meal.date);
        }
    }
    eaten
}

/// Small numbers for names.
#[derive(Default)]
pub(super) struct Interner(pub(super) HashMap<String, usize>);

impl Interner {
    fn number(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

pub(super) fn dish(
    problem: &Problem,
    recipe: &Recipe,
    cuisines: &mut Interner,
    proteins: &mut Interner,
) -> Dish {
    let (weights, rules) = (&problem.weights, &problem.rules);
    let mut bought: Vec<(usize, i64)> = Vec::new();
    for ingredient in &recipe.ingredients {
        let food = ingredient.food as usize;
        match bought.iter_mut().find(|(known, _)| *known == food) {
            Some((_, mass)) => *mass += ingredient.mg,
            None if !problem.foods[food].staple => bought.push((food, ingredient.mg)),
            None => {}
        }
    }
    let rating = i64::from(recipe.rating_x10.unwrap_or(rules.unrated_x10));
    Dish {
        nutrients: recipe.nutrients.map(|value| value.unwrap_or(0)),
        bought,
        rating: (50 - rating) * weights.rating_star / 10,
        effort: i64::from(recipe.minutes) * weights.minute,
        coverage: (1000 - i64::from(recipe.coverage)) * weights.coverage / 10,
        leftover_days: recipe.leftover_days.into(),
        cuisine: recipe.cuisine.as_deref().map(|name| cuisines.number(name)),
        protein: recipe.protein.as_deref().map(|name| proteins.number(name)),
    }
}

pub(super) fn positions(problem: &Problem, recipe_index: &HashMap<Uuid, usize>) -> Vec<Position> {
    let mut positions = Vec::new();
    for (day, plan) in problem.days.iter().enumerate() {
        for slot in Slot::ALL {
            let at = SlotRef { date: plan.date, slot };
            let Some(planned) = plan.slots[slot.index()].filter(|_| problem.is_planned(at)) else { continue };
            let eats = |e: &usize| {
                problem.eaters[*e].slots.has(slot) && !problem.eaters[*e].away.contains(&plan.date)
            };
            let previous = problem.previous.iter().find(|meal| meal.at == at);
            positions.push(Position {
                at,
                day,
                slot,
                max_minutes: planned.max_minutes,
                eaters: (0..problem.eaters.len()).filter(eats).collect(),
                locked: None,
                fixed: vec![None; problem.eaters.len()],
                candidates: Vec::new(),
                sources: Vec::new(),
                previous: previous.and_then(|meal| recipe_index.get(&meal.recipe).copied()),
            });
        }
    }
    positions
}

pub(super) fn stock(problem: &Problem) -> (Vec<Lots>, Vec<Option<usize>>, usize) {
    let first = problem.days.first().map(|day| day.date);
    let mut lots = vec![Lots::new(); problem.foods.len()];
    for lot in &problem.pantry {
        let food = lot.food as usize;
        let spoilt = lot.expires < first && lot.expires.is_some();
        if !problem.foods[food].staple && !spoilt {
            lots[food].push((
                lot.mg,
                lot.expires.and_then(|last| problem.days.iter().position(|day| day.date == last)),
            ));
        }
    }
    let mut count = 0;
    let stocked = lots
        .iter_mut()
        .map(|lots| {
            lots.sort_by_key(|&(mass, last)| (last.unwrap_or(usize::MAX), mass));
            (!lots.is_empty()).then(|| {
                count += 1;
                count - 1
            })
        })
        .collect();
    (lots, stocked, count)
}

pub(super) fn bands(problem: &Problem, positions: &[Position]) -> Vec<Band> {
    let mut bands = Vec::new();
    for (e, eater) in problem.eaters.iter().enumerate() {
        for day in 0..problem.days.len() {
            let eaten =
                positions.iter().filter(|position| position.day == day && position.eaters.contains(&e));
            let share: i64 = eaten.map(|position| problem.rules.shares[position.slot.index()]).sum();
            let scaled = |bound: Option<i64>, absent| bound.map_or(absent, |value| value * share / 100);
            bands.extend(eater.goals.iter().map(|goal| match goal {
                Some(goal) => Band {
                    lo: scaled(goal.lo, 0),
                    hi: scaled(goal.hi, i64::MAX / 8),
                    min: scaled(goal.min, 0),
                    max: scaled(goal.max, i64::MAX / 8),
                    slope: goal.importance * 100_000 * problem.unit / goal.reference,
                },
                None => Band { lo: 0, hi: i64::MAX / 8, min: 0, max: i64::MAX / 8, slope: 0 },
            }));
        }
    }
    bands
}
