//! The embedded engine: one SQLite file, one writing connection, a pool of read-only ones.

mod changes;
mod desk;
mod encode;
mod error;
mod open;
mod read;
mod rows;
mod write;

use super::lock::FolderLock;
use super::marks::Marks;
use super::{
    Aged, Attempt, DeadLetter, DeadLetterId, DeadLetterQuery, EffectQuery, Filter, Idempotency,
    MessageStatus, Page, Placed, RowPage, RowQuery, StateMark, Store, StoreResult, StoredEffect, Stream,
    Timer, TimerQuery, Unit, Waiting,
};
use crate::domain::envelope::{Envelope, Key};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::SqlitePool;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;
use write::Writer;

pub use encode::{HANDLED_SQL, MESSAGES_SQL, encode_handled, encode_messages, table_sql};
pub use open::writer_options;

/// The oldest SQLite without the WAL-reset corruption bug.
pub const MINIMUM_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// See the module.
pub struct SqliteStore {
    writer: Mutex<Writer>,
    readers: SqlitePool,
    epoch: i64,
    unclean: bool,
    marks: Marks,
    _lock: FolderLock,
}

impl Store for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    fn epoch(&self) -> i64 {
        self.epoch
    }

    fn was_unclean(&self) -> bool {
        self.unclean
    }

    fn mark(&self, slot: usize, position: i64) {
        self.marks.mark(slot, position);
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        async move { self.writer.lock().await.commit(&units).await }.boxed()
    }

    fn last_position(&self) -> BoxFuture<'_, StoreResult<i64>> {
        read::last_position(&self.readers).boxed()
    }

    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>> {
        read::messages_after(&self.readers, after, limit, filter).boxed()
    }

    fn message(&self, id: Uuid) -> BoxFuture<'_, StoreResult<Option<MessageStatus>>> {
        read::message(&self.readers, id).boxed()
    }

    fn range(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<Envelope>>> {
        read::range(&self.readers, first, last).boxed()
    }

    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>> {
        read::idempotency(&self.readers, digest).boxed()
    }

    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        read::waiting(&self.readers, context.to_owned(), None, after, limit).boxed()
    }

    fn waiting_of(
        &self,
        context: &str,
        key: Key,
        after: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        read::waiting(&self.readers, context.to_owned(), Some(key), after, limit).boxed()
    }

    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>> {
        read::waiting_counts(&self.readers).boxed()
    }

    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>> {
        read::streams(&self.readers, context.to_owned(), mark, keys).boxed()
    }

    fn stream_after(
        &self,
        context: &str,
        key: Key,
        after_version: i64,
        until_position: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Stream>> {
        read::stream_after(&self.readers, context.to_owned(), key, after_version, until_position, limit)
            .boxed()
    }

    fn attempts(&self, position: i64) -> BoxFuture<'_, StoreResult<Vec<Attempt>>> {
        desk::attempts(&self.readers, position).boxed()
    }

    fn dead_letters(&self, query: DeadLetterQuery) -> BoxFuture<'_, StoreResult<Vec<DeadLetter>>> {
        desk::dead_letters(&self.readers, query).boxed()
    }

    fn held_keys(&self, context: &str) -> BoxFuture<'_, StoreResult<Vec<(Key, DeadLetterId)>>> {
        desk::held_keys(&self.readers, context.to_owned()).boxed()
    }

    fn timers(&self, query: TimerQuery) -> BoxFuture<'_, StoreResult<Vec<Timer>>> {
        desk::timers(&self.readers, query).boxed()
    }

    fn effects(&self, query: EffectQuery) -> BoxFuture<'_, StoreResult<Vec<StoredEffect>>> {
        desk::effects(&self.readers, query).boxed()
    }

    fn forget_aged(&self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        async move { self.writer.lock().await.forget_aged(what, before_us, limit).await }.boxed()
    }

    fn checkpoint(&self, reader: &str) -> BoxFuture<'_, StoreResult<i64>> {
        read::checkpoint(&self.readers, reader.to_owned()).boxed()
    }

    fn prepare_table(&self, table: &str) -> BoxFuture<'_, StoreResult<()>> {
        let table = table.to_owned();
        async move { self.writer.lock().await.prepare_table(&table).await }.boxed()
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        rows::by_key(&self.readers, table.to_owned(), keys).boxed()
    }

    fn rows(&self, table: &str, query: RowQuery) -> BoxFuture<'_, StoreResult<RowPage>> {
        rows::page(&self.readers, table.to_owned(), query).boxed()
    }

    fn put_session(&self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.put_session(digest, expires_us).await }.boxed()
    }

    fn clear_sessions(&self) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.clear_sessions().await }.boxed()
    }

    fn session_expiry(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<i64>>> {
        read::session_expiry(&self.readers, digest).boxed()
    }

    fn close(&self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.readers.close().await;
            self.writer.lock().await.close().await
        }
        .boxed()
    }
}
