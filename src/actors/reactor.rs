//! Choreography: reads the events a context answers to and gives that context its commands.

use super::doorbell::Doorbell;
use super::hub::Hub;
use super::journal::Origin;
use super::status::ActorStatus;
use super::timer;
use super::unread::Buried;
use crate::domain::context::{Outgoing, When};
use crate::domain::envelope::{Envelope, Key, Kind};
use crate::domain::message::DecodeError;
use crate::fault;
use crate::store::{Checkpoint, Filter, Unit};
use chrono::{DateTime, Utc};
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::task::JoinHandle;

const BATCH: usize = 500;
/// Between two looks whether its context has room again.
const HOLD_BACK: Duration = Duration::from_millis(100);
/// Messages of no interest after which the checkpoint is written all the same.
const SKIP_LIMIT: i64 = 50_000;

pub(super) type Reaction = fn(&Envelope) -> Result<Vec<Outgoing>, DecodeError>;

#[derive(Debug)]
pub(super) struct Wake;

/// See the module. Each event is answered exactly once: commands and checkpoint commit as one unit.
pub(super) struct Reactor;

pub(super) struct Arguments {
    pub hub: Arc<Hub>,
    pub context: &'static str,
    pub reacts_to: &'static [&'static str],
    pub reaction: Reaction,
    pub bell: Arc<Doorbell>,
    pub status: Arc<ActorStatus>,
    pub generation: u64,
}

pub(super) struct ReactorState {
    hub: Arc<Hub>,
    context: &'static str,
    reader: String,
    filter: Filter,
    reaction: Reaction,
    bell: Arc<Doorbell>,
    status: Arc<ActorStatus>,
    origin: Origin,
    position: i64,
    written: i64,
    /// The next look while it holds back.
    alarm: Option<JoinHandle<Result<(), MessagingErr<Wake>>>>,
}

impl Actor for Reactor {
    type Msg = Wake;
    type State = ReactorState;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Wake>,
        given: Arguments,
    ) -> Result<ReactorState, ActorProcessingErr> {
        let Arguments { hub, context, reacts_to, reaction, bell, status, generation } = given;
        let path: Arc<str> = status.path.as_str().into();
        hub.journal.fence(path.clone(), generation).await;
        let reader = reader_of(context);
        let position = hub.patiently(|| hub.store.checkpoint(&reader)).await?;
        let contexts = reacts_to.iter().map(|name| (*name).to_owned()).collect();
        bell.attach(move || drop(myself.cast(Wake)));
        Ok(ReactorState {
            hub,
            context,
            reader,
            filter: Filter { kinds: Some(Kind::Event), contexts, ..Filter::default() },
            reaction,
            bell,
            status,
            origin: Origin::Actor { path, generation },
            position,
            written: position,
            alarm: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Wake>,
        _: Wake,
        state: &mut ReactorState,
    ) -> Result<(), ActorProcessingErr> {
        state.bell.answer();
        if state.status.is_paused() {
            return Ok(());
        }
        if state.holds_back(&myself) {
            return Ok(());
        }
        let hub = &state.hub;
        let page = hub.patiently(|| hub.messages_after(state.position, BATCH, &state.filter)).await?;
        if page.read_to == state.position || state.status.is_paused() {
            return Ok(());
        }
        let (mut messages, mut timers) = (Vec::new(), Vec::new());
        let (mut buried, now) = (Buried::default(), hub.environment.now());
        page.unreadable.iter().for_each(|row| buried.row(&state.reader, row, now));
        for event in page.messages.iter().filter(|event| !event.is_erased()) {
            state.status.current.store(event.position, Relaxed);
            match (state.reaction)(event) {
                Ok(outgoing) => {
                    for outgoing in outgoing {
                        let n = (messages.len() + timers.len()) as u64;
                        let when = outgoing.when.clone();
                        let command = command(&state.reader, event, outgoing, n, now);
                        match when {
                            When::Now => messages.push(command),
                            when @ (When::At { .. } | When::Never { .. }) => {
                                let owner = timer::of_recipient(&command);
                                timers.extend(timer::change(owner, command, when));
                            }
                        }
                    }
                }
                Err(error) => buried.event(&state.reader, event, &error, now),
            }
        }
        let Buried { mut changes, alerts } = buried;
        state.status.failed.fetch_add(changes.len() as u64, Relaxed);
        messages.extend(alerts);
        state.status.current.store(0, Relaxed);
        state.status.handled.fetch_add(page.messages.len() as u64, Relaxed);
        changes.extend(timers);
        if !messages.is_empty() || !changes.is_empty() || page.read_to - state.written > SKIP_LIMIT {
            let checkpoint = Some(Checkpoint { reader: state.reader.clone(), position: page.read_to });
            let unit = Unit { messages, checkpoint, changes, ..Unit::default() };
            fault::point("reactor.before");
            state.hub.journal.commit(state.origin.clone(), vec![unit]).await?;
            fault::point("reactor.after");
            state.written = page.read_to;
        }
        state.position = page.read_to;
        state.bell.ring();
        Ok(())
    }
}

impl ReactorState {
    /// Past the soft watermark of its context the events wait where they are; looks again after a while.
    fn holds_back(&mut self, myself: &ActorRef<Wake>) -> bool {
        let key = Key::from("");
        let lane = self.hub.lanes.get(self.context);
        let over = lane.is_some_and(|lane| lane.status.waiting.load(Relaxed) >= self.hub.watermarks.soft);
        if over {
            let reason = format!("{} has too much waiting (soft watermark)", self.context);
            self.status.waits.begin(&key, reason, None, &self.hub.environment);
            if let Some(alarm) = self.alarm.take() {
                alarm.abort();
            }
            self.alarm = Some(myself.send_after(HOLD_BACK, || Wake));
        } else {
            self.status.waits.end(&key);
        }
        over
    }
}

/// The name of a context's checkpoint as a reader of events.
pub(super) fn reader_of(context: &str) -> String {
    format!("{context}_reactions")
}

/// The `n`-th command that a reader answers with.
pub(super) fn command(
    reader: &str,
    event: &Envelope,
    outgoing: Outgoing,
    n: u64,
    now: DateTime<Utc>,
) -> Envelope {
    // The reader's name keeps two contexts that answer one event from making the same id.
    let seed = uuid::Uuid::new_v5(&event.id, reader.as_bytes()).as_u64_pair().0;
    let id = event.derived_id(seed.wrapping_add(n));
    Envelope {
        schema_version: outgoing.schema_version,
        causation_id: Some(event.id),
        correlation_id: event.correlation_id,
        trace: event.trace.clone(),
        extra: event.extra.inherited(),
        ..Envelope::command(&outgoing.to, outgoing.type_name, outgoing.body, id, now)
    }
}
