//! Which plan is in force on a day, and plans that are made by the calendar.

use super::theatre::{Theatre, outcome_of};
use crate::support::until;
use crate::support::world::{open_after_crash, worlds_over_both_engines};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use meal_planner::clock;
use meal_planner::domain::context::Projection as _;
use meal_planner::domain::envelope::{Address, Envelope, Extra, Kind};
use meal_planner::domain::schedule::{Missed, Schedule};
use meal_planner::domain::schedules::{ScheduleSet, SchedulesView, TakeTurn};
use meal_planner::store::{Change, Store as _, Timer, TimerName, TimerQuery, Unit};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

worlds_over_both_engines!(
    a_plan_that_is_put_into_force_retires_those_it_shares_days_with,
    what_is_in_a_plan_is_added_up_for_everybody_and_every_day,
    a_schedule_makes_up_for_what_it_missed_as_it_was_told_and_goes_on,
);

const FLOW: &str = "meal_plan_generation";

/// A plan of some days that is put into force; answers its id.
async fn planned(theatre: &Theatre, start: NaiveDate, days: u32) -> String {
    let id = Uuid::now_v7().to_string();
    let body = json!({"start": start, "days": days, "moves": 50, "seed": 7});
    theatre.plan_command(&id, "GenerateMealPlan", body).await;
    theatre.plan_command(&id, "ActivateMealPlan", json!({})).await;
    id
}

async fn statuses(theatre: &Theatre, plans: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for plan in plans {
        all.push(theatre.plan(plan).await["status"].as_str().unwrap().to_owned());
    }
    all
}

async fn a_plan_that_is_put_into_force_retires_those_it_shares_days_with() {
    let theatre = Theatre::open().await;
    // Looked at once: midnight may come between two plans.
    let today = clock::now().date_naive();
    let day = |n| today + TimeDelta::days(n);
    let first = planned(&theatre, day(1), 3).await;
    let apart = planned(&theatre, day(10), 3).await;
    let second = planned(&theatre, day(3), 3).await;
    assert_eq!(statuses(&theatre, &[&first, &apart, &second]).await, ["retired", "active", "active"]);
    // What it had replaced comes back, unless its days are taken by then.
    theatre.plan_command(&second, "DiscardMealPlan", json!({"reason": "no"})).await;
    assert_eq!(statuses(&theatre, &[&first, &apart, &second]).await, ["active", "active", "discarded"]);
    let third = planned(&theatre, day(2), 5).await;
    let fourth = planned(&theatre, day(1), 1).await;
    assert_eq!(statuses(&theatre, &[&first, &third, &fourth]).await, ["retired", "active", "active"]);
    theatre.plan_command(&third, "DiscardMealPlan", json!({"reason": "no"})).await;
    assert_eq!(statuses(&theatre, &[&first, &third, &fourth]).await, ["retired", "discarded", "active"]);
}

async fn what_is_in_a_plan_is_added_up_for_everybody_and_every_day() {
    let theatre = Theatre::open().await;
    let saga = theatre.begin(FLOW, |_| {}).await;
    let row = theatre.ended(saga).await;
    theatre.quiet().await;
    let plan = theatre.plan(&row.made["plan"].to_string()).await;
    let totals = plan["nutrition"]["totals"].as_array().unwrap();
    assert_eq!((totals.len(), plan["totals"].as_array().unwrap().len()), (1, 1));
    // The only recipe has one line, and no food is known: nothing is counted, and it says so.
    assert_eq!((&totals[0]["amounts"], &totals[0]["coverage_permille"]), (&json!({}), &json!(0)));
    assert_eq!(plan["status"], "active");
}

/// A process that was stopped before an occurrence starts after it.
async fn started_late(missed: Missed, due: DateTime<Utc>) -> Theatre {
    let folder = Theatre::open().await.world.stop().await;
    let schedule = Schedule { cron: "* * * * *".to_owned(), time_zone: chrono_tz::UTC, missed };
    let serde_json::Value::Object(input) = json!({"days": 1, "moves": 50}) else { panic!("an object") };
    let set = ScheduleSet { schedule, follows_household: false, input, next: Some(due) };
    let to = Address::new("schedules", FLOW);
    let event = Envelope::command(&to, "ScheduleSet", json!(set).to_string(), Uuid::now_v7(), due);
    let event = Envelope { kind: Kind::Event, stream_version: Some(1), ..event };
    let timer = Timer {
        owner: TimerName { context: "schedules".to_owned(), key: FLOW.into(), name: "next".to_owned() },
        id: Uuid::now_v7(),
        due_us: due.timestamp_micros(),
        to_context: to.context,
        to_key: Some(to.key),
        type_name: "TakeTurn".into(),
        schema_version: 1,
        body: json!(TakeTurn { due }).to_string(),
        causation_id: None,
        correlation_id: None,
        trace: None,
        extra: Extra::default(),
        schedule: None,
    };
    let changes = vec![Change::SetTimer(Box::new(timer))];
    let unit = Unit { messages: vec![event], changes, ..Unit::default() };
    let store = open_after_crash(folder.path()).await;
    store.commit(Arc::new(vec![unit])).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    Theatre::open_in(folder).await
}

async fn a_schedule_makes_up_for_what_it_missed_as_it_was_told_and_goes_on() {
    let cases = [(Missed::Once, 1), (Missed::All, 6)];
    for (policy, at_least) in cases {
        let began = clock::now();
        let due = began - TimeDelta::minutes(5);
        let due = due - TimeDelta::nanoseconds(i64::from(due.timestamp_subsec_nanos()));
        let due = due - TimeDelta::seconds(due.timestamp() % 60);
        let theatre = started_late(policy, due).await;
        let started = async || {
            let events = theatre.world.events("sagas", None).await;
            events.into_iter().filter(|event| &*event.type_name == "SagaStarted").collect::<Vec<_>>()
        };
        until("the flow has begun", || async { started().await.len() >= at_least }).await;
        let first = started().await;
        // Each full minute that has come meanwhile was an occurrence as well.
        let come = usize::try_from(clock::now().timestamp() / 60 - began.timestamp() / 60).unwrap();
        assert!(first.len() <= at_least + come, "{} in {come} minutes", first.len());
        for saga in &first {
            let row = theatre.ended(saga.key.uuid().unwrap()).await;
            assert_eq!(outcome_of(&row), "completed", "{row:?}");
        }
        theatre.quiet().await;
        let view = &theatre.world.runtime.hub().views[SchedulesView::NAME];
        let row = view.row(&*theatre.world.store, FLOW).await.unwrap().unwrap();
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        let next: DateTime<Utc> = row["next"].as_str().unwrap().parse().unwrap();
        assert!(next > began && row["last"]["due"].is_string(), "{row}");
        // Between an occurrence and its turn there is none.
        until("the next occurrence waits in the table", || async {
            let context = Some("schedules".to_owned());
            let query = TimerQuery { limit: 10, context, ..TimerQuery::default() };
            theatre.world.store.timers(query).await.unwrap().timers.len() == 1
        })
        .await;
    }
}
