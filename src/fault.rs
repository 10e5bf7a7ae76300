//! Named places at which a debug build can be told to die, so that tests prove what survives it.
//!
//! `MEAL_PLANNER_CRASH_AT=name[:nth]` ends the process at the nth passing of a point: no unwinding, no flush.
//! `MEAL_PLANNER_CRASH_ON_KEY` does so whenever a message of that key is handled, `MEAL_PLANNER_PANIC_ON_KEY`
//! panics instead. A release build has nothing of this but the list.

/// When a process comes by a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// While a new store is made and opened.
    Start,
    /// While it serves.
    Work,
    /// While it ends in order.
    Stop,
    /// While it erases a person, or carries on with that.
    Erase,
    /// While a store is copied to another place.
    Copy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub name: &'static str,
    pub phase: Phase,
}

const fn at(phase: Phase, name: &'static str) -> Point {
    Point { name, phase }
}

/// Every point there is; the crash tests go through this list.
pub const POINTS: &[Point] = &[
    at(Phase::Start, "migration.commit"),
    at(Phase::Start, "epoch.before"),
    at(Phase::Start, "epoch.after"),
    at(Phase::Work, "accept.before"),
    at(Phase::Work, "accept.after"),
    at(Phase::Work, "commit.before"),
    at(Phase::Work, "commit.middle"),
    at(Phase::Work, "commit.after"),
    at(Phase::Work, "deliver.before"),
    at(Phase::Work, "deliver.after"),
    at(Phase::Work, "handle.before"),
    at(Phase::Work, "handle.gathered"),
    at(Phase::Work, "handle.after"),
    at(Phase::Work, "handle.settled"),
    at(Phase::Work, "snapshot.taken"),
    at(Phase::Work, "snapshot.written"),
    at(Phase::Work, "effect.staged"),
    at(Phase::Work, "effect.sent"),
    at(Phase::Work, "effect.called"),
    at(Phase::Work, "effect.recorded"),
    at(Phase::Work, "retry.recorded"),
    at(Phase::Work, "saga.asked"),
    at(Phase::Work, "saga.answered"),
    at(Phase::Work, "saga.told"),
    at(Phase::Work, "timer.set"),
    at(Phase::Work, "timer.before"),
    at(Phase::Work, "timer.after"),
    at(Phase::Work, "reactor.before"),
    at(Phase::Work, "reactor.after"),
    at(Phase::Work, "rebuild.before"),
    at(Phase::Work, "rebuild.after"),
    at(Phase::Work, "burn.before"),
    at(Phase::Work, "burn.after"),
    at(Phase::Work, "projector.before"),
    at(Phase::Work, "projector.after"),
    at(Phase::Stop, "shutdown.drain"),
    at(Phase::Stop, "shutdown.close"),
    at(Phase::Stop, "shutdown.marked"),
    at(Phase::Erase, "erase.begun"),
    at(Phase::Erase, "erase.quiet"),
    at(Phase::Erase, "erase.told"),
    at(Phase::Erase, "erase.rebuilt"),
    at(Phase::Erase, "erase.middle"),
    at(Phase::Erase, "erase.scrubbed"),
    at(Phase::Erase, "erase.compacted"),
    at(Phase::Erase, "erase.backed_up"),
    at(Phase::Erase, "erase.replaced"),
    at(Phase::Erase, "erase.done"),
    at(Phase::Copy, "copy.key"),
    at(Phase::Copy, "copy.begun"),
    at(Phase::Copy, "copy.middle"),
    at(Phase::Copy, "copy.page"),
    at(Phase::Copy, "copy.table"),
    at(Phase::Copy, "copy.verified"),
    at(Phase::Copy, "copy.finished"),
];

/// Passes one of [`POINTS`].
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Begins to handle a message of this key.
#[inline]
pub fn handling(key: &str) {
    #[cfg(debug_assertions)]
    armed::handle(key);
    #[cfg(not(debug_assertions))]
    let _ = key;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    struct Armed {
        name: String,
        /// Passings left before the last.
        left: AtomicU64,
    }

    /// Of the process, as its death is.
    static POINT: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("MEAL_PLANNER_CRASH_AT").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some(Armed { name: name.to_owned(), left: AtomicU64::new(nth.parse().unwrap_or(1)) })
    });
    static CRASH_KEY: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("MEAL_PLANNER_CRASH_ON_KEY").ok());
    static PANIC_KEY: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("MEAL_PLANNER_PANIC_ON_KEY").ok());

    pub(super) fn pass(name: &str) {
        if let Some(armed) = POINT.as_ref().filter(|armed| armed.name == name)
            && armed.left.fetch_sub(1, Relaxed) == 1
        {
            die(name);
        }
    }

    pub(super) fn handle(key: &str) {
        if CRASH_KEY.as_deref() == Some(key) {
            die(key);
        }
        assert!(PANIC_KEY.as_deref() != Some(key), "told to panic over {key}");
    }

    fn die(at: &str) -> ! {
        eprintln!("told to die at {at}");
        std::process::abort()
    }
}
