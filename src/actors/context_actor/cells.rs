//! Aggregates in memory: brought in from snapshot and events, forgotten when there are too many.

use super::gates::Gate;
use super::{ContextState, Taken};
use crate::actors::folded::{folded, mark};
use crate::domain::context::Context;
use crate::domain::envelope::Key;
use crate::domain::message::{DecodeError, to_text};
use crate::store::{Snapshot, StateMark, StoreError, Stream};
use ractor::ActorProcessingErr;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Aggregates kept in memory.
const AGGREGATES_KEPT: usize = 20_000;
/// Messages of one key kept in memory while it waits; later ones are left in the table.
const PARKED: usize = 64;
/// A state version that no snapshot has.
const NO_SNAPSHOT: u32 = u32::MAX;

pub(super) struct Cell<C: Context> {
    pub state: C::State,
    pub version: i64,
    pub gate: Gate,
    /// Messages that wait for the gate, in order.
    pub parked: VecDeque<Taken>,
    /// Set when messages of this key were left in the table: all from this position on.
    pub left_from: Option<i64>,
    /// The replayed message that went before those that were held.
    pub passed: Option<i64>,
    pub last_submission: u64,
    /// Its replay took so long that the next commit takes a snapshot along.
    pub was_slow: bool,
    /// Why the stored events do not fold: its messages are dead letters until a program comes that reads them.
    pub unreadable: Option<String>,
}

impl<C: Context> Cell<C> {
    fn new(state: C::State, version: i64) -> Self {
        Self {
            state,
            version,
            gate: Gate::Open,
            parked: VecDeque::new(),
            left_from: None,
            passed: None,
            last_submission: 0,
            was_slow: false,
            unreadable: None,
        }
    }

    /// Keeps a message until the gate opens, or leaves it to the table.
    pub(super) fn park(&mut self, taken: Taken) {
        if self.left_from.is_some() {
            return;
        }
        if self.parked.len() < PARKED {
            self.parked.push_back(taken);
        } else {
            self.left_from = Some(taken.message.position);
        }
    }

    fn is_idle(&self) -> bool {
        self.gate == Gate::Open && self.parked.is_empty() && self.left_from.is_none()
    }
}

impl<C: Context> ContextState<C> {
    /// Brings the aggregates of these messages into memory.
    pub(super) async fn load(&mut self, messages: &[Taken]) -> Result<(), ActorProcessingErr> {
        self.make_room();
        let missing: BTreeSet<&Key> = messages
            .iter()
            .map(|taken| &taken.message.key)
            .filter(|key| !self.cells.contains_key(*key))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = missing.into_iter().cloned().collect();
        let streams = self.streams(mark::<C>(), &keys).await?;
        for (key, stream) in keys.into_iter().zip(streams) {
            let began = self.hub.environment.now();
            let mut cell = match replay::<C>(&stream) {
                Ok(cell) => cell,
                Err(error) => self.replay_all(&key, &error).await?,
            };
            cell.was_slow = self.hub.snapshots.is_slow(self.hub.environment.now() - began);
            if let Some(held) = self.held.get(&key) {
                cell.gate = Gate::Held(held.clone());
            }
            self.cells.insert(key, cell);
        }
        Ok(())
    }

    async fn streams(&self, mark: StateMark, keys: &[Key]) -> Result<Vec<Stream>, StoreError> {
        let hub = &self.hub;
        hub.patiently(|| hub.store.streams(C::NAME, mark, keys.to_vec())).await
    }

    /// Without the snapshot, which may be what did not read.
    async fn replay_all(&self, key: &Key, error: &ReplayError) -> Result<Cell<C>, ActorProcessingErr> {
        tracing::warn!(context = C::NAME, %key, error, "an aggregate does not read; folding all its events");
        let none = StateMark { version: NO_SNAPSHOT, code_hash: 0 };
        let stream = self.streams(none, std::slice::from_ref(key)).await?.pop().unwrap_or_default();
        Ok(replay::<C>(&stream).unwrap_or_else(|error| Cell {
            unreadable: Some(format!("what is stored of {key} does not read: {error}")),
            ..Cell::new(C::State::default(), 0)
        }))
    }

    /// Forgets aggregates with nothing on its way to the disk, when there are too many.
    fn make_room(&mut self) {
        if self.cells.len() > AGGREGATES_KEPT {
            let durable = self.durable;
            self.cells.retain(|_, cell| !cell.is_idle() || cell.last_submission > durable);
        }
    }
}

type ReplayError = String;

fn replay<C: Context>(stream: &Stream) -> Result<Cell<C>, ReplayError> {
    let (version, state) = folded::<C>(stream)?;
    Ok(Cell::new(state, version))
}

pub(super) fn snapshot<C: Context>(
    context: &Arc<str>,
    key: &Key,
    cell: &Cell<C>,
) -> Result<Snapshot, DecodeError> {
    Ok(Snapshot {
        context: context.clone(),
        key: key.clone(),
        stream_version: cell.version,
        mark: mark::<C>(),
        body: to_text("snapshot", &cell.state)?,
    })
}
