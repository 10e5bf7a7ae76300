//! Whole weeks of listed menus: exact where all menus are listed, and never above a plan where they are not.

use super::plans::Rng;
use super::{brute_force, tiny, whole};
use crate::domain::planning::search::bound::engine::Engine;
use crate::domain::planning::search::bound::options::TRACKED;
use crate::domain::planning::search::bound::week::{Choices, Menu, NOTHING, Rule, Weeks};
use crate::domain::planning::search::bound::{FINE, NO_PLAN};

const ITEMS: usize = 6;
const PRICE: i64 = 600;

fn below(rng: &mut Rng, n: i64) -> i64 {
    whole(rng.below(usize::try_from(n).unwrap()))
}

fn menu(rng: &mut Rng, rules: usize) -> Menu {
    let mask = u128::try_from(rng.below(1 << ITEMS)).unwrap();
    // A dish of its own pays for one item at most once a week.
    let cooked = [u32::try_from(rng.below(12)).unwrap(), NOTHING, NOTHING, NOTHING];
    let uses = (0..rules).filter_map(|r| {
        let n = below(rng, 3);
        (n > 0).then(|| (u16::try_from(r).unwrap(), n))
    });
    let uses = uses.collect();
    Menu { net: below(rng, 900), mask, extra: Vec::new(), cooked, uses, left: NOTHING, again: (NOTHING, 0) }
}

fn problem(rng: &mut Rng) -> (Vec<Choices>, Vec<Rule>) {
    let rules: Vec<Rule> = (0..2)
        .map(|_| Rule { limit: below(rng, 5), over: below(rng, 200), under: below(rng, 200) })
        .collect();
    let days = 2 + rng.below(3);
    let choices = (0..days).map(|_| {
        let menus = (0..=rng.below(5)).map(|_| menu(rng, rules.len())).collect();
        let mut share = [0; TRACKED];
        share.iter_mut().take(ITEMS).for_each(|share| *share = below(rng, PRICE / whole(days) + 1));
        let reach = vec![2; rules.len()];
        Choices { menus, floor: NO_PLAN, share, extras: Default::default(), reach }
    });
    (choices.collect(), rules)
}

/// What the cheapest week costs, all weeks tried.
fn cheapest(days: &[Choices], rules: &[Rule], gap: usize) -> Option<i64> {
    let count: usize = days.iter().map(|day| day.menus.len()).product();
    let value = |mut n: usize| {
        let week: Vec<&Menu> = days
            .iter()
            .map(|day| {
                let menu = &day.menus[n % day.menus.len()];
                n /= day.menus.len();
                menu
            })
            .collect();
        let repeats = (0..week.len())
            .any(|a| (a + 1..week.len()).any(|b| b - a < gap && week[a].cooked[0] == week[b].cooked[0]));
        let items = week.iter().fold(0, |all, menu| all | menu.mask).count_ones();
        let ruled = rules.iter().enumerate().map(|(r, rule)| {
            let uses = week.iter().flat_map(|menu| &menu.uses).filter(|u| usize::from(u.0) == r);
            let used: i64 = uses.map(|u| u.1).sum();
            (rule.over * (used - rule.limit)).max(rule.under * (rule.limit - used))
        });
        let sum = week.iter().map(|menu| menu.net).sum::<i64>() + i64::from(items) * PRICE;
        (!repeats).then(|| sum + ruled.sum::<i64>())
    };
    (0..count).filter_map(value).min()
}

#[test]
fn weeks_of_listed_menus_are_bounded_exactly() {
    let mut rng = Rng(41);
    let mut weeks = 0;
    for case in 0..400 {
        let (days, rules) = problem(&mut rng);
        let gap = rng.below(4);
        let Some(best) = cheapest(&days, &rules, gap) else { continue };
        let mut items = [0; TRACKED];
        items.iter_mut().take(ITEMS).for_each(|item| *item = PRICE);
        let mut search = Weeks::new(&days, items, [0, gap], &rules);
        assert_eq!(search.least(NO_PLAN / 2, 100, 1_000_000), best, "case {case}");
        let few = Weeks::new(&days, items, [0, gap], &rules).least(NO_PLAN / 2, 100, 1 + rng.below(60));
        assert!(few <= best, "case {case}: {few} above {best}");
        weeks += 1;
    }
    assert!(weeks > 300, "{weeks}");
}

#[test]
fn menus_that_are_not_listed_are_reckoned_with() {
    let mut rng = Rng(43);
    let mut cut = 0;
    for case in 0..400 {
        let (mut days, rules) = problem(&mut rng);
        let Some(best) = cheapest(&days, &rules, 0) else { continue };
        for day in &mut days {
            let alone = |menu: &Menu, day: &Choices| day.alone(menu);
            let mut prices: Vec<i64> = day.menus.iter().map(|menu| alone(menu, day)).collect();
            prices.sort_unstable();
            day.floor = prices[rng.below(prices.len())];
            let floor = day.floor;
            let kept: Vec<Menu> = day.menus.iter().filter(|menu| alone(menu, day) < floor).cloned().collect();
            cut += day.menus.len() - kept.len();
            day.menus = kept;
        }
        let mut items = [0; TRACKED];
        items.iter_mut().take(ITEMS).for_each(|item| *item = PRICE);
        let found = Weeks::new(&days, items, [0, 0], &rules).least(NO_PLAN / 2, 100, 1_000_000);
        assert!(found <= best, "case {case}: {found} above {best}");
    }
    assert!(cut > 400, "{cut}");
}

#[test]
fn no_plan_of_a_tiny_problem_is_cheaper_than_its_weeks_at_early_prices() {
    let mut rng = Rng(47);
    let (mut tried, mut raised) = (0, 0);
    for case in 0..300 {
        let m = tiny(&mut rng, 1 + case % 3, false);
        let plans: usize = m.meals.iter().map(|x| (x.choices.len() + x.leftovers_of.len()).max(1)).product();
        if plans > 20_000 {
            continue;
        }
        let Some(best) = brute_force(&m) else { continue };
        let mut engine = Engine::new(&m);
        let mut part = engine.whole();
        for _ in 0..=case % 4 {
            engine.round(&mut part);
        }
        for _ in 0..4 {
            let before = part.bound;
            engine.look_at_weeks(&mut part, NO_PLAN);
            assert!(part.bound <= best * FINE, "case {case}: {} above {best}", part.bound / FINE);
            raised += usize::from(part.bound > before);
        }
        tried += 1;
    }
    println!("{raised} of {tried}");
    assert!(tried > 100 && raised > tried / 4, "{raised} of {tried}");
}
