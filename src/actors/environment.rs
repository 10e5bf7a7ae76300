//! Where time, chance and threads come from: from the machine, or from a simulation whose runs repeat.

use super::tasks;
use crate::clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;
use uuid::Uuid;

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub struct Environment(Option<Arc<Simulated>>);

/// Time is that of the tokio clock, chance comes from a seed, and nothing runs on another thread.
struct Simulated {
    start: DateTime<Utc>,
    began: Instant,
    draws: AtomicU64,
}

impl Environment {
    /// One whose runs repeat, on a single-threaded runtime with paused time. `start` is the time it is now.
    #[must_use]
    pub fn simulated(seed: u64, start: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(Simulated { start, began: Instant::now(), draws: AtomicU64::new(seed) })))
    }

    /// Now, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let Some(simulated) = &self.0 else { return clock::now() };
        let passed_us = i64::try_from(simulated.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        simulated.start + TimeDelta::microseconds(passed_us)
    }

    /// A new id, near now in the order of ids.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        if self.0.is_none() {
            return Uuid::now_v7();
        }
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.random().to_be_bytes());
        let now_ms = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now_ms, &bytes).into_uuid()
    }

    /// Any number, as likely as any other.
    pub(super) fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let Some(simulated) = &self.0 else { return uuid::Uuid::now_v7().as_u64_pair().1 };
        // SplitMix64.
        let mut mixed = simulated.draws.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Runs a long computation where it holds up nobody.
    ///
    /// # Errors
    /// The message of its panic.
    pub(super) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        match &self.0 {
            Some(_) => tasks::caught(work).await,
            None => tasks::heavy(work).await,
        }
    }
}
