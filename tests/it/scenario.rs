//! The main job with the real program: recipes in, a week and its shopping list out, through a power cut.

use crate::process::{Server, answer, program};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const ANN: &str = "00000000-0000-7000-8000-00000000000a";

/// Runs each scenario over both engines, which the server is told by its arguments.
macro_rules! over_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&[]).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if crate::support::postgres::is_there(stringify!($name)) {
                    let database = crate::support::postgres::fresh_database().await;
                    super::$name(&["--database-url", &database.url]).await;
                }
            })*
        }
    };
}

over_both_engines!(
    recipes_come_in_and_a_week_with_its_shopping_list_comes_out,
    every_acknowledged_command_is_handled_once_though_the_process_is_killed_in_a_burst,
    what_was_planned_is_there_after_a_restart_and_nothing_is_done_twice,
    a_triggered_plan_takes_whatever_a_plan_can_be_asked_for,
);

async fn set_up(server: &Server) {
    let household = json!({"name": "Home", "time_zone": "Europe/Vienna", "max_minutes": {"dinner": 45}});
    assert_eq!(server.ask("PUT", "/api/household", household).await.0, 200);
    let ann = json!({"id": ANN, "person": {"name": "Ann", "diet": "vegetarian", "allergens": ["nuts"]}});
    assert_eq!(server.ask("POST", "/api/household/members", ann).await.0, 200);
    let goals = json!({"goals": {"kcal": {"low": 1900, "high": 2100}, "protein_g": {"min": 80}}});
    assert_eq!(server.ask("PUT", &format!("/api/nutrition/goals/{ANN}"), goals).await.0, 200);
}

/// Triggers a plan and waits for its saga.
async fn planned(server: &Server, body: Value) -> Value {
    let (status, started) = server.ask("POST", "/api/triggers/meal_plan_generation", body).await;
    assert_eq!(status, 201, "{started}");
    assert_eq!(started["result"]["status"], "completed", "the wait lasts until it is done: {started}");
    let path = format!("/api/sagas/{}", started["key"].as_str().unwrap());
    server
        .until("the saga ends", async || {
            !["running", "compensating"].contains(&server.get(&path).await.1["status"].as_str().unwrap_or(""))
        })
        .await;
    server.get(&path).await.1
}

fn cookbook() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/cookbook").display().to_string()
}

async fn recipes_come_in_and_a_week_with_its_shopping_list_comes_out(more: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), more).await;
    let import = server.run(data.path(), &["import", &cookbook()]);
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    set_up(&server).await;
    let saga = planned(&server, json!({"days": 3, "seed": 7, "moves": 20_000})).await;
    assert_eq!(saga["status"], "completed", "{saga}");

    let plan = server.get(&format!("/api/meal-plans/{}", saga["plan"].as_str().unwrap())).await.1;
    assert_eq!(plan["status"], "active");
    let meals = plan["meals"].as_array().unwrap();
    assert_eq!(meals.len(), 12);
    let cooked: Vec<_> = meals.iter().filter(|meal| meal["dish"]["kind"] == "cook").collect();
    assert!(!cooked.is_empty());
    for meal in &cooked {
        let recipe =
            server.get(&format!("/api/recipes/{}", meal["dish"]["recipe_id"].as_str().unwrap())).await.1;
        let nutrition = &recipe["nutrition"];
        assert!(["vegan", "vegetarian"].contains(&nutrition["diet"].as_str().unwrap()), "{recipe}");
        assert!(!nutrition["allergens"].as_array().unwrap().contains(&json!("nuts")), "{recipe}");
    }

    let list =
        server.get(&format!("/api/shopping-lists/{}", saga["shopping_list"].as_str().unwrap())).await.1;
    let lines = list["lines"].as_array().unwrap();
    assert!(!lines.is_empty());
    let in_plan: BTreeSet<&str> =
        cooked.iter().map(|meal| meal["dish"]["recipe"].as_str().unwrap()).collect();
    for line in lines {
        for reason in line["line"]["reasons"].as_array().unwrap() {
            assert!(in_plan.contains(reason["recipe"].as_str().unwrap()), "{line}");
        }
    }
    let printed = server.run(data.path(), &["shopping-list"]);
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success() && text.contains(lines[0]["name"].as_str().unwrap()), "{text}");
    assert_eq!(server.terminate(), Some(0));
}

async fn every_acknowledged_command_is_handled_once_though_the_process_is_killed_in_a_burst(more: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), more).await;
    let acknowledged = burst_until_killed(server, 300).await;
    assert!(acknowledged.len() >= 300);

    let server = Server::start_with(data.path(), more).await;
    for (n, id) in &acknowledged {
        let path = format!("/api/events/{id}");
        server.until_is(&path, "status", "handled").await;
        // The same request again, as a client does that has not seen the answer.
        let (status, again) = answer(create(&server, *n)).await.unwrap();
        assert_eq!((status, again["event_id"].as_str()), (202, Some(id.as_str())), "{again}");
    }
    let mut handled: BTreeMap<String, usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = server.get(&format!("/api/events?type=RecipeCreated&after={after}&limit=500")).await.1;
        for event in page["items"].as_array().unwrap() {
            *handled.entry(event["causation_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let next = page["next_after"].as_i64().unwrap();
        if next == after {
            break;
        }
        after = next;
    }
    for id in acknowledged.values() {
        assert_eq!(handled.get(id), Some(&1), "{id}");
    }
    assert!(handled.values().all(|count| *count == 1));
}

/// Sixteen callers create recipes until the server is killed after so many answers. What each answer named is kept.
async fn burst_until_killed(server: Server, answers: usize) -> BTreeMap<usize, String> {
    let (next, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let acknowledged = std::sync::Mutex::new(BTreeMap::new());
    let server = std::sync::Mutex::new(Some(server));
    let caller = async |mut stopped: tokio::sync::watch::Receiver<bool>| {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let request = match server.lock().unwrap().as_ref() {
                Some(server) => create(server, n),
                None => return,
            };
            let answer = tokio::select! {
                answer = answer(request) => answer,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            let Ok((202, body)) = answer else { return };
            acknowledged.lock().unwrap().insert(n, body["event_id"].as_str().unwrap().to_owned());
            if answered.fetch_add(1, Ordering::Relaxed) + 1 == answers {
                let server = server.lock().unwrap().take();
                server.expect("only one caller is the last").kill();
                stop.send_replace(true);
            }
        }
    };
    futures_util::future::join_all((0..16).map(|_| caller(stopped.clone()))).await;
    acknowledged.into_inner().unwrap()
}

fn create(server: &Server, n: usize) -> reqwest::RequestBuilder {
    let recipe = json!({"name": format!("Soup {n}"), "servings": 2, "ingredients": ["200 g leek"]});
    server.request("POST", "/api/recipes").header("Idempotency-Key", format!("soup-{n}")).json(&recipe)
}

async fn what_was_planned_is_there_after_a_restart_and_nothing_is_done_twice(more: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), more).await;
    set_up(&server).await;
    let recipe = json!({"name": "Leek soup", "servings": 2, "ingredients": ["400 g leeks", "1 tbsp olive oil"],
                        "total_minutes": 20});
    assert_eq!(server.ask("POST", "/api/recipes", recipe).await.0, 201);
    let saga = planned(&server, json!({"days": 2, "moves": 1000})).await;
    assert_eq!(saga["status"], "completed", "{saga}");
    let count = async |server: &Server| {
        server.get("/api/events?limit=500").await.1["items"].as_array().unwrap().len()
    };
    let before = count(&server).await;
    assert_eq!(server.terminate(), Some(0));

    let server = Server::start_with(data.path(), more).await;
    assert_eq!(server.get(&format!("/api/sagas/{}", saga["id"].as_str().unwrap())).await.1, saga);
    assert_eq!(count(&server).await, before);
}

async fn a_triggered_plan_takes_whatever_a_plan_can_be_asked_for(more: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), more).await;
    set_up(&server).await;
    let recipe =
        |name, line| json!({"name": name, "servings": 2, "ingredients": [line], "total_minutes": 20});
    for (name, line) in [("Leek soup", "400 g leeks"), ("Carrot soup", "500 g carrots")] {
        assert_eq!(server.ask("POST", "/api/recipes", recipe(name, line)).await.0, 201);
    }
    let recipes = server.get("/api/recipes").await.1;
    let recipes = recipes["items"].as_array().unwrap();
    let carrots = &recipes.iter().find(|recipe| recipe["name"] == "Carrot soup").unwrap()["id"];
    let start = (chrono::Utc::now() + chrono::Days::new(3)).date_naive();
    let (first, second) = (start.to_string(), (start + chrono::Days::new(1)).to_string());
    let body = json!({
        "start": first, "days": 2, "moves": 1000,
        "away": [{"member": ANN, "date": first, "slots": ["lunch"]}],
        "guests": [{"date": second, "slot": "dinner", "servings": 2}],
        "skip": [{"date": second, "slot": "lunch"}],
        "keep": [{"date": first, "slot": "dinner", "recipe_id": carrots}],
        "pantry": [{"food": "carrots", "grams": 200}],
        "proof_rounds": 2,
    });
    let saga = planned(&server, body.clone()).await;
    assert_eq!(saga["status"], "completed", "{saga}");
    let plan = server.get(&format!("/api/meal-plans/{}", saga["plan"].as_str().unwrap())).await.1;
    let meal = |date: &str, slot: &str| {
        let meals = plan["meals"].as_array().unwrap();
        meals.iter().find(|meal| meal["date"] == date && meal["slot"] == slot).cloned().unwrap_or_default()
    };
    assert_eq!(meal(&first, "dinner")["dish"]["recipe_id"], *carrots, "{plan}");
    assert_ne!(meal(&second, "lunch")["dish"]["kind"], "cook", "{plan}");
    assert!(meal(&first, "lunch")["portions"].as_array().is_none_or(Vec::is_empty), "{plan}");
    assert_eq!(meal(&second, "dinner")["guests"], 2, "{plan}");
    assert!(plan["bound"].is_i64(), "{plan}");

    let mut wrong = body;
    wrong["keep"][0]["recipe_id"] = json!(ANN);
    let (status, refused) = server.ask("POST", "/api/triggers/meal_plan_generation", wrong).await;
    assert_eq!(status, 201, "it has started: {refused}");
    assert_eq!(refused["result"]["status"], "failed", "{refused}");
    let unknown = json!({"nobody": []});
    assert_eq!(server.ask("POST", "/api/triggers/meal_plan_generation", unknown).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_folder_is_sent_away() {
    let data = tempfile::tempdir().unwrap();
    let _server = Server::start(data.path()).await;
    let second = program(data.path()).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(error.contains("in use") && error.contains("hint"), "{error}");
}
