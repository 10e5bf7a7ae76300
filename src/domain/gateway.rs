//! Calls to the outside as data: what is asked of whom, and what to do when nobody knows whether it arrived.

use serde::{Deserialize, Serialize};

/// A call that a command wants made. It is on the ledger before it is made, under a key that stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The outside service, which has its own breaker.
    pub service: &'static str,
    pub operation: &'static str,
    /// JSON, without secrets: whoever makes the call adds them.
    pub request: String,
    pub recovery: Recovery,
}

/// What a call leaves when nobody knows whether it has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// The remote knows our key, or the call changes nothing: calling again is harmless.
    Repeat,
    /// The remote can be asked what became of it.
    Ask,
    /// Only a person can tell.
    Operator,
}

impl Recovery {
    pub const ALL: [Self; 3] = [Self::Repeat, Self::Ask, Self::Operator];
}
