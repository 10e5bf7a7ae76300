//! What the data folder keeps of people beside the store: the key that seals their keys, and who was erased. Neither
//! is in a backup, so that no backup alone can bring anybody back.

use super::FolderKey;
use crate::store::{StoreError, StoreResult};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

pub const KEY_FILE: &str = "people.key";
/// A line for each step of an erasure: `begun ID` and `done ID`.
pub const ERASED_FILE: &str = "erased";

/// See the module.
#[derive(Clone, Debug)]
pub struct PeopleFolder(PathBuf);

impl PeopleFolder {
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The folder's key; made when there is none and `may_make`.
    ///
    /// # Errors
    /// When it is missing, does not read, or the disk refuses.
    pub fn key(&self, may_make: bool) -> StoreResult<FolderKey> {
        let path = self.0.join(KEY_FILE);
        match self.key_text()? {
            Some(text) => FolderKey::of_hex(&text).ok_or_else(|| no_key(&path, "does not read")),
            None if may_make => self.make_key(&path),
            None => Err(no_key(&path, "is not there")),
        }
    }

    fn make_key(&self, path: &Path) -> StoreResult<FolderKey> {
        let key = FolderKey::new()?;
        self.write_key(path, &key.to_hex())?;
        Ok(key)
    }

    /// Whole or not at all, for its owner only.
    fn write_key(&self, path: &Path, hex: &str) -> StoreResult<()> {
        let draft = self.0.join(format!("{KEY_FILE}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&draft).and_then(|mut file| {
            writeln!(file, "{hex}")?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
        });
        written.map_err(|error| refused(path, &error))
    }

    /// On the disk before anything is destroyed, so that an erasure that is cut off is carried on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_begun(&self, person: Uuid) -> StoreResult<()> {
        self.append(&format!("begun {person}\n"))
    }

    /// # Errors
    /// When the disk refuses.
    pub fn note_done(&self, person: Uuid) -> StoreResult<()> {
        self.append(&format!("done {person}\n"))
    }

    fn append(&self, line: &str) -> StoreResult<()> {
        let path = self.0.join(ERASED_FILE);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| {
            file.write_all(line.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| refused(&path, &error))
    }

    /// Everybody whose erasure was begun here, and whether it was done.
    ///
    /// # Errors
    /// When the list does not read.
    pub fn erased(&self) -> StoreResult<BTreeMap<Uuid, bool>> {
        let path = self.0.join(ERASED_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(refused(&path, &error)),
        };
        let mut erased = BTreeMap::new();
        for (step, id) in text.lines().filter_map(|line| line.split_once(' ')) {
            // A line that was cut off is of an erasure that destroyed nothing yet.
            if let Ok(person) = Uuid::parse_str(id) {
                erased.insert(person, step == "done");
            }
        }
        Ok(erased)
    }

    /// Brings the key and the list of another folder here. A key that is here already must be the same one.
    ///
    /// # Errors
    /// When this folder has another key, one of the files does not read, or the disk refuses.
    pub fn carry_over(&self, other: &Self) -> StoreResult<()> {
        let path = self.0.join(KEY_FILE);
        match (self.key_text()?, other.key_text()?) {
            (None, Some(key)) => self.write_key(&path, key.trim())?,
            (Some(here), Some(there)) if here.trim() != there.trim() => {
                return Err(StoreError::Unusable {
                    message: format!("{} is another key than that of the store", path.display()),
                    hint: "name a data folder that belongs to no other store".to_owned(),
                });
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        self.take_over(other)?;
        Ok(())
    }

    fn key_text(&self) -> StoreResult<Option<String>> {
        let path = self.0.join(KEY_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(&path, &error)),
        }
    }

    /// Begins everybody's erasure who is on the list of another folder, such as that of a backup.
    ///
    /// # Errors
    /// When one of the lists does not read or cannot be written.
    pub fn take_over(&self, other: &Self) -> StoreResult<usize> {
        let all: Vec<Uuid> = self.erased()?.into_keys().chain(other.erased()?.into_keys()).collect();
        for person in &all {
            self.note_begun(*person)?;
        }
        Ok(all.len())
    }
}

fn no_key(path: &Path, why: &str) -> StoreError {
    StoreError::Unusable {
        message: format!("{} {why}, and what is known of people is sealed with it", path.display()),
        hint: "copy the people.key of the folder that this store or backup comes from to that place"
            .to_owned(),
    }
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unusable {
        message: format!("{}: {error}", path.display()),
        hint: "look whether the disk is full and who owns the folder".to_owned(),
    }
}
