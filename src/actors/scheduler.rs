//! Durable timers: sleeps until the next one is due, and turns each into one message, however often it dies over it.

use super::hub::Hub;
use super::journal::Origin;
use super::status::ActorStatus;
use crate::domain::envelope::{Address, Envelope, Key, derived_id};
use crate::domain::operations::{TimerUnreadable, notice};
use crate::fault;
use crate::store::{Change, Timer, TimerQuery, Unit, UnreadableTimer};
use chrono::{DateTime, Utc};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use uuid::Uuid;

/// Timers that leave in one turn.
const PAGE: u32 = 500;
/// The wall clock may be set, and a machine may sleep: both are seen after this time at the latest.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) enum Msg {
    /// Some timer was set: what is known of the next one may be wrong.
    Set,
    /// The sleep is over.
    Tick,
}

type Alarm = ractor::concurrency::JoinHandle<Result<(), ractor::MessagingErr<Msg>>>;

/// See the module. Idle, it neither reads nor writes; without timers it does not even wake.
pub(super) struct Scheduler;

pub(super) struct Arguments {
    pub hub: Arc<Hub>,
    pub status: Arc<ActorStatus>,
    pub generation: u64,
}

pub(super) struct SchedulerState {
    hub: Arc<Hub>,
    status: Arc<ActorStatus>,
    origin: Origin,
    /// When the next timer is due, as last read.
    next_us: Option<i64>,
    alarm: Option<Alarm>,
    /// Set until something was committed: a timer may be there whose message is there already.
    unsure: bool,
}

impl Actor for Scheduler {
    type Msg = Msg;
    type State = SchedulerState;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Arguments { hub, status, generation }: Arguments,
    ) -> Result<SchedulerState, ActorProcessingErr> {
        let path: Arc<str> = status.path.as_str().into();
        hub.journal.fence(path.clone(), generation).await;
        hub.timers.attach(move || drop(myself.cast(Msg::Set)));
        let origin = Origin::Actor { path, generation };
        Ok(SchedulerState { hub, status, origin, next_us: None, alarm: None, unsure: true })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        state: &mut SchedulerState,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.hub.environment.now();
        match message {
            Msg::Set => state.hub.timers.answer(),
            Msg::Tick if state.next_us.is_some_and(|next| next <= now.timestamp_micros()) => {}
            Msg::Tick => {
                state.sleep(&myself, now);
                return Ok(());
            }
        }
        state.look(now).await?;
        state.sleep(&myself, now);
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut SchedulerState,
    ) -> Result<(), ActorProcessingErr> {
        state.wake_no_more();
        Ok(())
    }
}

impl SchedulerState {
    /// Gives a page of what is due, and learns when the next is.
    async fn look(&mut self, now: DateTime<Utc>) -> Result<(), ActorProcessingErr> {
        let hub = self.hub.clone();
        let due_before_us = Some(now.timestamp_micros());
        let due = TimerQuery { due_before_us, limit: PAGE, ..TimerQuery::default() };
        let due = hub.patiently(|| hub.store.timers(due.clone())).await?;
        if !due.unreadable.is_empty() {
            self.give_up(due.unreadable, now).await?;
        }
        if !due.timers.is_empty() {
            self.fire(due.timers, now).await?;
        }
        let first = TimerQuery { limit: 1, ..TimerQuery::default() };
        let first = hub.patiently(|| hub.store.timers(first.clone())).await?;
        self.next_us = first.first_due_us();
        Ok(())
    }

    async fn fire(&mut self, due: Vec<Timer>, now: DateTime<Utc>) -> Result<(), ActorProcessingErr> {
        let fired = due.len() as u64;
        let mut units = Vec::with_capacity(due.len());
        for timer in due {
            let message = message(&timer, now);
            let told = self.unsure && self.is_told(message.id).await?;
            let messages = if told { Vec::new() } else { vec![message] };
            let end = Change::EndTimer { owner: timer.owner, id: Some(timer.id) };
            units.push(Unit { messages, changes: vec![end], ..Unit::default() });
        }
        fault::point("timer.before");
        self.hub.journal.commit(self.origin.clone(), units).await?;
        fault::point("timer.after");
        self.unsure = false;
        self.status.handled.fetch_add(fired, Relaxed);
        Ok(())
    }

    /// What does not read holds nobody up: it is told of with what it holds, and gone, in one unit.
    async fn give_up(
        &mut self,
        unreadable: Vec<UnreadableTimer>,
        now: DateTime<Utc>,
    ) -> Result<(), ActorProcessingErr> {
        let mut units = Vec::with_capacity(unreadable.len());
        for UnreadableTimer { owner, due_us, reason, raw } in unreadable {
            let name = format!("{}/{}/{}", owner.context, owner.key.as_str(), owner.name);
            tracing::error!(timer.name = name, error = reason, "a timer does not read and is given up");
            let event = TimerUnreadable {
                error: reason,
                due: DateTime::from_timestamp_micros(due_us).unwrap_or(now),
                raw: String::from_utf8_lossy(&raw).into_owned(),
            };
            let told = notice(name, &event.into(), self.hub.environment.new_id(), now, None)?;
            let end = Change::EndTimer { owner, id: None };
            units.push(Unit { messages: vec![told], changes: vec![end], ..Unit::default() });
        }
        self.hub.journal.commit(self.origin.clone(), units).await?;
        Ok(())
    }

    async fn is_told(&self, id: Uuid) -> Result<bool, ActorProcessingErr> {
        Ok(self.hub.patiently(|| self.hub.store.message(id)).await?.is_some())
    }

    /// Sets the alarm for the next timer; there is only one alarm.
    fn sleep(&mut self, myself: &ActorRef<Msg>, now: DateTime<Utc>) {
        self.wake_no_more();
        let Some(next_us) = self.next_us else { return };
        let left_us = u64::try_from(next_us.saturating_sub(now.timestamp_micros())).unwrap_or(0);
        let sleep = Duration::from_micros(left_us).min(LONGEST_SLEEP);
        self.alarm = Some(myself.send_after(sleep, || Msg::Tick));
    }

    fn wake_no_more(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.abort();
        }
    }
}

/// The command that a timer becomes: the same at every attempt.
fn message(timer: &Timer, now: DateTime<Utc>) -> Envelope {
    let id = derived_id(timer.id, timer.due_us.cast_unsigned());
    let key = timer.to_key.clone().unwrap_or_else(|| Key::from(id.to_string()));
    let to = Address { context: timer.to_context.clone(), key };
    Envelope {
        schema_version: timer.schema_version,
        causation_id: timer.causation_id,
        correlation_id: timer.correlation_id.unwrap_or(id),
        trace: timer.trace.clone(),
        extra: timer.extra.clone(),
        ..Envelope::command(&to, &timer.type_name, timer.body.clone(), id, now)
    }
}
