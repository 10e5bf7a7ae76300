//! What a reader cannot read: a dead letter of its own, committed with its checkpoint, and the reader goes on.

use super::hub::Hub;
use crate::domain::envelope::{Envelope, Key};
use crate::domain::message::DecodeError;
use crate::store::{
    Burial, Change, DeadLetterId, DeadLetterQuery, DeadLetterState, Settled, StoreResult, Unreadable,
};
use std::collections::BTreeSet;

/// Dead letters read at a time.
const PAGE: u32 = 500;

pub(super) fn bury_event(reader: &str, event: &Envelope, error: &DecodeError) -> Change {
    tracing::error!(
        reader, message.id = %event.id, message.r#type = %event.type_name, %error,
        "an event does not read; the reader goes on without it"
    );
    Change::Bury(Burial {
        id: DeadLetterId { position: event.position, reader: reader.to_owned() },
        context: event.context.clone(),
        key: event.key.clone(),
        type_name: event.type_name.clone(),
        reason: error.to_string(),
        holds: false,
        raw: None,
    })
}

/// A row that does not even say what it is may be of interest, so whoever reads past it says so.
pub(super) fn bury_row(reader: &str, row: &Unreadable) -> Change {
    tracing::error!(reader, message.position = row.position, row.reason, "a stored row does not read");
    Change::Bury(Burial {
        id: DeadLetterId { position: row.position, reader: reader.to_owned() },
        context: "".into(),
        key: Key::from(""),
        type_name: "".into(),
        reason: format!("the stored row does not read: {}", row.reason),
        holds: false,
        raw: Some(row.raw.clone()),
    })
}

/// Positions of the events that this reader could not read and nobody has settled.
pub(super) async fn unread_by(hub: &Hub, reader: &str) -> StoreResult<BTreeSet<i64>> {
    let mut positions = BTreeSet::new();
    let mut query =
        DeadLetterQuery { state: Some(DeadLetterState::Open), limit: PAGE, ..DeadLetterQuery::default() };
    loop {
        let letters = hub.patiently(|| hub.store.dead_letters(query.clone())).await?;
        let own = letters.iter().filter(|letter| letter.id.reader == reader);
        positions.extend(own.map(|letter| letter.id.position));
        match letters.last() {
            Some(last) if letters.len() >= PAGE as usize => query.before = Some(last.id.clone()),
            Some(_) | None => return Ok(positions),
        }
    }
}

/// What could not be read before and can be now.
pub(super) fn settle(reader: &str, positions: impl Iterator<Item = i64>) -> impl Iterator<Item = Change> {
    positions.map(move |position| Change::SettleDeadLetter {
        id: DeadLetterId { position, reader: reader.to_owned() },
        how: Settled::Discarded,
        note: "read when the read model was rebuilt".to_owned(),
    })
}
