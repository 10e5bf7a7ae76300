//! Writes a plan that was found in names and amounts.

use super::book::Book;
use super::messages::SlotRef;
use super::plan::{Dish, Meal, MealPlan, Missed, NutrientTotal, Portion, Total};
use super::rules::kind;
use super::search::{self, Choice, Plan, Problem, Table};
use super::units::milli;
use super::why;
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::recipes::slots::MealSlot;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// A solution with everything that it is read by.
pub(super) struct Found<'a, 'f> {
    pub book: &'a Book<'f>,
    pub problem: &'a Problem,
    pub table: &'a Table,
    pub plan: &'a Plan,
    pub locked: &'a BTreeSet<SlotRef>,
}

impl Found<'_, '_> {
    pub(super) fn slot(&self, date: NaiveDate, slot: MealSlot) -> Option<usize> {
        let day = self.book.day(date)?;
        self.table.slots.iter().position(|s| s.day == day && s.kind == kind(slot))
    }

    pub(super) fn date(&self, slot: usize) -> NaiveDate {
        let day = self.table.slots.get(slot).map_or(0, |slot| slot.day);
        self.book.dates.get(day).copied().unwrap_or_default()
    }

    pub(super) fn meal_slot(&self, slot: usize) -> MealSlot {
        self.table.slots.get(slot).map_or(MealSlot::Dinner, |slot| of_kind(slot.kind))
    }

    /// Percent of a serving that an eater gets in a slot.
    pub(super) fn percent(&self, slot: usize, eater: usize) -> u16 {
        let portion = self.plan.portions.get(slot * self.table.eaters + eater).copied().unwrap_or(0);
        self.table.percents.get(usize::from(portion)).copied().unwrap_or(0)
    }

    pub(super) fn eaters(&self, slot: usize) -> Vec<usize> {
        let eaters = self.table.slots.get(slot).map(|slot| slot.eaters.as_slice()).unwrap_or_default();
        eaters.iter().map(|eater| usize::from(*eater)).collect()
    }

    pub(super) fn recipe_name(&self, recipe: usize) -> String {
        self.book.recipes.get(recipe).map(|recipe| recipe.name.clone()).unwrap_or_default()
    }

    pub(super) fn member_name(&self, eater: usize) -> String {
        self.book.members.get(eater).map(|member| member.person.name.clone()).unwrap_or_default()
    }

    /// Percent of a serving that a slot's people eat.
    fn eaten_percent(&self, slot: usize) -> u32 {
        let guests = self.table.slots.get(slot).map_or(0, |slot| slot.guests);
        guests + self.eaters(slot).into_iter().map(|eater| u32::from(self.percent(slot, eater))).sum::<u32>()
    }
}

pub(super) const fn of_kind(kind: search::Kind) -> MealSlot {
    match kind {
        search::Kind::Breakfast => MealSlot::Breakfast,
        search::Kind::Lunch => MealSlot::Lunch,
        search::Kind::Dinner => MealSlot::Dinner,
        search::Kind::Snack => MealSlot::Snack,
    }
}

/// The whole plan; the caller says how it was searched for.
pub(super) fn plan(found: &Found<'_, '_>, remarks: Vec<String>) -> MealPlan {
    let terms = search::evaluate(found.table, found.plan);
    let spent = search::spent(found.table, found.plan);
    let is_priced = !found.book.facts.rules.prices.is_empty();
    MealPlan {
        start: found.book.dates.first().copied().unwrap_or_default(),
        days: u32::try_from(found.book.dates.len()).unwrap_or(0),
        seed: 0,
        moves: 0,
        weights: found.book.weights,
        objective: terms.total(),
        terms: terms.into(),
        bound: None,
        money: is_priced.then_some(Milli(spent / 10)),
        meals: (0..found.table.slots.len()).map(|slot| meal(found, slot)).collect(),
        totals: totals(found),
        unmet: missed(found),
        remarks,
    }
}

fn meal(found: &Found<'_, '_>, slot: usize) -> Meal {
    let (date, meal_slot) = (found.date(slot), found.meal_slot(slot));
    let recipe = found.plan.dish(slot);
    let known = recipe.and_then(|recipe| found.book.recipes.get(recipe));
    let choice = found.plan.choices.get(slot).copied().unwrap_or(Choice::Empty);
    let dish = match (choice, known) {
        (Choice::Cook(_), Some(known)) => Dish::Cook {
            recipe_id: known.id,
            recipe: known.name.clone(),
            servings: Milli(i64::from(servings(found, slot)) * 10),
        },
        (Choice::Leftover(of), Some(known)) => Dish::Leftover {
            recipe_id: known.id,
            recipe: known.name.clone(),
            from_date: found.date(of as usize),
            from_slot: found.meal_slot(of as usize),
        },
        (Choice::Empty | Choice::Cook(_) | Choice::Leftover(_), _) => {
            Dish::Empty { why: why::empty(found, slot) }
        }
    };
    let portion = |eater: usize| Portion {
        member: found.book.members.get(eater).map(|member| member.id).unwrap_or_default(),
        name: found.member_name(eater),
        percent: found.percent(slot, eater),
    };
    let guests = found.table.slots.get(slot).map_or(0, |slot| slot.guests);
    let is_served = known.is_some();
    Meal {
        date,
        slot: meal_slot,
        minutes: known.filter(|_| matches!(choice, Choice::Cook(_))).and_then(|known| known.minutes),
        portions: found.eaters(slot).into_iter().filter(|_| is_served).map(portion).collect(),
        guests: (guests > 0).then(|| Milli(i64::from(guests) * 10)),
        locked: found.locked.contains(&SlotRef { date, slot: meal_slot }),
        reasons: if is_served { why::reasons(found, slot) } else { Vec::new() },
        dish,
    }
}

/// Percent of a serving cooked in a slot, for it and for its leftovers.
fn servings(found: &Found<'_, '_>, slot: usize) -> u32 {
    let eaten = (slot..found.table.slots.len()).filter(|other| found.plan.cooked_at(*other) == slot);
    eaten.filter(|other| found.plan.dish(*other).is_some()).map(|other| found.eaten_percent(other)).sum()
}

fn totals(found: &Found<'_, '_>) -> Vec<Total> {
    let mut totals = Vec::new();
    for (day, date) in found.book.dates.iter().enumerate() {
        for (eater, member) in found.book.members.iter().enumerate() {
            totals.push(Total {
                date: *date,
                member: member.id,
                name: member.person.name.clone(),
                per_nutrient: per_nutrient(found, day, eater),
            });
        }
    }
    totals
}

fn per_nutrient(found: &Found<'_, '_>, day: usize, eater: usize) -> BTreeMap<String, NutrientTotal> {
    let of_day = (0..found.table.slots.len()).filter(|slot| found.table.slots[*slot].day == day);
    let eaten = of_day.filter(|slot| found.eaters(*slot).contains(&eater));
    let dishes: Vec<(&[Option<Milli>; 8], u16)> = Vec::new();
    let mut dishes = dishes;
    let arrays: Vec<([Option<Milli>; 8], u16)> = eaten
        .filter_map(|slot| {
            let recipe = found.book.recipes.get(found.plan.dish(slot)?)?;
            Some((recipe.per_serving.to_array(), found.percent(slot, eater)))
        })
        .collect();
    dishes.extend(arrays.iter().map(|(amounts, percent)| (amounts, *percent)));
    let member = found.book.members.get(eater);
    let goals = member.and_then(|member| found.book.facts.goals.get(&member.id));
    let total = |(n, name): (usize, &&str)| {
        let known: Vec<Milli> = dishes
            .iter()
            .filter_map(|(amounts, percent)| Some(amounts[n]?.scale((*percent).into(), 100)))
            .collect();
        let goal = goals.and_then(|goals| goals.0.get(*name)).copied().unwrap_or_default();
        let total = NutrientTotal {
            planned: (!known.is_empty()).then(|| known.iter().copied().sum()),
            complete: !known.is_empty() && known.len() == dishes.len(),
            min: goal.min,
            low: goal.low,
            high: goal.high,
            max: goal.max,
        };
        ((*name).to_owned(), total)
    };
    Nutrients::NAMES.iter().enumerate().map(total).collect()
}

/// Goals that days miss, the dearest first.
fn missed(found: &Found<'_, '_>) -> Vec<Missed> {
    let eaten = search::eaten(found.table, found.plan);
    let mut missed: Vec<(i64, Missed)> = Vec::new();
    for (cell, amounts) in eaten.iter().enumerate() {
        let (day, eater) = (cell / found.table.eaters.max(1), cell % found.table.eaters.max(1));
        let (Some(band), Some(date), Some(member)) =
            (found.table.bands.get(cell), found.book.dates.get(day), found.book.members.get(eater))
        else {
            continue;
        };
        for (n, name) in Nutrients::NAMES.iter().enumerate() {
            let (amount, low, high) = (amounts[n], band.lo[n], band.hi[n]);
            if (low..=high).contains(&amount) || band.slope[n] == 0 {
                continue;
            }
            let wanted = if amount < low { low } else { high };
            let price = i64::from((wanted - amount).abs()) * i64::from(band.slope[n]);
            missed.push((
                price,
                Missed {
                    date: *date,
                    member: member.id,
                    nutrient: (*name).to_owned(),
                    planned: milli(n, amount),
                    wanted: milli(n, wanted),
                    hard: amount < band.min[n] || amount > band.max[n],
                    sentence: why::missed(found, (day, eater, n), amount, wanted),
                },
            ));
        }
    }
    missed.sort_by_key(|(price, _)| std::cmp::Reverse(*price));
    let mut missed: Vec<Missed> = missed.into_iter().map(|(_, missed)| missed).collect();
    why::what_it_takes(found, &mut missed);
    missed
}
