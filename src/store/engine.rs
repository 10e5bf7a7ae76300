//! A store over one database: a writer for the journal, readers for everybody, and the marks beside them.

use super::copy::Source;
use super::lock::FolderLock;
use super::marks::Marks;
use super::reading::{self, Reader};
use super::sealed::{Scrub, SubjectKey, Vault};
use super::{
    Aged, Attempt, CommandEnd, DeadLetter, DeadLetterQuery, EffectQuery, Filter, HeldKey, Idempotency,
    MessageStatus, Page, Placed, RowPage, RowQuery, StateMark, Store, StoreResult, StoredEffect, Stream,
    TimerQuery, Timers, Unit, Waiting,
};
use crate::domain::envelope::{Envelope, Key};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// The one connection of an engine that writes.
pub trait Writer: Send + 'static {
    fn commit(&mut self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>>;
    fn prepare_table(&mut self, table: String) -> BoxFuture<'_, StoreResult<()>>;
    fn forget_aged(&mut self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>>;
    fn put_session(&mut self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>>;
    fn clear_sessions(&mut self) -> BoxFuture<'_, StoreResult<()>>;
    fn put_subject_key(
        &mut self,
        subject: Uuid,
        sealed: Vec<u8>,
        made_us: i64,
    ) -> BoxFuture<'_, StoreResult<()>>;
    fn scrub(&mut self, scrub: Scrub) -> BoxFuture<'_, StoreResult<u64>>;
    fn compact(&mut self) -> BoxFuture<'_, StoreResult<()>>;
    fn close(&mut self) -> BoxFuture<'_, StoreResult<()>>;
}

/// See the module.
pub struct Engine<R, W> {
    writer: Mutex<W>,
    readers: R,
    ownership: Ownership,
}

/// What came of opening: this process among those that have owned the store.
#[derive(Debug)]
pub(super) struct Ownership {
    pub(super) epoch: i64,
    /// The owner before ended without saying so.
    pub(super) unclean: bool,
    pub(super) marks: Marks,
    pub(super) _lock: FolderLock,
}

impl<R: Reader, W: Writer> Engine<R, W> {
    pub(super) fn new(readers: R, writer: W, ownership: Ownership) -> Self {
        Self { writer: Mutex::new(writer), readers, ownership }
    }
}

impl<R: Reader, W: Writer> Store for Engine<R, W> {
    fn engine(&self) -> &'static str {
        R::NAME
    }

    fn epoch(&self) -> i64 {
        self.ownership.epoch
    }

    fn was_unclean(&self) -> bool {
        self.ownership.unclean
    }

    fn mark(&self, slot: usize, position: i64) {
        self.ownership.marks.mark(slot, position);
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        async move { self.writer.lock().await.commit(units).await }.boxed()
    }

    fn last_position(&self) -> BoxFuture<'_, StoreResult<i64>> {
        reading::last_position(&self.readers).boxed()
    }

    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>> {
        reading::messages_after(&self.readers, after, limit, filter).boxed()
    }

    fn message(&self, id: Uuid) -> BoxFuture<'_, StoreResult<Option<MessageStatus>>> {
        reading::message(&self.readers, id).boxed()
    }

    fn range(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<Envelope>>> {
        reading::range(&self.readers, first, last).boxed()
    }

    fn command_ends(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<CommandEnd>>> {
        reading::command_ends(&self.readers, first, last).boxed()
    }

    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>> {
        reading::idempotency(&self.readers, digest).boxed()
    }

    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        reading::waiting(&self.readers, context.to_owned(), None, after, limit).boxed()
    }

    fn waiting_of(
        &self,
        context: &str,
        key: Key,
        after: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        reading::waiting(&self.readers, context.to_owned(), Some(key), after, limit).boxed()
    }

    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>> {
        reading::waiting_counts(&self.readers).boxed()
    }

    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>> {
        reading::streams(&self.readers, context.to_owned(), mark, keys).boxed()
    }

    fn stream_after(
        &self,
        context: &str,
        key: Key,
        after_version: i64,
        until_position: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Stream>> {
        reading::stream_after(&self.readers, context.to_owned(), key, after_version, until_position, limit)
            .boxed()
    }

    fn attempts(&self, position: i64) -> BoxFuture<'_, StoreResult<Vec<Attempt>>> {
        reading::attempts(&self.readers, position).boxed()
    }

    fn dead_letters(&self, query: DeadLetterQuery) -> BoxFuture<'_, StoreResult<Vec<DeadLetter>>> {
        reading::dead_letters(&self.readers, query).boxed()
    }

    fn held_keys(&self, context: &str) -> BoxFuture<'_, StoreResult<Vec<HeldKey>>> {
        reading::held_keys(&self.readers, context.to_owned()).boxed()
    }

    fn timers(&self, query: TimerQuery) -> BoxFuture<'_, StoreResult<Timers>> {
        reading::timers(&self.readers, query).boxed()
    }

    fn effects(&self, query: EffectQuery) -> BoxFuture<'_, StoreResult<Vec<StoredEffect>>> {
        reading::effects(&self.readers, query).boxed()
    }

    fn forget_aged(&self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        async move { self.writer.lock().await.forget_aged(what, before_us, limit).await }.boxed()
    }

    fn checkpoint(&self, reader: &str) -> BoxFuture<'_, StoreResult<i64>> {
        reading::checkpoint(&self.readers, reader.to_owned()).boxed()
    }

    fn prepare_table(&self, table: &str) -> BoxFuture<'_, StoreResult<()>> {
        let table = table.to_owned();
        async move { self.writer.lock().await.prepare_table(table).await }.boxed()
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        reading::by_key(&self.readers, table.to_owned(), keys).boxed()
    }

    fn rows(&self, table: &str, query: RowQuery) -> BoxFuture<'_, StoreResult<RowPage>> {
        reading::page(&self.readers, table.to_owned(), query).boxed()
    }

    fn put_session(&self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.put_session(digest, expires_us).await }.boxed()
    }

    fn clear_sessions(&self) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.clear_sessions().await }.boxed()
    }

    fn session_expiry(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<i64>>> {
        reading::session_expiry(&self.readers, digest).boxed()
    }

    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        self.readers.source()
    }

    fn compact(&self) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.compact().await }.boxed()
    }

    fn close(&self) -> BoxFuture<'_, StoreResult<()>> {
        async move {
            self.readers.close().await;
            self.writer.lock().await.close().await
        }
        .boxed()
    }
}

impl<R: Reader, W: Writer> Vault for Engine<R, W> {
    fn subject_keys(&self) -> BoxFuture<'_, StoreResult<Vec<SubjectKey>>> {
        reading::subject_keys(&self.readers).boxed()
    }

    fn put_subject_key(
        &self,
        subject: Uuid,
        sealed: Vec<u8>,
        made_us: i64,
    ) -> BoxFuture<'_, StoreResult<()>> {
        async move { self.writer.lock().await.put_subject_key(subject, sealed, made_us).await }.boxed()
    }

    fn bodies(&self, beginning: String) -> BoxFuture<'_, StoreResult<Vec<(Uuid, String)>>> {
        reading::bodies(&self.readers, beginning).boxed()
    }

    fn scrub(&self, scrub: Scrub) -> BoxFuture<'_, StoreResult<u64>> {
        async move { self.writer.lock().await.scrub(scrub).await }.boxed()
    }
}

/// Where the messages of a group's units come to stand when the first of them stands at `first`.
pub(super) fn placed(units: &[Unit], first: i64) -> Vec<Placed> {
    let mut next = first;
    let place = |unit: &Unit| {
        let place = Placed { first: next };
        next += unit.messages.len() as i64;
        place
    };
    units.iter().map(place).collect()
}
