//! The durable path beside its floors, everything that is compared in one run, fsync on.
//!
//! `cargo bench --bench durable [-- ops|http|recovery|replay|restart|idle|large]` prints one line a measurement.
//! `BENCH_SECONDS`: the length of a round; `BENCH_CALLERS`: the numbers of callers; `BENCH_EVENTS`: how many events
//! the large store has; `BENCH_ENGINES`: sqlite, postgres (both by default, where PostgreSQL is installed).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench that fails stops, and its callers are tasks"
)]
#![expect(clippy::cast_precision_loss, reason = "counts become rates for people")]
#![expect(unreachable_pub, reason = "a program, not a library")]

mod engines;
mod filled;
mod floors;
mod http;
mod measure;
mod through;
mod workload;

use engines::{Engine, Home, Server};
use measure::{Measured, median, resident_mb};
use std::time::Duration;
use tokio::runtime::Runtime;

const CALLERS: [usize; 3] = [1, 64, 512];
const ROUNDS: usize = 3;
const WAITING: usize = 100_000;
const REPLAYED: usize = 300_000;
const LARGE: usize = 1_000_000;

fn main() -> anyhow::Result<()> {
    let seconds = from_env("BENCH_SECONDS", |text| text.parse().ok()).unwrap_or(3.0);
    let length = Duration::from_secs_f64(seconds);
    let numbers = |text: &str| Some(text.split(',').filter_map(|n| n.parse().ok()).collect());
    let callers: Vec<usize> = from_env("BENCH_CALLERS", numbers).unwrap_or_else(|| CALLERS.to_vec());
    let events = from_env("BENCH_EVENTS", |text| text.parse().ok()).unwrap_or(LARGE);
    let engines = std::env::var("BENCH_ENGINES").unwrap_or_else(|_| "sqlite,postgres".to_owned());
    let part = std::env::args().nth(1).filter(|part| !part.starts_with("--"));
    let wants = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;

    let server = if engines.contains("postgres") { Server::start()? } else { None };
    if server.is_none() && engines.contains("postgres") {
        println!("skipped engine=postgres: this machine has no PostgreSQL programs (initdb, pg_ctl)");
    }
    let mut places: Vec<(Engine, Option<&Server>)> = Vec::new();
    if engines.contains("sqlite") {
        places.push((Engine::Sqlite, None));
    }
    places.extend(server.as_ref().map(|server| (Engine::Postgres, Some(server))));

    for &(engine, server) in &places {
        let home = || runtime.block_on(Home::new(server));
        if wants("ops") {
            for &callers in &callers {
                durable_ops(&runtime, engine, server, callers, length)?;
            }
        }
        if wants("recovery") {
            runtime.block_on(filled::recovery(engine, &home()?, WAITING))?;
        }
        if wants("replay") {
            runtime.block_on(filled::replay(engine, &home()?, REPLAYED))?;
        }
        if wants("restart") {
            runtime.block_on(filled::restart(engine, &home()?))?;
        }
        if wants("large") {
            let busiest = callers.iter().copied().find(|callers| *callers == 64).unwrap_or(callers[0]);
            runtime.block_on(filled::large(engine, &home()?, &home()?, events, busiest, length))?;
        }
    }
    if wants("http") {
        for &callers in &callers {
            durable_http(&runtime, callers, length)?;
        }
    }
    if wants("idle") {
        runtime.block_on(async { filled::idle(&Home::new(None).await?, Duration::from_secs(10)).await })?;
    }
    Ok(())
}

fn from_env<T>(name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    std::env::var(name).ok().and_then(|text| read(&text))
}

/// Rounds of ours and of the floors take turns, so that the machine's moods meet them all.
fn durable_ops(
    runtime: &Runtime,
    engine: Engine,
    server: Option<&Server>,
    callers: usize,
    length: Duration,
) -> anyhow::Result<()> {
    let (mut ours, mut sqlx, mut rusqlite) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let home = runtime.block_on(Home::new(server))?;
        ours.push(runtime.block_on(through::ops(&home, callers, length))?);
        match engine {
            Engine::Sqlite => {
                sqlx.push(runtime.block_on(floors::sqlite_by_sqlx(callers, length))?);
                let floor = std::thread::spawn(move || floors::sqlite_by_rusqlite(callers, length));
                rusqlite.push(floor.join().unwrap()?);
            }
            Engine::Postgres => {
                let home = runtime.block_on(Home::new(server))?;
                sqlx.push(runtime.block_on(floors::postgres_by_sqlx(&home, callers, length))?);
            }
        }
    }
    ours.sort_by(|a, b| a.ops_per_s.total_cmp(&b.ops_per_s));
    let Measured { ops_per_s, p50_ms, p99_ms } = &ours[ROUNDS / 2];
    let sqlx = median(sqlx);
    let hand = if rusqlite.is_empty() {
        format!("ratio={:.2}", ops_per_s / sqlx)
    } else {
        let rusqlite = median(rusqlite);
        format!(
            "floor_rusqlite={rusqlite:.0} ratio={:.2} ratio_sqlx={:.2}",
            ops_per_s / rusqlite,
            ops_per_s / sqlx
        )
    };
    println!(
        "durable_ops engine={} callers={callers} ops_per_s={ops_per_s:.0} floor_sqlx={sqlx:.0} {hand} \
         p50_ms={p50_ms:.2} p99_ms={p99_ms:.2}",
        engine.name()
    );
    Ok(())
}

fn durable_http(runtime: &Runtime, callers: usize, length: Duration) -> anyhow::Result<()> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(runtime.block_on(http::over_http(callers, length))?);
    }
    rounds.sort_by(|a, b| a.ops_per_s.total_cmp(&b.ops_per_s));
    let Measured { ops_per_s, p99_ms, .. } = rounds[ROUNDS / 2];
    // Server and callers together: they share this process.
    let rss_mb = resident_mb().unwrap_or(f64::NAN);
    println!("durable_http callers={callers} ops_per_s={ops_per_s:.0} p99_ms={p99_ms:.2} rss_mb={rss_mb:.0}");
    Ok(())
}
