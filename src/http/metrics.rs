//! Prometheus metrics: requests as they come, actors as they stand when asked.

use super::App;
use super::problem::Problem;
use crate::actors::{ActorView, Gateways, Hub, Stage};
use crate::domain::breakers::Circuit;
use crate::domain::context::Projection;
use crate::domain::sagas::SagasView;
use crate::store::{DeadLetterQuery, DeadLetterState, RowQuery, TimerQuery};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// Upper bounds of request times, in seconds.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What is counted row by row is counted up to here.
const COUNTED: u32 = 1000;

const STAGES: [(Stage, &str); 5] = [
    (Stage::Starting, "starting"),
    (Stage::Running, "running"),
    (Stage::Restarting, "restarting"),
    (Stage::Quarantined, "quarantined"),
    (Stage::Stopped, "stopped"),
];

/// What requests are told apart by.
type Labels = (Option<MatchedPath>, Method, StatusCode);

/// A recorder of its own: nothing global, so that two servers can live in one process.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Looked up once a kind of request, not once a request. Routes, methods and status codes are few.
    histograms: RwLock<HashMap<(String, Method, StatusCode), Histogram>>,
}

impl Metrics {
    fn histogram(&self, (path, method, status): Labels) -> Histogram {
        let route = path.as_ref().map_or("other", MatchedPath::as_str);
        // A method somebody has made up must not make a new series.
        let method = if KNOWN_METHODS.contains(&method) { method } else { Method::OPTIONS };
        let key = (route.to_owned(), method, status);
        let known = self.histograms.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let (route, method, status) = key.clone();
            let labels =
                [("route", route), ("method", method.to_string()), ("status", status.as_u16().to_string())];
            let made = metrics::with_local_recorder(&self.recorder, || {
                histogram!("http_server_request_duration_seconds", &labels)
            });
            self.histograms.write().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
            made
        })
    }
}

const KNOWN_METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];

impl Default for Metrics {
    fn default() -> Self {
        // Setting buckets fails only for an empty list.
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(&BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        Self { recorder, handle, histograms: RwLock::default() }
    }
}

pub(super) async fn middleware(
    State(metrics): State<Arc<Metrics>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let response = next.run(request).await;
    let key = (path, method, response.status());
    metrics.histogram(key).record(began.elapsed().as_secs_f64());
    response
}

/// `GET /metrics`.
pub(super) async fn render(State(app): State<App>) -> Result<Response, Problem> {
    let hub = app.dispatcher.hub();
    let (open, overdue) = backlog(hub).await?;
    let sagas = sagas_at_work(hub).await?;
    metrics::with_local_recorder(&app.metrics.recorder, || {
        for actor in hub.registry.all() {
            describe(&actor);
        }
        gauge!("meal_planner_dead_letters_open").set(float(open));
        gauge!("meal_planner_timers_overdue").set(float(overdue));
        gauge!("meal_planner_database_out").set(float(i64::from(hub.journal.is_out())));
        describe_gateways(&hub.gateways);
        for (status, count) in sagas {
            gauge!("meal_planner_sagas", "status" => status).set(float(count));
        }
        let newest = *hub.committed.borrow();
        gauge!("meal_planner_last_position").set(float(newest));
        for (name, view) in &hub.views {
            let lag = newest - *view.caught_up.borrow();
            gauge!("meal_planner_projection_lag_messages", "projection" => *name).set(float(lag.max(0)));
            let unread = i64::try_from(view.unread.load(Relaxed)).unwrap_or(i64::MAX);
            gauge!("meal_planner_projection_unread_events", "projection" => *name).set(float(unread));
        }
    });
    app.metrics.handle.run_upkeep();
    let text = app.metrics.handle.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Open dead letters and overdue timers, each counted up to [`COUNTED`].
async fn backlog(hub: &Hub) -> Result<(i64, i64), Problem> {
    let open =
        DeadLetterQuery { state: Some(DeadLetterState::Open), limit: COUNTED, ..DeadLetterQuery::default() };
    let open = hub.store.dead_letters(open).await?.len();
    let now_us = hub.environment.now().timestamp_micros();
    let due = TimerQuery { due_before_us: Some(now_us), limit: COUNTED, ..TimerQuery::default() };
    let due = hub.store.timers(due).await?;
    let due = due.timers.len() + due.unreadable.len();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Ok((number(open), number(due)))
}

/// Sagas that have not ended, by status, each counted up to [`COUNTED`]; none where there is no such read model.
async fn sagas_at_work(hub: &Hub) -> Result<Vec<(&'static str, i64)>, Problem> {
    let mut counts = Vec::new();
    let Some(view) = hub.views.get(SagasView::NAME) else { return Ok(counts) };
    for status in ["running", "compensating", "stuck"] {
        let query = RowQuery { words: vec![status.to_owned()], limit: COUNTED, ..RowQuery::default() };
        let found = hub.store.rows(&view.table, query).await?.rows.len();
        counts.push((status, i64::try_from(found).unwrap_or(i64::MAX)));
    }
    Ok(counts)
}

fn describe_gateways(gateways: &Gateways) {
    for (service, breaker) in gateways.board.all() {
        let label = [("service", service)];
        counter!("meal_planner_breaker_transitions_total", &label).absolute(breaker.turn);
        let lets_through = matches!(breaker.circuit, Circuit::Closed { .. } | Circuit::ForcedClosed);
        gauge!("meal_planner_breaker_closed", &label).set(f64::from(u8::from(lets_through)));
        let is_open = matches!(breaker.circuit, Circuit::Open { .. } | Circuit::ForcedOpen);
        gauge!("meal_planner_breaker_open", &label).set(f64::from(u8::from(is_open)));
    }
    for view in gateways.all() {
        let in_flight = i64::try_from(view.in_flight).unwrap_or(i64::MAX);
        gauge!("meal_planner_calls_in_flight", "service" => view.service).set(float(in_flight));
        for (outcome, count) in [
            ("answered", view.answered),
            ("refused", view.refused),
            ("failed", view.failed),
            ("unknown", view.unknown),
            ("late", view.late),
        ] {
            let labels = [("service", view.service), ("outcome", outcome)];
            counter!("meal_planner_calls_total", &labels).absolute(count);
        }
    }
}

fn describe(actor: &ActorView) {
    let labels = [("actor", actor.path.clone()), ("kind", actor.kind.to_owned())];
    gauge!("meal_planner_actor_waiting", &labels).set(float(actor.waiting));
    gauge!("meal_planner_actor_in_flight", &labels).set(float(actor.in_flight));
    counter!("meal_planner_actor_handled_total", &labels).absolute(actor.handled);
    counter!("meal_planner_actor_failed_total", &labels).absolute(actor.failed);
    counter!("meal_planner_actor_restarts_total", &labels).absolute(actor.restarts);
    counter!("meal_planner_actor_attempts_failed_total", &labels).absolute(actor.attempts_failed);
    gauge!("meal_planner_actor_paused", &labels).set(float(i64::from(actor.paused)));
    let waits = i64::try_from(actor.waits.len()).unwrap_or(i64::MAX);
    gauge!("meal_planner_actor_keys_waiting", &labels).set(float(waits));
    for (stage, name) in STAGES {
        let [path, kind] = labels.clone();
        let is_so = i64::from(actor.state == stage);
        gauge!("meal_planner_actor_state", &[path, kind, ("state", name.to_owned())]).set(float(is_so));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge")]
fn float(value: i64) -> f64 {
    value as f64
}
