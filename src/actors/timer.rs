//! Commands that leave later: as rows of the table of timers, set and taken away in the unit of their cause.

use crate::domain::envelope::Envelope;
use crate::domain::outgoing::When;
use crate::store::{Change, Timer, TimerName};

/// The owner of a timer that no aggregate has set: whoever it is for.
pub(super) fn of_recipient(command: &Envelope) -> TimerName {
    TimerName { context: command.context.to_string(), key: command.key.clone(), name: String::new() }
}

/// What is written for a command that does not leave now. The name comes from `when`.
pub(super) fn change(owner: TimerName, command: Envelope, when: When) -> Option<Change> {
    match when {
        When::Now => None,
        When::Never { timer } => {
            Some(Change::EndTimer { owner: TimerName { name: timer, ..owner }, id: None })
        }
        When::At { due, timer } => Some(Change::SetTimer(Box::new(Timer {
            owner: TimerName { name: timer, ..owner },
            id: command.id,
            due_us: due.timestamp_micros(),
            to_context: command.context,
            to_key: Some(command.key),
            type_name: command.type_name,
            schema_version: command.schema_version,
            body: command.body,
            causation_id: command.causation_id,
            correlation_id: Some(command.correlation_id),
            trace: command.trace,
            extra: command.extra,
            schedule: None,
        }))),
    }
}
