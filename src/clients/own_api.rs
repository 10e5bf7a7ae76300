//! Our own HTTP interface as its command line uses it.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use thiserror::Error;

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Longer than the longest `Prefer: wait` that the server grants.
const ANSWER_PATIENCE: Duration = Duration::from_secs(150);

/// A problem as the server describes it (RFC 9457).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    pub status: u16,
    pub title: String,
    pub detail: String,
    pub hint: String,
    pub pointer: Option<String>,
    pub trace_id: String,
}

/// Why a call gave no answer to use.
#[derive(Debug, Error)]
pub enum ApiError {
    #[error("no meal-planner answers at {server}: {reason}")]
    Unreachable { server: String, reason: String },
    #[error("{}", text(.0))]
    Refused(Box<Problem>),
    #[error("the answer of {path} was not understood: {reason}")]
    Odd { path: String, reason: String },
    #[error("{0:?} is no address of a server")]
    NoAddress(String),
}

fn text(problem: &Problem) -> String {
    let what = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
    match &problem.pointer {
        Some(pointer) if !pointer.is_empty() => format!("{what} (at {pointer})"),
        _ => what.clone(),
    }
}

/// What is asked with a request beside its address.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub body: String,
    /// `application/json` when empty.
    pub media: &'static str,
    /// Seconds for `Prefer: wait`.
    pub wait_s: Option<u64>,
    pub idempotency_key: Option<String>,
    pub message_id: Option<uuid::Uuid>,
}

/// Speaks to one server with one token.
#[derive(Clone, Debug)]
pub struct OwnApi {
    base: Url,
    token: Option<SecretString>,
    client: Client,
}

impl OwnApi {
    /// # Errors
    /// When the address is none, or TLS cannot be set up.
    pub fn new(server: &str, token: Option<SecretString>) -> Result<Self, ApiError> {
        super::use_ring();
        let base = Url::parse(server).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.ok_or_else(|| ApiError::NoAddress(server.to_owned()))?;
        // A server of the house is never behind the proxy to the outside.
        let is_near = base.domain().is_none_or(|name| name == "localhost");
        let builder = Client::builder().connect_timeout(CONNECT_PATIENCE).user_agent("meal-planner");
        let builder = if is_near { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| ApiError::Unreachable {
            server: server.to_owned(),
            reason: super::cause(&error),
        })?;
        Ok(Self { base, token, client })
    }

    #[must_use]
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The body of `GET path?query`.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<String, ApiError> {
        let request = self.request(Method::GET, path)?.query(query).timeout(ANSWER_PATIENCE);
        self.body(path, self.answer(request).await?).await
    }

    /// [`Self::get`], decoded.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        decode(path, &self.get(path, &[]).await?)
    }

    /// The body of the answer to a command.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn post(&self, path: &str, ask: Ask) -> Result<String, ApiError> {
        self.send(Method::POST, path, ask).await
    }

    /// As [`Self::post`].
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn put(&self, path: &str, ask: Ask) -> Result<String, ApiError> {
        self.send(Method::PUT, path, ask).await
    }

    /// As [`Self::post`].
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete(&self, path: &str, ask: Ask) -> Result<String, ApiError> {
        self.send(Method::DELETE, path, ask).await
    }

    async fn send(&self, method: Method, path: &str, ask: Ask) -> Result<String, ApiError> {
        let media = if ask.media.is_empty() { "application/json" } else { ask.media };
        let mut request = self.request(method, path)?.header(CONTENT_TYPE, media).timeout(ANSWER_PATIENCE);
        if let Some(seconds) = ask.wait_s {
            request = request.header("prefer", format!("wait={seconds}"));
        }
        if let Some(key) = ask.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(id) = ask.message_id {
            request = request.header("message-id", id.to_string());
        }
        self.body(path, self.answer(request.body(ask.body)).await?).await
    }

    /// Server-sent events; without a time-out, since they have no end.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn stream(
        &self,
        path: &str,
        query: &[(&str, String)],
        last_id: Option<&str>,
    ) -> Result<Response, ApiError> {
        let mut request = self.request(Method::GET, path)?.query(query).header(ACCEPT, "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        self.answer(request).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ApiError> {
        let address = format!("{}{path}", self.server());
        let url = Url::parse(&address).map_err(|_| ApiError::NoAddress(address))?;
        let request = self.client.request(method, url);
        let Some(token) = &self.token else { return Ok(request) };
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
        Ok(match bearer {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(AUTHORIZATION, value)
            }
            // No header can carry it, so no server knows it: let the server say that a token is needed.
            Err(_) => request,
        })
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
        let title = match problem.title.is_empty() {
            true => status.to_string(),
            false => problem.title.clone(),
        };
        Err(ApiError::Refused(Box::new(Problem { status: status.as_u16(), title, ..problem })))
    }

    async fn body(&self, path: &str, response: Response) -> Result<String, ApiError> {
        response.text().await.map_err(|error| ApiError::Odd {
            path: path.to_owned(),
            reason: super::cause(&error.without_url()),
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> ApiError {
        let reason = match error.is_timeout() {
            true => "no answer in time".to_owned(),
            false => super::cause(&error.without_url()),
        };
        ApiError::Unreachable { server: self.server().to_owned(), reason }
    }
}

/// # Errors
/// When the text is not what is expected of the path.
pub fn decode<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, ApiError> {
    let reader = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(reader)
        .map_err(|error| ApiError::Odd { path: path.to_owned(), reason: error.to_string() })
}
