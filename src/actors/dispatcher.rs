//! Accepting messages: checked, made durable, then answered; and finding out what became of them.

use super::claims::Name;
use super::hub::{Done, Hub};
use super::journal::Origin;
use crate::domain::context::Rejection;
use crate::domain::envelope::{Address, Envelope, Key};
use crate::fault;
use crate::store::{Idempotency, MessageStatus, StoreError, Unit};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// How much may wait. What is accepted is never dropped; past these marks less is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Messages of one context past which the policies of others hold back what they have for it.
    pub soft: i64,
    /// Messages of one context past which new ones are refused.
    pub hard: i64,
    /// Messages of all contexts past which new ones are refused.
    pub hard_in_total: i64,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self { soft: 50_000, hard: 100_000, hard_in_total: 300_000 }
    }
}

/// A message somebody wants accepted.
#[derive(Clone, Debug)]
pub struct NewCommand {
    pub to: Address,
    pub type_name: String,
    pub schema_version: u16,
    pub body: String,
    pub id: Uuid,
    /// Whether the client chose the id, so that it may be a repeat.
    pub id_given: bool,
    /// SHA-256 of the client's `Idempotency-Key` with its owner, and of what was asked under it.
    pub idempotency: Option<([u8; 32], [u8; 32])>,
    pub trace: Option<Arc<str>>,
    pub user: Option<String>,
    /// It steers what is at work already (an operator's decision): accepted past the watermarks.
    pub control: bool,
}

/// Durable from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub id: Uuid,
    /// The aggregate that the (first) message was for.
    pub key: Key,
    pub position: i64,
    /// It had been accepted before; nothing was added.
    pub repeated: bool,
}

/// Why a message was not accepted. Nothing of it is kept.
#[derive(Clone, Debug, Error)]
pub enum Refusal {
    #[error("there is no context called {0:?}")]
    UnknownContext(String),
    #[error("too much is waiting for {context} ({waiting} messages)")]
    Busy { context: String, waiting: i64, retry_after_s: u64 },
    #[error("too much is waiting in all ({waiting} messages)")]
    Overloaded { waiting: i64, retry_after_s: u64 },
    #[error("the same id or Idempotency-Key was used for something else")]
    KeyReused,
    /// It speaks of somebody who was erased.
    #[error("{0}")]
    Gone(String),
    #[error("{}", .0.message)]
    Invalid(Rejection),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The entrance to the durable path. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher(Arc<Hub>);

impl Dispatcher {
    #[must_use]
    pub fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.0
    }

    /// Returns when the message is on the disk.
    ///
    /// # Errors
    /// See [`Refusal`]; a repeat of an accepted message is not an error.
    pub async fn accept(&self, command: NewCommand) -> Result<Accepted, Refusal> {
        self.admit(&command)?;
        // Held while this one is on its way: a repeat at the same time waits, and then finds what was stored.
        let _claim = match command.names() {
            names if names.is_empty() => None,
            names => Some(self.0.claims.claim(names).await),
        };
        if let Some(repeat) = self.repeated(&command).await? {
            return Ok(repeat);
        }
        let mut unit = unit(&command, self.0.environment.now());
        let flags = self.0.active_flags().await?;
        for message in unit.messages.iter_mut().filter(|_| !flags.is_empty()) {
            message.extra.flags = flags.to_vec();
        }
        if let Some(why) = unit.messages.iter().find_map(|message| self.0.store.refuses(message)) {
            return Err(Refusal::Gone(why));
        }
        fault::point("accept.before");
        match self.0.journal.commit(Origin::Edge, vec![unit]).await {
            Ok(placed) => {
                fault::point("accept.after");
                let position = placed.first().map_or(0, |place| place.first);
                Ok(Accepted { id: command.id, key: command.to.key, position, repeated: false })
            }
            // Another process has accepted it in between.
            Err(StoreError::Refused(reason)) if command.may_repeat() => {
                self.repeated(&command).await?.ok_or(Refusal::Store(StoreError::Refused(reason)))
            }
            Err(error) => Err(Refusal::Store(error)),
        }
    }

    /// Accepts and waits for the outcome, at most this long. `None`: accepted, and still at work.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn ask(
        &self,
        command: NewCommand,
        patience: Duration,
    ) -> Result<(Accepted, Option<Done>), Refusal> {
        let id = command.id;
        let mut waiting = self.0.wait_for(id);
        let accepted = match self.accept(command).await {
            Ok(accepted) => accepted,
            Err(refusal) => {
                drop(waiting);
                self.0.forget(id);
                return Err(refusal);
            }
        };
        if accepted.id != id {
            waiting = self.0.wait_for(accepted.id);
            self.0.forget(id);
        }
        if accepted.repeated
            && let Some(done) = self.0.stored(accepted.id).await?
        {
            drop(waiting);
            self.0.forget(accepted.id);
            return Ok((accepted, Some(done)));
        }
        let done = tokio::time::timeout(patience, &mut waiting).await.ok().and_then(Result::ok);
        drop(waiting);
        if done.is_none() {
            self.0.forget(accepted.id);
        }
        Ok((accepted, done))
    }

    fn admit(&self, command: &NewCommand) -> Result<(), Refusal> {
        let context = &*command.to.context;
        let Some(lane) = self.0.lanes.get(context) else {
            return Err(Refusal::UnknownContext(context.to_owned()));
        };
        if !command.control {
            let waiting = lane.status.waiting.load(Relaxed);
            let Watermarks { hard, hard_in_total, .. } = self.0.watermarks;
            if waiting >= hard {
                return Err(Refusal::Busy { context: context.to_owned(), waiting, retry_after_s: 5 });
            }
            let in_total = self.0.waiting_in_total();
            if in_total >= hard_in_total {
                return Err(Refusal::Overloaded { waiting: in_total, retry_after_s: 5 });
            }
        }
        if self.0.journal.is_fenced() {
            return Err(Refusal::Store(StoreError::Fenced { epoch: self.0.store.epoch() }));
        }
        Ok(())
    }

    async fn repeated(&self, command: &NewCommand) -> Result<Option<Accepted>, Refusal> {
        if !command.may_repeat() {
            return Ok(None);
        }
        let mut id = command.id_given.then_some(command.id);
        if let Some((digest, body_digest)) = command.idempotency {
            match self.0.store.idempotency(digest).await? {
                Some(known) if known.body_digest != body_digest => return Err(Refusal::KeyReused),
                Some(known) => id = Some(known.message_id),
                None => {}
            }
        }
        let Some(id) = id else { return Ok(None) };
        let Some(MessageStatus { envelope, .. }) = self.0.store.message(id).await? else { return Ok(None) };
        let same = *envelope.type_name == *command.type_name
            && envelope.context == command.to.context
            && (command.idempotency.is_some()
                || envelope.is_erased()
                || (envelope.body == command.body && envelope.key == command.to.key));
        if !same {
            return Err(Refusal::KeyReused);
        }
        let Envelope { key, position, .. } = envelope;
        Ok(Some(Accepted { id, key, position, repeated: true }))
    }
}

impl NewCommand {
    fn names(&self) -> Vec<Name> {
        let id = self.id_given.then_some(Name::Id(self.id));
        id.into_iter().chain(self.idempotency.map(|(digest, _)| Name::Key(digest))).collect()
    }

    fn may_repeat(&self) -> bool {
        self.id_given || self.idempotency.is_some()
    }
}

fn unit(command: &NewCommand, now: DateTime<Utc>) -> Unit {
    let NewCommand { to, type_name, body, id, .. } = command;
    let mut envelope = Envelope::command(to, type_name, body.clone(), *id, now);
    envelope.schema_version = command.schema_version;
    envelope.trace.clone_from(&command.trace);
    envelope.extra.user.clone_from(&command.user);
    let idempotency =
        command.idempotency.map(|(digest, body_digest)| Idempotency { digest, body_digest, message_id: *id });
    Unit { messages: vec![envelope], idempotency, ..Unit::default() }
}
