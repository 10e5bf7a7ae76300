//! The store of one simulated process: the twin in memory, with everything that can happen on the way to it.

use super::plan::Fault;
use super::sim::{Planted, Sim};
use crate::support::memory::{Lax, MemoryStore};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use meal_planner::domain::envelope::{Envelope, Key};
use meal_planner::store::{
    Aged, Attempt, DeadLetter, DeadLetterQuery, EffectQuery, Filter, HeldKey, Idempotency, MessageStatus,
    Page, Placed, RowPage, RowQuery, StateMark, Store, StoreError, StoreResult, StoredEffect, Stream,
    TimerQuery, Timers, Unit, Waiting,
};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;
use uuid::Uuid;

/// Commits that a crash takes back when a store answers too early.
const UNWRITTEN: u64 = 3;

/// Far more calls than any run needs.
const MOST_CALLS: u64 = 20_000;

/// Every actor that can be killed; the empty path is the whole tree.
const PATHS: [&str; 10] = [
    "journal",
    "projections/ledger_sums",
    "contexts/ledger",
    "contexts/mirror",
    "contexts/scale",
    "reactions/mirror",
    "projections",
    "contexts",
    "reactions",
    "",
];

/// See the module.
pub struct SimStore {
    sim: Arc<Sim>,
    inner: MemoryStore,
    /// The process has ended: nothing of it gets to the disk, nobody hears of it.
    pub dead: AtomicBool,
    outage_until: Mutex<Option<(Instant, Fault)>>,
}

impl SimStore {
    /// The next owner of the disk.
    pub fn open(sim: &Arc<Sim>) -> Arc<Self> {
        let clock = Arc::downgrade(sim);
        let lax = match sim.planted {
            Some(Planted::NoEpoch) => Some(Lax::Epoch),
            Some(Planted::NoUniqueness) => Some(Lax::Uniqueness),
            Some(Planted::EarlyAnswer | Planted::LateCheckpoint | Planted::TornUnit) | None => None,
        };
        let inner = sim.disk.open(move || clock.upgrade().map(|sim| sim.now()).unwrap_or_default()).lax(lax);
        let store =
            Self { sim: sim.clone(), inner, dead: AtomicBool::new(false), outage_until: Mutex::default() };
        let store = Arc::new(store);
        sim.stores.lock().unwrap().push(Arc::downgrade(&store));
        store
    }

    fn is_newest(&self) -> bool {
        self.inner.epoch() == self.sim.disk.tables().epoch
    }

    /// Whatever happens between a call and the disk. `true`: the call is the last of its process.
    async fn step(&self, what: &str) -> bool {
        self.sim.beat(what);
        if self.dead.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.sim.all_calls.fetch_add(1, SeqCst) > MOST_CALLS {
            self.sim.violation("it works without end".to_owned());
            self.die("for lack of an end").await;
        }
        if self.sim.calm.load(SeqCst) {
            return false;
        }
        let calls = self.sim.calls.fetch_add(1, SeqCst) + 1;
        if calls >= self.sim.plan.calls {
            self.sim.note("faults end");
            self.sim.calm.store(true, SeqCst);
        }
        self.others_act();
        let (turns, pause) = {
            let mut dice = self.sim.dice();
            (dice.below(4), dice.up_to_ms(60))
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        if self.sim.strikes(Fault::Slow) {
            tokio::time::sleep(pause).await;
        }
        if self.dead.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        self.is_newest() && self.sim.strikes(Fault::Crash)
    }

    fn others_act(&self) {
        if self.sim.strikes(Fault::Kill) {
            let path = *self.sim.dice().pick(&PATHS);
            if let Some(runtime) = self.sim.runtime_of(self.inner.epoch()) {
                self.sim.note(format!("kill {path:?} of epoch {}", self.inner.epoch()));
                self.sim.history().kills += 1;
                runtime.kill(path);
            }
        }
        if self.is_newest() && self.sim.strikes(Fault::TakeOver) {
            self.sim.take_over.notify_one();
        }
        for fault in [Fault::Outage, Fault::DiskFull] {
            if self.sim.strikes(fault) {
                let span = self.sim.dice().up_to_ms(4000);
                self.sim.note(format!("{fault:?} for {span:?}"));
                *self.outage_until.lock().unwrap() = Some((Instant::now() + span, fault));
            }
        }
    }

    /// The machine stops here.
    async fn die(&self, when: &str) -> ! {
        self.sim.note(format!("crash {when} of epoch {}", self.inner.epoch()));
        self.dead.store(true, SeqCst);
        self.sim.crash.notify_one();
        std::future::pending().await
    }

    fn is_out(&self, writing: bool) -> bool {
        let until = *self.outage_until.lock().unwrap();
        until.is_some_and(|(until, fault)| {
            Instant::now() < until && !self.sim.calm.load(SeqCst) && (writing || fault == Fault::Outage)
        })
    }

    async fn reading(&self, what: &str) -> StoreResult<()> {
        if self.step(what).await {
            self.die(&format!("at a read ({what})")).await;
        }
        if self.is_out(false) || self.sim.strikes(Fault::ReadFails) {
            self.sim.note(format!("{what} fails"));
            return Err(unavailable("a read fails"));
        }
        Ok(())
    }

    async fn commit_or_not(&self, units: Arc<Vec<Unit>>) -> StoreResult<Vec<Placed>> {
        let last = self.step("commit").await;
        if last && self.sim.dice().per_mille(500) {
            self.die("before a commit").await;
        }
        let is_empty = units.is_empty();
        if self.is_out(!is_empty) || (!is_empty && self.sim.strikes(Fault::CommitFails)) {
            self.sim.note(format!("a commit of {} fails", units.len()));
            return Err(unavailable("a commit fails"));
        }
        if !is_empty && self.sim.strikes(Fault::Refused) {
            return Err(self.refuse(&units));
        }
        let placed = self.write(&units)?;
        self.remember(&units, &placed);
        if last {
            self.die("after a commit").await;
        }
        if !is_empty && self.sim.strikes(Fault::AnswerLost) {
            self.sim.note(format!("the answer to a commit of {} is lost", units.len()));
            return Err(unavailable("the answer was lost"));
        }
        Ok(placed)
    }

    fn refuse(&self, units: &[Unit]) -> StoreError {
        self.sim.note(format!("a commit of {} is refused", units.len()));
        if let [Unit { handled: Some(handled), .. }] = units {
            *self.sim.history().refusals.entry(handled.position).or_default() += 1;
        }
        StoreError::Refused("the simulation says so".to_owned())
    }

    fn write(&self, units: &Arc<Vec<Unit>>) -> StoreResult<Vec<Placed>> {
        let torn = self.sim.planted == Some(Planted::TornUnit) && self.sim.strikes(Fault::CommitFails);
        let late = self.sim.planted == Some(Planted::LateCheckpoint);
        let mut changed = (**units).clone();
        for unit in &mut changed {
            if torn {
                unit.handled = None;
            }
            if late && unit.table.is_some() {
                unit.checkpoint = None;
            }
        }
        if self.sim.planted == Some(Planted::EarlyAnswer) {
            let calls = self.sim.calls.load(SeqCst);
            let mut durable = self.sim.durable.lock().unwrap();
            if durable.is_none() || calls.is_multiple_of(UNWRITTEN) {
                *durable = Some(self.sim.disk.tables().clone());
            }
        }
        let owned = self.is_newest();
        let placed = self.inner.commit_now(&changed)?;
        if torn {
            return Err(unavailable("half of it was written"));
        }
        self.sim.check(owned || units.is_empty(), || {
            format!("epoch {} has committed after it was over", self.inner.epoch())
        });
        Ok(placed)
    }

    fn remember(&self, units: &[Unit], placed: &[Placed]) {
        let mut history = self.sim.history();
        for (unit, place) in units.iter().zip(placed) {
            if let Some(handled) = &unit.handled {
                *history.handled.entry(handled.id).or_default() += 1;
            }
            self.sim.beat(&format!("{} {}", place.first, unit.messages.len()));
        }
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

macro_rules! reads {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> BoxFuture<'_, StoreResult<$out>> {
            async move {
                self.reading(stringify!($name)).await?;
                self.inner.$name($($arg),*).await
            }
            .boxed()
        })*
    };
}

macro_rules! reads_by_name {
    ($($name:ident($name_arg:ident $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        $(fn $name(&self, $name_arg: &str, $($arg: $type),*) -> BoxFuture<'_, StoreResult<$out>> {
            let named = $name_arg.to_owned();
            async move {
                self.reading(stringify!($name)).await?;
                self.inner.$name(&named, $($arg),*).await
            }
            .boxed()
        })*
    };
}

impl Store for SimStore {
    fn engine(&self) -> &'static str {
        "simulation"
    }

    fn epoch(&self) -> i64 {
        self.inner.epoch()
    }

    fn was_unclean(&self) -> bool {
        self.inner.was_unclean()
    }

    fn mark(&self, slot: usize, position: i64) {
        if !self.dead.load(SeqCst) {
            self.inner.mark(slot, position);
        }
    }

    fn commit(&self, units: Arc<Vec<Unit>>) -> BoxFuture<'_, StoreResult<Vec<Placed>>> {
        self.commit_or_not(units).boxed()
    }

    fn rows_by_key(
        &self,
        table: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, StoreResult<Vec<(String, String)>>> {
        let table = table.to_owned();
        async move {
            self.reading("rows_by_key").await?;
            let held = |held: &Option<String>| held.as_ref().is_some_and(|held| keys.contains(held));
            let mut gate = self.sim.held.subscribe();
            drop(gate.wait_for(|now| !held(now)).await);
            self.inner.rows_by_key(&table, keys).await
        }
        .boxed()
    }

    reads! {
        last_position() -> i64;
        messages_after(after: i64, limit: u32, filter: Filter) -> Page;
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
        close() -> ();
    }

    reads_by_name! {
        waiting(context, after: i64, limit: u32) -> Vec<Waiting>;
        waiting_of(context, key: Key, after: i64, limit: u32) -> Vec<Waiting>;
        held_keys(context) -> Vec<HeldKey>;
        stream_after(context, key: Key, after_version: i64, until_position: i64, limit: u32) -> Stream;
        streams(context, mark: StateMark, keys: Vec<Key>) -> Vec<Stream>;
        checkpoint(reader) -> i64;
        prepare_table(table) -> ();
        rows(table, query: RowQuery) -> RowPage;
    }
}
