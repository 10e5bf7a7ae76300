//! How statements are put to SQLite and what only it understands, over the read-only pool.

use super::copying::SqliteCopy;
use super::error::store_error;
use crate::store::StoreResult;
use crate::store::copy::Source;
use crate::store::reading::{Columns, Reader, Texts, Value, columns, damaged};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
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

    fn fetch(&self, sql: SqlStr, values: Vec<Value>) -> BoxFuture<'_, StoreResult<Vec<SqliteRow>>> {
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
            query.fetch_all(self).await.map_err(|error| store_error(&error))
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
