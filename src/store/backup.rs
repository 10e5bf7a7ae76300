//! Backups: one file each, made while the store is written to, with a manifest of what it must tell when restored.

use super::copy::{Copied, Extent, Source, Target, copy, verify};
use super::hash::{ReplayHash, replay_hash};
use super::lock::FolderLock;
use super::sealed::{ERASED_FILE, PeopleFolder};
use super::sqlite::{DATABASE, SqliteCopy};
use super::{StoreError, StoreResult};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Raised when the file means something else.
const FORMAT: u32 = 1;
const ENDING: &str = "backup";
const PARTIAL: &str = "partial";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// Of the program that made it.
    pub version: String,
    pub engine: String,
    pub made_us: i64,
    /// The newest message in it.
    pub position: i64,
    pub rows: u64,
    /// Of the store it was made of, read models included; those are not in the file and are made anew.
    pub hash: ReplayHash,
    /// How far each read model had come when its hash was taken.
    pub read_to: Vec<(String, i64)>,
}

/// A backup and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backup {
    pub path: PathBuf,
    pub bytes: u64,
    pub manifest: Manifest,
}

/// Writes one into a folder, under a name with its time and position; there is no half of one under such a name.
///
/// # Errors
/// When the store cannot be read or the disk refuses.
pub async fn make(source: &mut dyn Source, engine: &str, folder: &Path, made_us: i64) -> StoreResult<Backup> {
    fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    sweep(folder)?;
    let draft = folder.join(format!("{made_us}.{PARTIAL}"));
    let made = write(source, engine, &draft, made_us).await;
    let finished = made.and_then(|manifest| {
        let path = folder.join(name(&manifest));
        let file = File::open(&draft).map_err(|error| refused(&draft, &error))?;
        file.sync_all().map_err(|error| refused(&draft, &error))?;
        fs::rename(&draft, &path).map_err(|error| refused(&path, &error))?;
        sync_folder(folder)?;
        let bytes = file.metadata().map_err(|error| refused(&path, &error))?.len();
        Ok(Backup { path, bytes, manifest })
    });
    if finished.is_err() {
        drop(fs::remove_file(&draft));
    }
    finished
}

async fn write(source: &mut dyn Source, engine: &str, draft: &Path, made_us: i64) -> StoreResult<Manifest> {
    let mut target = SqliteCopy::target(draft, None).await?;
    let copied = copy(source, &mut target, Extent::Log).await?;
    let Copied { rows, position, hash, read_to, .. } = copied;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let engine = engine.to_owned();
    let manifest = Manifest { format: FORMAT, version, engine, made_us, position, rows, hash, read_to };
    target.write_manifest(&serde_json::json!(manifest).to_string()).await?;
    target.close().await?;
    Ok(manifest)
}

fn name(manifest: &Manifest) -> String {
    let time = DateTime::from_timestamp_micros(manifest.made_us).unwrap_or_default();
    format!("meal-planner-{}-{:012}.{ENDING}", time.format("%Y%m%dT%H%M%S%6fZ"), manifest.position)
}

/// Backups in a folder, the newest first. Their names sort as their times.
///
/// # Errors
/// When the folder cannot be read; one that is not there holds none.
pub fn list(folder: &Path) -> StoreResult<Vec<PathBuf>> {
    let mut found = files(folder, ENDING)?;
    found.sort();
    found.reverse();
    Ok(found)
}

fn files(folder: &Path, ending: &str) -> StoreResult<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refused(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Removes all but the newest ones and answers which went.
///
/// # Errors
/// When the disk refuses.
pub fn keep(folder: &Path, newest: usize) -> StoreResult<Vec<PathBuf>> {
    let old = list(folder)?.split_off(newest.min(list(folder)?.len()));
    for path in &old {
        fs::remove_file(path).map_err(|error| refused(path, &error))?;
    }
    Ok(old)
}

/// What a process that died has left half done.
fn sweep(folder: &Path) -> StoreResult<()> {
    for path in files(folder, PARTIAL)? {
        fs::remove_file(&path).map_err(|error| refused(&path, &error))?;
    }
    Ok(())
}

/// Reads a backup from end to end and compares it with its manifest.
///
/// # Errors
/// When the file is no backup, is damaged or cut off, or holds something else than it says.
pub async fn check(file: &Path) -> StoreResult<Manifest> {
    if !file.is_file() {
        return Err(damaged(file, "it is not there"));
    }
    let opened = SqliteCopy::source(file).await;
    let mut source = opened.map_err(|error| damaged(file, &error.to_string()))?;
    let text = source.read_manifest().await.map_err(|error| damaged(file, &error.to_string()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| damaged(file, &error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(damaged(file, &format!("its format {} is not known to this program", manifest.format)));
    }
    let faults = source.faults().await.map_err(|error| damaged(file, &error.to_string()))?;
    if let Some(fault) = faults.first() {
        return Err(damaged(file, fault));
    }
    let found = replay_hash(&mut source).await.map_err(|error| damaged(file, &error.to_string()))?;
    verify(&manifest.hash, &found, Extent::Log).map_err(|error| damaged(file, &error.to_string()))?;
    Ok(manifest)
}

/// Makes a folder's database of a backup that was checked. The folder must not hold one.
///
/// # Errors
/// When the folder is in use or holds a database, the backup is damaged, or the disk refuses.
pub async fn restore(file: &Path, folder: &Path) -> StoreResult<Manifest> {
    let manifest = check(file).await?;
    fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    let _lock = FolderLock::take(folder)?;
    let database = folder.join(DATABASE);
    if database.exists() {
        return Err(StoreError::Unusable {
            message: format!("{} holds a store already", folder.display()),
            hint: "name another folder, or say --replace, which first moves the old store aside".to_owned(),
        });
    }
    let draft = folder.join(format!("{DATABASE}.{PARTIAL}"));
    fs::copy(file, &draft).map_err(|error| refused(&draft, &error))?;
    let mut target = SqliteCopy::target(&draft, None).await?;
    target.drop_manifest().await?;
    target.close().await?;
    let synced = File::open(&draft).and_then(|file| file.sync_all());
    synced.and_then(|()| fs::rename(&draft, &database)).map_err(|error| refused(&database, &error))?;
    sync_folder(folder)?;
    take_list_over(file, folder)?;
    Ok(manifest)
}

/// Whoever was erased since the backup was made is erased again at the next start.
fn take_list_over(file: &Path, folder: &Path) -> StoreResult<()> {
    let beside = PeopleFolder::new(file.parent().unwrap_or(Path::new("")));
    PeopleFolder::new(folder).take_over(&beside)?;
    Ok(())
}

/// Puts the list of those who were erased beside the backups, so that it goes where they go.
///
/// # Errors
/// When the disk refuses.
pub fn put_list_beside(data: &Path, backups: &Path) -> StoreResult<()> {
    let (list, draft) = (data.join(ERASED_FILE), backups.join(format!("{ERASED_FILE}.{PARTIAL}")));
    if !list.exists() {
        return Ok(());
    }
    let copied = fs::copy(&list, &draft).and_then(|_| File::open(&draft)?.sync_all());
    let beside = backups.join(ERASED_FILE);
    copied.and_then(|()| fs::rename(&draft, &beside)).map_err(|error| refused(&beside, &error))
}

/// Fills an empty store of any engine from a backup that was checked. `data`: the data folder of its server.
///
/// # Errors
/// When the target holds something or fails, or the backup is damaged.
pub async fn restore_into(file: &Path, target: &mut dyn Target, data: &Path) -> StoreResult<Manifest> {
    let manifest = check(file).await?;
    let mut source = SqliteCopy::source(file).await?;
    let copied = copy(&mut source, target, Extent::Log).await?;
    verify(&manifest.hash, &copied.hash, Extent::Log)?;
    take_list_over(file, data)?;
    Ok(manifest)
}

fn sync_folder(folder: &Path) -> StoreResult<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused(folder, &error))?;
    }
    Ok(())
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unusable {
        message: format!("{}: {error}", path.display()),
        hint: "look whether the disk is full and who owns the folder".to_owned(),
    }
}

fn damaged(file: &Path, why: &str) -> StoreError {
    StoreError::Unusable {
        message: format!("{} cannot be restored: {why}", file.display()),
        hint: "take an older backup; `meal-planner drill` says which one is good".to_owned(),
    }
}
