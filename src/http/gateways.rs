//! Outside services over HTTP: their breakers, and what the ledger says of the calls to them.

use super::App;
use super::auth::Caller;
use super::body::{Why, read};
use super::problem::Problem;
use super::queries::page_limit;
use super::query_problem;
use crate::actors::{NewCommand, Undecided};
use crate::domain::breakers::{self, Breakers, ConfigureBreaker, ForceClosed, ForceOpen, Release, Settings};
use crate::domain::context::Context;
use crate::domain::envelope::Address;
use crate::domain::message::Message;
use crate::domain::operations::Reason;
use crate::store::{EffectEnd, EffectQuery, EffectState, Outcome, Recovery, StoredEffect};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// How long an order may take until it is answered as accepted.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn add(router: Router<App>) -> Router<App> {
    router
        .route("/admin/breakers", get(list))
        .route("/admin/breakers/{service}", put(configure))
        .route("/admin/breakers/{service}/open", post(open))
        .route("/admin/breakers/{service}/close", post(close))
        .route("/admin/breakers/{service}/release", post(release))
        .route("/admin/effects", get(effects))
        .route("/admin/effects/{id}", get(effect))
        .route("/admin/effects/{id}/decide", post(decide))
}

async fn list(State(app): State<App>) -> Response {
    let gateways = &app.dispatcher.hub().gateways;
    let items: Vec<Value> = gateways.all().iter().map(|service| breaker(&app, service.service)).collect();
    Json(json!({ "items": items })).into_response()
}

/// A breaker with what was seen of its service.
fn breaker(app: &App, service: &str) -> Value {
    let gateways = &app.dispatcher.hub().gateways;
    let mut shown = json!(gateways.board.breaker(service));
    shown["service"] = service.into();
    shown["calls"] = json!(gateways.all().into_iter().find(|view| view.service == service));
    shown
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configure {
    #[serde(default)]
    settings: Settings,
}

async fn configure(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(service): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Configure { settings } = read(body).await?;
    order(&app, &service, ConfigureBreaker { settings }.into(), caller.name()).await
}

async fn open(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(service): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    order(&app, &service, ForceOpen { why }.into(), caller.name()).await
}

async fn close(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(service): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    order(&app, &service, ForceClosed { why }.into(), caller.name()).await
}

async fn release(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(service): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    order(&app, &service, Release { why }.into(), caller.name()).await
}

pub(super) async fn order(
    app: &App,
    service: &str,
    command: breakers::Command,
    by: String,
) -> Result<Response, Problem> {
    let hub = app.dispatcher.hub();
    if !hub.gateways.knows(service) {
        return Err(Problem::not_found("no service is called that; see /admin/breakers"));
    }
    Breakers::check(&command)?;
    let handled = tell(app, Address::new(Breakers::NAME, service), &command, by).await?;
    let Some(position) = handled else {
        return Ok((StatusCode::ACCEPTED, Json(breaker(app, service))).into_response());
    };
    // Who asks next sees it.
    let seen = tokio::time::timeout(PATIENCE, hub.gateways.board.caught_up(position)).await;
    let status = if seen.is_ok() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(breaker(app, service))).into_response())
}

/// Gives a command of the operator's; answers up to where it was handled. `None`: accepted, and still at work.
pub(super) async fn tell<M: Message>(
    app: &App,
    to: Address,
    command: &M,
    by: String,
) -> Result<Option<i64>, Problem> {
    let body = command.encode().map_err(crate::domain::context::Rejection::from)?;
    let command = NewCommand {
        to,
        type_name: command.type_name().to_owned(),
        schema_version: command.schema_version(),
        body,
        id: Uuid::now_v7(),
        id_given: false,
        idempotency: None,
        trace: super::trace::current(),
        user: Some(by),
        control: true,
    };
    let (accepted, done) = app.dispatcher.ask(command, PATIENCE).await?;
    let event_id = Some(accepted.id);
    match done.map(|done| (done.outcome, done.position)) {
        None => Ok(None),
        Some((Outcome::Handled, position)) => Ok(Some(position)),
        Some((Outcome::Rejected { rejection }, _)) => Err(Problem { event_id, ..Problem::from(rejection) }),
        Some((Outcome::Dead { reason }, _)) => {
            let hint = "it is kept among the dead letters; the log has more under the trace id";
            Err(Problem { event_id, ..Problem::new(StatusCode::INTERNAL_SERVER_ERROR, reason, hint) })
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EffectsQuery {
    state: Option<EffectState>,
    service: Option<String>,
    limit: Option<u32>,
    /// Only those staged before this time.
    before: Option<DateTime<Utc>>,
}

/// `GET /admin/effects`: newest first.
async fn effects(
    State(app): State<App>,
    query: Result<Query<EffectsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| query_problem(&error))?;
    let limit = page_limit(query.limit)?;
    let wanted = EffectQuery {
        state: query.state,
        service: query.service,
        before_us: query.before.map(|before| before.timestamp_micros()),
        limit,
        ..EffectQuery::default()
    };
    let found = app.dispatcher.hub().store.effects(wanted).await?;
    let items: Vec<Value> = found.iter().map(shown).collect();
    Ok(Json(json!({ "items": items })).into_response())
}

async fn effect(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = app.dispatcher.hub().effect(effect_id(&id)?).await?;
    Ok(Json(shown(&found)).into_response())
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decided {
    Done,
    Failed,
}

impl Decided {
    pub(super) fn end(self, response: Option<String>, reason: &Reason) -> EffectEnd {
        match self {
            Self::Done => EffectEnd::Done { response: response.unwrap_or_default() },
            Self::Failed => EffectEnd::Failed { error: format!("{} says: {}", reason.by, reason.why) },
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    outcome: Decided,
    /// For one that is done: what the service would have answered.
    #[serde(default)]
    response: Option<Box<RawValue>>,
    why: String,
}

/// `POST /admin/effects/{id}/decide`: what became of one that is unknown. A failed one is called again.
async fn decide(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Decision { outcome, response, why } = read(body).await?;
    let reason = caller.reason(&why)?;
    let end = outcome.end(response.map(|raw| raw.get().to_owned()), &reason);
    let decided = app.dispatcher.hub().decide_effect(effect_id(&id)?, end, reason).await?;
    Ok(Json(shown(&decided)).into_response())
}

fn effect_id(id: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(id).map_err(|_| Problem::not_found("no effect has this id; see /admin/effects"))
}

fn shown(stored: &StoredEffect) -> Value {
    let at = |us: Option<i64>| us.and_then(DateTime::from_timestamp_micros);
    let raw = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
    };
    let effect = &stored.effect;
    json!({
        "id": effect.id,
        "state": stored.state,
        "attempt": stored.attempt,
        "service": effect.service,
        "operation": effect.operation,
        "context": effect.context,
        "key": effect.key,
        "position": effect.position,
        "request": raw(&Some(effect.request.clone())),
        "recovery": effect.recovery,
        "needs_decision": stored.state == EffectState::Unknown && effect.recovery == Recovery::Operator,
        "response": raw(&stored.response),
        "error": stored.error,
        "late": raw(&stored.late),
        "epoch": stored.epoch,
        "staged_at": at(Some(stored.staged_us)),
        "sent_at": at(stored.sent_us),
        "ended_at": at(stored.ended_us),
    })
}

impl From<Undecided> for Problem {
    fn from(undecided: Undecided) -> Self {
        let text = undecided.to_string();
        match undecided {
            Undecided::NoSuchEffect(_) => Self::not_found(&text),
            Undecided::NotUnknown { .. } => {
                Self::new(StatusCode::CONFLICT, text, "only an effect that is unknown can be decided")
            }
            Undecided::Store(error) => error.into(),
        }
    }
}
