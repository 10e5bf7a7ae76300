//! The outside services of a runtime: their limits, what is counted of their calls, and the end of those.

use super::breakers::Board;
use super::hub::Hub;
use super::journal::Origin;
use super::tasks;
use super::underway::{Calls, Ended, Reservation, Underway};
use crate::clients::gateway::{CallError, Gateway, Limits};
use crate::store::{Change, EffectEnd, Unit};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// How long after its time-out a call is still listened to.
const LATE_PATIENCE: Duration = Duration::from_secs(60);

/// See the module. Part of the hub.
#[derive(Default)]
pub struct Gateways {
    pub board: Board,
    services: BTreeMap<&'static str, Arc<Service>>,
    pub(super) calls: Calls,
    /// Nothing new is begun.
    closing: watch::Sender<bool>,
    /// Told when an operator has decided something.
    pub(super) decided: watch::Sender<()>,
}

/// One service with its bulkhead.
pub(super) struct Service {
    pub gateway: Arc<dyn Gateway>,
    pub limits: Limits,
    pub permits: Arc<Semaphore>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    late: AtomicU64,
}

/// What can be seen of a service's calls since the start of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceView {
    pub service: &'static str,
    pub in_flight: usize,
    pub answered: u64,
    pub refused: u64,
    pub failed: u64,
    pub unknown: u64,
    /// Answers that came when nobody waited for them any more.
    pub late: u64,
}

impl Gateways {
    #[must_use]
    pub fn new(gateways: &[Arc<dyn Gateway>]) -> Self {
        let service = |gateway: &Arc<dyn Gateway>| {
            let limits = gateway.limits();
            let permits = Arc::new(Semaphore::new(limits.in_flight.max(1)));
            let service = Service { gateway: gateway.clone(), limits, permits, counts: Counts::default() };
            (gateway.service(), Arc::new(service))
        };
        Self { services: gateways.iter().map(service).collect(), ..Self::default() }
    }

    pub(super) fn service(&self, name: &str) -> Option<Arc<Service>> {
        self.services.get(name).cloned()
    }

    /// Every service that can be called.
    pub fn all(&self) -> Vec<ServiceView> {
        self.services.values().map(|service| service.view()).collect()
    }

    pub fn knows(&self, service: &str) -> bool {
        self.services.contains_key(service)
    }

    /// Lets calls under way come to their end, and begins no new ones from now on.
    pub(super) async fn drain(&self, patience: Duration) {
        self.closing.send_replace(true);
        if tokio::time::timeout(patience, self.calls.none_left()).await.is_err() {
            tracing::warn!(
                "some calls to the outside are cut off; what became of them is found out at the next start"
            );
        }
    }

    /// Returns unless the process is about to end: then never.
    pub(super) async fn may_begin(&self) {
        if *self.closing.borrow() {
            std::future::pending().await
        }
    }

    /// [`Calls::reserve`], unless the process is about to end.
    pub(super) async fn reserve(&self, effect: Uuid, attempt: u32) -> Result<Reservation, Arc<Underway>> {
        self.may_begin().await;
        let place = self.calls.reserve(effect, attempt);
        if *self.closing.borrow() {
            // Whoever waits for calls to end does not wait for this one.
            drop(place);
            return std::future::pending().await;
        }
        place
    }
}

impl Service {
    fn view(&self) -> ServiceView {
        let Counts { answered, refused, failed, unknown, late } = &self.counts;
        ServiceView {
            service: self.gateway.service(),
            in_flight: self.limits.in_flight.saturating_sub(self.permits.available_permits()),
            answered: answered.load(Relaxed),
            refused: refused.load(Relaxed),
            failed: failed.load(Relaxed),
            unknown: unknown.load(Relaxed),
            late: late.load(Relaxed),
        }
    }

    pub(super) fn count(&self, ended: &Ended) {
        let count = match ended {
            Ok(_) => &self.counts.answered,
            Err(CallError::Permanent { .. }) => &self.counts.refused,
            Err(CallError::Transient { .. }) => &self.counts.failed,
            Err(CallError::Unknown { .. }) => &self.counts.unknown,
        };
        count.fetch_add(1, Relaxed);
    }
}

/// One call as it is on the ledger.
pub(super) struct Sent {
    pub effect: Uuid,
    pub attempt: u32,
    pub operation: String,
    pub request: String,
}

/// Makes the call beside everybody; whoever waits for it may go away.
pub(super) fn begin(hub: &Arc<Hub>, service: &Arc<Service>, sent: Sent, call: Arc<Underway>) {
    let (effect, attempt) = (sent.effect, sent.attempt);
    let (running, panicked, hub, service) = (call.clone(), call, hub.clone(), service.clone());
    tasks::watched(
        async move {
            let made = service.gateway.call(sent.effect, &sent.operation, &sent.request);
            let ended = tokio::time::timeout(service.limits.timeout + LATE_PATIENCE, made).await;
            let ended = ended.unwrap_or_else(|_| Err(CallError::unknown("it was never answered")));
            if let Some(late) = running.end(ended) {
                service.counts.late.fetch_add(1, Relaxed);
                record_late(&hub, effect, attempt, end_of(&late)).await;
            }
        },
        // Nobody knows what it had done by then.
        move |panic| drop(panicked.end(Err(CallError::Unknown { message: panic }))),
    );
}

/// As the ledger keeps it.
pub(super) fn end_of(ended: &Ended) -> EffectEnd {
    match ended {
        Ok(response) => EffectEnd::Done { response: response.clone() },
        Err(error @ CallError::Unknown { .. }) => EffectEnd::Unknown { error: error.to_string() },
        Err(error @ (CallError::Transient { .. } | CallError::Permanent { .. })) => {
            EffectEnd::Failed { error: error.to_string() }
        }
    }
}

/// Kept for whoever looks, and applied only where nothing newer was said.
async fn record_late(hub: &Hub, id: Uuid, attempt: u32, end: EffectEnd) {
    let changes = vec![Change::EndEffect { id, attempt, end }];
    // No actor's own path: the one that wanted the call may be gone.
    let origin = Origin::Actor { path: "gateways".into(), generation: 0 };
    if let Err(error) = hub.journal.commit(origin, vec![Unit { changes, ..Unit::default() }]).await {
        tracing::warn!(%error, effect.id = %id, "a late answer could not be recorded");
    }
    hub.gateways.calls.forget(id, attempt);
    hub.gateways.decided.send_replace(());
}
