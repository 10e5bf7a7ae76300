//! What a seed decides: which kinds of fault there are in its run, how often, and every later throw of the dice.

use std::time::Duration;
use uuid::Uuid;

/// SplitMix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        // Neighbouring seeds part ways.
        dice.roll();
        dice
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }

    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    pub fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.roll(), self.roll())
    }

    pub fn up_to_ms(&mut self, ms: u64) -> Duration {
        Duration::from_millis(self.below(ms + 1))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// The disk takes its time.
    Slow,
    /// A commit fails and leaves nothing.
    CommitFails,
    /// A unit is refused although nothing is wrong with it.
    Refused,
    /// A commit is made and told to have failed.
    AnswerLost,
    /// A read fails.
    ReadFails,
    /// For a while nothing can be written.
    DiskFull,
    /// For a while nothing can be read or written.
    Outage,
    PanicDecide,
    PanicFold,
    PanicReact,
    Kill,
    /// The process ends between two instants; what is on the disk stays.
    Crash,
    /// Another process takes over while this one runs on.
    TakeOver,
    /// The client's connection breaks.
    HangUp,
}

pub const FAULTS: [Fault; 14] = [
    Fault::Slow,
    Fault::CommitFails,
    Fault::Refused,
    Fault::AnswerLost,
    Fault::ReadFails,
    Fault::DiskFull,
    Fault::Outage,
    Fault::PanicDecide,
    Fault::PanicFold,
    Fault::PanicReact,
    Fault::Kill,
    Fault::Crash,
    Fault::TakeOver,
    Fault::HangUp,
];

/// Faults of the disk alone: they cost no attempt and no restart.
const OUTAGES: [Fault; 5] =
    [Fault::Slow, Fault::CommitFails, Fault::ReadFails, Fault::DiskFull, Fault::Outage];

/// Which kinds of fault a run has: some seeds many, some few, so that none always hides another.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How often out of a thousand, by kind; 0 for never.
    rates: [u64; FAULTS.len()],
    pub clients: usize,
    pub commands: usize,
    /// Calls to the store after which faults end.
    pub calls: u64,
}

impl Plan {
    pub fn of(dice: &mut Dice) -> Self {
        let share = *dice.pick(&[100, 300, 500, 800]);
        let only_outages = dice.per_mille(150);
        let mut rates = [0; FAULTS.len()];
        for fault in FAULTS {
            let chosen = dice.per_mille(share);
            let rate = *dice.pick(&[5, 20, 60]);
            if chosen && (!only_outages || OUTAGES.contains(&fault)) {
                rates[fault as usize] = rate;
            }
        }
        Self {
            rates,
            clients: 1 + dice.below(4) as usize,
            commands: 3 + dice.below(8) as usize,
            calls: 50 + dice.below(250),
        }
    }

    pub fn rate(&self, fault: Fault) -> u64 {
        self.rates[fault as usize]
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.rate(fault) > 0
    }

    pub fn has_only_outages(&self) -> bool {
        FAULTS.iter().all(|fault| !self.has(*fault) || OUTAGES.contains(fault))
    }

    /// Nothing hides what is charged to a message: no kill, no crash, no outage.
    pub fn counts_attempts_exactly(&self) -> bool {
        let harmless = [Fault::PanicDecide, Fault::Slow, Fault::HangUp];
        FAULTS.iter().all(|fault| !self.has(*fault) || harmless.contains(fault))
    }
}
