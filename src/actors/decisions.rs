//! What an operator decides about effects that nobody knows the end of.

use super::hub::Hub;
use super::journal::Origin;
use crate::domain::operations::{self, EffectDecided, Reason};
use crate::store::{Change, EffectEnd, EffectQuery, EffectState, StoreError, StoredEffect, Unit};
use thiserror::Error;
use uuid::Uuid;

/// Why nothing was decided.
#[derive(Clone, Debug, Error)]
pub enum Undecided {
    #[error("no effect has the id {0}")]
    NoSuchEffect(Uuid),
    #[error("this effect is {}, not unknown", state.name())]
    NotUnknown { state: EffectState },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hub {
    /// Puts an unknown effect right, with who and why; the command that it belongs to goes on.
    ///
    /// # Errors
    /// When there is no such effect, or it is known what became of it.
    pub async fn decide_effect(
        &self,
        id: Uuid,
        end: EffectEnd,
        reason: Reason,
    ) -> Result<StoredEffect, Undecided> {
        let found = self.effect(id).await?;
        if found.state != EffectState::Unknown {
            return Err(Undecided::NotUnknown { state: found.state });
        }
        let done = matches!(end, EffectEnd::Done { .. });
        let event = EffectDecided { reason, done }.into();
        let (notice_id, now) = (self.environment.new_id(), self.environment.now());
        let notice = operations::notice(id.to_string(), &event, notice_id, now, None);
        let notice = notice.map_err(|error| StoreError::Refused(error.to_string()))?;
        let changes = vec![Change::DecideEffect { id, end }];
        let unit = Unit { messages: vec![notice], changes, ..Unit::default() };
        self.journal.commit(Origin::Edge, vec![unit]).await?;
        self.gateways.decided.send_replace(());
        self.effect(id).await
    }

    /// # Errors
    /// When there is no such effect.
    pub async fn effect(&self, id: Uuid) -> Result<StoredEffect, Undecided> {
        let query = EffectQuery { id: Some(id), limit: 1, ..EffectQuery::default() };
        self.store.effects(query).await?.pop().ok_or(Undecided::NoSuchEffect(id))
    }
}
