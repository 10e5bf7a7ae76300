//! The contract, handed on: sealed on the way in, opened on the way out.

use super::SealedStore;
use crate::domain::envelope::{Envelope, Key};
use crate::domain::person::Personal;
use crate::store::copy::Source;
use crate::store::{
    Aged, Attempt, DeadLetter, DeadLetterQuery, EffectQuery, Filter, HeldKey, Idempotency, MessageStatus,
    Page, Placed, RowPage, RowQuery, StateMark, Store, StoreResult, StoredEffect, Stream, Timer, TimerQuery,
    Timers, Unit, Waiting,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use uuid::Uuid;

impl SealedStore {
    fn open_all(&self, messages: Vec<Envelope>) -> Vec<Envelope> {
        messages.into_iter().map(|message| self.open(message)).collect()
    }

    fn open_waiting(&self, waiting: Vec<Waiting>) -> Vec<Waiting> {
        let open = |one: Waiting| Waiting { found: one.found.map(|message| self.open(message)), ..one };
        waiting.into_iter().map(open).collect()
    }

    fn open_stream(&self, stream: Stream) -> Stream {
        Stream { events: self.open_all(stream.events), ..stream }
    }
}

impl Store for SealedStore {
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    fn epoch(&self) -> i64 {
        self.inner.epoch()
    }

    fn was_unclean(&self) -> bool {
        self.inner.was_unclean()
    }

    fn mark(&self, slot: usize, position: i64) {
        self.inner.mark(slot, position);
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        if !units.iter().any(|unit| self.is_personal(unit)) {
            return self.inner.commit(units);
        }
        async move {
            let mut sealed = (*units).clone();
            for unit in &mut sealed {
                self.seal_unit(unit).await?;
            }
            self.inner.commit(Arc::new(sealed)).await
        }
        .boxed()
    }

    fn last_position(&self) -> BoxFuture<'_, StoreResult<i64>> {
        self.inner.last_position()
    }

    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>> {
        async move {
            let page = self.inner.messages_after(after, limit, filter).await?;
            Ok(Page { messages: self.open_all(page.messages), ..page })
        }
        .boxed()
    }

    fn message(&self, id: Uuid) -> BoxFuture<'_, StoreResult<Option<MessageStatus>>> {
        async move {
            let status = self.inner.message(id).await?;
            Ok(status.map(|status| MessageStatus { envelope: self.open(status.envelope), ..status }))
        }
        .boxed()
    }

    fn range(&self, first: i64, last: i64) -> BoxFuture<'_, StoreResult<Vec<Envelope>>> {
        async move { Ok(self.open_all(self.inner.range(first, last).await?)) }.boxed()
    }

    fn idempotency(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<Idempotency>>> {
        self.inner.idempotency(digest)
    }

    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        let waiting = self.inner.waiting(context, after, limit);
        async move { Ok(self.open_waiting(waiting.await?)) }.boxed()
    }

    fn waiting_of(
        &self,
        context: &str,
        key: Key,
        after: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        let waiting = self.inner.waiting_of(context, key, after, limit);
        async move { Ok(self.open_waiting(waiting.await?)) }.boxed()
    }

    fn waiting_counts(&self) -> BoxFuture<'_, StoreResult<Vec<(String, i64)>>> {
        self.inner.waiting_counts()
    }

    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>> {
        let streams = self.inner.streams(context, mark, keys);
        async move { Ok(streams.await?.into_iter().map(|stream| self.open_stream(stream)).collect()) }.boxed()
    }

    fn stream_after(
        &self,
        context: &str,
        key: Key,
        after_version: i64,
        until_position: i64,
        limit: u32,
    ) -> BoxFuture<'_, StoreResult<Stream>> {
        let stream = self.inner.stream_after(context, key, after_version, until_position, limit);
        async move { Ok(self.open_stream(stream.await?)) }.boxed()
    }

    fn attempts(&self, position: i64) -> BoxFuture<'_, StoreResult<Vec<Attempt>>> {
        self.inner.attempts(position)
    }

    fn dead_letters(&self, query: DeadLetterQuery) -> BoxFuture<'_, StoreResult<Vec<DeadLetter>>> {
        self.inner.dead_letters(query)
    }

    fn held_keys(&self, context: &str) -> BoxFuture<'_, StoreResult<Vec<HeldKey>>> {
        self.inner.held_keys(context)
    }

    fn timers(&self, query: TimerQuery) -> BoxFuture<'_, StoreResult<Timers>> {
        async move {
            let Timers { timers, unreadable } = self.inner.timers(query).await?;
            let open = |timer: Timer| Timer { body: self.open_text(timer.id, timer.body.clone()), ..timer };
            Ok(Timers { timers: timers.into_iter().map(open).collect(), unreadable })
        }
        .boxed()
    }

    fn effects(&self, query: EffectQuery) -> BoxFuture<'_, StoreResult<Vec<StoredEffect>>> {
        self.inner.effects(query)
    }

    fn forget_aged(&self, what: Aged, before_us: i64, limit: u32) -> BoxFuture<'_, StoreResult<u64>> {
        self.inner.forget_aged(what, before_us, limit)
    }

    fn checkpoint(&self, reader: &str) -> BoxFuture<'_, StoreResult<i64>> {
        self.inner.checkpoint(reader)
    }

    fn prepare_table(&self, table: &str) -> BoxFuture<'_, StoreResult<()>> {
        self.inner.prepare_table(table)
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        self.inner.rows_by_key(table, keys)
    }

    fn rows(&self, table: &str, query: RowQuery) -> BoxFuture<'_, StoreResult<RowPage>> {
        self.inner.rows(table, query)
    }

    fn put_session(&self, digest: [u8; 32], expires_us: i64) -> BoxFuture<'_, StoreResult<()>> {
        self.inner.put_session(digest, expires_us)
    }

    fn clear_sessions(&self) -> BoxFuture<'_, StoreResult<()>> {
        self.inner.clear_sessions()
    }

    fn session_expiry(&self, digest: [u8; 32]) -> BoxFuture<'_, StoreResult<Option<i64>>> {
        self.inner.session_expiry(digest)
    }

    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        self.inner.source()
    }

    fn begin_erasing(&self, person: Uuid) -> BoxFuture<'_, StoreResult<()>> {
        self.begin(person).boxed()
    }

    fn erase(&self, person: Uuid) -> BoxFuture<'_, StoreResult<u64>> {
        self.scrub(person).boxed()
    }

    fn being_erased(&self) -> Vec<Uuid> {
        self.leaving().keys().copied().collect()
    }

    fn end_erasure(&self, person: Uuid) -> StoreResult<()> {
        self.end(person)
    }

    fn refuses(&self, message: &Envelope) -> Option<String> {
        let Personal::Whole(person) = self.people.of(message) else { return None };
        self.was_erased(person).then(|| format!("the person {person} was erased"))
    }

    fn compact(&self) -> BoxFuture<'_, StoreResult<()>> {
        self.compact_files().boxed()
    }

    fn close(&self) -> BoxFuture<'_, StoreResult<()>> {
        self.inner.close()
    }
}
