//! Erasing a person from a running server: every memory of them first, then in one transaction their key and what is
//! readable of them, then what the files and backups still hold of it.

use super::hub::Hub;
use super::journal::Origin;
use super::orders::Order;
use super::status::Stage;
use crate::domain::message::Message;
use crate::domain::operations::{self, Event, PersonErased, Reason, notice};
use crate::fault;
use crate::store::backup::{keep, list};
use crate::store::{Change, StoreError, StoreResult, Unit};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long actors may take to begin anew, and each read model to be made anew.
const PATIENCE: Duration = Duration::from_secs(600);

/// What an erasure has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erasure {
    pub person: Uuid,
    /// Rows beside the sealed messages that were changed or deleted.
    pub rows: u64,
    /// Read models that were made anew.
    pub rebuilt: Vec<&'static str>,
}

impl Hub {
    /// Erases a person. When it fails half way, nobody reads of them any more and the next start carries on.
    ///
    /// # Errors
    /// When the store refuses or an actor does not come back in time.
    pub async fn erase(self: &Arc<Self>, person: Uuid, reason: Reason) -> StoreResult<Erasure> {
        self.detached(move |hub| async move { hub.erase_now(person, reason).await }).await
    }

    async fn erase_now(self: Arc<Self>, person: Uuid, reason: Reason) -> StoreResult<Erasure> {
        self.store.begin_erasing(person).await?;
        self.forget_recent();
        self.drop_snapshots().await?;
        self.restart_contexts().await?;
        // What was on its way to the disk when they were ended.
        self.drop_snapshots().await?;
        fault::point("erase.quiet");
        self.tell_once(person, reason).await?;
        let rebuilt = self.rebuild_all().await?;
        fault::point("erase.rebuilt");
        let rows = self.store.erase(person).await?;
        self.forget_recent();
        self.store.compact().await?;
        self.end_erasure(person).await?;
        tracing::info!(%person, rows, "a person was erased");
        Ok(Erasure { person, rows, rebuilt })
    }

    /// The end of erasures that were cut off; the store has carried on with them when it was opened.
    ///
    /// # Errors
    /// When the store or the disk refuses; the next start tries again.
    pub async fn end_erasures(self: &Arc<Self>) -> StoreResult<()> {
        for person in self.store.being_erased() {
            let why = "it had begun when the server ended, or before what was restored".to_owned();
            self.tell_once(person, Reason { by: operations::NAME.to_owned(), why }).await?;
            self.end_erasure(person).await?;
        }
        Ok(())
    }

    async fn end_erasure(self: &Arc<Self>, person: Uuid) -> StoreResult<()> {
        self.replace_backups(person).await?;
        fault::point("erase.replaced");
        self.store.end_erasure(person)
    }

    /// However often somebody is erased, it is on the record once.
    async fn tell_once(&self, person: Uuid, reason: Reason) -> StoreResult<()> {
        let event = Event::from(PersonErased { reason });
        let id = Uuid::new_v5(&person, event.type_name().as_bytes());
        if self.store.message(id).await?.is_none() {
            let told = notice(person.to_string(), &event, id, self.environment.now(), None)
                .map_err(|error| StoreError::Refused(error.to_string()))?;
            let unit = Unit { messages: vec![told], ..Unit::default() };
            self.journal.commit(operations_origin(), vec![unit]).await?;
        }
        fault::point("erase.told");
        Ok(())
    }

    async fn drop_snapshots(&self) -> StoreResult<()> {
        let unit = Unit { changes: vec![Change::DropSnapshots], ..Unit::default() };
        self.journal.commit(operations_origin(), vec![unit]).await?;
        Ok(())
    }

    /// What is in the backups of before cannot be taken out of them.
    async fn replace_backups(self: &Arc<Self>, person: Uuid) -> StoreResult<()> {
        let Some(upkeep) = self.upkeep.as_ref() else { return Ok(()) };
        if list(&upkeep.folder)?.is_empty() {
            return Ok(());
        }
        let why = format!("{person} was erased");
        self.back_up(Reason { by: operations::NAME.to_owned(), why }).await?;
        fault::point("erase.backed_up");
        keep(&upkeep.folder, 1)?;
        Ok(())
    }

    /// Memories of aggregates and facts go with their actors.
    async fn restart_contexts(&self) -> StoreResult<()> {
        let paths: Vec<String> = self.lanes.values().map(|lane| lane.status.path.clone()).collect();
        let generations: Vec<u64> = self.lanes.values().map(|lane| lane.status.generation()).collect();
        for path in &paths {
            self.order(path, Order::Restart).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        }
        let back = async {
            let is_back = || {
                self.lanes.values().zip(&generations).all(|(lane, before)| {
                    lane.status.generation() > *before && lane.status.stage() == Stage::Running
                })
            };
            while !is_back() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(PATIENCE, back).await.map_err(|_| late("the contexts"))
    }

    async fn rebuild_all(&self) -> StoreResult<Vec<&'static str>> {
        let mut rebuilt = Vec::with_capacity(self.views.len());
        for name in self.views.keys() {
            let Some(stage) = self.rebuild(name) else { continue };
            let report =
                tokio::time::timeout(PATIENCE, Self::rebuilt(stage)).await.map_err(|_| late(name))?;
            report.map_err(StoreError::Unavailable)?;
            rebuilt.push(*name);
        }
        Ok(rebuilt)
    }
}

fn late(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} did not come back; the erasure is carried on at the next start"))
}

fn operations_origin() -> Origin {
    Origin::Actor { path: operations::NAME.into(), generation: 0 }
}
