//! Random plans of a model.

use super::objective::{Dish, Plan, value};
use crate::domain::planning::search::bound::model::{Model, SLOTS};

/// A small generator, so that the lab needs no crate for it.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from((u128::from(self.next()) * n as u128) >> 64).unwrap()
    }
}

/// A random feasible plan, if a few tries find one.
pub(super) fn random(m: &Model, rng: &mut Rng) -> Option<Plan> {
    for _ in 0..1000 {
        let plan: Plan = (0..m.days * SLOTS).map(|at| pick(m, at, rng)).collect();
        if value(m, &plan).is_some() {
            return Some(plan);
        }
    }
    None
}

fn pick(m: &Model, at: usize, rng: &mut Rng) -> Dish {
    let meal = &m.meals[at];
    if !meal.planned {
        return Dish::None;
    }
    if !meal.leftovers_of.is_empty() && rng.below(4) == 0 {
        return Dish::Again(meal.leftovers_of[rng.below(meal.leftovers_of.len())]);
    }
    if meal.choices.is_empty() {
        return meal.leftovers_of.first().map_or(Dish::None, |&c| Dish::Again(c));
    }
    Dish::Cook(meal.choices[rng.below(meal.choices.len())].0)
}
