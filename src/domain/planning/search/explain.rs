//! A plan in words: reasons, daily totals, goals that are missed.

use super::alternatives;
use super::anneal::Best;
use super::empty;
use super::objective::{POINT, evaluate};
use super::problem::{DayTotal, Dish, PORTIONS, PlannedMeal, Solution, Unmet};
use super::state::State;
use super::table::{NONE, Plan, Table};
use crate::domain::measure::Milli;

/// Units and names of the nutrients, in the order of `Nutrients::NAMES`.
const NUTRIENTS: [(&str, &str); 8] = [
    ("kcal", "energy"),
    ("g", "protein"),
    ("g", "carbs"),
    ("g", "fat"),
    ("g", "saturated fat"),
    ("g", "fibre"),
    ("g", "sugar"),
    ("mg", "sodium"),
];
/// Minutes that are worth praise.
const QUICK: u32 = 20;

/// The solution that a plan stands for.
pub(super) fn solution(table: &Table<'_>, best: &Best, moves: u64) -> Solution {
    let mut state = State::with(table, &best.plan);
    let meals = (0..table.meals.len()).map(|m| planned(&mut state, m)).collect();
    let terms = evaluate(table, &best.plan);
    let cells = || (0..table.eaters).flat_map(|e| (0..table.problem.days.len()).map(move |d| (e, d)));
    let mut unmet: Vec<(i64, Unmet)> = cells().flat_map(|(e, d)| misses(table, &best.plan, e, d)).collect();
    unmet.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    Solution {
        meals,
        objective: terms.total(),
        terms,
        totals: cells().map(|(eater, day)| total(table, &best.plan, eater, day)).collect(),
        unmet: unmet.into_iter().map(|(_, unmet)| unmet).collect(),
        moves,
        improvements: best.improvements,
    }
}

fn planned(state: &mut State<'_>, m: usize) -> PlannedMeal {
    let table = state.table;
    let facts = &table.meals[m];
    let dish = match (state.plan.recipe_at(m), state.plan.cook_of(m)) {
        (None, _) => Dish::Empty { why: empty::why(state, m) },
        (Some(recipe), Some(of)) => Dish::Leftover { recipe, of },
        (Some(recipe), None) => Dish::Cook { recipe, percent: percent(table, &state.plan, m) },
    };
    let served = state.plan.recipe[m] != NONE;
    let portion = |&e: &usize| (e, PORTIONS[usize::from(state.plan.portion[m * table.eaters + e])]);
    let portions = if served { facts.eaters.iter().map(portion).collect() } else { Vec::new() };
    let reasons = if served { reasons(state, m) } else { Vec::new() };
    PlannedMeal { day: facts.day, slot: facts.slot, dish, portions, reasons }
}

/// Percent of a serving cooked at a meal, for it and for its leftovers.
fn percent(table: &Table<'_>, plan: &Plan, cook: usize) -> u32 {
    let eaten = |m: usize| -> u32 {
        let portions = table.meals[m].eaters.iter().map(|&e| plan.portion[m * table.eaters + e]);
        portions.map(|portion| u32::from(PORTIONS[usize::from(portion)])).sum()
    };
    eaten(cook)
        + (cook + 1..table.meals.len()).filter(|&m| plan.cook_of(m) == Some(cook)).map(eaten).sum::<u32>()
}

fn reasons(state: &mut State<'_>, m: usize) -> Vec<String> {
    let table = state.table;
    let Some(recipe) = state.plan.recipe_at(m) else { return Vec::new() };
    let mut reasons = Vec::new();
    if table.meals[m].locked.is_some() {
        reasons.push("kept as you set it".to_owned());
    }
    if let Some(cook) = state.plan.cook_of(m) {
        let (day, name) =
            (table.problem.days[table.meals[cook].day].date, &table.problem.recipes[recipe].name);
        reasons.push(format!("uses {}'s {name}", day.format("%A")));
    }
    reasons.extend(nourishes(table, &state.plan, m, recipe));
    if table.meals[m].open {
        reasons.extend(next_best(state, m));
    }
    let minutes = table.problem.recipes[recipe].minutes.filter(|&minutes| minutes <= QUICK);
    if state.plan.of[m] == NONE {
        reasons.extend(
            minutes
                .map(|minutes| format!("ready in {minutes} minute{}", if minutes == 1 { "" } else { "s" })),
        );
    }
    if reasons.is_empty() {
        reasons.push("fits everybody at the table".to_owned());
    }
    reasons.truncate(3);
    reasons
}

/// The goal with a lower bound that the dish brings somebody closest to.
fn nourishes(table: &Table<'_>, plan: &Plan, m: usize, recipe: usize) -> Option<String> {
    let day = table.meals[m].day;
    let mut best: Option<(i64, String)> = None;
    for &e in &table.meals[m].eaters {
        let eaten = &table.recipes[recipe].amounts[usize::from(plan.portion[m * table.eaters + e])];
        let sums = table.sums(plan, day, e);
        for (n, band) in table.bands[day * table.eaters + e].iter().enumerate() {
            let Some(goal) = &table.problem.eaters[e].goals[n] else { continue };
            if band.low <= 0 || eaten[n] < 500 {
                continue;
            }
            let merit = (eaten[n].saturating_mul(1000) / band.low).min(1000) * i64::from(goal.importance);
            if best.as_ref().is_none_or(|(other, _)| merit > *other) {
                let what = if n == 0 { String::new() } else { format!(" {}", NUTRIENTS[n].1) };
                let sentence = format!(
                    "adds {}{what} for {}, whose day reaches {}",
                    rounded(n, eaten[n]),
                    table.problem.eaters[e].name,
                    rounded(n, sums[n])
                );
                best = Some((merit, sentence));
            }
        }
    }
    best.map(|(_, sentence)| sentence)
}

fn next_best(state: &mut State<'_>, m: usize) -> Option<String> {
    let recipes = &state.table.problem.recipes;
    match alternatives::best(state, m, 1).first() {
        Some(next) => {
            let name = &recipes.get(next.recipe)?.name;
            let tenths = (next.delta + POINT / 20).div_euclid(POINT / 10);
            Some(if tenths <= 0 {
                format!("the next best ({name}) would be as good")
            } else if tenths == 10 {
                format!("the next best ({name}) would cost 1 point more")
            } else {
                format!("the next best ({name}) would cost {}.{} points more", tenths / 10, tenths % 10)
            })
        }
        None => (state.plan.of[m] == NONE).then(|| "the only recipe that fits".to_owned()),
    }
}

fn total(table: &Table<'_>, plan: &Plan, eater: usize, day: usize) -> DayTotal {
    let sums = table.sums(plan, day, eater);
    let (mut known, mut incomplete) = ([false; 8], [false; 8]);
    for m in table.of_day(day).filter(|&m| table.meals[m].eaters.contains(&eater)) {
        if let Some(recipe) = plan.recipe_at(m) {
            for n in 0..8 {
                let unknown = table.recipes[recipe].unknown >> n & 1 == 1;
                known[n] |= !unknown;
                incomplete[n] |= unknown;
            }
        }
    }
    DayTotal { eater, day, amounts: std::array::from_fn(|n| known[n].then_some(sums[n])), incomplete }
}

/// The goals of one eater that a day misses, with their costs.
fn misses(table: &Table<'_>, plan: &Plan, eater: usize, day: usize) -> Vec<(i64, Unmet)> {
    let sums = table.sums(plan, day, eater);
    let bands = &table.bands[day * table.eaters + eater];
    let missed = bands.iter().enumerate().filter(|(n, band)| sums[*n] < band.low || sums[*n] > band.high);
    missed
        .map(|(nutrient, band)| {
            let planned = sums[nutrient];
            let (wanted, side) = if planned < band.low { (band.low, "least") } else { (band.high, "most") };
            let (mut has, mut needs) = (rounded(nutrient, planned), rounded(nutrient, wanted));
            if has == needs {
                has = exact(nutrient, planned);
                needs = exact(nutrient, wanted);
            }
            let sentence = format!(
                "{} on {}: {} {has} of at {side} {needs}",
                table.problem.eaters[eater].name,
                table.problem.days[day].date.format("%a %-d %b"),
                NUTRIENTS[nutrient].1
            );
            let hard = planned < band.min || planned > band.max;
            (band.cost(planned), Unmet { eater, day, nutrient, planned, wanted, hard, sentence })
        })
        .collect()
}

fn rounded(nutrient: usize, amount: i64) -> String {
    format!("{} {}", Milli(amount).rounded(), NUTRIENTS[nutrient].0)
}

fn exact(nutrient: usize, amount: i64) -> String {
    format!("{} {}", Milli(amount), NUTRIENTS[nutrient].0)
}
