//! The objective of a whole plan, computed from nothing, and the formulas it shares with the incremental state.

use super::model::{Band, Choice, Lots, Model};
use super::problem::{NUTRIENTS, Problem};
use super::terms::{Term, Terms};

/// Most that one eater's one nutrient can cost on one day; keeps sums within 64 bits.
const MISS_CAP: i64 = 1_000_000_000_000;
/// Most money a plan is charged for, in 1e-5 of the currency; keeps products within 64 bits.
const MONEY_CAP: i64 = 9_000_000_000_000;

/// A complete plan by index: a choice and a portion step per eater for every position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) choices: Vec<Choice>,
    /// `steps[position * eaters + eater]`: index into the portions of the rules.
    pub(super) steps: Vec<usize>,
}

impl Plan {
    pub(super) fn dish(&self, position: usize) -> Option<usize> {
        match self.choices[position] {
            Choice::Empty => None,
            Choice::Cook(recipe) => Some(recipe),
            Choice::Leftover(source) => match self.choices[source] {
                Choice::Cook(recipe) => Some(recipe),
                Choice::Leftover(_) | Choice::Empty => None,
            },
        }
    }
}

/// What the need for one food comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Purchase {
    /// Mass bought times its price.
    pub(super) spent: i64,
    pub(super) buys: i64,
    pub(super) waste: i64,
}

/// `value` per serving at `percent_squared` = usual portion x portion step, both in per cent; rounded half up.
pub(super) const fn portioned(value: i64, percent_squared: i64) -> i64 {
    (value * percent_squared + 5000) / 10_000
}

/// The price of an amount outside its band.
pub(super) fn band_cost(band: Band, amount: i64, unit: i64) -> i64 {
    let outside = (band.lo - amount).max(0) + (amount - band.hi).max(0);
    let beyond = (band.min - amount).max(0) + (amount - band.max).max(0);
    ((outside + 3 * beyond) * band.slope / unit).min(MISS_CAP)
}

/// Points for mass times cents per kilogram, at `weight` a unit of the currency.
pub(super) fn money(problem: &Problem, spent: i64, weight: i64) -> i64 {
    (spent / problem.unit).min(MONEY_CAP) * weight / 100_000
}

pub(super) fn over_budget(problem: &Problem, spent: i64) -> i64 {
    let over = problem.rules.budget_cents.map_or(0, |cents| spent / problem.unit - cents * 1000);
    over.clamp(0, MONEY_CAP) * problem.weights.over_budget / 100_000
}

/// Pantry first, what expires first first; a lot covers only what is cooked by its last day.
pub(super) fn purchase(problem: &Problem, food: usize, lots: &Lots, need: i64, by_day: &[i64]) -> Purchase {
    let price = problem.foods[food].cents_per_kg;
    let (mut covered, mut waste) = (0, 0);
    for &(mass, last) in lots {
        let reachable = last.map_or(need, |last| by_day.iter().take(last + 1).sum());
        let used = mass.min(reachable - covered).max(0);
        covered += used;
        if last.is_some() {
            waste += wasted(problem, price, mass - used);
        }
    }
    let bought = need - covered;
    Purchase { spent: bought * price.unwrap_or(0), buys: i64::from(bought > 0), waste }
}

fn wasted(problem: &Problem, price: Option<i64>, mass: i64) -> i64 {
    match price {
        Some(cents) => money(problem, mass * cents, problem.weights.waste_money),
        None => (mass / problem.unit) * problem.weights.waste_kg / 1000,
    }
}

pub(super) fn same_day(model: &Model<'_>, dishes: [Option<usize>; 2]) -> i64 {
    let protein = |dish: Option<usize>| dish.and_then(|recipe| model.dishes[recipe].protein);
    let same = protein(dishes[0]).is_some() && protein(dishes[0]) == protein(dishes[1]);
    i64::from(same) * model.problem.weights.protein_same_day
}

pub(super) fn portion_cost(model: &Model<'_>, step: usize) -> i64 {
    let off = (i64::from(model.problem.rules.portions[step]) - 100).abs();
    off * model.problem.weights.portion / 25
}

pub(super) fn percent_squared(model: &Model<'_>, eater: usize, step: usize) -> i64 {
    i64::from(model.problem.eaters[eater].portion_pct) * i64::from(model.problem.rules.portions[step])
}

pub(super) fn leftover_excess(problem: &Problem, leftovers: i64) -> i64 {
    (leftovers - i64::from(problem.rules.leftover_cap)).max(0) * problem.weights.leftover_excess
}

/// Evaluates a plan in one go. The incremental state must agree with it to the unit after every move.
pub(super) fn evaluate(model: &Model<'_>, plan: &Plan) -> Terms {
    let mut terms = meal_terms(model, plan);
    terms.nutrition = nutrition(model, plan);
    variety(model, plan, &mut terms);
    purchases(model, plan, &mut terms);
    terms
}

fn meal_terms(model: &Model<'_>, plan: &Plan) -> Terms {
    let weights = &model.problem.weights;
    let (mut terms, mut leftovers) = (Terms::default(), 0);
    for (p, position) in model.positions.iter().enumerate() {
        let Some(recipe) = plan.dish(p) else {
            terms.empty += weights.empty;
            continue;
        };
        let dish = &model.dishes[recipe];
        terms.rating += dish.rating;
        terms.coverage += dish.coverage;
        terms.change += changed(model, p, recipe);
        if matches!(plan.choices[p], Choice::Leftover(_)) {
            leftovers += 1;
        } else {
            terms.effort += dish.effort;
        }
        terms.portions += position
            .eaters
            .iter()
            .map(|&e| portion_cost(model, plan.steps[p * model.eaters() + e]))
            .sum::<i64>();
    }
    terms.leftovers = leftovers * weights.leftover + leftover_excess(model.problem, leftovers);
    terms
}

pub(super) fn changed(model: &Model<'_>, position: usize, recipe: usize) -> i64 {
    let changed = model.positions[position].previous.is_some_and(|previous| previous != recipe);
    i64::from(changed) * model.problem.weights.change
}

/// What every eater gets of every nutrient on every day: `[(eater * days + day) * NUTRIENTS + nutrient]`.
pub(super) fn totals(model: &Model<'_>, plan: &Plan) -> Vec<i64> {
    let mut totals = vec![0; model.eaters() * model.days() * NUTRIENTS];
    for (p, position) in model.positions.iter().enumerate() {
        let Some(recipe) = plan.dish(p) else { continue };
        for &e in &position.eaters {
            let percent = percent_squared(model, e, plan.steps[p * model.eaters() + e]);
            let row = (e * model.days() + position.day) * NUTRIENTS;
            for (n, &value) in model.dishes[recipe].nutrients.iter().enumerate() {
                totals[row + n] += portioned(value, percent);
            }
        }
    }
    totals
}

fn nutrition(model: &Model<'_>, plan: &Plan) -> i64 {
    let costs = totals(model, plan).into_iter().zip(&model.bands);
    costs.map(|(amount, &band)| band_cost(band, amount, model.problem.unit)).sum()
}

fn variety(model: &Model<'_>, plan: &Plan, terms: &mut Terms) {
    let (rules, weights) = (&model.problem.rules, &model.problem.weights);
    let (mut cuisines, mut proteins) = (vec![0; model.cuisines], vec![0; model.proteins]);
    let mut cooked = vec![0; model.dishes.len()];
    for (p, position) in model.positions.iter().enumerate() {
        if let Choice::Cook(recipe) = plan.choices[p] {
            cooked[recipe] += 1;
        }
        let Some(recipe) = plan.dish(p).filter(|_| position.slot.is_main()) else { continue };
        if let Some(cuisine) = model.dishes[recipe].cuisine {
            cuisines[cuisine] += 1;
        }
        if let Some(protein) = model.dishes[recipe].protein {
            proteins[protein] += 1;
        }
    }
    let beyond = |counts: &[i64], cap: i64| counts.iter().map(|count| (count - cap).max(0)).sum::<i64>();
    let days =
        model.at.iter().map(|at| same_day(model, [at[1], at[2]].map(|p| p.and_then(|p| plan.dish(p)))));
    terms.variety = beyond(&cuisines, rules.cuisine_cap) * weights.cuisine_excess
        + beyond(&proteins, rules.protein_cap) * weights.protein_excess
        + days.sum::<i64>();
    terms.repetition = beyond(&cooked, 1) * weights.repeat;
}

fn purchases(model: &Model<'_>, plan: &Plan, terms: &mut Terms) {
    let (problem, days) = (model.problem, model.days());
    let mut needs = vec![0; problem.foods.len() * days];
    for (p, position) in model.positions.iter().enumerate() {
        let Some(recipe) = plan.dish(p) else { continue };
        let cooked = match plan.choices[p] {
            Choice::Leftover(source) => model.positions[source].day,
            Choice::Cook(_) | Choice::Empty => position.day,
        };
        let percents =
            position.eaters.iter().map(|&e| percent_squared(model, e, plan.steps[p * model.eaters() + e]));
        let percent: i64 = percents.sum();
        for &(food, mass) in &model.dishes[recipe].bought {
            needs[food * days + cooked] += portioned(mass, percent);
        }
    }
    let mut spent = 0;
    for (food, by_day) in needs.chunks(days).enumerate() {
        let bought = purchase(problem, food, &model.lots[food], by_day.iter().sum(), by_day);
        spent += bought.spent;
        *terms.get_mut(Term::Items) += bought.buys * problem.weights.item;
        *terms.get_mut(Term::Waste) += bought.waste;
    }
    terms.money = money(problem, spent, problem.weights.money);
    terms.over_budget = over_budget(problem, spent);
}
