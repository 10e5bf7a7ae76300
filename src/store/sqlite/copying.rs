//! A SQLite store as a source and as a target of a copy.

use super::open::{is_unfinished, migrate, reader_options, writer_options};
use crate::fault;
use crate::store::copy::{Cell, Source, Target, UNTOUCHED_SQL};
use crate::store::lock::FolderLock;
use crate::store::tables::{BEING_BUILT, Kind, TABLES, Table};
use crate::store::{StoreError, StoreResult};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, QueryBuilder, Row, Sqlite, SqliteConnection,
};
use std::path::Path;

/// Tables that are neither fixed ones nor of a read model.
const OTHERS: &[&str] = &["_sqlx_migrations", "process_epoch", "sessions", "copying", "manifest"];
/// Parameters of one statement, well below SQLite's own limit.
const MOST_PARAMETERS: usize = 16_000;

/// One connection; as a source within one read transaction, so that it sees one moment.
pub struct SqliteCopy {
    connection: SqliteConnection,
    _lock: Option<FolderLock>,
}

impl SqliteCopy {
    /// The database at one moment, from now until it is dropped.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn source(database: &Path) -> StoreResult<Self> {
        let mut connection = reader_options(database).connect().await?;
        connection.execute("BEGIN").await?;
        // The moment is that of the first read.
        connection.execute("SELECT count(*) FROM process_epoch").await?;
        Ok(Self { connection, _lock: None })
    }

    /// A database that is filled, made if it is not there. `lock`: of its folder.
    ///
    /// # Errors
    /// When the disk refuses, or the file is no database of ours.
    pub async fn target(database: &Path, lock: Option<FolderLock>) -> StoreResult<Self> {
        let mut connection = writer_options(database).connect().await?;
        migrate(&mut connection).await?;
        Ok(Self { connection, _lock: lock })
    }

    /// Closes it with everything in the one file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn close(mut self) -> StoreResult<()> {
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        self.connection.execute("PRAGMA journal_mode = DELETE").await?;
        Ok(self.connection.close().await?)
    }

    /// Puts what is known of the copy beside it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn write_manifest(&mut self, manifest: &str) -> StoreResult<()> {
        self.connection.execute("CREATE TABLE IF NOT EXISTS manifest (text TEXT NOT NULL) STRICT").await?;
        self.connection.execute("DELETE FROM manifest").await?;
        sqlx::query("INSERT INTO manifest (text) VALUES (?1)")
            .bind(manifest)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// # Errors
    /// When there is none.
    pub async fn read_manifest(&mut self) -> StoreResult<String> {
        Ok(sqlx::query("SELECT text FROM manifest").fetch_one(&mut self.connection).await?.try_get(0)?)
    }

    /// From here on it is a store and no backup.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn drop_manifest(&mut self) -> StoreResult<()> {
        self.connection.execute("DROP TABLE IF EXISTS manifest").await?;
        Ok(())
    }

    /// What SQLite itself finds wrong with the file; nothing when it is sound.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn faults(&mut self) -> StoreResult<Vec<String>> {
        let rows = sqlx::query("PRAGMA integrity_check(20)").fetch_all(&mut self.connection).await?;
        let lines = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<StoreResult<Vec<String>>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    async fn names(&mut self) -> StoreResult<Vec<String>> {
        const SQL: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' \
                           ESCAPE '\\' ORDER BY name";
        let rows = sqlx::query(SQL).fetch_all(&mut self.connection).await?;
        let names =
            rows.iter().map(|row| Ok(row.try_get::<String, _>(0)?)).collect::<StoreResult<Vec<_>>>()?;
        let is_read_model = |name: &String| {
            !OTHERS.contains(&&**name)
                && !name.ends_with(BEING_BUILT)
                && !TABLES.iter().any(|table| table.name == **name)
        };
        Ok(names.into_iter().filter(is_read_model).collect())
    }
}

impl Source for SqliteCopy {
    fn read_models(&mut self) -> BoxFuture<'_, StoreResult<Vec<String>>> {
        self.names().boxed()
    }

    fn page<'a>(
        &'a mut self,
        table: &'a Table,
        after: Option<&'a [Cell]>,
        limit: u32,
    ) -> BoxFuture<'a, StoreResult<Vec<Vec<Cell>>>> {
        async move {
            let mut query = QueryBuilder::<Sqlite>::new(page_sql(table));
            if let Some(after) = after {
                query.push(format!(" WHERE ({}) > (", keys(table)));
                let mut values = query.separated(", ");
                for cell in after {
                    match cell {
                        Cell::Null => values.push_bind(None::<i64>),
                        Cell::Integer(number) => values.push_bind(*number),
                        Cell::Text(text) => values.push_bind(text.clone()),
                        Cell::Bytes(bytes) => values.push_bind(bytes.clone()),
                    };
                }
                query.push(")");
            }
            query.push(format!(" ORDER BY {} LIMIT {limit}", keys(table)));
            let rows = query.build().fetch_all(&mut self.connection).await?;
            rows.iter().map(|row| cells(table, row)).collect()
        }
        .boxed()
    }

    fn epoch(&mut self) -> BoxFuture<'_, StoreResult<i64>> {
        async move {
            let row = sqlx::query("SELECT epoch FROM process_epoch").fetch_one(&mut self.connection).await?;
            Ok(row.try_get(0)?)
        }
        .boxed()
    }
}

impl Target for SqliteCopy {
    fn is_unfinished(&mut self) -> BoxFuture<'_, StoreResult<bool>> {
        is_unfinished(&mut self.connection).boxed()
    }

    fn is_empty(&mut self) -> BoxFuture<'_, StoreResult<bool>> {
        async move {
            let row = sqlx::query(UNTOUCHED_SQL).fetch_one(&mut self.connection).await?;
            Ok(row.try_get::<bool, _>(0)? && self.names().await?.is_empty())
        }
        .boxed()
    }

    fn begin(&mut self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.connection.execute("INSERT INTO copying (one) VALUES (1)").await?;
            Ok(())
        }
        .boxed()
    }

    fn make_read_model<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, StoreResult<()>> {
        async move {
            self.connection.execute(AssertSqlSafe(super::write::read_model_sql(name))).await?;
            Ok(())
        }
        .boxed()
    }

    fn put<'a>(&'a mut self, table: &'a Table, rows: Vec<Vec<Cell>>) -> BoxFuture<'a, StoreResult<()>> {
        async move {
            let mut transaction = self.connection.begin().await?;
            let insert = insert_sql(table);
            let mut rows = rows.into_iter().peekable();
            while rows.peek().is_some() {
                let some = rows.by_ref().take(MOST_PARAMETERS / table.columns.len());
                let mut query = QueryBuilder::<Sqlite>::new(&insert);
                query.push_values(some, |mut values, row| {
                    for cell in row {
                        match cell {
                            Cell::Null => values.push_bind(None::<i64>),
                            Cell::Integer(number) => values.push_bind(number),
                            Cell::Text(text) => values.push_bind(text),
                            Cell::Bytes(bytes) => values.push_bind(bytes),
                        };
                    }
                });
                query.build().execute(&mut *transaction).await?;
                fault::point("copy.middle");
            }
            Ok(transaction.commit().await?)
        }
        .boxed()
    }

    fn finish(&mut self, epoch: i64) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            let mut transaction = self.connection.begin().await?;
            sqlx::query("UPDATE process_epoch SET epoch = ?1, clean = 1")
                .bind(epoch)
                .execute(&mut *transaction)
                .await?;
            (&mut *transaction).execute("DELETE FROM copying").await?;
            transaction.commit().await?;
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            Ok(())
        }
        .boxed()
    }
}

fn columns(table: &Table) -> String {
    table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn keys(table: &Table) -> String {
    table.columns.iter().take(table.keys).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn page_sql(table: &Table) -> String {
    format!("SELECT {} FROM \"{}\"", columns(table), table.name)
}

fn insert_sql(table: &Table) -> String {
    format!("INSERT INTO \"{}\" ({}) ", table.name, columns(table))
}

fn cells(table: &Table, row: &SqliteRow) -> StoreResult<Vec<Cell>> {
    table.columns.iter().enumerate().map(|(n, (column, kind))| cell(table, column, *kind, row, n)).collect()
}

fn cell(table: &Table, column: &str, kind: Kind, row: &SqliteRow, n: usize) -> StoreResult<Cell> {
    Ok(match kind {
        Kind::Integer => row.try_get::<Option<i64>, _>(n)?.map_or(Cell::Null, Cell::Integer),
        Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(n)?.map_or(Cell::Null, Cell::Bytes),
        Kind::Text => match row.try_get_unchecked::<Option<Vec<u8>>, _>(n)?.map(String::from_utf8) {
            None => Cell::Null,
            Some(Ok(text)) => Cell::Text(text),
            Some(Err(_)) => {
                return Err(StoreError::Unusable {
                    message: format!("a text in {}.{column} is no UTF-8", table.name),
                    hint: "the file is damaged: restore the newest backup of it".to_owned(),
                });
            }
        },
    })
}
