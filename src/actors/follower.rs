//! Keeps the board of breakers up to date: reads how they stood, then folds their events as they are committed.

use super::doorbell::Doorbell;
use super::hub::Hub;
use super::status::ActorStatus;
use crate::domain::breakers::{Breaker, Breakers, Event, Status};
use crate::domain::context::{Context, Projection};
use crate::domain::envelope::{Envelope, Kind};
use crate::domain::message::{Message, from_text};
use crate::store::{Filter, RowQuery};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

const BATCH: usize = 500;
const PAGE: u32 = 500;

#[derive(Debug)]
pub(super) struct Wake;

/// See the module. Whoever is started after it finds the board as of its own start.
pub(super) struct Follower;

pub(super) struct Arguments {
    pub hub: Arc<Hub>,
    pub bell: Arc<Doorbell>,
    pub status: Arc<ActorStatus>,
}

pub(super) struct FollowerState {
    hub: Arc<Hub>,
    bell: Arc<Doorbell>,
    status: Arc<ActorStatus>,
    filter: Filter,
    breakers: HashMap<String, Breaker>,
    position: i64,
}

impl Actor for Follower {
    type Msg = Wake;
    type State = FollowerState;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Wake>,
        Arguments { hub, bell, status }: Arguments,
    ) -> Result<FollowerState, ActorProcessingErr> {
        let filter = Filter {
            kinds: Some(Kind::Event),
            contexts: vec![Breakers::NAME.to_owned()],
            ..Filter::default()
        };
        let mut state =
            FollowerState { hub, bell: bell.clone(), status, filter, breakers: HashMap::new(), position: 0 };
        state.load().await?;
        while state.follow().await? {}
        for (service, breaker) in &state.breakers {
            state.hub.gateways.board.set(service, breaker.clone());
        }
        bell.attach(move || drop(myself.cast(Wake)));
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Wake>,
        _: Wake,
        state: &mut FollowerState,
    ) -> Result<(), ActorProcessingErr> {
        state.bell.answer();
        if state.follow().await? {
            state.bell.ring();
        }
        Ok(())
    }
}

impl FollowerState {
    /// The rows as of some position, or later: events say what became of a breaker, so that folding one twice is
    /// harmless.
    async fn load(&mut self) -> Result<(), ActorProcessingErr> {
        let hub = &self.hub;
        let Some(view) = hub.views.get(Status::NAME) else { return Ok(()) };
        self.position = hub.patiently(|| hub.store.checkpoint(&view.table)).await?;
        let mut query = RowQuery { limit: PAGE, ..RowQuery::default() };
        loop {
            let page = hub.patiently(|| hub.store.rows(&view.table, query.clone())).await?;
            for (service, body) in page.rows {
                self.breakers.insert(service, from_text(Status::NAME, &body)?);
            }
            if page.next.is_none() {
                return Ok(());
            }
            query.after = page.next;
        }
    }

    /// Folds a page of events; answers whether there may be more.
    async fn follow(&mut self) -> Result<bool, ActorProcessingErr> {
        let hub = &self.hub;
        let page = hub.patiently(|| hub.messages_after(self.position, BATCH, &self.filter)).await?;
        if page.read_to == self.position {
            return Ok(false);
        }
        for event in &page.messages {
            self.fold(event);
        }
        self.status.handled.fetch_add(page.messages.len() as u64, Relaxed);
        self.position = page.read_to;
        self.hub.gateways.board.followed(self.position);
        Ok(true)
    }

    fn fold(&mut self, envelope: &Envelope) {
        let service = envelope.key.as_str();
        let event = Event::decode(&envelope.type_name, envelope.schema_version, &envelope.body);
        let Ok(event) = event.inspect_err(|error| {
            tracing::error!(%error, message.position = envelope.position, "an event of a breaker does not read");
        }) else {
            self.status.failed.fetch_add(1, Relaxed);
            return;
        };
        let breaker = self.breakers.entry(service.to_owned()).or_default();
        Breakers::evolve(breaker, &event);
        self.hub.gateways.board.set(service, breaker.clone());
    }
}
