//! Stores that hold much: how soon they are at work again, and what they cost.

use crate::engines::{Engine, Home, size_of};
use crate::measure::{median, resident_mb};
use crate::through::drive;
use crate::workload::{Added, Counters, Event, KEYS, Totals, command, key};
use futures_util::TryStreamExt;
use meal_planner::actors::{Contexts, NewCommand, Order, Runtime};
use meal_planner::clock;
use meal_planner::domain::context::{Context, Projection, RowChange, StoredRow};
use meal_planner::domain::envelope::{Envelope, Kind};
use meal_planner::domain::message::Message;
use meal_planner::store::{
    Checkpoint, Filter, Handled, Outcome, RowQuery, Snapshot, StateMark, Store, TableChange, Unit,
};
use sqlx::Row;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TABLE: &str = "counters_totals_v1";
/// Units in one commit while a store is filled.
const GROUP: usize = 4000;
/// Events between two snapshots of a counter, as the runtime makes them.
const SNAPSHOT_EVERY: i64 = 100;

fn envelope(new: NewCommand) -> Envelope {
    let NewCommand { to, type_name, body, id, .. } = new;
    Envelope::command(&to, &type_name, body, id, clock::now())
}

fn contexts() -> Contexts {
    Contexts::default().with::<Counters>()
}

/// Handled commands with their events, snapshots and rows, as a runtime would have left them.
async fn fill(store: &Arc<dyn Store>, events: usize) -> anyhow::Result<()> {
    store.prepare_table(TABLE).await?;
    let mut versions = vec![0_i64; KEYS];
    let mut position = store.last_position().await?;
    let mut done = 0;
    while done < events {
        let size = GROUP.min(events - done);
        let mut units = Vec::with_capacity(size + 1);
        for n in done..done + size {
            let command = envelope(command(n));
            let version = &mut versions[n % KEYS];
            *version += 1;
            units.push(handled(command, *version, position + 1)?);
            position += 2;
        }
        let rows = (0..KEYS.min(events)).map(|n| row(n, versions[n])).collect();
        units.push(Unit {
            table: Some(TableChange { table: TABLE.to_owned(), rows }),
            checkpoint: Some(Checkpoint { reader: TABLE.to_owned(), position }),
            ..Unit::default()
        });
        store.commit(Arc::new(units)).await?;
        done += size;
    }
    Ok(())
}

fn handled(command: Envelope, version: i64, position: i64) -> anyhow::Result<Unit> {
    let body = Event::from(Added { amount: 1, total: version }).encode()?;
    let event = Envelope {
        id: command.derived_id(0),
        kind: Kind::Event,
        stream_version: Some(version),
        type_name: "Added".into(),
        causation_id: Some(command.id),
        body,
        ..command.clone()
    };
    let snapshot = (version % SNAPSHOT_EVERY == 0).then(|| Snapshot {
        context: command.context.clone(),
        key: command.key.clone(),
        stream_version: version,
        mark: StateMark { version: Counters::STATE_VERSION, code_hash: meal_planner::domain::CODE_HASH },
        body: version.to_string(),
    });
    let handled = Handled { position, ..Handled::of(&command, Outcome::Handled) };
    Ok(Unit { messages: vec![command, event], handled: Some(handled), snapshot, ..Unit::default() })
}

fn row(n: usize, total: i64) -> RowChange {
    let body = format!("{{\"total\":{total}}}");
    let row = Some(StoredRow { sort: String::new(), search: String::new(), body });
    RowChange { key: key(n), row }
}

/// From the start of the process with messages waiting to the first and to the last of them handled.
pub async fn recovery(engine: Engine, home: &Home, waiting: usize) -> anyhow::Result<()> {
    let store = home.open().await?;
    let mut first = None;
    for from in (0..waiting).step_by(GROUP) {
        let messages: Vec<_> = (from..waiting.min(from + GROUP)).map(|n| envelope(command(n))).collect();
        first.get_or_insert(messages[0].id);
        store.commit(Arc::new(vec![Unit { messages, ..Unit::default() }])).await?;
    }
    let Some(first) = first else { return Ok(()) };
    store.close().await?;
    drop(store);
    let began = Instant::now();
    let store = home.open().await?;
    let runtime = Runtime::start(store.clone(), contexts()).await?;
    let done = runtime.hub().wait_for(first);
    if store.message(first).await?.is_none_or(|status| status.outcome.is_none()) {
        let _ = done.await;
    }
    let to_first = began.elapsed();
    let mut committed = runtime.hub().committed.subscribe();
    let all = i64::try_from(waiting * 2)?;
    committed.wait_for(|position| *position >= all).await?;
    let to_last = began.elapsed();
    runtime.stop().await?;
    println!(
        "recovery engine={} waiting={waiting} first_handled_ms={} all_handled_ms={}",
        engine.name(),
        to_first.as_millis(),
        to_last.as_millis()
    );
    Ok(())
}

/// Reading, decoding and folding every event, beside a bare scan that decodes the same rows.
pub async fn replay(engine: Engine, home: &Home, events: usize) -> anyhow::Result<()> {
    let store = home.open().await?;
    fill(&store, events).await?;
    let (mut ours, mut bare, mut rebuilds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(folded(&store).await?);
        bare.push(scanned(home).await?);
    }
    let runtime = Runtime::start(store.clone(), contexts()).await?;
    let began = Instant::now();
    if let Some(stage) = runtime.hub().rebuild(Totals::NAME) {
        meal_planner::actors::Hub::rebuilt(stage).await.map_err(anyhow::Error::msg)?;
        rebuilds.push(events as f64 / began.elapsed().as_secs_f64());
    }
    runtime.stop().await?;
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "replay engine={} events={events} events_per_s={ours:.0} floor_scan_and_decode={bare:.0} ratio={:.2} \
         rebuild_events_per_s={:.0}",
        engine.name(),
        ours / bare,
        rebuilds.first().copied().unwrap_or(f64::NAN),
    );
    Ok(())
}

/// Events a second, through the store as replays read it.
async fn folded(store: &Arc<dyn Store>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let filter = Filter { kinds: Some(Kind::Event), ..Filter::default() };
    let mut states: std::collections::HashMap<_, i64> = std::collections::HashMap::new();
    let (mut after, mut count) = (0, 0);
    loop {
        let page = store.messages_after(after, 10_000, filter.clone()).await?;
        if page.read_to == after {
            return Ok(f64::from(count) / began.elapsed().as_secs_f64());
        }
        after = page.read_to;
        for event in page.messages {
            let decoded = Event::decode(&event.type_name, event.schema_version, &event.body)?;
            Counters::evolve(states.entry(event.key).or_default(), &decoded);
            count += 1;
        }
    }
}

/// Events a second, by one statement over the same rows, each decoded into its type.
async fn scanned(home: &Home) -> anyhow::Result<f64> {
    const COLUMNS: &str = "position, id, kind, context, key, stream_version, type, schema_version, body, time_us, \
                           causation_id, correlation_id, trace, extra";
    let began = Instant::now();
    let (mut count, mut total) = (0, 0_i64);
    let mut see = |body: &str| -> anyhow::Result<()> {
        total += serde_json::from_str::<Added>(body)?.amount;
        count += 1;
        Ok(())
    };
    if let Some(url) = &home.url {
        use sqlx::Connection;
        let mut connection = sqlx::PgConnection::connect(url).await?;
        let sql = format!("SELECT {COLUMNS} FROM store.events WHERE kind = 1 ORDER BY position");
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(&mut connection);
        while let Some(row) = rows.try_next().await? {
            see(row.try_get(8)?)?;
        }
    } else {
        use sqlx::ConnectOptions;
        let options =
            meal_planner::store::sqlite::writer_options(&home.folder.path().join("meal-planner.db"));
        let mut connection = options.read_only(true).connect().await?;
        let sql = format!("SELECT {COLUMNS} FROM events WHERE kind = 1 ORDER BY position");
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(&mut connection);
        while let Some(row) = rows.try_next().await? {
            see(row.try_get(8)?)?;
        }
    }
    anyhow::ensure!(total == i64::from(count), "the events are not what was written");
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// From the order to restart an actor to its answer to the next message.
pub async fn restart(engine: Engine, home: &Home) -> anyhow::Result<()> {
    let store = home.open().await?;
    fill(&store, 100_000).await?;
    let runtime = Runtime::start(store, contexts()).await?;
    let dispatcher = runtime.dispatcher();
    let mut took = Vec::new();
    for n in 0..20 {
        dispatcher.ask(command(n), Duration::from_secs(30)).await?;
        let generation =
            || runtime.hub().registry.find("contexts/counters").map(|status| status.generation());
        let before = generation();
        let began = Instant::now();
        runtime.hub().order("contexts/counters", Order::Restart)?;
        // Before that the old one may still answer.
        while generation() == before {
            tokio::task::yield_now().await;
        }
        let (_, done) = dispatcher.ask(command(n), Duration::from_secs(30)).await?;
        anyhow::ensure!(done.is_some(), "it did not come back");
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    runtime.stop().await?;
    println!("restart engine={} to_serving_ms={:.1}", engine.name(), median(took));
    Ok(())
}

/// What a runtime with nothing to do writes: nothing.
pub async fn idle(home: &Home, length: Duration) -> anyhow::Result<()> {
    let store = home.open().await?;
    let runtime = Runtime::start(store.clone(), contexts()).await?;
    runtime.dispatcher().ask(command(1), Duration::from_secs(30)).await?;
    let last = store.last_position().await?;
    runtime.hub().caught_up("counters", last).await;
    let written = || -> anyhow::Result<_> {
        let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        Ok((size_of(home.folder.path()), bytes.unwrap_or("0").parse::<u64>()?))
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = written()?;
    tokio::time::sleep(length).await;
    let after = written()?;
    println!(
        "idle seconds={} grown_bytes={} written_bytes={} rss_mb={:.0}",
        length.as_secs(),
        after.0 - before.0,
        after.1 - before.1,
        resident_mb().unwrap_or(f64::NAN)
    );
    runtime.stop().await?;
    Ok(())
}

/// Start, memory and throughput with many events in the store, beside an empty one.
pub async fn large(
    engine: Engine,
    home: &Home,
    empty: &Home,
    events: usize,
    callers: usize,
    length: Duration,
) -> anyhow::Result<()> {
    let store = home.open().await?;
    fill(&store, events).await?;
    store.close().await?;
    drop(store);
    let began = Instant::now();
    let store = home.open().await?;
    let runtime = Runtime::start(store.clone(), contexts()).await?;
    let (_, done) = runtime.dispatcher().ask(command(1), Duration::from_secs(60)).await?;
    anyhow::ensure!(done.is_some(), "the first message was not handled");
    let started = began.elapsed();
    let last = store.last_position().await?;
    runtime.hub().caught_up("counters", last).await;
    let rows = store.rows(TABLE, RowQuery { limit: 1, ..RowQuery::default() }).await?;
    anyhow::ensure!(!rows.rows.is_empty(), "the read model is empty");
    let rss_mb = resident_mb().unwrap_or(f64::NAN);
    let other = Runtime::start(empty.open().await?, contexts()).await?;
    let (mut full, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        full.push(drive(&runtime.dispatcher(), callers, length).await?.ops_per_s);
        bare.push(drive(&other.dispatcher(), callers, length).await?.ops_per_s);
    }
    let (full, bare) = (median(full), median(bare));
    println!(
        "large engine={} events={events} start_to_first_handled_ms={} rss_mb={rss_mb:.0} callers={callers} \
         ops_per_s={full:.0} empty_ops_per_s={bare:.0} ratio={:.2} disk_mb={}",
        engine.name(),
        started.as_millis(),
        full / bare,
        size_of(home.folder.path()) / 1_048_576,
    );
    runtime.stop().await?;
    other.stop().await?;
    Ok(())
}
