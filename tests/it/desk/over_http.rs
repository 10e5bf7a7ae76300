//! The desk as scripts and people use it: the real program, over HTTP and from the command line.

use crate::process::{Server, answer, client};
use crate::support::world::raw;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

pub(super) const RECIPE: &str = "01890000-0000-7000-8000-000000000001";

/// A command as no edge would accept it, as if a defect had let it in.
async fn plant(data: &Path, key: &str, body: &str) -> Uuid {
    let id = Uuid::now_v7();
    let mut db = raw(data).await;
    sqlx::query(
        "INSERT INTO events (position, id, kind, context, key, type, schema_version, body, time_us, correlation_id, epoch)
         SELECT coalesce(max(position), 0) + 1, ?1, 0, 'recipes', ?2, 'CreateRecipe', 1, ?3, 0, ?1, 1 FROM events",
    )
    .bind(id.as_bytes().as_slice())
    .bind(key)
    .bind(body)
    .execute(&mut db)
    .await
    .unwrap();
    let inbox = "INSERT INTO inbox (position, context) SELECT max(position), 'recipes' FROM events";
    sqlx::query(inbox).execute(&mut db).await.unwrap();
    id
}

/// A server that has come upon dead letters of these bodies at its start.
pub(super) async fn with_dead(bodies: &[(&str, &str)]) -> (TempDir, Server, Vec<Uuid>) {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(Server::start(data.path()).await.terminate(), Some(0));
    let mut ids = Vec::new();
    for (key, body) in bodies {
        ids.push(plant(data.path(), key, body).await);
    }
    let server = Server::start(data.path()).await;
    let all_dead = async || {
        let letters = server.get("/admin/dead-letters?state=open").await.1;
        letters["items"].as_array().is_some_and(|items| items.len() == bodies.len())
    };
    server.until("all are dead letters", all_dead).await;
    (data, server, ids)
}

pub(super) fn soup() -> Value {
    json!({"name": "Leek soup", "servings": 2, "ingredients": ["400 g leeks"]})
}

async fn first(server: &Server) -> String {
    let letters = server.get("/admin/dead-letters").await.1;
    letters["items"][0]["details"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_found_understood_mended_and_replayed() {
    let (_data, server, ids) = with_dead(&[(RECIPE, "{\"name\": 7}")]).await;
    let path = first(&server).await;
    let (status, found) = server.get(&path).await;
    assert_eq!(status, 200, "{found}");
    assert_eq!((&found["type"], &found["message"]["detail"]["name"]), (&json!("CreateRecipe"), &json!(7)));
    assert_eq!(found["aggregate"]["version"], 0);
    let (status, problem) =
        server.ask("PUT", &format!("{path}/body"), json!({"body": {"name": 8}, "why": "x"})).await;
    assert_eq!((status, &problem["pointer"]), (422, &json!("/body/name")), "{problem}");
    let (status, problem) = server.ask("PUT", &format!("{path}/body"), json!({"body": soup()})).await;
    assert_eq!(status, 422, "without a reason: {problem}");
    let edit = json!({"body": soup(), "why": "a name is text"});
    assert_eq!(server.ask("PUT", &format!("{path}/body"), edit).await.0, 200);
    let (status, run) = server.ask("POST", &format!("{path}/dry-run"), json!({})).await;
    assert_eq!((status, &run["outcome"]), (200, &json!("handled")), "{run}");
    assert_eq!(run["events"][0]["type"], "RecipeCreated");
    assert_eq!(server.get("/api/recipes").await.1["items"], json!([]), "nothing was kept");

    let (status, told) = server.ask("POST", &format!("{path}/replay"), json!({"why": "mended"})).await;
    assert_eq!(status, 202, "{told}");
    server.until_is(told["follow_up"].as_str().unwrap(), "status", "handled").await;
    let (_, old) = server.get(&format!("/api/events/{}", ids[0])).await;
    assert_eq!(
        (&old["status"], &old["replayed_as"]["event_id"]),
        (&json!("dead"), &told["event_id"]),
        "{old}"
    );
    server
        .until("the recipe is there", async || server.get("/api/recipes").await.1["items"][0].is_object())
        .await;
    let (status, problem) = server.ask("POST", &format!("{path}/replay"), json!({"why": "again"})).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains(told["event_id"].as_str().unwrap()), "{problem}");
    let notices = server.get("/api/events?context=operations&type=DeadLetterReplayed").await.1;
    assert_eq!(notices["items"][0]["detail"]["reason"], json!({"by": "operator (token)", "why": "mended"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_even_decode_as_text_is_shown_as_it_stands() {
    let (data, server, _) = with_dead(&[(RECIPE, "{}")]).await;
    assert_eq!(server.terminate(), Some(0));
    let mut db = raw(data.path()).await;
    let spoil = "UPDATE dead_letters SET raw = x'ff00'";
    sqlx::query(spoil).execute(&mut db).await.unwrap();
    drop(db);
    let server = Server::start(data.path()).await;
    let found = server.get(&first(&server).await).await.1;
    assert_eq!(found["raw"], json!({"encoding": "hex", "value": "ff00"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_replayed_or_discarded_in_pages() {
    let ids = [1, 2, 3].map(|n| format!("01890000-0000-7000-8000-00000000000{n}"));
    let bodies: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "{\"name\": 7}")).collect();
    let (_data, server, _) = with_dead(&bodies).await;
    let page = json!({"filter": {"context": "recipes"}, "limit": 2, "why": "all"});
    let (status, swept) = server.ask("POST", "/admin/dead-letters/replay", page).await;
    assert_eq!((status, &swept["replayed"]), (200, &json!(2)), "{swept}");
    let rest = json!({"filter": {"context": "recipes"}, "cursor": swept["next"], "limit": 2, "why": "all"});
    let swept = server.ask("POST", "/admin/dead-letters/replay", rest).await.1;
    assert_eq!((&swept["replayed"], &swept["next"]), (&json!(1), &Value::Null), "{swept}");
    // Not mended, they die again, each as a dead letter of its own.
    let open = async || server.get("/admin/dead-letters?state=open&limit=500").await.1["items"].clone();
    server.until("they are dead again", async || open().await.as_array().unwrap().len() == 3).await;
    let swept = server.ask("POST", "/admin/dead-letters/discard", json!({"why": "hopeless"})).await.1;
    assert_eq!(swept["discarded"], 3, "{swept}");
    assert_eq!(open().await, json!([]));
    let all = server.get("/admin/dead-letters?limit=4").await.1;
    let next = format!("/admin/dead-letters?limit=4&cursor={}", all["next"].as_str().unwrap());
    let all = (
        all["items"].as_array().unwrap().len(),
        server.get(&next).await.1["items"].as_array().unwrap().len(),
    );
    assert_eq!(all, (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_wishes_are_told_so_and_strangers_get_nothing() {
    let (_data, server, _) = with_dead(&[(RECIPE, "{\"name\": 7}")]).await;
    let path = first(&server).await;
    let why = json!({"why": "x"});
    for (method, path, body, expected) in [
        ("GET", "/admin/dead-letters/0", Value::Null, 404),
        ("GET", "/admin/dead-letters/999999", Value::Null, 404),
        ("GET", "/admin/dead-letters?state=gone", Value::Null, 400),
        ("GET", "/admin/dead-letters?colour=red", Value::Null, 400),
        ("GET", "/admin/dead-letters?limit=0", Value::Null, 422),
        ("GET", "/admin/dead-letters?cursor=x", Value::Null, 422),
        ("POST", "/admin/dead-letters/999999/replay", why.clone(), 404),
        ("POST", &format!("{path}/replay"), json!({}), 422),
        ("POST", &format!("{path}/replay"), json!({"why": " "}), 422),
        ("POST", &format!("{path}/replay"), json!({"why": "x", "force": true}), 422),
        ("POST", "/admin/dead-letters/replay", json!({"filter": {"colour": "red"}, "why": "x"}), 422),
        ("DELETE", path.as_str(), Value::Null, 405),
    ] {
        let (status, problem) = server.ask(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {problem}");
        assert!(problem["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    }
    let large = json!({"body": {"name": "x".repeat(2_000_000)}, "why": "x"});
    assert_eq!(server.ask("PUT", &format!("{path}/body"), large).await.0, 413);
    for (method, path) in [
        ("GET", "/admin/dead-letters".to_owned()),
        ("GET", path.clone()),
        ("PUT", format!("{path}/body")),
        ("POST", format!("{path}/dry-run")),
        ("POST", format!("{path}/replay")),
        ("POST", format!("{path}/discard")),
        ("POST", "/admin/dead-letters/replay".to_owned()),
        ("POST", "/admin/dead-letters/discard".to_owned()),
    ] {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", server.url));
        assert_eq!(answer(request.json(&why)).await.unwrap().0, 401, "{method} {path}");
    }
    assert_eq!(server.get(&path).await.1["state"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_has_the_same_verbs() {
    let (data, server, _) = with_dead(&[(RECIPE, "{\"name\": 7}")]).await;
    let run = |arguments: &[&str]| {
        let output = server.run(data.path(), arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = run(&["dead-letters", "list"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("CreateRecipe") && out.contains("open"), "{out}");
    let id = server.get("/admin/dead-letters").await.1["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(run(&["dead-letters", "show", &id]).1.contains("\"history\""));
    let file = data.path().join("body.json");
    std::fs::write(&file, "{\"name\": []}").unwrap();
    let edit = ["dead-letters", "edit", &id, "--body", file.to_str().unwrap(), "--why", "a name is text"];
    let (code, _, err) = run(&edit);
    assert_eq!(code, Some(4));
    assert!(err.contains("/body/name"), "{err}");
    std::fs::write(&file, soup().to_string()).unwrap();
    assert_eq!(run(&edit).0, Some(0));
    assert!(run(&["dead-letters", "dry-run", &id]).1.contains("RecipeCreated"));
    let (code, out, _) = run(&["dead-letters", "replay", &id, "--why", "mended"]);
    assert!(code == Some(0) && out.contains("/api/events/"), "{out}");
    assert_eq!(run(&["dead-letters", "discard", &id, "--why", "too late"]).0, Some(4));
    let (code, out, _) = run(&["dead-letters", "discard", "--all", "--why", "none is left"]);
    assert!(code == Some(0) && out.contains("0 dead letters discarded"), "{out}");
}
