//! Shopping lists follow their plan, whatever is changed of it, and leave alone what somebody has done to them.

use crate::process::Server;
use crate::support::world::{fresh_folder, worlds_over_both_engines};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ANN: &str = "00000000-0000-7000-8000-00000000000a";

/// A household with some recipes, a plan of three days and its list.
struct Kitchen {
    server: Server,
    plan: String,
    list: String,
}

impl Kitchen {
    async fn new(server: Server) -> Self {
        let household = json!({"name": "Home", "time_zone": "Europe/Vienna"});
        assert_eq!(server.ask("PUT", "/api/household", household).await.0, 200);
        let ann = json!({"id": ANN, "person": {"name": "Ann"}});
        assert_eq!(server.ask("POST", "/api/household/members", ann).await.0, 200);
        for (name, line) in [
            ("Leek soup", "400 g leeks"),
            ("Carrot pan", "300 g carrots"),
            ("Potato gratin", "500 g potatoes"),
        ] {
            let recipe = json!({"name": name, "servings": 2, "ingredients": [line, "1 tsp salt"], "total_minutes": 20});
            assert_eq!(server.ask("POST", "/api/recipes", recipe).await.0, 201);
        }
        let body = json!({"days": 3, "moves": 1000, "seed": 1});
        let (status, started) = server.ask("POST", "/api/triggers/meal_plan_generation", body).await;
        assert_eq!((status, &started["result"]["status"]), (201, &json!("completed")), "{started}");
        let saga = &started["result"];
        let id = |of: &str| saga[of].as_str().unwrap().to_owned();
        Self { plan: id("plan"), list: id("shopping_list"), server }
    }

    async fn recipe(&self, name: &str) -> String {
        let recipes = self.server.get("/api/recipes").await.1;
        let mut recipes = recipes["items"].as_array().unwrap().iter();
        recipes.find(|recipe| recipe["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Lunches and dinners that are cooked, by date.
    async fn cooked(&self) -> Vec<Value> {
        let plan = self.server.get(&format!("/api/meal-plans/{}", self.plan)).await.1;
        let is_warm = |meal: &&Value| meal["slot"] == "lunch" || meal["slot"] == "dinner";
        let meals = plan["meals"].as_array().unwrap().iter().filter(is_warm);
        meals.filter(|meal| meal["dish"]["kind"] == "cook").cloned().collect()
    }

    async fn change(&self, what: &str, body: Value) {
        let (status, answer) =
            self.server.ask("POST", &format!("/api/meal-plans/{}/{what}", self.plan), body).await;
        assert_eq!(status, 200, "{what}: {answer}");
    }

    /// Every meal of the days gets this dish.
    async fn cook(&self, name: &str, meals: &[Value]) {
        let recipe_id = self.recipe(name).await;
        for meal in meals {
            let at = json!({"date": meal["date"], "slot": meal["slot"], "recipe_id": recipe_id});
            self.change("swaps", at).await;
        }
    }

    async fn lines(&self, list: &str) -> BTreeMap<String, Value> {
        let list = self.server.get(&format!("/api/shopping-lists/{list}")).await.1;
        let lines = list["lines"].as_array().unwrap().iter();
        lines.map(|line| (line["key"].as_str().unwrap().to_owned(), line.clone())).collect()
    }

    /// As it would be written now.
    async fn fresh(&self) -> BTreeMap<String, Value> {
        let (status, written) =
            self.server.ask("POST", "/api/shopping-lists", json!({"plan": self.plan})).await;
        assert_eq!(status, 201, "{written}");
        let fresh = written["key"].as_str().unwrap();
        let lines = self.lines(fresh).await;
        self.post(&format!("/api/shopping-lists/{fresh}/completion"), json!({})).await;
        lines
    }

    async fn post(&self, path: &str, body: Value) {
        let (status, answer) = self.server.ask("POST", path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }

    async fn of_list(&self, what: &str, body: Value) {
        self.post(&format!("/api/shopping-lists/{}/{what}", self.list), body).await;
    }

    async fn follows(&self, after: &str) {
        self.list_follows(&self.list, after).await;
    }

    async fn list_follows(&self, list: &str, after: &str) {
        let fresh = self.fresh().await;
        let what = format!("the list is as a new one after {after}: {fresh:?}");
        self.server.until(&what, async || self.lines(list).await == fresh).await;
    }

    /// Beside what is ticked off and what is of somebody's own; answers the new list.
    async fn follows_but(&self, key: &str) -> BTreeMap<String, Value> {
        let fresh = self.fresh().await;
        let others = |mut lines: BTreeMap<String, Value>| {
            lines.retain(|line, _| !line.ends_with(key) && !line.starts_with("own:"));
            lines
        };
        self.server
            .until(&format!("all but {key} is as in {fresh:?}"), async || {
                others(self.lines(&self.list).await) == others(fresh.clone())
            })
            .await;
        fresh
    }

    async fn count(&self, type_name: &str) -> usize {
        let events = self.server.get(&format!("/api/events?type={type_name}&limit=500")).await.1;
        events["items"].as_array().unwrap().len()
    }
}

worlds_over_both_engines!(
    a_list_follows_whatever_is_changed_of_its_plan,
    what_somebody_has_done_to_a_list_stays_as_it_is,
);

async fn a_list_follows_whatever_is_changed_of_its_plan() {
    let data = fresh_folder().await;
    let kitchen = Kitchen::new(Server::start(data.path()).await).await;
    kitchen.follows("nothing").await;
    let meals = kitchen.cooked().await;
    kitchen.cook("Carrot pan", &meals).await;
    kitchen.follows("swaps").await;
    let meals = kitchen.cooked().await;
    let at = |n: usize| json!({"date": meals[n]["date"], "slot": meals[n]["slot"]});
    kitchen
        .change(
            "portions",
            json!({"date": meals[0]["date"], "slot": meals[0]["slot"], "member": ANN, "percent": 150}),
        )
        .await;
    kitchen.follows("a portion").await;
    kitchen.change("slots/regeneration", at(0)).await;
    kitchen.follows("another dish").await;
    kitchen.change("days/regeneration", json!({"date": meals[0]["date"]})).await;
    kitchen.follows("another day").await;
    kitchen.change("skips", at(meals.len() - 1)).await;
    kitchen.follows("a skip").await;
    kitchen.change("replanning", json!({})).await;
    kitchen.follows("a new plan").await;

    // What changes nothing of the plan is not told.
    let updated = kitchen.count("ShoppingListUpdated").await;
    let meals = kitchen.cooked().await;
    kitchen.change("locks", json!({"date": meals[0]["date"], "slot": meals[0]["slot"]})).await;
    kitchen.follows("a lock").await;
    assert_eq!(kitchen.count("ShoppingListUpdated").await, updated);
}

async fn what_somebody_has_done_to_a_list_stays_as_it_is() {
    let data = fresh_folder().await;
    let kitchen = Kitchen::new(Server::start(data.path()).await).await;
    let meals = kitchen.cooked().await;
    let (one, others) = meals.split_first().unwrap();
    kitchen.cook("Carrot pan", others).await;
    kitchen.cook("Leek soup", std::slice::from_ref(one)).await;
    kitchen.follows("swaps").await;
    let before = kitchen.lines(&kitchen.list).await;
    let leeks = before.keys().find(|key| key.contains("leek")).expect("leeks");
    kitchen.of_list("lines", json!({"name": "Candles"})).await;
    kitchen.of_list("checks", json!({"line": leeks, "checked": true})).await;

    // No longer needed.
    kitchen.cook("Potato gratin", std::slice::from_ref(one)).await;
    kitchen.follows_but(leeks).await;
    let now = kitchen.lines(&kitchen.list).await;
    assert_eq!(
        (&now[leeks]["checked"], &now[leeks]["line"]),
        (&json!(true), &before[leeks]["line"]),
        "{now:?}"
    );
    assert_eq!(now["own:1"]["name"], "Candles");

    // Needed again, and more of it.
    kitchen.cook("Leek soup", &meals).await;
    let more = format!("more2:{leeks}");
    let all = kitchen.follows_but(leeks).await;
    kitchen.server.until("more leeks", async || kitchen.lines(&kitchen.list).await.contains_key(&more)).await;
    let now = kitchen.lines(&kitchen.list).await;
    assert_eq!(
        (&now[leeks]["checked"], &now[leeks]["line"]),
        (&json!(true), &before[leeks]["line"]),
        "{now:?}"
    );
    assert_eq!((&now[&more]["checked"], &now["own:1"]["name"]), (&json!(false), &json!("Candles")));
    let grams = |line: &Value, which: &str| line["line"]["amount"][which].as_f64().unwrap();
    let bought = grams(&now[leeks], "buy_g") + grams(&now[&more], "buy_g");
    assert!(bought >= grams(&all[leeks], "exact_g"), "{now:?}");
    assert!(grams(&now[&more], "buy_g") < grams(&all[leeks], "buy_g"), "only the difference: {now:?}");

    // A list that is completed is not touched any more.
    kitchen.of_list("completion", json!({})).await;
    let now = kitchen.lines(&kitchen.list).await;
    let (status, open) =
        kitchen.server.ask("POST", "/api/shopping-lists", json!({"plan": kitchen.plan})).await;
    assert_eq!(status, 201, "{open}");
    kitchen.cook("Carrot pan", &meals).await;
    kitchen.list_follows(open["key"].as_str().unwrap(), "more swaps").await;
    assert_eq!(kitchen.lines(&kitchen.list).await, now);
}
