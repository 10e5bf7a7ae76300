//! The operator's desk: dead letters looked at, edited, rehearsed, replayed and discarded. Each verb is one unit
//! with the event that says who did it and why.

mod rehearse;
mod replay;
mod verbs;

pub use rehearse::DryRun;
pub use replay::{Mark, Replayed, Sweep, Swept};

use super::hub::Hub;
use super::journal::Origin;
use super::past::PastState;
use crate::domain::context::Rejection;
use crate::domain::envelope::{Envelope, Key};
use crate::domain::operations::Reason;
use crate::store::{
    Attempt, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState, Filter, StoreError, StoreResult,
};
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// What the operator may do. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Hub>);

/// Why a verb did nothing.
#[derive(Debug, Error)]
pub enum DeskError {
    #[error("there is no dead letter {}", name(.0))]
    NotFound(DeadLetterId),
    #[error("dead letter {} was {} already", name(.id), verb(*.state))]
    Settled { id: DeadLetterId, state: DeadLetterState, replayed_as: Option<Uuid> },
    /// Nobody can say what it asked for until somebody writes it anew.
    #[error("what is stored of dead letter {} does not read", name(.0))]
    Unreadable(DeadLetterId),
    /// An event is what has happened: it is neither edited nor rehearsed.
    #[error("dead letter {} is an event that a reader could not take", name(.0))]
    AnEvent(DeadLetterId),
    #[error("{}", .0.message)]
    Invalid(Rejection),
    /// What it needs is not there yet.
    #[error("{0}")]
    NotYet(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn verb(state: DeadLetterState) -> &'static str {
    match state {
        DeadLetterState::Open => "left open",
        DeadLetterState::Replayed => "replayed",
        DeadLetterState::Discarded => "discarded",
    }
}

/// As it stands in addresses: the position, with the reader if there is one.
#[must_use]
pub fn name(id: &DeadLetterId) -> String {
    if id.reader.is_empty() { id.position.to_string() } else { format!("{}:{}", id.position, id.reader) }
}

/// [`name`], read back.
#[must_use]
pub fn of_name(text: &str) -> Option<DeadLetterId> {
    let (position, reader) = text.split_once(':').unwrap_or((text, ""));
    let position = position.parse().ok().filter(|position| *position > 0)?;
    Some(DeadLetterId { position, reader: reader.to_owned() })
}

/// A dead letter with everything that helps to understand it.
#[derive(Clone, Debug)]
pub struct Inspected {
    pub letter: DeadLetter,
    /// `None`: the row does not read; what stands there is in `letter.raw`.
    pub message: Option<Envelope>,
    pub attempts: Vec<Attempt>,
    /// The aggregate as it was when the message died. `None`: this program has no such context.
    pub state: Option<PastState>,
}

impl Desk {
    #[must_use]
    pub fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// A page, and where the next one begins.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, query: DeadLetterQuery) -> StoreResult<(Vec<DeadLetter>, Option<DeadLetterId>)> {
        let limit = query.limit as usize;
        let more = DeadLetterQuery { limit: query.limit.saturating_add(1), ..query };
        let mut letters = self.0.store.dead_letters(more).await?;
        let is_full = letters.len() > limit;
        letters.truncate(limit);
        let next = letters.last().filter(|_| is_full).map(|letter| letter.id.clone());
        Ok((letters, next))
    }

    /// # Errors
    /// When there is none, or the store cannot be read.
    pub async fn find(&self, id: &DeadLetterId) -> Result<DeadLetter, DeskError> {
        let query = DeadLetterQuery { id: Some(id.clone()), limit: 1, ..DeadLetterQuery::default() };
        self.0.store.dead_letters(query).await?.pop().ok_or_else(|| DeskError::NotFound(id.clone()))
    }

    /// # Errors
    /// When there is none, or the store cannot be read.
    pub async fn inspect(&self, id: &DeadLetterId) -> Result<Inspected, DeskError> {
        let letter = self.find(id).await?;
        let message = self.message(id.position).await?;
        let attempts = match id.reader.is_empty() {
            true => self.0.store.attempts(id.position).await?,
            false => Vec::new(),
        };
        let state = self.0.state_at(&letter.context, &letter.key, letter.seen_position).await?;
        Ok(Inspected { letter, message, attempts, state })
    }

    async fn open(&self, id: &DeadLetterId) -> Result<DeadLetter, DeskError> {
        let letter = self.find(id).await?;
        match letter.state {
            DeadLetterState::Open => Ok(letter),
            state @ (DeadLetterState::Replayed | DeadLetterState::Discarded) => {
                Err(DeskError::Settled { id: letter.id, state, replayed_as: letter.replayed_as })
            }
        }
    }

    /// The message at a position, if its row reads.
    async fn message(&self, position: i64) -> StoreResult<Option<Envelope>> {
        let page = self.0.store.messages_after(position - 1, 1, Filter::default()).await?;
        Ok(page.messages.into_iter().find(|message| message.position == position))
    }
}

/// The commit of a verb. Those who come second find the first one's work, since verbs take turns.
async fn commit(hub: &Hub, unit: crate::store::Unit) -> Result<i64, DeskError> {
    let placed = hub.journal.commit(Origin::Edge, vec![unit]).await?;
    Ok(placed.first().map_or(0, |place| place.first))
}

/// The event that says who did what and why.
fn notice(
    hub: &Hub,
    id: &DeadLetterId,
    event: impl Into<crate::domain::operations::Event>,
    cause: Option<&Envelope>,
) -> Result<Envelope, DeskError> {
    let made = crate::domain::operations::notice(
        Key::from(name(id)),
        &event.into(),
        hub.environment.new_id(),
        hub.environment.now(),
        cause,
    );
    made.map_err(|error| DeskError::Invalid(error.into()))
}

/// Wakes the context whose key may be free again.
fn wake(hub: &Hub, letter: &DeadLetter) {
    if let Some(lane) = hub.lanes.get(&*letter.context) {
        lane.recheck_held();
    }
}

/// Who does it and why: not without a reason.
///
/// # Errors
/// When there is no reason, or it is a book.
pub fn reason(by: &str, why: &str) -> Result<Reason, Rejection> {
    const LONGEST: usize = 1000;
    let why = why.trim();
    if why.is_empty() || why.len() > LONGEST {
        let hint = format!("say in 1 to {LONGEST} characters why; it is kept with the event");
        return Err(Rejection::invalid("/why", "a reason is needed", hint));
    }
    Ok(Reason { by: by.to_owned(), why: why.to_owned() })
}
