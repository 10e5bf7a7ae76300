//! What can be seen of every actor, kept in atomics so that looking never stands in the way.

use super::environment::Environment;
use crate::clock;
use crate::domain::envelope::Key;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Keys whose reason to wait is kept for show.
const WAITS_KEPT: usize = 100;

/// One key that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    pub key: String,
    /// In words, such as "behind breaker fatsecret".
    pub reason: String,
    pub since: DateTime<Utc>,
    /// When it goes on by itself, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Touched only when a key begins or ends to wait, which is rare.
#[derive(Default)]
pub struct Waits(Mutex<BTreeMap<Key, Wait>>);

impl Waits {
    pub(super) fn begin(&self, key: &Key, reason: String, until_us: Option<i64>, environment: &Environment) {
        let until = until_us.and_then(DateTime::from_timestamp_micros);
        let wait = Wait { key: key.to_string(), reason, since: environment.now(), until };
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.len() < WAITS_KEPT || waits.contains_key(key) {
            waits.insert(key.clone(), wait);
        }
    }

    pub(super) fn end(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn list(&self) -> Vec<Wait> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// Where an actor stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Stage {
    Starting,
    Running,
    Restarting,
    /// Its restart budget is used up: it accepts and does not handle.
    Quarantined,
    Stopped,
}

const STAGES: [Stage; 5] =
    [Stage::Starting, Stage::Running, Stage::Restarting, Stage::Quarantined, Stage::Stopped];

/// The record of one actor over all its incarnations.
pub struct ActorStatus {
    pub path: String,
    pub kind: &'static str,
    stage: AtomicU8,
    generation: AtomicU64,
    restarts: AtomicU64,
    pub waiting: AtomicI64,
    pub in_flight: AtomicI64,
    pub handled: AtomicU64,
    pub failed: AtomicU64,
    /// Position of the message being handled, 0 for none: what a death is blamed on.
    pub current: AtomicI64,
    /// How often the current message has failed before.
    pub current_attempts: AtomicU32,
    /// Attempts that have failed, of all messages.
    pub attempts_failed: AtomicU64,
    /// Why some of its messages wait.
    pub waits: Waits,
    paused: AtomicBool,
    /// When the oldest waiting message was seen, in microseconds; 0 for none.
    pub oldest_us: AtomicI64,
    last_error: Mutex<Option<String>>,
}

impl ActorStatus {
    #[must_use]
    pub fn new(path: String, kind: &'static str) -> Self {
        Self {
            path,
            kind,
            stage: AtomicU8::new(Stage::Starting as u8),
            generation: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            waiting: AtomicI64::new(0),
            in_flight: AtomicI64::new(0),
            handled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            current: AtomicI64::new(0),
            current_attempts: AtomicU32::new(0),
            attempts_failed: AtomicU64::new(0),
            waits: Waits::default(),
            paused: AtomicBool::new(false),
            oldest_us: AtomicI64::new(0),
            last_error: Mutex::new(None),
        }
    }

    pub fn stage(&self) -> Stage {
        STAGES.get(usize::from(self.stage.load(Relaxed))).copied().unwrap_or(Stage::Stopped)
    }

    pub fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    /// An operator wants it to take nothing new.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Relaxed)
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Relaxed);
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// Counts a new incarnation and answers its number.
    pub fn next_generation(&self) -> u64 {
        let generation = self.generation.fetch_add(1, Relaxed) + 1;
        if generation > 1 {
            self.restarts.fetch_add(1, Relaxed);
        }
        generation
    }

    pub fn set_error(&self, error: impl Into<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
    }

    #[must_use]
    pub fn view(&self) -> ActorView {
        let oldest = self.oldest_us.load(Relaxed);
        let waiting = self.waiting.load(Relaxed).max(0);
        let age_us = clock::now().timestamp_micros() - oldest;
        ActorView {
            path: self.path.clone(),
            kind: self.kind,
            state: self.stage(),
            generation: self.generation(),
            restarts: self.restarts.load(Relaxed),
            waiting,
            oldest_age_ms: (waiting > 0 && oldest > 0).then_some(age_us / 1000),
            in_flight: self.in_flight.load(Relaxed).max(0),
            handled: self.handled.load(Relaxed),
            failed: self.failed.load(Relaxed),
            attempts_failed: self.attempts_failed.load(Relaxed),
            paused: self.is_paused(),
            waits: self.waits.list(),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// One line of `GET /admin/actors`.
#[derive(Clone, Debug, Serialize)]
pub struct ActorView {
    pub path: String,
    pub kind: &'static str,
    pub state: Stage,
    pub generation: u64,
    pub restarts: u64,
    pub waiting: i64,
    pub oldest_age_ms: Option<i64>,
    pub in_flight: i64,
    pub handled: u64,
    pub failed: u64,
    pub attempts_failed: u64,
    pub paused: bool,
    /// Keys that wait and why, at most a hundred of them.
    pub waits: Vec<Wait>,
    pub last_error: Option<String>,
}

/// Every actor of the tree by its path.
#[derive(Default)]
pub struct Registry {
    actors: RwLock<BTreeMap<String, Arc<ActorStatus>>>,
}

impl Registry {
    /// The record at a path, made if it is not there; it outlives restarts.
    pub fn at(&self, path: &str, kind: &'static str) -> Arc<ActorStatus> {
        let mut actors = self.actors.write().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(ActorStatus::new(path.to_owned(), kind));
        actors.entry(path.to_owned()).or_insert_with(make).clone()
    }

    pub fn find(&self, path: &str) -> Option<Arc<ActorStatus>> {
        self.actors.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    pub fn all(&self) -> Vec<ActorView> {
        let actors = self.actors.read().unwrap_or_else(PoisonError::into_inner);
        actors.values().map(|status| status.view()).collect()
    }
}
