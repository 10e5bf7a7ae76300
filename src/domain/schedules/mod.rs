//! Schedules: which flow is triggered when, such as a plan for the next week every Friday at 06:00.
//!
//! Not known here: what a flow does. The next occurrence is a durable timer of the schedule; whoever set a schedule
//! anew meanwhile finds that the old timer does nothing. Invariant: an occurrence is one event, and the command that
//! it sends leaves with it.

mod views;

pub use views::{ScheduleView, Schedules as SchedulesView};

use super::context::{
    Context, Endpoint, KeyFrom, Need, Outgoing, Projection, ProjectionVisitor, Rejection, Rows, Verb,
};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::household::{self, Household};
use super::message::DecodeError;
use super::sagas::{self, Sagas};
use super::schedule::{Missed, Schedule, Turn};
use crate::messages;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// When the flow is triggered; replaces what was set before. The key is the flow's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSchedule {
    /// Minute, hour, day of month, month, day of week: `0 6 * * FRI`.
    pub cron: String,
    /// IANA name such as `Europe/Vienna`; the household's, now and later, when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub time_zone: Option<Tz>,
    /// What becomes of occurrences while the server was down; `once` when left out.
    #[serde(default)]
    pub missed: Missed,
    /// What the flow is triggered with.
    #[serde(default)]
    pub input: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSchedule {}

/// The timer of the next occurrence has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeTurn {
    pub due: DateTime<Utc>,
}

/// The household lives by these clocks now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowTimeZone {
    #[schemars(with = "String")]
    pub time_zone: Tz,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleSet {
    pub schedule: Schedule,
    /// The time zone is the household's, and changes with it.
    pub follows_household: bool,
    pub input: Map<String, Value>,
    pub next: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleRemoved {}

/// The flow is triggered once for each of these occurrences; for none when they were missed and are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleFired {
    pub occurrences: Vec<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
}

messages! { pub enum Command { SetSchedule = 1, RemoveSchedule = 1, TakeTurn = 1, FollowTimeZone = 1 } }
messages! { pub enum Event { ScheduleSet = 1, ScheduleRemoved = 1, ScheduleFired = 1 } }

/// The schedule of one flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State(Option<ScheduleSet>);

/// The household's time zone, once there is a household.
#[derive(Debug, Default)]
pub struct Facts {
    time_zone: Option<Tz>,
}

/// The one timer that a schedule has.
const NEXT: &str = "next";

pub struct Schedules;

impl Context for Schedules {
    const NAME: &'static str = "schedules";
    const REACTS_TO: &'static [&'static str] = &[Household::NAME];
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(
        State(state): &State,
        command: &Command,
        facts: &Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        match (command, state) {
            (Command::SetSchedule(set), state) => {
                let event = schedule(set, facts, metadata)?;
                let same =
                    state.as_ref().is_some_and(|now| ScheduleSet { next: now.next, ..event.clone() } == *now);
                Ok(if same { Vec::new() } else { vec![event.into()] })
            }
            (Command::RemoveSchedule(_), Some(_)) => Ok(vec![ScheduleRemoved {}.into()]),
            (Command::RemoveSchedule(_), None) => {
                let hint = "GET /api/schedules lists what is scheduled";
                Err(Rejection::not_found(format!("{} is not scheduled", metadata.key), hint))
            }
            (Command::TakeTurn(TakeTurn { due }), Some(set)) if set.next == Some(*due) => {
                let Turn { given, next } = set.schedule.turn(*due, metadata.time);
                Ok(vec![ScheduleFired { occurrences: given, next }.into()])
            }
            (Command::FollowTimeZone(FollowTimeZone { time_zone }), Some(set))
                if set.follows_household && set.schedule.time_zone != *time_zone =>
            {
                let schedule = Schedule { time_zone: *time_zone, ..set.schedule.clone() };
                let next = schedule.next_after(metadata.time);
                Ok(vec![ScheduleSet { schedule, next, ..set.clone() }.into()])
            }
            // An older timer, or somebody else's clocks.
            (Command::TakeTurn(_) | Command::FollowTimeZone(_), _) => Ok(Vec::new()),
        }
    }

    fn evolve(State(state): &mut State, event: &Event) {
        match event {
            Event::ScheduleSet(set) => *state = Some(set.clone()),
            Event::ScheduleRemoved(_) => *state = None,
            Event::ScheduleFired(fired) => {
                if let Some(state) = state {
                    state.next = fired.next;
                }
            }
        }
    }

    fn sends(State(state): &State, event: &Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let Some(set) = state else { return Ok(vec![Outgoing::cancelled(NEXT)]) };
        let mut sends = Vec::new();
        if let Event::ScheduleFired(fired) = event {
            let command = sagas::trigger(metadata.key.as_str(), &set.input)?;
            for (n, _) in (0..).zip(&fired.occurrences) {
                sends.push(Outgoing::new::<Sagas>(metadata.new_id(n).to_string(), &command)?);
            }
        }
        sends.push(match set.next {
            Some(due) => {
                let turn = Command::from(TakeTurn { due });
                Outgoing::new::<Self>(metadata.key.clone(), &turn)?.at(due, NEXT)
            }
            None => Outgoing::cancelled(NEXT),
        });
        Ok(sends)
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::SetSchedule(SetSchedule { time_zone: None, .. }) => vec![Need::all::<views::Clocks>()],
            Command::SetSchedule(_)
            | Command::RemoveSchedule(_)
            | Command::TakeTurn(_)
            | Command::FollowTimeZone(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        Ok(Facts { time_zone: rows.of::<views::Clocks>()?.pop().map(|row| row.time_zone) })
    }

    fn reaction(envelope: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        let Some(household::Event::HouseholdSetUp(set)) = super::context::read_as::<Household>(envelope)?
        else {
            return Ok(Vec::new());
        };
        let follow = Command::from(FollowTimeZone { time_zone: set.household.time_zone });
        sagas::FLOWS.iter().map(|flow| Outgoing::new::<Self>(flow, &follow)).collect()
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |verb, type_name, summary| Endpoint {
            verb,
            path: "/api/triggers/{id}/schedule",
            type_name,
            key: KeyFrom::Path,
            summary,
            result: Some(SchedulesView::NAME),
        };
        vec![
            endpoint(Verb::Put, "SetSchedule", "Trigger a flow at its times"),
            endpoint(Verb::Delete, "RemoveSchedule", "Trigger it no more"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<SchedulesView>(visitor);
        erased::show::<views::Clocks>(visitor);
    }
}

fn schedule(set: &SetSchedule, facts: &Facts, metadata: &Metadata) -> Result<ScheduleSet, Rejection> {
    let command =
        sagas::trigger(metadata.key.as_str(), &set.input).map_err(|error| match Rejection::from(error) {
            no if no.pointer.as_deref() == Some("") => {
                let hint = format!("the flows are {}", sagas::FLOWS.join(", "));
                Rejection::not_found(format!("no flow is called {:?}", metadata.key.as_str()), hint)
            }
            no => within_input(no),
        })?;
    Sagas::check(&command).map_err(within_input)?;
    let Some(time_zone) = set.time_zone.or(facts.time_zone) else {
        let hint = "give time_zone, such as \"Europe/Vienna\", or PUT /api/household first";
        return Err(Rejection::invalid("/time_zone", "nobody knows by which clocks", hint));
    };
    let schedule = Schedule { cron: set.cron.trim().to_owned(), time_zone, missed: set.missed };
    schedule.check(metadata.time)?;
    let next = schedule.next_after(metadata.time);
    Ok(ScheduleSet { schedule, follows_household: set.time_zone.is_none(), input: set.input.clone(), next })
}

fn within_input(no: Rejection) -> Rejection {
    let pointer = no.pointer.map(|pointer| format!("/input{pointer}"));
    Rejection { pointer, ..no }
}

#[cfg(test)]
mod tests;
