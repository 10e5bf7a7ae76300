//! Wake-ups without data: rings an actor once, however often it is asked to, wherever the actor now lives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

type Ring = Arc<dyn Fn() + Send + Sync>;

/// A stable address for something that restarts. Losing a ring is harmless: an actor looks when it starts.
#[derive(Default)]
pub struct Doorbell {
    rung: AtomicBool,
    ring: RwLock<Option<Ring>>,
}

impl Doorbell {
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(ring) = ring {
                ring();
            }
        }
    }

    /// To be called before looking for work: what comes after it rings again.
    pub fn answer(&self) {
        // A swap, not a store: it must see everything that was done before a ring it takes back.
        self.rung.swap(false, Ordering::AcqRel);
    }

    /// Gives the bell to a new incarnation and rings it.
    pub fn attach(&self, ring: impl Fn() + Send + Sync + 'static) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(ring));
        self.answer();
        self.ring();
    }
}
