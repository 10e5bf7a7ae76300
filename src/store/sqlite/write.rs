//! The one writing connection: a group of units becomes one prepared text, one thread hop, one fsync.

use super::changes;
use super::encode::{
    CHECKPOINTS_SQL, DEAD_SQL, EPOCH_SQL, HANDLED_SQL, IDEMPOTENCY_SQL, MESSAGES_SQL, SNAPSHOTS_SQL,
    encode_handled, encode_messages, encode_rows, table_sql,
};
use super::error::{is_not_null, store_error};
use crate::domain::context::RowChange;
use crate::fault;
use crate::store::aging::forget_sql;
use crate::store::encoding;
use crate::store::engine::{Writer, placed};
use crate::store::epoch::END_SQL;
use crate::store::sealed::Scrub;
use crate::store::{Aged, Outcome, Placed, StoreError, StoreResult, Unit};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, Executor, Row, SqliteConnection};
use std::sync::Arc;
use uuid::Uuid;

const FIRST_TABLE_PARAMETER: usize = changes::NOW + 1;

/// See the module.
pub struct SqliteWriter {
    connection: Option<SqliteConnection>,
    epoch: i64,
    last_position: i64,
    /// Set while a commit runs: if its future was dropped, the connection may hold an open transaction.
    unsettled: bool,
}

impl SqliteWriter {
    pub(super) fn new(connection: SqliteConnection, epoch: i64, last_position: i64) -> Self {
        Self { connection: Some(connection), epoch, last_position, unsettled: false }
    }

    async fn write(&mut self, units: &[Unit]) -> StoreResult<Vec<Placed>> {
        self.settle().await?;
        let statement = Statement::of(units, self.last_position + 1, self.epoch)?;
        let count: i64 = units.iter().map(|unit| unit.messages.len() as i64).sum();
        self.unsettled = true;
        let connection = open(&mut self.connection)?;
        let result = connection.execute(statement.query()).await;
        match result {
            Ok(_) => {
                self.unsettled = false;
                let placed = placed(units, self.last_position + 1);
                self.last_position += count;
                Ok(placed)
            }
            Err(error) => self.failed(&error, units, count).await,
        }
    }

    /// After an error the transaction may stand open, be rolled back, or even be committed.
    async fn failed(&mut self, error: &sqlx::Error, units: &[Unit], count: i64) -> StoreResult<Vec<Placed>> {
        let before = self.last_position;
        self.settle().await?;
        if count > 0 && self.last_position == before + count {
            return Ok(placed(units, before + 1));
        }
        if is_not_null(error) && !self.owns_epoch().await? {
            return Err(StoreError::Fenced { epoch: self.epoch });
        }
        Err(store_error(error))
    }

    async fn settle(&mut self) -> StoreResult<()> {
        if !self.unsettled {
            return Ok(());
        }
        let connection = open(&mut self.connection)?;
        // Refused when no transaction is open, which is just as good.
        let rolled_back = connection.execute("ROLLBACK").await;
        let row =
            sqlx::query("SELECT coalesce(max(position), 0) FROM events").fetch_one(&mut *connection).await;
        match (rolled_back, row) {
            (_, Ok(row)) => self.last_position = row.try_get(0)?,
            (Err(error), Err(_)) | (Ok(_), Err(error)) => return Err(store_error(&error)),
        }
        self.unsettled = false;
        Ok(())
    }

    async fn owns_epoch(&mut self) -> StoreResult<bool> {
        let row =
            sqlx::query("SELECT epoch FROM process_epoch").fetch_one(open(&mut self.connection)?).await?;
        Ok(row.try_get::<i64, _>(0)? == self.epoch)
    }
}

impl Writer for SqliteWriter {
    fn commit(&mut self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        async move { self.write(&units).await }.boxed()
    }

    fn prepare_table(&mut self, table: String) -> BoxFuture<'_, StoreResult<()>> {
        let sql = read_model_sql(&table);
        async move {
            self.settle().await?;
            open(&mut self.connection)?.execute(AssertSqlSafe(sql)).await?;
            Ok(())
        }
        .boxed()
    }

    fn forget_aged(&mut self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        async move {
            self.settle().await?;
            if !self.owns_epoch().await? {
                return Err(StoreError::Fenced { epoch: self.epoch });
            }
            let query = sqlx::query(forget_sql(what)).bind(before_us).bind(i64::from(limit)).bind(self.epoch);
            Ok(query.execute(open(&mut self.connection)?).await?.rows_affected())
        }
        .boxed()
    }

    fn put_session(&mut self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.settle().await?;
            sqlx::query("INSERT OR REPLACE INTO sessions (digest, expires_us) VALUES (?1, ?2)")
                .bind(digest.as_slice())
                .bind(expires_us)
                .execute(open(&mut self.connection)?)
                .await?;
            Ok(())
        }
        .boxed()
    }

    fn clear_sessions(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.settle().await?;
            open(&mut self.connection)?.execute("DELETE FROM sessions").await?;
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
        async move {
            self.settle().await?;
            sqlx::query(
                "INSERT INTO subject_keys (subject, sealed, made_us) VALUES (?1, ?2, ?3)
                 ON CONFLICT (subject) DO NOTHING",
            )
            .bind(subject.to_string())
            .bind(sealed)
            .bind(made_us)
            .execute(open(&mut self.connection)?)
            .await?;
            Ok(())
        }
        .boxed()
    }

    fn scrub(&mut self, scrub: Scrub) -> BoxFuture<'_, StoreResult<u64>> {
        async move {
            self.settle().await?;
            if !self.owns_epoch().await? {
                return Err(StoreError::Fenced { epoch: self.epoch });
            }
            super::scrub::scrub(open(&mut self.connection)?, &scrub).await
        }
        .boxed()
    }

    fn compact(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.settle().await?;
            super::scrub::compact(open(&mut self.connection)?).await
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.settle().await?;
            let Some(mut connection) = self.connection.take() else { return Ok(()) };
            sqlx::query(END_SQL).bind(self.epoch).execute(&mut connection).await?;
            fault::point("shutdown.marked");
            connection.close().await?;
            Ok(())
        }
        .boxed()
    }
}

pub(super) fn read_model_sql(table: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS \"{table}\" (
             key TEXT PRIMARY KEY, sort TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL
         ) STRICT, WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS \"{table}_sort\" ON \"{table}\" (sort, key);"
    )
}

fn open(connection: &mut Option<SqliteConnection>) -> StoreResult<&mut SqliteConnection> {
    connection.as_mut().ok_or_else(|| StoreError::Unavailable("the store is closed".to_owned()))
}

/// The text of one group's transaction and its parameters. Texts repeat, so their plans stay cached.
struct Statement {
    sql: String,
    arguments: SqliteArguments,
}

impl Statement {
    fn of(units: &[Unit], first: i64, epoch: i64) -> StoreResult<Self> {
        let tables: Vec<_> = encoding::tables(units).into_iter().map(|name| Table::of(units, name)).collect();
        let at_us = chrono::DateTime::timestamp_micros(&crate::clock::now());
        let mut arguments = SqliteArguments::default();
        bind(&mut arguments, first)?;
        bind(&mut arguments, epoch)?;
        for text in parameters(units, at_us)? {
            bind(&mut arguments, text)?;
        }
        for text in encoding::changes::parameters(units)? {
            bind(&mut arguments, text)?;
        }
        bind(&mut arguments, at_us)?;
        for table in &tables {
            bind(&mut arguments, encode_rows(table.rows.iter().copied())?)?;
        }
        Ok(Self { sql: sql(units, &tables), arguments })
    }

    fn query(self) -> sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments> {
        sqlx::query_with(AssertSqlSafe(self.sql), self.arguments)
    }
}

fn bind<T>(arguments: &mut SqliteArguments, value: T) -> StoreResult<()>
where
    T: for<'t> sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    arguments.add(value).map_err(|error| StoreError::Refused(error.to_string()))
}

/// Parameters `$3` to `$7`; those a statement does not use stay empty.
fn parameters(units: &[Unit], at_us: i64) -> StoreResult<[String; changes::FIRST - 3]> {
    let mut offset = 0;
    let mut handled = Vec::with_capacity(units.len());
    for unit in units {
        if let Some(done) = &unit.handled {
            handled.push((done, offset, unit.messages.len()));
        }
        offset += unit.messages.len();
    }
    Ok([
        encode_messages(units.iter().flat_map(|unit| &unit.messages))?,
        encode_handled(handled.into_iter(), at_us)?,
        encoding::snapshots(units.iter().filter_map(|unit| unit.snapshot.as_ref()))?,
        encoding::checkpoints(units)?,
        encoding::idempotency(units, at_us)?,
    ])
}

/// What changes in the table of one read model.
struct Table<'u> {
    name: &'u str,
    rows: Vec<&'u RowChange>,
}

impl<'u> Table<'u> {
    fn of(units: &'u [Unit], name: &'u str) -> Self {
        Self { name, rows: encoding::rows_of(units, name) }
    }

    fn sql(&self, parameter: usize) -> String {
        table_sql(self.name, parameter, self.rows.iter().any(|change| change.row.is_none()))
    }
}

fn sql(units: &[Unit], tables: &[Table<'_>]) -> String {
    let has = |part: fn(&Unit) -> bool| units.iter().any(part);
    let dead =
        |unit: &Unit| unit.handled.as_ref().is_some_and(|done| matches!(done.outcome, Outcome::Dead { .. }));
    let parts = [
        (has(|unit| !unit.messages.is_empty()), MESSAGES_SQL),
        (has(dead), DEAD_SQL),
        (has(|unit| unit.handled.is_some()), HANDLED_SQL),
        (has(|unit| unit.snapshot.is_some()), SNAPSHOTS_SQL),
        (has(|unit| unit.checkpoint.is_some()), CHECKPOINTS_SQL),
        (has(|unit| unit.idempotency.is_some()), IDEMPOTENCY_SQL),
    ];
    let mut sql = String::with_capacity(4096);
    sql.push_str("BEGIN IMMEDIATE;");
    let fenced =
        |unit: &Unit| !unit.messages.is_empty() || unit.handled.is_some() || unit.checkpoint.is_some();
    if !units.iter().any(fenced) {
        sql.push_str(EPOCH_SQL);
    }
    for (n, (present, text)) in parts.into_iter().enumerate() {
        if present {
            sql.push_str(text);
        }
        // After the messages, before the handled marks take the inbox rows away.
        if n == 0 {
            changes::sql(units, &mut sql);
        }
    }
    changes::tables_sql(units, &mut sql);
    for (n, table) in tables.iter().enumerate() {
        sql.push_str(&table.sql(FIRST_TABLE_PARAMETER + n));
    }
    sql.push_str("COMMIT;");
    sql
}
