//! Kills at random moments: one folder lives through all of them.

use super::case::Case;
use super::engine::Engine;
use super::load::Server;
use super::random::Random;
use crate::support::{postgres, until};
use std::time::{Duration, Instant};

/// Kills when nobody says how many.
const KILLS: u64 = 200;
/// Over PostgreSQL, where each life begins with connections to a server.
const KILLS_OVER_POSTGRES: u64 = 30;
/// Requests of each client in one life, at most.
const REQUESTS: usize = 30;
/// How long a life may last at least and, where the machine is not busy, at most; and where it is.
const SHORTEST_MS: u64 = 50;
const LONGEST_MS: u64 = 400;
const LONGEST_BUSY_MS: u64 = 1500;
/// Lives between two looks at everything.
const AUDIT_EVERY: u64 = 50;

fn kills(unless_said: u64) -> u64 {
    std::env::var("SOAK_KILLS").map_or(unless_said, |text| text.parse().expect("a count is a number"))
}

async fn soak(engine: Engine, kills: u64) {
    let seed = Random::seed("SOAK_SEED");
    println!("SOAK_SEED={seed} SOAK_KILLS={kills} {}", engine.name());
    let mut random = Random::new(seed);
    let mut case = Case::new(engine, &format!("SOAK_SEED={seed}")).await;
    // Kills at random moments are no message's fault: however often one was being handled then, it is not given up. What
    // a message is charged with, and when it is given up, is what other tests are about.
    case.settings = vec![("MEAL_PLANNER_RETRY_PAUSES_S", vec!["0"; 100].join(","))];
    let story = case.story.clone();
    // The first life fills a new store. One after that says how much gets done on this machine: where no life is long
    // enough to handle a message, it is given up after six, and rightly so.
    case.go_on(2).await;
    let longest = (undisturbed(&mut case).await.as_millis() as u64).clamp(LONGEST_MS, LONGEST_BUSY_MS);
    for kill in 1..=kills {
        let pause = Duration::from_millis(random.between(SHORTEST_MS, longest));
        live_and_die(&mut case, pause).await;
        if kill % AUDIT_EVERY == 0 || kill == kills {
            case.story = format!("{story}, after {kill} kills");
            case.go_on(1).await;
        }
    }
    println!("{kills} kills, {} requests answered", case.load.requests());
    case.engine.remove().await;
}

/// How long it takes to start and to handle something.
async fn undisturbed(case: &mut Case) -> Duration {
    let began = Instant::now();
    let mut victim = case.start(&[]);
    let url = victim.serving().await.expect("it serves");
    let server = Server::of(url, case.folder.path());
    assert!(case.load.go_on(&server, 1).await.expect("the answers are right"));
    until("all is handled", || server.is_idle_but(0)).await;
    let took = began.elapsed();
    victim.terminate();
    assert!(victim.ended().await.success(), "{}", victim.tail());
    took
}

/// One life of so long, asked things as long as it answers.
async fn live_and_die(case: &mut Case, pause: Duration) {
    let mut victim = case.start(&[]);
    let death = tokio::time::sleep(pause);
    let life = async {
        if let Some(url) = victim.serving().await {
            let server = Server::of(url, case.folder.path());
            case.load
                .go_on(&server, REQUESTS)
                .await
                .unwrap_or_else(|wrong| panic!("{}: {wrong}", case.story));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = death => {}
        () = life => {}
    }
    victim.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_through_many_kills() {
    soak(Engine::Sqlite, kills(KILLS)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_through_many_kills_over_postgres() {
    if postgres::is_there("nothing_is_lost_or_done_twice_through_many_kills_over_postgres") {
        soak(Engine::postgres().await, kills(KILLS_OVER_POSTGRES)).await;
    }
}
