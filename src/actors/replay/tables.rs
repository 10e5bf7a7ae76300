//! A read model folded in memory, to be compared with its stored rows at the same position.

use super::changes::differences;
use super::report::{Fault, Report, RowFault, TableReport};
use crate::actors::projector::table_name;
use crate::domain::context::{ErasedProjection, Fold, StoredRow};
use crate::domain::envelope::{Envelope, Kind};
use crate::domain::message::DecodeError;
use crate::store::{RowQuery, Store, StoreResult};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows read at a time.
const PAGE: u32 = 1000;

/// See the module.
pub(super) struct Table {
    name: String,
    reads: &'static [&'static str],
    fold: Box<dyn Fold>,
    rows: BTreeMap<String, StoredRow>,
    /// How far its stored rows are up to date.
    position: i64,
}

impl Table {
    pub(super) async fn open(store: &dyn Store, projection: &dyn ErasedProjection) -> StoreResult<Self> {
        let name = table_name(projection);
        let position = store.checkpoint(&name).await?;
        let (reads, fold) = (projection.reads(), projection.fold());
        Ok(Self { name, reads, fold, rows: BTreeMap::new(), position })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes a page of messages; what does not read is left out, as it is by the projector.
    pub(super) fn take(&mut self, page: &[Arc<Envelope>]) -> Result<(), DecodeError> {
        let of_interest = |message: &&Arc<Envelope>| {
            message.kind == Kind::Event
                && message.position <= self.position
                && self.reads.contains(&&*message.context)
        };
        let events: Vec<_> = page.iter().filter(of_interest).cloned().collect();
        let begun = self.fold.begin(&events);
        let loaded = begun.missing.into_iter().filter_map(|key| {
            let body = self.rows.get(&key)?.body.clone();
            Some((key, body))
        });
        for change in self.fold.finish(loaded.collect())? {
            match change.row {
                Some(row) => self.rows.insert(change.key, row),
                None => self.rows.remove(&change.key),
            };
        }
        Ok(())
    }

    /// Compares what was folded with what is stored.
    pub(super) async fn compare(mut self, store: &dyn Store, report: &mut Report) -> StoreResult<()> {
        let last = report.last_position;
        if self.position > last {
            report.add(Fault::Checkpoint { reader: self.name.clone(), position: self.position, last });
        }
        let (rows, before) = (self.rows.len() as u64, report.fault_count);
        // A read model that nobody has begun has no table.
        let mut query = (self.position > 0).then(|| RowQuery { limit: PAGE, ..RowQuery::default() });
        while let Some(asked) = query.take() {
            let page = store.rows(&self.name, asked).await?;
            for (key, body) in page.rows {
                if let Some(fault) = self.row_fault(key, &body) {
                    report.add(fault);
                }
            }
            query =
                page.next.map(|after| RowQuery { limit: PAGE, after: Some(after), ..RowQuery::default() });
        }
        for key in std::mem::take(&mut self.rows).into_keys() {
            report.add(self.fault(key, RowFault::Missing));
        }
        let faults = report.fault_count - before;
        report.tables.push(TableReport { name: self.name, position: self.position, rows, faults });
        Ok(())
    }

    fn row_fault(&mut self, key: String, stored: &str) -> Option<Fault> {
        let Some(folded) = self.rows.remove(&key) else {
            return Some(self.fault(key, RowFault::Unexpected));
        };
        if folded.body == stored {
            return None;
        }
        // An engine may write the same JSON in other words.
        let [folded, stored] = [&*folded.body, stored].map(|text| serde_json::from_str::<Value>(text).ok());
        let differences = differences(&stored.unwrap_or_default(), &folded.unwrap_or_default());
        let table = self.name.clone();
        (!differences.is_empty()).then_some(Fault::TableRow {
            table,
            key,
            what: RowFault::Different,
            differences,
        })
    }

    fn fault(&self, key: String, what: RowFault) -> Fault {
        Fault::TableRow { table: self.name.clone(), key, what, differences: Vec::new() }
    }
}
