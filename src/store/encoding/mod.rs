//! The rarer parts of a group of units as JSON texts of rows, which each engine's statements unpack.

pub(super) mod changes;
mod rows;

pub(super) use rows::{JsonRow, JsonRows};

use super::{Snapshot, StoreResult, Unit};
use crate::domain::context::RowChange;
use std::collections::HashMap;

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

/// Changed rows of one read model's table. Of several changes of one row the last counts.
pub(in crate::store) fn rows_of<'u>(units: &'u [Unit], table: &str) -> Vec<&'u RowChange> {
    let changes = units.iter().filter_map(|unit| unit.table.as_ref()).filter(|change| change.table == table);
    let all: Vec<&RowChange> = changes.flat_map(|change| &change.rows).collect();
    if all.len() < 2 {
        return all;
    }
    let newest: HashMap<&str, usize> = all.iter().enumerate().map(|(n, row)| (&*row.key, n)).collect();
    all.iter().enumerate().filter(|(n, row)| newest.get(&*row.key) == Some(n)).map(|(_, row)| *row).collect()
}

/// Names of the read models' tables that have changed rows.
pub(in crate::store) fn tables(units: &[Unit]) -> Vec<&str> {
    let mut names: Vec<&str> =
        units.iter().filter_map(|unit| unit.table.as_ref()).map(|change| &*change.table).collect();
    names.sort_unstable();
    names.dedup();
    names
}
