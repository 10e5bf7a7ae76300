//! The stable address of the journal: what is handed over waits here, whichever incarnation takes it.

use crate::actors::doorbell::Doorbell;
use crate::store::{Change, Placed, StoreError, Unit};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Why a journal that has ended takes nothing.
pub(in crate::actors) const DIED: &str = "the journal has died";
/// Units in one transaction at most.
const GROUP: usize = 4096;

/// Who submits, which decides what happens when it cannot be written.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A new message: refused during an outage, before anybody was told that it is accepted.
    Edge,
    /// Work of an actor: kept through an outage; refused when a newer incarnation has taken over.
    Actor { path: Arc<str>, generation: u64 },
}

/// Why a submission was not written wholly.
#[derive(Clone, Debug)]
pub struct Unwritten {
    pub error: StoreError,
    /// Position of the message whose unit is at fault; 0 when no message is.
    pub position: i64,
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        Self { error, position: 0 }
    }
}

pub(super) type Reply = Box<dyn FnOnce(Result<Vec<Placed>, Unwritten>) + Send>;

pub(super) struct Submission {
    pub origin: Origin,
    pub units: Vec<Unit>,
    pub reply: Reply,
}

pub(super) enum Job {
    Commit(Submission),
    /// From here on only this generation of the actor may write.
    Fence {
        path: Arc<str>,
        generation: u64,
        reply: oneshot::Sender<()>,
    },
}

impl Job {
    fn is_burnt_attempt(&self) -> bool {
        let burns = |unit: &Unit| unit.changes.iter().any(|change| matches!(change, Change::Burn(_)));
        matches!(self, Self::Commit(submission) if submission.units.iter().any(burns))
    }

    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit(submission) => (submission.reply)(Err(error.into())),
            Self::Fence { .. } => {}
        }
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Set while nobody takes jobs, with the reason.
    closed: Option<&'static str>,
    /// Counts those who have taken jobs.
    incarnation: u64,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    bell: Doorbell,
    outage: AtomicBool,
    fenced: AtomicBool,
}

/// The stable address of the journal.
#[derive(Clone, Default)]
pub struct JournalHandle(Arc<Shared>);

impl JournalHandle {
    /// Hands units over; the reply comes when they are durable, or refused.
    pub fn submit(
        &self,
        origin: Origin,
        units: Vec<Unit>,
        reply: impl FnOnce(Result<Vec<Placed>, Unwritten>) + Send + 'static,
    ) {
        self.push(Job::Commit(Submission { origin, units, reply: Box::new(reply) }));
    }

    /// [`JournalHandle::submit`] that waits for the reply.
    ///
    /// # Errors
    /// What the store said, or that the journal died over it.
    pub async fn commit(&self, origin: Origin, units: Vec<Unit>) -> Result<Vec<Placed>, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.submit(origin, units, move |result| drop(sender.send(result)));
        match receiver.await {
            Ok(result) => result.map_err(|unwritten| unwritten.error),
            Err(_) => Err(StoreError::Unavailable(DIED.to_owned())),
        }
    }

    /// Returns when everything older generations of `path` submitted is settled and no more can come.
    pub async fn fence(&self, path: Arc<str>, generation: u64) {
        let (reply, receiver) = oneshot::channel();
        self.push(Job::Fence { path, generation, reply });
        // A dying journal takes its queue's senders along; the tree restarts after it anyway.
        let _ = receiver.await;
    }

    /// Whether the database could not be written the last time it was tried.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.0.outage.load(Ordering::Relaxed)
    }

    /// Whether another process has taken the store over.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.0.fenced.load(Ordering::Relaxed)
    }

    /// Refuses what is queued and whatever comes until a journal starts again, so that nobody waits for an answer
    /// that cannot come and holds up the stop of its tree. Burnt attempts are kept: they must not be forgotten.
    pub(in crate::actors) fn close(&self, reason: &'static str) {
        Self::close_queue(self.queue(), reason);
    }

    /// [`Self::close`] when this incarnation has ended, unless the next one has begun or a reason is given already.
    pub(in crate::actors) fn close_after(&self, incarnation: u64) {
        let queue = self.queue();
        if queue.incarnation == incarnation && queue.closed.is_none() {
            Self::close_queue(queue, DIED);
        }
    }

    fn close_queue(mut queue: MutexGuard<'_, Queue>, reason: &'static str) {
        queue.closed = Some(reason);
        let (kept, refused): (VecDeque<_>, VecDeque<_>) =
            queue.jobs.drain(..).partition(Job::is_burnt_attempt);
        queue.jobs = kept;
        drop(queue);
        for job in refused {
            job.refuse(StoreError::Unavailable(reason.to_owned()));
        }
    }

    pub(super) fn open(&self) {
        let mut queue = self.queue();
        queue.closed = None;
        queue.incarnation += 1;
    }

    pub(in crate::actors) fn incarnation(&self) -> u64 {
        self.queue().incarnation
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) {
        let mut queue = self.queue();
        if let Some(reason) = queue.closed
            && !job.is_burnt_attempt()
        {
            drop(queue);
            return job.refuse(StoreError::Unavailable(reason.to_owned()));
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.0.bell.ring();
    }

    /// Remembers how the last commit went.
    pub(super) fn note(&self, result: Option<&StoreError>) {
        let out = matches!(result, Some(StoreError::Unavailable(_)));
        self.0.outage.store(out, Ordering::Relaxed);
        self.0.fenced.fetch_or(matches!(result, Some(StoreError::Fenced { .. })), Ordering::Relaxed);
    }

    /// Answers the new messages that have queued up during an outage.
    pub(super) fn refuse_edges(&self, error: &StoreError) {
        let mut queue = self.queue();
        let is_edge = |job: &Job| matches!(job, Job::Commit(Submission { origin: Origin::Edge, .. }));
        let (edges, kept): (Vec<_>, Vec<_>) = queue.jobs.drain(..).partition(is_edge);
        queue.jobs.extend(kept);
        drop(queue);
        for job in edges {
            job.refuse(error.clone());
        }
    }

    pub(super) fn bell(&self) -> &Doorbell {
        &self.0.bell
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue().jobs.is_empty()
    }

    /// Everything up to the next fence, within one group's size; a fence comes alone.
    pub(super) fn take(&self) -> Vec<Job> {
        let mut queue = self.queue();
        let mut jobs = Vec::new();
        let mut units = 0;
        while let Some(job) = queue.jobs.pop_front() {
            match job {
                Job::Commit(submission) => {
                    units += submission.units.len();
                    jobs.push(Job::Commit(submission));
                    if units >= GROUP {
                        break;
                    }
                }
                fence @ Job::Fence { .. } => {
                    if jobs.is_empty() {
                        jobs.push(fence);
                    } else {
                        queue.jobs.push_front(fence);
                    }
                    break;
                }
            }
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn whoever_waits_for_a_journal_that_has_ended_goes_on() {
        let handle = JournalHandle::default();
        handle.open();
        let first = handle.incarnation();
        let mut waits = Box::pin(handle.fence("contexts/a".into(), 1));
        assert!(waits.as_mut().now_or_never().is_none());
        handle.close_after(first);
        waits.await;
        handle.fence("contexts/a".into(), 2).await;

        // The end of the first is seen late: the second takes what comes.
        handle.open();
        handle.close_after(first);
        assert!(handle.fence("contexts/a".into(), 3).now_or_never().is_none());
        assert!(!handle.is_empty());

        handle.close("the server is stopping");
        handle.close_after(handle.incarnation());
        let refused = handle.commit(Origin::Edge, Vec::new()).await.unwrap_err();
        assert!(refused.to_string().contains("the server is stopping"), "{refused}");
    }
}
