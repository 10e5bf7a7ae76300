//! The embedded engine: one SQLite file, one writing connection, a pool of read-only ones.

mod changes;
mod copying;
mod encode;
mod error;
mod health;
mod open;
mod read;
mod scrub;
mod write;

use super::engine::Engine;
use sqlx::SqlitePool;
use write::SqliteWriter;

pub(super) use error::store_error;

pub use copying::SqliteCopy;
pub use encode::{HANDLED_SQL, MESSAGES_SQL, encode_handled, encode_messages, table_sql};
pub use open::{DATABASE, writer_options};

/// The oldest SQLite without the WAL-reset corruption bug.
pub const MINIMUM_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// See the module.
pub type SqliteStore = Engine<SqlitePool, SqliteWriter>;
