//! The exact move of several meals of one day: of the most promising candidates the best combination.

use super::band::{Amounts, Band};
use super::batch::Batch;
use super::chance::{luck_of, most_luck};
use super::plan::NONE;
use super::problem::NUTRIENTS;
use super::rng::Rng;
use super::scan::FILTERED_PER_MOVE;
use super::state::State;

/// Combinations tried that count as one move.
const TRIES_PER_MOVE: u64 = 8;

/// One of the meals, lifted, with its candidates.
#[derive(Clone, Debug, Default)]
struct Course {
    /// Price in itself less luck, and recipe; the lowest first.
    list: Vec<(i64, u32)>,
    /// By candidate and eater: what is eaten.
    rows: Vec<Amounts>,
}

/// What is asked for, and room to work in that is kept from move to move.
#[derive(Clone, Debug, Default)]
pub(super) struct Menu {
    /// Candidates of each meal.
    pub(super) most: usize,
    pub(super) temperature: i64,
    courses: Vec<Course>,
    /// By meal and eater: what is eaten of all before it.
    sums: Vec<Vec<Amounts>>,
    chosen: Vec<usize>,
    best: Vec<usize>,
    low: i64,
    tried: u64,
}

impl State<'_> {
    /// Chooses the meals of some slots of one day anew, if the objective stays below `limit`.
    ///
    /// What meals share (a food to buy, a protein) is not seen while combinations are compared, only at the end.
    pub(super) fn choose(
        &mut self,
        menu: &mut Menu,
        slots: &[usize],
        limit: i64,
        rng: &mut Rng,
        moves: &mut u64,
    ) -> bool {
        let Some(&first) = slots.first() else { return false };
        if slots.iter().any(|&slot| self.of[slot] != NONE) {
            return false;
        }
        let day = self.table.slots[first].day;
        let batches: Vec<Batch> = slots.iter().map(|&slot| self.batch(slot)).collect();
        let old: Vec<u32> = slots.iter().map(|&slot| self.recipe[slot]).collect();
        batches.iter().for_each(|&batch| self.lift(batch));
        menu.courses.resize_with(slots.len(), Course::default);
        for (place, &batch) in batches.iter().enumerate() {
            self.candidates(menu, place, (batch, day), old[place], rng, moves);
        }
        let cells = day * self.table.eaters..(day + 1) * self.table.eaters;
        menu.search(&self.sums[cells.clone()], &self.table.bands[cells]);
        *moves += menu.tried / TRIES_PER_MOVE;
        let picked: Vec<u32> =
            menu.best.iter().zip(&menu.courses).map(|(&i, course)| course.list[i].1).collect();
        if picked.len() == old.len() && picked != old && self.place_all(&batches, &picked, limit) {
            return true;
        }
        batches.iter().zip(&old).for_each(|(&batch, &recipe)| self.place(batch, recipe));
        false
    }

    /// Places all of the recipes if they go together and the objective stays below `limit`, or none.
    fn place_all(&mut self, batches: &[Batch], recipes: &[u32], limit: i64) -> bool {
        for (place, (&batch, &recipe)) in batches.iter().zip(recipes).enumerate() {
            let last = place + 1 == batches.len();
            if !self.fits(batch, recipe) || (last && self.price(batch, recipe) >= limit) {
                batches.iter().take(place).for_each(|&batch| self.lift(batch));
                return false;
            }
            self.place(batch, recipe);
        }
        true
    }

    /// Lists the candidates for a batch that are cheapest less luck, the nutrition of the day aside; `old` is one.
    fn candidates(
        &mut self,
        menu: &mut Menu,
        place: usize,
        (batch, day): (Batch, usize),
        old: u32,
        rng: &mut Rng,
        moves: &mut u64,
    ) {
        let scan = self.scan(batch);
        let (temperature, most) = (menu.temperature, menu.most);
        let course = &mut menu.courses[place];
        let top = most_luck(temperature);
        let (mut cut, mut seen) = (i64::MAX, 0);
        course.list.clear();
        for candidate in &scan.group.cook {
            if candidate.least - top >= cut {
                break;
            }
            seen += 1;
            let (recipe, about) = (candidate.recipe, self.about(&scan, candidate));
            if about - top >= cut && recipe != old {
                continue;
            }
            let luck = luck_of(temperature, rng);
            if (about - luck >= cut && recipe != old) || !self.follows(batch, recipe) {
                continue;
            }
            let exact = candidate.stocked || batch.len() > 1;
            *moves += u64::from(exact);
            let price = if exact { self.price_aside(batch, recipe, day) - scan.floor } else { about } - luck;
            if price < cut || recipe == old {
                course.list.push((price, recipe));
                if course.list.len() >= 2 * most {
                    cut = course.keep_best(most);
                }
            }
        }
        *moves += seen / FILTERED_PER_MOVE;
        course.list.sort_unstable();
        course.list.truncate(most);
        self.list_rows(course, batch.source());
    }

    fn list_rows(&self, course: &mut Course, slot: usize) {
        let eaters = self.table.eaters;
        course.rows.clear();
        course.rows.resize(course.list.len() * eaters, [0; NUTRIENTS]);
        for (rows, &(_, recipe)) in course.rows.chunks_mut(eaters.max(1)).zip(&course.list) {
            for &e in &self.table.slots[slot].eaters {
                let portion = self.portion[slot * eaters + usize::from(e)];
                rows[usize::from(e)] = *self.table.row(recipe as usize, portion);
            }
        }
    }
}

impl Course {
    /// Keeps the `most` cheapest; the price of the dearest of them.
    fn keep_best(&mut self, most: usize) -> i64 {
        let last = most.saturating_sub(1);
        self.list.select_nth_unstable(last);
        self.list.truncate(most);
        self.list.get(last).map_or(i64::MAX, |(price, _)| *price)
    }
}

impl Menu {
    pub(super) fn of(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Finds the best combination, given what is eaten of the day's other meals.
    fn search(&mut self, others: &[Amounts], bands: &[Band]) {
        let places = self.courses.len();
        self.sums.resize_with(places, Vec::new);
        self.sums[0].clear();
        self.sums[0].extend_from_slice(others);
        self.chosen.clear();
        self.chosen.resize(places, 0);
        self.best.clear();
        self.low = i64::MAX;
        self.tried = 0;
        let least = self.courses.iter().map(|course| course.list.first().map(|(price, _)| *price));
        if let Some(least) = least.sum::<Option<i64>>() {
            self.dive(bands, 0, 0, least);
        }
    }

    /// Tries all candidates of a meal and those after it; `price` is of what is chosen, `rest` the least of the rest.
    fn dive(&mut self, bands: &[Band], place: usize, price: i64, rest: i64) {
        let rest = rest - self.courses[place].list[0].0;
        for i in 0..self.courses[place].list.len() {
            let here = price + self.courses[place].list[i].0;
            if here + rest >= self.low {
                break;
            }
            self.chosen[place] = i;
            if place + 1 == self.courses.len() {
                self.try_last(bands, place, i, here);
            } else {
                self.eat(bands.len(), place, i);
                self.dive(bands, place + 1, here, rest);
            }
        }
    }

    #[inline]
    fn try_last(&mut self, bands: &[Band], place: usize, i: usize, price: i64) {
        self.tried += 1;
        let rows = &self.courses[place].rows[i * bands.len()..];
        let mut total = price;
        for ((band, sums), row) in bands.iter().zip(&self.sums[place]).zip(rows) {
            total += band.cost_with(sums, row);
            if total >= self.low {
                return;
            }
        }
        self.low = total;
        self.best.clone_from(&self.chosen);
    }

    /// Adds a candidate to what is eaten before the next meal.
    fn eat(&mut self, eaters: usize, place: usize, i: usize) {
        let (before, after) = self.sums.split_at_mut(place + 1);
        let rows = &self.courses[place].rows[i * eaters..(i + 1) * eaters];
        let (Some(before), Some(next)) = (before.last(), after.first_mut()) else { return };
        let add =
            |(sums, row): (&Amounts, &Amounts)| -> Amounts { std::array::from_fn(|n| sums[n] + row[n]) };
        next.clear();
        next.extend(before.iter().zip(rows).map(add));
    }
}
