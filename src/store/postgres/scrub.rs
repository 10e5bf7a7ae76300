//! Erasing within a PostgreSQL database. What its server keeps beside the tables (archived logs, replicas, dumps) is
//! its operator's to expire.

use super::text::{escape, unescape};
use crate::store::StoreResult;
use crate::store::reading::Value;
use crate::store::sealed::{Hands, Scrub, scrub as scrub_with};
use crate::store::tables::TABLES;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row};

struct PostgresHands<'c>(&'c mut PgConnection);

impl Hands for PostgresHands<'_> {
    fn holds(column: &str, parameter: &str) -> String {
        format!("strpos({column}, {parameter}) > 0")
    }

    fn execute(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<u64>> {
        async move { Ok(query(sql, values).execute(&mut *self.0).await?.rows_affected()) }.boxed()
    }

    fn texts(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<Vec<String>>> {
        async move {
            let rows = query(sql, values).fetch_all(&mut *self.0).await?;
            rows.iter().map(|row| Ok(unescape(row.try_get::<&str, _>(0)?).into_owned())).collect()
        }
        .boxed()
    }
}

fn query(sql: String, values: Vec<Value>) -> sqlx::query::Query<'static, Postgres, PgArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Integer(value) => query.bind(value),
        Value::Text(value) => query.bind(value.map(|text| escape(&text).into_owned())),
        Value::Bytes(value) => query.bind(value),
        Value::Texts(_) | Value::Pairs(_) => query,
    })
}

/// Looks through whole tables, so the limits that are set for short statements do not hold here.
pub(super) async fn scrub(connection: &mut PgConnection, scrub: &Scrub) -> StoreResult<u64> {
    let mut transaction = connection.begin().await?;
    (&mut *transaction).execute("SET LOCAL statement_timeout = 0").await?;
    let changed = scrub_with(&mut PostgresHands(&mut transaction), scrub).await?;
    transaction.commit().await?;
    Ok(changed)
}

pub(super) async fn compact(connection: &mut PgConnection) -> StoreResult<()> {
    connection.execute("SET statement_timeout = 0").await?;
    for table in TABLES {
        connection.execute(AssertSqlSafe(format!("VACUUM (FULL) store.{}", table.name))).await?;
    }
    connection.execute("SET statement_timeout = '10s'").await?;
    Ok(())
}
