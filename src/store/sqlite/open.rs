//! Opening a data folder: lock, version, migrations, and the next epoch.

use super::health;
use super::write::SqliteWriter;
use super::{MINIMUM_SQLITE, SqliteStore};
use crate::fault;
use crate::store::engine::Ownership;
use crate::store::epoch::{BEGIN_SQL, CRASHED, charge_sql, count_sql};
use crate::store::lock::FolderLock;
use crate::store::marks::Marks;
use crate::store::migrations::{Listed, UNFINISHED_SQL, migrator, not_migrated, unfinished};
use crate::store::reading::last_position;
use crate::store::{StoreError, StoreResult};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection, SqlitePool};
use std::path::Path;
use std::time::Duration;

const MIGRATIONS: &[Listed] = &[
    (1, "store", include_str!("../../../migrations/sqlite/0001_store.sql")),
    (2, "laws", include_str!("../../../migrations/sqlite/0002_laws.sql")),
    (3, "operations", include_str!("../../../migrations/sqlite/0003_operations.sql")),
];
/// The file in the data folder.
pub const DATABASE: &str = "meal-planner.db";
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the store in `folder`, making both if they are not there, and takes its ownership.
    ///
    /// # Errors
    /// When another process owns the folder, the disk refuses, or the file is not ours or damaged.
    pub async fn open(folder: &Path, now_us: i64) -> StoreResult<Self> {
        let lock = FolderLock::take(folder)?;
        let path = folder.join(DATABASE);
        let mut connection = writer_options(&path).connect().await.map_err(|e| cannot_open(folder, &e))?;
        check_version(&mut connection).await?;
        prepare(&mut connection).await.map_err(|error| keep_unusable(folder, error))?;
        refuse_unfinished(&mut connection).await?;
        let (mut marks, marked) = Marks::take(folder)?;
        fault::point("epoch.before");
        let (epoch, unclean) = begin_epoch(&mut connection, now_us, &marked).await?;
        fault::point("epoch.after");
        #[cfg(debug_assertions)]
        connection.lock_handle().await?.set_update_hook(|_| fault::point("commit.middle"));
        marks.clear()?;
        let readers = open_readers(&path).await?;
        let last = last_position(&readers).await?;
        let writer = SqliteWriter::new(connection, epoch, last);
        Ok(Self::new(readers, writer, Ownership { epoch, unclean, marks, _lock: lock }))
    }
}

/// How the one writing connection is opened; every commit is on the disk when it returns.
#[must_use]
pub fn writer_options(path: &Path) -> SqliteConnectOptions {
    base_options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Pages that many commits touch are carried over from the log to the file once for all of them: 64 MB.
        .pragma("wal_autocheckpoint", "16384")
        .pragma("journal_size_limit", "134217728")
        // Where the streams of a thousand aggregates end, with room to spare: 16 MB.
        .pragma("cache_size", "-16384")
        // No statistics: the few plans there are must not change with what a store holds.
        .optimize_on_close(false, None)
}

fn base_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "134217728")
        .disable_statement_logging()
}

pub(super) fn reader_options(path: &Path) -> SqliteConnectOptions {
    base_options(path).read_only(true).pragma("query_only", "ON")
}

async fn open_readers(path: &Path) -> StoreResult<SqlitePool> {
    let options = reader_options(path);
    let pool = SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false);
    Ok(pool.connect_with(options).await?)
}

async fn check_version(connection: &mut SqliteConnection) -> StoreResult<()> {
    let row = sqlx::query("SELECT sqlite_version()").fetch_one(connection).await?;
    let version: String = row.try_get(0)?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) >= MINIMUM_SQLITE {
        return Ok(());
    }
    let (major, minor, patch) = MINIMUM_SQLITE;
    Err(StoreError::Unusable {
        message: format!(
            "SQLite {version} can corrupt a database in WAL mode; {major}.{minor}.{patch} is needed"
        ),
        hint: "build with the bundled SQLite (the default) instead of the system's".to_owned(),
    })
}

/// Makes sure of the file, and brings its schema up to date.
async fn prepare(connection: &mut SqliteConnection) -> StoreResult<()> {
    health::refuse_foreign(connection).await?;
    migrate(connection).await?;
    health::check_pages(connection).await
}

pub(super) async fn migrate(connection: &mut SqliteConnection) -> StoreResult<()> {
    #[cfg(debug_assertions)]
    connection.lock_handle().await?.set_commit_hook(|| {
        fault::point("migration.commit");
        true
    });
    let migrated = migrator(MIGRATIONS).run_direct(None, &mut *connection, false).await;
    #[cfg(debug_assertions)]
    connection.lock_handle().await?.remove_commit_hook();
    migrated.map_err(not_migrated)
}

/// What a copy has begun to fill is no store before the copy has ended.
async fn refuse_unfinished(connection: &mut SqliteConnection) -> StoreResult<()> {
    if is_unfinished(connection).await? { Err(unfinished()) } else { Ok(()) }
}

pub(super) async fn is_unfinished(connection: &mut SqliteConnection) -> StoreResult<bool> {
    Ok(sqlx::query(UNFINISHED_SQL).fetch_one(connection).await?.try_get(0)?)
}

/// The next epoch, and whether the one before ended without saying so: then what it was handling is charged.
async fn begin_epoch(
    connection: &mut SqliteConnection,
    now_us: i64,
    marked: &[i64],
) -> StoreResult<(i64, bool)> {
    const IS_MARKED: &str = "position IN (SELECT value FROM json_each($1))";
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("SELECT epoch, clean FROM process_epoch").fetch_one(&mut *transaction).await?;
    let (epoch, unclean) = (row.try_get::<i64, _>(0)? + 1, row.try_get::<i64, _>(1)? == 0);
    if unclean {
        let marked = serde_json::json!(marked).to_string();
        let charge = sqlx::query(AssertSqlSafe(charge_sql(IS_MARKED))).bind(&marked).bind(epoch);
        charge.bind(CRASHED).bind(now_us).execute(&mut *transaction).await?;
        let count = sqlx::query(AssertSqlSafe(count_sql(IS_MARKED))).bind(&marked).bind(CRASHED);
        count.execute(&mut *transaction).await?;
    }
    sqlx::query(BEGIN_SQL).bind(epoch).bind(now_us).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok((epoch, unclean))
}

fn cannot_open(folder: &Path, error: &sqlx::Error) -> StoreError {
    keep_unusable(folder, super::error::store_error(error))
}

fn keep_unusable(folder: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable { .. } => error,
        StoreError::Fenced { .. } | StoreError::Refused(_) | StoreError::Unavailable(_) => {
            StoreError::Unusable {
                message: format!("the database in {} cannot be opened: {error}", folder.display()),
                hint: "look whether the disk is full or read-only, who owns the files, and whether another program \
                       has the database open"
                    .to_owned(),
            }
        }
    }
}
