//! The slots of a problem, and which recipes may be cooked in them.

use super::compile::{locked, portion};
use super::filters::{self, COOKING_ONLY, Faults, UNSUITABLE};
use super::plan::{Choice, NONE, number};
use super::problem::{Kind, Meal, Needs, Problem, Recipe};
use super::table::{COOK, Candidate, Group, NO_CLASS, Place, REUSE, Slot, StockLot, Table};

/// A slot before it knows its group.
pub(super) struct Draft<'p> {
    pub(super) day: usize,
    pub(super) meal: &'p Meal,
    pub(super) locked: Option<Choice>,
}

/// The meals of the problem, by day and kind. Where nobody eats, nothing is planned.
pub(super) fn drafts(problem: &Problem) -> Vec<Draft<'_>> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (day, planned) in problem.days.iter().enumerate() {
        drafts.extend(planned.meals.iter().map(|meal| Draft { day, meal, locked: None }));
    }
    drafts.sort_by_key(|draft| (draft.day, draft.meal.kind));
    for slot in 0..drafts.len() {
        let (day, meal) = (drafts[slot].day, drafts[slot].meal);
        let lock = problem.locks.iter().find(|lock| lock.day as usize == day && lock.kind == meal.kind);
        let at = |day: u32, kind: Kind| slot_at(&drafts, day, kind);
        let idle = meal.eaters.is_empty() && meal.guests.is_empty();
        let decided = lock.map(|lock| locked(lock.dish, at));
        drafts[slot].locked = decided.or(idle.then_some(Choice::Empty));
    }
    drafts
}

fn slot_at(drafts: &[Draft<'_>], day: u32, kind: Kind) -> Option<usize> {
    drafts.iter().position(|draft| draft.day == day as usize && draft.meal.kind == kind)
}

/// By slot and eater: the portions that are locked.
pub(super) fn fixed(problem: &Problem, drafts: &[Draft<'_>], percents: &[u16]) -> Vec<Option<u8>> {
    let mut fixed = vec![None; drafts.len() * problem.eaters.len()];
    for lock in &problem.locks {
        let Some(slot) = slot_at(drafts, lock.day, lock.kind) else { continue };
        for &(eater, percent) in &lock.portions {
            fixed[slot * problem.eaters.len() + eater as usize] = portion(percents, percent);
        }
    }
    fixed
}

/// Turns the drafts into slots.
pub(super) fn place(problem: &Problem, drafts: Vec<Draft<'_>>, table: &mut Table) {
    let rules = &problem.rules;
    let current = |draft: &Draft<'_>| {
        let here = |c: &&super::problem::Current| c.day as usize == draft.day && c.kind == draft.meal.kind;
        problem.current.iter().find(here).map(|current| current.recipe.unwrap_or(NONE))
    };
    let mate = |draft: &Draft<'_>| {
        let other = match draft.meal.kind {
            Kind::Lunch => Kind::Dinner,
            Kind::Dinner => Kind::Lunch,
            Kind::Breakfast | Kind::Snack => return None,
        };
        slot_at(&drafts, number(draft.day), other)
    };
    let sources = |draft: &Draft<'_>| -> Vec<u32> {
        if !rules.leftover_into.has(draft.meal.kind) || rules.leftover_uses == 0 {
            return Vec::new();
        }
        let feeds = |other: &Draft<'_>| {
            rules.leftover_from.has(other.meal.kind)
                && other.day < draft.day
                && draft.day - other.day <= rules.leftover_max_days as usize
        };
        drafts.iter().enumerate().filter(|(_, other)| feeds(other)).map(|(slot, _)| number(slot)).collect()
    };
    let slots = drafts.iter().map(|draft| {
        let current = current(draft);
        let missed = if draft.locked == Some(Choice::Empty) { 0 } else { problem.weights.empty };
        let changed = if current.is_some_and(|recipe| recipe != NONE) { problem.weights.change } else { 0 };
        Slot {
            day: draft.day,
            kind: draft.meal.kind,
            group: 0,
            eaters: draft.meal.eaters.iter().filter_map(|&e| u8::try_from(e).ok()).collect(),
            guests: draft.meal.guests.iter().map(|guest| guest.percent).sum(),
            locked: draft.locked,
            empty: missed + changed,
            current,
            mate: mate(draft),
            sources: sources(draft),
        }
    });
    table.slots = slots.collect();
    table.places = (0..table.slots.len()).map(|slot| place_of(table, slot)).collect();
}

fn place_of(table: &Table, slot: usize) -> Place {
    let slot = &table.slots[slot];
    let window = table.window(slot.day);
    Place {
        cell: slot.day * table.eaters,
        main: slot.kind.is_main(),
        cuisines: window * table.cuisines,
        proteins: window * table.proteins,
        mate: slot.mate.map_or(NONE, number),
        changes: slot.current.is_some(),
        current: slot.current.unwrap_or(NONE),
    }
}

/// What decides which recipes may be cooked in a slot.
#[derive(PartialEq)]
struct Key<'p> {
    meal: &'p Meal,
    lately: Vec<u32>,
}

/// Finds the groups of the slots.
pub(super) fn group(problem: &Problem, table: &mut Table) {
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut against: Vec<(Needs, Vec<Faults>)> = Vec::new();
    let drafts = drafts(problem);
    for (slot, draft) in drafts.iter().enumerate() {
        let key =
            Key { meal: draft.meal, lately: filters::eaten_lately(problem, draft.day, draft.meal.kind) };
        table.slots[slot].group = keys.iter().position(|other| *other == key).unwrap_or(keys.len());
        if table.slots[slot].group == keys.len() {
            let needs = filters::needs_of(problem, draft.meal);
            let held = match against.iter().position(|(other, _)| *other == needs) {
                Some(known) => known,
                None => {
                    let held = problem.recipes.iter().map(|recipe| filters::against(&needs, recipe));
                    against.push((needs.clone(), held.collect()));
                    against.len() - 1
                }
            };
            let group = candidates(problem, table, slot, &key, &against[held].1);
            table.groups.push(group);
            keys.push(key);
        }
    }
}

fn candidates(problem: &Problem, table: &Table, slot: usize, key: &Key<'_>, held: &[Faults]) -> Group {
    let mut allow = vec![0; problem.recipes.len()];
    let mut cook: Vec<Candidate> = Vec::new();
    let least = least_percent(table, slot);
    let leftover = if problem.rules.leftover_must_suit { COOKING_ONLY } else { COOKING_ONLY | UNSUITABLE };
    for (r, recipe) in problem.recipes.iter().enumerate() {
        let mut faults = held[r] | filters::at(problem, key.meal, recipe);
        if faults & !leftover == 0 {
            allow[r] |= REUSE;
        }
        if faults == 0 && key.lately.binary_search(&number(r)).is_ok() {
            faults |= filters::EATEN;
        }
        if faults == 0 {
            allow[r] |= COOK;
            cook.push(candidate(table, slot, (r, recipe), least));
        }
    }
    cook.sort_unstable_by_key(|candidate| (candidate.least, candidate.recipe));
    Group { cook, allow }
}

fn candidate(table: &Table, slot: usize, (r, recipe): (usize, &Recipe), percent: u32) -> Candidate {
    let facts = &table.recipes[r];
    let class = |class: u16, none: usize| {
        if class == NO_CLASS { u16::try_from(none).unwrap_or(NO_CLASS) } else { class }
    };
    Candidate {
        least: least_price(table, slot, r, percent),
        recipe: number(r),
        steps: table.scale.steps(recipe),
        cuisine: class(facts.cuisine, table.cuisines),
        protein: class(facts.protein, table.proteins),
        stocked: facts.stock_count > 0,
    }
}

/// What cooking a recipe in a slot costs at least, whatever else is planned.
fn least_price(table: &Table, slot: usize, recipe: usize, percent: u32) -> i64 {
    let facts = &table.recipes[recipe];
    let unknown = if facts.unknown == 0 { 0 } else { table.unknown_price(slot, facts.unknown) };
    let money = table.cost(recipe, percent) * table.weights.money / 10_000;
    facts.base + facts.effort + unknown + money - saved_at_most(table, slot, recipe)
}

/// What cooking a recipe saves at most of what would expire, its leftovers included.
fn saved_at_most(table: &Table, slot: usize, recipe: usize) -> i64 {
    let day = table.slots[slot].day;
    let stocks = table.stocks_of(recipe).iter();
    let lots =
        stocks.flat_map(|&(stock, _)| table.stocks[stock as usize].lots.clone().map(move |lot| (stock, lot)));
    let saved = |(stock, lot): (u32, usize)| {
        let StockLot { mass, last_day } = table.lots[lot];
        let kept = last_day == i32::MAX || i32::try_from(day).is_ok_and(|day| day > last_day);
        if kept { 0 } else { mass * table.stocks[stock as usize].price * table.weights.waste / 10_000 + 1 }
    };
    lots.map(saved).sum()
}

/// The fewest percent of a serving that the eaters of a slot get together.
fn least_percent(table: &Table, slot: usize) -> u32 {
    let least = |e: u8| {
        let fixed = table.fixed.iter().skip(usize::from(e)).step_by(table.eaters).flatten();
        let steps = table.choices[usize::from(e)].iter().chain(fixed);
        steps.map(|&step| u32::from(table.percents[usize::from(step)])).min().unwrap_or(0)
    };
    table.slots[slot].guests + table.slots[slot].eaters.iter().map(|&e| least(e)).sum::<u32>()
}
