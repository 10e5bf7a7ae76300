//! One life under fire: the program dies as told, comes back, and is held to what it has promised.

use super::audit::{Books, stale_rows};
use super::engine::{Engine, copy};
use super::load::{Load, POISON, Server};
use super::outside::{lost_timers, plant, stray_effects, unanswered, unended_sagas};
use super::victim::Victim;
use crate::support::remote::Remote;
use crate::support::{soon, until};
use meal_planner::fault::Point;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

pub const SIGABRT: i32 = 6;
/// Requests of each client under a crash point.
const REQUESTS: usize = 30;
/// One in so many calls is refused by the remote, and made again.
const REFUSED: usize = 5;
/// Points that are come by only where timers are due.
const PLANTED: [&str; 2] = ["timer.before", "timer.after"];

/// A server that was set up, used and stopped, to be copied for each case.
pub struct Template {
    engine: Engine,
    folder: TempDir,
    load: Load,
    remote: Remote,
}

/// A folder, what was asked of its servers, and which engine keeps it.
pub struct Case {
    pub engine: Engine,
    pub folder: TempDir,
    pub load: Load,
    /// Whom its notifications go to; it outlives every server.
    pub remote: Remote,
    /// Messages that planted timers become.
    planted: Vec<Uuid>,
    /// Where it is and what it has seen, for whoever reads of a failure.
    pub story: String,
    /// Of every life, armed or not.
    pub settings: Vec<(&'static str, String)>,
}

pub fn crash_at(point: &str, nth: u64) -> Vec<(&'static str, String)> {
    let mut settings = vec![("MEAL_PLANNER_CRASH_AT", format!("{point}:{nth}"))];
    // Elsewhere its retries would only hold up the end.
    if point.starts_with("burn.") {
        settings.push(("MEAL_PLANNER_PANIC_ON_KEY", POISON.to_owned()));
    }
    settings
}

impl Template {
    /// Events enough that the next snapshots are near.
    pub async fn new(engine: &Engine) -> Self {
        let mut case = Case::new(engine.fresh().await, "template").await;
        case.go_on(42).await;
        Self { engine: case.engine, folder: case.folder, load: case.load, remote: case.remote }
    }

    pub async fn case(&self, story: &str) -> Case {
        self.case_in(tempfile::tempdir().expect("a folder"), story).await
    }

    pub async fn case_in(&self, folder: TempDir, story: &str) -> Case {
        copy(self.folder.path(), folder.path());
        let engine = self.engine.copy().await;
        let (load, remote) = (self.load.clone(), self.remote.clone());
        let story = format!("{}: {story}", engine.name());
        Case { engine, folder, load, remote, planted: Vec::new(), story, settings: Vec::new() }
    }
}

impl Case {
    pub async fn new(engine: Engine, story: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let story = format!("{}: {story}", engine.name());
        let remote = Remote::start().await;
        remote.refuse_every(REFUSED);
        Self {
            engine,
            folder,
            load: Load::new(&remote),
            remote,
            planted: Vec::new(),
            story,
            settings: Vec::new(),
        }
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    pub fn start(&self, settings: &[(&str, String)]) -> Victim {
        let all: Vec<(&str, String)> = self.settings.iter().chain(settings).cloned().collect();
        Victim::start(&self.engine, self.data(), &all)
    }

    /// Starts with the point armed and uses the server until it dies there; `false` when it never came by.
    pub async fn crash(&mut self, point: Point, nth: u64) -> bool {
        if PLANTED.contains(&point.name) {
            let store = self.engine.open(self.data()).await;
            self.planted.extend(plant(&*store).await);
            store.close().await.expect("it closes");
        }
        let mut victim = self.start(&crash_at(point.name, nth));
        self.story += &format!(", {}:{nth}", point.name);
        if let Some(url) = victim.serving().await {
            let server = Server::of(url, self.data());
            let dead = victim.dead();
            let asked = async {
                if point.name.starts_with("rebuild.") {
                    server.rebuild("household_profile").await;
                }
                let all = self.load.go_on(&server, REQUESTS).await;
                all.unwrap_or_else(|wrong| panic!("{}: {wrong}", self.story));
                let poisoned = self.load.poisoned();
                until("all is handled but what panics", || server.is_idle_but(poisoned)).await;
            };
            // What it dies of may come after the last answer.
            tokio::select! {
                () = asked => {}
                () = dead => {}
            }
            victim.terminate();
        }
        let status = victim.ended().await;
        let died = status.signal() == Some(SIGABRT);
        assert!(died || status.success(), "{}: {status}\n{}", self.story, victim.tail());
        died
    }

    /// Starts unarmed, lets the clients repeat and go on, stops in order and looks at everything.
    pub async fn go_on(&mut self, more: usize) {
        let mut victim = self.start(&[]);
        let Some(url) = victim.serving().await else {
            let status = victim.ended().await;
            panic!("{}: it does not start: {status}\n{}", self.story, victim.tail());
        };
        let server = Server::of(url, self.data());
        let checked = async {
            self.load.repeat_last(&server).await?;
            while !self.load.go_on(&server, more).await? {}
            self.load.settle(&server).await
        };
        let result: Result<(), String> = soon(&self.story.clone(), checked).await;
        self.end(victim, result).await;
    }

    /// Stops the server in order and looks at everything, with what is known to be wrong.
    pub async fn end(&self, mut victim: Victim, result: Result<(), String>) {
        victim.terminate();
        let status = victim.ended().await;
        let mut found: Vec<String> = result.err().into_iter().collect();
        found.extend((!status.success()).then(|| format!("it did not end in order: {status}")));
        found.extend(self.audit().await);
        assert!(
            found.is_empty(),
            "{}, in {}:\n{}\n{}",
            self.story,
            self.data().display(),
            found.join("\n"),
            victim.tail()
        );
    }

    /// Of a store that nobody has open.
    pub async fn audit(&self) -> Vec<String> {
        let store = self.engine.open(self.data()).await;
        let books = Books::read(&*store).await;
        let mut found = books.inconsistencies();
        found.extend(books.broken_promises(&self.load, POISON));
        found.extend(stale_rows(&*store, &books).await);
        found.extend(stray_effects(&*store, &books, &self.remote).await);
        found.extend(unended_sagas(&*store).await);
        found.extend(unanswered(&books));
        found.extend(lost_timers(&*store, &books, &self.planted).await);
        found.extend(store.was_unclean().then(|| "nobody noted that it ended in order".to_owned()));
        store.close().await.expect("it closes");
        found
    }
}
