//! Calls to the outside are on a ledger: whatever dies in between, each takes effect once where the remote can tell.

use crate::support::contexts::times_decided;
use crate::support::errands::{
    changes, contexts, crash_and_start, effect_of, is_ended, is_sent, is_staged, push, start,
};
use crate::support::remote::{Hold, Manner, Remote, RemoteClient};
use crate::support::until;
use crate::support::world::{World, append, burnt, fresh_folder, worlds_over_both_engines};
use meal_planner::actors::{NewCommand, Undecided};
use meal_planner::domain::operations::Reason;
use meal_planner::store::{Change, EffectEnd, EffectState, Outcome, Unit};
use std::future::ready;
use std::time::Duration;

worlds_over_both_engines!(
    the_mark_the_events_and_the_end_of_the_effect_are_one_unit,
    whatever_the_remote_does_a_key_takes_effect_once,
    a_crash_at_any_step_makes_no_second_effect_where_the_remote_can_tell,
    a_crash_at_any_step_makes_no_second_effect_where_only_a_person_can_tell,
    the_operator_says_that_it_was_done_and_the_command_goes_on,
    the_operator_says_that_it_was_not_done_and_the_call_is_made_again,
    a_decision_that_is_pending_survives_another_crash,
    a_remote_that_cannot_say_leaves_it_to_the_operator,
    a_broken_answer_is_asked_about_before_the_call_is_made_again,
    the_death_of_the_actor_does_not_end_its_call,
    a_late_answer_is_recorded_and_not_applied,
    a_refusal_for_good_is_what_the_context_makes_of_it_and_no_failure_of_the_service,
    a_service_that_nobody_has_set_up_is_a_dead_letter,
    past_the_limit_of_attempts_it_is_a_dead_letter_and_its_key_goes_on,
    a_stop_lets_calls_come_to_their_end,
    contexts_without_calls_know_nothing_of_all_this,
);

async fn the_mark_the_events_and_the_end_of_the_effect_are_one_unit() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let one = push("a", 1, "operator");
    assert_eq!(world.ask(one.clone()).await.outcome, Outcome::Handled);
    let units = world.store.committed();
    let of = |is: fn(&Change) -> bool| units.iter().filter(|unit| changes(is)(unit)).collect::<Vec<_>>();
    assert_eq!((of(is_staged).len(), of(is_sent).len(), of(is_ended).len()), (1, 1, 1));
    let last = of(is_ended)[0];
    assert_eq!(last.handled.as_ref().unwrap().id, one.id);
    assert_eq!(&*last.messages[0].type_name, "Pushed");
    assert_eq!(last.messages.len(), 1, "a healthy service's answer is nothing to its breaker: {last:?}");
    let effect = world.effect(one.id).await.unwrap();
    assert_eq!((effect.state, effect.attempt), (EffectState::Done, 1));
    assert_eq!(effect.response.as_deref(), Some("{\"number\":1}"));
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
}

async fn whatever_the_remote_does_a_key_takes_effect_once() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    remote.plan([
        Manner::Refuse(503, None),
        Manner::ActAndSay(500),
        Manner::ActAndBreakOff,
        Manner::Refuse(429, Some(0)),
    ]);
    let one = push("a", 1, "repeat");
    assert_eq!(world.ask(one.clone()).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.effects_of(effect_of(one.id))), (5, 1));
    assert_eq!(world.effect(one.id).await.unwrap().attempt, 5);
    let errors: Vec<_> = burnt(&world.store.committed()).into_iter().map(|burn| burn.error).collect();
    let expected = ["503", "500", "broke off", "429"];
    assert_eq!(errors.len(), expected.len());
    assert!(errors.iter().zip(expected).all(|(error, part)| error.contains(part)), "{errors:?}");
    let told = ["FailureCounted", "FailureCounted", "FailureCounted", "FailureCounted", "FailuresForgotten"];
    until("the breaker has heard of it", async || world.breaker_events().await.len() == told.len()).await;
    assert_eq!(world.breaker_events().await, told);
}

/// Runs a push of each recovery, lets the power go out at some step of it, and answers the world after that.
async fn crash_at(at: &str, recovery: &str) -> (World, Remote, NewCommand) {
    let remote = Remote::start().await;
    if recovery != "repeat" {
        remote.forget_keys();
    }
    let world = start(&remote).await;
    let one = push("a", 1, recovery);
    let (hold, mut called) = Hold::pair();
    let mut gate = match at {
        "before staging" => Some(world.store.hold(changes(is_staged))),
        "after staging" => Some(world.store.hold_after(changes(is_staged))),
        "before sending" => Some(world.store.hold(changes(is_sent))),
        "after sending" => Some(world.store.hold_after(changes(is_sent))),
        "before the record" => Some(world.store.hold(changes(is_ended))),
        "after the record" => Some(world.store.hold_after(changes(is_ended))),
        "in the call" => None,
        _ => panic!("there is no step {at}"),
    };
    if gate.is_none() {
        remote.plan([Manner::ActAndWait(hold)]);
    }
    world.accept(one.clone()).await.unwrap();
    match &mut gate {
        Some(gate) => gate.reached().await,
        None => called.reached().await,
    }
    let world = crash_and_start(world, &remote).await;
    (world, remote, one)
}

const STEPS: [&str; 7] = [
    "before staging",
    "after staging",
    "before sending",
    "after sending",
    "in the call",
    "before the record",
    "after the record",
];

async fn a_crash_at_any_step_makes_no_second_effect_where_the_remote_can_tell() {
    for recovery in ["repeat", "ask"] {
        for at in STEPS {
            let (world, remote, one) = crash_at(at, recovery).await;
            assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled, "{recovery}, {at}");
            assert_eq!(remote.effects_of(effect_of(one.id)), 1, "{recovery}, {at}");
            assert_eq!(world.pushed("a").await, [1], "{recovery}, {at}");
            assert_eq!(world.effect(one.id).await.unwrap().state, EffectState::Done, "{recovery}, {at}");
            assert_eq!(world.attempts_of(one.id).await, 0, "{recovery}, {at}: a crash is not the message's");
            // And what comes after it goes on.
            assert_eq!(world.ask(push("a", 2, recovery)).await.outcome, Outcome::Handled);
        }
    }
}

async fn a_crash_at_any_step_makes_no_second_effect_where_only_a_person_can_tell() {
    for at in STEPS {
        let (world, remote, one) = crash_at(at, "operator").await;
        if matches!(at, "after sending" | "in the call" | "before the record") {
            world.waits_for("a", "needs a decision").await;
            assert_eq!(world.effect(one.id).await.unwrap().state, EffectState::Unknown, "{at}");
            assert!(remote.calls() <= 1, "{at}");
        } else {
            assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled, "{at}");
            assert_eq!(remote.effects_of(effect_of(one.id)), 1, "{at}");
        }
    }
}

fn ann() -> Reason {
    Reason { by: "ann".into(), why: "I looked".into() }
}

async fn the_operator_says_that_it_was_done_and_the_command_goes_on() {
    let (world, remote, one) = crash_at("before the record", "operator").await;
    let next = push("a", 2, "operator");
    world.waits_for("a", "needs a decision").await;
    world.accept(next.clone()).await.unwrap();
    // Its key waits, no other.
    assert_eq!(world.ask(push("b", 9, "operator")).await.outcome, Outcome::Handled);
    assert_eq!(world.pushed("a").await, [] as [i64; 0]);
    let hub = world.runtime.hub();
    let done = EffectEnd::Done { response: "seen".into() };
    let decided = hub.decide_effect(effect_of(one.id), done.clone(), ann()).await.unwrap();
    assert_eq!(decided.state, EffectState::Done);
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!(world.outcome(next.id).await.outcome, Outcome::Handled);
    assert_eq!(world.pushed("a").await, [1, 2]);
    assert!(world.events("errands", Some("a")).await[0].body.contains("seen"));
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
    let notice = world.events("operations", Some(&effect_of(one.id).to_string())).await;
    assert_eq!(&*notice[0].type_name, "EffectDecided");
    assert!(notice[0].body.contains("ann") && notice[0].body.contains("I looked"), "{}", notice[0].body);
    let again = hub.decide_effect(effect_of(one.id), done.clone(), ann()).await;
    assert!(matches!(again, Err(Undecided::NotUnknown { state: EffectState::Done })));
    let nobody = hub.decide_effect(uuid::Uuid::nil(), done, ann()).await;
    assert!(matches!(nobody, Err(Undecided::NoSuchEffect(_))));
}

async fn the_operator_says_that_it_was_not_done_and_the_call_is_made_again() {
    let (world, remote, one) = crash_at("after sending", "operator").await;
    world.waits_for("a", "needs a decision").await;
    let failed = EffectEnd::Failed { error: "it is not there".into() };
    world.runtime.hub().decide_effect(effect_of(one.id), failed, ann()).await.unwrap();
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
    assert_eq!(world.effect(one.id).await.unwrap().attempt, 2);
}

async fn a_decision_that_is_pending_survives_another_crash() {
    let (world, remote, one) = crash_at("in the call", "operator").await;
    world.waits_for("a", "needs a decision").await;
    let world = crash_and_start(world, &remote).await;
    world.waits_for("a", "needs a decision").await;
    assert_eq!((remote.calls(), world.attempts_of(one.id).await), (1, 0));
}

async fn a_remote_that_cannot_say_leaves_it_to_the_operator() {
    let remote = Remote::start().await;
    remote.plan([Manner::ActAndSay(502)]);
    let client = || RemoteClient::new(&remote).silent();
    let world = World::start_with(fresh_folder().await, contexts(client())).await;
    let one = push("a", 1, "ask");
    world.accept(one.clone()).await.unwrap();
    world.waits_for("a", "needs a decision").await;
    assert_eq!((remote.calls(), world.attempts_of(one.id).await), (1, 0));
    let done = EffectEnd::Done { response: "seen".into() };
    world.runtime.hub().decide_effect(effect_of(one.id), done, ann()).await.unwrap();
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!(remote.calls(), 1);
}

async fn a_broken_answer_is_asked_about_before_the_call_is_made_again() {
    let remote = Remote::start().await;
    remote.forget_keys();
    remote.plan([Manner::Refuse(500, None), Manner::ActAndBreakOff]);
    let world = start(&remote).await;
    let one = push("a", 1, "ask");
    assert_eq!(world.ask(one.clone()).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), remote.asks(), remote.effects_of(effect_of(one.id))), (2, 2, 1));
    assert_eq!(world.attempts_of(one.id).await, 1, "the second was found to be done");
}

async fn the_death_of_the_actor_does_not_end_its_call() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let (hold, mut called) = Hold::pair();
    remote.plan([Manner::Wait(hold)]);
    let one = push("a", 1, "operator");
    world.accept(one.clone()).await.unwrap();
    called.reached().await;
    world.kill("contexts/errands");
    until("it is back", || ready(world.restarts("contexts/errands") == 1)).await;
    called.open();
    assert_eq!(world.outcome(one.id).await.outcome, Outcome::Handled);
    assert_eq!((remote.calls(), world.pushed("a").await), (1, vec![1]));
}

/// What was said to an attempt that had been given up.
async fn late_answer(world: &World, message: uuid::Uuid, attempt: u32) -> Option<serde_json::Value> {
    let late = world.effect(message).await?.late?;
    let late: Vec<serde_json::Value> = serde_json::from_str(&late).unwrap();
    late.into_iter().find(|answer| answer["attempt"].as_u64() == Some(u64::from(attempt)))
}

async fn a_late_answer_is_recorded_and_not_applied() {
    let remote = Remote::start().await;
    let (hold, called) = Hold::pair();
    remote.plan([Manner::ActAndWait(hold)]);
    // Nobody answers the first call in time. Should a busy machine let another one run out as well, there is one more.
    let client = RemoteClient::new(&remote).timeout(Duration::from_secs(2));
    let world = World::start_with(fresh_folder().await, contexts(client)).await;
    let one = push("a", 1, "repeat");
    assert_eq!(world.ask(one.clone()).await.outcome, Outcome::Handled);
    let before = world.effect(one.id).await.unwrap();
    assert!(before.state == EffectState::Done && before.attempt > 1, "{before:?}");
    assert_eq!(late_answer(&world, one.id, 1).await, None);
    called.open();
    until("the late answer is there", async || late_answer(&world, one.id, 1).await.is_some()).await;
    assert_eq!(late_answer(&world, one.id, 1).await.unwrap()["response"], "{\"number\":1}");
    let after = world.effect(one.id).await.unwrap();
    let kept = (EffectState::Done, before.attempt, &before.response);
    assert_eq!((after.state, after.attempt, &after.response), kept);
    assert_eq!(world.pushed("a").await, [1]);
    assert_eq!(remote.effects_of(effect_of(one.id)), 1);
}

async fn a_refusal_for_good_is_what_the_context_makes_of_it_and_no_failure_of_the_service() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    remote.plan([Manner::Refuse(422, None), Manner::Refuse(422, None)]);
    let taken = push("a", 100, "operator");
    assert_eq!(world.ask(taken.clone()).await.outcome, Outcome::Handled);
    assert_eq!(&*world.events("errands", Some("a")).await[0].type_name, "TurnedDown");
    let dead = world.ask(push("b", 1, "operator")).await.outcome;
    assert!(matches!(&dead, Outcome::Dead { reason } if reason.contains("422")), "{dead:?}");
    let never = world.ask(push("c", 1000, "operator")).await.outcome;
    assert!(matches!(never, Outcome::Rejected { .. }));
    assert_eq!(remote.calls(), 2);
    assert_eq!(world.breaker_events().await, [] as [&str; 0]);
    assert_eq!(world.effect(taken.id).await.unwrap().state, EffectState::Failed);
}

async fn a_service_that_nobody_has_set_up_is_a_dead_letter() {
    let contexts = meal_planner::actors::Contexts::default().with::<crate::support::errands::Errands>();
    let world = World::start_with(fresh_folder().await, contexts).await;
    let outcome = world.ask(push("a", 1, "repeat")).await.outcome;
    assert!(
        matches!(&outcome, Outcome::Dead { reason } if reason.contains("no gateway to remote")),
        "{outcome:?}"
    );
}

async fn past_the_limit_of_attempts_it_is_a_dead_letter_and_its_key_goes_on() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    world
        .configure(meal_planner::domain::breakers::Settings { failures_to_open: 50, ..Default::default() })
        .await;
    remote.plan((0..6).map(|_| Manner::Refuse(503, None)));
    let one = push("a", 1, "repeat");
    let outcome = world.ask(one.clone()).await.outcome;
    assert!(matches!(&outcome, Outcome::Dead { reason } if reason.contains("503")), "{outcome:?}");
    assert_eq!(world.ask(push("a", 2, "repeat")).await.outcome, Outcome::Handled);
    assert_eq!(remote.effects(), ["2"]);
}

async fn a_stop_lets_calls_come_to_their_end() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let (hold, mut called) = Hold::pair();
    remote.plan([Manner::ActAndWait(hold)]);
    let one = push("a", 1, "operator");
    world.accept(one.clone()).await.unwrap();
    called.reached().await;
    let recorded = world.store.clone();
    let stopping = tokio::spawn(world.stop());
    called.open();
    stopping.await.unwrap();
    let is_handled = |unit: &Unit| unit.handled.as_ref().is_some_and(|done| done.id == one.id);
    assert!(recorded.committed().iter().any(is_handled), "the answer was thrown away");
}

async fn contexts_without_calls_know_nothing_of_all_this() {
    let remote = Remote::start().await;
    let world = start(&remote).await;
    let one = append("a", 1);
    assert_eq!(world.ask(one.clone()).await.outcome, Outcome::Handled);
    assert_eq!((times_decided(one.id), remote.calls()), (1, 0));
    assert!(world.store.committed().iter().all(|unit| unit.changes.is_empty()));
}
