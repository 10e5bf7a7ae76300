//! Whether a file is ours and whole, before anything is written to it.

use super::error::store_error;
use crate::store::{StoreError, StoreResult};
use sqlx::{Row, SqliteConnection};
use std::time::{Duration, Instant};

/// How long a start may be held up by looking at the pages of the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// # Errors
/// When the file holds tables and they are another program's.
pub(super) async fn refuse_foreign(connection: &mut SqliteConnection) -> StoreResult<()> {
    const SQL: &str =
        "SELECT coalesce(min(name), ''), coalesce(max(name IN ('_sqlx_migrations', 'process_epoch')), 0)
                       FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let row = sqlx::query(SQL).fetch_one(connection).await?;
    let (table, ours): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    if ours || table.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unusable {
        message: format!("meal-planner.db is a database of another program (it has a table {table:?})"),
        hint: "give --data another folder; nothing was written to this one's database".to_owned(),
    })
}

/// Looks at every page, for a while, when the owner before ended without saying so: what it died of may have
/// damaged the file.
///
/// # Errors
/// When a page is damaged.
pub(super) async fn check_pages(connection: &mut SqliteConnection) -> StoreResult<()> {
    // The newest event as well: where that does not read, nothing must be written.
    const SQL: &str = "SELECT clean, (SELECT max(position) FROM events) FROM process_epoch";
    let clean = sqlx::query(SQL).fetch_one(&mut *connection).await?;
    if clean.try_get(0)? {
        return Ok(());
    }
    let began = Instant::now();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || began.elapsed() < PATIENCE);
    let found = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut *connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    match found {
        Ok(row) => match row.try_get::<String, _>(0)?.as_str() {
            "ok" => Ok(()),
            fault => Err(damaged(fault)),
        },
        Err(_) if began.elapsed() >= PATIENCE => {
            tracing::info!("the database is too large to be looked at whole before the start");
            Ok(())
        }
        Err(error) => Err(store_error(&error)),
    }
}

pub(super) fn damaged(fault: &str) -> StoreError {
    StoreError::Unusable {
        message: format!("the database file is damaged: {fault}"),
        hint:
            "stop the server, put the damaged files aside and restore the newest backup: meal-planner restore"
                .to_owned(),
    }
}
