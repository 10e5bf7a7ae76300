//! What can be seen of every actor, kept in atomics so that looking never stands in the way.

use crate::clock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
