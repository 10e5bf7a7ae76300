//! Notifications on their way out of the house, and the operator's hand on the services that they go by.

use crate::process::{Server, answer};
use crate::support::contexts::Ledger;
use crate::support::remote::Remote;
use crate::support::until;
use crate::support::world::{World, append, command};
use meal_planner::actors::{Contexts, NewCommand};
use meal_planner::domain::notifications::{ChannelKind, Notifications, SetUpChannel};
use meal_planner::store::{Filter, Outcome, Store};
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

async fn server(data: &Path, remote: &Remote) -> Server {
    let tokens = "[channel_tokens]\nphone = \"tk_s3cret\"\n";
    std::fs::write(data.join("meal-planner.toml"), tokens).unwrap();
    let server = Server::start(data).await;
    for (name, kind, path) in [("phone", "ntfy", "meals"), ("hook", "webhook", "hooks/1")] {
        let channel = json!({"kind": kind, "address": format!("{}/{path}", remote.address)});
        let (status, answer) =
            server.ask("PUT", &format!("/api/notifications/channels/{name}"), channel).await;
        assert_eq!((status, &answer["result"]["name"]), (200, &json!(name)), "{answer}");
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leaves_by_every_channel_once_with_its_token_and_is_listed() {
    let (data, remote) = (tempfile::tempdir().unwrap(), Remote::start().await);
    let server = server(data.path(), &remote).await;
    let notify = json!({"title": "Grüße", "body": "The week is planned", "about": "/api/meal-plans/1"});
    assert_eq!(server.ask("POST", "/api/notifications", notify).await.0, 201);
    let delivered = |item: &Value| {
        let deliveries = item["deliveries"].as_array().unwrap();
        deliveries.len() == 2 && deliveries.iter().all(|delivery| delivery["state"] == "delivered")
    };
    let first = async || server.get("/api/notifications").await.1["items"][0].clone();
    server.until("both have taken it", async || delivered(&first().await)).await;
    let mut sent = remote.effects();
    sent.sort();
    assert_eq!(sent.len(), 2);
    let phone: Value = serde_json::from_str(sent[1].strip_suffix(" Bearer tk_s3cret").unwrap()).unwrap();
    assert_eq!(phone, json!({"topic": "meals", "title": "Grüße", "message": "The week is planned"}));
    let hook: Value = serde_json::from_str(&sent[0]).unwrap();
    assert_eq!((&hook["title"], &hook["about"]), (&json!("Grüße"), &json!("/api/meal-plans/1")));
    assert_eq!(hook["id"], first().await["id"]);
    for path in ["/api/events?limit=500", "/admin/effects", "/api/notifications/channels"] {
        assert!(!server.get(path).await.1.to_string().contains("s3cret"), "{path}");
    }
    let effects = server.get("/admin/effects?state=done&service=ntfy").await.1["items"].clone();
    assert_eq!((effects.as_array().unwrap().len(), &effects[0]["attempt"]), (1, &json!(1)), "{effects}");
    let path = format!("/admin/effects/{}", effects[0]["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.1["request"]["title"], "Grüße");
    let decision = json!({"outcome": "done", "why": "I looked"});
    assert_eq!(server.ask("POST", &format!("{path}/decide"), decision.clone()).await.0, 409);
    let nobody = format!("/admin/effects/{}/decide", Uuid::nil());
    assert_eq!(server.ask("POST", &nobody, decision).await.0, 404);
    assert_eq!(server.get("/admin/effects?state=odd").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_forces_breakers_and_says_why() {
    let (data, remote) = (tempfile::tempdir().unwrap(), Remote::start().await);
    let server = server(data.path(), &remote).await;
    let state = async |service: usize| server.get("/admin/breakers").await.1["items"][service].clone();
    assert_eq!((&state(0).await["service"], &state(0).await["state"]), (&json!("ntfy"), &json!("closed")));
    let order =
        async |path: &str, body: Value| server.ask("POST", &format!("/admin/breakers/{path}"), body).await;
    let why = || json!({"why": "it is being moved"});
    let (status, open) = order("ntfy/open", why()).await;
    assert_eq!((status, &open["state"]), (200, &json!("forced_open")), "{open}");
    assert_eq!(state(0).await["reason"]["why"], "it is being moved");
    server.ask("POST", "/api/notifications", json!({"title": "t", "body": "b"})).await;
    let waits = async || server.get("/admin/actors/contexts/notifications").await.1["waits"].clone();
    server
        .until("it waits", async || waits().await[0]["reason"].to_string().contains("behind breaker ntfy"))
        .await;
    assert_eq!(waits().await[0]["key"], "phone");
    let metrics = server.get("/metrics").await.1;
    assert!(metrics.as_str().unwrap().contains("meal_planner_breaker_open{service=\"ntfy\"} 1"), "{metrics}");
    assert_eq!(order("nobody/open", why()).await.0, 404);
    assert_eq!(order("ntfy/open", json!({"why": " "})).await.0, 422);
    let output = server.run(data.path(), &["breakers", "release", "ntfy", "--why", "it is moved"]);
    assert!(output.status.success(), "{output:?}");
    server.until("it was probed and closes", async || state(0).await["state"] == "closed").await;
    assert_eq!(order("ntfy/release", why()).await.0, 409);
    let settings = json!({"settings": {"failures_to_open": 3}});
    let (status, set) = answer(server.request("PUT", "/admin/breakers/ntfy").json(&settings)).await.unwrap();
    assert_eq!((status, &set["settings"]["failures_to_open"]), (200, &json!(3)), "{set}");
    let absurd = json!({"settings": {"probes": 0}});
    assert_eq!(answer(server.request("PUT", "/admin/breakers/ntfy").json(&absurd)).await.unwrap().0, 422);
    let listed = server.run(data.path(), &["breakers"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("ntfy") && listed.contains("webhook"), "{listed}");
}

fn unknown(key: &str) -> NewCommand {
    NewCommand { type_name: "NobodyKnowsThis".to_owned(), ..append(key, 1) }
}

#[tokio::test]
async fn a_dead_letter_is_told_and_one_of_telling_makes_no_more() {
    let contexts = Contexts::default().with::<Ledger>().with::<Notifications>();
    let world = World::start_with(tempfile::tempdir().unwrap(), contexts).await;
    let address = "http://127.0.0.1:9/nobody".to_owned();
    // Nobody has set up a gateway here: whatever goes over this channel dies.
    let channel = SetUpChannel { kind: ChannelKind::Webhook, address };
    world.ask(command::<Notifications>("hook", channel)).await;
    let lost = unknown("a");
    assert!(matches!(world.ask(lost.clone()).await.outcome, Outcome::Dead { .. }));
    let told = async || {
        let sent = Filter { type_name: Some("NotificationSent".to_owned()), ..Filter::default() };
        world.messages(sent).await
    };
    until("both are told", async || told().await.len() == 2).await;
    // A third would be caused by what the second has led to, which is all there by now.
    until("nothing waits", async || world.store.waiting_counts().await.unwrap().is_empty()).await;
    let told = told().await;
    assert_eq!(told.len(), 2);
    assert!(
        told[0].body.contains("NobodyKnowsThis") && told[0].body.contains("\"hook\""),
        "{}",
        told[0].body
    );
    assert!(told[1].body.contains("\"channels\":[]"), "{}", told[1].body);
}
