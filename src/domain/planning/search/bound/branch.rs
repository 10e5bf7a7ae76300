//! The cheapest menu of a day, proven: each dinner in turn, below it all else by boxes of nutrients.

use super::day::{Base, Charges, Day, Lines, Lists, ORDER};
use super::model::{DINNER, LUNCH, SLOTS};
use super::nutrition::Touching;
use super::options::TRACKED;
use super::tree::{Least, Tree};

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Steps on the lines before branching.
    pub(crate) steps: usize,
    /// What the bound may fall short of the optimum.
    pub(crate) slack: i64,
    /// Nodes after which the rest is only bounded.
    pub(crate) nodes: usize,
    /// Whether to prove half of the way first, so that something is proven where all is too much.
    pub(crate) proof: bool,
    /// Whether to hand back every menu below `bound`; `slack` is then below zero.
    pub(crate) list: bool,
}

/// What a solve says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Solved {
    /// No menu costs less.
    pub(crate) bound: i64,
    /// Good menus, cheapest first.
    pub(crate) menus: Vec<(i64, [u32; SLOTS])>,
    /// Where asked for: all menus that cost less than `bound`.
    pub(crate) listed: Vec<(i64, [u32; SLOTS])>,
    pub(crate) nodes: usize,
}

/// The slots that are searched together below a dinner.
const TREES: [usize; 3] = [LUNCH, 0, 3];
/// How many menus a solve hands back.
const KEPT: usize = 12;
/// How many menus a list may have.
const LISTED: usize = 200_000;

/// A solve under way.
pub(super) struct Search<'a> {
    pub(super) day: &'a Day<'a>,
    pub(super) charges: Box<Charges>,
    pub(super) effort: Effort,
    pub(super) best: i64,
    pub(super) found: Vec<(i64, [u32; SLOTS])>,
    listed: Vec<(i64, [u32; SLOTS])>,
    nodes: usize,
    pub(super) touch: Vec<i64>,
    /// Menus that cost as much do not matter.
    limit: i64,
    /// What is fixed with a dinner, what is open, slopes.
    room: (Base, Lists, Vec<i64>),
    trees: [Tree; 3],
    least: [Least; 3],
    touching: Touching,
}

/// The cheapest menu, or a bound near it; `seeds` are menus to start from.
pub(crate) fn solve(day: &Day, lines: &mut Lines, seeds: &[[u32; SLOTS]], effort: Effort) -> Solved {
    let mut search = Search {
        day,
        charges: Box::new([[[0; TRACKED]; SLOTS]; 2]),
        effort,
        best: i64::MAX,
        found: Vec::new(),
        listed: Vec::new(),
        nodes: 0,
        touch: vec![0; day.nutrition.len()],
        limit: i64::MAX,
        room: Default::default(),
        trees: Default::default(),
        least: Default::default(),
        touching: Touching::default(),
    };
    search.run(lines, seeds)
}

impl Search<'_> {
    fn run(&mut self, lines: &mut Lines, seeds: &[[u32; SLOTS]]) -> Solved {
        let mut lists = self.day.open();
        if lists.open.iter().any(Vec::is_empty) {
            return Solved { bound: 2 * super::NO_PLAN, ..Solved::default() };
        }
        for &seed in seeds {
            self.offer(seed);
        }
        let root = self.day.empty();
        let low = self.root_lines(&root, &mut lists, lines);
        self.polish(&lists);
        lines.gap = self.best.saturating_sub(low).clamp(0, super::money::FAR);
        let proven = self.prove(&root, &lists, low, &lines.slopes);
        self.found.sort_unstable();
        self.found.truncate(KEPT);
        let mut listed = std::mem::take(&mut self.listed);
        listed.retain(|menu| menu.0 < proven);
        listed.sort_unstable();
        let bound = if self.effort.list { proven } else { proven.min(self.best) };
        Solved { bound, menus: std::mem::take(&mut self.found), listed, nodes: self.nodes }
    }

    /// What a menu must be cheaper than to matter.
    fn threshold(&self) -> i64 {
        self.best.saturating_sub(self.effort.slack)
    }

    pub(super) fn offer(&mut self, picks: [u32; SLOTS]) {
        if self.day.is_possible(picks) {
            self.record(self.day.cost(picks), picks);
        }
    }

    /// Remembers a menu that is among the cheapest seen.
    pub(super) fn record(&mut self, cost: i64, picks: [u32; SLOTS]) {
        self.best = self.best.min(cost);
        if self.found.iter().any(|f| f.1 == picks) {
            return;
        }
        self.found.push((cost, picks));
        if self.found.len() > 4 * KEPT {
            self.found.sort_unstable();
            self.found.truncate(KEPT);
        }
    }

    /// Raises a proven bound step by step; each step rules out all menus below a limit.
    fn prove(&mut self, root: &Base, lists: &Lists, low: i64, slopes: &[i64]) -> i64 {
        let parts: &[i64] = if self.effort.proof { &[50, 100] } else { &[100] };
        let mut proven = low;
        for part in parts {
            let span = self.best.saturating_sub(low).max(0);
            self.limit = if *part == 100 { self.threshold() } else { low + span / 100 * part };
            if self.limit <= proven {
                continue;
            }
            self.trees = TREES.map(|slot| {
                let room = self.limit.saturating_sub(low);
                let near = lists.open[slot].iter().zip(&lists.values[slot]);
                let open: Vec<u32> =
                    near.filter(|(_, v)| **v - lists.least[slot] < room).map(|(o, _)| *o).collect();
                Tree::new(&self.day.options[slot], &open, self.day.nutrition)
            });
            if !self.dinners(root, lists, low, slopes) {
                break;
            }
            proven = self.limit;
        }
        proven
    }

    /// Searches all dinners for menus below the limit; `false` where that was too much.
    fn dinners(&mut self, root: &Base, lists: &Lists, low: i64, slopes: &[i64]) -> bool {
        for (value, option) in ranked(lists, DINNER, low, self.limit) {
            if value >= self.limit {
                break;
            }
            if self.nodes >= self.effort.nodes {
                return false;
            }
            if self.enter(root, lists, slopes, option, value) < self.limit && !self.triples() {
                return false;
            }
        }
        true
    }

    /// Fixes a dinner and bounds what is below; lines and lists are tightened.
    fn enter(&mut self, base: &Base, lists: &Lists, slopes: &[i64], option: u32, value: i64) -> i64 {
        self.nodes += 20;
        let (mut next, mut open, mut tilted) = std::mem::take(&mut self.room);
        self.day.fix(base, DINNER, option, &mut next);
        let room = self.limit.saturating_sub(value);
        for slot in TREES {
            open.open[slot].clear();
            let near = lists.open[slot].iter().zip(&lists.values[slot]);
            open.open[slot].extend(near.filter(|(_, v)| **v - lists.least[slot] < room).map(|(o, _)| *o));
        }
        tilted.clear();
        tilted.extend_from_slice(slopes);
        let bound = self.tighten(&next, &mut open, &mut tilted, 1, 6);
        self.room = (next, open, tilted);
        bound
    }

    /// Searches lunch, breakfast and snack below the dinner just entered; `false` where that was too much.
    fn triples(&mut self) -> bool {
        let (base, lists, slopes) = std::mem::take(&mut self.room);
        let trees = std::mem::take(&mut self.trees);
        let mut least = std::mem::take(&mut self.least);
        for (at, slot) in TREES.into_iter().enumerate() {
            trees[at].least(&lists.open[slot], &lists.values[slot], &mut least[at]);
        }
        let mut touching = std::mem::take(&mut self.touching);
        self.day.nutrition.touching(&slopes, &base.eaten, &mut touching);
        let mut fixed = base.cost - self.day.nutrition.conjugate(&slopes, &mut self.touch);
        fixed += slopes.iter().zip(&base.eaten).map(|(g, a)| g * a).sum::<i64>();
        let limit_now = std::cell::Cell::new(self.limit);
        let [lunch, breakfast, snack] = &trees;
        let bound = |[l, b, s]: [usize; 3]| {
            let low = fixed + least[0][l] + least[1][b] + least[2][s];
            let room = limit_now.get().saturating_sub(low);
            if room <= 0 {
                return low;
            }
            let lows = [lunch.low(l), breakfast.low(b), snack.low(s)];
            let highs = [lunch.high(l), breakfast.high(b), snack.high(s)];
            low + self.day.nutrition.excess(&touching, lows, highs, room)
        };
        let mut stack = vec![(bound([0; 3]), [0; 3])];
        let (mut nodes, mut done, mut hits) = (0, true, Vec::new());
        while let Some((low, at)) = stack.pop() {
            if low >= limit_now.get() {
                continue;
            }
            nodes += 1;
            if self.nodes + nodes >= self.effort.nodes {
                done = false;
                break;
            }
            let sizes = [lunch.size(at[0]), breakfast.size(at[1]), snack.size(at[2])];
            let widest =
                if sizes[0] >= sizes[1].max(sizes[2]) { 0 } else { 1 + usize::from(sizes[2] > sizes[1]) };
            let Some(child) = trees[widest].child(at[widest]) else {
                let mut picks = base.picks;
                for (t, slot) in TREES.into_iter().enumerate() {
                    picks[slot] = trees[t].option(at[t]);
                }
                let cost = self.day.cost(picks);
                if cost < limit_now.get() && self.day.is_possible(picks) {
                    hits.push((cost, picks));
                    if !self.effort.list {
                        limit_now.set(cost);
                    }
                }
                continue;
            };
            let mut next = [at; 2];
            next[0][widest] = child;
            next[1][widest] = child + 1;
            let mut pair = [(bound(next[0]), next[0]), (bound(next[1]), next[1])];
            if pair[0].0 < pair[1].0 {
                pair.swap(0, 1);
            }
            stack.extend(pair.into_iter().filter(|p| p.0 < limit_now.get()));
        }
        self.nodes += nodes;
        (self.room, self.trees, self.least, self.touching) = ((base, lists, slopes), trees, least, touching);
        if self.effort.list {
            self.listed.extend_from_slice(&hits);
            done &= self.listed.len() <= LISTED;
            self.best = hits.iter().map(|hit| hit.0).min().unwrap_or(self.best).min(self.best);
        } else {
            hits.into_iter().for_each(|(cost, picks)| self.record(cost, picks));
        }
        self.limit = self.limit.min(self.threshold());
        done
    }

    /// The best bound of a node after some steps; lists and values agree with the slopes that gave it.
    fn tighten(
        &mut self,
        base: &Base,
        lists: &mut Lists,
        slopes: &mut Vec<i64>,
        level: usize,
        steps: usize,
    ) -> i64 {
        let (mut best, mut kept) = (i64::MIN, Vec::new());
        for step in 0..=steps {
            let low = self.day.evaluate(base, lists, (slopes, &self.charges), level, &mut self.touch);
            if low >= self.limit {
                return low;
            }
            if low > best {
                best = low;
                kept.clone_from(slopes);
                trim(lists, level, self.limit.saturating_sub(low));
                if step == steps {
                    return best;
                }
            }
            if step < steps {
                let gain = self.limit.saturating_sub(low) / 2;
                self.day.tilt(base, lists, slopes, &mut self.touch, gain, level);
            }
        }
        slopes.clone_from(&kept);
        self.day.evaluate(base, lists, (slopes, &self.charges), level, &mut self.touch)
    }
}

/// The open options of a slot by the bound that each has, below a limit, best first.
fn ranked(lists: &Lists, slot: usize, low: i64, limit: i64) -> Vec<(i64, u32)> {
    let values = lists.values[slot].iter().zip(&lists.open[slot]);
    let mut order: Vec<(i64, u32)> =
        values.map(|(v, o)| (low + v - lists.least[slot], *o)).filter(|x| x.0 < limit).collect();
    order.sort_unstable();
    order
}

/// Drops options that are `room` or more above the least of their slot; keeps values in step.
fn trim(lists: &mut Lists, level: usize, room: i64) {
    for &slot in &ORDER[level..] {
        let least = lists.least[slot];
        let (open, values) = (&mut lists.open[slot], &mut lists.values[slot]);
        let mut kept = 0;
        for at in 0..open.len() {
            if values[at] - least < room {
                open[kept] = open[at];
                values[kept] = values[at];
                kept += 1;
            }
        }
        open.truncate(kept);
        values.truncate(kept);
    }
}
