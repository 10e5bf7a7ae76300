//! `backup`, `drill`, `erase` ask the running server; `restore` works on a folder that no server uses.

use super::config::Config;
use super::data;
use super::failure::{Exit, Failure};
use super::output::{note, say};
use crate::clients::own_api::{Ask, OwnApi, decode};
use crate::clock;
use crate::store::backup;
use crate::store::postgres::PostgresCopy;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Made {
    path: PathBuf,
    position: i64,
}

#[derive(Deserialize)]
struct Drilled {
    ok: bool,
    #[serde(default)]
    differences: Vec<String>,
}

async fn post(api: &OwnApi, path: &str, why: &str) -> Result<String, Failure> {
    let ask = Ask { body: json!({ "why": why }).to_string(), ..Ask::default() };
    Ok(api.post(path, ask).await?)
}

/// # Errors
/// When the server does not answer, or the disk refuses.
pub(super) async fn back_up(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    const PATH: &str = "/admin/backups";
    let text = post(api, PATH, "asked for on the command line").await?;
    if as_json {
        return say(&text);
    }
    let made: Made = decode(PATH, &text)?;
    say(&format!("{} (everything up to position {})", made.path.display(), made.position))
}

/// # Errors
/// When the server does not answer, or what was restored differs.
pub(super) async fn drill(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    const PATH: &str = "/admin/drills";
    let text = post(api, PATH, "").await?;
    let drilled: Drilled = decode(PATH, &text)?;
    if as_json {
        say(&text)?;
    }
    if !drilled.ok {
        let message =
            format!("the newest backup does not restore to the same: {}", drilled.differences.join("; "));
        return Err(Failure::failed(message, "make a new one with `meal-planner backup` and drill again"));
    }
    if as_json { Ok(()) } else { say("the newest backup restores to the same") }
}

/// # Errors
/// When the server does not answer, or knows no such person.
pub(super) async fn erase(api: &OwnApi, person: &str, why: &str, as_json: bool) -> Result<(), Failure> {
    let text = post(api, &format!("/admin/people/{person}/erase"), why).await?;
    if as_json {
        return say(&text);
    }
    say("their key is destroyed: nothing that was said of them can be read any more")
}

/// Makes the folder's database of a backup, or fills the database that the configuration names; with `replace` the one
/// that is in the folder is moved aside first.
///
/// # Errors
/// When the backup is damaged, or the folder is in use or full.
pub(super) async fn restore(
    config: &Config,
    file: &Path,
    replace: bool,
    as_json: bool,
) -> Result<(), Failure> {
    data::make_folder(&config.data)?;
    let manifest = match &config.database_url {
        Some(_) if replace => {
            let hint = "make a new database and name it in DATABASE_URL; drop the old one when all is well";
            return Err(Failure::new(Exit::Usage, "a PostgreSQL database is not replaced", hint));
        }
        Some(url) => {
            let _lock = crate::store::lock::FolderLock::take(&config.data)?;
            let mut target = PostgresCopy::target(url.expose_secret()).await?;
            let manifest = backup::restore_into(file, &mut target, &config.data).await?;
            target.close().await?;
            manifest
        }
        None => {
            if replace {
                move_aside(&config.data)?;
            }
            backup::restore(file, &config.data).await?
        }
    };
    if as_json {
        return say(&json!({ "position": manifest.position, "sha256": manifest.hash.sha256 }).to_string());
    }
    say(&format!("restored up to position {}, as it was when the backup was made", manifest.position))
}

/// Only what belongs to the database; token and keys stay where they are.
fn move_aside(data: &Path) -> Result<(), Failure> {
    let _lock = crate::store::lock::FolderLock::take(data)?;
    let aside = data.join(format!("replaced-{}", clock::now().format("%Y%m%dT%H%M%S")));
    let refused = |error: std::io::Error| {
        Failure::failed(
            format!("the old store cannot be moved aside: {error}"),
            "look at the folder's disk and owner",
        )
    };
    std::fs::create_dir(&aside).map_err(refused)?;
    for name in ["meal-planner.db", "meal-planner.db-wal", "meal-planner.db-shm", "started"] {
        let from = data.join(name);
        if from.exists() {
            std::fs::rename(&from, aside.join(name)).map_err(refused)?;
        }
    }
    note(&format!("the store of before is in {}", aside.display()));
    Ok(())
}
