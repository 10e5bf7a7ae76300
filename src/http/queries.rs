//! Read models over HTTP: pages of rows, single rows.

use super::App;
use super::problem::Problem;
use crate::store::{RowCursor, RowQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

const DEFAULT_LIMIT: u32 = 50;
const LONGEST_PAGE: u32 = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

pub(super) async fn list(app: &App, view: &str, query: ListQuery) -> Result<Response, Problem> {
    let Some(view) = app.dispatcher.hub().views.get(view) else {
        return Err(Problem::not_found("there is no such list"));
    };
    let limit = page_limit(query.limit)?;
    let words = query.q.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let after = query.cursor.as_deref().map(cursor).transpose()?;
    let page = app.dispatcher.hub().store.rows(&view.table, RowQuery { words, after, limit }).await?;
    let bodies: Vec<&str> = page.rows.iter().map(|(_, body)| body.as_str()).collect();
    let next = page.next.as_ref().map(cursor_text);
    let next = next.map_or_else(|| "null".to_owned(), |text| format!("\"{text}\""));
    Ok(json(format!("{{\"items\":[{}],\"next\":{next}}}", bodies.join(","))))
}

pub(super) async fn item(app: &App, view: &str, key: &str) -> Result<Response, Problem> {
    let Some(view) = app.dispatcher.hub().views.get(view) else {
        return Err(Problem::not_found("there is no such thing"));
    };
    match view.row(&*app.dispatcher.hub().store, key).await? {
        Some(body) => Ok(json(body.to_string())),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("nothing here has the id {key:?}"),
            "list what there is without the id; what was just accepted may take a moment (Prefer: wait)",
        )),
    }
}

pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=LONGEST_PAGE => Ok(limit),
        limit => Err(Problem::invalid(
            "/limit",
            format!("a page of {limit} is not possible"),
            format!("ask for 1 to {LONGEST_PAGE} and follow \"next\""),
        )),
    }
}

fn cursor_text(cursor: &RowCursor) -> String {
    let text = serde_json::json!(cursor).to_string();
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn cursor(text: &str) -> Result<RowCursor, Problem> {
    let digits = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(digits).collect();
    let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    cursor.ok_or_else(|| {
        Problem::invalid(
            "/cursor",
            "this cursor was not made here",
            "use \"next\" of the page before as it is",
        )
    })
}

pub(super) fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
