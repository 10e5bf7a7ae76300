//! What a plan is asked for, and how it is changed: each answer is the whole plan as it is then.

use super::book::Book;
use super::context::{Facts, State};
use super::messages::{
    AlternativesRanked, Event, GenerateMealPlan, Keep, MealPlanChanged, MealPlanCreated, MealPlanGenerated,
    MoveSlot, Replan, SetPortion, SlotRef, SwapRecipe,
};
use super::plan::{Dish, Meal, MealPlan};
use super::problem::{PORTIONS, REFUSED, make_up, problem};
use super::rules::kind;
use super::search::{self, Choice, Current, Lock, Locked, Problem, Table};
use super::why;
use super::write::{self, Found};
use crate::domain::context::Rejection;
use crate::domain::envelope::Metadata;
use crate::domain::foods::FoodId;
use crate::domain::household::SetUpHousehold;
use crate::domain::measure::Nutrients;
use crate::domain::recipes::slots::MealSlot;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const DEFAULT_DAYS: u32 = 7;
const MOST_DAYS: u32 = 28;
const DEFAULT_MOVES: u64 = 400_000;
/// For all meals of a day.
const CHANGE_MOVES: u64 = 30_000;
/// Meals that a new plan from some day on changes beside those that have to, unless it is told otherwise.
const MOST_CHANGES: u32 = 3;
/// Chains of a search; their number is part of what makes a plan, so that it is the same on every machine.
const CHAINS: u32 = 2;
/// What it costs to change a meal that was planned.
const CHANGE_PRICE: i64 = 3 * search::POINT;
/// Alternatives that are shown.
const ALTERNATIVES: usize = 5;

pub(super) fn generate(
    command: &GenerateMealPlan,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    let start = start(command.start, today(facts, metadata))?;
    let request = GenerateMealPlan { start: Some(start), ..command.clone() };
    let seed = request.seed.unwrap_or_else(|| metadata.id.as_u64_pair().1);
    let book = open(facts, &request)?;
    let problem = book_problem(&book, &request)?;
    let ask = Ask { seed, how: How::Search(request.moves.unwrap_or(DEFAULT_MOVES)), from: None };
    let plan = solve(&book, &problem, &request, ask, &BTreeSet::new())?;
    let created = MealPlanCreated { start: plan.start, days: plan.days };
    Ok(vec![created.into(), MealPlanGenerated { plan, request: Some(request) }.into()])
}

struct Ask<'p> {
    seed: u64,
    how: How,
    from: Option<&'p MealPlan>,
}

#[derive(Clone, Copy)]
enum How {
    /// So many moves a chain.
    Search(u64),
    /// Exactly, with at most so many meals changed beside those that have to.
    Amend(usize),
}

const fn effort(seed: u64, moves: u64) -> search::Effort {
    search::Effort { seed, moves, chains: CHAINS, threads: CHAINS }
}

fn solve(
    book: &Book<'_>,
    problem: &Problem,
    request: &GenerateMealPlan,
    ask: Ask<'_>,
    locked: &BTreeSet<SlotRef>,
) -> Result<MealPlan, Rejection> {
    let table = compiled(problem)?;
    let from = ask.from.map(|plan| as_searched(book, &table, plan));
    let go_on = |_: &search::Progress| ControlFlow::Continue(());
    let solution = match (ask.how, &from) {
        (How::Amend(most), Some(plan)) => search::amend(&table, plan, most).found,
        (How::Amend(_), None) => search::solve(&table, None, &effort(ask.seed, DEFAULT_MOVES), &go_on),
        (How::Search(moves), from) => search::solve(&table, from.as_ref(), &effort(ask.seed, moves), &go_on),
    };
    let found = Found { book, problem, table: &table, plan: &solution.plan, locked };
    let mut plan = write::plan(&found, remarks(book, request));
    (plan.seed, plan.moves) = (ask.seed, solution.moves);
    let rounds = request.proof_rounds.unwrap_or(0);
    if rounds > 0 {
        let go_on = &mut |_| ControlFlow::Continue(());
        plan.bound = search::prove(&table, Some(plan.objective), rounds, go_on);
    }
    Ok(plan)
}

fn compiled(problem: &Problem) -> Result<Table, Rejection> {
    search::check(problem).map_err(|fault| Rejection::invalid(&fault.pointer, fault.message, fault.hint))?;
    Ok(search::compile(problem))
}

fn open<'f>(facts: &'f Facts, request: &GenerateMealPlan) -> Result<Book<'f>, Rejection> {
    let weights = request.weights.unwrap_or(facts.rules.weights);
    let start = request.start.unwrap_or_default();
    let foods = request.pantry.iter().map(|lot| lot.food.clone());
    let guests = request.guests.iter().flat_map(|guests| guests.excluded_foods.iter().cloned());
    Book::open(facts, weights, (start, request.days.unwrap_or(DEFAULT_DAYS)), foods.chain(guests))
}

/// With the meals that are decided already.
fn book_problem(book: &Book<'_>, request: &GenerateMealPlan) -> Result<Problem, Rejection> {
    let mut problem = problem(book, request, book.weights)?;
    for keep in &request.keep {
        let Some(recipe) = book.recipe(keep.recipe_id) else {
            return Err(no_recipe(keep.recipe_id, "/keep"));
        };
        lock(book, &mut problem, keep.date, keep.slot, Locked::Recipe(recipe));
    }
    for skip in &request.skip {
        lock(book, &mut problem, skip.date, skip.slot, Locked::Empty);
    }
    Ok(problem)
}

fn lock(book: &Book<'_>, problem: &mut Problem, date: NaiveDate, slot: MealSlot, dish: Locked) {
    let Some(day) = book.day(date).and_then(|day| u32::try_from(day).ok()) else { return };
    let kind = kind(slot);
    problem.locks.retain(|lock| (lock.day, lock.kind) != (day, kind));
    let is_planned =
        problem.days.get(day as usize).is_some_and(|day| day.meals.iter().any(|meal| meal.kind == kind));
    if is_planned {
        problem.locks.push(Lock { day, kind, dish, portions: Vec::new() });
    }
}

fn no_recipe(id: uuid::Uuid, pointer: &str) -> Rejection {
    let hint = "GET /api/recipes lists them; one whose lines are being read is not planned yet";
    Rejection::invalid(pointer, format!("there is no recipe {id} to plan with"), hint)
}

fn remarks(book: &Book<'_>, request: &GenerateMealPlan) -> Vec<String> {
    let without = book.members.iter().filter(|member| !book.facts.goals.contains_key(&member.id));
    let mut remarks: Vec<String> = without
        .map(|member| {
            format!(
                "{} has no daily goals; PUT /api/nutrition/goals/{} sets them",
                member.person.name, member.id
            )
        })
        .collect();
    let unknown = |food: &FoodId| !book.facts.foods.contains_key(food);
    for lot in request.pantry.iter().filter(|lot| unknown(&lot.food)) {
        remarks
            .push(format!("nobody knows the food {}; GET /api/foods?q= finds what it is called", lot.food));
    }
    remarks
}

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
        let problem = book_problem(&book, &request)?;
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
            let follows_a_change = matches!(&meal.dish, Dish::Leftover { from_date, from_slot, .. }
            if self.plan.meals.iter().any(|source| {
                source.date == *from_date && source.slot == *from_slot && is_free(source)
            }));
            if is_free(meal) || follows_a_change {
                continue;
            }
            self.keep(meal);
        }
    }

    fn keep(&mut self, meal: &Meal) {
        let dish = match &meal.dish {
            Dish::Cook { recipe_id, .. } => match self.book.recipe(*recipe_id) {
                Some(recipe) => Locked::Recipe(recipe),
                // It was deleted since.
                None => return,
            },
            Dish::Leftover { from_date, from_slot, .. } => match self.book.day(*from_date) {
                Some(day) => {
                    Locked::LeftoverOf { day: u32::try_from(day).unwrap_or(0), kind: kind(*from_slot) }
                }
                None => return,
            },
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
    fn solved(self, seed: u64, how: How, why: String) -> Result<Vec<Event>, Rejection> {
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
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        lock(&self.book, &mut self.problem, date, slot, Locked::Recipe(recipe));
        let name =
            self.book.recipes.get(recipe as usize).map(|recipe| recipe.name.clone()).unwrap_or_default();
        self.solved(seed, How::Amend(0), format!("{name} for {slot} on {}", day_of(date)))
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
        if let Dish::Cook { recipe_id, .. } | Dish::Leftover { recipe_id, .. } = &meal.dish {
            self.refused.push(Keep { date, slot, recipe_id: *recipe_id });
        }
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
        let locked = self.locked;
        let is_free = |meal: &Meal| meal.date == date && !locked.contains(&SlotRef { date, slot: meal.slot });
        let free: Vec<&Meal> = self.plan.meals.iter().filter(|meal| is_free(meal)).collect();
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
        self.freeze(is_free);
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
        self.freeze(|meal| meal.date == date && meal.slot == slot);
        self.request.keep.retain(|keep| (keep.date, keep.slot) != (date, slot));
        if !self.request.skip.contains(&SlotRef { date, slot }) {
            self.request.skip.push(SlotRef { date, slot });
        }
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
        let at = |meal: &Meal| SlotRef { date: meal.date, slot: meal.slot };
        let (here, there) = (at(one), at(other));
        self.freeze(|meal| at(meal) == here || at(meal) == there);
        for (meal, to) in [(one, there), (other, here)] {
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
        // What is left of them goes with them, where it still comes later and keeps.
        let followers: Vec<(SlotRef, SlotRef)> = self
            .plan
            .meals
            .iter()
            .filter_map(|meal| {
                let Dish::Leftover { from_date, from_slot, .. } = &meal.dish else { return None };
                let from = SlotRef { date: *from_date, slot: *from_slot };
                let now = if from == here {
                    there
                } else if from == there {
                    here
                } else {
                    return None;
                };
                Some((at(meal), now))
            })
            .collect();
        for (meal, source) in followers {
            let (Some(day), Some(eaten)) = (self.book.day(source.date), self.book.day(meal.date)) else {
                continue;
            };
            let recipe = [(here, other), (there, one)].into_iter().find(|(place, _)| *place == source);
            let keeps = recipe.and_then(|(_, cooked)| self.keeps_days(cooked)).unwrap_or(0) as usize;
            if day < eaten && eaten - day <= keeps {
                let dish =
                    Locked::LeftoverOf { day: u32::try_from(day).unwrap_or(0), kind: kind(source.slot) };
                lock(&self.book, &mut self.problem, meal.date, meal.slot, dish);
            }
        }
        let why = format!("{slot} on {} and {to_slot} on {} change places", day_of(date), day_of(to_date));
        self.solved(seed, How::Amend(0), why)
    }

    fn keeps_days(&self, meal: &Meal) -> Option<u32> {
        let Dish::Cook { recipe_id, .. } = &meal.dish else { return None };
        let recipe = self.book.recipe(*recipe_id)?;
        self.book.recipes.get(recipe as usize).map(|recipe| recipe.leftover_days)
    }

    pub(super) fn replan(mut self, command: &Replan, seed: u64) -> Result<Vec<Event>, Rejection> {
        let from = command.from.unwrap_or(self.plan.start);
        let Some(first) = self.book.day(from) else {
            let hint = format!("give one of the {} days from {} on", self.plan.days, self.plan.start);
            return Err(Rejection::invalid("/from", format!("{from} is no day of this plan"), hint));
        };
        if let Some(pantry) = &command.pantry {
            self.request.pantry.clone_from(pantry);
            self.book = open(self.book.facts, &self.request)?;
            self.problem = book_problem(&self.book, &self.request)?;
        }
        let locked = self.locked;
        self.freeze(|meal| {
            meal.date >= from && !locked.contains(&SlotRef { date: meal.date, slot: meal.slot })
        });
        let ran_out = command.ran_out.iter().filter_map(|food| self.book.food(food));
        self.problem.household.excluded_foods.extend(ran_out);
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

/// What the plan gives somebody on a day.
fn planned_of(plan: &MealPlan, member: uuid::Uuid, date: NaiveDate) -> Nutrients {
    let total = plan.totals.iter().find(|total| total.member == member && total.date == date);
    let amount =
        |name: &str| total.and_then(|total| total.per_nutrient.get(name)).and_then(|found| found.planned);
    Nutrients::from_array(Nutrients::NAMES.map(amount))
}

/// Meals that have another dish now.
fn changed(before: &MealPlan, now: &MealPlan) -> Vec<SlotRef> {
    let dish = |plan: &MealPlan, at: SlotRef| {
        let meal = plan.meals.iter().find(|meal| (meal.date, meal.slot) == (at.date, at.slot));
        meal.and_then(|meal| match &meal.dish {
            Dish::Cook { recipe_id, .. } => Some((*recipe_id, true)),
            Dish::Leftover { recipe_id, .. } => Some((*recipe_id, false)),
            Dish::Empty { .. } => None,
        })
    };
    let all: BTreeSet<SlotRef> = before
        .meals
        .iter()
        .chain(&now.meals)
        .map(|meal| SlotRef { date: meal.date, slot: meal.slot })
        .collect();
    all.into_iter().filter(|at| dish(before, *at) != dish(now, *at)).collect()
}

/// The plan as the search of this table knows it; what is not there any more is empty.
fn as_searched(book: &Book<'_>, table: &Table, plan: &MealPlan) -> search::Plan {
    let mut searched = search::Plan {
        choices: vec![Choice::Empty; table.slots.len()],
        portions: vec![0; table.slots.len() * table.eaters],
    };
    for slot in 0..table.slots.len() {
        for eater in 0..table.eaters {
            searched.portions[slot * table.eaters + eater] = table.usual.get(eater).copied().unwrap_or(0);
        }
    }
    let at = |date: NaiveDate, slot: MealSlot| {
        let day = book.day(date)?;
        table.slots.iter().position(|s| s.day == day && s.kind == kind(slot))
    };
    for meal in &plan.meals {
        let Some(slot) = at(meal.date, meal.slot) else { continue };
        searched.choices[slot] = match &meal.dish {
            Dish::Cook { recipe_id, .. } => book.recipe(*recipe_id).map_or(Choice::Empty, Choice::Cook),
            Dish::Leftover { from_date, from_slot, .. } => {
                let source = at(*from_date, *from_slot).and_then(|source| u32::try_from(source).ok());
                source.map_or(Choice::Empty, Choice::Leftover)
            }
            Dish::Empty { .. } => Choice::Empty,
        };
        for portion in &meal.portions {
            let eater = book.members.iter().position(|member| member.id == portion.member);
            let percent = table.percents.iter().position(|percent| *percent == portion.percent);
            if let (Some(eater), Some(percent)) = (eater, percent.and_then(|n| u8::try_from(n).ok())) {
                searched.portions[slot * table.eaters + eater] = percent;
            }
        }
    }
    searched
}

fn day_of(date: NaiveDate) -> String {
    date.format("%A %-d %B").to_string()
}

fn today(facts: &Facts, metadata: &Metadata) -> NaiveDate {
    let zone = |household: &SetUpHousehold| household.time_zone;
    match facts.profile.household.as_ref().map(zone) {
        Some(zone) => metadata.time.with_timezone(&zone).date_naive(),
        None => metadata.time.date_naive(),
    }
}

fn start(given: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate, Rejection> {
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let start = given.unwrap_or(tomorrow);
    let distance = (start - today).num_days();
    if (-1..=366).contains(&distance) {
        return Ok(start);
    }
    Err(no_first_day(start))
}

/// Plans begin from yesterday to a year from now.
pub(crate) fn no_first_day(start: NaiveDate) -> Rejection {
    let hint = "give a day from yesterday to a year from now, or leave it out for tomorrow";
    Rejection::invalid("/start", format!("{start} is no day to plan from"), hint)
}

pub(super) fn check_days(days: Option<u32>) -> Result<(), Rejection> {
    match days.unwrap_or(DEFAULT_DAYS) {
        1..=MOST_DAYS => Ok(()),
        days => {
            let hint = format!("give 1 to {MOST_DAYS} days");
            Err(Rejection::invalid("/days", format!("{days} days cannot be planned"), hint))
        }
    }
}
