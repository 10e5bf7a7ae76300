//! Feature flags: values are data in the messages, as they were when the first of them was accepted.

use crate::process::Server;
use serde_json::{Value, json};

async fn set(server: &Server, name: &str, value: Value) -> (u16, Value) {
    server.ask("PUT", &format!("/admin/flags/{name}"), json!({"value": value, "why": "to try it"})).await
}

/// The stored flags of the messages of a type, oldest first.
async fn flags_of(server: &Server, type_name: &str) -> Vec<Value> {
    let messages = server.get(&format!("/api/events?context=recipes&type={type_name}")).await.1;
    messages["items"].as_array().unwrap().iter().map(|message| message["flags"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_are_stamped_on_what_is_accepted_after_and_on_what_it_causes() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let soup = json!({"name": "Leek soup", "servings": 2, "ingredients": ["400 g leeks"]});
    let create = async |server: &Server| {
        assert_eq!(server.ask("POST", "/api/recipes", soup.clone()).await.0, 201);
    };
    create(&server).await;
    let (status, answer) = set(&server, "new_search", json!("on")).await;
    assert_eq!((status, &answer["result"]["value"]), (200, &json!("on")), "{answer}");
    create(&server).await;
    server.kill();
    let server = Server::start(data.path()).await;
    create(&server).await;
    assert_eq!(set(&server, "new_search", Value::Null).await.0, 200);
    assert_eq!(server.get("/admin/flags").await.1["items"], json!([]));
    create(&server).await;
    let on = json!(["new_search=on"]);
    let stamped = [Value::Null, on.clone(), on, Value::Null];
    assert_eq!(flags_of(&server, "CreateRecipe").await, stamped);
    assert_eq!(flags_of(&server, "RecipeCreated").await, stamped);
    for (name, value, expected) in [("New", json!("on"), 422), ("x", json!(""), 422), ("x", json!(7), 422)] {
        assert_eq!(set(&server, name, value).await.0, expected, "{name}");
    }
}
