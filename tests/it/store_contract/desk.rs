//! The part of the contract that retries, timers, effects and the operator's desk rest on.

use super::{Engine, changed, command, commit, event, handled, unit};
use meal_planner::domain::envelope::{Extra, Key};
use meal_planner::store::{
    Aged, Burial, Cause, Change, DeadLetterId, DeadLetterQuery, DeadLetterState, Effect, EffectEnd,
    EffectQuery, EffectState, HeldKey, Outcome, Recovery, Settled, Store, Timer, TimerName, TimerQuery, Unit,
};
use std::sync::Arc;
use uuid::Uuid;

fn letter(position: i64, reader: &str) -> DeadLetterId {
    DeadLetterId { position, reader: reader.to_owned() }
}

async fn die(store: &Arc<dyn Store>, key: &str, holds: bool) -> i64 {
    let one = command("a", key);
    let position = commit(store, [unit([one.clone()])]).await.unwrap()[0].first;
    let mut done = handled(&one, position, Outcome::Dead { reason: "why".to_owned() }).unwrap();
    done.holds = holds;
    commit(store, [Unit { handled: Some(done), ..Unit::default() }]).await.unwrap();
    position
}

fn open(query: DeadLetterQuery) -> DeadLetterQuery {
    DeadLetterQuery { state: Some(DeadLetterState::Open), limit: 10, ..query }
}

pub(super) async fn dead_letters_are_listed_newest_first_by_every_field<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let first = die(&store, "x", false).await;
    let second = die(&store, "y", false).await;
    let positions = async |query| -> Vec<i64> {
        store.dead_letters(open(query)).await.unwrap().iter().map(|letter| letter.id.position).collect()
    };
    assert_eq!(positions(DeadLetterQuery::default()).await, [second, first]);
    let by_key = DeadLetterQuery { key: Some("x".to_owned()), ..DeadLetterQuery::default() };
    assert_eq!(positions(by_key).await, [first]);
    let elsewhere = DeadLetterQuery { context: Some("b".to_owned()), ..DeadLetterQuery::default() };
    assert_eq!(positions(elsewhere).await, [] as [i64; 0]);
    let before = DeadLetterQuery { before: Some(letter(second, "")), ..DeadLetterQuery::default() };
    assert_eq!(positions(before).await, [first]);
    let after = |id| DeadLetterQuery { after: Some(id), ..DeadLetterQuery::default() };
    assert_eq!(positions(after(letter(0, ""))).await, [first, second], "oldest first");
    assert_eq!(positions(after(letter(first, ""))).await, [second]);
    let one = DeadLetterQuery { id: Some(letter(first, "")), ..DeadLetterQuery::default() };
    assert_eq!(positions(one).await, [first]);
}

pub(super) async fn a_dead_letter_is_edited_and_settled_once<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let position = die(&store, "x", true).await;
    let id = letter(position, "");
    let held = HeldKey { key: Key::from("x"), id: id.clone(), replayed_as: None };
    assert_eq!(store.held_keys("a").await.unwrap(), std::slice::from_ref(&held));
    let edit = Change::EditDeadLetter { id: id.clone(), body: "{\"b\":2}".to_owned() };
    commit(&store, [changed(edit)]).await.unwrap();
    let again = command("a", "x");
    let as_id = again.id;
    let settle = |how, note: &str| Change::SettleDeadLetter { id: id.clone(), how, note: note.to_owned() };
    let replay =
        Unit { changes: vec![settle(Settled::Replayed { as_id }, "mended")], ..unit([again.clone()]) };
    let at = commit(&store, [replay]).await.unwrap()[0].first;
    commit(&store, [changed(settle(Settled::Discarded, "too late"))]).await.unwrap();
    let query = DeadLetterQuery { id: Some(id.clone()), limit: 1, ..DeadLetterQuery::default() };
    let found = store.dead_letters(query).await.unwrap().remove(0);
    assert_eq!((found.state, found.replayed_as), (DeadLetterState::Replayed, Some(as_id)));
    assert_eq!((found.edited.as_deref(), found.note.as_deref()), (Some("{\"b\":2}"), Some("mended")));
    let held = HeldKey { replayed_as: Some(as_id), ..held };
    assert_eq!(store.held_keys("a").await.unwrap(), [held], "until the replayed one is handled");
    let done = Unit { handled: handled(&again, at, Outcome::Handled), ..Unit::default() };
    commit(&store, [done]).await.unwrap();
    assert_eq!(store.held_keys("a").await.unwrap(), []);
}

pub(super) async fn an_event_that_a_reader_cannot_take_is_its_dead_letter<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [unit([event("a", "x", 1)])]).await.unwrap();
    let burial = Burial {
        id: letter(1, "a_list_v1"),
        context: "a".into(),
        key: "x".into(),
        type_name: "Done".into(),
        reason: "why".to_owned(),
        holds: false,
        raw: Some(vec![0xff, 0]),
    };
    for _ in 0..2 {
        commit(&store, [changed(Change::Bury(burial.clone()))]).await.unwrap();
    }
    let found = store.dead_letters(open(DeadLetterQuery::default())).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.clone(), found[0].raw.as_deref()), (burial.id, Some(&[0xff, 0][..])));
}

pub(super) fn timer(name: &str, due_us: i64) -> Timer {
    Timer {
        owner: TimerName { context: "a".to_owned(), key: "x".into(), name: name.to_owned() },
        id: Uuid::now_v7(),
        due_us,
        to_context: "b".into(),
        to_key: Some("y".into()),
        type_name: "Do".into(),
        schema_version: 3,
        body: "{\"n\":1}".to_owned(),
        causation_id: Some(Uuid::now_v7()),
        correlation_id: Some(Uuid::now_v7()),
        trace: Some("00-trace".into()),
        extra: Extra { user: Some("ann".to_owned()), ..Extra::default() },
        schedule: Some("{}".to_owned()),
    }
}

pub(super) async fn timers_come_in_the_order_of_their_time_until_they_are_ended<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let (late, soon) = (timer("late", 200), timer("soon", 100));
    let (to_key, correlation_id, schedule) = (None, None, None);
    let bare =
        Timer { to_key, correlation_id, schedule, causation_id: None, trace: None, ..timer("bare", 300) };
    let set = [&late, &soon, &bare].map(|timer| changed(Change::SetTimer(Box::new(timer.clone()))));
    commit(&store, set).await.unwrap();
    let all = || TimerQuery { limit: 10, ..TimerQuery::default() };
    assert_eq!(store.timers(all()).await.unwrap().timers, [soon.clone(), late.clone(), bare.clone()]);
    let due = TimerQuery { due_before_us: Some(100), ..all() };
    assert_eq!(store.timers(due).await.unwrap().timers, std::slice::from_ref(&soon));

    let again = Timer { due_us: 50, id: Uuid::now_v7(), ..late.clone() };
    commit(&store, [changed(Change::SetTimer(Box::new(again.clone())))]).await.unwrap();
    let end = |timer: &Timer, id| changed(Change::EndTimer { owner: timer.owner.clone(), id });
    commit(&store, [end(&late, Some(late.id)), end(&bare, None)]).await.unwrap();
    assert_eq!(store.timers(all()).await.unwrap().timers, [again.clone(), soon.clone()]);
    commit(&store, [end(&again, Some(again.id)), end(&soon, None)]).await.unwrap();
    assert_eq!(store.timers(all()).await.unwrap().timers, []);
}

pub(super) async fn a_timer_ended_and_set_again_in_one_group_stands<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let first = timer("x", 100);
    let second = Timer { due_us: 200, id: Uuid::now_v7(), ..first.clone() };
    let set = |timer: &Timer| changed(Change::SetTimer(Box::new(timer.clone())));
    let end = || changed(Change::EndTimer { owner: first.owner.clone(), id: None });
    commit(&store, [set(&first)]).await.unwrap();
    commit(&store, [end(), set(&second)]).await.unwrap();
    let all = || TimerQuery { limit: 10, ..TimerQuery::default() };
    assert_eq!(store.timers(all()).await.unwrap().timers, std::slice::from_ref(&second));
    commit(&store, [set(&first), end()]).await.unwrap();
    assert_eq!(store.timers(all()).await.unwrap().timers, []);
}

fn effect() -> Effect {
    Effect {
        id: Uuid::now_v7(),
        position: 7,
        context: "a".into(),
        key: "x".into(),
        service: "remote".to_owned(),
        operation: "push".to_owned(),
        request: "{\"n\":1}".to_owned(),
        recovery: Recovery::Operator,
    }
}

pub(super) async fn an_effect_goes_from_staged_over_sent_to_its_end<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let effect = effect();
    let id = effect.id;
    let stored = async || {
        let query = EffectQuery { id: Some(id), limit: 1, ..EffectQuery::default() };
        store.effects(query).await.unwrap().remove(0)
    };
    commit(&store, [changed(Change::StageEffect(effect.clone()))]).await.unwrap();
    assert_eq!((stored().await.effect, stored().await.state), (effect, EffectState::Staged));
    commit(&store, [changed(Change::SendEffect { id, attempt: 1 })]).await.unwrap();
    assert_eq!((stored().await.state, stored().await.attempt), (EffectState::Sent, 1));
    let end = EffectEnd::Unknown { error: "timed out".to_owned() };
    commit(&store, [changed(Change::EndEffect { id, attempt: 1, end })]).await.unwrap();
    assert_eq!(
        (stored().await.state, stored().await.error.as_deref()),
        (EffectState::Unknown, Some("timed out"))
    );
    let end = EffectEnd::Done { response: "{}".to_owned() };
    commit(&store, [changed(Change::DecideEffect { id, end })]).await.unwrap();
    assert_eq!((stored().await.state, stored().await.response.as_deref()), (EffectState::Done, Some("{}")));
}

pub(super) async fn a_late_answer_is_recorded_and_not_applied<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let effect = effect();
    let id = effect.id;
    let answer = |attempt, response: &str| {
        changed(Change::EndEffect { id, attempt, end: EffectEnd::Done { response: response.to_owned() } })
    };
    let sent = |attempt| changed(Change::SendEffect { id, attempt });
    for unit in [changed(Change::StageEffect(effect)), sent(1), sent(2), answer(1, "late")] {
        commit(&store, [unit]).await.unwrap();
    }
    let query = EffectQuery { position: Some(7), limit: 9, ..EffectQuery::default() };
    let stored = store.effects(query.clone()).await.unwrap().remove(0);
    assert_eq!((stored.state, stored.attempt, stored.response), (EffectState::Sent, 2, None));
    assert!(stored.late.unwrap().contains("late"));
    commit(&store, [answer(2, "right")]).await.unwrap();
    commit(&store, [answer(2, "twice")]).await.unwrap();
    let stored = store.effects(query).await.unwrap().remove(0);
    assert_eq!((stored.state, stored.response.as_deref()), (EffectState::Done, Some("right")));
    assert!(stored.late.unwrap().contains("twice"));
}

pub(super) async fn an_effect_that_is_staged_again_keeps_what_became_of_it<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let effect = effect();
    let id = effect.id;
    let end = EffectEnd::Failed { error: "no".to_owned() };
    for change in [
        Change::StageEffect(effect.clone()),
        Change::SendEffect { id, attempt: 1 },
        Change::EndEffect { id, attempt: 1, end },
    ] {
        commit(&store, [changed(change)]).await.unwrap();
    }
    let again =
        Effect { position: 9, request: "{\"again\":1}".to_owned(), recovery: Recovery::Repeat, ..effect };
    commit(&store, [changed(Change::StageEffect(again.clone()))]).await.unwrap();
    let query = EffectQuery { limit: 9, ..EffectQuery::default() };
    let [stored] = &store.effects(query).await.unwrap()[..] else { panic!("one row") };
    assert_eq!(
        (&stored.effect, stored.state, stored.attempt, stored.error.as_deref()),
        (&again, EffectState::Failed, 1, Some("no"))
    );
}

pub(super) async fn what_is_no_longer_handled_alone_is_not_charged<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [unit(["1", "2", "3"].map(|key| command("a", key)))]).await.unwrap();
    for position in 1..=3 {
        commit(&store, [changed(Change::Start { position, generation: 6 })]).await.unwrap();
    }
    commit(&store, [changed(Change::Rest { position: 1 })]).await.unwrap();
    commit(&store, [super::burn(2, 1, "e")]).await.unwrap();
    drop(store);
    let engine = engine.crash().await;
    let waiting = engine.store().waiting("a", 0, 9).await.unwrap();
    // It only waits; its attempt is recorded; it was being handled.
    assert_eq!(waiting.iter().map(|w| (w.attempts, w.crashes)).collect::<Vec<_>>(), [(0, 0), (1, 0), (1, 1)]);
}

pub(super) async fn what_was_being_handled_is_charged_after_an_unclean_end_only<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    assert!(!store.was_unclean());
    commit(&store, [unit(["1", "2", "3"].map(|key| command("a", key)))]).await.unwrap();
    store.mark(4, 2);
    drop(store);
    let engine = engine.reopen().await;
    let store = engine.store();
    assert!(!store.was_unclean());
    assert!(store.waiting("a", 0, 9).await.unwrap().iter().all(|waiting| waiting.attempts == 0));
    store.mark(9, 2);
    store.mark(9, 0);
    store.mark(9, 3);
    commit(&store, [changed(Change::Start { position: 1, generation: 6 })]).await.unwrap();
    drop(store);
    let engine = engine.crash().await;
    let store = engine.store();
    assert!(store.was_unclean());
    let waiting = store.waiting("a", 0, 9).await.unwrap();
    assert_eq!(waiting.iter().map(|w| (w.attempts, w.crashes)).collect::<Vec<_>>(), [(1, 1), (0, 0), (1, 1)]);
    let attempts = store.attempts(1).await.unwrap();
    assert_eq!((attempts[0].cause, attempts[0].generation), (Cause::ProcessCrash, 6));
    assert_eq!(attempts[0].epoch, store.epoch() - 1);
    drop(store);
    let engine = engine.crash().await;
    let again = engine.store().waiting("a", 0, 9).await.unwrap();
    assert_eq!(
        again.iter().map(|w| w.attempts).collect::<Vec<_>>(),
        [1, 0, 1],
        "charged for what was before"
    );
}

pub(super) async fn the_messages_of_one_key_are_found_among_those_that_wait<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [unit(["x", "y", "x", "y", "x"].map(|key| command("a", key)))]).await.unwrap();
    let waiting = store.waiting_of("a", "x".into(), 1, 1).await.unwrap();
    assert_eq!(waiting.iter().map(|w| w.position).collect::<Vec<_>>(), [3]);
    let all = store.waiting_of("a", "x".into(), 0, 9).await.unwrap();
    assert_eq!(all.iter().map(|w| w.position).collect::<Vec<_>>(), [1, 3, 5]);
}

pub(super) async fn a_stream_is_read_up_to_a_position<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [unit((1..=5).map(|n| event("a", "x", n)))]).await.unwrap();
    let stream = store.stream_after("a", "x".into(), 1, 4, 2).await.unwrap();
    assert_eq!(stream.events.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
    let stream = store.stream_after("a", "x".into(), 3, 4, 9).await.unwrap();
    assert_eq!(stream.events.iter().map(|event| event.position).collect::<Vec<_>>(), [4]);
}

pub(super) async fn what_is_old_is_forgotten_and_what_is_needed_is_not<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let (open, settled) = (die(&store, "x", false).await, die(&store, "y", false).await);
    let how = Settled::Discarded;
    let settle = Change::SettleDeadLetter { id: letter(settled, ""), how, note: String::new() };
    commit(&store, [changed(settle)]).await.unwrap();
    let (pending, done) = (effect(), effect());
    let id = done.id;
    for change in [
        Change::StageEffect(pending.clone()),
        Change::StageEffect(done),
        Change::SendEffect { id, attempt: 1 },
        Change::EndEffect { id, attempt: 1, end: EffectEnd::Failed { error: "no".to_owned() } },
    ] {
        commit(&store, [changed(change)]).await.unwrap();
    }
    let one = command("a", "z");
    let position = commit(&store, [unit([one.clone()])]).await.unwrap()[0].first;
    commit(&store, [super::burn(position, 1, "e")]).await.unwrap();
    store.put_session([1; 32], 5).await.unwrap();

    for what in Aged::ALL {
        assert_eq!(store.forget_aged(what, 0, 100).await.unwrap(), 0, "{what:?}");
    }
    let mut forgotten = Vec::new();
    for what in Aged::ALL {
        forgotten.push(store.forget_aged(what, i64::MAX, 100).await.unwrap());
    }
    // Attempts at what waits, effects under way, dead outcomes and open dead letters stay.
    assert_eq!(forgotten, [0, 1, 0, 0, 1, 1]);
    let letters =
        store.dead_letters(DeadLetterQuery { limit: 9, ..DeadLetterQuery::default() }).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.id.position).collect::<Vec<_>>(), [open]);
    let effects = store.effects(EffectQuery { limit: 9, ..EffectQuery::default() }).await.unwrap();
    assert_eq!(effects.iter().map(|stored| stored.effect.clone()).collect::<Vec<_>>(), [pending]);
    let done = Unit { handled: handled(&one, position, Outcome::Handled), ..Unit::default() };
    commit(&store, [done]).await.unwrap();
    assert_eq!(store.forget_aged(Aged::Attempts, i64::MAX, 100).await.unwrap(), 1);
    assert_eq!(store.forget_aged(Aged::Outcomes, i64::MAX, 100).await.unwrap(), 1);
}
