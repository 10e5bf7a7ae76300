//! A schedule is set, fires, follows the household, and is removed.

use super::*;
use crate::domain::context::When;
use crate::domain::testing::{given, metadata};

const FLOW: &str = "meal_plan_generation";

fn at(time: &str) -> Metadata {
    Metadata { key: FLOW.into(), time: time.parse().unwrap(), ..metadata() }
}

fn set(body: &str) -> Command {
    SetSchedule::deserialize(&mut serde_json::Deserializer::from_str(body)).unwrap().into()
}

const FRIDAYS: &str = r#"{"cron": "0 6 * * FRI", "input": {"days": 7}}"#;

fn vienna() -> Facts {
    Facts { time_zone: Some(chrono_tz::Europe::Vienna) }
}

/// Decides and folds; answers the events with what they send.
fn run(state: &mut State, command: &Command, metadata: &Metadata) -> (Vec<Event>, Vec<Outgoing>) {
    let events = Schedules::decide(state, command, &vienna(), metadata).unwrap();
    let mut sent = Vec::new();
    for event in &events {
        Schedules::evolve(state, event);
        sent.extend(Schedules::sends(state, event, metadata).unwrap());
    }
    (events, sent)
}

fn due(outgoing: &Outgoing) -> Option<DateTime<Utc>> {
    if let When::At { due, .. } = &outgoing.when { Some(*due) } else { None }
}

#[test]
fn a_schedule_sets_a_timer_and_each_firing_the_next_one() {
    let mut state = State::default();
    let (_, sent) = run(&mut state, &set(FRIDAYS), &at("2026-11-18T12:00:00Z"));
    let first: DateTime<Utc> = "2026-11-20T05:00:00Z".parse().unwrap();
    assert_eq!(sent.iter().map(due).collect::<Vec<_>>(), [Some(first)]);
    let (_, sent) = run(&mut state, &TakeTurn { due: first }.into(), &at("2026-11-20T05:00:01Z"));
    assert_eq!(
        sent.iter().map(|out| out.type_name).collect::<Vec<_>>(),
        ["StartMealPlanGeneration", "TakeTurn"]
    );
    assert!(sent[0].body.contains(r#""days":7"#), "{}", sent[0].body);
    assert_eq!(due(&sent[1]), Some("2026-11-27T05:00:00Z".parse().unwrap()));
    // The same timer once more, as after a crash.
    assert_eq!(run(&mut state, &TakeTurn { due: first }.into(), &at("2026-11-20T05:00:02Z")).0, []);
}

#[test]
fn all_missed_occurrences_are_commands_of_their_own() {
    let mut state = State::default();
    run(&mut state, &set(r#"{"cron": "0 6 * * *", "missed": "all"}"#), &at("2026-11-18T12:00:00Z"));
    let turn = TakeTurn { due: "2026-11-19T05:00:00Z".parse().unwrap() };
    let (_, sent) = run(&mut state, &turn.into(), &at("2026-11-21T12:00:00Z"));
    let mut keys: Vec<_> = sent[..3].iter().map(|out| out.to.key.to_string()).collect();
    keys.dedup();
    assert_eq!((keys.len(), sent.len()), (3, 4));
}

#[test]
fn a_timer_of_what_was_set_anew_or_removed_does_nothing() {
    let mut state = State::default();
    run(&mut state, &set(FRIDAYS), &at("2026-11-18T12:00:00Z"));
    let turn: Command = TakeTurn { due: "2026-11-20T05:00:00Z".parse().unwrap() }.into();
    run(&mut state, &set(r#"{"cron": "0 7 * * FRI"}"#), &at("2026-11-18T13:00:00Z"));
    assert_eq!(run(&mut state, &turn, &at("2026-11-20T05:00:00Z")).0, []);
    let (_, sent) = run(&mut state, &RemoveSchedule {}.into(), &at("2026-11-18T14:00:00Z"));
    assert!(matches!(sent.as_slice(), [Outgoing { when: When::Never { .. }, .. }]), "{sent:?}");
    assert_eq!(run(&mut state, &turn, &at("2026-11-20T05:00:00Z")).0, []);
}

#[test]
fn it_follows_the_household_unless_it_was_told_a_time_zone() {
    let move_to = Command::from(FollowTimeZone { time_zone: chrono_tz::America::New_York });
    let mut state = State::default();
    run(&mut state, &set(FRIDAYS), &at("2026-11-18T12:00:00Z"));
    let (_, sent) = run(&mut state, &move_to, &at("2026-11-18T13:00:00Z"));
    assert_eq!(due(&sent[0]), Some("2026-11-20T11:00:00Z".parse().unwrap()));
    assert_eq!(run(&mut state, &move_to, &at("2026-11-18T14:00:00Z")).0, [], "already there");
    let own = r#"{"cron": "0 6 * * FRI", "time_zone": "Asia/Tokyo"}"#;
    run(&mut state, &set(own), &at("2026-11-18T15:00:00Z"));
    assert_eq!(run(&mut state, &move_to, &at("2026-11-18T16:00:00Z")).0, []);
}

#[test]
fn what_cannot_be_triggered_is_refused_with_the_field_at_fault() {
    let refused = |key: &str, body| {
        let metadata = Metadata { key: key.into(), ..at("2026-11-18T12:00:00Z") };
        Schedules::decide(&State::default(), &set(body), &vienna(), &metadata).unwrap_err()
    };
    assert!(refused("no_such_flow", FRIDAYS).hint.contains(FLOW));
    let pointer = |body| refused(FLOW, body).pointer.unwrap();
    assert_eq!(pointer(r#"{"cron": "0 6 * * *", "input": {"days": 90}}"#), "/input/days");
    assert_eq!(pointer(r#"{"cron": "0 6 * * *", "input": {"weeks": 1}}"#), "/input/weeks");
    assert_eq!(pointer(r#"{"cron": "soon"}"#), "/cron");
    let nobody =
        Schedules::decide(&State::default(), &set(FRIDAYS), &Facts::default(), &at("2026-11-18T12:00:00Z"));
    assert_eq!(nobody.unwrap_err().pointer.as_deref(), Some("/time_zone"));
}

#[test]
fn setting_the_same_again_changes_nothing() {
    let state = given::<Schedules>(&run(&mut State::default(), &set(FRIDAYS), &at("2026-11-18T12:00:00Z")).0);
    let again = Schedules::decide(&state, &set(FRIDAYS), &vienna(), &at("2026-11-18T13:00:00Z"));
    assert_eq!(again, Ok(vec![]));
}
