//! A person is being erased when the program dies: the next start ends it, wherever that was, and says so once.

use super::AT_ONCE;
use super::case::SIGABRT;
use super::engine::Engine;
use super::victim::Victim;
use crate::operations::erasure::{NAME, OLD_NAME, ZAPHOD, forms, gone, plan, plant, readable, set_up, texts};
use crate::process::{Server, client, program};
use crate::support::postgres;
use crate::support::world::DATABASE;
use futures_util::StreamExt;
use meal_planner::fault::{POINTS, Phase};
use meal_planner::store::backup::list;
use meal_planner::store::sealed::PeopleFolder;
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use tempfile::TempDir;

/// A household in which somebody has left traces everywhere.
struct Home {
    engine: Engine,
    folder: TempDir,
}

impl Home {
    async fn new(engine: Engine) -> Self {
        let home = Self::within(engine);
        let server = Server::start(home.data()).await;
        set_up(&server).await;
        plan(&server).await;
        assert_eq!(server.terminate(), Some(0));
        plant(home.data()).await;
        home
    }

    fn within(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(url) = engine.url() {
            std::fs::write(folder.path().join(DATABASE), url).expect("it writes");
        }
        Self { engine, folder }
    }

    async fn again(&self) -> Self {
        let home = Self::within(self.engine.copy().await);
        for name in ["meal-planner.db", "people.key", "admin.token"] {
            let from = self.data().join(name);
            assert!(!from.exists() || std::fs::copy(from, home.data().join(name)).is_ok(), "{name}");
        }
        home
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn serve(&self, dies_at: &str) -> Victim {
        let mut command = program(self.data());
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("MEAL_PLANNER_CRASH_AT", dies_at);
        Victim::spawn(command)
    }

    /// Whether it dies there, with an erasure asked for or without.
    async fn dies(&self, at: &str, asked: bool) -> bool {
        let mut victim = self.serve(at);
        if let Some(url) = victim.serving().await {
            if asked {
                self.post(&url, "/admin/backups", json!({"why": "before"})).await;
                let why = json!({"why": format!("{NAME} wishes it")});
                self.post(&url, &format!("/admin/people/{ZAPHOD}/erase"), why).await;
            }
            victim.terminate();
        }
        let status = victim.ended().await;
        let died = status.signal() == Some(SIGABRT);
        assert!(died || status.success(), "{at}: {status}\n{}", victim.tail());
        died
    }

    /// It may die over the answer.
    async fn post(&self, url: &str, path: &str, body: Value) {
        let token = std::fs::read_to_string(self.data().join("admin.token")).expect("a token");
        let asked = client().post(format!("{url}{path}")).bearer_auth(token.trim()).json(&body);
        drop(asked.send().await);
    }

    /// A start without an arm ends it.
    async fn is_erased(&self, at: &str) {
        let before = list(&self.data().join("backups")).expect("a folder");
        let server = Server::start(self.data()).await;
        gone(&server).await;
        assert_eq!(times_told(&server).await, 1, "{at}: on the record");
        let again = json!({"why": "once more"});
        let again = server.ask("POST", &format!("/admin/people/{ZAPHOD}/erase"), again).await;
        assert_eq!(again.0, 200, "{at}: {}", again.1);
        assert_eq!(times_told(&server).await, 1, "{at}: on the record, asked again");
        assert_eq!(server.terminate(), Some(0));
        for name in [NAME, OLD_NAME] {
            assert_eq!(readable(self.data(), name), [""; 0], "{at}");
        }
        for (place, text) in texts(self.data()).await {
            let named = [NAME, OLD_NAME].iter().flat_map(|name| forms(name)).any(|form| text.contains(&form));
            assert!(!named, "{at}: {place}: {text}");
        }
        let erased = PeopleFolder::new(self.data()).erased().expect("it reads");
        assert_eq!(erased.values().copied().collect::<Vec<_>>(), [true], "{at}: it has not ended");
        let after = list(&self.data().join("backups")).expect("a folder");
        assert!(after.iter().all(|backup| !before.contains(backup)), "{at}: a backup of before is there");
        assert_eq!(after.len(), 1, "{at}");
    }
}

async fn times_told(server: &Server) -> usize {
    let told = server.get("/api/events?type=PersonErased&limit=100").await.1;
    told["items"].as_array().expect("items").iter().filter(|event| event["key"] == ZAPHOD).count()
}

async fn each_point(engine: Engine) {
    let template = Home::new(engine).await;
    let points = POINTS.iter().filter(|point| point.phase == Phase::Erase);
    let cases = points.map(async |point| {
        let home = template.again().await;
        let name = point.name;
        assert!(home.dies(name, true).await, "{name}: the point was not reached");
        // And again while it carries on, where that comes by the point.
        let again = home.dies(name, false).await;
        println!("{name}{}", if again { ", twice" } else { "" });
        home.is_erased(name).await;
        home.engine.remove().await;
    });
    futures_util::stream::iter(cases).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_is_cut_off_anywhere_is_ended_by_the_next_start() {
    each_point(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_is_cut_off_anywhere_is_ended_by_the_next_start_over_postgres() {
    if postgres::is_there("an_erasure_that_is_cut_off_anywhere_is_ended_by_the_next_start_over_postgres") {
        each_point(Engine::postgres().await).await;
    }
}
