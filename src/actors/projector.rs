//! Keeps one read model up to date: folds new events into rows, which commit together with its checkpoint.
//! Rebuilds it beside the live table when asked, a page at a turn.

use super::doorbell::Doorbell;
use super::hub::{Hub, SharedPage};
use super::journal::Origin;
use super::rebuild::{Folded, Rebuild, Stage, beside, compare, fold_page};
use super::status::ActorStatus;
use super::unread::{Buried, settle, unread_by};
use super::view::{View, shown};
use crate::domain::context::{ErasedProjection, Fold};
use crate::domain::envelope::Kind;
use crate::fault;
use crate::store::{Change, Checkpoint, Filter, RowQuery, TableChange, Unit};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::BTreeSet;
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
    projection: Arc<dyn ErasedProjection>,
    table: String,
    filter: Filter,
    fold: Box<dyn Fold>,
    bell: Arc<Doorbell>,
    status: Arc<ActorStatus>,
    origin: Origin,
    position: i64,
    written: i64,
    /// Positions of events that do not read.
    unread: BTreeSet<i64>,
    rebuild: Option<Rebuild>,
    /// Tables of older versions of this read model may still stand.
    outdated: bool,
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
        let unread = unread_by(&hub, &table).await?;
        let contexts = projection.reads().iter().map(|name| (*name).to_owned()).collect();
        let state = ProjectorState {
            outdated: projection.version() > 1,
            table,
            filter: Filter { kinds: Some(Kind::Event), contexts, ..Filter::default() },
            fold: projection.fold(),
            projection,
            bell: bell.clone(),
            status,
            origin: Origin::Actor { path, generation },
            position,
            written: position,
            unread,
            rebuild: None,
            hub,
        };
        state.take_over().await?;
        bell.attach(move || drop(myself.cast(Wake)));
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Wake>,
        _: Wake,
        state: &mut ProjectorState,
    ) -> Result<(), ActorProcessingErr> {
        state.bell.answer();
        if state.status.is_paused() {
            return Ok(());
        }
        let followed = state.follow().await?;
        let built = state.build().await?;
        if followed || built {
            // There may be more; a page a turn lets a request to stop be seen.
            state.bell.ring();
        } else if state.outdated {
            state.drop_older_versions().await?;
        }
        Ok(())
    }
}

impl ProjectorState {
    fn view(&self) -> Option<&View> {
        self.hub.views.get(self.projection.name())
    }

    /// Puts right what the one before may have left.
    async fn take_over(&self) -> Result<(), ActorProcessingErr> {
        // A half-built table is of no use: nobody knows up to where it was built.
        let half_built = beside(&self.table);
        let look = RowQuery { limit: 1, ..RowQuery::default() };
        if self.hub.store.rows(&half_built, look).await.is_ok() {
            self.drop_table(half_built).await?;
        }
        let Some(view) = self.view() else { return Ok(()) };
        // It may have died after its last commit and before it said so.
        view.changed.fetch_max(self.position, Relaxed);
        view.swaps.fetch_add(1, Relaxed);
        view.forget();
        self.tell_unread();
        view.rebuild.send_if_modified(|stage| {
            let was_running = matches!(stage, Stage::Running { .. });
            if was_running {
                *stage = Stage::Failed { error: "the projector died meanwhile; ask again".to_owned() };
            }
            was_running
        });
        Ok(())
    }

    /// Takes a page of what is new; answers whether there was any.
    async fn follow(&mut self) -> Result<bool, ActorProcessingErr> {
        let hub = &self.hub;
        let page = hub.patiently(|| hub.messages_after(self.position, BATCH, &self.filter)).await?;
        let is_new = page.read_to > self.position && !self.status.is_paused();
        if is_new {
            self.take(page).await?;
        }
        if let Some(view) = self.view() {
            view.caught_up.send_replace(self.position);
        }
        Ok(is_new)
    }

    async fn take(&mut self, page: SharedPage) -> Result<(), ActorProcessingErr> {
        let count = page.messages.len();
        if count > 0 || !page.unreadable.is_empty() {
            self.status.current.store(page.messages.first().map_or(0, |m| m.position), Relaxed);
            let folded = fold_page(&self.hub, &mut *self.fold, &self.table, &page).await?;
            let Buried { changes, alerts } = self.bury(&page, &folded);
            let shown = shown(&folded.rows);
            let rows = TableChange { table: self.table.clone(), rows: folded.rows };
            let table = (!rows.rows.is_empty()).then_some(rows);
            self.write(page.read_to, Unit { messages: alerts, table, changes, ..Unit::default() }).await?;
            self.tell_unread();
            // After the commit: whoever sees the mark can read the rows.
            if let Some(view) = self.view().filter(|_| !shown.is_empty()) {
                view.remember(shown);
                view.changed.store(page.read_to, Relaxed);
            }
            self.status.current.store(0, Relaxed);
            self.status.handled.fetch_add(count as u64, Relaxed);
        } else if page.read_to - self.written > SKIP_LIMIT {
            self.write(page.read_to, Unit::default()).await?;
        }
        self.position = page.read_to;
        Ok(())
    }

    /// What does not read, unless it is among the dead letters already.
    fn bury(&mut self, page: &SharedPage, folded: &Folded) -> Buried {
        let (mut buried, now) = (Buried::default(), self.hub.environment.now());
        for row in &page.unreadable {
            if self.unread.insert(row.position) {
                buried.row(&self.table, row, now);
            }
        }
        for (event, error) in &folded.unread {
            if self.unread.insert(event.position) {
                buried.event(&self.table, event, error, now);
            }
        }
        self.status.failed.fetch_add(buried.changes.len() as u64, Relaxed);
        buried
    }

    /// Commits with the checkpoint.
    async fn write(&mut self, position: i64, unit: Unit) -> Result<(), ActorProcessingErr> {
        let checkpoint = Some(Checkpoint { reader: self.table.clone(), position });
        fault::point("projector.before");
        self.commit(Unit { checkpoint, ..unit }).await?;
        fault::point("projector.after");
        self.written = position;
        Ok(())
    }

    async fn commit(&self, unit: Unit) -> Result<(), ActorProcessingErr> {
        self.hub.journal.commit(self.origin.clone(), vec![unit]).await?;
        Ok(())
    }

    async fn drop_table(&self, table: String) -> Result<(), ActorProcessingErr> {
        self.commit(Unit { changes: vec![Change::DropTable { table }], ..Unit::default() }).await
    }

    /// Rows that lack something say so.
    fn tell_unread(&self) {
        let count = self.unread.len() as u64;
        if let Some(view) = self.view() {
            view.unread.store(count, Relaxed);
        }
        if count > 0 {
            self.status.set_error(format!("{count} events do not read and are not in its rows"));
        }
    }

    /// One step of a rebuild, if one is asked for; answers whether there is more to do.
    async fn build(&mut self) -> Result<bool, ActorProcessingErr> {
        if let Some(mut rebuild) = self.rebuild.take() {
            self.build_on(&mut rebuild).await?;
            if rebuild.position >= self.position {
                self.swap(rebuild).await?;
            } else {
                self.tell(Stage::Running { read_to: rebuild.position, of: self.position });
                self.rebuild = Some(rebuild);
            }
            return Ok(true);
        }
        if self.view().is_none_or(|view| *view.rebuild.borrow() != Stage::Asked) {
            return Ok(false);
        }
        let rebuild = Rebuild::new(&self.table, self.projection.fold());
        let hub = &self.hub;
        self.drop_table(rebuild.table.clone()).await?;
        hub.patiently(|| hub.store.prepare_table(&rebuild.table)).await?;
        self.tell(Stage::Running { read_to: 0, of: self.position });
        self.rebuild = Some(rebuild);
        Ok(true)
    }

    async fn build_on(&self, rebuild: &mut Rebuild) -> Result<(), ActorProcessingErr> {
        let hub = &self.hub;
        let mut page = hub.patiently(|| hub.messages_after(rebuild.position, BATCH, &self.filter)).await?;
        // Not past the live one: there they are compared.
        page.messages.retain(|message| message.position <= self.position);
        page.unreadable.retain(|row| row.position <= self.position);
        let folded = fold_page(hub, &mut *rebuild.fold, &rebuild.table, &page).await?;
        if !folded.rows.is_empty() {
            let table = Some(TableChange { table: rebuild.table.clone(), rows: folded.rows });
            self.commit(Unit { table, ..Unit::default() }).await?;
        }
        rebuild.events += page.messages.len() as u64;
        rebuild.unread.extend(page.unreadable.iter().map(|row| row.position));
        rebuild.unread.extend(folded.unread.iter().map(|(event, _)| event.position));
        rebuild.position = page.read_to.min(self.position);
        Ok(())
    }

    /// Both tables are at the same position, and nobody but this actor writes to them.
    async fn swap(&mut self, rebuild: Rebuild) -> Result<(), ActorProcessingErr> {
        let report = compare(&self.hub, &self.table, &rebuild).await?;
        if !report.equal {
            tracing::warn!(
                projection = self.projection.name(), differing = ?report.differing,
                "a rebuilt read model differs from the kept one"
            );
        }
        let swap = Change::SwapTable { built: rebuild.table, live: self.table.clone() };
        let unread: BTreeSet<i64> = rebuild.unread.into_iter().collect();
        let read_now = self.unread.difference(&unread).copied();
        let changes = std::iter::once(swap).chain(settle(&self.table, read_now)).collect();
        fault::point("rebuild.before");
        self.write(self.position, Unit { changes, ..Unit::default() }).await?;
        fault::point("rebuild.after");
        self.fold = rebuild.fold;
        self.unread = unread;
        if let Some(view) = self.view() {
            view.forget();
            view.swaps.fetch_add(1, Relaxed);
        }
        self.tell_unread();
        self.tell(Stage::Done { report });
        Ok(())
    }

    fn tell(&self, stage: Stage) {
        if let Some(view) = self.view() {
            view.rebuild.send_replace(stage);
        }
    }

    /// The new version has caught up: nobody reads the older ones any more.
    async fn drop_older_versions(&mut self) -> Result<(), ActorProcessingErr> {
        for version in 1..self.projection.version() {
            let table = versioned(self.projection.name(), version);
            let hub = &self.hub;
            if hub.patiently(|| hub.store.checkpoint(&table)).await? > 0 {
                // An older program that comes back folds from the first event on.
                let checkpoint = Some(Checkpoint { reader: table.clone(), position: 0 });
                let changes = vec![Change::DropTable { table }];
                self.commit(Unit { checkpoint, changes, ..Unit::default() }).await?;
            }
        }
        self.outdated = false;
        Ok(())
    }
}

/// A new version of a projection folds into a new table from the first event on.
pub(super) fn table_name(projection: &dyn ErasedProjection) -> String {
    versioned(projection.name(), projection.version())
}

fn versioned(name: &str, version: u32) -> String {
    format!("{name}_v{version}")
}
