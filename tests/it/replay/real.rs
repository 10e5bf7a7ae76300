//! The real contexts under random commands: live state is replayed state, and a repeat changes nothing.

use crate::support::world::World;
use crate::support::{soon, until};
use meal_planner::actors::replay::{Replay, verify};
use meal_planner::actors::{Contexts, NewCommand, Snapshots};
use meal_planner::domain;
use meal_planner::domain::envelope::{Address, Kind};
use meal_planner::store::{Filter, Store as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

#[derive(Clone, Debug)]
struct Given {
    context: &'static str,
    key: String,
    type_name: &'static str,
    body: Value,
    id: Uuid,
}

/// One of few aggregates, so that commands meet.
fn key(n: u8) -> String {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)).to_string()
}

fn household(n: u8, m: u8) -> (String, &'static str, Value) {
    let person = json!({ "name": format!("Person {m}"), "diet": if m.is_multiple_of(2) { "vegan" } else { "omnivore" } });
    let (type_name, body) = match n % 4 {
        0 => ("SetUpHousehold", json!({ "name": format!("Home {m}"), "time_zone": "Europe/Vienna" })),
        1 => ("AddMember", json!({ "id": key(m), "person": person })),
        2 => ("UpdateMember", json!({ "id": key(m), "person": person })),
        _ => ("RemoveMember", json!({ "id": key(m) })),
    };
    ("home".to_owned(), type_name, body)
}

fn recipes(n: u8, m: u8) -> (String, &'static str, Value) {
    let recipe = json!({
        "name": format!("Dish {m}"), "servings": 1 + m, "ingredients": ["200 g lentils", format!("{m} onions")],
    });
    let (type_name, body) = match n % 5 {
        0 => ("CreateRecipe", recipe),
        1 => ("UpdateRecipe", json!({ "recipe": recipe })),
        2 => ("DeleteRecipe", json!({})),
        3 => ("RateRecipe", json!({ "stars": 1 + m % 5 })),
        _ => ("CalculateNutrition", json!({})),
    };
    (key(m % 3), type_name, body)
}

fn foods(n: u8, m: u8) -> (String, &'static str, Value) {
    let food = json!({
        "id": format!("food-{}", m % 3), "name": format!("Lentils {m}"), "diet": "vegan", "per_100g": { "kcal": m },
    });
    let (type_name, body) = match n % 2 {
        0 => ("ImportFoods", json!({ "foods": [food] })),
        _ => ("MatchIngredient", json!({ "phrase": "onions", "food": format!("food-{}", m % 4) })),
    };
    ("catalogue".to_owned(), type_name, body)
}

fn shopping(n: u8, m: u8) -> (String, &'static str, Value) {
    let (type_name, body) = match n % 4 {
        0 => ("AddLine", json!({ "name": format!("candles {m}") })),
        1 => ("CheckLine", json!({ "line": "added:1", "checked": m.is_multiple_of(2) })),
        2 => ("CompleteShoppingList", json!({})),
        _ => ("CreateShoppingList", json!({ "plan": key(m) })),
    };
    (key(m % 2), type_name, body)
}

fn given() -> impl Strategy<Value = Given> {
    (0..6_u8, any::<u8>(), 0..6_u8, any::<u128>()).prop_map(|(context, n, m, id)| {
        let goals = json!({ "goals": { "kcal": { "min": 1000 + u32::from(n), "max": 3000 } } });
        let (context, (key, type_name, body)) = match context {
            0 => ("household", household(n, m)),
            1 => ("recipes", recipes(n, m)),
            2 => ("foods", foods(n, m)),
            3 => ("shopping", shopping(n, m)),
            4 => ("nutrition", (key(m), "SetNutritionGoal", goals)),
            _ => ("planning", (key(m), "DiscardMealPlan", json!({ "reason": "no longer wanted" }))),
        };
        Given { context, key, type_name, body, id: Uuid::from_u128(id) }
    })
}

/// A household with members, foods and recipes, so that what follows is not refused for want of them.
fn beginning() -> Vec<Given> {
    let firsts = [("household", household(0, 0))].into_iter();
    let members = (0..3).map(|m| ("household", household(1, m)));
    let known = (0..3).flat_map(|m| [("foods", foods(0, m)), ("recipes", recipes(0, m))]);
    let all = firsts.chain(members).chain(known).enumerate();
    all.map(|(n, (context, (key, type_name, body)))| {
        let id = Uuid::from_u128(0x0190_1111_0000_7000_8000_0000_0000_0000 + n as u128);
        Given { context, key, type_name, body, id }
    })
    .collect()
}

impl Given {
    fn command(&self) -> NewCommand {
        NewCommand {
            to: Address::new(self.context, &self.key),
            type_name: self.type_name.to_owned(),
            schema_version: 1,
            body: self.body.to_string(),
            id: self.id,
            id_given: true,
            idempotency: None,
            trace: None,
            user: None,
            control: false,
        }
    }
}

/// Every commit carries a snapshot of the live state, so that it can be compared.
async fn start(folder: TempDir) -> World {
    let mut contexts = Contexts::default().snapshots(Snapshots { every: 1, slow_ms: 1000 });
    domain::contexts(&mut contexts);
    World::start_with(folder, contexts).await
}

async fn quiet(world: &World) {
    until("everything is handled and folded", || async {
        let last = world.store.last_position().await.unwrap();
        for context in world.runtime.hub().lanes.keys() {
            world.runtime.hub().caught_up(context, last).await;
        }
        world.store.waiting_counts().await.unwrap().is_empty()
            && world.store.last_position().await.unwrap() == last
    })
    .await;
}

/// Events as they would be told: what happened to whom, in the order of each aggregate.
async fn told(world: &World) -> Vec<(String, String, i64, String, Value)> {
    let events = Filter { kinds: Some(Kind::Event), ..Filter::default() };
    let events = world.messages(events).await.into_iter();
    let mut told: Vec<_> = events
        .filter(|event| event.stream_version.is_some())
        .map(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            let (context, key) = (event.context.to_string(), event.key.to_string());
            (context, key, event.stream_version.unwrap(), event.type_name.to_string(), body)
        })
        .collect();
    told.sort_by(|a, b| (&a.0, &a.1, a.2).cmp(&(&b.0, &b.1, b.2)));
    told
}

async fn live(commands: &[Given], twice: bool) -> (Vec<(String, String, i64, String, Value)>, u64) {
    let mut world = start(tempfile::tempdir().unwrap()).await;
    for (n, given) in commands.iter().enumerate() {
        world.ask(given.command()).await;
        if twice {
            let again = world.accept(given.command()).await.unwrap();
            assert!(again.repeated, "{given:?}");
            if n == commands.len() / 2 {
                world = start(world.crash().await).await;
                assert!(world.accept(given.command()).await.unwrap().repeated);
            }
        }
    }
    soon("quiet", quiet(&world)).await;
    let told = told(&world).await;
    let folder = world.stop().await;
    let store = crate::support::world::open_sqlite(folder.path()).await;
    let mut replay = Replay::default();
    domain::contexts(&mut replay);
    let report = verify(&*store, replay).await.unwrap();
    assert!(report.is_sound(), "{:#?}", report.faults);
    assert_eq!(report.snapshots, report.aggregates, "each live state was compared");
    (told, report.events)
}

#[test]
fn live_state_is_replayed_state_and_a_message_delivered_twice_counts_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut config = ProptestConfig::with_cases(6);
    config.failure_persistence = None;
    let commands = prop::collection::vec(given(), 5..40);
    let mut events = 0;
    let events_seen = std::sync::Mutex::new(&mut events);
    proptest::test_runner::TestRunner::new(config)
        .run(&commands, |random| {
            let commands = [beginning(), random].concat();
            let (once, count) = runtime.block_on(live(&commands, false));
            let (twice, _) = runtime.block_on(live(&commands, true));
            **events_seen.lock().unwrap() += count;
            prop_assert_eq!(once, twice);
            Ok(())
        })
        .unwrap();
    assert!(events >= 6 * 10, "most commands were refused: the test shows nothing");
}
