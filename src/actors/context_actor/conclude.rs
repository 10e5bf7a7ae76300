//! From a decision to the unit that commits: events, what they send, timers, the answer, the handled mark.

use super::cells::snapshot;
use super::{ContextState, Taken};
use crate::actors::timer;
use crate::actors::trouble::Trouble;
use crate::domain::context::{Context, Outgoing, When};
use crate::domain::envelope::{Envelope, Kind, Metadata, ReplyTo};
use crate::domain::message::Message;
use crate::domain::operations::{self, DeadLetterAdded};
use crate::domain::reply;
use crate::fault;
use crate::store::{Change, Handled, Outcome, TimerName, Unit, Unreadable};
use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use std::sync::atomic::Ordering::Relaxed;
use uuid::Uuid;

/// Timers' ids are derived from here on, away from those of messages and of what they create.
const FIRST_TIMER: u64 = 1 << 33;

impl<C: Context> ContextState<C> {
    /// Folds the events and makes the unit of one handled message.
    pub(super) fn conclude(
        &mut self,
        taken: &Taken,
        decided: Result<Vec<C::Event>, Outcome>,
    ) -> Result<Unit, ActorProcessingErr> {
        let message = &*taken.message;
        let events = match decided {
            Ok(events) => events,
            Err(Outcome::Dead { reason }) => return Ok(self.die(taken, reason)),
            Err(outcome @ (Outcome::Handled | Outcome::Rejected { .. })) => {
                return Ok(self.finish_unit(message, outcome, Vec::new()));
            }
        };
        self.blame(message.position, taken.attempts);
        let Some(cell) = self.cells.get_mut(&message.key) else {
            return Err(Trouble::error(format!("{} was not loaded", message.key)).into());
        };
        let metadata = Metadata::of(message);
        let now = self.hub.environment.now();
        let before = cell.version;
        let mut messages = Vec::with_capacity(events.len());
        let mut sends = Vec::new();
        for event in &events {
            C::evolve(&mut cell.state, event);
            cell.version += 1;
            messages.push(Envelope {
                position: 0,
                id: message.derived_id(messages.len() as u64),
                kind: Kind::Event,
                context: self.lane.context.clone(),
                key: message.key.clone(),
                stream_version: Some(cell.version),
                type_name: event.type_name().into(),
                schema_version: event.schema_version(),
                body: event.encode()?,
                time: now,
                causation_id: Some(message.id),
                correlation_id: message.correlation_id,
                trace: message.trace.clone(),
                extra: message.extra.inherited(),
            });
            sends.extend(C::sends(&cell.state, event, &metadata)?);
        }
        cell.last_submission = self.submitted + 1;
        let is_due = self.hub.snapshots.is_due(before, cell.version) || std::mem::take(&mut cell.was_slow);
        let snapshot = if is_due {
            let taken = snapshot::<C>(&self.lane.context, &message.key, cell)?;
            fault::point("snapshot.taken");
            Some(taken)
        } else {
            None
        };
        if sends.iter().any(|outgoing| outgoing.reply_step.is_some()) {
            fault::point("saga.asked");
        }
        let mut changes = Vec::new();
        for outgoing in sends {
            send::<C>(message, outgoing, now, &mut messages, &mut changes);
        }
        let unit = self.finish_unit(message, Outcome::Handled, messages);
        fault::point("handle.after");
        Ok(Unit { snapshot, changes, ..unit })
    }

    /// A unit that ends a message: the mark, what it led to, and the answer to whoever asked for one.
    pub(super) fn finish_unit(
        &self,
        message: &Envelope,
        outcome: Outcome,
        mut messages: Vec<Envelope>,
    ) -> Unit {
        let now = self.hub.environment.now();
        if let Some(to) = &message.extra.reply_to {
            let id = message.derived_id(messages.len() as u64);
            let (address, type_name, body) = reply::answer(to, &outcome, &messages);
            let mut answer = caused(message, &address, type_name, body, id, now);
            answer.schema_version = reply::ANSWER_VERSION;
            messages.push(answer);
            fault::point("saga.answered");
        }
        let status = &self.lane.status;
        match &outcome {
            Outcome::Handled | Outcome::Rejected { .. } => status.handled.fetch_add(1, Relaxed),
            Outcome::Dead { reason } => {
                tracing::error!(
                    message.id = %message.id, message.r#type = %message.type_name, reason,
                    "a message has gone to the dead letters"
                );
                messages.extend(alert(message, reason, messages.len() as u64, now));
                status.failed.fetch_add(1, Relaxed)
            }
        };
        Unit { messages, handled: Some(Handled::of(message, outcome)), ..Unit::default() }
    }

    /// A row that does not read is kept as it stands, and the actor goes on.
    pub(super) fn bury_unreadable(&self, unreadable: Unreadable) -> Unit {
        let Unreadable { position, reason, raw } = unreadable;
        tracing::error!(message.position = position, reason, "a stored message does not read");
        self.lane.status.failed.fetch_add(1, Relaxed);
        let handled = Some(Handled {
            context: self.lane.context.clone(),
            position,
            id: Uuid::nil(),
            outcome: Outcome::Dead { reason: format!("the stored row does not read: {reason}") },
            holds: false,
            raw: Some(raw),
        });
        Unit { handled, ..Unit::default() }
    }
}

/// The event that somebody is to be told of.
fn alert(message: &Envelope, reason: &str, n: u64, now: DateTime<Utc>) -> Option<Envelope> {
    let added = DeadLetterAdded {
        position: message.position,
        reader: None,
        context: message.context.to_string(),
        key: message.key.to_string(),
        type_name: message.type_name.to_string(),
        error: reason.to_owned(),
    };
    let (key, id) = (message.position.to_string(), message.derived_id(n));
    // The message itself is kept whatever becomes of the alert.
    operations::notice(key, &added.into(), id, now, Some(message))
        .inspect_err(|error| tracing::error!(%error, "an alert could not be written"))
        .ok()
}

/// A command on its way: now, by a timer of the sending aggregate, or no longer.
fn send<C: Context>(
    message: &Envelope,
    outgoing: Outgoing,
    now: DateTime<Utc>,
    messages: &mut Vec<Envelope>,
    changes: &mut Vec<Change>,
) {
    let Outgoing { to, type_name, schema_version, body, reply_step, when } = outgoing;
    let n = match when {
        When::Now => messages.len() as u64,
        When::At { .. } | When::Never { .. } => FIRST_TIMER + changes.len() as u64,
    };
    let id = message.derived_id(n);
    let mut command = caused(message, &to, type_name, body, id, now);
    command.schema_version = schema_version;
    let asking = |step| ReplyTo { context: C::NAME.to_owned(), key: message.key.clone(), step };
    command.extra.reply_to = reply_step.map(asking);
    let owner = TimerName { context: C::NAME.to_owned(), key: message.key.clone(), name: String::new() };
    match when {
        When::Now => messages.push(command),
        when @ (When::At { .. } | When::Never { .. }) => {
            changes.extend(timer::change(owner, command, when));
        }
    }
}

fn caused(
    message: &Envelope,
    to: &crate::domain::envelope::Address,
    type_name: &str,
    body: String,
    id: Uuid,
    now: DateTime<Utc>,
) -> Envelope {
    Envelope {
        causation_id: Some(message.id),
        correlation_id: message.correlation_id,
        trace: message.trace.clone(),
        extra: message.extra.inherited(),
        ..Envelope::command(to, type_name, body, id, now)
    }
}
