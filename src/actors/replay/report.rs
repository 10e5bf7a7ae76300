//! What a replay has found: counts, the replay hash, and every fault by name.

use super::changes::Difference;
use crate::store::hash::ReplayHash;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Faults named one by one; more are counted.
const MOST_NAMED: usize = 100;

/// See the module.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub last_position: i64,
    pub commands: u64,
    pub events: u64,
    pub aggregates: u64,
    /// Aggregates whose snapshot, with the events after it, was compared with a fold of all events.
    pub snapshots: u64,
    pub tables: Vec<TableReport>,
    /// The same for the same messages and rows, whatever the engine.
    pub hash: Option<ReplayHash>,
    pub elapsed_ms: u64,
    pub events_per_s: u64,
    pub fault_count: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

impl Report {
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    /// How long reading and folding took.
    pub fn timed(&mut self, elapsed: Duration) {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let per_s = u128::from(self.events) * 1_000_000 / elapsed.as_micros().max(1);
        self.events_per_s = u64::try_from(per_s).unwrap_or(u64::MAX);
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.fault_count += 1;
        if self.faults.len() < MOST_NAMED {
            self.faults.push(fault);
        }
    }
}

/// One read model.
#[derive(Clone, Debug, Serialize)]
pub struct TableReport {
    pub name: String,
    /// How far its stored rows are up to date; compared as of here.
    pub position: i64,
    pub rows: u64,
    pub faults: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Positions must follow each other.
    Gap { expected: i64, found: i64 },
    /// The row does not read.
    Row { position: i64, reason: String },
    /// An event that does not continue its aggregate.
    StreamVersion { position: i64, context: String, key: String, expected: i64, found: Option<i64> },
    /// An event that its context does not read.
    Undecodable { position: i64, context: String, key: String, reason: String },
    /// An event of a context that this program does not have.
    UnknownContext { position: i64, context: String },
    /// What is loaded from the snapshot on is not what all events fold to.
    State { context: String, key: String, reason: String, differences: Vec<Difference> },
    /// A stored row of a read model is not what its events fold to.
    TableRow { table: String, key: String, what: RowFault, differences: Vec<Difference> },
    /// A read model could not be compared.
    Table { table: String, reason: String },
    /// A reader is further than the messages.
    Checkpoint { reader: String, position: i64, last: i64 },
    /// A command neither waits nor has an answer, or both.
    Command { position: i64, reason: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    Missing,
    Unexpected,
    Different,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, found } => write!(f, "position {expected} is missing; {found} comes next"),
            Self::Row { position, reason } => write!(f, "the row at {position} does not read: {reason}"),
            Self::StreamVersion { position, context, key, expected, found } => {
                let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
                write!(f, "{context}/{key}: stream version {found} at {position} instead of {expected}")
            }
            Self::Undecodable { position, context, key, reason } => {
                write!(f, "{context}/{key}: the event at {position} does not read: {reason}")
            }
            Self::UnknownContext { position, context } => {
                write!(f, "the event at {position} is of {context:?}, which this program does not have")
            }
            Self::State { context, key, reason, differences } => {
                write!(f, "{context}/{key}: {reason}")?;
                places(f, differences)
            }
            Self::TableRow { table, key, what, differences } => {
                let what = match what {
                    RowFault::Missing => "is missing",
                    RowFault::Unexpected => "should not be there",
                    RowFault::Different => "differs",
                };
                write!(f, "{table}: the row {key:?} {what}")?;
                places(f, differences)
            }
            Self::Table { table, reason } => write!(f, "{table}: {reason}"),
            Self::Checkpoint { reader, position, last } => {
                write!(f, "{reader} says that it has read up to {position}, and {last} is the last")
            }
            Self::Command { position, reason } => write!(f, "the command at {position} {reason}"),
        }
    }
}

fn places(f: &mut fmt::Formatter<'_>, differences: &[Difference]) -> fmt::Result {
    const SHOWN: usize = 5;
    for (n, difference) in differences.iter().take(SHOWN).enumerate() {
        let pointer = if difference.pointer.is_empty() { "/" } else { &difference.pointer };
        write!(f, "{}{pointer}", if n == 0 { " at " } else { ", " })?;
    }
    if differences.len() > SHOWN { f.write_str(", …") } else { Ok(()) }
}
