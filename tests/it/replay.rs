//! Replay: what is stored is compared with what its events fold to, and states are shown as they were.

mod real;

use crate::support::contexts::{Forward, Ledger, Mirror, Scale};
use crate::support::world::{World, append, command, open_sqlite, raw};
use meal_planner::actors::replay::{Fault, Replay, Report, RowFault, fold_all, verify};
use meal_planner::store::Store as _;
use tempfile::TempDir;

fn contexts() -> Replay {
    Replay::default().with::<Ledger>().with::<Mirror>().with::<Scale>()
}

/// A folder with snapshots, read models, answers and a command that was refused; nobody runs on it.
async fn history() -> TempDir {
    let world = World::start().await;
    let accepted = (0..240).map(|number| world.accept(append(&format!("k{}", number % 2), number)));
    futures_util::future::try_join_all(accepted).await.unwrap();
    world.ask(command::<Ledger>("k0", Forward { number: 5, to: "k2".to_owned(), ask: true })).await;
    world.ask(command::<Ledger>("k1", crate::support::contexts::Refuse { why: "no".to_owned() })).await;
    world.settled().await;
    world.stop().await
}

async fn checked(folder: &TempDir) -> Report {
    let store = open_sqlite(folder.path()).await;
    let report = verify(&*store, contexts()).await.unwrap();
    store.close().await.unwrap();
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_program_has_written_is_what_its_events_fold_to() {
    let folder = history().await;
    let report = checked(&folder).await;
    assert!(report.is_sound(), "{:#?}", report.faults);
    assert_eq!((report.snapshots, report.aggregates), (4, 6), "two ledgers and their mirrors have snapshots");
    assert_eq!(report.commands + report.events, report.last_position.cast_unsigned());
    let tables: Vec<_> = report.tables.iter().map(|table| (&*table.name, table.rows, table.faults)).collect();
    assert_eq!(tables, [("ledger_sums_v1", 3, 0)]);
    let again = checked(&folder).await;
    assert_eq!(again.hash, report.hash, "the same messages have the same hash");
    let store = open_sqlite(folder.path()).await;
    let folded = fold_all(&*store, &mut contexts()).await.unwrap();
    assert_eq!((folded.events, folded.aggregates), (report.events, report.aggregates));
}

/// Spoils the database behind the program's back, looks, and answers what was found.
async fn spoilt(sql: &'static str) -> (Report, Report) {
    let folder = history().await;
    let before = checked(&folder).await;
    let mut connection = raw(folder.path()).await;
    let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
    drop(connection);
    let after = checked(&folder).await;
    assert!(!after.is_sound(), "nobody has seen: {sql}");
    (before, after)
}

fn row(report: &Report) -> (&str, RowFault, Vec<&str>) {
    assert_eq!(report.fault_count, 1, "{:?}", report.faults);
    let Fault::TableRow { table, key, what, differences } = &report.faults[0] else {
        panic!("{:?}", report.faults)
    };
    assert_eq!((&**table, report.tables[0].faults), ("ledger_sums_v1", 1));
    (key, *what, differences.iter().map(|difference| &*difference.pointer).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_was_changed_lost_or_made_up_is_named() {
    let (_, report) =
        spoilt("UPDATE ledger_sums_v1 SET body = json_set(body, '$.sum', 0) WHERE key = 'k1'").await;
    assert_eq!(row(&report), ("k1", RowFault::Different, vec!["/sum"]));
    let (_, report) = spoilt("DELETE FROM ledger_sums_v1 WHERE key = 'k0'").await;
    assert_eq!(row(&report), ("k0", RowFault::Missing, vec![]));
    let (_, report) = spoilt(
        "INSERT INTO ledger_sums_v1 SELECT 'k9', sort, search, body FROM ledger_sums_v1 WHERE key = 'k0'",
    )
    .await;
    assert_eq!(row(&report), ("k9", RowFault::Unexpected, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_not_what_the_events_fold_to_is_named() {
    let (before, report) = spoilt(
        "UPDATE snapshots SET body = json_set(body, '$.numbers[3]', -1) WHERE context = 'ledger' AND key = 'k1'",
    )
    .await;
    let Fault::State { context, key, differences, .. } = &report.faults[0] else {
        panic!("{:?}", report.faults)
    };
    assert_eq!((&**context, &**key, &*differences[0].pointer), ("ledger", "k1", "/numbers/3"));
    assert_eq!((report.fault_count, &report.hash), (1, &before.hash), "a snapshot is not told again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_tampered_with_is_named() {
    let (before, report) =
        spoilt("DELETE FROM events WHERE context = 'ledger' AND key = 'k0' AND stream_version = 7").await;
    let gap = report.faults.iter().any(|fault| matches!(fault, Fault::Gap { .. }));
    let version = |fault: &Fault| matches!(fault, Fault::StreamVersion { expected: 7, found: Some(8), .. });
    assert!(gap && report.faults.iter().any(version), "{:?}", report.faults);
    assert_ne!(report.hash, before.hash);

    let (before, report) = spoilt(
        "UPDATE events SET body = '{\"number\":77}' WHERE context = 'ledger' AND key = 'k0' AND stream_version = 7",
    )
    .await;
    assert!(report.faults.iter().any(|fault| matches!(fault, Fault::State { .. })), "{:?}", report.faults);
    assert!(report.faults.iter().any(|fault| matches!(fault, Fault::TableRow { .. })));
    assert_ne!(report.hash, before.hash);

    let (_, report) = spoilt(
        "UPDATE events SET body = '{}' WHERE context = 'ledger' AND key = 'k0' AND stream_version = 120",
    )
    .await;
    assert!(
        report.faults.iter().any(|fault| matches!(fault, Fault::Undecodable { .. })),
        "{:?}",
        report.faults
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_that_do_not_balance_are_named() {
    let (_, report) = spoilt(
        "INSERT INTO inbox (position, context) SELECT position, 'ledger' FROM outcomes ORDER BY position LIMIT 1",
    )
    .await;
    assert!(matches!(&*report.faults, [Fault::Command { .. }]), "{:?}", report.faults);
    let (_, report) = spoilt(
        "UPDATE outcomes SET last_position = 9999 WHERE position = (SELECT min(position) FROM outcomes)",
    )
    .await;
    assert!(matches!(&*report.faults, [Fault::Command { .. }]), "{:?}", report.faults);
    let (_, report) = spoilt("UPDATE checkpoints SET position = 9999 WHERE reader = 'ledger_sums_v1'").await;
    assert!(matches!(&*report.faults, [Fault::Checkpoint { position: 9999, .. }]), "{:?}", report.faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_context_is_no_silent_hole() {
    let folder = history().await;
    let store = open_sqlite(folder.path()).await;
    let report = verify(&*store, Replay::default().with::<Ledger>().with::<Scale>()).await.unwrap();
    assert!(matches!(&report.faults[0], Fault::UnknownContext { context, .. } if context == "mirror"));
}
