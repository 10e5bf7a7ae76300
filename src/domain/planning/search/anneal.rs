//! The search: a greedy plan, ever longer rounds of annealing, each polished by exact descent; the best is kept.

use super::chance::accepts;
use super::model::{Choice, Model};
use super::moves::Move;
use super::objective::Plan;
use super::rng::Rng;
use super::state::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::ControlFlow;

/// Lengths of the first rounds; from then on three of each length, each length four times the one before.
const FIRST_ROUNDS: [u64; 2] = [8_000, 32_000];
const LONG_ROUND: u64 = 128_000;
const REPORT_EVERY: u64 = 1_024;
const KIND_COOK: usize = 35;
const KIND_PAIR: usize = 50;
const KIND_SWAP: usize = 60;
const KIND_LEFTOVER: usize = 70;
const COOLING_STEPS: u64 = 256;
/// 400^(-1/256) x 2^16: a round ends at a four-hundredth of the temperature it began with.
const COOLING: i64 = 64_019;

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    pub moves_used: u64,
    pub moves: u64,
    /// Of the best plan so far.
    pub objective: i64,
    /// How often the best plan was replaced by a better one.
    pub improvements: u64,
}

pub(super) type Watcher<'w> = &'w mut dyn FnMut(&Progress) -> ControlFlow<()>;

pub(super) struct Search<'m, 'w> {
    model: &'m Model<'m>,
    pub(super) state: State<'m>,
    rng: Rng,
    free: Vec<usize>,
    best: Plan,
    pub(super) progress: Progress,
    watcher: Watcher<'w>,
    stopped: bool,
}

impl<'m, 'w> Search<'m, 'w> {
    pub(super) fn new(model: &'m Model<'m>, watcher: Watcher<'w>) -> Self {
        let state = State::new(model);
        let problem = model.problem;
        let free = (0..model.positions.len()).filter(|&p| model.positions[p].locked.is_none()).collect();
        let objective = state.objective();
        Self {
            model,
            rng: Rng::new(problem.seed),
            free,
            best: state.plan(),
            progress: Progress { moves_used: 0, moves: problem.moves, objective, improvements: 0 },
            state,
            watcher,
            stopped: false,
        }
    }

    /// Searches until the budget is used or the watcher says stop; the best plan found.
    ///
    /// A round starts only if all of it fits, and depends only on the rounds before it: a larger budget
    /// repeats what a smaller one did and goes on from there, so its plan is never worse.
    pub(super) fn run(mut self) -> (Plan, Progress) {
        self.greedy();
        self.polish();
        let long = (0..20).flat_map(|power| [LONG_ROUND << (2 * power); 3]);
        for length in FIRST_ROUNDS.into_iter().chain(long) {
            if self.stopped || self.progress.moves_used.saturating_add(length) > self.progress.moves {
                break;
            }
            self.anneal(length);
            self.polish();
        }
        (self.best, self.progress)
    }

    /// Fills every free position, those with the fewest candidates first, with what costs least at the time.
    pub(super) fn greedy(&mut self) {
        let mut order = self.free.clone();
        order.sort_by_key(|&p| (self.model.positions[p].candidates.len(), p));
        for position in order {
            self.best_choice(position, false);
            if self.stopped {
                break;
            }
        }
        self.keep_best();
    }

    fn anneal(&mut self, length: u64) {
        let plan = self.best.clone();
        self.state.load(&plan);
        let mut temperature = self.typical_loss() << 16;
        for i in 0..length {
            if i % (length / COOLING_STEPS).max(1) == 0 {
                temperature =
                    i64::try_from((i128::from(temperature) * i128::from(COOLING)) >> 16).unwrap_or(0);
            }
            let step = self.propose();
            self.count_moves(1);
            if self.stopped {
                break;
            }
            let before = self.state.objective();
            if step.is_some_and(|step| self.state.make(step)) {
                let after = self.state.objective();
                if accepts(after - before, temperature >> 16, &mut self.rng) {
                    self.state.commit();
                    self.keep_best();
                } else {
                    self.state.undo(0);
                }
            }
        }
    }

    /// The mean loss of a random move that loses, at most a hundred points: the temperature to begin with.
    fn typical_loss(&mut self) -> i64 {
        let before = self.state.objective();
        let (mut sum, mut count) = (0, 0);
        for _ in 0..256 {
            let step = self.propose();
            if step.is_some_and(|step| self.state.make(step)) {
                let loss = self.state.objective() - before;
                if loss > 0 {
                    sum += loss.min(1_000_000);
                    count += 1;
                }
                self.state.undo(0);
            }
        }
        (sum / count.max(1) / 2).max(1)
    }

    /// A random move; `None` where there is nothing of the kind drawn.
    pub(super) fn propose(&mut self) -> Option<Move> {
        let (model, rng) = (self.model, &mut self.rng);
        let steps = model.problem.rules.portions.len();
        let kind = rng.below(if steps > 1 { 100 } else { KIND_LEFTOVER });
        if kind >= KIND_LEFTOVER {
            let position = rng.below(model.positions.len());
            let place = model.positions.get(position)?;
            let step = rng.below(steps);
            return Some(Move::Portion { position, eater: pick(&place.eaters, rng)?, step });
        }
        let position = pick(&self.free, rng)?;
        let place = &model.positions[position];
        match kind {
            0..KIND_COOK => {
                let recipe = pick(&place.candidates, rng)?;
                Some(self.make_room(position, recipe).unwrap_or(Move::Cook { position, recipe }))
            }
            KIND_COOK..KIND_PAIR => {
                let b = pick(&model.day_positions[place.day], rng)?;
                let (first, second) =
                    (pick(&place.candidates, rng)?, pick(&model.positions[b].candidates, rng)?);
                Some(Move::Pair { a: position, first, b, second })
            }
            KIND_PAIR..KIND_SWAP => Some(Move::Swap { a: position, b: pick(&self.free, rng)? }),
            _ => Some(Move::Leftover { position, source: pick(&place.sources, rng)? }),
        }
    }

    /// Where the recipe is cooked too close to a position already: taking it from there.
    fn make_room(&mut self, a: usize, first: usize) -> Option<Move> {
        let b = (self.state.times_cooked(first) > 0).then(|| self.state.too_close_cooking(a, first))??;
        match self.state.choice(a) {
            Choice::Cook(second) if self.model.allows(b, second) => Some(Move::Swap { a, b }),
            _ => Some(Move::Pair {
                a,
                first,
                b,
                second: pick(&self.model.positions[b].candidates, &mut self.rng)?,
            }),
        }
    }

    /// Exact descent from where the state is: until no meal, portion or exchange of two meals makes the plan better.
    pub(super) fn polish(&mut self) {
        let mut before = self.state.objective() + 1;
        while self.state.objective() < before && !self.stopped {
            before = self.state.objective();
            for position in 0..self.model.positions.len() {
                self.best_portions(position);
                self.best_choice(position, true);
            }
            self.best_swaps();
        }
        self.keep_best();
    }

    /// Puts into a position what costs least there, with or without trying other portions for it.
    fn best_choice(&mut self, position: usize, portions: bool) {
        let (model, mut lowest, mut found) = (self.model, self.state.objective(), None);
        let place = &model.positions[position];
        let cook = place.candidates.iter().map(|&recipe| Move::Cook { position, recipe });
        let reuse = place.sources.iter().map(|&source| Move::Leftover { position, source });
        for step in cook.chain(reuse) {
            self.count_moves(1);
            if self.stopped {
                return;
            }
            let mark = self.state.mark();
            if self.state.make(step) {
                if portions {
                    self.best_portions(position);
                }
                if self.state.objective() < lowest {
                    lowest = self.state.objective();
                    found = Some(step);
                }
                self.state.undo(mark);
            }
        }
        if let Some(step) = found {
            self.state.make(step);
            if portions {
                self.best_portions(position);
            }
            self.state.commit();
        }
    }

    fn best_portions(&mut self, position: usize) {
        let moves = self.state.best_portions(position);
        self.count_moves(moves);
    }

    fn best_swaps(&mut self) {
        for (i, &a) in self.free.clone().iter().enumerate() {
            for b in self.free.clone().into_iter().skip(i + 1) {
                self.count_moves(1);
                let (mark, before) = (self.state.mark(), self.state.objective());
                if self.stopped {
                    return;
                }
                if self.state.make(Move::Swap { a, b }) && self.state.objective() >= before {
                    self.state.undo(mark);
                }
            }
        }
        self.state.commit();
    }

    pub(super) fn keep_best(&mut self) {
        let objective = self.state.objective();
        if objective < self.progress.objective {
            self.best = self.state.plan();
            self.progress.objective = objective;
            self.progress.improvements += 1;
        }
    }

    fn count_moves(&mut self, moves: u64) {
        let before = self.progress.moves_used;
        self.progress.moves_used += moves;
        if before / REPORT_EVERY != self.progress.moves_used / REPORT_EVERY {
            self.stopped |= (self.watcher)(&self.progress).is_break();
        }
    }
}

impl State<'_> {
    /// Sets the portions of one meal, one eater after the other, to what costs least; the number of moves tried.
    pub(super) fn best_portions(&mut self, position: usize) -> u64 {
        let (model, mut tried) = (self.model, 0);
        if self.choice(position) == Choice::Empty {
            return 0;
        }
        for &eater in &model.positions[position].eaters {
            let mut best = (self.objective(), self.step(position, eater));
            for step in 0..model.problem.rules.portions.len() {
                tried += 1;
                let mark = self.mark();
                if self.make(Move::Portion { position, eater, step }) {
                    best = best.min((self.objective(), step));
                    self.undo(mark);
                }
            }
            self.make(Move::Portion { position, eater, step: best.1 });
        }
        tried
    }
}

fn pick(list: &[usize], rng: &mut Rng) -> Option<usize> {
    list.get(rng.below(list.len())).copied()
}
