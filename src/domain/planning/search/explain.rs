//! Why a plan is as it is: every meal against its best alternative, every goal, every empty slot.

use super::alternatives::{Alternative, Ranked, ranked};
use super::check::Invalid;
use super::empty::{EmptySlot, explain_empty};
use super::goals::{EaterDay, Unmet, days_and_unmet};
use super::model::{Choice, Model};
use super::objective::{Plan, band_cost, totals};
use super::problem::{NUTRIENTS, Problem, SlotRef};
use super::solution::{Solution, plan_of};
use super::state::State;
use super::terms::Term;
use super::words::{amount, points, weekday};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// Most reasons given for a meal.
const REASONS: usize = 3;

/// A part of the objective in which a meal is better than its best alternative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    pub term: Term,
    /// What the alternative would cost more in this part.
    pub gain: i64,
    pub phrase: String,
}

/// Why this meal stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MealReason {
    pub at: SlotRef,
    pub recipe: Uuid,
    pub locked: bool,
    /// Greatest first.
    pub reasons: Vec<Reason>,
    /// The cheapest other meal; `None` where locked or where the rules allow no other.
    pub runner_up: Option<Alternative>,
    pub sentence: String,
}

/// Everything there is to say about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    pub meals: Vec<MealReason>,
    pub days: Vec<EaterDay>,
    pub unmet: Vec<Unmet>,
    pub empty: Vec<EmptySlot>,
}

/// Explains a solution of this problem.
///
/// # Errors
/// What [`Problem::check`] finds, or a solution of another problem.
pub fn explain(problem: &Problem, solution: &Solution) -> Result<Explanation, Vec<Invalid>> {
    problem.check()?;
    let model = Model::new(problem);
    let plan = plan_of(&model, solution)?;
    let mut state = State::of(&model, &plan);
    let (days, unmet) = days_and_unmet(&model, &plan);
    let (mut meals, mut empty) = (Vec::new(), Vec::new());
    for position in 0..model.positions.len() {
        match plan.dish(position) {
            Some(recipe) => meals.push(explain_meal(&mut state, &plan, position, recipe)),
            None => empty.push(explain_empty(&state, position)),
        }
    }
    Ok(Explanation { meals, days, unmet, empty })
}

fn explain_meal(state: &mut State<'_>, plan: &Plan, position: usize, recipe: usize) -> MealReason {
    let model = state.model;
    let place = &model.positions[position];
    let runner_up = ranked(state, position).into_iter().next();
    let mut reasons = Vec::new();
    if let Some(other) = &runner_up {
        reasons = Term::ALL
            .into_iter()
            .filter(|&term| other.terms.get(term) > 0)
            .map(|term| Reason {
                term,
                gain: other.terms.get(term),
                phrase: phrase(model, plan, other, (position, recipe), term),
            })
            .collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.gain));
        reasons.truncate(REASONS);
    }
    let described = runner_up.as_ref().map(|other| other.describe(model, position));
    let sentence = sentence(model, plan, (position, recipe), &reasons, runner_up.as_ref());
    MealReason {
        at: place.at,
        recipe: model.problem.recipes[recipe].id,
        locked: place.locked.is_some(),
        reasons,
        runner_up: described,
        sentence,
    }
}

fn sentence(
    model: &Model<'_>,
    plan: &Plan,
    (position, recipe): (usize, usize),
    reasons: &[Reason],
    runner_up: Option<&Ranked>,
) -> String {
    let mut parts = Vec::new();
    if let Choice::Leftover(source) = plan.choices[position] {
        let day = weekday(model.positions[source].at.date);
        parts.push(format!("uses the leftover of {day}'s {}", model.problem.recipes[recipe].name));
    }
    parts.extend(reasons.iter().map(|reason| reason.phrase.clone()));
    match runner_up {
        Some(other) => {
            let instead =
                other.plan.dish(position).map_or("nothing", |dish| &model.problem.recipes[dish].name);
            let (size, side) = (points(other.delta.abs()), if other.delta < 0 { "less" } else { "more" });
            parts.push(format!("{instead} instead would cost {size} points {side}"));
        }
        None if model.positions[position].locked.is_some() => parts.push("locked".to_owned()),
        None => parts.push("nothing else fits the rules".to_owned()),
    }
    parts.join("; ")
}

fn phrase(
    model: &Model<'_>,
    plan: &Plan,
    other: &Ranked,
    (position, recipe): (usize, usize),
    term: Term,
) -> String {
    let data = &model.problem.recipes[recipe];
    let fixed = match term {
        Term::Nutrition => return nutrition_phrase(model, plan, &other.plan),
        Term::Rating => {
            return data.rating_x10.map_or_else(
                || "is not rated worse".to_owned(),
                |rating| format!("rated {}.{}", rating / 10, rating % 10),
            );
        }
        Term::Effort if matches!(plan.choices[position], Choice::Cook(_)) => {
            return format!("{} min", data.minutes);
        }
        Term::Waste => return waste_phrase(model, recipe),
        Term::Effort => "needs no cooking",
        Term::Portions => "suits the usual portions",
        Term::Variety => "keeps the main meals varied",
        Term::Repetition => "repeats less",
        Term::Money => "costs less to buy",
        Term::OverBudget => "keeps nearer to the budget",
        Term::Items => "needs fewer things to buy",
        Term::Leftovers => "suits the leftovers",
        Term::Coverage => "its nutrition is known better",
        Term::Change => "keeps to the earlier plan",
        Term::Empty => "fills the slot",
    };
    fixed.to_owned()
}

/// The eater and nutrient that would lose most, and where the plan brings them.
fn nutrition_phrase(model: &Model<'_>, plan: &Plan, other: &Plan) -> String {
    let (here, there) = (totals(model, plan), totals(model, other));
    let loss = |row: usize| {
        let cost = |amount| band_cost(model.bands[row], amount, model.problem.unit);
        cost(there[row]) - cost(here[row])
    };
    let Some(row) = (0..here.len()).max_by_key(|&row| (loss(row), std::cmp::Reverse(row))) else {
        return "suits the goals".to_owned();
    };
    let eater = &model.problem.eaters[row / NUTRIENTS / model.days()].name;
    let verb = if here[row] >= there[row] { "brings" } else { "keeps" };
    let word = if here[row] >= there[row] { "to" } else { "at" };
    format!("{verb} {eater} {word} {}", amount(model, row % NUTRIENTS, here[row]))
}

fn waste_phrase(model: &Model<'_>, recipe: usize) -> String {
    let expiring = |food: &usize| model.lots[*food].iter().any(|(_, last)| last.is_some());
    let food = model.dishes[recipe].bought.iter().map(|&(food, _)| food).find(expiring);
    food.map_or_else(
        || "wastes less".to_owned(),
        |food| format!("uses {} before it expires", model.problem.foods[food].name),
    )
}
