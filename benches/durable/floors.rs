//! What the databases do with the same rows when nothing else is in the way.

use crate::engines::Home;
use crate::workload::{Add, Added, Command, Event, KEYS, key};
use meal_planner::clock;
use meal_planner::domain::envelope::{Address, Envelope, Kind};
use meal_planner::domain::message::Message;
use meal_planner::store::sqlite::{
    HANDLED_SQL, MESSAGES_SQL, SqliteStore, encode_handled, encode_messages, table_sql, writer_options,
};
use meal_planner::store::{Handled, Outcome};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The rows of one group as the runtime writes them: persist, then handled + result + state.
pub struct Rows {
    versions: Vec<i64>,
    next: usize,
    position: i64,
}

pub struct Messages {
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

pub const TABLE: &str = "counters_totals_v1";

fn handled_text() -> String {
    format!("{MESSAGES_SQL}{HANDLED_SQL}{}", table_sql(TABLE, 5, false))
}

/// Makes the tables with the project's own migrations.
async fn prepared(folder: &Path) -> anyhow::Result<()> {
    use meal_planner::store::Store;
    let store = SqliteStore::open(folder, 0).await?;
    store.prepare_table(TABLE).await?;
    store.close().await?;
    Ok(())
}

pub async fn sqlite_by_sqlx(callers: usize, length: Duration) -> anyhow::Result<f64> {
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
pub fn sqlite_by_rusqlite(callers: usize, length: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(prepared(folder.path()))?;
    let connection = rusqlite::Connection::open(folder.path().join("meal-planner.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384; PRAGMA cache_size=-16384;
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

/// One connection, one round trip a statement, arrays unnested: as one would write it with sqlx alone.
pub async fn postgres_by_sqlx(home: &Home, callers: usize, length: Duration) -> anyhow::Result<f64> {
    use sqlx::Connection;
    let store = home.open().await?;
    store.prepare_table(TABLE).await?;
    store.close().await?;
    drop(store);
    let url = home.url.as_deref().unwrap_or_default();
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection.execute("SET search_path TO store; SET synchronous_commit TO on").await?;
    let mut rows = Rows::new();
    let began = Instant::now();
    let mut ops = 0;
    while began.elapsed() < length {
        let group = rows.next_group(callers);
        connection.execute("BEGIN").await?;
        unnest(&mut connection, group.first, &group.commands).await?;
        let positions: Vec<i64> = (group.first..group.second).collect();
        let contexts: Vec<&str> = group.commands.iter().map(|command| &*command.context).collect();
        let inbox = "INSERT INTO inbox (position, context) SELECT * FROM unnest($1::BIGINT[], $2::TEXT[])";
        sqlx::query(inbox).bind(&positions).bind(contexts).execute(&mut connection).await?;
        connection.execute("COMMIT").await?;
        connection.execute("BEGIN").await?;
        unnest(&mut connection, group.second, &group.events).await?;
        let caused: Vec<i64> = (group.second..group.second + callers as i64).collect();
        sqlx::query(
            "INSERT INTO outcomes (position, status, first_position, last_position, answer, at_us, epoch)
             SELECT p, 0, e, e, NULL, $3, 1 FROM unnest($1::BIGINT[], $2::BIGINT[]) AS t(p, e)",
        )
        .bind(&positions)
        .bind(caused)
        .bind(clock::now().timestamp_micros())
        .execute(&mut connection)
        .await?;
        let done = sqlx::query("DELETE FROM inbox WHERE position = ANY ($1)").bind(&positions);
        done.execute(&mut connection).await?;
        let mut totals: Vec<_> = group.state.iter().collect();
        totals.sort();
        totals.reverse();
        totals.dedup_by(|a, b| a.0 == b.0);
        let keys: Vec<&str> = totals.iter().map(|(key, _)| key.as_str()).collect();
        let bodies: Vec<String> = totals.iter().map(|(_, total)| format!("{{\"total\":{total}}}")).collect();
        sqlx::query(AssertSqlSafe(format!(
            "INSERT INTO counters.{TABLE} (key, sort, search, body)
             SELECT k, '', '', b FROM unnest($1::TEXT[], $2::TEXT[]) AS t(k, b)
             ON CONFLICT (key) DO UPDATE SET body = excluded.body"
        )))
        .bind(keys)
        .bind(bodies)
        .execute(&mut connection)
        .await?;
        connection.execute("COMMIT").await?;
        ops += callers;
    }
    Ok(ops as f64 / began.elapsed().as_secs_f64())
}

async fn unnest(
    connection: &mut sqlx::PgConnection,
    first: i64,
    messages: &[Envelope],
) -> anyhow::Result<()> {
    let numbers = |of: fn(&Envelope) -> Option<i64>| messages.iter().map(of).collect::<Vec<_>>();
    let texts = |of: fn(&Envelope) -> &str| messages.iter().map(of).collect::<Vec<_>>();
    let ids = |of: fn(&Envelope) -> Option<&[u8]>| messages.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO events (position, id, kind, context, key, stream_version, type, schema_version, body, time_us,
                             causation_id, correlation_id, epoch)
         SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BIGINT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[], $7::TEXT[],
                              $8::BIGINT[], $9::TEXT[], $10::BIGINT[], $11::BYTEA[], $12::BYTEA[], $13::BIGINT[])",
    )
    .bind((first..).take(messages.len()).collect::<Vec<_>>())
    .bind(ids(|message| Some(message.id.as_bytes())))
    .bind(numbers(|message| Some(i64::from(message.kind == Kind::Event))))
    .bind(texts(|message| &message.context))
    .bind(texts(|message| message.key.as_str()))
    .bind(numbers(|message| message.stream_version))
    .bind(texts(|message| &message.type_name))
    .bind(numbers(|message| Some(message.schema_version.into())))
    .bind(texts(|message| &message.body))
    .bind(numbers(|message| Some(message.time.timestamp_micros())))
    .bind(ids(|message| message.causation_id.as_ref().map(|id| id.as_bytes().as_slice())))
    .bind(ids(|message| Some(message.correlation_id.as_bytes())))
    .bind(numbers(|_| Some(1)))
    .execute(connection)
    .await?;
    Ok(())
}
