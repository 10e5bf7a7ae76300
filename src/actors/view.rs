//! A read model as the runtime sees it: where its rows are, how far they are up to date, and the newest of them.

use super::doorbell::Doorbell;
use super::rebuild::Stage;
use crate::domain::context::RowChange;
use crate::store::{Store, StoreResult};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Rows kept in memory after their commit, for those who waited for them.
const RECENT: usize = 4096;

type Row = Option<Arc<str>>;

/// See the module.
pub struct View {
    pub table: String,
    pub reads: &'static [&'static str],
    /// How far its rows are up to date.
    pub caught_up: watch::Sender<i64>,
    /// Position of the newest event that may have changed a row.
    pub changed: AtomicI64,
    /// How often another table has taken the place of this one.
    pub swaps: AtomicU64,
    /// Events that do not read and are therefore not in its rows: dead letters of this reader.
    pub unread: AtomicU64,
    /// Where its rebuild stands.
    pub rebuild: watch::Sender<Stage>,
    /// Of its projector.
    pub(super) bell: Arc<Doorbell>,
    /// Rows as of their last commit; `None`: deleted. Only the projector adds, after its commit.
    recent: RwLock<HashMap<String, Row>>,
}

impl View {
    #[must_use]
    pub fn new(table: String, reads: &'static [&'static str]) -> Self {
        let (caught_up, changed) = (watch::Sender::new(0), AtomicI64::new(0));
        Self {
            table,
            reads,
            caught_up,
            changed,
            swaps: AtomicU64::new(0),
            unread: AtomicU64::new(0),
            rebuild: watch::Sender::new(Stage::Idle),
            bell: Arc::default(),
            recent: RwLock::default(),
        }
    }

    /// The body of a row as it stands in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn row(&self, store: &dyn Store, key: &str) -> StoreResult<Option<Arc<str>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(row) = recent {
            return Ok(row);
        }
        let found = store.rows_by_key(&self.table, vec![key.to_owned()]).await?;
        Ok(found.into_iter().next().map(|(_, body)| body.into()))
    }

    /// What was just committed.
    pub(super) fn remember(&self, rows: Vec<(String, Row)>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.len() + rows.len() > RECENT {
            recent.clear();
        }
        recent.extend(rows);
    }

    /// A projector that died may have committed what it did not say.
    pub(super) fn forget(&self) {
        self.recent.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The changed rows as readers want them.
pub(super) fn shown(changes: &[RowChange]) -> Vec<(String, Row)> {
    let row = |change: &RowChange| change.row.as_ref().map(|row| Arc::from(row.body.as_str()));
    changes.iter().map(|change| (change.key.clone(), row(change))).collect()
}
