//! Looking back: the state of any aggregate at any position. And how far read models are.

use super::App;
use super::problem::Problem;
use crate::actors::replay::differences;
use crate::actors::{Hub, PastState};
use crate::domain::envelope::Key;
use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn add(router: Router<App>) -> Router<App> {
    router.route("/admin/state/{context}/{key}", get(state)).route("/admin/projections", get(projections))
}

/// Which moments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    at: Option<i64>,
    from: Option<i64>,
    to: Option<i64>,
}

/// `GET /admin/state/{context}/{key}?at=`, or `?from=&to=` for the changes between.
async fn state(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<Moments>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path((context, key)) = path.map_err(|error| super::path_problem(&error))?;
    let Query(Moments { at, from, to }) = query.map_err(|error| super::query_problem(&error))?;
    let (hub, key) = (app.dispatcher.hub(), Key::from(key));
    let newest = *hub.committed.borrow();
    if from.is_none() && to.is_none() {
        let at = at.unwrap_or(newest);
        let PastState { version, state, .. } = past(hub, &context, &key, at).await?;
        let body =
            json!({ "context": context, "key": key, "at": at, "stream_version": version, "state": state });
        return Ok(axum::Json(body).into_response());
    }
    if at.is_some() {
        let hint = "give at for one state, or from and to for the changes between two";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "at does not go with from and to", hint));
    }
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(newest));
    let before = past(hub, &context, &key, from).await?;
    let after = past(hub, &context, &key, to).await?;
    let moment = |at, past: &PastState| json!({ "at": at, "stream_version": past.version });
    let body = json!({
        "context": context, "key": key, "from": moment(from, &before), "to": moment(to, &after),
        "changes": differences(&before.state, &after.state),
    });
    Ok(axum::Json(body).into_response())
}

async fn past(hub: &Hub, context: &str, key: &Key, at: i64) -> Result<PastState, Problem> {
    let Some(past) = hub.state_at(context, key, at).await? else {
        return Err(Problem::not_found(&format!("no context is called {context:?}")));
    };
    if let Some(stopped) = &past.stopped {
        let detail = format!("the event at {} does not read: {}", stopped.position, stopped.reason);
        let hint = "ask for a position before it; a newer meal-planner may have written it";
        return Err(Problem::new(StatusCode::CONFLICT, detail, hint));
    }
    if past.version == 0 {
        let first = hub.store.stream_after(context, key.clone(), 0, i64::MAX, 1).await?;
        if first.events.is_empty() && first.unreadable.is_none() {
            let hint = "GET /api/events?context=… lists what has happened and to whom";
            let detail = format!("nothing has ever happened to {context}/{key}");
            return Err(Problem::new(StatusCode::NOT_FOUND, detail, hint));
        }
    }
    Ok(past)
}

/// `GET /admin/projections`.
async fn projections(State(app): State<App>) -> Response {
    let hub = app.dispatcher.hub();
    let newest = *hub.committed.borrow();
    let items = hub.views.iter().map(|(name, view)| {
        let position = *view.caught_up.borrow();
        let unread = view.unread.load(Relaxed);
        json!({
            "name": name, "table": view.table, "reads": view.reads, "position": position,
            "lag": (newest - position).max(0), "unread_events": unread, "complete": unread == 0,
            "rebuild": *view.rebuild.borrow(),
        })
    });
    axum::Json(json!({ "items": items.collect::<Vec<_>>() })).into_response()
}
