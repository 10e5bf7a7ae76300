//! Keeps one read model up to date: folds new events into rows, which commit together with its checkpoint.

use super::doorbell::Doorbell;
use super::hub::{Hub, SharedPage};
use super::journal::Origin;
use super::status::ActorStatus;
use super::view::shown;
use crate::domain::context::{ErasedProjection, Fold, RowChange};
use crate::domain::envelope::Kind;
use crate::store::{Checkpoint, Filter, TableChange, Unit};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Events folded at a time.
const BATCH: usize = 2000;
/// Messages of no interest after which the checkpoint is written all the same.
const SKIP_LIMIT: i64 = 50_000;

#[derive(Debug)]
pub(super) struct Wake;

/// See the module.
pub(super) struct Projector;

pub(super) struct Arguments {
    pub hub: Arc<Hub>,
    pub projection: Arc<dyn ErasedProjection>,
    pub bell: Arc<Doorbell>,
    pub status: Arc<ActorStatus>,
    pub generation: u64,
}

pub(super) struct ProjectorState {
    hub: Arc<Hub>,
    name: &'static str,
    table: String,
    filter: Filter,
    fold: Box<dyn Fold>,
    bell: Arc<Doorbell>,
    status: Arc<ActorStatus>,
    origin: Origin,
    position: i64,
    written: i64,
}

impl Actor for Projector {
    type Msg = Wake;
    type State = ProjectorState;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Wake>,
        Arguments { hub, projection, bell, status, generation }: Arguments,
    ) -> Result<ProjectorState, ActorProcessingErr> {
        let path: Arc<str> = status.path.as_str().into();
        hub.journal.fence(path.clone(), generation).await;
        let table = table_name(&*projection);
        hub.patiently(|| hub.store.prepare_table(&table)).await?;
        let position = hub.patiently(|| hub.store.checkpoint(&table)).await?;
        let contexts = projection.reads().iter().map(|name| (*name).to_owned()).collect();
        // The one before may have died after its last commit and before it said so.
        if let Some(view) = hub.views.get(projection.name()) {
            view.changed.fetch_max(position, Relaxed);
            view.forget();
        }
        bell.attach(move || drop(myself.cast(Wake)));
        Ok(ProjectorState {
            name: projection.name(),
            table,
            filter: Filter { kinds: Some(Kind::Event), contexts, ..Filter::default() },
            fold: projection.fold(),
            bell,
            status,
            origin: Origin::Actor { path, generation },
            position,
            written: position,
            hub,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Wake>,
        _: Wake,
        state: &mut ProjectorState,
    ) -> Result<(), ActorProcessingErr> {
        state.bell.answer();
        let hub = &state.hub;
        let page = hub.patiently(|| hub.messages_after(state.position, BATCH, &state.filter)).await?;
        if page.read_to > state.position {
            state.take(page).await?;
            // There may be more; a page a turn lets a request to stop be seen.
            state.bell.ring();
        } else if let Some(view) = state.hub.views.get(state.name) {
            view.caught_up.send_replace(state.position);
        }
        Ok(())
    }
}

impl ProjectorState {
    async fn take(&mut self, page: SharedPage) -> Result<(), ActorProcessingErr> {
        let count = page.messages.len();
        if count > 0 {
            self.status.current.store(page.messages.first().map_or(0, |m| m.position), Relaxed);
            let missing = self.fold.begin(&page.messages)?;
            let loaded = match missing.is_empty() {
                true => Vec::new(),
                false => {
                    let read = || self.hub.store.rows_by_key(&self.table, missing.clone());
                    self.hub.patiently(read).await?
                }
            };
            let rows = self.fold.finish(loaded)?;
            let shown = shown(&rows);
            self.write(page.read_to, rows).await?;
            // After the commit: whoever sees the mark can read the rows.
            if let Some(view) = self.hub.views.get(self.name).filter(|_| !shown.is_empty()) {
                view.remember(shown);
                view.changed.store(page.read_to, Relaxed);
            }
            self.status.current.store(0, Relaxed);
            self.status.handled.fetch_add(count as u64, Relaxed);
        } else if page.read_to - self.written > SKIP_LIMIT {
            self.write(page.read_to, Vec::new()).await?;
        }
        self.position = page.read_to;
        if let Some(view) = self.hub.views.get(self.name) {
            view.caught_up.send_replace(self.position);
        }
        Ok(())
    }

    async fn write(&mut self, position: i64, rows: Vec<RowChange>) -> Result<(), ActorProcessingErr> {
        let unit = Unit {
            table: (!rows.is_empty()).then(|| TableChange { table: self.table.clone(), rows }),
            checkpoint: Some(Checkpoint { reader: self.table.clone(), position }),
            ..Unit::default()
        };
        self.hub.journal.commit(self.origin.clone(), vec![unit]).await?;
        self.written = position;
        Ok(())
    }
}

/// A new version of a projection folds into a new table from the first event on.
pub(super) fn table_name(projection: &dyn ErasedProjection) -> String {
    format!("{}_v{}", projection.name(), projection.version())
}
