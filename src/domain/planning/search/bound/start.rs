//! How the search of a day starts: good lines under its cost and good menus, without any proof.

use super::branch::Search;
use super::day::{Base, Lines, Lists};
use super::model::SLOTS;

/// How many options of a slot a descent tries.
const NEAR: usize = 80;

impl Search<'_> {
    /// Improves the lines over all options; leaves values in the lists.
    pub(super) fn root_lines(&mut self, root: &Base, lists: &mut Lists, lines: &mut Lines) -> i64 {
        let (mut slopes, mut shares) = (lines.slopes.clone(), lines.shares.clone());
        let (mut best, mut gain, mut failed) = (i64::MIN, lines.gain * 2, 0);
        for _ in 0..=self.effort.steps {
            self.day.charges(&shares, &mut self.charges);
            let low = self.day.evaluate(root, lists, (&slopes, &self.charges), 0, &mut self.touch);
            self.offer(lists.argmin);
            if low > best {
                if best != i64::MIN && low > best + gain / 4 {
                    gain += gain / 3;
                }
                best = low;
                failed = 0;
                lines.slopes.clone_from(&slopes);
                lines.shares.clone_from(&shares);
            } else {
                failed += 1;
                if failed == 3 {
                    failed = 0;
                    gain = gain * 2 / 3;
                    slopes.clone_from(&lines.slopes);
                    shares.clone_from(&lines.shares);
                    continue;
                }
            }
            gain = gain.max(super::FINE * 10);
            self.day.tilt(root, lists, &mut slopes, &mut self.touch, gain, 0);
            let share = (gain / (10 * super::FINE)).clamp(4, 128);
            self.day.reshare(lists, &mut shares, share);
        }
        lines.gain = gain;
        self.day.charges(&lines.shares, &mut self.charges);
        self.day.evaluate(root, lists, (&lines.slopes, &self.charges), 0, &mut self.touch)
    }

    /// Descends from each good menu by the best change of one slot, among the options of least value.
    pub(super) fn polish(&mut self, lists: &Lists) {
        let mut near: [Vec<u32>; SLOTS] = Default::default();
        for (slot, near) in near.iter_mut().enumerate() {
            let mut order: Vec<usize> = (0..lists.open[slot].len()).collect();
            let values = &lists.values[slot];
            if order.len() > NEAR {
                order.select_nth_unstable_by_key(NEAR - 1, |&i| values[i]);
                order.truncate(NEAR);
            }
            *near = order.into_iter().map(|i| lists.open[slot][i]).collect();
        }
        self.found.sort_unstable();
        let starts: Vec<[u32; SLOTS]> = self.found.iter().take(4).map(|f| f.1).collect();
        for start in starts {
            self.descend(start, &near);
        }
    }

    fn descend(&mut self, mut picks: [u32; SLOTS], near: &[Vec<u32>; SLOTS]) {
        let mut cost = self.day.cost(picks);
        loop {
            let mut better = (cost, picks);
            for slot in 0..SLOTS {
                for &option in &near[slot] {
                    let mut next = picks;
                    next[slot] = option;
                    let c = self.day.cost(next);
                    if c < better.0 && self.day.is_possible(next) {
                        better = (c, next);
                    }
                }
            }
            if better.0 >= cost {
                return;
            }
            (cost, picks) = better;
            self.record(cost, picks);
        }
    }
}
