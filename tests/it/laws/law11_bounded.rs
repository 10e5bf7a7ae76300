//! Bounded: past the hard watermark new work is refused before it is accepted, and nothing accepted is dropped.

use crate::support::contexts::{Forward, Jot, Ledger, Scale};
use crate::support::world::{
    STATE, World, append, command, contexts, fresh_folder, worlds_over_both_engines,
};
use crate::support::{let_others_run, until};
use meal_planner::actors::{NewCommand, Order, Refusal, Watermarks};
use meal_planner::domain::envelope::{Address, Envelope};
use meal_planner::store::{Store, Unit};
use std::future::ready;
use std::sync::Arc;

worlds_over_both_engines!(
    past_the_hard_watermark_new_work_is_refused_and_nothing_of_it_is_kept,
    what_was_waiting_before_a_restart_counts,
    messages_between_contexts_are_never_refused,
    what_does_not_fit_the_window_is_read_from_the_table_in_order,
    past_the_watermark_of_all_together_only_control_is_taken,
    past_the_soft_watermark_the_policies_of_others_hold_back_and_lose_nothing,
);

fn hard(hard: i64) -> Watermarks {
    Watermarks { hard, ..Watermarks::default() }
}

async fn past_the_hard_watermark_new_work_is_refused_and_nothing_of_it_is_kept() {
    let world = World::start_with(fresh_folder().await, contexts().watermarks(hard(10))).await;
    let mut loading = world.store.hold_reads("a");
    for number in 0..10 {
        world.accept(append("a", number)).await.unwrap();
    }
    loading.reached().await;
    let last = world.store.last_position().await.unwrap();
    let refused = world.accept(append("b", 1)).await;
    let Err(Refusal::Busy { context, waiting, retry_after_s }) = refused else { panic!("{refused:?}") };
    assert_eq!((&*context, waiting), ("ledger", 10));
    assert!(retry_after_s > 0);
    assert_eq!(world.store.last_position().await.unwrap(), last);
    // Other contexts are not concerned.
    world
        .ask(command::<crate::support::contexts::Scale>("x", crate::support::contexts::Jot { number: 1 }))
        .await;
    loading.open();
    world.settled().await;
    world.ask(append("b", 2)).await;
    assert_eq!(world.numbers("a").await, (0..10).collect::<Vec<_>>());
    assert_eq!(world.numbers("b").await, [2]);
}

async fn what_was_waiting_before_a_restart_counts() {
    let world = World::start_with(fresh_folder().await, contexts().watermarks(hard(3))).await;
    let mut gate = world.store.hold_reads("a");
    for number in 0..3 {
        world.accept(append("a", number)).await.unwrap();
    }
    gate.reached().await;
    let folder = world.crash().await;
    let world = World::start_with(folder, contexts().watermarks(hard(3))).await;
    world.settled().await;
    assert_eq!(world.view("contexts/ledger").waiting, 0);
    world.ask(append("a", 3)).await;
    assert_eq!(world.numbers("a").await, [0, 1, 2, 3]);
}

async fn messages_between_contexts_are_never_refused() {
    let world = World::start_with(fresh_folder().await, contexts().watermarks(hard(1))).await;
    for number in 0..5 {
        let forward = Forward { number, to: "b".to_owned(), ask: true };
        crate::support::until("there is room", || async {
            world.accept(command::<Ledger>("a", forward.clone())).await.is_ok()
        })
        .await;
    }
    world.settled().await;
    assert_eq!(world.numbers("b").await, [0, 1, 2, 3, 4]);
    assert_eq!(world.replayed("a").await.answers.len(), 5);
}

/// More than a lane's window holds, while the actor is blocked.
async fn what_does_not_fit_the_window_is_read_from_the_table_in_order() {
    const MANY: i64 = 9000;
    let world = World::start().await;
    let mut loading = world.store.hold_reads("first");
    world.accept(append("first", 0)).await.unwrap();
    loading.reached().await;
    let journal = &world.runtime.hub().journal;
    for chunk in (0..MANY).collect::<Vec<_>>().chunks(1000) {
        let unit = |number: &i64| {
            let new = append(&format!("k{}", number % 50), *number);
            let to = Address::new("ledger", new.to.key);
            let envelope =
                Envelope::command(&to, &new.type_name, new.body, new.id, meal_planner::clock::now());
            Unit { messages: vec![envelope], ..Unit::default() }
        };
        journal.commit(meal_planner::actors::Origin::Edge, chunk.iter().map(unit).collect()).await.unwrap();
    }
    let_others_run().await;
    loading.open();
    // What comes while the rest is read from the table keeps its place behind it.
    let late = world.accept(append("k0", MANY)).await.unwrap();
    world.outcome(late.id).await;
    crate::support::until("all are handled", || async {
        world.store.waiting_counts().await.unwrap().is_empty()
    })
    .await;
    let store: Arc<dyn Store> = world.store.clone();
    let mut total = 0;
    for key in 0..50 {
        let stream = store.streams("ledger", STATE, vec![format!("k{key}").into()]).await.unwrap().remove(0);
        let numbers = world.numbers(&format!("k{key}")).await;
        total += numbers.len();
        assert!(numbers.is_sorted(), "k{key}");
        assert!(stream.snapshot.is_some());
    }
    assert_eq!(total, MANY as usize + 1);
    assert_eq!(world.restarts("contexts/ledger"), 0);
}

async fn past_the_watermark_of_all_together_only_control_is_taken() {
    let marks = Watermarks { hard_in_total: 4, ..Watermarks::default() };
    let world = World::start_with(fresh_folder().await, contexts().watermarks(marks)).await;
    for path in ["contexts/ledger", "contexts/scale"] {
        world.runtime.hub().order(path, Order::Pause).unwrap();
    }
    for number in 0..2 {
        world.accept(append("a", number)).await.unwrap();
        world.accept(command::<Scale>("x", Jot { number })).await.unwrap();
    }
    let refused = world.accept(append("b", 9)).await;
    assert!(matches!(refused, Err(Refusal::Overloaded { waiting: 4, .. })), "{refused:?}");
    let control = NewCommand { control: true, ..append("c", 5) };
    world.accept(control).await.unwrap();
    for path in ["contexts/ledger", "contexts/scale"] {
        world.runtime.hub().order(path, Order::Resume).unwrap();
    }
    world.settled().await;
    world.ask(append("b", 9)).await;
    assert_eq!((world.numbers("a").await, world.numbers("c").await), (vec![0, 1], vec![5]));
}

async fn past_the_soft_watermark_the_policies_of_others_hold_back_and_lose_nothing() {
    let marks = Watermarks { soft: 5, ..Watermarks::default() };
    let world = World::start_with(fresh_folder().await, contexts().watermarks(marks)).await;
    world.runtime.hub().order("contexts/mirror", Order::Pause).unwrap();
    for number in 0..30 {
        world.ask(append("a", number)).await;
    }
    until("it holds back", || ready(!world.view("reactions/mirror").waits.is_empty())).await;
    let waiting = world.view("contexts/mirror").waiting;
    assert!((5..30).contains(&waiting), "{waiting}");
    world.runtime.hub().order("contexts/mirror", Order::Resume).unwrap();
    world.settled().await;
    assert_eq!(world.events("mirror", None).await.len(), 30);
    assert_eq!(world.view("reactions/mirror").waits, []);
}
