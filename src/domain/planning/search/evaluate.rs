//! The objective of a whole plan from scratch: the definition that the incremental state must agree with.

use super::band::{Amounts, add};
use super::plan::{Choice, Plan, index};
use super::problem::{Kind, NUTRIENTS};
use super::table::{NO_CLASS, Table, household};
use super::terms::Terms;

/// What a plan costs, by parts.
#[must_use]
pub fn evaluate(table: &Table, plan: &Plan) -> Terms {
    let mut terms = Terms::default();
    meals(table, plan, &mut terms);
    terms.nutrition = eaten(table, plan).iter().zip(&table.bands).map(|(sums, band)| band.cost(sums)).sum();
    terms.variety = caps(table, plan) + same_day(table, plan);
    terms.quotas = quotas(table, plan);
    let _spent = purchases(table, plan, &mut terms);
    terms
}

/// What every eater gets, by day and eater.
#[must_use]
pub fn eaten(table: &Table, plan: &Plan) -> Vec<Amounts> {
    let mut sums = vec![[0; NUTRIENTS]; table.days * table.eaters];
    for (s, slot) in table.slots.iter().enumerate() {
        let Some(recipe) = plan.dish(s) else { continue };
        for e in slot.eaters.iter().map(|&e| usize::from(e)) {
            let row = table.row(recipe, plan.portions[s * table.eaters + e]);
            add(&mut sums[slot.day * table.eaters + e], row);
        }
    }
    sums
}

fn meals(table: &Table, plan: &Plan, terms: &mut Terms) {
    let weights = &table.weights;
    let (mut leftovers, mut cooked): (u32, Vec<usize>) = (0, Vec::new());
    for (s, slot) in table.slots.iter().enumerate() {
        let changed = slot.current.is_some_and(|current| index(current) != plan.dish(s));
        terms.change += if changed { weights.change } else { 0 };
        let Some(recipe) = plan.dish(s) else {
            terms.empty += if slot.locked == Some(Choice::Empty) { 0 } else { weights.empty };
            continue;
        };
        let facts = &table.recipes[recipe];
        let details = &table.details[recipe];
        terms.rating += details.rating;
        terms.preference += details.preference;
        let coverage = facts.base - details.rating - details.preference;
        terms.coverage += coverage + table.unknown_price(s, facts.unknown);
        terms.portions += table.portion_price(s, portions(table, plan, s));
        if plan.cooked_at(s) == s {
            terms.effort += facts.effort;
            terms.repeat += if cooked.contains(&recipe) { weights.repeat } else { 0 };
            cooked.push(recipe);
        } else {
            leftovers += 1;
        }
    }
    terms.leftover = i64::from(leftovers) * weights.leftover
        + i64::from(leftovers.saturating_sub(table.rules.leftover_cap)) * weights.leftover_excess;
}

fn portions<'p>(table: &Table, plan: &'p Plan, slot: usize) -> &'p [u8] {
    &plan.portions[slot * table.eaters..(slot + 1) * table.eaters]
}

fn caps(table: &Table, plan: &Plan) -> i64 {
    let mut cuisines = vec![0; table.windows * table.cuisines];
    let mut proteins = vec![0; table.windows * table.proteins];
    for (s, slot) in table.slots.iter().enumerate().filter(|(_, slot)| slot.kind.is_main()) {
        let Some(recipe) = plan.dish(s) else { continue };
        let (facts, window) = (&table.recipes[recipe], table.window(slot.day));
        if facts.cuisine != NO_CLASS {
            cuisines[window * table.cuisines + usize::from(facts.cuisine)] += 1;
        }
        if facts.protein != NO_CLASS {
            proteins[window * table.proteins + usize::from(facts.protein)] += 1;
        }
    }
    let beyond = |counts: &[u32], cap: u32| -> i64 {
        counts.iter().map(|&count| i64::from(count.saturating_sub(cap))).sum()
    };
    beyond(&cuisines, table.rules.cuisine_cap) * table.weights.cuisine_excess
        + beyond(&proteins, table.rules.protein_cap) * table.weights.protein_excess
}

fn same_day(table: &Table, plan: &Plan) -> i64 {
    let protein = |slot: usize| {
        plan.dish(slot).map(|recipe| table.recipes[recipe].protein).filter(|&class| class != NO_CLASS)
    };
    let lunches = table.slots.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Lunch);
    let same = lunches.filter_map(|(s, slot)| slot.mate.map(|mate| (protein(s), protein(mate))));
    same.map(|(a, b)| if a.is_some() && a == b { table.weights.protein_same_day } else { 0 }).sum()
}

fn quotas(table: &Table, plan: &Plan) -> i64 {
    let price = |quota: &super::problem::Quota| {
        let carries = |&s: &usize| {
            table.counts(quota, s)
                && plan.dish(s).is_some_and(|recipe| table.recipes[recipe].tags & quota.tags != 0)
        };
        let count = (0..table.slots.len()).filter(carries).count();
        Table::quota_price(quota, u32::try_from(count).unwrap_or(u32::MAX))
    };
    table.quotas.iter().map(price).sum()
}

/// The money that a plan spends, in 1/10 000, as far as prices are known.
#[must_use]
pub fn spent(table: &Table, plan: &Plan) -> i64 {
    purchases(table, plan, &mut Terms::default())
}

/// Answers what is spent.
fn purchases(table: &Table, plan: &Plan, terms: &mut Terms) -> i64 {
    let mut spent = 0;
    let mut bought = vec![false; table.food_prices.len()];
    let mut need = vec![0; table.stocks.len()];
    let mut reach = vec![0; table.lots.len()];
    for s in 0..table.slots.len() {
        let Some(recipe) = plan.dish(s) else { continue };
        let percent = table.percent(s, portions(table, plan, s));
        let day = i32::try_from(table.slots[plan.cooked_at(s)].day).unwrap_or(i32::MAX);
        for (&food, &mass) in table.foods_of(recipe).iter().zip(table.masses_of(recipe)) {
            let mass = household(mass, percent);
            spent += mass * table.food_prices[usize::from(food)];
            bought[usize::from(food)] |= mass > 0;
        }
        for &(stock, mass) in table.stocks_of(recipe) {
            let mass = household(mass, percent);
            need[stock as usize] += mass;
            for lot in table.stocks[stock as usize].lots.clone() {
                reach[lot] += if day <= table.lots[lot].last_day { mass } else { 0 };
            }
        }
    }
    terms.items = table.weights.item * bought.iter().map(|&bought| i64::from(bought)).sum::<i64>();
    for (stock, &need) in need.iter().enumerate() {
        let purchase = table.purchase(stock, need, |lot| reach[lot]);
        spent += purchase.spent;
        terms.items += purchase.items;
        terms.waste += purchase.waste;
    }
    [terms.cost, terms.overbudget] = table.money(spent);
    spent
}
