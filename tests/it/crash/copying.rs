//! A store is being copied to another place when the program dies: what it is copied from stays whole, half of a copy
//! is no store and says so, and a second copy is the same to the byte.

use super::case::{SIGABRT, Template};
use super::engine::{Engine, copy};
use crate::process::program;
use crate::support::postgres;
use crate::support::world::DATABASE;
use meal_planner::fault::{POINTS, Phase};
use meal_planner::store::hash::replay_hash;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Of the program where it cannot use a store.
const STORE_UNUSABLE: i32 = 5;

/// A place of a store: for a folder also what is kept of people, for a database the data folder of its server.
struct Place {
    engine: Engine,
    folder: TempDir,
}

impl Place {
    async fn empty(engine: &Engine) -> Self {
        Self::of(engine.fresh().await, tempfile::tempdir().expect("a folder"))
    }

    fn of(engine: Engine, folder: TempDir) -> Self {
        if let Some(url) = engine.url() {
            std::fs::write(folder.path().join(DATABASE), url).expect("it writes");
        }
        Self { engine, folder }
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn name(&self) -> String {
        self.engine.url().unwrap_or_else(|| self.data().display().to_string())
    }

    async fn hash(&self) -> String {
        let store = self.engine.open(self.data()).await;
        let hash = replay_hash(&mut *store.source().await.expect("a source")).await.expect("it reads");
        store.close().await.expect("it closes");
        hash.sha256
    }

    /// What a copy has left there is thrown away.
    async fn wiped(self) -> Self {
        self.engine.remove().await;
        let Self { engine, folder } = self;
        for name in ["meal-planner.db", "meal-planner.db-wal", "meal-planner.db-shm"] {
            drop(std::fs::remove_file(folder.path().join(name)));
        }
        Self::of(engine.fresh().await, folder)
    }
}

/// `data`: of the two places the folder that keeps what is known of people beside a database.
fn migrate_store(from: &Place, to: &Place) -> Command {
    let beside = if from.engine.url().is_some() { from } else { to };
    let mut command = program(beside.data());
    command.env_remove("DATABASE_URL").args(["migrate-store", &from.name(), &to.name()]);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn each_point(from: Engine, to: Engine) {
    let template = Template::new(&from).await.case("copied").await;
    for point in POINTS.iter().filter(|point| point.phase == Phase::Copy) {
        let at = point.name;
        let source = tempfile::tempdir().expect("a folder");
        copy(template.data(), source.path());
        let source = Place::of(template.engine.copy().await, source);
        let before = source.hash().await;
        let target = Place::empty(&to).await;
        // A page of a copy is not always its first.
        let nth = if at == "copy.page" { 3 } else { 1 };
        let mut armed = migrate_store(&source, &target);
        let dead = armed.env("MEAL_PLANNER_CRASH_AT", format!("{at}:{nth}")).output().expect("it runs");
        assert_eq!(dead.status.signal(), Some(SIGABRT), "{at}: {}", said(&dead));
        assert_eq!(source.hash().await, before, "{at}: of what is copied from");

        let again = migrate_store(&source, &target).output().expect("it runs");
        let target = match at {
            // Nothing had begun.
            "copy.key" => {
                assert!(again.status.success(), "{at}: {}", said(&again));
                target
            }
            // All had ended but the telling.
            "copy.finished" => {
                assert_eq!(again.status.code(), Some(STORE_UNUSABLE), "{at}: {}", said(&again));
                assert!(said(&again).contains("not empty"), "{at}: {}", said(&again));
                target
            }
            _ => {
                assert_eq!(again.status.code(), Some(STORE_UNUSABLE), "{at}: {}", said(&again));
                is_no_store(&target, at);
                for told in ["unfinished", "delete its meal-planner.db", "copied from is as it was"] {
                    assert!(said(&again).contains(told), "{at}: {}", said(&again));
                }
                let target = target.wiped().await;
                let again = migrate_store(&source, &target).output().expect("it runs");
                assert!(said(&again).contains(&before), "{at}: {}", said(&again));
                target
            }
        };
        assert_eq!(target.hash().await, before, "{at}: of the copy");
        assert_eq!(source.hash().await, before, "{at}: of what was copied from");
        source.engine.remove().await;
        target.engine.remove().await;
    }
}

/// A server refuses it.
fn is_no_store(target: &Place, at: &str) {
    let served = program(target.data()).args(["serve", "--listen", "127.0.0.1:0"]).output().expect("it runs");
    assert_eq!(served.status.code(), Some(STORE_UNUSABLE), "{at}: {}", said(&served));
    assert!(said(&served).contains("unfinished"), "{at}: {}", said(&served));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_cut_off_anywhere_is_no_store_and_can_be_made_again() {
    each_point(Engine::Sqlite, Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_to_postgres_that_is_cut_off_anywhere_is_no_store_and_can_be_made_again() {
    if postgres::is_there("a_copy_to_postgres_that_is_cut_off_anywhere_is_no_store_and_can_be_made_again") {
        each_point(Engine::Sqlite, Engine::postgres().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_from_postgres_that_is_cut_off_anywhere_is_no_store_and_can_be_made_again() {
    if postgres::is_there("a_copy_from_postgres_that_is_cut_off_anywhere_is_no_store_and_can_be_made_again") {
        each_point(Engine::postgres().await, Engine::Sqlite).await;
    }
}
