//! Bounds on the nutrition of a day without looking at the dish: amounts by steps of a scale.

use super::band::{Amounts, Band};
use super::batch::Batch;
use super::problem::{NUTRIENTS, Problem, Recipe};
use super::state::State;

const STEPS: usize = 32;

/// Steps of the amounts of each nutrient in a serving.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Steps are 2^shift wide.
    shift: [u32; NUTRIENTS],
    /// By step and portion: the least and the most that is eaten.
    least: Vec<Amounts>,
    most: Vec<Amounts>,
}

/// For each nutrient and step, what the day costs at least; see [`State::weigh`].
pub(super) type Floors = [[i64; STEPS]; NUTRIENTS];

pub(super) const NO_FLOORS: Floors = [[0; STEPS]; NUTRIENTS];

impl Scale {
    pub(super) fn new(problem: &Problem, percents: &[u16]) -> Self {
        let mut most_of = [0; NUTRIENTS];
        for recipe in &problem.recipes {
            for (most, amount) in most_of.iter_mut().zip(recipe.nutrients) {
                *most = amount.unwrap_or(0).max(*most);
            }
        }
        // The least shift that puts the largest amount on one of the 32 steps.
        let shift = most_of.map(|most| 32_u32.saturating_sub(most.leading_zeros()).saturating_sub(5));
        let edge = |amount: i32, percent: u16| {
            let eaten = (i64::from(amount) * i64::from(percent) + 50) / 100;
            i32::try_from(eaten).unwrap_or(i32::MAX >> 4)
        };
        let (mut least, mut most) = (Vec::new(), Vec::new());
        for step in 0..32 {
            for &percent in percents {
                least.push(shift.map(|shift| edge(step << shift, percent)));
                most.push(shift.map(|shift| edge(((step + 1) << shift) - 1, percent)));
            }
        }
        Self { shift, least, most }
    }

    pub(super) fn steps(&self, recipe: &Recipe) -> [u8; NUTRIENTS] {
        std::array::from_fn(|n| {
            let step = recipe.nutrients[n].unwrap_or(0) >> self.shift[n];
            u8::try_from(step).unwrap_or(0).min(31)
        })
    }
}

impl State<'_> {
    /// Finds what the days of a lifted batch cost at least, nutrient by nutrient, for each step a dish may be on.
    pub(super) fn weigh(&mut self, batch: Batch) {
        let (table, scale) = (self.table, &self.table.scale);
        self.floors = NO_FLOORS;
        for slot in batch.iter() {
            let first = table.places[slot].cell;
            for &e in &table.slots[slot].eaters {
                let cell = first + usize::from(e);
                let portion = usize::from(self.portion[slot * table.eaters + usize::from(e)]);
                for step in 0..STEPS {
                    let row = step * table.percents.len() + portion;
                    let costs =
                        least_cost(&table.bands[cell], &self.sums[cell], &scale.least[row], &scale.most[row]);
                    for (floors, cost) in self.floors.iter_mut().zip(costs) {
                        floors[step] += cost;
                    }
                }
            }
        }
    }

    /// What the days of a weighed batch cost at least with a dish on these steps.
    #[inline]
    pub(super) fn floor_of(&self, steps: [u8; NUTRIENTS]) -> i64 {
        self.floors.iter().zip(steps).map(|(floors, step)| floors[usize::from(step) % STEPS]).sum()
    }
}

/// What each nutrient costs at least if between `least` and `most` are eaten on top of `sums`.
pub(super) fn least_cost(band: &Band, sums: &Amounts, least: &Amounts, most: &Amounts) -> [i64; NUTRIENTS] {
    let mut costs = [0; NUTRIENTS];
    for n in 0..NUTRIENTS {
        let (low, high) = (sums[n] + least[n], sums[n] + most[n]);
        let near = (band.lo[n] - high).max(0) + (low - band.hi[n]).max(0);
        let far = (band.min[n] - high).max(0) + (low - band.max[n]).max(0);
        costs[n] = (u64::from((near + 3 * far).cast_unsigned()) * u64::from(band.slope[n])).cast_signed();
    }
    costs
}
