//! One handled message is one atomic unit, and one bad unit refuses only itself.

use crate::support::contexts::{Forward, Ledger, Refuse};
use crate::support::until;
use crate::support::world::{World, append, command, handles, worlds_over_both_engines};
use meal_planner::domain::envelope::Kind;
use meal_planner::store::Store as _;
use meal_planner::store::{Filter, Outcome};
use std::future::ready;

worlds_over_both_engines!(
    a_refused_unit_leaves_neither_mark_nor_events_nor_sends_nor_answer,
    everything_a_message_leads_to_is_committed_in_its_unit,
    a_rejection_answers_whoever_asked_in_its_unit,
    a_bad_unit_in_a_group_refuses_only_itself,
    work_that_rests_on_a_refused_unit_is_refused_with_it,
);

async fn a_refused_unit_leaves_neither_mark_nor_events_nor_sends_nor_answer() {
    let world = World::start().await;
    let forward = command::<Ledger>("a", Forward { number: 1, to: "b".to_owned(), ask: true });
    let id = forward.id;
    let mut fault = world.store.refuse(handles(id));
    world.accept(forward).await.unwrap();
    fault.reached(2).await;
    let status = world.status(id).await;
    assert_eq!(status.outcome, None);
    assert!(status.waiting.is_some());
    // A restart may have been told meanwhile, which is no part of it.
    let caused = meal_planner::store::Filter { correlation: Some(id), ..Default::default() };
    assert_eq!(world.messages(caused).await.len(), 1, "only the command itself is there");
    fault.lift();
    world.outcome(id).await;
    world.settled().await;
    assert_eq!(world.replayed("a").await.numbers, [1]);
    assert_eq!(world.replayed("a").await.answers, ["handled"]);
    assert_eq!(world.numbers("b").await, [1]);
}

async fn everything_a_message_leads_to_is_committed_in_its_unit() {
    let world = World::start().await;
    let forward = command::<Ledger>("a", Forward { number: 1, to: "b".to_owned(), ask: true });
    let id = forward.id;
    world.ask(forward).await;
    world.settled().await;
    let units = world.store.committed();
    let unit = units.iter().find(|unit| unit.handled.as_ref().is_some_and(|done| done.id == id)).unwrap();
    let kinds: Vec<_> = unit.messages.iter().map(|message| (message.kind, message.key.as_str())).collect();
    assert_eq!(kinds, [(Kind::Event, "a"), (Kind::Command, "b")]);
    let (first, last) = world.outcome(id).await.caused.unwrap();
    let caused = world.store.range(first, last).await.unwrap();
    assert!(caused.iter().all(|message| message.causation_id == Some(id)));
    assert!(caused.iter().all(|message| message.correlation_id == id));
    // The answer to b's handling stands in the unit that handled it.
    let answered = units.iter().find(|unit| unit.messages.iter().any(|m| *m.type_name == *"RecordAnswer"));
    let done = answered.unwrap().handled.as_ref().unwrap();
    assert_eq!((done.id, &done.outcome), (caused[1].id, &Outcome::Handled));
}

async fn a_rejection_answers_whoever_asked_in_its_unit() {
    let world = World::start().await;
    let mut refuse = command::<Ledger>("b", Refuse { why: "no".to_owned() });
    refuse.user = Some("ann".to_owned());
    let id = refuse.id;
    assert!(matches!(world.ask(refuse).await.outcome, Outcome::Rejected { .. }));
    assert_eq!(world.outcome(id).await.caused, None);
    assert_eq!(world.store.last_position().await.unwrap(), 1);
}

async fn a_bad_unit_in_a_group_refuses_only_itself() {
    let world = World::start().await;
    // A first commit is held, so that what follows comes to stand in one group.
    let mut gate = world.store.hold(|unit| unit.messages.iter().any(|m| m.key.as_str() == "first"));
    let first = world.accepting(append("first", 0));
    gate.reached().await;
    let bad = append("bad", 1);
    let bad_id = bad.id;
    let _fault = world.store.refuse(move |unit| unit.messages.iter().any(|m| m.id == bad_id));
    let mut good: Vec<_> = (0..5).map(|n| world.accepting(append(&format!("good-{n}"), n))).collect();
    let bad = world.accepting(bad);
    good.extend((5..10).map(|n| world.accepting(append(&format!("good-{n}"), n))));
    crate::support::let_others_run().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert!(bad.await.unwrap().is_err());
    for one in good {
        let id = one.await.unwrap().unwrap().id;
        world.outcome(id).await;
    }
    assert_eq!(world.store.message(bad_id).await.unwrap(), None);
    world.settled().await;
    let all = world.messages(Filter::default()).await;
    assert!(all.iter().map(|m| m.position).eq(1..=all.len() as i64), "no gaps");
}

/// What was decided on a state that never came to be must not be written.
async fn work_that_rests_on_a_refused_unit_is_refused_with_it() {
    let world = World::start().await;
    // Two messages of one key are accepted; their units are submitted apart while the journal is busy.
    let mut loading = world.store.hold_reads("a");
    let (first, second) = (append("a", 1), append("a", 2));
    let ids = [first.id, second.id];
    let mut fault = world.store.refuse(handles(ids[0]));
    world.accept(first).await.unwrap();
    loading.reached().await;
    world.accept(second).await.unwrap();
    let mut busy = world.store.hold(|unit| unit.messages.iter().any(|m| m.key.as_str() == "busy"));
    let other = world.accepting(append("busy", 0));
    busy.reached().await;
    loading.open();
    until("both are decided", || ready(world.view("contexts/ledger").handled >= 2)).await;
    busy.open();
    other.await.unwrap().unwrap();
    fault.reached(1).await;
    fault.lift();
    for id in ids {
        world.outcome(id).await;
    }
    let versions: Vec<_> = world.events("ledger", Some("a")).await.iter().map(|e| e.stream_version).collect();
    assert_eq!(versions, [Some(1), Some(2)]);
    assert_eq!(world.numbers("a").await, [1, 2]);
}
