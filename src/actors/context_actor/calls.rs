//! Commands that want the outside called: the call is made beside the actor; its key waits, other keys do not.

use super::gates::Gate;
use super::suspects::alone;
use super::{ContextState, Msg, Taken};
use crate::actors::errand::Errand;
use crate::actors::trouble::Failure;
use crate::actors::verdict::{Record, Settled, Verdict};
use crate::domain::context::{Call, Context};
use crate::domain::envelope::{Key, Metadata};
use crate::fault;
use crate::store::{Outcome, Unit};
use ractor::ActorProcessingErr;
use tokio::sync::OwnedSemaphorePermit;

/// A message whose call has come to an end.
pub(in crate::actors) struct Called<C: Context> {
    taken: Taken,
    command: C::Command,
    settled: Settled,
    /// Of a suspect, to be given back when what comes of it is durable.
    turn: Option<OwnedSemaphorePermit>,
}

impl<C: Context> ContextState<C> {
    pub(super) fn call(
        &self,
        taken: Taken,
        command: C::Command,
        call: Call,
        turn: Option<OwnedSemaphorePermit>,
    ) {
        let errand = Errand {
            hub: self.hub.clone(),
            origin: self.origin.clone(),
            status: self.lane.status.clone(),
            message: taken.message.clone(),
            call,
        };
        let done = taken.clone();
        let suspect = turn.as_ref().map(|_| self.suspect(taken.message.position));
        let (hub, status) = (self.hub.clone(), self.lane.status.clone());
        self.beside(taken, async move {
            if let (Some(suspect), Some(turn)) = (&suspect, turn) {
                suspect.rest(turn).await?;
            }
            let settled = errand.run().await?;
            let key = done.message.key.clone();
            let turn = match (suspect, &settled.verdict) {
                (Some(suspect), Verdict::Response(_) | Verdict::Refused(_)) => {
                    status.waits.begin(&key, alone(), None, &hub.environment);
                    Some(suspect.take_turn().await?)
                }
                (Some(_), Verdict::Failed { .. }) | (None, _) => None,
            };
            Ok(Msg::Called(key, Box::new(Called { taken: done, command, settled, turn })))
        });
    }

    /// Decides on the answer; the mark, the events and the end of the effect are one unit.
    pub(super) fn called(&mut self, key: &Key, called: Called<C>) -> Result<(), ActorProcessingErr> {
        let Called { taken, command, settled: Settled { verdict, record }, turn } = called;
        self.permits.extend(turn);
        let verdict = match verdict {
            Verdict::Failed { error, not_before_us } => {
                self.burn_call(taken, error, not_before_us, record);
                return Ok(());
            }
            Verdict::Response(response) => Ok(response),
            Verdict::Refused(error) => Err(error),
        };
        self.lane.status.waits.end(key);
        self.blame(taken.message.position, taken.attempts);
        self.slot.mark(taken.message.position);
        let Some(cell) = self.cells.get_mut(key) else { return Ok(()) };
        cell.gate = Gate::Open;
        let metadata = Metadata::of(&taken.message);
        let decided = match verdict {
            Ok(response) => Ok(C::answered(&cell.state, &command, &response, &metadata)),
            Err(error) => C::refused(&cell.state, &command, &error, &metadata).ok_or(error),
        };
        let decided = match decided {
            Ok(decided) => decided.map_err(|rejection| Outcome::Rejected { rejection }),
            Err(reason) => Err(Outcome::Dead { reason }),
        };
        let mut unit = self.conclude(&taken, decided)?;
        let Record { changes, messages, told } = record;
        unit.changes.extend(changes);
        unit.messages.extend(messages);
        self.told.extend(told);
        let mut units = vec![unit];
        self.go_on(key, &mut units)?;
        self.done(units);
        Ok(())
    }

    /// Its key stays busy until the failed attempt is on the disk with the end of the effect: the next attempt goes
    /// by what stands on the ledger.
    fn burn_call(&mut self, mut taken: Taken, error: String, not_before_us: i64, record: Record) {
        let Record { mut changes, messages, told } = record;
        changes.push(self.burn(&mut taken, error, not_before_us));
        let unit = Unit { changes, messages, ..Unit::default() };
        let (hub, origin) = (self.hub.clone(), self.origin.clone());
        let again = Box::new(taken.clone());
        self.beside(taken, async move {
            hub.journal.commit(origin, vec![unit]).await.map_err(Failure::of_store)?;
            fault::point("retry.recorded");
            if let Some(told) = told {
                told.durable();
            }
            Ok(Msg::Again(again))
        });
    }

    /// Its failed attempt is on the disk.
    pub(super) fn again(&mut self, taken: Taken) -> Result<(), ActorProcessingErr> {
        let key = taken.message.key.clone();
        self.lane.status.waits.end(&key);
        let Some(cell) = self.cells.get_mut(&key) else { return Ok(()) };
        cell.gate = Gate::Open;
        let mut units = Vec::new();
        self.take_open(taken, &mut units)?;
        self.go_on(&key, &mut units)?;
        self.done(units);
        Ok(())
    }
}
