//! What every engine promises the runtime: one suite, run over each of them.

mod desk;
mod outages;
mod twins;

use crate::support::place::{self, Place, over_both_engines};
use crate::support::world::{open_sqlite, raw};
use meal_planner::domain::context::{Rejection, RowChange, StoredRow};
use meal_planner::domain::envelope::{Address, Envelope, Extra, Key, Kind, ReplyTo};
use meal_planner::store::{
    Burn, Cause, Change, Checkpoint, DeadLetterQuery, Filter, Handled, Idempotency, Outcome, Placed,
    RowCursor, RowQuery, Snapshot, StateMark, Store, StoreError, StoreResult, TableChange, Unit,
    WaitingStatus,
};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

/// A store that can be closed and opened again.
struct Opened {
    store: Arc<dyn Store>,
    place: Arc<dyn Place>,
}

trait Engine: place::Engine {
    async fn open() -> Opened {
        let place = Self::place().await;
        Opened { store: place.open().await.unwrap(), place }
    }
}

impl<E: place::Engine> Engine for E {}

impl Opened {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Closes the store and opens what it has left behind.
    async fn reopen(self) -> Self {
        let Self { store, place } = self;
        store.close().await.unwrap();
        drop(store);
        Self { store: place.open().await.unwrap(), place }
    }

    /// The process dies, and the next one opens what it has left behind.
    async fn crash(self) -> Self {
        let Self { store, place } = self;
        drop(store);
        Self { store: place::open_after_crash(&*place).await, place }
    }

    /// Another process takes the store over.
    async fn take_over(&self) {
        self.place.meddle("UPDATE process_epoch SET epoch = epoch + 1").await;
    }
}

/// Over both engines, and over the twin in memory that the simulation stands on.
macro_rules! over_every_engine {
    ($($name:ident),* $(,)?) => {
        over_both_engines!(in suite: $($name),*);

        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::suite::$name::<$crate::support::memory::Memory>().await;
            })*
        }
    };
}

over_every_engine!(
    positions_are_gapless_and_in_order_over_groups,
    a_refused_unit_leaves_nothing_of_its_group,
    the_same_stream_version_cannot_be_written_twice,
    the_same_id_cannot_be_written_twice,
    outcomes_are_stored_with_what_they_caused,
    what_waits_is_listed_until_it_is_handled,
    a_burnt_attempt_is_counted_with_its_cause,
    a_dead_letter_leaves_the_inbox_and_is_kept,
    streams_come_in_the_order_of_the_keys_asked_for,
    a_snapshot_shortens_the_stream,
    a_snapshot_of_another_state_version_is_ignored,
    checkpoints_are_kept_by_reader,
    rows_are_inserted_changed_and_deleted,
    rows_are_paged_in_the_order_of_sort_and_key,
    rows_are_found_by_all_words,
    the_last_of_several_changes_of_a_row_counts,
    a_table_built_beside_takes_the_place_of_the_live_one,
    all_snapshots_can_go,
    messages_are_filtered_by_each_field,
    messages_are_read_page_by_page,
    idempotency_keys_are_found_and_not_taken_twice,
    sessions_end,
    a_writer_whose_epoch_is_over_writes_nothing,
    everything_is_there_after_reopening,
    odd_text_survives_unchanged,
    every_field_of_an_envelope_survives,
    a_closed_store_refuses_to_write,
    dead_letters_are_listed_newest_first_by_every_field,
    a_dead_letter_is_edited_and_settled_once,
    an_event_that_a_reader_cannot_take_is_its_dead_letter,
    timers_come_in_the_order_of_their_time_until_they_are_ended,
    a_timer_ended_and_set_again_in_one_group_stands,
    an_effect_goes_from_staged_over_sent_to_its_end,
    a_late_answer_is_recorded_and_not_applied,
    an_effect_that_is_staged_again_keeps_what_became_of_it,
    what_is_no_longer_handled_alone_is_not_charged,
    what_was_being_handled_is_charged_after_an_unclean_end_only,
    the_messages_of_one_key_are_found_among_those_that_wait,
    a_stream_is_read_up_to_a_position,
    what_is_old_is_forgotten_and_what_is_needed_is_not,
);

/// The whole suite, wherever it is written.
mod suite {
    pub(super) use super::desk::*;
    pub(super) use super::*;
}

fn command(context: &str, key: &str) -> Envelope {
    let time = chrono::DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
    Envelope::command(&Address::new(context, key), "Do", "{\"a\":1}".to_owned(), Uuid::now_v7(), time)
}

fn event(context: &str, key: &str, version: i64) -> Envelope {
    Envelope {
        kind: Kind::Event,
        stream_version: Some(version),
        type_name: "Done".into(),
        ..command(context, key)
    }
}

fn unit(messages: impl IntoIterator<Item = Envelope>) -> Unit {
    Unit { messages: messages.into_iter().collect(), ..Unit::default() }
}

fn handled(command: &Envelope, position: i64, outcome: Outcome) -> Option<Handled> {
    Some(Handled { position, ..Handled::of(command, outcome) })
}

fn burn(position: i64, attempt: u32, error: &str) -> Unit {
    let error = error.to_owned();
    let burn = Burn { position, attempt, cause: Cause::Panic, error, generation: 3, available_at_us: 77 };
    changed(Change::Burn(burn))
}

fn changed(change: Change) -> Unit {
    Unit { changes: vec![change], ..Unit::default() }
}

fn mark(version: u32) -> StateMark {
    StateMark { version, code_hash: 5 }
}

async fn commit(store: &Arc<dyn Store>, units: impl IntoIterator<Item = Unit>) -> StoreResult<Vec<Placed>> {
    store.commit(Arc::new(units.into_iter().collect())).await
}

async fn everything(store: &Arc<dyn Store>) -> Vec<Envelope> {
    store.messages_after(0, 10_000, Filter::default()).await.unwrap().messages
}

fn placed(envelope: &Envelope, position: i64) -> Envelope {
    Envelope { position, ..envelope.clone() }
}

async fn positions_are_gapless_and_in_order_over_groups<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let firsts = |placed: Vec<Placed>| placed.into_iter().map(|place| place.first).collect::<Vec<_>>();
    let group = [unit([command("a", "1"), command("a", "2")]), unit([]), unit([command("a", "3")])];
    assert_eq!(firsts(commit(&store, group).await.unwrap()), [1, 3, 3]);
    assert_eq!(firsts(commit(&store, [unit([command("a", "4")])]).await.unwrap()), [4]);
    assert_eq!(firsts(commit(&store, []).await.unwrap()), [] as [i64; 0]);
    let all = everything(&store).await;
    assert_eq!(all.iter().map(|m| m.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all.iter().map(|m| m.key.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    assert_eq!(store.last_position().await.unwrap(), 4);
    assert_eq!(store.range(2, 3).await.unwrap(), all[1..3]);
}

async fn a_refused_unit_leaves_nothing_of_its_group<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    let known = command("a", "1");
    commit(&store, [unit([known.clone()])]).await.unwrap();
    let rest = Unit {
        handled: handled(&known, 1, Outcome::Handled),
        checkpoint: Some(Checkpoint { reader: "r".to_owned(), position: 1 }),
        table: Some(table([row("k", "", "", "1")])),
        snapshot: Some(snapshot("a", "1", 1, 1, "1")),
        idempotency: Some(Idempotency { digest: [1; 32], body_digest: [2; 32], message_id: known.id }),
        changes: burn(1, 1, "e").changes,
        messages: vec![event("a", "1", 1)],
    };
    let refused = commit(&store, [rest.clone(), unit([known.clone()])]).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(everything(&store).await.len(), 1);
    let status = store.message(known.id).await.unwrap().unwrap();
    assert_eq!(
        (status.outcome, status.waiting),
        (None, Some(WaitingStatus { attempts: 0, available_at_us: 0, last_error: None }))
    );
    assert_eq!(store.checkpoint("r").await.unwrap(), 0);
    assert_eq!(store.rows_by_key("things_v1", vec!["k".to_owned()]).await.unwrap(), []);
    assert_eq!(store.idempotency([1; 32]).await.unwrap(), None);
    let streams = store.streams("a", mark(1), vec!["1".into()]).await.unwrap();
    assert_eq!((&streams[0].snapshot, streams[0].events.len()), (&None, 0));
    // The same unit without the bad one beside it goes through, and at the next position.
    assert_eq!(commit(&store, [rest]).await.unwrap(), [Placed { first: 2 }]);
}

async fn the_same_stream_version_cannot_be_written_twice<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [unit([event("a", "1", 1)])]).await.unwrap();
    let again = commit(&store, [unit([event("a", "1", 1)])]).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    commit(&store, [unit([event("b", "1", 1), event("a", "2", 1), event("a", "1", 2)])]).await.unwrap();
}

async fn the_same_id_cannot_be_written_twice<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let first = command("a", "1");
    commit(&store, [unit([first.clone()])]).await.unwrap();
    let again = commit(&store, [unit([Envelope { id: first.id, ..command("b", "2") }])]).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    assert_eq!(everything(&store).await, [placed(&first, 1)]);
}

async fn outcomes_are_stored_with_what_they_caused<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let commands = [command("a", "1"), command("a", "2"), command("a", "3")];
    commit(&store, [unit(commands.clone())]).await.unwrap();
    let no = Outcome::Rejected { rejection: Rejection::invalid("/a", "no \"such\" thing", "try another") };
    let dead = Outcome::Dead { reason: "it's over\n".to_owned() };
    let units = [
        Unit {
            handled: handled(&commands[0], 1, Outcome::Handled),
            ..unit([event("a", "1", 1), event("a", "1", 2)])
        },
        Unit { handled: handled(&commands[1], 2, no.clone()), ..unit([]) },
        Unit { handled: handled(&commands[2], 3, dead.clone()), ..unit([command("b", "9")]) },
    ];
    commit(&store, units).await.unwrap();
    let mut found = Vec::new();
    for command in &commands {
        let status = store.message(command.id).await.unwrap().unwrap();
        assert_eq!(status.waiting, None);
        let outcome = status.outcome.unwrap();
        assert!(outcome.at_us > 0);
        found.push((outcome.outcome, outcome.caused));
    }
    assert_eq!(found, [(Outcome::Handled, Some((4, 5))), (no, None), (dead, Some((6, 6)))]);
    assert_eq!(store.message(Uuid::now_v7()).await.unwrap(), None);
    // Handled once and for all.
    let again = Unit { handled: handled(&commands[0], 1, Outcome::Handled), ..unit([event("a", "1", 3)]) };
    assert!(matches!(commit(&store, [again]).await, Err(StoreError::Refused(_))));
    assert_eq!(store.last_position().await.unwrap(), 6);
}

async fn what_waits_is_listed_until_it_is_handled<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let commands: Vec<_> = (0..5).map(|n| command("a", &n.to_string())).collect();
    commit(&store, [unit(commands.clone()), unit([command("b", "x"), event("a", "0", 1)])]).await.unwrap();
    let positions = async |after, limit| -> Vec<i64> {
        let waiting = store.waiting("a", after, limit).await.unwrap();
        waiting.iter().map(|w| w.position).collect()
    };
    assert_eq!(positions(0, 10).await, [1, 2, 3, 4, 5]);
    assert_eq!(positions(2, 2).await, [3, 4]);
    let done = Unit { handled: handled(&commands[2], 3, Outcome::Handled), ..unit([]) };
    commit(&store, [done]).await.unwrap();
    assert_eq!(positions(0, 10).await, [1, 2, 4, 5]);
    let mut counts = store.waiting_counts().await.unwrap();
    counts.sort();
    assert_eq!(counts, [("a".to_owned(), 4), ("b".to_owned(), 1)]);
    assert_eq!(store.waiting("nobody", 0, 10).await.unwrap(), []);
}

async fn a_burnt_attempt_is_counted_with_its_cause<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let one = command("a", "1");
    commit(&store, [unit([one.clone()])]).await.unwrap();
    for (attempt, error) in [(1, "first"), (2, "second"), (2, "second, told again"), (1, "first, told late")]
    {
        commit(&store, [burn(1, attempt, error)]).await.unwrap();
    }
    let waiting = store.waiting("a", 0, 1).await.unwrap();
    assert_eq!((waiting[0].attempts, waiting[0].last_error.as_deref()), (2, Some("second")));
    let status = store.message(one.id).await.unwrap().unwrap();
    let last_error = Some("second".to_owned());
    assert_eq!(status.waiting, Some(WaitingStatus { attempts: 2, available_at_us: 77, last_error }));
    let attempts = store.attempts(1).await.unwrap();
    assert_eq!(
        attempts.iter().map(|a| (a.attempt, &*a.error)).collect::<Vec<_>>(),
        [(1, "first"), (2, "second")]
    );
    assert_eq!(
        (attempts[1].cause, attempts[1].generation, attempts[1].epoch),
        (Cause::Panic, 3, store.epoch())
    );
}

async fn a_dead_letter_leaves_the_inbox_and_is_kept<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let one = command("a", "1");
    commit(&store, [unit([one.clone()])]).await.unwrap();
    let dead = Outcome::Dead { reason: "why".to_owned() };
    commit(&store, [Unit { handled: handled(&one, 1, dead), ..unit([]) }]).await.unwrap();
    assert_eq!(store.waiting("a", 0, 1).await.unwrap(), []);
    let letters =
        store.dead_letters(DeadLetterQuery { limit: 9, ..DeadLetterQuery::default() }).await.unwrap();
    let found: Vec<_> = letters.iter().map(|letter| (letter.id.position, &*letter.reason)).collect();
    assert_eq!(found, [(1, "why")]);
}

async fn streams_come_in_the_order_of_the_keys_asked_for<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let messages =
        [event("a", "x", 1), event("a", "y", 1), event("b", "x", 1), event("a", "x", 2), command("a", "x")];
    commit(&store, [unit(messages.clone())]).await.unwrap();
    let keys = ["y", "none", "x"].map(Key::from).to_vec();
    let streams = store.streams("a", mark(1), keys).await.unwrap();
    let events: Vec<_> = streams.iter().map(|stream| stream.events.clone()).collect();
    let at = |n: usize| placed(&messages[n], n as i64 + 1);
    assert_eq!(events, [vec![at(1)], vec![], vec![at(0), at(3)]]);
}

fn snapshot(context: &str, key: &str, stream_version: i64, state_version: u32, body: &str) -> Snapshot {
    Snapshot {
        context: context.into(),
        key: key.into(),
        stream_version,
        mark: mark(state_version),
        body: body.to_owned(),
    }
}

async fn a_snapshot_shortens_the_stream<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let first = Unit { snapshot: Some(snapshot("a", "1", 1, 1, "\"one\"")), ..unit([event("a", "1", 1)]) };
    let second = Unit { snapshot: Some(snapshot("a", "1", 2, 1, "\"two\"")), ..unit([event("a", "1", 2)]) };
    commit(&store, [first]).await.unwrap();
    commit(&store, [second, unit([event("a", "1", 3)])]).await.unwrap();
    let stream = store.streams("a", mark(1), vec!["1".into()]).await.unwrap().remove(0);
    assert_eq!(stream.snapshot, Some(snapshot("a", "1", 2, 1, "\"two\"")));
    assert_eq!(stream.events.iter().map(|e| e.stream_version.unwrap()).collect::<Vec<_>>(), [3]);
}

async fn a_snapshot_of_another_state_version_is_ignored<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let first = Unit { snapshot: Some(snapshot("a", "1", 1, 7, "\"old\"")), ..unit([event("a", "1", 1)]) };
    commit(&store, [first]).await.unwrap();
    let stream = store.streams("a", mark(8), vec!["1".into()]).await.unwrap().remove(0);
    assert_eq!((stream.snapshot, stream.events.len()), (None, 1));
}

async fn checkpoints_are_kept_by_reader<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let at = |reader: &str, position| Unit {
        checkpoint: Some(Checkpoint { reader: reader.to_owned(), position }),
        ..Unit::default()
    };
    assert_eq!(store.checkpoint("one").await.unwrap(), 0);
    commit(&store, [at("one", 3), at("two", 4)]).await.unwrap();
    commit(&store, [at("one", 5)]).await.unwrap();
    assert_eq!((store.checkpoint("one").await.unwrap(), store.checkpoint("two").await.unwrap()), (5, 4));
}

fn row(key: &str, sort: &str, search: &str, body: &str) -> RowChange {
    let row = StoredRow { sort: sort.to_owned(), search: search.to_owned(), body: body.to_owned() };
    RowChange { key: key.to_owned(), row: Some(row) }
}

fn table(rows: impl IntoIterator<Item = RowChange>) -> TableChange {
    TableChange { table: "things_v1".to_owned(), rows: rows.into_iter().collect() }
}

async fn change(store: &Arc<dyn Store>, rows: impl IntoIterator<Item = RowChange>) {
    commit(store, [Unit { table: Some(table(rows)), ..Unit::default() }]).await.unwrap();
}

async fn rows_are_inserted_changed_and_deleted<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    store.prepare_table("things_v1").await.unwrap();
    change(&store, [row("a", "", "", "{\"n\":1}"), row("b", "", "", "{\"n\":2}")]).await;
    change(&store, [row("b", "", "", "{\"n\":3}"), RowChange { key: "a".to_owned(), row: None }]).await;
    let asked = vec!["b".to_owned(), "a".to_owned(), "c".to_owned()];
    let found = store.rows_by_key("things_v1", asked).await.unwrap();
    assert_eq!(found, [("b".to_owned(), "{\"n\":3}".to_owned())]);
}

async fn rows_are_paged_in_the_order_of_sort_and_key<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    let sorts = ["b", "a", "b", "c", "a"];
    change(&store, sorts.iter().enumerate().map(|(n, sort)| row(&n.to_string(), sort, "", "0"))).await;
    let mut keys = Vec::new();
    let mut query = RowQuery { limit: 2, ..RowQuery::default() };
    loop {
        let page = store.rows("things_v1", query.clone()).await.unwrap();
        assert!(page.rows.len() <= 2);
        keys.extend(page.rows.into_iter().map(|(key, _)| key));
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(keys, ["1", "4", "0", "2", "3"]);
    query.after = Some(RowCursor { sort: "b".to_owned(), key: "0".to_owned() });
    assert_eq!(store.rows("things_v1", query).await.unwrap().rows[0].0, "2");
}

async fn rows_are_found_by_all_words<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    change(&store, [row("1", "", "apfel kuchen", "0"), row("2", "", "apfel 100% mus", "0")]).await;
    let found = async |words: &[&str]| -> Vec<String> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let query = RowQuery { words, limit: 10, ..RowQuery::default() };
        store.rows("things_v1", query).await.unwrap().rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(found(&["APFEL"]).await, ["1", "2"]);
    assert_eq!(found(&["kuchen", "apfel"]).await, ["1"]);
    assert_eq!(found(&["0%"]).await, ["2"]);
    assert_eq!(found(&["ku_hen"]).await, [] as [&str; 0]);
    assert_eq!(found(&["apfel", "birne"]).await, [] as [&str; 0]);
}

/// Several units of one group change the same row, snapshot and checkpoint.
async fn the_last_of_several_changes_of_a_row_counts<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    let gone = |key: &str| RowChange { key: key.to_owned(), row: None };
    let unit = |rows: [RowChange; 2], n: i64| Unit {
        table: Some(table(rows)),
        snapshot: Some(snapshot("a", "k", n, 1, &n.to_string())),
        checkpoint: Some(Checkpoint { reader: "r".to_owned(), position: n }),
        ..Unit::default()
    };
    let group = [
        unit([row("a", "", "", "1"), row("b", "", "", "1")], 1),
        unit([gone("a"), gone("b")], 2),
        unit([row("a", "", "", "3"), row("c", "", "", "3")], 3),
    ];
    commit(&store, group).await.unwrap();
    let asked = ["a", "b", "c"].map(str::to_owned).to_vec();
    let found = store.rows_by_key("things_v1", asked).await.unwrap();
    assert_eq!(found, [("a".to_owned(), "3".to_owned()), ("c".to_owned(), "3".to_owned())]);
    assert_eq!(store.checkpoint("r").await.unwrap(), 3);
    let stream = store.streams("a", mark(1), vec!["k".into()]).await.unwrap().remove(0);
    assert_eq!(stream.snapshot.unwrap().body, "3");
}

async fn a_table_built_beside_takes_the_place_of_the_live_one<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let rows = async |name: &str| -> Vec<(String, String)> {
        let query = RowQuery { limit: 9, ..RowQuery::default() };
        store.rows(name, query).await.unwrap().rows
    };
    let into = |name: &str, body: &str| Unit {
        table: Some(TableChange { table: name.to_owned(), rows: vec![row("k", "", "", body)] }),
        ..Unit::default()
    };
    // Twice, so that what the first leaves behind is not in the way of the second.
    for round in ["1", "2"] {
        for name in ["things_v1", "things_v1_beside"] {
            store.prepare_table(name).await.unwrap();
        }
        commit(&store, [into("things_v1", "0"), into("things_v1_beside", round)]).await.unwrap();
        assert_eq!(rows("things_v1").await[0].1, "0");
        let swap = Change::SwapTable { built: "things_v1_beside".to_owned(), live: "things_v1".to_owned() };
        let swap = Unit { changes: vec![swap], ..Unit::default() };
        commit(&store, [swap]).await.unwrap();
        assert_eq!(rows("things_v1").await, [("k".to_owned(), round.to_owned())]);
    }
    let drop = Change::DropTable { table: "things_v1".to_owned() };
    commit(&store, [Unit { changes: vec![drop], ..Unit::default() }]).await.unwrap();
    assert!(store.rows("things_v1", RowQuery { limit: 9, ..RowQuery::default() }).await.is_err());
}

async fn all_snapshots_can_go<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    commit(&store, [Unit { snapshot: Some(snapshot("a", "1", 1, 1, "1")), ..unit([event("a", "1", 1)]) }])
        .await
        .unwrap();
    commit(&store, [changed(Change::DropSnapshots)]).await.unwrap();
    let stream = store.streams("a", mark(1), vec!["1".into()]).await.unwrap().remove(0);
    assert_eq!((stream.snapshot, stream.events.len()), (None, 1));
}

async fn messages_are_filtered_by_each_field<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut messages = [command("a", "1"), event("a", "1", 1), command("b", "2"), event("c", "2", 1)];
    messages[2].trace = Some(trace.into());
    messages[3].correlation_id = messages[0].id;
    messages[3].type_name = "Else".into();
    commit(&store, [unit(messages.clone())]).await.unwrap();
    let all = Filter::default();
    let cases = [
        (all.clone(), vec![1, 2, 3, 4]),
        (Filter { kinds: Some(Kind::Event), ..all.clone() }, vec![2, 4]),
        (Filter { kinds: Some(Kind::Command), ..all.clone() }, vec![1, 3]),
        (Filter { contexts: vec!["a".to_owned(), "c".to_owned()], ..all.clone() }, vec![1, 2, 4]),
        (Filter { type_name: Some("Else".to_owned()), ..all.clone() }, vec![4]),
        (Filter { key: Some("2".to_owned()), ..all.clone() }, vec![3, 4]),
        (Filter { correlation: Some(messages[0].id), ..all.clone() }, vec![1, 4]),
        (Filter { trace: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()), ..all.clone() }, vec![3]),
        (Filter { key: Some("2".to_owned()), kinds: Some(Kind::Event), ..all }, vec![4]),
    ];
    for (filter, expected) in cases {
        let page = store.messages_after(0, 10, filter.clone()).await.unwrap();
        let found: Vec<_> = page.messages.iter().map(|m| m.position).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(page.read_to, 4, "{filter:?}");
        let stored = everything(&store).await;
        let matching: Vec<_> = stored.iter().filter(|m| filter.matches(m)).map(|m| m.position).collect();
        assert_eq!(matching, expected, "in memory: {filter:?}");
    }
}

async fn messages_are_read_page_by_page<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let contexts = ["a", "b", "a", "a", "b", "b"];
    commit(&store, [unit(contexts.map(|context| command(context, "k")))]).await.unwrap();
    let filter = Filter { contexts: vec!["a".to_owned()], ..Filter::default() };
    let mut pages = Vec::new();
    let mut after = 0;
    loop {
        let page = store.messages_after(after, 2, filter.clone()).await.unwrap();
        if page.read_to == after {
            break;
        }
        pages.push((page.messages.iter().map(|m| m.position).collect::<Vec<_>>(), page.read_to));
        after = page.read_to;
    }
    assert_eq!(pages, [(vec![1, 3], 3), (vec![4], 6)]);
    assert_eq!(store.messages_after(99, 2, filter).await.unwrap().read_to, 99);
}

async fn idempotency_keys_are_found_and_not_taken_twice<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let key =
        |message: &Envelope| Idempotency { digest: [9; 32], body_digest: [8; 32], message_id: message.id };
    let (one, two) = (command("a", "1"), command("a", "1"));
    commit(&store, [Unit { idempotency: Some(key(&one)), ..unit([one.clone()]) }]).await.unwrap();
    let again = commit(&store, [Unit { idempotency: Some(key(&two)), ..unit([two.clone()]) }]).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    assert_eq!(store.idempotency([9; 32]).await.unwrap(), Some(key(&one)));
    assert_eq!(store.idempotency([1; 32]).await.unwrap(), None);
    assert_eq!(store.message(two.id).await.unwrap(), None);
}

async fn sessions_end<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.put_session([1; 32], 5).await.unwrap();
    store.put_session([1; 32], 6).await.unwrap();
    store.put_session([2; 32], 7).await.unwrap();
    assert_eq!(store.session_expiry([1; 32]).await.unwrap(), Some(6));
    assert_eq!(store.session_expiry([3; 32]).await.unwrap(), None);
    store.clear_sessions().await.unwrap();
    assert_eq!(store.session_expiry([2; 32]).await.unwrap(), None);
}

async fn a_writer_whose_epoch_is_over_writes_nothing<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let one = command("a", "1");
    commit(&store, [unit([one.clone()])]).await.unwrap();
    engine.take_over().await;
    let epoch = store.epoch();
    let mark = Checkpoint { reader: "r".to_owned(), position: 1 };
    let units = [
        unit([event("a", "1", 1)]),
        Unit { handled: handled(&one, 1, Outcome::Handled), ..unit([]) },
        Unit { checkpoint: Some(mark), ..unit([]) },
        burn(1, 1, "e"),
        Unit { snapshot: Some(snapshot("a", "1", 1, 1, "1")), ..unit([]) },
        Unit { table: Some(table([row("k", "", "", "1")])), ..unit([]) },
    ];
    for unit in units {
        let fenced = commit(&store, [unit.clone()]).await;
        assert!(matches!(fenced, Err(StoreError::Fenced { epoch: e }) if e == epoch), "{unit:?}: {fenced:?}");
    }
    assert_eq!(everything(&store).await.len(), 1);
    let status = store.message(one.id).await.unwrap().unwrap();
    assert_eq!(
        (status.outcome, status.waiting),
        (None, Some(WaitingStatus { attempts: 0, available_at_us: 0, last_error: None }))
    );
    assert_eq!(store.checkpoint("r").await.unwrap(), 0);
}

async fn everything_is_there_after_reopening<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    let commands = [command("a", "1"), command("a", "2")];
    commit(&store, [unit(commands.clone())]).await.unwrap();
    let unit = Unit {
        messages: vec![event("a", "1", 1)],
        handled: handled(&commands[0], 1, Outcome::Handled),
        snapshot: Some(snapshot("a", "1", 1, 1, "1")),
        table: Some(table([row("k", "s", "w", "[1]")])),
        checkpoint: Some(Checkpoint { reader: "r".to_owned(), position: 3 }),
        idempotency: Some(Idempotency { digest: [1; 32], body_digest: [2; 32], message_id: commands[0].id }),
        changes: burn(2, 1, "e").changes,
    };
    commit(&store, [unit.clone()]).await.unwrap();
    store.put_session([5; 32], 6).await.unwrap();
    let (before, epoch) = (everything(&store).await, store.epoch());
    drop(store);

    let engine = engine.reopen().await;
    let store = engine.store();
    assert!(store.epoch() > epoch);
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.message(commands[0].id).await.unwrap().unwrap().outcome.unwrap().caused, Some((3, 3)));
    let waiting = store.waiting("a", 0, 9).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].position, waiting[0].attempts), (1, 2, 1));
    assert_eq!(store.streams("a", mark(1), vec!["1".into()]).await.unwrap()[0].snapshot, unit.snapshot);
    assert_eq!(store.rows_by_key("things_v1", vec!["k".to_owned()]).await.unwrap()[0].1, "[1]");
    assert_eq!(store.checkpoint("r").await.unwrap(), 3);
    assert_eq!(store.idempotency([1; 32]).await.unwrap(), unit.idempotency);
    assert_eq!(store.session_expiry([5; 32]).await.unwrap(), Some(6));
    assert_eq!(
        commit(&store, [Unit { messages: vec![event("a", "1", 2)], ..Unit::default() }]).await.unwrap(),
        [Placed { first: 4 }]
    );
}

fn odd_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "'; DROP TABLE events; --",
        "\"quoted\" \\ back\\slash /slash",
        "line\nbreak\ttab\r",
        "\u{1}\u{1f}\u{7f}\u{85}\u{2028}",
        "Käse, crème brûlée, 日本語, עברית, 👩‍🍳🧀",
        "e\u{301} and é",
        "\u{feff}bom",
        "\u{10ffff}",
        "$.a[0]",
        "a\u{0}b",
        "null",
        "1e400",
        "%s %n ?1 :a @b",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("🧀".repeat(50));
    texts
}

async fn odd_text_survives_unchanged<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.prepare_table("things_v1").await.unwrap();
    let mut units = Vec::new();
    for (n, text) in odd_texts().into_iter().enumerate() {
        let body = serde_json::json!({ "text": text, &text: [text], "nul": "a\u{0}b" }).to_string();
        let mut message = event("a", &text, 1);
        message.body.clone_from(&body);
        message.extra.user = Some(text.clone());
        units.push(Unit {
            messages: vec![message],
            snapshot: Some(snapshot("a", &text, 1, 1, &body)),
            table: Some(table([row(&text, &text, &text, &body)])),
            checkpoint: Some(Checkpoint { reader: text.clone(), position: n as i64 + 1 }),
            ..Unit::default()
        });
    }
    let big = serde_json::json!({ "big": "ä\"\\\u{0}🧀".repeat(100_000) }).to_string();
    for body in [
        &big,
        "{\"n\":[0,-1,1.50,1e3,12345678901234567890,true,null,{},[]]}",
        "\"\\u0000\\ud83e\\uddc0\\/\\u0041\"",
        "7",
    ] {
        units.push(unit([Envelope { body: body.to_owned(), ..command("a", "big") }]));
    }
    commit(&store, units.clone()).await.unwrap();
    let stored = everything(&store).await;
    for (n, unit) in units.iter().enumerate() {
        let message = &unit.messages[0];
        assert_eq!(stored[n], placed(message, n as i64 + 1));
        let Some(snapshot) = &unit.snapshot else { continue };
        let stream = store.streams("a", mark(1), vec![message.key.clone()]).await.unwrap().remove(0);
        assert_eq!(stream.snapshot.as_ref(), Some(snapshot));
        let key = message.key.to_string();
        let rows = store.rows_by_key("things_v1", vec![key.clone()]).await.unwrap();
        assert_eq!(rows, [(key.clone(), message.body.clone())]);
        assert_eq!(store.checkpoint(&key).await.unwrap(), n as i64 + 1);
        let filter = Filter { key: Some(key), ..Filter::default() };
        assert_eq!(store.messages_after(0, 100, filter).await.unwrap().messages.len(), 1);
    }
}

async fn every_field_of_an_envelope_survives<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    let mut message = event("a", "k", 1);
    message.schema_version = u16::MAX;
    message.causation_id = Some(Uuid::now_v7());
    message.correlation_id = Uuid::now_v7();
    message.trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
    message.extra = Extra {
        user: Some("ann".to_owned()),
        tenant: Some("home".to_owned()),
        flags: vec!["x".to_owned()],
        reply_to: Some(ReplyTo { context: "b".to_owned(), key: "q".into(), step: "s".to_owned() }),
        replay_of: Some(3),
        effect: Some(Uuid::from_u128(9)),
        edited: true,
    };
    commit(&store, [unit([message.clone()])]).await.unwrap();
    assert_eq!(everything(&store).await, [placed(&message, 1)]);
    assert_eq!(store.message(message.id).await.unwrap().unwrap().envelope, placed(&message, 1));
}

async fn a_closed_store_refuses_to_write<E: Engine>() {
    let engine = E::open().await;
    let store = engine.store();
    store.close().await.unwrap();
    let late = commit(&store, [unit([command("a", "1")])]).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert!(matches!(store.last_position().await, Err(StoreError::Unavailable(_))));
}

/// Whatever is asked of a group, positions stay gapless and a refused group leaves nothing.
#[test]
fn groups_commit_wholly_or_not_at_all() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let groups = prop::collection::vec(prop::collection::vec((0..4_u8, 0..3_i64, any::<bool>()), 0..6), 1..8);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    runner
        .run(&groups, |groups| {
            runtime.block_on(async {
                let engine = <place::Sqlite as Engine>::open().await;
                let store = engine.store();
                let mut expected: Vec<(String, i64)> = Vec::new();
                for group in groups {
                    let units =
                        group.iter().map(|(key, version, _)| unit([event("a", &key.to_string(), *version)]));
                    let mut after = expected.clone();
                    after.extend(group.iter().map(|(key, version, _)| (key.to_string(), *version)));
                    let mut unique = after.clone();
                    unique.sort();
                    unique.dedup();
                    let fits = unique.len() == after.len();
                    prop_assert_eq!(commit(&store, units).await.is_ok(), fits);
                    if fits {
                        expected = after;
                    }
                }
                let all = everything(&store).await;
                let found: Vec<_> =
                    all.iter().map(|m| (m.key.to_string(), m.stream_version.unwrap())).collect();
                prop_assert_eq!(found, expected);
                prop_assert!(all.iter().map(|m| m.position).eq(1..=all.len() as i64));
                Ok(())
            })
        })
        .unwrap();
}

mod sqlite_folder {
    use super::*;
    use crate::support::skipped;
    use meal_planner::store::sqlite::SqliteStore;

    fn unusable(result: StoreResult<SqliteStore>) -> (String, String) {
        match result {
            Err(StoreError::Unusable { message, hint }) => (message, hint),
            Err(other) => panic!("expected Unusable, got {other:?}"),
            Ok(_) => panic!("it opened"),
        }
    }

    #[tokio::test]
    async fn a_second_owner_is_refused_and_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = open_sqlite(folder.path()).await;
        let (message, hint) = unusable(SqliteStore::open(folder.path(), 0).await);
        assert!(message.contains(&format!("in use by process {}", std::process::id())), "{message}");
        assert!(hint.contains("stop that server first"), "{hint}");
        assert_eq!(store.epoch(), 1, "the first owner is not disturbed");
        commit(&(store.clone() as Arc<dyn Store>), [unit([command("a", "1")])]).await.unwrap();
    }

    #[tokio::test]
    async fn commits_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let _store = open_sqlite(folder.path()).await;
        let mut writer = raw(folder.path()).await;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut writer).await.unwrap();
        let full: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut writer).await.unwrap();
        assert_eq!((&*mode, full), ("wal", 2), "2 is FULL: each commit is synced");
    }

    #[tokio::test]
    async fn a_read_only_folder_gives_a_clear_error() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).unwrap();
        if std::fs::write(folder.path().join("probe"), "").is_ok() {
            let why = "this user may write everywhere (root), so permissions show nothing";
            return skipped("a_read_only_folder_gives_a_clear_error", why);
        }
        let (message, hint) = unusable(SqliteStore::open(folder.path(), 0).await);
        assert!(message.contains("cannot be written"), "{message}");
        assert!(hint.contains("--data"), "{hint}");
    }

    #[tokio::test]
    async fn a_file_in_the_place_of_the_folder_gives_a_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (message, hint) = unusable(SqliteStore::open(&file, 0).await);
        assert!(message.contains("cannot be made"), "{message}");
        assert!(hint.contains("--data"), "{hint}");
    }

    #[tokio::test]
    async fn a_damaged_file_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meal-planner.db");
        std::fs::write(&path, "this is not a database, it only has its name. ".repeat(200)).unwrap();
        let (message, hint) = unusable(SqliteStore::open(folder.path(), 0).await);
        assert!(message.contains("damaged"), "{message}");
        assert!(hint.contains("backup"), "{hint}");
    }

    #[tokio::test]
    async fn a_file_damaged_in_its_middle_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        open_sqlite(folder.path()).await.close().await.unwrap();
        let path = folder.path().join("meal-planner.db");
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() > 8192);
        bytes[100..8192].fill(0xa5);
        std::fs::write(&path, bytes).unwrap();
        let (_, hint) = unusable(SqliteStore::open(folder.path(), 0).await);
        assert!(hint.contains("backup"), "{hint}");
    }
}
