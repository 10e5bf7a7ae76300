//! What a reader cannot read: a dead letter of its own, committed with its checkpoint, and the reader goes on.

use super::hub::Hub;
use crate::domain::envelope::{Envelope, Key};
use crate::domain::message::DecodeError;
use crate::domain::operations::{self, DeadLetterAdded};
use crate::store::{
    Burial, Change, DeadLetterId, DeadLetterQuery, DeadLetterState, Settled, StoreResult, Unreadable,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Dead letters read at a time.
const PAGE: u32 = 500;

/// What goes into the unit of a reader that goes on past something.
#[derive(Default)]
pub(super) struct Buried {
    pub changes: Vec<Change>,
    /// Events that somebody is to be told of.
    pub alerts: Vec<Envelope>,
}

impl Buried {
    pub(super) fn event(&mut self, reader: &str, event: &Envelope, error: &DecodeError, now: DateTime<Utc>) {
        tracing::error!(
            reader, message.id = %event.id, message.r#type = %event.type_name, %error,
            "an event does not read; the reader goes on without it"
        );
        let burial = Burial {
            id: DeadLetterId { position: event.position, reader: reader.to_owned() },
            context: event.context.clone(),
            key: event.key.clone(),
            type_name: event.type_name.clone(),
            reason: error.to_string(),
            holds: false,
            raw: None,
        };
        self.add(burial, Some(event), now);
    }

    /// A row that does not even say what it is may be of interest, so whoever reads past it says so.
    pub(super) fn row(&mut self, reader: &str, row: &Unreadable, now: DateTime<Utc>) {
        tracing::error!(reader, message.position = row.position, row.reason, "a stored row does not read");
        let burial = Burial {
            id: DeadLetterId { position: row.position, reader: reader.to_owned() },
            context: "".into(),
            key: Key::from(""),
            type_name: "".into(),
            reason: format!("the stored row does not read: {}", row.reason),
            holds: false,
            raw: Some(row.raw.clone()),
        };
        self.add(burial, None, now);
    }

    fn add(&mut self, burial: Burial, cause: Option<&Envelope>, now: DateTime<Utc>) {
        let DeadLetterId { position, reader } = &burial.id;
        let added = DeadLetterAdded {
            position: *position,
            reader: Some(reader.clone()),
            context: burial.context.to_string(),
            key: burial.key.to_string(),
            type_name: burial.type_name.to_string(),
            error: burial.reason.clone(),
        };
        // With the time, because whoever folds from the first event on comes past here again.
        let seed = format!("{position}/{reader}@{}", now.timestamp_micros());
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes());
        let alert = operations::notice(format!("{position}/{reader}"), &added.into(), id, now, cause);
        match alert {
            Ok(alert) => self.alerts.push(alert),
            Err(error) => tracing::error!(%error, "an alert could not be written"),
        }
        self.changes.push(Change::Bury(burial));
    }
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
