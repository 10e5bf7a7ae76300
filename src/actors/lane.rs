//! The stable address of a context: a bounded window on what is committed and waiting for it.

use super::doorbell::Doorbell;
use super::status::ActorStatus;
use crate::domain::envelope::Envelope;
use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages held in memory for one context; what does not fit is read from the table when its turn comes.
const WINDOW: usize = 8192;
/// And the length of their bodies.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;

/// Delivery in the order of positions, by the journal alone. Nothing in here is lost by losing it.
pub struct Lane {
    pub context: Arc<str>,
    pub status: Arc<ActorStatus>,
    pub bell: Doorbell,
    window: Mutex<Window>,
    /// Set when dead letters of the context were settled, so that held keys may go on.
    recheck: AtomicBool,
}

#[derive(Default)]
struct Window {
    queue: VecDeque<Arc<Envelope>>,
    /// Length of the bodies in the queue.
    bytes: usize,
    /// Set when something was left to the table: nothing more is queued until the actor reads there.
    overflowed: bool,
}

/// What an actor finds when it looks.
pub enum Pull {
    Messages(VecDeque<Arc<Envelope>>),
    /// Read the table to its end, then look again.
    Table,
    Nothing,
}

impl Lane {
    #[must_use]
    pub fn new(context: &str, status: Arc<ActorStatus>) -> Self {
        let window = Mutex::new(Window { overflowed: true, ..Window::default() });
        Self {
            context: context.into(),
            status,
            bell: Doorbell::default(),
            window,
            recheck: AtomicBool::new(false),
        }
    }

    /// Called by the journal after a commit.
    pub fn deliver(&self, message: Arc<Envelope>) {
        self.status.waiting.fetch_add(1, Relaxed);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.overflowed {
            return;
        }
        if window.queue.len() >= WINDOW || window.bytes >= WINDOW_BYTES {
            window.overflowed = true;
        } else {
            window.bytes += message.body.len();
            window.queue.push_back(message);
        }
    }

    pub fn pull(&self) -> Pull {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if !window.queue.is_empty() {
            window.bytes = 0;
            return Pull::Messages(std::mem::take(&mut window.queue));
        }
        if std::mem::take(&mut window.overflowed) { Pull::Table } else { Pull::Nothing }
    }

    /// There may be something in the table that was never delivered.
    pub fn leave_to_table(&self) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).overflowed = true;
    }

    /// To be called after dead letters of the context were settled.
    pub fn recheck_held(&self) {
        self.recheck.store(true, Release);
        self.bell.ring();
    }

    pub(super) fn take_recheck(&self) -> bool {
        self.recheck.swap(false, AcqRel)
    }

    /// A new incarnation forgets the window and reads everything from the table.
    pub fn reset(&self) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.queue.clear();
        window.bytes = 0;
        window.overflowed = true;
    }
}
