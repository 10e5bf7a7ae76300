//! Who is talking to us: parse, accept, answer. The only axum.
//!
//! Not known here: what a command means, how anything is stored. Invariants: nothing is answered with 2xx
//! before it is durable; every error is a problem with a hint; no secret is logged or echoed.

mod admin;
mod api;
mod auth;
mod body;
mod commands;
mod dead_letters;
mod events;
mod gateways;
mod metrics;
mod openapi;
mod operations;
mod orders;
mod pages;
mod problem;
mod queries;
mod serve;
mod states;
mod trace;

pub use api::Api;
pub use auth::{Gate, new_secret};
pub use metrics::Metrics;
pub use serve::serve;

use crate::actors::Dispatcher;
use crate::domain::context::{Endpoint, Route, Verb};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on, post};
use futures_util::StreamExt;
use problem::Problem;
use std::collections::HashMap;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// Largest body taken, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// How much of a larger one is read and thrown away before the connection is closed on it.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub dispatcher: Dispatcher,
    pub api: Arc<Api>,
    pub gate: Arc<Gate>,
    pub metrics: Arc<Metrics>,
    /// Made once: it cannot change while the process runs.
    pub openapi: Arc<str>,
}

impl App {
    #[must_use]
    pub fn new(dispatcher: Dispatcher, api: Api, gate: Gate, metrics: Metrics) -> Self {
        let openapi = openapi::document(&api).to_string().into();
        Self { dispatcher, api: Arc::new(api), gate: Arc::new(gate), metrics: Arc::new(metrics), openapi }
    }
}

/// `/openapi.json` as text, without a running server.
#[must_use]
pub fn openapi_document(api: &Api) -> serde_json::Value {
    openapi::document(api)
}

/// The whole surface.
pub fn router(app: &App) -> Router {
    let login = Router::new().route("/login", get(auth::login));
    let links = Router::new().route("/admin/login-links", post(auth::new_link));
    let mut router = Router::new()
        .route("/health/live", get(|| async { "ok" }))
        .route("/health/ready", get(admin::ready))
        .route("/metrics", get(metrics::render))
        .route("/openapi.json", get(openapi::serve))
        .route("/api/events", get(events::list))
        .route("/api/events/stream", get(events::live))
        .route("/api/events/{id}", get(events::status))
        .route("/admin/actors", get(admin::actors));
    router = pages::add(states::add(operations::add(gateways::add(orders::add(dead_letters::add(router))))));
    for (n, context) in app.api.contexts.iter().enumerate() {
        for endpoint in &context.endpoints {
            router = router.route(endpoint.path, command_route(n, *endpoint));
        }
    }
    for projection in &app.api.projections {
        for route in projection.routes() {
            router = add_query(router, projection.name(), route);
        }
    }
    router
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this address does not take that method",
                "see /openapi.json",
            )
        })
        .with_state(app.clone())
        .merge(login.with_state(app.gate.clone()))
        .merge(links.with_state(app.gate.clone()))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(app.gate.clone(), auth::middleware))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.metrics.clone(), metrics::middleware))
        .layer(from_fn(trace::middleware))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    let hint = "this is a defect of the server; the log has more under the trace id";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered", hint).into_response()
}

fn command_route(context: usize, endpoint: Endpoint) -> MethodRouter<App> {
    let filter = match endpoint.verb {
        Verb::Post => MethodFilter::POST,
        Verb::Put => MethodFilter::PUT,
        Verb::Delete => MethodFilter::DELETE,
    };
    on(
        filter,
        async move |axum::extract::State(app): axum::extract::State<App>,
                    path: Result<Path<HashMap<String, String>>, PathRejection>,
                    headers: HeaderMap,
                    body: Body| {
            let Path(path) = path.map_err(|error| path_problem(&error))?;
            let body = read_body(body).await?;
            let id = path.get("id").cloned();
            commands::handle(&app, context, endpoint, id, &headers, &body).await
        },
    )
}

/// A body that is too large is still read to its end, within reason: a client that is cut off while it writes
/// never sees why.
async fn read_body(body: Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            let hint = "send the whole body with its true Content-Length";
            Problem::new(StatusCode::BAD_REQUEST, format!("the body did not arrive: {error}"), hint)
        })?;
        seen += chunk.len();
        if seen <= BODY_LIMIT {
            bytes.extend_from_slice(&chunk);
        } else if seen > DRAIN_LIMIT {
            break;
        }
    }
    if seen <= BODY_LIMIT {
        return Ok(bytes);
    }
    let hint = "send at most 1 MiB; a large cookbook goes through `meal-planner import`";
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", hint))
}

fn add_query(router: Router<App>, view: &'static str, route: Route) -> Router<App> {
    use axum::extract::State;
    use axum::extract::rejection::QueryRejection;
    match route {
        Route::List { path, .. } => router.route(
            path,
            get(
                async move |State(app): State<App>,
                            query: Result<Query<queries::ListQuery>, QueryRejection>| {
                    let Query(query) = query.map_err(|error| query_problem(&error))?;
                    queries::list(&app, view, query).await
                },
            ),
        ),
        Route::Item { path, .. } => router.route(
            path,
            get(async move |State(app): State<App>, id: Result<Path<String>, PathRejection>| {
                let Path(id) = id.map_err(|error| path_problem(&error))?;
                queries::item(&app, view, &id).await
            }),
        ),
        Route::One { path, key, .. } => {
            router.route(path, get(async move |State(app): State<App>| queries::item(&app, view, key).await))
        }
    }
}

fn path_problem(error: &PathRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, error.body_text(), "write ids as they were given")
}

fn query_problem(error: &axum::extract::rejection::QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, error.body_text(), "see /openapi.json for the parameters")
}
