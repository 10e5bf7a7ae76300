//! The exact move of several meals of one day: of the most promising candidates the best combination.

use super::band::{Amounts, Band, add};
use super::batch::Batch;
use super::chance::{luck_of, most_luck};
use super::plan::NONE;
use super::problem::NUTRIENTS;
use super::rng::Rng;
use super::scale::{Floors, NO_FLOORS, least_cost};
use super::scan::FILTERED_PER_MOVE;
use super::state::State;

/// Combinations tried that count as one move.
const TRIES_PER_MOVE: u64 = 8;
/// The part of its nutrition beside the old dishes of the day that counts when a candidate is listed: the others
/// may change too, so it says little, but not nothing.
const NUTRITION_PART: i64 = 16;

/// One of the meals, lifted, with its candidates.
#[derive(Clone, Debug, Default)]
struct Course {
    /// The lowest price first.
    list: Vec<Dish>,
    /// Where the old dish stands in the list.
    old: Option<usize>,
    /// By candidate and eater: what is eaten.
    rows: Vec<Amounts>,
    /// By eater: the least and the most that is eaten of each nutrient, whichever is chosen.
    least: Vec<Amounts>,
    most: Vec<Amounts>,
}

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dish {
    /// Decides whether it is listed.
    rank: i64,
    /// In itself, less luck.
    price: i64,
    recipe: u32,
}

/// What is asked for, and room to work in that is kept from move to move.
#[derive(Clone, Debug, Default)]
pub(super) struct Menu {
    /// Candidates of each meal.
    pub(super) most: usize,
    pub(super) temperature: i64,
    courses: Vec<Course>,
    /// By meal: what the nutrition of the day costs at least with each candidate beside the old dishes, where there
    /// are many candidates.
    floors: Vec<Floors>,
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
        menu.floors.resize(slots.len(), NO_FLOORS);
        for (place, (&batch, &recipe)) in batches.iter().zip(&old).enumerate() {
            if self.has_many(batch) {
                self.lift(batch);
                self.weigh(batch);
                self.put_back(batch, recipe);
                menu.floors[place] = self.floors;
            }
        }
        batches.iter().for_each(|&batch| self.lift(batch));
        menu.courses.resize_with(slots.len(), Course::default);
        for (place, &batch) in batches.iter().enumerate() {
            self.candidates(menu, place, (batch, day), old[place], rng, moves);
        }
        let cells = day * self.table.eaters..(day + 1) * self.table.eaters;
        menu.search(&self.sums[cells.clone()], &self.table.bands[cells]);
        *moves += menu.tried / TRIES_PER_MOVE;
        let picked: Vec<u32> =
            menu.best.iter().zip(&menu.courses).map(|(&i, course)| course.list[i].recipe).collect();
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

    /// Lists the candidates for a batch that are cheapest less luck, the nutrition of the day nearly aside; `old` is
    /// one of them unless too many are cheaper.
    fn candidates(
        &mut self,
        menu: &mut Menu,
        place: usize,
        (batch, day): (Batch, usize),
        old: u32,
        rng: &mut Rng,
        moves: &mut u64,
    ) {
        let mut scan = self.scan(batch);
        scan.weighed = self.has_many(batch);
        if scan.weighed {
            self.floors = menu.floors[place];
        }
        let (temperature, most) = (menu.temperature, menu.most);
        let course = &mut menu.courses[place];
        let top = most_luck(temperature);
        let (mut cut, mut seen) = (i64::MAX, 0);
        course.list.clear();
        for candidate in scan.group.cook.iter().take(self.looked_at) {
            if candidate.least - scan.gain - top >= cut {
                break;
            }
            seen += 1;
            let (recipe, about) = (candidate.recipe, self.about(&scan, candidate));
            let eaten = self.weight(&scan, candidate) / NUTRITION_PART;
            if about + eaten - top >= cut && recipe != old {
                continue;
            }
            let luck = luck_of(temperature, rng);
            if (about + eaten - luck >= cut && recipe != old) || !self.follows(batch, recipe) {
                continue;
            }
            let exact = candidate.stocked || batch.len() > 1;
            *moves += u64::from(exact);
            let price = if exact { self.price_aside(batch, recipe, day) - scan.floor } else { about } - luck;
            if price + eaten < cut || recipe == old {
                course.list.push(Dish { rank: price + eaten, price, recipe });
                if course.list.len() >= 2 * most {
                    cut = course.keep_best(most);
                }
            }
        }
        *moves += seen / FILTERED_PER_MOVE;
        course.keep_best(most);
        course.list.sort_unstable_by_key(|dish| (dish.price, dish.recipe));
        course.old = course.list.iter().position(|dish| dish.recipe == old);
        self.list_rows(course, batch.source());
    }

    fn list_rows(&self, course: &mut Course, slot: usize) {
        let eaters = self.table.eaters;
        course.rows.clear();
        course.rows.resize(course.list.len() * eaters, [0; NUTRIENTS]);
        for (rows, dish) in course.rows.chunks_mut(eaters.max(1)).zip(&course.list) {
            for &e in &self.table.slots[slot].eaters {
                let portion = self.portion[slot * eaters + usize::from(e)];
                rows[usize::from(e)] = *self.table.row(dish.recipe as usize, portion);
            }
        }
        course.find_range(eaters);
    }
}

impl Course {
    /// Keeps the `most` of the lowest rank; the highest rank of them, if there are so many.
    fn keep_best(&mut self, most: usize) -> i64 {
        if self.list.len() < most || most == 0 {
            return i64::MAX;
        }
        let (_, last, _) = self.list.select_nth_unstable(most - 1);
        let highest = last.rank;
        self.list.truncate(most);
        highest
    }

    /// Finds the least and the most that is eaten.
    fn find_range(&mut self, eaters: usize) {
        let of_first = self.rows.get(..eaters).unwrap_or_default();
        self.least.clear();
        self.least.extend_from_slice(of_first);
        self.most.clone_from(&self.least);
        for rows in self.rows.chunks(eaters.max(1)) {
            for ((least, most), row) in self.least.iter_mut().zip(&mut self.most).zip(rows) {
                for n in 0..NUTRIENTS {
                    least[n] = least[n].min(row[n]);
                    most[n] = most[n].max(row[n]);
                }
            }
        }
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
        let least = self.courses.iter().map(|course| course.list.first().map(|dish| dish.price));
        if let Some(least) = least.sum::<Option<i64>>() {
            self.start_from_old(others, bands);
            self.dive(bands, 0, 0, least);
        }
    }

    /// What is there already is the first combination: nothing dearer is looked at.
    fn start_from_old(&mut self, others: &[Amounts], bands: &[Band]) {
        let Some(old) = self.courses.iter().map(|course| course.old).collect::<Option<Vec<_>>>() else {
            return;
        };
        let mut price: i64 = self.courses.iter().zip(&old).map(|(course, &i)| course.list[i].price).sum();
        for (e, (band, others)) in bands.iter().zip(others).enumerate() {
            let mut sums = *others;
            for (course, i) in self.courses.iter().zip(&old) {
                add(&mut sums, &course.rows[i * bands.len() + e]);
            }
            price += band.cost(&sums);
        }
        self.low = price;
        self.best = old;
    }

    /// Tries all candidates of a meal and those after it; `price` is of what is chosen, `rest` the least of the rest.
    fn dive(&mut self, bands: &[Band], place: usize, price: i64, rest: i64) {
        let rest = rest - self.courses[place].list[0].price;
        for i in 0..self.courses[place].list.len() {
            let here = price + self.courses[place].list[i].price;
            if here + rest >= self.low {
                break;
            }
            self.chosen[place] = i;
            if place + 1 == self.courses.len() {
                self.try_last(bands, place, i, here);
            } else {
                self.eat(bands.len(), place, i);
                if place + 2 < self.courses.len() || self.may_be_lower(bands, place + 1, here + rest) {
                    self.dive(bands, place + 1, here, rest);
                }
            }
        }
    }

    /// Whether some candidate of the last meal may give a price below the lowest, when all before it are chosen.
    fn may_be_lower(&mut self, bands: &[Band], place: usize, least: i64) -> bool {
        self.tried += 1;
        let course = &self.courses[place];
        let mut total = least;
        bands.iter().zip(&self.sums[place]).zip(course.least.iter().zip(&course.most)).all(
            |((band, sums), (least, most))| {
                total += least_cost(band, sums, least, most).iter().sum::<i64>();
                total < self.low
            },
        )
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
