//! Order per key, independence across keys.

use crate::support::contexts::{Jot, Scale, ScaleEvent, Weigh, times_decided};
use crate::support::world::{World, append, command, worlds_over_both_engines};
use meal_planner::actors::NewCommand;
use meal_planner::domain::message::Message;

worlds_over_both_engines!(
    a_key_that_waits_for_facts_holds_itself_only_and_keeps_its_order,
    facts_include_everything_before_the_message,
    an_actor_that_dies_while_facts_are_gathered_starts_over,
    messages_of_many_callers_keep_each_callers_order,
);

fn weigh(key: &str, ledger: &str, number: i64) -> NewCommand {
    command::<Scale>(key, Weigh { ledgers: vec![ledger.to_owned()], number })
}

fn jot(key: &str, number: i64) -> NewCommand {
    command::<Scale>(key, Jot { number })
}

async fn scale(world: &World, key: &str) -> Vec<(i64, Option<i64>)> {
    let events = world.events("scale", Some(key)).await;
    let decode = |event: &meal_planner::domain::envelope::Envelope| match ScaleEvent::decode(
        &event.type_name,
        event.schema_version,
        &event.body,
    )
    .unwrap()
    {
        ScaleEvent::Weighed(weighed) => (weighed.number, Some(weighed.total)),
        ScaleEvent::Jotted(jotted) => (jotted.number, None),
    };
    events.iter().map(decode).collect()
}

async fn a_key_that_waits_for_facts_holds_itself_only_and_keeps_its_order() {
    let world = World::start().await;
    let mut gate = world.store.hold_reads("gated");
    let mut ids = Vec::new();
    for next in [jot("x", 0), weigh("x", "gated", 1), jot("x", 2), weigh("x", "other", 3), jot("x", 4)] {
        ids.push(world.accept(next).await.unwrap().id);
    }
    gate.reached().await;
    for number in 0..5 {
        world.ask(jot("y", number)).await;
    }
    world.ask(weigh("z", "other", 9)).await;
    world.outcome(ids[0]).await;
    for id in &ids[1..] {
        assert_eq!((world.status(*id).await.outcome, times_decided(*id)), (None, 0));
    }
    gate.open();
    for id in &ids {
        world.outcome(*id).await;
        assert_eq!(times_decided(*id), 1);
    }
    let numbers: Vec<_> = scale(&world, "x").await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
}

async fn facts_include_everything_before_the_message() {
    let world = World::start().await;
    let mut total = 0;
    for number in 1..20 {
        world.ask(append("a", number)).await;
        total += number;
        world.ask(weigh("x", "a", number)).await;
        assert_eq!(scale(&world, "x").await.last(), Some(&(number, Some(total))));
    }
}

async fn an_actor_that_dies_while_facts_are_gathered_starts_over() {
    let world = World::start().await;
    let mut gate = world.store.hold_reads("gated");
    let first = world.accept(weigh("x", "gated", 1)).await.unwrap().id;
    let second = world.accept(jot("x", 2)).await.unwrap().id;
    gate.reached().await;
    world.kill("contexts/scale");
    gate.open();
    world.outcome(second).await;
    world.outcome(first).await;
    assert_eq!(scale(&world, "x").await, [(1, Some(0)), (2, None)]);
}

async fn messages_of_many_callers_keep_each_callers_order() {
    let world = World::start().await;
    let callers = (0..20_i64).map(|caller| {
        let dispatcher = world.runtime.dispatcher();
        tokio::spawn(async move {
            for number in 0..20 {
                dispatcher.accept(append(&format!("k{}", caller % 4), caller * 100 + number)).await.unwrap();
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    world.settled().await;
    for key in 0..4 {
        let numbers = world.numbers(&format!("k{key}")).await;
        assert_eq!(numbers.len(), 100);
        for caller in (key..20).step_by(4) {
            let own: Vec<_> = numbers.iter().filter(|n| **n / 100 == caller).map(|n| n % 100).collect();
            assert_eq!(own, (0..20).collect::<Vec<_>>());
        }
    }
}
