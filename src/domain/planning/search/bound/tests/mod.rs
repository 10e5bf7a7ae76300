//! The bound against plans: relaxed costs of random plans, brute force on tiny problems, cases of equality.

mod objective;
mod plans;
mod weeks;

use super::engine::Engine;
use super::menu::{Frame, Picks};
use super::model::{DINNER, Goal, Item, LUNCH, Meal, Model, Recipe, SLOTS, Stock, Unfit, Weights};
use super::money::Limits;
use super::options::Kind;
use super::rows::{Row, Rows};
use super::{FINE, bound, master};
use objective::{Dish, Plan, value};
use plans::{Rng, random};
use std::ops::ControlFlow;

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A small random problem; `plain`: nothing but single days, items, nutrition and variety of a day.
fn tiny(rng: &mut Rng, days: usize, plain: bool) -> Model {
    let below = |rng: &mut Rng, n: i64| whole(rng.below(usize::try_from(n).unwrap_or(0)));
    let mut m = Model { days, eaters: 2, nutrients: 2, cuisines: 3, proteins: 3, ..Model::default() };
    for _ in 0..8 {
        let stock = (!plain && rng.below(2) == 0)
            .then(|| Stock { grams: below(rng, 250), last_day: (rng.below(3) > 0).then(|| rng.below(days)) });
        m.items.push(Item { price: 1 + below(rng, 200), stock });
    }
    for _ in 0..10 {
        m.recipes.push(Recipe {
            amounts: (0..4).map(|_| below(rng, 90)).collect(),
            grams: (0..m.items.len())
                .filter_map(|i| if rng.below(3) == 0 { Some((i, below(rng, 200))) } else { None })
                .collect(),
            cuisine: Some(rng.below(3)),
            protein: (rng.below(4) > 0).then(|| rng.below(3)),
            keeps: if plain { 0 } else { rng.below(3) },
            again: below(rng, 20_000),
        });
    }
    for at in 0..days * SLOTS {
        let planned = rng.below(8) > 0;
        let mut choices: Vec<(usize, i64)> = Vec::new();
        for r in 0..m.recipes.len() {
            let main = at % SLOTS == LUNCH || at % SLOTS == DINNER;
            if planned && (!plain || main == (r < 5)) && choices.len() < 3 && rng.below(4) == 0 {
                choices.push((r, below(rng, 40_000)));
            }
        }
        if planned && choices.is_empty() {
            let main = at % SLOTS == LUNCH || at % SLOTS == DINNER;
            choices.push((rng.below(5) + if main { 0 } else { 5 }, below(rng, 40_000)));
        }
        let eaten_again = at % SLOTS == LUNCH && planned;
        let leftovers_of = (0..at / SLOTS)
            .filter(|d| eaten_again && m.meals[d * SLOTS + DINNER].planned && rng.below(2) == 0)
            .collect();
        m.meals.push(Meal { planned, choices, leftovers_of });
    }
    for _ in 0..days * 4 {
        let lo = below(rng, 150);
        m.goals.push(Goal {
            lo: (rng.below(4) > 0).then_some(lo),
            hi: (rng.below(4) > 0).then_some(lo + below(rng, 60)),
            min: (rng.below(2) > 0).then_some(lo / 2),
            max: (rng.below(2) > 0).then_some(lo + 100),
            slope: below(rng, 900),
        });
    }
    m.gap_main = if plain { 1 } else { rng.below(4) };
    m.gap_other = if plain { 0 } else { rng.below(3) };
    m.cuisine_cap = if plain { 9 } else { below(rng, 3) };
    m.protein_cap = if plain { 9 } else { below(rng, 3) };
    m.budget = if plain { 1_000_000_000 } else { below(rng, 200_000) };
    m.weights = Weights {
        item: 5_000,
        money: if plain { 10_000 } else { 7_777 + below(rng, 3) },
        over_budget: if plain { 40_000 } else { 33_333 },
        waste: 12_345,
        cuisine_excess: 20_000,
        protein_excess: 9_000,
        protein_same_day: 15_000,
    };
    m
}

/// All plans that keep the rules, cheapest value.
fn brute_force(m: &Model) -> Option<i64> {
    fn below(m: &Model, plan: &mut Plan, best: &mut Option<i64>) {
        if plan.len() == m.meals.len() {
            if let Some(v) = value(m, plan) {
                *best = Some(best.map_or(v, |b| b.min(v)));
            }
            return;
        }
        let meal = &m.meals[plan.len()];
        let cooked = meal.choices.iter().map(|c| Dish::Cook(c.0));
        let again = meal.leftovers_of.iter().map(|&d| Dish::Again(d));
        let all: Vec<Dish> = if meal.planned { cooked.chain(again).collect() } else { vec![Dish::None] };
        for dish in all {
            plan.push(dish);
            below(m, plan, best);
            plan.pop();
        }
    }
    let mut best = None;
    below(m, &mut Vec::new(), &mut best);
    best
}

fn bound_after(m: &Model, known: Option<i64>, rounds: usize) -> i64 {
    let (mut left, mut last) = (rounds, i64::MIN);
    let end = bound(m, known, &mut |p| {
        assert!(p.bound >= last, "a bound never falls");
        last = p.bound;
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    end.unwrap().bound
}

#[test]
fn no_plan_of_a_tiny_problem_is_cheaper_than_any_bound_on_the_way() {
    let mut rng = Rng(7);
    let (mut tried, mut tight) = (0, 0);
    for case in 0..250 {
        let m = tiny(&mut rng, 1 + case % 3, false);
        let plans: usize = m.meals.iter().map(|x| (x.choices.len() + x.leftovers_of.len()).max(1)).product();
        if plans > 40_000 {
            continue;
        }
        let Some(best) = brute_force(&m) else { continue };
        let found = bound_after(&m, None, 60);
        assert!(found <= best, "case {case}: bound {found} above the optimum {best}");
        let found = bound_after(&m, Some(best), 60);
        assert!(found <= best, "case {case}: bound {found} above the known optimum {best}");
        tried += 1;
        tight += usize::from(found * 100 >= best * 98);
    }
    println!("{tight} of {tried} within 2 %");
    assert!(tried > 100 && tight * 3 > tried, "{tight} of {tried} within 2 %");
}

#[test]
fn a_single_day_without_stock_is_bounded_exactly() {
    let mut rng = Rng(11);
    for _ in 0..100 {
        let m = tiny(&mut rng, 1, true);
        let best = brute_force(&m).map(|best| (best, bound_after(&m, None, 12)));
        assert!(best.is_none_or(|(best, found)| best == found), "{best:?}");
    }
}

#[test]
fn separate_days_without_shared_items_are_bounded_exactly() {
    let mut rng = Rng(13);
    for _ in 0..40 {
        let mut m = tiny(&mut rng, 2, true);
        m.weights.item = 0;
        let best = brute_force(&m).map(|best| (best, bound_after(&m, None, 12)));
        assert!(best.is_none_or(|(best, found)| best == found), "{best:?}");
    }
}

/// The menu of each day that a plan holds.
fn menus(frame: &Frame, m: &Model, plan: &Plan) -> Vec<Picks> {
    let pick = |day: usize, slot: usize| {
        let options = &frame.day(day)[slot];
        let (kind, recipe, source) = match plan[day * SLOTS + slot] {
            Dish::None => (Kind::Nothing, usize::MAX, None),
            Dish::Cook(r) if slot == DINNER && plan.contains(&Dish::Again(day)) => (Kind::Double, r, None),
            Dish::Cook(r) => (Kind::Cook, r, None),
            Dish::Again(c) => match plan[c * SLOTS + DINNER] {
                Dish::Cook(r) => (Kind::Again, r, Some(c)),
                Dish::None | Dish::Again(_) => unreachable!(),
            },
        };
        let at =
            (0..options.len()).find(|&o| options.kind[o] == kind && options.recipe[o] == recipe).unwrap();
        let source = source.and_then(|c| options.sources(at).iter().position(|s| s.0 == c)).unwrap_or(0);
        (u32::try_from(at).unwrap(), u32::try_from(source).unwrap())
    };
    (0..m.days)
        .map(|day| Picks {
            options: std::array::from_fn(|slot| pick(day, slot).0),
            source: pick(day, LUNCH).1,
        })
        .collect()
}

#[test]
fn at_any_allowed_prices_the_relaxed_cost_of_a_plan_is_no_more_than_its_value() {
    let mut rng = Rng(17);
    let mut plans = 0;
    for case in 0..200 {
        let m = tiny(&mut rng, 1 + case % 4, false);
        let frame = Frame::new(&m);
        for _ in 0..4 {
            let Some(plan) = random(&m, &mut rng) else { break };
            let mut rows = Rows::new(&m, &frame.tracked);
            let columns: Vec<_> = menus(&frame, &m, &plan)
                .into_iter()
                .enumerate()
                .map(|(day, picks)| frame.column(&mut rows, day, picks))
                .collect();
            for _ in 0..5 {
                let spread = [1_000, 300_000, 3_000_000][rng.below(3)];
                let mut prices: Vec<i64> = (0..rows.len())
                    .map(|row| {
                        let scale = if rows.kinds[row] == Row::Budget { 300 } else { spread };
                        whole(rng.below(2 * scale)) - whole(scale / 2)
                    })
                    .collect();
                let limits = Limits::new(&frame.money, m.items.len());
                rows.allow(&frame.money, &limits, &mut prices);
                let days: i64 = columns.iter().map(|c| c.price(&prices)).sum();
                let relaxed = master::constant(&rows, &frame.money, &limits, &prices) + days;
                let exact = value(&m, &plan).unwrap() * FINE;
                assert!(relaxed <= exact, "case {case}: {relaxed} above {exact}");
                plans += 1;
            }
        }
    }
    assert!(plans > 1_000, "{plans}");
}

#[test]
fn the_search_of_a_day_agrees_with_trying_every_menu() {
    let mut rng = Rng(19);
    for case in 0..60 {
        let m = tiny(&mut rng, 1, case % 2 == 0);
        let mut engine = Engine::new(&m);
        let mut part = engine.whole();
        engine.round(&mut part);
        let (found, least) = engine.recheck(&part, 0);
        assert_eq!(found, least, "case {case}");
    }
}

#[test]
fn the_same_model_gives_the_same_bounds_in_the_same_order() {
    let run = || {
        let m = tiny(&mut Rng(23), 3, false);
        let mut all = Vec::new();
        let _ = bound(&m, None, &mut |p| {
            all.push(*p);
            if all.len() == 30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        all
    };
    assert_eq!(run(), run());
}

#[test]
fn what_cannot_be_read_is_said() {
    let good = tiny(&mut Rng(29), 2, false);
    let told = |change: &dyn Fn(&mut Model)| {
        let mut m = good.clone();
        change(&mut m);
        bound(&m, None, &mut |_| ControlFlow::Break(())).err()
    };
    assert_eq!(told(&|_| ()), None);
    assert_eq!(told(&|m| m.meals.clear()), Some(Unfit::Shape));
    assert_eq!(told(&|m| m.recipes[0].amounts[0] = i64::MAX), Some(Unfit::Range));
    assert_eq!(told(&|m| m.recipes[0].grams = vec![(99, 1)]), Some(Unfit::Range));
    assert_eq!(told(&|m| m.meals[0] = Meal { planned: true, ..Meal::default() }), Some(Unfit::NoPlan));
}

#[test]
fn no_days_cost_nothing() {
    let m = Model::default();
    assert_eq!(bound_after(&m, None, 5), 0);
}

#[test]
fn more_items_than_are_tracked_only_weaken_the_bound() {
    let mut rng = Rng(31);
    for _ in 0..20 {
        let mut m = tiny(&mut rng, 2, false);
        for recipe in 0..m.recipes.len() {
            for _ in 0..16 {
                m.recipes[recipe].grams.push((m.items.len(), 10));
                m.items.push(Item { price: 3, stock: None });
            }
        }
        let best = brute_force(&m);
        assert!(best.is_none_or(|best| bound_after(&m, None, 20) <= best));
    }
}
