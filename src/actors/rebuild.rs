//! Rebuilding a read model beside the live one: the same fold from the first event on, a comparison at the same
//! position, then a swap in one commit.

use super::hub::{Hub, SharedPage};
use crate::domain::context::{Begun, Fold, RowChange};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use crate::store::{RowCursor, RowPage, RowQuery, StoreResult};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;

/// Rows compared at a time.
const PAGE: u32 = 1000;
/// Keys named in a report.
const MOST_NAMED: usize = 20;

/// Where a rebuild stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// There was none since the start.
    #[default]
    Idle,
    Asked,
    Running {
        read_to: i64,
        of: i64,
    },
    Done {
        report: RebuildReport,
    },
    Failed {
        error: String,
    },
}

impl Stage {
    fn is_under_way(&self) -> bool {
        matches!(self, Self::Asked | Self::Running { .. })
    }
}

/// How the rebuilt rows compare with the kept ones, both as of the same position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    pub position: i64,
    pub equal: bool,
    pub rows_before: u64,
    pub rows_after: u64,
    /// SHA-256 over all keys and rows in their order.
    pub checksum_before: String,
    pub checksum_after: String,
    /// Keys of rows that differ or stand on one side only; the first of them.
    pub differing: Vec<String>,
    pub events: u64,
    /// Events that do not read.
    pub unread: u64,
}

impl Hub {
    /// Asks for a rebuild, or joins the one under way. `None`: there is no such read model.
    pub fn rebuild(&self, projection: &str) -> Option<watch::Receiver<Stage>> {
        let view = self.views.get(projection)?;
        view.rebuild.send_if_modified(|stage| {
            let begins = !stage.is_under_way();
            if begins {
                *stage = Stage::Asked;
            }
            begins
        });
        view.bell.ring();
        Some(view.rebuild.subscribe())
    }

    /// Waits for the end of a rebuild.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn rebuilt(mut stage: watch::Receiver<Stage>) -> Result<RebuildReport, String> {
        let ended = stage.wait_for(|stage| !stage.is_under_way()).await.map_err(|error| error.to_string())?;
        match &*ended {
            Stage::Done { report } => Ok(report.clone()),
            Stage::Failed { error } => Err(error.clone()),
            Stage::Idle | Stage::Asked | Stage::Running { .. } => Err("it was not begun".to_owned()),
        }
    }
}

/// The table that a read model is rebuilt in.
pub(super) fn beside(table: &str) -> String {
    format!("{table}__rebuild")
}

/// A rebuild under way.
pub(super) struct Rebuild {
    pub table: String,
    pub fold: Box<dyn Fold>,
    pub position: i64,
    pub events: u64,
    /// Positions of events that do not read.
    pub unread: Vec<i64>,
}

impl Rebuild {
    pub(super) fn new(live: &str, fold: Box<dyn Fold>) -> Self {
        Self { table: beside(live), fold, position: 0, events: 0, unread: Vec::new() }
    }
}

/// What a page of events makes of a table.
pub(super) struct Folded {
    pub rows: Vec<RowChange>,
    pub unread: Vec<(Arc<Envelope>, DecodeError)>,
}

/// Folds a page into rows, loading those of the table that are not in memory.
pub(super) async fn fold_page(
    hub: &Hub,
    fold: &mut dyn Fold,
    table: &str,
    page: &SharedPage,
) -> Result<Folded, ractor::ActorProcessingErr> {
    let Begun { missing, unread } = fold.begin(&page.messages);
    let loaded = match missing.is_empty() {
        true => Vec::new(),
        false => hub.patiently(|| hub.store.rows_by_key(table, missing.clone())).await?,
    };
    Ok(Folded { rows: fold.finish(loaded)?, unread })
}

/// Both tables side by side; nobody writes to either meanwhile.
pub(super) async fn compare(hub: &Hub, live: &str, rebuild: &Rebuild) -> StoreResult<RebuildReport> {
    let (before, after) = (Rows::of(hub, live).await?, Rows::of(hub, &rebuild.table).await?);
    let mut differing = Vec::new();
    if before.checksum != after.checksum {
        differing = differences(hub, live, &rebuild.table, true).await?;
        differing.extend(differences(hub, &rebuild.table, live, false).await?);
        differing.truncate(MOST_NAMED);
    }
    Ok(RebuildReport {
        position: rebuild.position,
        equal: before.checksum == after.checksum,
        rows_before: before.count,
        rows_after: after.count,
        checksum_before: before.checksum,
        checksum_after: after.checksum,
        differing,
        events: rebuild.events,
        unread: rebuild.unread.len() as u64,
    })
}

struct Rows {
    count: u64,
    checksum: String,
}

impl Rows {
    async fn of(hub: &Hub, table: &str) -> StoreResult<Self> {
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        let (mut count, mut after) = (0, None);
        loop {
            let page = page(hub, table, after).await?;
            count += page.rows.len() as u64;
            for text in page.rows.iter().flat_map(|(key, body)| [key, body]) {
                digest.update(&(text.len() as u64).to_be_bytes());
                digest.update(text.as_bytes());
            }
            after = page.next;
            if after.is_none() {
                let checksum = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok(Self { count, checksum });
            }
        }
    }
}

async fn page(hub: &Hub, table: &str, after: Option<RowCursor>) -> StoreResult<RowPage> {
    let query = RowQuery { limit: PAGE, after, ..RowQuery::default() };
    hub.patiently(|| hub.store.rows(table, query.clone())).await
}

/// Keys of the rows of one table that are not in the other, or not the same there when `bodies_too`.
async fn differences(hub: &Hub, of: &str, from: &str, bodies_too: bool) -> StoreResult<Vec<String>> {
    let (mut differing, mut after) = (Vec::new(), None);
    loop {
        let page = page(hub, of, after).await?;
        let keys: Vec<String> = page.rows.iter().map(|(key, _)| key.clone()).collect();
        let others = hub.patiently(|| hub.store.rows_by_key(from, keys.clone())).await?;
        let others: std::collections::HashMap<String, String> = others.into_iter().collect();
        differing.extend(page.rows.into_iter().filter_map(|(key, body)| {
            let same = others.get(&key).is_some_and(|other| !bodies_too || *other == body);
            (!same).then_some(key)
        }));
        after = page.next;
        if after.is_none() || differing.len() >= MOST_NAMED {
            return Ok(differing);
        }
    }
}
