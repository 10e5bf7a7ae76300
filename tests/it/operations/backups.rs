//! A backup is made while the store is at work, and tells the same when it is restored.

use super::copies::{hash_of, lived_in};
use crate::support::world::{World, append, contexts, open_sqlite};
use futures_util::FutureExt;
use meal_planner::actors::{DrillReport, drill};
use meal_planner::store::backup::{Backup, check, keep, list, make, restore};
use meal_planner::store::sealed::Vault;
use meal_planner::store::sqlite::DATABASE;
use meal_planner::store::{Store, StoreResult};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

async fn backup_of(store: &dyn Store, folder: &Path, made_us: i64) -> Backup {
    make(&mut *store.source().await.unwrap(), store.engine(), folder, made_us).await.unwrap()
}

pub async fn drilled(backup: &Path, scratch: &Path) -> StoreResult<DrillReport> {
    let contexts = contexts();
    let through = |store: Arc<dyn Vault>| async { Ok(store as Arc<dyn Store>) }.boxed();
    drill(backup, scratch, contexts.projections(), &through).await
}

#[tokio::test]
async fn a_restored_backup_goes_on_where_it_was_made() {
    let world = lived_in().await;
    let backups = tempfile::tempdir().unwrap();
    let backup = backup_of(&*world.store, backups.path(), 1).await;
    let sums = world.sums().await;
    let numbers = world.numbers("book 1").await;
    world.ask(append("book 1", 1000)).await;
    assert_eq!(check(&backup.path).await.unwrap(), backup.manifest);

    let folder = tempfile::tempdir().unwrap();
    restore(&backup.path, folder.path()).await.unwrap();
    let again = World::start_in(folder).await;
    again.runtime.hub().caught_up("ledger", backup.manifest.position).await;
    assert_eq!(again.store.last_position().await.unwrap(), backup.manifest.position);
    assert_eq!(again.sums().await, sums);
    assert_eq!(again.numbers("book 1").await, numbers);
    again.ask(append("book 1", 2000)).await;
    assert_eq!(again.numbers("book 1").await.last(), Some(&2000));
}

#[tokio::test]
async fn a_backup_is_of_one_moment_though_writing_goes_on() {
    let world = lived_in().await;
    let backups = tempfile::tempdir().unwrap();
    let mut source = world.store.source().await.unwrap();
    let before = world.store.last_position().await.unwrap();
    for n in 0..20 {
        world.ask(append("book 3", n)).await;
    }
    let backup = make(&mut *source, "sqlite", backups.path(), 1).await.unwrap();
    assert_eq!(backup.manifest.position, before);
    let scratch = backups.path().join("drill");
    let report = drilled(&backup.path, &scratch).await.unwrap();
    assert_eq!(report.differences, [""; 0]);
    assert_eq!(report.not_compared, [""; 0]);
}

#[tokio::test]
async fn a_drill_finds_a_read_model_that_its_events_do_not_make() {
    let folder = lived_in().await.stop().await;
    let backups = tempfile::tempdir().unwrap();
    let mut connection = crate::support::world::raw(folder.path()).await;
    sqlx::query("UPDATE ledger_sums_v1 SET body = json_set(body, '$.sum', 12345) WHERE key = 'book 1'")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let store = open_sqlite(folder.path()).await;
    let backup = backup_of(&*store, backups.path(), 1).await;
    let scratch = backups.path().join("drill");
    let report = drilled(&backup.path, &scratch).await.unwrap();
    assert_eq!(report.differences.len(), 1, "{report:?}");
    assert!(report.differences[0].starts_with("ledger_sums_v1"), "{report:?}");
    assert!(!scratch.exists(), "what was restored is removed");
}

#[tokio::test]
async fn a_damaged_or_shortened_backup_is_told_from_a_good_one() {
    let world = lived_in().await;
    let backups = tempfile::tempdir().unwrap();
    let good = backup_of(&*world.store, backups.path(), 1).await.path;
    assert!(check(&good).await.is_ok());
    let length = std::fs::metadata(&good).unwrap().len();
    let spoil = |name: &str, change: &dyn Fn(&mut std::fs::File)| {
        let path = backups.path().join(name);
        std::fs::copy(&good, &path).unwrap();
        change(&mut std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap());
        path
    };
    let mut spoilt = vec![
        spoil("cut", &|file| file.set_len(length / 2).unwrap()),
        spoil("page less", &|file| file.set_len(length - 4096).unwrap()),
        spoil("empty", &|file| file.set_len(0).unwrap()),
        spoil("no database", &|file| file.write_all(b"this is something else").unwrap()),
    ];
    // One letter of a stored text: SQLite itself sees nothing wrong with it.
    let bytes = std::fs::read(&good).unwrap();
    let said = b"ask for something else";
    let at = bytes.windows(said.len()).position(|some| some == said).unwrap() as u64;
    spoilt.push(spoil("one letter", &|file| {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(b"b").unwrap();
    }));
    for path in spoilt {
        let refused = check(&path).await.expect_err(&path.display().to_string());
        assert!(refused.to_string().contains("cannot be restored"), "{refused}");
        let folder = tempfile::tempdir().unwrap();
        assert!(restore(&path, folder.path()).await.is_err(), "{}", path.display());
        assert!(!folder.path().join(DATABASE).exists());
    }
}

#[tokio::test]
async fn a_folder_with_a_store_is_not_restored_over() {
    let world = lived_in().await;
    let backups = tempfile::tempdir().unwrap();
    let backup = backup_of(&*world.store, backups.path(), 1).await;
    let folder = world.stop().await;
    let before = hash_of(&folder.path().join(DATABASE)).await;
    let refused = restore(&backup.path, folder.path()).await.unwrap_err();
    assert!(refused.to_string().contains("holds a store"), "{refused}");
    assert_eq!(hash_of(&folder.path().join(DATABASE)).await, before);
}

#[tokio::test]
async fn only_the_newest_backups_are_kept_and_halves_are_swept() {
    let world = lived_in().await;
    let backups = tempfile::tempdir().unwrap();
    std::fs::write(backups.path().join("5.partial"), "half").unwrap();
    let mut made = Vec::new();
    for n in 1..=4 {
        made.push(backup_of(&*world.store, backups.path(), n * 1_000_000_000).await.path);
    }
    assert!(!backups.path().join("5.partial").exists());
    made.reverse();
    assert_eq!(list(backups.path()).unwrap(), made);
    assert_eq!(keep(backups.path(), 2).unwrap(), made[2..]);
    assert_eq!(list(backups.path()).unwrap(), made[..2]);
    assert_eq!(keep(backups.path(), 9).unwrap(), [""; 0].map(std::path::PathBuf::from));
}
