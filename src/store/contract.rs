//! The contract between the runtime and an engine: units to commit, and everything that can be read.

use crate::domain::context::RowChange;
use crate::domain::envelope::{Envelope, Key};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Another process owns the store now; nothing of this one is written any more.
    #[error("this process no longer owns the store (its epoch {epoch} is over)")]
    Fenced { epoch: i64 },
    /// One unit of the group is at fault: an id or stream version is taken, or a row breaks a constraint.
    #[error("the unit was refused: {0}")]
    Refused(String),
    /// The database cannot be written or read at the moment.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The store on the disk cannot be used by this program.
    #[error("{message}")]
    Unusable { message: String, hint: String },
}

pub use crate::domain::reply::Ending as Outcome;

pub type StoreResult<T> = Result<T, StoreError>;

/// A command that is done, within the unit that says what it led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    pub context: Arc<str>,
    pub position: i64,
    pub id: Uuid,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub context: Arc<str>,
    pub key: Key,
    pub stream_version: i64,
    pub state_version: u32,
    pub body: String,
}

/// Changed rows of one read model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    pub table: String,
    pub rows: Vec<RowChange>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub reader: String,
    pub position: i64,
}

/// A key given by a client for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub digest: [u8; 32],
    pub body_digest: [u8; 32],
    pub message_id: Uuid,
}

/// A failed attempt at a message, to be counted before the actor restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurntAttempt {
    pub position: i64,
    pub error: String,
}

/// What commits together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Commands and events in the order they get their positions.
    pub messages: Vec<Envelope>,
    pub handled: Option<Handled>,
    pub snapshot: Option<Snapshot>,
    pub table: Option<TableChange>,
    pub checkpoint: Option<Checkpoint>,
    pub idempotency: Option<Idempotency>,
    pub burnt: Option<BurntAttempt>,
}

/// Where a unit's messages came to stand: `first + i` for the `i`-th of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub first: i64,
}

/// A command that waits, as found in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub envelope: Envelope,
    pub attempts: u32,
    pub last_error: Option<String>,
}

/// The stored answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOutcome {
    pub outcome: Outcome,
    /// Positions of the first and last message it caused.
    pub caused: Option<(i64, i64)>,
    pub at_us: i64,
}

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageStatus {
    pub envelope: Envelope,
    pub outcome: Option<StoredOutcome>,
    /// Failed attempts so far and the last error, while it waits.
    pub waiting: Option<(u32, Option<String>)>,
}

/// An aggregate as stored: an optional snapshot and the events after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub snapshot: Option<Snapshot>,
    pub events: Vec<Envelope>,
}

/// Which messages to list. Empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub kinds: Option<crate::domain::envelope::Kind>,
    pub contexts: Vec<String>,
    pub type_name: Option<String>,
    pub key: Option<String>,
    pub correlation: Option<Uuid>,
    /// The 32-digit trace id within `traceparent`.
    pub trace: Option<String>,
}

impl Filter {
    #[must_use]
    pub fn matches(&self, envelope: &Envelope) -> bool {
        self.kinds.is_none_or(|kind| kind == envelope.kind)
            && (self.contexts.is_empty() || self.contexts.iter().any(|name| **name == *envelope.context))
            && self.type_name.as_deref().is_none_or(|name| *name == *envelope.type_name)
            && self.key.as_deref().is_none_or(|key| key == envelope.key.as_str())
            && self.correlation.is_none_or(|id| id == envelope.correlation_id)
            && self
                .trace
                .as_deref()
                .is_none_or(|id| envelope.trace.as_deref().is_some_and(|trace| trace.contains(id)))
    }
}

/// A page of messages and the position it was read up to, which may lie past its last message.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub messages: Vec<Envelope>,
    pub read_to: i64,
}

/// A page of rows of a read model.
#[derive(Clone, Debug, Default)]
pub struct RowPage {
    /// Key and body of each row.
    pub rows: Vec<(String, String)>,
    pub next: Option<RowCursor>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCursor {
    pub sort: String,
    pub key: String,
}

#[derive(Clone, Debug, Default)]
pub struct RowQuery {
    /// Every word must stand in the row's search text.
    pub words: Vec<String>,
    pub after: Option<RowCursor>,
    pub limit: u32,
}

/// One engine under the runtime. All calls may be made from any task; only the journal calls `commit`.
pub trait Store: Send + Sync {
    /// Its name in logs and benchmarks.
    fn engine(&self) -> &'static str;
    /// The number of this process among those that have owned the store.
    fn epoch(&self) -> i64;

    /// Commits all units in one transaction, durable on return, and says where each was placed.
    ///
    /// On `Refused` nothing is written; the caller may offer the units one by one.
    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>>;

    /// The position of the newest message.
    fn last_position(&self) -> BoxFuture<'_, StoreResult<i64>>;
    /// Messages after a position, in order.
    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>>;
    fn message(&self, id: Uuid) -> BoxFuture<'_, StoreResult<Option<MessageStatus>>>;
    /// Messages of a range of positions, ends included.
    fn range(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<Envelope>>>;
    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>>;

    /// Waiting commands of a context after a position, oldest first.
    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>>;
    /// Waiting commands by context.
    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>>;
    /// Streams of the keys asked for, in their order.
    fn streams(
        &self,
        context: &str,
        state_version: u32,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>>;

    fn checkpoint(&self, reader: &str) -> BoxFuture<'_, StoreResult<i64>>;
    /// Makes the table of a read model if it is not there; answers whether it was made.
    fn prepare_table(&self, table: &str) -> BoxFuture<'_, StoreResult<()>>;
    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>>;
    fn rows(&self, table: &str, query: RowQuery) -> BoxFuture<'_, StoreResult<RowPage>>;

    fn put_session(&self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>>;
    /// Ends every session and token.
    fn clear_sessions(&self) -> BoxFuture<'_, StoreResult<()>>;
    fn session_expiry(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<i64>>>;

    /// Marks a clean end and closes; later calls fail.
    fn close(&self) -> BoxFuture<'_, StoreResult<()>>;
}
