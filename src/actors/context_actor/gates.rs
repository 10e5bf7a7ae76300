//! What makes the messages of one key wait: work beside the actor, a retry whose time has not come, a dead letter.

use super::{ContextState, Held, Msg, Taken};
use crate::actors::trouble::Failure;
use crate::domain::context::{AfterDead, Context};
use crate::domain::envelope::{Envelope, Key};
use crate::store::{Burn, Cause, Change, DeadLetterId, HeldKey, Outcome, Unit, WaitingStatus};
use ractor::ActorProcessingErr;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use uuid::Uuid;

/// Messages of one key read back from the table at a time.
const RELOADED: u32 = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// A message is decided beside the actor.
    Busy,
    /// The first parked message is not tried before this time.
    Waiting {
        until_us: i64,
    },
    Held(Held),
}

impl Gate {
    /// Whether it is the message that the dead letter in the way was replayed as.
    pub(super) fn lets_replay(&self, message: &Envelope) -> bool {
        matches!(self, Self::Held(Held { lets: Some(id), .. }) if *id == message.id)
    }
}

pub(super) fn held(keys: Vec<HeldKey>) -> HashMap<Key, Held> {
    keys.into_iter().map(|held| (held.key, Held { by: held.id, lets: held.replayed_as, since: 0 })).collect()
}

impl<C: Context> ContextState<C> {
    /// Takes what is parked at a key, as far as its gate is open.
    pub(super) fn go_on(&mut self, key: &Key, units: &mut Vec<Unit>) -> Result<(), ActorProcessingErr> {
        while let Some(cell) = self.cells.get_mut(key) {
            if cell.gate != Gate::Open {
                return Ok(());
            }
            match cell.parked.pop_front() {
                Some(taken) => self.take_open(taken, units)?,
                None => {
                    if cell.left_from.is_some() {
                        self.to_reload.push_back(key.clone());
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, key: &Key) -> Result<(), ActorProcessingErr> {
        self.lane.status.waits.end(key);
        let Some(cell) = self.cells.get_mut(key) else { return Ok(()) };
        cell.gate = Gate::Open;
        let mut units = Vec::new();
        self.go_on(key, &mut units)?;
        self.done(units);
        Ok(())
    }

    /// Takes up messages that were left in the table while their key waited.
    pub(super) async fn reload(&mut self) -> Result<(), ActorProcessingErr> {
        while let Some(key) = self.to_reload.pop_front() {
            let Some(from) = self.cells.get_mut(&key).and_then(|cell| cell.left_from.take()) else {
                continue;
            };
            let hub = &self.hub;
            let read = || hub.store.waiting_of(C::NAME, key.clone(), from - 1, RELOADED + 1);
            let mut waiting = hub.patiently(read).await?;
            // Those beyond stay in the table; what the actor has not come to yet comes by itself, and what has passed
            // the others may be on its way to the disk.
            let passed = self.cells.get(&key).and_then(|cell| cell.passed);
            waiting.retain(|waiting| waiting.position <= self.read_to && Some(waiting.position) != passed);
            let rest = if waiting.len() > RELOADED as usize { waiting.pop() } else { None };
            self.take_on_found(waiting).await?;
            if let (Some(rest), Some(cell)) = (rest, self.cells.get_mut(&key)) {
                cell.left_from = Some(cell.left_from.unwrap_or(rest.position).min(rest.position));
                if cell.gate == Gate::Open {
                    self.to_reload.push_back(key);
                }
            }
        }
        Ok(())
    }

    /// Closes the key if the time of this message has not come.
    pub(super) fn wait_until_due(&mut self, taken: &Taken) -> bool {
        let until_us = taken.available_at_us;
        let left_us = until_us - self.hub.environment.now().timestamp_micros();
        if left_us <= 0 {
            return false;
        }
        let key = taken.message.key.clone();
        let Some(cell) = self.cells.get_mut(&key) else { return false };
        cell.gate = Gate::Waiting { until_us };
        cell.parked.push_front(taken.clone());
        let error = taken.last_error.as_deref().unwrap_or("an error");
        let reason = format!("retrying after attempt {} failed: {error}", taken.attempts);
        self.lane.status.waits.begin(&key, reason, Some(until_us), &self.hub.environment);
        let pause = Duration::from_micros(u64::try_from(left_us).unwrap_or(0));
        self.myself.send_after(pause, move || Msg::Due(key));
        true
    }

    pub(super) fn due(&mut self, key: &Key) -> Result<(), ActorProcessingErr> {
        match self.cells.get(key).map(|cell| &cell.gate) {
            // Where the clock was set back in between, it waits again.
            Some(Gate::Waiting { .. }) => self.open(key),
            Some(Gate::Open | Gate::Busy | Gate::Held(_)) | None => Ok(()),
        }
    }

    /// Work beside the actor could not be done: the attempt is burned, and the key waits or the message is given up.
    pub(super) fn failed(&mut self, mut taken: Taken, failure: Failure) -> Result<(), ActorProcessingErr> {
        let key = taken.message.key.clone();
        self.lane.status.waits.end(&key);
        let Some(cell) = self.cells.get_mut(&key) else { return Ok(()) };
        cell.gate = Gate::Open;
        // A suspect waits at the head of its own queue.
        if cell.parked.front().is_some_and(|first| first.message.position == taken.message.position) {
            cell.parked.pop_front();
        }
        let mut units = Vec::new();
        match failure {
            Failure::Permanent(error) | Failure::Panic(error) | Failure::Outage(error) => {
                units.push(self.die(&taken, error))
            }
            Failure::Transient { error, not_before_us } => {
                let burn = self.burn(&mut taken, error, not_before_us);
                units.push(Unit { changes: vec![burn], ..Unit::default() });
                self.take_open(taken, &mut units)?;
            }
        }
        self.go_on(&key, &mut units)?;
        self.done(units);
        Ok(())
    }

    /// Charges the message with a failed attempt, in memory and, by the change, in the table.
    pub(super) fn burn(&self, taken: &mut Taken, error: String, not_before_us: i64) -> Change {
        taken.attempts += 1;
        taken.last_error = Some(error.clone());
        let available_at_us = self.hub.retries.available_at_us(taken.attempts, &self.hub.environment);
        taken.available_at_us = available_at_us.max(not_before_us);
        self.lane.status.attempts_failed.fetch_add(1, Relaxed);
        Change::Burn(Burn {
            position: taken.message.position,
            attempt: taken.attempts,
            cause: Cause::Error,
            error,
            generation: self.generation,
            available_at_us: taken.available_at_us,
        })
    }

    /// Past the limit of attempts.
    pub(super) fn give_up(&mut self, taken: &Taken) -> Unit {
        let error = taken.last_error.as_deref().unwrap_or("it failed without a word");
        self.die(taken, format!("failed {} times, last: {error}", taken.attempts))
    }

    /// The message becomes a dead letter; its key goes on or is held, as the context says.
    pub(super) fn die(&mut self, taken: &Taken, reason: String) -> Unit {
        let message = &taken.message;
        let mut unit = self.finish_unit(message, Outcome::Dead { reason }, Vec::new());
        if C::AFTER_DEAD == AfterDead::Hold {
            let by = DeadLetterId { position: message.position, reader: String::new() };
            let held = Held { by, lets: None, since: self.submitted + 1 };
            if let Some(done) = &mut unit.handled {
                done.holds = true;
            }
            self.hold(&message.key, held);
        }
        unit
    }

    fn hold(&mut self, key: &Key, held: Held) {
        let reason = format!("held by dead letter {}", held.by.position);
        self.lane.status.waits.begin(key, reason, None, &self.hub.environment);
        if let Some(cell) = self.cells.get_mut(key) {
            cell.gate = Gate::Held(held.clone());
        }
        self.held.insert(key.clone(), held);
    }

    /// Takes a replayed message that came before its key knew of it.
    async fn let_pass(&mut self, key: &Key, id: Uuid) -> Result<(), ActorProcessingErr> {
        let Some(cell) = self.cells.get_mut(key) else { return Ok(()) };
        let at = cell.parked.iter().position(|taken| taken.message.id == id);
        let mut found = at.and_then(|n| cell.parked.remove(n));
        if found.is_none() && cell.left_from.is_some() {
            let hub = &self.hub;
            let status = hub.patiently(|| hub.store.message(id)).await?;
            found = status.filter(|status| status.envelope.position <= self.read_to).and_then(|status| {
                let WaitingStatus { attempts, available_at_us, last_error } = status.waiting?;
                let message = Arc::new(status.envelope);
                Some(Taken { message, attempts, crashes: 0, available_at_us, last_error })
            });
        }
        let mut units = Vec::new();
        if let Some(taken) = found {
            self.take(taken, &mut units)?;
        }
        self.done(units);
        Ok(())
    }

    /// An operator has settled dead letters: their keys go on, a replayed message first.
    ///
    /// The table may lag behind what has happened here, so only keys that stand at a dead letter are touched, and
    /// only when that dead letter itself was on the disk.
    pub(super) async fn recheck(&mut self) -> Result<(), ActorProcessingErr> {
        let (hub, durable) = (&self.hub, self.durable);
        let listed = hub.patiently(|| hub.store.held_keys(C::NAME)).await?;
        let stands = |cell: &super::Cell<C>| match &cell.gate {
            Gate::Held(held) => Some(held.clone()),
            Gate::Open | Gate::Busy | Gate::Waiting { .. } => None,
        };
        let here: Vec<(Key, Held)> =
            self.cells.iter().filter_map(|(key, cell)| Some((key.clone(), stands(cell)?))).collect();
        self.held = held(listed.clone());
        self.held.retain(|key, _| self.cells.get(key).is_none_or(|cell| stands(cell).is_some()));
        for (key, held) in here {
            if held.since > durable {
                self.held.insert(key, held);
                continue;
            }
            let same = |other: &&HeldKey| other.key == key && other.id == held.by;
            match listed.iter().find(same).map(|found| found.replayed_as) {
                Some(None) => {
                    self.held.insert(key, held);
                }
                Some(Some(id)) => {
                    self.hold(&key, Held { lets: Some(id), ..held });
                    self.let_pass(&key, id).await?;
                }
                None => {
                    self.held.remove(&key);
                    self.open(&key)?;
                }
            }
        }
        Ok(())
    }
}
