//! A household with a recipe, where sagas are watched, hurried, and have the power cut.

use super::unruly;
use crate::support::faulty::Gate;
use crate::support::world::{World, command, fresh_folder};
use crate::support::{between_looks, soon, until};
use chrono::{DateTime, Utc};
use meal_planner::actors::{NewCommand, Origin};
use meal_planner::clock;
use meal_planner::domain::context::Context;
use meal_planner::domain::envelope::{Envelope, Key, Kind};
use meal_planner::domain::household::{HOME, Household};
use meal_planner::domain::message::Message;
use meal_planner::domain::recipes::Recipes;
use meal_planner::domain::sagas::{self, RetryStep, SagaStatus, Sagas, SagasView};
use meal_planner::domain::{context::Projection, planning::Planning};
use meal_planner::store::{Change, Filter, Outcome, Store as _, Timer, TimerQuery, Unit};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Mutex;
use tempfile::TempDir;
use uuid::Uuid;

/// A command that a saga has asked somebody.
#[derive(Clone, Debug)]
pub struct Asked {
    pub step: String,
    pub type_name: String,
}

pub struct Theatre {
    pub world: World,
}

/// What is given to a flow, so that it is quick.
fn input(flow: &str) -> Value {
    match flow {
        "meal_plan_generation" => json!({"days": 1, "moves": 50, "seed": 7}),
        _ => json!({}),
    }
}

/// As the row says it, such as `completed`.
pub fn outcome_of(row: &SagaStatus) -> String {
    json!(row.status).as_str().unwrap().to_owned()
}

impl Theatre {
    pub async fn open() -> Self {
        let theatre = Self::open_in(fresh_folder().await).await;
        theatre
            .give::<Household>(HOME, "SetUpHousehold", json!({"name": "Home", "time_zone": "Etc/UTC"}))
            .await;
        theatre.give::<Household>(HOME, "AddMember", json!({"person": {"name": "Ann"}})).await;
        let soup = json!({"name": "Soup", "servings": 2, "ingredients": ["200 g leek"], "total_minutes": 20});
        theatre.give::<Recipes>(&Uuid::now_v7().to_string(), "CreateRecipe", soup).await;
        theatre
    }

    pub async fn open_in(folder: TempDir) -> Self {
        Self { world: World::start_with(folder, unruly::contexts()).await }
    }

    pub async fn crash_and_open(self) -> Self {
        Self::open_in(self.world.crash().await).await
    }

    pub async fn give<C: Context>(&self, key: &str, type_name: &str, body: Value) -> Uuid {
        let decoded = C::Command::decode(type_name, 1, &body.to_string()).unwrap();
        let given = command::<C>(key, decoded);
        let id = given.id;
        let done = self.world.ask(given).await;
        assert_eq!(done.outcome, Outcome::Handled, "{type_name}");
        id
    }

    fn trigger(flow: &str) -> NewCommand {
        let Value::Object(input) = input(flow) else { panic!("an object") };
        let id = Uuid::now_v7();
        NewCommand { id, ..command::<Sagas>(id.to_string(), sagas::trigger(flow, &input).unwrap()) }
    }

    /// Starts a flow; `prepare` is told its id, which is also its correlation.
    pub async fn begin(&self, flow: &str, prepare: impl FnOnce(Uuid)) -> Uuid {
        let trigger = Self::trigger(flow);
        let id = trigger.id;
        prepare(id);
        assert_eq!(self.world.ask(trigger).await.outcome, Outcome::Handled);
        id
    }

    /// Starts a flow, and does not wait for it.
    pub async fn begin_unwatched(&self, flow: &str, prepare: impl FnOnce(Uuid)) -> Uuid {
        let trigger = Self::trigger(flow);
        let id = trigger.id;
        prepare(id);
        self.world.accept(trigger).await.unwrap();
        id
    }

    pub async fn row(&self, saga: Uuid) -> Option<SagaStatus> {
        let body = self.read_row(SagasView::NAME, &saga.to_string()).await?;
        Some(serde_json::from_value(body).unwrap())
    }

    async fn read_row(&self, view: &str, key: &str) -> Option<Value> {
        let view = &self.world.runtime.hub().views[view];
        let body = view.row(&*self.world.store, key).await.unwrap()?;
        Some(serde_json::from_str(&body).unwrap())
    }

    pub async fn until_row(&self, saga: Uuid, fits: impl Fn(&SagaStatus) -> bool) {
        until("the saga gets there", || async { self.row(saga).await.is_some_and(|row| fits(&row)) }).await;
    }

    pub async fn until_step(&self, saga: Uuid, n: usize, status: &str) {
        self.until_row(saga, |row| row.steps[n].status == status).await;
    }

    /// The row at the end; pauses before compensations are tried again are cut short.
    pub async fn ended(&self, saga: Uuid) -> SagaStatus {
        let end = async {
            let mut looks = 0;
            loop {
                match self.row(saga).await {
                    Some(row) if SagasView::is_final(&row) => return row,
                    Some(SagaStatus { retry_at: Some(retry_at), .. }) => self.cut_short(saga, retry_at).await,
                    Some(_) | None => between_looks(&mut looks).await,
                }
            }
        };
        soon("the saga ends", end).await
    }

    async fn timers(&self, saga: Uuid, name: &str) -> Vec<Timer> {
        let query = TimerQuery { limit: 1000, ..TimerQuery::default() };
        let mut timers = self.world.store.timers(query).await.unwrap().timers;
        timers.retain(|timer| timer.owner.key == Key::from(saga.to_string()) && timer.owner.name == name);
        timers
    }

    /// A pause ends now. The row may be older than the timer, so only the pause that it tells of is meant.
    async fn cut_short(&self, saga: Uuid, retry_at: DateTime<Utc>) {
        let due_us = retry_at.timestamp_micros();
        let timers = self.timers(saga, "step").await.into_iter();
        self.bring_forward(timers.filter(|timer| timer.due_us == due_us).collect()).await;
        tokio::task::yield_now().await;
    }

    /// A timer of the saga comes now.
    pub async fn hasten(&self, saga: Uuid, name: &str) {
        self.bring_forward(self.timers(saga, name).await).await;
        until("the timer has fired", || async {
            let past = clock::now().timestamp_micros();
            self.timers(saga, name).await.iter().all(|timer| timer.due_us > past)
        })
        .await;
    }

    async fn bring_forward(&self, timers: Vec<Timer>) {
        for timer in timers {
            let now = Timer { due_us: clock::now().timestamp_micros() - 1, ..timer };
            self.commit(Unit { changes: vec![Change::SetTimer(Box::new(now))], ..Unit::default() }).await;
        }
    }

    async fn commit(&self, unit: Unit) {
        self.world.runtime.hub().journal.commit(Origin::Edge, vec![unit]).await.unwrap();
    }

    async fn commands(&self, saga: Uuid) -> Vec<Envelope> {
        let kinds = Some(Kind::Command);
        self.world.messages(Filter { kinds, correlation: Some(saga), ..Filter::default() }).await
    }

    /// The commands that the saga has sent for an answer, in order.
    pub async fn asked(&self, saga: Uuid) -> Vec<Asked> {
        let commands = self.commands(saga).await;
        let asked = commands.into_iter().filter_map(|message| {
            let step = message.extra.reply_to?.step;
            Some(Asked { step, type_name: message.type_name.to_string() })
        });
        asked.collect()
    }

    pub async fn events_of(&self, saga: Uuid) -> Vec<String> {
        let events = self.world.events(Sagas::NAME, Some(&saga.to_string())).await;
        events.into_iter().map(|event| format!("{} {}", event.type_name, event.body)).collect()
    }

    /// Gives every question and every answer once more, each as a message of its own.
    pub async fn repeat_everything(&self, saga: Uuid) {
        let is_answer = |message: &Envelope| &*message.type_name == "RecordAnswer";
        let all = self.commands(saga).await.into_iter();
        for message in all.filter(|message| message.extra.reply_to.is_some() || is_answer(message)) {
            let again = Envelope { id: Uuid::now_v7(), position: 0, ..message };
            let id = again.id;
            self.commit(Unit { messages: vec![again], ..Unit::default() }).await;
            self.world.outcome(id).await;
        }
        self.quiet().await;
    }

    /// Returns when nothing waits and every read model has seen everything.
    pub async fn quiet(&self) {
        until("nothing waits", || async {
            let last = self.world.store.last_position().await.unwrap();
            for view in self.world.runtime.hub().views.values() {
                view.caught_up.subscribe().wait_for(|reached| *reached >= last).await.unwrap();
            }
            let is_idle = self.world.store.waiting_counts().await.unwrap().is_empty();
            is_idle && self.world.store.last_position().await.unwrap() == last
        })
        .await;
    }

    pub async fn retry(&self, saga: Uuid) {
        let why = "it works again".to_owned();
        let given = command::<Sagas>(saga.to_string(), RetryStep { why });
        assert_eq!(self.world.ask(given).await.outcome, Outcome::Handled);
        self.quiet().await;
    }

    /// Whatever the saga has made is gone from every read model, or is shown as discarded.
    pub async fn is_clean(&self, saga: &SagaStatus) {
        self.quiet().await;
        assert!(!saga.made.is_empty(), "what it makes is known");
        for (name, id) in &saga.made {
            for view in self.world.runtime.hub().views.keys().filter(|view| **view != SagasView::NAME) {
                let Some(row) = self.read_row(view, &id.to_string()).await else { continue };
                assert_eq!(row["status"], "discarded", "{name} in {view}: {row}");
            }
        }
        for name in ["step", "saga"] {
            assert_eq!(self.timers(saga.id.parse().unwrap(), name).await, []);
        }
    }

    /// Holds back the `n`-th unit that ends a message to a saga, before or after its commit.
    pub fn hold_saga_unit(&self, n: usize) -> Gate {
        let seen = Mutex::new(HashSet::new());
        let matches = move |unit: &Unit| {
            let Some(done) = unit.handled.as_ref().filter(|done| &*done.context == Sagas::NAME) else {
                return false;
            };
            let mut seen = seen.lock().unwrap();
            seen.insert(done.position);
            seen.len() > n
        };
        // Every other one is on the disk when the power goes out.
        if n.is_multiple_of(2) {
            self.world.store.hold(matches)
        } else {
            self.world.store.hold_after(matches)
        }
    }

    /// Whether the unit is reached before the saga ends.
    pub async fn reaches(&self, gate: &mut Gate, saga: Uuid) -> bool {
        tokio::select! {
            () = gate.reached() => true,
            _ = self.ended(saga) => false,
        }
    }

    pub async fn plan(&self, id: &str) -> Value {
        self.read_row("planning_plans", id).await.unwrap_or_default()
    }

    pub async fn plan_command(&self, id: &str, type_name: &str, body: Value) {
        self.give::<Planning>(id, type_name, body).await;
        self.quiet().await;
    }
}
