//! Places where it is noted what is being handled, so that the death of the process is charged to it.

use crate::store::{SLOTS, Store};
use std::sync::{Arc, Mutex, PoisonError};

/// Those nobody uses at the moment.
#[derive(Clone)]
pub struct Slots(Arc<Mutex<Vec<usize>>>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((0..SLOTS).rev().collect())))
    }
}

/// A place in use; free again when dropped.
pub(super) struct Slot {
    n: Option<usize>,
    free: Slots,
    store: Arc<dyn Store>,
}

impl Slots {
    /// When all are taken, what is handled is not noted: a charge may be missed, nothing else.
    pub(super) fn take(&self, store: &Arc<dyn Store>) -> Slot {
        let n = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Slot { n, free: self.clone(), store: store.clone() }
    }
}

impl Slot {
    pub(super) fn mark(&self, position: i64) {
        if let Some(n) = self.n {
            self.store.mark(n, position);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(n) = self.n {
            self.store.mark(n, 0);
            self.free.0.lock().unwrap_or_else(PoisonError::into_inner).push(n);
        }
    }
}
