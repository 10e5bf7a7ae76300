//! Hides a projection's types behind one fold, so that one projector actor serves every read model.

use super::context::{
    Begun, ErasedProjection, Fold, Projection, ProjectionVisitor, Route, RowChange, StoredRow,
};
use super::envelope::Envelope;
use super::message::{DecodeError, from_text, to_text};
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

/// Rows kept in memory by one fold, so that busy rows are not read back from the disk.
const ROWS_KEPT: usize = 4096;

/// See the module.
pub struct Erased<P>(PhantomData<P>);

/// Shows `P` to the visitor.
pub fn show<P: Projection>(visitor: &mut dyn ProjectionVisitor) {
    visitor.erased(Arc::new(Erased::<P>(PhantomData)));
}

impl<P: Projection> ErasedProjection for Erased<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn reads(&self) -> &'static [&'static str] {
        P::READS
    }

    fn routes(&self) -> Vec<Route> {
        P::routes()
    }

    fn is_final(&self, body: &str) -> bool {
        from_text(P::NAME, body).map_or(true, |row| P::is_final(&row))
    }

    fn row_schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<P::Row>()
    }

    fn fold(&self) -> Box<dyn Fold> {
        Box::new(TypedFold::<P> { rows: HashMap::new(), pending: Vec::new() })
    }
}

type Pending<P> = (Arc<Envelope>, <P as Projection>::Event, Vec<String>);

struct TypedFold<P: Projection> {
    rows: HashMap<String, Option<P::Row>>,
    pending: Vec<Pending<P>>,
}

impl<P: Projection> Fold for TypedFold<P> {
    fn begin(&mut self, events: &[Arc<Envelope>]) -> Begun {
        if self.rows.len() > ROWS_KEPT {
            self.rows.clear();
        }
        self.pending.clear();
        let mut missing = BTreeSet::new();
        let mut unread = Vec::new();
        for envelope in events.iter().filter(|envelope| !envelope.is_erased()) {
            match P::read(envelope) {
                Ok(Some(event)) => {
                    let keys = P::keys(envelope, &event);
                    missing.extend(keys.iter().filter(|key| !self.rows.contains_key(*key)).cloned());
                    self.pending.push((envelope.clone(), event, keys));
                }
                Ok(None) => {}
                Err(error) => unread.push((envelope.clone(), error)),
            }
        }
        Begun { missing: missing.into_iter().collect(), unread }
    }

    fn finish(&mut self, loaded: Vec<(String, String)>) -> Result<Vec<RowChange>, DecodeError> {
        for (key, body) in loaded {
            let row = from_text(P::NAME, &body)?;
            self.rows.insert(key, Some(row));
        }
        let mut changed = BTreeSet::new();
        for (envelope, event, keys) in self.pending.drain(..) {
            for key in keys {
                let row = self.rows.entry(key.clone()).or_default();
                P::apply(row, &key, &envelope, &event);
                changed.insert(key);
            }
        }
        changed.into_iter().map(|key| change::<P>(&self.rows, key)).collect()
    }
}

fn change<P: Projection>(
    rows: &HashMap<String, Option<P::Row>>,
    key: String,
) -> Result<RowChange, DecodeError> {
    let Some(row) = rows.get(&key).and_then(Option::as_ref) else {
        return Ok(RowChange { key, row: None });
    };
    let body = to_text(P::NAME, row)?;
    let row = StoredRow { sort: P::sort(row), search: P::search(row).to_lowercase(), body };
    Ok(RowChange { key, row: Some(row) })
}
