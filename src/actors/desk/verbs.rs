//! Editing and discarding.

use super::{Desk, DeskError, commit, notice, wake};
use crate::domain::context::Rejection;
use crate::domain::operations::{DeadLetterDiscarded, DeadLetterEdited, Reason};
use crate::store::{Change, DeadLetter, DeadLetterId, Settled, Unit};

impl Desk {
    /// Puts another body in the place of a command's own, for the replay to come.
    ///
    /// # Errors
    /// When it is settled or an event, or the body is not one of its type.
    pub async fn edit(&self, id: &DeadLetterId, body: &str, reason: Reason) -> Result<DeadLetter, DeskError> {
        let _turn = self.0.verbs.lock().await;
        let letter = self.open(id).await?;
        if !id.reader.is_empty() {
            return Err(DeskError::AnEvent(id.clone()));
        }
        let rules = self.0.contexts.get(&*letter.context).ok_or_else(|| unknown(&letter))?;
        let (_, body) = rules.check(&letter.type_name, body).map_err(DeskError::Invalid)?;
        let message = self.message(id.position).await?;
        let unit = Unit {
            messages: vec![notice(&self.0, id, DeadLetterEdited { reason }, message.as_ref())?],
            changes: vec![Change::EditDeadLetter { id: id.clone(), body }],
            ..Unit::default()
        };
        commit(&self.0, unit).await?;
        self.find(id).await
    }

    /// Gives it up, with a reason.
    ///
    /// # Errors
    /// When it is settled.
    pub async fn discard(&self, id: &DeadLetterId, reason: Reason) -> Result<DeadLetter, DeskError> {
        let _turn = self.0.verbs.lock().await;
        let letter = self.open(id).await?;
        self.discard_open(&letter, reason).await?;
        self.find(id).await
    }

    /// To be called when it is one's turn.
    pub(super) async fn discard_open(&self, letter: &DeadLetter, reason: Reason) -> Result<(), DeskError> {
        let id = &letter.id;
        let message = self.message(id.position).await?;
        let note = reason.why.clone();
        let unit = Unit {
            messages: vec![notice(&self.0, id, DeadLetterDiscarded { reason }, message.as_ref())?],
            changes: vec![Change::SettleDeadLetter { id: id.clone(), how: Settled::Discarded, note }],
            ..Unit::default()
        };
        commit(&self.0, unit).await?;
        wake(&self.0, letter);
        Ok(())
    }
}

pub(super) fn unknown(letter: &DeadLetter) -> DeskError {
    let message = format!("this program has no context called {:?}", letter.context);
    DeskError::Invalid(Rejection::invalid("", message, "run the version that wrote it, or discard it"))
}
