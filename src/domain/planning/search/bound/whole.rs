//! Looks at whole weeks: lists all menus near the best of each day and bounds the weeks that they make.

use super::branch::Effort;
use super::engine::{Engine, Part};
use super::lists::{Rules, View, choices};
use super::master::constant;
use super::pricing::Pricing;
use super::week::Weeks;
use super::{FINE, options::TRACKED};

/// The part of the bound by which prices may still get better when weeks are looked at.
const HOPE: i64 = 100;
/// Nodes after which a day's list is given up, by how much there is to compute at each.
const LIST: usize = 96_000_000;
/// Menus that a search for weeks may look at, beside as many as its lists took nodes twice over.
const STEPS: usize = 4_000_000;
/// The part of the bound above the best of a day that is listed first.
const NEAR: i64 = 500;
/// How often in a row it may be of no use.
const STUCK: usize = 2;
/// Days that the bits of leftovers can name.
const DAYS: usize = 64;

/// What is known of looking at whole weeks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whole {
    /// How far above the best of each day menus are to be listed next.
    near: Vec<i64>,
    /// Nodes of the rounds since it was done last, and what that took.
    pub(crate) spent: usize,
    paid: usize,
    /// How often in a row it was of no use.
    pub(crate) stuck: usize,
}

impl Engine<'_> {
    /// Whether it is time to look at the whole weeks of a part: as much was spent on its prices, and lists of all
    /// days are within reach.
    pub(crate) fn is_due(&self, part: &Part) -> bool {
        let days = self.frame.model.days;
        let whole = &part.whole;
        let cheap = part.proved <= days * self.most() / 4;
        let ripe = part.hope < part.bound / HOPE && whole.spent >= whole.paid.max(2 * part.proved);
        days <= DAYS && cheap && whole.stuck < STUCK && (part.is_settled() || ripe)
    }

    /// Nodes that the list of a day may take.
    fn most(&self) -> usize {
        LIST / (self.frame.model.eaters * self.frame.model.nutrients).clamp(8, 16)
    }

    /// Bounds the weeks of a part at its best prices: the bound can only rise. Nothing from `ceiling` on is of use.
    pub(crate) fn look_at_weeks(&mut self, part: &mut Part, ceiling: i64) {
        let days = self.frame.model.days;
        part.whole.near.resize(days, (part.bound / NEAR).max(FINE));
        let near = part.whole.near.iter().max().copied().unwrap_or(FINE);
        let most = self.most();
        let effort = |near: &i64| Effort { steps: 30, slack: -near, nodes: most, proof: false, list: true };
        let efforts: Vec<Effort> = part.whole.near.iter().map(effort).collect();
        let prices = part.center.clone();
        let pricing = Pricing::new(&self.frame, &self.rows, &prices, &part.lines, part.limits.banned);
        let seeds = self.master.seeds(&prices, part.limits.banned);
        let answers = pricing.solve(&mut part.lines, &seeds, &efforts);
        let nodes: usize = answers.iter().map(|answer| answer.solved.nodes).sum();
        part.whole.paid = nodes;
        let (before, mut ended) = (part.bound, false);
        if answers.iter().all(|answer| answer.solved.nodes < most) {
            let view = View { frame: &self.frame, rows: &self.rows, prices: &prices, limits: &part.limits };
            let rules = Rules::new(&view);
            let listed = (0..).zip(&answers);
            let shares = |day: usize| -> &[i64; TRACKED] { pricing.shares(day) };
            let listed: Vec<_> = listed
                .map(|(day, answer)| choices(&view, shares(day), &rules, day, &answer.solved))
                .collect();
            let fixed = constant(&self.rows, &self.frame.money, &part.limits, &prices);
            let gaps = [self.frame.model.gap_main, self.frame.model.gap_other];
            let steps = STEPS + 2 * nodes;
            let mut weeks = Weeks::new(&listed, view.items(), gaps, &rules.all);
            let least = weeks.least(ceiling.saturating_sub(fixed), near / 8, steps);
            part.bound = part.bound.max(least.saturating_add(fixed));
            part.whole.paid += (steps - weeks.steps) / 2;
            ended = weeks.steps == 0;
        }
        for (near, answer) in part.whole.near.iter_mut().zip(&answers) {
            *near = match answer.solved.nodes {
                // Longer lists would be too much for the search.
                _ if ended => *near * 2 / 3,
                n if n < most / 6 => *near + *near / 2,
                n if n < most / 3 => *near + *near / 4,
                n if n < most => *near,
                _ => *near / 2,
            };
        }
        let helped = part.bound > before.saturating_add(near / 4);
        part.whole.stuck = if helped && !ended { 0 } else { part.whole.stuck + 1 };
        part.whole.spent = 0;
    }
}
