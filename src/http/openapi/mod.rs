//! `/openapi.json`, made of what the contexts declare: it cannot differ from what is served.

mod admin;

use super::App;
use super::api::Api;
use super::queries::json as json_text;
use crate::domain::context::{Endpoint, KeyFrom, Route, Verb};
use axum::extract::State;
use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

pub(super) async fn serve(State(app): State<App>) -> Response {
    json_text(app.openapi.to_string())
}

pub(super) fn document(api: &Api) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|set| set.definitions_path = "/components/schemas".into());
    let mut generator = SchemaGenerator::new(settings);
    let mut paths: Map<String, Value> = Map::new();
    for context in &api.contexts {
        let bodies: Map<String, Value> = (context.schemas)(&mut generator)
            .into_iter()
            .map(|(name, schema)| (name.to_owned(), schema.to_value()))
            .collect();
        for endpoint in &context.endpoints {
            let verb = match endpoint.verb {
                Verb::Post => "post",
                Verb::Put => "put",
                Verb::Delete => "delete",
            };
            add(&mut paths, endpoint.path, verb, command(context.name, endpoint, &bodies));
        }
    }
    for projection in &api.projections {
        let row = projection.row_schema(&mut generator).to_value();
        for route in projection.routes() {
            let (path, operation) = query(route, &row);
            add(&mut paths, path, "get", operation);
        }
    }
    for (path, verb, summary, parameters) in FIXED.into_iter().chain(admin::OPERATIONS) {
        let operation = json!({
            "tags": ["server"], "summary": summary,
            "operationId": format!("{verb} {path}"),
            "parameters": path_parameters(path).into_iter().chain(query_parameters(parameters)).collect::<Vec<_>>(),
            "responses": { "200": { "description": "OK" }, "default": problem() },
        });
        add(&mut paths, path, verb, operation);
    }
    for (path, verb, schema) in admin::bodies() {
        let content = json!({ "application/json": { "schema": schema } });
        paths[path][verb]["requestBody"] = json!({ "required": true, "content": content });
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "meal-planner", "version": env!("CARGO_PKG_VERSION"),
            "description": "Plans a household's meals. Commands are accepted durably (202) and can be waited for.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": { "schemas": schemas(generator), "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer" },
        } },
    })
}

/// Operations that belong to no context: path, method, summary, query parameters.
const FIXED: [(&str, &str, &str, &[&str]); 13] = [
    ("/health/live", "get", "The process runs", &[]),
    ("/health/ready", "get", "Messages are accepted and every context handles them", &[]),
    ("/metrics", "get", "Prometheus metrics", &[]),
    ("/openapi.json", "get", "This document", &[]),
    ("/api/events", "get", "Pages of messages, oldest first", EVENT_PARAMETERS),
    ("/api/events/stream", "get", "Messages as they are committed (server-sent events)", EVENT_PARAMETERS),
    ("/api/events/{id}", "get", "Where a message stands and what it caused", &[]),
    ("/admin/actors", "get", "The tree of actors", &[]),
    ("/admin/actors/{path}", "get", "One actor", &[]),
    (
        "/admin/state/{context}/{key}",
        "get",
        "The state of an aggregate at a position, or what changed from one to another",
        &["at", "from", "to"],
    ),
    ("/admin/projections", "get", "The read models: how far they are, what they lack, their rebuilds", &[]),
    ("/admin/login-links", "post", "A new one-time link to the pages", &[]),
    ("/login", "get", "Turns a one-time link into a session", &["code"]),
];

const EVENT_PARAMETERS: &[&str] =
    &["after", "type", "context", "key", "kind", "trace", "correlation", "limit"];

fn add(paths: &mut Map<String, Value>, path: &str, verb: &str, operation: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    item[verb] = operation;
}

fn schemas(mut generator: SchemaGenerator) -> Value {
    let mut all = generator.take_definitions(true);
    all.insert(
        "Problem".to_owned(),
        json!({
            "type": "object",
            "required": ["type", "title", "status", "detail", "hint", "trace_id"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"}, "hint": {"type": "string"},
                "pointer": {"type": "string", "description": "JSON pointer to the field at fault"},
                "event_id": {"type": "string", "format": "uuid"}, "trace_id": {"type": "string"},
            },
        }),
    );
    all.insert(
        "Accepted".to_owned(),
        json!({
            "type": "object",
            "required": ["event_id", "status", "follow_up", "key"],
            "properties": {
                "event_id": {"type": "string", "format": "uuid"},
                "status": {"enum": ["accepted", "handled"]},
                "follow_up": {"type": "string"}, "key": {"type": "string"},
                "result": {"description": "the read model's row, for those who waited"},
            },
        }),
    );
    Value::Object(all)
}

fn command(context: &str, endpoint: &Endpoint, bodies: &Map<String, Value>) -> Value {
    let accepted = |description: &str| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Accepted" } } },
        })
    };
    let headers = [
        ("Prefer", "wait=<seconds>: answer when it is handled"),
        ("Idempotency-Key", "a repeat under the same key gets the first answer"),
        ("Message-Id", "a UUID of your own for the message"),
        ("traceparent", "W3C trace context"),
    ];
    let headers = headers.map(|(name, description)| {
        json!({ "name": name, "in": "header", "schema": {"type": "string"}, "description": description })
    });
    let done = if endpoint.key == KeyFrom::New { "201" } else { "200" };
    let schema = bodies.get(endpoint.type_name).cloned().unwrap_or_default();
    let mut operation = json!({
        "tags": [context], "summary": endpoint.summary, "operationId": endpoint.type_name,
        "parameters": path_parameters(endpoint.path).into_iter().chain(headers).collect::<Vec<_>>(),
        "responses": {
            "202": accepted("Accepted: on the disk, and handled in its turn"),
            done: accepted("Handled, for those who waited"),
            "default": problem(),
        },
    });
    if endpoint.verb != Verb::Delete {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn query(route: Route, row: &Value) -> (&'static str, Value) {
    let ok = |schema: Value| {
        json!({
            "200": { "description": "OK", "content": { "application/json": { "schema": schema } } },
            "default": problem(),
        })
    };
    let (path, summary, parameters, schema) = match route {
        Route::List { path, summary } => (
            path,
            summary,
            &["q", "limit", "cursor"][..],
            json!({
                "type": "object", "required": ["items", "next"],
                "properties": { "items": {"type": "array", "items": row}, "next": {"type": ["string", "null"]} },
            }),
        ),
        Route::Item { path, summary } | Route::One { path, summary, .. } => {
            (path, summary, &[][..], row.clone())
        }
    };
    let parameters: Vec<_> = path_parameters(path).into_iter().chain(query_parameters(parameters)).collect();
    let operation = json!({
        "tags": ["queries"], "summary": summary, "operationId": format!("get {path}"),
        "parameters": parameters, "responses": ok(schema),
    });
    (path, operation)
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": {"type": "string"} }))
        .collect()
}

fn query_parameters<'a>(names: &'a [&'a str]) -> impl Iterator<Item = Value> + 'a {
    names.iter().map(|name| json!({ "name": name, "in": "query", "schema": {"type": "string"} }))
}

fn problem() -> Value {
    json!({
        "description": "A problem (RFC 9457)",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
