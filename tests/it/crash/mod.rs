//! Crashes of the real program: at every named point, at random moments, while it erases somebody, copies a store or
//! brings one up to date; of the database under it; and what the store holds after any cut.

pub mod audit;
pub mod case;
mod copying;
pub mod engine;
mod erasing;
pub mod load;
mod outage;
mod outside;
mod points;
mod poison;
mod prefix;
mod random;
mod seen;
mod soak;
mod upgrading;
pub mod victim;

use crate::support::postgres;
use case::{Case, Template};
use engine::Engine;
use futures_util::StreamExt;
use meal_planner::fault::{POINTS, Phase, Point};
use random::Random;

/// Cases at a time.
const AT_ONCE: usize = 2;
/// Lives after which what is rarely passed must have been.
const LIVES: usize = 4;

/// How often a case dies before it is left in peace.
#[derive(Clone, Copy)]
enum Deaths {
    Once,
    /// And again while it recovers, where recovery comes by the point.
    Again,
}

async fn each_point(engine: Engine, deaths: Deaths) {
    let seed = Random::seed("CRASH_SEED");
    println!("CRASH_SEED={seed} {}", engine.name());
    let template = Template::new(&engine).await;
    let points = POINTS.iter().filter(|point| !matches!(point.phase, Phase::Erase | Phase::Copy));
    let cases = points.zip(1..).map(async |(point, n)| {
        let story = format!("CRASH_SEED={seed}");
        let new = point.phase == Phase::Start;
        let case =
            if new { Case::new(engine.fresh().await, &story).await } else { template.case(&story).await };
        let began = std::time::Instant::now();
        let case = die_and_recover(case, *point, deaths, Random::new(seed.wrapping_add(n))).await;
        println!("{:>5} ms  {}", began.elapsed().as_millis(), case.story);
        case.engine.remove().await;
    });
    futures_util::stream::iter(cases).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// The point is passed this often, at most, before it is the end: within what one life comes by.
fn most_passings(point: Point) -> u64 {
    match point.name.split('.').next() {
        Some("snapshot") => 1,
        Some("burn" | "rebuild" | "timer" | "reactor" | "retry") => 2,
        Some("effect" | "saga") => 8,
        Some(_) | None => 25,
    }
}

async fn die_and_recover(mut case: Case, point: Point, deaths: Deaths, mut random: Random) -> Case {
    let nth = if point.phase == Phase::Work { random.between(1, most_passings(point)) } else { 1 };
    let mut died = case.crash(point, nth).await;
    for _ in 0..LIVES {
        died = died || case.crash(point, 1).await;
    }
    assert!(died, "{}: the point was not reached", case.story);
    match (deaths, point.phase) {
        (Deaths::Once, _) => {}
        // Each start gets one step further.
        (Deaths::Again, Phase::Start) => {
            let mut nth = 2;
            while case.crash(point, nth).await {
                nth += 1;
            }
        }
        (Deaths::Again, Phase::Work | Phase::Stop | Phase::Erase | Phase::Copy) => {
            case.crash(point, random.between(1, 3)).await;
        }
    }
    case.go_on(4).await;
    case
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_point_it_dies_at_nothing_is_lost_or_done_twice() {
    each_point(Engine::Sqlite, Deaths::Once).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_again_while_it_recovers_is_no_different() {
    each_point(Engine::Sqlite, Deaths::Again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_point_it_dies_at_nothing_is_lost_or_done_twice_over_postgres() {
    if postgres::is_there("whatever_point_it_dies_at_nothing_is_lost_or_done_twice_over_postgres") {
        each_point(Engine::postgres().await, Deaths::Once).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_again_while_it_recovers_is_no_different_over_postgres() {
    if postgres::is_there("dying_again_while_it_recovers_is_no_different_over_postgres") {
        each_point(Engine::postgres().await, Deaths::Again).await;
    }
}
