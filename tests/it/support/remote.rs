//! An outside service on loopback that answers as it is told, and counts how often each key took effect there.

use super::faulty::{Barrier, Gate};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::{BoxFuture, ready};
use futures_util::{FutureExt, StreamExt, stream};
use meal_planner::clients::gateway::{Asked, CallError, Gateway, Limits, read_answer};
use meal_planner::clients::use_ring;
use meal_planner::clock;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

/// What becomes of one call.
pub enum Manner {
    Answer,
    /// Nothing happens there, and this is said, with a `Retry-After`.
    Refuse(u16, Option<u64>),
    /// It takes effect, and this is said all the same.
    ActAndSay(u16),
    /// It takes effect, and the connection is cut in the middle of the answer.
    ActAndBreakOff,
    /// It waits at a gate before it takes effect and is answered.
    Wait(Hold),
    /// It takes effect, and is answered when the gate is opened.
    ActAndWait(Hold),
}

pub struct Hold(Barrier);

impl Hold {
    pub fn pair() -> (Self, Gate) {
        let (barrier, gate) = Barrier::pair();
        (Self(barrier), gate)
    }
}

#[derive(Default)]
struct Book {
    manners: VecDeque<Manner>,
    /// What every call gets when nothing special is planned.
    always: Option<u16>,
    /// Bodies in the order in which they took effect, by key.
    effects: Vec<(String, String)>,
    answers: HashMap<String, String>,
    calls: Vec<String>,
    asks: usize,
    at_once: usize,
    most_at_once: usize,
    forgetful: bool,
    /// One in so many calls without a plan is refused; 0: none.
    refuse_every: usize,
}

/// See the module.
#[derive(Clone)]
pub struct Remote {
    pub address: String,
    book: Arc<Mutex<Book>>,
}

impl Remote {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let remote = Self { address, book: Arc::default() };
        let router = Router::new()
            .route("/{*path}", post(take))
            .route("/", post(take_root))
            .route("/calls/{key}", get(tell))
            .with_state(remote.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        remote
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// The next calls, one after the other; later ones are answered.
    pub fn plan(&self, manners: impl IntoIterator<Item = Manner>) {
        self.book().manners.extend(manners);
    }

    /// Every call without a plan gets this status and has no effect; `None`: it is answered.
    pub fn always(&self, status: Option<u16>) {
        self.book().always = status;
    }

    /// One in so many calls without a plan is refused, and has no effect.
    pub fn refuse_every(&self, n: usize) {
        self.book().refuse_every = n;
    }

    /// It takes every call as a new one, whatever its key.
    pub fn forget_keys(&self) {
        self.book().forgetful = true;
    }

    /// How often a key has taken effect.
    pub fn effects_of(&self, key: Uuid) -> usize {
        self.book().effects.iter().filter(|(known, _)| *known == key.to_string()).count()
    }

    /// Bodies in the order in which they took effect.
    pub fn effects(&self) -> Vec<String> {
        self.book().effects.iter().map(|(_, body)| body.clone()).collect()
    }

    pub fn calls(&self) -> usize {
        self.book().calls.len()
    }

    pub fn asks(&self) -> usize {
        self.book().asks
    }

    pub fn most_at_once(&self) -> usize {
        self.book().most_at_once
    }

    fn begin(&self, key: &str) -> Manner {
        let mut book = self.book();
        book.calls.push(key.to_owned());
        book.at_once += 1;
        book.most_at_once = book.most_at_once.max(book.at_once);
        let is_turn = book.refuse_every > 0 && book.calls.len().is_multiple_of(book.refuse_every);
        let always = book.always.or(is_turn.then_some(503)).map(|status| Manner::Refuse(status, None));
        book.manners.pop_front().or(always).unwrap_or(Manner::Answer)
    }

    /// Takes effect, unless the key has done so before.
    pub fn act(&self, key: &str, body: &str) -> String {
        let mut book = self.book();
        if let Some(answer) = book.answers.get(key).filter(|_| !book.forgetful) {
            return answer.clone();
        }
        book.effects.push((key.to_owned(), body.to_owned()));
        let answer = json!({ "number": book.effects.len() }).to_string();
        book.answers.insert(key.to_owned(), answer.clone());
        answer
    }
}

async fn take_root(state: State<Remote>, headers: HeaderMap, body: String) -> Response {
    take(state, headers, body).await
}

async fn take(State(remote): State<Remote>, headers: HeaderMap, body: String) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or("none").to_owned();
    let manner = remote.begin(&key);
    let body = match headers.get(header::AUTHORIZATION) {
        Some(token) => format!("{body} {}", token.to_str().unwrap()),
        None => body,
    };
    let response = match manner {
        Manner::Answer => remote.act(&key, &body).into_response(),
        Manner::Refuse(status, retry_after) => status_of(status, retry_after),
        Manner::ActAndSay(status) => {
            remote.act(&key, &body);
            status_of(status, None)
        }
        Manner::ActAndBreakOff => {
            remote.act(&key, &body);
            let begun = stream::once(ready(Ok(Bytes::from_static(b"{\"num"))));
            let cut = stream::once(async {
                // So that what was begun leaves the house.
                super::let_others_run().await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(begun.chain(cut)).into_response()
        }
        Manner::Wait(Hold(barrier)) => {
            barrier.pass().await;
            remote.act(&key, &body).into_response()
        }
        Manner::ActAndWait(Hold(barrier)) => {
            let answer = remote.act(&key, &body);
            barrier.pass().await;
            answer.into_response()
        }
    };
    remote.book().at_once -= 1;
    response
}

fn status_of(status: u16, retry_after: Option<u64>) -> Response {
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn tell(State(remote): State<Remote>, Path(key): Path<String>) -> Json<Value> {
    let mut book = remote.book();
    book.asks += 1;
    Json(json!({ "answer": book.answers.get(&key) }))
}

/// The program's side of the wire.
pub struct RemoteClient {
    address: String,
    limits: Limits,
    client: reqwest::Client,
    telling: Telling,
}

/// What it says when it is asked what became of a call.
#[derive(Clone, Copy, PartialEq)]
enum Telling {
    What,
    ThatItCannotSay,
    Nothing,
}

impl RemoteClient {
    pub fn new(remote: &Remote) -> Self {
        use_ring();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let limits = Limits { timeout: Duration::from_secs(60), in_flight: 3 };
        Self { address: remote.address.clone(), limits, client, telling: Telling::What }
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    pub fn silent(mut self) -> Self {
        self.telling = Telling::ThatItCannotSay;
        self
    }

    /// When asked it fails.
    pub fn mute(mut self) -> Self {
        self.telling = Telling::Nothing;
        self
    }
}

impl Gateway for RemoteClient {
    fn service(&self) -> &'static str {
        "remote"
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn call<'a>(
        &'a self,
        key: Uuid,
        operation: &'a str,
        request: &'a str,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        async move {
            let request = self.client.post(format!("{}/{operation}", self.address)).body(request.to_owned());
            let sent = request.header("idempotency-key", key.to_string()).send().await;
            read_answer(sent, clock::now()).await
        }
        .boxed()
    }

    fn ask<'a>(&'a self, key: Uuid, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Asked, CallError>> {
        async move {
            match self.telling {
                Telling::What => {}
                Telling::ThatItCannotSay => return Ok(Asked::Unsure),
                Telling::Nothing => return Err(CallError::transient("it says nothing")),
            }
            let sent = self.client.get(format!("{}/calls/{key}", self.address)).send().await;
            let told: Value = serde_json::from_str(&read_answer(sent, clock::now()).await?).unwrap();
            Ok(match told["answer"].as_str() {
                Some(answer) => Asked::Done { response: answer.to_owned() },
                None => Asked::NotDone,
            })
        }
        .boxed()
    }
}
