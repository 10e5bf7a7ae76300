//! The engines under the real program, and how the tests look into what they keep.

use crate::support::postgres::{self, Server};
use crate::support::soon;
use meal_planner::clock;
use meal_planner::domain::person::People;
use meal_planner::store::postgres::PostgresStore;
use meal_planner::store::sealed::{SealedStore, Vault};
use meal_planner::store::sqlite::SqliteStore;
use meal_planner::store::{Store, StoreError};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Engine {
    Sqlite,
    Postgres { server: Arc<Server>, database: String },
}

impl Engine {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// PostgreSQL with a database of its own on the server that tests share.
    pub async fn postgres() -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared).await.expect("a server");
        Self::on(server).await
    }

    /// PostgreSQL with a database of its own on that server.
    pub async fn on(server: Arc<Server>) -> Self {
        let database = server.create("template1").await;
        Self::Postgres { server, database }
    }

    /// The same engine with nothing in it.
    pub async fn fresh(&self) -> Self {
        match self {
            Self::Sqlite => Self::Sqlite,
            Self::Postgres { server, .. } => Self::on(server.clone()).await,
        }
    }

    /// The same engine with all that this one keeps outside of its folder; nobody may have it open.
    pub async fn copy(&self) -> Self {
        match self {
            Self::Sqlite => Self::Sqlite,
            Self::Postgres { server, database } => {
                let database = server.create(database).await;
                Self::Postgres { server: server.clone(), database }
            }
        }
    }

    pub async fn remove(&self) {
        match self {
            Self::Sqlite => {}
            Self::Postgres { server, database } => server.drop_database(database).await,
        }
    }

    /// The address of its database, if it has one.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { server, database } => Some(server.url(database)),
        }
    }

    pub fn configure(&self, command: &mut Command) {
        match self {
            Self::Sqlite => command.env_remove("DATABASE_URL"),
            Self::Postgres { server, database } => command.env("DATABASE_URL", server.url(database)),
        };
    }

    /// Opens what a process has left behind; that process must be dead.
    pub async fn open(&self, data: &Path) -> Arc<dyn Store> {
        let engine = soon("what the process held is free", self.open_when_free(data)).await;
        let sealed = SealedStore::over(engine, data, People::known()).await;
        Arc::new(sealed.expect("the keys are those of the folder"))
    }

    /// The lock of a process that has just died may take a moment to go.
    async fn open_when_free(&self, data: &Path) -> Arc<dyn Vault> {
        loop {
            match self.try_open(data).await {
                Ok(store) => return store,
                Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn try_open(&self, data: &Path) -> Result<Arc<dyn Vault>, StoreError> {
        let now_us = clock::now().timestamp_micros();
        Ok(match self {
            Self::Sqlite => Arc::new(SqliteStore::open(data, now_us).await?),
            Self::Postgres { server, database } => {
                let url = server.url(database);
                Arc::new(Box::pin(PostgresStore::open(&url, data, now_us)).await?)
            }
        })
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
