//! The circuit: closed, open, half-open, or forced; its transitions as one match.

use super::{
    BreakerClosed, BreakerConfigured, BreakerForcedClosed, BreakerForcedOpen, BreakerHalfOpened,
    BreakerOpened, BreakerReleased, Command, ConfigureBreaker, EndRest, Event, FailureCounted,
    FailuresForgotten, ForceClosed, ForceOpen, LONGEST_ERROR, ProbeSucceeded, Reason, RecordFailure,
    RecordSuccess, Release, SOMEBODY,
};
use crate::domain::context::Rejection;
use crate::domain::envelope::Metadata;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Failures in a row that open it.
    pub failures_to_open: u32,
    /// How long it stays open before probes are let through.
    pub rest_ms: u64,
    /// Calls let through at once while it is half-open.
    pub probes: u32,
    /// Answered probes that close it.
    pub successes_to_close: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { failures_to_open: 5, rest_ms: 30_000, probes: 1, successes_to_close: 1 }
    }
}

const LONGEST_REST_MS: u64 = 24 * 60 * 60 * 1000;
const MOST_CALLS: u32 = 1000;

impl Settings {
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let counts = [
            ("failures_to_open", self.failures_to_open),
            ("probes", self.probes),
            ("successes_to_close", self.successes_to_close),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| !(1..=MOST_CALLS).contains(count)) {
            let hint = format!("give 1 to {MOST_CALLS}");
            return Err(Rejection::invalid(
                &format!("/settings/{name}"),
                format!("{name} is out of its bounds"),
                hint,
            ));
        }
        if self.rest_ms > LONGEST_REST_MS {
            return Err(Rejection::invalid(
                "/settings/rest_ms",
                "the rest is too long",
                "rest a day at most",
            ));
        }
        Ok(())
    }

    fn rest(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(self.rest_ms).unwrap_or(i64::MAX / 1_000_000))
    }
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Circuit {
    Closed { failures: u32 },
    Open { until: DateTime<Utc> },
    HalfOpen { successes: u32 },
    ForcedOpen,
    ForcedClosed,
}

impl Circuit {
    /// As stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

/// One breaker; also the row of its read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breaker {
    #[serde(flatten)]
    pub circuit: Circuit,
    /// Transitions so far.
    pub turn: u64,
    /// Of the last transition; `None`: closed from the beginning.
    pub since: Option<DateTime<Utc>>,
    pub settings: Settings,
    pub last_error: Option<String>,
    /// Of the operator's last order.
    pub reason: Option<Reason>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            circuit: Circuit::Closed { failures: 0 },
            turn: 0,
            since: None,
            settings: Settings::default(),
            last_error: None,
            reason: None,
        }
    }
}

impl Breaker {
    /// The next transition.
    fn next(&self, metadata: &Metadata) -> (u64, DateTime<Utc>) {
        (self.turn + 1, metadata.time)
    }
}

fn reason(why: &str, metadata: &Metadata) -> Reason {
    let by = metadata.user.clone().unwrap_or_else(|| SOMEBODY.to_owned());
    Reason { by, why: why.trim().to_owned() }
}

fn shortened(error: &str) -> String {
    error.chars().take(LONGEST_ERROR).collect()
}

pub(super) fn decide(
    state: &Breaker,
    command: &Command,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    use Circuit::{Closed, ForcedClosed as KeptClosed, ForcedOpen as KeptOpen, HalfOpen, Open};
    let settings = &state.settings;
    let (turn, at) = state.next(metadata);
    let event: Event = match (state.circuit, command) {
        (_, Command::ConfigureBreaker(ConfigureBreaker { settings: new })) if new == settings => {
            return Ok(Vec::new());
        }
        (_, Command::ConfigureBreaker(ConfigureBreaker { settings })) => {
            BreakerConfigured { settings: *settings }.into()
        }

        // Of another turn: it says nothing about this one.
        (
            _,
            Command::RecordFailure(RecordFailure { turn, .. })
            | Command::RecordSuccess(RecordSuccess { turn })
            | Command::EndRest(EndRest { turn }),
        ) if *turn != state.turn => return Ok(Vec::new()),

        (Closed { failures }, Command::RecordFailure(failure))
            if failures + 1 < settings.failures_to_open =>
        {
            FailureCounted { failures: failures + 1, error: shortened(&failure.error) }.into()
        }
        (Closed { .. } | HalfOpen { .. }, Command::RecordFailure(failure)) => {
            let until = at + settings.rest();
            BreakerOpened { turn, at, until, error: shortened(&failure.error) }.into()
        }
        (Closed { failures: 1.. }, Command::RecordSuccess(_)) => FailuresForgotten {}.into(),
        (HalfOpen { successes }, Command::RecordSuccess(_))
            if successes + 1 < settings.successes_to_close =>
        {
            ProbeSucceeded { successes: successes + 1 }.into()
        }
        (HalfOpen { .. }, Command::RecordSuccess(_)) => BreakerClosed { turn, at }.into(),
        (Open { .. }, Command::EndRest(_)) => BreakerHalfOpened { turn, at }.into(),

        (
            Closed { .. } | Open { .. } | HalfOpen { .. } | KeptClosed,
            Command::ForceOpen(ForceOpen { why }),
        ) => BreakerForcedOpen { turn, at, reason: reason(why, metadata) }.into(),
        (
            Closed { .. } | Open { .. } | HalfOpen { .. } | KeptOpen,
            Command::ForceClosed(ForceClosed { why }),
        ) => BreakerForcedClosed { turn, at, reason: reason(why, metadata) }.into(),
        (KeptOpen | KeptClosed, Command::Release(Release { why })) => {
            let probing = state.circuit == KeptOpen;
            BreakerReleased { turn, at, probing, reason: reason(why, metadata) }.into()
        }
        (Closed { .. } | Open { .. } | HalfOpen { .. }, Command::Release(_)) => {
            return Err(Rejection::conflict(
                "this breaker is not forced",
                "there is nothing to release; force it open or closed first",
            ));
        }

        (KeptOpen, Command::ForceOpen(_))
        | (KeptClosed, Command::ForceClosed(_))
        | (Open { .. } | KeptOpen | KeptClosed, Command::RecordFailure(_))
        | (Closed { failures: 0 } | Open { .. } | KeptOpen | KeptClosed, Command::RecordSuccess(_))
        | (Closed { .. } | HalfOpen { .. } | KeptOpen | KeptClosed, Command::EndRest(_)) => {
            return Ok(Vec::new());
        }
    };
    Ok(vec![event])
}

pub(super) fn evolve(state: &mut Breaker, event: &Event) {
    let (circuit, turn, at) = match event {
        Event::BreakerConfigured(configured) => {
            state.settings = configured.settings;
            return;
        }
        Event::FailureCounted(FailureCounted { failures, error }) => {
            state.circuit = Circuit::Closed { failures: *failures };
            state.last_error = Some(error.clone());
            return;
        }
        Event::FailuresForgotten(_) => {
            state.circuit = Circuit::Closed { failures: 0 };
            return;
        }
        Event::ProbeSucceeded(ProbeSucceeded { successes }) => {
            state.circuit = Circuit::HalfOpen { successes: *successes };
            return;
        }
        Event::BreakerOpened(BreakerOpened { turn, at, until, error }) => {
            state.last_error = Some(error.clone());
            (Circuit::Open { until: *until }, turn, at)
        }
        Event::BreakerHalfOpened(BreakerHalfOpened { turn, at }) => {
            (Circuit::HalfOpen { successes: 0 }, turn, at)
        }
        Event::BreakerClosed(BreakerClosed { turn, at }) => (Circuit::Closed { failures: 0 }, turn, at),
        Event::BreakerForcedOpen(BreakerForcedOpen { turn, at, reason }) => {
            state.reason = Some(reason.clone());
            (Circuit::ForcedOpen, turn, at)
        }
        Event::BreakerForcedClosed(BreakerForcedClosed { turn, at, reason }) => {
            state.reason = Some(reason.clone());
            (Circuit::ForcedClosed, turn, at)
        }
        Event::BreakerReleased(BreakerReleased { turn, at, probing, reason }) => {
            state.reason = Some(reason.clone());
            let circuit =
                if *probing { Circuit::HalfOpen { successes: 0 } } else { Circuit::Closed { failures: 0 } };
            (circuit, turn, at)
        }
    };
    (state.circuit, state.turn, state.since) = (circuit, *turn, Some(*at));
}
