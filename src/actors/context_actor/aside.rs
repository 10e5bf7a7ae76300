//! Decisions that rest on more than their aggregate are made beside the actor; their key waits, other keys do not.

use super::gates::Gate;
use super::{ContextState, Msg, Taken};
use crate::actors::facts::{catch_up, has_caught_up};
use crate::actors::tasks;
use crate::actors::trouble::Failure;
use crate::domain::context::{Context, Rejection};
use crate::domain::envelope::{Key, Metadata};
use crate::domain::message::Message;
use crate::fault;
use crate::store::{Outcome, Unit};
use ractor::ActorProcessingErr;
use std::future::Future;
use tokio::sync::OwnedSemaphorePermit;

/// What came of a message that was decided beside the actor.
pub(in crate::actors) struct Prepared<C: Context> {
    taken: Taken,
    result: Result<Vec<C::Event>, Outcome>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<C: Context> ContextState<C> {
    /// Decides now, or beside the actor what needs more than the aggregate.
    pub(super) fn decide(
        &mut self,
        taken: Taken,
        units: &mut Vec<Unit>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(), ActorProcessingErr> {
        let message = &taken.message;
        self.blame(message.position, taken.attempts);
        if taken.attempts > 0 {
            self.retried.insert(message.position, taken.attempts);
        }
        self.slot.mark(message.position);
        fault::point("handle.before");
        fault::handling(message.key.as_str());
        let Some(cell) = self.cells.get_mut(&message.key) else { return Ok(()) };
        if let Some(reason) = cell.unreadable.clone() {
            units.push(self.die(&taken, reason));
            return Ok(());
        }
        if message.is_erased() {
            let rejection =
                Rejection::not_found("the person this is about was erased", "nothing is left of it");
            units.push(self.conclude(&taken, Err(Outcome::Rejected { rejection }))?);
            return Ok(());
        }
        let command = match C::Command::decode(&message.type_name, message.schema_version, &message.body) {
            Ok(command) => command,
            Err(error) => {
                units.push(self.die(&taken, error.to_string()));
                return Ok(());
            }
        };
        let metadata = Metadata::of(message);
        let called = C::call(&cell.state, &command, &metadata);
        if let Ok(Some(call)) = called {
            cell.gate = Gate::Busy;
            self.call(taken, command, call, permit);
            return Ok(());
        }
        if called.is_ok() && !C::needs(&command).is_empty() {
            cell.gate = Gate::Busy;
            self.prepare(taken, command, permit);
            return Ok(());
        }
        self.permits.extend(permit);
        let decided = called.and_then(|_| C::decide(&cell.state, &command, &C::Facts::default(), &metadata));
        let decided = decided.map_err(|rejection| Outcome::Rejected { rejection });
        units.push(self.conclude(&taken, decided)?);
        Ok(())
    }

    /// Gathers facts and decides.
    pub(super) fn prepare(&self, taken: Taken, command: C::Command, turn: Option<OwnedSemaphorePermit>) {
        let state = self.cells.get(&taken.message.key).map(|cell| cell.state.clone()).unwrap_or_default();
        let (hub, gathering) = (self.hub.clone(), self.gathering.clone());
        let waits = self.lane.status.clone();
        let done = taken.clone();
        let suspect = self.suspect(taken.message.position);
        self.beside(taken, async move {
            let (message, needs) = (&done.message, C::needs(&command));
            let permit = match turn {
                Some(turn) if !has_caught_up(&hub, &needs, message) => {
                    suspect.rest(turn).await?;
                    catch_up(&hub, &waits, &needs, message).await?;
                    Some(suspect.take_turn().await?)
                }
                turn => turn,
            };
            let result = gathering.decide(&hub, &waits, message, command, state).await?;
            fault::point("handle.gathered");
            let key = message.key.clone();
            Ok(Msg::Decided(key, Box::new(Prepared { taken: done, result, permit })))
        });
    }

    /// Work for a message whose key is busy: what it fails with, and its panic, come back with the message.
    pub(super) fn beside(
        &self,
        taken: Taken,
        work: impl Future<Output = Result<Msg<C>, Failure>> + Send + 'static,
    ) {
        let (myself, died, panicked) = (self.myself.clone(), self.myself.clone(), taken.clone());
        tasks::watched(
            async move {
                let message = work.await.unwrap_or_else(|failure| Msg::Failed(taken, failure));
                drop(myself.cast(message));
            },
            move |panic| drop(died.cast(Msg::Failed(panicked, Failure::Panic(panic)))),
        );
    }

    pub(super) fn decided(&mut self, key: &Key, prepared: Prepared<C>) -> Result<(), ActorProcessingErr> {
        self.permits.extend(prepared.permit);
        if let Some(cell) = self.cells.get_mut(key) {
            cell.gate = Gate::Open;
        }
        let mut units = vec![self.conclude(&prepared.taken, prepared.result)?];
        self.go_on(key, &mut units)?;
        self.done(units);
        Ok(())
    }
}
