//! `plan`: triggers the making of a plan, watches it, and prints the week.

use super::args::Plan;
use super::failure::Failure;
use super::output::{Progress, note, say};
use super::week;
use super::wire::{Answer, MealPlan, Saga};
use crate::clients::own_api::{ApiError, Ask, OwnApi, decode};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

const TRIGGER: &str = "/api/triggers/meal_plan_generation";
/// How long the server may take to say that the work has begun.
const START_WAIT_S: u64 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// # Errors
/// When there is no plan in time.
pub(super) async fn run(api: &OwnApi, options: &Plan, as_json: bool) -> Result<(), Failure> {
    let patience = Duration::from_secs(options.wait);
    let saga = made(api, Ask { body: wish(options).to_string(), ..Ask::default() }, patience).await?;
    let id = plan_id(&saga)?;
    let path = format!("/api/meal-plans/{id}");
    let text = api.get(&path, &[]).await?;
    if as_json {
        return say(&text);
    }
    print(&decode(&path, &text)?)?;
    if saga.shopping_list.is_some() {
        note("\nWhat to buy for it: meal-planner shopping-list");
    }
    Ok(())
}

/// # Errors
/// When nobody takes the output.
pub(super) fn print(plan: &MealPlan) -> Result<(), Failure> {
    say(&week::render(plan))
}

fn wish(options: &Plan) -> Value {
    let fields = [
        ("start", options.start.map(|start| json!(start))),
        ("days", options.days.map(|days| json!(days))),
        ("seed", options.seed.map(|seed| json!(seed))),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// # Errors
/// When the flow ended well and names no plan, which no server of this version does.
pub(super) fn plan_id(saga: &Saga) -> Result<&str, Failure> {
    saga.plan.as_deref().ok_or_else(|| {
        Failure::failed(format!("the flow {} names no plan", saga.id), "look at /api/meal-plans")
    })
}

/// Triggers a plan and waits until it is made.
///
/// # Errors
/// When it is refused, fails, or is not ready in time.
pub(super) async fn made(api: &OwnApi, ask: Ask, patience: Duration) -> Result<Saga, Failure> {
    let mut progress = Progress::new();
    progress.show("Asking for a plan", "");
    let deadline = Instant::now() + patience;
    let text = api.post(TRIGGER, Ask { wait_s: Some(START_WAIT_S), ..ask }).await?;
    let Answer { key, .. } = decode::<Answer>(TRIGGER, &text)?;
    let path = format!("/api/sagas/{key}");
    let mut pause = FIRST_PAUSE;
    loop {
        let saga = saga(api, &path).await?;
        match saga.status.as_str() {
            "completed" => return Ok(saga),
            "failed" | "stuck" => return Err(failed(&saga)),
            _ => progress.show(&stage(&saga), &format!("({} s)", elapsed(deadline, patience))),
        }
        if Instant::now() >= deadline {
            let message = format!("the plan is not ready after {} s; the server goes on", patience.as_secs());
            return Err(Failure::failed(
                message,
                format!("look again at {path}, or wait longer with --wait"),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn elapsed(deadline: Instant, patience: Duration) -> u64 {
    patience.saturating_sub(deadline.saturating_duration_since(Instant::now())).as_secs()
}

/// The flow as it stands; one that was accepted a moment ago may not be shown yet.
async fn saga(api: &OwnApi, path: &str) -> Result<Saga, Failure> {
    match api.read(path).await {
        Err(ApiError::Refused(problem)) if problem.status == 404 => Ok(Saga::default()),
        other => Ok(other?),
    }
}

fn stage(saga: &Saga) -> String {
    let is_done = |status: &str| matches!(status, "completed" | "done" | "succeeded");
    let open = saga.steps.iter().find(|step| !is_done(&step.status));
    match (saga.status.as_str(), open) {
        ("compensating", _) => "A step failed; undoing the ones before".to_owned(),
        (_, Some(step)) => format!("Planning: {}", step.name.replace('_', " ")),
        (_, None) => "Planning".to_owned(),
    }
}

fn failed(saga: &Saga) -> Failure {
    let step = saga.steps.iter().find_map(|step| Some((step.name.as_str(), step.error.as_ref()?)));
    let (message, hint) = match (&saga.error, step) {
        (Some(error), Some((name, _))) => (format!("{} (step {name})", sentence(error)), hint(error)),
        (Some(error), None) => (sentence(error), hint(error)),
        (None, Some((name, error))) => (format!("{} (step {name})", sentence(error)), hint(error)),
        (None, None) => ("it says no more".to_owned(), None),
    };
    let hint = hint.unwrap_or_else(|| format!("GET /api/sagas/{} shows every step", saga.id));
    Failure::failed(format!("no plan was made: {message}"), hint)
}

/// An error may be a sentence, or a record with one.
fn sentence(error: &Value) -> String {
    let text = error.as_str().or_else(|| error.get("message")?.as_str());
    let text = text.or_else(|| error.get("reason")?.as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}

fn hint(error: &Value) -> Option<String> {
    error.get("hint")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_sent() {
        let options = Plan { start: None, days: Some(3), seed: None, wait: 1 };
        assert_eq!(wish(&options), json!({ "days": 3 }));
        let start = chrono::NaiveDate::from_ymd_opt(2026, 11, 23);
        let options = Plan { start, days: None, seed: Some(7), wait: 1 };
        assert_eq!(wish(&options), json!({ "start": "2026-11-23", "seed": 7 }));
    }

    #[test]
    fn a_failed_flow_names_its_step_and_reason() {
        let saga = json!({ "id": "s", "status": "failed", "steps": [
            { "name": "plan", "status": "failed", "error": { "message": "there are no recipes", "hint": "import" } },
        ] });
        let failure = failed(&serde_json::from_value(saga).unwrap());
        assert_eq!(failure.message, "no plan was made: there are no recipes (step plan)");
        assert_eq!(failure.hint.as_deref(), Some("import"));
    }
}
