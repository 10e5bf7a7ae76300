//! Who may talk to us: a token or a session cookie for everything but health, known hosts only.

use super::problem::Problem;
use super::query_problem;
use crate::actors::desk;
use crate::clock;
use crate::domain::context::Rejection;
use crate::domain::operations::Reason;
use crate::store::{Store, StoreResult};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const COOKIE: &str = "meal_planner_session";
const SESSION_DAYS: i64 = 30;
const DAY_US: i64 = 86_400_000_000;
/// Never ends by itself.
const FOR_EVER: i64 = i64::MAX;

/// SHA-256, the only form in which tokens are kept.
#[must_use]
pub(super) fn digest(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

/// 256 random bits in hex.
///
/// # Errors
/// When the system has no randomness.
pub fn new_secret() -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Knows who may enter. Secrets are looked up by their digest, so timing tells nothing about them.
pub struct Gate {
    store: Arc<dyn Store>,
    hosts: HashSet<String>,
    /// Digests that were found good, with their end.
    known: RwLock<HashMap<[u8; 32], i64>>,
    /// One-time codes that were handed out and not used.
    codes: Mutex<HashSet<[u8; 32]>>,
}

impl Gate {
    /// `hosts`: names, without port, by which this server may be addressed beside the loopback ones.
    pub fn new(store: Arc<dyn Store>, hosts: impl IntoIterator<Item = String>) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let hosts = loopback.into_iter().chain(hosts.into_iter().map(|host| host.to_lowercase()));
        Self { store, hosts: hosts.collect(), known: RwLock::default(), codes: Mutex::default() }
    }

    /// Lets a token in from now on, without end.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn trust(&self, token: &str) -> StoreResult<()> {
        self.store.put_session(digest(token), FOR_EVER).await
    }

    /// Forgets every token and session.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn revoke_all(&self) -> StoreResult<()> {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.store.clear_sessions().await
    }

    /// A code for one login by link.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn one_time_code(&self) -> Result<String, ring::error::Unspecified> {
        let code = new_secret()?;
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(digest(&code));
        Ok(code)
    }

    fn use_code(&self, code: &str) -> bool {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest(code))
    }

    async fn knows(&self, secret: &str) -> StoreResult<bool> {
        let digest = digest(secret);
        let now = clock::now().timestamp_micros();
        let cached = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&digest).copied();
        if let Some(end) = cached {
            return Ok(end > now);
        }
        let Some(end) = self.store.session_expiry(digest).await? else { return Ok(false) };
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(digest, end);
        Ok(end > now)
    }

    fn is_our_host(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        self.hosts.contains(&name.to_lowercase())
    }
}

/// Who has asked, as far as is known: there are tokens and sessions, no names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(&'static str);

impl Caller {
    pub(super) fn name(self) -> String {
        self.0.to_owned()
    }

    /// That one of the operator's verbs is done by this caller, and why.
    pub(super) fn reason(self, why: &str) -> Result<Reason, Rejection> {
        desk::reason(self.0, why)
    }
}

/// Refuses strangers before anything of the request is read.
pub(super) async fn middleware(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check_host(&gate, &request)?;
    let path = request.uri().path();
    if path.starts_with("/health/") || path == "/login" {
        return Ok(next.run(request).await);
    }
    let headers = request.headers();
    let cookie = cookie(headers);
    let secret = bearer(headers).or(cookie);
    match secret {
        Some(secret) if gate.knows(secret).await? => {}
        _ => return Err(stranger(secret.is_some())),
    }
    let by_page = cookie.is_some() && bearer(headers).is_none();
    if by_page {
        check_origin(&request)?;
    }
    let caller = Caller(if by_page { "operator (browser)" } else { "operator (token)" });
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn stranger(had_secret: bool) -> Problem {
    let detail = if had_secret { "this token or session is not known" } else { "a token is needed" };
    let hint = "send \"Authorization: Bearer TOKEN\" with the token in DATA/admin.token, \
                or open the one-time link printed at the start";
    Problem::new(StatusCode::UNAUTHORIZED, detail, hint)
}

fn check_host(gate: &Gate, request: &Request) -> Result<(), Problem> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if host.is_some_and(|host| gate.is_our_host(host)) {
        return Ok(());
    }
    let hint = "address it as localhost, or add the name to allowed_hosts in the configuration";
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "this server does not go by that Host", hint))
}

/// A browser's cookie alone is not enough for a change asked by a page of somebody else.
fn check_origin(request: &Request) -> Result<(), Problem> {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(());
    }
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    // The whole authority: another port of the same machine is somebody else.
    if origin.is_some() && origin == text(header::HOST) {
        return Ok(());
    }
    let hint = "changes with a cookie are taken from this server's own pages only; scripts use the token";
    Err(Problem::new(StatusCode::FORBIDDEN, "the Origin of this request is not this server", hint))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

#[derive(Deserialize)]
pub(super) struct Login {
    code: String,
}

/// Turns a one-time link into a session.
pub(super) async fn login(
    State(gate): State<Arc<Gate>>,
    method: Method,
    query: Result<Query<Login>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Login { code }) = query.map_err(|error| query_problem(&error))?;
    if method != Method::GET {
        let hint = "open the link in a browser";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a link is opened with GET", hint));
    }
    if !gate.use_code(&code) {
        let hint = "a link works once; print a new one with `meal-planner token --link`";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "this link was used or never made", hint));
    }
    let no_randomness =
        |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system has no randomness", "try again");
    let secret = new_secret().map_err(no_randomness)?;
    let end = clock::now().timestamp_micros() + SESSION_DAYS * DAY_US;
    gate.store.put_session(digest(&secret), end).await?;
    let cookie =
        format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", SESSION_DAYS * 86_400);
    let mut response = Redirect::to("/").into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// `POST /admin/login-links`: a new one-time link for the holder of the token.
pub(super) async fn new_link(State(gate): State<Arc<Gate>>) -> Result<Response, Problem> {
    let code = gate.one_time_code().map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system has no randomness", "try again")
    })?;
    Ok(axum::Json(serde_json::json!({ "path": format!("/login?code={code}") })).into_response())
}
