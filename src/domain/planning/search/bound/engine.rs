//! Rounds of pricing: menus at some prices, then better prices for the menus known.

use super::branch::Effort;
use super::day::Lines;
use super::master::{Master, constant};
use super::menu::{Frame, Picks};
use super::model::Model;
use super::money::Limits;
use super::pricing::{Links, Pricing};
use super::rows::Rows;
use super::whole::Whole;
use super::{FINE, Progress};
use std::collections::BTreeSet;

/// Nodes of a round that looks for menus (by how much there is to compute at each), and of one that is meant to prove.
const LOOK: usize = 3_200_000;
const PROVE: usize = 4_000_000;
/// Nodes of the first round, which is to say something soon.
const FIRST: usize = 200_000;
/// What does not matter for a day, in sub-units, while prices still move.
const LITTLE: i64 = 40 * FINE;

/// What all parts of the problem share.
pub(crate) struct Engine<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) rows: Rows,
    pub(crate) master: Master,
    seen: BTreeSet<(usize, Picks)>,
}

/// A part of the problem: the plans that buy all `forced` items and no `banned` one.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) limits: Limits,
    /// Proven, in sub-units.
    pub(crate) bound: i64,
    /// The best prices seen and the ones to try next.
    pub(crate) center: Vec<i64>,
    next: Vec<i64>,
    pub(crate) lines: Vec<Lines>,
    reach: i64,
    /// How much better prices may get, as far as the known menus tell.
    pub(crate) hope: i64,
    /// The bound after the last proving round, and how many such rounds hardly raised it.
    last: i64,
    idle: usize,
    pub(crate) rounds: usize,
    proving: bool,
    looked: usize,
    pub(crate) proved: usize,
    pub(crate) whole: Whole,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let frame = Frame::new(model);
        let rows = Rows::new(model, &frame.tracked);
        let master = Master::new(model.days, model.items.len());
        Self { frame, rows, master, seen: BTreeSet::new() }
    }

    /// All plans, with prices to begin with: items shared by the days evenly, stock worth what it costs.
    pub(crate) fn whole(&self) -> Part {
        let model = self.frame.model;
        let limits = Limits::new(&self.frame.money, model.items.len());
        let mut prices = vec![0; self.rows.len()];
        let days = i64::try_from(model.days).unwrap_or(i64::MAX).max(1);
        for day in 0..model.days {
            for item in 0..model.items.len() {
                if let Some(row) = self.rows.day_item(day, item) {
                    prices[row] = self.frame.money.item / days;
                }
            }
        }
        for (item, row) in self.rows.credit.iter().enumerate() {
            if let Some(row) = row {
                prices[*row] = self.frame.money.pay[item];
            }
        }
        self.rows.allow(&self.frame.money, &limits, &mut prices);
        Part {
            limits,
            bound: i64::MIN,
            center: prices.clone(),
            next: prices,
            lines: self.frame.nutrition.iter().map(|n| Lines::new(n.len())).collect(),
            reach: 4_000 * FINE,
            hope: 40_000 * FINE,
            last: i64::MIN,
            idle: 0,
            rounds: 0,
            proving: true,
            looked: 0,
            proved: 0,
            whole: Whole::default(),
        }
    }

    /// One round on a part: its bound can only rise.
    pub(crate) fn round(&mut self, part: &mut Part) {
        let prices = part.next.clone();
        let money = &self.frame.money;
        let pricing = Pricing::new(&self.frame, &self.rows, &prices, &part.lines, part.limits.banned);
        let seeds = self.master.seeds(&prices, part.limits.banned);
        let effort = part.effort(self.frame.model.days, self.frame.model.eaters * self.frame.model.nutrients);
        let answers = pricing.solve(&mut part.lines, &seeds, &vec![effort; self.frame.model.days]);
        let mut value = constant(&self.rows, money, &part.limits, &prices);
        let mut nodes = 0;
        for answer in &answers {
            value = value.saturating_add(answer.solved.bound);
            nodes += answer.solved.nodes;
        }
        part.bound = part.bound.max(value);
        part.whole.spent += nodes + 1_000;
        let links = pricing.links;
        for (day, answer) in answers.iter().enumerate() {
            self.learn(day, &answer.menus);
        }
        self.extend(part, &links);
        part.rounds += 1;
        self.aim(part, nodes);
    }

    fn learn(&mut self, day: usize, menus: &[Picks]) {
        for &picks in menus.iter().take(8) {
            if self.seen.insert((day, picks)) {
                let menu = self.frame.column(&mut self.rows, day, picks);
                self.master.add(day, menu);
            }
        }
    }

    /// Gives new rows the prices that pricing took for them.
    fn extend(&self, part: &mut Part, links: &Links) {
        for prices in [&mut part.center, &mut part.next] {
            let old = prices.len();
            prices.resize(self.rows.len(), 0);
            for (day, choices) in links.iter().enumerate() {
                for (place, &price) in choices.iter().enumerate() {
                    if let Some(row) = self.rows.link(day, place).filter(|row| *row >= old) {
                        prices[row] = price;
                    }
                }
            }
        }
    }

    /// Decides what to try next.
    fn aim(&mut self, part: &mut Part, nodes: usize) {
        let money = &self.frame.money;
        let value = |prices: &[i64]| self.master.value(&self.rows, money, &part.limits, prices);
        let (center, tried) = (value(&part.center), value(&part.next));
        let was_proving = std::mem::take(&mut part.proving);
        if was_proving {
            let step = 4 * LITTLE * i64::try_from(self.frame.model.days).unwrap_or(1);
            part.idle = if part.bound < part.last.saturating_add(step) { part.idle + 1 } else { 0 };
            part.last = part.bound;
            (part.proved, part.looked) = (nodes, 0);
        } else {
            part.looked += nodes + 1_000;
        }
        if tried > center {
            part.center.clone_from(&part.next);
            part.reach = (part.reach * 5 / 4).min(20_000 * FINE);
        } else if !was_proving {
            part.reach = (part.reach * 7 / 8).max(500 * FINE);
        }
        let next = self.master.improve(&self.rows, money, &part.limits, &part.center, part.reach);
        let model = self.master.value(&self.rows, money, &part.limits, &next);
        part.hope = (model - center.max(tried)).max(0);
        if !was_proving && part.looked * self.haste() >= part.proved {
            part.proving = true;
            part.next.clone_from(&part.center);
        } else {
            part.next = next;
        }
    }

    /// Looking is cut short where there is much to compute at each node, so that proofs are due sooner there.
    fn haste(&self) -> usize {
        (self.frame.model.eaters * self.frame.model.nutrients / 16).clamp(1, 2)
    }

    /// The item whose purchase is least decided, if any is undecided.
    pub(crate) fn undecided(&mut self, part: &Part) -> Option<usize> {
        let money = &self.frame.money;
        self.master.improve(&self.rows, money, &part.limits, &part.center, part.reach);
        let score = |item: usize| {
            let bit = self.frame.tracked[item]?;
            let (most, sum) = self.master.bought(&self.rows, item);
            let doubt = most.min(1024 - most);
            let open = (part.limits.banned | part.limits.forced) >> bit & 1 == 0;
            (open && doubt > 32).then_some((doubt * sum, item))
        };
        (0..self.frame.tracked.len()).filter_map(score).max().map(|x| x.1)
    }

    /// The part without an item, and the part with it.
    pub(crate) fn split(&self, part: &Part, item: usize) -> [Part; 2] {
        let bit = self.frame.tracked[item].map_or(0, |b| 1_u128 << b);
        let mut without = part.clone();
        without.limits.banned |= bit;
        let mut with = part.clone();
        with.limits.force(item, bit, &self.frame.money);
        [without, with].map(|mut child| {
            self.rows.allow(&self.frame.money, &child.limits, &mut child.center);
            child.next.clone_from(&child.center);
            child.rounds = 0;
            child.idle = 0;
            child.whole.stuck = 0;
            child.proving = true;
            child
        })
    }

    /// What the search says of a day at the prices to try next, and what trying every menu says.
    #[cfg(test)]
    pub(crate) fn recheck(&self, part: &Part, day: usize) -> (i64, i64) {
        let mut part = part.clone();
        let pricing = Pricing::new(&self.frame, &self.rows, &part.next, &part.lines, 0);
        let effort = Effort { steps: 10, slack: 0, nodes: PROVE, proof: true, list: false };
        let seeds = vec![Vec::new(); self.frame.model.days];
        let answers = pricing.solve(&mut part.lines, &seeds, &vec![effort; self.frame.model.days]);
        (answers[day].solved.bound, pricing.brute_force(day))
    }

    pub(crate) fn progress(&self, bound: i64, parts: usize) -> Progress {
        Progress { bound: ceil(bound), menus: self.seen.len(), parts }
    }
}

impl Part {
    fn effort(&self, days: usize, width: usize) -> Effort {
        let share = self.hope / i64::try_from(days).unwrap_or(1).max(1) / 2;
        if self.proving {
            let slack = if share < LITTLE { 0 } else { share / 4 };
            let nodes = if self.last == i64::MIN { FIRST } else { PROVE };
            Effort { steps: 30, slack, nodes, proof: true, list: false }
        } else {
            Effort {
                steps: 8,
                slack: share.max(LITTLE),
                nodes: LOOK / width.clamp(8, 64),
                proof: false,
                list: false,
            }
        }
    }

    /// Whether the prices can hardly get better.
    pub(crate) fn is_settled(&self) -> bool {
        self.idle >= 2
    }
}

/// The objective is whole, so that a part of a unit counts as one.
fn ceil(bound: i64) -> i64 {
    -bound.saturating_neg().div_euclid(FINE)
}
