//! The exact move of one meal: of all its candidates the cheapest, or one by Boltzmann's chances.

use super::band::Band;
use super::batch::Batch;
use super::chance::{luck_of, most_luck};
use super::plan::{NONE, index};
use super::price::{beyond, count};
use super::rng::Rng;
use super::state::State;
use super::table::{Candidate, Group, Slot};

/// Filtered candidates that count as one move.
pub(super) const FILTERED_PER_MOVE: u64 = 64;
/// More candidates than this are bounded by the steps of their nutrients first.
const MANY: usize = 128;

/// Candidates looked at for a first plan.
const PROMISING: usize = 400;

impl<'t> State<'t> {
    /// A recipe for a lifted batch: the lowest price less luck of the candidates looked at; `first` is priced first.
    pub(super) fn draw(
        &mut self,
        batch: Batch,
        first: Option<u32>,
        temperature: i64,
        rng: &mut Rng,
        moves: &mut u64,
    ) -> Option<u32> {
        let scan = self.scan_weighed(batch);
        let (mut best, mut low) = (None, i64::MAX);
        if let Some(recipe) = first.filter(|&recipe| self.fits(batch, recipe)) {
            low = self.price(batch, recipe) - luck_of(temperature, rng);
            best = first;
        }
        let most = most_luck(temperature);
        let mut cut = low.saturating_add(most).saturating_sub(scan.floor);
        let mut seen = 0;
        for candidate in scan.group.cook.iter().take(self.looked_at) {
            if candidate.least - scan.gain >= cut {
                break;
            }
            seen += 1;
            let about = self.about(&scan, candidate);
            if about >= cut || Some(candidate.recipe) == first {
                continue;
            }
            let bound = about + self.weight(&scan, candidate);
            if bound >= cut {
                continue;
            }
            let luck = luck_of(temperature, rng);
            let limit = low.saturating_add(luck);
            if scan.floor + bound >= limit || !self.follows(batch, candidate.recipe) {
                continue;
            }
            *moves += 1;
            let price = self.price_late(batch, candidate.recipe, scan.floor + about, limit);
            if price < limit {
                low = price - luck;
                best = Some(candidate.recipe);
                cut = low.saturating_add(most) - scan.floor;
            }
        }
        *moves += 1 + seen / FILTERED_PER_MOVE;
        best
    }

    /// The cheapest recipe for a lifted batch that costs less than `limit`.
    pub(super) fn cheapest(&mut self, batch: Batch, limit: i64, moves: &mut u64) -> Option<u32> {
        let scan = self.scan_weighed(batch);
        let (mut best, mut low) = (None, limit);
        for candidate in &scan.group.cook {
            if scan.floor.saturating_add(candidate.least - scan.gain) >= low {
                break;
            }
            let about = scan.floor + self.about(&scan, candidate);
            if about >= low
                || about + self.weight(&scan, candidate) >= low
                || !self.follows(batch, candidate.recipe)
            {
                continue;
            }
            *moves += 1;
            let price = self.price_late(batch, candidate.recipe, about, low);
            if price < low {
                low = price;
                best = Some(candidate.recipe);
            }
        }
        best
    }

    /// Cooks something promising in an empty slot, if that is better than nothing: what is cheap in itself and
    /// holds the meal's share of the day, whatever else the day will bring.
    pub(super) fn fill(&mut self, slot: usize, moves: &mut u64) {
        let (one, now) = (Batch::one(slot), self.objective());
        self.lift(one);
        let scan = self.scan(one);
        let shares = self.shares(slot);
        let (mut best, mut low) = (None, i64::MAX);
        for candidate in scan.group.cook.iter().take(PROMISING) {
            let about = self.about(&scan, candidate);
            if candidate.least - scan.gain >= low {
                break;
            }
            if about >= low || !self.follows(one, candidate.recipe) {
                continue;
            }
            *moves += 1;
            let row = |e: u8| {
                self.table
                    .row(candidate.recipe as usize, self.portion[slot * self.table.eaters + usize::from(e)])
            };
            let eaters = self.table.slots[slot].eaters.iter();
            let price = about + eaters.zip(&shares).map(|(&e, share)| share.cost(row(e))).sum::<i64>();
            if price < low {
                low = price;
                best = Some(candidate.recipe);
            }
        }
        let better = best.filter(|&recipe| self.price(one, recipe) < now);
        self.place(one, better.unwrap_or(NONE));
    }

    /// What of everybody's goals falls to one meal.
    fn shares(&self, slot: usize) -> Vec<Band> {
        let table = self.table;
        let here = &table.slots[slot];
        let share = |&e: &u8| {
            let eats = |other: &&Slot| other.day == here.day && other.eaters.contains(&e);
            let all = table.slots.iter().filter(eats).map(|other| other.kind.share()).sum();
            table.bands[here.day * table.eaters + usize::from(e)].of_meal(here.kind.share(), all)
        };
        here.eaters.iter().map(share).collect()
    }

    /// Prepares to look at all candidates of a lifted batch.
    pub(super) fn scan(&mut self, batch: Batch) -> Scan<'t> {
        self.sync();
        let table = self.table;
        let (slot, place) = (batch.source(), &table.places[batch.source()]);
        if place.main {
            let (rules, weights) = (&table.rules, &table.weights);
            for (class, price) in self.cuisine_prices.iter_mut().take(table.cuisines).enumerate() {
                *price =
                    beyond(self.cuisines[place.cuisines + class], rules.cuisine_cap, weights.cuisine_excess);
            }
            let other = index(place.mate).and_then(|mate| index(self.recipe[mate]));
            let other = other.map(|other| usize::from(table.recipes[other].protein));
            for (class, price) in self.protein_prices.iter_mut().take(table.proteins).enumerate() {
                *price =
                    beyond(self.proteins[place.proteins + class], rules.protein_cap, weights.protein_excess);
                if other == Some(class) {
                    *price += weights.protein_same_day;
                }
            }
        }
        // Less than half a serving may round to nothing.
        let item = if self.most(batch) >= 50 { table.weights.item } else { 0 };
        let followers = i64::from(count(batch.iter().skip(1)));
        let leftovers = followers * -(table.weights.leftover + table.least_base).min(0);
        let gain = leftovers + self.count_quotas(batch);
        let group = &table.groups[table.slots[slot].group];
        Scan { group, item, floor: self.objective(), main: place.main, weighed: false, leftovers, gain }
    }

    /// Finds what the tags of a dish would add for the quotas; what they take off at most.
    fn count_quotas(&mut self, batch: Batch) -> i64 {
        let table = self.table;
        self.quota_prices.clear();
        for (q, quota) in table.quotas.iter().enumerate() {
            let price = self.price_quota(batch, q);
            if price != 0 {
                self.quota_prices.push((quota.tags, price));
            }
        }
        self.quota_prices.iter().map(|(_, price)| -price.min(&0)).sum()
    }

    /// [`Self::scan`], with bounds on the nutrition where they pay.
    pub(super) fn scan_weighed(&mut self, batch: Batch) -> Scan<'t> {
        let mut scan = self.scan(batch);
        scan.weighed = self.has_many(batch);
        if scan.weighed {
            self.weigh(batch);
        }
        scan
    }

    /// Whether bounds on the nutrition pay for a batch.
    pub(super) fn has_many(&self, batch: Batch) -> bool {
        self.table.groups[self.table.slots[batch.source()].group].cook.len() > MANY
    }

    /// What the nutrition of a candidate of a scan costs at least.
    #[inline]
    pub(super) fn weight(&self, scan: &Scan<'_>, candidate: &Candidate) -> i64 {
        if scan.weighed { self.floor_of(candidate.steps) } else { 0 }
    }

    /// What a candidate of a scan adds at least to the objective, the pantry and the day's nutrition aside.
    #[inline]
    pub(super) fn about(&self, scan: &Scan<'_>, candidate: &Candidate) -> i64 {
        let items = scan.item * i64::from(self.missing[candidate.recipe as usize]);
        let mut about = candidate.least + items - scan.leftovers;
        if !self.quota_prices.is_empty() {
            let tags = self.table.recipes[candidate.recipe as usize].tags;
            let carried = self.quota_prices.iter().filter(|(quota, _)| quota & tags != 0);
            about += carried.map(|(_, price)| price).sum::<i64>();
        }
        if scan.main {
            about += self.cuisine_prices[usize::from(candidate.cuisine)];
            about += self.protein_prices[usize::from(candidate.protein)];
        }
        about
    }

    /// The exact price where it is below `limit`; `about` is less than it without the nutrition.
    #[inline]
    pub(super) fn price_late(&self, batch: Batch, recipe: u32, about: i64, limit: i64) -> i64 {
        let eaten = self.price_eaten(batch, recipe);
        if about + eaten >= limit { about + eaten } else { self.price_with(batch, recipe, eaten) }
    }
}

/// What all candidates of a batch have in common.
pub(super) struct Scan<'t> {
    pub(super) group: &'t Group,
    /// What each food that is not bought yet adds.
    item: i64,
    /// The objective without the batch.
    pub(super) floor: i64,
    main: bool,
    pub(super) weighed: bool,
    /// What those who eat what is left take off at most.
    leftovers: i64,
    /// What leftovers and quotas may take off at most of what a dish costs in itself.
    pub(super) gain: i64,
}
