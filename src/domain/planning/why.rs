//! Why a dish is where it is, what stands in the way of an empty meal, and what it would take to meet a goal.

use super::plan::{Alternative, Missed};
use super::search::{self, Alternative as Other, Amounts, Band, Choice, NUTRIENTS, POINT, Rule, Why};
use super::units::milli;
use super::write::Found;
use crate::domain::measure::Milli;

/// What a nutrient's amounts are called: unit and name.
const NAMES: [(&str, &str); NUTRIENTS] = [
    ("kcal", ""),
    ("g", " protein"),
    ("g", " carbs"),
    ("g", " fat"),
    ("g", " saturated fat"),
    ("g", " fibre"),
    ("g", " sugar"),
    ("mg", " sodium"),
];
const MOST_REASONS: usize = 3;
/// Alternatives that a reason compares with.
const COMPARED: usize = 3;
/// Alternatives of a meal that are tried for it.
const TRIED: usize = 40;
/// Missed goals for which a way out is looked for.
const MOST_WAYS: usize = 5;
/// Less of a difference is not worth a word.
const LEAST: i64 = POINT / 5;

/// Why this dish, the weightiest reason first.
pub(super) fn reasons(found: &Found<'_, '_>, slot: usize) -> Vec<String> {
    let mut reasons = Vec::new();
    let at = super::messages::SlotRef { date: found.date(slot), slot: found.meal_slot(slot) };
    if found.locked.contains(&at) {
        reasons.push("kept as you locked it".to_owned());
    }
    if let Some(Choice::Leftover(of)) = found.plan.choices.get(slot) {
        reasons.push(format!(
            "left from {}, so nothing has to be cooked",
            found.date(*of as usize).format("%A")
        ));
    }
    reasons.extend(rescues(found, slot));
    if found.plan.dish(slot).is_some() {
        let others = search::rank(found.table, found.plan, slot, COMPARED);
        match others.first() {
            Some(next) => reasons.extend(better(found, slot, next)),
            None => reasons.push("the only recipe that fits".to_owned()),
        }
    }
    if reasons.is_empty() {
        reasons.extend(nourishes(found, slot));
    }
    if reasons.is_empty() {
        reasons.push("fits everybody at the table".to_owned());
    }
    reasons.truncate(MOST_REASONS);
    reasons
}

/// What of the pantry is eaten in time by it.
fn rescues(found: &Found<'_, '_>, slot: usize) -> Option<String> {
    if !matches!(found.plan.choices.get(slot), Some(Choice::Cook(_))) {
        return None;
    }
    let recipe = found.problem.recipes.get(found.plan.dish(slot)?)?;
    let day = i32::try_from(found.table.slots.get(slot)?.day).ok()?;
    let lots =
        found.problem.pantry.iter().filter(|lot| recipe.foods.iter().any(|(food, _)| *food == lot.food));
    let soonest = lots
        .filter(|lot| lot.mass > 0 && lot.last_day.is_some_and(|last| last >= day))
        .min_by_key(|lot| lot.last_day)?;
    let first = *found.book.dates.first()?;
    let last = first.checked_add_signed(chrono::TimeDelta::days(soonest.last_day?.into()))?;
    let near = (last - found.date(slot)).num_days() < 7;
    let when = if near { last.format("%A") } else { last.format("%-d %B") };
    Some(format!("uses the {} that expires {when}", found.book.food_name(soonest.food)))
}

/// By what it beats the next best dishes: the terms in which they would be worse.
fn better(found: &Found<'_, '_>, slot: usize, next: &Other) -> Vec<String> {
    let mut terms: Vec<(&str, i64)> =
        next.terms.named().into_iter().filter(|(_, worse)| *worse >= LEAST).collect();
    terms.sort_by_key(|(_, worse)| std::cmp::Reverse(*worse));
    let name = other_name(found, slot, next);
    let mut said: Vec<String> = terms
        .into_iter()
        .filter_map(|(term, worse)| sentence(found, slot, next, term, worse))
        .take(2)
        .collect();
    said.push(match next.delta {
        ..0 => format!("{name} would be {} better, but is not what was asked for", counted(-next.delta)),
        0 => format!("{name} would be as good"),
        _ => format!("{name}, the next best, would cost {} more", counted(next.delta)),
    });
    said
}

/// One term in which another dish would be worse, said of this one.
fn sentence(found: &Found<'_, '_>, slot: usize, next: &Other, term: &str, worse: i64) -> Option<String> {
    Some(match term {
        "nutrition" => return keeps(found, slot, next),
        "cost" => format!("{} cheaper", money(found, worse)?),
        "overbudget" => "stays nearer to the budget".to_owned(),
        "waste" => "uses what would expire".to_owned(),
        "rating" => {
            let stars = found.book.recipes.get(found.plan.dish(slot)?)?.stars?;
            format!("liked better ({stars} stars)")
        }
        "effort" => {
            let minutes = |recipe: usize| found.book.recipes.get(recipe)?.minutes;
            let (this, other) = (minutes(found.plan.dish(slot)?)?, minutes(next.plan.dish(slot)?)?);
            let is_cooked = matches!(found.plan.choices.get(slot), Some(Choice::Cook(_)));
            let sooner = other.checked_sub(this).filter(|sooner| is_cooked && *sooner > 0)?;
            format!("ready in {this} minutes, {sooner} sooner")
        }
        "items" => {
            let each = found.table.weights.item.max(1);
            match worse / each {
                0 => return None,
                1 => "one thing less to buy".to_owned(),
                count => format!("{count} things less to buy"),
            }
        }
        "variety" | "repeat" => "more variety".to_owned(),
        "coverage" => "more is known of what is in it".to_owned(),
        "preference" | "quotas" => "as your rules wish".to_owned(),
        "change" => "it was planned already".to_owned(),
        "portions" => "whole portions".to_owned(),
        _ => return None,
    })
}

/// "keeps Ann's protein at 112 g": the goal that another dish would hurt most.
fn keeps(found: &Found<'_, '_>, slot: usize, next: &Other) -> Option<String> {
    let day = found.table.slots.get(slot)?.day;
    let (now, then) = (search::eaten(found.table, found.plan), search::eaten(found.table, &next.plan));
    let mut worst: Option<(i64, usize, usize)> = None;
    for eater in 0..found.table.eaters {
        let cell = day * found.table.eaters + eater;
        let band = found.table.bands.get(cell)?;
        for n in 0..NUTRIENTS {
            let hurt = cost(band, then.get(cell)?, n) - cost(band, now.get(cell)?, n);
            if hurt > worst.map_or(0, |(most, _, _)| most) {
                worst = Some((hurt, eater, n));
            }
        }
    }
    let (_, eater, n) = worst?;
    let amount = now.get(day * found.table.eaters + eater)?[n];
    let name = if n == 0 { " energy" } else { NAMES[n].1 };
    Some(format!("keeps {}'s{name} at {}", found.member_name(eater), shown(n, amount)))
}

/// What one nutrient costs.
fn cost(band: &Band, amounts: &Amounts, n: usize) -> i64 {
    let amount = amounts[n];
    let near = (band.lo[n] - amount).max(0) + (amount - band.hi[n]).max(0);
    let far = (band.min[n] - amount).max(0) + (amount - band.max[n]).max(0);
    i64::from(near + 3 * far) * i64::from(band.slope[n])
}

/// The dish of an alternative.
fn other_name(found: &Found<'_, '_>, slot: usize, other: &Other) -> String {
    let name = other.plan.dish(slot).map(|recipe| found.recipe_name(recipe)).unwrap_or_default();
    match other.choice {
        Choice::Leftover(of) => format!("{name} left from {}", found.date(of as usize).format("%A")),
        Choice::Cook(_) | Choice::Empty => name,
    }
}

/// The goal with a lower bound that the dish brings somebody closest to.
fn nourishes(found: &Found<'_, '_>, slot: usize) -> Option<String> {
    let (recipe, day) = (found.plan.dish(slot)?, found.table.slots.get(slot)?.day);
    let sums = search::eaten(found.table, found.plan);
    let mut best: Option<(i64, usize, usize)> = None;
    for eater in found.eaters(slot) {
        let row: &Amounts = found.table.row(recipe, found.plan.portions[slot * found.table.eaters + eater]);
        let band = found.table.bands.get(day * found.table.eaters + eater)?;
        for (n, amount) in row.iter().enumerate().filter(|(n, _)| band.lo[*n] > 0) {
            let merit =
                (i64::from(*amount) * 1000 / i64::from(band.lo[n])).min(1000) * i64::from(band.slope[n]);
            if merit > best.map_or(0, |(most, _, _)| most) {
                best = Some((merit, eater, n));
            }
        }
    }
    let (_, eater, n) = best?;
    let reached = sums.get(day * found.table.eaters + eater)?[n];
    let row = found.table.row(recipe, found.plan.portions[slot * found.table.eaters + eater]);
    Some(format!(
        "adds {}{} for {}, whose day reaches {}",
        shown(n, row[n]),
        NAMES[n].1,
        found.member_name(eater),
        shown(n, reached)
    ))
}

/// The best dishes instead, each with what it would cost.
pub(super) fn alternatives(found: &Found<'_, '_>, slot: usize, most: usize) -> Vec<Alternative> {
    let ranked = search::rank(found.table, found.plan, slot, most);
    let alternative = |other: Other| {
        let known = found.book.recipes.get(other.plan.dish(slot)?)?;
        Some(Alternative {
            recipe_id: known.id,
            recipe: other_name(found, slot, &other),
            difference: other.delta,
            terms: other.terms.into(),
            why: differences(&other.terms),
        })
    };
    ranked.into_iter().filter_map(alternative).collect()
}

/// "2.1 points worse in nutrition", the weightiest first.
fn differences(terms: &search::Terms) -> Vec<String> {
    let mut named: Vec<(&str, i64)> =
        terms.named().into_iter().filter(|(_, value)| value.abs() >= LEAST).collect();
    named.sort_by_key(|(_, value)| std::cmp::Reverse(value.abs()));
    let said = named.into_iter().map(|(term, value)| {
        let how = if value > 0 { "worse" } else { "better" };
        format!("{} {how} in {}", counted(value.abs()), called(term))
    });
    said.collect()
}

fn called(term: &str) -> &str {
    match term {
        "overbudget" => "what is over the budget",
        "effort" => "minutes of cooking",
        "items" => "things to buy",
        "waste" => "what expires",
        "quotas" | "preference" => "your rules",
        "change" => "what was planned",
        "empty" => "meals that stay empty",
        "repeat" => "repetition",
        other => other,
    }
}

/// "Ann on Mon 23 Nov: protein 80 g of at least 90 g".
pub(super) fn missed(
    found: &Found<'_, '_>,
    (day, eater, n): (usize, usize, usize),
    planned: i32,
    wanted: i32,
) -> String {
    let date = found.book.dates.get(day).copied().unwrap_or_default();
    let side = if planned < wanted { "least" } else { "most" };
    let name = if n == 0 { "energy" } else { NAMES[n].1.trim() };
    let (has, needs) = match (shown(n, planned), shown(n, wanted)) {
        (has, needs) if has == needs => (exact(n, planned), exact(n, wanted)),
        both => both,
    };
    let date = date.format("%a %-d %b");
    format!("{} on {date}: {name} {has} of at {side} {needs}", found.member_name(eater))
}

/// Adds to the dearest misses the cheapest change of one meal that would meet the goal, and what it would cost.
pub(super) fn what_it_takes(found: &Found<'_, '_>, missed: &mut [Missed]) {
    for miss in missed.iter_mut().take(MOST_WAYS) {
        let way = cheapest_way(found, miss);
        miss.sentence += &way.unwrap_or_else(|| "; no other single dish that was tried would do".to_owned());
    }
}

fn cheapest_way(found: &Found<'_, '_>, miss: &Missed) -> Option<String> {
    let day = found.book.day(miss.date)?;
    let eater = found.book.members.iter().position(|member| member.id == miss.member)?;
    let n = crate::domain::measure::Nutrients::NAMES.iter().position(|name| *name == miss.nutrient)?;
    let cell = day * found.table.eaters + eater;
    let band = found.table.bands.get(cell)?;
    let meets = |amounts: &Amounts| (band.lo[n]..=band.hi[n]).contains(&amounts[n]);
    let is_open = |slot: usize| {
        let at = super::messages::SlotRef { date: found.date(slot), slot: found.meal_slot(slot) };
        !found.locked.contains(&at) && found.plan.dish(slot).is_some()
    };
    let of_day =
        (0..found.table.slots.len()).filter(|slot| found.table.slots[*slot].day == day && is_open(*slot));
    let way = |slot: usize| {
        let others = search::rank(found.table, found.plan, slot, TRIED);
        let meets = |other: &Other| search::eaten(found.table, &other.plan).get(cell).is_some_and(meets);
        others.into_iter().find(meets).map(|other| (other.delta, slot, other_name(found, slot, &other)))
    };
    let (cost, slot, name) = of_day.filter_map(way).min()?;
    Some(format!("; {name} for {} would do, for {} more", found.meal_slot(slot), counted(cost.max(0))))
}

/// Why a meal stays empty: the rule, or the pair of rules, whose going would free it.
pub(super) fn empty(found: &Found<'_, '_>, slot: usize) -> String {
    let meal = found.meal_slot(slot);
    match search::why_empty(found.problem, found.table, found.plan, slot) {
        Why::NotEmpty => String::new(),
        Why::Locked => "left out, as you wish".to_owned(),
        Why::NobodyEats => format!("nobody eats {meal} at home"),
        Why::NoRecipes => "there are no recipes to choose from".to_owned(),
        Why::Dearer { recipes } => {
            format!("each of the {recipes} recipes that fit would make the plan worse than an empty {meal}")
        }
        Why::Rules { broken, relax } => match relax.first() {
            Some((rules, count)) => {
                let names: Vec<&str> = rules.iter().map(|rule| rule_name(*rule)).collect();
                let recipes = if *count == 1 { "1 recipe".to_owned() } else { format!("{count} recipes") };
                format!("{recipes} would do for {meal} without {}", names.join(" and "))
            }
            None => {
                let parts: Vec<String> =
                    broken.iter().map(|(rule, count)| format!("{} ({count})", rule_name(*rule))).collect();
                format!("no recipe for {meal} passes {}", parts.join(", "))
            }
        },
    }
}

/// A rule as a thing that rules recipes out.
pub(super) const fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::Unsuitable => "the meals it suits",
        Rule::Minutes => "the limit of minutes",
        Rule::Allergens => "somebody's allergens",
        Rule::Diet => "somebody's diet",
        Rule::Excluded => "foods that somebody never eats, or that ran out",
        Rule::Coverage => "the least that must be known of a recipe",
        Rule::Eaten => "having been eaten lately",
        Rule::Tags => "your rules by tag",
        Rule::Repeated => "being cooked on a day close by",
    }
}

fn shown(n: usize, amount: i32) -> String {
    format!("{} {}", milli(n, amount).rounded(), NAMES.get(n).map_or("", |(unit, _)| unit))
}

fn exact(n: usize, amount: i32) -> String {
    format!("{} {}", milli(n, amount), NAMES.get(n).map_or("", |(unit, _)| unit))
}

/// Points with one decimal.
fn points(objective: i64) -> String {
    Milli(objective / (POINT / 10) * 100).to_string()
}

fn counted(objective: i64) -> String {
    match points(objective).as_str() {
        "1" => "1 point".to_owned(),
        points => format!("{points} points"),
    }
}

/// Money behind a price of the cost, with cents.
fn money(found: &Found<'_, '_>, price: i64) -> Option<String> {
    let weight = found.table.weights.money;
    let cents = (weight > 0).then(|| price * 100 / weight)?;
    Some(format!("{}.{:02}", cents / 100, cents % 100))
}
