//! The shopping list, by aisle, with its reasons.

use super::layout::page;
use super::{newest_row, row};
use crate::domain::shopping::{ListLine, ListView, Lists};
use crate::http::App;
use crate::http::problem::Problem;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

pub(in super::super) async fn newest(State(app): State<App>) -> Result<Response, Problem> {
    Ok(match newest_row::<Lists>(&app).await? {
        Some(list) => show(&list),
        None => page("No shopping list yet", "/shopping", &html! { p { "Plan a week first." } }),
    })
}

pub(in super::super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(show(&row::<Lists>(&app, &id).await?))
}

fn show(list: &ListView) -> Response {
    let (staples, wanted): (Vec<_>, Vec<_>) = list.lines.iter().partition(|line| line.staple);
    let body = html! {
        @for group in wanted.chunk_by(|a, b| a.aisle == b.aisle) {
            h2 { (group.first().map(|line| line.aisle.as_str()).unwrap_or_default()) }
            ul.plain { @for line in group { (item(list, line)) } }
        }
        @if !staples.is_empty() {
            h2 { "Check that you have" }
            ul.plain { @for line in staples { (item(list, line)) } }
        }
        @for remark in &list.remarks { p { (remark) } }
    };
    let title = if list.completed { "Shopping list (done)" } else { "Shopping list" };
    page(title, "/shopping", &body)
}

fn item(list: &ListView, line: &ListLine) -> Markup {
    html! {
        li.done[line.checked] {
            label {
                input type="checkbox" data-list=(list.id) data-line=(line.key)
                    checked[line.checked] disabled[list.completed];
                span { (line.name) " " strong { (line.amount_text) } }
            }
            @if let Some(full) = &line.line {
                details.small {
                    summary { "for " (full.reasons.len()) " meal(s)" }
                    ul {
                        @for reason in &full.reasons {
                            li {
                                (reason.date.format("%a %-d %b")) " " (reason.slot) ": " (reason.recipe)
                                @if let Some(grams) = reason.grams { " (" (grams.rounded()) " g)" }
                            }
                        }
                        @for raw in &full.unmeasured { li { "as written: " (raw) } }
                    }
                }
            }
        }
    }
}
