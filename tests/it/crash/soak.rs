//! Kills at random moments: one folder lives through all of them.

use super::case::Case;
use super::engine::Engine;
use super::load::Server;
use super::random::Random;
use crate::support::postgres;
use std::time::Duration;

/// Kills when nobody says how many.
const KILLS: u64 = 200;
/// Over PostgreSQL, where each life begins with connections to a server.
const KILLS_OVER_POSTGRES: u64 = 30;
/// Requests of each client in one life, at most.
const REQUESTS: usize = 30;
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
    let story = case.story.clone();
    for kill in 1..=kills {
        let pause = Duration::from_millis(random.between(50, 400));
        live_and_die(&mut case, pause).await;
        if kill % AUDIT_EVERY == 0 || kill == kills {
            case.story = format!("{story}, after {kill} kills");
            case.go_on(1).await;
        }
    }
    println!("{kills} kills, {} requests answered", case.load.requests());
    case.engine.remove().await;
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
