//! Turns a group of units into the few JSON texts that one transaction's set-based statements unpack.

use crate::domain::context::RowChange;
use crate::domain::envelope::{Envelope, Kind};
use crate::store::encoding::JsonRows;
use crate::store::{Handled, Outcome, StoreError, StoreResult};
use std::fmt::Write;

// Parameters are `$n`, not `?n`: SQLite counts the numbers that `?n` leaves out, and sqlx then binds shifted values.

/// `$1` first position, `$2` epoch, `$3` messages. A lost epoch reads as NULL, which `epoch` refuses.
pub const MESSAGES_SQL: &str = "
INSERT INTO events (position, id, kind, context, key, stream_version, type, schema_version, body, time_us,
                    causation_id, correlation_id, trace, extra, epoch)
SELECT $1 + m.key, unhex(m.value ->> 0), m.value ->> 1, m.value ->> 2, m.value ->> 3, m.value ->> 4,
       m.value ->> 5, m.value ->> 6, m.value -> 7, m.value ->> 8, unhex(m.value ->> 9),
       unhex(m.value ->> 10), m.value ->> 11, m.value ->> 12,
       (SELECT epoch FROM process_epoch WHERE epoch = $2)
FROM jsonb_each($3) AS m;
INSERT INTO inbox (position, context)
SELECT position, context FROM events WHERE position >= $1 AND kind = 0;";

/// `$4` handled commands: position, status, offset of the first message caused, their count, answer, time.
pub const HANDLED_SQL: &str = "
INSERT INTO outcomes (position, status, first_position, last_position, answer, at_us, epoch)
SELECT h.value ->> 0, h.value ->> 1, $1 + (h.value ->> 2), $1 + (h.value ->> 2) + (h.value ->> 3) - 1,
       h.value ->> 4, h.value ->> 5, (SELECT epoch FROM process_epoch WHERE epoch = $2)
FROM jsonb_each($4) AS h;
DELETE FROM inbox WHERE position IN (SELECT h.value ->> 0 FROM jsonb_each($4) AS h);";

/// Goes before [`HANDLED_SQL`] in a group with dead letters, while their inbox rows still stand.
pub(super) const DEAD_SQL: &str = "
INSERT INTO dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position, holds, state,
                          raw)
SELECT e.position, '', e.context, e.key, e.type, i.attempts, h.value ->> 4, h.value ->> 5, $1 - 1, h.value ->> 6, 0,
       unhex(h.value ->> 7)
FROM jsonb_each($4) AS h
JOIN events AS e ON e.position = h.value ->> 0
JOIN inbox AS i ON i.position = e.position
WHERE h.value ->> 1 = 2;";

/// Fences a group whose other statements do not: refused as they are when the epoch is lost, else without effect.
pub(super) const EPOCH_SQL: &str = "
INSERT INTO checkpoints (reader, position, epoch)
SELECT '', 0, NULL WHERE NOT EXISTS (SELECT 1 FROM process_epoch WHERE epoch = $2);";

pub(super) const SNAPSHOTS_SQL: &str = "
INSERT OR REPLACE INTO snapshots (context, key, stream_version, state_version, code_hash, body)
SELECT s.value ->> 0, s.value ->> 1, s.value ->> 2, s.value ->> 3, s.value ->> 4, s.value ->> 5
FROM jsonb_each($5) AS s;";

pub(super) const CHECKPOINTS_SQL: &str = "
INSERT INTO checkpoints (reader, position, epoch)
SELECT c.value ->> 0, c.value ->> 1, (SELECT epoch FROM process_epoch WHERE epoch = $2)
FROM jsonb_each($6) AS c WHERE true
ON CONFLICT (reader) DO UPDATE SET position = excluded.position, epoch = excluded.epoch;";

pub(super) const IDEMPOTENCY_SQL: &str = "
INSERT INTO idempotency (digest, body_digest, message_id, at_us)
SELECT unhex(k.value ->> 0), unhex(k.value ->> 1), unhex(k.value ->> 2), k.value ->> 3 FROM jsonb_each($7) AS k;";

/// Changed rows of one read model's table, given as parameter `$n`; with those to be deleted if there are any.
#[must_use]
pub fn table_sql(table: &str, n: usize, deletes: bool) -> String {
    let (changed, mut sql) = (if deletes { "json_array_length(r.value) = 4" } else { "true" }, String::new());
    // Writing to a text cannot fail.
    let _ = write!(
        sql,
        "
INSERT INTO \"{table}\" (key, sort, search, body)
SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value -> 3
FROM jsonb_each(${n}) AS r WHERE {changed}
ON CONFLICT (key) DO UPDATE SET sort = excluded.sort, search = excluded.search, body = excluded.body;"
    );
    if deletes {
        let _ = write!(
            sql,
            "
DELETE FROM \"{table}\" WHERE key IN (
    SELECT r.value ->> 0 FROM jsonb_each(${n}) AS r WHERE json_array_length(r.value) = 1);"
        );
    }
    sql
}

/// Rows for [`MESSAGES_SQL`].
///
/// # Errors
/// When a value has no JSON form.
pub fn encode_messages<'a>(messages: impl Iterator<Item = &'a Envelope>) -> StoreResult<String> {
    // Grows where it must: freeing a large text makes the allocator tidy up.
    let mut rows = JsonRows::with_capacity(16 * 1024);
    for message in messages {
        encode_message(&mut rows, message)?;
    }
    rows.finish()
}

fn encode_message(rows: &mut JsonRows, message: &Envelope) -> StoreResult<()> {
    let mut row = rows.row();
    row.uuid(&message.id);
    row.value(&u8::from(message.kind == Kind::Event))?;
    row.value(&*message.context)?.value(message.key.as_str())?.value(&message.stream_version)?;
    row.value(&*message.type_name)?.value(&message.schema_version)?.raw(&message.body);
    row.value(&message.time.timestamp_micros())?;
    row.optional_uuid(message.causation_id.as_ref());
    row.uuid(&message.correlation_id).value(&message.trace.as_deref())?;
    row.extra(&message.extra)?.end();
    Ok(())
}

/// Rows for [`HANDLED_SQL`]: each with the offset of its unit's first message in the group and their count.
///
/// # Errors
/// When a value has no JSON form.
pub fn encode_handled<'a>(
    handled: impl Iterator<Item = (&'a Handled, usize, usize)>,
    at_us: i64,
) -> StoreResult<String> {
    let mut rows = JsonRows::with_capacity(4 * 1024);
    for (done, offset, count) in handled {
        let mut row = rows.row();
        let (status, answer) = match &done.outcome {
            Outcome::Handled => (0, None),
            Outcome::Rejected { rejection } => {
                let text =
                    serde_json::to_string(rejection).map_err(|e| StoreError::Refused(e.to_string()))?;
                (1, Some(text))
            }
            Outcome::Dead { reason } => (2, Some(reason.clone())),
        };
        row.value(&done.position)?.value(&status)?;
        row.value(&(count > 0).then_some(offset))?.value(&count)?;
        row.value(&answer)?.value(&at_us)?;
        if matches!(done.outcome, Outcome::Dead { .. }) {
            row.value(&u8::from(done.holds))?.optional_bytes(done.raw.as_deref());
        }
        row.end();
    }
    rows.finish()
}

/// Rows for [`table_sql`]: key, sort, search and body, or the key alone to delete it.
pub(super) fn encode_rows<'a>(changes: impl Iterator<Item = &'a RowChange>) -> StoreResult<String> {
    let mut rows = JsonRows::with_capacity(16 * 1024);
    for change in changes {
        let mut row = rows.row();
        row.value(&change.key)?;
        if let Some(stored) = &change.row {
            row.value(&stored.sort)?.value(&stored.search)?.raw(&stored.body);
        }
        row.end();
    }
    rows.finish()
}
