//! The week: days by meals with portions, and everybody's days beside their goals.

use super::layout::page;
use super::parts::done;
use super::{newest_row, row};
use crate::domain::context::Context;
use crate::domain::envelope::Address;
use crate::domain::planning::{
    Command, Dish, LockSlot, Meal, NutrientTotal, PlanView, Planning, Plans, RegenerateSlot, SkipSlot,
    Status, Total, UnlockSlot,
};
use crate::domain::recipes::slots::MealSlot;
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::gateways;
use crate::http::problem::Problem;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use chrono::NaiveDate;
use maud::{Markup, html};
use serde::Deserialize;
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

#[derive(Debug, Deserialize)]
pub(in super::super) struct ChangeForm {
    date: NaiveDate,
    slot: MealSlot,
    order: String,
}

pub(in super::super) async fn change(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(ChangeForm { date, slot, order }): Form<ChangeForm>,
) -> Response {
    let back = format!("/plans/{}", super::parts::escaped(&id));
    let give = async {
        let command: Command = match order.as_str() {
            "lock" => LockSlot { date, slot }.into(),
            "unlock" => UnlockSlot { date, slot }.into(),
            "another" => RegenerateSlot { date, slot }.into(),
            "skip" => SkipSlot { date, slot }.into(),
            _ => return Err(Problem::not_found("there is no such order")),
        };
        let position =
            gateways::tell(&app, Address::new(Planning::NAME, id), &command, caller.name()).await?;
        if let Some(position) = position {
            let seen = app.dispatcher.hub().caught_up(Planning::NAME, position);
            // The page is true either way, and newer after a reload.
            let _ = tokio::time::timeout(gateways::PATIENCE, seen).await;
        }
        Ok(())
    };
    done(give.await, &back)
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
        @if let Some(changed) = &plan.changed { p.small { "Last change: " (changed) "." } }
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
            (format!("{:.1}", points(plan.plan.objective))) " points from ideal"
            @if let Some(bound) = plan.plan.bound {
                ", of which at most " (format!("{:.1}", points(plan.plan.objective - bound))) " could be saved by any plan"
            }
            @if let Some(money) = plan.plan.money { "; what is to be bought costs " (money) " as far as prices are known" }
            "."
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
                        @for slot in &slots { td { @if let Some(meal) = meals.get(slot) { (dish(plan, meal)) } } }
                    }
                }
            }
        } }
    }
}

/// One meal's order as a button.
fn order(plan: &PlanView, meal: &Meal, order: &str, name: &str) -> Markup {
    html! {
        form.inline method="post" action=(format!("/plans/{}", plan.id)) {
            input type="hidden" name="date" value=(meal.date);
            input type="hidden" name="slot" value=(meal.slot.as_str());
            input type="hidden" name="order" value=(order);
            button.small { (name) }
        }
    }
}

fn dish(plan: &PlanView, meal: &Meal) -> Markup {
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
            @if let Some(guests) = meal.guests { " · guests: " (guests) " servings" }
        }
        @if !meal.reasons.is_empty() {
            details.small {
                summary { "why" }
                ul { @for reason in &meal.reasons { li { (reason) } } }
            }
        }
        @if matches!(plan.status, Status::Generated | Status::Active) && !matches!(meal.dish, Dish::Empty { .. }) {
            div.orders {
                @if meal.locked {
                    (order(plan, meal, "unlock", "unlock"))
                } @else {
                    (order(plan, meal, "lock", "lock"))
                    (order(plan, meal, "another", "another"))
                }
                (order(plan, meal, "skip", "skip"))
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
