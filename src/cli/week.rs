//! A plan as text: the days with their meals, everybody's days beside the goals, and what could not be met.

use super::table::Table;
use super::wire::{Amount, DayTotal, Dish, Meal, MealPlan};
use chrono::NaiveDate;

const SLOTS: [&str; 4] = ["breakfast", "lunch", "dinner", "snack"];
const CELL: usize = 24;
/// Nutrients that are shown: name on the wire, head, unit.
const NUTRIENTS: [(&str, &str, &str); 5] = [
    ("kcal", "kcal", ""),
    ("protein_g", "protein g", " g"),
    ("carbs_g", "carbs g", " g"),
    ("fat_g", "fat g", " g"),
    ("fibre_g", "fibre g", " g"),
];

#[must_use]
pub fn render(plan: &MealPlan) -> String {
    let mut parts = vec![meals(plan)];
    if !plan.totals.is_empty() {
        parts.push(totals(plan));
    }
    if !plan.unmet.is_empty() {
        let lines: Vec<String> = plan.unmet.iter().map(|unmet| format!("- {}", unmet.sentence)).collect();
        parts.push(format!("What this plan does not meet:\n{}", lines.join("\n")));
    }
    parts.join("\n\n")
}

fn dates<'p>(all: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let mut dates: Vec<&str> = all.collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

fn meals(plan: &MealPlan) -> String {
    let is_planned = |slot: &&str| plan.meals.iter().any(|meal| meal.slot == *slot);
    let slots: Vec<&str> = SLOTS.into_iter().filter(is_planned).collect();
    let mut table = Table::default().left("day").spaced();
    for slot in &slots {
        table = table.wrapped(slot, CELL);
    }
    for date in dates(plan.meals.iter().map(|meal| meal.date.as_str())) {
        let meal = |slot: &&str| plan.meals.iter().find(|meal| meal.date == date && meal.slot == *slot);
        let cells = slots.iter().map(|slot| meal(slot).map(cell).unwrap_or_default());
        table.row(std::iter::once(day(date)).chain(cells));
    }
    table.render()
}

/// "Mon 23 Nov", or the date as it came.
fn day(date: &str) -> String {
    date.parse::<NaiveDate>().map_or_else(|_| date.to_owned(), |date| date.format("%a %d %b").to_string())
}

fn cell(meal: &Meal) -> String {
    let Dish { kind, recipe, servings, from_date, from_slot, why } = &meal.dish;
    let name = recipe.clone().unwrap_or_else(|| "?".to_owned());
    let about = match kind.as_str() {
        "cook" => {
            let servings = servings.map(|servings| format!("cook {servings} servings"));
            let minutes = meal.minutes.map(|minutes| format!("{minutes} min"));
            servings.into_iter().chain(minutes).collect::<Vec<_>>().join(", ")
        }
        "leftover" => {
            let from = from_date.as_deref().map(day).unwrap_or_default();
            let weekday = from.split(' ').next().unwrap_or_default();
            format!("left from {weekday} {}", from_slot.as_deref().unwrap_or_default()).trim_end().to_owned()
        }
        _ => return why.as_ref().map_or_else(|| "-".to_owned(), |why| format!("- ({why})")),
    };
    let lines = [name, about, portions(meal)];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// How much of a serving everybody gets.
fn portions(meal: &Meal) -> String {
    let portion = |(name, percent): (&str, f64)| format!("{name} {percent:.0}%");
    let portions = meal
        .portions
        .iter()
        .filter_map(|portion| Some((portion.name.as_deref().unwrap_or(&portion.member), portion.percent?)));
    portions.map(portion).collect::<Vec<_>>().join(" ")
}

fn totals(plan: &MealPlan) -> String {
    let mut table = Table::default().left("day").left("who");
    for (_, head, _) in NUTRIENTS {
        table = table.right(head);
    }
    let mut people: Vec<&DayTotal> = Vec::new();
    for date in dates(plan.totals.iter().map(|total| total.date.as_str())) {
        let mut shown = day(date);
        for total in plan.totals.iter().filter(|total| total.date == date) {
            if !people.iter().any(|known| known.member == total.member) {
                people.push(total);
            }
            let amounts = NUTRIENTS.iter().map(|(name, ..)| amount(total.per_nutrient.get(*name)));
            table.row([std::mem::take(&mut shown), name(total)].into_iter().chain(amounts));
        }
    }
    let goals: Vec<String> = people.iter().map(|total| goals(total)).collect();
    format!("{}\n▼ below the goal, ▲ above it, ≥ at least (not all is known), ? unknown", table.render())
        + &goals.iter().map(|goal| format!("\n{goal}")).collect::<String>()
}

fn name(total: &DayTotal) -> String {
    total.name.clone().unwrap_or_else(|| total.member.clone())
}

/// The amount with its marks. A sum that is not complete may still reach the goal.
fn amount(amount: Option<&Amount>) -> String {
    let Some((amount, planned)) = amount.and_then(|amount| Some((amount, amount.planned?))) else {
        return "?  ".to_owned();
    };
    let bound = if amount.complete { "" } else { "≥" };
    let mark = match (lower(amount), upper(amount)) {
        (_, Some(upper)) if planned.round() > upper => "▲",
        (Some(lower), _) if amount.complete && planned.round() < lower => "▼",
        _ => " ",
    };
    format!("{bound}{planned:.0} {mark}")
}

fn lower(amount: &Amount) -> Option<f64> {
    amount.low.or(amount.min)
}

fn upper(amount: &Amount) -> Option<f64> {
    amount.high.or(amount.max)
}

/// "Ann wants kcal 1900-2100, at least 90 g protein, …".
fn goals(total: &DayTotal) -> String {
    let goals = NUTRIENTS.iter().filter_map(|(name, head, unit)| {
        let head = head.split(' ').next().unwrap_or(head);
        let amount = total.per_nutrient.get(*name)?;
        Some(match (lower(amount), upper(amount)) {
            (Some(lower), Some(upper)) => format!("{head} {lower}-{upper}{unit}"),
            (Some(lower), None) => format!("{head} at least {lower}{unit}"),
            (None, Some(upper)) => format!("{head} at most {upper}{unit}"),
            (None, None) => return None,
        })
    });
    let goals: Vec<String> = goals.collect();
    let goals = if goals.is_empty() { "no goals".to_owned() } else { goals.join(", ") };
    format!("{} a day: {goals}", name(total))
}

#[cfg(test)]
#[path = "week_tests.rs"]
mod tests;
