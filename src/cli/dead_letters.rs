//! `dead-letters`: what could not be handled, and what the operator makes of it.

use super::failure::{Exit, Failure};
use super::output::{count, note, say};
use super::table::{Table, shorten};
use super::verbs::{DeadLetters, DeadLettersVerb, Filter, Which};
use super::wire::{DeadLetter, Page, Replay, Swept};
use crate::clients::own_api::{Ask, OwnApi, decode};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::io::Read;

const PATH: &str = "/admin/dead-letters";
const LONGEST_REASON: usize = 70;
const PAGE: u32 = 100;

/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn run(api: &OwnApi, options: DeadLetters, as_json: bool) -> Result<(), Failure> {
    match options.verb {
        DeadLettersVerb::List { state, filter, limit } => list(api, state, &filter, limit, as_json).await,
        DeadLettersVerb::Show { id } => show(api, &id, as_json).await,
        DeadLettersVerb::Edit { id, body, why } => edit(api, &id, &body, &why, as_json).await,
        DeadLettersVerb::DryRun { id } => {
            say(&pretty(&api.post(&format!("{}/dry-run", path(&id)), Ask::default()).await?, as_json))
        }
        DeadLettersVerb::Replay { which, why } => match which.id {
            Some(id) => replay(api, &id, &why, as_json).await,
            None => sweep(api, "replay", &which, &why, as_json).await,
        },
        DeadLettersVerb::Discard { which, why } => match which.id {
            Some(id) => discard(api, &id, &why, as_json).await,
            None => sweep(api, "discard", &which, &why, as_json).await,
        },
    }
}

/// A reader's name may hold what an address may not.
fn path(id: &str) -> String {
    let safe = id.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b':' | b'_' | b'-' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    format!("{PATH}/{}", safe.collect::<String>())
}

fn because(why: &str) -> Ask {
    Ask { body: json!({ "why": why }).to_string(), ..Ask::default() }
}

fn pretty(text: &str, as_json: bool) -> String {
    let value = (!as_json).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
    value.map_or_else(|| text.to_owned(), |value| format!("{value:#}"))
}

async fn list(
    api: &OwnApi,
    state: Option<String>,
    filter: &Filter,
    limit: u32,
    as_json: bool,
) -> Result<(), Failure> {
    let Filter { context, type_name, key } = filter.clone();
    let named = [("state", state), ("context", context), ("type", type_name), ("key", key)];
    let mut query: Vec<_> = named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    query.push(("limit", limit.to_string()));
    let text = api.get(PATH, &query).await?;
    if as_json {
        return say(&text);
    }
    let page: Page<DeadLetter> = decode(PATH, &text)?;
    if page.items.is_empty() {
        note("There are no such dead letters.");
        return Ok(());
    }
    let table = Table::default().left("id").left("at").left("state").left("type").left("of");
    let mut table = table.right("attempts").left("reason");
    for letter in &page.items {
        table.row([
            letter.id.clone(),
            letter.at.get(..19).unwrap_or(&letter.at).replace('T', " "),
            letter.state.clone(),
            letter.type_name.clone(),
            format!("{}/{}", letter.context, shorten(&letter.key, 36)),
            letter.attempts.to_string(),
            shorten(&letter.reason.replace('\n', " "), LONGEST_REASON),
        ]);
    }
    say(&table.render())?;
    if page.next.is_some() {
        note("There are more: ask for more with --limit, or for fewer with a filter.");
    }
    Ok(())
}

async fn show(api: &OwnApi, id: &str, as_json: bool) -> Result<(), Failure> {
    say(&pretty(&api.get(&path(id), &[]).await?, as_json))
}

async fn edit(api: &OwnApi, id: &str, source: &str, why: &str, as_json: bool) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Exit::Usage,
            format!("{source} does not read: {error}"),
            "name a file, or - for the standard input",
        )
    };
    let mut text = String::new();
    match source {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop).map_err(unreadable)?,
        file => text = std::fs::read_to_string(file).map_err(unreadable)?,
    }
    let body: Box<RawValue> = serde_json::from_str(&text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("{source} is no JSON: {error}"),
            "write the body of the message as JSON",
        )
    })?;
    let ask = Ask { body: json!({ "body": body, "why": why }).to_string(), ..Ask::default() };
    let answer = api.put(&format!("{}/body", path(id)), ask).await?;
    if as_json {
        return say(&answer);
    }
    say(&format!("Dead letter {id} has its new body; try it with `dead-letters dry-run {id}`."))
}

async fn replay(api: &OwnApi, id: &str, why: &str, as_json: bool) -> Result<(), Failure> {
    let address = format!("{}/replay", path(id));
    let text = api.post(&address, because(why)).await?;
    if as_json {
        return say(&text);
    }
    let replay: Replay = decode(&address, &text)?;
    let at = replay.follow_up.map(|follow_up| format!("; see {follow_up}")).unwrap_or_default();
    say(&format!("Dead letter {id}: replayed: {}{at}", replay.replayed))
}

async fn discard(api: &OwnApi, id: &str, why: &str, as_json: bool) -> Result<(), Failure> {
    let text = api.post(&format!("{}/discard", path(id)), because(why)).await?;
    say(&if as_json { text } else { format!("Dead letter {id} is discarded.") })
}

/// Page after page until there are no more.
async fn sweep(api: &OwnApi, verb: &str, which: &Which, why: &str, as_json: bool) -> Result<(), Failure> {
    let address = format!("{PATH}/{verb}");
    let Filter { context, type_name, key } = &which.filter;
    let (mut done, mut left, mut cursor) = (0, Vec::new(), None);
    loop {
        let body = json!({
            "filter": { "context": context, "type": type_name, "key": key },
            "limit": PAGE, "cursor": cursor, "why": why,
        });
        let text = api.post(&address, Ask { body: body.to_string(), ..Ask::default() }).await?;
        let swept: Swept = decode(&address, &text)?;
        done += swept.replayed + swept.discarded;
        left.extend(swept.left);
        cursor = swept.next;
        if cursor.is_none() {
            break;
        }
    }
    if as_json {
        let left: Vec<_> = left.iter().map(|left| json!({ "id": left.id, "why": left.why })).collect();
        return say(&json!({ "done": done, "left": left }).to_string());
    }
    for left in &left {
        note(&format!("{}: {}", left.id, left.why));
    }
    let past = if verb == "replay" { "replayed" } else { "discarded" };
    say(&format!("{} {past}, {} left.", count(done, "dead letter"), left.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_safe_in_an_address() {
        assert_eq!(path("17:a_b_v1"), "/admin/dead-letters/17:a_b_v1");
        assert_eq!(path("1/../x?"), "/admin/dead-letters/1%2F..%2Fx%3F");
    }
}
