//! The operator's page: a stuck saga and the breakers are in sight, and their forms do what they say.

use crate::process::{Server, answer};
use crate::support::world::raw;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// A saga that could not be undone, as the store would hold it.
async fn plant_stuck(data: &Path) -> Uuid {
    let saga = Uuid::now_v7();
    let events = [
        ("SagaStarted", include_str!("../../samples/sagas/SagaStarted.v1.2.json").to_owned()),
        ("StepCompleted", json!({"step": "create_plan"}).to_string()),
        ("StepFailed", json!({"step": "shopping_list", "error": "no paper"}).to_string()),
        ("SagaStuck", json!({"step": "create_plan", "error": "the pen is dry"}).to_string()),
    ];
    let mut db = raw(data).await;
    for (version, (type_name, body)) in (1_i64..).zip(events) {
        sqlx::query(
            "INSERT INTO events (position, id, kind, context, key, stream_version, type, schema_version, body,
                                 time_us, correlation_id, epoch)
             SELECT coalesce(max(position), 0) + 1, ?1, 1, 'sagas', ?2, ?3, ?4, 1, ?5, 0, ?6, 1 FROM events",
        )
        .bind(Uuid::now_v7().as_bytes().as_slice())
        .bind(saga.to_string())
        .bind(version)
        .bind(type_name)
        .bind(body)
        .bind(saga.as_bytes().as_slice())
        .execute(&mut db)
        .await
        .unwrap();
    }
    saga
}

async fn text(server: &Server, path: &str) -> String {
    server.request("GET", path).send().await.unwrap().text().await.unwrap()
}

/// Posts a form as the page would; answers the status.
async fn post(server: &Server, path: &str, form: String) -> u16 {
    let request = server.request("POST", path).header("Content-Type", "application/x-www-form-urlencoded");
    request.body(form).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_saga_is_in_sight_and_takes_orders_from_the_page() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(Server::start(data.path()).await.terminate(), Some(0));
    let saga = plant_stuck(data.path()).await;
    let server = Server::start(data.path()).await;
    server.until_is(&format!("/api/sagas/{saga}"), "status", "stuck").await;
    assert!(text(&server, "/metrics").await.contains("meal_planner_sagas{status=\"stuck\"} 1"));
    let page = text(&server, "/actors").await;
    for part in ["stuck half-way: 1", "the pen is dry", &saga.to_string(), "Skip step", "Abandon"] {
        assert!(page.contains(part), "{part} is not on the page: {page}");
    }
    let form = |order: &str, why: &str| format!("id={saga}&order={order}&why={why}");
    assert_eq!(post(&server, "/sagas", form("abandon", "")).await, 422, "without a reason");
    assert_eq!(post(&server, "/sagas", form("compensate", "x")).await, 409, "it is past that");
    assert_eq!(post(&server, "/sagas", form("forget", "x")).await, 404);
    let shown = answer(server.request("GET", &format!("/api/sagas/{saga}"))).await.unwrap().1;
    assert_eq!(shown["status"], "stuck", "nothing of that was done: {shown}");
    post(&server, "/sagas", form("abandon", "eaten")).await;
    let shown = answer(server.request("GET", &format!("/api/sagas/{saga}"))).await.unwrap().1;
    assert_eq!((&shown["status"], &shown["word"]["why"]), (&json!("abandoned"), &json!("eaten")), "{shown}");
    assert!(!text(&server, "/actors").await.contains(&saga.to_string()));
    assert!(text(&server, "/metrics").await.contains("meal_planner_sagas{status=\"stuck\"} 0"));
}
