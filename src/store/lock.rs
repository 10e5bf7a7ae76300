//! Keeps a second process off a data folder: a lock on a file in it, held for the life of the process.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Held while this process owns the folder; the system frees it at any death.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// When another process holds the folder, or the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        make_folder(folder)?;
        let path = folder.join("lock");
        let unusable = |error: std::io::Error| StoreError::Unusable {
            message: format!("the data folder {} cannot be written: {error}", folder.display()),
            hint: "give --data a folder that this user may write, on a disk with free space".to_owned(),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        write_owner(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(folder).map_err(|error| StoreError::Unusable {
        message: format!("the data folder {} cannot be made: {error}", folder.display()),
        hint: "give --data a folder that this user may write".to_owned(),
    })
}

fn write_owner(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    write!(file, "{}", std::process::id())
}

fn taken(folder: &Path, file: &mut File) -> StoreError {
    let mut owner = String::new();
    let by = match file.read_to_string(&mut owner) {
        Ok(_) if !owner.is_empty() => format!("process {owner}"),
        Ok(_) | Err(_) => "another process".to_owned(),
    };
    StoreError::Unusable {
        message: format!("the data folder {} is in use by {by}", folder.display()),
        hint: "stop that server first, or give --data another folder".to_owned(),
    }
}
