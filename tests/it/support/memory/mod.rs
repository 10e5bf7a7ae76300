//! The store's contract kept in memory: a simulated disk that outlives the processes which own it.

mod desk;
mod forget;
mod place;
mod tables;

pub use place::Memory;
pub use tables::Tables;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use meal_planner::domain::envelope::{Envelope, Key};
use meal_planner::store::{
    Aged, Attempt, DeadLetter, DeadLetterQuery, EffectQuery, Filter, HeldKey, Idempotency, MessageStatus,
    Page, Placed, RowPage, RowQuery, StateMark, Store, StoreError, StoreResult, StoredEffect, Stream,
    TimerQuery, Timers, Unit, Waiting,
};
use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use uuid::Uuid;

/// What outlives the process. Cheap to clone; clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Tables>>);

impl Disk {
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    /// A process takes the disk over from whoever had it.
    pub fn open(&self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> MemoryStore {
        let mut tables = self.tables();
        let unclean = tables.begin_epoch(now().timestamp_micros());
        MemoryStore {
            epoch: tables.epoch,
            unclean,
            disk: self.clone(),
            now: Box::new(now),
            closed: AtomicBool::new(false),
            lax: None,
        }
    }
}

/// A rule of the contract that a planted store does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lax {
    /// An epoch that is over still commits.
    Epoch,
    /// Ids, stream versions and outcomes may be written twice.
    Uniqueness,
}

/// See the module.
pub struct MemoryStore {
    disk: Disk,
    epoch: i64,
    unclean: bool,
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    closed: AtomicBool,
    lax: Option<Lax>,
}

impl MemoryStore {
    /// One that is wrong in one place, to see that it is noticed.
    #[must_use]
    pub fn lax(mut self, lax: Option<Lax>) -> Self {
        self.lax = lax;
        self
    }

    pub fn commit_now(&self, units: &[Unit]) -> StoreResult<Vec<Placed>> {
        let mut tables = self.open_tables()?;
        if tables.epoch != self.epoch && self.lax != Some(Lax::Epoch) {
            return Err(StoreError::Fenced { epoch: self.epoch });
        }
        if self.lax != Some(Lax::Uniqueness) {
            tables.check(units).map_err(StoreError::Refused)?;
        }
        Ok(tables.apply(units, self.now_us()))
    }

    fn now_us(&self) -> i64 {
        (self.now)().timestamp_micros()
    }

    fn open_tables(&self) -> StoreResult<MutexGuard<'_, Tables>> {
        if self.closed.load(SeqCst) {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        Ok(self.disk.tables())
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&Tables) -> T) -> BoxFuture<'_, StoreResult<T>> {
        ready(self.open_tables().map(|tables| read(&tables))).boxed()
    }

    fn try_read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> StoreResult<T>,
    ) -> BoxFuture<'_, StoreResult<T>> {
        ready(self.open_tables().and_then(|tables| read(&tables))).boxed()
    }

    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Tables) -> T,
    ) -> BoxFuture<'_, StoreResult<T>> {
        ready(self.open_tables().map(|mut tables| write(&mut tables))).boxed()
    }
}

impl Store for MemoryStore {
    fn engine(&self) -> &'static str {
        "memory"
    }

    fn epoch(&self) -> i64 {
        self.epoch
    }

    fn was_unclean(&self) -> bool {
        self.unclean
    }

    fn mark(&self, slot: usize, position: i64) {
        let mut tables = self.disk.tables();
        // Whoever has lost the disk has nothing to say of what its successor handles.
        if tables.epoch == self.epoch {
            tables.marks.insert(slot, position);
        }
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        ready(self.commit_now(&units)).boxed()
    }

    fn last_position(&self) -> BoxFuture<'_, StoreResult<i64>> {
        self.read(Tables::last_position)
    }

    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>> {
        self.read(|tables| tables.page(after, limit, &filter))
    }

    fn message(&self, id: Uuid) -> BoxFuture<'_, StoreResult<Option<MessageStatus>>> {
        self.read(|tables| tables.message(id))
    }

    fn range(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<Envelope>>> {
        self.read(|tables| (first..=last).filter_map(|position| tables.at(position)).cloned().collect())
    }

    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>> {
        self.read(|tables| tables.idempotency.get(&digest).map(|(known, _)| known.clone()))
    }

    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        self.read(|tables| tables.waiting(context, None, after, limit))
    }

    fn waiting_of(
        &self,
        context: &str,
        key: Key,
        after: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        self.read(|tables| tables.waiting(context, Some(&key), after, limit))
    }

    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>> {
        self.read(Tables::waiting_counts)
    }

    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>> {
        self.read(|tables| keys.into_iter().map(|key| tables.stream(context, mark, key)).collect())
    }

    fn stream_after(
        &self,
        context: &str,
        key: Key,
        after_version: i64,
        until_position: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Stream>> {
        self.read(|tables| tables.stream_after(context, key, after_version, until_position, limit))
    }

    fn attempts(&self, position: i64) -> BoxFuture<'_, StoreResult<Vec<Attempt>>> {
        self.read(|tables| tables.attempts.get(&position).cloned().unwrap_or_default())
    }

    fn dead_letters(&self, query: DeadLetterQuery) -> BoxFuture<'_, StoreResult<Vec<DeadLetter>>> {
        self.read(|tables| tables.find_dead_letters(&query))
    }

    fn held_keys(&self, context: &str) -> BoxFuture<'_, StoreResult<Vec<HeldKey>>> {
        self.read(|tables| tables.held_keys(context))
    }

    fn timers(&self, query: TimerQuery) -> BoxFuture<'_, StoreResult<Timers>> {
        self.read(|tables| tables.find_timers(&query))
    }

    fn effects(&self, query: EffectQuery) -> BoxFuture<'_, StoreResult<Vec<StoredEffect>>> {
        self.read(|tables| tables.find_effects(&query))
    }

    fn forget_aged(&self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        let epoch = self.epoch;
        let forgotten = self.open_tables().and_then(|mut tables| match tables.epoch == epoch {
            true => Ok(tables.forget_aged(what, before_us, limit as usize)),
            false => Err(StoreError::Fenced { epoch }),
        });
        ready(forgotten).boxed()
    }

    fn checkpoint(&self, reader: &str) -> BoxFuture<'_, StoreResult<i64>> {
        self.read(|tables| tables.checkpoints.get(reader).copied().unwrap_or(0))
    }

    fn prepare_table(&self, table: &str) -> BoxFuture<'_, StoreResult<()>> {
        self.write(|tables| {
            tables.rows.entry(table.to_owned()).or_default();
        })
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        self.try_read(|tables| tables.rows_by_key(table, keys))
    }

    fn rows(&self, table: &str, query: RowQuery) -> BoxFuture<'_, StoreResult<RowPage>> {
        self.try_read(|tables| tables.find_rows(table, &query))
    }

    fn put_session(&self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        self.write(|tables| {
            tables.sessions.insert(digest, expires_us);
        })
    }

    fn clear_sessions(&self) -> BoxFuture<'_, StoreResult<()>> {
        self.write(|tables| tables.sessions.clear())
    }

    fn session_expiry(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<i64>>> {
        self.read(|tables| tables.sessions.get(&digest).copied())
    }

    fn close(&self) -> BoxFuture<'_, StoreResult<()>> {
        let mut tables = self.disk.tables();
        tables.clean |= tables.epoch == self.epoch;
        self.closed.store(true, SeqCst);
        ready(Ok(())).boxed()
    }
}
