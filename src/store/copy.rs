//! Carries a whole store over to an empty one of any engine, in pages, and proves that nothing changed on the way.

use super::hash::{ReplayHash, replay_hash};
use super::migrations::unfinished;
use super::tables::{TABLES, Table};
use super::{StoreError, StoreResult};
use crate::fault;
use futures_util::future::BoxFuture;

/// Rows read and written at a time.
pub const PAGE: u32 = 1000;

/// Whether nobody has ever owned it or written to it, read models aside.
pub(super) const UNTOUCHED_SQL: &str =
    "SELECT (SELECT epoch FROM process_epoch) = 0 AND NOT EXISTS (SELECT 1 FROM events)";

/// A stored value as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A store at one moment, however much is written to it meanwhile.
pub trait Source: Send {
    /// Tables of read models, by name.
    fn read_models(&mut self) -> BoxFuture<'_, StoreResult<Vec<String>>>;
    /// Rows in the order of the table's key (texts by their bytes), after a key.
    fn page<'a>(
        &'a mut self,
        table: &'a Table,
        after: Option<&'a [Cell]>,
        limit: u32,
    ) -> BoxFuture<'a, StoreResult<Vec<Vec<Cell>>>>;
    /// The number of its newest owner.
    fn epoch(&mut self) -> BoxFuture<'_, StoreResult<i64>>;
}

/// A store that is being filled. Until it is finished nobody can open it as one.
pub trait Target: Source {
    /// Whether a copy to it was begun and not finished.
    fn is_unfinished(&mut self) -> BoxFuture<'_, StoreResult<bool>>;
    /// Whether nothing was ever kept there.
    fn is_empty(&mut self) -> BoxFuture<'_, StoreResult<bool>>;
    /// Marks it as unfinished.
    fn begin(&mut self) -> BoxFuture<'_, StoreResult<()>>;
    fn make_read_model<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, StoreResult<()>>;
    fn put<'a>(&'a mut self, table: &'a Table, rows: Vec<Vec<Cell>>) -> BoxFuture<'a, StoreResult<()>>;
    /// Takes the mark away: from here on it is a store, whose next owner comes after this epoch.
    fn finish(&mut self, epoch: i64) -> BoxFuture<'_, StoreResult<()>>;
}

/// How much is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// Without what can be made of the log again: snapshots, and read models with their checkpoints.
    Log,
}

/// What was carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub rows: u64,
    /// Of the newest message.
    pub position: i64,
    pub epoch: i64,
    /// Of the source, read models included.
    pub hash: ReplayHash,
    /// How far the source's read models had come.
    pub read_to: Vec<(String, i64)>,
}

/// Copies everything but sessions and compares what arrived with what was sent.
///
/// # Errors
/// When the target holds something, one of the two fails, or what arrived is not the same; the target then stays
/// marked and has to be wiped.
pub async fn copy(source: &mut dyn Source, target: &mut dyn Target, extent: Extent) -> StoreResult<Copied> {
    if target.is_unfinished().await? {
        return Err(unfinished());
    }
    if !target.is_empty().await? {
        return Err(StoreError::Unusable {
            message: "the target is not empty".to_owned(),
            hint: "name a folder or database that holds no store".to_owned(),
        });
    }
    target.begin().await?;
    fault::point("copy.begun");
    let read_models = source.read_models().await?;
    let mut copied = Copied {
        rows: 0,
        position: 0,
        epoch: source.epoch().await?,
        hash: ReplayHash::of(Vec::new()),
        read_to: Vec::new(),
    };
    for table in TABLES.iter().filter(|table| extent == Extent::Whole || table.name != "snapshots") {
        copy_table(source, target, table, extent, &read_models, &mut copied).await?;
    }
    if extent == Extent::Whole {
        for name in &read_models {
            target.make_read_model(name).await?;
            fault::point("copy.table");
            let table = Table::read_model(name);
            copy_table(source, target, &table, extent, &read_models, &mut copied).await?;
        }
    }
    copied.hash = replay_hash(source).await?;
    let arrived = replay_hash(target).await?;
    verify(&copied.hash, &arrived, extent)?;
    fault::point("copy.verified");
    target.finish(copied.epoch).await?;
    fault::point("copy.finished");
    Ok(copied)
}

/// # Errors
/// When what stands there is not what was said to be.
pub fn verify(said: &ReplayHash, found: &ReplayHash, extent: Extent) -> StoreResult<()> {
    let is_log = |name: &str| TABLES.iter().any(|table| table.name == name);
    let said = match extent {
        Extent::Whole => said.clone(),
        Extent::Log => ReplayHash::of(said.tables.iter().filter(|t| is_log(&t.table)).cloned().collect()),
    };
    if said == *found {
        return Ok(());
    }
    Err(StoreError::Unusable {
        message: format!("the copy is not the same: {}", said.differences(found).join("; ")),
        hint: "wipe the target and copy again; the source is as it was".to_owned(),
    })
}

async fn copy_table(
    source: &mut dyn Source,
    target: &mut dyn Target,
    table: &Table,
    extent: Extent,
    read_models: &[String],
    copied: &mut Copied,
) -> StoreResult<()> {
    let mut after: Option<Vec<Cell>> = None;
    loop {
        let mut rows = source.page(table, after.as_deref(), PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.iter().take(table.keys).cloned().collect());
        match (&*table.name, last.first()) {
            ("events", Some(Cell::Integer(position))) => copied.position = *position,
            ("checkpoints", _) => rows.retain(|row| {
                let read_to = read_model_checkpoint(row, read_models);
                copied.read_to.extend(read_to.clone());
                extent == Extent::Whole || read_to.is_none()
            }),
            _ => {}
        }
        copied.rows += rows.len() as u64;
        if !rows.is_empty() {
            target.put(table, rows).await?;
            fault::point("copy.page");
        }
    }
}

fn read_model_checkpoint(row: &[Cell], read_models: &[String]) -> Option<(String, i64)> {
    match row {
        [Cell::Text(reader), Cell::Integer(position), ..] if read_models.contains(reader) => {
            Some((reader.clone(), *position))
        }
        _ => None,
    }
}
