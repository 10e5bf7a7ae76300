//! Clients that want a fixed list of things, each in its order, and repeat what they had no answer to.

use crate::process::client;
use crate::support::remote::Remote;
use crate::support::until;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::LazyLock;
use tokio::sync::watch;
use uuid::Uuid;

pub const CLIENTS: usize = 4;
const NOTIFY: &str = "/api/notifications";
/// The aggregate over which the program is told to panic.
pub const POISON: &str = "poisoned";

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(client);

/// One thing a client wants; the same however often it asks.
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Value,
    name: String,
    /// Repeated under a message id of its own instead of an `Idempotency-Key`.
    pub message_id: Option<Uuid>,
    /// Whether it waits for the outcome.
    waits: bool,
}

/// What the clients have asked so far, and the id that each answer named.
#[derive(Clone, Debug)]
pub struct Load {
    /// The address that notifications go to.
    pub hook: String,
    pub answered: [Vec<Uuid>; CLIENTS],
}

/// What clients that insist have been told so far, all of them together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    pub answers: u64,
    /// Requests that were not answered, or with a word that nothing was accepted.
    pub refusals: u64,
}

fn id(client: usize, what: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{client} {what}").as_bytes())
}

/// The `n`-th request of a client.
pub fn request(client: usize, n: usize, hook: &str) -> Request {
    let (member, recipe) = (id(client, "member"), id(client, "recipe"));
    let person = json!({"name": format!("eater {client}, {n}")});
    let soup = json!({"name": format!("soup {client}, {n}"), "servings": 2, "ingredients": ["200 g leek"]});
    let member_path = format!("/api/household/members/{member}");
    let (method, path, body) = match n {
        0 => ("POST", "/api/household/members".to_owned(), json!({"id": member, "person": person})),
        1 => ("POST", "/api/recipes".to_owned(), soup),
        _ if n % 20 == 2 && client == 1 => {
            let body = json!({"kind": "webhook", "address": hook});
            ("PUT", "/api/notifications/channels/hook".to_owned(), body)
        }
        _ if n % 10 == 2 && client == 3 => {
            let body = json!({"name": format!("home {client}, {n}"), "time_zone": "Etc/UTC"});
            ("PUT", "/api/household".to_owned(), body)
        }
        _ if n % 10 == 6 => {
            let body = json!({"title": format!("news {client}, {n}"), "body": "There is something new"});
            ("POST", NOTIFY.to_owned(), body)
        }
        _ if n % 20 == 17 && client.is_multiple_of(2) => {
            let body = json!({"days": 1, "moves": 50, "seed": n});
            ("POST", "/api/triggers/meal_plan_generation".to_owned(), body)
        }
        _ if is_poison(client, n) => ("PUT", format!("/api/recipes/{POISON}/rating"), json!({"stars": 1})),
        _ => match n % 5 {
            0 | 3 => ("PUT", member_path, json!({"person": person})),
            1 => ("PUT", format!("/api/recipes/{recipe}"), json!({"recipe": soup})),
            2 => ("PUT", format!("/api/recipes/{recipe}/rating"), json!({"stars": 1 + n % 4})),
            _ => {
                let goals = json!({"goals": {"kcal": {"low": 1000 + n}}});
                ("PUT", format!("/api/nutrition/goals/{member}"), goals)
            }
        },
    };
    let message_id = match n {
        1 => Some(recipe),
        // A notification has the same key at the remote wherever its message has the same id.
        _ if n.is_multiple_of(3) && path != NOTIFY => Some(id(client, &n.to_string())),
        _ => None,
    };
    let waits = n % 10 == 9;
    Request { method, path, body, name: format!("{client}-{n}"), message_id, waits }
}

/// Requests 8, 48, 88, … of the first client.
fn is_poison(client: usize, n: usize) -> bool {
    n % 40 == 8 && client == 0
}

impl Load {
    /// Nothing yet, with somebody to tell it to.
    pub fn new(remote: &Remote) -> Self {
        Self { hook: format!("{}/hook", remote.address), answered: Default::default() }
    }

    /// Requests for the poisoned aggregate.
    pub fn poisoned(&self) -> i64 {
        (0..=self.answered[0].len()).filter(|n| is_poison(0, *n)).count() as i64
    }

    pub fn requests(&self) -> usize {
        self.answered.iter().map(Vec::len).sum()
    }

    /// Every client asks so many things more than the busiest has, or until the server is gone. Answers whether all were answered.
    pub async fn go_on(&mut self, server: &Server, more: usize) -> Result<bool, String> {
        let most = self.answered.iter().map(Vec::len).max().unwrap_or(0);
        self.reach(server, most + more).await
    }

    /// Every client asks until it has so many answers.
    pub async fn reach(&mut self, server: &Server, count: usize) -> Result<bool, String> {
        let hook = &self.hook;
        let clients = self.answered.iter_mut().enumerate().map(async |(client, answered)| {
            while answered.len() < count {
                match server.ask(&request(client, answered.len(), hook)).await? {
                    Some(id) => answered.push(id),
                    None => return Ok(false),
                }
            }
            Ok(true)
        });
        let all: Result<Vec<bool>, String> = join_all(clients).await.into_iter().collect();
        all.map(|all| all.into_iter().all(|done| done))
    }

    /// Every client asks on and on while somebody listens to what it has heard, and each thing until it has an answer.
    pub async fn insist(&mut self, server: &Server, heard: &watch::Sender<Heard>) -> Result<(), String> {
        let hook = &self.hook;
        let clients = self.answered.iter_mut().enumerate().map(async |(client, answered)| {
            while !heard.is_closed() {
                let asked = request(client, answered.len(), hook);
                let id = loop {
                    match server.ask(&asked).await? {
                        Some(id) => break id,
                        None => heard.send_modify(|heard| heard.refusals += 1),
                    }
                };
                answered.push(id);
                heard.send_modify(|heard| heard.answers += 1);
            }
            Ok(())
        });
        join_all(clients).await.into_iter().collect()
    }

    /// Waits until all is handled; the last thing of every client has an end, as told over HTTP.
    pub async fn settle(&self, server: &Server) -> Result<(), String> {
        until("all is handled", async || server.is_quiet().await && server.is_idle_but(0).await).await;
        for id in self.answered.iter().filter_map(|ids| ids.last()) {
            let status = server.status(*id).await;
            if !["handled", "rejected", "dead"].contains(&&*status) {
                return Err(format!("{id} is {status:?} over HTTP"));
            }
        }
        Ok(())
    }

    /// Every client asks its last thing again and must be told the same id.
    pub async fn repeat_last(&self, server: &Server) -> Result<(), String> {
        for (client, answered) in self.answered.iter().enumerate() {
            let Some((n, id)) = answered.len().checked_sub(1).zip(answered.last()) else { continue };
            let again = server.ask(&request(client, n, &self.hook)).await?;
            if again != Some(*id) {
                return Err(format!("request {client}-{n} was {id}, its repeat is {again:?}"));
            }
        }
        Ok(())
    }
}

/// Where the clients ask.
pub struct Server {
    pub url: String,
    pub token: String,
}

impl Server {
    pub fn of(url: String, data: &Path) -> Self {
        let token = std::fs::read_to_string(data.join("admin.token")).expect("a token").trim().to_owned();
        Self { url, token }
    }

    /// The id that the answer names; `None` when no answer came or nothing was accepted for now.
    async fn ask(&self, request: &Request) -> Result<Option<Uuid>, String> {
        let method = request.method.parse().expect("a method");
        let asked = HTTP.request(method, format!("{}{}", self.url, request.path)).bearer_auth(&self.token);
        let asked = match request.message_id {
            Some(id) => asked.header("Message-Id", id.to_string()),
            None => asked.header("Idempotency-Key", &request.name),
        };
        let asked = if request.waits { asked.header("Prefer", "wait=2") } else { asked };
        let Ok(response) = asked.json(&request.body).send().await else { return Ok(None) };
        let status = response.status().as_u16();
        let Ok(text) = response.text().await else { return Ok(None) };
        if status == 503 {
            return Ok(None);
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let id = body["event_id"].as_str().and_then(|id| id.parse().ok());
        id.map(Some).ok_or_else(|| format!("{} {}: {status} {text}", request.name, request.path))
    }

    pub async fn get(&self, path: &str) -> Option<Value> {
        self.look(path).await.map(|(_, body)| body)
    }

    /// Status and body.
    pub async fn look(&self, path: &str) -> Option<(u16, Value)> {
        let asked = HTTP.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = asked.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, serde_json::from_str(&response.text().await.ok()?).unwrap_or_default()))
    }

    pub async fn is_ready(&self) -> bool {
        self.look("/health/ready").await.is_some_and(|(status, _)| status == 200)
    }

    /// Whether no context has more than so many messages waiting or any at work.
    pub async fn is_idle_but(&self, waiting: i64) -> bool {
        let Some(actors) = self.get("/admin/actors").await else { return false };
        let items = actors["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let sum = |what: &str| -> i64 { items.iter().filter_map(|actor| actor[what].as_i64()).sum() };
        !items.is_empty() && sum("waiting") <= waiting && sum("in_flight") == 0
    }

    /// How often actors were started again.
    pub async fn restarts(&self) -> u64 {
        let actors = self.get("/admin/actors").await.expect("an answer");
        let items = actors["items"].as_array().expect("actors");
        items.iter().map(|actor| actor["restarts"].as_u64().expect("a number")).sum()
    }

    /// Whether nobody waits for a timer but the calendar, and every event that is answered to was.
    pub async fn is_quiet(&self) -> bool {
        for context in ["notifications", "sagas"] {
            let timers = self.get(&format!("/admin/timers?context={context}")).await.unwrap_or_default();
            if timers["items"].as_array().is_none_or(|items| !items.is_empty()) {
                return false;
            }
        }
        self.count("FollowTimeZone").await == self.count("HouseholdSetUp").await
    }

    /// Messages of a type.
    async fn count(&self, type_name: &str) -> usize {
        let (mut count, mut after) = (0, 0);
        loop {
            let path = format!("/api/events?type={type_name}&limit=100&after={after}");
            let page = self.get(&path).await.unwrap_or_default();
            count += page["items"].as_array().map_or(0, Vec::len);
            match page["next_after"].as_i64() {
                Some(next) if next != after => after = next,
                Some(_) | None => return count,
            }
        }
    }

    /// Has a read model built anew.
    pub async fn rebuild(&self, projection: &str) {
        let asked = HTTP.post(format!("{}/admin/projections/{projection}/rebuild", self.url));
        // It may die over it.
        drop(asked.bearer_auth(&self.token).json(&json!({"why": "a test"})).send().await);
    }

    /// Where a message stands, as told over HTTP.
    pub async fn status(&self, id: Uuid) -> String {
        let found = self.get(&format!("/api/events/{id}")).await.unwrap_or_default();
        found["status"].as_str().unwrap_or_default().to_owned()
    }
}
