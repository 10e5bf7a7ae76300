//! One bounded context at work: takes what is ready, decides on aggregates in memory, hands the units to the
//! journal without waiting for the disk. If a commit is refused it dies and replays.
//!
//! Invariants: messages of one key are handled in the order of their positions; whatever makes one of them wait
//! holds its key only; what does not fit into memory is left in the table and read again when its turn comes.

mod aside;
mod calls;
mod cells;
mod conclude;
mod gates;
mod suspects;

use super::facts::Gathering;
use super::hub::Hub;
use super::journal::{Origin, Unwritten};
use super::lane::{Lane, Pull};
use super::slots::Slot;
use super::trouble::{Failure, Trouble};
use super::verdict::Told;
use crate::domain::context::Context;
use crate::domain::envelope::{Envelope, Key};
use crate::fault;
use crate::store::{DeadLetterId, StoreError, Unit, Waiting};
use aside::Prepared;
use calls::Called;
use cells::Cell;
use gates::Gate;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// Messages read from the table at a time.
const PAGE: u32 = 1000;
/// Units handed over and not yet durable, past which no new ones are decided.
const MOST_IN_FLIGHT: usize = 8192;

pub(super) enum Msg<C: Context> {
    Wake,
    /// A submission of this many units is durable.
    Committed(usize),
    Broken(Unwritten),
    /// What the busy message of a key needed is there and it was decided.
    Decided(Key, Box<Prepared<C>>),
    /// The call that the busy message of a key wanted has come to an end.
    Called(Key, Box<Called<C>>),
    /// The failed call of the busy message of a key is on the disk.
    Again(Box<Taken>),
    /// The busy message of a key could not be decided.
    Failed(Taken, Failure),
    /// The time of the first waiting message of a key may have come.
    Due(Key),
    /// It is the turn of a suspect, alone.
    Alone(Key, i64, OwnedSemaphorePermit),
}

/// A message in hand, with what the table says about it.
#[derive(Clone)]
pub(super) struct Taken {
    pub message: Arc<Envelope>,
    pub attempts: u32,
    pub crashes: u32,
    pub available_at_us: i64,
    pub last_error: Option<String>,
}

impl Taken {
    /// Just committed: nothing has happened to it yet.
    fn new(message: Arc<Envelope>) -> Self {
        Self { message, attempts: 0, crashes: 0, available_at_us: 0, last_error: None }
    }
}

/// A dead letter that holds its key, and the message that may pass: the one it was replayed as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub by: DeadLetterId,
    pub lets: Option<Uuid>,
    /// The submission that takes the dead letter to the disk; 0 when it was found there.
    pub since: u64,
}

/// See the module.
pub(super) struct ContextActor<C>(PhantomData<C>);

impl<C> Default for ContextActor<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

pub(super) struct Arguments {
    pub hub: Arc<Hub>,
    pub lane: Arc<Lane>,
    pub generation: u64,
}

pub(super) struct ContextState<C: Context> {
    hub: Arc<Hub>,
    lane: Arc<Lane>,
    origin: Origin,
    generation: u64,
    myself: ActorRef<Msg<C>>,
    cells: HashMap<Key, Cell<C>>,
    held: HashMap<Key, Held>,
    /// Keys with messages left in the table that may go on.
    to_reload: VecDeque<Key>,
    /// Set while the table holds messages that are not yet taken.
    reading: bool,
    read_to: i64,
    in_flight: usize,
    gathering: Arc<Gathering<C>>,
    slot: Slot,
    /// Failed attempts of what is on its way to the disk, where there are any.
    retried: HashMap<i64, u32>,
    /// Given back when the next submission is durable.
    permits: Vec<OwnedSemaphorePermit>,
    /// Told when the next submission is durable.
    told: Vec<Told>,
    /// Submissions so far, and how many of them are durable.
    submitted: u64,
    durable: u64,
}

impl<C: Context> Actor for ContextActor<C> {
    type Msg = Msg<C>;
    type State = ContextState<C>;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg<C>>,
        Arguments { hub, lane, generation }: Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let path: Arc<str> = lane.status.path.as_str().into();
        hub.journal.fence(path.clone(), generation).await;
        lane.reset();
        lane.status.in_flight.store(0, Relaxed);
        lane.status.waits.clear();
        let held = hub.patiently(|| hub.store.held_keys(C::NAME)).await?;
        let bell = myself.clone();
        lane.bell.attach(move || drop(bell.cast(Msg::Wake)));
        let slot = hub.slots.take(&hub.store);
        Ok(ContextState {
            hub,
            lane,
            origin: Origin::Actor { path, generation },
            generation,
            myself,
            cells: HashMap::new(),
            held: gates::held(held),
            to_reload: VecDeque::new(),
            reading: false,
            read_to: 0,
            in_flight: 0,
            gathering: Arc::default(),
            slot,
            retried: HashMap::new(),
            permits: Vec::new(),
            told: Vec::new(),
            submitted: 0,
            durable: 0,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg<C>>,
        message: Msg<C>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Wake => {
                state.lane.bell.answer();
                if state.lane.take_recheck() {
                    state.recheck().await?;
                }
                state.look().await?;
            }
            Msg::Committed(units) => {
                let was_full = state.is_full();
                state.settled(units);
                if was_full && !state.is_full() {
                    state.look().await?;
                }
            }
            Msg::Broken(Unwritten { error, position }) => {
                if matches!(error, StoreError::Refused(_)) {
                    state.blame(position, state.retried.get(&position).copied().unwrap_or(0));
                }
                return Err(error.into());
            }
            Msg::Decided(key, prepared) => state.decided(&key, *prepared)?,
            Msg::Called(key, called) => state.called(&key, *called)?,
            Msg::Again(taken) => state.again(*taken)?,
            Msg::Failed(taken, Failure::Panic(panic)) => {
                state.blame(taken.message.position, taken.attempts);
                return Err(Trouble::panic(panic).into());
            }
            Msg::Failed(_, Failure::Outage(error)) => return Err(Trouble::error(error).into()),
            Msg::Failed(taken, failure) => state.failed(taken, failure)?,
            Msg::Due(key) => state.due(&key)?,
            Msg::Alone(key, position, permit) => state.alone(&key, position, permit)?,
        }
        state.reload().await
    }
}

impl<C: Context> ContextState<C> {
    fn is_full(&self) -> bool {
        self.in_flight >= MOST_IN_FLIGHT
    }

    fn settled(&mut self, units: usize) {
        fault::point("handle.settled");
        self.durable += 1;
        self.in_flight -= units.min(self.in_flight);
        if self.in_flight == 0 {
            self.retried.clear();
        }
        let status = &self.lane.status;
        status.in_flight.store(i64::try_from(self.in_flight).unwrap_or(i64::MAX), Relaxed);
    }

    /// What a death from here on is charged to, and how often that has failed before.
    fn blame(&self, position: i64, attempts: u32) {
        self.lane.status.current_attempts.store(attempts, Relaxed);
        self.lane.status.current.store(position, Relaxed);
    }

    /// Takes one helping of what is ready; rings itself if there may be more.
    async fn look(&mut self) -> Result<(), ActorProcessingErr> {
        if self.is_full() || self.lane.status.is_paused() {
            return Ok(());
        }
        if self.reading {
            return self.read_table().await;
        }
        match self.lane.pull() {
            Pull::Messages(messages) => {
                let read_to = self.read_to;
                let new = messages.into_iter().filter(|message| message.position > read_to);
                self.take_on(new.map(Taken::new).collect()).await?;
                self.lane.bell.ring();
            }
            Pull::Table => {
                self.reading = true;
                self.read_table().await?;
            }
            Pull::Nothing => self.lane.status.oldest_us.store(0, Relaxed),
        }
        Ok(())
    }

    async fn read_table(&mut self) -> Result<(), ActorProcessingErr> {
        let hub = &self.hub;
        let waiting = hub.patiently(|| hub.store.waiting(C::NAME, self.read_to, PAGE)).await?;
        // Ordered to pause meanwhile: what was accepted after the order may be among them.
        if self.lane.status.is_paused() {
            return Ok(());
        }
        self.reading = !waiting.is_empty();
        self.read_to = waiting.last().map_or(self.read_to, |waiting| waiting.position);
        self.take_on_found(waiting).await?;
        self.lane.bell.ring();
        Ok(())
    }

    async fn take_on_found(&mut self, waiting: Vec<Waiting>) -> Result<(), ActorProcessingErr> {
        let mut messages = Vec::with_capacity(waiting.len());
        let mut buried = Vec::new();
        for waiting in waiting {
            let Waiting { attempts, crashes, available_at_us, last_error, .. } = waiting;
            match waiting.found {
                Ok(message) => {
                    let message = Arc::new(message);
                    messages.push(Taken { message, attempts, crashes, available_at_us, last_error });
                }
                Err(unreadable) => buried.push(self.bury_unreadable(unreadable)),
            }
        }
        self.submit(buried);
        self.take_on(messages).await
    }

    async fn take_on(&mut self, messages: Vec<Taken>) -> Result<(), ActorProcessingErr> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
        self.read_to = self.read_to.max(last.message.position);
        self.lane.status.oldest_us.store(first.message.time.timestamp_micros(), Relaxed);
        self.load(&messages).await?;
        let mut units = Vec::with_capacity(messages.len());
        for taken in messages {
            self.take(taken, &mut units)?;
        }
        self.done(units);
        Ok(())
    }

    /// The end of a helping.
    fn done(&mut self, units: Vec<Unit>) {
        self.slot.mark(0);
        self.lane.status.current.store(0, Relaxed);
        self.submit(units);
    }

    /// Decides a message, or leaves it with its key until what it waits for has come.
    fn take(&mut self, taken: Taken, units: &mut Vec<Unit>) -> Result<(), ActorProcessingErr> {
        let Some(cell) = self.cells.get_mut(&taken.message.key) else {
            return Err(Trouble::error(format!("{} was not loaded", taken.message.key)).into());
        };
        let released = cell.gate.lets_replay(&taken.message);
        if !released && (cell.gate != Gate::Open || cell.left_from.is_some()) {
            cell.park(taken);
            return Ok(());
        }
        cell.gate = Gate::Open;
        if released {
            cell.passed = Some(taken.message.position);
        }
        let key = released.then(|| taken.message.key.clone());
        if let Some(key) = &key {
            self.held.remove(key);
            self.lane.status.waits.end(key);
        }
        self.take_open(taken, units)?;
        match key {
            Some(key) => self.go_on(&key, units),
            None => Ok(()),
        }
    }

    /// The key of this message is free.
    fn take_open(&mut self, taken: Taken, units: &mut Vec<Unit>) -> Result<(), ActorProcessingErr> {
        if taken.attempts >= self.hub.retries.limit() {
            units.push(self.give_up(&taken));
            return Ok(());
        }
        if taken.available_at_us > 0 && self.wait_until_due(&taken) {
            return Ok(());
        }
        if taken.crashes > 0 {
            self.wait_for_turn(taken);
            return Ok(());
        }
        self.decide(taken, units, None)
    }

    fn submit(&mut self, units: Vec<Unit>) {
        if units.is_empty() {
            return;
        }
        self.submitted += 1;
        self.in_flight += units.len();
        let count = units.len();
        let myself = self.myself.clone();
        let permits = std::mem::take(&mut self.permits);
        let told = std::mem::take(&mut self.told);
        self.hub.journal.submit(self.origin.clone(), units, move |result| {
            drop(permits);
            let message = match result {
                Ok(_) => {
                    told.into_iter().for_each(Told::durable);
                    Msg::Committed(count)
                }
                Err(unwritten) => Msg::Broken(unwritten),
            };
            drop(myself.cast(message));
        });
    }
}
