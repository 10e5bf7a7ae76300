//! The contract between the runtime and an engine: units to commit, and everything that can be read.

use super::change::{
    Aged, Attempt, Change, DeadLetter, DeadLetterQuery, EffectQuery, Found, HeldKey, StoredEffect,
    TimerQuery, Timers, Unreadable,
};
use super::copy::Source;
use crate::domain::context::RowChange;
use crate::domain::envelope::{Envelope, Key, Kind};
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
    /// For a dead letter: later messages of its key wait until somebody has settled it.
    pub holds: bool,
    /// For a dead letter whose row does not read: the row as it stands.
    pub raw: Option<Vec<u8>>,
}

impl Handled {
    #[must_use]
    pub fn of(message: &Envelope, outcome: Outcome) -> Self {
        let context = message.context.clone();
        Self { context, position: message.position, id: message.id, outcome, holds: false, raw: None }
    }
}

/// Which program's idea of a state a snapshot holds; one of another is as good as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateMark {
    pub version: u32,
    pub code_hash: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub context: Arc<str>,
    pub key: Key,
    pub stream_version: i64,
    pub mark: StateMark,
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
    pub changes: Vec<Change>,
}

/// Where a unit's messages came to stand: `first + i` for the `i`-th of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub first: i64,
}

/// A command that waits, as found in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub position: i64,
    pub found: Found,
    pub attempts: u32,
    /// How many of the attempts ended with the death of the process.
    pub crashes: u32,
    /// Not before this time is it tried (again).
    pub available_at_us: i64,
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
    pub waiting: Option<WaitingStatus>,
}

/// Where a command stands, for those who check the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    pub position: i64,
    pub waits: bool,
    pub has_outcome: bool,
    /// Positions of the first and last message it caused.
    pub caused: Option<(i64, i64)>,
}

/// How a message waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingStatus {
    pub attempts: u32,
    pub available_at_us: i64,
    pub last_error: Option<String>,
}

/// An aggregate as stored: an optional snapshot and the events after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub snapshot: Option<Snapshot>,
    pub events: Vec<Envelope>,
    /// Set when one of the events does not read; `events` ends before it.
    pub unreadable: Option<Unreadable>,
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
    /// Rows in the same range that do not read; whether they match cannot be said.
    pub unreadable: Vec<Unreadable>,
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

/// Places for [`Store::mark`].
pub const SLOTS: usize = 256;

/// One engine under the runtime. All calls may be made from any task; only the journal calls `commit`.
pub trait Store: Send + Sync {
    /// Its name in logs and benchmarks.
    fn engine(&self) -> &'static str;
    /// The number of this process among those that have owned the store.
    fn epoch(&self) -> i64;
    /// Whether the owner before this one ended without saying so.
    fn was_unclean(&self) -> bool;
    /// Notes what is being handled in one of [`SLOTS`] places, 0 for nothing. Survives the death of the process,
    /// not of the machine; the next owner charges it with an attempt. Never waits.
    fn mark(&self, slot: usize, position: i64);

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
    /// Where the commands of a range of positions stand, in their order.
    fn command_ends(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<CommandEnd>>> {
        Box::pin(async move {
            let mut ends = Vec::new();
            for command in self.range(first, last).await?.iter().filter(|m| m.kind == Kind::Command) {
                let Some(status) = self.message(command.id).await? else { continue };
                ends.push(CommandEnd {
                    position: command.position,
                    waits: status.waiting.is_some(),
                    has_outcome: status.outcome.is_some(),
                    caused: status.outcome.and_then(|outcome| outcome.caused),
                });
            }
            Ok(ends)
        })
    }
    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>>;

    /// Waiting commands of a context after a position, oldest first.
    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>>;
    /// Waiting commands of one aggregate after a position, oldest first.
    fn waiting_of(
        &self,
        context: &str,
        key: Key,
        after: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Vec<Waiting>>>;
    /// Waiting commands by context.
    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>>;
    /// Streams of the keys asked for, in their order.
    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>>;
    /// Events of one aggregate after a stream version, none later than a position.
    fn stream_after(
        &self,
        context: &str,
        key: Key,
        after_version: i64,
        until_position: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Stream>>;

    /// Failed attempts at a message, oldest first.
    fn attempts(&self, position: i64) -> BoxFuture<'_, StoreResult<Vec<Attempt>>>;
    fn dead_letters(&self, query: DeadLetterQuery) -> BoxFuture<'_, StoreResult<Vec<DeadLetter>>>;
    /// Keys of a context that are held by an open dead letter, or by one whose replay still waits.
    fn held_keys(&self, context: &str) -> BoxFuture<'_, StoreResult<Vec<HeldKey>>>;
    fn timers(&self, query: TimerQuery) -> BoxFuture<'_, StoreResult<Timers>>;
    fn effects(&self, query: EffectQuery) -> BoxFuture<'_, StoreResult<Vec<StoredEffect>>>;
    /// Deletes what is older, at most so much of it, and answers how much it was.
    fn forget_aged(&self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>>;

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

    /// Everything as it stands at this moment, however much is written meanwhile. An engine of tests need not.
    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        Box::pin(async { Err(StoreError::Unavailable("this engine cannot be copied".to_owned())) })
    }

    /// From here on what a person said reads as [`crate::domain::envelope::ERASED`] and nothing new is taken of them;
    /// noted on the disk, so that whoever opens the store next carries on.
    fn begin_erasing(&self, _person: Uuid) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(async { Err(StoreError::Unavailable("this store seals nothing".to_owned())) })
    }
    /// Destroys the key of a person whose erasure has begun, and what is readable of them outside of read models, all
    /// or nothing; answers how many rows changed.
    fn erase(&self, _person: Uuid) -> BoxFuture<'_, StoreResult<u64>> {
        Box::pin(async { Err(StoreError::Unavailable("this store seals nothing".to_owned())) })
    }
    /// Why a message is not taken: the person it speaks of was erased.
    fn refuses(&self, _message: &Envelope) -> Option<String> {
        None
    }
    /// Whose erasure has begun and not ended.
    fn being_erased(&self) -> Vec<Uuid> {
        Vec::new()
    }
    /// Notes that an erasure has ended.
    ///
    /// # Errors
    /// When the disk refuses.
    fn end_erasure(&self, _person: Uuid) -> StoreResult<()> {
        Ok(())
    }
    /// Leaves nothing of deleted rows in the files.
    fn compact(&self) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Marks a clean end and closes; later calls fail.
    fn close(&self) -> BoxFuture<'_, StoreResult<()>>;
}
