//! Why an attempt at a message failed, told apart by type.

use crate::domain::message::DecodeError;
use crate::store::{Cause, StoreError};
use ractor::ActorProcessingErr;
use thiserror::Error;

/// An actor ends with it to say what its end is to be charged as.
#[derive(Clone, Debug, Error)]
#[error("{error}")]
pub(super) struct Trouble {
    pub cause: Cause,
    pub error: String,
}

impl Trouble {
    pub(super) fn error(error: impl Into<String>) -> Self {
        Self { cause: Cause::Error, error: error.into() }
    }

    pub(super) fn panic(error: impl Into<String>) -> Self {
        Self { cause: Cause::Panic, error: error.into() }
    }
}

/// What an actor died of. Panics come as plain text, every error of ours has a type.
pub(super) fn cause_of(error: &ActorProcessingErr) -> Cause {
    match error.downcast_ref::<Trouble>() {
        Some(trouble) => trouble.cause,
        None if error.is::<StoreError>() || error.is::<DecodeError>() => Cause::Error,
        None => Cause::Panic,
    }
}

/// What came of work beside the actor that could not be done.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The actor dies of it, as if it had panicked itself.
    Panic(String),
    /// It may go better another time, not before `not_before_us`.
    Transient { error: String, not_before_us: i64 },
    /// The journal or the store is not there: nothing of it is the message's fault.
    Outage(String),
    /// It will go the same way every time.
    Permanent(String),
}

impl Failure {
    pub(super) fn of_store(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Fenced { .. } => Self::Outage(error.to_string()),
            StoreError::Refused(_) | StoreError::Unusable { .. } => Self::transient(error),
        }
    }

    pub(super) fn transient(error: impl ToString) -> Self {
        Self::Transient { error: error.to_string(), not_before_us: 0 }
    }
}
