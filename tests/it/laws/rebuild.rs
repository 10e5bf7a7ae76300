//! Read models: rebuilt beside the live table and swapped; what does not read is a dead letter, not the end.

use crate::support::contexts::{Ledger, LedgerCommand, LedgerEvent, Mirror, Scale, Sum};
use crate::support::world::{SUMS, World, append, raw, worlds_over_both_engines};
use crate::support::{let_others_run, soon};
use meal_planner::actors::{Contexts, Hub, RebuildReport, RebuildStage, Stage};
use meal_planner::domain::context::{Context, Outgoing, Projection, ProjectionVisitor, Rejection, read_as};
use meal_planner::domain::envelope::{Envelope, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::DecodeError;
use meal_planner::store::{DeadLetter, DeadLetterQuery, DeadLetterState, RowQuery, Store as _};
use std::sync::atomic::Ordering::Relaxed;

worlds_over_both_engines!(
    a_rebuilt_read_model_is_equal_and_takes_the_place_of_the_kept_one,
    live_rows_are_read_and_kept_up_to_date_while_a_rebuild_goes_on,
    a_rebuild_cut_short_leaves_the_live_rows_and_no_half_built_ones,
    nobody_can_rebuild_what_is_not_there,
    a_new_version_is_built_beside_and_the_old_table_goes_after,
);

const KEYS: i64 = 3;
const BESIDE: &str = "ledger_sums_v1__rebuild";

async fn rebuilt(world: &World) -> Result<RebuildReport, String> {
    let stage = world.runtime.hub().rebuild("ledger_sums").expect("a read model of this name");
    soon("the rebuild", Hub::rebuilt(stage)).await
}

async fn numbers(world: &World, range: std::ops::Range<i64>) {
    for number in range {
        world.runtime.dispatcher().accept(append(&format!("k{}", number % KEYS), number)).await.unwrap();
    }
    world.settled().await;
}

/// Changes stored rows behind the runtime's back; nobody must run on the folder.
async fn meddle(world: World, sql: &'static str) -> World {
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    assert!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected() > 0);
    drop(connection);
    World::start_in(folder).await
}

async fn open_letters(world: &World) -> Vec<DeadLetter> {
    let open =
        DeadLetterQuery { state: Some(DeadLetterState::Open), limit: 100, ..DeadLetterQuery::default() };
    world.store.dead_letters(open).await.unwrap()
}

async fn a_rebuilt_read_model_is_equal_and_takes_the_place_of_the_kept_one() {
    let world = World::start().await;
    numbers(&world, 0..30).await;
    let before = world.sums().await;
    let report = rebuilt(&world).await.unwrap();
    assert!(report.equal && report.differing.is_empty(), "{report:?}");
    assert_eq!((report.rows_before, report.rows_after, report.events, report.unread), (3, 3, 30, 0));
    assert_eq!(report.checksum_before, report.checksum_after);
    assert_eq!(world.sums().await, before);
    assert!(world.store.rows(BESIDE, RowQuery { limit: 1, ..RowQuery::default() }).await.is_err());
    // It goes on from there, and can be done again.
    numbers(&world, 30..60).await;
    assert!(rebuilt(&world).await.unwrap().equal);
    assert_eq!(world.sums().await.iter().map(|(_, sum)| sum.events).sum::<u64>(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_tampered_with_are_named_and_put_right() {
    let world = World::start().await;
    numbers(&world, 0..30).await;
    let right = world.sums().await;
    let world = meddle(
        world,
        "UPDATE ledger_sums_v1 SET body = json_set(body, '$.sum', 1), key = iif(key = 'k2', 'other', key)
         WHERE key IN ('k1', 'k2')",
    )
    .await;
    let report = rebuilt(&world).await.unwrap();
    let mut differing = report.differing.clone();
    differing.sort();
    assert_eq!((report.equal, differing), (false, ["k1", "k2", "other"].map(str::to_owned).to_vec()));
    assert_ne!(report.checksum_before, report.checksum_after);
    assert_eq!(world.sums().await, right);
    assert!(rebuilt(&world).await.unwrap().equal);
}

async fn live_rows_are_read_and_kept_up_to_date_while_a_rebuild_goes_on() {
    let world = World::start().await;
    // More than is folded at a time.
    let accepted = (0..2500).map(|number| world.accept(append(&format!("k{}", number % KEYS), number)));
    futures_util::future::try_join_all(accepted).await.unwrap();
    world.settled().await;
    // The first rows of the rebuild are held before they are written.
    let mut gate = world.store.hold(|unit| unit.table.as_ref().is_some_and(|table| table.table == BESIDE));
    let stage = world.runtime.hub().rebuild("ledger_sums").unwrap();
    gate.reached().await;
    assert_eq!(world.sums().await.len(), 3);
    let accepted = world.accepting(append("k0", 7));
    let_others_run().await;
    gate.open();
    accepted.await.unwrap().unwrap();
    let report = soon("the rebuild", Hub::rebuilt(stage)).await.unwrap();
    assert!(report.equal && report.events >= 2500, "{report:?}");
    world.settled().await;
    assert_eq!(world.sums().await.iter().map(|(_, sum)| sum.events).sum::<u64>(), 2501);
}

async fn a_rebuild_cut_short_leaves_the_live_rows_and_no_half_built_ones() {
    for crash in [true, false] {
        let world = World::start().await;
        numbers(&world, 0..30).await;
        let before = world.sums().await;
        let swap = |unit: &meal_planner::store::Unit| !unit.changes.is_empty() && unit.checkpoint.is_some();
        let mut gate = world.store.hold(swap);
        let stage = world.runtime.hub().rebuild("ledger_sums").unwrap();
        gate.reached().await;
        let world = if crash {
            world.crash_and_start().await
        } else {
            world.kill("projections/ledger_sums");
            gate.open();
            let told = soon("an end", Hub::rebuilt(stage)).await;
            assert!(told.is_err_and(|error| error.contains("ask again")));
            world
        };
        world.settled().await;
        assert_eq!(world.sums().await, before);
        let beside = world.store.rows(BESIDE, RowQuery { limit: 1, ..RowQuery::default() }).await;
        assert!(beside.is_err(), "a half-built table is left");
        assert!(rebuilt(&world).await.unwrap().equal);
    }
}

async fn nobody_can_rebuild_what_is_not_there() {
    let world = World::start().await;
    assert!(world.runtime.hub().rebuild("ledger_summs").is_none());
    assert_eq!(*world.runtime.hub().views["ledger_sums"].rebuild.borrow(), RebuildStage::Idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_go_on_past_an_event_that_does_not_read_and_say_so() {
    let world = World::start().await;
    numbers(&world, 0..6).await;
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    // Nobody has folded the sixth event yet, and it is of a version that only a newer program knows.
    for sql in [
        "UPDATE events SET schema_version = 9 WHERE context = 'ledger' AND kind = 1 AND key = 'k2' AND stream_version = 2",
        "DELETE FROM ledger_sums_v1",
        "DELETE FROM checkpoints",
        "DELETE FROM events WHERE context = 'mirror'",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    drop(connection);
    let world = World::start_in(folder).await;
    let last = world.store.last_position().await.unwrap();
    soon("the reader", world.runtime.hub().caught_up("ledger", last)).await;
    let events: u64 = world.sums().await.iter().map(|(_, sum)| sum.events).sum();
    assert_eq!(events, 5);
    crate::support::until("both readers have said it", || async { open_letters(&world).await.len() == 2 })
        .await;
    let letters = open_letters(&world).await;
    let mut readers: Vec<&str> = letters.iter().map(|letter| &*letter.id.reader).collect();
    readers.sort_unstable();
    assert_eq!(readers, ["ledger_sums_v1", "mirror_reactions"]);
    for letter in &letters {
        assert_eq!((&*letter.context, letter.key.as_str(), letter.holds), ("ledger", "k2", false));
        assert!(letter.reason.contains("version 9 is not known"), "{}", letter.reason);
    }
    let mut alerts = world.events("operations", None).await;
    alerts.retain(|event| *event.type_name == *"DeadLetterAdded");
    assert_eq!(alerts.len(), 2, "somebody is told");
    for path in ["projections/ledger_sums", "reactions/mirror"] {
        let view = world.view(path);
        assert_eq!((view.state, view.restarts, view.failed), (Stage::Running, 0, 1), "{path}");
    }
    let unread = |world: &World| world.runtime.hub().views["ledger_sums"].unread.load(Relaxed);
    assert_eq!(unread(&world), 1);
    assert_eq!(rebuilt(&world).await.unwrap().unread, 1);
    // The program that knows the version comes, and a rebuild takes the event in.
    let world = meddle(world, "UPDATE events SET schema_version = 1 WHERE schema_version = 9").await;
    assert_eq!(unread(&world), 1);
    let report = rebuilt(&world).await.unwrap();
    assert_eq!((report.equal, report.differing.clone(), report.unread), (false, vec!["k2".to_owned()], 0));
    assert_eq!(unread(&world), 0);
    assert_eq!(open_letters(&world).await.len(), 1, "the reactor's is still open");
}

/// The ledger of a newer program: its sums are of another shape.
struct NewerLedger;

impl Context for NewerLedger {
    const NAME: &'static str = Ledger::NAME;
    type State = <Ledger as Context>::State;
    type Command = LedgerCommand;
    type Event = LedgerEvent;
    type Facts = ();

    fn decide(
        state: &Self::State,
        command: &LedgerCommand,
        facts: &(),
        metadata: &Metadata,
    ) -> Result<Vec<LedgerEvent>, Rejection> {
        Ledger::decide(state, command, facts, metadata)
    }

    fn evolve(state: &mut Self::State, event: &LedgerEvent) {
        Ledger::evolve(state, event);
    }

    fn sends(
        state: &Self::State,
        event: &LedgerEvent,
        metadata: &Metadata,
    ) -> Result<Vec<Outgoing>, DecodeError> {
        Ledger::sends(state, event, metadata)
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<NewerSums>(visitor);
    }
}

struct NewerSums;

impl Projection for NewerSums {
    const NAME: &'static str = "ledger_sums";
    const VERSION: u32 = 3;
    const READS: &'static [&'static str] = &["ledger"];
    type Row = Sum;
    type Event = LedgerEvent;

    fn read(envelope: &Envelope) -> Result<Option<LedgerEvent>, DecodeError> {
        read_as::<Ledger>(envelope)
    }

    fn keys(_: &Envelope, _: &LedgerEvent) -> Vec<String> {
        vec!["all".to_owned()]
    }

    fn apply(row: &mut Option<Sum>, _: &str, _: &Envelope, _: &LedgerEvent) {
        row.get_or_insert_default().events += 1;
    }
}

async fn a_new_version_is_built_beside_and_the_old_table_goes_after() {
    let world = World::start().await;
    numbers(&world, 0..30).await;
    let folder = world.stop().await;
    let newer = Contexts::default().with::<NewerLedger>().with::<Mirror>().with::<Scale>();
    let world = World::start_with(folder, newer).await;
    world.settled().await;
    let rows =
        world.store.rows("ledger_sums_v3", RowQuery { limit: 9, ..RowQuery::default() }).await.unwrap();
    assert_eq!(rows.rows.len(), 1);
    assert!(rows.rows[0].1.contains("\"events\":30"), "{rows:?}");
    crate::support::until("the old table is gone", || async {
        world.store.rows(SUMS, RowQuery { limit: 1, ..RowQuery::default() }).await.is_err()
    })
    .await;
    // The old program comes back and folds from the first event on.
    let world = World::start_in(world.stop().await).await;
    world.settled().await;
    assert_eq!(world.sums().await.iter().map(|(_, sum)| sum.events).sum::<u64>(), 30);
}
