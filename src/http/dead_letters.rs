//! The operator's desk over HTTP: dead letters listed, inspected, edited, rehearsed, replayed and discarded.

use super::App;
use super::auth::Caller;
use super::body::{Why, read};
use super::problem::Problem;
use super::queries::page_limit;
use super::query_problem;
use crate::actors::PastState;
use crate::actors::desk::{self, Desk, DeskError, Inspected, Mark, Replayed, Sweep, Swept};
use crate::domain::operations::Reason;
use crate::store::{Attempt, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

/// Length of a state that is shown with a dead letter, in bytes.
const LONGEST_STATE: usize = 256 * 1024;

pub(super) fn add(router: Router<App>) -> Router<App> {
    router
        .route("/admin/dead-letters", get(list))
        .route("/admin/dead-letters/replay", post(replay_all))
        .route("/admin/dead-letters/discard", post(discard_all))
        .route("/admin/dead-letters/{id}", get(inspect))
        .route("/admin/dead-letters/{id}/body", put(edit))
        .route("/admin/dead-letters/{id}/dry-run", post(dry_run))
        .route("/admin/dead-letters/{id}/replay", post(replay))
        .route("/admin/dead-letters/{id}/discard", post(discard))
}

pub(super) fn desk(app: &App) -> Desk {
    Desk::new(app.dispatcher.hub().clone())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<DeadLetterState>,
    context: Option<String>,
    key: Option<String>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| query_problem(&error))?;
    let before = query.cursor.as_deref().map(cursor).transpose()?;
    let query = DeadLetterQuery {
        state: query.state,
        context: query.context,
        key: query.key,
        type_name: query.type_name,
        before,
        limit: page_limit(query.limit)?,
        ..DeadLetterQuery::default()
    };
    let (letters, next) = desk(&app).list(query).await?;
    let items: Vec<Value> = letters.iter().map(brief).collect();
    Ok(Json(json!({ "items": items, "next": next.as_ref().map(desk::name) })).into_response())
}

async fn inspect(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = desk(&app).inspect(&known(&id)?).await?;
    Ok(Json(whole(&found)).into_response())
}

/// An edit: the new body, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    body: Box<RawValue>,
    why: String,
}

async fn edit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let edit: Edit = read(body).await?;
    let reason = caller.reason(&edit.why)?;
    let edited = desk(&app).edit(&known(&id)?, edit.body.get(), reason).await;
    let edited = edited.map_err(within_body)?;
    Ok(Json(brief(&edited)).into_response())
}

/// The fault is in what stands under `body`.
fn within_body(mut error: DeskError) -> DeskError {
    if let DeskError::Invalid(rejection) = &mut error {
        rejection.pointer = rejection.pointer.take().map(|pointer| format!("/body{pointer}"));
    }
    error
}

async fn dry_run(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(Json(desk(&app).dry_run(&known(&id)?).await?).into_response())
}

async fn replay(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    let replayed = desk(&app).replay(&known(&id)?, caller.reason(&why)?).await?;
    Ok((StatusCode::ACCEPTED, Json(told(&replayed))).into_response())
}

async fn discard(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Why { why } = read(body).await?;
    let letter = desk(&app).discard(&known(&id)?, caller.reason(&why)?).await?;
    Ok(Json(brief(&letter)).into_response())
}

/// What a sweep is told: which dead letters, how many at a time, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepBody {
    #[serde(default)]
    filter: SweepFilter,
    limit: Option<u32>,
    cursor: Option<String>,
    why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SweepFilter {
    context: Option<String>,
    key: Option<String>,
    #[serde(rename = "type")]
    type_name: Option<String>,
}

async fn replay_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let (sweep, reason) = sweep(body, &caller).await?;
    let swept = desk(&app).replay_all(sweep, &reason).await?;
    Ok(Json(swept_up("replayed", &swept)).into_response())
}

async fn discard_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let (sweep, reason) = sweep(body, &caller).await?;
    let swept = desk(&app).discard_all(sweep, &reason).await?;
    Ok(Json(swept_up("discarded", &swept)).into_response())
}

async fn sweep(body: Body, caller: &Caller) -> Result<(Sweep, Reason), Problem> {
    let SweepBody { filter, limit, cursor: after, why } = read(body).await?;
    let SweepFilter { context, key, type_name } = filter;
    let mark = |text: &str| Mark::parse(text).ok_or_else(foreign_cursor);
    let after = after.as_deref().map(mark).transpose()?;
    let sweep = Sweep { context, type_name, key, after, limit: page_limit(limit)? };
    Ok((sweep, caller.reason(&why)?))
}

fn swept_up(verb: &str, swept: &Swept) -> Value {
    let left = swept.left.iter().map(|(id, why)| json!({ "id": desk::name(id), "why": why.to_string() }));
    json!({
        verb: swept.done,
        "left": left.collect::<Vec<_>>(),
        "next": swept.next.as_ref().map(Mark::to_string),
    })
}

fn told(replayed: &Replayed) -> Value {
    match replayed {
        Replayed::As { id, position } => json!({
            "replayed": "as a new message", "event_id": id, "position": position, "follow_up": follow_up(*id),
        }),
        Replayed::Answered { commands } => {
            json!({ "replayed": "the policy has taken its event", "commands": commands })
        }
        Replayed::Rebuilding { projection } => json!({
            "replayed": "the read model is being rebuilt", "projection": projection,
            "follow_up": "/admin/projections",
        }),
    }
}

/// What has taken the place of a dead message, for those who ask after it.
pub(super) async fn successor(
    app: &App,
    position: i64,
) -> Result<Option<(DeadLetter, Option<Uuid>)>, Problem> {
    let id = DeadLetterId { position, reader: String::new() };
    match desk(app).find(&id).await {
        Ok(letter) => {
            let replayed_as = letter.replayed_as;
            Ok(Some((letter, replayed_as)))
        }
        Err(DeskError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn follow_up(id: Uuid) -> String {
    format!("/api/events/{id}")
}

pub(super) fn address(id: &DeadLetterId) -> String {
    format!("/admin/dead-letters/{}", desk::name(id))
}

pub(super) fn known(id: &str) -> Result<DeadLetterId, Problem> {
    desk::of_name(id).ok_or_else(|| {
        let hint = "write it as in the list: a position, or position:reader";
        Problem::new(StatusCode::NOT_FOUND, format!("no dead letter is called {id:?}"), hint)
    })
}

pub(super) fn cursor(text: &str) -> Result<DeadLetterId, Problem> {
    desk::of_name(text).ok_or_else(foreign_cursor)
}

fn foreign_cursor() -> Problem {
    let hint = "use \"next\" of the page before as it is";
    Problem::invalid("/cursor", "this cursor was not made here", hint)
}

fn time(us: i64) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_micros(us)
}

fn brief(letter: &DeadLetter) -> Value {
    json!({
        "id": desk::name(&letter.id),
        "position": letter.id.position,
        "reader": (!letter.id.reader.is_empty()).then_some(&letter.id.reader),
        "context": letter.context,
        "key": letter.key,
        "type": letter.type_name,
        "state": letter.state,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "at": time(letter.at_us),
        "holds_its_key": letter.holds,
        "edited": letter.edited.is_some(),
        "readable": letter.raw.is_none(),
        "settled_at": letter.settled_us.and_then(time),
        "replayed_as": letter.replayed_as,
        "follow_up": letter.replayed_as.map(follow_up),
        "why": letter.note,
        "details": address(&letter.id),
    })
}

fn whole(found: &Inspected) -> Value {
    let Inspected { letter, message, attempts, state } = found;
    let mut shown = brief(letter);
    shown["message"] = json!(message.as_ref().map(|message| message.public()));
    shown["edited_body"] = letter.edited.as_deref().map_or(Value::Null, as_json);
    shown["raw"] = letter.raw.as_deref().map_or(Value::Null, raw);
    shown["history"] = attempts.iter().map(attempt).collect();
    shown["aggregate"] = state.as_ref().map_or(Value::Null, |state| past(state, letter.seen_position));
    shown
}

fn as_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Text where it is text, else hexadecimal.
fn raw(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "encoding": "text", "value": text }),
        Err(_) => json!({ "encoding": "hex", "value": hex(bytes) }),
    }
}

/// The same without saying which.
pub(super) fn raw_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| hex(bytes), str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attempt(attempt: &Attempt) -> Value {
    let Attempt { attempt, cause, error, generation, epoch, at_us } = attempt;
    json!({
        "attempt": attempt, "cause": cause, "error": error, "generation": generation, "epoch": epoch,
        "at": time(*at_us),
    })
}

/// A state of many megabytes helps nobody.
fn past(state: &PastState, position: i64) -> Value {
    let length = state.state.to_string().len();
    let stopped = state.stopped.as_ref();
    json!({
        "as_of": position,
        "version": state.version,
        "state": if length <= LONGEST_STATE { state.state.clone() } else { Value::Null },
        "state_bytes": length,
        "stopped": stopped.map(|stopped| json!({ "position": stopped.position, "reason": stopped.reason })),
    })
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let text = error.to_string();
        let conflict = |hint: String| Self::new(StatusCode::CONFLICT, text.clone(), hint);
        match error {
            DeskError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, text, "see /admin/dead-letters"),
            DeskError::Settled { replayed_as: Some(id), .. } => {
                conflict(format!("what became of it stands at {}", follow_up(id)))
            }
            DeskError::Settled { .. } => {
                conflict("send what it asked for anew, if it is still wanted".to_owned())
            }
            DeskError::Unreadable(id) => {
                conflict(format!("write its body anew: PUT {}/body, or discard it", address(&id)))
            }
            DeskError::AnEvent(_) => conflict("replay it, so that its reader tries it again".to_owned()),
            DeskError::NotYet(_) => conflict("then try again".to_owned()),
            DeskError::Invalid(rejection) => rejection.into(),
            DeskError::Store(error) => error.into(),
        }
    }
}
