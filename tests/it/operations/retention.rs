//! What is old is forgotten, a little at a time; events never are, nor what somebody may still ask for.

use crate::support::contexts::{Explode, Ledger};
use crate::support::world::{World, append, command, worlds_over_both_engines};
use meal_planner::actors::{NewCommand, Retention};
use meal_planner::store::{DeadLetterQuery, Filter, Store as _};

const NOTHING_IS_KEPT: Retention =
    Retention { attempts: 0, effects: 0, outcomes: 0, idempotency: 0, dead_letters: 0 };

worlds_over_both_engines!(
    old_rows_go_and_events_stay,
    what_is_young_or_still_open_stays,
    a_key_of_a_client_outlives_no_answer,
    whoever_is_not_the_owner_any_more_forgets_nothing,
);

/// More than one batch of handled messages.
async fn lived_in() -> World {
    let world = World::start().await;
    for number in 0..20 {
        world.ask(append("a", number)).await;
    }
    world.settled().await;
    world
}

async fn old_rows_go_and_events_stay() {
    let world = lived_in().await;
    let first = append("b", 1);
    world.ask(first.clone()).await;
    world.settled().await;
    let before = world.messages(Filter::default()).await;
    let forgotten = world.runtime.hub().forget_old(NOTHING_IS_KEPT).await.unwrap();
    assert!(forgotten >= 42, "an answer of each command at least: {forgotten}");
    assert_eq!(world.messages(Filter::default()).await, before);
    assert_eq!(world.status(first.id).await.outcome, None);
    // It is known all the same, and done no second time.
    let accepted = world.accept(NewCommand { id_given: true, ..first }).await.unwrap();
    assert!(accepted.repeated);
    world.settled().await;
    assert_eq!(world.numbers("b").await, [1]);
    assert_eq!(
        world.runtime.hub().forget_old(NOTHING_IS_KEPT).await.unwrap(),
        0,
        "nothing is left to forget"
    );
}

async fn what_is_young_or_still_open_stays() {
    let world = lived_in().await;
    let dead = command::<Ledger>("c", Explode { times: 100, number: 1 });
    world.ask(dead.clone()).await;
    assert_eq!(world.runtime.hub().forget_old(Retention::default()).await.unwrap(), 0);
    world.runtime.hub().forget_old(NOTHING_IS_KEPT).await.unwrap();
    let letters = world.store.dead_letters(DeadLetterQuery { limit: 10, ..DeadLetterQuery::default() });
    assert_eq!(letters.await.unwrap().len(), 1);
    let position = world.status(dead.id).await.envelope.position;
    let attempts = world.runtime.hub().store.attempts(position).await.unwrap();
    assert!(!attempts.is_empty(), "somebody has to decide on it");
    assert!(world.status(dead.id).await.outcome.is_some());
}

async fn a_key_of_a_client_outlives_no_answer() {
    let world = World::start().await;
    let keyed = || {
        let mut keyed = append("a", 1);
        keyed.idempotency = Some(([7; 32], [8; 32]));
        keyed
    };
    let first = keyed();
    let done = world.ask(first.clone()).await;
    world.settled().await;
    // The answer would go at once, and is kept as long as its key is.
    let keys_are_kept = Retention { idempotency: 30, ..NOTHING_IS_KEPT };
    world.runtime.hub().forget_old(keys_are_kept).await.unwrap();
    let again = world.accept(keyed()).await.unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
    assert_eq!(world.outcome(first.id).await.outcome, done.outcome);
    world.runtime.hub().forget_old(NOTHING_IS_KEPT).await.unwrap();
    assert_eq!(world.store.idempotency([7; 32]).await.unwrap(), None);
    assert_eq!(world.numbers("a").await, [1]);
}

async fn whoever_is_not_the_owner_any_more_forgets_nothing() {
    let world = lived_in().await;
    world.meddle("UPDATE process_epoch SET epoch = epoch + 1").await;
    let fenced = world.runtime.hub().forget_old(NOTHING_IS_KEPT).await;
    assert!(matches!(fenced, Err(meal_planner::store::StoreError::Fenced { .. })), "{fenced:?}");
}
