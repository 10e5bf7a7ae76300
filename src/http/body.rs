//! Bodies that are read here rather than by a context: JSON of a known shape, with the fault pointed at.

use super::problem::Problem;
use crate::domain::context::Rejection;
use crate::domain::message::from_text;
use axum::body::Body;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What most of the operator's verbs are told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    pub why: String,
}

/// The body as JSON of this shape; no body is `{}`.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = super::read_body(body).await?;
    let text = text(&bytes)?;
    let text = if text.trim().is_empty() { "{}" } else { text };
    from_text("the body", text)
        .map_err(|error| not_json(text).unwrap_or_else(|| Rejection::from(error).into()))
}

/// The body as UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        Problem::new(StatusCode::BAD_REQUEST, detail, "send JSON in UTF-8")
    })
}

/// A body that is no JSON at all is told so, instead of what field it lacks.
pub(super) fn not_json(text: &str) -> Option<Problem> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let detail = format!("the body is no JSON: {error}");
    Some(Problem::new(StatusCode::BAD_REQUEST, detail, "check quotes, commas and brackets near that place"))
}
