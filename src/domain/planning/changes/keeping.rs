//! What stays when a meal changes: leftovers that go with their meal, locks, wishes of before.

use super::Draft;
use crate::domain::context::Rejection;
use crate::domain::planning::compare::{at, left_of};
use crate::domain::planning::decisions::lock;
use crate::domain::planning::messages::{GenerateMealPlan, SlotRef};
use crate::domain::planning::plan::{Dish, Meal};
use crate::domain::planning::problem::LEFTOVER_DAYS;
use crate::domain::planning::rules::kind;
use crate::domain::planning::search::Locked;
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;

impl<'f> Draft<'f> {
    /// What was left of a meal is left of the one that stands at `now`, where it may be.
    pub(super) fn follow(&mut self, from: SlotRef, now: SlotRef, recipe: u32) {
        for meal in &self.plan.meals {
            let follows = left_of(meal) == Some(from);
            if let Some(dish) = self.left(now, at(meal), recipe).filter(|_| follows) {
                lock(&self.book, &mut self.problem, meal.date, meal.slot, dish);
            }
        }
    }

    /// What is left of a recipe cooked at one meal, for another: if it keeps, nobody there must not eat it, and it is not
    /// eaten up.
    pub(super) fn left(&self, cooked: SlotRef, eaten: SlotRef, recipe: u32) -> Option<Locked> {
        let mains = [MealSlot::Lunch, MealSlot::Dinner];
        let day = self.book.day(cooked.date)?;
        let days = self.book.day(eaten.date)?.checked_sub(day)?;
        let keeps = self.book.recipes.get(recipe as usize)?.leftover_days.min(LEFTOVER_DAYS) as usize;
        let day = u32::try_from(day).ok()?;
        let dish = Locked::LeftoverOf { day, kind: kind(cooked.slot) };
        let planned =
            self.problem.days.get(day as usize)?.meals.iter().any(|meal| meal.kind == kind(cooked.slot));
        let fits = (1..=keeps).contains(&days)
            && planned
            && mains.contains(&cooked.slot)
            && mains.contains(&eaten.slot)
            && self.may_eat(eaten.date, eaten.slot, recipe).is_ok()
            && !self.problem.locks.iter().any(|lock| lock.dish == dish);
        fits.then_some(dish)
    }

    /// A meal that was locked and is what is left of this one.
    pub(super) fn locked_follower(&self, of: SlotRef) -> Option<&'f Meal> {
        self.plan.meals.iter().find(|meal| left_of(meal) == Some(of) && self.locked.contains(&at(meal)))
    }

    pub(super) fn must_not_feed_a_locked_meal(&self, of: SlotRef) -> Result<(), Rejection> {
        match self.locked_follower(of) {
            None => Ok(()),
            Some(meal) => {
                let hint = "unlock it first: POST /api/meal-plans/{id}/unlocks";
                let message = format!("{} on {} is locked and eats what is left of it", meal.slot, meal.date);
                Err(Rejection::conflict(message, hint))
            }
        }
    }

    /// Whether the search has nothing to choose for a meal.
    pub(super) fn is_decided(&self, at: SlotRef) -> bool {
        let (day, kind) = (self.book.day(at.date), kind(at.slot));
        self.problem.locks.iter().any(|lock| (Some(lock.day as usize), lock.kind) == (day, kind))
    }

    /// What was asked of this meal before holds no more.
    pub(super) fn forget(&mut self, at: SlotRef) {
        let GenerateMealPlan { keep, skip, .. } = &mut self.request;
        keep.retain(|keep| (keep.date, keep.slot) != (at.date, at.slot));
        skip.retain(|skip| *skip != at);
        let (day, kind) = (self.book.day(at.date), kind(at.slot));
        self.problem.locks.retain(|lock| (Some(lock.day as usize), lock.kind) != (day, kind));
    }

    /// Locked or asked for itself, or what such a meal is left of.
    pub(super) fn is_locked(&self, meal: &Meal) -> bool {
        let keeps = &self.request.keep;
        let is_itself = |meal: &Meal| {
            self.locked.contains(&at(meal))
                || keeps.iter().any(|k| (k.date, k.slot) == (meal.date, meal.slot))
        };
        let feeds = |other: &Meal| left_of(other) == Some(at(meal)) && is_itself(other);
        is_itself(meal) || self.plan.meals.iter().any(feeds)
    }

    /// The recipe that is cooked at a meal of the plan, where there still is such a recipe.
    pub(super) fn cooked(&self, date: NaiveDate, slot: MealSlot) -> Option<u32> {
        let meal = self.plan.meals.iter().find(|meal| (meal.date, meal.slot) == (date, slot))?;
        let Dish::Cook { recipe_id, .. } = &meal.dish else { return None };
        self.book.recipe(*recipe_id)
    }
}
