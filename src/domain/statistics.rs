//! How many events of each type there are: a read model of the whole log, which belongs to no context.

use super::context::{Context, Projection, Route};
use super::envelope::Envelope;
use super::message::DecodeError;
use super::{
    breakers, flags, foods, household, notifications, nutrition, operations, planning, recipes, sagas,
    schedules, shopping,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventCount {
    pub context: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub count: u64,
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
    /// Position of the newest one.
    pub position: i64,
}

/// See the module. Nothing of an event's content is read, so that those of older programs and of erased people count.
pub struct EventStatistics;

impl Projection for EventStatistics {
    const NAME: &'static str = "operations_statistics";
    /// Every context there is; a test compares.
    const READS: &'static [&'static str] = &[
        breakers::Breakers::NAME,
        flags::Flags::NAME,
        foods::Foods::NAME,
        household::Household::NAME,
        nutrition::Nutrition::NAME,
        recipes::Recipes::NAME,
        planning::Planning::NAME,
        shopping::Shopping::NAME,
        sagas::Sagas::NAME,
        schedules::Schedules::NAME,
        notifications::Notifications::NAME,
        operations::NAME,
    ];
    type Row = EventCount;
    type Event = ();

    fn read(_: &Envelope) -> Result<Option<()>, DecodeError> {
        Ok(Some(()))
    }

    fn keys(envelope: &Envelope, (): &()) -> Vec<String> {
        vec![format!("{}.{}", envelope.context, envelope.type_name)]
    }

    fn apply(row: &mut Option<EventCount>, _: &str, envelope: &Envelope, (): &()) {
        let row = row.get_or_insert_with(|| EventCount {
            context: envelope.context.to_string(),
            type_name: envelope.type_name.to_string(),
            count: 0,
            first: envelope.time,
            last: envelope.time,
            position: 0,
        });
        row.count += 1;
        row.last = envelope.time;
        row.position = envelope.position;
    }

    fn search(row: &EventCount) -> String {
        format!("{} {}", row.context, row.type_name).to_lowercase()
    }

    fn routes() -> Vec<Route> {
        vec![Route::List { path: "/admin/statistics", summary: "How many events of each type there are" }]
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Visitor;
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Default)]
    struct Names(BTreeSet<&'static str>);

    impl Visitor for Names {
        fn context<C: Context>(&mut self) {
            self.0.insert(C::NAME);
        }
    }

    #[test]
    fn no_context_is_left_out() {
        let mut names = Names(BTreeSet::from([operations::NAME]));
        super::super::contexts(&mut names);
        assert_eq!(EventStatistics::READS.iter().copied().collect::<BTreeSet<_>>(), names.0);
    }
}
