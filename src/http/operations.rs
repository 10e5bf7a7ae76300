//! Running the server: backups, drills, and people erased.

use super::App;
use super::auth::Caller;
use super::body::{Why, read};
use super::problem::Problem;
use crate::store::backup;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;
use uuid::Uuid;

pub(super) fn add(router: Router<App>) -> Router<App> {
    router
        .route("/admin/backups", get(list).post(back_up))
        .route("/admin/drills", post(drill))
        .route("/admin/people/{id}/erase", post(erase))
}

/// `GET /admin/backups`: newest first.
async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let hub = app.dispatcher.hub();
    let folder = hub.upkeep.as_ref().map(|upkeep| upkeep.folder.clone());
    let found = folder.map(|folder| backup::list(&folder)).transpose()?.unwrap_or_default();
    let items: Vec<_> = found
        .iter()
        .map(|path| json!({ "path": path, "bytes": path.metadata().map(|data| data.len()).ok() }))
        .collect();
    Ok(axum::Json(json!({ "items": items })).into_response())
}

/// `POST /admin/backups` {why}.
async fn back_up(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    let backup = app.dispatcher.hub().back_up(caller.reason(&why)?).await?;
    Ok(axum::Json(json!({
        "path": backup.path, "bytes": backup.bytes, "position": backup.manifest.position,
        "sha256": backup.manifest.hash.sha256,
    }))
    .into_response())
}

/// `POST /admin/drills`: 200 whatever it finds; `ok` says.
async fn drill(State(app): State<App>) -> Result<Response, Problem> {
    let report = app.dispatcher.hub().drill().await?;
    let mut answer = json!(report);
    answer["ok"] = json!(report.differences.is_empty());
    Ok(axum::Json(answer).into_response())
}

/// `POST /admin/people/{id}/erase` {why}.
async fn erase(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<Uuid>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Path(person) = id.map_err(|_| Problem::not_found("people are named by a UUID"))?;
    let Why { why } = read(body).await?;
    let erasure = app.dispatcher.hub().erase(person, caller.reason(&why)?).await?;
    Ok(axum::Json(erasure).into_response())
}
