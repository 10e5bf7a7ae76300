//! Solving a problem, and a plan in the words of the problem.

use super::anneal::{Progress, Search};
use super::check::Invalid;
use super::model::{Choice, Model};
use super::objective::{self, Plan};
use super::problem::{Meal, Portion, Problem, SlotRef};
use super::terms::Terms;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::ControlFlow;

/// A meal of the plan and what everybody gets of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedMeal {
    pub at: SlotRef,
    pub meal: Meal,
    /// One for each eater of the slot.
    pub portions: Vec<Portion>,
    pub locked: bool,
}

/// The best plan found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Solution {
    /// One for every slot that is planned and has eaters, by day and slot.
    pub meals: Vec<PlannedMeal>,
    /// 10 000 is one point; less is better.
    pub objective: i64,
    pub terms: Terms,
    /// No plan of this problem can cost less. A plain bound: the cheapest that every slot could be by itself.
    pub bound: i64,
    pub moves_used: u64,
    pub improvements: u64,
    pub seed: u64,
}

/// Finds the best plan the budget allows.
///
/// # Errors
/// What [`Problem::check`] finds.
pub fn solve(problem: &Problem) -> Result<Solution, Vec<Invalid>> {
    solve_with(problem, &mut |_| ControlFlow::Continue(()))
}

/// Like [`solve`]; `watcher` is told of the progress every thousand moves or so and may stop the search,
/// which then gives the best plan so far.
///
/// # Errors
/// What [`Problem::check`] finds.
pub fn solve_with(
    problem: &Problem,
    watcher: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Solution, Vec<Invalid>> {
    problem.check()?;
    let model = Model::new(problem);
    let (plan, progress) = Search::new(&model, watcher).run();
    Ok(solution(&model, &plan, progress))
}

pub(super) fn solution(model: &Model<'_>, plan: &Plan, progress: Progress) -> Solution {
    let terms = objective::evaluate(model, plan);
    Solution {
        meals: (0..model.positions.len()).map(|p| planned(model, plan, p)).collect(),
        objective: terms.total(),
        terms,
        bound: bound(model),
        moves_used: progress.moves_used,
        improvements: progress.improvements,
        seed: model.problem.seed,
    }
}

fn planned(model: &Model<'_>, plan: &Plan, position: usize) -> PlannedMeal {
    let place = &model.positions[position];
    let meal = meal(model, plan, position);
    let portions = match meal {
        Meal::Empty => Vec::new(),
        Meal::Cook { .. } | Meal::Leftover { .. } => portions(model, plan, position),
    };
    PlannedMeal { at: place.at, meal, portions, locked: place.locked.is_some() }
}

pub(super) fn meal(model: &Model<'_>, plan: &Plan, position: usize) -> Meal {
    let Some(recipe) = plan.dish(position).map(|recipe| model.problem.recipes[recipe].id) else {
        return Meal::Empty;
    };
    match plan.choices[position] {
        Choice::Leftover(source) => Meal::Leftover { of: model.positions[source].at, recipe },
        Choice::Cook(_) | Choice::Empty => Meal::Cook { recipe },
    }
}

pub(super) fn portions(model: &Model<'_>, plan: &Plan, position: usize) -> Vec<Portion> {
    let step = |e: usize| plan.steps[position * model.eaters() + e];
    let portion = |&e: &usize| Portion {
        eater: model.problem.eaters[e].id,
        pct: model.problem.rules.portions[step(e)],
    };
    model.positions[position].eaters.iter().map(portion).collect()
}

fn bound(model: &Model<'_>) -> i64 {
    let weights = &model.problem.weights;
    let alone = |p: usize| {
        let position = &model.positions[p];
        let price = |recipe: usize| {
            let dish = &model.dishes[recipe];
            dish.rating + dish.coverage + objective::changed(model, p, recipe)
        };
        let cook =
            position.candidates.iter().map(|&recipe| price(recipe) + model.dishes[recipe].effort).min();
        let may_reuse = !position.sources.is_empty() || matches!(position.locked, Some(Choice::Leftover(_)));
        let reuse =
            may_reuse.then(|| (0..model.dishes.len()).map(price).min().unwrap_or(0) + weights.leftover);
        [cook, reuse, position.locked.is_none().then_some(weights.empty)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(0)
    };
    (0..model.positions.len()).map(alone).sum()
}

/// The plan of a solution, where it belongs to this problem and keeps its locks.
///
/// # Errors
/// The meals that do not fit.
pub(super) fn plan_of(model: &Model<'_>, solution: &Solution) -> Result<Plan, Vec<Invalid>> {
    let mut plan = super::state::State::new(model).plan();
    let wrong = |i: usize| Invalid {
        pointer: format!("/meals/{i}"),
        message: "this meal does not belong to the problem".to_owned(),
        hint: "pass the problem the plan was made for".to_owned(),
    };
    let mut findings = Vec::new();
    if solution.meals.len() != model.positions.len() {
        findings.push(wrong(solution.meals.len()));
    }
    for (i, (planned, position)) in solution.meals.iter().zip(&model.positions).enumerate() {
        let Some(choice) = choice_of(model, planned.meal).filter(|_| planned.at == position.at) else {
            findings.push(wrong(i));
            continue;
        };
        plan.choices[i] = choice;
        for portion in &planned.portions {
            let eater = model.problem.eaters.iter().position(|eater| eater.id == portion.eater);
            let step = model.problem.rules.portions.iter().position(|&pct| pct == portion.pct);
            match eater.zip(step) {
                Some((eater, step)) => plan.steps[i * model.eaters() + eater] = step,
                None => findings.push(wrong(i)),
            }
        }
    }
    for (i, &choice) in plan.choices.iter().enumerate() {
        let sound = match choice {
            Choice::Leftover(source) => source < i && matches!(plan.choices[source], Choice::Cook(_)),
            Choice::Cook(_) | Choice::Empty => true,
        };
        if !sound || model.positions[i].locked.is_some_and(|locked| locked != choice) {
            findings.push(wrong(i));
        }
    }
    if findings.is_empty() { Ok(plan) } else { Err(findings) }
}

fn choice_of(model: &Model<'_>, meal: Meal) -> Option<Choice> {
    match meal {
        Meal::Cook { recipe } => model.recipe_index.get(&recipe).map(|&recipe| Choice::Cook(recipe)),
        Meal::Leftover { of, .. } => model.position(of).map(Choice::Leftover),
        Meal::Empty => Some(Choice::Empty),
    }
}
