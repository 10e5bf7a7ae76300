//! Solves a planning instance and writes the plan:
//! `INSTANCE.json [--moves N | --ms N] [--seed S] [--threads T] [--bound-seconds B] [--out SOLUTION.json]`.

#[path = "../benches/planner/schema.rs"]
mod schema;
#[path = "../benches/planner/solution.rs"]
mod solution;

use anyhow::{Context, bail};
use meal_planner::domain::planning::search;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(clap::Parser)]
struct Arguments {
    instance: PathBuf,
    /// Moves that each chain tries
    #[arg(long, default_value_t = 2_000_000)]
    moves: u64,
    /// Searches so many milliseconds instead
    #[arg(long)]
    ms: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The plan is the same with any
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// Looks so long for a proof of how good the plan is
    #[arg(long, default_value_t = 0.0)]
    bound_seconds: f64,
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = <Arguments as clap::Parser>::parse();
    let problem = schema::read(&arguments.instance)?;
    let began = Instant::now();
    if let Err(fault) = search::check(&problem) {
        bail!("{}: {} ({})", fault.pointer, fault.message, fault.hint);
    }
    let table = search::compile(&problem);
    let moves = if arguments.ms.is_some() { u64::MAX / 2 } else { arguments.moves };
    let effort = search::Effort { seed: arguments.seed, moves, chains: 2, threads: arguments.threads };
    let end = arguments.ms.map(|ms| began + Duration::from_millis(ms));
    let found = search::solve(&table, None, &effort, &|_| match end {
        Some(end) if Instant::now() >= end => ControlFlow::Break(()),
        Some(_) | None => ControlFlow::Continue(()),
    });
    let ms = began.elapsed().as_millis();
    if let Some(broken) = search::broken(&table, &found.plan) {
        bail!("the plan breaks a rule: {broken:?}");
    }
    if let Some(out) = &arguments.out {
        let text = solution::solution(&table, &found.plan).to_string();
        std::fs::write(out, text).with_context(|| out.display().to_string())?;
    }
    let bound = proven(&table, found.objective, arguments.bound_seconds);
    let (bound, gap) = match bound {
        Some(bound) => {
            (bound.to_string(), format!("{:.2}%", percent(found.objective - bound, found.objective)))
        }
        None => ("none".to_owned(), "none".to_owned()),
    };
    println!("objective={} bound={bound} gap={gap} ms={ms} moves={}", found.objective, found.moves);
    Ok(())
}

fn proven(table: &search::Table, known: i64, seconds: f64) -> Option<i64> {
    if seconds <= 0.0 {
        return None;
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    search::prove(table, Some(known), u32::MAX, &mut |_| {
        if Instant::now() >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

/// `part` of `whole` in percent, for people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn percent(part: i64, whole: i64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
