//! `replay`: folds everything that is stored again, without a server, and with `--verify` compares.

use super::config::Config;
use super::failure::{Exit, Failure};
use super::output::{count, note, say};
use super::starting::open_store;
use crate::actors::replay::{Replay, Report, fold_all, verify};
use crate::domain;
use crate::store::Store;
use std::sync::Arc;
use std::time::Instant;

/// # Errors
/// When the store cannot be had, or something in it is not as it should be.
pub(super) async fn run(config: &Config, compare: bool, as_json: bool) -> Result<(), Failure> {
    let store = open(config).await?;
    let report = replay(&*store, compare).await;
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the store did not close in order");
    }
    let report = report?;
    if as_json {
        say(&serde_json::json!(report).to_string())?;
    } else {
        print(&report, compare)?;
    }
    if report.is_sound() {
        return Ok(());
    }
    let faults = usize::try_from(report.fault_count).unwrap_or(usize::MAX);
    Err(Failure::failed(
        format!("the replay has found {}", count(faults, "fault")),
        "rows of read models are put right by a rebuild; for the rest restore a backup, or ask with this report",
    ))
}

/// Takes the ownership of the store, so that nobody writes meanwhile.
async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    if !config.data.is_dir() {
        let message = format!("there is no data folder {}", config.data.display());
        return Err(Failure::new(Exit::StoreUnusable, message, "name the server's with --data"));
    }
    open_store(config).await
}

async fn replay(store: &dyn Store, compare: bool) -> Result<Report, Failure> {
    let mut replay = Replay::default();
    domain::contexts(&mut replay);
    if compare {
        return Ok(verify(store, replay).await?);
    }
    let started = Instant::now();
    let mut report = fold_all(store, &mut replay).await?;
    report.timed(started.elapsed());
    Ok(report)
}

fn print(report: &Report, compared: bool) -> Result<(), Failure> {
    let Report { last_position, commands, events, aggregates, .. } = report;
    say(&format!(
        "{commands} commands and {events} events of {aggregates} aggregates, up to position {last_position}"
    ))?;
    say(&format!("{} events/s ({} ms)", report.events_per_s, report.elapsed_ms))?;
    if compared {
        say(&format!("snapshots compared: {}", report.snapshots))?;
        for table in &report.tables {
            let verdict = if table.faults == 0 { "equal" } else { "NOT EQUAL" };
            say(&format!("{:<32} {:>8} rows at {:>8}  {verdict}", table.name, table.rows, table.position))?;
        }
    }
    if let Some(hash) = &report.hash {
        say(&format!("replay hash {}", hash.sha256))?;
    }
    for fault in &report.faults {
        note(&fault.to_string());
    }
    if report.fault_count > report.faults.len() as u64 {
        note(&format!("… and {} more", report.fault_count - report.faults.len() as u64));
    }
    Ok(())
}
