//! Schedules as they are read, and what they learn of the household's clocks.

use super::{Event, Schedules as SchedulesContext};
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::household::{self, HOME, Household};
use crate::domain::message::DecodeError;
use crate::domain::schedule::Schedule;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleView {
    pub flow: String,
    #[serde(flatten)]
    pub schedule: Schedule,
    pub follows_household: bool,
    pub input: Map<String, Value>,
    pub next: Option<DateTime<Utc>>,
    /// When it triggered the flow last, and for which occurrence.
    pub last: Option<Occurrence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Occurrence {
    pub due: DateTime<Utc>,
    pub at: DateTime<Utc>,
}

/// Schedules by flow.
pub struct Schedules;

impl Projection for Schedules {
    const NAME: &'static str = "schedules_schedules";
    const READS: &'static [&'static str] = &[SchedulesContext::NAME];
    type Row = ScheduleView;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<SchedulesContext>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<ScheduleView>, key: &str, envelope: &Envelope, event: &Event) {
        match event {
            Event::ScheduleSet(set) => {
                *row = Some(ScheduleView {
                    flow: key.to_owned(),
                    schedule: set.schedule.clone(),
                    follows_household: set.follows_household,
                    input: set.input.clone(),
                    next: set.next,
                    last: row.take().and_then(|row| row.last),
                });
            }
            Event::ScheduleRemoved(_) => *row = None,
            Event::ScheduleFired(fired) => {
                if let Some(row) = row {
                    row.next = fired.next;
                    if let Some(due) = fired.occurrences.last() {
                        row.last = Some(Occurrence { due: *due, at: envelope.time });
                    }
                }
            }
        }
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/schedules", summary: "What is triggered when" },
            Route::Item { path: "/api/triggers/{id}/schedule", summary: "When a flow is triggered" },
        ]
    }
}

/// The household's time zone.
pub(super) struct Clocks;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Clock {
    #[schemars(with = "String")]
    pub time_zone: Tz,
}

impl Projection for Clocks {
    const NAME: &'static str = "schedules_clocks";
    const READS: &'static [&'static str] = &[Household::NAME];
    type Row = Clock;
    type Event = household::Event;

    fn read(envelope: &Envelope) -> Result<Option<household::Event>, DecodeError> {
        read_as::<Household>(envelope)
    }

    fn keys(_: &Envelope, _: &household::Event) -> Vec<String> {
        vec![HOME.to_owned()]
    }

    fn apply(row: &mut Option<Clock>, _: &str, _: &Envelope, event: &household::Event) {
        if let household::Event::HouseholdSetUp(set) = event {
            *row = Some(Clock { time_zone: set.household.time_zone });
        }
    }
}
