//! What every actor of one runtime shares: the store, the addresses, and who waits for what.

use super::claims::Claims;
use super::dispatcher::Watermarks;
use super::doorbell::Doorbell;
use super::environment::Environment;
use super::flags::Flags;
use super::folded::Snapshots;
use super::gateway::Gateways;
use super::journal::JournalHandle;
use super::lane::Lane;
use super::orders::Desk;
use super::retry::Retries;
use super::slots::Slots;
use super::status::Registry;
use super::upkeep::Upkeep;
use super::view::View;
use crate::domain::envelope::Envelope;
use crate::domain::rehearsal::ErasedContext;
use crate::store::{Filter, Outcome, Page, Store, StoreError, StoreResult, Unreadable};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};
use uuid::Uuid;

/// Newest messages kept in memory for readers that keep up.
const TAIL: usize = 16_384;
/// And the length of their bodies.
const TAIL_BYTES: usize = 32 * 1024 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How a command ended and which positions it caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub outcome: Outcome,
    /// The newest position when its unit was committed.
    pub position: i64,
}

/// See the module. One a runtime; nothing in it is global to the process.
pub struct Hub {
    pub store: Arc<dyn Store>,
    pub journal: JournalHandle,
    pub registry: Registry,
    pub lanes: BTreeMap<&'static str, Arc<Lane>>,
    pub views: BTreeMap<&'static str, View>,
    pub environment: Environment,
    pub retries: Retries,
    pub gateways: Gateways,
    pub snapshots: Snapshots,
    pub slots: Slots,
    /// Held by the one suspect that is handled alone.
    pub alone: Arc<Semaphore>,
    pub(super) desk: Desk,
    /// What every context can say of its messages and states.
    pub contexts: BTreeMap<&'static str, Arc<dyn ErasedContext>>,
    pub(super) flags: Flags,
    /// The operator's verbs take turns.
    pub(super) verbs: tokio::sync::Mutex<()>,
    /// Rung when something was committed that the reader may care about.
    pub readers: RwLock<Vec<Arc<Doorbell>>>,
    /// Rung when a timer was set.
    pub timers: Doorbell,
    tail: RwLock<VecDeque<Arc<Envelope>>>,
    /// Length of all bodies in the tail; changed under its lock only.
    tail_bytes: AtomicUsize,
    pub committed: watch::Sender<i64>,
    pub watermarks: Watermarks,
    pub(super) claims: Claims,
    /// `None`: nothing is backed up or forgotten here.
    pub upkeep: Option<Arc<Upkeep>>,
    waiters: Mutex<HashMap<Uuid, Vec<oneshot::Sender<Done>>>>,
}

impl Hub {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        journal: JournalHandle,
        registry: Registry,
        lanes: BTreeMap<&'static str, Arc<Lane>>,
        views: BTreeMap<&'static str, View>,
        last_position: i64,
    ) -> Self {
        Self {
            store,
            journal,
            registry,
            lanes,
            views,
            environment: Environment::default(),
            retries: Retries::default(),
            gateways: Gateways::default(),
            snapshots: Snapshots::default(),
            slots: Slots::default(),
            alone: Arc::new(Semaphore::new(1)),
            desk: Desk::default(),
            contexts: BTreeMap::new(),
            flags: Flags::default(),
            verbs: tokio::sync::Mutex::default(),
            readers: RwLock::default(),
            timers: Doorbell::default(),
            tail: RwLock::default(),
            tail_bytes: AtomicUsize::new(0),
            committed: watch::Sender::new(last_position),
            watermarks: Watermarks::default(),
            claims: Claims::default(),
            upkeep: None,
            waiters: Mutex::default(),
        }
    }

    #[must_use]
    pub fn waiting_in_total(&self) -> i64 {
        self.lanes.values().map(|lane| lane.status.waiting.load(Ordering::Relaxed)).sum()
    }

    /// The outcome of a message, if it is committed while somebody still listens.
    pub fn wait_for(&self, id: Uuid) -> oneshot::Receiver<Done> {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = waiters.entry(id).or_default();
        waiting.retain(|sender| !sender.is_closed());
        waiting.push(sender);
        receiver
    }

    /// Forgets those who have stopped waiting for a message.
    pub fn forget(&self, id: Uuid) {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiters.get_mut(&id) {
            waiting.retain(|sender| !sender.is_closed());
            if waiting.is_empty() {
                waiters.remove(&id);
            }
        }
    }

    pub(super) fn resolve(&self, done: impl Iterator<Item = (Uuid, Done)>) {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, done) in done {
            for sender in waiters.remove(&id).unwrap_or_default() {
                // Nobody listens any more: the stored outcome answers whoever asks later.
                drop(sender.send(done.clone()));
            }
        }
    }

    /// Tells those who wait for an outcome that was stored without anybody's knowing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn resolve_stored(&self) -> StoreResult<()> {
        let waiters = || self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<Uuid> = waiters().keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let done = self.stored(id).await?;
            self.resolve(done.map(|done| (id, done)).into_iter());
        }
        Ok(())
    }

    /// The stored outcome of a message.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn stored(&self, id: Uuid) -> StoreResult<Option<Done>> {
        let Some(status) = self.store.message(id).await? else { return Ok(None) };
        let position = status.envelope.position;
        Ok(status.outcome.map(|stored| Done {
            outcome: stored.outcome,
            position: stored.caused.map_or(position, |(_, last)| last),
        }))
    }

    pub(super) fn publish(&self, messages: &[Arc<Envelope>]) {
        let Some(last) = messages.last() else { return };
        {
            let mut tail = self.tail.write().unwrap_or_else(PoisonError::into_inner);
            // Readers count on a tail without gaps.
            let follows =
                |last: &Arc<Envelope>| messages.first().is_some_and(|m| m.position == last.position + 1);
            if !tail.back().is_none_or(follows) {
                tail.clear();
                self.tail_bytes.store(0, Ordering::Relaxed);
            }
            tail.extend(messages.iter().cloned());
            let mut bytes: usize = self.tail_bytes.load(Ordering::Relaxed);
            bytes += messages.iter().map(|message| message.body.len()).sum::<usize>();
            while tail.len() > TAIL || bytes > TAIL_BYTES {
                let Some(oldest) = tail.pop_front() else { break };
                bytes -= oldest.body.len().min(bytes);
            }
            self.tail_bytes.store(if tail.is_empty() { 0 } else { bytes }, Ordering::Relaxed);
        }
        self.committed.send_replace(last.position);
        self.ring_readers();
    }

    /// Lets readers find in the store what was committed up to here and never published.
    pub(super) fn skip_to(&self, last: i64) {
        if last <= *self.committed.borrow() {
            return;
        }
        {
            let mut tail = self.tail.write().unwrap_or_else(PoisonError::into_inner);
            tail.clear();
            self.tail_bytes.store(0, Ordering::Relaxed);
        }
        self.committed.send_replace(last);
        self.ring_readers();
    }

    /// Readers find everything in the store from here on.
    pub(super) fn forget_recent(&self) {
        self.tail.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.tail_bytes.store(0, Ordering::Relaxed);
    }

    pub(super) fn ring_readers(&self) {
        for bell in self.readers.read().unwrap_or_else(PoisonError::into_inner).iter() {
            bell.ring();
        }
    }

    /// Reads until the database is available: an outage costs its readers neither an attempt nor a restart.
    ///
    /// # Errors
    /// When the store cannot be read for another reason.
    pub(super) async fn patiently<T, F>(&self, read: impl Fn() -> F) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            match read().await {
                Err(StoreError::Unavailable(error)) => {
                    tracing::warn!(error, "the database cannot be read; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Messages after a position that match, in order: from memory when they are recent, else from the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn messages_after(&self, after: i64, limit: usize, filter: &Filter) -> StoreResult<SharedPage> {
        if let Some(page) = self.recent_after(after, limit, filter) {
            return Ok(page);
        }
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let page = self.store.messages_after(after, limit, filter.clone()).await?;
        let Page { messages, unreadable, read_to } = page;
        Ok(SharedPage { messages: messages.into_iter().map(Arc::new).collect(), unreadable, read_to })
    }

    fn recent_after(&self, after: i64, limit: usize, filter: &Filter) -> Option<SharedPage> {
        let tail = self.tail.read().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = tail.front() else {
            let newest = *self.committed.borrow();
            return (after >= newest).then(|| SharedPage { read_to: after, ..SharedPage::default() });
        };
        if first.position > after.saturating_add(1) {
            return None;
        }
        let skip = usize::try_from(after.saturating_add(1) - first.position).ok()?;
        let mut page = SharedPage { read_to: after, ..SharedPage::default() };
        for message in tail.iter().skip(skip) {
            if page.messages.len() >= limit {
                break;
            }
            page.read_to = message.position;
            if filter.matches(message) {
                page.messages.push(message.clone());
            }
        }
        Some(page)
    }

    /// Waits until every read model that folds a context has caught up with a position.
    pub async fn caught_up(&self, context: &str, position: i64) {
        for view in self.views.values().filter(|view| view.reads.contains(&context)) {
            let mut caught_up = view.caught_up.subscribe();
            // The sender lives in this hub, so waiting cannot fail.
            let _ = caught_up.wait_for(|reached| *reached >= position).await;
        }
    }
}

/// [`Page`] whose messages may be shared with others.
#[derive(Clone, Debug, Default)]
pub struct SharedPage {
    pub messages: Vec<Arc<Envelope>>,
    pub unreadable: Vec<Unreadable>,
    pub read_to: i64,
}
