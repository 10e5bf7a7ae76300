//! A dry run: the real handler on a copy of the present state. Nothing is called and nothing is kept.

use super::{Desk, DeskError};
use crate::actors::facts::rows_of;
use crate::domain::context::{Need, Rows};
use crate::domain::envelope::Envelope;
use crate::domain::rehearsal::Rehearsal;
use crate::store::DeadLetterId;
use serde::Serialize;
use std::time::Duration;

/// How long it may take read models to catch up with what was committed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a replay would end if it were handled now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DryRun {
    Ended(Rehearsal),
    Failed(Failed),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Failed {
    /// The handler panics, with this message.
    Panic { reason: String },
    /// It does not read, or what it needs does not.
    Error { reason: String },
}

impl Desk {
    /// What a replay would lead to now.
    ///
    /// # Errors
    /// When it is an event, does not read at all, or the store cannot be read.
    pub async fn dry_run(&self, id: &DeadLetterId) -> Result<DryRun, DeskError> {
        let letter = self.find(id).await?;
        if !id.reader.is_empty() {
            return Err(DeskError::AnEvent(id.clone()));
        }
        let dead = self.message(id.position).await?;
        let message = self.replay_of(&letter, dead.as_ref())?;
        let newest = self.0.store.last_position().await?;
        self.rehearse(Envelope { position: newest + 1, ..message }, newest).await
    }

    async fn rehearse(&self, message: Envelope, newest: i64) -> Result<DryRun, DeskError> {
        let hub = &self.0;
        let Some(folded) = hub.folded_to(&message.context, &message.key, newest).await? else {
            return Ok(error(format!("this program has no context called {:?}", message.context)));
        };
        if let Some(stopped) = folded.stopped {
            let reason =
                format!("the event at position {} does not read: {}", stopped.position, stopped.reason);
            return Ok(error(reason));
        }
        let mut fold = folded.fold;
        let needs = match fold.needs(&message) {
            Ok(needs) => needs,
            Err(reason) => return Ok(error(reason.to_string())),
        };
        let rows = self.rows(&needs, newest).await?;
        Ok(match hub.environment.heavy(move || fold.rehearse(&message, &rows)).await {
            Ok(Ok(rehearsal)) => DryRun::Ended(rehearsal),
            Ok(Err(reason)) => error(reason.to_string()),
            Err(reason) => DryRun::Failed(Failed::Panic { reason }),
        })
    }

    async fn rows(&self, needs: &[Need], newest: i64) -> Result<Rows, DeskError> {
        let mut rows = Rows::default();
        for need in needs {
            let behind =
                || DeskError::NotYet(format!("the read model {} is not up to date", need.projection));
            let view = self.0.views.get(need.projection).ok_or_else(behind)?;
            let mut caught_up = view.caught_up.subscribe();
            let reached = caught_up.wait_for(|reached| *reached >= newest);
            let is_there = tokio::time::timeout(PATIENCE, reached).await.is_ok_and(|reached| reached.is_ok());
            if !is_there {
                return Err(behind());
            }
            rows.0.insert(need.projection, rows_of(&self.0, need, &view.table).await?);
        }
        Ok(rows)
    }
}

fn error(reason: String) -> DryRun {
    DryRun::Failed(Failed::Error { reason })
}
