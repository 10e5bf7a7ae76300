//! Durable timers: each becomes exactly one message, whatever dies in between.

use crate::support::contexts::{Append, LedgerCommand};
use crate::support::world::{World, worlds_over_both_engines};
use crate::support::{let_others_run, until};
use meal_planner::actors::Origin;
use meal_planner::clock;
use meal_planner::domain::envelope::{Address, Envelope, Extra, derived_id};
use meal_planner::domain::message::Message;
use meal_planner::domain::operations;
use meal_planner::store::{Change, Store as _, Timer, TimerName, TimerQuery, Unit};
use std::future::ready;
use uuid::Uuid;

const AN_HOUR_US: i64 = 3_600_000_000;

fn now_us() -> i64 {
    clock::now().timestamp_micros()
}

/// Appends a number to a ledger when it is due.
fn timer(name: &str, number: i64, due_us: i64) -> Timer {
    Timer {
        owner: TimerName { context: "ledger".to_owned(), key: "owner".into(), name: name.to_owned() },
        id: Uuid::now_v7(),
        due_us,
        to_context: "ledger".into(),
        to_key: Some("a".into()),
        type_name: "Append".into(),
        schema_version: 1,
        body: LedgerCommand::from(Append { number }).encode().unwrap(),
        causation_id: None,
        correlation_id: None,
        trace: None,
        extra: Extra::default(),
        schedule: None,
    }
}

fn sets(timers: &[Timer]) -> Unit {
    let changes = timers.iter().map(|timer| Change::SetTimer(Box::new(timer.clone()))).collect();
    Unit { changes, ..Unit::default() }
}

fn sets_timer(unit: &Unit) -> bool {
    unit.changes.iter().any(|change| matches!(change, Change::SetTimer(_)))
}

fn ends_timer(unit: &Unit) -> bool {
    unit.changes.iter().any(|change| matches!(change, Change::EndTimer { .. }))
}

async fn set(world: &World, timers: &[Timer]) {
    world.runtime.hub().journal.commit(Origin::Edge, vec![sets(timers)]).await.unwrap();
}

async fn appended(world: &World, count: usize) {
    until("the timers have fired", || async { world.numbers("a").await.len() >= count }).await;
}

async fn timers(world: &World) -> Vec<Timer> {
    world.store.timers(TimerQuery { limit: 10_000, ..TimerQuery::default() }).await.unwrap().timers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_waits_for_its_time_and_one_that_is_set_again_replaces_it() {
    let world = World::start().await;
    let later = timer("one", 1, now_us() + AN_HOUR_US);
    set(&world, std::slice::from_ref(&later)).await;
    let_others_run().await;
    assert_eq!(world.numbers("a").await, [0_i64; 0]);
    set(&world, &[timer("one", 2, now_us() + 20_000)]).await;
    appended(&world, 1).await;
    assert_eq!((world.numbers("a").await, timers(&world).await), (vec![2], vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_timers_than_a_page_fire_in_the_order_of_their_time() {
    let world = World::start().await;
    let now = now_us();
    let all: Vec<Timer> = (0..1200).map(|n| timer(&format!("{n}"), n, now - 2000 + n)).collect();
    set(&world, &all).await;
    appended(&world, 1200).await;
    assert_eq!(world.numbers("a").await, (0..1200).collect::<Vec<_>>());
    assert_eq!(timers(&world).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_that_came_while_the_power_was_out_fires_once_at_the_start() {
    let world = World::start().await;
    set(&world, &[timer("one", 1, now_us() + AN_HOUR_US), timer("two", 2, now_us() + 2 * AN_HOUR_US)]).await;
    // Held back, so that it is still there when the power goes out.
    let mut gate = world.store.hold(ends_timer);
    set(&world, &[timer("one", 1, now_us() - 1)]).await;
    gate.reached().await;
    let world = world.crash_and_start().await;
    appended(&world, 1).await;
    let world = world.crash_and_start().await;
    world.settled().await;
    assert_eq!((world.numbers("a").await, timers(&world).await.len()), (vec![1], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_that_dies_after_the_commit_and_before_its_answer_fires_no_timer_twice() {
    let world = World::start().await;
    let mut gate = world.store.hold_after(ends_timer);
    set(&world, &[timer("one", 1, now_us() - 1)]).await;
    gate.reached().await;
    world.kill("scheduler");
    gate.open();
    until("it was started again", || async { world.restarts("scheduler") >= 1 }).await;
    appended(&world, 1).await;
    set(&world, &[timer("two", 2, now_us() - 1)]).await;
    appended(&world, 2).await;
    assert_eq!(world.numbers("a").await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_whose_message_is_there_already_is_only_ended() {
    let world = World::start().await;
    let told = timer("one", 1, now_us() - 1);
    let id = derived_id(told.id, told.due_us.cast_unsigned());
    let to = Address::new("ledger", "a");
    let message = Envelope::command(&to, "Append", told.body.clone(), id, clock::now());
    let unit = Unit { messages: vec![message], ..sets(&[told]) };
    world.runtime.hub().journal.commit(Origin::Edge, vec![unit]).await.unwrap();
    until("it is ended", || async { timers(&world).await.is_empty() }).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_costs_the_scheduler_no_restart_and_no_timer() {
    let world = World::start().await;
    // It is due before the scheduler is told of it, and cannot be read when that looks.
    let mut gate = world.store.hold_after(sets_timer);
    let going_out = async {
        gate.reached().await;
        world.store.set_out(true);
        gate.open();
    };
    let due = [timer("one", 1, now_us() - 1)];
    tokio::join!(set(&world, &due), going_out);
    until("the scheduler has looked", || ready(world.store.missed_reads() > 0)).await;
    world.accept(crate::support::world::append("b", 1)).await.unwrap_err();
    world.store.set_out(false);
    appended(&world, 1).await;
    // The next one can be read, and what it becomes cannot be written.
    let mut gate = world.store.hold(ends_timer);
    set(&world, &[timer("two", 2, now_us() - 1)]).await;
    gate.reached().await;
    world.store.set_out(true);
    let attempts = world.store.attempts();
    gate.open();
    until("the scheduler's unit was tried again", || ready(world.store.attempts() > attempts)).await;
    world.store.set_out(false);
    appended(&world, 2).await;
    assert_eq!((world.numbers("a").await, world.restarts("scheduler")), (vec![1, 2], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_for_a_new_aggregate_makes_one_each_time_it_is_set() {
    let world = World::start().await;
    for number in [1, 2] {
        set(&world, &[Timer { to_key: None, ..timer("one", number, now_us() - 1) }]).await;
        until("it has fired", || async { timers(&world).await.is_empty() }).await;
    }
    until("both are appended", || async { world.events("ledger", None).await.len() >= 2 }).await;
    let keys: Vec<_> = world.events("ledger", None).await.into_iter().map(|event| event.key).collect();
    assert_ne!(keys[0], keys[1]);
}

worlds_over_both_engines!(a_timer_that_does_not_read_is_told_of_and_holds_nobody_up);

async fn a_timer_that_does_not_read_is_told_of_and_holds_nobody_up() {
    let world = World::start().await;
    let due = now_us() + AN_HOUR_US;
    set(&world, &[timer("broken", 1, due), timer("whole", 2, due + 1)]).await;
    world.meddle("UPDATE timers SET extra = '{' WHERE name = 'broken'").await;
    world.meddle("UPDATE timers SET due_us = due_us - 7200000000").await;
    // Looks again.
    set(&world, &[timer("later", 3, now_us() + AN_HOUR_US)]).await;
    appended(&world, 1).await;
    until("it is told of", || async { !world.events(operations::NAME, None).await.is_empty() }).await;
    let told = world.events(operations::NAME, None).await;
    assert_eq!((&*told[0].type_name, told[0].key.as_str()), ("TimerUnreadable", "ledger/owner/broken"));
    assert!(told[0].body.contains("number"), "what it would have sent is kept: {}", told[0].body);
    assert_eq!((world.numbers("a").await, timers(&world).await.len(), told.len()), (vec![2], 1, 1));
    assert_eq!(world.restarts("scheduler"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_timer_writes_nothing() {
    let world = World::start().await;
    set(&world, &[timer("one", 1, now_us() + AN_HOUR_US)]).await;
    let_others_run().await;
    let before = world.store.attempts();
    let_others_run().await;
    assert_eq!(world.store.attempts(), before);
}
