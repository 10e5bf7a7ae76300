//! The one writer: takes all that is ready, commits it as one group, then tells everybody.

mod queue;
mod telling;

pub(super) use queue::{DIED, Unwritten};
pub use queue::{JournalHandle, Origin};

use super::hub::Hub;
use super::status::ActorStatus;
use crate::fault;
use crate::store::{Checkpoint, Placed, StoreError, Unit};
use futures_util::future;
use queue::{Job, Reply, Submission};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use telling::{reveal, tell};

/// Of small groups the sync costs most: what they lead to had better share one. To tell of a large group takes long:
/// the disk had better be at work meanwhile.
const LARGE: usize = 128;
const TURNS: usize = 4;
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
    /// The last group, while nobody was told: that is done while the next one is being written.
    untold: Option<Committed>,
}

/// A group that is on the disk.
struct Committed {
    units: Vec<Unit>,
    placed: Vec<Placed>,
    /// Who submitted how many of the units.
    replies: Vec<(Reply, usize)>,
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
        let (doubt, probing, untold) = (Doubt::Some, false, None);
        let mut state = JournalState { handle, hub, status, generations, broken, doubt, probing, untold };
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
                state.tell().await;
                state.look_behind(&myself).await;
                return Ok(());
            }
            Msg::Probe => {
                state.tell().await;
                state.probe().await;
                state.probe_later(&myself);
                return Ok(());
            }
        }
        state.handle.bell().answer();
        let jobs = state.handle.take();
        if jobs.is_empty() {
            state.tell().await;
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
                state.tell().await;
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
                    self.tell().await;
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
                let replies = origins.into_iter().map(|(_, reply)| reply).zip(counts).collect();
                let committed = Committed { units, placed, replies };
                let is_large = committed.units.len() >= LARGE;
                // After a gap what waits is counted anew, and nothing may be written meanwhile.
                let at_once = !is_large || self.handle.is_empty() || self.is_after_a_gap(&committed);
                self.untold = Some(committed);
                if at_once {
                    self.tell().await;
                }
                if !is_large {
                    Self::let_it_gather().await;
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

    /// Those who were told get their turn to hand over what follows, so that it goes into one group. Takes no time
    /// where nobody else has anything to do.
    async fn let_it_gather() {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    fn is_after_a_gap(&self, committed: &Committed) -> bool {
        self.hub.upgrade().is_some_and(|hub| committed.is_after_a_gap(&hub))
    }

    /// Tells everybody of the last group, unless that was done.
    async fn tell(&mut self) {
        let Some(committed) = self.untold.take() else { return };
        match self.hub.upgrade() {
            Some(hub) => tell(&hub, &self.status, committed).await,
            None => committed.answer(),
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
                        all.extend_from_slice(&placed);
                        self.untold = Some(Committed { units, placed, replies: Vec::new() });
                        self.tell().await;
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
        let before = self.untold.take();
        fault::point("commit.before");
        let (result, ()) = future::join(hub.store.commit(units.clone()), async {
            if let Some(before) = before {
                tell(&hub, &self.status, before).await;
            }
        })
        .await;
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
}
