//! The convex cost of a day's nutrients and the straight lines that support it from below.

use super::FINE;
use super::model::Goal;

/// The targets of one day, one a nutrient and eater, as convex piecewise linear functions.
#[derive(Clone, Debug)]
pub(crate) struct Nutrition {
    curves: Vec<Curve>,
    /// Where each curve bends, with its values; the first is the amount zero.
    bends: Vec<Vec<(i64, i64)>>,
    /// The steepest lines that support each curve.
    steepest: Vec<(i64, i64)>,
}

/// `slope * (under lo + over hi + 3 * under min + 3 * over max)`; absent limits lie out of reach.
#[derive(Clone, Copy, Debug)]
struct Curve {
    lo: i64,
    min: i64,
    hi: i64,
    max: i64,
    slope: i64,
}

/// Where a curve less a line is least, and how low.
#[derive(Clone, Copy, Debug)]
struct Touch {
    /// Seen from `point`.
    least: i32,
    point: i64,
    slope: i64,
    value: i64,
}

/// A [`Touch`] for each nutrient and eater.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touching {
    lines: Vec<Touch>,
}

const NEVER: i64 = 1 << 40;

impl Nutrition {
    pub(crate) fn new(goals: &[Goal]) -> Self {
        let curves: Vec<Curve> = goals.iter().map(Curve::new).collect();
        let bends = goals.iter().zip(&curves).map(|(g, c)| c.bends(g)).collect();
        let steepest = goals.iter().zip(&curves).map(|(g, c)| c.steepest(g)).collect();
        Self { curves, bends, steepest }
    }

    pub(crate) fn len(&self) -> usize {
        self.curves.len()
    }

    /// The cost of what is eaten in a day, in sub-units.
    pub(crate) fn cost(&self, eaten: &[i64]) -> i64 {
        self.curves.iter().zip(eaten).map(|(c, &a)| c.cost(a)).sum()
    }

    /// The same for four dishes.
    pub(crate) fn cost_of(&self, dishes: [&[i32]; 4]) -> i64 {
        let [a, b, c, d] = dishes;
        let mut sum = 0;
        for ((((curve, &a), &b), &c), &d) in self.curves.iter().zip(a).zip(b).zip(c).zip(d) {
            sum += curve.cost(i64::from(a) + i64::from(b) + i64::from(c) + i64::from(d));
        }
        sum
    }

    /// The most that the lines of these slopes must be lowered: `cost(x) >= sum(slope * x) - conjugate`
    /// for every x >= 0; `touch` gets an x where equality holds.
    pub(crate) fn conjugate(&self, slopes: &[i64], touch: &mut [i64]) -> i64 {
        let mut sum = 0;
        for ((bends, &g), at) in self.bends.iter().zip(slopes).zip(touch) {
            let (mut best, mut place) = (i64::MIN, 0);
            for &(x, cost) in bends {
                if g * x - cost > best {
                    (best, place) = (g * x - cost, x);
                }
            }
            sum += best;
            *at = place;
        }
        sum
    }

    /// How much higher `cost(x) - sum(slope * x)` is at least in a box than anywhere; stops once that is `room`.
    pub(crate) fn excess(&self, lines: &Touching, low: [&[i32]; 3], high: [&[i32]; 3], room: i64) -> i64 {
        let ([a, b, c], [x, y, z]) = (low, high);
        let mut sum = 0;
        let boxes = a.iter().zip(b).zip(c).zip(x).zip(y).zip(z);
        for (((((((a, b), c), x), y), z), line), curve) in boxes.zip(&lines.lines).zip(&self.curves) {
            let (from, to) = (a + b + c, x + y + z);
            let at = if line.least < from {
                from
            } else if line.least > to {
                to
            } else {
                continue;
            };
            let at = i64::from(at) + line.point;
            sum += curve.cost(at) - line.slope * at - line.value;
            if sum >= room {
                return sum;
            }
        }
        sum
    }

    /// The lines of these slopes seen from what is already eaten.
    pub(crate) fn touching(&self, slopes: &[i64], eaten: &[i64], out: &mut Touching) {
        out.lines.clear();
        for (n, (&slope, &point)) in slopes.iter().zip(eaten).enumerate() {
            let (mut value, mut place) = (i64::MAX, 0);
            for &(x, cost) in &self.bends[n] {
                if cost - slope * x < value {
                    (value, place) = (cost - slope * x, x);
                }
            }
            let least =
                i32::try_from(place - point).unwrap_or(if place < point { i32::MIN } else { i32::MAX });
            out.lines.push(Touch { least, point, slope, value });
        }
    }

    /// The nearest slope whose line still supports the function.
    pub(crate) fn clamp(&self, n: usize, slope: i64) -> i64 {
        slope.clamp(self.steepest[n].0, self.steepest[n].1)
    }

    /// What a unit of this amount weighs, at least 1.
    pub(crate) fn weight(&self, n: usize) -> i64 {
        (self.curves[n].slope / FINE).max(1)
    }
}

impl Curve {
    fn new(goal: &Goal) -> Self {
        Self {
            lo: goal.lo.unwrap_or(-NEVER),
            min: goal.min.unwrap_or(-NEVER),
            hi: goal.hi.unwrap_or(NEVER),
            max: goal.max.unwrap_or(NEVER),
            slope: goal.slope * FINE,
        }
    }

    #[inline]
    fn cost(&self, a: i64) -> i64 {
        let near = (self.lo - a).max(0) + (a - self.hi).max(0);
        let far = (self.min - a).max(0) + (a - self.max).max(0);
        self.slope * (near + 3 * far)
    }

    fn bends(&self, goal: &Goal) -> Vec<(i64, i64)> {
        let limits = [Some(0), goal.lo, goal.min, goal.hi, goal.max];
        let mut places: Vec<i64> = limits.into_iter().flatten().filter(|x| *x >= 0).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|x| (x, self.cost(x))).collect()
    }

    fn steepest(&self, goal: &Goal) -> (i64, i64) {
        let steps = |a: Option<i64>, b: Option<i64>| {
            self.slope * (i64::from(a.is_some()) + 3 * i64::from(b.is_some()))
        };
        (-steps(goal.lo, goal.min), steps(goal.hi, goal.max))
    }
}
