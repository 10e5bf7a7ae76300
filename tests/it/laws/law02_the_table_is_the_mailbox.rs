//! The table is the mailbox: an actor that dies loses nothing, whatever was queued for it.

use crate::support::contexts::{Explode, Ledger};
use crate::support::world::{World, append, command, worlds_over_both_engines};

worlds_over_both_engines!(
    messages_queued_for_a_killed_actor_are_handled_once_and_in_order,
    a_unit_on_its_way_to_the_disk_when_the_actor_dies_is_not_done_twice,
    the_journal_dying_over_a_commit_loses_and_repeats_nothing,
    readers_learn_of_a_commit_that_its_journal_did_not_live_to_tell,
    a_commit_reported_as_failed_is_found_and_handled_all_the_same,
    a_panic_in_the_middle_of_a_helping_loses_none_of_it,
);

async fn messages_queued_for_a_killed_actor_are_handled_once_and_in_order() {
    let world = World::start().await;
    let dispatcher = world.runtime.dispatcher();
    let mut last = None;
    for number in 0..200 {
        last = Some(dispatcher.accept(append("a", number)).await.unwrap());
        if number % 25 == 0 {
            world.kill_ledger();
        }
        if number % 60 == 0 {
            world.kill("projections/ledger_sums");
            world.kill("reactions/mirror");
        }
    }
    world.outcome(last.unwrap().id).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, (0..200).collect::<Vec<_>>());
    assert!(world.restarts("contexts/ledger") > 0);
    assert_eq!(world.sums().await[0].1.events, 200);
}

async fn a_unit_on_its_way_to_the_disk_when_the_actor_dies_is_not_done_twice() {
    let world = World::start().await;
    let mut gate = world.store.hold(|unit| unit.handled.is_some());
    let first = world.accept(append("a", 1)).await.unwrap();
    gate.reached().await;
    world.kill_ledger();
    gate.open();
    world.outcome(first.id).await;
    let second = world.accept(append("a", 2)).await.unwrap();
    world.outcome(second.id).await;
    assert_eq!(world.numbers("a").await, [1, 2]);
}

async fn the_journal_dying_over_a_commit_loses_and_repeats_nothing() {
    let world = World::start().await;
    for number in 0..5 {
        world.ask(append("a", number)).await;
    }
    world.settled().await;
    // The commit is made, and the journal dies before it can tell anybody.
    let mut gate = world.store.hold_after(|unit| unit.handled.is_some());
    let fifth = world.accept(append("a", 5)).await.unwrap();
    gate.reached().await;
    world.kill("journal");
    drop(gate);
    world.outcome(fifth.id).await;
    let sixth = {
        let dispatcher = world.runtime.dispatcher();
        // Refused while the tree restarts: nothing of it is kept, so it is given again.
        loop {
            if let Ok(accepted) = dispatcher.accept(append("a", 6)).await {
                break accepted;
            }
            tokio::task::yield_now().await;
        }
    };
    world.outcome(sixth.id).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, (0..7).collect::<Vec<_>>());
    assert_eq!(world.sums().await[0].1.events, 7, "every reader has seen every event once");
}

async fn readers_learn_of_a_commit_that_its_journal_did_not_live_to_tell() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    world.settled().await;
    let mut gate = world.store.hold_after(|unit| unit.handled.is_some());
    let second = world.accept(append("a", 2)).await.unwrap();
    gate.reached().await;
    world.kill("journal");
    drop(gate);
    world.outcome(second.id).await;
    // Nothing else is committed that could wake anybody.
    world.settled().await;
    assert_eq!(world.sums().await[0].1.events, 2);
}

async fn a_commit_reported_as_failed_is_found_and_handled_all_the_same() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    world.settled().await;
    world.store.lose_answers(1);
    let lost = append("a", 2);
    let id = lost.id;
    assert!(world.accept(lost).await.is_err(), "nobody may be told yes");
    // The next commit shows that there is something nobody was told of.
    world.ask(append("b", 3)).await;
    world.outcome(id).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, [1, 2]);
    let events: u64 = world.sums().await.iter().map(|(_, sum)| sum.events).sum();
    assert_eq!(events, 3);
}

async fn a_panic_in_the_middle_of_a_helping_loses_none_of_it() {
    let world = World::start().await;
    let mut gate = world.store.hold(|unit| unit.handled.is_some());
    let dispatcher = world.runtime.dispatcher();
    let first = dispatcher.accept(append("a", 0)).await.unwrap();
    gate.reached().await;
    let mut callers = Vec::new();
    for number in 1..40 {
        let next = match number {
            20 => command::<Ledger>("a", Explode { times: 1, number }),
            _ => append("a", number),
        };
        let dispatcher = world.runtime.dispatcher();
        callers.push(tokio::spawn(async move { dispatcher.accept(next).await }));
        crate::support::let_others_run().await;
    }
    gate.open();
    for caller in callers {
        world.outcome(caller.await.unwrap().unwrap().id).await;
    }
    world.outcome(first.id).await;
    let mut numbers = world.numbers("a").await;
    assert_eq!(world.restarts("contexts/ledger"), 1);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
}
