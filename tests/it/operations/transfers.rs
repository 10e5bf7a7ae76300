//! A store moves between the engines, backups included, and stays the same to the byte.

use super::backups::drilled;
use super::copies::{contents, hash_of, lived_in};
use crate::support::place::{Place as _, PostgresDatabase};
use crate::support::postgres;
use crate::support::world::{ON_POSTGRES, World, append, open_sqlite};
use meal_planner::domain::envelope::{Address, Envelope};
use meal_planner::store::backup::{make, restore_into};
use meal_planner::store::copy::{Extent, Source, Target, copy};
use meal_planner::store::hash::replay_hash;
use meal_planner::store::postgres::{PostgresCopy, PostgresStore};
use meal_planner::store::sealed::{KEY_FILE, PeopleFolder};
use meal_planner::store::sqlite::{DATABASE, SqliteCopy};
use meal_planner::store::tables::TABLES;
use meal_planner::store::transfer::{Place, transfer};
use meal_planner::store::{Store, Unit};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Texts that PostgreSQL holds only escaped, and whose order is told by the first bytes.
const HARD: [&str; 4] = ["hard \0", "hard \0\u{1}", "hard \u{1}\0", "hard \u{1}"];

async fn lived_in_hard() -> World {
    let world = lived_in().await;
    let messages = HARD.iter().map(|text| {
        let to = Address::new("elsewhere", *text);
        let body = serde_json::json!({ "text": text }).to_string();
        Envelope::command(&to, text, body, Uuid::now_v7(), meal_planner::clock::now())
    });
    let unit = Unit { messages: messages.collect(), ..Unit::default() };
    world.store.commit(Arc::new(vec![unit])).await.unwrap();
    world
}

fn folder(of: &tempfile::TempDir) -> Place {
    Place::Folder(of.path().to_owned())
}

async fn move_over(from: &Place, to: &Place, data: &Path) -> String {
    transfer(from, to, data, 1).await.unwrap().hash.sha256
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_to_postgres_and_back_unchanged() {
    if !postgres::is_there("a_store_goes_to_postgres_and_back_unchanged") {
        return;
    }
    let data = lived_in_hard().await.stop().await;
    let before = contents(data.path()).await;
    let hash = hash_of(&data.path().join(DATABASE)).await;
    let database = postgres::fresh_database().await;
    let over_there = Place::of(&database.url);
    assert_eq!(move_over(&folder(&data), &over_there, data.path()).await, hash.sha256);
    let store = database.open().await.unwrap();
    let moved = replay_hash(&mut *store.source().await.unwrap()).await.unwrap();
    assert_eq!(moved, hash);
    store.close().await.unwrap();
    drop(store);

    let back = tempfile::tempdir().unwrap();
    assert_eq!(move_over(&over_there, &folder(&back), database.folder.path()).await, hash.sha256);
    let after = contents(back.path()).await;
    for (table, rows) in &before {
        assert_eq!(after.get(table), Some(rows), "{table}");
    }
    assert_eq!(after.len(), before.len());
    let there = open_sqlite(back.path()).await;
    assert!(!there.was_unclean());
    assert_eq!(there.range(1, i64::MAX).await.unwrap().len(), before["events"].len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lived_on_postgres_goes_on_in_a_folder() {
    if !postgres::is_there("what_lived_on_postgres_goes_on_in_a_folder") {
        return;
    }
    ON_POSTGRES.scope((), moves_into_a_folder()).await;
}

async fn moves_into_a_folder() {
    let world = lived_in_hard().await;
    let (sums, numbers) = (world.sums().await, world.numbers("book 1").await);
    let data = world.stop().await;
    let url = std::fs::read_to_string(data.path().join("database-url")).unwrap();
    let target = tempfile::tempdir().unwrap();
    let hash = move_over(&Place::of(&url), &folder(&target), data.path()).await;
    assert_eq!(hash_of(&target.path().join(DATABASE)).await.sha256, hash);
    let copied = contents(target.path()).await;
    let engine = PostgresDatabase { url, folder: data };
    let noted = "SELECT count(*) FROM checkpoints WHERE reader = E'\\x02group'";
    assert_eq!(engine.look(noted).await, [Some(1)], "else nothing is shown of it");
    assert!(copied["checkpoints"].iter().all(|row| !row.contains("group")), "{copied:?}");
    let again = World::start_in(target).await;
    assert_eq!(again.sums().await, sums);
    assert_eq!(again.numbers("book 1").await, numbers);
    again.ask(append("book 1", 2000)).await;
    assert_eq!(again.numbers("book 1").await.last(), Some(&2000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgres_passes_its_drill_and_fills_another_database() {
    if !postgres::is_there("a_backup_of_postgres_passes_its_drill_and_fills_another_database") {
        return;
    }
    ON_POSTGRES.scope((), backs_up_and_restores()).await;
}

async fn backs_up_and_restores() {
    let world = lived_in_hard().await;
    let backups = tempfile::tempdir().unwrap();
    let mut source = world.store.source().await.unwrap();
    let before = world.store.last_position().await.unwrap();
    world.ask(append("book 3", 7)).await;
    let backup = make(&mut *source, "postgres", backups.path(), 1).await.unwrap();
    drop(source);
    assert_eq!(backup.manifest.position, before);
    let scratch = backups.path().join("drill");
    let report = drilled(&backup.path, &scratch).await.unwrap();
    assert_eq!(report.differences, [""; 0]);
    assert_eq!(report.not_compared, [""; 0]);

    let other = postgres::fresh_database().await;
    let mut target = PostgresCopy::target(&other.url).await.unwrap();
    restore_into(&backup.path, &mut target, other.folder.path()).await.unwrap();
    target.close().await.unwrap();
    std::fs::write(other.folder.path().join("database-url"), &other.url).unwrap();
    let again = World::start_in(other.folder).await;
    assert_eq!(again.store.last_position().await.unwrap(), before);
    again.ask(append("book 1", 2000)).await;
    assert_eq!(again.numbers("book 1").await.last(), Some(&2000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_a_store_or_half_of_one_is_no_target() {
    if !postgres::is_there("a_database_with_a_store_or_half_of_one_is_no_target") {
        return;
    }
    let data = lived_in().await.stop().await;
    let used = postgres::fresh_database().await;
    used.open().await.unwrap().close().await.unwrap();
    let refused = transfer(&folder(&data), &Place::of(&used.url), data.path(), 1).await.unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");

    let half = postgres::fresh_database().await;
    let mut from = SqliteCopy::source(&data.path().join(DATABASE)).await.unwrap();
    let mut to = PostgresCopy::target(&half.url).await.unwrap();
    let page = from.page(&TABLES[0], None, 10).await.unwrap();
    assert!(to.is_empty().await.unwrap());
    to.begin().await.unwrap();
    to.put(&TABLES[0], page).await.unwrap();
    to.close().await.unwrap();
    let opened = PostgresStore::open(&half.url, half.folder.path(), 0).await;
    assert!(opened.err().unwrap().to_string().contains("unfinished"));
    let mut to = PostgresCopy::target(&half.url).await.unwrap();
    let again = copy(&mut from, &mut to, Extent::Whole).await.unwrap_err();
    assert!(again.to_string().contains("unfinished"), "{again}");
}

#[tokio::test]
async fn the_key_of_its_people_and_the_list_of_the_erased_go_with_a_store() {
    let data = lived_in().await.stop().await;
    let people = PeopleFolder::new(data.path());
    people.key(true).unwrap();
    let gone = Uuid::now_v7();
    people.note_begun(gone).unwrap();
    people.note_done(gone).unwrap();
    let target = tempfile::tempdir().unwrap();
    move_over(&folder(&data), &folder(&target), target.path()).await;
    let key = |at: &tempfile::TempDir| std::fs::read_to_string(at.path().join(KEY_FILE)).unwrap();
    assert_eq!(key(&target), key(&data));
    // Erased again at the next start, whatever the store holds.
    assert_eq!(PeopleFolder::new(target.path()).erased().unwrap().get(&gone), Some(&false));

    let taken = tempfile::tempdir().unwrap();
    PeopleFolder::new(taken.path()).key(true).unwrap();
    let before = key(&taken);
    let refused = transfer(&folder(&data), &folder(&taken), taken.path(), 1).await.unwrap_err();
    assert!(refused.to_string().contains("another key"), "{refused}");
    assert_eq!(key(&taken), before);
    assert!(!taken.path().join(DATABASE).exists());
}

#[tokio::test]
async fn a_store_at_work_and_a_folder_without_one_are_not_moved() {
    let world = lived_in().await;
    let target = tempfile::tempdir().unwrap();
    let from = folder(&world.folder);
    let refused = transfer(&from, &folder(&target), target.path(), 1).await.unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    let refused = transfer(&folder(&target), &from, target.path(), 1).await.unwrap_err();
    assert!(refused.to_string().contains("holds no store"), "{refused}");
    let data = world.stop().await;
    let refused = transfer(&folder(&data), &folder(&data), target.path(), 1).await.unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");
}
