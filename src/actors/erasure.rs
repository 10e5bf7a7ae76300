//! Erasing a person from a running server: the key first, then every memory and every table that held what it sealed.

use super::hub::Hub;
use super::journal::Origin;
use super::orders::Order;
use super::status::Stage;
use crate::domain::operations::{self, Event, PersonErased, Reason};
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
    /// Erases a person. When it fails half way, the key is gone already and the next start carries on.
    ///
    /// # Errors
    /// When the store refuses or an actor does not come back in time.
    pub async fn erase(self: &Arc<Self>, person: Uuid, reason: Reason) -> StoreResult<Erasure> {
        self.detached(move |hub| async move { hub.erase_now(person, reason).await }).await
    }

    async fn erase_now(self: Arc<Self>, person: Uuid, reason: Reason) -> StoreResult<Erasure> {
        let mut rows = self.store.erase(person).await?;
        self.forget_recent();
        self.restart_contexts().await?;
        // What was on its way to the disk when the key went.
        let drop_snapshots = Unit { changes: vec![Change::DropSnapshots], ..Unit::default() };
        let told = self.told(&person.to_string(), &PersonErased { reason }.into())?;
        let units = vec![drop_snapshots, Unit { messages: vec![told], ..Unit::default() }];
        self.journal.commit(operations_origin(), units).await?;
        let rebuilt = self.rebuild_all().await?;
        rows += self.store.erase(person).await?;
        self.forget_recent();
        self.store.compact().await?;
        self.replace_backups(person).await?;
        tracing::info!(%person, rows, "a person was erased");
        Ok(Erasure { person, rows, rebuilt })
    }

    /// What is in the backups of before cannot be taken out of them.
    async fn replace_backups(self: &Arc<Self>, person: Uuid) -> StoreResult<()> {
        let Some(upkeep) = self.upkeep.as_ref() else { return Ok(()) };
        if list(&upkeep.folder)?.is_empty() {
            return Ok(());
        }
        let why = format!("{person} was erased");
        self.back_up(Reason { by: operations::NAME.to_owned(), why }).await?;
        keep(&upkeep.folder, 1)?;
        Ok(())
    }

    fn told(&self, key: &str, event: &Event) -> StoreResult<crate::domain::envelope::Envelope> {
        let (id, now) = (self.environment.new_id(), self.environment.now());
        crate::domain::operations::notice(key, event, id, now, None)
            .map_err(|error| StoreError::Refused(error.to_string()))
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
