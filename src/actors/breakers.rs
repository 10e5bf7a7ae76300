//! How the breakers stand, in memory: whoever wants to call asks here and waits here, without reading anything.

use crate::domain::breakers::{Breaker, Circuit};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::watch;

/// See the module. Kept up to date by its follower alone.
pub struct Board {
    lines: RwLock<BTreeMap<String, Arc<Line>>>,
    /// Up to which position.
    followed: watch::Sender<i64>,
}

impl Default for Board {
    fn default() -> Self {
        Self { lines: RwLock::default(), followed: watch::Sender::new(0) }
    }
}

struct Line {
    standing: Mutex<Standing>,
    /// Told whenever somebody who was held back may try again.
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Standing {
    breaker: Breaker,
    /// Probes of this turn without a verdict.
    probing: u32,
    /// Probes of this turn whose verdict the breaker has not taken yet.
    judged: u32,
    /// Failures of this turn that are on their way to the breaker.
    failing: u32,
}

impl Default for Line {
    fn default() -> Self {
        Self { standing: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

/// Why a call may not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    pub state: &'static str,
    pub since: Option<DateTime<Utc>>,
}

/// The right to make one call. A probe that is dropped without a verdict makes room for another, and a failure that
/// never got to the breaker does not count.
pub(super) struct Pass {
    line: Arc<Line>,
    turn: u64,
    probe: bool,
    failed: bool,
}

impl Board {
    fn line(&self, service: &str) -> Arc<Line> {
        let known = self.lines.read().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
        known.unwrap_or_else(|| {
            let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
            lines.entry(service.to_owned()).or_default().clone()
        })
    }

    /// Every breaker that has ever had an event or was asked.
    pub fn all(&self) -> Vec<(String, Breaker)> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|(service, line)| (service.clone(), line.lock().breaker.clone())).collect()
    }

    pub fn breaker(&self, service: &str) -> Breaker {
        self.line(service).lock().breaker.clone()
    }

    /// Waits until it shows what was committed up to a position.
    pub async fn caught_up(&self, position: i64) {
        // The sender lives here, so waiting cannot fail.
        let _ = self.followed.subscribe().wait_for(|followed| *followed >= position).await;
    }

    pub(super) fn followed(&self, position: i64) {
        self.followed.send_replace(position);
    }

    /// What its aggregate has become.
    pub(super) fn set(&self, service: &str, breaker: Breaker) {
        let line = self.line(service);
        {
            let mut standing = line.lock();
            let same_turn = standing.breaker.turn == breaker.turn;
            match (standing.breaker.circuit, breaker.circuit) {
                (Circuit::HalfOpen { successes: before }, Circuit::HalfOpen { successes }) if same_turn => {
                    let taken = successes.saturating_sub(before);
                    standing.judged = standing.judged.saturating_sub(taken);
                }
                (Circuit::Closed { failures: before }, Circuit::Closed { failures }) if same_turn => {
                    let taken = failures.saturating_sub(before);
                    standing.failing = standing.failing.saturating_sub(taken);
                }
                _ => (standing.probing, standing.judged, standing.failing) = (0, 0, 0),
            }
            standing.breaker = breaker;
        }
        line.changed.send_replace(());
    }

    /// Subscribed to before asking for admission, nothing is missed.
    pub(super) fn changes(&self, service: &str) -> watch::Receiver<()> {
        self.line(service).changed.subscribe()
    }

    /// What is in the way of a call, without making one.
    pub(super) fn blocked(&self, service: &str) -> Option<Blocked> {
        self.line(service).lock().blocked()
    }

    /// # Errors
    /// What is in the way.
    pub(super) fn admit(&self, service: &str) -> Result<Pass, Blocked> {
        let line = self.line(service);
        let mut standing = line.lock();
        if let Some(blocked) = standing.blocked() {
            return Err(blocked);
        }
        let probe = matches!(standing.breaker.circuit, Circuit::HalfOpen { .. });
        standing.probing += u32::from(probe);
        let turn = standing.breaker.turn;
        drop(standing);
        Ok(Pass { line, turn, probe, failed: false })
    }
}

impl Standing {
    fn blocked(&self) -> Option<Blocked> {
        let Breaker { circuit, since, settings, .. } = &self.breaker;
        match circuit {
            Circuit::ForcedClosed => None,
            // What is on its way will open it.
            Circuit::Closed { failures } if failures + self.failing >= settings.failures_to_open => {
                Some(Blocked { state: "failing", since: None })
            }
            Circuit::Closed { .. } => None,
            Circuit::HalfOpen { .. } if self.probing + self.judged < settings.probes => None,
            Circuit::Open { .. } | Circuit::HalfOpen { .. } | Circuit::ForcedOpen => {
                Some(Blocked { state: circuit.name(), since: *since })
            }
        }
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The turn to record a success in; `None` where it would change nothing.
    pub(super) fn success(&self) -> Option<u64> {
        let standing = self.line.lock();
        let counts = match standing.breaker.circuit {
            Circuit::HalfOpen { .. } => true,
            Circuit::Closed { failures } => failures > 0 || standing.failing > 0,
            Circuit::Open { .. } | Circuit::ForcedOpen | Circuit::ForcedClosed => false,
        };
        (counts && standing.breaker.turn == self.turn).then_some(self.turn)
    }

    /// The turn to record a failure in; `None` where it would change nothing.
    pub(super) fn failure(&mut self) -> Option<u64> {
        let mut standing = self.line.lock();
        let counts = match standing.breaker.circuit {
            Circuit::HalfOpen { .. } | Circuit::Closed { .. } => true,
            Circuit::Open { .. } | Circuit::ForcedOpen | Circuit::ForcedClosed => false,
        };
        let counts = counts && standing.breaker.turn == self.turn;
        if counts && !std::mem::replace(&mut self.failed, true) {
            standing.failing += 1;
        }
        counts.then_some(self.turn)
    }

    /// Its verdict is on its way to the breaker, and durable.
    pub(super) fn judged(mut self) {
        let mut standing = self.line.lock();
        self.failed = false;
        if std::mem::take(&mut self.probe) && standing.breaker.turn == self.turn {
            standing.probing = standing.probing.saturating_sub(1);
            standing.judged += 1;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.probe && !self.failed {
            return;
        }
        {
            let mut standing = self.line.lock();
            if standing.breaker.turn != self.turn {
                return;
            }
            standing.probing = standing.probing.saturating_sub(u32::from(self.probe));
            standing.failing = standing.failing.saturating_sub(u32::from(self.failed));
        }
        self.line.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::breakers::Settings;

    fn breaker(circuit: Circuit, turn: u64) -> Breaker {
        let settings = Settings { probes: 2, successes_to_close: 3, ..Settings::default() };
        Breaker { circuit, turn, settings, ..Breaker::default() }
    }

    fn pass(board: &Board) -> Option<Pass> {
        board.admit("x").ok()
    }

    fn half_open(successes: u32) -> Breaker {
        breaker(Circuit::HalfOpen { successes }, 2)
    }

    #[test]
    fn probes_are_bounded_until_their_verdict_is_taken() {
        let board = Board::default();
        board.set("x", half_open(0));
        let (first, second) = (pass(&board).unwrap(), pass(&board).unwrap());
        assert!(pass(&board).is_none());
        assert_eq!(first.success(), Some(2));
        first.judged();
        assert!(pass(&board).is_none(), "the verdict is not taken yet");
        board.set("x", half_open(1));
        let third = pass(&board).unwrap();
        assert!(pass(&board).is_none(), "the second is still under way");
        drop((second, third));
    }

    #[test]
    fn a_probe_without_a_verdict_makes_room_and_tells() {
        let board = Board::default();
        board.set("x", half_open(0));
        let (first, _second) = (pass(&board).unwrap(), pass(&board).unwrap());
        let changes = board.changes("x");
        drop(first);
        assert!(changes.has_changed().unwrap());
        assert!(pass(&board).is_some());
    }

    #[test]
    fn a_probe_of_an_older_turn_gives_nothing_back() {
        let board = Board::default();
        board.set("x", half_open(0));
        let old = pass(&board).unwrap();
        board.set("x", breaker(Circuit::HalfOpen { successes: 0 }, 4));
        let _both = (pass(&board).unwrap(), pass(&board).unwrap());
        drop(old);
        assert!(pass(&board).is_none());
    }

    #[test]
    fn a_success_is_worth_recording_only_after_a_failure() {
        let board = Board::default();
        let mut healthy = pass(&board).unwrap();
        assert_eq!(healthy.success(), None);
        let mut failed = pass(&board).unwrap();
        assert_eq!(failed.failure(), Some(0));
        assert_eq!(healthy.success(), Some(0), "the failure is on its way");
        board.set("x", breaker(Circuit::Closed { failures: 1 }, 0));
        assert_eq!(healthy.success(), Some(0));
        board.set("x", breaker(Circuit::Closed { failures: 0 }, 0));
        assert_eq!(healthy.success(), None);
        board.set("x", breaker(Circuit::ForcedClosed, 1));
        assert_eq!((healthy.success(), healthy.failure()), (None, None));
    }

    #[test]
    fn failures_on_their_way_that_will_open_it_let_nobody_through() {
        let board = Board::default();
        let settings = Settings { failures_to_open: 2, ..Settings::default() };
        board.set("x", Breaker { settings, ..Breaker::default() });
        let (mut first, mut second) = (pass(&board).unwrap(), pass(&board).unwrap());
        assert_eq!((first.failure(), second.failure()), (Some(0), Some(0)));
        assert!(pass(&board).is_none());
        first.judged();
        let changes = board.changes("x");
        drop(second);
        assert!(changes.has_changed().unwrap(), "it was lost");
        assert!(pass(&board).is_some());
        board.set("x", Breaker { circuit: Circuit::Closed { failures: 1 }, settings, ..Breaker::default() });
        let mut third = pass(&board).unwrap();
        assert_eq!(third.failure(), Some(0));
        assert!(pass(&board).is_none());
    }

    #[test]
    fn open_and_forced_open_let_nobody_through() {
        let board = Board::default();
        let until = DateTime::from_timestamp(0, 0).unwrap();
        for circuit in [Circuit::Open { until }, Circuit::ForcedOpen] {
            board.set("x", breaker(circuit, 1));
            assert!(pass(&board).is_none());
        }
        board.set("x", breaker(Circuit::ForcedClosed, 2));
        assert!(pass(&board).is_some());
    }
}
