//! Orders to the runtime: actors restarted, paused and resumed, read models rebuilt; and what waits for its time.

use super::App;
use super::auth::Caller;
use super::body::{Why, read};
use super::problem::Problem;
use super::queries::page_limit;
use super::{path_problem, query_problem};
use crate::actors::{Hub, Order, OrderRefused};
use crate::domain::operations::{
    ActorPaused, ActorRestartRequested, ActorResumed, Event, ProjectionRebuildRequested, Reason,
};
use crate::store::{Timer, TimerQuery};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn add(router: Router<App>) -> Router<App> {
    router
        .route("/admin/actors/{*path}", get(super::admin::actor).post(order))
        .route("/admin/projections/{name}/rebuild", post(rebuild))
        .route("/admin/timers", get(timers))
}

/// `POST /admin/actors/{path}/{restart|pause|resume}`.
async fn order(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Path(path) = path.map_err(|error| path_problem(&error))?;
    let (path, verb) = path.rsplit_once('/').unwrap_or(("", &path));
    let order = verb_of(verb).ok_or_else(|| {
        let hint =
            "POST to /admin/actors/PATH/restart, …/pause or …/resume, with the PATH of GET /admin/actors";
        Problem::new(StatusCode::NOT_FOUND, format!("there is no order {verb:?}"), hint)
    })?;
    let Why { why } = read(body).await?;
    give(app.dispatcher.hub(), path, order, caller.reason(&why)?)?;
    let actor = app.dispatcher.hub().registry.find(path).map(|status| status.view());
    Ok((StatusCode::ACCEPTED, Json(json!({ "ordered": verb, "actor": actor }))).into_response())
}

pub(super) fn verb_of(text: &str) -> Option<Order> {
    match text {
        "restart" => Some(Order::Restart),
        "pause" => Some(Order::Pause),
        "resume" => Some(Order::Resume),
        _ => None,
    }
}

/// Carries an order out and puts it on the record; an outage of the database is no reason not to.
pub(super) fn give(hub: &Hub, path: &str, order: Order, reason: Reason) -> Result<(), Problem> {
    if path.is_empty() {
        let hint = "restart the process, or name one of those below it";
        return Err(Problem::new(StatusCode::CONFLICT, "the root takes no orders", hint));
    }
    hub.order(path, order)?;
    let event = match order {
        Order::Restart => Event::from(ActorRestartRequested { reason }),
        Order::Pause => ActorPaused { reason }.into(),
        Order::Resume => ActorResumed { reason }.into(),
    };
    hub.notice(path, &event);
    Ok(())
}

impl From<OrderRefused> for Problem {
    fn from(refused: OrderRefused) -> Self {
        let text = refused.to_string();
        match refused {
            OrderRefused::NoSuchActor(_) => Self::new(StatusCode::NOT_FOUND, text, "see GET /admin/actors"),
            OrderRefused::CannotPause { .. } => {
                Self::new(StatusCode::CONFLICT, text, "pause a context, a read model or a policy instead")
            }
        }
    }
}

/// `POST /admin/projections/{name}/rebuild`: beside the live table; live reads go on.
async fn rebuild(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    name: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|error| path_problem(&error))?;
    let Why { why } = read(body).await?;
    begin_rebuild(app.dispatcher.hub(), &name, caller.reason(&why)?)?;
    let body = json!({ "rebuilding": name, "follow_up": "/admin/projections" });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

pub(super) fn begin_rebuild(hub: &Hub, name: &str, reason: Reason) -> Result<(), Problem> {
    if hub.rebuild(name).is_none() {
        let hint = "see GET /admin/projections";
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("no read model is called {name:?}"), hint));
    }
    hub.notice(&format!("projections/{name}"), &ProjectionRebuildRequested { reason }.into());
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimersQuery {
    context: Option<String>,
    limit: Option<u32>,
}

/// `GET /admin/timers`: commands that leave when their time comes, and keys that wait for something.
async fn timers(
    State(app): State<App>,
    query: Result<Query<TimersQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(TimersQuery { context, limit }) = query.map_err(|error| query_problem(&error))?;
    let limit = page_limit(limit)?;
    let hub = app.dispatcher.hub();
    let (timers, more) = due(hub, context.clone(), limit).await?;
    let waiting =
        hub.lanes.iter().filter(|(name, _)| context.as_deref().is_none_or(|wanted| wanted == **name));
    let waiting = waiting.flat_map(|(name, lane)| {
        lane.status.view().waits.into_iter().map(move |wait| {
            json!({
                "context": name, "key": wait.key, "reason": wait.reason, "since": wait.since,
                "until": wait.until,
            })
        })
    });
    let waiting: Vec<Value> = waiting.collect();
    let items: Vec<Value> = timers.iter().map(timer).collect();
    Ok(Json(json!({ "items": items, "more": more, "waiting": waiting })).into_response())
}

/// The next timers, and whether there are more.
pub(super) async fn due(
    hub: &Hub,
    context: Option<String>,
    limit: u32,
) -> Result<(Vec<Timer>, bool), Problem> {
    let query = TimerQuery { context, limit: limit.saturating_add(1), ..TimerQuery::default() };
    let mut timers = hub.store.timers(query).await?.timers;
    let more = timers.len() > limit as usize;
    timers.truncate(limit as usize);
    Ok((timers, more))
}

fn timer(timer: &Timer) -> Value {
    let Timer { owner, due_us, to_context, to_key, type_name, body, schedule, .. } = timer;
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::from(text));
    json!({
        "context": owner.context, "key": owner.key, "name": owner.name,
        "due": DateTime::from_timestamp_micros(*due_us),
        "to": { "context": to_context, "key": to_key, "type": type_name, "detail": read(body) },
        "schedule": schedule.as_deref().map(read),
    })
}
