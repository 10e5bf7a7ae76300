//! Failures have kinds: a rejection is an answer, what cannot be read is a dead letter, an outage costs nothing.

use crate::support::contexts::{Ledger, Refuse, Scale, Weigh, times_decided};
use crate::support::world::{World, append, burnt, command, raw, worlds_over_both_engines};
use crate::support::{let_others_run, until};
use meal_planner::actors::{Refusal, Stage};
use meal_planner::domain::context::RejectionKind;
use meal_planner::store::Store as _;
use meal_planner::store::{Outcome, StoreError};
use std::future::ready;

worlds_over_both_engines!(
    a_rejection_is_an_answer_that_is_stored_and_repeated,
    a_command_that_does_not_read_is_a_dead_letter_at_once,
    an_outage_refuses_new_messages_and_keeps_the_work_of_actors,
    an_outage_of_reading_costs_no_attempt_and_no_restart,
    readers_outlive_an_outage,
);

async fn a_rejection_is_an_answer_that_is_stored_and_repeated() {
    let world = World::start().await;
    let mut refuse = command::<Ledger>("a", Refuse { why: "not \"that\"".to_owned() });
    refuse.id_given = true;
    let first = world.ask(refuse.clone()).await;
    let Outcome::Rejected { rejection } = &first.outcome else { panic!("{first:?}") };
    assert_eq!((rejection.kind, &*rejection.message), (RejectionKind::Conflict, "not \"that\""));
    let world = world.restart().await;
    assert_eq!(world.ask(refuse.clone()).await.outcome, first.outcome);
    assert_eq!(times_decided(refuse.id), 1);
    assert_eq!(world.restarts("contexts/ledger"), 0);
    assert_eq!(world.store.last_position().await.unwrap(), 1);
}

async fn a_command_that_does_not_read_is_a_dead_letter_at_once() {
    let world = World::start().await;
    let good = append("a", 1);
    let mut unknown = append("a", 2);
    unknown.type_name = "Unheard".to_owned();
    let mut newer = append("a", 3);
    newer.schema_version = 9;
    let mut malformed = append("a", 4);
    malformed.body = "{\"number\":\"four\"}".to_owned();
    for (bad, why) in [(unknown, "Unheard"), (newer, "version 9"), (malformed, "/number")] {
        let Outcome::Dead { reason } = world.ask(bad).await.outcome else { panic!("not dead") };
        assert!(reason.contains(why), "{reason}");
    }
    world.ask(good).await;
    assert_eq!(world.numbers("a").await, [1]);
    assert_eq!(world.restarts("contexts/ledger"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_does_not_read_kills_the_messages_of_its_key_only() {
    let world = World::start().await;
    world.ask(append("bad", 1)).await;
    world.ask(append("good", 2)).await;
    world.settled().await;
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    sqlx::query("UPDATE events SET type = 'Unheard' WHERE key = 'bad' AND kind = 1 AND context = 'ledger'")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let world = World::start_in(folder).await;
    let Outcome::Dead { reason } = world.ask(append("bad", 3)).await.outcome else { panic!("not dead") };
    assert!(reason.contains("Unheard"), "{reason}");
    assert_eq!(world.ask(append("good", 4)).await.outcome, Outcome::Handled);
    assert_eq!(world.restarts("contexts/ledger"), 0);
}

async fn an_outage_refuses_new_messages_and_keeps_the_work_of_actors() {
    let world = World::start().await;
    let kept = append("a", 1);
    let id = kept.id;
    // The message is accepted; the outage begins before its unit is written.
    let mut gate = world.store.hold(|unit| unit.handled.is_some());
    world.accept(kept).await.unwrap();
    gate.reached().await;
    world.store.set_out(true);
    gate.open();
    for number in 0..5 {
        let refused = world.accept(append("b", number)).await;
        assert!(matches!(refused, Err(Refusal::Store(StoreError::Unavailable(_)))), "{refused:?}");
    }
    assert!(world.runtime.hub().journal.is_out());
    world.store.set_out(false);
    world.outcome(id).await;
    let status = world.status(id).await;
    assert_eq!((status.waiting, times_decided(id)), (None, 1));
    assert_eq!(world.restarts("contexts/ledger"), 0);
    world.ask(append("b", 9)).await;
    world.settled().await;
    assert_eq!((world.numbers("a").await, world.numbers("b").await), (vec![1], vec![9]));
    assert_eq!(burnt(&world.store.committed()), []);
    for view in world.runtime.hub().registry.all() {
        assert_eq!(view.restarts, 0, "{}", view.path);
    }
}

async fn an_outage_of_reading_costs_no_attempt_and_no_restart() {
    let world = World::start().await;
    // Everybody has something to read when the outage begins.
    let mut loading = world.store.hold_reads("a");
    let mut weighing = world.store.hold_reads("gated");
    let first = world.accept(append("a", 1)).await.unwrap();
    let weigh = command::<Scale>("x", Weigh { ledgers: vec!["gated".to_owned()], number: 1 });
    let second = world.accept(weigh).await.unwrap();
    loading.reached().await;
    weighing.reached().await;
    world.store.set_out(true);
    loading.open();
    weighing.open();
    let_others_run().await;
    for _ in 0..20 {
        assert!(world.accept(append("a", 2)).await.is_err());
        let_others_run().await;
    }
    world.store.set_out(false);
    world.outcome(first.id).await;
    world.outcome(second.id).await;
    world.ask(append("a", 3)).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, [1, 3]);
    for view in world.runtime.hub().registry.all() {
        assert_eq!((view.restarts, view.state), (0, Stage::Running), "{}", view.path);
    }
    assert_eq!(burnt(&world.store.committed()), []);
}

async fn readers_outlive_an_outage() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    world.settled().await;
    let attempts = world.store.attempts();
    world.store.fail_commits(3);
    // An accepted message ends the outage by being tried again.
    until("the outage is over", || async { world.accept(append("a", 2)).await.is_ok() }).await;
    until("the outage was seen", || ready(world.store.attempts() > attempts + 3)).await;
    world.settled().await;
    assert_eq!(world.sums().await[0].1.events, 2);
}
