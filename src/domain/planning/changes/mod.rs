//! How a plan is changed: everything else stays, and the answer is the whole plan as it is then.

mod keeping;

use super::book::Book;
use super::compare::{at, changed, day_of, left_of, planned_of};
use super::context::{Facts, State};
use super::decisions::{
    Ask, How, Keeps, as_searched, book_problem, compiled, leave_out, lock, must_know, no_recipe, open, solve,
};
use super::messages::{
    AlternativesRanked, Event, GenerateMealPlan, Keep, MealPlanChanged, MoveSlot, Replan, SetPortion,
    SlotRef, SwapRecipe,
};
use super::plan::{Dish, Meal, MealPlan};
use super::problem::{PORTIONS, REFUSED, make_up};
use super::rules::kind;
use super::search::{self, Current, Locked, Problem};
use super::why;
use super::write::Found;
use crate::domain::context::Rejection;
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// For all meals of a day.
const CHANGE_MOVES: u64 = 30_000;
/// Meals that a new plan from some day on changes beside those that have to, unless it is told otherwise.
const MOST_CHANGES: u32 = 3;
/// What it costs to change a meal that was planned.
const CHANGE_PRICE: i64 = 3 * search::POINT;
/// Alternatives that are shown.
const ALTERNATIVES: usize = 5;

/// A plan that is being changed.
pub(super) struct Draft<'f> {
    book: Book<'f>,
    request: GenerateMealPlan,
    plan: &'f MealPlan,
    locked: &'f BTreeSet<SlotRef>,
    problem: Problem,
    refused: Vec<Keep>,
}

impl<'f> Draft<'f> {
    /// # Errors
    /// When something is missing that no plan can be without.
    pub(super) fn open(state: &'f State, facts: &'f Facts) -> Result<Self, Rejection> {
        let Some(plan) = &state.plan else {
            return Err(Rejection::conflict("this plan has no meals", "generate a new one"));
        };
        let request = GenerateMealPlan {
            start: Some(plan.start),
            days: Some(plan.days),
            weights: Some(plan.weights),
            ..state.request.clone()
        };
        let book = open(facts, &request)?;
        let problem = book_problem(&book, &request, Keeps::WherePossible)?;
        Ok(Self { book, request, plan, locked: &state.locked, problem, refused: state.refused.clone() })
    }

    fn meal(&self, date: NaiveDate, slot: MealSlot) -> Result<&'f Meal, Rejection> {
        let meal = self.plan.meals.iter().find(|meal| meal.date == date && meal.slot == slot);
        meal.ok_or_else(|| {
            let hint = format!("it plans {} days from {} on", self.plan.days, self.plan.start);
            Rejection::not_found(format!("the plan has no {slot} on {date}"), hint)
        })
    }

    /// Locks every meal to what is there, but for those that are free. What would be left of a meal that changes, and
    /// does not keep or is not there any more, is free as well.
    fn freeze(&mut self, is_free: impl Fn(&Meal) -> bool) {
        for meal in &self.plan.meals {
            let source =
                left_of(meal).and_then(|source| self.plan.meals.iter().find(|meal| at(meal) == source));
            let follows_a_change = source.is_some_and(&is_free);
            if is_free(meal) || follows_a_change {
                continue;
            }
            self.keep(meal);
        }
    }

    fn keep(&mut self, meal: &Meal) {
        let dish = match &meal.dish {
            // It may have been deleted since, or somebody must not eat it any more.
            Dish::Cook { recipe_id, .. } => match self.book.recipe(*recipe_id) {
                Some(recipe) if self.may_eat(meal.date, meal.slot, recipe).is_ok() => Locked::Recipe(recipe),
                Some(_) | None => return,
            },
            Dish::Leftover { from_date, from_slot, .. } => {
                let from = SlotRef { date: *from_date, slot: *from_slot };
                let recipe = self.cooked(from.date, from.slot);
                let kept = recipe.filter(|recipe| self.may_eat(from.date, from.slot, *recipe).is_ok());
                match kept.and_then(|recipe| self.left(from, at(meal), recipe)) {
                    Some(left) => left,
                    None => return,
                }
            }
            Dish::Empty { .. } => return,
        };
        lock(&self.book, &mut self.problem, meal.date, meal.slot, dish);
        let (day, kind) = (self.book.day(meal.date), kind(meal.slot));
        let members = &self.book.members;
        let number = |portion: &super::plan::Portion| members.iter().position(|m| m.id == portion.member);
        let portions = meal.portions.iter().filter(|portion| PORTIONS.contains(&portion.percent));
        let portions: Vec<(u32, u16)> =
            portions.filter_map(|p| Some((u32::try_from(number(p)?).ok()?, p.percent))).collect();
        for lock in &mut self.problem.locks {
            if Some(lock.day as usize) == day && lock.kind == kind {
                lock.portions.clone_from(&portions);
            }
        }
    }

    /// Solves what is free, from the plan as it is.
    fn solved(mut self, seed: u64, how: How, why: String) -> Result<Vec<Event>, Rejection> {
        leave_out(&self.book, &mut self.problem, &self.request);
        let ask = Ask { seed, how, from: Some(self.plan) };
        let plan = solve(&self.book, &self.problem, &self.request, ask, self.locked)?;
        let changed = changed(self.plan, &plan);
        let Self { refused, request, .. } = self;
        Ok(vec![MealPlanChanged { plan, changed, refused, request, why }.into()])
    }

    /// No recipe that was refused at these meals comes back to them.
    fn refuse(&mut self, date: NaiveDate, slots: &[MealSlot]) {
        let recipes = self.refused.iter().filter(|keep| keep.date == date && slots.contains(&keep.slot));
        for recipe in recipes.filter_map(|keep| self.book.recipe(keep.recipe_id)) {
            if let Some(recipe) = self.problem.recipes.get_mut(recipe as usize) {
                recipe.tags |= REFUSED;
            }
        }
        let Some(day) = self.book.day(date).and_then(|day| self.problem.days.get_mut(day)) else { return };
        for meal in day.meals.iter_mut().filter(|meal| slots.iter().any(|slot| kind(*slot) == meal.kind)) {
            meal.forbidden_tags |= REFUSED;
        }
    }

    pub(super) fn swap(mut self, command: &SwapRecipe, seed: u64) -> Result<Vec<Event>, Rejection> {
        let SwapRecipe { date, slot, recipe_id } = *command;
        self.meal(date, slot)?;
        let Some(recipe) = self.book.recipe(recipe_id) else {
            return Err(no_recipe(recipe_id, "/recipe_id"));
        };
        self.may_eat(date, slot, recipe)?;
        self.has_all_of(recipe);
        self.forget(SlotRef { date, slot });
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        lock(&self.book, &mut self.problem, date, slot, Locked::Recipe(recipe));
        let here = SlotRef { date, slot };
        self.follow(here, here, recipe);
        if let Some(meal) = self.locked_follower(here)
            && !self.is_decided(at(meal))
        {
            self.must_not_feed_a_locked_meal(here)?;
        }
        let name =
            self.book.recipes.get(recipe as usize).map(|recipe| recipe.name.clone()).unwrap_or_default();
        self.solved(seed, How::Amend(0), format!("{name} for {slot} on {}", day_of(date)))
    }

    /// Who asks for a dish has what it needs, whatever had run out.
    fn has_all_of(&mut self, recipe: u32) {
        let Some(known) = self.book.recipes.get(recipe as usize) else { return };
        self.request.ran_out.retain(|food| !known.foods.iter().any(|(used, _)| used == food));
    }

    /// What must not be eaten is not, whoever asks for it; time, repetition and wishes may be overruled.
    fn may_eat(&self, date: NaiveDate, slot: MealSlot, recipe: u32) -> Result<(), Rejection> {
        let against =
            self.book.day(date).and_then(|day| search::forbidden(&self.problem, day, kind(slot), recipe));
        match against {
            None => Ok(()),
            Some(rule) => {
                let who = why::rule_name(rule);
                let hint = "choose another recipe, or change what is said of the person";
                Err(Rejection::conflict(format!("it is ruled out by {who}"), hint))
            }
        }
    }

    pub(super) fn regenerate_slot(
        mut self,
        date: NaiveDate,
        slot: MealSlot,
        seed: u64,
    ) -> Result<Vec<Event>, Rejection> {
        let meal = self.meal(date, slot)?;
        self.must_be_free(date, slot)?;
        self.must_not_feed_a_locked_meal(SlotRef { date, slot })?;
        if let Dish::Cook { recipe_id, .. } | Dish::Leftover { recipe_id, .. } = &meal.dish {
            self.refused.push(Keep { date, slot, recipe_id: *recipe_id });
        }
        self.forget(SlotRef { date, slot });
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        self.refuse(date, &[slot]);
        self.solved(seed, How::Amend(0), format!("another {slot} on {}", day_of(date)))
    }

    fn must_be_free(&self, date: NaiveDate, slot: MealSlot) -> Result<(), Rejection> {
        match self.locked.contains(&SlotRef { date, slot }) {
            false => Ok(()),
            true => {
                let hint = "unlock it first: POST /api/meal-plans/{id}/unlocks";
                Err(Rejection::conflict(format!("{slot} on {date} is locked"), hint))
            }
        }
    }

    pub(super) fn regenerate_day(mut self, date: NaiveDate, seed: u64) -> Result<Vec<Event>, Rejection> {
        let plan = self.plan;
        let free: Vec<&Meal> =
            plan.meals.iter().filter(|meal| meal.date == date && !self.is_locked(meal)).collect();
        if free.is_empty() {
            let hint = "give a day of the plan with a meal that is not locked";
            return Err(Rejection::conflict(format!("nothing can change on {date}"), hint));
        }
        let slots: Vec<MealSlot> = free.iter().map(|meal| meal.slot).collect();
        for meal in free {
            if let Dish::Cook { recipe_id, .. } = &meal.dish {
                self.refused.push(Keep { date, slot: meal.slot, recipe_id: *recipe_id });
            }
        }
        let free: BTreeSet<SlotRef> = slots.iter().map(|slot| SlotRef { date, slot: *slot }).collect();
        self.freeze(|meal| free.contains(&at(meal)));
        self.refuse(date, &slots);
        self.solved(seed, How::Search(CHANGE_MOVES), format!("other meals on {}", day_of(date)))
    }

    pub(super) fn skip(
        mut self,
        date: NaiveDate,
        slot: MealSlot,
        seed: u64,
    ) -> Result<Vec<Event>, Rejection> {
        self.meal(date, slot)?;
        self.must_not_feed_a_locked_meal(SlotRef { date, slot })?;
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        self.forget(SlotRef { date, slot });
        self.request.skip.push(SlotRef { date, slot });
        lock(&self.book, &mut self.problem, date, slot, Locked::Empty);
        self.solved(seed, How::Amend(0), format!("no {slot} on {}", day_of(date)))
    }

    pub(super) fn portion(mut self, command: &SetPortion, seed: u64) -> Result<Vec<Event>, Rejection> {
        let SetPortion { date, slot, member, percent } = *command;
        let meal = self.meal(date, slot)?;
        if !PORTIONS.contains(&percent) {
            let hint = "give 75, 100, 125 or 150";
            return Err(Rejection::invalid("/percent", format!("{percent} % is no portion"), hint));
        }
        let mut meal = meal.clone();
        let Some(portion) = meal.portions.iter_mut().find(|portion| portion.member == member) else {
            let message = format!("{member} does not eat {slot} on {date} at home");
            return Err(Rejection::invalid("/member", message, "GET /api/household lists the members"));
        };
        portion.percent = percent;
        let why = format!("{percent} % of {slot} on {} for {}", day_of(date), portion.name);
        self.freeze(|_| false);
        self.keep(&meal);
        self.solved(seed, How::Amend(0), why)
    }

    pub(super) fn exchange(mut self, command: &MoveSlot, seed: u64) -> Result<Vec<Event>, Rejection> {
        let MoveSlot { date, slot, to_date, to_slot } = *command;
        let (one, other) = (self.meal(date, slot)?, self.meal(to_date, to_slot)?);
        let (here, there) = (at(one), at(other));
        self.forget(here);
        self.forget(there);
        self.freeze(|meal| at(meal) == here || at(meal) == there);
        for (meal, to) in [(one, there), (other, here)] {
            if let Dish::Empty { .. } = &meal.dish {
                let message = format!("there is nothing for {} on {} to move", meal.slot, meal.date);
                return Err(Rejection::conflict(message, "swap a recipe in instead"));
            }
            let Dish::Cook { recipe_id, recipe, .. } = &meal.dish else {
                let message = format!("{} on {} is not cooked for it", meal.slot, meal.date);
                return Err(Rejection::conflict(message, "move the meal that it is left of"));
            };
            let Some(number) = self.book.recipe(*recipe_id) else { return Err(no_recipe(*recipe_id, "")) };
            self.may_eat(to.date, to.slot, number).map_err(|refused| {
                Rejection::conflict(format!("{recipe} cannot move there: {}", refused.message), refused.hint)
            })?;
            lock(&self.book, &mut self.problem, to.date, to.slot, Locked::Recipe(number));
        }
        for (from, now) in [(here, there), (there, here)] {
            if let Some(recipe) = self.cooked(from.date, from.slot) {
                self.follow(from, now, recipe);
            }
        }
        let why = format!("{slot} on {} and {to_slot} on {} change places", day_of(date), day_of(to_date));
        self.solved(seed, How::Amend(0), why)
    }

    pub(super) fn replan(
        mut self,
        command: &Replan,
        seed: u64,
        today: NaiveDate,
    ) -> Result<Vec<Event>, Rejection> {
        let from = command.from.unwrap_or(self.plan.start.max(today));
        let Some(first) = self.book.day(from) else {
            if command.from.is_none() {
                let hint =
                    "say from which day on, or plan the next days: POST /api/triggers/meal_plan_generation";
                return Err(Rejection::conflict("the plan is over", hint));
            }
            let hint = format!("give one of the {} days from {} on", self.plan.days, self.plan.start);
            return Err(Rejection::invalid("/from", format!("{from} is no day of this plan"), hint));
        };
        must_know(&self.book, &command.ran_out)?;
        if command.pantry.is_some() || !command.ran_out.is_empty() {
            self.request.take_stock(command.pantry.as_deref(), &command.ran_out);
            self.book = open(self.book.facts, &self.request)?;
            self.problem = book_problem(&self.book, &self.request, Keeps::WherePossible)?;
        }
        // What was cooked before is there, whatever has run out since.
        let is_there = |meal: &&Meal| left_of(meal).is_some_and(|source| source.date < from);
        let kept: BTreeSet<SlotRef> =
            self.plan.meals.iter().filter(|meal| self.is_locked(meal) || is_there(meal)).map(at).collect();
        self.freeze(|meal| meal.date >= from && !kept.contains(&at(meal)));
        self.close_before(from);
        self.problem.weights.change = CHANGE_PRICE * i64::from(self.book.weights.change) / 100;
        self.problem.current = self.current();
        let plan = self.plan;
        make_up(&self.book, &mut self.problem, first, &command.eaten, |instead| {
            planned_of(plan, instead.member, instead.date)
        });
        let most = command.most_changes.unwrap_or(MOST_CHANGES) as usize;
        let how = command.moves.map_or(How::Amend(most), How::Search);
        let why = format!("planned anew from {} on", day_of(from));
        self.solved(seed, how, why)
    }

    /// What is not locked before a day, because there was nothing or it is not known any more, gets nothing.
    fn close_before(&mut self, from: NaiveDate) {
        for meal in self.plan.meals.iter().filter(|meal| meal.date < from) {
            if !self.is_decided(at(meal)) {
                lock(&self.book, &mut self.problem, meal.date, meal.slot, Locked::Empty);
            }
        }
    }

    fn current(&self) -> Vec<Current> {
        let current = |meal: &Meal| {
            let recipe = match &meal.dish {
                Dish::Cook { recipe_id, .. } | Dish::Leftover { recipe_id, .. } => {
                    self.book.recipe(*recipe_id)
                }
                Dish::Empty { .. } => None,
            };
            let day = u32::try_from(self.book.day(meal.date)?).ok()?;
            Some(Current { day, kind: kind(meal.slot), recipe })
        };
        self.plan.meals.iter().filter_map(current).collect()
    }

    pub(super) fn alternatives(mut self, date: NaiveDate, slot: MealSlot) -> Result<Vec<Event>, Rejection> {
        self.meal(date, slot)?;
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        leave_out(&self.book, &mut self.problem, &self.request);
        let table = compiled(&self.problem)?;
        let plan = as_searched(&self.book, &table, self.plan);
        let found = Found {
            book: &self.book,
            problem: &self.problem,
            table: &table,
            plan: &plan,
            locked: self.locked,
        };
        let at = found.slot(date, slot);
        let alternatives = at.map(|at| why::alternatives(&found, at, ALTERNATIVES)).unwrap_or_default();
        Ok(vec![AlternativesRanked { date, slot, alternatives }.into()])
    }
}
