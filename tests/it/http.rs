//! Bad input gets a clear answer and loses nothing; strangers get nothing.

use crate::process::{Server, answer};
use serde_json::{Value, json};

async fn server() -> (tempfile::TempDir, Server) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    (data, server)
}

fn soup() -> Value {
    json!({"name": "Leek soup", "servings": 2, "ingredients": ["400 g leeks"]})
}

/// Every problem says what is wrong and what to do.
fn is_problem(status: u16, expected: u16, body: &Value) {
    assert_eq!(status, expected, "{body}");
    for field in ["type", "title", "detail", "hint", "trace_id"] {
        assert!(body[field].is_string(), "{field} is missing in {body}");
    }
    assert!(!body["hint"].as_str().unwrap().is_empty(), "{body}");
    assert_eq!(body["status"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_told_what_is_wrong_and_leave_nothing_behind() {
    let (_data, server) = server().await;
    let before = server.get("/api/events?limit=500").await.1;
    let post = async |path: &str, body: String, kind: &str| {
        answer(server.request("POST", path).header("Content-Type", kind).body(body)).await.unwrap()
    };
    let json_type = "application/json";
    let nan = soup().to_string().replace("\"servings\":2", "\"servings\":NaN");
    let with = |field: &str, value: Value| {
        let mut recipe = soup();
        recipe[field] = value;
        recipe.to_string()
    };
    for (what, body, kind, expected) in [
        ("broken JSON", "{\"name\": ".to_owned(), json_type, 400),
        ("not UTF-8 JSON", "\u{1}".to_owned(), json_type, 400),
        ("a list", "[]".to_owned(), json_type, 422),
        ("a wrong type", with("servings", json!("two")), json_type, 422),
        ("NaN", nan, json_type, 400),
        ("negative", with("servings", json!(-1)), json_type, 422),
        ("zero", with("servings", json!(0)), json_type, 422),
        ("an unknown field", with("colour", json!("green")), json_type, 422),
        ("no ingredients", with("ingredients", json!([])), json_type, 422),
        ("an empty name", with("name", json!(" ")), json_type, 422),
        ("another format", "name: soup".to_owned(), "application/yaml", 415),
        ("JSON-LD without a recipe", "{\"@type\": \"Person\"}".to_owned(), "application/ld+json", 422),
        ("10 MB", with("description", json!("x".repeat(10_000_000))), json_type, 413),
    ] {
        let (status, problem) = post("/api/recipes", body, kind).await;
        assert_eq!(status, expected, "{what}: {problem}");
        is_problem(status, expected, &problem);
    }
    assert_eq!(server.get("/api/events?limit=500").await.1, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_recipes_gets_an_answer_of_its_own() {
    let (_data, server) = server().await;
    let recipe = |name: &str| json!({"@type": "Recipe", "name": name, "recipeIngredient": ["1 leek"]});
    let id = "01890000-0000-7000-8000-000000000001";
    let send = async || {
        let request =
            server.request("POST", "/api/recipes").header("Message-Id", id).header("Prefer", "Wait=30");
        let request = request.header("Content-Type", "application/ld+json");
        answer(request.body(json!([recipe("A"), recipe("B")]).to_string())).await.unwrap()
    };
    let (status, first) = send().await;
    assert_eq!(status, 202, "{first}");
    let ids = |answer: &Value| [0, 1].map(|n| answer["items"][n]["event_id"].clone());
    assert_eq!(first["items"][1]["status"], "handled", "{first}");
    assert_eq!(ids(&send().await.1), ids(&first), "a repeat gets the first answers");
    assert_eq!(server.get("/api/recipes").await.1["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_type_is_pointed_at() {
    let (_data, server) = server().await;
    let recipe = json!({"name": "x", "servings": 1, "ingredients": ["1 leek", 7]});
    let (status, problem) = server.ask("POST", "/api/recipes", recipe).await;
    is_problem(status, 422, &problem);
    assert_eq!(problem["pointer"], "/ingredients/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_things_are_not_found_and_absurd_wishes_refused() {
    let (_data, server) = server().await;
    let nobody = "00000000-0000-7000-8000-0000000000ff";
    for path in ["/api/recipes/x", "/api/meal-plans/x", "/api/events/x", "/api/nothing", "/admin/actors/x"] {
        let (status, problem) = server.get(path).await;
        is_problem(status, 404, &problem);
    }
    let goals = json!({"goals": {"kcal": {"min": 2000}}});
    let (status, problem) = server.ask("PUT", &format!("/api/nutrition/goals/{nobody}"), goals).await;
    is_problem(status, 404, &problem);
    let absurd = json!({"goals": {"kcal": {"low": 2100, "high": 1900}}});
    let (status, problem) = server.ask("PUT", &format!("/api/nutrition/goals/{nobody}"), absurd).await;
    is_problem(status, 422, &problem);
    let (status, problem) = server.ask("DELETE", "/api/recipes/nope", json!({})).await;
    is_problem(status, 404, &problem);
    let (status, problem) = server.ask("POST", "/api/meal-plans", json!({"days": 0})).await;
    is_problem(status, 422, &problem);
    let (status, problem) = server.ask("POST", "/api/meal-plans", json!({})).await;
    is_problem(status, 409, &problem);
    let (status, problem) = server.get("/api/recipes?limit=0").await;
    is_problem(status, 422, &problem);
    let (status, problem) = server.get("/api/recipes?colour=green").await;
    is_problem(status, 400, &problem);
    let (status, problem) = answer(server.request("PATCH", "/api/recipes")).await.unwrap();
    is_problem(status, 405, &problem);
    for path in ["/api/events?after=x", "/api/events/stream?colour=green", "/api/recipes/%ff", "/login"] {
        let (status, problem) = server.get(path).await;
        is_problem(status, 400, &problem);
    }
    let far = format!("/api/events?after={}", i64::MAX);
    assert_eq!(server.get(&far).await.1["items"], json!([]));
    let never = json!({"start": "9999-12-31"});
    let (status, problem) = server.ask("POST", "/api/triggers/meal_plan_generation", never).await;
    is_problem(status, 422, &problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_nothing_but_health() {
    let (_data, server) = server().await;
    let client = crate::process::client();
    let get = |path: &str| client.get(format!("{}{path}", server.url));
    assert_eq!(answer(get("/health/live")).await.unwrap().0, 200);
    for path in ["/api/recipes", "/", "/metrics", "/openapi.json", "/admin/actors", "/nothing"] {
        let (status, problem) = answer(get(path)).await.unwrap();
        is_problem(status, 401, &problem);
        let (status, problem) = answer(get(path).bearer_auth("wrong")).await.unwrap();
        is_problem(status, 401, &problem);
    }
    let (status, problem) = answer(get("/health/live").header("Host", "evil.example")).await.unwrap();
    is_problem(status, 421, &problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_works_once_and_its_cookie_needs_our_origin() {
    let (_data, server) = server().await;
    let (_, link) = answer(server.request("POST", "/admin/login-links")).await.unwrap();
    let url = format!("{}{}", server.url, link["path"].as_str().unwrap());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let response = client.get(&url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 303);
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(client.get(&url).send().await.unwrap().status().as_u16(), 401, "only once");
    let cookie = cookie.split(';').next().unwrap();
    let page = client.get(&server.url).header("Cookie", cookie).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 200);
    let post = || client.post(format!("{}/api/recipes", server.url)).header("Cookie", cookie).json(&soup());
    assert_eq!(post().send().await.unwrap().status().as_u16(), 403);
    for origin in ["http://evil.example", "http://127.0.0.1:1", "http://localhost", "null"] {
        assert_eq!(post().header("Origin", origin).send().await.unwrap().status().as_u16(), 403, "{origin}");
    }
    assert_eq!(post().header("Origin", &server.url).send().await.unwrap().status().as_u16(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_under_the_same_key_gets_the_first_answer_and_another_body_is_refused() {
    let (_data, server) = server().await;
    let send = async |body: Value| {
        let request =
            server.request("POST", "/api/recipes").header("Idempotency-Key", "k").header("Prefer", "wait=30");
        answer(request.json(&body)).await.unwrap()
    };
    let (status, first) = send(soup()).await;
    assert_eq!(status, 201);
    let (status, again) = send(soup()).await;
    assert_eq!(status, 200);
    assert_eq!((&again["event_id"], &again["result"]), (&first["event_id"], &first["result"]));
    let (status, problem) = send(json!({"name": "Other", "servings": 2, "ingredients": ["1 leek"]})).await;
    is_problem(status, 422, &problem);
    assert_eq!(server.get("/api/recipes").await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_are_changed_in_versions_and_found_by_words() {
    let (_data, server) = server().await;
    let (_, created) = server.ask("POST", "/api/recipes", soup()).await;
    let id = created["key"].as_str().unwrap().to_owned();
    let coverage = &created["result"]["nutrition"]["coverage"];
    assert_eq!((&coverage["lines_counted"], &coverage["lines_total"]), (&json!(1), &json!(1)), "{created}");
    let changed = json!({"expected_version": 1, "recipe": {"name": "Leek and potato soup", "servings": 4,
                         "ingredients": ["400 g leeks", "some dragonfruit essence"]}});
    let path = format!("/api/recipes/{id}");
    let (status, answer) = server.ask("PUT", &path, changed.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let coverage = &answer["result"]["nutrition"]["coverage"];
    assert_eq!((&coverage["lines_counted"], &coverage["lines_total"]), (&json!(1), &json!(2)), "{answer}");
    assert_eq!(server.ask("PUT", &path, changed).await.0, 409, "the version has moved on");
    let versions = server.get(&format!("{path}/versions")).await.1;
    assert_eq!(versions["versions"].as_array().unwrap().len(), 2);
    assert_eq!(server.get("/api/recipes?q=POTATO%20leek").await.1["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/recipes?q=banana").await.1["items"], json!([]));
    assert_eq!(server.ask("DELETE", &path, json!({})).await.0, 200);
    assert_eq!(server.get(&path).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_carried_by_everything_a_request_causes() {
    let (_data, server) = server().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = server.request("POST", "/api/recipes").header("Prefer", "wait=30");
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    let (_, created) = answer(request.json(&soup())).await.unwrap();
    let events = server.get(&format!("/api/events?trace={trace}")).await.1;
    let types: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|e| e["detail-type"].clone()).collect();
    assert_eq!(types, ["CreateRecipe", "RecipeCreated", "NutritionCalculated"]);
    let status = server.get(created["follow_up"].as_str().unwrap()).await.1;
    assert_eq!(status["caused"].as_array().unwrap().len(), 2, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_every_command_and_actors_and_metrics_can_be_seen() {
    let (_data, server) = server().await;
    let document = server.get("/openapi.json").await.1;
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    for (at, _) in text.match_indices("#/components/schemas/") {
        let name: String = text[at + 21..].chars().take_while(|c| *c != '"').collect();
        assert!(document["components"]["schemas"].get(&name).is_some(), "{name} is not described");
    }
    assert!(document["paths"]["/api/recipes"]["post"].is_object());
    let actors = server.get("/admin/actors").await.1;
    let paths: Vec<_> =
        actors["items"].as_array().unwrap().iter().map(|a| a["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"contexts/recipes") && paths.contains(&"journal"), "{paths:?}");
    let metrics = server.get("/metrics").await.1;
    assert!(metrics.as_str().unwrap().contains("meal_planner_actor_handled_total"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_scheduled_by_the_clocks_of_the_household_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let path = "/api/triggers/meal_plan_generation/schedule";
    let fridays = json!({"cron": "0 6 * * FRI", "input": {"days": 7}});
    let (status, problem) = server.ask("PUT", path, fridays.clone()).await;
    assert_eq!((status, &problem["pointer"]), (422, &json!("/time_zone")), "{problem}");
    let household = json!({"name": "Home", "time_zone": "Europe/Vienna"});
    assert_eq!(server.ask("PUT", "/api/household", household).await.0, 200);
    let (status, set) = server.ask("PUT", path, fridays.clone()).await;
    assert_eq!((status, &set["result"]["time_zone"]), (200, &json!("Europe/Vienna")), "{set}");
    assert!(set["result"]["next"].as_str().unwrap().contains("T0"), "{set}");
    assert_eq!(server.get("/api/schedules").await.1["items"][0], server.get(path).await.1);

    let moved = json!({"name": "Home", "time_zone": "Asia/Tokyo"});
    assert_eq!(server.ask("PUT", "/api/household", moved).await.0, 200);
    server.until_is(path, "time_zone", "Asia/Tokyo").await;
    let printed = server.run(data.path(), &["schedule"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("Asia/Tokyo"));

    assert_eq!(server.ask("PUT", "/api/triggers/nothing/schedule", fridays).await.0, 404);
    assert_eq!(server.ask("DELETE", path, json!({})).await.0, 200);
    assert_eq!(server.get(path).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saga_is_waited_for_to_its_end_and_the_operator_is_told_what_makes_sense() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    // There is no household: the first step is refused.
    let (status, started) = server.ask("POST", "/api/triggers/meal_plan_generation", json!({})).await;
    assert_eq!((status, &started["result"]["status"]), (201, &json!("failed")), "{started}");
    assert_eq!(started["result"]["steps"][0]["status"], "failed");
    let id = started["key"].as_str().unwrap();
    assert_eq!(server.get("/admin/sagas").await.1["items"][0]["id"], json!(id));
    for verb in ["retry", "skip", "compensate", "abandon"] {
        let path = format!("/admin/sagas/{id}/{verb}");
        let (status, problem) = server.ask("POST", &path, json!({"why": "to see"})).await;
        assert_eq!(status, 409, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("has failed"), "{problem}");
        assert_eq!(server.ask("POST", &path, json!({"why": " "})).await.0, 422);
    }
    assert_eq!(server.ask("POST", "/admin/sagas/nothing/skip", json!({"why": "to see"})).await.0, 404);
    let printed = server.run(data.path(), &["sagas"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("create_plan (failed)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_an_aggregate_is_shown_as_of_any_position_with_what_changed() {
    let (_data, server) = server().await;
    for name in ["First", "Second"] {
        let household = json!({ "name": name, "time_zone": "Europe/Vienna" });
        let (status, _) = server.ask("PUT", "/api/household", household).await;
        assert_eq!(status, 200);
    }
    let events = server.get("/api/events?context=household&kind=event").await.1;
    let positions: Vec<i64> =
        events["items"].as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()).collect();
    let name = "/state/household/name";
    for (at, version, expected) in
        [(positions[0], 1, "First"), (positions[1] - 1, 1, "First"), (positions[1], 2, "Second")]
    {
        let (status, state) = server.get(&format!("/admin/state/household/home?at={at}")).await;
        assert_eq!((status, state["stream_version"].as_i64()), (200, Some(version)));
        assert_eq!(state.pointer(name).unwrap(), expected);
    }
    let now = server.get("/admin/state/household/home").await.1;
    assert_eq!(now.pointer(name).unwrap(), "Second");
    let path = format!("/admin/state/household/home?from={}&to={}", positions[0], positions[1]);
    let changes = &server.get(&path).await.1["changes"];
    assert_eq!(*changes, json!([{ "pointer": "/household/name", "from": "First", "to": "Second" }]));
    for nothing in ["/admin/state/household/nobody", "/admin/state/houses/home"] {
        let (status, problem) = server.get(nothing).await;
        is_problem(status, 404, &problem);
    }
    let (status, problem) = server.get("/admin/state/household/home?at=1&to=2").await;
    is_problem(status, 400, &problem);
    let models = server.get("/admin/projections").await.1;
    let profile =
        models["items"].as_array().unwrap().iter().find(|item| item["name"] == "household_profile").unwrap();
    assert_eq!((&profile["complete"], &profile["rebuild"]["stage"]), (&json!(true), &json!("idle")));
}
