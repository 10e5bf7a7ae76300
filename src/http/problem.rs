//! Errors as RFC 9457 problems: what is wrong, where, and what to do about it.

use crate::actors::Refusal;
use crate::domain::context::{Rejection, RejectionKind};
use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The body of every error answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    pub hint: String,
    /// JSON pointer to the field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<uuid::Uuid>,
    pub trace_id: String,
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            hint: hint.into(),
            pointer: None,
            event_id: None,
            trace_id: String::new(),
            retry_after_s: None,
        }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, what, "see /openapi.json for what there is")
    }

    pub(super) fn invalid(pointer: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let pointer = Some(pointer.to_owned());
        Self { pointer, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail, hint) }
    }

    fn unavailable(detail: String, retry_after_s: u64) -> Self {
        let hint = "nothing was kept; send it again after Retry-After";
        let retry_after_s = Some(retry_after_s);
        Self { retry_after_s, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail, hint) }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.kind {
            RejectionKind::NotFound => StatusCode::NOT_FOUND,
            RejectionKind::Conflict => StatusCode::CONFLICT,
            RejectionKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self { pointer: rejection.pointer, ..Self::new(status, rejection.message, rejection.hint) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Fenced { .. } => Self::unavailable(error.to_string(), 5),
            StoreError::Unusable { message, hint } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, message, hint)
            }
            StoreError::Refused(_) => {
                let hint = "this is a defect of the server; the log has more under the trace id";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), hint)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::UnknownContext(_) => Self::not_found(&text),
            Refusal::Busy { retry_after_s, .. } => {
                let hint = "nothing was kept; send it again after Retry-After";
                let retry_after_s = Some(retry_after_s);
                Self { retry_after_s, ..Self::new(StatusCode::TOO_MANY_REQUESTS, text, hint) }
            }
            Refusal::Overloaded { retry_after_s, .. } => {
                let hint = "nothing was kept; send it again after Retry-After";
                let retry_after_s = Some(retry_after_s);
                Self { retry_after_s, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text, hint) }
            }
            Refusal::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                text,
                "use a new Idempotency-Key for a new request; repeat only the very same request under the old one",
            ),
            Refusal::Gone(_) => Self::new(
                StatusCode::GONE,
                text,
                "nobody comes back under the id of an erased person; add them with a new one",
            ),
            Refusal::Invalid(rejection) => rejection.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.trace_id.is_empty() {
            self.trace_id = super::trace::current_id();
        }
        let retry_after = self.retry_after_s;
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
