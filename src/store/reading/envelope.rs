//! A row of `events` as the message it holds.

use super::Columns;
use crate::domain::envelope::{Envelope, Extra, Key, Kind};
use crate::store::{Found, StoreError, StoreResult, Unreadable};
use chrono::DateTime;
use std::collections::HashMap;
use std::sync::Arc;

/// `SELECT` of the columns of `events` in the order that [`envelope`] reads, and the rest of the statement.
macro_rules! columns {
    ($prefix:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $prefix,
            "position, ",
            $prefix,
            "id, ",
            $prefix,
            "kind, ",
            $prefix,
            "context, ",
            $prefix,
            "key, ",
            $prefix,
            "stream_version, ",
            $prefix,
            "type, ",
            $prefix,
            "schema_version, ",
            $prefix,
            "body, ",
            $prefix,
            "time_us, ",
            $prefix,
            "causation_id, ",
            $prefix,
            "correlation_id, ",
            $prefix,
            "trace, ",
            $prefix,
            "extra",
            $rest
        )
    };
}
pub(in crate::store) use columns;

const BODY: usize = 8;
const EXTRA: usize = 13;

pub(super) fn envelope(row: &impl Columns) -> StoreResult<Envelope> {
    let version = row.integer(7)?;
    Ok(Envelope {
        position: row.integer(0)?,
        id: row.uuid(1)?,
        kind: if row.integer(2)? == 0 { Kind::Command } else { Kind::Event },
        context: name(&row.text(3)?),
        key: Key::from(&*row.text(4)?),
        stream_version: row.maybe_integer(5)?,
        type_name: name(&row.text(6)?),
        schema_version: u16::try_from(version).unwrap_or(u16::MAX),
        body: row.string(BODY)?,
        time: DateTime::from_timestamp_micros(row.integer(9)?)
            .ok_or_else(|| damaged("a time out of range"))?,
        causation_id: row.maybe_uuid(10)?,
        correlation_id: row.uuid(11)?,
        trace: row.maybe_text(12)?.map(|text| Arc::from(&*text)),
        extra: extra(row, EXTRA)?,
    })
}

pub(super) fn extra(row: &impl Columns, column: usize) -> StoreResult<Extra> {
    let text = row.maybe_text(column)?;
    text.map_or(Ok(Extra::default()), |text| serde_json::from_str(&text).map_err(damaged))
}

/// The message of a row, or what is wrong with the row.
pub(super) fn found(row: &impl Columns) -> StoreResult<Found> {
    match envelope(row) {
        Ok(envelope) => Ok(Ok(envelope)),
        Err(error @ StoreError::Unavailable(_)) => Err(error),
        Err(error) => {
            let raw = raw(row);
            Ok(Err(Unreadable { position: row.integer(0)?, reason: error.to_string(), raw }))
        }
    }
}

/// The body and the rarer part, as they stand.
fn raw(row: &impl Columns) -> Vec<u8> {
    let mut raw = row.as_it_stands(BODY);
    let extra = row.as_it_stands(EXTRA);
    if !extra.is_empty() {
        raw.push(b'\n');
        raw.extend(extra);
    }
    raw
}

pub(in crate::store) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable {
        message: format!("a stored row does not read: {what}"),
        hint: "restore the newest backup of the store".to_owned(),
    }
}

thread_local! {
    /// Names recur in every row: one allocation each.
    static NAMES: std::cell::RefCell<HashMap<String, Arc<str>>> = std::cell::RefCell::new(HashMap::new());
}

/// Most names kept; beyond it a name costs an allocation.
const NAMES_KEPT: usize = 1024;

fn name(text: &str) -> Arc<str> {
    NAMES.with_borrow_mut(|names| {
        if let Some(known) = names.get(text) {
            return known.clone();
        }
        let shared: Arc<str> = text.into();
        if names.len() < NAMES_KEPT {
            names.insert(text.to_owned(), shared.clone());
        }
        shared
    })
}
