//! Building a plan meal by meal, and improving one until no single change helps.

use super::problem::PORTIONS;
use super::state::State;
use super::table::NONE;

/// What may stand at a meal: a recipe cooked there, or what is left of an earlier meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serve {
    Cook(u32),
    Reuse(usize),
}

impl State<'_> {
    /// Tries a dish at a meal; `false` leaves the plan as it was.
    pub(super) fn try_dish(&mut self, meal: usize, dish: Serve) -> bool {
        let mark = self.mark();
        let done = match dish {
            Serve::Cook(recipe) => self.cook(meal, recipe),
            Serve::Reuse(cook) => self.reuse(meal, cook),
        };
        if !done {
            self.undo_to(mark);
        }
        done
    }

    /// Everything that the rules for single meals leave at a meal.
    fn dishes(&self, meal: usize) -> impl Iterator<Item = Serve> + use<> {
        let recipes: Vec<u32> = self.table.meals[meal].cook.clone();
        let cooks = (0..meal).rev().filter(|&m| self.may_reuse(meal, m)).collect::<Vec<_>>();
        recipes.into_iter().map(Serve::Cook).chain(cooks.into_iter().map(Serve::Reuse))
    }

    /// The best dish for a meal, if it beats what stands there; returns the plans tried.
    fn improve_dish(&mut self, meal: usize) -> u64 {
        let (start, mark) = (self.objective(), self.mark());
        let (mut best, mut tried) = (None, 0);
        for dish in self.dishes(meal) {
            tried += 1;
            if self.try_dish(meal, dish) {
                let objective = self.objective();
                if objective < best.map_or(start, |(value, _)| value) {
                    best = Some((objective, dish));
                }
                self.undo_to(mark);
            }
        }
        if let Some((_, dish)) = best {
            self.try_dish(meal, dish);
        }
        tried
    }

    /// The best portion for everybody at a meal, one after the other; returns the plans tried.
    pub(super) fn improve_portions(&mut self, meal: usize) -> u64 {
        let table = self.table;
        let mut tried = 0;
        for &e in &table.meals[meal].eaters {
            let now = self.plan.portion[meal * table.eaters + e];
            let mut best = (self.objective(), now);
            for portion in (0..PORTIONS.len()).filter_map(|p| u8::try_from(p).ok()) {
                tried += 1;
                let mark = self.mark();
                self.portion(meal, e, portion);
                if self.objective() < best.0 {
                    best = (self.objective(), portion);
                }
                self.undo_to(mark);
            }
            self.portion(meal, e, best.1);
        }
        tried
    }

    /// Fills the open meals in order of days, each with the dish that is best so far.
    pub(super) fn greedy(&mut self) {
        for meal in (0..self.table.meals.len()).filter(|&m| self.table.meals[m].open) {
            if self.plan.recipe[meal] == NONE {
                let (mark, mut best) = (self.mark(), None);
                for dish in self.dishes(meal) {
                    if self.try_dish(meal, dish) {
                        let objective = self.objective();
                        if best.is_none_or(|(value, _)| objective < value) {
                            best = Some((objective, dish));
                        }
                        self.undo_to(mark);
                    }
                }
                if let Some((_, dish)) = best {
                    self.try_dish(meal, dish);
                }
                self.keep();
            }
        }
    }

    /// Better dishes and portions, meal by meal, until none is found or `budget` plans were tried; returns how many.
    pub(super) fn descend(&mut self, budget: u64) -> u64 {
        let mut tried = 0;
        loop {
            let before = self.objective();
            for meal in 0..self.table.meals.len() {
                if self.table.meals[meal].open {
                    tried += self.improve_dish(meal);
                }
                if self.plan.recipe[meal] != NONE {
                    tried += self.improve_portions(meal);
                }
                self.keep();
                if tried >= budget {
                    return tried;
                }
            }
            if self.objective() >= before {
                return tried;
            }
        }
    }
}
