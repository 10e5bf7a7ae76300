//! Durable operations beside their floors: accept + handle + commit, fsync on, in one run.
//!
//! `cargo bench --bench durable` prints one line a number of callers; `BENCH_SECONDS` sets the length of a round.

use meal_planner::actors::{Contexts, Dispatcher, NewCommand, Runtime};
use meal_planner::clock;
use meal_planner::domain::context::{Context, Projection, ProjectionVisitor, Rejection, read_as};
use meal_planner::domain::envelope::{Address, Envelope, Kind, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::messages;
use meal_planner::store::sqlite::{
    HANDLED_SQL, MESSAGES_SQL, SqliteStore, encode_handled, encode_messages, table_sql, writer_options,
};
use meal_planner::store::{Handled, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const KEYS: usize = 1000;
const CALLERS: [usize; 3] = [1, 64, 512];
const ROUNDS: usize = 3;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Add {
    pub amount: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    pub amount: i64,
    pub total: i64,
}

messages! { pub enum Command { Add = 1 } }
messages! { pub enum Event { Added = 1 } }

struct Counters;

impl Context for Counters {
    const NAME: &'static str = "counters";
    type State = i64;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &i64, command: &Command, (): &(), _: &Metadata) -> Result<Vec<Event>, Rejection> {
        let Command::Add(add) = command;
        Ok(vec![Added { amount: add.amount, total: state + add.amount }.into()])
    }

    fn evolve(state: &mut i64, event: &Event) {
        let Event::Added(added) = event;
        *state = added.total;
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Totals>(visitor);
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Total {
    total: i64,
}

struct Totals;

impl Projection for Totals {
    const NAME: &'static str = "counters_totals";
    const READS: &'static [&'static str] = &["counters"];
    type Row = Total;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Counters>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Total>, _: &str, _: &Envelope, event: &Event) {
        let Event::Added(added) = event;
        *row = Some(Total { total: added.total });
    }
}

struct Measured {
    ops_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn main() -> anyhow::Result<()> {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let length = Duration::from_secs_f64(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for callers in CALLERS {
        let mut ours = Vec::new();
        let (mut sqlx, mut rusqlite) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(runtime.block_on(through_the_runtime(callers, length))?);
            sqlx.push(runtime.block_on(floor_sqlx(callers, length))?);
            rusqlite.push(std::thread::spawn(move || floor_rusqlite(callers, length)).join().unwrap()?);
        }
        ours.sort_by(|a, b| a.ops_per_s.total_cmp(&b.ops_per_s));
        let (ours, sqlx, rusqlite) = (&ours[ROUNDS / 2], median(sqlx), median(rusqlite));
        println!(
            "durable_ops engine=sqlite callers={callers} ops_per_s={:.0} floor_sqlx={sqlx:.0} \
             floor_rusqlite={rusqlite:.0} ratio={:.2} ratio_sqlx={:.2} p50_ms={:.2} p99_ms={:.2}",
            ours.ops_per_s,
            ours.ops_per_s / rusqlite,
            ours.ops_per_s / sqlx,
            ours.p50_ms,
            ours.p99_ms,
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn through_the_runtime(callers: usize, length: Duration) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path(), clock::now().timestamp_micros()).await?);
    let runtime = Runtime::start(store, Contexts::default().with::<Counters>()).await?;
    let until = Instant::now() + length;
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|n| tokio::spawn(call(runtime.dispatcher(), n, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let took = began.elapsed();
    runtime.stop().await?;
    latencies.sort_unstable();
    let at =
        |share: usize| latencies[(latencies.len() * share / 100).min(latencies.len() - 1)] as f64 / 1000.0;
    Ok(Measured { ops_per_s: latencies.len() as f64 / took.as_secs_f64(), p50_ms: at(50), p99_ms: at(99) })
}

async fn call(dispatcher: Dispatcher, caller: usize, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut n = caller;
    while Instant::now() < until {
        let began = Instant::now();
        let (_, done) = dispatcher.ask(command(n), Duration::from_secs(30)).await?;
        anyhow::ensure!(done.is_some_and(|done| done.outcome == Outcome::Handled), "not handled in 30 s");
        latencies.push(u32::try_from(began.elapsed().as_micros())?);
        n += 7919;
    }
    Ok(latencies)
}

fn command(n: usize) -> NewCommand {
    NewCommand {
        to: Address::new("counters", key(n)),
        type_name: "Add".to_owned(),
        schema_version: 1,
        body: Command::from(Add { amount: 1 }).encode().unwrap(),
        id: Uuid::now_v7(),
        id_given: false,
        idempotency: None,
        trace: None,
        user: None,
    }
}

fn key(n: usize) -> String {
    format!("counter-{}", n % KEYS)
}

/// The rows of one group as the runtime writes them: persist, then handled + result + state.
struct Rows {
    versions: Vec<i64>,
    next: usize,
    position: i64,
}

struct Group {
    first: i64,
    persist: String,
    second: i64,
    results: String,
    handled: String,
    state: String,
}

impl Rows {
    fn new() -> Self {
        Self { versions: vec![0; KEYS], next: 0, position: 0 }
    }

    fn group(&mut self, size: usize) -> Group {
        let first = self.position + 1;
        let second = first + size as i64;
        let mut commands = Vec::with_capacity(size);
        let mut events = Vec::with_capacity(size);
        let mut done = Vec::with_capacity(size);
        let mut state = Vec::with_capacity(size);
        for i in 0..size {
            self.next += 7919;
            let k = self.next % KEYS;
            self.versions[k] += 1;
            let key = key(self.next);
            let mut command = Envelope::command(
                &Address::new("counters", &key),
                "Add",
                Command::from(Add { amount: 1 }).encode().unwrap(),
                Uuid::now_v7(),
                clock::now(),
            );
            let total = self.versions[k];
            let body = Event::from(Added { amount: 1, total }).encode().unwrap();
            let mut event =
                Envelope { kind: Kind::Event, stream_version: Some(total), body, ..command.clone() };
            event.id = command.derived_id(0);
            event.causation_id = Some(command.id);
            event.type_name = "Added".into();
            command.position = first + i as i64;
            let handled = Handled {
                context: "counters".into(),
                position: command.position,
                id: command.id,
                outcome: Outcome::Handled,
            };
            state.push(format!("[\"{key}\",\"\",\"\",{{\"total\":{total}}}]"));
            done.push(handled);
            commands.push(command);
            events.push(event);
        }
        self.position = second + size as i64 - 1;
        let at_us = clock::now().timestamp_micros();
        Group {
            first,
            persist: encode_messages(commands.iter()).unwrap(),
            second,
            results: encode_messages(events.iter()).unwrap(),
            handled: encode_handled(done.iter().enumerate().map(|(i, done)| (done, i, 1)), at_us).unwrap(),
            state: format!("[{}]", state.join(",")),
        }
    }
}

const TABLE: &str = "counters_totals_v1";

fn handled_text() -> String {
    format!("{MESSAGES_SQL}{HANDLED_SQL}{}", table_sql(TABLE, 5))
}

/// Makes the tables with the project's own migrations.
async fn prepared(folder: &Path) -> anyhow::Result<()> {
    use meal_planner::store::Store;
    let store = SqliteStore::open(folder, 0).await?;
    store.prepare_table(TABLE).await?;
    store.close().await?;
    Ok(())
}

async fn floor_sqlx(callers: usize, length: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    prepared(folder.path()).await?;
    let mut connection = writer_options(&folder.path().join("meal-planner.db")).connect().await?;
    let persist = format!("BEGIN IMMEDIATE;{MESSAGES_SQL}COMMIT;");
    let handle = format!("BEGIN IMMEDIATE;{}COMMIT;", handled_text());
    let mut rows = Rows::new();
    let began = Instant::now();
    let mut ops = 0;
    while began.elapsed() < length {
        let group = rows.group(callers);
        let query =
            sqlx::query(AssertSqlSafe(persist.clone())).bind(group.first).bind(1_i64).bind(group.persist);
        connection.execute(query).await?;
        let query = sqlx::query(AssertSqlSafe(handle.clone()))
            .bind(group.second)
            .bind(1_i64)
            .bind(group.results)
            .bind(group.handled)
            .bind(group.state);
        connection.execute(query).await?;
        ops += callers;
    }
    Ok(ops as f64 / began.elapsed().as_secs_f64())
}

fn floor_rusqlite(callers: usize, length: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(prepared(folder.path()))?;
    let connection = rusqlite::Connection::open(folder.path().join("meal-planner.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;
         PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA foreign_keys=ON;
         PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF;",
    )?;
    let mut persist = statements(&connection, MESSAGES_SQL)?;
    let mut handle = statements(&connection, &handled_text())?;
    let (mut begin, mut commit) = (connection.prepare("BEGIN IMMEDIATE")?, connection.prepare("COMMIT")?);
    let mut rows = Rows::new();
    let began = Instant::now();
    let mut ops = 0;
    while began.elapsed() < length {
        let group = rows.group(callers);
        begin.execute([])?;
        run(&mut persist, group.first, &[&group.persist])?;
        commit.execute([])?;
        begin.execute([])?;
        run(&mut handle, group.second, &[&group.results, &group.handled, &group.state])?;
        commit.execute([])?;
        ops += callers;
    }
    Ok(ops as f64 / began.elapsed().as_secs_f64())
}

fn statements<'c>(
    connection: &'c rusqlite::Connection,
    text: &str,
) -> anyhow::Result<Vec<rusqlite::Statement<'c>>> {
    let parts = text.split(';').filter(|part| !part.trim().is_empty());
    parts.map(|part| Ok(connection.prepare(part)?)).collect()
}

fn run(statements: &mut [rusqlite::Statement<'_>], first: i64, texts: &[&String]) -> anyhow::Result<()> {
    for statement in statements {
        for n in 1..=statement.parameter_count() {
            // `?1` and `?2` are numbers, the rest texts; unused numbers in between bind to nothing.
            match n {
                1 => statement.raw_bind_parameter(1, first)?,
                2 => statement.raw_bind_parameter(2, 1_i64)?,
                n => statement.raw_bind_parameter(n, texts[n - 3])?,
            }
        }
        statement.raw_execute()?;
    }
    Ok(())
}
