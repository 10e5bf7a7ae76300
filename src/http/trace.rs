//! The trace of a request: taken from `traceparent` or new, carried by every message it causes.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tracing::Instrument;
use uuid::Uuid;

tokio::task_local! {
    static TRACE: Arc<str>;
}

/// The `traceparent` of the request being answered, if there is one.
pub(super) fn current() -> Option<Arc<str>> {
    TRACE.try_with(Clone::clone).ok()
}

/// The 32-digit trace id within it.
pub(super) fn current_id() -> String {
    current().and_then(|trace| trace.get(3..35).map(str::to_owned)).unwrap_or_default()
}

/// Runs the request under its trace and says it in the answer.
pub(super) async fn middleware(request: Request, next: Next) -> Response {
    let trace = taken(request.headers()).unwrap_or_else(fresh);
    let span = tracing::debug_span!("request", trace = %&trace[3..35], method = %request.method(), path = request.uri().path());
    let mut response = TRACE.scope(trace.clone(), next.run(request).instrument(span)).await;
    if let Ok(value) = HeaderValue::from_str(&trace) {
        response.headers_mut().insert("traceparent", value);
    }
    response
}

fn taken(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    is_valid(text).then(|| text.into())
}

/// Version 00 of W3C Trace Context: lowercase hex, ids that are not all zero.
fn is_valid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        ["00", trace, span, flags] => {
            hex(trace, 32) && hex(span, 16) && hex(flags, 2) && some(trace) && some(span)
        }
        _ => false,
    }
}

fn fresh() -> Arc<str> {
    let (trace, span) = (Uuid::now_v7(), Uuid::now_v7().as_u64_pair().1);
    format!("00-{}-{span:016x}-01", trace.simple()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_traces_are_taken_over() {
        assert!(is_valid("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert!(is_valid(&fresh()));
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
