//! Orders to the runtime over HTTP, and the operator's pages.

use super::over_http::{RECIPE, soup, with_dead};
use crate::process::{Server, answer, client};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

async fn generation(server: &Server, path: &str) -> u64 {
    server.get(&format!("/admin/actors/{path}")).await.1["generation"].as_u64().unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The newest events of this type, once there are so many.
async fn notices(server: &Server, type_name: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/events?context=operations&type={type_name}");
    let found = async || server.get(&path).await.1["items"].as_array().unwrap().clone();
    server.until("it is on the record", async || found().await.len() >= count).await;
    found().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_context_accepts_and_handles_when_it_is_resumed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let why = json!({"why": "to look at it"});
    let order = async |verb: &str| {
        server.ask("POST", &format!("/admin/actors/contexts/recipes/{verb}"), why.clone()).await
    };
    assert_eq!(order("pause").await.0, 202);
    assert_eq!(server.get("/admin/actors/contexts/recipes").await.1["paused"], true);
    let (status, accepted) = answer(server.request("POST", "/api/recipes").json(&soup())).await.unwrap();
    assert_eq!(status, 202, "{accepted}");
    let follow_up = accepted["follow_up"].as_str().unwrap();
    let waiting = async || server.get("/admin/actors/contexts/recipes").await.1["waiting"] == 1;
    server.until("it waits", waiting).await;
    assert_eq!(server.get(follow_up).await.1["status"], "accepted");
    assert_eq!(order("resume").await.0, 202);
    server.until_is(follow_up, "status", "handled").await;
    for (type_name, count) in [("ActorPaused", 1), ("ActorResumed", 1)] {
        let found = notices(&server, type_name, count).await;
        assert_eq!(found[0]["key"], "contexts/recipes");
        assert_eq!(found[0]["detail"]["reason"], json!({"by": "operator (token)", "why": "to look at it"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_restarted_and_a_read_model_rebuilt_on_order() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    assert_eq!(server.ask("POST", "/api/recipes", soup()).await.0, 201);
    let before = generation(&server, "contexts/recipes").await;
    let why = json!({"why": "it looks tired"});
    let (status, told) = server.ask("POST", "/admin/actors/contexts/recipes/restart", why.clone()).await;
    assert_eq!(status, 202, "{told}");
    let newer = async || generation(&server, "contexts/recipes").await > before;
    server.until("a new generation", newer).await;
    assert_eq!(notices(&server, "ActorRestartRequested", 1).await.len(), 1);
    let path = "/admin/projections/recipes_catalogue/rebuild";
    assert_eq!(server.ask("POST", path, why).await.0, 202);
    let found = notices(&server, "ProjectionRebuildRequested", 1).await;
    assert_eq!(found[0]["detail"]["reason"]["why"], "it looks tired");
    assert_eq!(server.get("/api/recipes").await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_make_no_sense_are_refused_and_strangers_give_none() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let why = json!({"why": "x"});
    for (path, body, expected) in [
        ("/admin/actors/contexts/nobody/restart", why.clone(), 404),
        ("/admin/actors/contexts/recipes/explode", why.clone(), 404),
        ("/admin/actors/journal/pause", why.clone(), 409),
        ("/admin/actors/restart", why.clone(), 409),
        ("/admin/actors/contexts/recipes/pause", json!({}), 422),
        ("/admin/projections/nothing/rebuild", why.clone(), 404),
        ("/admin/projections/recipes_catalogue/rebuild", json!({"why": ""}), 422),
    ] {
        let (status, problem) = server.ask("POST", path, body).await;
        assert_eq!(status, expected, "{path}: {problem}");
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
        let request = client().post(format!("{}{path}", server.url));
        assert_eq!(answer(request.json(&why)).await.unwrap().0, 401, "{path}");
    }
    assert_eq!(server.get("/admin/timers?limit=0").await.0, 422);
    assert_eq!(server.get("/admin/timers").await.1["items"], json!([]));
    assert_eq!(server.get("/admin/actors/contexts/recipes").await.1["paused"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_mends_and_replays_on_the_pages() {
    let (_data, server, _) = with_dead(&[(RECIPE, "{\"name\": 7}")]).await;
    let (_, link) = answer(server.request("POST", "/admin/login-links")).await.unwrap();
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let login =
        browser.get(format!("{}{}", server.url, link["path"].as_str().unwrap())).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let get = async |path: &str| {
        let page =
            browser.get(format!("{}{path}", server.url)).header("Cookie", &cookie).send().await.unwrap();
        (page.status().as_u16(), page.text().await.unwrap())
    };
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let request = browser.post(format!("{}{path}", server.url)).header("Cookie", &cookie);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let page = request.header("Origin", &server.url).body(form).send().await.unwrap();
        (page.status().as_u16(), page.text().await.unwrap())
    };
    let id = server.get("/admin/dead-letters").await.1["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/dead-letters/{id}");
    let (status, page) = get("/actors").await;
    assert!(status == 200 && page.contains("Dead letters: 1.") && page.contains(&path), "{page}");
    assert!(get("/dead-letters").await.1.contains(&path));
    assert!(get(&path).await.1.contains("Edit the body"));
    let (status, page) = post(&format!("{path}/body"), &[("body", "{\"name\": 8}"), ("why", "x")]).await;
    assert!(status == 422 && page.contains("/name") && page.contains("<html"), "{page}");
    let body = soup().to_string();
    assert_eq!(post(&format!("{path}/body"), &[("body", &body), ("why", "a name is text")]).await.0, 303);
    let (status, page) = post(&format!("{path}/dry-run"), &[]).await;
    assert!(status == 200 && page.contains("RecipeCreated"), "{page}");
    assert_eq!(post(&format!("{path}/replay"), &[("why", "mended")]).await.0, 303);
    let (status, page) = post(&format!("{path}/discard"), &[("why", "too late")]).await;
    assert!(status == 409 && page.contains("replayed"), "{page}");
    let found = notices(&server, "DeadLetterReplayed", 1).await;
    assert_eq!(found[0]["detail"]["reason"], json!({"by": "operator (browser)", "why": "mended"}));
    let (status, _) =
        post("/actors", &[("path", "contexts/recipes"), ("order", "pause"), ("why", "x")]).await;
    assert_eq!(status, 303);
    assert!(get("/actors").await.1.contains("contexts/recipes is paused"));
    let stranger = browser.post(format!("{}{path}/discard", server.url)).header("Cookie", &cookie).send();
    assert_eq!(stranger.await.unwrap().status().as_u16(), 403, "from a page of somebody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_dead_letters_states_and_failed_attempts() {
    let (_data, server, _) = with_dead(&[(RECIPE, "{\"name\": 7}")]).await;
    let metrics = server.get("/metrics").await.1.as_str().unwrap().to_owned();
    for line in [
        "meal_planner_dead_letters_open 1",
        "meal_planner_actor_state{actor=\"contexts/recipes\",kind=\"context\",state=\"running\"} 1",
        "meal_planner_actor_attempts_failed_total{actor=\"contexts/recipes\",kind=\"context\"} 0",
        "meal_planner_timers_overdue 0",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}
