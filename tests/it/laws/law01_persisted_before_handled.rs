//! Persisted before handled: no handler sees a message and no caller is told before its row is on the disk.

use crate::support::contexts::times_decided;
use crate::support::let_others_run;
use crate::support::world::{World, accepts, append, worlds_over_both_engines};
use meal_planner::actors::Refusal;
use meal_planner::domain::envelope::Kind;
use meal_planner::store::Store as _;
use meal_planner::store::StoreError;
use std::io::BufRead;
use std::process::{Command, Stdio};
use uuid::Uuid;

worlds_over_both_engines!(
    nobody_is_told_and_nothing_is_handled_before_the_commit_returns,
    a_crash_before_the_commit_accepts_nothing,
    what_is_accepted_survives_a_crash_before_it_is_handled,
    what_waits_at_the_journal_when_the_server_stops_is_settled,
);

async fn nobody_is_told_and_nothing_is_handled_before_the_commit_returns() {
    let world = World::start().await;
    let command = append("a", 1);
    let id = command.id;
    let mut gate = world.store.hold(accepts(id));
    let accepting = world.accepting(command);
    gate.reached().await;
    let_others_run().await;
    assert!(!accepting.is_finished(), "the caller is told before the commit");
    assert_eq!(times_decided(id), 0, "the message is handled before the commit");
    assert_eq!(world.store.message(id).await.unwrap(), None);
    gate.open();
    let accepted = accepting.await.unwrap().unwrap();
    assert_eq!((accepted.id, accepted.position), (id, world.status(id).await.envelope.position));
    world.outcome(id).await;
    assert_eq!(times_decided(id), 1);
}

async fn a_crash_before_the_commit_accepts_nothing() {
    let world = World::start().await;
    let command = append("a", 1);
    let id = command.id;
    let mut gate = world.store.hold(accepts(id));
    let accepting = world.accepting(command);
    gate.reached().await;
    let world = world.crash_and_start().await;
    let_others_run().await;
    let told = accepting.is_finished() && accepting.await.unwrap().is_ok();
    assert!(!told, "the caller was told that it is accepted");
    assert_eq!(times_decided(id), 0);
    assert_eq!(world.store.last_position().await.unwrap(), 0);
}

async fn what_is_accepted_survives_a_crash_before_it_is_handled() {
    let world = World::start().await;
    let command = append("a", 1);
    let id = command.id;
    let mut gate = world.store.hold(|unit| unit.handled.is_some());
    assert!(!world.accept(command).await.unwrap().repeated);
    gate.reached().await;
    let world = world.crash_and_start().await;
    world.outcome(id).await;
    assert_eq!(world.numbers("a").await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_comes_while_the_server_stops_is_answered() {
    let world = World::start().await;
    let dispatcher = world.runtime.dispatcher();
    let folder = world.stop().await;
    let late = crate::support::soon("a refusal", dispatcher.accept(append("a", 1))).await;
    assert!(matches!(late, Err(Refusal::Store(StoreError::Unavailable(_)))), "{late:?}");
    let world = World::start_in(folder).await;
    assert_eq!(world.store.last_position().await.unwrap(), 0);
}

async fn what_waits_at_the_journal_when_the_server_stops_is_settled() {
    let world = World::start().await;
    let mut gate =
        world.store.hold(|unit| unit.messages.iter().any(|message| message.key.as_str() == "first"));
    let first = world.accepting(append("first", 1));
    gate.reached().await;
    let rest: Vec<_> = (0..20).map(|n| world.accepting(append("rest", n))).collect();
    let_others_run().await;
    let stopping = tokio::spawn(world.stop());
    let_others_run().await;
    gate.open();
    let mut accepted = usize::from(crate::support::soon("an answer", first).await.unwrap().is_ok());
    for one in rest {
        accepted += usize::from(crate::support::soon("an answer", one).await.unwrap().is_ok());
    }
    let world = World::start_in(stopping.await.unwrap()).await;
    world.settled().await;
    let commands = world.messages(meal_planner::store::Filter {
        kinds: Some(Kind::Command),
        contexts: vec!["ledger".to_owned()],
        ..Default::default()
    });
    assert_eq!(commands.await.len(), accepted, "told accepted, and on the disk");
}

const FOLDER: &str = "MEAL_PLANNER_TEST_FOLDER";

/// The part of the next test that is killed: accepts messages without end and says which are accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_accepts_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = crate::support::world::open_sqlite(folder.as_ref()).await;
    let contexts = crate::support::world::contexts();
    let runtime = meal_planner::actors::Runtime::start(store, contexts).await.unwrap();
    let callers = (0..4).map(|caller| {
        let dispatcher = runtime.dispatcher();
        tokio::spawn(async move {
            for number in 0.. {
                let accepted = dispatcher.accept(append(&format!("caller-{caller}"), number)).await.unwrap();
                println!("\naccepted {} {caller} {number}", accepted.id);
            }
        })
    });
    futures_util::future::join_all(callers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_accepted_is_handled_once_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_that_accepts_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut accepted = Vec::new();
    let parse = |line: String| -> Option<(Uuid, String, i64)> {
        let mut words = line.strip_prefix("accepted ")?.split(' ');
        let (id, caller, number) = (words.next()?, words.next()?, words.next()?);
        Some((id.parse().ok()?, format!("caller-{caller}"), number.parse().ok()?))
    };
    while accepted.len() < 300 {
        let line = lines.next().expect("the child goes on").unwrap();
        accepted.extend(parse(line));
    }
    child.kill().unwrap();
    accepted.extend(lines.map_while(Result::ok).filter_map(parse));
    child.wait().unwrap();

    let world = World::start_in(folder).await;
    world.settled().await;
    for (id, key, number) in accepted {
        world.outcome(id).await;
        let numbers = world.numbers(&key).await;
        assert_eq!(numbers.iter().filter(|found| **found == number).count(), 1, "{key} {number}");
        assert!(numbers.is_sorted(), "{key}");
    }
}
