//! Circuit breakers, one aggregate an outside service: after too many failures in a row nobody calls it for a while,
//! then a few probes find out whether it is back.
//!
//! Not known here: how a service is called. A verdict on a call counts only in the turn in which the breaker let it
//! through, so that what was begun before a transition says nothing about what came after it.

mod circuit;

pub use circuit::{Breaker, Circuit, Settings};

use super::context::{Context, Outgoing, Projection, ProjectionVisitor, Rejection, read_as};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::message::DecodeError;
pub use super::operations::Reason;
use crate::messages;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person who gives no name is called.
const SOMEBODY: &str = "operator";
/// The timer that ends the rest of a service.
const REST: &str = "rest";
const LONGEST_ERROR: usize = 500;

/// Replaces the settings of this breaker; what is left out gets its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureBreaker {
    pub settings: Settings,
}

/// A call failed in a way that speaks against the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFailure {
    /// In which the call was let through.
    pub turn: u64,
    pub error: String,
}

/// A call was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSuccess {
    /// In which the call was let through.
    pub turn: u64,
}

/// The service has rested long enough; sent by the breaker to itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRest {
    pub turn: u64,
}

/// Nobody calls until the breaker is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForceOpen {
    pub why: String,
}

/// Everybody calls, whatever fails, until the breaker is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForceClosed {
    pub why: String,
}

/// Leaves the breaker to itself again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerConfigured {
    pub settings: Settings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailureCounted {
    pub failures: u32,
    pub error: String,
}

/// A call was answered before there were too many failures in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailuresForgotten {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeSucceeded {
    pub successes: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerOpened {
    pub turn: u64,
    pub at: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerHalfOpened {
    pub turn: u64,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerClosed {
    pub turn: u64,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerForcedOpen {
    pub turn: u64,
    pub at: DateTime<Utc>,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerForcedClosed {
    pub turn: u64,
    pub at: DateTime<Utc>,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerReleased {
    pub turn: u64,
    pub at: DateTime<Utc>,
    /// Half-open now, because it was forced open; else closed.
    pub probing: bool,
    pub reason: Reason,
}

messages! {
    pub enum Command {
        ConfigureBreaker = 1, RecordFailure = 1, RecordSuccess = 1, EndRest = 1, ForceOpen = 1, ForceClosed = 1,
        Release = 1,
    }
}
messages! {
    pub enum Event {
        BreakerConfigured = 1, FailureCounted = 1, FailuresForgotten = 1, ProbeSucceeded = 1, BreakerOpened = 1,
        BreakerHalfOpened = 1, BreakerClosed = 1, BreakerForcedOpen = 1, BreakerForcedClosed = 1,
        BreakerReleased = 1,
    }
}

/// See the module.
pub struct Breakers;

impl Context for Breakers {
    const NAME: &'static str = "breakers";
    const NODE: &'static str = "breakers";
    type State = Breaker;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(
        state: &Breaker,
        command: &Command,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        circuit::decide(state, command, metadata)
    }

    fn evolve(state: &mut Breaker, event: &Event) {
        circuit::evolve(state, event);
    }

    fn sends(_: &Breaker, event: &Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        match event {
            Event::BreakerOpened(BreakerOpened { turn, until, .. }) => {
                let end = Outgoing::new::<Self>(metadata.key.clone(), &EndRest { turn: *turn }.into())?;
                Ok(vec![end.at(*until, REST)])
            }
            Event::BreakerForcedOpen(_) | Event::BreakerForcedClosed(_) => {
                Ok(vec![Outgoing::cancelled(REST)])
            }
            Event::BreakerConfigured(_)
            | Event::FailureCounted(_)
            | Event::FailuresForgotten(_)
            | Event::ProbeSucceeded(_)
            | Event::BreakerHalfOpened(_)
            | Event::BreakerClosed(_)
            | Event::BreakerReleased(_) => Ok(Vec::new()),
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::ConfigureBreaker(configure) => configure.settings.check(),
            Command::ForceOpen(ForceOpen { why })
            | Command::ForceClosed(ForceClosed { why })
            | Command::Release(Release { why }) => check_why(why),
            Command::RecordFailure(_) | Command::RecordSuccess(_) | Command::EndRest(_) => Ok(()),
        }
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Status>(visitor);
    }
}

fn check_why(why: &str) -> Result<(), Rejection> {
    match why.trim().chars().count() {
        1..=500 => Ok(()),
        _ => Err(Rejection::invalid("/why", "there is no reason", "say why, in 1 to 500 characters")),
    }
}

/// Breakers by service; what gateways go by.
pub struct Status;

impl Projection for Status {
    const NAME: &'static str = "breakers_status";
    const READS: &'static [&'static str] = &[Breakers::NAME];
    type Row = Breaker;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Breakers>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Breaker>, _: &str, _: &Envelope, event: &Event) {
        circuit::evolve(row.get_or_insert_default(), event);
    }
}

#[cfg(test)]
mod tests;
