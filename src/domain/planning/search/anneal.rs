//! One chain of the search: rounds of simulated annealing, the longer ones polished by exact descent; the best plan
//! is kept.
//!
//! A round depends only on the rounds before it, and the best of all that was seen is kept: a chain that goes on
//! longer repeats what a shorter one did, so its plan is never worse.

use super::menu::Menu;
use super::plan::{Choice, NONE, Plan};
use super::rng::Rng;
use super::state::{Saved, State};
use super::table::Table;
use std::ops::ControlFlow;

/// Moves between two reports.
const REPORT_EVERY: u64 = 1_024;
/// Moves of the first two rounds (or of half of the first, where it stands for two) and of the longest. They double
/// every time.
const FIRST_ROUND: u64 = 5_000;
const LONGEST_ROUND: u64 = 4_000_000;
/// The fewest candidates of a meal that a round looks at; it looks at as many as it has moves for each meal. Dishes
/// of good plans are among the cheapest in themselves, and a short round has no time for the others.
const FEWEST_CANDIDATES: usize = 256;
/// Rounds begin hot once they have so many moves for each candidate of each meal: before, there is more to gain
/// near the best plan than far from it.
const MOVES_TO_BE_HOT: usize = 2;
/// Shorter rounds are not polished: there is no time for it.
const POLISHED_ROUND: u64 = 30_000;
/// Candidates of each meal that are combined, in short rounds and in others.
const FEW: usize = 32;
const MANY: usize = 128;
/// Temperatures of a round.
const COOLING_STEPS: u64 = 128;
/// Per cent of the price of an average meal: where a round begins that leaves for another plan, where one begins
/// that improves the best, and where all end.
const HOT: i64 = 80;
const WARM: i64 = 15;
const COLD: i64 = 3;

/// How far a chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of the chain.
    pub chain: u32,
    /// Moves it has tried.
    pub moves: u64,
    /// Its best so far.
    pub objective: i64,
}

/// Told every thousand moves or so; may stop the search, which then gives the best plan so far.
pub type Watch<'w> = dyn Fn(&Progress) -> ControlFlow<()> + Sync + 'w;

pub(super) struct Chain<'t, 'w> {
    pub(super) state: State<'t>,
    pub(super) rng: Rng,
    number: u32,
    /// Slots that may be changed, and those of each day.
    pub(super) open: Vec<usize>,
    pub(super) open_of: Vec<Vec<usize>>,
    /// Slots and eaters whose portions may be changed.
    pub(super) portioned: Vec<(usize, usize)>,
    pub(super) menu: Menu,
    pub(super) saved: Saved,
    best: Plan,
    objective: i64,
    pub(super) moves: u64,
    reported: u64,
    watch: &'w Watch<'w>,
    pub(super) stopped: bool,
}

impl<'t, 'w> Chain<'t, 'w> {
    /// A chain that changes only the slots for which `open` says so.
    pub(super) fn new(
        table: &'t Table,
        start: Option<&Plan>,
        open: &dyn Fn(usize) -> bool,
        (seed, number): (u64, u32),
        watch: &'w Watch<'w>,
    ) -> Self {
        let state = start.map_or_else(|| State::new(table), |plan| State::of(table, plan));
        let open: Vec<usize> =
            (0..table.slots.len()).filter(|&s| table.slots[s].locked.is_none() && open(s)).collect();
        let mut open_of = vec![Vec::new(); table.days];
        open.iter().for_each(|&slot| open_of[table.slots[slot].day].push(slot));
        let (best, objective) = (state.plan(), state.objective());
        Self {
            portioned: portioned(table, &open),
            rng: Rng::new(seed, u64::from(number)),
            number,
            state,
            open,
            open_of,
            menu: Menu::of(MANY),
            saved: Saved::default(),
            best,
            objective,
            moves: 0,
            reported: 0,
            watch,
            stopped: false,
        }
    }

    /// Searches until so many moves are tried or the watcher says stop.
    pub(super) fn run(mut self, moves: u64) -> (i64, Plan, u64) {
        self.fill();
        let table = self.state.table;
        let candidates = |&slot: &usize| table.groups[table.slots[slot].group].cook.len();
        let all: usize = self.open.iter().map(candidates).sum();
        let hot = u64::try_from(all * MOVES_TO_BE_HOT).unwrap_or(u64::MAX).min(LONGEST_ROUND);
        let mut length = FIRST_ROUND;
        while !self.over(moves) {
            let is_hot = length >= hot;
            if is_hot {
                // From where the round before ended: the best plan may be far from a better one.
                self.round(length, HOT, moves);
            }
            self.state.load(&self.best);
            self.round(if is_hot { length } else { 2 * length }, WARM, moves);
            length = (length * 2).min(LONGEST_ROUND);
        }
        (self.objective, self.best, self.moves)
    }

    fn over(&self, moves: u64) -> bool {
        self.stopped || self.moves >= moves || (self.open.is_empty() && self.portioned.is_empty())
    }

    /// Fills the empty slots with the cheapest of the promising, those with the fewest candidates first.
    pub(super) fn fill(&mut self) {
        let table = self.state.table;
        let mut order: Vec<usize> =
            self.open.iter().copied().filter(|&s| self.state.recipe[s] == NONE).collect();
        order.sort_by_key(|&s| (table.groups[table.slots[s].group].cook.len(), s));
        for slot in order {
            self.state.fill(slot, &mut self.moves);
            self.report();
        }
        self.keep();
    }

    /// Keeps the plan if it is the best so far.
    #[inline]
    pub(super) fn keep(&mut self) {
        if self.state.objective() < self.objective {
            self.objective = self.state.objective();
            self.best = self.state.plan();
        }
    }

    pub(super) fn report(&mut self) {
        if self.moves >= self.reported + REPORT_EVERY {
            self.reported = self.moves;
            let progress = Progress { chain: self.number, moves: self.moves, objective: self.objective };
            self.stopped |= (self.watch)(&progress).is_break();
        }
    }

    /// Anneals from where the chain is; a long round is polished.
    fn round(&mut self, length: u64, hot: i64, most: u64) {
        self.menu.most = if length < POLISHED_ROUND { FEW } else { MANY };
        let each = usize::try_from(length).unwrap_or(usize::MAX) / self.open.len().max(1);
        self.state.looked_at = each.max(FEWEST_CANDIDATES);
        self.anneal(length, hot, most);
        if !self.over(most) && length >= POLISHED_ROUND {
            self.polish();
        }
    }

    fn anneal(&mut self, length: u64, hot: i64, most: u64) {
        let meal = self.price_of_a_meal();
        for step in 0..COOLING_STEPS {
            let temperature = cooled(meal * hot / 100, meal * COLD / 100, step);
            let end = self.moves + length / COOLING_STEPS;
            while self.moves < end {
                // Before the step, not after it: a shorter search may not make one that a longer does not make.
                if self.over(most) {
                    return;
                }
                self.step(temperature);
                self.keep();
                self.report();
            }
        }
    }

    /// What an average meal of the best plan costs: the scale of the temperatures.
    fn price_of_a_meal(&self) -> i64 {
        let slots = &self.state.table.slots;
        let chosen = slots.iter().zip(&self.best.choices);
        let missed: i64 =
            chosen.filter(|(_, choice)| **choice == Choice::Empty).map(|(slot, _)| slot.empty).sum();
        let count = i64::try_from(slots.len()).unwrap_or(1).max(1);
        // Bonuses can make a plan cost nothing; a tenth of a point keeps the search moving.
        ((self.objective - missed) / count).clamp(1_000, 1_000_000_000_000)
    }

    /// Exact descent from the best plan.
    fn polish(&mut self) {
        self.state.load(&self.best);
        self.descend();
        self.keep();
    }
}

/// Slots and eaters with portions to choose.
fn portioned(table: &Table, open: &[usize]) -> Vec<(usize, usize)> {
    let chooses = |&(slot, e): &(usize, usize)| {
        table.choices[e].len() > 1 && table.fixed[slot * table.eaters + e].is_none()
    };
    let eaters = |&slot: &usize| table.slots[slot].eaters.iter().map(move |&e| (slot, usize::from(e)));
    open.iter().flat_map(eaters).filter(chooses).collect()
}

/// Falls from `hot` to `cold` by the same factor in every step.
fn cooled(hot: i64, cold: i64, step: u64) -> i64 {
    // A quadratic Bezier curve between the two, close to the exponential for ratios of five to twenty.
    let (done, all) = (i64::try_from(step).unwrap_or(0), i64::try_from(COOLING_STEPS).unwrap_or(1));
    let left = all - done;
    let middle = cold;
    ((left * left / all) * hot + 2 * (left * done / all) * middle + (done * done / all) * cold) / all
}
