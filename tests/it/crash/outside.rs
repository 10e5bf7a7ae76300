//! What must hold of calls, sagas, reactions and timers whatever their owners died of; the remote itself is asked.

use super::audit::Books;
use crate::support::remote::Remote;
use meal_planner::clock;
use meal_planner::domain::context::{Context, Projection};
use meal_planner::domain::envelope::{Extra, derived_id};
use meal_planner::domain::notifications::Notifications;
use meal_planner::domain::sagas::{SagaStatus, Sagas, SagasView};
use meal_planner::store::{
    Change, EffectQuery, EffectState, RowQuery, Store, Timer, TimerName, TimerQuery, Unit,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Set as the cause of planted timers, which no message has caused.
const PLANTER: Uuid = Uuid::from_u128(0x91a4_7e57);
const PLANTED: usize = 10;
const APART_US: i64 = 100_000;
const MANY: u32 = 100_000;

/// Each call stands once on the ledger, which says how it ended, and took effect once.
pub async fn stray_effects(store: &dyn Store, books: &Books, remote: &Remote) -> Vec<String> {
    let ledger =
        store.effects(EffectQuery { limit: MANY, ..EffectQuery::default() }).await.expect("it reads");
    let mut found = Vec::new();
    let mut lines: HashMap<i64, usize> = HashMap::new();
    for stored in &ledger {
        *lines.entry(stored.effect.position).or_default() += 1;
        if !matches!(stored.state, EffectState::Done | EffectState::Failed) {
            found.push(format!("effect {} is left {}", stored.effect.id, stored.state.name()));
        }
    }
    let mut taken: HashMap<Uuid, usize> = HashMap::new();
    for body in remote.effects() {
        *taken.entry(id_in(&body, "/id")).or_default() += 1;
    }
    let mut delivered: HashMap<Uuid, usize> = HashMap::new();
    for event in books.of_type("NotificationDelivered") {
        *delivered.entry(event.causation_id.unwrap_or_default()).or_default() += 1;
    }
    for command in books.of_type("Deliver") {
        let notification = id_in(&command.body, "/notification/id");
        let on_ledger = lines.get(&command.position).copied().unwrap_or(0);
        let times = taken.get(&notification).copied().unwrap_or(0);
        let told = delivered.get(&command.id).copied().unwrap_or(0);
        if (on_ledger, times, told) != (1, 1, 1) {
            found.push(format!(
                "{}: {on_ledger} lines on the ledger, took effect {times} times, told {told} times",
                command.position
            ));
        }
    }
    found
}

fn id_in(body: &str, pointer: &str) -> Uuid {
    let body: Value = serde_json::from_str(body).expect("JSON");
    body.pointer(pointer).and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// Sagas that have not come to an end, and timers that they have left behind.
pub async fn unended_sagas(store: &dyn Store) -> Vec<String> {
    let table = format!("{}_v{}", SagasView::NAME, SagasView::VERSION);
    let query = RowQuery { limit: MANY, ..RowQuery::default() };
    let rows = store.rows(&table, query).await.expect("it reads").rows;
    let mut found = Vec::new();
    for (id, body) in rows {
        let row: SagaStatus = serde_json::from_str(&body).expect("it reads");
        if !SagasView::is_final(&row) {
            found.push(format!("saga {id} has not ended: {body}"));
        }
    }
    let query = TimerQuery { context: Some(Sagas::NAME.to_owned()), limit: MANY, ..TimerQuery::default() };
    let left = store.timers(query).await.expect("it reads");
    found.extend(left.timers.iter().map(|timer| format!("timer {:?} is left of a saga", timer.owner)));
    found
}

/// Each event that a context answers to was answered once.
pub fn unanswered(books: &Books) -> Vec<String> {
    let mut answers: HashMap<Uuid, usize> = HashMap::new();
    for command in books.of_type("FollowTimeZone") {
        *answers.entry(command.causation_id.unwrap_or_default()).or_default() += 1;
    }
    let events = books.of_type("HouseholdSetUp");
    let wrong = events.filter_map(|event| {
        let times = answers.get(&event.id).copied().unwrap_or(0);
        (times != 1).then(|| format!("{} was answered {times} times", event.position))
    });
    wrong.collect()
}

/// Sets timers that come due within a second; answers the ids of the messages that they will be.
pub async fn plant(store: &dyn Store) -> Vec<Uuid> {
    let now_us = clock::now().timestamp_micros();
    let (mut changes, mut ids) = (Vec::new(), Vec::new());
    for n in 0..PLANTED {
        let (id, due_us) = (Uuid::now_v7(), now_us + n as i64 * APART_US);
        let key = id.to_string().into();
        changes.push(Change::SetTimer(Box::new(Timer {
            owner: TimerName { context: Notifications::NAME.to_owned(), key, name: "planted".to_owned() },
            id,
            due_us,
            to_context: Notifications::NAME.into(),
            to_key: None,
            type_name: "Notify".into(),
            schema_version: 1,
            body: json!({"title": "It is time", "body": format!("{id}")}).to_string(),
            causation_id: Some(PLANTER),
            correlation_id: None,
            trace: None,
            extra: Extra::default(),
            schedule: None,
        })));
        ids.push(derived_id(id, due_us.cast_unsigned()));
    }
    store.commit(Arc::new(vec![Unit { changes, ..Unit::default() }])).await.expect("it is written");
    ids
}

/// Planted timers that have not become their message, once.
pub async fn lost_timers(store: &dyn Store, books: &Books, planted: &[Uuid]) -> Vec<String> {
    let fired: Vec<Uuid> =
        books.of_type("Notify").filter(|m| m.causation_id == Some(PLANTER)).map(|m| m.id).collect();
    let mut found = Vec::new();
    for id in planted {
        let times = fired.iter().filter(|known| *known == id).count();
        if times != 1 {
            found.push(format!("the timer of {id} has fired {times} times"));
        }
    }
    if fired.len() != planted.len() {
        found.push(format!("{} of {} timers have fired", fired.len(), planted.len()));
    }
    let query = TimerQuery { context: Some(Notifications::NAME.to_owned()), limit: 10, ..Default::default() };
    let left = store.timers(query).await.expect("it reads");
    found.extend(left.timers.iter().map(|timer| format!("timer {} is left", timer.id)));
    found
}
