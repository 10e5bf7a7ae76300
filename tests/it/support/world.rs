//! A runtime over a folder of its own, which can be stopped, killed in parts, crashed and started again.

use super::contexts::{Append, Book, Ledger, LedgerEvent, Mirror, Scale, Sum};
use super::faulty::FaultyStore;
use super::place::PostgresDatabase;
use super::postgres;
use super::{PATIENCE, soon, until};
use meal_planner::actors::{Accepted, ActorView, Contexts, Done, NewCommand, Refusal, Retries, Runtime};

use meal_planner::clock;
use meal_planner::domain::context::Context;
use meal_planner::domain::envelope::{Address, Envelope, Key, Kind};
use meal_planner::domain::message::Message;
use meal_planner::store::postgres::PostgresStore;
use meal_planner::store::sqlite::{SqliteStore, writer_options};
use meal_planner::store::{
    Burn, Change, Filter, MessageStatus, RowQuery, StateMark, Store, StoreResult, StoredOutcome, Unit,
};
use sqlx::{ConnectOptions, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub const SUMS: &str = "ledger_sums_v1";

/// Whose snapshots the contexts here can use.
pub const STATE: StateMark = StateMark { version: 1, code_hash: meal_planner::domain::CODE_HASH };

pub struct World {
    pub folder: TempDir,
    pub store: Arc<FaultyStore>,
    pub runtime: Runtime,
}

/// Failed attempts after which a message is a dead letter here.
pub fn attempt_limit() -> u32 {
    Retries::default().limit()
}

pub fn contexts() -> Contexts {
    Contexts::default().with::<Ledger>().with::<Mirror>().with::<Scale>().retries(Retries::at_once())
}

pub async fn open_sqlite(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(folder, clock::now().timestamp_micros()).await.unwrap())
}

tokio::task_local! {
    /// Set where a test runs over PostgreSQL.
    pub static ON_POSTGRES: ();
}

/// Stands in the folder of a world over PostgreSQL and holds the address of its database.
pub const DATABASE: &str = "database-url";

/// A folder for a world of the engine that the test runs over.
pub async fn fresh_folder() -> TempDir {
    if ON_POSTGRES.try_with(|()| ()).is_err() {
        return tempfile::tempdir().unwrap();
    }
    let PostgresDatabase { url, folder } = postgres::fresh_database().await;
    std::fs::write(folder.path().join(DATABASE), url).unwrap();
    folder
}

async fn open(folder: &Path) -> StoreResult<Arc<dyn Store>> {
    let now_us = clock::now().timestamp_micros();
    Ok(match std::fs::read_to_string(folder.join(DATABASE)) {
        Ok(url) => Arc::new(PostgresStore::open(&url, folder, now_us).await?),
        Err(_) => Arc::new(SqliteStore::open(folder, now_us).await?),
    })
}

/// The locks of a store that has just been dropped may take a moment to go.
pub async fn open_after_crash(folder: &Path) -> Arc<dyn Store> {
    let open = async {
        loop {
            match Box::pin(open(folder)).await {
                Ok(store) => return store,
                Err(error) if error.to_string().contains("in use") => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    soon("the folder is free", open).await
}

/// Runs each test of a world over both engines.
macro_rules! worlds_over_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name().await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if $crate::support::postgres::is_there(stringify!($name)) {
                    $crate::support::world::ON_POSTGRES.scope((), super::$name()).await;
                }
            })*
        }
    };
}
pub(crate) use worlds_over_both_engines;

/// A second pair of hands on the database of a folder.
pub async fn raw(folder: &Path) -> SqliteConnection {
    writer_options(&folder.join("meal-planner.db")).connect().await.unwrap()
}

pub fn command<C: Context>(key: impl Into<Key>, command: impl Into<C::Command>) -> NewCommand {
    let command = command.into();
    NewCommand {
        to: Address::new(C::NAME, key),
        type_name: command.type_name().to_owned(),
        schema_version: command.schema_version(),
        body: command.encode().unwrap(),
        id: Uuid::now_v7(),
        id_given: false,
        idempotency: None,
        trace: None,
        user: None,
        control: false,
    }
}

pub fn append(key: &str, number: i64) -> NewCommand {
    command::<Ledger>(key, Append { number })
}

impl World {
    pub async fn start() -> Self {
        Self::start_in(fresh_folder().await).await
    }

    pub async fn start_in(folder: TempDir) -> Self {
        Self::start_with(folder, contexts()).await
    }

    pub async fn start_with(folder: TempDir, contexts: Contexts) -> Self {
        let store = FaultyStore::over(open_after_crash(folder.path()).await);
        Self::start_over(folder, store, contexts).await
    }

    /// [`Self::start_with`] a store that may have been told to fail already.
    pub async fn start_over(folder: TempDir, store: Arc<FaultyStore>, contexts: Contexts) -> Self {
        let runtime = Runtime::start(store.clone(), contexts).await.unwrap();
        Self { folder, store, runtime }
    }

    pub async fn stop(self) -> TempDir {
        soon("the runtime stops", self.runtime.stop()).await.unwrap();
        self.store.crash().await;
        self.folder
    }

    /// The power goes out.
    pub async fn crash(self) -> TempDir {
        self.store.crash().await;
        self.runtime.kill("");
        self.folder
    }

    pub async fn restart(self) -> Self {
        Self::start_in(self.stop().await).await
    }

    pub async fn crash_and_start(self) -> Self {
        Self::start_in(self.crash().await).await
    }

    /// Changes something behind the store's back.
    pub async fn meddle(&self, sql: &'static str) {
        match std::fs::read_to_string(self.folder.path().join(DATABASE)) {
            Ok(url) => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
                let mut hands = options.options([("search_path", "store")]).connect().await.unwrap();
                sqlx::query(sql).execute(&mut hands).await.unwrap();
            }
            Err(_) => {
                sqlx::query(sql).execute(&mut raw(self.folder.path()).await).await.unwrap();
            }
        }
    }

    pub async fn accept(&self, command: NewCommand) -> Result<Accepted, Refusal> {
        soon("an answer to whether it is accepted", self.runtime.dispatcher().accept(command)).await
    }

    pub async fn ask(&self, command: NewCommand) -> Done {
        let dispatcher = self.runtime.dispatcher();
        let (_, done) = soon("an outcome", dispatcher.ask(command, PATIENCE)).await.unwrap();
        done.expect("an outcome")
    }

    pub async fn status(&self, id: Uuid) -> MessageStatus {
        self.store.message(id).await.unwrap().expect("the message is known")
    }

    /// The stored outcome of a message, waited for.
    pub async fn outcome(&self, id: Uuid) -> StoredOutcome {
        until("a stored outcome", || async { self.status(id).await.outcome.is_some() }).await;
        self.status(id).await.outcome.unwrap()
    }

    /// Returns when nothing waits in any inbox and all readers have read everything.
    pub async fn settled(&self) {
        until("everything is handled", || async {
            let last = self.store.last_position().await.unwrap();
            let nothing_waits = self.store.waiting_counts().await.unwrap().is_empty();
            let mirrored = self.noted().await.len() == self.appended().await.len();
            self.runtime.hub().caught_up("ledger", last).await;
            nothing_waits && mirrored && self.store.last_position().await.unwrap() == last
        })
        .await;
    }

    pub async fn messages(&self, filter: Filter) -> Vec<Envelope> {
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let page = self.store.messages_after(after, 1000, filter.clone()).await.unwrap();
            if page.read_to == after {
                return all;
            }
            after = page.read_to;
            all.extend(page.messages);
        }
    }

    pub async fn events(&self, context: &str, key: Option<&str>) -> Vec<Envelope> {
        let filter = Filter {
            kinds: Some(Kind::Event),
            contexts: vec![context.to_owned()],
            key: key.map(str::to_owned),
            ..Filter::default()
        };
        self.messages(filter).await
    }

    async fn appended(&self) -> Vec<Envelope> {
        let mut events = self.events("ledger", None).await;
        events.retain(|event| *event.type_name == *"Appended");
        events
    }

    async fn noted(&self) -> Vec<Envelope> {
        self.events("mirror", None).await
    }

    /// The numbers in a ledger, from its events alone.
    pub async fn numbers(&self, key: &str) -> Vec<i64> {
        self.replayed(key).await.numbers
    }

    pub async fn replayed(&self, key: &str) -> Book {
        let mut book = Book::default();
        for event in self.events("ledger", Some(key)).await {
            let event = LedgerEvent::decode(&event.type_name, event.schema_version, &event.body).unwrap();
            Ledger::evolve(&mut book, &event);
        }
        book
    }

    pub async fn sums(&self) -> Vec<(String, Sum)> {
        let page = self.store.rows(SUMS, RowQuery { limit: 10_000, ..RowQuery::default() }).await.unwrap();
        page.rows.into_iter().map(|(key, body)| (key, serde_json::from_str(&body).unwrap())).collect()
    }

    /// One actor dies at once.
    pub fn kill(&self, path: &str) {
        self.runtime.kill(path);
    }

    pub fn kill_ledger(&self) {
        self.kill("contexts/ledger");
    }

    pub fn view(&self, path: &str) -> ActorView {
        self.runtime.hub().registry.find(path).expect("an actor of this path").view()
    }

    pub fn restarts(&self, path: &str) -> u64 {
        self.view(path).restarts
    }

    /// Accepts beside the test, which goes on.
    pub fn accepting(&self, command: NewCommand) -> JoinHandle<Result<Accepted, Refusal>> {
        let dispatcher = self.runtime.dispatcher();
        tokio::spawn(async move { dispatcher.accept(command).await })
    }
}

/// Units in which this message is accepted.
pub fn accepts(id: Uuid) -> impl Fn(&Unit) -> bool + Send + Sync + 'static {
    move |unit| unit.messages.iter().any(|message| message.id == id)
}

/// Units that end this message.
pub fn handles(id: Uuid) -> impl Fn(&Unit) -> bool + Send + Sync + 'static {
    move |unit| unit.handled.as_ref().is_some_and(|done| done.id == id)
}

/// Units that record a failed attempt.
pub fn burns(unit: &Unit) -> bool {
    !burnt(std::slice::from_ref(unit)).is_empty()
}

/// The failed attempts that these units record.
pub fn burnt(units: &[Unit]) -> Vec<Burn> {
    let changes = units.iter().flat_map(|unit| &unit.changes);
    let burn = |change: &Change| if let Change::Burn(burn) = change { Some(burn.clone()) } else { None };
    changes.filter_map(burn).collect()
}
