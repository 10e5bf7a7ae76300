//! How statements are put to PostgreSQL and what only it understands, over the pool of readers.

use super::copying::PostgresCopy;
use super::error::is_broken;
use super::session::READERS;
use super::text::{escape, unescape};
use crate::store::StoreResult;
use crate::store::copy::Source;
use crate::store::reading::{Columns, Reader, Texts, Value, columns, damaged};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{PgPool, Postgres, Row, SqlStr};
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::timeout;

/// Longer than the server's own limit for a statement, so that only a server that hangs comes to it.
const PATIENCE: Duration = Duration::from_secs(25);
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Connections that only read.
#[derive(Clone, Debug)]
pub struct PostgresReaders {
    pub(super) pool: PgPool,
}

impl Reader for PostgresReaders {
    type Row = PgRow;
    const NAME: &'static str = "postgres";
    const TEXTS: Texts = Texts {
        messages_after: columns!(
            "",
            " FROM events WHERE position > $1 AND position <= $2
                AND ($3 IS NULL OR kind = $3)
                AND ($4 IS NULL OR context = ANY ($4))
                AND ($5 IS NULL OR type = $5)
                AND ($6 IS NULL OR key = $6)
                AND ($7 IS NULL OR correlation_id = $7)
                AND ($8 IS NULL OR strpos(trace, $8) > 0)
              ORDER BY position LIMIT $9"
        ),
        snapshots: "
            SELECT k.n - 1, s.stream_version, s.body FROM unnest($2) WITH ORDINALITY AS k(value, n)
            JOIN snapshots AS s ON s.context = $1 AND s.key = k.value
            WHERE s.state_version = $3 AND s.code_hash = $4",
        events_of: columns!(
            "e.",
            ", k.n - 1 FROM unnest($2, $3) WITH ORDINALITY AS k(value, after, n)
              JOIN events AS e ON e.context = $1 AND e.key = k.value AND e.stream_version > k.after
              ORDER BY k.n, e.stream_version"
        ),
        rows_by_key,
        page_of_rows,
    };

    fn table(name: &str) -> String {
        table(name)
    }

    fn fetch_as<T: Send + 'static>(
        &self,
        sql: SqlStr,
        values: Vec<Value>,
        read: fn(PgRow) -> StoreResult<T>,
    ) -> BoxFuture<'_, StoreResult<Vec<T>>> {
        async move {
            // After an outage the pool may hold as many connections that broke as it holds at all.
            for _ in 0..READERS {
                match self.ask(sql.clone(), values.clone(), read).await {
                    Err(error) if is_broken(&error) => {
                        tracing::debug!(%error, "a connection for reading was lost")
                    }
                    rows => return rows?,
                }
            }
            self.ask(sql, values, read).await?
        }
        .boxed()
    }

    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        async move {
            let copy = PostgresCopy::source(&self.pool.connect_options()).await?;
            Ok(Box::new(copy) as Box<dyn Source>)
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            if timeout(CLOSE_PATIENCE, self.pool.close()).await.is_err() {
                tracing::warn!("the database does not answer; its connections are left to it");
            }
        }
        .boxed()
    }
}

impl PostgresReaders {
    async fn ask<T>(
        &self,
        sql: SqlStr,
        values: Vec<Value>,
        read: fn(PgRow) -> StoreResult<T>,
    ) -> Result<StoreResult<Vec<T>>, sqlx::Error> {
        let rows = bind(sqlx::query(sql), values).fetch(&self.pool);
        let all = rows.map_ok(read).try_collect::<Vec<_>>();
        // Not one that broke: it is not worth asking again.
        let all = timeout(PATIENCE, all).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        Ok(all.into_iter().collect())
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

fn bind(mut query: Query<'_>, values: Vec<Value>) -> Query<'_> {
    let escaped = |text: String| escape(&text).into_owned();
    for value in values {
        query = match value {
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value.map(escaped)),
            Value::Bytes(value) => query.bind(value),
            Value::Texts(value) => {
                query.bind(value.map(|texts| texts.into_iter().map(escaped).collect::<Vec<_>>()))
            }
            Value::Pairs(pairs) => {
                let (texts, numbers): (Vec<_>, Vec<_>) =
                    pairs.into_iter().map(|(text, number)| (escaped(text), number)).unzip();
                query.bind(texts).bind(numbers)
            }
        };
    }
    query
}

/// The schema of a read model's table: that of its context, which its name begins with.
pub(super) fn schema(table: &str) -> &str {
    table.split('_').next().unwrap_or(table)
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn table(name: &str) -> String {
    format!("{}.{}", quoted(schema(name)), quoted(name))
}

fn rows_by_key(table: &str) -> String {
    format!(
        "SELECT t.key, t.body FROM unnest($1) WITH ORDINALITY AS k(value, n)
         JOIN {table} AS t ON t.key = k.value ORDER BY k.n"
    )
}

/// In the order of an index that holds only the beginning of `sort`, as an entry of an index is limited in length.
fn page_of_rows(table: &str) -> String {
    format!(
        "SELECT sort, key, body FROM {table}
         WHERE ($1 IS NULL OR (left(sort, {SORTED}), sort, key) > (left($1, {SORTED}), $1, $2))
           AND NOT EXISTS (SELECT 1 FROM unnest($3) AS w(value) WHERE strpos(search, w.value) = 0)
         ORDER BY left(sort, {SORTED}), sort, key LIMIT $4"
    )
}

/// Characters of `sort` that stand in the index.
pub(super) const SORTED: u32 = 100;

impl Columns for PgRow {
    fn maybe_integer(&self, column: usize) -> StoreResult<Option<i64>> {
        self.try_get(column).map_err(damaged)
    }

    fn maybe_text(&self, column: usize) -> StoreResult<Option<Cow<'_, str>>> {
        let text: Option<&str> = self.try_get(column).map_err(damaged)?;
        Ok(text.map(unescape))
    }

    fn maybe_bytes(&self, column: usize) -> StoreResult<Option<&[u8]>> {
        self.try_get(column).map_err(damaged)
    }

    fn as_it_stands(&self, column: usize) -> Vec<u8> {
        self.maybe_string(column).ok().flatten().unwrap_or_default().into_bytes()
    }
}
