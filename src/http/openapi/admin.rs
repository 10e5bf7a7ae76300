//! The operator's verbs and what they are told, for the document.

use serde_json::{Value, json};

/// Path, method, summary, query parameters.
pub(super) const OPERATIONS: [(&str, &str, &str, &[&str]); 25] = [
    (
        "/admin/dead-letters",
        "get",
        "Pages of what could not be handled, newest first",
        &["state", "context", "type", "key", "limit", "cursor"],
    ),
    ("/admin/dead-letters/{id}", "get", "One dead letter: message, attempts, and the state it met", &[]),
    ("/admin/dead-letters/{id}/body", "put", "Puts another body in the place of the original", &[]),
    (
        "/admin/dead-letters/{id}/dry-run",
        "post",
        "What a replay would lead to; nothing is kept or called",
        &[],
    ),
    ("/admin/dead-letters/{id}/replay", "post", "Gives it again as a new message", &[]),
    ("/admin/dead-letters/{id}/discard", "post", "Gives it up", &[]),
    ("/admin/dead-letters/replay", "post", "Replays a page of open ones, oldest first", &[]),
    ("/admin/dead-letters/discard", "post", "Discards a page of open ones, oldest first", &[]),
    ("/admin/actors/{path}/restart", "post", "Restarts an actor; its budget begins anew", &[]),
    ("/admin/actors/{path}/pause", "post", "It accepts and handles nothing new", &[]),
    ("/admin/actors/{path}/resume", "post", "It handles again", &[]),
    ("/admin/projections/{name}/rebuild", "post", "Rebuilds a read model beside its live table", &[]),
    (
        "/admin/timers",
        "get",
        "What leaves when its time comes, and what waits for what",
        &["context", "limit"],
    ),
    ("/admin/breakers", "get", "Outside services with their breakers", &[]),
    ("/admin/breakers/{service}", "put", "Sets when a breaker opens and closes", &[]),
    ("/admin/breakers/{service}/open", "post", "Lets nobody call a service", &[]),
    ("/admin/breakers/{service}/close", "post", "Lets everybody call a service", &[]),
    ("/admin/breakers/{service}/release", "post", "Leaves a breaker to itself again", &[]),
    (
        "/admin/effects",
        "get",
        "Calls to the outside, the newest first",
        &["state", "service", "before", "limit"],
    ),
    ("/admin/effects/{id}", "get", "One call with what became of it", &[]),
    ("/admin/effects/{id}/decide", "post", "Says what became of a call that nobody knows the end of", &[]),
    ("/admin/backups", "get", "Backups, the newest first", &[]),
    ("/admin/backups", "post", "Backs up the store as it is now", &[]),
    ("/admin/drills", "post", "Restores the newest backup to a temporary place and compares", &[]),
    ("/admin/people/{id}/erase", "post", "Destroys what is known of a person; there is no way back", &[]),
];

/// Path, method, schema of the body.
pub(super) fn bodies() -> [(&'static str, &'static str, Value); 16] {
    let text = || json!({ "type": "string" });
    let why = || json!({ "type": "string", "description": "why; kept with the event" });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties });
    let reason = || object(&["why"], json!({ "why": why() }));
    let sweep = || {
        let filter = json!({ "context": text(), "type": text(), "key": text() });
        let properties = json!({
            "filter": object(&[], filter), "why": why(),
            "limit": { "type": "integer", "minimum": 1, "maximum": 500 },
            "cursor": { "type": ["string", "null"], "description": "\"next\" of the page before" },
        });
        object(&["why"], properties)
    };
    let edit =
        object(&["body", "why"], json!({ "body": { "description": "of the message's type" }, "why": why() }));
    let number = || json!({ "type": "integer", "minimum": 0 });
    let settings = json!({
        "failures_to_open": number(), "rest_ms": number(), "probes": number(), "successes_to_close": number(),
    });
    let settings = object(&[], json!({ "settings": object(&[], settings) }));
    let response = json!({ "description": "what the service would have answered, for one that is done" });
    let outcome = json!({ "enum": ["done", "failed"], "description": "a failed one is called again" });
    let decision =
        object(&["outcome", "why"], json!({ "outcome": outcome, "response": response, "why": why() }));
    [
        ("/admin/dead-letters/{id}/body", "put", edit),
        ("/admin/dead-letters/{id}/replay", "post", reason()),
        ("/admin/dead-letters/{id}/discard", "post", reason()),
        ("/admin/dead-letters/replay", "post", sweep()),
        ("/admin/dead-letters/discard", "post", sweep()),
        ("/admin/actors/{path}/restart", "post", reason()),
        ("/admin/actors/{path}/pause", "post", reason()),
        ("/admin/actors/{path}/resume", "post", reason()),
        ("/admin/projections/{name}/rebuild", "post", reason()),
        ("/admin/breakers/{service}", "put", settings),
        ("/admin/breakers/{service}/open", "post", reason()),
        ("/admin/breakers/{service}/close", "post", reason()),
        ("/admin/breakers/{service}/release", "post", reason()),
        ("/admin/effects/{id}/decide", "post", decision),
        ("/admin/backups", "post", reason()),
        ("/admin/people/{id}/erase", "post", reason()),
    ]
}
