//! Replaying: a dead letter is given once more, as a message of its own.

use super::verbs::unknown;
use super::{Desk, DeskError, commit, name, notice, of_name, wake};
use crate::actors::errand::effect_id;
use crate::actors::{reactor, timer};
use crate::domain::envelope::{Address, Envelope, Kind, derived_id};
use crate::domain::message::DecodeError;
use crate::domain::operations::{DeadLetterReplayed, Reason};
use crate::domain::outgoing::When;
use crate::store::{
    Change, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState, EffectQuery, Settled, Unit,
};
use std::fmt;
use uuid::Uuid;

/// Away from the ids of what a message causes.
const REPLAY: u64 = u64::MAX;

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// The command was given again.
    As { id: Uuid, position: i64 },
    /// The policy has taken the event now; it answered with so many commands.
    Answered { commands: usize },
    /// The read model is built anew, which settles this when the event reads now.
    Rebuilding { projection: &'static str },
}

/// What to do to all dead letters of a kind, a page at a time, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    pub context: Option<String>,
    pub type_name: Option<String>,
    pub key: Option<String>,
    /// Where the page before has ended.
    pub after: Option<Mark>,
    pub limit: u32,
}

/// Where a page of a sweep has ended, and where the sweep is to end: what dies meanwhile is not part of it, or a
/// replay that dies again would be swept up for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    past: DeadLetterId,
    until: i64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.until, name(&self.past))
    }
}

impl Mark {
    /// As it was displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (until, past) = text.split_once('-')?;
        Some(Self { past: of_name(past)?, until: until.parse().ok()? })
    }
}

/// What came of a page of a sweep.
#[derive(Debug, Default)]
pub struct Swept {
    pub done: u32,
    /// Those left as they are, and why.
    pub left: Vec<(DeadLetterId, DeskError)>,
    pub next: Option<Mark>,
}

impl Desk {
    /// Gives a dead command again as a new message in the same unit that settles it; lets a reader try its event
    /// again.
    ///
    /// # Errors
    /// When it is settled, or what is stored of it does not read and was not edited.
    pub async fn replay(&self, id: &DeadLetterId, reason: Reason) -> Result<Replayed, DeskError> {
        let _turn = self.0.verbs.lock().await;
        let letter = self.open(id).await?;
        self.replay_open(&letter, reason).await
    }

    /// Replays a page of what is open.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was replayed until then stays so.
    pub async fn replay_all(&self, sweep: Sweep, reason: &Reason) -> Result<Swept, DeskError> {
        let _turn = self.0.verbs.lock().await;
        let (letters, next) = self.page(sweep).await?;
        let mut swept = Swept { next, ..Swept::default() };
        for letter in letters {
            let result = self.replay_open(&letter, reason.clone()).await;
            swept.note(letter.id, result.map(drop))?;
        }
        Ok(swept)
    }

    /// Discards a page of what is open.
    ///
    /// # Errors
    /// See [`Desk::replay_all`].
    pub async fn discard_all(&self, sweep: Sweep, reason: &Reason) -> Result<Swept, DeskError> {
        let _turn = self.0.verbs.lock().await;
        let (letters, next) = self.page(sweep).await?;
        let mut swept = Swept { next, ..Swept::default() };
        for letter in letters {
            let result = self.discard_open(&letter, reason.clone()).await;
            swept.note(letter.id, result)?;
        }
        Ok(swept)
    }

    /// Oldest first: of one key, what came first is given first.
    async fn page(&self, sweep: Sweep) -> Result<(Vec<DeadLetter>, Option<Mark>), DeskError> {
        let Sweep { context, type_name, key, after, limit } = sweep;
        let Mark { past, until } = match after {
            Some(mark) => mark,
            None => Mark {
                past: DeadLetterId { position: 0, reader: String::new() },
                until: self.0.store.last_position().await?,
            },
        };
        let query = DeadLetterQuery {
            state: Some(DeadLetterState::Open),
            context,
            key,
            type_name,
            after: Some(past),
            before: Some(DeadLetterId { position: until.saturating_add(1), reader: String::new() }),
            limit,
            ..DeadLetterQuery::default()
        };
        let (letters, next) = self.list(query).await?;
        Ok((letters, next.map(|past| Mark { past, until })))
    }

    async fn replay_open(&self, letter: &DeadLetter, reason: Reason) -> Result<Replayed, DeskError> {
        if !letter.id.reader.is_empty() {
            return self.read_again(letter, reason).await;
        }
        let dead = self.message(letter.id.position).await?;
        let mut message = self.replay_of(letter, dead.as_ref())?;
        message.extra.effect = self.effect_of(letter.id.position).await?.or(message.extra.effect);
        let (as_id, note) = (message.id, reason.why.clone());
        let event = DeadLetterReplayed { reason, replayed_as: as_id };
        let unit = Unit {
            messages: vec![message, notice(&self.0, &letter.id, event, dead.as_ref())?],
            changes: vec![settle(&letter.id, as_id, note)],
            ..Unit::default()
        };
        let position = commit(&self.0, unit).await?;
        wake(&self.0, letter);
        Ok(Replayed::As { id: as_id, position })
    }

    /// The effect that a message has on the ledger, which may be older than the message.
    async fn effect_of(&self, position: i64) -> Result<Option<Uuid>, DeskError> {
        let query = EffectQuery { position: Some(position), limit: 1, ..EffectQuery::default() };
        Ok(self.0.store.effects(query).await?.pop().map(|stored| stored.effect.id))
    }

    /// The message that takes the place of a dead one.
    pub(super) fn replay_of(
        &self,
        letter: &DeadLetter,
        dead: Option<&Envelope>,
    ) -> Result<Envelope, DeskError> {
        let position = letter.id.position;
        let to = Address { context: letter.context.as_str().into(), key: letter.key.clone() };
        let dead_id = dead.map_or_else(|| unread_id(position), |dead| dead.id);
        let id = derived_id(dead_id, REPLAY);
        let body = letter.edited.clone().or_else(|| dead.map(|dead| dead.body.clone()));
        let body = body.ok_or_else(|| DeskError::Unreadable(letter.id.clone()))?;
        let mut message = Envelope::command(&to, &letter.type_name, body, id, self.0.environment.now());
        if let Some(dead) = dead {
            message.schema_version = dead.schema_version;
            message.causation_id = Some(dead.id);
            message.correlation_id = dead.correlation_id;
            message.trace.clone_from(&dead.trace);
            message.extra.clone_from(&dead.extra);
            message.extra.effect = Some(effect_id(dead));
        }
        if let Some(edited) = &letter.edited {
            let rules = self.0.contexts.get(&*letter.context).ok_or_else(|| unknown(letter))?;
            let (version, body) = rules.check(&letter.type_name, edited).map_err(DeskError::Invalid)?;
            (message.schema_version, message.body) = (version, body);
        }
        message.extra.replay_of = Some(position);
        message.extra.edited = letter.edited.is_some();
        Ok(message)
    }

    /// Lets the reader take its event again.
    async fn read_again(&self, letter: &DeadLetter, reason: Reason) -> Result<Replayed, DeskError> {
        let hub = &self.0;
        let id = &letter.id;
        if let Some((projection, _)) = hub.views.iter().find(|(_, view)| view.table == id.reader) {
            return self.rebuild(letter, projection, reason).await;
        }
        let context = hub.contexts.iter().find(|(name, _)| reactor::reader_of(name) == id.reader);
        let Some((_, rules)) = context else { return Err(unknown(letter)) };
        let event = self.message(id.position).await?.filter(|message| message.kind == Kind::Event);
        let event = event.ok_or_else(|| DeskError::Unreadable(id.clone()))?;
        let outgoing = rules.reaction(&event).map_err(|error| unread(&error))?;
        let (mut messages, mut changes) = (Vec::with_capacity(outgoing.len() + 1), Vec::new());
        for (n, outgoing) in (0..).zip(outgoing) {
            let when = outgoing.when.clone();
            let command = reactor::command(&id.reader, &event, outgoing, n, hub.environment.now());
            match when {
                When::Now => messages.push(command),
                when @ (When::At { .. } | When::Never { .. }) => {
                    changes.extend(timer::change(timer::of_recipient(&command), command, when));
                }
            }
        }
        let (commands, note) = (messages.len(), reason.why.clone());
        let notice = notice(hub, id, DeadLetterReplayed { reason, replayed_as: event.id }, Some(&event))?;
        messages.push(notice);
        changes.push(settle(id, event.id, note));
        commit(hub, Unit { messages, changes, ..Unit::default() }).await?;
        Ok(Replayed::Answered { commands })
    }

    /// Its rows rest on every event before, so the reader begins anew; it settles this when the event reads now.
    async fn rebuild(
        &self,
        letter: &DeadLetter,
        projection: &'static str,
        reason: Reason,
    ) -> Result<Replayed, DeskError> {
        let event = self.message(letter.id.position).await?;
        let replayed_as = event.as_ref().map_or_else(|| unread_id(letter.id.position), |event| event.id);
        let notice = notice(&self.0, &letter.id, DeadLetterReplayed { reason, replayed_as }, event.as_ref())?;
        commit(&self.0, Unit { messages: vec![notice], ..Unit::default() }).await?;
        // Joins one that is under way.
        drop(self.0.rebuild(projection));
        Ok(Replayed::Rebuilding { projection })
    }
}

impl Swept {
    /// A store that fails ends the sweep; what is wrong with one letter does not.
    fn note(&mut self, id: DeadLetterId, result: Result<(), DeskError>) -> Result<(), DeskError> {
        match result {
            Ok(()) => self.done += 1,
            Err(DeskError::Store(error)) => return Err(DeskError::Store(error)),
            Err(why) => self.left.push((id, why)),
        }
        Ok(())
    }
}

fn settle(id: &DeadLetterId, as_id: Uuid, note: String) -> Change {
    Change::SettleDeadLetter { id: id.clone(), how: Settled::Replayed { as_id }, note }
}

/// Of a message whose own id is not to be had: the same at every try.
fn unread_id(position: i64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("dead letter {position}").as_bytes())
}

fn unread(error: &DecodeError) -> DeskError {
    DeskError::NotYet(format!("it still does not read: {error}"))
}
