//! The database goes away under the real program while clients ask it things: it is killed and started again, or the
//! writer is cut off in the middle of a commit. The program lives on and keeps what it has promised.

use super::case::Case;
use super::engine::Engine;
use super::load::{CLIENTS, Heard, Server};
use super::random::Random;
use crate::support::postgres;
use crate::support::proxy::{Proxy, Wire};
use crate::support::{PATIENCE, between_looks, soon};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use tokio::sync::watch;

const KILLS: u64 = 3;
/// Rounds of every kind of cut.
const ROUNDS: u64 = 4;
const CUTS: [Wire; 3] = [Wire::CutBefore, Wire::CutAfter, Wire::CutAfterAndStayDown];
/// Answers between two outages.
const FEWEST: u64 = 5;
const MOST: u64 = 60;

/// Without a panic, so that the log of the program is shown with what went wrong.
async fn within_patience(what: &str, wait: impl Future<Output = ()>) -> Result<(), String> {
    tokio::time::timeout(PATIENCE, wait).await.map_err(|_| format!("waited in vain: {what}"))
}

/// Waits for so many answers more.
async fn answers(heard: &mut watch::Receiver<Heard>, more: u64) -> Result<(), String> {
    let goal = heard.borrow().answers + more;
    let wait = async { drop(heard.wait_for(|heard| heard.answers >= goal).await) };
    within_patience("the clients are answered", wait).await
}

/// Waits for as many refusals more as there are clients.
async fn refusals(heard: &mut watch::Receiver<Heard>) -> Result<(), String> {
    let goal = heard.borrow().refusals + CLIENTS as u64;
    let wait = async { drop(heard.wait_for(|heard| heard.refusals >= goal).await) };
    within_patience("the clients are refused", wait).await
}

async fn order(server: &Arc<postgres::Server>, what: fn(&postgres::Server)) {
    let server = server.clone();
    tokio::task::spawn_blocking(move || what(&server)).await.expect("it is done");
}

async fn kills(
    server: Arc<postgres::Server>,
    mut heard: watch::Receiver<Heard>,
    mut random: Random,
) -> Result<(), String> {
    for _ in 0..KILLS {
        answers(&mut heard, random.between(FEWEST, MOST)).await?;
        order(&server, postgres::Server::kill).await;
        refusals(&mut heard).await?;
        order(&server, postgres::Server::go).await;
    }
    answers(&mut heard, MOST).await
}

async fn cuts(proxy: Proxy, mut heard: watch::Receiver<Heard>, mut random: Random) -> Result<(), String> {
    for _ in 0..ROUNDS {
        for cut in CUTS {
            answers(&mut heard, random.between(FEWEST, MOST)).await?;
            proxy.set(cut);
            let wait = async {
                let mut looks = 0;
                while proxy.wire() == cut {
                    between_looks(&mut looks).await;
                }
            };
            within_patience("the writer is cut off", wait).await?;
            if proxy.wire() == Wire::Down {
                refusals(&mut heard).await?;
                proxy.set(Wire::Whole);
            }
        }
    }
    answers(&mut heard, MOST).await
}

/// One life of the program: clients ask on and on until the outages are over, then all is held to what it promised.
async fn outlives(
    mut case: Case,
    tell: watch::Sender<Heard>,
    outages: impl Future<Output = Result<(), String>>,
) {
    let mut victim = case.start(&[]);
    let Some(url) = victim.serving().await else {
        panic!("{}: it does not start\n{}", case.story, victim.tail());
    };
    let server = Server::of(url, case.data());
    let dead = victim.dead();
    let asked = async {
        tokio::select! {
            asked = case.load.insist(&server, &tell) => asked,
            () = dead => Err("it died of it".to_owned()),
        }
    };
    let ended = tokio::try_join!(asked, outages);
    if let Err(wrong) = ended {
        panic!("{}: {wrong}\n{}", case.story, victim.tail());
    }
    let Heard { answers, refusals } = *tell.borrow();
    println!("{}: {answers} answers, {refusals} refusals", case.story);

    let checked = async {
        case.load.repeat_last(&server).await?;
        case.load.settle(&server).await?;
        let restarts = server.restarts().await;
        if restarts == 0 { Ok(()) } else { Err(format!("actors were started again {restarts} times")) }
    };
    let result: Result<(), String> = soon(&case.story, checked).await;
    case.end(victim, result).await;
    let store = case.engine.open(case.data()).await;
    assert_eq!(store.epoch(), 3, "{}: one of the program, one of the audit, this one", case.story);
    store.close().await.expect("it closes");
    case.engine.remove().await;
}

/// Chance, and how a failure is told.
fn seeded() -> (Random, String) {
    let seed = Random::seed("OUTAGE_SEED");
    println!("OUTAGE_SEED={seed}");
    (Random::new(seed), format!("OUTAGE_SEED={seed}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_outlives_a_database_that_is_killed_under_load_and_started_again() {
    if !postgres::is_there("the_program_outlives_a_database_that_is_killed_under_load_and_started_again") {
        return;
    }
    let (random, story) = seeded();
    let server = tokio::task::spawn_blocking(postgres::Server::start).await.expect("a server");
    let server = Arc::new(server);
    let case = Case::new(Engine::on(server.clone()).await, &story).await;
    let (tell, heard) = watch::channel(Heard::default());
    outlives(case, tell, kills(server, heard, random)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_outlives_cuts_in_the_middle_of_commits_under_load() {
    if !postgres::is_there("the_program_outlives_cuts_in_the_middle_of_commits_under_load") {
        return;
    }
    let (random, story) = seeded();
    let mut case = Case::new(Engine::postgres().await, &story).await;
    let url = case.engine.url().expect("an address");
    let port = url.parse::<PgConnectOptions>().expect("it reads").get_port();
    let proxy = Proxy::to(port).await;
    let wired = url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    case.settings = vec![("DATABASE_URL", wired)];
    let (tell, heard) = watch::channel(Heard::default());
    outlives(case, tell, cuts(proxy, heard, random)).await;
}
