//! What an outside service is to the runtime: calls under a key that stays the same, and how they can fail.

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// Largest answer taken, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// Longest wait that a service may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// One outside service. Whoever implements it holds the secrets: none are in requests, answers or errors.
pub trait Gateway: Send + Sync + 'static {
    /// What its breaker and its calls are found under.
    fn service(&self) -> &'static str;

    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Makes one call. `key` stays the same over all repeats: a service that knows keys is given it.
    fn call<'a>(
        &'a self,
        key: Uuid,
        operation: &'a str,
        request: &'a str,
    ) -> BoxFuture<'a, Result<String, CallError>>;

    /// What became of a call that nobody here knows the end of. Changes nothing there.
    fn ask<'a>(
        &'a self,
        _key: Uuid,
        _operation: &'a str,
        _request: &'a str,
    ) -> BoxFuture<'a, Result<Asked, CallError>> {
        async { Ok(Asked::Unsure) }.boxed()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// After this an answer comes too late.
    pub timeout: Duration,
    /// Calls made at once.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), in_flight: 4 }
    }
}

/// How a call has failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// It has had no effect, and may be made again later.
    #[error("{message}")]
    Transient { message: String, retry_after: Option<Duration> },
    /// It has had no effect, and will not have one however often it is made.
    #[error("{message}")]
    Permanent { message: String },
    /// Nobody knows whether it has had an effect.
    #[error("{message}")]
    Unknown { message: String },
}

impl CallError {
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient { message: message.into(), retry_after: None }
    }

    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent { message: message.into() }
    }

    pub fn unknown(message: impl Into<String>) -> Self {
        Self::Unknown { message: message.into() }
    }
}

/// What a service says of an earlier call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Done {
        response: String,
    },
    /// It has had no effect, and will not have one any more.
    NotDone,
    Unsure,
}

/// The body of an answer, or how the call has failed.
///
/// # Errors
/// See [`CallError`]. An answer that broke off, and one of a proxy that got none, say nothing about the effect.
pub async fn read_answer(
    sent: Result<Response, reqwest::Error>,
    now: DateTime<Utc>,
) -> Result<String, CallError> {
    let response = sent.map_err(not_answered)?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|text| wait(text, now));
    let message = format!("it answered {status}");
    match status {
        _ if status.is_success() => body(response).await,
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => Err(CallError::Transient { message, retry_after }),
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => {
            Err(CallError::Permanent { message })
        }
        _ if status.is_server_error() => Err(CallError::Unknown { message }),
        _ => Err(CallError::Permanent { message }),
    }
}

fn not_answered(error: reqwest::Error) -> CallError {
    let (is_connect, is_builder) = (error.is_connect(), error.is_builder());
    let message = super::cause(&error.without_url());
    match (is_connect, is_builder) {
        (true, _) => CallError::transient(message),
        (false, true) => CallError::Permanent { message },
        (false, false) => CallError::Unknown { message },
    }
}

async fn body(mut response: Response) -> Result<String, CallError> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_LIMIT => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(CallError::unknown("the answer is too long")),
            Err(error) => {
                let cause = super::cause(&error.without_url());
                return Err(CallError::unknown(format!("the answer broke off: {cause}")));
            }
        }
    }
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let wait = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(text.trim()).ok()?;
            (until.with_timezone(&Utc) - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:00:00Z").unwrap().with_timezone(&Utc);
        assert_eq!(wait(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(wait("Fri, 20 Nov 2026 10:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(wait("Fri, 20 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("99999999999", now), Some(LONGEST_RETRY_AFTER));
        assert_eq!(wait("soon", now), None);
    }
}
