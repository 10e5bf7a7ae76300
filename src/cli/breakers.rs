//! `breakers`: which outside services are called, which are left alone, and the operator's orders about them.

use super::failure::Failure;
use super::output::say;
use super::table::{Table, shorten};
use super::verbs::BreakerOrder;
use super::wire::{Breaker, Page};
use crate::clients::own_api::{Ask, OwnApi, decode};
use serde_json::json;

const PATH: &str = "/admin/breakers";
const LONGEST_ERROR: usize = 60;

/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn run(api: &OwnApi, order: Option<BreakerOrder>, as_json: bool) -> Result<(), Failure> {
    let (service, verb, why) = match order {
        None => return list(api, as_json).await,
        Some(BreakerOrder::Open { service, why }) => (service, "open", why),
        Some(BreakerOrder::Close { service, why }) => (service, "close", why),
        Some(BreakerOrder::Release { service, why }) => (service, "release", why),
    };
    let path = format!("{PATH}/{service}/{verb}");
    let ask = Ask { body: json!({ "why": why }).to_string(), ..Ask::default() };
    let text = api.post(&path, ask).await?;
    if as_json {
        return say(&text);
    }
    say(&table(&[decode(&path, &text)?]).render())
}

async fn list(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    let text = api.get(PATH, &[]).await?;
    if as_json {
        return say(&text);
    }
    let page: Page<Breaker> = decode(PATH, &text)?;
    say(&table(&page.items).render())
}

fn table(breakers: &[Breaker]) -> Table {
    let table = Table::default().left("service").left("breaker").left("since").right("in flight");
    let mut table = table.right("answered").right("failed").left("last error");
    for breaker in breakers {
        table.row([
            breaker.service.clone(),
            breaker.state.clone(),
            breaker.since.clone().unwrap_or_default(),
            breaker.calls.in_flight.to_string(),
            breaker.calls.answered.to_string(),
            (breaker.calls.failed + breaker.calls.unknown).to_string(),
            shorten(&breaker.last_error.clone().unwrap_or_default().replace('\n', " "), LONGEST_ERROR),
        ]);
    }
    table
}
