//! What the model of the protocol is made of: rows that outlive everything, processes that do not, clients.

use std::collections::VecDeque;

pub type Id = u8;

/// What each client asks for: the first two repeat each other, the third is another message of the same key.
pub const ASKED: [Id; 3] = [1, 1, 2];

/// The protocol, or one that is wrong in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Right,
    AcknowledgesBeforeCommit,
    ChecksNoEpoch,
    HandlesBeforeCommit,
    ChecksNoId,
    /// Does not look what became of a commit whose answer was lost.
    TrustsLostAnswers,
    /// A restarted actor reads the table while units of its predecessor are on their way, and no outcome is unique.
    FencesNoGeneration,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Kind {
    Accepted,
    Handled,
}

/// A row of the store, which outlives everything.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    pub id: Id,
    /// The epoch of the writer, and the one that owned the store then.
    pub by: usize,
    pub owner: usize,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub enum Client {
    Idle,
    Asking { process: usize },
    Acknowledged,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub enum Job {
    Accept { client: usize, id: Id },
    Handle { id: Id, generation: u8 },
    Fence { generation: u8 },
}

#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub struct Actor {
    pub generation: u8,
    /// Past its fence.
    pub started: bool,
    pub lane: VecDeque<usize>,
    pub overflowed: bool,
    /// Rows read so far.
    pub read_to: usize,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Process {
    pub running: bool,
    pub jobs: VecDeque<Job>,
    /// Committed, and nobody knows yet.
    pub untold: Option<(Job, usize)>,
    /// Rows that lanes have been told of.
    pub told: usize,
    /// A commit has failed, and may be on the disk all the same.
    pub unsure: bool,
    pub actor: Actor,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct State {
    pub rows: Vec<Row>,
    /// Two at most; the number of the newest is the epoch of the store.
    pub processes: Vec<Process>,
    pub clients: Vec<Client>,
    /// Every step that is not progress uses up one of these, so that all runs end.
    pub tries: u8,
    pub faults: u8,
    pub fenced: bool,
    pub lost: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Ask {
        client: usize,
        process: usize,
    },
    /// The client's connection breaks.
    HangUp {
        client: usize,
    },
    Commit(usize),
    /// The commit fails and is not on the disk.
    Fail(usize),
    /// The commit is on the disk, and is told to have failed.
    Lose(usize),
    Tell(usize),
    Settle(usize),
    Take(usize),
    ReadTable(usize),
    KillActor(usize),
    KillJournal(usize),
    Crash(usize),
    TakeOver,
}

impl State {
    pub fn has(&self, kind: Kind, id: Id) -> bool {
        self.rows.iter().any(|row| row.kind == kind && row.id == id)
    }

    pub fn ids(&self, kind: Kind) -> impl Iterator<Item = Id> {
        self.rows.iter().filter(move |row| row.kind == kind).map(|row| row.id)
    }
}

impl Process {
    pub fn start(rows: usize) -> Self {
        let mut process = Self {
            running: true,
            jobs: VecDeque::new(),
            untold: None,
            told: rows,
            unsure: false,
            actor: Actor::default(),
        };
        process.restart_actor();
        process
    }

    /// Of the dead generation nothing more may come, once what it has handed in is settled.
    pub fn restart_actor(&mut self) {
        let generation = self.actor.generation + 1;
        self.actor = Actor { generation, overflowed: true, ..Actor::default() };
        self.jobs.push_back(Job::Fence { generation });
    }
}
