//! The answer to a command that asked for one: a command of its own, to whoever asked.

use super::context::Rejection;
use super::envelope::{Address, Envelope, Kind, ReplyTo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How the command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Ending {
    Handled,
    Rejected { rejection: Rejection },
    Dead { reason: String },
}

/// Version of the stored body of [`RecordAnswer`]; whoever lists it among its commands gives the same.
pub const ANSWER_VERSION: u16 = 1;

/// What the asking aggregate is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordAnswer {
    pub step: String,
    pub ending: Ending,
    /// Ids and types of the events it led to.
    pub events: Vec<Caused>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caused {
    pub id: Uuid,
    pub context: String,
    pub key: String,
    #[serde(rename = "type")]
    pub type_name: String,
}

/// Address, type and body of the answer. The body is plain data, so writing it cannot fail.
#[must_use]
pub fn answer(to: &ReplyTo, ending: &Ending, messages: &[Envelope]) -> (Address, &'static str, String) {
    let events = messages.iter().filter(|message| message.kind == Kind::Event);
    let answer = RecordAnswer {
        step: to.step.clone(),
        ending: ending.clone(),
        events: events
            .map(|event| Caused {
                id: event.id,
                context: event.context.to_string(),
                key: event.key.to_string(),
                type_name: event.type_name.to_string(),
            })
            .collect(),
    };
    let body = serde_json::json!(answer).to_string();
    (Address { context: to.context.as_str().into(), key: to.key.clone() }, "RecordAnswer", body)
}
