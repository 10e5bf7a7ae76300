//! Commands: parse, accept, answer. What they mean is the contexts' business.

use super::App;
use super::api::{Checked, ContextApi};
use super::auth::digest;
use super::body::{not_json, text};
use super::dead_letters::{address, follow_up, successor};
use super::problem::Problem;
use crate::actors::{Accepted, Done, NewCommand};
use crate::domain::context::{Endpoint, Foreign, KeyFrom, Verb};
use crate::domain::envelope::{Address, Key, derived_id};
use crate::store::Outcome;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::value::RawValue;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longest wait a client may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Answers one request to an endpoint that a context has declared.
pub(super) async fn handle(
    app: &App,
    context: usize,
    endpoint: Endpoint,
    id: Option<String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Problem> {
    let Some(api) = app.api.contexts.get(context) else {
        return Err(Problem::not_found("there is no such context"));
    };
    let text = body_text(endpoint.verb, body)?;
    let request = Request { api, endpoint, id, headers, text };
    if let Some(format) = foreign(headers)?
        && let Some(read) = (api.read_foreign)(endpoint.type_name, format, text)
    {
        return handle_all(app, &request, read?).await;
    }
    let with_id = with_path_id(&request)?;
    let body = with_id.as_deref().unwrap_or(text);
    let checked =
        (api.check)(endpoint.type_name, body).map_err(|no| not_json(body).unwrap_or_else(|| no.into()))?;
    let (status, answer) = accept(app, &request, checked, 0).await?;
    Ok(respond(status, &answer))
}

struct Request<'a> {
    api: &'a ContextApi,
    endpoint: Endpoint,
    id: Option<String>,
    headers: &'a HeaderMap,
    text: &'a str,
}

fn body_text(verb: Verb, body: &[u8]) -> Result<&str, Problem> {
    if body.is_empty() && verb == Verb::Delete {
        return Ok("{}");
    }
    text(body)
}

/// Where there is only one aggregate, an id in the path is the `id` of the body.
fn with_path_id(request: &Request<'_>) -> Result<Option<String>, Problem> {
    let (KeyFrom::Fixed(_), Some(id)) = (request.endpoint.key, &request.id) else { return Ok(None) };
    let mut body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(request.text).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, format!("the body is no JSON object: {error}"), "send {…}")
        })?;
    body.insert("id".to_owned(), id.as_str().into());
    Ok(Some(serde_json::Value::Object(body).to_string()))
}

fn foreign(headers: &HeaderMap) -> Result<Option<Foreign>, Problem> {
    let media =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/json");
    match media.split(';').next().unwrap_or_default().trim().to_lowercase().as_str() {
        "application/json" | "" => Ok(None),
        "application/ld+json" => Ok(Some(Foreign::JsonLd)),
        other => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("{other} is not understood here"),
            "send application/json, or recipes as application/ld+json",
        )),
    }
}

/// A foreign body may hold many things: each becomes a command of its own, with an answer of its own.
async fn handle_all(app: &App, request: &Request<'_>, all: Vec<Checked>) -> Result<Response, Problem> {
    let single = all.len() == 1;
    let mut answers = Vec::with_capacity(all.len());
    for (n, checked) in all.into_iter().enumerate() {
        let answer = accept(app, request, checked, n).await;
        if single {
            return answer.map(|(status, answer)| respond(status, &answer));
        }
        answers.push(match answer {
            Ok((_, answer)) => serde_json::json!(answer),
            Err(problem) => serde_json::json!({ "status": "refused", "problem": problem }),
        });
    }
    let body = serde_json::json!({ "items": answers });
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}

/// What is told about one accepted command.
#[derive(serde::Serialize)]
struct Answer {
    event_id: Uuid,
    status: &'static str,
    follow_up: String,
    key: Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
}

async fn accept(
    app: &App,
    request: &Request<'_>,
    checked: Checked,
    n: usize,
) -> Result<(StatusCode, Answer), Problem> {
    // The first has the id that was given, later ones follow from it, away from the ids of what it causes.
    let nth = |id: Uuid| if n == 0 { id } else { derived_id(id, (1 << 40) + n as u64) };
    let given = given_id(request.headers)?.map(nth);
    let id = given.unwrap_or_else(Uuid::now_v7);
    let key = checked.key.clone().map_or_else(|| key(request, id), Ok)?;
    let command = NewCommand {
        to: Address::new(request.api.name, key),
        id,
        id_given: given.is_some(),
        idempotency: idempotency(request, n)?,
        type_name: checked.type_name,
        schema_version: checked.schema_version,
        body: checked.body,
        trace: super::trace::current(),
        user: None,
        control: false,
    };
    let Some(patience) = patience(request.headers)? else {
        let accepted = app.dispatcher.accept(command).await?;
        return Ok(told(&accepted, "accepted", StatusCode::ACCEPTED));
    };
    let began = Instant::now();
    let (accepted, done) = app.dispatcher.ask(command, patience).await?;
    let Some(done) = done else {
        return Ok(told(&accepted, "accepted", StatusCode::ACCEPTED));
    };
    ended(app, request, &accepted, done, patience.saturating_sub(began.elapsed())).await
}

async fn ended(
    app: &App,
    request: &Request<'_>,
    accepted: &Accepted,
    done: Done,
    patience: Duration,
) -> Result<(StatusCode, Answer), Problem> {
    let event_id = Some(accepted.id);
    match done.outcome {
        Outcome::Rejected { rejection } => Err(Problem { event_id, ..Problem::from(rejection) }),
        Outcome::Dead { reason } => {
            let hint = dead_hint(app, accepted.position).await?;
            Err(Problem { event_id, ..Problem::new(StatusCode::INTERNAL_SERVER_ERROR, reason, hint) })
        }
        Outcome::Handled => {
            let hub = app.dispatcher.hub();
            let began = Instant::now();
            let caught_up = hub.caught_up(request.api.name, done.position);
            if tokio::time::timeout(patience, caught_up).await.is_err() {
                return Ok(told(accepted, "handled", StatusCode::ACCEPTED));
            }
            let left = patience.saturating_sub(began.elapsed());
            let (result, is_final) = result(app, request.endpoint.result, &accepted.key, left).await?;
            let new = request.endpoint.key == KeyFrom::New && request.endpoint.verb == Verb::Post;
            let status = match (is_final, new && !accepted.repeated) {
                (false, _) => StatusCode::ACCEPTED,
                (true, true) => StatusCode::CREATED,
                (true, false) => StatusCode::OK,
            };
            let (status, answer) = told(accepted, "handled", status);
            Ok((status, Answer { result, ..answer }))
        }
    }
}

/// Where a dead message is kept, and what it was replayed as.
async fn dead_hint(app: &App, position: i64) -> Result<String, Problem> {
    Ok(match successor(app, position).await? {
        Some((_, Some(id))) => format!("it was replayed; what became of it stands at {}", follow_up(id)),
        Some((letter, None)) => format!("it is kept among the dead letters: {}", address(&letter.id)),
        None => "the log has more under the trace id".to_owned(),
    })
}

/// The row that shows the result, and whether it is final; waits for that as long as it may.
async fn result(
    app: &App,
    view: Option<&str>,
    key: &Key,
    patience: Duration,
) -> Result<(Option<Box<RawValue>>, bool), Problem> {
    let hub = app.dispatcher.hub();
    let Some(view) = view.and_then(|name| hub.views.get_key_value(name)) else { return Ok((None, true)) };
    let projection = app.api.projections.iter().find(|projection| projection.name() == *view.0);
    let began = Instant::now();
    let mut changes = view.1.caught_up.subscribe();
    loop {
        changes.mark_unchanged();
        let row = view.1.row(&*hub.store, key.as_str()).await?;
        let is_final = match (&row, projection) {
            (Some(row), Some(projection)) => projection.is_final(row),
            _ => true,
        };
        let left = patience.saturating_sub(began.elapsed());
        if is_final || tokio::time::timeout(left, changes.changed()).await.is_err() {
            return Ok((row.and_then(|body| RawValue::from_string(body.to_string()).ok()), is_final));
        }
    }
}

fn told(accepted: &Accepted, status: &'static str, code: StatusCode) -> (StatusCode, Answer) {
    let follow_up = format!("/api/events/{}", accepted.id);
    let key = accepted.key.clone();
    (code, Answer { event_id: accepted.id, status, follow_up, key, result: None })
}

fn respond(status: StatusCode, answer: &Answer) -> Response {
    let mut response = (status, axum::Json(answer)).into_response();
    if let Ok(location) = HeaderValue::from_str(&answer.follow_up) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn key(request: &Request<'_>, id: Uuid) -> Result<Key, Problem> {
    let text = match (request.endpoint.key, &request.id) {
        (KeyFrom::New, _) => id.to_string(),
        (KeyFrom::Fixed(key), _) => key.to_owned(),
        (KeyFrom::Path, Some(text)) => text.clone(),
        (KeyFrom::Path, None) => return Err(Problem::not_found("the path names nothing")),
    };
    if text.is_empty() || text.len() > Key::MAX_BYTES {
        return Err(Problem::not_found("nothing has an id of that length"));
    }
    Ok(Key::from(text))
}

/// A message id of the client's own, for those who queue messages themselves.
fn given_id(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get("message-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::parse_str(text).ok());
    id.map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "Message-Id is no UUID",
            "send a UUID (version 7), or leave it out",
        )
    })
}

/// Of the client's key and of what it asked under it.
type Digests = ([u8; 32], [u8; 32]);

fn idempotency(request: &Request<'_>, n: usize) -> Result<Option<Digests>, Problem> {
    let Some(value) = request.headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
    let Some(key) = key else {
        let hint = "send 1 to 255 visible characters, such as a UUID";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the Idempotency-Key does not read", hint));
    };
    let Endpoint { verb, path, .. } = request.endpoint;
    let asked = format!("{verb:?} {path} {:?}\n{}", request.id, request.text);
    Ok(Some((digest(&format!("{n}\n{key}")), digest(&asked))))
}

/// `Prefer: wait=<seconds>` of RFC 7240.
fn patience(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let preferences = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        preferences.flat_map(|text| text.split([',', ';'])).filter_map(|part| part.split_once('='));
    let wait = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"));
    let Some(text) = wait.map(|(_, text)| text.trim().trim_matches('"')) else { return Ok(None) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let detail = format!("\"wait={text}\" is no number of seconds");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail, "send Prefer: wait=10"));
    }
    // More seconds than fit are as good as the longest wait.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Ok(Some(Duration::from_secs(seconds).min(LONGEST_WAIT)))
}
