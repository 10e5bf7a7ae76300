//! One bounded context at work: takes what is ready, decides on aggregates in memory, hands the units to the
//! journal without waiting for the disk. If a commit is refused it dies and replays.

use super::facts::Gathering;
use super::hub::Hub;
use super::journal::{Origin, Unwritten};
use super::lane::{Lane, Pull};
use super::tasks;
use crate::domain::context::Context;
use crate::domain::envelope::{Envelope, Extra, Key, Kind, Metadata, ReplyTo};
use crate::domain::message::{DecodeError, Message};
use crate::domain::reply;
use crate::fault;
use crate::store::{Handled, Outcome, Snapshot, StateMark, StoreError, Stream, Unit, Unreadable};
use chrono::{DateTime, Utc};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Messages read from the table at a time.
const PAGE: u32 = 1000;
/// Units handed over and not yet durable, past which no new ones are decided.
const MOST_IN_FLIGHT: usize = 8192;
/// Aggregates kept in memory.
const AGGREGATES_KEPT: usize = 20_000;
/// Events between two snapshots of an aggregate.
const SNAPSHOT_EVERY: i64 = 100;
/// A state version that no snapshot has.
const NO_SNAPSHOT: u32 = u32::MAX;
/// Failed attempts after which a message goes to the dead letters.
pub const ATTEMPT_LIMIT: u32 = 5;

pub(super) enum Msg<C: Context> {
    Wake,
    /// A submission of this many units is durable.
    Committed(usize),
    Broken(Unwritten),
    /// The facts for the busy message of a key are there and it was decided.
    Decided(Key, Box<Prepared<C>>),
    /// Work beside the actor failed.
    Failed(i64, String),
}

/// What came of a message that was decided beside the actor.
pub(super) struct Prepared<C: Context> {
    message: Arc<Envelope>,
    result: Result<Vec<C::Event>, Outcome>,
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
    myself: ActorRef<Msg<C>>,
    cells: HashMap<Key, Cell<C>>,
    /// Set while the table holds messages that are not yet taken.
    reading: bool,
    read_to: i64,
    in_flight: usize,
    gathering: Arc<Gathering<C>>,
    /// Submissions so far, and how many of them are durable.
    submitted: u64,
    durable: u64,
}

struct Cell<C: Context> {
    state: C::State,
    version: i64,
    /// A message of this key is being prepared; later ones wait behind it.
    busy: bool,
    parked: VecDeque<Arc<Envelope>>,
    last_submission: u64,
    /// Why the stored events do not fold: its messages are dead letters until a program comes that reads them.
    unreadable: Option<String>,
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
        let bell = myself.clone();
        lane.bell.attach(move || drop(bell.cast(Msg::Wake)));
        Ok(ContextState {
            hub,
            lane,
            origin: Origin::Actor { path, generation },
            myself,
            cells: HashMap::new(),
            reading: false,
            read_to: 0,
            in_flight: 0,
            gathering: Arc::default(),
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
                    state.lane.status.current.store(position, Relaxed);
                }
                return Err(error.into());
            }
            Msg::Decided(key, prepared) => state.decided(&key, *prepared)?,
            Msg::Failed(position, error) => {
                state.lane.status.current.store(position, Relaxed);
                return Err(error.into());
            }
        }
        Ok(())
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
        let status = &self.lane.status;
        status.in_flight.store(i64::try_from(self.in_flight).unwrap_or(i64::MAX), Relaxed);
    }

    /// Takes one helping of what is ready; rings itself if there may be more.
    async fn look(&mut self) -> Result<(), ActorProcessingErr> {
        if self.is_full() {
            return Ok(());
        }
        if self.reading {
            return self.read_table().await;
        }
        match self.lane.pull() {
            Pull::Messages(messages) => {
                let read_to = self.read_to;
                self.take_on(messages.into_iter().filter(|message| message.position > read_to).collect())
                    .await?;
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
        self.reading = !waiting.is_empty();
        self.read_to = waiting.last().map_or(self.read_to, |waiting| waiting.position);
        let mut messages = Vec::with_capacity(waiting.len());
        let mut buried = Vec::new();
        for waiting in waiting {
            match waiting.found {
                Ok(message) if waiting.attempts >= ATTEMPT_LIMIT => {
                    let error = waiting.last_error.unwrap_or_else(|| "it failed without a word".to_owned());
                    let reason = format!("failed {} times, last: {error}", waiting.attempts);
                    buried.push(self.finish_unit(&message, Outcome::Dead { reason }, Vec::new()));
                }
                Ok(message) => messages.push(Arc::new(message)),
                Err(unreadable) => buried.push(self.bury_unreadable(unreadable)),
            }
        }
        self.submit(buried);
        self.take_on(messages).await?;
        self.lane.bell.ring();
        Ok(())
    }

    /// A row that does not read is kept as it stands, and the actor goes on.
    fn bury_unreadable(&self, unreadable: Unreadable) -> Unit {
        let Unreadable { position, reason, raw } = unreadable;
        tracing::error!(message.position = position, reason, "a stored message does not read");
        self.lane.status.failed.fetch_add(1, Relaxed);
        let handled = Some(Handled {
            context: self.lane.context.clone(),
            position,
            id: uuid::Uuid::nil(),
            outcome: Outcome::Dead { reason: format!("the stored row does not read: {reason}") },
            holds: false,
            raw: Some(raw),
        });
        Unit { handled, ..Unit::default() }
    }

    async fn take_on(&mut self, messages: Vec<Arc<Envelope>>) -> Result<(), ActorProcessingErr> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
        self.read_to = self.read_to.max(last.position);
        self.lane.status.oldest_us.store(first.time.timestamp_micros(), Relaxed);
        self.load(&messages).await?;
        let mut units = Vec::with_capacity(messages.len());
        for message in messages {
            units.extend(self.take(message)?);
        }
        self.lane.status.current.store(0, Relaxed);
        self.submit(units);
        Ok(())
    }

    /// Decides a message, or parks it behind a busy one of its key.
    fn take(&mut self, message: Arc<Envelope>) -> Result<Option<Unit>, ActorProcessingErr> {
        let Some(cell) = self.cells.get_mut(&message.key) else {
            return Err(format!("the aggregate {} was not loaded", message.key).into());
        };
        if cell.busy {
            cell.parked.push_back(message);
            return Ok(None);
        }
        if let Some(reason) = cell.unreadable.clone() {
            return Ok(Some(self.finish_unit(&message, Outcome::Dead { reason }, Vec::new())));
        }
        self.lane.status.current.store(message.position, Relaxed);
        fault::point("handle.before");
        fault::handling(message.key.as_str());
        let command = match C::Command::decode(&message.type_name, message.schema_version, &message.body) {
            Ok(command) => command,
            Err(error) => return Ok(Some(self.dead(&message, &error))),
        };
        if !C::needs(&command).is_empty() {
            cell.busy = true;
            self.prepare(message, command);
            return Ok(None);
        }
        let decided = C::decide(&cell.state, &command, &C::Facts::default(), &Metadata::of(&message));
        self.conclude(&message, decided.map_err(|rejection| Outcome::Rejected { rejection })).map(Some)
    }

    fn dead(&self, message: &Envelope, error: &DecodeError) -> Unit {
        self.finish_unit(message, Outcome::Dead { reason: error.to_string() }, Vec::new())
    }

    /// Gathers facts and decides beside the actor; the key waits, other keys do not.
    fn prepare(&self, message: Arc<Envelope>, command: C::Command) {
        let state = self.cells.get(&message.key).map(|cell| cell.state.clone()).unwrap_or_default();
        let (hub, gathering) = (self.hub.clone(), self.gathering.clone());
        let (myself, failed, position) = (self.myself.clone(), self.myself.clone(), message.position);
        tasks::watched(
            async move {
                let result = gathering.decide(&hub, &message, command, state).await;
                fault::point("handle.gathered");
                let answer = match result {
                    Ok(result) => Msg::Decided(message.key.clone(), Box::new(Prepared { message, result })),
                    Err(error) => Msg::Failed(position, error),
                };
                drop(myself.cast(answer));
            },
            move |panic| drop(failed.cast(Msg::Failed(position, panic))),
        );
    }

    fn decided(&mut self, key: &Key, prepared: Prepared<C>) -> Result<(), ActorProcessingErr> {
        let mut units = vec![self.conclude(&prepared.message, prepared.result)?];
        let Some(cell) = self.cells.get_mut(key) else { return Ok(()) };
        cell.busy = false;
        let mut parked = std::mem::take(&mut cell.parked);
        while let Some(message) = parked.pop_front() {
            units.extend(self.take(message)?);
        }
        self.lane.status.current.store(0, Relaxed);
        self.submit(units);
        Ok(())
    }

    /// Folds the events and makes the unit of one handled message.
    fn conclude(
        &mut self,
        message: &Envelope,
        decided: Result<Vec<C::Event>, Outcome>,
    ) -> Result<Unit, ActorProcessingErr> {
        let events = match decided {
            Ok(events) => events,
            Err(outcome) => return Ok(self.finish_unit(message, outcome, Vec::new())),
        };
        self.lane.status.current.store(message.position, Relaxed);
        let Some(cell) = self.cells.get_mut(&message.key) else {
            return Err(format!("the aggregate {} was not loaded", message.key).into());
        };
        let metadata = Metadata::of(message);
        let now = self.hub.environment.now();
        let before = cell.version;
        let mut messages = Vec::with_capacity(events.len());
        let mut sends = Vec::new();
        for event in &events {
            C::evolve(&mut cell.state, event);
            cell.version += 1;
            messages.push(Envelope {
                position: 0,
                id: message.derived_id(messages.len() as u64),
                kind: Kind::Event,
                context: self.lane.context.clone(),
                key: message.key.clone(),
                stream_version: Some(cell.version),
                type_name: event.type_name().into(),
                schema_version: event.schema_version(),
                body: event.encode()?,
                time: now,
                causation_id: Some(message.id),
                correlation_id: message.correlation_id,
                trace: message.trace.clone(),
                extra: Extra { user: message.extra.user.clone(), ..Extra::default() },
            });
            sends.extend(C::sends(&cell.state, event, &metadata)?);
        }
        cell.last_submission = self.submitted + 1;
        let snapshot = if before / SNAPSHOT_EVERY == cell.version / SNAPSHOT_EVERY {
            None
        } else {
            let taken = snapshot::<C>(&self.lane.context, &message.key, cell)?;
            fault::point("snapshot.taken");
            Some(taken)
        };
        for outgoing in sends {
            let id = message.derived_id(messages.len() as u64);
            let mut command = caused(message, &outgoing.to, outgoing.type_name, outgoing.body, id, now);
            command.schema_version = outgoing.schema_version;
            command.extra.reply_to = outgoing.reply_step.map(|step| ReplyTo {
                context: C::NAME.to_owned(),
                key: message.key.clone(),
                step,
            });
            messages.push(command);
        }
        let unit = self.finish_unit(message, Outcome::Handled, messages);
        fault::point("handle.after");
        Ok(Unit { snapshot, ..unit })
    }

    /// A unit that ends a message: the mark, what it led to, and the answer to whoever asked for one.
    fn finish_unit(&self, message: &Envelope, outcome: Outcome, mut messages: Vec<Envelope>) -> Unit {
        if let Some(to) = &message.extra.reply_to {
            let id = message.derived_id(messages.len() as u64);
            let (address, type_name, body) = reply::answer(to, &outcome, &messages);
            let mut answer = caused(message, &address, type_name, body, id, self.hub.environment.now());
            answer.schema_version = reply::ANSWER_VERSION;
            messages.push(answer);
        }
        let status = &self.lane.status;
        match &outcome {
            Outcome::Handled | Outcome::Rejected { .. } => status.handled.fetch_add(1, Relaxed),
            Outcome::Dead { reason } => {
                tracing::error!(
                    message.id = %message.id, message.r#type = %message.type_name, reason,
                    "a message has gone to the dead letters"
                );
                status.failed.fetch_add(1, Relaxed)
            }
        };
        let handled = Some(Handled::of(message, outcome));
        Unit { messages, handled, ..Unit::default() }
    }

    fn submit(&mut self, units: Vec<Unit>) {
        if units.is_empty() {
            return;
        }
        self.submitted += 1;
        self.in_flight += units.len();
        let count = units.len();
        let myself = self.myself.clone();
        self.hub.journal.submit(self.origin.clone(), units, move |result| {
            let message = match result {
                Ok(_) => Msg::Committed(count),
                Err(unwritten) => Msg::Broken(unwritten),
            };
            drop(myself.cast(message));
        });
    }

    /// Brings the aggregates of these messages into memory.
    async fn load(&mut self, messages: &[Arc<Envelope>]) -> Result<(), ActorProcessingErr> {
        self.make_room();
        let missing: BTreeSet<&Key> =
            messages.iter().map(|m| &m.key).filter(|key| !self.cells.contains_key(*key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = missing.into_iter().cloned().collect();
        let streams = self.streams(mark::<C>(), &keys).await?;
        for (key, stream) in keys.into_iter().zip(streams) {
            let cell = match replay::<C>(stream) {
                Ok(cell) => cell,
                Err(error) => self.replay_all(&key, &error).await?,
            };
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
        Ok(replay::<C>(stream).unwrap_or_else(|error| Cell {
            state: C::State::default(),
            version: 0,
            busy: false,
            parked: VecDeque::new(),
            last_submission: 0,
            unreadable: Some(format!("what is stored of {key} does not read: {error}")),
        }))
    }

    /// Forgets aggregates with nothing on its way to the disk, when there are too many.
    fn make_room(&mut self) {
        if self.cells.len() > AGGREGATES_KEPT {
            let durable = self.durable;
            self.cells.retain(|_, cell| cell.busy || cell.last_submission > durable);
        }
    }
}

type ReplayError = String;

/// State of one aggregate from what is stored of it.
fn replay<C: Context>(stream: Stream) -> Result<Cell<C>, ReplayError> {
    let (mut state, mut version) = match stream.snapshot {
        Some(snapshot) => {
            let state = serde_json::from_str(&snapshot.body).map_err(|error| error.to_string())?;
            (state, snapshot.stream_version)
        }
        None => (C::State::default(), 0),
    };
    for event in &stream.events {
        let decoded = C::Event::decode(&event.type_name, event.schema_version, &event.body);
        C::evolve(&mut state, &decoded.map_err(|error| error.to_string())?);
        version = event.stream_version.unwrap_or(version);
    }
    if let Some(unreadable) = stream.unreadable {
        return Err(unreadable.reason);
    }
    Ok(Cell { state, version, busy: false, parked: VecDeque::new(), last_submission: 0, unreadable: None })
}

fn mark<C: Context>() -> StateMark {
    StateMark { version: C::STATE_VERSION, code_hash: crate::domain::CODE_HASH }
}

fn snapshot<C: Context>(context: &Arc<str>, key: &Key, cell: &Cell<C>) -> Result<Snapshot, DecodeError> {
    Ok(Snapshot {
        context: context.clone(),
        key: key.clone(),
        stream_version: cell.version,
        mark: mark::<C>(),
        body: crate::domain::message::to_text("snapshot", &cell.state)?,
    })
}

fn caused(
    message: &Envelope,
    to: &crate::domain::envelope::Address,
    type_name: &str,
    body: String,
    id: uuid::Uuid,
    now: DateTime<Utc>,
) -> Envelope {
    Envelope {
        causation_id: Some(message.id),
        correlation_id: message.correlation_id,
        trace: message.trace.clone(),
        extra: Extra { user: message.extra.user.clone(), ..Extra::default() },
        ..Envelope::command(to, type_name, body, id, now)
    }
}
