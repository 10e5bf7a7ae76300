//! A message that is given again is the same call to the remote, and has the same line on the ledger.

use crate::support::errands::{changes, contexts, crash_and_start, effect_of, is_sent, push, start};
use crate::support::remote::{Manner, Remote, RemoteClient};
use crate::support::world::{World, fresh_folder, worlds_over_both_engines};
use meal_planner::actors::desk::{self, Desk, Replayed};
use meal_planner::actors::{NewCommand, Retries};
use meal_planner::domain::breakers::Settings;
use meal_planner::store::{DeadLetterId, EffectQuery, EffectState, Outcome, Store, StoredEffect};
use serde_json::json;
use uuid::Uuid;

worlds_over_both_engines!(
    a_replay_makes_no_second_effect_where_the_remote_knows_its_key,
    a_replay_of_a_replay_is_still_the_same_call,
    what_is_known_to_be_done_is_not_called_again,
    a_replay_that_is_cut_off_goes_on_with_the_same_call,
    what_was_edited_to_ask_for_the_same_is_the_same_call,
    what_was_edited_to_ask_for_more_is_another_call,
    the_ledger_of_an_open_dead_letter_is_not_forgotten,
);

/// Waits for the death of a message; answers its dead letter.
async fn dead(world: &World, id: Uuid) -> DeadLetterId {
    let outcome = world.outcome(id).await.outcome;
    assert!(matches!(outcome, Outcome::Dead { .. }), "{outcome:?}");
    DeadLetterId { position: world.status(id).await.envelope.position, reader: String::new() }
}

async fn die(world: &World, command: NewCommand) -> DeadLetterId {
    let id = command.id;
    world.accept(command).await.unwrap();
    dead(world, id).await
}

async fn replay(world: &World, letter: &DeadLetterId) -> Uuid {
    let reason = desk::reason("a test", "it works again").unwrap();
    match Desk::new(world.runtime.hub().clone()).replay(letter, reason).await.unwrap() {
        Replayed::As { id, .. } => id,
        other @ (Replayed::Answered { .. } | Replayed::Rebuilding { .. }) => panic!("{other:?}"),
    }
}

async fn edit(world: &World, letter: &DeadLetterId, body: serde_json::Value) {
    let reason = desk::reason("a test", "it was wrong").unwrap();
    Desk::new(world.runtime.hub().clone()).edit(letter, &body.to_string(), reason).await.unwrap();
}

async fn ledger(world: &World) -> Vec<StoredEffect> {
    world.store.effects(EffectQuery { limit: 10, ..EffectQuery::default() }).await.unwrap()
}

/// The remote has acted and says no: the message dies over it.
async fn acted_and_died(recovery: &str) -> (World, Remote, NewCommand, DeadLetterId) {
    let remote = Remote::start().await;
    remote.plan([Manner::ActAndSay(422)]);
    let world = start(&remote).await;
    let one = push("a", 1, recovery);
    let letter = die(&world, one.clone()).await;
    assert_eq!((remote.calls(), remote.effects_of(effect_of(one.id))), (1, 1));
    (world, remote, one, letter)
}

async fn a_replay_makes_no_second_effect_where_the_remote_knows_its_key() {
    let (world, remote, one, letter) = acted_and_died("repeat").await;
    let again = replay(&world, &letter).await;
    assert_eq!(world.outcome(again).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.effects().len()), (2, 1));
    assert_eq!(world.pushed("a").await, [1]);
    let [effect] = &ledger(&world).await[..] else { panic!("one line on the ledger") };
    assert_eq!((effect.effect.id, effect.state, effect.attempt), (effect_of(one.id), EffectState::Done, 2));
    assert_eq!(effect.effect.position, world.status(again).await.envelope.position);
}

async fn a_replay_of_a_replay_is_still_the_same_call() {
    let (world, remote, _, letter) = acted_and_died("operator").await;
    remote.plan([Manner::Refuse(422, None)]);
    let again = replay(&world, &letter).await;
    let letter = dead(&world, again).await;
    let last = replay(&world, &letter).await;
    assert_eq!(world.outcome(last).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.effects().len(), ledger(&world).await.len()), (3, 1, 1));
}

/// Asked for its end, which nobody gives, until it has used up its attempts; then the operator finds out.
async fn what_is_known_to_be_done_is_not_called_again() {
    let remote = Remote::start().await;
    let client = || RemoteClient::new(&remote).mute();
    let world = World::start_with(fresh_folder().await, contexts(client())).await;
    world.configure(Settings { failures_to_open: 50, ..Settings::default() }).await;
    remote.plan([Manner::ActAndBreakOff]);
    let one = push("a", 1, "ask");
    let letter = die(&world, one.clone()).await;
    assert_eq!(world.effect(one.id).await.unwrap().state, EffectState::Unknown);
    let done = meal_planner::store::EffectEnd::Done { response: "seen".into() };
    let reason = desk::reason("ann", "I looked").unwrap();
    world.runtime.hub().decide_effect(effect_of(one.id), done, reason).await.unwrap();
    let again = replay(&world, &letter).await;
    assert_eq!(world.outcome(again).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.effects().len(), ledger(&world).await.len()), (1, 1, 1));
    assert!(world.events("errands", Some("a")).await[0].body.contains("seen"));
    assert_eq!(world.attempts_of(one.id).await, Retries::at_once().limit() as usize);
}

async fn a_replay_that_is_cut_off_goes_on_with_the_same_call() {
    let (world, remote, _, letter) = acted_and_died("repeat").await;
    let mut gate = world.store.hold_after(changes(is_sent));
    let again = replay(&world, &letter).await;
    gate.reached().await;
    let world = crash_and_start(world, &remote).await;
    assert_eq!(world.outcome(again).await.outcome, Outcome::Handled);
    assert_eq!((remote.effects().len(), ledger(&world).await.len()), (1, 1));
    assert_eq!(world.pushed("a").await, [1]);
}

async fn what_was_edited_to_ask_for_the_same_is_the_same_call() {
    let (world, remote, _, letter) = acted_and_died("operator").await;
    edit(&world, &letter, json!({"number": 1, "recovery": "repeat"})).await;
    let again = replay(&world, &letter).await;
    assert_eq!(world.outcome(again).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.effects().len(), ledger(&world).await.len()), (2, 1, 1));
}

async fn what_was_edited_to_ask_for_more_is_another_call() {
    let (world, remote, one, letter) = acted_and_died("operator").await;
    edit(&world, &letter, json!({"number": 2, "recovery": "repeat"})).await;
    remote.plan([Manner::ActAndSay(422)]);
    let again = replay(&world, &letter).await;
    // And whatever becomes of that is the same other call when it is given again.
    let letter = dead(&world, again).await;
    let last = replay(&world, &letter).await;
    assert_eq!(world.outcome(last).await.outcome, Outcome::Handled);
    assert_eq!(remote.effects(), ["1", "2"]);
    let states: Vec<_> = ledger(&world).await.iter().map(|stored| (stored.effect.id, stored.state)).collect();
    let expected = [(effect_of(again), EffectState::Done), (effect_of(one.id), EffectState::Failed)];
    assert_eq!(states, expected);
}

async fn the_ledger_of_an_open_dead_letter_is_not_forgotten() {
    use meal_planner::store::Aged;
    let (world, _, _, letter) = acted_and_died("repeat").await;
    let forget = async || world.store.forget_aged(Aged::Effects, i64::MAX, 10).await.unwrap();
    assert_eq!(forget().await, 0, "it is needed when the message is given again");
    let mut gate = world.store.hold(changes(is_sent));
    let again = replay(&world, &letter).await;
    assert_eq!(forget().await, 0, "it is needed now");
    gate.reached().await;
    gate.open();
    world.outcome(again).await;
    assert_eq!(forget().await, 1);
}
