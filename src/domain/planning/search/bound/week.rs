//! The weeks that can be put together from listed menus: what any of them costs at least.
//!
//! At given prices each day pays a share of an item. Once the menu of a day is fixed its items are bought and paid
//! in full; other days have them for nothing and share the rest among them. Fixing day after day rules out all weeks
//! below a target. A menu that is not listed costs its day's `floor` at least, less what it may have been charged
//! for items that are paid already.

use super::menu::bits;
use super::model::SLOTS;
use super::options::TRACKED;
use super::rows::family;

/// No dish is cooked.
pub(crate) const NOTHING: u32 = u32::MAX;

/// A listed menu of one day.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    /// What it costs, items not counted.
    pub(crate) net: i64,
    /// The items that it needs, of those with a price.
    pub(crate) mask: u128,
    /// What it pays for items beyond its day's share.
    pub(crate) extra: Vec<(u8, i64)>,
    /// The recipe cooked in each slot.
    pub(crate) cooked: [u32; SLOTS],
    /// How much of which rule it uses.
    pub(crate) uses: Vec<(u16, i64)>,
    /// The recipe of which its dinner leaves something to eat again.
    pub(crate) left: u32,
    /// The recipe of which its lunch is the leftovers, and the days (as bits) of which it may be.
    pub(crate) again: (u32, u64),
}

/// A rule of the whole week: `max(over * (used - limit), under * (limit - used))` comes on top of what menus cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) limit: i64,
    pub(crate) over: i64,
    pub(crate) under: i64,
}

/// The menus of one day.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) menus: Vec<Menu>,
    /// Menus not listed cost no less, with what they pay for items.
    pub(crate) floor: i64,
    /// The day's share of each item.
    pub(crate) share: [i64; TRACKED],
    /// What dishes of each slot pay beyond that, for those that do.
    pub(crate) extras: [Vec<Vec<(u8, i64)>>; SLOTS],
    /// The most of each rule that a menu of the day uses.
    pub(crate) reach: Vec<i64>,
}

impl Choices {
    /// What a menu costs with its shares of items.
    pub(crate) fn alone(&self, menu: &Menu) -> i64 {
        let shares: i64 = bits(menu.mask).map(|b| self.share[b]).sum();
        menu.net + shares + menu.extra.iter().map(|e| e.1).sum::<i64>()
    }

    /// The least that a menu costs which is not listed, once these items are paid.
    fn unlisted(&self, bought: u128) -> i64 {
        let shares: i64 = bits(bought).map(|b| self.share[b]).sum();
        let paid =
            |dish: &Vec<(u8, i64)>| dish.iter().filter(|e| bought >> e.0 & 1 == 1).map(|e| e.1).sum::<i64>();
        let extras: i64 = self.extras.iter().map(|slot| slot.iter().map(paid).max().unwrap_or(0)).sum();
        self.floor - shares - extras
    }
}

/// What is the same for all weeks.
#[derive(Debug)]
pub(crate) struct Weeks<'a> {
    pub(crate) days: &'a [Choices],
    /// What each item costs.
    pub(crate) items: [i64; TRACKED],
    /// Days between two cookings of one recipe, by family.
    pub(crate) gaps: [usize; 2],
    pub(crate) rules: &'a [Rule],
    /// No week below it was found yet.
    target: i64,
    /// Menus that may still be looked at.
    pub(crate) steps: usize,
}

/// What is fixed of a week under way.
#[derive(Clone, Debug, Default)]
struct Taken {
    /// What the fixed menus and their items cost.
    cost: i64,
    bought: u128,
    /// How much of each rule they use.
    used: Vec<i64>,
}

/// Where a day stands in a week under way.
#[derive(Clone, Debug)]
enum Stand {
    /// Menus that are still possible, and whether one that is not listed is.
    Open(Vec<u32>, bool),
    Fixed(u32),
    /// It has some menu that is not listed.
    Unlisted,
}

impl<'a> Weeks<'a> {
    pub(crate) fn new(
        days: &'a [Choices],
        items: [i64; TRACKED],
        gaps: [usize; 2],
        rules: &'a [Rule],
    ) -> Self {
        Self { days, items, gaps, rules, target: i64::MIN, steps: 0 }
    }

    /// No week costs less, as far as so many steps prove; `wish` is all that is of use.
    pub(crate) fn least(&mut self, wish: i64, stride: i64, steps: usize) -> i64 {
        let all = |day: &Choices| Stand::Open((0..).zip(&day.menus).map(|(m, _)| m).collect(), true);
        let start: Vec<Stand> = self.days.iter().map(all).collect();
        let low =
            |day: &Choices| day.menus.iter().map(|m| day.alone(m)).min().unwrap_or(day.floor).min(day.floor);
        let mut proven = self.days.iter().map(low).fold(0, i64::saturating_add);
        let mut stride = stride;
        self.steps = steps;
        while proven < wish {
            let target = proven.saturating_add(stride).min(wish);
            self.target = target;
            if !self.dive(&start, &Taken { used: vec![0; self.rules.len()], ..Taken::default() }, proven) {
                break;
            }
            proven = self.target;
            if proven < target {
                break;
            }
            stride += stride / 4;
        }
        proven
    }

    /// Rules out all weeks below the target that continue this one, or lowers the target to one; `false` where that
    /// was too much.
    fn dive(&mut self, stands: &[Stand], taken: &Taken, above: i64) -> bool {
        if !self.fits(stands) {
            return true;
        }
        let bought = taken.bought;
        let shares = self.shares(stands, bought);
        let (ruled, dear) = self.ruled(stands, taken);
        let mut total = taken.cost.saturating_add(ruled);
        let mut values: Vec<Vec<i64>> = Vec::with_capacity(stands.len());
        let mut lows = Vec::with_capacity(stands.len());
        for (at, (stand, day)) in stands.iter().zip(self.days).enumerate() {
            let (mut low, mut row) = (0, Vec::new());
            match stand {
                Stand::Fixed(_) => {}
                Stand::Unlisted => low = day.unlisted(bought),
                Stand::Open(menus, far) => {
                    self.steps = self.steps.saturating_sub(menus.len() + 8);
                    low = if *far { day.unlisted(bought) } else { i64::MAX };
                    for &m in menus {
                        let menu = &day.menus[m as usize];
                        let mut value = menu.net;
                        for b in bits(menu.mask & !bought) {
                            value += shares[at][b];
                        }
                        for &(b, pay) in &menu.extra {
                            if bought >> b & 1 == 0 {
                                value += pay;
                            }
                        }
                        for &(rule, n) in &menu.uses {
                            value += n * dear[usize::from(rule)];
                        }
                        low = low.min(value);
                        row.push(value);
                    }
                }
            }
            total = total.saturating_add(low);
            lows.push(low);
            values.push(row);
        }
        // What is known of the part that this is of holds here, too.
        if total.max(above) >= self.target {
            return true;
        }
        if self.steps == 0 {
            return false;
        }
        self.branch(stands, taken, (total, above), &values, &lows)
    }

    fn branch(
        &mut self,
        stands: &[Stand],
        taken: &Taken,
        (total, above): (i64, i64),
        values: &[Vec<i64>],
        lows: &[i64],
    ) -> bool {
        let bought = taken.bought;
        let room = self.target - total;
        let mut next = stands.to_vec();
        let (mut fewest, mut chosen) = (usize::MAX, None);
        for (at, stand) in next.iter_mut().enumerate() {
            if let Stand::Open(menus, far) = stand {
                let mut near = values[at].iter().map(|v| v - lows[at] < room);
                menus.retain(|_| near.next().unwrap_or(true));
                *far &= self.days[at].unlisted(bought) - lows[at] < room;
                let count = menus.len() + usize::from(*far);
                if count < fewest {
                    (fewest, chosen) = (count, Some(at));
                }
            }
        }
        let Some(at) = chosen else {
            self.target = total.max(above);
            return true;
        };
        let Stand::Open(menus, far) = std::mem::replace(&mut next[at], Stand::Fixed(0)) else { return false };
        let day = &self.days[at];
        let kept = |m: &u32| values[at].get(position(&stands[at], *m)).copied().unwrap_or(i64::MIN);
        let mut order: Vec<(i64, u32)> = menus.iter().map(|m| (kept(m), *m)).collect();
        order.sort_unstable();
        for (value, m) in order {
            if value - lows[at] + total >= self.target {
                break;
            }
            let menu = &day.menus[m as usize];
            let mut below = next.clone();
            below[at] = Stand::Fixed(m);
            self.part(&mut below, at, menu);
            let new: i64 = bits(menu.mask & !bought).map(|b| self.items[b]).sum();
            let mut now = taken.clone();
            now.cost += menu.net + new;
            now.bought |= menu.mask;
            for &(rule, n) in &menu.uses {
                now.used[usize::from(rule)] += n;
            }
            if !self.dive(&below, &now, above.max(value - lows[at] + total)) {
                return false;
            }
        }
        if far {
            next[at] = Stand::Unlisted;
            return self.dive(&next, taken, above.max(total));
        }
        true
    }

    /// Whether all leftovers of the fixed days may still be made and eaten.
    fn fits(&self, stands: &[Stand]) -> bool {
        let menu = |day: usize| match stands.get(day) {
            Some(Stand::Fixed(m)) => self.days[day].menus.get(*m as usize),
            Some(Stand::Open(..) | Stand::Unlisted) | None => None,
        };
        let from = |again: (u32, u64), day: usize| again.1 >> day & 1 == 1;
        (0..stands.len()).filter_map(|day| Some((day, menu(day)?))).all(|(day, one)| {
            let made = one.again.0 == NOTHING
                || (0..day).any(|c| from(one.again, c) && menu(c).is_none_or(|m| m.left == one.again.0));
            let eaten = one.left == NOTHING
                || (day + 1..stands.len())
                    .any(|d| menu(d).is_none_or(|m| m.again.0 == one.left && from(m.again, day)));
            made && eaten
        })
    }

    /// What the rules add for sure, and what a further use of each costs.
    fn ruled(&self, stands: &[Stand], taken: &Taken) -> (i64, Vec<i64>) {
        let mut sum = 0;
        let mut dear = vec![0; self.rules.len()];
        for (r, (rule, &used)) in self.rules.iter().zip(&taken.used).enumerate() {
            if used >= rule.limit {
                sum += rule.over * (used - rule.limit);
                dear[r] = rule.over;
                continue;
            }
            let left = stands.iter().zip(self.days).filter(|s| !matches!(s.0, Stand::Fixed(_)));
            let most = used + left.map(|s| s.1.reach[r]).sum::<i64>();
            sum += rule.under * (rule.limit - most).max(0);
        }
        (sum, dear)
    }

    /// Takes menus away that cook a dish of this one too soon again.
    fn part(&self, stands: &mut [Stand], at: usize, menu: &Menu) {
        for (other, stand) in stands.iter_mut().enumerate() {
            if let Stand::Open(menus, _) = stand {
                let close = [0, 1].map(|f| other.abs_diff(at) < self.gaps[f]);
                let repeats = |m: &u32| {
                    let cooked = &self.days[other].menus[*m as usize].cooked;
                    (0..SLOTS).any(|s| {
                        menu.cooked[s] != NOTHING
                            && close[family(s)]
                            && (0..SLOTS).any(|t| family(t) == family(s) && cooked[t] == menu.cooked[s])
                    })
                };
                menus.retain(|m| !repeats(m));
            }
        }
    }

    /// What open days pay for items not yet bought: the shares of fixed days are theirs now.
    fn shares(&self, stands: &[Stand], bought: u128) -> Vec<[i64; TRACKED]> {
        let mut all: Vec<[i64; TRACKED]> = self.days.iter().map(|day| day.share).collect();
        for b in bits(!bought) {
            let (mut free, mut open) = (0, 0);
            for (stand, day) in stands.iter().zip(self.days) {
                match stand {
                    Stand::Fixed(_) => free += day.share[b],
                    Stand::Open(..) => open += day.share[b],
                    Stand::Unlisted => {}
                }
            }
            if free > 0 && open > 0 {
                for shares in &mut all {
                    shares[b] += free * shares[b] / open;
                }
            }
        }
        all
    }
}

/// Where a menu stands in the list of an open day.
fn position(stand: &Stand, menu: u32) -> usize {
    match stand {
        Stand::Open(menus, _) => menus.binary_search(&menu).unwrap_or(usize::MAX),
        Stand::Fixed(_) | Stand::Unlisted => usize::MAX,
    }
}
