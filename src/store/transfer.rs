//! A whole store is carried over to another place, of the same engine or the other.

use super::copy::{Copied, Extent, Source, copy};
use super::lock::FolderLock;
use super::postgres::{PostgresCopy, PostgresStore};
use super::sealed::PeopleFolder;
use super::sqlite::{DATABASE, SqliteCopy, SqliteStore};
use super::{Store, StoreError, StoreResult};
use crate::fault;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// Where a store is or will be.
#[derive(Clone, Debug)]
pub enum Place {
    Folder(PathBuf),
    /// The address of a PostgreSQL database, which may hold a password.
    Database(SecretString),
}

impl Place {
    /// What begins with `postgres://` or `postgresql://` is a database, everything else a folder.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            true => Self::Database(SecretString::from(text)),
            false => Self::Folder(PathBuf::from(text)),
        }
    }

    /// Its folder; that of a database is the data folder.
    fn folder<'p>(&'p self, data: &'p Path) -> &'p Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Database(_) => data,
        }
    }
}

/// Opens the one as its owner, so that nobody writes to it meanwhile, and copies everything to the other, which must
/// be empty; the key of its people and the list of those who were erased go with it. `data`: the data folder of a
/// server over the database.
///
/// # Errors
/// When one of the two is in use or cannot be used, the one holds nothing or the other something, or what arrived is
/// not the same.
pub async fn transfer(from: &Place, to: &Place, data: &Path, now_us: i64) -> StoreResult<Copied> {
    let store = open(from, data, now_us).await?;
    let copied = fill(&*store, from, to, data).await;
    let closed = store.close().await;
    let copied = copied?;
    closed?;
    Ok(copied)
}

async fn open(from: &Place, data: &Path, now_us: i64) -> StoreResult<Box<dyn Store>> {
    Ok(match from {
        Place::Folder(folder) if !folder.join(DATABASE).is_file() => {
            return Err(nothing(&folder.display().to_string()));
        }
        Place::Folder(folder) => Box::new(SqliteStore::open(folder, now_us).await?),
        Place::Database(url) => Box::new(PostgresStore::open(url.expose_secret(), data, now_us).await?),
    })
}

async fn fill(store: &dyn Store, from: &Place, to: &Place, data: &Path) -> StoreResult<Copied> {
    if store.last_position().await? == 0 {
        return Err(nothing("what is to be copied"));
    }
    let (here, there) = (PeopleFolder::new(from.folder(data)), PeopleFolder::new(to.folder(data)));
    // Before the rest, so that no store is without its key.
    if !is_same(from.folder(data), to.folder(data)) {
        there.carry_over(&here)?;
    }
    fault::point("copy.key");
    fill_with(&mut *store.source().await?, from, to, data).await
}

async fn fill_with(source: &mut dyn Source, from: &Place, to: &Place, data: &Path) -> StoreResult<Copied> {
    match to {
        Place::Folder(folder) => {
            let lock = match is_same(folder, from.folder(data)) {
                true => None,
                false => Some(FolderLock::take(folder)?),
            };
            let mut target = SqliteCopy::target(&folder.join(DATABASE), lock).await?;
            let copied = copy(source, &mut target, Extent::Whole).await?;
            target.close().await?;
            Ok(copied)
        }
        Place::Database(url) => {
            let mut target = PostgresCopy::target(url.expose_secret()).await?;
            let copied = copy(source, &mut target, Extent::Whole).await?;
            target.close().await?;
            Ok(copied)
        }
    }
}

/// Then we hold its lock already.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => false,
    }
}

fn nothing(what: &str) -> StoreError {
    StoreError::Unusable {
        message: format!("{what} holds no store"),
        hint: "name the data folder of a server that was at work, or the address of its database".to_owned(),
    }
}
