//! The one writer: takes all that is ready, commits it as one group, then tells everybody.

mod queue;
mod telling;

pub(super) use queue::Unwritten;
pub use queue::{JournalHandle, Origin};

use super::hub::{Done, Hub};
use super::status::ActorStatus;
use crate::domain::envelope::Envelope;
use crate::fault;
use crate::store::{Change, Checkpoint, Placed, StoreError, Unit};
use queue::{Job, Submission};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use telling::{changes, deliver, recount, reveal};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The actor behind [`JournalHandle`].
pub(super) struct Journal;

#[derive(Debug)]
pub(super) enum Msg {
    Wake,
    /// A commit has failed, and may be on the disk all the same.
    LookBehind,
    /// Nobody may have written since an outage began.
    Probe,
}

pub(super) struct JournalState {
    handle: JournalHandle,
    hub: Weak<Hub>,
    status: Arc<ActorStatus>,
    generations: HashMap<Arc<str>, u64>,
    /// Incarnations of which a unit was refused: what they submitted after it rests on what never was.
    broken: HashMap<Arc<str>, u64>,
    doubt: Doubt,
    /// Whether a probe is under way.
    probing: bool,
}

/// Whether there may be something on the disk that nobody was told of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    Some,
    /// It will be looked after.
    Noted,
}

impl Actor for Journal {
    type Msg = Msg;
    type State = JournalState;
    type Arguments = (JournalHandle, Weak<Hub>, Arc<ActorStatus>);

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        (handle, hub, status): Self::Arguments,
    ) -> Result<JournalState, ActorProcessingErr> {
        if let Some(hub) = hub.upgrade() {
            // Ends when the commit under way has, one way or the other; an outage shows again at the next commit.
            drop(hub.store.commit(Arc::default()).await);
        }
        handle.open();
        let bell = myself.clone();
        handle.bell().attach(move || drop(bell.cast(Msg::Wake)));
        let (generations, broken) = (HashMap::new(), HashMap::new());
        let mut state =
            JournalState { handle, hub, status, generations, broken, doubt: Doubt::Some, probing: false };
        state.look_behind(&myself).await;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        state: &mut JournalState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Wake => {}
            Msg::LookBehind => {
                state.look_behind(&myself).await;
                return Ok(());
            }
            Msg::Probe => {
                state.probe().await;
                state.probe_later(&myself);
                return Ok(());
            }
        }
        state.handle.bell().answer();
        let jobs = state.handle.take();
        if jobs.is_empty() {
            return Ok(());
        }
        // One group a turn, so that a request to stop is seen between groups.
        drop(myself.cast(Msg::Wake));
        state.process(jobs).await;
        if state.doubt == Doubt::Some {
            state.doubt = Doubt::Noted;
            myself.send_after(FIRST_PAUSE, || Msg::LookBehind);
        }
        state.probe_later(&myself);
        Ok(())
    }

    /// What was handed over before the end is still written.
    async fn post_stop(&self, _: ActorRef<Msg>, state: &mut JournalState) -> Result<(), ActorProcessingErr> {
        loop {
            let jobs = state.handle.take();
            if jobs.is_empty() {
                return Ok(());
            }
            state.process(jobs).await;
        }
    }
}

impl JournalState {
    /// After a commit that failed, or a journal that died: what got to the disk all the same must not wait for the
    /// next commit to be noticed.
    async fn look_behind(&mut self, myself: &ActorRef<Msg>) {
        let Some(hub) = self.hub.upgrade() else { return };
        self.doubt = Doubt::None;
        match reveal(&hub).await {
            Ok(()) => {}
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::debug!(%error, "the database cannot be asked what was committed; asking again");
                self.doubt = Doubt::Noted;
                myself.send_after(LONGEST_PAUSE, || Msg::LookBehind);
            }
            Err(error) => tracing::warn!(%error, "what was committed cannot be found out"),
        }
    }

    async fn process(&mut self, jobs: Vec<Job>) {
        let mut group = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Fence { path, generation, reply } => {
                    self.generations.insert(path, generation);
                    let _ = reply.send(());
                }
                Job::Commit(submission) if self.is_stale(&submission.origin) => {
                    let reason = "a newer incarnation of the actor has taken over".to_owned();
                    (submission.reply)(Err(StoreError::Refused(reason).into()));
                }
                Job::Commit(submission) => group.push(submission),
            }
        }
        if !group.is_empty() {
            self.commit_group(group).await;
        }
    }

    fn is_stale(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Edge => false,
            Origin::Actor { path, generation } => {
                self.generations.get(path).is_some_and(|current| generation < current)
                    || self.broken.get(path) == Some(generation)
            }
        }
    }

    async fn commit_group(&mut self, group: Vec<Submission>) {
        let mut counts = Vec::with_capacity(group.len());
        let mut origins = Vec::with_capacity(group.len());
        let mut units = Vec::with_capacity(group.len());
        for submission in group {
            counts.push(submission.units.len());
            units.extend(submission.units);
            origins.push((submission.origin, submission.reply));
        }
        match self.try_commit(units).await {
            (units, Ok(placed)) => {
                self.succeeded(&placed, units).await;
                let mut placed = placed.as_slice();
                for ((_, reply), count) in origins.into_iter().zip(counts) {
                    let (mine, rest) = placed.split_at(count.min(placed.len()));
                    reply(Ok(mine.to_vec()));
                    placed = rest;
                }
            }
            (units, Err(error)) => {
                let mut units = units.into_iter();
                let group = origins.into_iter().zip(counts).map(|((origin, reply), count)| Submission {
                    origin,
                    reply,
                    units: units.by_ref().take(count).collect(),
                });
                self.commit_apart(group.collect(), &error).await;
            }
        }
    }

    /// After a group failed: each submission for itself, so that only the one at fault is refused.
    async fn commit_apart(&mut self, group: Vec<Submission>, error: &StoreError) {
        tracing::warn!(error = %error, submissions = group.len(), "a group commit failed; committing apart");
        let outage = matches!(error, StoreError::Unavailable(_));
        let is_edge = |submission: &Submission| matches!(submission.origin, Origin::Edge);
        let (refused, kept): (Vec<_>, Vec<_>) = group.into_iter().partition(|s| outage && is_edge(s));
        for submission in refused {
            (submission.reply)(Err(error.clone().into()));
        }
        for submission in kept {
            let Submission { origin, units, reply } = submission;
            if self.is_stale(&origin) {
                let reason = "something that this rests on was refused".to_owned();
                reply(Err(StoreError::Refused(reason).into()));
                continue;
            }
            let result = self.commit_one_by_one(&origin, units).await;
            // Only those that have incarnations: others hand in units that do not rest on each other.
            if let (Err(_), Origin::Actor { path, generation }) = (&result, origin)
                && self.generations.get(&path) == Some(&generation)
            {
                self.broken.insert(path, generation);
            }
            reply(result);
        }
    }

    /// Units in order until the first that is refused: what follows it may rest on it.
    async fn commit_one_by_one(
        &mut self,
        origin: &Origin,
        units: Vec<Unit>,
    ) -> Result<Vec<Placed>, Unwritten> {
        let mut all = Vec::with_capacity(units.len());
        for unit in units {
            let mut pending = vec![unit];
            let mut pause = FIRST_PAUSE;
            loop {
                let (units, result) = self.try_commit(pending).await;
                match (result, origin) {
                    (Ok(placed), _) => {
                        self.succeeded(&placed, units).await;
                        all.extend(placed);
                        break;
                    }
                    (Err(error @ StoreError::Unavailable(_)), Origin::Actor { .. }) => {
                        pending = units;
                        self.handle.refuse_edges(&error);
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                    (Err(error), _) => {
                        let handled = units.first().and_then(|unit| unit.handled.as_ref());
                        return Err(Unwritten { error, position: handled.map_or(0, |done| done.position) });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The end of an outage is to be seen though nobody writes.
    fn probe_later(&mut self, myself: &ActorRef<Msg>) {
        if self.handle.is_out() && !self.probing {
            self.probing = true;
            myself.send_after(LONGEST_PAUSE, || Msg::Probe);
        }
    }

    /// Writes something of no consequence.
    async fn probe(&mut self) {
        self.probing = false;
        let Some(position) = self.hub.upgrade().map(|hub| *hub.committed.borrow()) else { return };
        if self.handle.is_out() {
            let checkpoint = Some(Checkpoint { reader: "journal".to_owned(), position });
            drop(self.try_commit(vec![Unit { checkpoint, ..Unit::default() }]).await);
        }
    }

    /// Gives the units back whatever happened.
    async fn try_commit(&mut self, units: Vec<Unit>) -> (Vec<Unit>, Result<Vec<Placed>, StoreError>) {
        let Some(hub) = self.hub.upgrade() else {
            return (units, Err(StoreError::Unavailable("the runtime is gone".to_owned())));
        };
        let units = Arc::new(units);
        fault::point("commit.before");
        let result = hub.store.commit(units.clone()).await;
        fault::point("commit.after");
        self.handle.note(result.as_ref().err());
        if matches!(result, Err(StoreError::Unavailable(_))) && self.doubt == Doubt::None {
            self.doubt = Doubt::Some;
        }
        if let Err(error) = &result {
            self.status.failed.fetch_add(1, Ordering::Relaxed);
            self.status.set_error(error.to_string());
        }
        (Arc::try_unwrap(units).unwrap_or_else(|shared| (*shared).clone()), result)
    }

    /// Tells lanes, readers and waiters, in that order.
    async fn succeeded(&self, placed: &[Placed], units: Vec<Unit>) {
        self.status.handled.fetch_add(units.len() as u64, Ordering::Relaxed);
        let Some(hub) = self.hub.upgrade() else { return };
        let sets_timer = changes(&units, |change| matches!(change, Change::SetTimer(_)));
        let settles = changes(&units, |change| matches!(change, Change::SettleDeadLetter { .. }));
        let snapshots = units.iter().any(|unit| unit.snapshot.is_some());
        let decides = changes(&units, |change| matches!(change, Change::DecideEffect { .. }));
        let mut messages: Vec<Arc<Envelope>> = Vec::with_capacity(units.len());
        let mut done = Vec::new();
        for (unit, place) in units.into_iter().zip(placed) {
            let next = place.first + unit.messages.len() as i64;
            messages.extend(unit.messages.into_iter().zip(place.first..).map(|(mut message, position)| {
                message.position = position;
                Arc::new(message)
            }));
            if let Some(handled) = unit.handled {
                if let Some(lane) = hub.lanes.get(&*handled.context) {
                    lane.status.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                done.push((handled.id, Done { outcome: handled.outcome, position: next - 1 }));
            }
        }
        // Positions that were never told: a commit whose answer was lost. Lanes and readers look for themselves.
        let gap = messages.first().is_some_and(|first| first.position > *hub.committed.borrow() + 1);
        if gap {
            hub.lanes.values().for_each(|lane| lane.leave_to_table());
        }
        fault::point("deliver.before");
        if snapshots {
            fault::point("snapshot.written");
        }
        if messages.iter().any(|message| message.extra.reply_to.is_some()) {
            fault::point("saga.told");
        }
        deliver(&hub, &messages);
        hub.publish(&messages);
        hub.resolve(done.into_iter());
        if sets_timer {
            fault::point("timer.set");
        }
        if sets_timer || gap {
            hub.timers.ring();
        }
        if settles || gap {
            hub.lanes.values().for_each(|lane| lane.recheck_held());
        }
        if decides || gap {
            hub.gateways.decided.send_replace(());
        }
        fault::point("deliver.after");
        if gap {
            recount(&hub).await;
            hub.lanes.values().for_each(|lane| lane.bell.ring());
        }
    }
}
