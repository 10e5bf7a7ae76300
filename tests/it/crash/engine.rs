//! The engines under the real program, and how the tests look into what they keep.

use crate::support::world::open_after_crash;
use meal_planner::domain::person::People;
use meal_planner::store::Store;
use meal_planner::store::sealed::SealedStore;
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
            Self::Sqlite => open_after_crash(data).await,
        };
        Arc::new(
            SealedStore::over(engine, data, People::known()).await.expect("the keys are those of the folder"),
        )
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
