//! An attempt is burned before the restart; past the limit the message is a dead letter and the actor goes on.

use crate::support::contexts::{Explode, Ledger, times_decided};
use crate::support::until;
use crate::support::world::{
    World, append, attempt_limit, burns, burnt, command, handles, worlds_over_both_engines,
};
use meal_planner::store::Outcome;
use std::future::ready;

worlds_over_both_engines!(
    a_message_that_panics_a_few_times_is_handled_in_the_end,
    each_attempt_is_on_the_disk_with_its_cause_before_the_next,
    past_the_limit_it_is_a_dead_letter_and_the_next_message_is_handled,
    whoever_waits_for_a_message_is_told_that_it_died,
    attempts_are_counted_across_restarts_of_the_process,
    siblings_are_not_disturbed,
    a_unit_that_is_always_refused_ends_as_a_dead_letter,
    many_poisoned_messages_end_as_dead_letters_without_using_up_their_context,
);

fn explode(key: &str, times: u32) -> meal_planner::actors::NewCommand {
    command::<Ledger>(key, Explode { times, number: 7 })
}

async fn a_message_that_panics_a_few_times_is_handled_in_the_end() {
    let world = World::start().await;
    let bad = explode("a", attempt_limit() - 1);
    let id = bad.id;
    assert_eq!(world.ask(bad).await.outcome, Outcome::Handled);
    assert_eq!(times_decided(id), attempt_limit());
    assert_eq!(world.restarts("contexts/ledger"), u64::from(attempt_limit()) - 1);
    assert_eq!(world.numbers("a").await, [7]);
}

async fn each_attempt_is_on_the_disk_with_its_cause_before_the_next() {
    let world = World::start().await;
    let bad = explode("a", 2);
    let id = bad.id;
    let mut gate = world.store.hold(burns);
    world.accept(bad).await.unwrap();
    gate.reached().await;
    crate::support::let_others_run().await;
    assert_eq!(times_decided(id), 1, "it was tried again before the attempt was recorded");
    gate.open();
    world.outcome(id).await;
    let burnt = burnt(&world.store.committed());
    assert_eq!(burnt.len(), 2);
    assert!(burnt[0].error.contains("boom 1") && burnt[1].error.contains("boom 2"), "{burnt:?}");
    assert_eq!(burnt[0].position, world.status(id).await.envelope.position);
}

async fn past_the_limit_it_is_a_dead_letter_and_the_next_message_is_handled() {
    let world = World::start().await;
    let bad = explode("a", u32::MAX);
    let id = bad.id;
    world.accept(append("a", 1)).await.unwrap();
    world.accept(bad).await.unwrap();
    let next = world.accept(append("a", 2)).await.unwrap();
    let Outcome::Dead { reason } = world.outcome(id).await.outcome else { panic!("not dead") };
    assert!(reason.contains("failed 6 times") && reason.contains("boom 6"), "{reason}");
    world.outcome(next.id).await;
    assert_eq!(world.numbers("a").await, [1, 2]);
    assert_eq!(times_decided(id), attempt_limit());
    assert_eq!(world.status(id).await.waiting, None);
}

async fn whoever_waits_for_a_message_is_told_that_it_died() {
    let world = World::start().await;
    assert!(matches!(world.ask(explode("a", u32::MAX)).await.outcome, Outcome::Dead { .. }));
}

async fn attempts_are_counted_across_restarts_of_the_process() {
    let world = World::start().await;
    let bad = explode("a", u32::MAX);
    let id = bad.id;
    let mut gate = world.store.hold(burns);
    world.accept(bad).await.unwrap();
    gate.reached().await;
    gate.open();
    until("an attempt is recorded", || async {
        world.status(id).await.waiting.is_none_or(|waiting| waiting.attempts > 0)
    })
    .await;
    let world = world.crash_and_start().await;
    world.outcome(id).await;
    assert!(times_decided(id) <= attempt_limit() + 1, "one attempt may be lost with the power, not more");
}

async fn siblings_are_not_disturbed() {
    let world = World::start().await;
    let scale = world.view("contexts/scale").generation;
    world.ask(explode("a", u32::MAX)).await;
    for path in
        ["contexts/scale", "contexts/mirror", "projections/ledger_sums", "reactions/mirror", "journal"]
    {
        assert_eq!(world.restarts(path), 0, "{path}");
    }
    assert_eq!(world.view("contexts/scale").generation, scale);
}

/// A unit that the store refuses every time is a failing message like any other.
async fn a_unit_that_is_always_refused_ends_as_a_dead_letter() {
    let world = World::start().await;
    let (good, bad) = (append("a", 1), append("b", 2));
    let id = bad.id;
    let is_handled = handles(id);
    let _fault = world.store.refuse(move |unit| {
        is_handled(unit) && unit.handled.as_ref().is_some_and(|done| done.outcome == Outcome::Handled)
    });
    world.accept(bad).await.unwrap();
    let good = world.accept(good).await.unwrap();
    world.outcome(good.id).await;
    assert!(matches!(world.outcome(id).await.outcome, Outcome::Dead { .. }));
    assert_eq!(world.numbers("b").await, [] as [i64; 0]);
    world.ask(append("b", 3)).await;
    until("it runs", || ready(world.view("contexts/ledger").state == meal_planner::actors::Stage::Running))
        .await;
}

async fn many_poisoned_messages_end_as_dead_letters_without_using_up_their_context() {
    let world = World::start().await;
    for n in 0..4 {
        let poisoned = world.accept(explode(&format!("poisoned-{n}"), u32::MAX)).await.unwrap();
        assert!(matches!(world.outcome(poisoned.id).await.outcome, Outcome::Dead { .. }));
    }
    world.ask(append("healthy", 1)).await;
    assert_eq!(world.numbers("healthy").await, [1]);
}
