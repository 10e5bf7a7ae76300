//! Calls to the outside that this process is about to make or has made, by effect, until their end is on the ledger.
//! They outlive the actor that wanted them.

use crate::clients::gateway::CallError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use uuid::Uuid;

pub(super) type Ended = Result<String, CallError>;

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Shared>);

#[derive(Default)]
struct Shared {
    known: Mutex<HashMap<Uuid, Arc<Underway>>>,
    /// How many of them are made or may yet be.
    count: watch::Sender<usize>,
}

/// One call of this process.
pub(super) struct Underway {
    pub attempt: u32,
    state: watch::Sender<State>,
    /// Given back when it has ended, or when nobody waits for it any more.
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

#[derive(Clone)]
enum State {
    /// The ledger is about to say that it was sent.
    Reserved,
    /// It was not made after all, whatever the ledger says.
    Withdrawn,
    Waiting,
    Ended(Ended),
    /// Its time was up, and that is what counts.
    GivenUp,
}

/// A place among the calls under way; withdrawn when it is dropped before the call is begun.
pub(super) struct Reservation {
    calls: Calls,
    call: Arc<Underway>,
    begun: bool,
}

impl Calls {
    /// To be had before the ledger says that the call was sent: whoever finds it sent and not here may take it for the
    /// call of a process that is gone.
    ///
    /// # Errors
    /// The place is taken by a call of this attempt or a later one.
    pub(super) fn reserve(&self, effect: Uuid, attempt: u32) -> Result<Reservation, Arc<Underway>> {
        let mut known = self.known();
        let is_ahead = |other: &&Arc<Underway>| other.attempt >= attempt && !other.is_withdrawn();
        if let Some(other) = known.get(&effect).filter(is_ahead) {
            return Err(other.clone());
        }
        let state = watch::Sender::new(State::Reserved);
        let call = Arc::new(Underway { attempt, state, permit: Mutex::default() });
        known.insert(effect, call.clone());
        self.recount(&known);
        Ok(Reservation { calls: self.clone(), call, begun: false })
    }

    pub(super) fn find(&self, effect: Uuid) -> Option<Arc<Underway>> {
        self.known().get(&effect).cloned()
    }

    /// The end of this call is on the ledger, or somebody else sees to it.
    pub(super) fn forget(&self, effect: Uuid, attempt: u32) {
        let mut known = self.known();
        if known.get(&effect).is_some_and(|call| call.attempt == attempt) {
            known.remove(&effect);
        }
        self.recount(&known);
    }

    /// Returns when there are none.
    pub(super) async fn none_left(&self) {
        let mut count = self.0.count.subscribe();
        // The sender is part of this.
        let _ = count.wait_for(|count| *count == 0).await;
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Underway>>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recount(&self, known: &HashMap<Uuid, Arc<Underway>>) {
        self.0.count.send_replace(known.values().filter(|call| !call.is_withdrawn()).count());
    }
}

impl Reservation {
    /// The ledger says that it was sent: it is being made from now on.
    pub(super) fn begin(mut self, permit: OwnedSemaphorePermit) -> Arc<Underway> {
        self.begun = true;
        *self.call.permit() = Some(permit);
        self.call.state.send_replace(State::Waiting);
        self.call.clone()
    }
}

impl Drop for Reservation {
    /// It stays known as one that was not made: its mark may be on the ledger all the same, when nobody could say
    /// whether that was committed.
    fn drop(&mut self) {
        if !self.begun {
            let known = self.calls.known();
            self.call.state.send_replace(State::Withdrawn);
            self.calls.recount(&known);
        }
    }
}

impl Underway {
    fn is_withdrawn(&self) -> bool {
        matches!(*self.state.borrow(), State::Withdrawn)
    }

    /// Whether it was made, as soon as that can be said.
    pub(super) async fn is_made(&self) -> bool {
        let mut state = self.state.subscribe();
        let decided = state.wait_for(|state| !matches!(state, State::Reserved)).await;
        decided.is_ok_and(|state| !matches!(*state, State::Withdrawn))
    }

    /// Gives the end back when it came too late.
    pub(super) fn end(&self, ended: Ended) -> Option<Ended> {
        self.leave();
        let mut late = None;
        self.state.send_if_modified(|state| match state {
            State::GivenUp => {
                late = Some(ended);
                false
            }
            State::Reserved | State::Withdrawn | State::Waiting | State::Ended(_) => {
                *state = State::Ended(ended);
                true
            }
        });
        late
    }

    /// How it has ended; not at all within the time is an end as well, for whoever waits for it.
    pub(super) async fn wait(&self, timeout: Duration) -> Ended {
        let mut state = self.state.subscribe();
        let over = state.wait_for(|state| matches!(state, State::Ended(_) | State::GivenUp));
        // Whether it came in time is seen in the state.
        drop(tokio::time::timeout(timeout, over).await);
        let mut end =
            Err(CallError::unknown(format!("there was no answer within {} ms", timeout.as_millis())));
        self.state.send_if_modified(|state| {
            if let State::Ended(ended) = state {
                end = ended.clone();
                return false;
            }
            *state = State::GivenUp;
            true
        });
        self.leave();
        end
    }

    fn leave(&self) {
        self.permit().take();
    }

    fn permit(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    const EFFECT: Uuid = Uuid::nil();
    const NO_TIME: Duration = Duration::ZERO;

    async fn permit() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap()
    }

    fn none_left(calls: &Calls) -> bool {
        calls.none_left().now_or_never().is_some()
    }

    #[tokio::test]
    async fn a_call_that_is_about_to_be_made_is_known_and_waited_for() {
        let calls = Calls::default();
        let place = calls.reserve(EFFECT, 1).ok().expect("a place");
        let known = calls.find(EFFECT).expect("it is known");
        assert!(!none_left(&calls));
        let mut is_made = Box::pin(known.is_made());
        assert!(is_made.as_mut().now_or_never().is_none());
        let call = place.begin(permit().await);
        assert!(is_made.await);
        assert!(call.end(Ok("yes".into())).is_none());
        assert_eq!(known.wait(NO_TIME).await.unwrap(), "yes");
        calls.forget(EFFECT, 2);
        assert!(!none_left(&calls));
        calls.forget(EFFECT, 1);
        assert!(none_left(&calls));
    }

    #[tokio::test]
    async fn two_incarnations_do_not_make_the_same_attempt() {
        let calls = Calls::default();
        let first = calls.reserve(EFFECT, 1).ok().expect("a place");
        let other = calls.reserve(EFFECT, 1).err().expect("it is taken");
        drop(first);
        assert!(!other.is_made().await, "it says that it was not made");
        assert!(none_left(&calls));
        // Its mark may be on the ledger, so it stays known; the place is free.
        assert!(calls.find(EFFECT).is_some());
        let second = calls.reserve(EFFECT, 1).ok().expect("a place").begin(permit().await);
        // A stale attempt does not take the place of a newer one, the next takes that of one before.
        assert!(calls.reserve(EFFECT, 1).is_err());
        drop(second.wait(NO_TIME).await);
        let third = calls.reserve(EFFECT, 2).ok().expect("a place");
        assert!(calls.reserve(EFFECT, 1).is_err());
        drop(third);
    }

    #[tokio::test]
    async fn what_one_has_given_up_the_others_do_not_wait_for() {
        let calls = Calls::default();
        let call = calls.reserve(EFFECT, 1).ok().expect("a place").begin(permit().await);
        let mut waiting = Box::pin(call.wait(Duration::from_secs(3600)));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(call.wait(NO_TIME).await.is_err());
        assert!(waiting.await.is_err());
        assert_eq!(call.end(Ok("late".into())), Some(Ok("late".into())));
    }
}
