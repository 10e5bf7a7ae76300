//! Prometheus metrics: requests as they come, actors as they stand when asked.

use super::App;
use crate::actors::ActorView;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// Upper bounds of request times, in seconds.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

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
pub(super) async fn render(State(app): State<App>) -> Response {
    let hub = app.dispatcher.hub();
    metrics::with_local_recorder(&app.metrics.recorder, || {
        for actor in hub.registry.all() {
            describe(&actor);
        }
        let newest = *hub.committed.borrow();
        gauge!("meal_planner_last_position").set(float(newest));
        for (name, view) in &hub.views {
            let lag = newest - *view.caught_up.borrow();
            gauge!("meal_planner_projection_lag_messages", "projection" => *name).set(float(lag.max(0)));
        }
    });
    app.metrics.handle.run_upkeep();
    let text = app.metrics.handle.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

fn describe(actor: &ActorView) {
    let labels = [("actor", actor.path.clone()), ("kind", actor.kind.to_owned())];
    gauge!("meal_planner_actor_waiting", &labels).set(float(actor.waiting));
    gauge!("meal_planner_actor_in_flight", &labels).set(float(actor.in_flight));
    counter!("meal_planner_actor_handled_total", &labels).absolute(actor.handled);
    counter!("meal_planner_actor_failed_total", &labels).absolute(actor.failed);
    counter!("meal_planner_actor_restarts_total", &labels).absolute(actor.restarts);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge")]
fn float(value: i64) -> f64 {
    value as f64
}
