//! A plan is asked for, and searched for.

use super::book::Book;
use super::context::Facts;
use super::messages::{AtHome, Event, GenerateMealPlan, Keep, MealPlanCreated, MealPlanGenerated, SlotRef};
use super::plan::{Dish, MealPlan};
use super::problem::problem;
use super::rules::kind;
use super::search::{self, Choice, Lock, Locked, Problem, Table};
use super::why::rule_name;
use super::write::{self, Found};
use crate::domain::context::Rejection;
use crate::domain::envelope::Metadata;
use crate::domain::foods::FoodId;
use crate::domain::household::SetUpHousehold;
use crate::domain::measure::Milli;
use crate::domain::recipes::slots::MealSlot;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const DEFAULT_DAYS: u32 = 7;
const MOST_DAYS: u32 = 28;
const DEFAULT_MOVES: u64 = 400_000;
/// Chains of a search; their number is part of what makes a plan, so that it is the same on every machine.
const CHAINS: u32 = 2;

pub(super) fn generate(
    command: &GenerateMealPlan,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    let start = start(command.start, today(facts, metadata))?;
    let mut request = GenerateMealPlan { start: Some(start), ..command.clone() };
    request.take_stock(None, &command.ran_out);
    let seed = request.seed.unwrap_or_else(|| metadata.id.as_u64_pair().1);
    let book = open(facts, &request)?;
    must_know(&book, &request.ran_out)?;
    let mut problem = book_problem(&book, &request, Keeps::All)?;
    leave_out(&book, &mut problem, &request);
    let ask = Ask { seed, how: How::Search(request.moves.unwrap_or(DEFAULT_MOVES)), from: None };
    let plan = solve(&book, &problem, &request, ask, &BTreeSet::new())?;
    let created = MealPlanCreated { start: plan.start, days: plan.days };
    Ok(vec![created.into(), MealPlanGenerated { plan, request: Some(request) }.into()])
}

pub(super) struct Ask<'p> {
    pub seed: u64,
    pub how: How,
    pub from: Option<&'p MealPlan>,
}

#[derive(Clone, Copy)]
pub(super) enum How {
    /// So many moves a chain.
    Search(u64),
    /// Exactly, with at most so many meals changed beside those that have to.
    Amend(usize),
}

const fn effort(seed: u64, moves: u64) -> search::Effort {
    search::Effort { seed, moves, chains: CHAINS, threads: CHAINS }
}

pub(super) fn solve(
    book: &Book<'_>,
    problem: &Problem,
    request: &GenerateMealPlan,
    ask: Ask<'_>,
    locked: &BTreeSet<SlotRef>,
) -> Result<MealPlan, Rejection> {
    let table = compiled(problem)?;
    let is_change = ask.from.is_some();
    let from = ask.from.map(|plan| as_searched(book, &table, plan));
    let go_on = |_: &search::Progress| ControlFlow::Continue(());
    let solution = match (ask.how, &from) {
        (How::Amend(most), Some(plan)) => search::amend(&table, plan, most).found,
        (How::Amend(_), None) => search::solve(&table, None, &effort(ask.seed, DEFAULT_MOVES), &go_on),
        (How::Search(moves), from) => {
            search::descend(&table, search::solve(&table, from.as_ref(), &effort(ask.seed, moves), &go_on))
        }
    };
    let found = Found { book, problem, table: &table, plan: &solution.plan, locked };
    let mut plan = write::plan(&found, remarks(book, request));
    (plan.seed, plan.moves) = (ask.seed, solution.moves);
    // A proof is of the whole plan: once it is changed, most of it is only kept.
    let rounds = request.proof_rounds.filter(|_| !is_change).unwrap_or(0);
    if rounds > 0 {
        let go_on = &mut |_| ControlFlow::Continue(());
        plan.bound = search::prove(&table, Some(plan.objective), rounds, go_on);
    }
    Ok(plan)
}

pub(super) fn compiled(problem: &Problem) -> Result<Table, Rejection> {
    search::check(problem).map_err(|fault| Rejection::invalid(&fault.pointer, fault.message, fault.hint))?;
    Ok(search::compile(problem))
}

pub(super) fn open<'f>(facts: &'f Facts, request: &GenerateMealPlan) -> Result<Book<'f>, Rejection> {
    let weights = request.weights.unwrap_or(facts.rules.weights);
    let start = request.start.unwrap_or_default();
    let foods = request.pantry.iter().map(|lot| lot.food.clone());
    let guests = request.guests.iter().flat_map(|guests| guests.excluded_foods.iter().cloned());
    Book::open(facts, weights, (start, request.days.unwrap_or(DEFAULT_DAYS)), foods.chain(guests))
}

/// What becomes of a dish that was to be kept and cannot be.
#[derive(Clone, Copy)]
pub(super) enum Keeps {
    All,
    /// It was asked for long ago and holds nobody up.
    WherePossible,
}

fn keepable(book: &Book<'_>, problem: &Problem, keep: &Keep) -> Result<u32, Rejection> {
    let recipe = book.recipe(keep.recipe_id).ok_or_else(|| no_recipe(keep.recipe_id, "/keep"))?;
    let day = book.day(keep.date);
    match day.and_then(|day| search::forbidden(problem, day, kind(keep.slot), recipe)) {
        None => Ok(recipe),
        Some(rule) => {
            let message =
                format!("the dish for {} on {} is ruled out by {}", keep.slot, keep.date, rule_name(rule));
            let hint = "keep another recipe, or change what is said of the person";
            Err(Rejection::invalid("/keep", message, hint))
        }
    }
}

/// With the meals that are decided already.
pub(super) fn book_problem(
    book: &Book<'_>,
    request: &GenerateMealPlan,
    keeps: Keeps,
) -> Result<Problem, Rejection> {
    let mut problem = problem(book, request, book.weights)?;
    for keep in &request.keep {
        match (keepable(book, &problem, keep), keeps) {
            (Ok(recipe), _) => lock(book, &mut problem, keep.date, keep.slot, Locked::Recipe(recipe)),
            (Err(_), Keeps::WherePossible) => {}
            (Err(refused), Keeps::All) => return Err(refused),
        }
    }
    for skip in &request.skip {
        lock(book, &mut problem, skip.date, skip.slot, Locked::Empty);
    }
    Ok(problem)
}

impl GenerateMealPlan {
    /// Says what is at home now, if that is told, and what is not; it stays so for the changes that come.
    pub(super) fn take_stock(&mut self, pantry: Option<&[AtHome]>, ran_out: &BTreeSet<FoodId>) {
        if let Some(pantry) = pantry {
            self.pantry = pantry.to_vec();
            let is_there =
                |food: &FoodId| pantry.iter().any(|lot| lot.food == *food && lot.grams > Milli::ZERO);
            self.ran_out.retain(|food| !is_there(food));
        }
        self.pantry.retain(|lot| !ran_out.contains(&lot.food));
        self.ran_out.extend(ran_out.iter().cloned());
    }
}

/// A name that is not known would leave out nothing, and nobody would notice.
pub(super) fn must_know(book: &Book<'_>, ran_out: &BTreeSet<FoodId>) -> Result<(), Rejection> {
    let unknown = |food: &&FoodId| book.food(food).is_none() && !book.facts.foods.contains_key(food);
    match ran_out.iter().find(unknown) {
        None => Ok(()),
        Some(food) => {
            let hint = "GET /api/foods?q= finds what it is called";
            Err(Rejection::invalid("/ran_out", format!("nobody knows the food {food}"), hint))
        }
    }
}

/// Chooses nothing that needs what ran out. Dishes that are decided already stay; they may have been cooked before.
pub(super) fn leave_out(book: &Book<'_>, problem: &mut Problem, request: &GenerateMealPlan) {
    let ran_out = request.ran_out.iter().filter_map(|food| book.food(food));
    problem.household.excluded_foods.extend(ran_out);
}

pub(super) fn lock(book: &Book<'_>, problem: &mut Problem, date: NaiveDate, slot: MealSlot, dish: Locked) {
    let Some(day) = book.day(date).and_then(|day| u32::try_from(day).ok()) else { return };
    let kind = kind(slot);
    problem.locks.retain(|lock| (lock.day, lock.kind) != (day, kind));
    let is_planned =
        problem.days.get(day as usize).is_some_and(|day| day.meals.iter().any(|meal| meal.kind == kind));
    if is_planned {
        problem.locks.push(Lock { day, kind, dish, portions: Vec::new() });
    }
}

pub(super) fn no_recipe(id: uuid::Uuid, pointer: &str) -> Rejection {
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

/// The plan as the search of this table knows it; what is not there any more is empty.
pub(super) fn as_searched(book: &Book<'_>, table: &Table, plan: &MealPlan) -> search::Plan {
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

pub(super) fn today(facts: &Facts, metadata: &Metadata) -> NaiveDate {
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
