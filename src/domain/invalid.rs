//! What is wrong with a value somebody handed in, where it stands, and what would be right.

use serde::{Deserialize, Serialize};

/// One fault in one value; `pointer` is a JSON pointer into what was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
#[error("{pointer}: {message} ({hint})")]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    pub pointer: String,
    pub message: String,
    pub hint: String,
}

impl Invalid {
    #[must_use]
    pub fn new(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), hint: hint.into() }
    }
}
