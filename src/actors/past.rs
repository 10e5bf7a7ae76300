//! An aggregate as it was at any position: its events up to there, folded on a copy.

use super::hub::Hub;
use crate::domain::envelope::Key;
use crate::domain::message::DecodeError;
use crate::domain::rehearsal::StateFold;
use crate::store::{StoreError, StoreResult};
use serde_json::Value;

/// Events folded at a time.
const PAGE: u32 = 1000;

/// What is known of an aggregate at a position.
#[derive(Clone, Debug, PartialEq)]
pub struct PastState {
    /// Of its last event up to there; 0 when there was none.
    pub version: i64,
    pub state: Value,
    /// Set when an event does not read or fold: the state is that before it.
    pub stopped: Option<Stopped>,
}

/// Where a fold could not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub position: i64,
    pub reason: String,
}

/// A fold with how far it came.
pub(super) struct Folded {
    pub fold: Box<dyn StateFold>,
    pub version: i64,
    pub stopped: Option<Stopped>,
}

impl Hub {
    /// The state of an aggregate when everything up to a position had happened and nothing after. `None`: there
    /// is no such context.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn state_at(&self, context: &str, key: &Key, position: i64) -> StoreResult<Option<PastState>> {
        let Some(folded) = self.folded_to(context, key, position).await? else { return Ok(None) };
        let Folded { fold, version, stopped } = folded;
        let shown = self.environment.heavy(move || fold.shown()).await;
        let state = shown.map_err(defect)?.map_err(|error| defect(error.to_string()))?;
        Ok(Some(PastState { version, state, stopped }))
    }

    /// A fold of an aggregate's events up to a position.
    pub(super) async fn folded_to(
        &self,
        context: &str,
        key: &Key,
        position: i64,
    ) -> StoreResult<Option<Folded>> {
        let Some(rules) = self.contexts.get(context) else { return Ok(None) };
        let mut folded = Folded { fold: rules.fold(), version: 0, stopped: None };
        loop {
            let read = self.store.stream_after(context, key.clone(), folded.version, position, PAGE).await?;
            let full = read.events.len() >= PAGE as usize;
            let Folded { mut fold, mut version, .. } = folded;
            let folding = move || {
                let mut stopped = None;
                for event in &read.events {
                    if let Err(error) = fold.take(event) {
                        stopped = Some(stop(event.position, &error));
                        break;
                    }
                    version = event.stream_version.unwrap_or(version);
                }
                let unreadable =
                    read.unreadable.map(|row| Stopped { position: row.position, reason: row.reason });
                Folded { fold, version, stopped: stopped.or(unreadable) }
            };
            folded = self.environment.heavy(folding).await.map_err(defect)?;
            if !full || folded.stopped.is_some() {
                return Ok(Some(folded));
            }
        }
    }
}

fn stop(position: i64, error: &DecodeError) -> Stopped {
    Stopped { position, reason: error.to_string() }
}

/// A fold is total, so this is ours to mend.
fn defect(reason: String) -> StoreError {
    StoreError::Unusable {
        message: format!("the events do not fold: {reason}"),
        hint: "this is a defect of the program; report it with the context and the key".to_owned(),
    }
}
