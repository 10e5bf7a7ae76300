//! The one writing connection: a group of units is one call, and a lost connection leaves nothing in doubt.

use super::encode::{COMMIT_GROUP, Heading, arguments};
use super::error::{is_fenced, is_lost};
use super::read::{SORTED, quoted, schema, table};
use super::session::{self, Backend, answered};
use crate::fault;
use crate::store::aging::forget_sql;
use crate::store::engine::{Writer, placed};
use crate::store::epoch::END_SQL;
use crate::store::sealed::Scrub;
use crate::store::{Aged, Change, Placed, StoreError, StoreResult, Unit};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Longer than the server's own limit for a statement, so that only a server that hangs comes to it.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
pub struct PostgresWriter {
    options: PgConnectOptions,
    state: State,
    backend: Backend,
    epoch: i64,
    last_position: i64,
    /// Groups offered so far.
    group: i64,
    /// The group of which the answer has not come.
    doubt: Option<Doubt>,
    /// Units of a group that landed though its caller was told otherwise, or nothing, without their bodies. Whoever
    /// offers them again, in their order, gets the answer.
    landed: VecDeque<(Unit, Placed)>,
}

enum State {
    Connected(Box<PgConnection>),
    Lost,
    Fenced,
    Closed,
}

struct Doubt {
    units: Arc<Vec<Unit>>,
    group: i64,
}

impl PostgresWriter {
    pub(super) fn new(
        options: PgConnectOptions,
        connection: PgConnection,
        backend: Backend,
        epoch: i64,
        last_position: i64,
    ) -> Self {
        let state = State::Connected(Box::new(connection));
        Self { options, state, backend, epoch, last_position, group: 0, doubt: None, landed: VecDeque::new() }
    }

    async fn write(&mut self, units: Arc<Vec<Unit>>) -> StoreResult<Vec<Placed>> {
        self.settle().await?;
        let known = self.known(&units);
        if known.iter().all(Option::is_some) {
            return Ok(known.into_iter().flatten().collect());
        }
        if known.iter().all(Option::is_none) {
            return self.write_new(units).await;
        }
        let fresh =
            units.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(unit, _)| unit.clone());
        let mut placed = self.write_new(Arc::new(fresh.collect())).await?.into_iter();
        Ok(known.into_iter().filter_map(|known| known.or_else(|| placed.next())).collect())
    }

    /// Where those units stand that have landed before. What is offered is in order, perhaps with some left out; the
    /// first that is new ends the story of the group that was lost.
    fn known(&mut self, units: &[Unit]) -> Vec<Option<Placed>> {
        if self.landed.is_empty() {
            return vec![None; units.len()];
        }
        units
            .iter()
            .map(|unit| {
                let unit = &without_bodies(unit);
                let at = self.landed.iter().position(|(landed, _)| landed == unit);
                let (_, place) = at.and_then(|at| self.landed.drain(..=at).next_back())?;
                Some(place)
            })
            .collect()
    }

    async fn write_new(&mut self, units: Arc<Vec<Unit>>) -> StoreResult<Vec<Placed>> {
        self.landed.clear();
        self.group += 1;
        let has_messages = count(&units) > 0;
        let heading = Heading {
            first: self.last_position + 1,
            epoch: self.epoch,
            now_us: crate::clock::now().timestamp_micros(),
            group: (!has_messages).then_some(self.group),
        };
        let arguments = arguments(&units, heading)?;
        self.doubt = Some(Doubt { units: units.clone(), group: self.group });
        let query = sqlx::query_with::<Postgres, PgArguments>(COMMIT_GROUP, arguments);
        let asked = query.execute(self.connection()?);
        #[cfg(debug_assertions)]
        let asked = passing_the_middle(asked);
        let error = match timeout(PATIENCE, asked).await {
            Ok(Ok(_)) => {
                self.doubt = None;
                let placed = placed(&units, heading.first);
                self.last_position += count(&units);
                return Ok(placed);
            }
            Ok(Err(error)) if !is_lost(&error) => {
                self.doubt = None;
                return Err(self.refusal(error));
            }
            Ok(Err(error)) => error.into(),
            Err(_) => silent(),
        };
        tracing::warn!(%error, "the connection to the database was lost in a commit");
        self.settle().await?;
        let known = self.known(&units);
        if known.iter().all(Option::is_some) {
            return Ok(known.into_iter().flatten().collect());
        }
        Err(error)
    }

    fn refusal(&mut self, error: sqlx::Error) -> StoreError {
        if is_fenced(&error) {
            self.state = State::Fenced;
            return StoreError::Fenced { epoch: self.epoch };
        }
        error.into()
    }

    fn connection(&mut self) -> StoreResult<&mut PgConnection> {
        match &mut self.state {
            State::Connected(connection) => Ok(connection),
            State::Lost => Err(StoreError::Unavailable("the database is not connected".to_owned())),
            State::Fenced => Err(StoreError::Fenced { epoch: self.epoch }),
            State::Closed => Err(StoreError::Unavailable("the store is closed".to_owned())),
        }
    }

    /// Makes sure of the connection and of what the last group came to. A commit whose caller has gone away is in
    /// doubt as well: its connection is given up, and the server finishes or forgets it before the lock is free.
    async fn settle(&mut self) -> StoreResult<()> {
        if self.doubt.is_some() && matches!(self.state, State::Connected(_)) {
            self.state = State::Lost;
        }
        if matches!(self.state, State::Lost) {
            let connection = match timeout(PATIENCE, self.reconnect()).await {
                Ok(connection) => connection?,
                Err(_) => return Err(silent()),
            };
            self.state = State::Connected(Box::new(connection));
        }
        self.connection().map(drop)
    }

    /// The lock again, the epoch still ours, and where the group in doubt stands.
    async fn reconnect(&mut self) -> StoreResult<PgConnection> {
        let mut connection = session::open_writer(&self.options).await?;
        answered(session::end(&mut connection, &self.backend)).await?;
        let locked = session::take_lock(&mut connection).await;
        if self.read_epoch(&mut connection).await? != self.epoch {
            self.state = State::Fenced;
            return Err(StoreError::Fenced { epoch: self.epoch });
        }
        // Whoever holds the lock has not begun an epoch yet, and may never.
        self.backend = locked.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.resolve(&mut connection).await?;
        tracing::info!("the database is connected again");
        Ok(connection)
    }

    async fn read_epoch(&self, connection: &mut PgConnection) -> StoreResult<i64> {
        let row = answered(sqlx::query("SELECT epoch FROM process_epoch").fetch_one(connection)).await?;
        Ok(row.try_get(0)?)
    }

    async fn resolve(&mut self, connection: &mut PgConnection) -> StoreResult<()> {
        const SQL: &str = "SELECT (SELECT coalesce(max(position), 0) FROM events),
                                  (SELECT position FROM checkpoints WHERE reader = E'\\x02group' AND epoch = $1)";
        let row = answered(sqlx::query(SQL).bind(self.epoch).fetch_one(connection)).await?;
        let (last, group): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(doubt) = self.doubt.take() {
            let count = count(&doubt.units);
            let landed =
                if count > 0 { last == self.last_position + count } else { group == Some(doubt.group) };
            if landed {
                let places = placed(&doubt.units, self.last_position + 1);
                self.landed = doubt.units.iter().map(without_bodies).zip(places).collect();
            }
        }
        self.last_position = last;
        Ok(())
    }

    /// After an error nobody knows how the connection stands: the next caller takes a new one.
    fn doubted<T>(&mut self, result: StoreResult<T>) -> StoreResult<T> {
        if result.is_err() && matches!(self.state, State::Connected(_)) {
            self.state = State::Lost;
        }
        result
    }

    /// A statement that may be made again without harm.
    async fn execute(&mut self, query: sqlx::query::Query<'_, Postgres, PgArguments>) -> StoreResult<u64> {
        self.settle().await?;
        let result = match timeout(PATIENCE, query.execute(self.connection()?)).await {
            Ok(Ok(done)) => return Ok(done.rows_affected()),
            Ok(Err(error)) if !is_lost(&error) => return Err(error.into()),
            Ok(Err(error)) => error.into(),
            Err(_) => silent(),
        };
        self.state = State::Lost;
        Err(result)
    }
}

impl Writer for PostgresWriter {
    fn commit(&mut self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        self.write(units).boxed()
    }

    fn prepare_table(&mut self, name: String) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            for sql in prepare_sql(&name) {
                self.execute(sqlx::query(AssertSqlSafe(sql))).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn forget_aged(&mut self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        async move {
            self.settle().await?;
            let epoch = self.epoch;
            let row = sqlx::query("SELECT epoch FROM process_epoch").fetch_one(self.connection()?);
            if answered(row).await?.try_get::<i64, _>(0)? != epoch {
                self.state = State::Fenced;
                return Err(StoreError::Fenced { epoch });
            }
            let query = sqlx::query(forget_sql(what)).bind(before_us).bind(i64::from(limit)).bind(epoch);
            self.execute(query).await
        }
        .boxed()
    }

    fn put_session(&mut self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        const SQL: &str = "INSERT INTO sessions (digest, expires_us) VALUES ($1, $2)
                           ON CONFLICT (digest) DO UPDATE SET expires_us = excluded.expires_us";
        async move {
            self.execute(sqlx::query(SQL).bind(digest.to_vec()).bind(expires_us)).await?;
            Ok(())
        }
        .boxed()
    }

    fn clear_sessions(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.execute(sqlx::query("DELETE FROM sessions")).await?;
            Ok(())
        }
        .boxed()
    }

    fn put_subject_key(
        &mut self,
        subject: Uuid,
        sealed: Vec<u8>,
        made_us: i64,
    ) -> BoxFuture<'_, StoreResult<()>> {
        const SQL: &str = "INSERT INTO subject_keys (subject, sealed, made_us) VALUES ($1, $2, $3)
                           ON CONFLICT (subject) DO NOTHING";
        async move {
            let query = sqlx::query(SQL).bind(subject.to_string()).bind(sealed).bind(made_us);
            self.execute(query).await?;
            Ok(())
        }
        .boxed()
    }

    fn scrub(&mut self, scrub: Scrub) -> BoxFuture<'_, StoreResult<u64>> {
        async move {
            self.settle().await?;
            let scrubbed = super::scrub::scrub(self.connection()?, &scrub).await;
            self.doubted(scrubbed)
        }
        .boxed()
    }

    fn compact(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.settle().await?;
            let compacted = super::scrub::compact(self.connection()?).await;
            self.doubted(compacted)
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            if matches!(self.state, State::Closed | State::Fenced) {
                self.state = State::Closed;
                return Ok(());
            }
            self.execute(sqlx::query(END_SQL).bind(self.epoch)).await?;
            fault::point("shutdown.marked");
            if let State::Connected(connection) = std::mem::replace(&mut self.state, State::Closed) {
                answered(connection.close()).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

pub(super) fn prepare_sql(name: &str) -> [String; 3] {
    let (schema, table) = (quoted(schema(name)), table(name));
    [
        format!("CREATE SCHEMA IF NOT EXISTS {schema}"),
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (
                 key TEXT COLLATE \"C\" PRIMARY KEY, sort TEXT COLLATE \"C\" NOT NULL,
                 search TEXT COLLATE \"C\" NOT NULL, body TEXT COLLATE \"C\" NOT NULL
             )"
        ),
        format!("CREATE INDEX IF NOT EXISTS {} ON {table} (left(sort, {SORTED}), key)", index(name)),
    ]
}

fn index(name: &str) -> String {
    quoted(&format!("{name}_sort"))
}

/// The table and its index get the names of those they take the place of.
pub(super) fn rename_sql(from: &str, to: &str) -> String {
    let index_in_schema = format!("{}.{}", quoted(schema(from)), index(from));
    format!(
        "ALTER TABLE {} RENAME TO {};ALTER INDEX {index_in_schema} RENAME TO {};",
        table(from),
        quoted(to),
        index(to)
    )
}

/// Passes the point when the group is on its way to the server and the answer is not yet here.
#[cfg(debug_assertions)]
async fn passing_the_middle<T>(asked: impl Future<Output = T>) -> T {
    let pass = async {
        tokio::task::yield_now().await;
        fault::point("commit.middle");
    };
    futures_util::future::join(asked, pass).await.0
}

fn silent() -> StoreError {
    StoreError::Unavailable("the database does not answer".to_owned())
}

/// A unit as it is whenever it is offered: what is personal in a body is sealed anew each time.
fn without_bodies(unit: &Unit) -> Unit {
    let mut unit = unit.clone();
    unit.messages.iter_mut().for_each(|message| message.body.clear());
    for change in &mut unit.changes {
        if let Change::SetTimer(timer) = change {
            timer.body.clear();
        }
    }
    unit
}

fn count(units: &[Unit]) -> i64 {
    units.iter().map(|unit| unit.messages.len() as i64).sum()
}
