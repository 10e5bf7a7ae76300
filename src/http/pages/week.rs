//! The week: days by meals with portions, and everybody's days beside their goals.

use super::layout::page;
use super::{newest_row, row};
use crate::domain::planning::{Dish, Meal, NutrientTotal, PlanView, Plans, Total};
use crate::domain::recipes::slots::MealSlot;
use crate::http::App;
use crate::http::problem::Problem;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::NaiveDate;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Nutrients shown a day, with their units.
const SHOWN: [(&str, &str, &str); 5] = [
    ("kcal", "Energy", "kcal"),
    ("protein_g", "Protein", "g"),
    ("carbs_g", "Carbs", "g"),
    ("fat_g", "Fat", "g"),
    ("fibre_g", "Fibre", "g"),
];

pub(in super::super) async fn newest(State(app): State<App>) -> Result<Response, Problem> {
    Ok(match newest_row::<Plans>(&app).await? {
        Some(plan) => show(&plan),
        None => page("No plan yet", "/", &first_steps()),
    })
}

pub(in super::super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(show(&row::<Plans>(&app, &id).await?))
}

fn first_steps() -> Markup {
    html! {
        p { "A week is planned from recipes, for a household with goals. In a terminal:" }
        pre {
            "meal-planner import recipes/      # files, folders or web addresses\n"
            "meal-planner plan                 # a week and its shopping list\n"
        }
        p { "Or start the server with " code { "--demo" } " to look around." }
    }
}

fn show(plan: &PlanView) -> Response {
    let end = plan.plan.totals.iter().map(|total| total.date).max().unwrap_or(plan.plan.start);
    let title = format!("{} – {}", plan.plan.start.format("%-d %B"), end.format("%-d %B %Y"));
    let body = html! {
        (table(plan))
        @if !plan.plan.remarks.is_empty() {
            ul { @for remark in &plan.plan.remarks { li { (remark) } } }
        }
        h2 { "Days beside goals" }
        (totals(&plan.plan.totals))
        @if plan.plan.unmet.is_empty() {
            p.good { "Every goal is met." }
        } @else {
            h2 { "What could not be met" }
            ul { @for missed in &plan.plan.unmet { li { (missed.sentence) } } }
        }
        p.small {
            "Plan " (plan.id) ", seed " (plan.plan.seed) ", " (plan.plan.moves) " moves, "
            (format!("{:.1}", points(plan.plan.objective))) " points from ideal."
        }
    };
    page(&title, "/", &body)
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn points(objective: i64) -> f64 {
    objective as f64 / 10_000.0
}

fn table(plan: &PlanView) -> Markup {
    let slots: BTreeSet<MealSlot> = plan.plan.meals.iter().map(|meal| meal.slot).collect();
    let mut days: BTreeMap<NaiveDate, BTreeMap<MealSlot, &Meal>> = BTreeMap::new();
    for meal in &plan.plan.meals {
        days.entry(meal.date).or_default().insert(meal.slot, meal);
    }
    html! {
        div.scroll { table.week {
            thead { tr { th { "Day" } @for slot in &slots { th { (slot.as_str()) } } } }
            tbody {
                @for (date, meals) in &days {
                    tr {
                        th { (date.format("%a %-d %b")) }
                        @for slot in &slots { td { @if let Some(meal) = meals.get(slot) { (dish(meal)) } } }
                    }
                }
            }
        } }
    }
}

fn dish(meal: &Meal) -> Markup {
    let portions: Vec<String> =
        meal.portions.iter().map(|portion| format!("{} {} %", portion.name, portion.percent)).collect();
    html! {
        @match &meal.dish {
            Dish::Cook { recipe_id, recipe, .. } => a href=(format!("/recipes/{recipe_id}")) { (recipe) },
            Dish::Leftover { recipe, from_date, .. } => {
                (recipe) " " span.small { "(from " (from_date.format("%A")) ")" }
            },
            Dish::Empty { why } => span.bad { "nothing: " (why) },
        }
        div.small {
            (portions.join(", "))
            @if let Some(minutes) = meal.minutes { " · " (minutes) " min" }
        }
        @if !meal.reasons.is_empty() {
            details.small {
                summary { "why" }
                ul { @for reason in &meal.reasons { li { (reason) } } }
            }
        }
    }
}

fn totals(totals: &[Total]) -> Markup {
    let people: BTreeSet<&str> = totals.iter().map(|total| total.name.as_str()).collect();
    html! {
        @for person in people {
            h3 { (person) }
            div.scroll { table {
                thead { tr { th { "Day" } @for (_, name, unit) in SHOWN { th.n { (name) " (" (unit) ")" } } } }
                tbody {
                    @for day in totals.iter().filter(|total| total.name == person) {
                        tr {
                            th { (day.date.format("%a %-d %b")) }
                            @for (key, _, _) in SHOWN { (cell(day.per_nutrient.get(key))) }
                        }
                    }
                }
                @if let Some(day) = totals.iter().find(|total| total.name == person) {
                    tfoot { tr { th { "goal" } @for (key, _, _) in SHOWN {
                        td.n.small { (day.per_nutrient.get(key).map(goal).unwrap_or_default()) }
                    } } }
                }
            } }
        }
    }
}

fn cell(total: Option<&NutrientTotal>) -> Markup {
    let planned = total.and_then(|total| Some((total, total.planned?)));
    html! {
        @if let Some((total, planned)) = planned {
            @let low = total.min.or(total.low).is_some_and(|least| planned < least);
            @let high = total.max.or(total.high).is_some_and(|most| planned > most);
            td.n.bad[low || high] {
                @if !total.complete { "≥ " }
                (planned.rounded())
            }
        } @else {
            td.n { "?" }
        }
    }
}

fn goal(total: &NutrientTotal) -> String {
    let least = total.low.or(total.min).map(|amount| amount.rounded());
    let most = total.high.or(total.max).map(|amount| amount.rounded());
    match (least, most) {
        (Some(least), Some(most)) => format!("{least}–{most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}
