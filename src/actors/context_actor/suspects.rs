//! Suspects of having killed the process: handled one at a time, and marked durably before.

use super::gates::Gate;
use super::{ContextState, Msg, Taken};
use crate::actors::hub::Hub;
use crate::actors::journal::Origin;
use crate::actors::trouble::Failure;
use crate::domain::context::Context;
use crate::domain::envelope::Key;
use crate::store::{Change, Unit};
use ractor::ActorProcessingErr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// One suspect, for work beside its actor.
pub(super) struct Suspect {
    hub: Arc<Hub>,
    origin: Origin,
    position: i64,
    generation: u64,
}

impl Suspect {
    /// From here on it is handled alone, and a death of the process is charged to it.
    pub(super) async fn take_turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let permit = self.hub.alone.clone().acquire_owned().await.map_err(Failure::transient)?;
        self.note(Change::Start { position: self.position, generation: self.generation }).await?;
        Ok(permit)
    }

    /// From here on it only waits, which may be for days: others have their turn, and a death of the process is none
    /// of its doing.
    pub(super) async fn rest(&self, turn: OwnedSemaphorePermit) -> Result<(), Failure> {
        self.note(Change::Rest { position: self.position }).await?;
        drop(turn);
        Ok(())
    }

    async fn note(&self, change: Change) -> Result<(), Failure> {
        let unit = Unit { changes: vec![change], ..Unit::default() };
        let noted = self.hub.journal.commit(self.origin.clone(), vec![unit]).await;
        noted.map(drop).map_err(Failure::of_store)
    }
}

impl<C: Context> ContextState<C> {
    pub(super) fn suspect(&self, position: i64) -> Suspect {
        let (hub, origin, generation) = (self.hub.clone(), self.origin.clone(), self.generation);
        Suspect { hub, origin, position, generation }
    }

    /// Its key waits until no other suspect is handled.
    pub(super) fn wait_for_turn(&mut self, taken: Taken) {
        let (key, position) = (taken.message.key.clone(), taken.message.position);
        let Some(cell) = self.cells.get_mut(&key) else { return };
        cell.gate = Gate::Busy;
        cell.parked.push_front(taken.clone());
        self.lane.status.waits.begin(&key, alone(), None, &self.hub.environment);
        let suspect = self.suspect(position);
        self.beside(taken, async move {
            let turn = suspect.take_turn().await?;
            Ok(Msg::Alone(key, position, turn))
        });
    }

    pub(super) fn alone(
        &mut self,
        key: &Key,
        position: i64,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), ActorProcessingErr> {
        let first = self.cells.get(key).and_then(|cell| cell.parked.front());
        if first.is_none_or(|first| first.message.position != position) {
            return Ok(());
        }
        self.lane.status.waits.end(key);
        let Some(cell) = self.cells.get_mut(key) else { return Ok(()) };
        cell.gate = Gate::Open;
        let mut units = Vec::new();
        if let Some(suspect) = cell.parked.pop_front() {
            self.decide(suspect, &mut units, Some(permit))?;
        }
        self.go_on(key, &mut units)?;
        self.done(units);
        Ok(())
    }
}

/// Why it waits.
pub(super) fn alone() -> String {
    "alone, because the process has died over it".to_owned()
}
