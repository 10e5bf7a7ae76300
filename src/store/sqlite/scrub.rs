//! Erasing within a SQLite file, and leaving nothing of what was deleted in it.

use super::error::store_error;
use crate::store::reading::Value;
use crate::store::sealed::{Hands, Scrub, scrub as scrub_with};
use crate::store::{StoreError, StoreResult};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, Sqlite, SqliteConnection};
use std::time::Duration;

/// How often a checkpoint is tried while readers are in the way.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

struct SqliteHands<'c>(&'c mut SqliteConnection);

impl Hands for SqliteHands<'_> {
    fn holds(column: &str, parameter: &str) -> String {
        format!("instr({column}, {parameter}) > 0")
    }

    fn execute(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<u64>> {
        async move {
            let done = query(sql, values).execute(&mut *self.0).await.map_err(|error| store_error(&error))?;
            Ok(done.rows_affected())
        }
        .boxed()
    }

    fn texts(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<Vec<String>>> {
        async move {
            let rows =
                query(sql, values).fetch_all(&mut *self.0).await.map_err(|error| store_error(&error))?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        }
        .boxed()
    }
}

fn query(sql: String, values: Vec<Value>) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Integer(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
        Value::Texts(_) | Value::Pairs(_) => query,
    })
}

pub(super) async fn scrub(connection: &mut SqliteConnection, scrub: &Scrub) -> StoreResult<u64> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let changed = scrub_with(&mut SqliteHands(&mut transaction), scrub).await?;
    transaction.commit().await?;
    Ok(changed)
}

/// Rewrites the file without what was deleted, and empties the log beside it.
pub(super) async fn compact(connection: &mut SqliteConnection) -> StoreResult<()> {
    connection.execute("VACUUM").await?;
    for _ in 0..TRIES {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
        if row.try_get::<i64, _>(0)? == 0 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Unavailable(
        "somebody reads the database without end; its log was not emptied".to_owned(),
    ))
}
