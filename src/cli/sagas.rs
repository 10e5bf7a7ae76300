//! `sagas`: the list, and the operator's word about one of them.

use super::failure::Failure;
use super::output::{note, say};
use super::table::{Table, shorten};
use super::verbs::{Decision, SagaVerb};
use super::wire::{Answer, Page, Saga};
use crate::clients::own_api::{Ask, OwnApi, decode};
use serde_json::json;

const PATH: &str = "/admin/sagas";
const WAIT_S: u64 = 30;
const LONGEST_ERROR: usize = 60;

/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn run(api: &OwnApi, verb: Option<SagaVerb>, as_json: bool) -> Result<(), Failure> {
    match verb {
        None => list(api, as_json).await,
        Some(SagaVerb::Retry(decision)) => decide(api, "retry", decision, as_json).await,
        Some(SagaVerb::Skip(decision)) => decide(api, "skip", decision, as_json).await,
        Some(SagaVerb::Compensate(decision)) => decide(api, "compensate", decision, as_json).await,
        Some(SagaVerb::Abandon(decision)) => decide(api, "abandon", decision, as_json).await,
    }
}

async fn list(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    let text = api.get(PATH, &[]).await?;
    if as_json {
        return say(&text);
    }
    let page: Page<Saga> = decode(PATH, &text)?;
    if page.items.is_empty() {
        note("No flow was triggered yet.");
        return Ok(());
    }
    say(&table(&page.items).render())
}

fn table(sagas: &[Saga]) -> Table {
    let table = Table::default().left("saga").left("flow").left("started").left("status");
    let mut table = table.left("step").left("error");
    for saga in sagas {
        let is_open = |status: &str| !matches!(status, "completed" | "compensated" | "waiting" | "skipped");
        let step = saga.steps.iter().find(|step| is_open(&step.status));
        let error = saga.error.as_ref().and_then(|error| error.as_str()).unwrap_or_default();
        table.row([
            saga.id.clone(),
            saga.flow.clone(),
            saga.started.chars().take(16).collect(),
            saga.status.clone(),
            step.map(|step| format!("{} ({})", step.name, step.status)).unwrap_or_default(),
            shorten(&error.replace('\n', " "), LONGEST_ERROR),
        ]);
    }
    table
}

async fn decide(api: &OwnApi, verb: &str, decision: Decision, as_json: bool) -> Result<(), Failure> {
    let Decision { id, why } = decision;
    let path = format!("{PATH}/{id}/{verb}");
    let body = json!({ "why": why }).to_string();
    let text = api.post(&path, Ask { body, wait_s: Some(WAIT_S), ..Ask::default() }).await?;
    if as_json {
        return say(&text);
    }
    let answer: Answer<Saga> = decode(&path, &text)?;
    match answer.result {
        Some(saga) => say(&format!("{} is {}", saga.id, saga.status)),
        None => say("accepted"),
    }
}
