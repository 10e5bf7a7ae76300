//! One owner: a second process is kept out, and a process whose epoch is over writes nothing.

use crate::support::until;
use crate::support::world::{World, append, contexts, raw};
use meal_planner::actors::{Origin, Refusal, Runtime};
use meal_planner::store::sqlite::SqliteStore;
use meal_planner::store::{Burn, Cause, Change, Store, StoreError, Unit};
use std::future::ready;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_folder_does_not_start() {
    let world = World::start().await;
    let second = SqliteStore::open(world.folder.path(), 0).await;
    assert!(matches!(second, Err(StoreError::Unusable { .. })));
    assert_eq!(world.ask(append("a", 1)).await.outcome, meal_planner::store::Outcome::Handled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_taken_over_accepts_and_writes_nothing() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    world.settled().await;
    let mut gate = world.store.hold(|unit| unit.handled.is_some());
    let waiting = world.accept(append("a", 2)).await.unwrap();
    gate.reached().await;
    let last = world.store.last_position().await.unwrap();
    let mut other = raw(world.folder.path()).await;
    sqlx::query("UPDATE process_epoch SET epoch = epoch + 1").execute(&mut other).await.unwrap();
    gate.open();
    until("it knows", || ready(world.runtime.hub().journal.is_fenced())).await;
    let refused = world.accept(append("b", 3)).await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::Fenced { .. }))), "{refused:?}");
    let (error, cause) = ("e".to_owned(), Cause::Error);
    let burn =
        Burn { position: waiting.position, attempt: 1, cause, error, generation: 1, available_at_us: 0 };
    let unit = Unit { changes: vec![Change::Burn(burn)], ..Unit::default() };
    let fenced = world.runtime.hub().journal.commit(Origin::Edge, vec![unit]).await;
    assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
    assert_eq!(world.store.last_position().await.unwrap(), last);
    assert_eq!(world.status(waiting.id).await.waiting.unwrap().attempts, 0);
    assert_eq!(world.numbers("a").await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_end_is_told_from_a_crash() {
    let clean = async |world: &World| -> i64 {
        let mut connection = raw(world.folder.path()).await;
        sqlx::query_scalar("SELECT clean FROM process_epoch").fetch_one(&mut connection).await.unwrap()
    };
    let world = World::start().await;
    assert_eq!(clean(&world).await, 0);
    let folder = world.stop().await;
    let store = SqliteStore::open(folder.path(), 0).await.unwrap();
    assert_eq!(store.epoch(), 2);
    let runtime = Runtime::start(Arc::new(store), contexts()).await.unwrap();
    runtime.stop().await.unwrap();
    let mut connection = raw(folder.path()).await;
    let clean: i64 =
        sqlx::query_scalar("SELECT clean FROM process_epoch").fetch_one(&mut connection).await.unwrap();
    assert_eq!(clean, 1);
}
