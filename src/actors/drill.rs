//! The drill: a backup is restored to a temporary place, opened as a real store, its read models are made anew, and
//! everything is compared with what the backup says of itself.

use super::projector::table_name;
use crate::clock;
use crate::domain::context::ErasedProjection;
use crate::domain::envelope::Kind;
use crate::store::backup::{Manifest, restore};
use crate::store::hash::{ReplayHash, replay_hash};
use crate::store::sealed::Vault;
use crate::store::sqlite::SqliteStore;
use crate::store::{Checkpoint, Filter, Store, StoreError, StoreResult, TableChange, Unit};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Events folded at a time.
const BATCH: u32 = 2000;

/// How a store of a folder is looked at, such as with the keys of its people.
pub type Through = dyn Fn(Arc<dyn Vault>) -> BoxFuture<'static, StoreResult<Arc<dyn Store>>> + Send + Sync;

/// What came of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    pub backup: PathBuf,
    pub made_us: i64,
    pub position: i64,
    /// The hash that the backup says.
    pub sha256: String,
    /// A line for each table that is not as it was; none when all is well.
    pub differences: Vec<String>,
    /// Read models of other programs, which this one cannot make anew.
    pub not_compared: Vec<String>,
}

/// Does it in `scratch`, which must not be there and is removed afterwards.
///
/// # Errors
/// When the backup is damaged, or the disk refuses.
pub async fn drill(
    backup: &Path,
    scratch: &Path,
    projections: &[Arc<dyn ErasedProjection>],
    through: &Through,
) -> StoreResult<DrillReport> {
    let result = carry_out(backup, scratch, projections, through).await;
    if let Err(error) = fs::remove_dir_all(scratch)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %scratch.display(), "the place of a drill could not be removed");
    }
    result
}

async fn carry_out(
    backup: &Path,
    scratch: &Path,
    projections: &[Arc<dyn ErasedProjection>],
    through: &Through,
) -> StoreResult<DrillReport> {
    make_private(scratch)?;
    let manifest = restore(backup, scratch).await?;
    let now_us = clock::now().timestamp_micros();
    let store: Arc<dyn Vault> = Arc::new(SqliteStore::open(scratch, now_us).await?);
    let seen = through(store).await?;
    let mut not_compared = Vec::new();
    for (table, position) in &manifest.read_to {
        match projections.iter().find(|projection| table_name(&***projection) == *table) {
            Some(projection) => fold(&*seen, &**projection, *position).await?,
            None => not_compared.push(table.clone()),
        }
    }
    let found = replay_hash(&mut *seen.source().await?).await?;
    seen.close().await?;
    Ok(report(backup, &manifest, &found, not_compared))
}

fn report(backup: &Path, manifest: &Manifest, found: &ReplayHash, not_compared: Vec<String>) -> DrillReport {
    let is_compared = |table: &String| !not_compared.contains(table);
    let tables = manifest.hash.tables.iter().filter(|table| is_compared(&table.table)).cloned();
    let said = ReplayHash::of(tables.collect());
    DrillReport {
        backup: backup.to_owned(),
        made_us: manifest.made_us,
        position: manifest.position,
        sha256: manifest.hash.sha256.clone(),
        differences: said.differences(found),
        not_compared,
    }
}

/// Makes one read model of the events up to a position.
async fn fold(store: &dyn Store, projection: &dyn ErasedProjection, until: i64) -> StoreResult<()> {
    let table = table_name(projection);
    store.prepare_table(&table).await?;
    let contexts = projection.reads().iter().map(|name| (*name).to_owned()).collect();
    let filter = Filter { kinds: Some(Kind::Event), contexts, ..Filter::default() };
    let (mut fold, mut position) = (projection.fold(), 0);
    while position < until {
        let page = store.messages_after(position, BATCH, filter.clone()).await?;
        if page.read_to == position {
            break;
        }
        let events: Vec<_> = page.messages.into_iter().filter(|event| event.position <= until).collect();
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let begun = fold.begin(&events);
        let loaded = match begun.missing.is_empty() {
            true => Vec::new(),
            false => store.rows_by_key(&table, begun.missing).await?,
        };
        let rows = fold.finish(loaded).map_err(|error| StoreError::Refused(error.to_string()))?;
        position = page.read_to.min(until);
        let change = (!rows.is_empty()).then(|| TableChange { table: table.clone(), rows });
        let checkpoint = Some(Checkpoint { reader: table.clone(), position });
        store.commit(Arc::new(vec![Unit { table: change, checkpoint, ..Unit::default() }])).await?;
    }
    Ok(())
}

/// What is restored is nobody else's business.
fn make_private(folder: &Path) -> StoreResult<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::Unusable {
        message: format!("{} cannot be made: {error}", folder.display()),
        hint: "look whether the disk is full and who owns the folder".to_owned(),
    })
}
