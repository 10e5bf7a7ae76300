//! The rarer parts of a group of units as JSON texts of rows, which each engine's statements unpack.

pub(super) mod changes;
mod rows;

pub(super) use rows::{JsonRow, JsonRows};

use super::{Snapshot, StoreResult, Unit};

pub(in crate::store) fn snapshots<'a>(snapshots: impl Iterator<Item = &'a Snapshot>) -> StoreResult<String> {
    let mut rows = JsonRows::with_capacity(4 * 1024);
    for snapshot in snapshots {
        let mut row = rows.row();
        row.value(&*snapshot.context)?.value(snapshot.key.as_str())?.value(&snapshot.stream_version)?;
        row.value(&snapshot.mark.version)?.value(&snapshot.mark.code_hash)?.value(&snapshot.body)?.end();
    }
    rows.finish()
}

pub(in crate::store) fn checkpoints(units: &[Unit]) -> StoreResult<String> {
    let mut rows = JsonRows::with_capacity(256);
    for checkpoint in units.iter().filter_map(|unit| unit.checkpoint.as_ref()) {
        rows.row().value(&checkpoint.reader)?.value(&checkpoint.position)?.end();
    }
    rows.finish()
}

pub(in crate::store) fn idempotency(units: &[Unit], at_us: i64) -> StoreResult<String> {
    let mut rows = JsonRows::with_capacity(1024);
    for key in units.iter().filter_map(|unit| unit.idempotency.as_ref()) {
        let mut row = rows.row();
        row.bytes(&key.digest).bytes(&key.body_digest).uuid(&key.message_id).value(&at_us)?.end();
    }
    rows.finish()
}
