//! How those who wait for it learn of what was committed.

use crate::actors::hub::Hub;
use crate::domain::envelope::{Envelope, Kind};
use crate::store::{Change, StoreResult, Unit};
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
pub(super) async fn recount(hub: &Hub) {
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

pub(super) fn changes(units: &[Unit], is_it: fn(&Change) -> bool) -> bool {
    units.iter().flat_map(|unit| &unit.changes).any(is_it)
}

pub(super) fn deliver(hub: &Hub, messages: &[Arc<Envelope>]) {
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
