//! Where a store keeps everything: a database of one engine that can be opened again and again and looked into.

use super::postgres;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use meal_planner::clock;
use meal_planner::store::postgres::PostgresStore;
use meal_planner::store::sqlite::{SqliteStore, writer_options};
use meal_planner::store::{Store, StoreResult};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, SqliteConnection};
use std::sync::Arc;
use tempfile::TempDir;

pub trait Place: Send + Sync {
    fn open(&self) -> BoxFuture<'_, StoreResult<Arc<dyn Store>>>;
    /// The first column of each row, a number or nothing, as a second pair of hands on the database sees it.
    fn look<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, Vec<Option<i64>>>;
    /// Changes something behind the store's back.
    fn meddle<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, ()>;
}

/// An engine to run a test over.
pub trait Engine: 'static {
    /// Whether the test of this name can run over it here.
    fn is_there(test: &str) -> bool;
    /// A fresh place.
    fn place() -> BoxFuture<'static, Arc<dyn Place>>;
}

pub struct Sqlite;

impl Engine for Sqlite {
    fn is_there(_: &str) -> bool {
        true
    }

    fn place() -> BoxFuture<'static, Arc<dyn Place>> {
        async { Arc::new(SqliteFolder(tempfile::tempdir().unwrap())) as Arc<dyn Place> }.boxed()
    }
}

pub struct SqliteFolder(pub TempDir);

impl SqliteFolder {
    pub async fn hands(&self) -> SqliteConnection {
        writer_options(&self.0.path().join("meal-planner.db")).connect().await.unwrap()
    }
}

impl Place for SqliteFolder {
    fn open(&self) -> BoxFuture<'_, StoreResult<Arc<dyn Store>>> {
        async {
            let store = SqliteStore::open(self.0.path(), clock::now().timestamp_micros()).await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        }
        .boxed()
    }

    fn look<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, Vec<Option<i64>>> {
        async move {
            let query = sqlx::query_scalar(AssertSqlSafe(sql));
            query.fetch_all(&mut self.hands().await).await.unwrap()
        }
        .boxed()
    }

    fn meddle<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, ()> {
        async move {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut self.hands().await).await.unwrap();
        }
        .boxed()
    }
}

pub struct Postgres;

impl Engine for Postgres {
    fn is_there(test: &str) -> bool {
        postgres::is_there(test)
    }

    fn place() -> BoxFuture<'static, Arc<dyn Place>> {
        async { Arc::new(postgres::fresh_database().await) as Arc<dyn Place> }.boxed()
    }
}

pub struct PostgresDatabase {
    pub url: String,
    pub folder: TempDir,
}

impl PostgresDatabase {
    pub async fn hands(&self) -> PgConnection {
        let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
        options.options([("search_path", "store")]).connect().await.unwrap()
    }
}

impl Place for PostgresDatabase {
    fn open(&self) -> BoxFuture<'_, StoreResult<Arc<dyn Store>>> {
        async {
            let now_us = clock::now().timestamp_micros();
            let store = PostgresStore::open(&self.url, self.folder.path(), now_us).await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        }
        .boxed()
    }

    fn look<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, Vec<Option<i64>>> {
        async move {
            let query = sqlx::query_scalar(AssertSqlSafe(sql));
            query.fetch_all(&mut self.hands().await).await.unwrap()
        }
        .boxed()
    }

    fn meddle<'p>(&'p self, sql: &'p str) -> BoxFuture<'p, ()> {
        async move {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut self.hands().await).await.unwrap();
        }
        .boxed()
    }
}

/// Runs each test over both engines: `over_both_engines!(in suite: name, …)` for functions `suite::name::<E: Engine>()`.
macro_rules! over_both_engines {
    (in $suite:ident: $($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$suite::$name::<$crate::support::place::Sqlite>().await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                use $crate::support::place::{Engine, Postgres};
                if Postgres::is_there(stringify!($name)) {
                    super::$suite::$name::<Postgres>().await;
                }
            })*
        }
    };
}
pub(crate) use over_both_engines;

/// Opens a place whose last owner has just gone: its locks may take a moment to go.
pub async fn open_after_crash(place: &dyn Place) -> Arc<dyn Store> {
    let open = async {
        loop {
            match place.open().await {
                Ok(store) => return store,
                Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    super::soon("the place is free", open).await
}
