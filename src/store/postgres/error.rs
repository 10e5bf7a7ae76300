//! Tells PostgreSQL's errors apart by their SQLSTATE.

use crate::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Raised by our own statements when the epoch is over.
const FENCED: &str = "MP001";
/// `lock_not_available`: the wait for a lock took longer than `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

fn of_postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

pub(super) fn is_fenced(error: &sqlx::Error) -> bool {
    of_postgres(error).is_some_and(|error| error.code() == FENCED)
}

pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    of_postgres(error).is_some_and(|error| error.code() == LOCK_NOT_AVAILABLE)
}

/// Whether a table or its schema is not there.
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    of_postgres(error).is_some_and(|error| matches!(error.code(), "42P01" | "3F000"))
}

/// Whether the connection may be gone, so that nobody can say what became of the statement. A plain error is the
/// server's word that the transaction was rolled back.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    of_postgres(error).is_none_or(|error| {
        matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic) || error.code().starts_with("08")
    })
}

pub(in crate::store) fn store_error(error: &PgDatabaseError) -> StoreError {
    let code = error.code();
    let text = format!("{} (SQLSTATE {code})", error.message());
    let class = code.get(..2).unwrap_or_default();
    match (class, code) {
        (_, "XX001" | "XX002") => StoreError::Unusable {
            message: format!("the database is damaged: {text}"),
            hint: "stop the server and restore the newest backup of the database".to_owned(),
        },
        // Tables or rights are gone: nothing that a message could be blamed for.
        ("28" | "3D" | "3F" | "42", _) => StoreError::Unusable {
            message: format!("the database is not as this program needs it: {text}"),
            hint:
                "the role of DATABASE_URL must own the database's schemas \"store\" and those of the contexts"
                    .to_owned(),
        },
        // Connection, resources, locks, operator, system, read-only server, serialization, timeouts.
        ("08" | "53" | "55" | "57" | "58" | "40", _) | (_, "25006" | "25P02" | "25P03" | "25P04") => {
            StoreError::Unavailable(text)
        }
        _ => StoreError::Refused(text),
    }
}

/// Whether this connection has broken, and another one may do.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_)) || of_postgres(error).is_some_and(|_| is_lost(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_has_said_is_no_word_on_the_statement() {
        assert!(is_lost(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_fenced(&sqlx::Error::PoolTimedOut) && !is_locked(&sqlx::Error::PoolTimedOut));
    }
}
