//! What waits holds its own key only, is seen with its reason, and goes on in its order.

use crate::support::contexts::{Append, Explode, Jot, Ledger, Scale, Vault, Weigh, times_decided};
use crate::support::world::{
    World, append, burnt, command, contexts, fresh_folder, raw, worlds_over_both_engines,
};
use crate::support::{let_others_run, until};
use meal_planner::actors::{NewCommand, Order, OrderRefused, Retries, Wait};
use meal_planner::domain::envelope::{Address, Envelope};
use meal_planner::store::{Cause, Change, DeadLetterId, DeadLetterQuery, Settled, StateMark, Store, Unit};
use std::future::ready;
use std::time::Duration;
use tempfile::TempDir;

worlds_over_both_engines!(
    many_that_were_held_go_on_in_their_order_behind_the_replay_and_none_twice,
    more_than_is_kept_in_memory_waits_behind_a_key_and_keeps_its_order,
    a_context_may_hold_a_key_at_its_dead_letter_until_it_is_replayed_first,
    a_replay_that_waits_goes_before_what_was_held_also_after_a_crash,
    a_suspect_of_a_crash_runs_alone_and_marked_and_its_charge_counts,
    a_paused_context_accepts_and_goes_on_when_it_is_resumed,
    an_ordered_restart_brings_a_new_incarnation_and_loses_nothing,
);

const HOUR: Duration = Duration::from_secs(3600);

/// Where the second retry comes after an hour, which no test waits for.
async fn slow(folder: TempDir) -> World {
    let retries = Retries::new(vec![Duration::ZERO, HOUR, HOUR, HOUR, HOUR]);
    World::start_with(folder, contexts().with::<Vault>().retries(retries)).await
}

async fn vault() -> World {
    World::start_with(fresh_folder().await, contexts().with::<Vault>()).await
}

fn explode(key: &str, times: u32) -> NewCommand {
    command::<Ledger>(key, Explode { times, number: 7 })
}

fn put(key: &str, number: i64) -> NewCommand {
    command::<Vault>(key, Append { number })
}

fn waits(world: &World, path: &str) -> Vec<Wait> {
    world.view(path).waits
}

async fn waits_at(world: &World, path: &str, key: &str) -> Wait {
    let found = || waits(world, path).into_iter().find(|wait| wait.key == key);
    until("the key waits", || ready(found().is_some())).await;
    found().unwrap()
}

async fn stored_numbers(world: &World, context: &str, key: &str) -> Vec<i64> {
    let mark = StateMark { version: u32::MAX, code_hash: 0 };
    let stream = world.store.streams(context, mark, vec![key.into()]).await.unwrap().remove(0);
    let number = |event: &Envelope| {
        serde_json::from_str::<serde_json::Value>(&event.body).unwrap()["number"].as_i64().unwrap()
    };
    stream.events.iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_whose_time_has_not_come_holds_its_key_only_and_is_seen() {
    let world = slow(tempfile::tempdir().unwrap()).await;
    let bad = world.accept(explode("a", 2)).await.unwrap();
    let wait = waits_at(&world, "contexts/ledger", "a").await;
    assert!(wait.reason.contains("attempt 2") && wait.reason.contains("boom 2"), "{wait:?}");
    let left = wait.until.unwrap() - wait.since;
    assert!((2600..=4600).contains(&left.num_seconds()), "{left}");
    let behind = world.accept(append("a", 8)).await.unwrap();
    world.ask(append("b", 1)).await;
    let_others_run().await;
    assert!(world.status(behind.id).await.outcome.is_none());
    let status = world.status(bad.id).await.waiting.unwrap();
    assert_eq!((status.attempts, times_decided(bad.id)), (2, 2));

    // The pause outlives a restart of the process.
    let world = slow(world.crash().await).await;
    waits_at(&world, "contexts/ledger", "a").await;
    assert_eq!(times_decided(bad.id), 2);
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    sqlx::query("UPDATE inbox SET available_at_us = 1").execute(&mut connection).await.unwrap();
    drop(connection);
    let world = slow(folder).await;
    world.outcome(behind.id).await;
    assert_eq!(world.numbers("a").await, [7, 8]);
    assert_eq!(waits(&world, "contexts/ledger"), []);
}

async fn more_than_is_kept_in_memory_waits_behind_a_key_and_keeps_its_order() {
    const MANY: i64 = 300;
    let world = World::start().await;
    let mut gate = world.store.hold_reads("gated");
    let weigh = Weigh { ledgers: vec!["gated".to_owned()], number: 0 };
    world.accept(command::<Scale>("x", weigh)).await.unwrap();
    gate.reached().await;
    for number in 1..=MANY {
        world.accept(command::<Scale>("x", Jot { number })).await.unwrap();
        if number % 100 == 0 {
            world.ask(command::<Scale>("y", Jot { number })).await;
        }
    }
    gate.open();
    let last = world.accept(command::<Scale>("x", Jot { number: MANY + 1 })).await.unwrap();
    world.outcome(last.id).await;
    until("all are handled", || async { world.store.waiting_counts().await.unwrap().is_empty() }).await;
    assert_eq!(stored_numbers(&world, "scale", "x").await, (0..=MANY + 1).collect::<Vec<_>>());
    assert_eq!(world.restarts("contexts/scale"), 0);
}

async fn settle(world: &World, position: i64, how: Settled, replay: Option<NewCommand>) {
    let id = DeadLetterId { position, reader: String::new() };
    let change = Change::SettleDeadLetter { id, how, note: "a test".to_owned() };
    let message = replay.map(|new| {
        let to = Address::new(&new.to.context, new.to.key);
        Envelope::command(&to, &new.type_name, new.body, new.id, meal_planner::clock::now())
    });
    let unit = Unit { messages: message.into_iter().collect(), changes: vec![change], ..Unit::default() };
    let journal = &world.runtime.hub().journal;
    journal.commit(meal_planner::actors::Origin::Edge, vec![unit]).await.unwrap();
}

async fn a_context_may_hold_a_key_at_its_dead_letter_until_it_is_replayed_first() {
    let world = vault().await;
    world.ask(put("a", 1)).await;
    let bad = world.accept(command::<Vault>("a", Explode { times: u32::MAX, number: 2 })).await.unwrap();
    let behind = world.accept(put("a", 3)).await.unwrap();
    world.outcome(bad.id).await;
    let wait = waits_at(&world, "contexts/vault", "a").await;
    assert_eq!(wait.reason, format!("held by dead letter {}", bad.position));
    world.ask(put("b", 9)).await;

    let world = World::start_with(world.crash().await, contexts().with::<Vault>()).await;
    world.ask(put("b", 10)).await;
    assert!(world.status(behind.id).await.outcome.is_none(), "it is held over a restart, too");
    let again = put("a", 2);
    settle(&world, bad.position, Settled::Replayed { as_id: again.id }, Some(again)).await;
    world.outcome(behind.id).await;
    assert_eq!(stored_numbers(&world, "vault", "a").await, [1, 2, 3]);
    assert_eq!(waits(&world, "contexts/vault"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_key_goes_on_when_its_dead_letter_is_discarded() {
    let world = vault().await;
    let bad = world.accept(command::<Vault>("a", Explode { times: u32::MAX, number: 2 })).await.unwrap();
    let behind = world.accept(put("a", 3)).await.unwrap();
    world.outcome(bad.id).await;
    settle(&world, bad.position, Settled::Discarded, None).await;
    world.outcome(behind.id).await;
    assert_eq!(stored_numbers(&world, "vault", "a").await, [3]);
}

async fn a_replay_that_waits_goes_before_what_was_held_also_after_a_crash() {
    let world = vault().await;
    let bad = world.accept(command::<Vault>("a", Explode { times: u32::MAX, number: 2 })).await.unwrap();
    let behind = world.accept(put("a", 3)).await.unwrap();
    world.outcome(bad.id).await;
    world.runtime.hub().order("contexts/vault", Order::Pause).unwrap();
    let again = put("a", 2);
    settle(&world, bad.position, Settled::Replayed { as_id: again.id }, Some(again)).await;
    let world = World::start_with(world.crash().await, contexts().with::<Vault>()).await;
    world.outcome(behind.id).await;
    assert_eq!(stored_numbers(&world, "vault", "a").await, [2, 3]);
}

/// More than is kept in memory, so that the rest is read back from the table behind the replay.
async fn many_that_were_held_go_on_in_their_order_behind_the_replay_and_none_twice() {
    const MANY: i64 = 200;
    let world = vault().await;
    let bad = world.accept(command::<Vault>("a", Explode { times: u32::MAX, number: 0 })).await.unwrap();
    world.outcome(bad.id).await;
    let other = world.accept(command::<Vault>("b", Explode { times: u32::MAX, number: 0 })).await.unwrap();
    for number in 1..=MANY {
        world.accept(put("a", number)).await.unwrap();
    }
    world.outcome(other.id).await;
    let restarts = world.restarts("contexts/vault");
    let again = put("a", 0);
    settle(&world, bad.position, Settled::Replayed { as_id: again.id }, Some(again)).await;
    // Another verdict in the same context, while the first is on its way to the disk.
    settle(&world, other.position, Settled::Discarded, None).await;
    let last = world.accept(put("a", MANY + 1)).await.unwrap();
    world.outcome(last.id).await;
    world.ask(put("b", 1)).await;
    assert_eq!(stored_numbers(&world, "vault", "a").await, (0..=MANY + 1).collect::<Vec<_>>());
    assert_eq!(world.restarts("contexts/vault"), restarts);
    assert_eq!(waits(&world, "contexts/vault"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_does_not_read_is_a_dead_letter_with_its_bytes_and_its_context_goes_on() {
    let world = World::start().await;
    world.runtime.hub().order("contexts/ledger", Order::Pause).unwrap();
    let broken = world.accept(append("a", 1)).await.unwrap();
    let next = world.accept(append("a", 2)).await.unwrap();
    let folder = world.crash().await;
    let mut connection = raw(folder.path()).await;
    sqlx::query("UPDATE events SET extra = '{no json' WHERE position = ?1")
        .bind(broken.position)
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let world = World::start_in(folder).await;
    world.outcome(next.id).await;
    assert_eq!(world.numbers("a").await, [2]);
    assert_eq!(world.restarts("contexts/ledger"), 0);
    let query = DeadLetterQuery { limit: 10, ..DeadLetterQuery::default() };
    let letters = world.store.dead_letters(query).await.unwrap();
    let raw = String::from_utf8_lossy(letters[0].raw.as_deref().unwrap()).into_owned();
    assert_eq!((letters.len(), letters[0].id.position), (1, broken.position));
    assert!(raw.contains("{no json") && raw.contains("\"number\":1"), "{raw}");
}

async fn a_suspect_of_a_crash_runs_alone_and_marked_and_its_charge_counts() {
    let world = World::start().await;
    world.runtime.hub().order("contexts/ledger", Order::Pause).unwrap();
    let suspect = world.accept(append("a", 1)).await.unwrap();
    let behind = world.accept(append("a", 2)).await.unwrap();
    let free = world.accept(append("b", 3)).await.unwrap();
    world.store.mark(200, suspect.position);
    // The mark stands because the process had no chance to take it away.
    let folder = world.crash().await;
    let world = World::start_in(folder).await;
    for id in [suspect.id, behind.id, free.id] {
        world.outcome(id).await;
    }
    assert_eq!(world.numbers("a").await, [1, 2]);
    let attempts = Store::attempts(&*world.store, suspect.position).await.unwrap();
    assert_eq!(attempts.iter().map(|a| a.cause).collect::<Vec<_>>(), [Cause::ProcessCrash]);
    let started = |position: i64| {
        let starts = |change: &Change| matches!(change, Change::Start { position: p, .. } if *p == position);
        world.store.committed().iter().any(|unit| unit.changes.iter().any(starts))
    };
    assert!(started(suspect.position) && !started(behind.position) && !started(free.position));
}

async fn a_paused_context_accepts_and_goes_on_when_it_is_resumed() {
    let world = World::start().await;
    let hub = world.runtime.hub();
    hub.order("contexts/ledger", Order::Pause).unwrap();
    let waits = world.accept(append("a", 1)).await.unwrap();
    world.ask(command::<Scale>("x", Jot { number: 1 })).await;
    assert!(world.view("contexts/ledger").paused);
    assert!(world.status(waits.id).await.outcome.is_none());
    hub.order("contexts/ledger", Order::Resume).unwrap();
    world.outcome(waits.id).await;
    assert_eq!(hub.order("journal", Order::Pause), Err(OrderRefused::CannotPause { kind: "journal" }));
    assert!(matches!(hub.order("nobody", Order::Restart), Err(OrderRefused::NoSuchActor(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_after_an_order_to_pause_is_not_taken_by_a_look_under_way() {
    let world = World::start().await;
    let mut look = world.store.hold_reads("what waits for ledger");
    let hub = world.runtime.hub();
    hub.order("contexts/ledger", Order::Restart).unwrap();
    look.reached().await;
    hub.order("contexts/ledger", Order::Pause).unwrap();
    let waits = world.accept(append("a", 1)).await.unwrap();
    look.open();
    world.ask(command::<Scale>("x", Jot { number: 1 })).await;
    let_others_run().await;
    assert!(world.status(waits.id).await.outcome.is_none());
    hub.order("contexts/ledger", Order::Resume).unwrap();
    world.outcome(waits.id).await;
}

async fn an_ordered_restart_brings_a_new_incarnation_and_loses_nothing() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    for path in ["contexts/ledger", "contexts", "journal"] {
        let generation = world.view("contexts/ledger").generation;
        world.runtime.hub().order(path, Order::Restart).unwrap();
        until("a new one has come", || ready(world.view("contexts/ledger").generation > generation)).await;
        until("it takes messages", || async { world.accept(append("a", 2)).await.is_ok() }).await;
    }
    world.settled().await;
    assert_eq!(world.numbers("a").await, [1, 2, 2, 2]);
    assert_eq!(burnt(&world.store.committed()), []);
}
