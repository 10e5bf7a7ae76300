//! A model check of accept, handle, commit and acknowledge: every order of steps, faults and crashes within small bounds.

mod protocol;
mod state;

use protocol::Protocol;
use state::{ASKED, Action, Client, Id, Job, Kind, State, Variant};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

const DURABLE: &str = "what is acknowledged is durable";
const ONCE_ACCEPTED: &str = "nothing is accepted twice";
const ONCE_HANDLED: &str = "nothing is handled twice";
const PERSISTED_FIRST: &str = "nothing is handled before it is durable";
const OWNED: &str = "an epoch that is over commits nothing";
const IN_ORDER: &str = "messages of a key are handled in order";
const FINISHED: &str = "everything accepted is handled in the end";

fn properties() -> Vec<Property<Protocol>> {
    vec![
        Property::always(DURABLE, |_, state: &State| {
            let told = state.clients.iter().zip(ASKED).filter(|(client, _)| **client == Client::Acknowledged);
            told.into_iter().all(|(_, id)| state.has(Kind::Accepted, id))
        }),
        Property::always(ONCE_ACCEPTED, |_, state: &State| is_unique(state.ids(Kind::Accepted))),
        Property::always(ONCE_HANDLED, |_, state: &State| is_unique(state.ids(Kind::Handled))),
        Property::always(PERSISTED_FIRST, |_, state: &State| {
            let jobs = state.processes.iter().flat_map(|process| &process.jobs);
            let is_durable = |job: &Job| match job {
                Job::Handle { id, .. } => state.has(Kind::Accepted, *id),
                Job::Accept { .. } | Job::Fence { .. } => true,
            };
            jobs.into_iter().all(is_durable)
        }),
        Property::always(OWNED, |_, state: &State| state.rows.iter().all(|row| row.by == row.owner)),
        Property::always(IN_ORDER, |_, state: &State| {
            let accepted: Vec<_> = state.ids(Kind::Accepted).collect();
            let place = |id| accepted.iter().position(|known| *known == id);
            let handled: Vec<_> = state.ids(Kind::Handled).map(place).collect();
            handled.is_sorted()
        }),
        // All runs end, so that "eventually" is: at every end.
        Property::always(FINISHED, |model: &Protocol, state: &State| {
            let mut actions = Vec::new();
            model.actions(state, &mut actions);
            let is_progress = |action: &Action| match action {
                Action::TakeOver => !state.processes[0].running,
                Action::Ask { .. }
                | Action::HangUp { .. }
                | Action::KillActor(_)
                | Action::KillJournal(_)
                | Action::Crash(_) => false,
                Action::Commit(_)
                | Action::Fail(_)
                | Action::Lose(_)
                | Action::Tell(_)
                | Action::Settle(_)
                | Action::Take(_)
                | Action::ReadTable(_) => true,
            };
            let at_rest = !actions.iter().any(is_progress);
            !at_rest || state.ids(Kind::Accepted).all(|id| state.has(Kind::Handled, id))
        }),
        Property::sometimes("a zombie is fenced", |_, state: &State| state.fenced),
        Property::sometimes(
            "an answer is lost and everybody is acknowledged all the same",
            |_, state: &State| {
                state.lost && state.clients.iter().all(|client| *client == Client::Acknowledged)
            },
        ),
        Property::sometimes("both messages are handled by the second process", |_, state: &State| {
            state.rows.len() == 4 && state.rows.iter().filter(|row| row.by == 1).count() >= 3
        }),
    ]
}

fn is_unique(ids: impl Iterator<Item = Id>) -> bool {
    let mut seen = HashSet::new();
    ids.into_iter().all(|id| seen.insert(id))
}

fn check(model: Protocol, finish: HasDiscoveries) -> impl Checker<Protocol> {
    let (variant, started) = (model.variant, Instant::now());
    let checker = model.checker().threads(2).finish_when(finish).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{variant:?}: {states} states, {depth} steps deep, {} ms", started.elapsed().as_millis());
    checker
}

/// A run of the wrong protocol that breaks the promise is found.
fn find(variant: Variant, broken: &'static str) {
    let finish = HasDiscoveries::AnyOf(BTreeSet::from([broken]));
    check(Protocol { variant, tries: 3, faults: 2 }, finish).assert_any_discovery(broken);
}

#[test]
fn the_protocol_keeps_its_promises_in_every_order_of_steps() {
    check(Protocol { variant: Variant::Right, tries: 3, faults: 2 }, HasDiscoveries::All).assert_properties();
}

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    find(Variant::AcknowledgesBeforeCommit, DURABLE);
}

#[test]
fn a_missing_epoch_check_is_found() {
    find(Variant::ChecksNoEpoch, OWNED);
}

#[test]
fn handling_before_the_commit_is_found() {
    find(Variant::HandlesBeforeCommit, PERSISTED_FIRST);
}

#[test]
fn a_repeat_that_is_not_recognized_is_found() {
    find(Variant::ChecksNoId, ONCE_ACCEPTED);
    find(Variant::ChecksNoId, ONCE_HANDLED);
}

#[test]
fn a_lost_answer_that_nobody_looks_after_is_found() {
    find(Variant::TrustsLostAnswers, FINISHED);
}

#[test]
fn an_actor_that_starts_before_its_predecessor_is_settled_is_found() {
    find(Variant::FencesNoGeneration, ONCE_HANDLED);
}
