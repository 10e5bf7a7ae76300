//! A message whose handling ends the process every time: charged at each start, given up in the end, alone in its fate.

use super::case::{Case, Template};
use super::engine::Engine;
use super::load::{POISON, Server};
use crate::support::postgres;
use meal_planner::actors::Retries;
use meal_planner::store::{Cause, DeadLetterQuery, Outcome};

/// Of each client, as many requests as end behind one poisoned one.
const REQUESTS: usize = 60;

/// Answers whether it came to the end of its requests alive.
async fn live(case: &mut Case) -> bool {
    let victim = &mut case.start(&[("MEAL_PLANNER_CRASH_ON_KEY", POISON.to_owned())]);
    let Some(url) = victim.serving().await else { return false };
    let server = Server::of(url, case.folder.path());
    let dead = victim.dead();
    let asked = async {
        while !case.load.reach(&server, REQUESTS).await.unwrap() {}
        crate::support::until("all is handled", || server.is_idle_but(0)).await;
    };
    tokio::select! {
        () = asked => true,
        () = dead => false,
    }
}

async fn deadly(engine: Engine) {
    let template = Template::new(&engine).await;
    let mut case = template.case("a deadly message").await;
    let (mut deaths, limit) = (0, Retries::default().limit());
    while !live(&mut case).await {
        deaths += 1;
        assert!(deaths <= 2 * limit, "it goes on dying");
    }
    assert_eq!(deaths, limit, "each death is one attempt");
    case.go_on(2).await;

    let store = case.engine.open(case.data()).await;
    let deadly = &case.load.answered[0][48];
    let message = store.message(*deadly).await.unwrap().unwrap();
    assert_eq!(message.envelope.key.as_str(), POISON);
    let outcome = message.outcome.unwrap().outcome;
    assert!(matches!(outcome, Outcome::Dead { .. }), "{outcome:?}");
    let attempts = store.attempts(message.envelope.position).await.unwrap();
    let causes: Vec<Cause> = attempts.iter().map(|attempt| attempt.cause).collect();
    assert_eq!(causes, vec![Cause::ProcessCrash; limit as usize]);
    let dead = store.dead_letters(DeadLetterQuery { limit: 10, ..Default::default() }).await.unwrap();
    let positions: Vec<i64> = dead.iter().map(|letter| letter.id.position).collect();
    assert_eq!(positions, [message.envelope.position], "its neighbours share its fate");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_ends_the_process_every_time_is_given_up() {
    deadly(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_ends_the_process_every_time_is_given_up_over_postgres() {
    if postgres::is_there("a_message_that_ends_the_process_every_time_is_given_up_over_postgres") {
        deadly(Engine::postgres().await).await;
    }
}
