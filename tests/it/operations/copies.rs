//! A store copied to another one is the same store.

use crate::support::contexts::{Ledger, Refuse};
use crate::support::world::{World, append, command, open_sqlite, raw};
use meal_planner::store::copy::{Extent, copy};
use meal_planner::store::hash::{ReplayHash, replay_hash};
use meal_planner::store::sqlite::{DATABASE, SqliteCopy, SqliteStore};
use meal_planner::store::tables::{Kind, TABLES};
use meal_planner::store::{
    Burial, Burn, Cause, Change, DeadLetterId, Effect, Idempotency, Recovery, Store, Timer, TimerName, Unit,
};
use sqlx::Row;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Texts that a careless copy changes.
const ODD: &str = "a\"b\\c\u{1}\u{7f}\u{2028}ß🜁\n\t'; --";

/// A stopped world with at least one row in every table that has a part in the replay.
pub async fn lived_in() -> World {
    let world = World::start().await;
    for n in 0..40 {
        world.ask(append(&format!("book {}", n % 7), n)).await;
    }
    world.ask(command::<Ledger>(ODD, Refuse { why: ODD.to_owned() })).await;
    let mut keyed = append("keyed", 1);
    keyed.idempotency = Some(([1; 32], [2; 32]));
    world.ask(keyed).await;
    world.settled().await;
    // Nobody takes these: there is no such context.
    let mut waiting = append("waits", 1);
    waiting.to.context = "elsewhere".into();
    let waiting = meal_planner::domain::envelope::Envelope::command(
        &waiting.to,
        "Odd",
        serde_json::json!({ "text": ODD }).to_string(),
        Uuid::now_v7(),
        meal_planner::clock::now(),
    );
    let first = Unit { messages: vec![waiting], ..Unit::default() };
    let position = world.store.commit(Arc::new(vec![first])).await.unwrap()[0].first;
    world.store.commit(Arc::new(vec![rarer(position)])).await.unwrap();
    world
}

fn rarer(position: i64) -> Unit {
    let burn = Burn {
        position,
        attempt: 1,
        cause: Cause::Error,
        error: ODD.to_owned(),
        generation: 3,
        available_at_us: i64::MAX,
    };
    let bury = Burial {
        id: DeadLetterId { position, reader: "somebody".to_owned() },
        context: "elsewhere".into(),
        key: ODD.into(),
        type_name: "Odd".into(),
        reason: ODD.to_owned(),
        holds: false,
        raw: Some(vec![0, 255, 7]),
    };
    let timer = Timer {
        owner: TimerName { context: "elsewhere".to_owned(), key: ODD.into(), name: "later".to_owned() },
        id: Uuid::now_v7(),
        due_us: i64::MAX,
        to_context: "elsewhere".into(),
        to_key: None,
        type_name: "Odd".into(),
        schema_version: 1,
        body: serde_json::json!({ "text": ODD }).to_string(),
        causation_id: None,
        correlation_id: None,
        trace: None,
        extra: Default::default(),
        schedule: None,
    };
    let effect = Effect {
        id: Uuid::now_v7(),
        position,
        context: "elsewhere".into(),
        key: ODD.into(),
        service: "remote".to_owned(),
        operation: "push".to_owned(),
        request: serde_json::json!({ "text": ODD }).to_string(),
        recovery: Recovery::Ask,
    };
    let changes = vec![
        Change::Burn(burn),
        Change::Bury(bury),
        Change::SetTimer(Box::new(timer)),
        Change::StageEffect(effect),
    ];
    let idempotency = Some(Idempotency { digest: [9; 32], body_digest: [8; 32], message_id: Uuid::now_v7() });
    Unit { changes, idempotency, ..Unit::default() }
}

pub async fn hash_of(database: &Path) -> ReplayHash {
    replay_hash(&mut SqliteCopy::source(database).await.unwrap()).await.unwrap()
}

/// Every row of every table as text, by table.
pub async fn contents(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut connection = raw(folder).await;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
                 AND name NOT IN ('_sqlx_migrations', 'process_epoch', 'sessions', 'copying')";
    let mut all = BTreeMap::new();
    for name in sqlx::query(names).fetch_all(&mut connection).await.unwrap() {
        let name: String = name.get(0);
        let columns = format!("SELECT name FROM pragma_table_info('{name}')");
        let columns = sqlx::query(sqlx::AssertSqlSafe(columns)).fetch_all(&mut connection).await.unwrap();
        let quoted: Vec<String> =
            columns.iter().map(|row| format!("quote({})", row.get::<String, _>(0))).collect();
        let rows = format!("SELECT {} AS line FROM \"{name}\" ORDER BY 1", quoted.join(" || ',' || "));
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
        all.insert(name, rows.iter().map(|row| row.get::<String, _>(0)).collect());
    }
    all
}

#[tokio::test]
async fn every_row_of_every_table_arrives_as_it_was() {
    let folder = lived_in().await.stop().await;
    let target = tempfile::tempdir().unwrap();
    let mut from = SqliteCopy::source(&folder.path().join(DATABASE)).await.unwrap();
    let mut to = SqliteCopy::target(&target.path().join(DATABASE), None).await.unwrap();
    let copied = copy(&mut from, &mut to, Extent::Whole).await.unwrap();
    to.close().await.unwrap();
    let (before, after) = (contents(folder.path()).await, contents(target.path()).await);
    for (table, rows) in &before {
        assert_eq!(after.get(table), Some(rows), "{table}");
    }
    assert_eq!(after.len(), before.len());
    for table in TABLES.iter().filter(|table| table.replayed) {
        assert!(!before[&*table.name].is_empty(), "{} holds nothing, so nothing is shown of it", table.name);
    }
    assert_eq!(copied.rows, before.values().map(|rows| rows.len() as u64).sum::<u64>());
    assert_eq!(hash_of(&target.path().join(DATABASE)).await, copied.hash);
    let store = open_sqlite(target.path()).await;
    assert_eq!(store.last_position().await.unwrap(), copied.position);
    assert!(!store.was_unclean());
    assert!(store.epoch() > copied.epoch);
}

#[tokio::test]
async fn a_target_that_holds_something_is_refused() {
    let folder = lived_in().await.stop().await;
    let target = tempfile::tempdir().unwrap();
    let store = open_sqlite(target.path()).await;
    store.close().await.unwrap();
    drop(store);
    let mut from = SqliteCopy::source(&folder.path().join(DATABASE)).await.unwrap();
    let mut to = SqliteCopy::target(&target.path().join(DATABASE), None).await.unwrap();
    let refused = copy(&mut from, &mut to, Extent::Whole).await.unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");
}

#[tokio::test]
async fn a_copy_that_was_cut_off_is_no_store_and_no_target() {
    use meal_planner::store::copy::{Source, Target};
    let folder = lived_in().await.stop().await;
    let target = tempfile::tempdir().unwrap();
    let mut from = SqliteCopy::source(&folder.path().join(DATABASE)).await.unwrap();
    let mut to = SqliteCopy::target(&target.path().join(DATABASE), None).await.unwrap();
    to.begin().await.unwrap();
    let page = from.page(&TABLES[0], None, 10).await.unwrap();
    assert_eq!(page.len(), 10);
    to.put(&TABLES[0], page).await.unwrap();
    drop(to);
    let opened = SqliteStore::open(target.path(), 0).await;
    assert!(opened.err().unwrap().to_string().contains("unfinished"));
    let mut to = SqliteCopy::target(&target.path().join(DATABASE), None).await.unwrap();
    let again = copy(&mut from, &mut to, Extent::Whole).await.unwrap_err();
    assert!(again.to_string().contains("unfinished"), "{again}");
}

#[tokio::test]
async fn one_changed_value_anywhere_changes_the_hash() {
    let folder = lived_in().await.stop().await;
    let before = hash_of(&folder.path().join(DATABASE)).await;
    let mut connection = raw(folder.path()).await;
    let mut tables: Vec<_> = TABLES.iter().filter(|table| table.replayed).cloned().collect();
    tables.push(meal_planner::store::tables::Table::read_model("ledger_sums_v1"));
    for table in tables {
        let (column, kind) = *table.columns.last().unwrap();
        let name = &table.name;
        let first: Vec<&str> = table.columns.iter().take(table.keys).map(|(name, _)| *name).collect();
        let keys = first.join(", ");
        let of_one = format!("({keys}) = (SELECT {keys} FROM {name} ORDER BY {keys} LIMIT 1)");
        let value = match kind {
            Kind::Integer => format!("coalesce({column}, 6) + 1"),
            Kind::Text | Kind::Bytes => {
                format!("CAST(coalesce(CAST({column} AS TEXT), '') || 'x' AS {})", affinity(kind))
            }
        };
        let change = format!("UPDATE {name} SET {column} = {value} WHERE {of_one}");
        sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
        let changed = sqlx::query(sqlx::AssertSqlSafe(change)).execute(&mut connection).await.unwrap();
        assert_eq!(changed.rows_affected(), 1, "{name}");
        sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        let after = hash_of(&folder.path().join(DATABASE)).await;
        let differing: Vec<_> = before.differences(&after);
        assert!(differing.iter().any(|line| line.starts_with(&**name)), "{name}: {differing:?}");
    }
}

fn affinity(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "INTEGER",
        Kind::Text => "TEXT",
        Kind::Bytes => "BLOB",
    }
}

#[tokio::test]
async fn the_list_of_tables_is_that_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(folder.path()).await;
    let mut connection = raw(folder.path()).await;
    let apart = ["_sqlx_migrations", "process_epoch", "sessions", "copying"];
    let names =
        sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    for name in names.fetch_all(&mut connection).await.unwrap() {
        let name: String = name.get(0);
        if apart.contains(&&*name) {
            continue;
        }
        let table = TABLES.iter().find(|table| table.name == *name);
        let table = table.unwrap_or_else(|| panic!("{name} is in no copy: add it to src/store/tables.rs"));
        let sql = format!("SELECT name, type FROM pragma_table_info('{name}')");
        let columns = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let mut found: Vec<_> =
            columns.iter().map(|row| (row.get::<String, _>(0), row.get::<String, _>(1))).collect();
        let mut listed: Vec<_> = table
            .columns
            .iter()
            .map(|(column, kind)| ((*column).to_owned(), affinity(*kind).to_owned()))
            .collect();
        found.sort();
        listed.sort();
        assert_eq!(listed, found, "{name}");
    }
    drop(store);
}
