//! How those who wait for it learn of what was committed.

use super::Committed;
use super::queue::Reply;
use crate::actors::hub::{Done, Hub};
use crate::actors::status::ActorStatus;
use crate::domain::envelope::{Envelope, Kind};
use crate::fault;
use crate::store::{Change, Placed, StoreResult, Unit};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Lets everybody find what was committed without their being told.
pub(super) async fn reveal(hub: &Hub) -> StoreResult<()> {
    let last = hub.store.last_position().await?;
    if last > *hub.committed.borrow() {
        hub.lanes.values().for_each(|lane| lane.leave_to_table());
        hub.skip_to(last);
    }
    recount(hub).await;
    hub.timers.ring();
    hub.gateways.decided.send_replace(());
    hub.lanes.values().for_each(|lane| lane.recheck_held());
    hub.resolve_stored().await
}

/// Counts the waiting messages anew, after some came or went unseen.
async fn recount(hub: &Hub) {
    match hub.store.waiting_counts().await {
        Ok(counts) => {
            let counts: HashMap<_, _> = counts.into_iter().collect();
            for (name, lane) in &hub.lanes {
                lane.status.waiting.store(counts.get(*name).copied().unwrap_or(0), Ordering::Relaxed);
            }
        }
        Err(error) => tracing::warn!(%error, "the waiting messages could not be counted"),
    }
}

fn changes(units: &[Unit], is_it: fn(&Change) -> bool) -> bool {
    units.iter().flat_map(|unit| &unit.changes).any(is_it)
}

fn deliver(hub: &Hub, messages: &[Arc<Envelope>]) {
    let mut rung: Vec<&str> = Vec::new();
    for message in messages.iter().filter(|message| message.kind == Kind::Command) {
        if let Some(lane) = hub.lanes.get(&*message.context) {
            lane.deliver(message.clone());
            if !rung.contains(&&*message.context) {
                rung.push(&message.context);
            }
        }
    }
    for context in rung {
        if let Some(lane) = hub.lanes.get(context) {
            lane.bell.ring();
        }
    }
}

/// Tells lanes, readers, waiters and those who submitted, in that order.
pub(super) async fn tell(hub: &Hub, status: &ActorStatus, committed: Committed) {
    // Lanes and readers look for themselves.
    let gap = committed.is_after_a_gap(hub);
    let Committed { units, placed, replies } = committed;
    status.handled.fetch_add(units.len() as u64, Ordering::Relaxed);
    let sets_timer = changes(&units, |change| matches!(change, Change::SetTimer(_)));
    let settles = changes(&units, |change| matches!(change, Change::SettleDeadLetter { .. }));
    let snapshots = units.iter().any(|unit| unit.snapshot.is_some());
    let decides = changes(&units, |change| matches!(change, Change::DecideEffect { .. }));
    let mut messages: Vec<Arc<Envelope>> = Vec::with_capacity(units.len());
    let mut done = Vec::new();
    for (unit, place) in units.into_iter().zip(&placed) {
        let next = place.first + unit.messages.len() as i64;
        messages.extend(unit.messages.into_iter().zip(place.first..).map(|(mut message, position)| {
            message.position = position;
            Arc::new(message)
        }));
        if let Some(handled) = unit.handled {
            if let Some(lane) = hub.lanes.get(&*handled.context) {
                lane.status.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            done.push((handled.id, Done { outcome: handled.outcome, position: next - 1 }));
        }
    }
    if gap {
        hub.lanes.values().for_each(|lane| lane.leave_to_table());
    }
    fault::point("deliver.before");
    if snapshots {
        fault::point("snapshot.written");
    }
    if messages.iter().any(|message| message.extra.reply_to.is_some()) {
        fault::point("saga.told");
    }
    deliver(hub, &messages);
    hub.publish(&messages);
    hub.resolve(done.into_iter());
    if sets_timer {
        fault::point("timer.set");
    }
    if sets_timer || gap {
        hub.timers.ring();
    }
    if settles || gap {
        hub.lanes.values().for_each(|lane| lane.recheck_held());
    }
    if decides || gap {
        hub.gateways.decided.send_replace(());
    }
    fault::point("deliver.after");
    if gap {
        recount(hub).await;
        hub.lanes.values().for_each(|lane| lane.bell.ring());
    }
    answer(&placed, replies);
}

fn answer(mut placed: &[Placed], replies: Vec<(Reply, usize)>) {
    for (reply, count) in replies {
        let (mine, rest) = placed.split_at(count.min(placed.len()));
        reply(Ok(mine.to_vec()));
        placed = rest;
    }
}

impl Committed {
    /// Answers those who submitted, where nobody else is left to be told.
    pub(super) fn answer(self) {
        answer(&self.placed, self.replies);
    }

    /// Whether positions before these were never told of: a commit whose answer was lost.
    pub(super) fn is_after_a_gap(&self, hub: &Hub) -> bool {
        let mut placed = self.units.iter().zip(&self.placed);
        let first = placed.find(|(unit, _)| !unit.messages.is_empty());
        first.is_some_and(|(_, place)| place.first > *hub.committed.borrow() + 1)
    }
}
