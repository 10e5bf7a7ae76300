//! What is being handled at this moment, in a small file that outlives the process though not the machine.

use super::{SLOTS, StoreError};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

const WIDTH: usize = 8;

/// Places of eight bytes each. Written without a sync: a death of the process is what it is for.
#[derive(Debug)]
pub(super) struct Marks {
    file: File,
}

impl Marks {
    /// The marks of the owner before, and an empty sheet.
    pub(super) fn take(folder: &Path) -> Result<(Self, Vec<i64>), StoreError> {
        let unusable = |error: std::io::Error| StoreError::Unusable {
            message: format!("the file of marks in {} cannot be written: {error}", folder.display()),
            hint: "give --data a folder that this user may write, on a disk with free space".to_owned(),
        };
        let path = folder.join("started");
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(unusable)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unusable)?;
        Ok((Self { file }, positions(&bytes)))
    }

    /// To be called when what was marked has been charged.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        let empty = [0; SLOTS * WIDTH];
        let written = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&empty));
        written.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// A mark that cannot be written is a charge that may be missed, which is no reason to stop.
    pub(super) fn mark(&self, slot: usize, position: i64) {
        if slot < SLOTS
            && let Err(error) = write_at(&self.file, &position.to_le_bytes(), (slot * WIDTH) as u64)
        {
            tracing::debug!(%error, "what is being handled could not be noted");
        }
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, at).map(drop)
}

fn positions(bytes: &[u8]) -> Vec<i64> {
    let (words, _) = bytes.as_chunks::<WIDTH>();
    let mut positions: Vec<i64> = words.iter().map(|word| i64::from_le_bytes(*word)).collect();
    positions.retain(|position| *position > 0);
    positions.sort_unstable();
    positions.dedup();
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_there_for_the_next_owner_and_then_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let (marks, before) = Marks::take(folder.path()).unwrap();
        assert!(before.is_empty());
        marks.mark(3, 17);
        marks.mark(0, 5);
        marks.mark(1, 5);
        marks.mark(SLOTS, 99);
        marks.mark(3, 18);
        let (mut again, left) = Marks::take(folder.path()).unwrap();
        assert_eq!(left, [5, 18]);
        again.clear().unwrap();
        assert!(Marks::take(folder.path()).unwrap().1.is_empty());
    }
}
