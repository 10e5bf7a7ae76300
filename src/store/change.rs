//! The rarer parts of a unit: attempts, dead letters, timers, effects. And what is read of them.

use crate::domain::envelope::{Envelope, Extra, Key};
pub use crate::domain::gateway::Recovery;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Commits with its unit, after the messages and before the handled mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A failed attempt at a message that stays in the inbox.
    Burn(Burn),
    /// A message is about to be handled alone: marked durably, so that a death of the process is charged to it.
    Start {
        position: i64,
        generation: u64,
    },
    /// A message marked by [`Change::Start`] waits for the outside: a death of the process meanwhile is not charged to it.
    Rest {
        position: i64,
    },
    /// An event that a reader cannot take; the end of a command is its [`super::Handled`].
    Bury(Burial),
    EditDeadLetter {
        id: DeadLetterId,
        body: String,
    },
    SettleDeadLetter {
        id: DeadLetterId,
        how: Settled,
        note: String,
    },
    SetTimer(Box<Timer>),
    /// Takes a timer away, if it is still the one with this id; any of that name when `id` is `None`.
    EndTimer {
        owner: TimerName,
        id: Option<Uuid>,
    },
    /// A call that is to be made. One that is on the ledger keeps what became of it, whoever it serves from now on.
    StageEffect(Effect),
    /// The call is about to be made for the `attempt`-th time.
    SendEffect {
        id: Uuid,
        attempt: u32,
    },
    /// What came of the call. An answer to an older attempt is recorded as late and changes nothing else.
    EndEffect {
        id: Uuid,
        attempt: u32,
        end: EffectEnd,
    },
    /// The operator has found out what became of an unknown effect.
    DecideEffect {
        id: Uuid,
        end: EffectEnd,
    },
    /// The table built beside takes the place of the live one.
    SwapTable {
        built: String,
        live: String,
    },
    DropTable {
        table: String,
    },
    /// All snapshots go: states are folded from their events again.
    DropSnapshots,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Panic,
    Error,
    /// The actor was killed while it handled the message.
    Kill,
    /// The process died while it handled the message.
    ProcessCrash,
}

impl Cause {
    pub const ALL: [Self; 4] = [Self::Panic, Self::Error, Self::Kill, Self::ProcessCrash];

    /// As stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Error => "error",
            Self::Kill => "kill",
            Self::ProcessCrash => "process_crash",
        }
    }

    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.name() == name).unwrap_or(Self::Error)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    pub position: i64,
    /// Which attempt it was, the first being 1: one whose answer is lost is told again and counted once.
    pub attempt: u32,
    pub cause: Cause,
    pub error: String,
    pub generation: u64,
    /// Not before this time is it tried again.
    pub available_at_us: i64,
}

/// A recorded attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub attempt: u32,
    pub cause: Cause,
    pub error: String,
    pub generation: u64,
    pub epoch: i64,
    pub at_us: i64,
}

/// Which dead letter: the message, and who could not take it (empty for a command's own recipient).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetterId {
    pub position: i64,
    #[serde(default)]
    pub reader: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burial {
    pub id: DeadLetterId,
    pub context: Arc<str>,
    pub key: Key,
    pub type_name: Arc<str>,
    pub reason: String,
    /// Later messages of the key wait until somebody has settled this one.
    pub holds: bool,
    pub raw: Option<Vec<u8>>,
}

/// What the operator made of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Given again as a message of this id.
    Replayed {
        as_id: Uuid,
    },
    Discarded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    Open,
    Replayed,
    Discarded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: DeadLetterId,
    pub context: String,
    pub key: Key,
    pub type_name: String,
    pub attempts: u32,
    pub reason: String,
    pub at_us: i64,
    pub seen_position: i64,
    pub holds: bool,
    pub state: DeadLetterState,
    /// The body that the operator has put in the place of the original.
    pub edited: Option<String>,
    pub raw: Option<Vec<u8>>,
    pub settled_us: Option<i64>,
    pub replayed_as: Option<Uuid>,
    pub note: Option<String>,
}

/// A key whose messages wait for a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    pub key: Key,
    pub id: DeadLetterId,
    /// The message it was given again as, while that waits: it goes before those that were held.
    pub replayed_as: Option<Uuid>,
}

/// Which dead letters to list, newest first unless said otherwise. Empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterQuery {
    pub id: Option<DeadLetterId>,
    pub state: Option<DeadLetterState>,
    pub context: Option<String>,
    pub key: Option<String>,
    pub type_name: Option<String>,
    /// Only those before this one in the order of the list.
    pub before: Option<DeadLetterId>,
    /// Oldest first, and only those past this one.
    pub after: Option<DeadLetterId>,
    pub limit: u32,
}

/// Whose timer, and which of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TimerName {
    pub context: String,
    pub key: Key,
    pub name: String,
}

/// A command that is given when its time comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    pub owner: TimerName,
    /// Of this setting of the timer. The message it becomes has an id made of it and of `due_us`.
    pub id: Uuid,
    pub due_us: i64,
    pub to_context: Arc<str>,
    /// `None`: the key is the id of the message, a new aggregate each time.
    pub to_key: Option<Key>,
    pub type_name: Arc<str>,
    pub schema_version: u16,
    pub body: String,
    pub causation_id: Option<Uuid>,
    /// `None`: each firing begins a correlation of its own.
    pub correlation_id: Option<Uuid>,
    pub trace: Option<Arc<str>>,
    pub extra: Extra,
    /// How it recurs, as JSON; `None`: once.
    pub schedule: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    Staged,
    Sent,
    Done,
    Failed,
    Unknown,
}

impl EffectState {
    pub const ALL: [Self; 5] = [Self::Staged, Self::Sent, Self::Done, Self::Failed, Self::Unknown];

    /// As shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EffectEnd {
    Done { response: String },
    Failed { error: String },
    Unknown { error: String },
}

/// A call to the outside, on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The stable key that the remote is given.
    pub id: Uuid,
    /// Of the command it serves.
    pub position: i64,
    pub context: Arc<str>,
    pub key: Key,
    pub service: String,
    pub operation: String,
    /// JSON, without secrets.
    pub request: String,
    pub recovery: Recovery,
}

/// An effect with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEffect {
    pub effect: Effect,
    pub state: EffectState,
    pub attempt: u32,
    pub epoch: i64,
    pub response: Option<String>,
    pub error: Option<String>,
    /// Answers that came after the attempt they belong to was given up, as JSON.
    pub late: Option<String>,
    pub staged_us: i64,
    pub sent_us: Option<i64>,
    pub ended_us: Option<i64>,
}

/// Which effects to list, newest first. Empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectQuery {
    pub id: Option<Uuid>,
    pub position: Option<i64>,
    pub state: Option<EffectState>,
    pub service: Option<String>,
    /// Only those whose staging is older.
    pub before_us: Option<i64>,
    pub limit: u32,
}

/// Which timers to list, the next due first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimerQuery {
    pub due_before_us: Option<i64>,
    pub context: Option<String>,
    pub limit: u32,
}

/// A timer that does not read, as far as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableTimer {
    pub owner: TimerName,
    pub due_us: i64,
    pub reason: String,
    /// What it would have sent, as it stands.
    pub raw: Vec<u8>,
}

/// What a [`TimerQuery`] finds, each in the order of the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    pub timers: Vec<Timer>,
    pub unreadable: Vec<UnreadableTimer>,
}

impl Timers {
    /// When the first of them is due.
    #[must_use]
    pub fn first_due_us(&self) -> Option<i64> {
        let unreadable = self.unreadable.iter().map(|timer| timer.due_us);
        self.timers.iter().map(|timer| timer.due_us).chain(unreadable).min()
    }
}

/// A row that does not read, as far as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub position: i64,
    pub reason: String,
    /// The row as it stands, for whoever mends it.
    pub raw: Vec<u8>,
}

/// A waiting command as found, readable or not.
pub type Found = Result<Envelope, Unreadable>;

/// What is no longer needed after some time. Events are not among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aged {
    /// Attempts at messages that have left the inbox.
    Attempts,
    /// Effects that are done or failed.
    Effects,
    /// Stored answers; a repeat of so old a message is told only that it was handled.
    Outcomes,
    Idempotency,
    /// Dead letters that were replayed or discarded.
    DeadLetters,
    Sessions,
}

impl Aged {
    pub const ALL: [Self; 6] =
        [Self::Attempts, Self::Effects, Self::Outcomes, Self::Idempotency, Self::DeadLetters, Self::Sessions];
}
