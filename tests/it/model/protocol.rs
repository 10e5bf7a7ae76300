//! The protocol as a state machine: two epochs of one process, one context, one key, clients who repeat themselves.
//!
//! Models `Dispatcher::accept` (`Ask`), `Journal::process` with `commit_apart` (`Commit`, `Fail`, `Lose`),
//! `JournalState::succeeded` (`Tell`), `JournalState::look_behind` (`Settle`), `ContextState::look` and `take`
//! (`Take`, `ReadTable`), fencing by generation (`Job::Fence`), restarts by the supervisor (`KillActor`,
//! `KillJournal`) and the epoch in every row (`TakeOver`). A group is one unit: larger ones fall apart into such.

use super::state::{ASKED, Action, Client, Job, Kind, Process, Row, State, Variant};
use stateright::Model;
use std::collections::VecDeque;

pub struct Protocol {
    pub variant: Variant,
    pub tries: u8,
    pub faults: u8,
}

impl Protocol {
    fn is(&self, variant: Variant) -> bool {
        self.variant == variant
    }

    fn answer(state: &mut State, client: usize, acknowledged: bool) {
        if matches!(state.clients[client], Client::Asking { .. }) {
            state.clients[client] = if acknowledged { Client::Acknowledged } else { Client::Idle };
        }
    }

    /// Its memory is gone; whoever waits for it sees the connection end.
    fn end(state: &mut State, p: usize) {
        let process = &mut state.processes[p];
        *process = Process { running: false, ..Process::start(0) };
        process.jobs.clear();
        for client in &mut state.clients {
            if *client == (Client::Asking { process: p }) {
                *client = Client::Idle;
            }
        }
    }

    fn ask(&self, state: &mut State, client: usize, p: usize) {
        let id = ASKED[client];
        state.clients[client] = Client::Asking { process: p };
        if state.has(Kind::Accepted, id) && !self.is(Variant::ChecksNoId) {
            return Self::answer(state, client, true);
        }
        if self.is(Variant::AcknowledgesBeforeCommit) {
            Self::answer(state, client, true);
        }
        let process = &mut state.processes[p];
        if self.is(Variant::HandlesBeforeCommit) {
            process.jobs.push_back(Job::Handle { id, generation: process.actor.generation });
        }
        process.jobs.push_back(Job::Accept { client, id });
    }

    /// The first job goes to the disk; what it says there is another step, or never.
    fn commit(&self, state: &mut State, p: usize) -> Option<(Job, usize)> {
        let owner = state.processes.len() - 1;
        let job = state.processes[p].jobs.front().cloned()?;
        if p != owner && !self.is(Variant::ChecksNoEpoch) && !matches!(job, Job::Fence { .. }) {
            state.fenced = true;
            Self::end(state, p);
            return None;
        }
        state.processes[p].jobs.pop_front();
        let (kind, id) = match job {
            Job::Accept { id, .. } => (Kind::Accepted, id),
            Job::Handle { id, .. } => (Kind::Handled, id),
            Job::Fence { generation } => {
                let actor = &mut state.processes[p].actor;
                actor.started |= actor.generation == generation;
                return None;
            }
        };
        let unique = match job {
            Job::Accept { .. } => !self.is(Variant::ChecksNoId),
            Job::Handle { .. } | Job::Fence { .. } => {
                !self.is(Variant::FencesNoGeneration) && !self.is(Variant::ChecksNoId)
            }
        };
        if state.has(kind, id) && unique {
            self.refused(state, p, &job);
            return None;
        }
        state.rows.push(Row { kind, id, by: p, owner });
        Some((job, state.rows.len() - 1))
    }

    fn refused(&self, state: &mut State, p: usize, job: &Job) {
        match job {
            // `Dispatcher::accept` finds the message that came first.
            Job::Accept { client, .. } => Self::answer(state, *client, true),
            Job::Handle { generation, .. } => {
                let process = &mut state.processes[p];
                process
                    .jobs
                    .retain(|job| !matches!(job, Job::Handle { generation: g, .. } if g == generation));
                if process.actor.generation == *generation {
                    process.restart_actor();
                }
            }
            Job::Fence { .. } => {}
        }
    }

    /// What is new to the edge is refused; what an actor has handed in is tried again.
    fn failed(state: &mut State, p: usize, job: Job) {
        state.processes[p].unsure = true;
        match job {
            Job::Accept { client, .. } => Self::answer(state, client, false),
            job @ (Job::Handle { .. } | Job::Fence { .. }) => state.processes[p].jobs.push_front(job),
        }
    }

    fn tell(state: &mut State, p: usize) {
        let process = &mut state.processes[p];
        let Some((job, row)) = process.untold.take() else { return };
        // Rows that nobody was told of: the actor looks for itself.
        process.actor.overflowed |= row > process.told;
        process.told = row + 1;
        if let Job::Accept { client, .. } = job {
            if !process.actor.overflowed {
                process.actor.lane.push_back(row);
            }
            Self::answer(state, client, true);
        }
    }

    fn take(state: &mut State, p: usize, row: usize) {
        let id = state.rows[row].id;
        let Process { actor, jobs, .. } = &mut state.processes[p];
        if row >= actor.read_to {
            actor.read_to = row + 1;
            jobs.push_back(Job::Handle { id, generation: actor.generation });
        }
    }

    fn read_table(state: &mut State, p: usize) {
        let from = state.processes[p].actor.read_to;
        let waits = |row: &usize| {
            state.rows[*row].kind == Kind::Accepted && !state.has(Kind::Handled, state.rows[*row].id)
        };
        let waiting: Vec<usize> = (from..state.rows.len()).filter(waits).collect();
        state.processes[p].actor.overflowed = false;
        for row in waiting {
            Self::take(state, p, row);
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            rows: Vec::new(),
            processes: vec![Process::start(0)],
            clients: vec![Client::Idle; ASKED.len()],
            tries: self.tries,
            faults: self.faults,
            fenced: false,
            lost: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let broken = state.faults > 0;
        for (p, process) in state.processes.iter().enumerate().filter(|(_, process)| process.running) {
            let asks = |(client, now): (usize, &Client)| (*now == Client::Idle).then_some(client);
            if state.tries > 0 {
                let idle = state.clients.iter().enumerate().filter_map(asks);
                actions.extend(idle.map(|client| Action::Ask { client, process: p }));
            }
            let actor = &process.actor;
            let started = actor.started || self.is(Variant::FencesNoGeneration);
            match (&process.untold, process.jobs.front()) {
                (Some(_), _) => actions.push(Action::Tell(p)),
                (None, Some(job)) => {
                    actions.push(Action::Commit(p));
                    if broken && !matches!(job, Job::Fence { .. }) {
                        actions.extend([Action::Fail(p), Action::Lose(p)]);
                    }
                }
                (None, None) if process.unsure && !self.is(Variant::TrustsLostAnswers) => {
                    actions.push(Action::Settle(p));
                }
                (None, None) => {}
            }
            if started && !actor.lane.is_empty() {
                actions.push(Action::Take(p));
            } else if started && actor.overflowed {
                actions.push(Action::ReadTable(p));
            }
            if broken {
                actions.extend([Action::KillActor(p), Action::KillJournal(p)]);
            }
            // The last one stays, so that there is somebody to finish the work.
            if broken && p == 0 {
                actions.push(Action::Crash(p));
            }
        }
        if broken {
            let asking = state.clients.iter().enumerate();
            let asking = asking.filter(|(_, client)| matches!(client, Client::Asking { .. }));
            actions.extend(asking.map(|(client, _)| Action::HangUp { client }));
        }
        if state.processes.len() == 1 && (broken || !state.processes[0].running) {
            actions.push(Action::TakeOver);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Ask { client, process } => {
                next.tries -= 1;
                self.ask(&mut next, client, process);
            }
            Action::Commit(p) => {
                if let Some(done) = self.commit(&mut next, p) {
                    next.processes[p].untold = Some(done);
                }
            }
            Action::Tell(p) => Self::tell(&mut next, p),
            Action::Settle(p) => {
                let process = &mut next.processes[p];
                process.unsure = false;
                process.actor.overflowed |= process.told < next.rows.len();
                process.told = next.rows.len();
            }
            Action::Take(p) => {
                let row = next.processes[p].actor.lane.pop_front()?;
                Self::take(&mut next, p, row);
            }
            Action::ReadTable(p) => Self::read_table(&mut next, p),
            Action::TakeOver => {
                next.faults = next.faults.saturating_sub(1);
                next.processes.push(Process::start(next.rows.len()));
            }
            fault @ (Action::HangUp { .. }
            | Action::Fail(_)
            | Action::Lose(_)
            | Action::KillActor(_)
            | Action::KillJournal(_)
            | Action::Crash(_)) => {
                next.faults -= 1;
                self.inject(&mut next, fault)?;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        super::properties()
    }
}

impl Protocol {
    fn inject(&self, next: &mut State, fault: Action) -> Option<()> {
        match fault {
            Action::Fail(p) => {
                let job = next.processes[p].jobs.pop_front()?;
                Self::failed(next, p, job);
            }
            Action::Lose(p) => {
                let (job, _) = self.commit(next, p)?;
                next.lost = true;
                Self::failed(next, p, job);
            }
            Action::HangUp { client } => next.clients[client] = Client::Idle,
            Action::KillActor(p) => next.processes[p].restart_actor(),
            Action::KillJournal(p) => {
                let running = next.processes[p].actor.generation;
                Self::end(next, p);
                let rows = next.rows.len();
                let process = &mut next.processes[p];
                *process = Process::start(rows);
                process.actor.generation = running + 1;
                process.jobs = VecDeque::from([Job::Fence { generation: running + 1 }]);
            }
            Action::Crash(p) => Self::end(next, p),
            Action::Ask { .. }
            | Action::Commit(_)
            | Action::Tell(_)
            | Action::Settle(_)
            | Action::Take(_)
            | Action::ReadTable(_)
            | Action::TakeOver => return None,
        }
        Some(())
    }
}
