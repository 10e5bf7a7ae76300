//! On each day one plan is in force: the one that was put into force last.

use super::context::Planning;
use super::messages::Event;
use crate::domain::context::{Context, Projection, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use chrono::{Days, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The days of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Span {
    plan: Uuid,
    start: NaiveDate,
    days: u32,
    is_active: bool,
    /// Position of its activation: the later one wins.
    since: i64,
}

impl Span {
    fn overlaps(&self, other: &Self) -> bool {
        let end =
            |span: &Self| span.start.checked_add_days(Days::new(span.days.into())).unwrap_or(NaiveDate::MAX);
        self.start < end(other) && other.start < end(self)
    }
}

/// What a plan that is in force finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Overlaps {
    None,
    /// Another one has taken its days since.
    Newer(Uuid),
    /// It takes the days of these.
    Older(Vec<Uuid>),
}

pub(super) fn overlaps(plan: Uuid, spans: &[Span]) -> Overlaps {
    let Some(mine) = spans.iter().find(|span| span.plan == plan) else { return Overlaps::None };
    let others = || spans.iter().filter(|span| span.plan != plan && span.is_active && span.overlaps(mine));
    if let Some(newer) = others().filter(|span| span.since > mine.since).max_by_key(|span| span.since) {
        return Overlaps::Newer(newer.plan);
    }
    let older: Vec<Uuid> = others().map(|span| span.plan).collect();
    if older.is_empty() { Overlaps::None } else { Overlaps::Older(older) }
}

/// Days of plans, by plan.
pub(super) struct Spans;

impl Projection for Spans {
    const NAME: &'static str = "planning_spans";
    const READS: &'static [&'static str] = &[Planning::NAME];
    type Row = Span;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Planning>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Span>, _: &str, envelope: &Envelope, event: &Event) {
        if let (Event::MealPlanCreated(created), Some(plan)) = (event, envelope.key.uuid()) {
            let (start, days) = (created.start, created.days);
            *row = Some(Span { plan, start, days, is_active: false, since: 0 });
        }
        let Some(span) = row else { return };
        match event {
            Event::MealPlanActivated(_) => {
                span.is_active = true;
                span.since = envelope.position;
            }
            // It keeps its age.
            Event::MealPlanReinstated(_) => span.is_active = true,
            Event::MealPlanRetired(_) => span.is_active = false,
            Event::MealPlanDiscarded(_) => *row = None,
            Event::MealPlanCreated(_)
            | Event::MealPlanGenerated(_)
            | Event::OlderPlansReplaced(_)
            | Event::PlanNutritionCalculated(_)
            | Event::PlanningRulesSet(_)
            | Event::SlotLocked(_)
            | Event::SlotUnlocked(_)
            | Event::MealPlanChanged(_)
            | Event::AlternativesRanked(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(plan: u128, start: &str, days: u32, since: i64) -> Span {
        let start = start.parse().unwrap();
        Span { plan: Uuid::from_u128(plan), start, days, is_active: true, since }
    }

    #[test]
    fn days_that_only_touch_do_not_overlap() {
        let spans = [span(1, "2026-11-20", 7, 1), span(2, "2026-11-27", 7, 2)];
        assert_eq!(overlaps(spans[1].plan, &spans), Overlaps::None);
    }

    #[test]
    fn the_later_one_wins_whichever_of_them_looks() {
        let spans = [span(1, "2026-11-20", 7, 1), span(2, "2026-11-26", 1, 2), span(3, "2026-11-27", 7, 3)];
        assert_eq!(overlaps(spans[1].plan, &spans), Overlaps::Older(vec![spans[0].plan]));
        assert_eq!(overlaps(spans[0].plan, &spans), Overlaps::Newer(spans[1].plan));
    }
}
