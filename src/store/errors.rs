//! What sqlx says, as an error of the store: each engine tells its own apart by codes.

use super::{StoreError, postgres, sqlite};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|error| error.try_downcast_ref()) {
            Some(error) => postgres::store_error(error),
            None => sqlite::store_error(&error),
        }
    }
}
