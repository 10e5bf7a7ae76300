//! PostgreSQL goes away: killed, cut off, silent. Nothing that was answered is lost, nothing is there twice.

use super::desk::timer;
use super::{burn, changed, command, commit, everything, unit};
use crate::support::place::{self, Engine as _, Place, PostgresDatabase};
use crate::support::postgres::{self, Server};
use crate::support::proxy::{Proxy, Wire};
use meal_planner::clock;
use meal_planner::domain::envelope::Envelope;
use meal_planner::domain::person::People;
use meal_planner::store::postgres::PostgresStore;
use meal_planner::store::sealed::SealedStore;
use meal_planner::store::{Change, Placed, Store, StoreError, StoreResult, Timer, Unit};
use sqlx::Row;
use std::sync::Arc;
use uuid::Uuid;

/// A test of PostgreSQL alone.
macro_rules! postgres_tests {
    ($($(#[$how:meta])* async fn $name:ident() $body:block)*) => {
        $(#[tokio::test]
        $(#[$how])*
        async fn $name() {
            if place::Postgres::is_there(stringify!($name)) $body
        })*
    };
}

/// A store behind a wire that can be cut.
/// A wire to a database, and its address at the other end.
async fn wire_to(database: &PostgresDatabase) -> (Proxy, String) {
    let server: sqlx::postgres::PgConnectOptions = database.url.parse().unwrap();
    let proxy = Proxy::to(server.get_port()).await;
    let url = database.url.replace(&server.get_port().to_string(), &proxy.port().to_string());
    (proxy, url)
}

async fn wired() -> (Proxy, PostgresDatabase, Arc<dyn Store>) {
    let database = postgres::fresh_database().await;
    let (proxy, url) = wire_to(&database).await;
    let store = PostgresDatabase { url, folder: tempfile::tempdir().unwrap() }.open().await.unwrap();
    (proxy, database, store)
}

fn numbered(n: i64) -> Envelope {
    command("a", &n.to_string())
}

/// As the journal does it: the same unit again until the database has it.
async fn insist(store: &Arc<dyn Store>, unit: Unit) -> Placed {
    loop {
        match commit(store, [unit.clone()]).await {
            Ok(placed) => return placed[0],
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn assert_once(store: &Arc<dyn Store>, expected: &[Envelope]) {
    let all = everything(store).await;
    assert_eq!(
        all.iter().map(|m| m.id).collect::<Vec<_>>(),
        expected.iter().map(|m| m.id).collect::<Vec<_>>()
    );
    assert!(all.iter().map(|m| m.position).eq(1..=all.len() as i64));
}

fn unavailable(result: &StoreResult<Vec<Placed>>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

postgres_tests! {
    async fn a_lost_answer_is_found_out_and_given() {
        let (proxy, _database, store) = wired().await;
        let messages: Vec<_> = (0..3).map(numbered).collect();
        commit(&store, [unit([messages[0].clone()])]).await.unwrap();
        proxy.set(Wire::CutAfter);
        let placed = commit(&store, [unit([messages[1].clone()])]).await.unwrap();
        assert_eq!((placed[0].first, proxy.wire()), (2, Wire::Whole));
        assert_eq!(commit(&store, [unit([messages[2].clone()])]).await.unwrap()[0].first, 3);
        assert_once(&store, &messages).await;
    }

    async fn a_lost_answer_to_a_group_without_messages_is_found_out() {
        let (proxy, _database, store) = wired().await;
        commit(&store, [unit([numbered(0)])]).await.unwrap();
        for round in 1..=2 {
            proxy.set(Wire::CutAfter);
            commit(&store, [burn(1, round, "cut")]).await.unwrap();
            assert_eq!(store.waiting("a", 0, 1).await.unwrap()[0].attempts, round);
        }
    }

    async fn a_request_that_was_cut_off_may_be_made_again() {
        let (proxy, _database, store) = wired().await;
        let message = numbered(0);
        for part in [unit([message.clone()]), burn(1, 1, "cut")] {
            proxy.set(Wire::CutBefore);
            let cut = commit(&store, [part.clone()]).await;
            assert!(unavailable(&cut), "{cut:?}");
            commit(&store, [part]).await.unwrap();
        }
        assert_once(&store, &[message]).await;
        assert_eq!(store.waiting("a", 0, 1).await.unwrap()[0].attempts, 1);
    }

    async fn a_group_that_landed_in_an_outage_is_not_written_again_when_its_units_are_offered_apart() {
        let (proxy, _database, store) = wired().await;
        let messages: Vec<_> = (0..5).map(numbered).collect();
        let units: Vec<_> = messages.iter().map(|message| unit([message.clone()])).collect();
        proxy.set(Wire::CutAfterAndStayDown);
        let lost = commit(&store, units[..4].to_vec()).await;
        assert!(unavailable(&lost), "{lost:?}");
        let still = commit(&store, [units[0].clone()]).await;
        assert!(unavailable(&still), "{still:?}");
        proxy.set(Wire::Whole);
        // The second came from outside and was refused there; it is there all the same, and is not offered again.
        for n in [0, 2, 3, 4] {
            let placed = commit(&store, [units[n].clone()]).await.unwrap();
            assert_eq!(placed[0].first, n as i64 + 1);
        }
        assert_once(&store, &messages).await;
        let again = commit(&store, [units[0].clone()]).await;
        assert!(matches!(again, Err(StoreError::Refused(_))), "its story has ended: {again:?}");
    }

    async fn what_is_personal_and_sealed_anew_is_not_written_again_either() {
        let database = postgres::fresh_database().await;
        let (proxy, url) = wire_to(&database).await;
        let (folder, now_us) = (tempfile::tempdir().unwrap(), clock::now().timestamp_micros());
        let bare = PostgresStore::open(&url, folder.path(), now_us).await.unwrap();
        let sealed = SealedStore::over(Arc::new(bare), folder.path(), People::known()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(sealed);
        let body = format!("{{\"id\":\"{}\"}}", Uuid::now_v7());
        let about = |key| Envelope { type_name: "AddMember".into(), body: body.clone(), ..command("household", key) };
        let messages = ["1", "2", "3"].map(about);
        let timer = Timer {
            to_context: "household".into(),
            type_name: "AddMember".into(),
            body: body.clone(),
            ..timer("later", now_us)
        };
        // From here on the person has a key.
        commit(&store, [unit([messages[0].clone()])]).await.unwrap();
        let set = changed(Change::SetTimer(Box::new(timer)));
        let units = [unit([messages[1].clone()]), set, unit([messages[2].clone()])];
        proxy.set(Wire::CutAfterAndStayDown);
        let lost = commit(&store, units.clone()).await;
        assert!(unavailable(&lost), "{lost:?}");
        proxy.set(Wire::Whole);
        for (unit, first) in units.into_iter().zip([2, 3, 3]) {
            assert_eq!(commit(&store, [unit]).await.unwrap(), [Placed { first }]);
        }
        assert_once(&store, &messages).await;
    }

    async fn a_server_that_does_not_answer_is_an_outage_and_no_hang() {
        let (proxy, _database, store) = wired().await;
        let message = numbered(0);
        proxy.set(Wire::Silent);
        // From here on only the patience of the store goes by.
        tokio::time::pause();
        let silent = commit(&store, [unit([message.clone()])]).await;
        assert!(unavailable(&silent), "{silent:?}");
        tokio::time::resume();
        proxy.set(Wire::Whole);
        insist(&store, unit([message.clone()])).await;
        assert_once(&store, &[message]).await;
    }

    async fn a_session_that_the_server_ends_is_replaced() {
        let (_proxy, database, store) = wired().await;
        let messages: Vec<_> = (0..20).map(numbered).collect();
        let committing = async {
            for message in &messages {
                insist(&store, unit([message.clone()])).await;
            }
        };
        let ending = async {
            const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                               WHERE datname = current_database() AND pid <> pg_backend_pid()";
            for _ in 0..5 {
                database.look(END).await;
            }
        };
        tokio::join!(committing, ending);
        insist(&store, burn(1, 1, "after")).await;
        assert_once(&store, &messages).await;
        assert_eq!(store.epoch(), 1);
    }

    async fn a_server_that_is_killed_and_started_again_has_everything_once() {
        let server = Arc::new(tokio::task::spawn_blocking(Server::start).await.unwrap());
        let database = server.database().await;
        let store = database.open().await.unwrap();
        let messages: Vec<_> = (0..300).map(numbered).collect();
        let (told, mut heard) = tokio::sync::watch::channel(0);
        let committing = async {
            for (n, message) in messages.iter().enumerate() {
                let placed = insist(&store, unit([message.clone()])).await;
                assert_eq!(placed.first, n as i64 + 1);
                told.send_replace(n);
            }
        };
        let killing = async {
            for at in [50, 150] {
                heard.wait_for(|n| *n >= at).await.unwrap();
                let server = server.clone();
                tokio::task::spawn_blocking(move || {
                    server.kill();
                    server.go();
                })
                .await
                .unwrap();
            }
        };
        tokio::join!(committing, killing);
        // The last kill may have come after the last commit: one more finds the server again.
        let last = numbered(300);
        insist(&store, unit([last.clone()])).await;
        assert_once(&store, &[messages, vec![last]].concat()).await;
        store.close().await.unwrap();
        drop(store);
        assert_eq!(database.open().await.unwrap().epoch(), 2);
    }

    async fn a_second_owner_is_refused_and_told_who_is_there() {
        let database = postgres::fresh_database().await;
        let store = database.open().await.unwrap();
        let second = PostgresDatabase { url: database.url.clone(), folder: tempfile::tempdir().unwrap() };
        let Err(StoreError::Unusable { message, hint }) = second.open().await.map(drop) else { panic!("it opened") };
        let owner = format!("meal-planner writer of process {}", std::process::id());
        assert!(message.contains("in use by") && message.contains(&owner), "{message}");
        assert!(hint.contains("stop that server"), "{hint}");
        assert_eq!((store.epoch(), database.look("SELECT epoch FROM process_epoch").await), (1, vec![Some(1)]));
        commit(&store, [unit([numbered(0)])]).await.unwrap();
    }

    async fn a_writer_that_was_cut_off_and_replaced_is_fenced() {
        let (proxy, database, store) = wired().await;
        proxy.set(Wire::CutAfterAndStayDown);
        assert!(unavailable(&commit(&store, [unit([numbered(0)])]).await));
        let other = database.open().await.unwrap();
        assert_eq!(other.last_position().await.unwrap(), 1);
        proxy.set(Wire::Whole);
        for _ in 0..2 {
            let fenced = commit(&store, [unit([numbered(1)])]).await;
            assert!(matches!(fenced, Err(StoreError::Fenced { epoch: 1 })), "{fenced:?}");
        }
        assert_eq!(commit(&other, [unit([numbered(2)])]).await.unwrap()[0].first, 2);
    }

    async fn commits_wait_for_the_servers_disk_whatever_its_defaults_are() {
        let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
        let database = server.database().await;
        database.open().await.unwrap().close().await.unwrap();
        database.meddle("ALTER ROLE postgres SET synchronous_commit = off").await;
        let store = database.open().await.unwrap();
        for n in 0..20 {
            commit(&store, [unit([numbered(n)])]).await.unwrap();
            let row = sqlx::query("SELECT pg_current_wal_insert_lsn() <= pg_current_wal_flush_lsn()");
            let flushed: bool = row.fetch_one(&mut database.hands().await).await.unwrap().get(0);
            assert!(flushed, "commit {n} is not on the disk");
        }
    }

    async fn an_address_that_does_not_work_is_told_without_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let open = async |url: &str| {
            let store = meal_planner::store::postgres::PostgresStore::open(url, folder.path(), 0).await;
            let Err(error) = store else { panic!("it opened") };
            assert!(matches!(error, StoreError::Unusable { .. }), "{error:?}");
            format!("{error:?}")
        };
        let wrong_database = postgres::fresh_database().await.url.replace("/test_", "/none_");
        let nobody_there = "postgres://me:s3cret@127.0.0.1:1/x";
        for url in [&*wrong_database, nobody_there, "postgres://me:s3cret@[", "mysql://me:s3cret@h/d"] {
            let error = open(url).await;
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
