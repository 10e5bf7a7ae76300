//! How statements are put to SQLite and what only it understands, over the read-only pool.

use super::copying::SqliteCopy;
use super::error::store_error;
use crate::store::StoreResult;
use crate::store::copy::Source;
use crate::store::reading::{Columns, Reader, Texts, Value, columns, damaged};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlStr, SqlitePool};
use std::borrow::Cow;

impl Reader for SqlitePool {
    type Row = SqliteRow;
    const NAME: &'static str = "sqlite";
    // A CROSS JOIN is made in the order that it is written in, whatever the statistics say.
    const TEXTS: Texts = Texts {
        messages_after: columns!(
            "",
            " FROM events WHERE position > $1 AND position <= $2
                AND ($3 IS NULL OR kind = $3)
                AND ($4 IS NULL OR context IN (SELECT value FROM json_each($4)))
                AND ($5 IS NULL OR type = $5)
                AND ($6 IS NULL OR key = $6)
                AND ($7 IS NULL OR correlation_id = $7)
                AND ($8 IS NULL OR instr(trace, $8))
              ORDER BY position LIMIT $9"
        ),
        snapshots: "
            SELECT k.key, s.stream_version, s.body FROM json_each($2) AS k
            CROSS JOIN snapshots AS s ON s.context = $1 AND s.key = k.value
            WHERE s.state_version = $3 AND s.code_hash = $4",
        events_of: columns!(
            "e.",
            ", k.key FROM json_each($2) AS k
              CROSS JOIN events AS e ON e.context = $1 AND e.key = k.value ->> 0 AND e.stream_version > k.value ->> 1
              ORDER BY k.key, e.stream_version"
        ),
        rows_by_key,
        page_of_rows,
    };

    fn table(name: &str) -> String {
        format!("\"{name}\"")
    }

    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        async move {
            let copy = SqliteCopy::source(self.connect_options().get_filename()).await?;
            Ok(Box::new(copy) as Box<dyn Source>)
        }
        .boxed()
    }

    fn fetch_as<T: Send + 'static>(
        &self,
        sql: SqlStr,
        values: Vec<Value>,
        read: fn(SqliteRow) -> StoreResult<T>,
    ) -> BoxFuture<'_, StoreResult<Vec<T>>> {
        async move {
            let mut query = sqlx::query(sql);
            for value in values {
                query = match value {
                    Value::Integer(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                    Value::Texts(value) => {
                        query.bind(value.map(|texts| serde_json::json!(texts).to_string()))
                    }
                    Value::Pairs(value) => query.bind(serde_json::json!(value).to_string()),
                };
            }
            let rows = query.fetch(self).map_ok(read).map_err(|error| store_error(&error));
            rows.try_collect::<Vec<_>>().await?.into_iter().collect()
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.close().boxed()
    }
}

fn rows_by_key(table: &str) -> String {
    format!(
        "SELECT t.key, t.body FROM json_each($1) AS k CROSS JOIN {table} AS t ON t.key = k.value ORDER BY k.key"
    )
}

fn page_of_rows(table: &str) -> String {
    format!(
        "SELECT sort, key, body FROM {table}
         WHERE ($1 IS NULL OR (sort, key) > ($1, $2))
           AND NOT EXISTS (SELECT 1 FROM json_each($3) AS w WHERE instr(search, w.value) = 0)
         ORDER BY sort, key LIMIT $4"
    )
}

impl Columns for SqliteRow {
    fn maybe_integer(&self, column: usize) -> StoreResult<Option<i64>> {
        self.try_get(column).map_err(damaged)
    }

    fn maybe_text(&self, column: usize) -> StoreResult<Option<Cow<'_, str>>> {
        let text: Option<&str> = self.try_get(column).map_err(damaged)?;
        Ok(text.map(Cow::Borrowed))
    }

    fn maybe_bytes(&self, column: usize) -> StoreResult<Option<&[u8]>> {
        self.try_get(column).map_err(damaged)
    }

    fn as_it_stands(&self, column: usize) -> Vec<u8> {
        self.try_get_unchecked::<Option<Vec<u8>>, _>(column).ok().flatten().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::migrate;
    use crate::store::sqlite::write::read_model_sql;
    use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

    /// What the planner of SQLite says to a text: a line a step.
    async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
        let rows = connection.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect()
    }

    #[tokio::test]
    async fn keys_are_looked_up_one_by_one_whatever_statistics_say() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection).await.unwrap();
        connection.execute(AssertSqlSafe(read_model_sql("shelf"))).await.unwrap();
        // Someone analysed the store when there was next to nothing in it.
        connection
            .execute(
                "ANALYZE;
                 INSERT INTO sqlite_stat1 VALUES ('events', 'events_stream', '1 1 1 1'), ('events', NULL, '1'),
                     ('snapshots', NULL, '1'), ('shelf', 'sqlite_autoindex_shelf_1', '1 1'), ('shelf', NULL, '1');
                 ANALYZE sqlite_schema;",
            )
            .await
            .unwrap();
        let texts = <SqlitePool as Reader>::TEXTS;
        let by_key = [texts.snapshots.to_owned(), texts.events_of.to_owned(), rows_by_key("shelf")];
        for sql in by_key {
            let steps = plan(&mut connection, &sql).await;
            assert!(steps[0].starts_with("SCAN k VIRTUAL TABLE"), "{sql}: {steps:?}");
            assert!(steps[1].starts_with("SEARCH "), "{sql}: {steps:?}");
        }
        let steps = plan(&mut connection, texts.messages_after).await;
        assert!(steps[0].starts_with("SEARCH events USING INTEGER PRIMARY KEY"), "{steps:?}");
    }
}
