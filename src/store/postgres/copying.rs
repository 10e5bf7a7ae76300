//! A PostgreSQL store as a source and as a target of a copy.

use super::error::is_gone;
use super::open::{is_unfinished, keep_unusable, options, own};
use super::read::table as read_model;
use super::session::answered;
use super::text::escape;
use super::write::prepare_sql;
use crate::fault;
use crate::store::copy::{Cell, Source, Target, UNTOUCHED_SQL};
use crate::store::reading::Columns;
use crate::store::tables::{BEING_BUILT, Kind, TABLES, Table};
use crate::store::{StoreError, StoreResult};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder, Row};

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Bytes of one statement's values, roughly; the server takes no more than a gigabyte.
const PORTION: usize = 16 << 20;
/// How often a moment is sought at which no read model is just being swapped.
const TRIES: usize = 5;
/// Where the writer notes its groups without messages: a matter between it and its server.
const NO_READER: &str = "E'\\x02group'";
/// A page of large rows takes longer than what a server is asked for otherwise.
const SESSION: &str = "SET statement_timeout = '5min'; SET idle_in_transaction_session_timeout = 0";

/// One connection; as a source within one read transaction, so that it sees one moment.
pub struct PostgresCopy {
    connection: PgConnection,
}

impl PostgresCopy {
    /// The database at one moment, from now until it is dropped. Until then no read model can be swapped or dropped.
    pub(super) async fn source(options: &PgConnectOptions) -> StoreResult<Self> {
        let mut connection = answered(PgConnection::connect_with(options)).await?;
        connection.execute(SESSION).await?;
        hold_still(&mut connection).await?;
        Ok(Self { connection })
    }

    /// A database that is filled. Nobody else can own it meanwhile.
    ///
    /// # Errors
    /// When somebody owns it, or the server cannot be reached or used.
    pub async fn target(url: &str) -> StoreResult<Self> {
        let options = options(url)?;
        let (mut connection, _) = own(&options).await.map_err(|error| keep_unusable(&options, error))?;
        connection.execute(SESSION).await?;
        Ok(Self { connection })
    }

    /// Lets go of the database.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn close(self) -> StoreResult<()> {
        Ok(self.connection.close().await?)
    }
}

/// Begins the transaction. The locks come first and the moment after them: a table that is swapped after the moment
/// would be read as an empty one.
async fn hold_still(connection: &mut PgConnection) -> StoreResult<()> {
    for _ in 0..TRIES {
        let names = names(connection).await?;
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        if lock(connection, &names).await? && self::names(connection).await? == names {
            return Ok(());
        }
        connection.execute("ROLLBACK").await?;
    }
    Err(StoreError::Unavailable("read models are being rebuilt; copy when that has ended".to_owned()))
}

/// Whether all of them are there.
async fn lock(connection: &mut PgConnection, names: &[String]) -> StoreResult<bool> {
    if names.is_empty() {
        return Ok(true);
    }
    let tables: Vec<String> = names.iter().map(|name| read_model(name)).collect();
    let sql = format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "));
    match connection.execute(AssertSqlSafe(sql)).await {
        Ok(_) => Ok(true),
        Err(error) if is_gone(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Read models are told from tables of others by the schema they stand in and by their columns.
async fn names(connection: &mut PgConnection) -> StoreResult<Vec<String>> {
    const SQL: &str = r#"
        SELECT c.relname::text COLLATE "C" AS name
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname::text = split_part(c.relname::text, '_', 1)
          AND right(c.relname::text, length($1)) <> $1
          AND ARRAY['key', 'sort', 'search', 'body'] = (
              SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
        ORDER BY name"#;
    let rows = sqlx::query(SQL).bind(BEING_BUILT).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

impl Source for PostgresCopy {
    fn read_models(&mut self) -> BoxFuture<'_, StoreResult<Vec<String>>> {
        names(&mut self.connection).boxed()
    }

    fn page<'a>(
        &'a mut self,
        table: &'a Table,
        after: Option<&'a [Cell]>,
        limit: u32,
    ) -> BoxFuture<'a, StoreResult<Vec<Vec<Cell>>>> {
        async move {
            let keys = names_of(&table.columns[..table.keys.min(table.columns.len())]);
            let mut query = QueryBuilder::<Postgres>::new(page_sql(table));
            if let Some(after) = after {
                query.push(format!(" AND ({keys}) > ("));
                let mut values = query.separated(", ");
                for cell in after {
                    match cell {
                        Cell::Null => values.push("NULL"),
                        Cell::Integer(number) => values.push_bind(*number),
                        Cell::Text(text) => values.push_bind(escape(text)),
                        Cell::Bytes(bytes) => values.push_bind(&**bytes),
                    };
                }
                query.push(")");
            }
            query.push(format!(" ORDER BY {keys} LIMIT {limit}"));
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

impl Target for PostgresCopy {
    fn is_unfinished(&mut self) -> BoxFuture<'_, StoreResult<bool>> {
        is_unfinished(&mut self.connection).boxed()
    }

    fn is_empty(&mut self) -> BoxFuture<'_, StoreResult<bool>> {
        async move {
            let row = sqlx::query(UNTOUCHED_SQL).fetch_one(&mut self.connection).await?;
            Ok(row.try_get::<bool, _>(0)? && names(&mut self.connection).await?.is_empty())
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
            for sql in prepare_sql(name) {
                self.connection.execute(AssertSqlSafe(sql)).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn put<'a>(&'a mut self, table: &'a Table, rows: Vec<Vec<Cell>>) -> BoxFuture<'a, StoreResult<()>> {
        async move {
            let sql = insert_sql(table);
            for portion in portions(&rows) {
                let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
                for (n, (_, kind)) in table.columns.iter().enumerate() {
                    query = bind_column(query, *kind, n, portion)?;
                }
                query.execute(&mut self.connection).await?;
                fault::point("copy.middle");
            }
            Ok(())
        }
        .boxed()
    }

    fn finish(&mut self, epoch: i64) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            let mut transaction = self.connection.begin().await?;
            sqlx::query("UPDATE process_epoch SET epoch = $1, clean = 1")
                .bind(epoch)
                .execute(&mut *transaction)
                .await?;
            (&mut *transaction).execute("DELETE FROM copying").await?;
            Ok(transaction.commit().await?)
        }
        .boxed()
    }
}

fn names_of(columns: &[(&str, Kind)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn place(table: &Table) -> String {
    match TABLES.iter().any(|fixed| fixed.name == table.name) {
        true => format!("store.{}", table.name),
        false => read_model(&table.name),
    }
}

fn page_sql(table: &Table) -> String {
    let all = if table.name == "checkpoints" { format!("reader <> {NO_READER}") } else { "true".to_owned() };
    format!("SELECT {} FROM {} WHERE {all}", names_of(table.columns), place(table))
}

/// One array a column, so that the statement is the same however many rows there are.
fn insert_sql(table: &Table) -> String {
    let arrays: Vec<String> = (1..=table.columns.len()).map(|n| format!("${n}")).collect();
    let columns = names_of(table.columns);
    format!("INSERT INTO {} ({columns}) SELECT * FROM unnest({})", place(table), arrays.join(", "))
}

/// As many rows at a time as one statement takes well, at least one.
fn portions(rows: &[Vec<Cell>]) -> Vec<&[Vec<Cell>]> {
    let mut bytes = 0;
    rows.chunk_by(|row, _| {
        bytes += row.iter().map(size).sum::<usize>();
        let goes_on = bytes < PORTION;
        bytes *= usize::from(goes_on);
        goes_on
    })
    .collect()
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Integer(_) => 8,
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
    }
}

fn bind_column<'q>(query: Query<'q>, kind: Kind, n: usize, rows: &'q [Vec<Cell>]) -> StoreResult<Query<'q>> {
    fn column<'q, T>(
        n: usize,
        rows: &'q [Vec<Cell>],
        value: fn(&'q Cell) -> Option<T>,
    ) -> StoreResult<Vec<Option<T>>> {
        let of_row = |row: &'q Vec<Cell>| match row.get(n) {
            Some(Cell::Null) => Ok(None),
            cell => cell.and_then(value).map(Some).ok_or_else(|| {
                StoreError::Refused(format!("the value in column {n} is not of the column's kind"))
            }),
        };
        rows.iter().map(of_row).collect()
    }
    Ok(match kind {
        Kind::Integer => query.bind(column(n, rows, integer)?),
        Kind::Text => query.bind(column(n, rows, text)?),
        Kind::Bytes => query.bind(column(n, rows, bytes)?),
    })
}

fn integer(cell: &Cell) -> Option<i64> {
    if let Cell::Integer(number) = cell { Some(*number) } else { None }
}

fn text(cell: &Cell) -> Option<std::borrow::Cow<'_, str>> {
    if let Cell::Text(text) = cell { Some(escape(text)) } else { None }
}

fn bytes(cell: &Cell) -> Option<&[u8]> {
    if let Cell::Bytes(bytes) = cell { Some(bytes) } else { None }
}

fn cells(table: &Table, row: &PgRow) -> StoreResult<Vec<Cell>> {
    let cell = |(n, (_, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            Kind::Integer => row.maybe_integer(n)?.map_or(Cell::Null, Cell::Integer),
            Kind::Text => row.maybe_text(n)?.map_or(Cell::Null, |text| Cell::Text(text.into_owned())),
            Kind::Bytes => row.maybe_bytes(n)?.map_or(Cell::Null, |bytes| Cell::Bytes(bytes.to_vec())),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}
