//! The engines under the real program, and how the tests look into what they keep.

use crate::support::soon;
use meal_planner::clock;
use meal_planner::domain::person::People;
use meal_planner::store::Store;
use meal_planner::store::sealed::{SealedStore, Vault};
use meal_planner::store::sqlite::SqliteStore;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Engine {
    Sqlite,
}

impl Engine {
    pub fn configure(&self, _: &mut Command) {}

    /// Opens what a process has left behind; that process must be dead.
    pub async fn open(&self, data: &Path) -> Arc<dyn Store> {
        let engine = match self {
            Self::Sqlite => soon("the folder is free", open_when_free(data)).await,
        };
        let sealed = SealedStore::over(engine, data, People::known()).await;
        Arc::new(sealed.expect("the keys are those of the folder"))
    }
}

/// The lock of a process that has just died may take a moment to go.
async fn open_when_free(data: &Path) -> Arc<dyn Vault> {
    loop {
        match SqliteStore::open(data, clock::now().timestamp_micros()).await {
            Ok(store) => return Arc::new(store),
            Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Copies the folder of a server that has ended.
pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it reads");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("it copies");
        }
    }
}
