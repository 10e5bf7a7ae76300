//! What must hold once faults have stopped, whatever happened before.

use super::clients::KEYS;
use super::life::expects_no_restart;
use super::sim::Sim;
use crate::support::contexts::{
    Answered, Book, Forwarded, Jot, Ledger, LedgerEvent, MirrorEvent, Refuse, Scale, Weigh,
};
use crate::support::memory::Tables;
use crate::support::world::{SUMS, command, contexts};
use meal_planner::actors::{NewCommand, Refusal, Retries, Runtime};
use meal_planner::domain::context::Context;
use meal_planner::domain::envelope::{Envelope, Kind};
use meal_planner::domain::message::Message;
use meal_planner::store::{Outcome, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Waits until nothing waits and all readers have read everything.
pub async fn settled(sim: &Arc<Sim>, runtime: &Runtime, patience: Duration) -> Result<(), String> {
    let settles = async {
        loop {
            let last = {
                let tables = sim.disk.tables();
                tables.inbox.is_empty().then(|| tables.last_position())
            };
            if let Some(last) = last {
                let reader = sim.disk.tables().checkpoints.get("mirror_reactions").copied();
                let appended = newest_appended(&sim.disk.tables());
                runtime.hub().caught_up("ledger", last).await;
                if reader.unwrap_or(0) >= appended && sim.disk.tables().last_position() == last {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(patience, settles).await.map_err(|_| {
        let tables = sim.disk.tables();
        format!("not everything is handled: {:?}, checkpoints {:?}", tables.inbox, tables.checkpoints)
    })
}

fn newest_appended(tables: &Tables) -> i64 {
    let appended = |message: &&Envelope| *message.type_name == *"Appended";
    tables.events.iter().rev().find(appended).map_or(0, |message| message.position)
}

/// With the process at hand: its states are those that its events tell, and keys do not wait for each other.
pub async fn while_running(sim: &Arc<Sim>, runtime: &Runtime) {
    for view in runtime.hub().registry.all() {
        sim.check(!expects_no_restart(sim) || view.restarts == 0, || {
            format!("outages alone have restarted {} {} times", view.path, view.restarts)
        });
    }
    for key in KEYS {
        let probe = with_id(sim, command::<Ledger>(key, Refuse { why: "probe".to_owned() }));
        let id = probe.id;
        if ask(runtime, probe).await.is_none() {
            return sim.violation(format!("the ledger {key} does not answer any more"));
        }
        let live = sim.books.lock().unwrap().get(&id).cloned();
        let replayed = replay(&sim.disk.tables(), key);
        sim.check(live.as_ref() == Some(&replayed), || {
            format!("the live state of {key} is {live:?}, its events say {replayed:?}")
        });
    }
    keys_are_independent(sim, runtime).await;
}

/// One key waits for its facts; another does not wait for it, and what stands behind it does.
async fn keys_are_independent(sim: &Arc<Sim>, runtime: &Runtime) {
    sim.held.send_replace(Some("held".to_owned()));
    let weigh =
        with_id(sim, command::<Scale>("waits", Weigh { ledgers: vec!["held".to_owned()], number: 1 }));
    let behind = with_id(sim, command::<Scale>("waits", Jot { number: 2 }));
    let other = with_id(sim, command::<Scale>("free", Jot { number: 3 }));
    let ids = [weigh.id, behind.id];
    for command in [weigh, behind] {
        sim.check(runtime.dispatcher().accept(command).await.is_ok(), || "nothing is accepted".to_owned());
    }
    sim.check(ask(runtime, other).await.is_some(), || "a key waits for another".to_owned());
    let early = ids.iter().any(|id| outcome(&sim.disk.tables(), *id).is_some());
    sim.check(!early, || "a key that waits for facts did not wait".to_owned());
    sim.held.send_replace(None);
    if let Err(what) = settled(sim, runtime, Duration::from_mins(1)).await {
        sim.violation(what);
    }
}

fn with_id(sim: &Sim, command: NewCommand) -> NewCommand {
    NewCommand { id: sim.dice().id(), ..command }
}

/// Asks again where nothing was accepted: what has just died may still be on its way up.
async fn ask(runtime: &Runtime, command: NewCommand) -> Option<Outcome> {
    let answered = async {
        loop {
            match runtime.dispatcher().ask(command.clone(), Duration::from_secs(10)).await {
                Err(Refusal::Store(StoreError::Unavailable(_))) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Ok((_, done)) => return done.map(|done| done.outcome),
                Err(_) => return None,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), answered).await.ok()?
}

fn replay(tables: &Tables, key: &str) -> Book {
    let mut book = Book::default();
    for event in ledger_events(tables).filter(|event| event.key.as_str() == key) {
        Ledger::evolve(&mut book, &read(event));
    }
    book
}

fn ledger_events(tables: &Tables) -> impl Iterator<Item = &Envelope> {
    tables.events.iter().filter(|m| m.kind == Kind::Event && *m.context == *Ledger::NAME)
}

fn read(event: &Envelope) -> LedgerEvent {
    LedgerEvent::decode(&event.type_name, event.schema_version, &event.body).unwrap()
}

fn outcome(tables: &Tables, id: Uuid) -> Option<&Outcome> {
    Some(&tables.outcomes.get(tables.ids.get(&id)?)?.outcome)
}

/// What the disk says after the last process has ended.
pub fn everything(sim: &Sim) {
    let tables = sim.disk.tables().clone();
    promises_are_kept(sim, &tables);
    each_command_ended_once(sim, &tables);
    keys_kept_their_order(sim, &tables);
    readers_saw_each_event_once(sim, &tables);
    attempts_were_deserved(sim, &tables);
}

fn promises_are_kept(sim: &Sim, tables: &Tables) {
    for (id, promise) in sim.promises.lock().unwrap().iter() {
        let found = tables.ids.get(id);
        sim.check(found == Some(&promise.position), || {
            format!("{id} was promised at {} and is at {found:?}", promise.position)
        });
    }
    let mut last = BTreeMap::new();
    for message in &tables.events {
        let Some(version) = message.stream_version else { continue };
        let before = last.insert((message.context.clone(), message.key.clone()), version).unwrap_or(0);
        sim.check(version == before + 1, || format!("version {version} of {} follows {before}", message.key));
    }
}

fn each_command_ended_once(sim: &Sim, tables: &Tables) {
    let mut caused: HashMap<Uuid, Vec<&Envelope>> = HashMap::new();
    let mut ids = HashMap::new();
    for message in &tables.events {
        *ids.entry(message.id).or_insert(0) += 1;
        if let Some(cause) = message.causation_id {
            caused.entry(cause).or_default().push(message);
        }
    }
    for command in tables.events.iter().filter(|message| message.kind == Kind::Command) {
        let id = command.id;
        sim.check(ids[&id] == 1, || format!("{id} is there {} times", ids[&id]));
        let Some(stored) = tables.outcomes.get(&command.position) else {
            sim.violation(format!("{} ({id}) has no outcome", command.type_name));
            continue;
        };
        let ended = sim.history().handled.get(&id).copied().unwrap_or(0);
        sim.check(ended == 1, || format!("{id} was handled {ended} times"));
        let effects = caused.get(&id).map_or(&[][..], |all| all).iter();
        // Not the notices of the runtime itself.
        let events = effects.filter(|m| m.kind == Kind::Event && m.context == command.context).count();
        let expected = usize::from(stored.outcome == Outcome::Handled);
        sim.check(events == expected, || {
            format!("{} ({id}) ended as {:?} with {events} events", command.type_name, stored.outcome)
        });
    }
}

/// In the order of positions: whoever came later is handled later.
fn keys_kept_their_order(sim: &Sim, tables: &Tables) {
    let mut newest: HashMap<_, i64> = HashMap::new();
    for event in tables.events.iter().filter(|message| message.kind == Kind::Event) {
        let cause = event.causation_id.and_then(|id| tables.ids.get(&id)).copied();
        let cause = cause.filter(|cause| tables.at(*cause).is_some_and(|to| to.context == event.context));
        let Some(cause) = cause else { continue };
        let before = newest.insert((&event.context, &event.key), cause).unwrap_or(0);
        sim.check(cause > before, || {
            format!("{} {}: {cause} was handled after {before}", event.context, event.key)
        });
    }
}

fn readers_saw_each_event_once(sim: &Sim, tables: &Tables) {
    let made = contexts();
    let sums = made.projections().first().unwrap();
    let mut fold = sums.fold();
    let events: Vec<_> = ledger_events(tables).cloned().map(Arc::new).collect();
    fold.begin(&events);
    let rebuilt = fold.finish(Vec::new()).unwrap();
    let rebuilt: BTreeMap<_, _> =
        rebuilt.into_iter().filter_map(|change| Some((change.key, change.row?.body))).collect();
    let kept = tables.rows.get(SUMS).into_iter().flatten();
    let kept: BTreeMap<_, _> = kept.map(|(key, row)| (key.clone(), row.body.clone())).collect();
    sim.check(kept == rebuilt, || format!("the read model is {kept:?}, rebuilt {rebuilt:?}"));

    let mut notes: HashMap<Uuid, u32> = HashMap::new();
    for event in tables.events.iter().filter(|m| m.kind == Kind::Event && *m.context == *"mirror") {
        let MirrorEvent::Noted(noted) = MirrorEvent::decode(&event.type_name, 1, &event.body).unwrap();
        *notes.entry(noted.of).or_default() += 1;
    }
    let (mut asked, mut answered) = (0, 0);
    for event in &events {
        match read(event) {
            LedgerEvent::Appended(_) => {
                let times = notes.get(&event.id).copied().unwrap_or(0);
                let dead = note_is_dead(tables, event.id);
                sim.check(times == u32::from(!dead), || {
                    format!("{} was answered {times} times (dead: {dead})", event.id)
                });
            }
            LedgerEvent::Forwarded(Forwarded { ask, .. }) => asked += u32::from(ask),
            LedgerEvent::Answered(Answered { .. }) => answered += 1,
        }
    }
    let dead = dead_answers(tables);
    sim.check(asked == answered + dead, || format!("{asked} questions, {answered} answers, {dead} dead"));
}

fn note_is_dead(tables: &Tables, of: Uuid) -> bool {
    let note = tables.events.iter().find(|m| m.causation_id == Some(of) && *m.context == *"mirror");
    note.is_some_and(|note| matches!(outcome(tables, note.id), Some(Outcome::Dead { .. })))
}

fn dead_answers(tables: &Tables) -> u32 {
    let answers = tables.events.iter().filter(|m| *m.type_name == *"RecordAnswer");
    answers.filter(|m| matches!(outcome(tables, m.id), Some(Outcome::Dead { .. }))).count() as u32
}

/// A message is blamed for its own failures alone, and dies of nothing else.
fn attempts_were_deserved(sim: &Sim, tables: &Tables) {
    let history = sim.history().clone();
    for command in tables.events.iter().filter(|message| message.kind == Kind::Command) {
        let panics = history.panics.get(&command.id).copied().unwrap_or(0);
        let refusals = history.refusals.get(&command.position).copied().unwrap_or(0);
        let deserved = panics + refusals + history.kills + history.crashes;
        let burnt = tables.attempts.get(&command.position).map_or(0, |attempts| attempts.len() as u32);
        sim.check(burnt <= deserved, || {
            format!("{} attempts at {} were counted, {deserved} deserved", burnt, command.position)
        });
        // What is decided beside an actor may panic after the actor has died of something else: no attempt of the
        // living, as its success would have been none.
        let beside = *command.type_name == *"Weigh";
        sim.check(!sim.plan.counts_attempts_exactly() || beside || burnt == panics, || {
            format!(
                "{panics} panics over {} ({}), {burnt} attempts counted",
                command.position, command.type_name
            )
        });
        let dead = matches!(outcome(tables, command.id), Some(Outcome::Dead { .. }));
        sim.check(!dead || burnt >= Retries::default().limit(), || {
            format!("{} is a dead letter after {burnt} attempts", command.position)
        });
    }
}
