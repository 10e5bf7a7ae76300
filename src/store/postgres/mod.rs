//! The engine over a PostgreSQL server: one writing connection that holds a lock, a pool of reading ones.
//!
//! The core tables stand in the schema `store`, the table of a read model in a schema named after its context.
//! The lock and the temporary function belong to the writer's session, so a pooler that hands one session to many
//! clients cannot stand between.

mod copying;
mod encode;
mod error;
mod open;
mod read;
mod scrub;
mod session;
mod text;
mod write;

use super::engine::Engine;
use read::PostgresReaders;
use write::PostgresWriter;

pub use copying::PostgresCopy;
pub(super) use error::store_error;

/// The oldest major version of the server.
pub const MINIMUM_POSTGRES: u32 = 15;

/// See the module.
pub type PostgresStore = Engine<PostgresReaders, PostgresWriter>;
