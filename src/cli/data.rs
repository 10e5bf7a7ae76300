//! The data folder and the token in it, for their owner's eyes only.

use super::failure::{Exit, Failure};
use crate::http::new_secret;
use secrecy::SecretString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const TOKEN_FILE: &str = "admin.token";

#[must_use]
pub fn token_path(folder: &Path) -> PathBuf {
    folder.join(TOKEN_FILE)
}

/// Makes the folder if it is not there, closed to others.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let message = format!("the data folder {} cannot be made: {error}", folder.display());
        Failure::new(Exit::StoreUnusable, message, "give --data a folder that this user may write")
    })
}

/// The token in the folder; `None` when there is none, or another user's.
///
/// # Errors
/// When it is there, is ours and does not read.
pub fn read_token(folder: &Path) -> Result<Option<SecretString>, Failure> {
    let path = token_path(folder);
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(Some(SecretString::from(text.trim()))),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => {
            let message = format!("the token in {} cannot be read: {error}", path.display());
            Err(Failure::failed(
                message,
                "run this as the user who runs the server, or set MEAL_PLANNER_TOKEN",
            ))
        }
    }
}

/// Writes a new token, readable by its owner only.
///
/// # Errors
/// When there is no randomness, or the disk refuses.
pub fn new_token(folder: &Path) -> Result<SecretString, Failure> {
    let path = token_path(folder);
    let unusable = |error: &dyn std::fmt::Display| {
        let message = format!("the token cannot be written to {}: {error}", path.display());
        Failure::new(Exit::StoreUnusable, message, "look whether the disk is full and who owns the folder")
    };
    let secret = new_secret().map_err(|error| unusable(&error))?;
    // Whole or not at all: a half-written token would lock its owner out.
    let draft = folder.join(format!("{TOKEN_FILE}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(|error| unusable(&error))?;
    writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(|error| unusable(&error))?;
    std::fs::rename(&draft, &path).map_err(|error| unusable(&error))?;
    Ok(SecretString::from(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_new_token_is_long_readable_by_its_owner_only_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_token(folder.path()).unwrap().is_none());
        let token = new_token(folder.path()).unwrap();
        assert_eq!(token.expose_secret().len(), 64);
        let again = read_token(folder.path()).unwrap().unwrap();
        assert_eq!(again.expose_secret(), token.expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(token_path(folder.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
