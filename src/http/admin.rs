//! Looking inside: health and the tree of actors.

use super::App;
use super::problem::Problem;
use crate::actors::Stage;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `GET /health/ready`: 200 when messages are accepted and every context handles them.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let hub = app.dispatcher.hub();
    let is_well = |stage| matches!(stage, Stage::Running);
    let mut reasons: Vec<String> = hub
        .registry
        .all()
        .into_iter()
        .filter(|actor| !is_well(actor.state))
        .map(|actor| format!("{} is {}", actor.path, json!(actor.state).as_str().unwrap_or("?")))
        .collect();
    if hub.journal.is_out() {
        reasons.push("the database cannot be written".to_owned());
    }
    if hub.journal.is_fenced() {
        reasons.push("another process owns the store".to_owned());
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

/// `GET /admin/actors`: the tree, a line an actor, in the order of paths.
pub(super) async fn actors(State(app): State<App>) -> Response {
    axum::Json(json!({ "items": app.dispatcher.hub().registry.all() })).into_response()
}

/// `GET /admin/actors/{path}`.
pub(super) async fn actor(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let found = path.ok().and_then(|Path(path)| app.dispatcher.hub().registry.find(&path));
    let found = found.ok_or_else(|| Problem::not_found("no actor has this path; see /admin/actors"))?;
    Ok(axum::Json(found.view()).into_response())
}
