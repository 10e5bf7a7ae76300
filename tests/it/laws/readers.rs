//! Readers: each answers each event exactly once, whatever dies, and can be asked for what was just written.

use crate::support::contexts::{MirrorEvent, Noted};
use crate::support::faulty::FaultyStore;
use crate::support::world::{SUMS, World, append, contexts, open_after_crash, raw, worlds_over_both_engines};
use crate::support::{let_others_run, until};
use meal_planner::actors::Order;
use meal_planner::domain::message::Message;
use meal_planner::store::Store as _;
use std::collections::HashSet;

worlds_over_both_engines!(
    every_event_is_folded_once_across_restarts,
    rows_and_checkpoint_commit_together,
    a_reactor_answers_each_event_exactly_once_across_restarts,
    the_answers_of_a_reactor_commit_with_its_checkpoint,
    whoever_waits_for_it_reads_what_was_just_written,
    a_reader_far_behind_reads_on_from_the_store,
    a_reader_takes_nothing_after_an_order_to_pause_from_a_look_under_way,
);

/// The path of each and the name that its checkpoint goes by.
const READERS: [(&str, &str); 2] =
    [("projections/ledger_sums", "ledger_sums_v1"), ("reactions/mirror", "mirror_reactions")];

async fn some_history(mut world: World) -> World {
    for round in 0..4 {
        for number in 0..30 {
            world.runtime.dispatcher().accept(append(&format!("k{}", number % 3), number)).await.unwrap();
            if number == 15 {
                world.kill("projections/ledger_sums");
                world.kill("reactions/mirror");
            }
        }
        world = if round % 2 == 0 { world.crash_and_start().await } else { world.restart().await };
    }
    world.settled().await;
    world
}

async fn every_event_is_folded_once_across_restarts() {
    let world = some_history(World::start().await).await;
    let sums = world.sums().await;
    assert_eq!(sums.len(), 3);
    for (key, sum) in sums {
        let numbers = world.numbers(&key).await;
        assert_eq!((sum.events, sum.sum), (40, numbers.iter().sum()), "{key}");
        assert_eq!(sum.last_version, 40);
    }
}

async fn a_reader_takes_nothing_after_an_order_to_pause_from_a_look_under_way() {
    let world = World::start().await;
    for (path, _) in READERS {
        world.runtime.hub().order(path, Order::Pause).unwrap();
    }
    world.ask(append("a", 1)).await;
    let folder = world.crash().await;
    // The pause was of that process; now the readers have something before them.
    let store = FaultyStore::over(open_after_crash(folder.path()).await);
    let mut look = store.hold_reads("messages of ledger");
    let world = World::start_over(folder, store, contexts()).await;
    look.reached_by(READERS.len()).await;
    for (path, _) in READERS {
        world.runtime.hub().order(path, Order::Pause).unwrap();
    }
    look.open();
    // Time enough for what they read to be taken.
    for number in 2..12 {
        world.ask(append("a", number)).await;
    }
    let_others_run().await;
    for (path, reader) in READERS {
        assert_eq!(world.store.checkpoint(reader).await.unwrap(), 0, "{reader}");
        world.runtime.hub().order(path, Order::Resume).unwrap();
        let goes_on = || async { world.store.checkpoint(reader).await.unwrap() > 0 };
        until("it goes on where it was", goes_on).await;
    }
    world.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_read_model_equals_the_kept_one() {
    let world = some_history(World::start().await).await;
    let kept = world.sums().await;
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    sqlx::query("DELETE FROM ledger_sums_v1").execute(&mut connection).await.unwrap();
    sqlx::query("DELETE FROM checkpoints WHERE reader = 'ledger_sums_v1'")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let world = World::start_in(folder).await;
    world.settled().await;
    assert_eq!(world.sums().await, kept);
}

async fn rows_and_checkpoint_commit_together() {
    let world = World::start().await;
    let mut fault = world.store.refuse(|unit| unit.table.is_some());
    world.ask(append("a", 1)).await;
    fault.reached(2).await;
    assert_eq!((world.store.checkpoint(SUMS).await.unwrap(), world.sums().await), (0, vec![]));
    fault.lift();
    world.settled().await;
    assert_eq!(world.sums().await[0].1.events, 1);
    for unit in world.store.committed() {
        assert!(unit.table.is_none() || unit.checkpoint.is_some(), "rows without their checkpoint");
    }
}

async fn a_reactor_answers_each_event_exactly_once_across_restarts() {
    let world = some_history(World::start().await).await;
    for key in ["k0", "k1", "k2"] {
        let notes: Vec<Noted> = world
            .events("mirror", Some(key))
            .await
            .iter()
            .map(|event| {
                let MirrorEvent::Noted(noted) =
                    MirrorEvent::decode(&event.type_name, event.schema_version, &event.body).unwrap();
                noted
            })
            .collect();
        let answered: HashSet<_> = notes.iter().map(|note| note.of).collect();
        assert_eq!((notes.len(), answered.len()), (40, 40));
        let numbers: Vec<_> = notes.iter().map(|note| note.number).collect();
        assert_eq!(numbers, world.numbers(key).await, "in the order of the events");
    }
}

async fn the_answers_of_a_reactor_commit_with_its_checkpoint() {
    let world = World::start().await;
    let reacts = |unit: &meal_planner::store::Unit| {
        unit.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.reader == "mirror_reactions")
    };
    let mut gate = world.store.hold_after(reacts);
    world.accept(append("a", 1)).await.unwrap();
    gate.reached().await;
    // The commit is made and the power goes out before the reactor hears of it.
    let world = world.crash_and_start().await;
    world.ask(append("a", 2)).await;
    world.settled().await;
    assert_eq!(world.events("mirror", None).await.len(), 2);
}

async fn whoever_waits_for_it_reads_what_was_just_written() {
    let world = World::start().await;
    for number in 1..100 {
        let done = world.ask(append("a", number)).await;
        crate::support::soon("read models", world.runtime.hub().caught_up("ledger", done.position)).await;
        let sums = world.sums().await;
        assert_eq!(sums[0].1.sum, (1..=number).sum::<i64>());
    }
}

async fn a_reader_far_behind_reads_on_from_the_store() {
    let world = World::start().await;
    let mut fault = world.store.refuse(|unit| unit.table.is_some());
    world.ask(append("a", 0)).await;
    fault.reached(1).await;
    for number in 1..300 {
        world.runtime.dispatcher().accept(append("a", number)).await.unwrap();
    }
    fault.lift();
    until("all are folded", || async {
        world.sums().await.first().is_some_and(|(_, sum)| sum.events == 300)
    })
    .await;
}
