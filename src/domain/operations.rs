//! What the runtime itself has to tell: deaths, restarts, dead letters, and everything an operator has done, each an
//! event like any other. Nobody decides on them, so they belong to no stream.

use super::envelope::{Envelope, Extra, Key, Kind};
use super::message::{DecodeError, Message};
use crate::messages;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The context that these events are stored under.
pub const NAME: &str = "operations";

/// Who did it and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    pub by: String,
    pub why: String,
}

/// `key`: the actor's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorDied {
    pub generation: u64,
    pub cause: String,
    /// Position of the message that it is charged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_position: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorRestarted {
    pub generation: u64,
}

/// Its restarts are used up: it accepts and does not handle until somebody restarts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorQuarantined {
    pub generation: u64,
    pub cause: String,
}

/// By an operator, as are the next two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorRestartRequested {
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorPaused {
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorResumed {
    pub reason: Reason,
}

/// The alert: a message could not be handled and needs somebody. `key`: its position, with the reader if any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterAdded {
    pub position: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    pub context: String,
    pub key: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectionRebuildRequested {
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterEdited {
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterReplayed {
    pub reason: Reason,
    pub replayed_as: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterDiscarded {
    pub reason: Reason,
}

/// What became of an effect nobody knew about. `key`: its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectDecided {
    pub reason: Reason,
    /// Whether it had taken effect.
    pub done: bool,
}

/// The alert: a durable timer did not read, so it never fires. `key`: its owner and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimerUnreadable {
    pub error: String,
    pub due: DateTime<Utc>,
    /// What it would have sent, as far as it is text.
    pub raw: String,
}

/// `key`: the person's id. What was known of them went with their key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonErased {
    pub reason: Reason,
}

/// `key`: its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupMade {
    pub reason: Reason,
    pub position: i64,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupFailed {
    pub reason: Reason,
    pub error: String,
}

/// A backup was restored to a temporary place and told the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillPassed {
    pub position: i64,
    pub sha256: String,
}

/// The alert: the newest backup is not to be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillFailed {
    pub errors: Vec<String>,
}

messages! {
    pub enum Event {
        ActorDied = 1, ActorRestarted = 1, ActorQuarantined = 1, ActorRestartRequested = 1, ActorPaused = 1,
        ActorResumed = 1, DeadLetterAdded = 1, DeadLetterEdited = 1, DeadLetterReplayed = 1,
        DeadLetterDiscarded = 1, EffectDecided = 1, ProjectionRebuildRequested = 1,
        PersonErased = 1, BackupMade = 1, BackupFailed = 1, DrillPassed = 1, DrillFailed = 1,
        TimerUnreadable = 1,
    }
}

/// The envelope of such an event.
///
/// # Errors
/// When the event has no JSON form.
pub fn notice(
    key: impl Into<Key>,
    event: &Event,
    id: Uuid,
    time: DateTime<Utc>,
    cause: Option<&Envelope>,
) -> Result<Envelope, DecodeError> {
    Ok(Envelope {
        position: 0,
        id,
        kind: Kind::Event,
        context: NAME.into(),
        key: key.into(),
        stream_version: None,
        type_name: event.type_name().into(),
        schema_version: event.schema_version(),
        body: event.encode()?,
        time,
        causation_id: cause.map(|cause| cause.id),
        correlation_id: cause.map_or(id, |cause| cause.correlation_id),
        trace: cause.and_then(|cause| cause.trace.clone()),
        extra: Extra::default(),
    })
}
