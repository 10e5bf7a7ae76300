//! Durable operations beside their floors: accept + handle + commit, fsync on, in one run.
//!
//! `cargo bench --bench durable [-- ops|http]` prints one line a number of callers; `BENCH_SECONDS` sets the length
//! of a round, `BENCH_CALLERS` the numbers of callers.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench that fails stops, and its callers are tasks"
)]
#![expect(clippy::cast_precision_loss, reason = "counts become rates for people")]

use meal_planner::actors::{Contexts, Dispatcher, NewCommand, Runtime};
use meal_planner::clock;
use meal_planner::domain::context::{
    Context, Endpoint, KeyFrom, Projection, ProjectionVisitor, Rejection, Verb, read_as,
};
use meal_planner::domain::envelope::{Address, Envelope, Kind, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::domain::registry::Visitor;
use meal_planner::http::{self, Api, App, Gate, Metrics};
use meal_planner::messages;
use meal_planner::store::sqlite::{
    HANDLED_SQL, MESSAGES_SQL, SqliteStore, encode_handled, encode_messages, table_sql, writer_options,
};
use meal_planner::store::{Handled, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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

    fn endpoints() -> Vec<Endpoint> {
        vec![Endpoint {
            verb: Verb::Post,
            path: "/api/counters/{id}",
            type_name: "Add",
            key: KeyFrom::Path,
            summary: "Add to a counter",
            result: Some(Totals::NAME),
        }]
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
    let part = std::env::args().nth(1).filter(|part| !part.starts_with("--"));
    let wants = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let given = std::env::var("BENCH_CALLERS").ok();
    let given = given.map(|text| text.split(',').filter_map(|n| n.parse().ok()).collect());
    let callers: Vec<usize> = given.unwrap_or_else(|| CALLERS.to_vec());
    for &callers in callers.iter().filter(|_| wants("ops")) {
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
    for &callers in callers.iter().filter(|_| wants("http")) {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(runtime.block_on(over_http(callers, length))?);
        }
        rounds.sort_by(|a, b| a.ops_per_s.total_cmp(&b.ops_per_s));
        let Measured { ops_per_s, p99_ms, .. } = rounds[ROUNDS / 2];
        let rss_mb = resident_mb().unwrap_or(f64::NAN);
        println!(
            "durable_http callers={callers} ops_per_s={ops_per_s:.0} p99_ms={p99_ms:.2} rss_mb={rss_mb:.0}"
        );
    }
    Ok(())
}

/// Memory of this process, which is server and callers together.
fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
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
    let measured = measured(latencies, began.elapsed());
    runtime.stop().await?;
    Ok(measured)
}

fn measured(mut latencies: Vec<u32>, took: Duration) -> Measured {
    latencies.sort_unstable();
    let at =
        |share: usize| latencies[(latencies.len() * share / 100).min(latencies.len() - 1)] as f64 / 1000.0;
    Measured { ops_per_s: latencies.len() as f64 / took.as_secs_f64(), p50_ms: at(50), p99_ms: at(99) }
}

/// The whole way: a socket, HTTP/1.1 with keep-alive, token, JSON, `Prefer: wait`, and the read model caught up.
async fn over_http(callers: usize, length: Duration) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path(), clock::now().timestamp_micros()).await?);
    let runtime = Runtime::start(store.clone(), Contexts::default().with::<Counters>()).await?;
    let gate = Gate::new(store, []);
    gate.trust("bench").await?;
    let mut api = Api::default();
    api.context::<Counters>();
    let app = App::new(runtime.dispatcher(), api, gate, Metrics::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, http::router(&app)).await });
    let began = Instant::now();
    let until = began + length;
    let tasks: Vec<_> = (0..callers).map(|n| tokio::spawn(post(address, n, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let measured = measured(latencies, began.elapsed());
    server.abort();
    runtime.stop().await?;
    Ok(measured)
}

/// A caller that costs little itself: one connection, one request at a time.
async fn post(address: SocketAddr, caller: usize, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 4096];
    let mut n = caller;
    while Instant::now() < until {
        let began = Instant::now();
        let request = format!(
            "POST /api/counters/{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bench\r\nPrefer: wait=30\r\n\
             Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"amount\":1}}",
            key(n)
        );
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await?;
            anyhow::ensure!(read > 0, "the server closed the connection");
            filled += read;
            let text = std::str::from_utf8(&buffer[..filled])?;
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let field = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= field.unwrap_or("0").parse()? {
                    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
                    break;
                }
            }
        }
        latencies.push(u32::try_from(began.elapsed().as_micros())?);
        n += 7919;
    }
    Ok(latencies)
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
        control: false,
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

struct Messages {
    first: i64,
    second: i64,
    commands: Vec<Envelope>,
    events: Vec<Envelope>,
    /// Key and new total of each operation.
    state: Vec<(String, i64)>,
}

impl Rows {
    fn new() -> Self {
        Self { versions: vec![0; KEYS], next: 0, position: 0 }
    }

    fn next_group(&mut self, size: usize) -> Messages {
        let first = self.position + 1;
        let second = first + size as i64;
        let mut group = Messages { first, second, commands: vec![], events: vec![], state: vec![] };
        for i in 0..size {
            self.next += 7919;
            let k = self.next % KEYS;
            self.versions[k] += 1;
            let (key, total) = (key(self.next), self.versions[k]);
            let body = Command::from(Add { amount: 1 }).encode().unwrap();
            let to = Address::new("counters", &key);
            let mut command = Envelope::command(&to, "Add", body, Uuid::now_v7(), clock::now());
            command.position = first + i as i64;
            let body = Event::from(Added { amount: 1, total }).encode().unwrap();
            group.events.push(Envelope {
                id: command.derived_id(0),
                kind: Kind::Event,
                stream_version: Some(total),
                type_name: "Added".into(),
                causation_id: Some(command.id),
                body,
                ..command.clone()
            });
            group.commands.push(command);
            group.state.push((key, total));
        }
        self.position = second + size as i64 - 1;
        group
    }
}

impl Messages {
    fn handled(&self) -> Vec<Handled> {
        self.commands.iter().map(|command| Handled::of(command, Outcome::Handled)).collect()
    }

    fn rows(&self) -> String {
        let row = |(key, total): &(String, i64)| format!("[\"{key}\",\"\",\"\",{{\"total\":{total}}}]");
        format!("[{}]", self.state.iter().map(row).collect::<Vec<_>>().join(","))
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
        let group = rows.next_group(callers);
        let query = sqlx::query(AssertSqlSafe(persist.clone()))
            .bind(group.first)
            .bind(1_i64)
            .bind(encode_messages(group.commands.iter())?);
        connection.execute(query).await?;
        let handled = group.handled();
        let at_us = clock::now().timestamp_micros();
        let query = sqlx::query(AssertSqlSafe(handle.clone()))
            .bind(group.second)
            .bind(1_i64)
            .bind(encode_messages(group.events.iter())?)
            .bind(encode_handled(handled.iter().enumerate().map(|(i, done)| (done, i, 1)), at_us)?)
            .bind(group.rows());
        connection.execute(query).await?;
        ops += callers;
    }
    Ok(ops as f64 / began.elapsed().as_secs_f64())
}

/// As one would write it with rusqlite alone: one prepared statement a row, values bound as they are.
fn floor_rusqlite(callers: usize, length: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(prepared(folder.path()))?;
    let connection = rusqlite::Connection::open(folder.path().join("meal-planner.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;
         PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA foreign_keys=ON;
         PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF;",
    )?;
    let mut plain = Plain::new(&connection)?;
    let mut rows = Rows::new();
    let began = Instant::now();
    let mut ops = 0;
    while began.elapsed() < length {
        plain.both_commits(&rows.next_group(callers))?;
        ops += callers;
    }
    Ok(ops as f64 / began.elapsed().as_secs_f64())
}

struct Plain<'c> {
    begin: rusqlite::Statement<'c>,
    commit: rusqlite::Statement<'c>,
    event: rusqlite::Statement<'c>,
    inbox: rusqlite::Statement<'c>,
    outcome: rusqlite::Statement<'c>,
    done: rusqlite::Statement<'c>,
    row: rusqlite::Statement<'c>,
}

impl<'c> Plain<'c> {
    fn new(connection: &'c rusqlite::Connection) -> anyhow::Result<Self> {
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            event: connection.prepare(
                "INSERT INTO events (position, id, kind, context, key, stream_version, type, schema_version,
                     body, time_us, causation_id, correlation_id, trace, extra, epoch)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 1)",
            )?,
            inbox: connection.prepare("INSERT INTO inbox (position, context) VALUES (?1, ?2)")?,
            outcome: connection.prepare(
                "INSERT INTO outcomes (position, status, first_position, last_position, answer, at_us, epoch)
                 VALUES (?1, 0, ?2, ?2, NULL, ?3, 1)",
            )?,
            done: connection.prepare("DELETE FROM inbox WHERE position = ?1")?,
            row: connection.prepare(&format!(
                "INSERT INTO \"{TABLE}\" (key, sort, search, body) VALUES (?1, '', '', ?2)
                 ON CONFLICT (key) DO UPDATE SET sort = excluded.sort, search = excluded.search,
                     body = excluded.body"
            ))?,
        })
    }

    fn both_commits(&mut self, group: &Messages) -> anyhow::Result<()> {
        self.begin.execute([])?;
        for (position, command) in (group.first..).zip(&group.commands) {
            self.insert(position, command)?;
            self.inbox.execute((position, &*command.context))?;
        }
        self.commit.execute([])?;
        self.begin.execute([])?;
        for (position, event) in (group.second..).zip(&group.events) {
            self.insert(position, event)?;
        }
        let at_us = clock::now().timestamp_micros();
        for (i, (key, total)) in (0..).zip(&group.state) {
            self.outcome.execute((group.first + i, group.second + i, at_us))?;
            self.done.execute([group.first + i])?;
            self.row.execute((key, format!("{{\"total\":{total}}}")))?;
        }
        self.commit.execute([])?;
        Ok(())
    }

    fn insert(&mut self, position: i64, message: &Envelope) -> anyhow::Result<()> {
        self.event.execute(rusqlite::params![
            position,
            message.id.as_bytes().as_slice(),
            i64::from(message.kind == Kind::Event),
            &*message.context,
            message.key.as_str(),
            message.stream_version,
            &*message.type_name,
            message.schema_version,
            message.body,
            message.time.timestamp_micros(),
            message.causation_id.as_ref().map(|id| id.as_bytes().as_slice()),
            message.correlation_id.as_bytes().as_slice(),
            message.trace.as_deref(),
            None::<&str>,
        ])?;
        Ok(())
    }
}
