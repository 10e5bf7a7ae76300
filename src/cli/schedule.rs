//! `schedule`: which flow is triggered when.

use super::failure::{Exit, Failure};
use super::output::{note, say};
use super::table::Table;
use super::verbs::{ScheduleVerb, SetSchedule};
use super::wire::{Answer, Page, Schedule};
use crate::clients::own_api::{Ask, OwnApi, decode};
use serde_json::{Value, json};

const PATH: &str = "/api/schedules";
const WAIT_S: u64 = 30;

/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn run(api: &OwnApi, verb: Option<ScheduleVerb>, as_json: bool) -> Result<(), Failure> {
    match verb {
        None => list(api, as_json).await,
        Some(ScheduleVerb::Set(options)) => set(api, &options, as_json).await,
        Some(ScheduleVerb::Remove { flow }) => {
            let path = path(&flow);
            let text = api.delete(&path, Ask { wait_s: Some(WAIT_S), ..Ask::default() }).await?;
            if as_json { say(&text) } else { say(&format!("{flow} is not triggered any more")) }
        }
    }
}

fn path(flow: &str) -> String {
    format!("/api/triggers/{flow}/schedule")
}

async fn list(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    let text = api.get(PATH, &[]).await?;
    if as_json {
        return say(&text);
    }
    let page: Page<Schedule> = decode(PATH, &text)?;
    if page.items.is_empty() {
        note("Nothing is scheduled. Every Friday at six: meal-planner schedule set \"0 6 * * FRI\"");
        return Ok(());
    }
    let table = Table::default().left("flow").left("times").left("by the clocks of").left("missed");
    let mut table = table.left("last").left("next");
    for schedule in page.items {
        table.row([
            schedule.flow,
            schedule.cron,
            schedule.time_zone,
            schedule.missed,
            schedule.last.map(|last| last.at).unwrap_or_default(),
            schedule.next.unwrap_or_default(),
        ]);
    }
    say(&table.render())
}

async fn set(api: &OwnApi, options: &SetSchedule, as_json: bool) -> Result<(), Failure> {
    let path = path(&options.flow);
    let body = wish(options)?.to_string();
    let text = api.put(&path, Ask { body, wait_s: Some(WAIT_S), ..Ask::default() }).await?;
    if as_json {
        return say(&text);
    }
    let answer: Answer<Schedule> = decode(&path, &text)?;
    match answer.result.and_then(|schedule| schedule.next) {
        Some(next) => say(&format!("{} is triggered next at {next}", options.flow)),
        None => say("accepted"),
    }
}

fn wish(options: &SetSchedule) -> Result<Value, Failure> {
    let input: Value = serde_json::from_str(&options.input).map_err(|error| {
        Failure::new(Exit::Usage, format!("--input is no JSON: {error}"), "write it as {\"days\": 7}")
    })?;
    let mut wish = json!({ "cron": options.cron, "input": input });
    for (name, given) in [("time_zone", &options.time_zone), ("missed", &options.missed)] {
        if let Some(given) = given {
            wish[name] = json!(given);
        }
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_sent() {
        let mut options = SetSchedule {
            cron: "0 6 * * FRI".to_owned(),
            flow: "meal_plan_generation".to_owned(),
            time_zone: None,
            missed: Some("skip".to_owned()),
            input: "{}".to_owned(),
        };
        let wished = json!({ "cron": "0 6 * * FRI", "input": {}, "missed": "skip" });
        assert_eq!(wish(&options).unwrap(), wished);
        options.input = "{".to_owned();
        assert!(wish(&options).is_err());
    }
}
