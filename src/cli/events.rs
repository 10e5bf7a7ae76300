//! `events`: the log page by page, or as it grows.

use super::args::Events;
use super::failure::Failure;
use super::output::{note, say};
use super::table::shorten;
use super::wire::Message;
use crate::clients::own_api::{ApiError, OwnApi, decode};
use crate::clients::sse::Frames;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

const PATH: &str = "/api/events";
const STREAM: &str = "/api/events/stream";
const DEFAULT_LIMIT: usize = 50;
const LONGEST_PAGE: usize = 500;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// # Errors
/// When the server does not answer, or refuses the filter.
pub(super) async fn run(api: &OwnApi, options: &Events, as_json: bool) -> Result<(), Failure> {
    if let Some(of) = &options.of {
        return super::states::run(api, of, as_json).await;
    }
    if options.follow { follow(api, options, as_json).await } else { list(api, options, as_json).await }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next_after: i64,
}

async fn list(api: &OwnApi, options: &Events, as_json: bool) -> Result<(), Failure> {
    let mut left = options.limit.unwrap_or(DEFAULT_LIMIT);
    let mut after = options.after.unwrap_or(0);
    while left > 0 {
        let mut query = filter(options);
        query.push(("after", after.to_string()));
        query.push(("limit", left.min(LONGEST_PAGE).to_string()));
        let page: Page = decode(PATH, &api.get(PATH, &query).await?)?;
        for item in &page.items {
            print(item.get(), as_json)?;
        }
        left = left.saturating_sub(page.items.len());
        if page.next_after <= after {
            return Ok(());
        }
        after = page.next_after;
    }
    note(&format!("There may be more: --after {after}"));
    Ok(())
}

fn filter(options: &Events) -> Vec<(&'static str, String)> {
    let texts = [
        ("type", &options.type_name),
        ("context", &options.context),
        ("key", &options.key),
        ("trace", &options.trace),
    ];
    texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect()
}

/// Goes on where it was when the connection breaks, until somebody stops it.
async fn follow(api: &OwnApi, options: &Events, as_json: bool) -> Result<(), Failure> {
    let mut follower = Follower {
        last_id: options.after.map(|after| after.to_string()),
        left: options.limit.unwrap_or(usize::MAX),
        as_json,
    };
    let (mut pause, mut connected) = (FIRST_PAUSE, false);
    while follower.left > 0 {
        match api.stream(STREAM, &filter(options), follower.last_id.as_deref()).await {
            Ok(response) => {
                (pause, connected) = (FIRST_PAUSE, true);
                follower.read(response).await?;
            }
            Err(ApiError::Unreachable { reason, .. }) if connected => {
                note(&format!("The server is away ({reason}); trying again."));
            }
            Err(error) => return Err(error.into()),
        }
        if follower.left > 0 {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
    Ok(())
}

struct Follower {
    /// The position that was shown last.
    last_id: Option<String>,
    left: usize,
    as_json: bool,
}

impl Follower {
    /// Until the stream ends or breaks.
    async fn read(&mut self, mut response: reqwest::Response) -> Result<(), Failure> {
        let mut frames = Frames::default();
        while let Ok(Some(chunk)) = response.chunk().await {
            for frame in frames.push(&chunk) {
                print(&frame.data, self.as_json)?;
                self.last_id = frame.id.or(self.last_id.take());
                self.left = self.left.saturating_sub(1);
                if self.left == 0 {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn print(json: &str, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return say(json);
    }
    let message: Message = decode(PATH, json)?;
    say(&line(&message))
}

fn line(message: &Message) -> String {
    let time = message.time.get(..19).unwrap_or(&message.time).replace('T', " ");
    let Message { position, kind, detail_type, context, key, .. } = message;
    format!("{position:>7}  {time}  {kind:<7}  {:<24}  {context}/{key}", shorten(detail_type, 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let json = r#"{"position": 12, "time": "2026-11-20T08:00:00.000000Z", "kind": "event",
            "detail-type": "RecipeImported", "context": "recipes", "key": "k"}"#;
        let line = line(&serde_json::from_str(json).unwrap());
        assert_eq!(line, "     12  2026-11-20 08:00:00  event    RecipeImported            recipes/k");
    }
}
