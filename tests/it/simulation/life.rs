//! The lives of the process: started, killed in parts, crashed, overtaken, and in the end left in peace.

use super::checks;
use super::clients::Client;
use super::disk::SimStore;
use super::plan::Fault;
use super::sim::{Planted, Process, Sim};
use crate::support::contexts;
use crate::support::world;
use meal_planner::actors::{Runtime, Stage};
use meal_planner::store::Store as _;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::task::JoinSet;

/// Everything is handled in less once faults have stopped: all pauses of all retries together.
const PEACE: Duration = Duration::from_mins(20);

enum End {
    /// To be started again.
    Died,
    Finished,
}

/// Runs one seed to its end and answers what it has seen.
pub fn run(seed: u64, planted: Option<Planted>) -> Arc<Sim> {
    let sim = Sim::new(seed, planted);
    let clients: Vec<_> = (0..sim.plan.clients).map(|n| Client::new(&sim, n)).collect();
    let observed = Arc::downgrade(&sim);
    contexts::observe(Some(Rc::new(move |moment| {
        if let Some(sim) = observed.upgrade() {
            sim.watch(moment);
        }
    })));
    for life in 1.. {
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        let machine = builder.enable_time().start_paused(true).build().unwrap();
        let end = machine.block_on(async {
            sim.start_clock();
            let end = live(&sim, &clients).await;
            sim.stop_clock();
            end
        });
        // Whatever still ran stands where it stood, for ever.
        sim.end_life();
        drop(machine);
        if let (Some(durable), End::Died) = (sim.durable.lock().unwrap().take(), &end) {
            let epoch = sim.disk.tables().epoch;
            *sim.disk.tables() = crate::support::memory::Tables { epoch, ..durable };
        }
        if matches!(end, End::Finished) || !sim.violations().is_empty() {
            break;
        }
        if life >= 6 {
            sim.calm.store(true, SeqCst);
        }
        if life >= 12 {
            sim.violation("the process does not come to rest".to_owned());
            break;
        }
    }
    contexts::observe(None);
    if sim.violations().is_empty() {
        checks::everything(&sim);
    }
    sim
}

/// A process over the simulated disk; started again by whoever runs it until it starts.
async fn start(sim: &Arc<Sim>) -> Arc<Runtime> {
    loop {
        let store = SimStore::open(sim);
        let epoch = store.epoch();
        // What the one before was handling is charged with an attempt.
        sim.history().crashes += u32::from(store.was_unclean());
        let made = world::contexts().environment(sim.environment());
        match Runtime::start(store, made).await {
            Ok(runtime) => {
                let runtime = Arc::new(runtime);
                sim.note(format!("epoch {epoch} has started"));
                let process = Process { epoch, runtime: Arc::downgrade(&runtime) };
                sim.processes.lock().unwrap().push(process);
                sim.started.send_replace(epoch);
                return runtime;
            }
            Err(error) => {
                sim.note(format!("epoch {epoch} does not start: {error}"));
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

async fn live(sim: &Arc<Sim>, clients: &[Arc<Client>]) -> End {
    let mut runtime = tokio::select! {
        biased;
        () = sim.crash.notified() => return End::Died,
        runtime = start(sim) => runtime,
    };
    let mut zombies = Vec::new();
    let mut talking = JoinSet::new();
    for client in clients {
        talking.spawn(client.clone().run(sim.clone()));
    }
    loop {
        tokio::select! {
            biased;
            () = sim.crash.notified() => return End::Died,
            () = runtime.ended() => {
                sim.note("the tree has ended");
                return End::Died;
            }
            () = sim.take_over.notified() => {
                sim.note("another process takes over");
                let next = tokio::select! {
                    biased;
                    () = sim.crash.notified() => return End::Died,
                    next = start(sim) => next,
                };
                zombies.push(std::mem::replace(&mut runtime, next));
            }
            done = talking.join_next() => match done {
                Some(done) => done.unwrap(),
                None => break,
            },
        }
    }
    sim.calm.store(true, SeqCst);
    drop(zombies);
    rest(sim, runtime).await
}

/// After the last fault: everything is handled without anybody's help, unless something is quarantined and says so.
async fn rest(sim: &Arc<Sim>, runtime: Arc<Runtime>) -> End {
    let settled = tokio::select! {
        biased;
        () = sim.crash.notified() => return End::Died,
        () = runtime.ended() => return End::Died,
        settled = checks::settled(sim, &runtime, PEACE) => settled,
    };
    let stays_down: Vec<_> =
        runtime.hub().registry.all().into_iter().filter(|view| view.state == Stage::Quarantined).collect();
    for view in &stays_down {
        sim.check(view.last_error.is_some(), || format!("{} is quarantined without a word", view.path));
    }
    if !stays_down.is_empty() {
        sim.note(format!("{} are quarantined; the operator restarts", stays_down.len()));
        return stop(sim, runtime, End::Died).await;
    }
    if let Err(what) = settled {
        sim.violation(what);
        return End::Finished;
    }
    checks::while_running(sim, &runtime).await;
    stop(sim, runtime, End::Finished).await
}

async fn stop(sim: &Sim, runtime: Arc<Runtime>, end: End) -> End {
    match Arc::try_unwrap(runtime) {
        Ok(runtime) => {
            let stopped = tokio::time::timeout(Duration::from_mins(5), runtime.stop()).await;
            sim.check(matches!(stopped, Ok(Ok(()))), || format!("the runtime does not stop: {stopped:?}"));
        }
        Err(_) => sim.note("somebody still holds the runtime"),
    }
    end
}

/// Seeds without these faults must not restart anything.
pub fn expects_no_restart(sim: &Sim) -> bool {
    sim.plan.has_only_outages() && !sim.plan.has(Fault::Crash)
}
