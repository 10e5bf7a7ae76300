//! Turns prices of rows into one day's problem each, and prices leftovers that no row prices yet.

use super::branch::{Effort, Solved};
use super::day::{Day, Lines};
use super::menu::{Frame, Picks};
use super::model::{DINNER, LUNCH, SLOTS};
use super::money::FAR;
use super::options::{Kind, TRACKED, forces, times};
use super::rows::{Rows, family};

/// Days solved at the same time.
const THREADS: usize = 2;

/// The prices of leftovers of each dinner choice, by day and place.
pub(crate) type Links = Vec<Vec<i64>>;

/// One day's answer with menus that the master understands.
pub(crate) struct Answer {
    pub(crate) solved: Solved,
    pub(crate) menus: Vec<Picks>,
}

/// All days at given prices.
pub(crate) struct Pricing<'a> {
    frame: &'a Frame<'a>,
    unary: Vec<Vec<i64>>,
    pub(crate) links: Links,
    /// The source that each option of leftovers uses.
    sources: Vec<Vec<u32>>,
    items: Vec<[i64; TRACKED]>,
    banned: u128,
}

impl<'a> Pricing<'a> {
    /// `lines` of earlier solves give the price of leftovers without a row: as dear as their dinner can bear.
    pub(crate) fn new(
        frame: &'a Frame<'a>,
        rows: &Rows,
        prices: &[i64],
        lines: &[Lines],
        banned: u128,
    ) -> Self {
        let mut all = Self {
            frame,
            unary: Vec::new(),
            links: Vec::new(),
            sources: vec![Vec::new(); frame.model.days],
            items: Vec::new(),
            banned,
        };
        for day in 0..frame.model.days {
            let mut items = [0; TRACKED];
            for (bit, price) in items.iter_mut().enumerate() {
                let item = frame.items[bit];
                if frame.tracked.get(item).is_some_and(|b| *b == u8::try_from(bit).ok()) {
                    *price = rows.day_item(day, item).map_or(0, |row| prices[row]);
                }
            }
            all.items.push(items);
            for slot in 0..SLOTS {
                all.unary.push(all.alone(rows, prices, day, slot));
            }
        }
        for (day, lines) in lines.iter().enumerate() {
            let links = all.price_links(rows, prices, day, lines);
            all.links.push(links);
        }
        for day in 0..frame.model.days {
            all.apply_links(day);
        }
        all
    }

    /// What each option costs by itself, links not counted.
    fn alone(&self, rows: &Rows, prices: &[i64], day: usize, slot: usize) -> Vec<i64> {
        let (model, money) = (self.frame.model, &self.frame.money);
        let over = prices[rows.budget];
        let price = |row: usize| prices.get(row).copied().unwrap_or(0);
        let gram: Vec<(i64, i64, i64)> = (0..model.items.len())
            .map(|item| {
                let stock = model.items[item].stock.as_ref().filter(|s| s.last_day.is_none_or(|l| day <= l));
                let credit = rows.credit[item].filter(|_| stock.is_some()).map_or(0, |row| prices[row]);
                (money.pay[item] + money.price(item) * over, credit, stock.map_or(0, |s| s.grams))
            })
            .collect();
        let options = &self.frame.options[day * SLOTS + slot];
        let family = family(slot);
        let windows = rows.windows(family, day);
        let mut out = Vec::with_capacity(options.len());
        for option in 0..options.len() {
            let (kind, recipe) = (options.kind[option], options.recipe[option]);
            let mut cost = options.own[option];
            if let Some(dish) = model.recipes.get(recipe) {
                if slot == LUNCH || slot == DINNER {
                    cost += dish.cuisine.map_or(0, |c| prices[rows.cuisine[c]]);
                    cost += dish.protein.map_or(0, |p| prices[rows.protein[p]]);
                }
                if kind != Kind::Again {
                    let grams = dish.grams.iter().map(|&(item, g)| (g * times(kind), gram[item]));
                    cost += grams.map(|(g, (pay, credit, most))| g * pay - g.min(most) * credit).sum::<i64>();
                    if rows.active[family][recipe] {
                        for first in windows.clone() {
                            cost += rows.window(family, recipe, first).map_or(0, price);
                            for (place, &(item, grams)) in dish.grams.iter().enumerate() {
                                if let Some(row) = rows.recipe_item(family, recipe, place, first)
                                    && price(row) != 0
                                    && forces(model, day, item, grams * times(kind))
                                {
                                    cost += price(row);
                                }
                            }
                        }
                    }
                }
            }
            out.push(cost);
        }
        out
    }

    /// Leftovers of a dish cost what their dinner can bear and stay uninteresting; rows, where made, decide.
    fn price_links(&self, rows: &Rows, prices: &[i64], day: usize, lines: &Lines) -> Vec<i64> {
        let options = &self.frame.options[day * SLOTS + DINNER];
        let values = lines.values(options, &self.unary[day * SLOTS + DINNER], &self.items[day], DINNER);
        let choices = self.frame.model.meal(day, DINNER).choices.len();
        let least = values.iter().take(choices).min().copied().unwrap_or(0);
        let mut links = vec![0; choices];
        for option in 0..options.len() {
            if options.kind[option] != Kind::Double {
                continue;
            }
            let (_, place) = options.sources(option)[0];
            let own = values[option] - values[place];
            let bearable = values[option] - least - lines.gap * 3 / 2;
            let known = rows.link(day, place).and_then(|row| prices.get(row));
            links[place] = known.copied().unwrap_or(own.max(bearable)).clamp(-FAR, FAR);
        }
        links
    }

    fn apply_links(&mut self, day: usize) {
        let options = &self.frame.options[day * SLOTS + DINNER];
        for option in 0..options.len() {
            if options.kind[option] == Kind::Double {
                let (cooked, place) = options.sources(option)[0];
                self.unary[day * SLOTS + DINNER][option] -= self.links[cooked][place];
            }
        }
        let options = &self.frame.options[day * SLOTS + LUNCH];
        self.sources[day] = vec![0; options.len()];
        for option in 0..options.len() {
            if options.kind[option] == Kind::Again {
                let price = |s: &(usize, usize)| self.links[s.0][s.1];
                let best = options.sources(option).iter().enumerate().min_by_key(|s| price(s.1));
                if let Some((source, at)) = best {
                    self.unary[day * SLOTS + LUNCH][option] += price(at);
                    self.sources[day][option] = u32::try_from(source).unwrap_or(0);
                }
            }
        }
    }

    fn day(&self, day: usize) -> Day<'_> {
        Day {
            options: self.frame.day(day),
            nutrition: &self.frame.nutrition[day],
            unary: &self.unary[day * SLOTS..(day + 1) * SLOTS],
            items: self.items[day],
            banned: self.banned,
            same_protein: self.frame.model.weights.protein_same_day * super::FINE,
            distinct: [self.frame.model.gap_main > 0, self.frame.model.gap_other > 0],
        }
    }

    /// A day's share of each tracked item.
    pub(crate) fn shares(&self, day: usize) -> &[i64; TRACKED] {
        &self.items[day]
    }

    fn solve_day(&self, day: usize, lines: &mut Lines, seeds: &[[u32; SLOTS]], effort: Effort) -> Answer {
        let solved = super::branch::solve(&self.day(day), lines, seeds, effort);
        let menus = solved
            .menus
            .iter()
            .map(|&(_, options)| Picks { options, source: self.sources[day][options[LUNCH] as usize] })
            .collect();
        Answer { solved, menus }
    }

    /// Solves all days on [`THREADS`] threads; a day's answer depends on no other day's.
    pub(crate) fn solve(
        &self,
        lines: &mut [Lines],
        seeds: &[Vec<[u32; SLOTS]>],
        efforts: &[Effort],
    ) -> Vec<Answer> {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let slots: Vec<std::sync::Mutex<(&mut Lines, Option<Answer>)>> =
            lines.iter_mut().map(|l| std::sync::Mutex::new((l, None))).collect();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    loop {
                        let day = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(slot) = slots.get(day) else { return };
                        if let Ok(mut slot) = slot.lock() {
                            let answer = self.solve_day(day, slot.0, &seeds[day], efforts[day]);
                            slot.1 = Some(answer);
                        }
                    }
                });
            }
        });
        slots.into_iter().filter_map(|s| s.into_inner().ok().and_then(|s| s.1)).collect()
    }
    #[cfg(test)]
    pub(crate) fn brute_force(&self, day: usize) -> i64 {
        let one = self.day(day);
        let count = |slot: usize| 0..u32::try_from(one.options[slot].len()).unwrap();
        let mut least = 2 * super::NO_PLAN;
        for a in count(0) {
            for b in count(1) {
                for c in count(2) {
                    for d in count(3) {
                        if one.is_possible([a, b, c, d]) {
                            least = least.min(one.cost([a, b, c, d]));
                        }
                    }
                }
            }
        }
        least
    }
}
