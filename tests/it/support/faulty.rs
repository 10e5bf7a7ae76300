//! A store that fails, waits and dies as it is told, over one that works.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use meal_planner::domain::envelope::{Envelope, Key};
use meal_planner::store::copy::Source;
use meal_planner::store::{
    Aged, Attempt, DeadLetter, DeadLetterQuery, EffectQuery, Filter, HeldKey, Idempotency, MessageStatus,
    Page, Placed, RowPage, RowQuery, StateMark, Store, StoreError, StoreResult, StoredEffect, Stream,
    TimerQuery, Timers, Unit, Waiting,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::watch;
use uuid::Uuid;

type Matches = Arc<dyn Fn(&Unit) -> bool + Send + Sync>;

/// Something held back until it is opened.
pub struct Gate {
    open: watch::Sender<bool>,
    held: watch::Receiver<usize>,
}

impl Gate {
    /// Returns when something waits at the gate.
    pub async fn reached(&mut self) {
        self.reached_by(1).await;
    }

    /// Returns when so many wait at the gate.
    pub async fn reached_by(&mut self, many: usize) {
        super::soon("something comes to the gate", self.held.wait_for(|held| *held >= many)).await.unwrap();
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

/// A kind of unit that is refused.
pub struct Fault {
    on: Arc<AtomicBool>,
    refused_alone: watch::Receiver<usize>,
}

impl Fault {
    /// Returns when such a unit was refused this often while it stood alone in its group.
    pub async fn reached(&mut self, times: usize) {
        super::soon("a unit is refused", self.refused_alone.wait_for(|n| *n >= times)).await.unwrap();
    }

    pub fn lift(&self) {
        self.on.store(false, SeqCst);
    }
}

#[derive(Clone)]
pub(super) struct Barrier {
    open: watch::Receiver<bool>,
    held: watch::Sender<usize>,
}

impl Barrier {
    pub(super) fn pair() -> (Self, Gate) {
        let (open, is_open) = watch::channel(false);
        let (held, count) = watch::channel(0);
        (Self { open: is_open, held }, Gate { open, held: count })
    }

    pub(super) async fn pass(mut self) {
        self.held.send_modify(|held| *held += 1);
        // A gate that was dropped holds nothing back any more.
        drop(self.open.wait_for(|open| *open).await);
    }
}

#[derive(Default)]
struct Script {
    unavailable: usize,
    refuse: Vec<(Matches, Arc<AtomicBool>, watch::Sender<usize>)>,
    hold: Vec<(Matches, Barrier)>,
    hold_after: Vec<(Matches, Barrier)>,
    hold_reads: Vec<(String, Barrier)>,
    log: Vec<Unit>,
}

/// See the module.
pub struct FaultyStore {
    inner: RwLock<Option<Arc<dyn Store>>>,
    epoch: i64,
    script: Mutex<Script>,
    out: AtomicBool,
    attempts: AtomicUsize,
    missed_reads: AtomicUsize,
    lost_answers: AtomicUsize,
}

impl FaultyStore {
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            epoch: inner.epoch(),
            inner: RwLock::new(Some(inner)),
            script: Mutex::default(),
            out: AtomicBool::new(false),
            attempts: AtomicUsize::new(0),
            missed_reads: AtomicUsize::new(0),
            lost_answers: AtomicUsize::new(0),
        })
    }

    /// The next `n` commits fail as in an outage.
    pub fn fail_commits(&self, n: usize) {
        self.script.lock().unwrap().unavailable = n;
    }

    /// The next `n` commits are made, and then reported as failed by an outage.
    pub fn lose_answers(&self, n: usize) {
        self.lost_answers.store(n, SeqCst);
    }

    /// Until further notice nothing can be read or written.
    pub fn set_out(&self, out: bool) {
        self.out.store(out, SeqCst);
    }

    /// Refuses every group with such a unit in it, until told otherwise.
    pub fn refuse(&self, matches: impl Fn(&Unit) -> bool + Send + Sync + 'static) -> Fault {
        let on = Arc::new(AtomicBool::new(true));
        let (alone, refused_alone) = watch::channel(0);
        self.script.lock().unwrap().refuse.push((Arc::new(matches), on.clone(), alone));
        Fault { on, refused_alone }
    }

    /// Holds back every commit with such a unit in it.
    pub fn hold(&self, matches: impl Fn(&Unit) -> bool + Send + Sync + 'static) -> Gate {
        let (barrier, gate) = Barrier::pair();
        self.script.lock().unwrap().hold.push((Arc::new(matches), barrier));
        gate
    }

    /// Lets commits with such a unit be made, and holds back the answer.
    pub fn hold_after(&self, matches: impl Fn(&Unit) -> bool + Send + Sync + 'static) -> Gate {
        let (barrier, gate) = Barrier::pair();
        self.script.lock().unwrap().hold_after.push((Arc::new(matches), barrier));
        gate
    }

    /// Holds back reads of rows and streams with this key among them; "what waits for C" is the inbox of context C,
    /// "messages of C" are those of the log.
    pub fn hold_reads(&self, key: &str) -> Gate {
        let (barrier, gate) = Barrier::pair();
        self.script.lock().unwrap().hold_reads.push((key.to_owned(), barrier));
        gate
    }

    /// Every unit that was committed, in order.
    pub fn committed(&self) -> Vec<Unit> {
        self.script.lock().unwrap().log.clone()
    }

    /// Commits that were tried.
    pub fn attempts(&self) -> usize {
        self.attempts.load(SeqCst)
    }

    /// Reads that were tried while the store was out.
    pub fn missed_reads(&self) -> usize {
        self.missed_reads.load(SeqCst)
    }

    /// The power goes out: nothing that is not on the disk gets there, nobody is answered any more.
    pub async fn crash(&self) {
        let inner = self.inner.write().unwrap().take();
        let weak = inner.as_ref().map(Arc::downgrade);
        drop(inner);
        super::until("calls under way leave the store", || {
            std::future::ready(weak.as_ref().is_none_or(|weak| weak.strong_count() == 0))
        })
        .await;
    }

    /// The store, or never.
    async fn live(&self) -> Arc<dyn Store> {
        let inner = self.inner.read().unwrap().clone();
        match inner {
            Some(inner) => inner,
            None => std::future::pending().await,
        }
    }

    async fn reading(&self) -> StoreResult<Arc<dyn Store>> {
        if self.out.load(SeqCst) {
            self.missed_reads.fetch_add(1, SeqCst);
            return Err(StoreError::Unavailable("the test says so".to_owned()));
        }
        Ok(self.live().await)
    }

    async fn pass_reads(&self, keys: impl Iterator<Item = String>) {
        let held = self.script.lock().unwrap().hold_reads.clone();
        let keys: Vec<_> = keys.collect();
        if let Some((_, barrier)) = held.into_iter().find(|(key, _)| keys.contains(key)) {
            barrier.pass().await;
        }
    }

    fn fault(&self, units: &[Unit]) -> Option<StoreError> {
        let mut script = self.script.lock().unwrap();
        if self.out.load(SeqCst) || script.unavailable > 0 {
            script.unavailable = script.unavailable.saturating_sub(1);
            return Some(StoreError::Unavailable("the test says so".to_owned()));
        }
        let is_at_fault = |matches: &Matches| units.iter().any(|unit| matches(unit));
        let (_, _, alone) =
            script.refuse.iter().find(|(matches, on, _)| on.load(SeqCst) && is_at_fault(matches))?;
        if units.len() == 1 {
            alone.send_modify(|times| *times += 1);
        }
        Some(StoreError::Refused("the test says so".to_owned()))
    }
}

fn barrier(held: &[(Matches, Barrier)], units: &[Unit]) -> Option<Barrier> {
    let found = held.iter().find(|(matches, _)| units.iter().any(|unit| matches(unit)));
    found.map(|(_, barrier)| barrier.clone())
}

macro_rules! reads {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> BoxFuture<'_, StoreResult<$out>> {
            async move { self.reading().await?.$name($($arg),*).await }.boxed()
        })*
    };
}

macro_rules! reads_by_name {
    ($($name:ident($name_arg:ident $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        $(fn $name(&self, $name_arg: &str, $($arg: $type),*) -> BoxFuture<'_, StoreResult<$out>> {
            let named = $name_arg.to_owned();
            async move { self.reading().await?.$name(&named, $($arg),*).await }.boxed()
        })*
    };
}

impl Store for FaultyStore {
    fn engine(&self) -> &'static str {
        "faulty"
    }

    fn epoch(&self) -> i64 {
        self.epoch
    }

    fn was_unclean(&self) -> bool {
        self.inner.read().unwrap().as_ref().is_some_and(|inner| inner.was_unclean())
    }

    fn mark(&self, slot: usize, position: i64) {
        if let Some(inner) = self.inner.read().unwrap().as_ref() {
            inner.mark(slot, position);
        }
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        async move {
            self.attempts.fetch_add(1, SeqCst);
            let before = barrier(&self.script.lock().unwrap().hold, &units);
            if let Some(barrier) = before {
                barrier.pass().await;
            }
            if let Some(fault) = self.fault(&units) {
                return Err(fault);
            }
            let placed = self.live().await.commit(units.clone()).await?;
            self.script.lock().unwrap().log.extend(units.iter().cloned());
            let after = barrier(&self.script.lock().unwrap().hold_after, &units);
            if let Some(barrier) = after {
                barrier.pass().await;
            }
            let lose = |n: usize| n.checked_sub(1);
            if self.lost_answers.fetch_update(SeqCst, SeqCst, lose).is_ok() {
                return Err(StoreError::Unavailable("the answer was lost".to_owned()));
            }
            Ok(placed)
        }
        .boxed()
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        let table = table.to_owned();
        async move {
            self.pass_reads(keys.iter().cloned()).await;
            self.reading().await?.rows_by_key(&table, keys).await
        }
        .boxed()
    }

    fn waiting(&self, context: &str, after: i64, limit: u32) -> BoxFuture<'_, StoreResult<Vec<Waiting>>> {
        let context = context.to_owned();
        async move {
            self.pass_reads(std::iter::once(format!("what waits for {context}"))).await;
            self.reading().await?.waiting(&context, after, limit).await
        }
        .boxed()
    }

    fn messages_after(&self, after: i64, limit: u32, filter: Filter) -> BoxFuture<'_, StoreResult<Page>> {
        async move {
            self.pass_reads(filter.contexts.iter().map(|context| format!("messages of {context}"))).await;
            self.reading().await?.messages_after(after, limit, filter).await
        }
        .boxed()
    }

    fn streams(
        &self,
        context: &str,
        mark: StateMark,
        keys: Vec<Key>,
    ) -> BoxFuture<'_, StoreResult<Vec<Stream>>> {
        let context = context.to_owned();
        async move {
            self.pass_reads(keys.iter().map(Key::to_string)).await;
            self.reading().await?.streams(&context, mark, keys).await
        }
        .boxed()
    }

    reads! {
        last_position() -> i64;
        message(id: Uuid) -> Option<MessageStatus>;
        range(first: i64, last: i64) -> Vec<Envelope>;
        idempotency(digest: [u8; 32]) -> Option<Idempotency>;
        attempts(position: i64) -> Vec<Attempt>;
        dead_letters(query: DeadLetterQuery) -> Vec<DeadLetter>;
        timers(query: TimerQuery) -> Timers;
        effects(query: EffectQuery) -> Vec<StoredEffect>;
        forget_aged(what: Aged, before_us: i64, limit: u32) -> u64;
        waiting_counts() -> Vec<(String, i64)>;
        put_session(digest: [u8; 32], expires_us: i64) -> ();
        clear_sessions() -> ();
        session_expiry(digest: [u8; 32]) -> Option<i64>;
        source() -> Box<dyn Source>;
        close() -> ();
    }

    reads_by_name! {
        waiting_of(context, key: Key, after: i64, limit: u32) -> Vec<Waiting>;
        stream_after(context, key: Key, after_version: i64, until_position: i64, limit: u32) -> Stream;
        held_keys(context) -> Vec<HeldKey>;
        checkpoint(reader) -> i64;
        prepare_table(table) -> ();
        rows(table, query: RowQuery) -> RowPage;
    }
}
