//! Those who talk to the process: each gives its commands in order, repeats itself, breaks off, and remembers
//! what it was promised.

use super::plan::Fault;
use super::sim::{Promise, Sim};
use crate::support::contexts::{Append, Forward, Ledger, Refuse, Scale, Weigh};
use crate::support::world::command;
use meal_planner::actors::{Accepted, NewCommand, Refusal, Runtime};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const KEYS: [&str; 4] = ["a", "b", "c", "d"];
/// Longer than any outage and any restart.
const ANSWER_WITHIN: Duration = Duration::from_mins(5);
/// A waiter is told of an outcome in less.
const TOLD_WITHIN_US: i64 = 10_000_000;

/// What a client knows, whatever becomes of the process.
pub struct Client {
    commands: Vec<NewCommand>,
    next: Mutex<usize>,
}

impl Client {
    pub fn new(sim: &Sim, n: usize) -> Arc<Self> {
        let commands = (0..sim.plan.commands).map(|m| make(sim, (n * 1000 + m) as i64)).collect();
        Arc::new(Self { commands, next: Mutex::new(0) })
    }

    /// Goes on where it stood, until every command is accepted or given up.
    pub async fn run(self: Arc<Self>, sim: Arc<Sim>) {
        loop {
            let next = *self.next.lock().unwrap();
            let Some(command) = self.commands.get(next) else { return };
            give(&sim, command).await;
            *self.next.lock().unwrap() = next + 1;
        }
    }
}

fn make(sim: &Sim, number: i64) -> NewCommand {
    let mut dice = sim.dice();
    let key = *dice.pick(&KEYS);
    let to = (*dice.pick(&KEYS)).to_owned();
    let mut made = match dice.below(10) {
        0 => command::<Ledger>(key, Refuse { why: number.to_string() }),
        1 => command::<Ledger>(key, Forward { number, to, ask: dice.per_mille(500) }),
        2 => command::<Scale>(key, Weigh { ledgers: vec![to], number }),
        _ => command::<Ledger>(key, Append { number }),
    };
    made.id = dice.id();
    made.id_given = dice.per_mille(700);
    if !made.id_given {
        let (mut digest, id) = ([0; 32], made.id);
        digest[..16].copy_from_slice(id.as_bytes());
        made.idempotency = Some((digest, [1; 32]));
    }
    if sim.plan.has(Fault::PanicDecide) && dice.per_mille(60) {
        let times = *dice.pick(&[1, 2, 3, 1000]);
        sim.poison.lock().unwrap().insert(made.id, times);
    }
    made
}

async fn give(sim: &Arc<Sim>, command: &NewCommand) {
    let mut tries = 0;
    loop {
        let Some((epoch, runtime)) = sim.process() else {
            drop(sim.started.subscribe().changed().await);
            continue;
        };
        let (pause, again, asks) = {
            let mut dice = sim.dice();
            (dice.up_to_ms(300), dice.per_mille(200), dice.per_mille(300))
        };
        match attempt(sim, &runtime, epoch, command.clone(), asks).await {
            Some(Ok(accepted)) => {
                promised(sim, &accepted);
                if !again || tries > 20 {
                    return;
                }
            }
            Some(Err(Refusal::Store(_))) => {}
            Some(Err(refusal)) => return sim.violation(format!("{} is refused: {refusal}", command.id)),
            None => {}
        }
        drop(runtime);
        tries += 1;
        let gives_up = !sim.calm.load(SeqCst) && tries > 3 && sim.dice().per_mille(100);
        if gives_up {
            return sim.note(format!("a client gives up on {}", command.id));
        }
        tokio::time::sleep(pause).await;
    }
}

/// `None`: the client broke off.
async fn attempt(
    sim: &Arc<Sim>,
    runtime: &Arc<Runtime>,
    epoch: i64,
    mut command: NewCommand,
    asks: bool,
) -> Option<Result<Accepted, Refusal>> {
    if command.idempotency.is_some() && sim.dice().per_mille(500) && !sim.knows(&command) {
        // The edge makes a new id for each request; the key is what makes it the same.
        command.id = sim.dice().id();
    }
    let hangs_up = sim.strikes(Fault::HangUp).then(|| sim.dice().up_to_ms(30));
    let dispatcher = runtime.dispatcher();
    let answer = async {
        if !asks {
            return dispatcher.accept(command).await;
        }
        let (accepted, done) = dispatcher.ask(command, Duration::from_mins(1)).await?;
        if done.is_none() {
            told_in_vain(sim, epoch, &accepted);
        }
        Ok(accepted)
    };
    // With its tree a process ends, and the connection with the process.
    let answer = async {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = runtime.ended() => None,
        }
    };
    let Some(after) = hangs_up else {
        let answer = tokio::time::timeout(ANSWER_WITHIN, answer).await;
        if answer.is_err() {
            sim.violation("whoever gave a command was never answered".to_owned());
        }
        return answer.ok().flatten();
    };
    tokio::time::timeout(after, answer).await.ok().flatten()
}

/// Somebody waited for an outcome and was not told, although it was there.
fn told_in_vain(sim: &Sim, epoch: i64, accepted: &Accepted) {
    let tables = sim.disk.tables();
    let stored = tables.ids.get(&accepted.id).and_then(|position| tables.outcomes.get(position));
    let there_for_us = stored.map_or(0, |outcome| sim.now().timestamp_micros() - outcome.at_us);
    let owned = tables.epoch == epoch;
    drop(tables);
    sim.check(!owned || there_for_us < TOLD_WITHIN_US, || {
        format!("a waiter was not told of the outcome of {}", accepted.id)
    });
}

fn promised(sim: &Sim, accepted: &Accepted) {
    let promise = Promise { position: accepted.position };
    let before = sim.promises.lock().unwrap().insert(accepted.id, promise);
    sim.check(before.is_none_or(|before| before == promise), || {
        format!("{} was promised at {before:?} and at {promise:?}", accepted.id)
    });
    sim.check(before.is_none() || accepted.repeated, || format!("{} was accepted twice", accepted.id));
    sim.beat(&format!("accepted {}", accepted.position));
}

impl Sim {
    /// Whether a run depends on this very id.
    fn knows(&self, command: &NewCommand) -> bool {
        self.poison.lock().unwrap().contains_key(&command.id)
    }
}
