//! Makes the search's problem of what planning knows of recipes, the household, goals and past plans.

use super::book::Book;
use super::classes::main_protein;
use super::learned::KnownRecipe;
use super::messages::{EatenInstead, GenerateMealPlan, Guests};
use super::rules::{TagRule, Weights, kind, kinds};
use super::search::{
    Day, Eaten, Eater, Food, Goal, Guest, Kinds, Lot, Meal, NUTRIENTS, Needs, POINT, Problem, Quota, Recipe,
    Rules, Shift,
};
use super::units::{amount, grams};
use crate::domain::context::Rejection;
use crate::domain::diet::{Allergen, Diet};
use crate::domain::foods::FoodId;
use crate::domain::household::{Person, SetUpHousehold, Weekday};
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::nutrition::Goals;
use crate::domain::recipes::slots::MealSlot;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeSet;

/// Portions an eater can get of a meal, in percent of a serving.
pub(super) const PORTIONS: [u16; 4] = [75, 100, 125, 150];
const DEFAULT_REPEAT_GAP: u32 = 3;
const DEFAULT_LEFTOVERS: u32 = 4;
/// 20 kcal, 2 g, 200 mg of sodium.
const LEAST_REFERENCE: i32 = 20;
/// Leftovers are eaten so many days later at most.
pub(super) const LEFTOVER_DAYS: u32 = 4;
/// Past days that count for the repeat gap.
const HISTORY_DAYS: i64 = 28;
/// What a missing or superfluous meal of a tag costs.
const QUOTA_PRICE: i64 = 15 * POINT;
/// Taken for food at home whose price nobody knows, so that its waste counts: 5 a kilogram.
const NOMINAL_PRICE: Milli = Milli(5000);
/// Marks recipes that are not wanted at one meal.
pub(super) const REFUSED: u64 = 1 << 63;
const MOST_TAGS: usize = 63;

/// The problem of a plan as it was asked for, nothing being planned yet.
pub(super) fn problem(
    book: &Book<'_>,
    request: &GenerateMealPlan,
    weights: Weights,
) -> Result<Problem, Rejection> {
    let rules = &book.facts.rules;
    let tags = Tags::of(&rules.tags)?;
    let days: Vec<Day> = (0..book.dates.len()).map(|day| self::day(book, request, day, &tags)).collect();
    Ok(Problem {
        eaters: book.members.iter().map(|member| eater(book, &member.person, member.id)).collect(),
        recipes: book.recipes.iter().map(|recipe| self::recipe(book, recipe, &tags)).collect(),
        foods: foods(book, request),
        pantry: pantry(book, request),
        eaten: eaten(book),
        quotas: tags.quotas(book.dates.len(), weights),
        rules: search_rules(book, request),
        weights: prices(weights),
        budget: budget(book),
        days,
        ..Problem::default()
    })
}

/// Prices of the search at these weights.
fn prices(weights: Weights) -> super::search::Weights {
    let at = |price: i64, weight: u32| price * i64::from(weight) / 100;
    super::search::Weights {
        nutrition: weights.nutrition.into(),
        rating_star: at(POINT, weights.rating),
        minute: at(POINT / 30, weights.effort),
        leftover: at(-POINT / 2, weights.leftovers),
        leftover_excess: at(3 * POINT, weights.leftovers),
        protein_same_day: at(2 * POINT, weights.variety),
        cuisine_excess: at(2 * POINT, weights.variety),
        protein_excess: at(2 * POINT, weights.variety),
        repeat: at(3 * POINT, weights.variety),
        money: at(POINT, weights.cost),
        over_budget: at(4 * POINT, weights.over_budget),
        waste: at(3 * POINT, weights.waste),
        item: at(3 * POINT / 10, weights.items),
        coverage: at(POINT / 10, weights.coverage),
        unknown: at(POINT / 20, weights.coverage),
        unpriced: 0,
        portion: at(POINT / 20, weights.portions),
        change: 0,
        empty: 10_000 * POINT,
    }
}

fn search_rules(book: &Book<'_>, request: &GenerateMealPlan) -> Rules {
    let rules = &book.facts.rules;
    let between = request.repeat_gap_days.or(rules.repeat_gap_days).unwrap_or(DEFAULT_REPEAT_GAP);
    // So many days between is one more apart; none between is no rule.
    let gap = if between == 0 { 0 } else { between.min(28) + 1 };
    let weeks = u32::try_from(book.dates.len().div_ceil(7)).unwrap_or(1);
    let mains = Kinds::of(&[kind(MealSlot::Lunch), kind(MealSlot::Dinner)]);
    Rules {
        repeat_gap_main_days: gap,
        repeat_gap_other_days: gap,
        leftover_max_days: LEFTOVER_DAYS,
        leftover_from: mains,
        leftover_into: mains,
        leftover_must_suit: true,
        leftover_cap: rules.leftovers_a_week.unwrap_or(DEFAULT_LEFTOVERS).min(14) * weeks,
        cap_days: 7,
        min_coverage_permille: request.min_coverage_permille.unwrap_or(0).min(1000),
        ..Rules::default()
    }
}

fn day(book: &Book<'_>, request: &GenerateMealPlan, day: usize, tags: &Tags<'_>) -> Day {
    let (Some(date), household) = (book.dates.get(day).copied(), book.household) else {
        return Day::default();
    };
    let meals = household.slots.iter().copied().map(|slot| {
        let comes = |guests: &&Guests| guests.date == date && guests.slot == slot && guests.servings.0 > 0;
        let guests = request.guests.iter().filter(comes);
        let (forbidden_tags, required_tags) = tags.at(date, slot);
        Meal {
            kind: kind(slot),
            max_minutes: minutes(household, date, slot),
            eaters: at_home(book, request, date, slot),
            guests: guests.map(|guests| guest(book, guests)).collect(),
            forbidden_tags,
            required_tags,
        }
    });
    Day { meals: meals.collect() }
}

fn minutes(household: &SetUpHousehold, date: NaiveDate, slot: MealSlot) -> Option<u32> {
    let hurried = !household.unhurried.contains(&date.weekday().into());
    household.max_minutes.get(&slot).copied().filter(|_| hurried)
}

/// Who eats the meal at home, as numbers.
fn at_home(book: &Book<'_>, request: &GenerateMealPlan, date: NaiveDate, slot: MealSlot) -> Vec<u32> {
    let is_away = |id: uuid::Uuid| {
        request.away.iter().any(|away| {
            away.member == id && away.date == date && (away.slots.is_empty() || away.slots.contains(&slot))
        })
    };
    let eats = |member: &crate::domain::household::Member| {
        member.person.slots.contains(&slot) && !is_away(member.id)
    };
    let eaters = (0..).zip(book.members).filter(|(_, member)| eats(member));
    eaters.map(|(n, _)| n).collect()
}

fn guest(book: &Book<'_>, guests: &Guests) -> Guest {
    Guest {
        percent: u32::try_from(guests.servings.scale(1, 10).0.clamp(0, 100_000)).unwrap_or(0),
        needs: Needs {
            allergens: allergens(&guests.allergens),
            diet: level(guests.diet.unwrap_or(Diet::Omnivore)),
            excluded_foods: guests.excluded_foods.iter().filter_map(|food| book.food(food)).collect(),
        },
    }
}

fn eater(book: &Book<'_>, person: &Person, id: uuid::Uuid) -> Eater {
    Eater {
        goals: goals(book.facts.goals.get(&id)),
        portions: PORTIONS.to_vec(),
        needs: Needs {
            allergens: allergens(&person.allergens),
            diet: level(person.diet),
            excluded_foods: person.excluded_foods.iter().filter_map(|food| book.food(food)).collect(),
        },
    }
}

fn goals(given: Option<&Goals>) -> [Option<Goal>; NUTRIENTS] {
    std::array::from_fn(|n| {
        let band = given?.0.get(*Nutrients::NAMES.get(n)?)?;
        let scaled = |value: Option<Milli>| value.map(|value| amount(n, value));
        let (lo, hi) = (scaled(band.low.or(band.min)), scaled(band.high.or(band.max)));
        // Whatever is wished, the sides of the band do not cross.
        let hi = hi.map(|hi| hi.max(lo.unwrap_or(0)));
        let reference =
            [band.low, band.high, band.min, band.max].into_iter().flatten().find(|value| value.0 > 0);
        Some(Goal {
            lo,
            hi,
            min: scaled(band.min).map(|min| min.min(lo.unwrap_or(min))),
            max: scaled(band.max).map(|max| max.max(hi.unwrap_or(max))),
            // A goal of next to nothing is not missed by thousands of percent.
            reference: reference.map_or(1, |value| amount(n, value)).max(LEAST_REFERENCE),
            importance: band.importance.unwrap_or(10).into(),
        })
    })
}

fn recipe(book: &Book<'_>, known: &KnownRecipe, tags: &Tags<'_>) -> Recipe {
    let words = super::classes::tags(known, &book.facts.foods);
    let (bits, preference) = tags.of_recipe(&words, book.dates.first().copied(), book.weights.wishes);
    let per_serving = known.per_serving.to_array();
    Recipe {
        kinds: known.slots.iter().fold(Kinds::NONE, |kinds, slot| kinds.with(kind(*slot))),
        minutes: known.minutes,
        allergens: allergens(&known.allergens),
        allergens_complete: known.allergens_complete,
        diet: known.diet.map_or(level(Diet::Omnivore), level),
        nutrients: std::array::from_fn(|n| Some(amount(n, (*per_serving.get(n)?)?))),
        coverage_permille: known.coverage_permille.min(1000),
        foods: book.foods_of(known).into_iter().map(|(food, mass)| (food, grams(mass))).collect(),
        leftover_days: u8::try_from(known.leftover_days).unwrap_or(u8::MAX),
        rating_x10: known.stars.map(|stars| stars.clamp(1, 5) * 10),
        cuisine: known.cuisine.as_deref().and_then(|cuisine| book.cuisine(cuisine)),
        protein: main_protein(known, &book.facts.foods).and_then(|protein| book.protein(&protein)),
        tags: bits,
        preference,
    }
}

fn foods(book: &Book<'_>, request: &GenerateMealPlan) -> Vec<Food> {
    let at_home = |id: &FoodId| request.pantry.iter().any(|lot| lot.food == *id && lot.use_by.is_some());
    let food = |id: &FoodId| {
        let known = book.facts.rules.prices.get(id).copied();
        let price = known.or(at_home(id).then_some(NOMINAL_PRICE));
        Food {
            // Thousandths a kilogram are 1/100 of 1/10 000 a gram.
            price: price.and_then(|price| i32::try_from(price.0 / 100).ok()),
            staple: book.facts.foods.get(id).is_some_and(|food| food.staple),
        }
    };
    book.foods.iter().map(food).collect()
}

fn pantry(book: &Book<'_>, request: &GenerateMealPlan) -> Vec<Lot> {
    let lot = |lot: &super::messages::AtHome| {
        let last_day = lot.use_by.zip(book.dates.first()).map(|(last, first)| (last - *first).num_days());
        Some(Lot {
            food: book.food(&lot.food)?,
            mass: grams(lot.grams),
            last_day: last_day.map(|day| i32::try_from(day.clamp(-1, 400)).unwrap_or(-1)),
        })
    };
    request.pantry.iter().filter_map(lot).collect()
}

fn eaten(book: &Book<'_>) -> Vec<Eaten> {
    let Some(first) = book.dates.first() else { return Vec::new() };
    let cooked = book.facts.cooked.iter().filter_map(|(date, recipe)| {
        let before = (*first - *date).num_days();
        let recipe = book.recipe(*recipe)?;
        (1..=HISTORY_DAYS)
            .contains(&before)
            .then(|| Eaten { recipe, days_before: u32::try_from(before).ok() })
    });
    cooked.collect()
}

/// Of the days of the plan, in 1/10 000.
fn budget(book: &Book<'_>) -> Option<i64> {
    let days = i64::try_from(book.dates.len()).ok()?;
    book.facts.rules.budget.map(|week| week.scale(days, 7).0.saturating_mul(10))
}

fn allergens(of: &BTreeSet<Allergen>) -> u64 {
    let bit = |allergen: &Allergen| Allergen::ALL.iter().position(|known| known == allergen);
    of.iter().filter_map(bit).fold(0, |bits, n| bits | 1 << n)
}

const fn level(diet: Diet) -> u8 {
    match diet {
        Diet::Vegan => 0,
        Diet::Vegetarian => 1,
        Diet::Pescatarian => 2,
        Diet::Omnivore => 3,
    }
}

/// The tags that rules speak of, each a bit.
struct Tags<'r> {
    rules: &'r [TagRule],
    names: Vec<String>,
}

impl<'r> Tags<'r> {
    fn of(rules: &'r [TagRule]) -> Result<Self, Rejection> {
        let names: BTreeSet<String> = rules.iter().map(|rule| rule.tag().trim().to_lowercase()).collect();
        if names.len() > MOST_TAGS {
            let hint = format!("use at most {MOST_TAGS} different tags");
            return Err(Rejection::invalid("/tags", "the household's rules speak of too many tags", hint));
        }
        Ok(Self { rules, names: names.into_iter().collect() })
    }

    fn bit(&self, tag: &str) -> u64 {
        let tag = tag.trim().to_lowercase();
        self.names.iter().position(|name| *name == tag).map_or(0, |n| 1 << n)
    }

    /// Tags that are forbidden and required at a meal.
    fn at(&self, date: NaiveDate, slot: MealSlot) -> (u64, u64) {
        let today: Weekday = date.weekday().into();
        let holds = |on: &BTreeSet<Weekday>, slots: &BTreeSet<MealSlot>| {
            (on.is_empty() || on.contains(&today)) && (slots.is_empty() || slots.contains(&slot))
        };
        self.rules.iter().fold((0, 0), |(forbidden, required), rule| match rule {
            TagRule::Never { tag, on, slots } if holds(on, slots) => (forbidden | self.bit(tag), required),
            TagRule::Only { tag, on, slots } if holds(on, slots) => (forbidden, required | self.bit(tag)),
            TagRule::Never { .. }
            | TagRule::Only { .. }
            | TagRule::AtLeast { .. }
            | TagRule::AtMost { .. }
            | TagRule::Prefer { .. } => (forbidden, required),
        })
    }

    /// The bits of a recipe with these tags, and what serving it costs by itself.
    fn of_recipe(&self, tags: &BTreeSet<String>, first: Option<NaiveDate>, weight: u32) -> (u64, i32) {
        let bits = self.names.iter().enumerate().filter(|(_, name)| tags.contains(*name));
        let bits = bits.fold(0, |bits, (n, _)| bits | 1 << n);
        let month = first.map_or(0, |first| first.month());
        let wish = |rule: &TagRule| match rule {
            TagRule::Prefer { tag, points, months }
                if bits & self.bit(tag) != 0 && (months.is_empty() || months.contains(&month)) =>
            {
                -i64::from(*points) * POINT
            }
            TagRule::Prefer { .. }
            | TagRule::Never { .. }
            | TagRule::Only { .. }
            | TagRule::AtLeast { .. }
            | TagRule::AtMost { .. } => 0,
        };
        let wishes = self.rules.iter().map(wish).sum::<i64>() * i64::from(weight) / 100;
        (bits, i32::try_from(wishes).unwrap_or(if wishes < 0 { i32::MIN / 4 } else { i32::MAX / 4 }))
    }

    /// How often a week, week by week; the rest of a week in its share.
    fn quotas(&self, days: usize, weights: Weights) -> Vec<Quota> {
        let price = QUOTA_PRICE * i64::from(weights.wishes) / 100;
        let last = u32::try_from(days).unwrap_or(0);
        let mut quotas = Vec::new();
        for first_day in (0..last).step_by(7) {
            let last_day = (first_day + 6).min(last.saturating_sub(1));
            let length = last_day + 1 - first_day;
            for rule in self.rules {
                let (least, most) = match rule {
                    TagRule::AtLeast { times, .. } => (times * length / 7, u32::MAX),
                    TagRule::AtMost { times, .. } => (0, (times * length).div_ceil(7)),
                    TagRule::Never { .. } | TagRule::Only { .. } | TagRule::Prefer { .. } => continue,
                };
                quotas.push(Quota {
                    tags: self.bit(rule.tag()),
                    kinds: kinds(&BTreeSet::new()),
                    first_day,
                    last_day,
                    least,
                    most,
                    price_missing: price,
                    price_excess: price,
                });
            }
        }
        quotas
    }
}

/// The days after make up for what was eaten otherwise: each of the next three takes a third, 15 % of a day's goal at
/// most.
pub(super) fn make_up(
    book: &Book<'_>,
    problem: &mut Problem,
    from: usize,
    eaten: &[EatenInstead],
    planned: impl Fn(&EatenInstead) -> Nutrients,
) {
    const DAYS: usize = 3;
    const MOST_PERCENT: i32 = 15;
    for instead in eaten {
        let Some(eater) = book.members.iter().position(|member| member.id == instead.member) else {
            continue;
        };
        let (now, then) = (instead.amounts.to_array(), planned(instead).to_array());
        for n in 0..NUTRIENTS {
            let (Some(now), Some(then)) = (now[n], then[n]) else { continue };
            let Some(goal) = problem.eaters[eater].goals[n] else { continue };
            let most = goal.reference / 100 * MOST_PERCENT;
            let shift = (-amount_signed(n, (now - then).0) / 3).clamp(-most, most);
            for day in from..(from + DAYS).min(book.dates.len()) {
                problem.shifts.push(Shift {
                    day: u32::try_from(day).unwrap_or(0),
                    eater: u32::try_from(eater).unwrap_or(0),
                    nutrient: u8::try_from(n).unwrap_or(0),
                    amount: shift,
                });
            }
        }
    }
}

fn amount_signed(n: usize, milli: i64) -> i32 {
    let size = amount(n, Milli(milli.saturating_abs()));
    if milli < 0 { -size } else { size }
}
