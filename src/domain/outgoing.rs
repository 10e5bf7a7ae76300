//! Commands that a decision sends out: at once, when their time comes, or no longer.

use super::context::Context;
use super::envelope::{Address, Key};
use super::message::{DecodeError, Message};
use chrono::{DateTime, Utc};

/// A command on its way to another aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub to: Address,
    pub type_name: &'static str,
    pub schema_version: u16,
    pub body: String,
    pub reply_step: Option<String>,
    pub when: When,
}

/// When a command leaves. Timers belong to the sending aggregate and are told apart by name; setting one again
/// replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    Now,
    /// Given at this time, however often the process restarts in between; at once if that has passed.
    At {
        due: DateTime<Utc>,
        timer: String,
    },
    /// Takes the timer of this name away; the command itself is not used.
    Never {
        timer: String,
    },
}

impl Outgoing {
    /// # Errors
    /// When the command has no JSON form.
    pub fn new<C: Context>(key: impl Into<Key>, command: &C::Command) -> Result<Self, DecodeError> {
        Ok(Self {
            to: Address::new(C::NAME, key),
            type_name: command.type_name(),
            schema_version: command.schema_version(),
            body: command.encode()?,
            reply_step: None,
            when: When::Now,
        })
    }

    /// Takes the sending aggregate's timer of this name away.
    #[must_use]
    pub fn cancelled(timer: impl Into<String>) -> Self {
        Self {
            to: Address::new("", ""),
            type_name: "",
            schema_version: 0,
            body: String::new(),
            reply_step: None,
            when: When::Never { timer: timer.into() },
        }
    }

    /// Leaves at this time instead of now, by a durable timer of the sending aggregate.
    #[must_use]
    pub fn at(mut self, due: DateTime<Utc>, timer: impl Into<String>) -> Self {
        self.when = When::At { due, timer: timer.into() };
        self
    }

    /// Asks for the outcome as a message to the sending aggregate, under this name.
    #[must_use]
    pub fn replying(mut self, step: impl Into<String>) -> Self {
        self.reply_step = Some(step.into());
        self
    }
}
