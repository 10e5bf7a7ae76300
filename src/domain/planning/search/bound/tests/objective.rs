//! The reference objective on the model, to the unit of `evaluate.py`.

use crate::domain::planning::search::bound::model::{DINNER, LUNCH, Model, SLOTS, UNIT};

/// What is eaten in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dish {
    None,
    Cook(usize),
    /// The leftovers of that day's dinner.
    Again(usize),
}

/// Index `day * SLOTS + slot`.
pub(super) type Plan = Vec<Dish>;

/// The parts of the objective: unary, nutrition, variety, cost, over budget, items, waste.
#[must_use]
pub(super) fn parts(m: &Model, plan: &Plan) -> Option<[i64; 7]> {
    let served = served(m, plan)?;
    let mut out = [0; 7];
    for (at, dish) in plan.iter().enumerate() {
        match dish {
            Dish::None => {}
            Dish::Cook(r) => {
                let choices = &m.meals[at].choices;
                out[0] += choices[choices.binary_search_by_key(r, |c| c.0).ok()?].1;
            }
            Dish::Again(_) => out[0] += m.recipes[served[at]?].again,
        }
    }
    if repeats(m, plan) {
        return None;
    }
    for day in 0..m.days {
        for (n, goal) in
            m.goals[day * m.eaters * m.nutrients..(day + 1) * m.eaters * m.nutrients].iter().enumerate()
        {
            let amount: i64 =
                (0..SLOTS).filter_map(|s| served[day * SLOTS + s]).map(|r| m.recipes[r].amounts[n]).sum();
            let under = |v: Option<i64>| v.map_or(0, |v| (v - amount).max(0));
            let over = |v: Option<i64>| v.map_or(0, |v| (amount - v).max(0));
            out[1] +=
                goal.slope * (under(goal.lo) + over(goal.hi) + 3 * under(goal.min) + 3 * over(goal.max));
        }
    }
    let (mut cuisines, mut proteins) = (vec![0; m.cuisines], vec![0; m.proteins]);
    for day in 0..m.days {
        let mains = [LUNCH, DINNER].map(|s| served[day * SLOTS + s]);
        for r in mains.into_iter().flatten() {
            if let Some(c) = m.recipes[r].cuisine {
                cuisines[c] += 1;
            }
            if let Some(p) = m.recipes[r].protein {
                proteins[p] += 1;
            }
        }
        if let [Some(a), Some(b)] = mains
            && m.recipes[a].protein.is_some()
            && m.recipes[a].protein == m.recipes[b].protein
        {
            out[2] += m.weights.protein_same_day;
        }
    }
    out[2] += cuisines.iter().map(|&v| (v - m.cuisine_cap).max(0) * m.weights.cuisine_excess).sum::<i64>();
    out[2] += proteins.iter().map(|&v| (v - m.protein_cap).max(0) * m.weights.protein_excess).sum::<i64>();
    let (mut need, mut early) = (vec![0; m.items.len()], vec![0; m.items.len()]);
    for (at, dish) in plan.iter().enumerate() {
        let Dish::Cook(r) = *dish else { continue };
        let day = at / SLOTS;
        let times = if at % SLOTS == DINNER && plan.contains(&Dish::Again(day)) { 2 } else { 1 };
        for &(i, g) in &m.recipes[r].grams {
            need[i] += g * times;
            if m.items[i].stock.as_ref().is_some_and(|s| s.last_day.is_none_or(|last| day <= last)) {
                early[i] += g * times;
            }
        }
    }
    let (mut cost, mut items) = (0, 0);
    for (i, item) in m.items.iter().enumerate() {
        let stock = item.stock.as_ref().map_or(0, |s| s.grams);
        let covered = stock.min(early[i]);
        let buy = need[i] - covered;
        cost += buy * item.price;
        items += i64::from(buy > 0);
        if item.stock.as_ref().is_some_and(|s| s.last_day.is_some()) {
            out[6] += (stock - covered) * item.price * m.weights.waste / UNIT;
        }
    }
    out[3] = cost * m.weights.money / UNIT;
    out[4] = (cost - m.budget).max(0) * m.weights.over_budget / UNIT;
    out[5] = items * m.weights.item;
    Some(out)
}

/// The value of a plan; `None` where it breaks a rule.
#[must_use]
pub(super) fn value(m: &Model, plan: &Plan) -> Option<i64> {
    parts(m, plan).map(|p| p.iter().sum())
}

/// The recipe eaten in each slot; `None` where leftovers have no such dinner or are eaten twice.
fn served(m: &Model, plan: &Plan) -> Option<Vec<Option<usize>>> {
    let mut out = vec![None; plan.len()];
    let mut reused = vec![false; m.days];
    for (at, dish) in plan.iter().enumerate() {
        out[at] = match *dish {
            Dish::None if m.meals[at].planned => return None,
            Dish::None => None,
            Dish::Cook(r) => Some(r),
            Dish::Again(c) => {
                let Dish::Cook(r) = plan[c * SLOTS + DINNER] else { return None };
                let day = at / SLOTS;
                if reused[c] || !m.meals[at].leftovers_of.contains(&c) || c + m.recipes[r].keeps < day {
                    return None;
                }
                reused[c] = true;
                Some(r)
            }
        };
    }
    Some(out)
}

fn repeats(m: &Model, plan: &Plan) -> bool {
    for (a, x) in plan.iter().enumerate() {
        let Dish::Cook(r) = x else { continue };
        for (b, y) in plan.iter().enumerate().skip(a + 1) {
            if *y == Dish::Cook(*r) {
                let main = |at: usize| at % SLOTS == LUNCH || at % SLOTS == DINNER;
                let gap = match (main(a), main(b)) {
                    (true, true) => m.gap_main,
                    (false, false) => m.gap_other,
                    _ => m.gap_main.max(m.gap_other),
                };
                if (b / SLOTS).abs_diff(a / SLOTS) < gap {
                    return true;
                }
            }
        }
    }
    false
}
