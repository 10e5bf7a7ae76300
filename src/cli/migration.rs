//! `migrate-store`: a whole store is copied to another place, with no server about.

use super::config::Config;
use super::data;
use super::failure::Failure;
use super::output::{note, say};
use crate::clock;
use crate::store::transfer::{Place, transfer};
use serde_json::json;

/// # Errors
/// When one of the two places cannot be used, or what arrived is not the same.
pub(super) async fn run(config: &Config, from: &str, to: &str, as_json: bool) -> Result<(), Failure> {
    let (from, to) = (Place::of(from), Place::of(to));
    data::make_folder(match &to {
        Place::Folder(folder) => folder,
        Place::Database(_) => &config.data,
    })?;
    let copied = transfer(&from, &to, &config.data, clock::now().timestamp_micros()).await?;
    if as_json {
        let (rows, position, hash) = (copied.rows, copied.position, &copied.hash);
        return say(&json!({ "rows": rows, "position": position, "hash": hash }).to_string());
    }
    say(&format!("{} rows copied, up to position {}", copied.rows, copied.position))?;
    say(&format!("replay hash on both sides: {}", copied.hash.sha256))?;
    note(match to {
        Place::Folder(_) => {
            "people.key and erased are in it too; serve it with --data and without DATABASE_URL, and never serve the \
             old store again"
        }
        Place::Database(_) => {
            "people.key and erased are in the data folder (--data); serve it with that and DATABASE_URL, and never \
             serve the old store again"
        }
    });
    Ok(())
}
