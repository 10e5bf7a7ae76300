//! The log over HTTP: where a message stands, pages of messages, and a live stream.

use super::App;
use super::dead_letters::{address, follow_up, successor};
use super::problem::Problem;
use super::queries::page_limit;
use super::query_problem;
use crate::actors::Hub;
use crate::domain::envelope::{Envelope, Kind};
use crate::store::{Filter, MessageStatus, Outcome};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use uuid::Uuid;

/// Messages caused by one command that are listed with it.
const MOST_CAUSED: i64 = 1000;
const STREAM_BATCH: usize = 500;

/// `GET /api/events/{id}`.
pub(super) async fn status(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("no message has this id");
    let Path(id) = id.map_err(|_| unknown())?;
    let store = &app.dispatcher.hub().store;
    let Some(status) = store.message(id).await? else { return Err(unknown()) };
    let caused = match status.outcome.as_ref().and_then(|outcome| outcome.caused) {
        Some((first, last)) => store.range(first, last.min(first + MOST_CAUSED)).await?,
        None => Vec::new(),
    };
    let mut answer = described(&status, &caused);
    if matches!(status.outcome.as_ref().map(|stored| &stored.outcome), Some(Outcome::Dead { .. }))
        && let Some((letter, replayed_as)) = successor(&app, status.envelope.position).await?
    {
        answer["dead_letter"] = json!({
            "id": letter.id.position, "state": letter.state, "details": address(&letter.id),
        });
        answer["replayed_as"] =
            json!(replayed_as.map(|id| { json!({ "event_id": id, "follow_up": follow_up(id) }) }));
    }
    Ok(axum::Json(answer).into_response())
}

fn described(status: &MessageStatus, caused: &[Envelope]) -> serde_json::Value {
    let word = match (&status.outcome, &status.waiting, status.envelope.kind) {
        (_, _, Kind::Event) => "recorded",
        (Some(stored), _, _) => match stored.outcome {
            Outcome::Handled => "handled",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Dead { .. } => "dead",
        },
        (None, Some(waiting), _) if waiting.attempts > 0 => "retrying",
        (None, _, _) => "accepted",
    };
    let brief = |message: &Envelope| {
        json!({
            "id": message.id, "position": message.position, "kind": message.kind,
            "type": message.type_name, "context": message.context, "key": message.key,
        })
    };
    let mut answer = json!({
        "event_id": status.envelope.id,
        "status": word,
        "message": status.envelope.public(),
        "caused": caused.iter().map(brief).collect::<Vec<_>>(),
        "related": format!("/api/events?correlation={}", status.envelope.correlation_id),
    });
    match status.outcome.as_ref().map(|stored| &stored.outcome) {
        Some(Outcome::Rejected { rejection }) => answer["rejection"] = json!(rejection),
        Some(Outcome::Dead { reason }) => answer["reason"] = json!(reason),
        Some(Outcome::Handled) | None => {}
    }
    if let Some(waiting) = &status.waiting {
        answer["attempts"] = json!(waiting.attempts);
        answer["last_error"] = json!(waiting.last_error);
        if waiting.available_at_us > 0 {
            answer["next_attempt"] = json!(DateTime::from_timestamp_micros(waiting.available_at_us));
        }
    }
    answer
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventQuery {
    after: Option<i64>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    context: Option<String>,
    key: Option<String>,
    trace: Option<String>,
    correlation: Option<Uuid>,
    kind: Option<Kind>,
    limit: Option<u32>,
}

impl EventQuery {
    fn filter(&self) -> Filter {
        Filter {
            kinds: self.kind,
            contexts: self.context.iter().cloned().collect(),
            type_name: self.type_name.clone(),
            key: self.key.clone(),
            correlation: self.correlation,
            trace: self.trace.clone(),
        }
    }
}

/// `GET /api/events`: oldest first; `next_after` goes into `after` for the next page, until it stops moving.
pub(super) async fn list(
    State(app): State<App>,
    query: Result<Query<EventQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| query_problem(&error))?;
    let limit = page_limit(query.limit)?;
    let after = query.after.unwrap_or(0).max(0);
    let page = app.dispatcher.hub().messages_after(after, limit as usize, &query.filter()).await?;
    let items: Vec<_> = page.messages.iter().map(|message| message.public()).collect();
    Ok(axum::Json(json!({ "items": items, "next_after": page.read_to })).into_response())
}

/// `GET /api/events/stream`: server-sent events from `after` or `Last-Event-ID` on; from now on without either.
pub(super) async fn live(
    State(app): State<App>,
    query: Result<Query<EventQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let Query(query) = query.map_err(|error| query_problem(&error))?;
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let hub = app.dispatcher.hub().clone();
    let newest = *hub.committed.borrow();
    let follower = Follower {
        position: last_id.or(query.after).unwrap_or(newest),
        filter: query.filter(),
        pending: VecDeque::new(),
        hub,
    };
    Ok(Sse::new(stream::unfold(follower, next_event)).keep_alive(KeepAlive::default()))
}

struct Follower {
    hub: Arc<Hub>,
    position: i64,
    filter: Filter,
    pending: VecDeque<Arc<Envelope>>,
}

async fn next_event(mut follower: Follower) -> Option<(Result<SseEvent, Infallible>, Follower)> {
    let mut committed = follower.hub.committed.subscribe();
    loop {
        if let Some(message) = follower.pending.pop_front() {
            let event = SseEvent::default()
                .id(message.position.to_string())
                .event(&*message.type_name)
                .data(json!(message.public()).to_string());
            return Some((Ok(event), follower));
        }
        let page = follower.hub.messages_after(follower.position, STREAM_BATCH, &follower.filter).await;
        match page {
            Ok(page) if page.read_to > follower.position => {
                follower.position = page.read_to;
                follower.pending = page.messages.into();
            }
            // The client reconnects with Last-Event-ID when the store is back.
            Err(error) => {
                tracing::warn!(%error, "an event stream ends");
                return None;
            }
            Ok(_) => {
                let position = follower.position;
                committed.wait_for(|newest| *newest > position).await.ok()?;
            }
        }
    }
}
