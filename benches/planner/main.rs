//! How good plans are after how long, beside simple rules, and how long single uses take.
//!
//! `cargo bench --bench planner [-- --quick]`. `PLANNING_INSTANCES`: a folder of instances in their format, with
//! `best-known.json` where that is known; without it, made-up problems are planned and compared with their own bound.

#![expect(clippy::cast_precision_loss, reason = "ratios for people")]

mod made;
mod schema;

use anyhow::Context;
use meal_planner::domain::planning::search::{self, Choice, Effort, Plan, Problem, Table};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SEEDS: u64 = 5;
const SIZES: [usize; 4] = [100, 500, 2000, 10_000];
/// How long a bound may take.
const PROOF: Duration = Duration::from_secs(10);

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let budgets: &[u64] = if quick { &[10, 100, 1000] } else { &[10, 100, 1000, 10_000] };
    println!(
        "median of {SEEDS} seeds, two chains; % above the best known plan (or the best found here); the table is"
    );
    println!("compiled within the time; gap: % that the best plan may be above the proven bound");
    print!("{:>12} {:>9} {:>9} {:>9}", "instance", "random", "kcal rule", "greedy");
    budgets.iter().for_each(|ms| print!(" {:>8}", format!("{ms} ms")));
    println!(" {:>7} | rank one meal, other meals for a day, one edit (meals changed beside it)", "gap");
    for (name, problem, best) in problems()? {
        row(&name, &problem, best, budgets);
    }
    Ok(())
}

type Case = (String, Problem, Option<i64>);

fn problems() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for size in SIZES {
        match std::env::var_os("PLANNING_INSTANCES").map(PathBuf::from) {
            None => cases.push((format!("made_{size}"), made::problem(size, 2, 1), None)),
            Some(folder) => {
                for people in [1, 2, 4] {
                    let name = format!("h{people}_{size}_s1");
                    let problem = schema::read(&folder.join(format!("{name}.json")))?;
                    let best = best_known(&folder, &name)?;
                    cases.push((name, problem, best));
                }
            }
        }
    }
    Ok(cases)
}

fn best_known(folder: &Path, name: &str) -> anyhow::Result<Option<i64>> {
    let file = folder.join("best-known.json");
    let text = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let all: serde_json::Value = serde_json::from_slice(&text)?;
    Ok(all.get(name).and_then(|known| known.get("best_known")?.as_i64()))
}

fn row(name: &str, problem: &Problem, best: Option<i64>, budgets: &[u64]) {
    let table = search::compile(problem);
    let total = |plan: &Plan| search::evaluate(&table, plan).total();
    let random = median((0..SEEDS).map(|seed| total(&search::random(&table, seed))).collect());
    let kcal = total(&nearest_kcal(problem, &table));
    let greedy = search::solve(&table, None, &Effort { moves: 0, chains: 1, threads: 1, seed: 1 }, &go_on);
    let mut plan = greedy.plan;
    let mut found = Vec::new();
    for &ms in budgets {
        let mut ends: Vec<_> = (1..=SEEDS).map(|seed| within(problem, ms, seed)).collect();
        ends.sort_by_key(|(objective, _)| *objective);
        let (objective, middle) = ends.swap_remove(ends.len() / 2);
        found.push(objective);
        plan = middle;
    }
    let least = found.iter().copied().min().unwrap_or(greedy.objective);
    let best = best.unwrap_or(least);
    let above = |objective: i64| format!("{:+.2}", percent(objective - best, best));
    print!("{name:>12} {:>9} {:>9} {:>9}", above(random), above(kcal), above(greedy.objective));
    found.iter().for_each(|objective| print!(" {:>8}", above(*objective)));
    let end = Instant::now() + PROOF;
    let bound = search::prove(&table, Some(least), u32::MAX, &mut |_| until(end));
    let gap =
        bound.map_or_else(|| "none".to_owned(), |bound| format!("{:.2}", percent(least - bound, least)));
    print!(" {gap:>7}");
    uses(problem, &table, &plan);
}

fn uses(problem: &Problem, table: &Table, plan: &Plan) {
    let dinner = table.slots.iter().rposition(|slot| slot.kind == search::Kind::Dinner).unwrap_or(0);
    let rank = middle_of(|| search::rank(table, plan, dinner, 5));
    // As the product does it.
    let effort = Effort { seed: 1, moves: 30_000, chains: 2, threads: 2 };
    let reroll = || search::descend(table, search::reroll_day(table, plan, 3, &effort, &go_on));
    let roll = middle_of(reroll);
    let edited = edited(problem, table, plan);
    let (amend, amended) = timed(|| search::amend(&search::compile(&edited), plan, 3));
    let others = amended.changed.len().saturating_sub(1);
    println!(" | {rank:.3} ms, {roll:.2} ms, {amend:.2} ms ({others})");
}

/// The problem with another dinner locked on its last day: one of the next best.
fn edited(problem: &Problem, table: &Table, plan: &Plan) -> Problem {
    let mut edited = problem.clone();
    let Some(slot) = table.slots.iter().rposition(|slot| slot.kind == search::Kind::Dinner) else {
        return edited;
    };
    let other = search::rank(table, plan, slot, 5).pop().map(|other| other.choice);
    if let (Some(Choice::Cook(recipe)), Ok(day)) = (other, u32::try_from(table.slots[slot].day)) {
        let dish = search::Locked::Recipe(recipe);
        edited.locks.push(search::Lock { day, kind: search::Kind::Dinner, dish, portions: Vec::new() });
    }
    edited
}

fn go_on(_: &search::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn until(end: Instant) -> ControlFlow<()> {
    if Instant::now() >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Milliseconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed().as_secs_f64() * 1000.0, done)
}

fn middle_of<T>(work: impl Fn() -> T) -> f64 {
    let mut took: Vec<f64> = (0..9).map(|_| timed(&work).0).collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn within(problem: &Problem, ms: u64, seed: u64) -> (i64, Plan) {
    let end = Instant::now() + Duration::from_millis(ms);
    let table = search::compile(problem);
    let effort = Effort { seed, moves: u64::MAX / 2, chains: 2, threads: 2 };
    let found = search::solve(&table, None, &effort, &|_| until(end));
    (found.objective, found.plan)
}

/// `part` of `whole` in percent, for people.
fn percent(part: i64, whole: i64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// The rule of many planners: at each meal the dish whose energy is nearest to the meal's share of the day.
fn nearest_kcal(problem: &Problem, table: &Table) -> Plan {
    let mut plan = search::random(table, 1);
    for slot in 0..table.slots.len() {
        plan.choices[slot] = table.slots[slot].locked.unwrap_or(Choice::Empty);
    }
    let goal = problem.eaters.first().and_then(|eater| eater.goals[0]).map_or(2000, |goal| goal.reference);
    for slot in (0..table.slots.len()).filter(|slot| table.slots[*slot].locked.is_none()) {
        let wanted = goal * table.slots[slot].kind.share() / 100;
        let usual = table.usual.first().copied().unwrap_or(0);
        let off = |recipe: u32| (table.row(recipe as usize, usual)[0] - wanted).abs();
        let mut ranked: Vec<u32> =
            table.groups[table.slots[slot].group].cook.iter().map(|candidate| candidate.recipe).collect();
        ranked.sort_by_key(|recipe| (off(*recipe), *recipe));
        let fits = ranked.into_iter().find(|recipe| {
            plan.choices[slot] = Choice::Cook(*recipe);
            search::broken(table, &plan).is_none()
        });
        plan.choices[slot] = fits.map_or(Choice::Empty, Choice::Cook);
    }
    plan
}
