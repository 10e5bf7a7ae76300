//! Any prefix of what was written before a crash is a consistent store, from which the actors go on.

use super::audit::{Books, stale_rows};
use super::case::Template;
use super::engine::{Engine, copy};
use super::load::Server;
use super::random::Random;
use crate::support::{soon, until};
use meal_planner::actors::{Contexts, Runtime};
use meal_planner::clients::push::{PushClient, Tokens};
use meal_planner::domain;
use meal_planner::domain::notifications::ChannelKind;
use meal_planner::store::Store;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

const WAL: &str = "meal-planner.db-wal";
const CUTS: u64 = 24;
/// Of a WAL with pages of 4096 bytes.
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_prefix_of_the_log_is_a_consistent_store() {
    let seed = Random::seed("CRASH_SEED");
    let mut random = Random::new(seed);
    let template = Template::new(&Engine::Sqlite).await;
    let mut case = template.case(&format!("CRASH_SEED={seed}")).await;
    let mut victim = case.start(&[]);
    let url = victim.serving().await.expect("it serves");
    assert!(case.load.go_on(&Server::of(url, case.folder.path()), 15).await.unwrap());
    victim.kill();
    let length = std::fs::metadata(case.data().join(WAL)).expect("a log").len();
    let frames = (length - HEADER) / FRAME;
    assert!(
        frames > 20 && length < 4000 * FRAME,
        "{length} bytes: too few, or copied to the database already"
    );

    let mut seen = std::collections::BTreeSet::new();
    for n in 0..CUTS {
        let frame = random.between(0, frames);
        // Whole frames, parts of one, the header only, nothing, all of it.
        let cut = match n {
            0 => 0,
            1 => random.between(1, HEADER),
            2 => length,
            _ if n % 2 == 0 => HEADER + frame * FRAME,
            _ => (HEADER + frame * FRAME + random.between(1, FRAME - 1)).min(length),
        };
        let folder = tempfile::tempdir().unwrap();
        copy(case.data(), folder.path());
        let log = OpenOptions::new().write(true).open(folder.path().join(WAL)).unwrap();
        log.set_len(cut).unwrap();
        // The end of a file that was being written may hold anything.
        if n % 4 == 3 {
            std::io::Write::write_all(&mut { appended(folder.path()) }, &[0xa5; 1000]).unwrap();
        }
        let story = format!("CRASH_SEED={seed}, {cut} of {length} bytes");
        seen.insert(consistent(folder.path(), &story).await);
    }
    assert!(seen.len() > 10, "the cuts made only {} different stores", seen.len());
}

fn appended(folder: &Path) -> std::fs::File {
    OpenOptions::new().append(true).open(folder.join(WAL)).unwrap()
}

/// Checks what is there, lets the actors go on, checks again; answers how much was there.
async fn consistent(folder: &Path, story: &str) -> usize {
    let store = Engine::Sqlite.open(folder).await;
    let books = Books::read(&*store).await;
    let mut found = books.inconsistencies();
    found.extend(stale_rows(&*store, &books).await);
    assert!(found.is_empty(), "{story}:\n{}", found.join("\n"));
    let (positions, runtime) = (books.len(), go_on(store.clone()).await);
    until("all is handled", || async { is_settled(&store, &runtime).await }).await;
    let books = Books::read(&*store).await;
    let mut found = books.inconsistencies();
    found.extend(books.waiting());
    found.extend(stale_rows(&*store, &books).await);
    assert!(found.is_empty(), "{story}, after going on:\n{}", found.join("\n"));
    soon("the runtime stops", runtime.stop()).await.unwrap();
    positions
}

async fn go_on(store: Arc<dyn Store>) -> Runtime {
    let mut contexts = Contexts::default();
    domain::contexts(&mut contexts);
    let webhooks = PushClient::new(ChannelKind::Webhook, Tokens::default()).unwrap();
    let contexts = contexts.gateway(Arc::new(webhooks));
    Runtime::start(store, contexts).await.unwrap()
}

async fn is_settled(store: &Arc<dyn Store>, runtime: &Runtime) -> bool {
    let last = store.last_position().await.unwrap();
    let caught_up = runtime.hub().views.values().all(|view| *view.caught_up.borrow() >= last);
    caught_up && store.waiting_counts().await.unwrap().is_empty()
}
