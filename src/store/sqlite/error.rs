//! Tells SQLite's errors apart by their result code.

use crate::store::StoreError;

const BUSY: i64 = 5;
const LOCKED: i64 = 6;
const READONLY: i64 = 8;
const IOERR: i64 = 10;
const CORRUPT: i64 = 11;
const FULL: i64 = 13;
const CANTOPEN: i64 = 14;
const NOTADB: i64 = 26;
const CONSTRAINT_NOTNULL: i64 = 1299;

/// The extended result code, when the error came from SQLite itself.
fn code(error: &sqlx::Error) -> Option<i64> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether a `NOT NULL` constraint failed, which is how a lost epoch shows.
pub(super) fn is_not_null(error: &sqlx::Error) -> bool {
    code(error) == Some(CONSTRAINT_NOTNULL)
}

pub(in crate::store) fn store_error(error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    match code(error).map(|code| code & 0xff) {
        Some(BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN) => StoreError::Unavailable(text),
        Some(CORRUPT | NOTADB) => super::health::damaged(&text),
        Some(_) => StoreError::Refused(text),
        None => StoreError::Unavailable(text),
    }
}
