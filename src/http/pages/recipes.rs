//! Recipes: searched by words, and one in full with what is known of its lines.

use super::layout::page;
use super::{row, rows};
use crate::domain::ingredients::ResolvedLine;
use crate::domain::measure::Milli;
use crate::domain::recipes::{Catalogue, Detail, Details, Summary};
use crate::http::App;
use crate::http::problem::Problem;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub(in super::super) struct Words {
    #[serde(default)]
    q: String,
}

pub(in super::super) async fn all(
    State(app): State<App>,
    Query(Words { q }): Query<Words>,
) -> Result<Response, Problem> {
    let words = q.split_whitespace().map(str::to_lowercase).collect();
    let (found, more) = rows::<Catalogue>(&app, words, None).await?;
    let body = html! {
        form method="get" {
            input type="search" name="q" value=(q) placeholder="name, tag, cuisine, meal";
            button { "Search" }
        }
        p.small { (found.len()) @if more.is_some() { " and more" } " recipes" }
        div.scroll { table {
            thead { tr {
                th { "Recipe" } th { "Meals" } th.n { "Min" } th.n { "kcal" } th.n { "Protein (g)" } th.n { "Known" }
            } }
            tbody { @for recipe in &found { (line(recipe)) } }
        } }
    };
    Ok(page("Recipes", "/recipes", &body))
}

fn line(recipe: &Summary) -> Markup {
    let slots: Vec<&str> = recipe.slots.iter().map(|slot| slot.as_str()).collect();
    html! {
        tr {
            td { a href=(format!("/recipes/{}", recipe.id)) { (recipe.name) } }
            td { (slots.join(", ")) }
            td.n { (recipe.minutes.map_or_else(|| "?".to_owned(), |minutes| minutes.to_string())) }
            td.n { (whole(recipe.per_serving.kcal)) }
            td.n { (whole(recipe.per_serving.protein_g)) }
            td.n { (recipe.lines_counted) " of " (recipe.lines_total) }
        }
    }
}

fn whole(amount: Option<Milli>) -> String {
    amount.map_or_else(|| "?".to_owned(), |amount| amount.rounded().to_string())
}

pub(in super::super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let detail = row::<Details>(&app, &id).await?;
    Ok(page(&detail.recipe.name, "/recipes", &show(&detail)))
}

fn show(detail: &Detail) -> Markup {
    let recipe = &detail.recipe;
    html! {
        @if let Some(text) = &recipe.description { p { (text) } }
        p.small {
            (recipe.servings) " servings"
            @if let Some(minutes) = recipe.minutes() { " · " (minutes) " min" }
            " · version " (detail.version)
        }
        @if let Some(nutrition) = &detail.nutrition {
            p {
                "A serving: " strong { (whole(nutrition.per_serving.kcal)) " kcal" }
                ", protein " (whole(nutrition.per_serving.protein_g)) " g, carbs "
                (whole(nutrition.per_serving.carbs_g)) " g, fat " (whole(nutrition.per_serving.fat_g))
                " g, fibre " (whole(nutrition.per_serving.fibre_g)) " g"
            }
            p.small {
                "Rests on " (nutrition.coverage.lines_counted) " of " (nutrition.coverage.lines_total) " lines."
                @for line in &nutrition.coverage.uncounted { " Not counted: " (line.line) " (" (line.reason) ")." }
            }
        }
        h2 { "Ingredients" }
        ul { @for line in &detail.lines { (ingredient(line)) } }
        h2 { "Steps" }
        ol { @for step in &recipe.steps { li { (step) } } }
        @for remark in &recipe.remarks { p.small { (remark) } }
    }
}

fn ingredient(line: &ResolvedLine) -> Markup {
    html! {
        li {
            (line.raw)
            @if let (Some(food), Some(grams)) = (&line.food_name, line.grams) {
                " " span.small { (food) ", " (grams.rounded()) " g" }
            }
        }
    }
}
