//! Opening a database: version, lock, migrations, and the next epoch.

use super::read::PostgresReaders;
use super::session::{self, Backend};
use super::write::PostgresWriter;
use super::{MINIMUM_POSTGRES, PostgresStore};
use crate::fault;
use crate::store::engine::Ownership;
use crate::store::epoch::{BEGIN_SQL, CRASHED, charge_sql, count_sql};
use crate::store::lock::FolderLock;
use crate::store::marks::Marks;
use crate::store::migrations::{Listed, UNFINISHED_SQL, migrator, not_migrated, unfinished};
use crate::store::reading::last_position;
use crate::store::{StoreError, StoreResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::path::Path;

const MIGRATIONS: &[Listed] = &[
    (1, "store", include_str!("../../../migrations/postgres/0001_store.sql")),
    (2, "laws", include_str!("../../../migrations/postgres/0002_laws.sql")),
    (3, "operations", include_str!("../../../migrations/postgres/0003_operations.sql")),
];

impl PostgresStore {
    /// Opens the store in the database at `url` and takes its ownership. `folder` keeps the marks of what is being
    /// handled.
    ///
    /// # Errors
    /// When another process owns the database or the folder, or the server cannot be reached or used.
    pub async fn open(url: &str, folder: &Path, now_us: i64) -> StoreResult<Self> {
        let options = options(url)?;
        let lock = FolderLock::take(folder)?;
        let (mut connection, backend) =
            connect(&options).await.map_err(|error| keep_unusable(&options, error))?;
        let (mut marks, marked) = Marks::take(folder)?;
        fault::point("epoch.before");
        let (epoch, unclean) = begin_epoch(&mut connection, now_us, &marked).await?;
        fault::point("epoch.after");
        marks.clear()?;
        let readers = PostgresReaders { pool: session::open_readers(&options).await? };
        let last = last_position(&readers).await?;
        let writer = PostgresWriter::new(options, connection, backend, epoch, last);
        Ok(Self::new(readers, writer, Ownership { epoch, unclean, marks, _lock: lock }))
    }
}

/// Says nothing of what the address holds, which may be a password.
pub(super) fn options(url: &str) -> StoreResult<PgConnectOptions> {
    let is_ours = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    is_ours.then(|| url.parse().ok()).flatten().ok_or_else(|| StoreError::Unusable {
        message: "DATABASE_URL does not read".to_owned(),
        hint: "write it as postgres://user:password@host:5432/database, special characters percent-encoded"
            .to_owned(),
    })
}

/// A writing connection that has the lock, to a database with the tables of today.
pub(super) async fn own(options: &PgConnectOptions) -> StoreResult<(PgConnection, Backend)> {
    let mut connection = session::open_writer(options).await?;
    check_server(&mut connection).await?;
    let backend = session::take_lock(&mut connection).await?;
    migrate(&mut connection).await?;
    Ok((connection, backend))
}

async fn connect(options: &PgConnectOptions) -> StoreResult<(PgConnection, Backend)> {
    let (mut connection, backend) = own(options).await?;
    if is_unfinished(&mut connection).await? { Err(unfinished()) } else { Ok((connection, backend)) }
}

/// What a copy has begun to fill is no store before the copy has ended.
pub(super) async fn is_unfinished(connection: &mut PgConnection) -> StoreResult<bool> {
    Ok(connection.fetch_one(UNFINISHED_SQL).await?.try_get(0)?)
}

async fn check_server(connection: &mut PgConnection) -> StoreResult<()> {
    const SQL: &str =
        "SELECT current_setting('server_version_num')::bigint / 10000, current_setting('server_version'),
                              current_setting('server_encoding'), current_setting('fsync')";
    let row = connection.fetch_one(SQL).await?;
    let (major, version): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
    if major < i64::from(MINIMUM_POSTGRES) {
        return Err(StoreError::Unusable {
            message: format!("the server is PostgreSQL {version}; {MINIMUM_POSTGRES} or newer is needed"),
            hint: "upgrade the server, or leave DATABASE_URL out to keep everything in the data folder"
                .to_owned(),
        });
    }
    let encoding: &str = row.try_get(2)?;
    if encoding != "UTF8" {
        return Err(StoreError::Unusable {
            message: format!("the database is encoded in {encoding}; UTF8 is needed"),
            hint: "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0".to_owned(),
        });
    }
    if row.try_get::<&str, _>(3)? != "on" {
        tracing::warn!("the database server runs with fsync off: a power cut can lose what was accepted");
    }
    Ok(())
}

async fn migrate(connection: &mut PgConnection) -> StoreResult<()> {
    connection.execute("SET statement_timeout = 0; CREATE SCHEMA IF NOT EXISTS store").await?;
    let migrator = migrator(MIGRATIONS);
    let run = migrator.run_direct(None, connection, false);
    #[cfg(debug_assertions)]
    let run = between_round_trips(run);
    run.await.map_err(not_migrated)?;
    connection.execute("RESET statement_timeout").await?;
    Ok(())
}

/// Passes the point before each statement and after the last.
#[cfg(debug_assertions)]
async fn between_round_trips<T>(run: impl Future<Output = T>) -> T {
    let mut run = std::pin::pin!(run);
    std::future::poll_fn(|context| {
        fault::point("migration.commit");
        run.as_mut().poll(context)
    })
    .await
}

/// The next epoch, and whether the one before ended without saying so: then what it was handling is charged.
async fn begin_epoch(connection: &mut PgConnection, now_us: i64, marked: &[i64]) -> StoreResult<(i64, bool)> {
    const IS_MARKED: &str = "position = ANY ($1)";
    let mut transaction = connection.begin().await?;
    let row = sqlx::query("SELECT epoch, clean FROM process_epoch").fetch_one(&mut *transaction).await?;
    let (epoch, unclean) = (row.try_get::<i64, _>(0)? + 1, row.try_get::<i64, _>(1)? == 0);
    if unclean {
        let charge = sqlx::query(AssertSqlSafe(charge_sql(IS_MARKED))).bind(marked).bind(epoch);
        charge.bind(CRASHED).bind(now_us).execute(&mut *transaction).await?;
        let count = sqlx::query(AssertSqlSafe(count_sql(IS_MARKED))).bind(marked).bind(CRASHED);
        count.execute(&mut *transaction).await?;
    }
    sqlx::query(BEGIN_SQL).bind(epoch).bind(now_us).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok((epoch, unclean))
}

/// At the start a server that cannot be reached is a reason to stop and say so.
pub(super) fn keep_unusable(options: &PgConnectOptions, error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable { .. } => error,
        StoreError::Fenced { .. } | StoreError::Refused(_) | StoreError::Unavailable(_) => {
            let place = options.get_socket().map_or_else(
                || format!("{}:{}", options.get_host(), options.get_port()),
                |socket| socket.display().to_string(),
            );
            StoreError::Unusable {
                message: format!("the database at {place} cannot be opened: {error}"),
                hint: "look whether the server runs, and whether user, password and database of DATABASE_URL are right"
                    .to_owned(),
            }
        }
    }
}
