//! `serve --demo`: a cookbook, a household of two and their week, through the same interface as everybody's.

use super::failure::Failure;
use super::greeting::{self, Place};
use super::import::{Parcel, send, unpack};
use super::output::{Progress, note, say};
use super::wire::Household;
use super::{embedded, plan, shopping};
use crate::clients::own_api::{ApiError, Ask, OwnApi, decode};
use crate::domain::recipes::jsonld;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const IN_FLIGHT: usize = 8;
const WAIT_S: u64 = 30;
const PLAN_PATIENCE: Duration = Duration::from_secs(300);
const ANN: Uuid = Uuid::from_u128(0x6d65_616c_0000_8000_8000_0000_0000_0001);
const BEN: Uuid = Uuid::from_u128(0x6d65_616c_0000_8000_8000_0000_0000_0002);

/// Every message has an id made of its content, so a second start does nothing twice.
///
/// # Errors
/// When the server refuses a part of it.
pub async fn run(api: &OwnApi, place: &Place, as_json: bool) -> Result<(), Failure> {
    greeting::warn_beyond_loopback(place);
    cookbook(api).await?;
    household(api).await?;
    let body = json!({ "days": 7, "seed": 1 }).to_string();
    let ask = Ask { message_id: Some(id_of("plan", &body)), body, ..Ask::default() };
    let saga = plan::made(api, ask, PLAN_PATIENCE).await?;
    let plan_path = format!("/api/meal-plans/{}", plan::plan_id(&saga)?);
    let plan = api.get(&plan_path, &[]).await?;
    let list = match &saga.shopping_list {
        Some(id) => Some(api.get(&format!("/api/shopping-lists/{id}"), &[]).await?),
        None => None,
    };
    if as_json {
        let list = list.unwrap_or_else(|| "null".to_owned());
        say(&format!("{{\"plan\":{plan},\"shopping_list\":{list}}}"))?;
    } else {
        plan::print(&decode(&plan_path, &plan)?)?;
        if let Some(list) = list {
            let list = decode("the shopping list", &list)?;
            say(&format!("\nShopping list\n\n{}\n", shopping::render(&list)))?;
        }
    }
    greeting::where_and_how(api, place, as_json).await
}

fn id_of(what: &str, content: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("meal-planner demo {what}\n{content}").as_bytes())
}

async fn cookbook(api: &OwnApi) -> Result<(), Failure> {
    let parcels = embedded::cookbook().into_iter().flat_map(|(name, text)| {
        let unpacked = unpack(&name, &text).unwrap_or_else(|broken| vec![Err(broken)]);
        unpacked.into_iter().filter_map(|parcel| {
            parcel.inspect_err(|broken| note(&format!("failed: {}: {}", broken.at, broken.reason))).ok()
        })
    });
    let parcels: Vec<Parcel> = parcels.collect();
    let total = parcels.len();
    let mut progress = Progress::new();
    let sends = stream::iter(parcels).map(|parcel| async move {
        let sent = send(api, &parcel, Some(recipe_id(&parcel))).await;
        (parcel, sent)
    });
    let mut sends = std::pin::pin!(sends.buffer_unordered(IN_FLIGHT));
    let mut done = 0;
    while let Some((parcel, sent)) = sends.next().await {
        done += 1;
        progress.show("Reading the cookbook", &format!("({done} of {total})"));
        match sent {
            Ok(_) => {}
            Err(error @ ApiError::Unreachable { .. }) => return Err(error.into()),
            Err(error) => note(&format!("failed: {}: {error}", parcel.name)),
        }
    }
    Ok(())
}

/// Made of what will be stored, so that it changes when the reader of recipes does.
fn recipe_id(parcel: &Parcel) -> Uuid {
    let stored = jsonld::read_any(&parcel.jsonld).ok().map(|drafts| json!(drafts).to_string());
    id_of("recipe", &stored.unwrap_or_else(|| parcel.jsonld.clone()))
}

/// A household that is somebody's own is left as it is.
async fn household(api: &OwnApi) -> Result<(), Failure> {
    let known = match api.read("/api/household").await {
        Err(ApiError::Refused(problem)) if problem.status == 404 => Household::default(),
        other => other?,
    };
    let sample = [ANN, BEN].map(|id| id.to_string());
    if known.members.iter().any(|member| !sample.contains(&member.id)) {
        note("There is a household already; the demo plans for it.");
        return Ok(());
    }
    put(api, "/api/household", home()).await?;
    for (id, person) in [(ANN, "Ann"), (BEN, "Ben")] {
        post(api, "/api/household/members", json!({ "id": id, "person": { "name": person } })).await?;
    }
    put(
        api,
        &format!("/api/nutrition/goals/{ANN}"),
        json!({ "goals": {
        "kcal": { "low": 1900, "high": 2100 }, "protein_g": { "min": 90 }, "fat_g": { "max": 80 },
        "fibre_g": { "min": 28 },
    } }),
    )
    .await?;
    put(
        api,
        &format!("/api/nutrition/goals/{BEN}"),
        json!({ "goals": {
        "kcal": { "low": 2500, "high": 2700 }, "protein_g": { "min": 120 }, "fibre_g": { "min": 32 },
    } }),
    )
    .await
}

fn home() -> Value {
    json!({
        "name": "Sample household", "time_zone": "Etc/UTC",
        "max_minutes": { "lunch": 30, "dinner": 45 }, "unhurried": ["saturday", "sunday"],
    })
}

async fn put(api: &OwnApi, path: &str, body: Value) -> Result<(), Failure> {
    api.put(path, ask(path, &body)).await?;
    Ok(())
}

async fn post(api: &OwnApi, path: &str, body: Value) -> Result<(), Failure> {
    api.post(path, ask(path, &body)).await?;
    Ok(())
}

fn ask(path: &str, body: &Value) -> Ask {
    let body = body.to_string();
    Ask { message_id: Some(id_of(path, &body)), body, wait_s: Some(WAIT_S), ..Ask::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_the_demo_have_the_same_ids_at_every_start() {
        let ids = || -> Vec<Uuid> {
            let texts = embedded::cookbook();
            let parcels = texts.iter().flat_map(|(name, text)| unpack(name, text).unwrap());
            parcels.map(|parcel| recipe_id(&parcel.unwrap())).collect()
        };
        let mut first = ids();
        assert_eq!(first, ids());
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), embedded::cookbook().len());
    }
}
