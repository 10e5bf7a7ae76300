//! Finds the prices that are best for the menus known so far without going far from good ones.

use super::menu::Menu;
use super::money::{Limits, Money};
use super::rows::{Row, Rows};

/// The weight of a day, shared by its menus.
const ONE: i64 = 1 << 20;
/// Exchanges of weight on each day that a call makes at most.
const SWEEPS: usize = 300;

/// The menus known of each day with their weights: prices follow from what the weighted menus use.
#[derive(Debug, Default)]
pub(crate) struct Master {
    pools: Vec<Vec<Menu>>,
    weights: Vec<Vec<i64>>,
    /// How much of each rule the weighted menus use, in 1/ONE.
    uses: Vec<i64>,
    center: Vec<i64>,
    prices: Vec<i64>,
    /// Marks of items whose shares must be found again.
    stale: Vec<bool>,
    /// The price that a violation of one buys.
    reach: i64,
}

impl Master {
    pub(crate) fn new(days: usize, items: usize) -> Self {
        Self {
            pools: (0..days).map(|_| Vec::new()).collect(),
            weights: (0..days).map(|_| Vec::new()).collect(),
            stale: vec![false; items],
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, day: usize, menu: Menu) {
        self.weights[day].push(if self.pools[day].is_empty() { ONE } else { 0 });
        if self.pools[day].is_empty() {
            self.shift(&menu, ONE);
        }
        self.pools[day].push(menu);
    }

    fn shift(&mut self, menu: &Menu, weight: i64) {
        for &(row, n) in menu.uses() {
            let row = row as usize;
            if row >= self.uses.len() {
                self.uses.resize(row + 1, 0);
            }
            self.uses[row] += n * weight;
        }
    }

    /// The menus of each day that are cheapest at some prices.
    pub(crate) fn seeds(&self, prices: &[i64], banned: u128) -> Vec<Vec<[u32; 4]>> {
        let nearest = |pool: &Vec<Menu>| {
            let mut order: Vec<(i64, [u32; 4])> = pool
                .iter()
                .filter(|m| m.mask & banned == 0)
                .map(|m| (m.rough_price(prices), m.picks.options))
                .collect();
            order.sort_unstable();
            order.truncate(6);
            order.into_iter().map(|x| x.1).collect()
        };
        self.pools.iter().map(nearest).collect()
    }

    /// The value of prices if the known menus were all.
    pub(crate) fn value(&self, rows: &Rows, money: &Money, limits: &Limits, prices: &[i64]) -> i64 {
        let least = |pool: &Vec<Menu>| {
            pool.iter().filter(|m| m.mask & limits.banned == 0).map(|m| m.price(prices)).min().unwrap_or(0)
        };
        constant(rows, money, limits, prices) + self.pools.iter().map(least).sum::<i64>()
    }

    /// How surely the weighted menus buy an item (in 1/1024), and how often they use it.
    pub(crate) fn bought(&self, rows: &Rows, item: usize) -> (i64, i64) {
        let uses = rows.shares[item].iter().filter_map(|&row| self.uses.get(row as usize));
        let most = uses.clone().max().copied().unwrap_or(0);
        (most / (ONE / 1024), uses.sum::<i64>() / (ONE / 1024))
    }

    /// The prices that are best for the known menus, less for their distance from `center`.
    pub(crate) fn improve(
        &mut self,
        rows: &Rows,
        money: &Money,
        limits: &Limits,
        center: &[i64],
        reach: i64,
    ) -> Vec<i64> {
        self.uses.resize(rows.len(), 0);
        self.evict(limits.banned);
        self.center = center.to_vec();
        self.center.resize(rows.len(), 0);
        self.reach = reach;
        self.prices = vec![0; rows.len()];
        self.stale.fill(true);
        for row in 0..rows.len() {
            self.follow(rows, money, row);
        }
        self.share(rows, limits);
        for _ in 0..SWEEPS {
            let mut moved = false;
            for day in 0..self.pools.len() {
                moved |= self.exchange(rows, money, limits, day);
            }
            if !moved {
                break;
            }
        }
        let mut prices = self.prices.clone();
        rows.allow(money, limits, &mut prices);
        prices
    }

    /// Takes the weight from menus that are not allowed; with none allowed on a day all stay.
    fn evict(&mut self, banned: u128) {
        for day in 0..self.pools.len() {
            let allowed = |m: &Menu| m.mask & banned == 0;
            let Some(heir) = self.pools[day].iter().position(allowed) else { continue };
            for m in 0..self.pools[day].len() {
                let weight = self.weights[day][m];
                if weight > 0 && !allowed(&self.pools[day][m]) {
                    self.weights[day][m] = 0;
                    self.weights[day][heir] += weight;
                    for (menu, weight) in [(m, -weight), (heir, weight)] {
                        for &(row, n) in self.pools[day][menu].uses() {
                            self.uses[row as usize] += n * weight;
                        }
                    }
                }
            }
        }
    }

    /// Moves weight from the dearest menu in use to the cheapest one; whether that was worth it.
    fn exchange(&mut self, rows: &Rows, money: &Money, limits: &Limits, day: usize) -> bool {
        let (mut low, mut high) = ((i64::MAX, 0), (i64::MIN, 0));
        for (m, menu) in self.pools[day].iter().enumerate().filter(|x| x.1.mask & limits.banned == 0) {
            let price = menu.price(&self.prices);
            low = low.min((price, m));
            if self.weights[day][m] > 0 {
                high = high.max((price, m));
            }
        }
        if high.0 <= low.0 + super::FINE * 5 || high.1 == low.1 {
            return false;
        }
        let change = difference(self.pools[day][low.1].uses(), self.pools[day][high.1].uses());
        let bend: i64 = change
            .iter()
            .map(|&(row, n)| {
                let norm = rows.norm[row as usize];
                if norm == 1 { n * n * self.reach } else { n * n / norm * self.reach / norm }
            })
            .sum();
        let wish = i128::from(high.0 - low.0) * i128::from(ONE) / i128::from(bend.max(1));
        let weight = i64::try_from(wish).unwrap_or(ONE).clamp(1, self.weights[day][high.1]);
        self.weights[day][high.1] -= weight;
        self.weights[day][low.1] += weight;
        for &(row, n) in &change {
            self.uses[row as usize] += n * weight;
            self.follow(rows, money, row as usize);
        }
        self.share(rows, limits);
        true
    }

    /// Sets the price of a row; those that share the price of an item are only marked.
    fn follow(&mut self, rows: &Rows, money: &Money, row: usize) {
        self.prices[row] = match rows.kinds[row] {
            Row::Day { item } | Row::Recipe { item } => {
                self.stale[item] = true;
                return;
            }
            Row::Link => self.wished(rows, row),
            Row::Window => self.wished(rows, row).max(0),
            Row::Budget => self.wished(rows, row).clamp(0, money.over),
            Row::Credit { item } => {
                self.wished(rows, row).clamp(0, money.credit(item, self.prices[rows.budget]))
            }
            Row::Cuisine => self.wished(rows, row).clamp(0, money.cuisine),
            Row::Protein => self.wished(rows, row).clamp(0, money.protein),
        };
    }

    fn wished(&self, rows: &Rows, row: usize) -> i64 {
        let norm = rows.norm[row];
        let over = (self.uses[row] - rows.rhs[row] * ONE) / norm;
        self.center[row] + over * (self.reach / 64) / (ONE / 64) / norm
    }

    fn share(&mut self, rows: &Rows, limits: &Limits) {
        for item in 0..self.stale.len() {
            if std::mem::take(&mut self.stale[item]) {
                for &row in &rows.shares[item] {
                    self.prices[row as usize] = self.wished(rows, row as usize).max(0);
                }
                super::rows::share(&rows.shares[item], limits.item[item], &mut self.prices);
            }
        }
    }
}

fn difference(plus: &[(u32, i64)], minus: &[(u32, i64)]) -> Vec<(u32, i64)> {
    let mut out = Vec::with_capacity(plus.len() + minus.len());
    let (mut a, mut b) = (plus.iter().peekable(), minus.iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.0 == y.0 => {
                if x.1 != y.1 {
                    out.push((x.0, x.1 - y.1));
                }
                a.next();
                b.next();
            }
            (Some(&&x), y) if y.is_none_or(|y| x.0 < y.0) => {
                out.push(x);
                a.next();
            }
            (_, Some(&&y)) => {
                out.push((y.0, -y.1));
                b.next();
            }
            _ => return out,
        }
    }
}

/// What prices are worth apart from the menus.
pub(crate) fn constant(rows: &Rows, money: &Money, limits: &Limits, prices: &[i64]) -> i64 {
    money.fixed + limits.paid - rows.rhs.iter().zip(prices).map(|(b, p)| b * p).sum::<i64>()
}
