//! A deterministic simulation of the runtime: the real journal, lanes, contexts, readers and supervisors, on paused
//! time and a simulated disk, with faults thrown by a seed. `SIM_SEED=n` runs one seed, `SIM_SEEDS=n` that many.

mod checks;
mod clients;
mod disk;
mod life;
mod plan;
mod sim;

use life::run;
use sim::{Planted, Sim};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// Seeds that the ordinary tests run; `just simulate` runs more.
const SEEDS: u64 = 2000;
const THREADS: usize = 2;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn report(sim: &Sim) -> String {
    let mut text = format!("seed {} breaks its promises:\n", sim.seed);
    for violation in sim.violations() {
        text += &format!("  {violation}\n");
    }
    text += &format!("{:?}\n", sim.plan);
    for line in sim.trace() {
        text += &format!("{line}\n");
    }
    text + &format!("again: SIM_SEED={} cargo test simulation", sim.seed)
}

/// Runs seeds one after the other on some threads; answers the runs that broke something.
fn run_seeds(seeds: u64) -> Vec<Arc<Sim>> {
    let next = AtomicU64::new(0);
    let work = || {
        let mut broken = Vec::new();
        loop {
            let seed = next.fetch_add(1, SeqCst);
            if seed >= seeds || broken.len() > 3 {
                return broken;
            }
            let sim = run(seed, None);
            if !sim.violations().is_empty() {
                broken.push(sim);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn every_promise_is_kept_under_seeded_faults() {
    if let Some(seed) = number("SIM_SEED") {
        let sim = run(seed, None);
        assert!(sim.violations().is_empty(), "{}", report(&sim));
        println!("seed {seed} keeps its promises: {:?}\n{}", sim.plan, sim.trace().join("\n"));
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let started = Instant::now();
    let broken = run_seeds(seeds);
    println!("{seeds} seeds in {} ms on {THREADS} threads", started.elapsed().as_millis());
    let reports: Vec<_> = broken.iter().map(|sim| report(sim)).collect();
    let seeds: Vec<_> = broken.iter().map(|sim| sim.seed).collect();
    assert!(broken.is_empty(), "{}\nseeds: {seeds:?}", reports.join("\n\n"));
}

#[test]
fn the_same_seed_runs_the_same_way_twice() {
    for seed in 0..60 {
        let (one, two) = (run(seed, None), run(seed, None));
        assert_eq!(one.trace(), two.trace(), "seed {seed}");
        assert_eq!(one.pulse(), two.pulse(), "seed {seed}");
        assert_eq!(*one.disk.tables(), *two.disk.tables(), "seed {seed}");
    }
}

/// Runs seeds until one notices what is wrong.
fn finds(planted: Planted) {
    let found = (0..400).map(|seed| run(seed, Some(planted))).find(|sim| !sim.violations().is_empty());
    let sim = found.unwrap_or_else(|| panic!("{planted:?} was not noticed"));
    println!("{planted:?}: seed {}: {}", sim.seed, sim.violations()[0]);
}

#[test]
fn a_store_that_answers_before_it_is_durable_is_found() {
    finds(Planted::EarlyAnswer);
}

#[test]
fn a_store_without_an_epoch_is_found() {
    finds(Planted::NoEpoch);
}

#[test]
fn a_store_that_writes_things_twice_is_found() {
    finds(Planted::NoUniqueness);
}

#[test]
fn a_checkpoint_that_is_written_late_is_found() {
    finds(Planted::LateCheckpoint);
}

#[test]
fn a_unit_that_is_torn_is_found() {
    finds(Planted::TornUnit);
}
