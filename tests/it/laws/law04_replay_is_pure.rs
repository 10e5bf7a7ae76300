//! Replay is pure: what is in memory is what is stored, and replaying repeats no side effect.

use crate::support::contexts::{Book, Forward, Ledger, Refuse};
use crate::support::world::{STATE, World, append, command, contexts, worlds_over_both_engines};
use meal_planner::actors::Snapshots;
use meal_planner::domain::envelope::{Envelope, Kind};
use meal_planner::store::Filter;
use meal_planner::store::Store as _;
use proptest::prelude::*;

worlds_over_both_engines!(
    a_restart_from_a_snapshot_goes_on_where_the_events_end,
    replaying_sends_nothing_again,
);

#[derive(Clone, Debug)]
enum Step {
    Append(u8, i64),
    Forward(u8, u8, i64),
    Refuse(u8),
    Kill,
    Restart,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_u8, any::<i8>()).prop_map(|(key, n)| Step::Append(key, n.into())),
        3 => (0..3_u8, 0..3_u8, any::<i8>()).prop_map(|(key, to, n)| Step::Forward(key, to, n.into())),
        1 => (0..3_u8).prop_map(Step::Refuse),
        1 => Just(Step::Kill),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..25)
}

/// The live state shows in the next snapshot or in what a sender is answered; here it is compared through a
/// snapshot that is taken by living through the hundredth event.
#[test]
fn the_live_state_is_the_replayed_state_after_any_history() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut config = ProptestConfig::with_cases(8);
    config.failure_persistence = None;
    proptest::test_runner::TestRunner::new(config)
        .run(&steps(), |steps| runtime.block_on(live_is_replayed(steps)))
        .unwrap();
}

async fn live_is_replayed(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut world = World::start().await;
    let mut expected = vec![Vec::new(); 3];
    for step in steps {
        match step {
            Step::Append(key, number) => {
                world.ask(append(&key.to_string(), number)).await;
                expected[usize::from(key)].push(number);
            }
            Step::Forward(key, to, number) => {
                let forward = Forward { number, to: to.to_string(), ask: false };
                world.ask(command::<Ledger>(key.to_string(), forward)).await;
                expected[usize::from(key)].push(number);
                world.settled().await;
                expected[usize::from(to)].push(number);
            }
            Step::Refuse(key) => {
                world.ask(command::<Ledger>(key.to_string(), Refuse { why: "no".to_owned() })).await;
            }
            Step::Kill => world.kill_ledger(),
            Step::Restart => world = world.restart().await,
            Step::Crash => world = world.crash_and_start().await,
        }
    }
    world.settled().await;
    for (key, numbers) in expected.into_iter().enumerate() {
        prop_assert_eq!(&world.numbers(&key.to_string()).await, &numbers);
        prop_assert_eq!(snapshot_of(&world, &key.to_string()).await.numbers, numbers, "key {}", key);
    }
    let all = world.messages(Filter::default()).await;
    prop_assert!(all.iter().map(|m| m.position).eq(1..=all.len() as i64));
    drop(world.stop().await);
    Ok(())
}

/// The state of the running actor, seen by filling the key up to its next snapshot and taking that back off.
async fn snapshot_of(world: &World, key: &str) -> Book {
    let before = world.events("ledger", Some(key)).await.len();
    let missing = 100 - before % 100;
    let dispatcher = world.runtime.dispatcher();
    let mut last = None;
    for _ in 0..missing {
        last = Some(dispatcher.accept(append(key, 777)).await.unwrap().id);
    }
    world.outcome(last.unwrap()).await;
    let stream = world.store.streams("ledger", STATE, vec![key.into()]).await.unwrap().remove(0);
    let snapshot = stream.snapshot.expect("a snapshot");
    assert_eq!((snapshot.stream_version, stream.events.len()), ((before + missing) as i64, 0));
    let mut book: Book = serde_json::from_str(&snapshot.body).unwrap();
    assert_eq!(book, world.replayed(key).await);
    book.numbers.truncate(book.numbers.len() - missing);
    book
}

async fn a_restart_from_a_snapshot_goes_on_where_the_events_end() {
    let mut world = World::start().await;
    for number in 0..250 {
        world.runtime.dispatcher().accept(append("a", number)).await.unwrap();
    }
    world.settled().await;
    let stream = world.store.streams("ledger", STATE, vec!["a".into()]).await.unwrap().remove(0);
    assert!(stream.snapshot.is_some_and(|snapshot| snapshot.stream_version == 200));
    assert_eq!(stream.events.len(), 50);
    world = world.crash_and_start().await;
    for number in 250..305 {
        world.runtime.dispatcher().accept(append("a", number)).await.unwrap();
    }
    world.settled().await;
    let stream = world.store.streams("ledger", STATE, vec!["a".into()]).await.unwrap().remove(0);
    let book: Book = serde_json::from_str(&stream.snapshot.unwrap().body).unwrap();
    assert_eq!(book.numbers, (0..300).collect::<Vec<_>>());
    assert_eq!(world.numbers("a").await, (0..305).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_does_not_read_is_no_loss() {
    let world = World::start().await;
    for number in 0..120 {
        world.runtime.dispatcher().accept(append("a", number)).await.unwrap();
    }
    world.settled().await;
    let folder = world.stop().await;
    let mut connection = crate::support::world::raw(folder.path()).await;
    sqlx::query("UPDATE snapshots SET body = '{\"numbers\":\"of another shape\"}'")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let world = World::start_with(folder, contexts()).await;
    for number in 120..201 {
        world.ask(append("a", number)).await;
    }
    assert_eq!(snapshot_of(&world, "a").await.numbers, (0..201).collect::<Vec<_>>());
    assert_eq!(world.restarts("contexts/ledger"), 0);
}

async fn replaying_sends_nothing_again() {
    let mut world = World::start().await;
    for number in 0..10 {
        let forward = Forward { number, to: "b".to_owned(), ask: true };
        world.ask(command::<Ledger>("a", forward)).await;
    }
    world.settled().await;
    let commands = async |world: &World| -> Vec<Envelope> {
        world.messages(Filter { kinds: Some(Kind::Command), ..Filter::default() }).await
    };
    let before = commands(&world).await;
    for _ in 0..3 {
        world.kill_ledger();
        world = world.crash_and_start().await;
        world.ask(command::<Ledger>("a", Refuse { why: "only to load it".to_owned() })).await;
        world.settled().await;
    }
    let sent = |commands: Vec<Envelope>| commands.into_iter().filter(|c| *c.type_name != *"Refuse").count();
    assert_eq!(sent(commands(&world).await), sent(before));
    assert_eq!(world.numbers("b").await, (0..10).collect::<Vec<_>>());
}

/// No test is timed: with a limit below nothing every replay is a slow one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_that_was_slow_to_replay_gets_a_snapshot_with_its_next_commit() {
    let rarely = |slow_ms| contexts().snapshots(Snapshots { every: 1_000_000, slow_ms });
    let stream_of =
        async |world: &World| world.store.streams("ledger", STATE, vec!["a".into()]).await.unwrap().remove(0);
    let mut world = World::start_with(tempfile::tempdir().unwrap(), rarely(1000)).await;
    for number in 0..7 {
        world.ask(append("a", number)).await;
    }
    world = World::start_with(world.stop().await, rarely(1000)).await;
    world.ask(append("a", 7)).await;
    assert!(stream_of(&world).await.snapshot.is_none(), "it was not slow");
    world = World::start_with(world.stop().await, rarely(-1)).await;
    world.ask(append("a", 8)).await;
    let stream = stream_of(&world).await;
    assert_eq!((stream.snapshot.unwrap().stream_version, stream.events.len()), (9, 0));
    world.ask(append("a", 9)).await;
    assert_eq!(stream_of(&world).await.events.len(), 1, "once is enough");
}
