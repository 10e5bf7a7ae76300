//! Whichever incarnation of an actor or of the process wants a call, it is made once, and what only waits is not charged.

use crate::support::errands::{changes, crash_and_start, effect_of, is_ended, is_sent, push, start};
use crate::support::faulty::{FaultyStore, Gate};
use crate::support::remote::Remote;
use crate::support::world::{
    World, command, contexts, fresh_folder, handles, open_after_crash, worlds_over_both_engines,
};
use crate::support::{let_others_run, until};
use meal_planner::actors::{NewCommand, Runtime};
use meal_planner::clock;
use meal_planner::domain::breakers::{Breakers, Circuit, ForceClosed, ForceOpen};
use meal_planner::domain::envelope::{Address, Envelope, Kind};
use meal_planner::store::{Cause, EffectState, Outcome, Store, Unit};
use serde_json::json;
use std::future::ready;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

worlds_over_both_engines!(
    a_stop_lets_a_call_that_is_about_to_be_made_come_to_its_end,
    a_call_whose_mark_nobody_could_confirm_was_not_made_and_is_made_then,
    an_actor_that_dies_while_its_call_is_marked_makes_it_once,
    of_two_incarnations_behind_a_breaker_one_makes_the_call,
    a_suspect_that_waits_for_the_outside_is_not_charged_with_a_crash,
    a_suspect_is_charged_when_the_process_dies_over_its_answer,
    a_suspect_that_waits_for_facts_is_not_charged_with_a_crash,
);

fn why() -> String {
    "the test says so".to_owned()
}

async fn a_stop_lets_a_call_that_is_about_to_be_made_come_to_its_end() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let gate = &mut world.store.hold_after(changes(is_sent));
    let one = push("a", 1, "operator");
    world.accept(one.clone()).await.unwrap();
    gate.reached().await;
    let recorded = world.store.clone();
    let stopping = tokio::spawn(world.stop());
    let_others_run().await;
    gate.open();
    stopping.await.unwrap();
    let is_handled = |unit: &Unit| unit.handled.as_ref().is_some_and(|done| done.id == one.id);
    assert!(recorded.committed().iter().any(is_handled), "it was cut off");
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
}

/// The mark is on the disk, and the journal dies before it can say so: nobody called, so nobody has to decide.
async fn a_call_whose_mark_nobody_could_confirm_was_not_made_and_is_made_then() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let mut gate = world.store.hold_after(changes(is_sent));
    let one = push("a", 1, "operator");
    world.accept(one.clone()).await.unwrap();
    gate.reached().await;
    world.kill("journal");
    until("its successor is there", || ready(world.restarts("journal") == 1)).await;
    drop(gate);
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), world.pushed("a").await), (1, vec![1]));
    let effect = world.effect(one.id).await.unwrap();
    assert_eq!((effect.state, effect.attempt), (EffectState::Done, 2));
    assert_eq!(world.attempts_of(one.id).await, 0, "an outage is not the message's");
}

async fn an_actor_that_dies_while_its_call_is_marked_makes_it_once() {
    for on_the_disk in [false, true] {
        let remote = Remote::start().await;
        remote.forget_keys();
        let world = start(&remote).await;
        let mut gate = match on_the_disk {
            false => world.store.hold(changes(is_sent)),
            true => world.store.hold_after(changes(is_sent)),
        };
        let one = push("a", 1, "repeat");
        world.accept(one.clone()).await.unwrap();
        gate.reached().await;
        world.kill("contexts/errands");
        until("it is back", || ready(world.restarts("contexts/errands") == 1)).await;
        gate.open();
        assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
        assert_eq!((remote.calls(), world.pushed("a").await), (1, vec![1]), "{on_the_disk}");
    }
}

async fn of_two_incarnations_behind_a_breaker_one_makes_the_call() {
    let remote = Remote::start().await;
    remote.forget_keys();
    let world = start(&remote).await;
    world.ask(command::<Breakers>("remote", ForceOpen { why: why() })).await;
    let one = push("a", 1, "operator");
    world.accept(one.clone()).await.unwrap();
    for n in 1..=3 {
        world.waits_for("a", "behind breaker remote").await;
        world.kill("contexts/errands");
        until("it is back", || ready(world.restarts("contexts/errands") == n)).await;
    }
    world.waits_for("a", "behind breaker remote").await;
    // All four are let through at once.
    world.ask(command::<Breakers>("remote", ForceClosed { why: why() })).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), world.pushed("a").await), (1, vec![1]));
    assert_eq!(world.effect(one.id).await.unwrap().attempt, 1);
}

/// A world over whose message the process has died once; it waits behind its breaker.
async fn suspected(remote: &Remote) -> (World, NewCommand) {
    let world = start(remote).await;
    world.ask(command::<Breakers>("remote", ForceOpen { why: why() })).await;
    let one = push("a", 1, "repeat");
    let position = world.accept(one.clone()).await.unwrap().position;
    world.waits_for("a", "behind breaker remote").await;
    world.store.mark(0, position);
    let world = crash_and_start(world, remote).await;
    world.waits_for("a", "behind breaker remote").await;
    assert_eq!(world.breaker().circuit, Circuit::ForcedOpen);
    assert_eq!(world.attempts_of(one.id).await, 1, "it was being handled");
    (world, one)
}

async fn a_suspect_that_waits_for_the_outside_is_not_charged_with_a_crash() {
    let remote = Remote::start().await;
    let (world, one) = suspected(&remote).await;
    let world = crash_and_start(world, &remote).await;
    world.waits_for("a", "behind breaker remote").await;
    assert_eq!(world.attempts_of(one.id).await, 1, "it was only waiting");
    // Nor does it keep its turn: another suspect would be handled meanwhile.
    assert_eq!(world.runtime.hub().alone.available_permits(), 1);
    world.ask(command::<Breakers>("remote", ForceClosed { why: why() })).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
}

async fn a_suspect_is_charged_when_the_process_dies_over_its_answer() {
    let remote = Remote::start().await;
    let (world, one) = suspected(&remote).await;
    let mut gate = world.store.hold(handles(one.id));
    world.ask(command::<Breakers>("remote", ForceClosed { why: why() })).await;
    gate.reached().await;
    let alone = world.runtime.hub().alone.clone();
    assert_eq!(alone.available_permits(), 0, "it is handled alone");
    let world = crash_and_start(world, &remote).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    let position = world.status(one.id).await.envelope.position;
    let causes: Vec<Cause> = Store::attempts(&*world.store, position)
        .await
        .unwrap()
        .into_iter()
        .map(|attempt| attempt.cause)
        .collect();
    assert_eq!(causes, [Cause::ProcessCrash; 2]);
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
    assert!(world.store.committed().iter().any(changes(is_ended)), "its end is on the ledger");
}

/// A world whose read model of the ledgers cannot take what the ledger `gated` has written.
async fn behind(folder: TempDir) -> (World, Gate) {
    let store = FaultyStore::over(open_after_crash(folder.path()).await);
    let gate = store.hold_reads("gated");
    let runtime = Runtime::start(store.clone(), contexts()).await.unwrap();
    let world = World { folder, store, runtime };
    (world, gate)
}

async fn waits_for_facts(world: &World) {
    until("it waits for facts", || {
        let waits = world.view("contexts/scale").waits;
        ready(waits.iter().any(|wait| wait.key == "x" && wait.reason.contains("catch up")))
    })
    .await;
}

async fn a_suspect_that_waits_for_facts_is_not_charged_with_a_crash() {
    let mut folder = fresh_folder().await;
    let store = open_after_crash(folder.path()).await;
    let now = clock::now();
    let message = |context: &str, key: &str, type_name: &str, body: serde_json::Value| {
        Envelope::command(&Address::new(context, key), type_name, body.to_string(), Uuid::now_v7(), now)
    };
    let appended = message("ledger", "gated", "Appended", json!({"number": 7}));
    let appended = Envelope { kind: Kind::Event, stream_version: Some(1), ..appended };
    let weigh = message("scale", "x", "Weigh", json!({"ledgers": ["gated"], "number": 1}));
    let unit = Unit { messages: vec![appended, weigh.clone()], ..Unit::default() };
    let placed = store.commit(Arc::new(vec![unit])).await.unwrap();
    store.mark(0, placed[0].first + 1);
    drop(store);
    for _ in 0..3 {
        let (world, _gate) = behind(folder).await;
        waits_for_facts(&world).await;
        until("it has given up its turn", || ready(world.runtime.hub().alone.available_permits() == 1)).await;
        assert_eq!(world.attempts_of(weigh.id).await, 1, "it was only waiting since");
        folder = world.crash().await;
    }
    let world = World::start_in(folder).await;
    assert_eq!(world.outcome(weigh.id).await.outcome, Outcome::Handled);
    assert_eq!(world.attempts_of(weigh.id).await, 1);
}
