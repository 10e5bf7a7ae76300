//! One command's call to the outside, from the ledger's first line to its last, beside the actor that wants it.

use super::breakers::{Blocked, Pass};
use super::gateway::{Sent, Service, begin, end_of};
use super::hub::Hub;
use super::journal::Origin;
use super::status::ActorStatus;
use super::trouble::Failure;
use super::underway::Ended;
use super::verdict::{Record, Settled, Told, Verdict};
use crate::clients::gateway::{Asked, CallError};
use crate::domain::breakers::{self, Breakers, RecordFailure, RecordSuccess};
use crate::domain::context::{Call, Context};
use crate::domain::envelope::{Address, Envelope};
use crate::domain::gateway::Recovery;
use crate::domain::message::Message;
use crate::fault;
use crate::store::{Change, Effect, EffectEnd, EffectQuery, EffectState, StoredEffect, Unit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// Effects' ids are derived from here on, away from those of messages, of timers and of what they create.
const FIRST_EFFECT: u64 = 1 << 34;

/// See the module.
pub(super) struct Errand {
    pub hub: Arc<Hub>,
    /// Of the actor, so that one of an older incarnation does not get to make its call.
    pub origin: Origin,
    pub status: Arc<ActorStatus>,
    pub message: Arc<Envelope>,
    pub call: Call,
}

/// The effect of a message: the same at every handling, and when it is given again.
#[must_use]
pub fn effect_id(message: &Envelope) -> Uuid {
    message.extra.effect.unwrap_or_else(|| message.derived_id(FIRST_EFFECT))
}

impl Errand {
    /// Ends when the ledger allows for a verdict, however long that takes.
    pub(super) async fn run(self) -> Result<Settled, Failure> {
        let id = self.effect_id().await?;
        // Of a call that had no effect, as was found out by asking.
        let mut failed = None;
        loop {
            // Before the ledger is read, so that no decision is missed.
            let mut decided = self.hub.gateways.decided.subscribe();
            let Some(stored) = self.on_ledger(id).await? else {
                self.commit(vec![Change::StageEffect(self.wanted(id))]).await?;
                fault::point("effect.staged");
                continue;
            };
            if stored.effect.position != self.message.position {
                self.commit(vec![Change::StageEffect(self.taken_up(&stored))]).await?;
                continue;
            }
            match (stored.state, stored.effect.recovery) {
                (EffectState::Done, _) => return Ok(self.known(stored)),
                (EffectState::Failed, _) if failed.is_some() => {
                    let verdict =
                        Verdict::Failed { error: failed.take().unwrap_or_default(), not_before_us: 0 };
                    return Ok(Settled { verdict, record: Record::default() });
                }
                (EffectState::Staged | EffectState::Failed, _) | (EffectState::Unknown, Recovery::Repeat) => {
                    let Some((attempt, ended, pass)) = self.attempt(&stored).await? else { continue };
                    let error = ended.as_ref().err().map(CallError::to_string);
                    let must_ask = matches!(ended, Err(CallError::Unknown { .. }))
                        && stored.effect.recovery != Recovery::Repeat;
                    let settled = self.settle(&stored, attempt, ended, Some(pass));
                    if !must_ask {
                        return Ok(settled);
                    }
                    failed = error.filter(|_| stored.effect.recovery == Recovery::Ask);
                    self.record(settled.record).await?;
                }
                (EffectState::Sent, _) => {
                    if let Some(settled) = self.rejoin(&stored).await? {
                        return Ok(settled);
                    }
                }
                (EffectState::Unknown, Recovery::Ask) => {
                    if let Some(settled) = self.ask(&stored, &mut decided).await? {
                        return Ok(settled);
                    }
                }
                (EffectState::Unknown, Recovery::Operator) => self.decision(&stored, &mut decided).await,
            }
        }
    }

    async fn on_ledger(&self, id: Uuid) -> Result<Option<StoredEffect>, Failure> {
        let query = EffectQuery { id: Some(id), limit: 1, ..EffectQuery::default() };
        let hub = &self.hub;
        let found = hub.patiently(|| hub.store.effects(query.clone())).await;
        Ok(found.map_err(Failure::of_store)?.pop())
    }

    /// What was edited to ask for something else is another effect than that of the message in whose place it stands.
    async fn effect_id(&self) -> Result<Uuid, Failure> {
        let id = effect_id(&self.message);
        if !self.message.extra.edited {
            return Ok(id);
        }
        let own = self.message.derived_id(FIRST_EFFECT);
        let Some(StoredEffect { effect, .. }) = self.on_ledger(id).await? else { return Ok(own) };
        let wanted = self.wanted(id);
        let is_same = (effect.service, effect.operation, effect.request)
            == (wanted.service, wanted.operation, wanted.request);
        Ok(if is_same { id } else { own })
    }

    fn wanted(&self, id: Uuid) -> Effect {
        let Call { service, operation, request, recovery } = &self.call;
        Effect {
            id,
            position: self.message.position,
            context: self.message.context.clone(),
            key: self.message.key.clone(),
            service: (*service).to_owned(),
            operation: (*operation).to_owned(),
            request: request.clone(),
            recovery: *recovery,
        }
    }

    /// The effect of a dead message now serves the one that was given in its place: whatever became of it counts. Where
    /// the call is made again, it asks for what is wanted now.
    fn taken_up(&self, stored: &StoredEffect) -> Effect {
        match (stored.state, stored.effect.recovery) {
            (EffectState::Staged | EffectState::Failed, _) | (EffectState::Unknown, Recovery::Repeat) => {
                self.wanted(stored.effect.id)
            }
            (EffectState::Sent | EffectState::Done, _)
            | (EffectState::Unknown, Recovery::Ask | Recovery::Operator) => {
                Effect { position: self.message.position, ..stored.effect.clone() }
            }
        }
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), Failure> {
        self.commit_with(changes, Vec::new()).await
    }

    async fn commit_with(&self, changes: Vec<Change>, messages: Vec<Envelope>) -> Result<(), Failure> {
        let unit = Unit { messages, changes, ..Unit::default() };
        let committed = self.hub.journal.commit(self.origin.clone(), vec![unit]).await;
        committed.map(drop).map_err(Failure::of_store)
    }

    /// The answer was found out before.
    fn known(&self, stored: StoredEffect) -> Settled {
        let (effect, attempt) = (stored.effect.id, stored.attempt);
        let told = Told { hub: self.hub.clone(), pass: None, call: Some((effect, attempt)) };
        let record = Record { told: Some(told), ..Record::default() };
        Settled { verdict: Verdict::Response(stored.response.unwrap_or_default()), record }
    }

    fn service(&self, stored: &StoredEffect) -> Result<Arc<Service>, Failure> {
        let name = &stored.effect.service;
        let service = self.hub.gateways.service(name);
        service.ok_or_else(|| Failure::Permanent(format!("no gateway to {name} is set up")))
    }

    /// Makes the call, and waits for its end. `None`: while it waited for its turn, the ledger has changed.
    async fn attempt(&self, stored: &StoredEffect) -> Result<Option<(u32, Ended, Pass)>, Failure> {
        let service = self.service(stored)?;
        let (effect, attempt) = (stored.effect.id, stored.attempt + 1);
        let (pass, permit) = self.admitted(&stored.effect.service, &service).await?;
        let place = match self.hub.gateways.reserve(effect, attempt).await {
            Ok(place) => place,
            Err(other) => {
                other.is_made().await;
                return Ok(None);
            }
        };
        let is_as_it_was = |now: StoredEffect| (now.state, now.attempt) == (stored.state, stored.attempt);
        if !self.on_ledger(effect).await?.is_some_and(is_as_it_was) {
            return Ok(None);
        }
        self.commit(vec![Change::SendEffect { id: effect, attempt }]).await?;
        fault::point("effect.sent");
        let Effect { operation, request, .. } = stored.effect.clone();
        let call = place.begin(permit);
        begin(&self.hub, &service, Sent { effect, attempt, operation, request }, call.clone());
        let ended = call.wait(service.limits.timeout).await;
        fault::point("effect.called");
        service.count(&ended);
        Ok(Some((attempt, ended, pass)))
    }

    /// Commits what would else go with a verdict.
    async fn record(&self, record: Record) -> Result<(), Failure> {
        let Record { changes, messages, told } = record;
        if !changes.is_empty() || !messages.is_empty() {
            self.commit_with(changes, messages).await?;
        }
        if let Some(told) = told {
            told.durable();
        }
        Ok(())
    }

    /// Takes up a call that an earlier incarnation of the actor has begun; one of another process is unknown from
    /// now on.
    async fn rejoin(&self, stored: &StoredEffect) -> Result<Option<Settled>, Failure> {
        let (id, attempt) = (stored.effect.id, stored.attempt);
        let end = match self.hub.gateways.calls.find(id).filter(|call| call.attempt == attempt) {
            Some(call) if call.is_made().await => {
                let timeout = self.service(stored)?.limits.timeout;
                let ended = call.wait(timeout).await;
                return Ok(Some(self.settle(stored, attempt, ended, None)));
            }
            Some(_) => EffectEnd::Failed { error: "the call was not made".to_owned() },
            None => {
                EffectEnd::Unknown { error: "the process ended before the answer was recorded".to_owned() }
            }
        };
        self.commit(vec![Change::EndEffect { id, attempt, end }]).await?;
        Ok(None)
    }

    /// What the end of a call leads to.
    fn settle(&self, stored: &StoredEffect, attempt: u32, ended: Ended, mut pass: Option<Pass>) -> Settled {
        let effect = stored.effect.id;
        let change = Change::EndEffect { id: effect, attempt, end: end_of(&ended) };
        let messages = self.verdict_for_breaker(&stored.effect.service, pass.as_mut(), &ended);
        let told = Told { hub: self.hub.clone(), pass, call: Some((effect, attempt)) };
        let record = Record { changes: vec![change], messages, told: Some(told) };
        Settled { verdict: self.verdict(ended), record }
    }

    fn verdict(&self, ended: Ended) -> Verdict {
        let not_before_us = |wait: Option<Duration>| {
            let wait_us = wait.map_or(0, |wait| i64::try_from(wait.as_micros()).unwrap_or(0));
            if wait_us == 0 { 0 } else { self.hub.environment.now().timestamp_micros() + wait_us }
        };
        match ended {
            Ok(response) => Verdict::Response(response),
            Err(CallError::Permanent { message }) => Verdict::Refused(message),
            Err(CallError::Transient { message, retry_after }) => {
                Verdict::Failed { error: message, not_before_us: not_before_us(retry_after) }
            }
            Err(CallError::Unknown { message }) => Verdict::Failed { error: message, not_before_us: 0 },
        }
    }

    /// A service that refuses is there all the same.
    fn verdict_for_breaker(&self, service: &str, pass: Option<&mut Pass>, ended: &Ended) -> Vec<Envelope> {
        let Some(pass) = pass.filter(|_| self.hub.lanes.contains_key(Breakers::NAME)) else {
            return Vec::new();
        };
        let command: Option<breakers::Command> = match ended {
            Ok(_) | Err(CallError::Permanent { .. }) => {
                pass.success().map(|turn| RecordSuccess { turn }.into())
            }
            Err(error @ (CallError::Transient { .. } | CallError::Unknown { .. })) => {
                pass.failure().map(|turn| RecordFailure { turn, error: error.to_string() }.into())
            }
        };
        command.and_then(|command| self.to_breaker(service, &command)).into_iter().collect()
    }

    fn to_breaker(&self, service: &str, command: &breakers::Command) -> Option<Envelope> {
        let encoded =
            command.encode().inspect_err(|error| tracing::error!(%error, "a verdict does not encode"));
        let environment = &self.hub.environment;
        let to = Address::new(Breakers::NAME, service);
        let (id, now) = (environment.new_id(), environment.now());
        Some(Envelope {
            schema_version: command.schema_version(),
            causation_id: Some(self.message.id),
            correlation_id: self.message.correlation_id,
            trace: self.message.trace.clone(),
            ..Envelope::command(&to, command.type_name(), encoded.ok()?, id, now)
        })
    }

    /// Waits until the breaker and the bulkhead let it through. Nobody takes up room while he waits for the breaker.
    async fn admitted(&self, name: &str, service: &Service) -> Result<(Pass, OwnedSemaphorePermit), Failure> {
        let (board, waits, key) = (&self.hub.gateways.board, &self.status.waits, &self.message.key);
        let mut changes = board.changes(name);
        let wait = |reason| waits.begin(key, reason, None, &self.hub.environment);
        loop {
            changes.mark_unchanged();
            if let Some(blocked) = board.blocked(name) {
                wait(behind_breaker(name, blocked));
                // The sender lives in the hub.
                let _ = changes.changed().await;
                continue;
            }
            let permit = match service.permits.clone().try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => {
                    wait(format!("behind {} calls to {name}", service.limits.in_flight));
                    service.permits.clone().acquire_owned().await.map_err(Failure::transient)?
                }
            };
            // Asked again: much may have changed before the bulkhead.
            if let Ok(pass) = board.admit(name) {
                waits.end(key);
                return Ok((pass, permit));
            }
        }
    }

    /// Asks the service what became of the call.
    async fn ask(
        &self,
        stored: &StoredEffect,
        decided: &mut tokio::sync::watch::Receiver<()>,
    ) -> Result<Option<Settled>, Failure> {
        let service = self.service(stored)?;
        let Effect { id, service: name, operation, request, .. } = &stored.effect;
        let (mut pass, permit) = self.admitted(name, &service).await?;
        self.hub.gateways.may_begin().await;
        let asked = service.gateway.ask(*id, operation, request);
        let asked = tokio::time::timeout(service.limits.timeout, asked).await;
        drop(permit);
        let asked = asked.unwrap_or_else(|_| Err(CallError::transient("there was no answer in time")));
        let ended = asked.as_ref().map(|_| String::new()).map_err(CallError::clone);
        let messages = self.verdict_for_breaker(name, Some(&mut pass), &ended);
        let told = Told { hub: self.hub.clone(), pass: Some(pass), call: None };
        let decide = |end| vec![Change::DecideEffect { id: *id, end }];
        match asked {
            Ok(Asked::Done { response }) => {
                let changes = decide(EffectEnd::Done { response: response.clone() });
                let record = Record { changes, messages, told: Some(told) };
                return Ok(Some(Settled { verdict: Verdict::Response(response), record }));
            }
            Ok(Asked::NotDone) => {
                let error = format!("{name} says that it was not done");
                let changes = decide(EffectEnd::Failed { error });
                self.record(Record { changes, messages, told: Some(told) }).await?;
            }
            Ok(Asked::Unsure) | Err(CallError::Permanent { .. }) => {
                self.record(Record { changes: Vec::new(), messages, told: Some(told) }).await?;
                self.decision(stored, decided).await;
            }
            Err(CallError::Transient { .. } | CallError::Unknown { .. }) => {
                let record = Record { changes: Vec::new(), messages, told: Some(told) };
                return Ok(Some(Settled { verdict: self.verdict(ended), record }));
            }
        }
        Ok(None)
    }

    /// Only a person can tell. Its key waits, no other.
    async fn decision(&self, stored: &StoredEffect, decided: &mut tokio::sync::watch::Receiver<()>) {
        let Effect { id, service, operation, .. } = &stored.effect;
        let reason = format!("unknown effect {id} ({service}: {operation}), needs a decision");
        self.status.waits.begin(&self.message.key, reason, None, &self.hub.environment);
        // The sender lives in the hub.
        let _ = decided.changed().await;
    }
}

fn behind_breaker(service: &str, blocked: Blocked) -> String {
    let since = blocked.since.map(|since| format!(" since {}", since.format("%Y-%m-%dT%H:%M:%SZ")));
    let probed = if blocked.state == "half_open" { ", which is being probed" } else { "" };
    format!("behind breaker {service}{}{probed}", since.unwrap_or_default())
}
