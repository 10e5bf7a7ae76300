//! Behind a breaker and a bulkhead: who waits burns no attempt, keeps its order and holds up nobody else.

use crate::support::errands::{contexts, crash_and_start, effect_of, push, start};
use crate::support::remote::{Hold, Manner, Remote, RemoteClient};
use crate::support::world::{World, append, command, open_after_crash, worlds_over_both_engines};
use crate::support::{let_others_run, until};
use meal_planner::actors::{NewCommand, Stage};
use meal_planner::clock;
use meal_planner::domain::breakers::{Breakers, Circuit, ForceClosed, ForceOpen, Release, Settings};
use meal_planner::store::{Change, EffectState, Outcome, Timer, TimerQuery, Unit};
use std::future::ready;
use std::sync::Arc;

worlds_over_both_engines!(
    behind_an_open_breaker_nothing_is_called_and_no_attempt_is_burned,
    an_open_breaker_is_open_after_a_crash_and_its_rest_ends_all_the_same,
    after_its_rest_one_probe_closes_it,
    while_it_is_half_open_probes_are_bounded,
    a_probe_that_dies_with_the_process_does_not_hold_its_place,
    forced_open_it_stays_open_and_forced_closed_it_stays_closed,
    calls_of_a_service_at_once_are_bounded_and_the_others_wait_without_an_attempt,
    calls_of_one_key_are_made_in_order_and_hold_up_no_other,
    a_service_is_not_called_before_the_time_it_asks_for,
    breakers_stand_under_a_node_of_their_own_before_those_who_go_by_them,
);

const A_DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn long_rest() -> Settings {
    Settings { failures_to_open: 2, rest_ms: A_DAY_MS, ..Settings::default() }
}

fn order(command: impl Into<meal_planner::domain::breakers::Command>) -> NewCommand {
    crate::support::world::command::<Breakers>("remote", command)
}

fn why() -> String {
    "the test says so".to_owned()
}

fn is_open(circuit: Circuit) -> bool {
    matches!(circuit, Circuit::Open { .. })
}

fn is_closed(circuit: Circuit) -> bool {
    matches!(circuit, Circuit::Closed { .. })
}

/// A world whose breaker has just opened over a message of key `a`, which waits behind it.
async fn opened(settings: Settings) -> (World, Remote, NewCommand) {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    world.configure(settings).await;
    remote.always(Some(503));
    let one = push("a", 1, "repeat");
    world.accept(one.clone()).await.unwrap();
    world.breaker_is("the breaker opens", is_open).await;
    world.waits_for("a", "behind breaker remote since 20").await;
    (world, remote, one)
}

async fn behind_an_open_breaker_nothing_is_called_and_no_attempt_is_burned() {
    let (world, remote, one) = opened(long_rest()).await;
    let other = push("b", 2, "repeat");
    world.accept(other.clone()).await.unwrap();
    world.waits_for("b", "behind breaker remote").await;
    assert_eq!(remote.calls(), 2);
    assert_eq!((world.attempts_of(one.id).await, world.attempts_of(other.id).await), (2, 0));
    assert_eq!(world.effect(other.id).await.unwrap().state, EffectState::Staged);
    // Who calls nobody goes on.
    assert_eq!(world.ask(append("a", 1)).await.outcome, Outcome::Handled);
    remote.always(None);
    world.ask(order(ForceClosed { why: why() })).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!(world.outcome(other.id).await.outcome, Outcome::Handled);
    assert_eq!((world.attempts_of(one.id).await, world.attempts_of(other.id).await), (2, 0));
    until("nobody waits", || ready(world.view("contexts/errands").waits.is_empty())).await;
}

async fn an_open_breaker_is_open_after_a_crash_and_its_rest_ends_all_the_same() {
    let (world, remote, one) = opened(long_rest()).await;
    let turn = world.breaker().turn;
    let world = crash_and_start(world, &remote).await;
    assert!(is_open(world.breaker().circuit), "it is known before anybody asks");
    assert_eq!((world.breaker().turn, world.breaker().settings), (turn, long_rest()));
    world.waits_for("a", "behind breaker remote").await;
    assert_eq!((remote.calls(), world.attempts_of(one.id).await), (2, 2));

    // The day passes while the process is down.
    let folder = world.crash().await;
    let store = open_after_crash(folder.path()).await;
    let [rest] = &store.timers(TimerQuery { limit: 2, ..TimerQuery::default() }).await.unwrap().timers[..]
    else {
        panic!("its rest is the only timer")
    };
    let passed = Change::SetTimer(Box::new(Timer { due_us: 1, ..rest.clone() }));
    store.commit(Arc::new(vec![Unit { changes: vec![passed], ..Unit::default() }])).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    remote.always(None);
    let world = World::start_with(folder, contexts(RemoteClient::new(&remote))).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    world.breaker_is("the breaker closes", is_closed).await;
    assert_eq!((remote.calls(), world.attempts_of(one.id).await), (3, 2));
}

async fn after_its_rest_one_probe_closes_it() {
    let settings = Settings { rest_ms: 0, ..long_rest() };
    let remote = Remote::start().await;
    let world = start(&remote).await;
    world.configure(settings).await;
    remote.plan([Manner::Refuse(503, None), Manner::Refuse(503, None), Manner::Refuse(503, None)]);
    let one = push("a", 1, "repeat");
    world.accept(one.clone()).await.unwrap();
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    world.breaker_is("the breaker closes", is_closed).await;
    let expected = [
        "BreakerConfigured",
        "FailureCounted",
        "BreakerOpened",
        "BreakerHalfOpened",
        "BreakerOpened",
        "BreakerHalfOpened",
        "BreakerClosed",
    ];
    assert_eq!(world.breaker_events().await, expected);
    assert_eq!(world.attempts_of(one.id).await, 3);
}

async fn while_it_is_half_open_probes_are_bounded() {
    let (world, remote, one) = opened(long_rest()).await;
    let mut all = vec![one];
    for n in 2..12 {
        let next = push(&format!("k{n}"), n, "repeat");
        world.accept(next.clone()).await.unwrap();
        all.push(next);
    }
    for n in 2..12 {
        world.waits_for(&format!("k{n}"), "behind breaker").await;
    }
    let (hold, mut probing) = Hold::pair();
    remote.always(None);
    remote.plan([Manner::Wait(hold)]);
    world.ask(order(ForceOpen { why: why() })).await;
    world.ask(order(Release { why: why() })).await;
    probing.reached().await;
    let_others_run().await;
    assert_eq!(remote.calls(), 3, "one probe");
    assert!(matches!(world.breaker().circuit, Circuit::HalfOpen { .. }));
    probing.open();
    for one in all {
        assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
        assert_eq!(remote.effects_of(effect_of(one.id)), 1);
    }
    world.breaker_is("the breaker closes", is_closed).await;
}

async fn a_probe_that_dies_with_the_process_does_not_hold_its_place() {
    let (world, remote, one) = opened(long_rest()).await;
    let (hold, mut probing) = Hold::pair();
    remote.always(None);
    remote.plan([Manner::Wait(hold)]);
    world.ask(order(ForceOpen { why: why() })).await;
    world.ask(order(Release { why: why() })).await;
    probing.reached().await;
    let world = crash_and_start(world, &remote).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    world.breaker_is("the breaker closes", is_closed).await;
}

async fn forced_open_it_stays_open_and_forced_closed_it_stays_closed() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    world.ask(order(ForceOpen { why: why() })).await;
    let one = push("a", 1, "repeat");
    world.accept(one.clone()).await.unwrap();
    world.waits_for("a", "behind breaker remote").await;
    let world = crash_and_start(world, &remote).await;
    world.waits_for("a", "behind breaker remote").await;
    assert_eq!((world.breaker().circuit, remote.calls()), (Circuit::ForcedOpen, 0));
    assert_eq!(world.breaker().reason.unwrap().why, why());
    remote.plan((0..5).map(|_| Manner::Refuse(503, None)));
    world.ask(order(ForceClosed { why: why() })).await;
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!((world.breaker().circuit, world.attempts_of(one.id).await), (Circuit::ForcedClosed, 5));
}

async fn calls_of_a_service_at_once_are_bounded_and_the_others_wait_without_an_attempt() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let (holds, mut gates): (Vec<_>, Vec<_>) = (0..3).map(|_| Hold::pair()).unzip();
    remote.plan(holds.into_iter().map(Manner::Wait));
    let all: Vec<_> = (0..8).map(|n| push(&format!("k{n}"), n, "repeat")).collect();
    for one in &all {
        world.accept(one.clone()).await.unwrap();
    }
    for gate in &mut gates {
        gate.reached().await;
    }
    until("five wait", || {
        let waits = world.view("contexts/errands").waits;
        ready(waits.iter().filter(|wait| wait.reason == "behind 3 calls to remote").count() == 5)
    })
    .await;
    assert_eq!(remote.calls(), 3);
    gates.iter().for_each(|gate| gate.open());
    for one in &all {
        assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
        assert_eq!(world.attempts_of(one.id).await, 0);
    }
    assert_eq!(remote.most_at_once(), 3);
}

async fn calls_of_one_key_are_made_in_order_and_hold_up_no_other() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let (hold, mut called) = Hold::pair();
    remote.plan([Manner::Refuse(503, None), Manner::Wait(hold)]);
    let mine: Vec<_> = (1..=5).map(|n| push("a", n, "repeat")).collect();
    for one in &mine {
        world.accept(one.clone()).await.unwrap();
    }
    called.reached().await;
    assert_eq!(world.ask(push("b", 9, "repeat")).await.outcome, Outcome::Handled);
    assert_eq!(remote.effects(), ["9"]);
    called.open();
    for one in &mine {
        assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    }
    assert_eq!(remote.effects(), ["9", "1", "2", "3", "4", "5"]);
    assert_eq!(world.pushed("a").await, [1, 2, 3, 4, 5]);
}

async fn a_service_is_not_called_before_the_time_it_asks_for() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    remote.plan([Manner::Refuse(429, Some(3600))]);
    let one = push("a", 1, "repeat");
    world.accept(one.clone()).await.unwrap();
    world.waits_for("a", "retrying after attempt 1").await;
    let waiting = world.status(one.id).await.waiting.unwrap();
    let left_us = waiting.available_at_us - clock::now().timestamp_micros();
    assert!(left_us > 3_500_000_000, "{left_us}");
    assert_eq!((waiting.attempts, remote.calls()), (1, 1));
}

async fn breakers_stand_under_a_node_of_their_own_before_those_who_go_by_them() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    for path in ["breakers", "breakers/board", "breakers/breakers", "contexts/errands"] {
        assert_eq!(world.view(path).state, Stage::Running, "{path}");
    }
    // What is committed while its reader is dead is seen by the next one.
    world.kill("breakers/board");
    world.ask(command::<Breakers>("remote", ForceOpen { why: why() })).await;
    world.breaker_is("it is forced open", |circuit| circuit == Circuit::ForcedOpen).await;
}
