//! A store that an older program has written and used dies at each step of being brought up to date: what it holds is
//! there afterwards, and what waited in it is done.

use super::audit::Books;
use super::case::{SIGABRT, crash_at};
use super::engine::Engine;
use super::load::Server;
use super::victim::Victim;
use crate::support::world::raw;
use crate::support::{postgres, until};
use meal_planner::domain::envelope::Envelope;
use meal_planner::store::Outcome;
use serde_json::{Value, json};
use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqlSafeStr};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// What the older program has accepted: handled, its event, and still waiting.
const SET_UP: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const WAS_SET_UP: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
const ADD: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003);

/// Versions and texts, in their order.
fn migrations(engine: &Engine) -> Vec<(i64, String)> {
    let folder = match engine {
        Engine::Sqlite => "migrations/sqlite",
        Engine::Postgres { .. } => "migrations/postgres",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    (1..).zip(files.iter().map(|file| std::fs::read_to_string(file).expect("a text"))).collect()
}

async fn migrate_to(version: i64, engine: &Engine, connection: &mut impl Migrate) {
    let old = migrations(engine).into_iter().take_while(|(number, _)| *number <= version);
    let old = old.map(|(number, sql)| {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Migration::new(number, "old".into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(old.collect());
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.expect("it migrates");
}

fn household() -> Value {
    json!({"name": "The old house", "time_zone": "Europe/Vienna", "slots": ["dinner"]})
}

fn member() -> Value {
    json!({"id": "01900000-0000-7000-8000-0000000000aa", "person": {"name": "Ann"}})
}

/// What the older program has written; `bytes` is how its engine writes them.
fn contents(bytes: impl Fn(Uuid) -> String) -> String {
    let row = |position: i64, id: Uuid, kind: i64, version: &str, name: &str, body: Value| {
        let cause = if kind == 1 { bytes(SET_UP) } else { "NULL".to_owned() };
        format!(
            "INSERT INTO events (position, id, kind, context, key, stream_version, type, schema_version, body, time_us,
                                 causation_id, correlation_id, epoch)
             VALUES ({position}, {}, {kind}, 'household', 'home', {version}, '{name}', 1, '{body}',
                     1790000000000000, {cause}, {}, 1);",
            bytes(id),
            bytes(if kind == 1 { SET_UP } else { id }),
        )
    };
    let rows = [
        row(1, SET_UP, 0, "NULL", "SetUpHousehold", household()),
        row(2, WAS_SET_UP, 1, "1", "HouseholdSetUp", json!({"household": household()})),
        row(3, ADD, 0, "NULL", "AddMember", member()),
    ];
    format!(
        "{}
         INSERT INTO outcomes (position, status, first_position, last_position, at_us, epoch)
         VALUES (1, 0, 2, 2, 1790000000000000, 1);
         INSERT INTO inbox (position, context) VALUES (3, 'household');
         INSERT INTO snapshots (context, key, stream_version, state_version, body)
         VALUES ('household', 'home', 1, 1, '{{\"of\": \"another shape\"}}');
         UPDATE process_epoch SET epoch = 1, clean = 0;",
        rows.join("\n")
    )
}

/// A store of that version, whose program has died.
async fn older(engine: &Engine, version: i64) -> (Engine, TempDir) {
    let (engine, folder) = (engine.fresh().await, tempfile::tempdir().expect("a folder"));
    match engine.url() {
        None => {
            let mut hands = raw(folder.path()).await;
            migrate_to(version, &engine, &mut hands).await;
            let sql = contents(|id| format!("x'{}'", id.simple()));
            hands.execute(AssertSqlSafe(sql)).await.expect("it writes");
        }
        Some(url) => {
            let options: PgConnectOptions = url.parse().expect("an address");
            let mut hands = options.options([("search_path", "store")]).connect().await.expect("it connects");
            hands.execute("CREATE SCHEMA store").await.expect("a schema");
            migrate_to(version, &engine, &mut hands).await;
            let sql = contents(|id| format!("'\\x{}'::bytea", id.simple()));
            hands.execute(AssertSqlSafe(sql)).await.expect("it writes");
        }
    }
    (engine, folder)
}

fn told(message: &Envelope) -> (Uuid, String, Value) {
    (message.id, message.type_name.to_string(), serde_json::from_str(&message.body).expect("a body"))
}

/// Starts unarmed, and holds it to what the older program has accepted.
async fn goes_on(engine: &Engine, data: &Path, story: &str) {
    let mut victim = Victim::start(engine, data, &[]);
    let Some(url) = victim.serving().await else { panic!("{story}: it does not start\n{}", victim.tail()) };
    let server = Server::of(url, data);
    until("what waited is done", async || {
        server.status(ADD).await == "handled" && server.is_idle_but(0).await
    })
    .await;
    let home = server.get("/api/household").await.expect("an answer").to_string();
    assert!(home.contains("The old house") && home.contains("Ann"), "{story}: {home}");
    victim.terminate();
    assert!(victim.ended().await.success(), "{story}\n{}", victim.tail());

    let store = engine.open(data).await;
    assert_eq!(Books::read(&*store).await.inconsistencies(), Vec::<String>::new(), "{story}");
    let first: Vec<_> = store.range(1, 3).await.expect("it reads").iter().map(told).collect();
    let kept = [
        (SET_UP, "SetUpHousehold".to_owned(), household()),
        (WAS_SET_UP, "HouseholdSetUp".to_owned(), json!({"household": household()})),
        (ADD, "AddMember".to_owned(), member()),
    ];
    assert_eq!(first, kept, "{story}");
    let added = store.message(ADD).await.expect("it reads").and_then(|found| found.outcome);
    assert!(
        added.is_some_and(|added| added.outcome == Outcome::Handled && added.caused.is_some()),
        "{story}"
    );
    store.close().await.expect("it closes");
}

async fn each_step(engine: Engine) {
    let newest = i64::try_from(migrations(&engine).len()).expect("few");
    for version in 1..newest {
        for nth in 1.. {
            let (engine, folder) = older(&engine, version).await;
            let story = format!("{} of version {version}, migration.commit:{nth}", engine.name());
            let mut victim = Victim::start(&engine, folder.path(), &crash_at("migration.commit", nth));
            let serves = victim.serving().await.is_some();
            victim.terminate();
            let status = victim.ended().await;
            assert!(serves || status.signal() == Some(SIGABRT), "{story}: {status}\n{}", victim.tail());
            goes_on(&engine, folder.path(), &story).await;
            engine.remove().await;
            if serves {
                assert!(
                    i64::try_from(nth).is_ok_and(|nth| nth > newest - version),
                    "{story}: the point is not come by"
                );
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_store_that_dies_while_it_is_brought_up_to_date_loses_nothing() {
    each_step(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_store_that_dies_while_it_is_brought_up_to_date_loses_nothing_over_postgres() {
    if postgres::is_there("a_used_store_that_dies_while_it_is_brought_up_to_date_loses_nothing_over_postgres")
    {
        each_step(Engine::postgres().await).await;
    }
}
