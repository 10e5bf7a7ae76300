//! One run's shared knowledge: the dice, the disk, what was injected, what was promised, what went wrong.

use super::disk::SimStore;
use super::plan::{Dice, Fault, Plan};
use crate::support::contexts::{Book, Moment};
use crate::support::memory::{Disk, Tables};
use chrono::{DateTime, TimeDelta, Utc};
use meal_planner::actors::{Environment, Runtime};
use std::collections::{BTreeMap, HashMap};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// A deliberate mistake below the runtime, which the checks must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A commit is told to be durable before it is: a crash takes the newest ones back.
    EarlyAnswer,
    /// An epoch that is over still commits.
    NoEpoch,
    /// Ids, stream versions and outcomes may be written twice.
    NoUniqueness,
    /// Rows of read models are durable before their checkpoint.
    LateCheckpoint,
    /// Messages of a unit are durable before its handled mark.
    TornUnit,
}

/// What happened on the disk, which a process cannot unsay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    pub handled: BTreeMap<Uuid, u32>,
    /// Injected failures that may be charged to a message.
    pub panics: BTreeMap<Uuid, u32>,
    pub refusals: BTreeMap<i64, u32>,
    pub kills: u32,
    pub crashes: u32,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    pub position: i64,
}

/// A process, dead or alive.
pub struct Process {
    pub epoch: i64,
    pub runtime: Weak<Runtime>,
}

pub struct Sim {
    pub seed: u64,
    pub plan: Plan,
    pub planted: Option<Planted>,
    dice: Mutex<Dice>,
    pub disk: Disk,
    /// The disk as it would be found after a crash, where that is not what it shows.
    pub durable: Mutex<Option<Tables>>,
    pub calm: AtomicBool,
    pub calls: AtomicU64,
    pub all_calls: AtomicU64,
    /// The process that calls is to be ended or overtaken.
    pub crash: Notify,
    pub take_over: Notify,
    pub history: Mutex<History>,
    pub promises: Mutex<BTreeMap<Uuid, Promise>>,
    pub books: Mutex<HashMap<Uuid, Book>>,
    /// Messages that always fail, or fail so many times.
    pub poison: Mutex<HashMap<Uuid, u32>>,
    pub processes: Mutex<Vec<Process>>,
    pub stores: Mutex<Vec<Weak<SimStore>>>,
    pub started: watch::Sender<i64>,
    /// Keys whose rows are not given out for the time being.
    pub held: watch::Sender<Option<String>>,
    began: Mutex<Option<tokio::time::Instant>>,
    before_us: AtomicI64,
    trace: Mutex<Vec<String>>,
    pulse: AtomicU64,
    violations: Mutex<Vec<String>>,
}

impl Sim {
    pub fn new(seed: u64, planted: Option<Planted>) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        Arc::new(Self {
            seed,
            plan: Plan::of(&mut dice),
            planted,
            dice: Mutex::new(dice),
            disk: Disk::default(),
            durable: Mutex::default(),
            calm: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            all_calls: AtomicU64::new(0),
            crash: Notify::new(),
            take_over: Notify::new(),
            history: Mutex::default(),
            promises: Mutex::default(),
            books: Mutex::default(),
            poison: Mutex::default(),
            processes: Mutex::default(),
            stores: Mutex::default(),
            started: watch::Sender::new(0),
            held: watch::Sender::new(None),
            began: Mutex::default(),
            before_us: AtomicI64::new(0),
            trace: Mutex::default(),
            pulse: AtomicU64::new(0),
            violations: Mutex::default(),
        })
    }

    pub fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap()
    }

    /// Whether a fault of this kind strikes now.
    pub fn strikes(&self, fault: Fault) -> bool {
        let rate = self.plan.rate(fault);
        rate > 0 && !self.calm.load(SeqCst) && self.dice().per_mille(rate)
    }

    /// The clock of a new life goes on where that of the one before stood still.
    pub fn start_clock(&self) {
        self.before_us.store(self.passed_us(), SeqCst);
        *self.began.lock().unwrap() = Some(tokio::time::Instant::now());
    }

    fn passed_us(&self) -> i64 {
        let began = *self.began.lock().unwrap();
        let since = began.map_or(0, |began| began.elapsed().as_micros() as i64);
        self.before_us.load(SeqCst) + since
    }

    /// To be called before the clock of a life is dropped.
    pub fn stop_clock(&self) {
        self.before_us.store(self.passed_us(), SeqCst);
        *self.began.lock().unwrap() = None;
    }

    pub fn now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        start + TimeDelta::microseconds(self.passed_us())
    }

    pub fn environment(&self) -> Environment {
        Environment::simulated(self.dice().roll(), self.now())
    }

    pub fn note(&self, what: impl AsRef<str>) {
        let at_ms = self.passed_us() / 1000;
        self.beat(what.as_ref());
        self.trace.lock().unwrap().push(format!("{at_ms:>7} ms  {}", what.as_ref()));
    }

    /// Folds everything that happens into one number, so that two runs can be compared.
    pub fn beat(&self, what: &str) {
        let mut hash = self.pulse.load(SeqCst) ^ self.passed_us().cast_unsigned();
        for byte in what.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.pulse.store(hash, SeqCst);
    }

    pub fn violation(&self, what: String) {
        self.note(format!("BROKEN: {what}"));
        self.violations.lock().unwrap().push(what);
    }

    pub fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violation(what());
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    pub fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }

    pub fn pulse(&self) -> u64 {
        self.pulse.load(SeqCst)
    }

    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    /// A process that runs, mostly the newest.
    pub fn process(&self) -> Option<(i64, Arc<Runtime>)> {
        let processes = self.processes.lock().unwrap();
        let running: Vec<_> = processes
            .iter()
            .filter_map(|process| Some((process.epoch, process.runtime.upgrade()?)))
            .collect();
        let newest = running.last()?;
        let chosen = if running.len() > 1 && self.dice().per_mille(200) { &running[0] } else { newest };
        Some(chosen.clone())
    }

    /// Of no process of this life anything gets to the disk any more.
    pub fn end_life(&self) {
        for store in self.stores.lock().unwrap().drain(..).filter_map(|store| store.upgrade()) {
            store.dead.store(true, SeqCst);
        }
        self.processes.lock().unwrap().clear();
    }

    pub fn runtime_of(&self, epoch: i64) -> Option<Arc<Runtime>> {
        let processes = self.processes.lock().unwrap();
        processes.iter().find(|process| process.epoch == epoch)?.runtime.upgrade()
    }

    /// Stands behind every decision, fold and reaction on this thread.
    pub fn watch(&self, moment: &Moment) {
        let panics = match moment {
            Moment::Decides { id, book } => {
                if let Some(book) = book {
                    self.books.lock().unwrap().insert(*id, (*book).clone());
                }
                self.is_poison(*id) || self.strikes(Fault::PanicDecide)
            }
            Moment::Folds { .. } => self.strikes(Fault::PanicFold),
            Moment::Reacts { .. } => self.strikes(Fault::PanicReact),
        };
        if !panics {
            return;
        }
        match moment {
            Moment::Decides { id, .. } => {
                *self.history().panics.entry(*id).or_default() += 1;
                self.note(format!("panic in the decision on {id}"));
            }
            Moment::Folds { position } => self.note(format!("panic in the fold of {position}")),
            Moment::Reacts { position } => self.note(format!("panic in the reaction to {position}")),
        }
        // Without the panic hook, which would print it.
        resume_unwind(Box::new("injected".to_owned()));
    }

    fn is_poison(&self, id: Uuid) -> bool {
        let mut poison = self.poison.lock().unwrap();
        match poison.get_mut(&id) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}
