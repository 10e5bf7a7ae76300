//! `events state` and `events diff`: one aggregate at any position, and what changed between two.

use super::failure::Failure;
use super::output::{note, say};
use crate::clients::own_api::{OwnApi, decode};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::Value;

/// One aggregate over time.
#[derive(Debug, Subcommand)]
pub(super) enum EventsOf {
    /// Print the state of an aggregate as JSON
    State {
        /// Such as recipes
        context: String,
        /// The aggregate's key
        key: String,
        /// As of this position [default: now]
        #[arg(long, value_name = "POSITION")]
        at: Option<i64>,
    },
    /// Print what changed in the state of an aggregate
    Diff {
        /// Such as recipes
        context: String,
        /// The aggregate's key
        key: String,
        /// After this position [default: before the first event]
        #[arg(long, value_name = "POSITION")]
        from: Option<i64>,
        /// Up to this position [default: now]
        #[arg(long, value_name = "POSITION")]
        to: Option<i64>,
    },
}

/// # Errors
/// When the server does not answer, or there is no such aggregate.
pub(super) async fn run(api: &OwnApi, of: &EventsOf, as_json: bool) -> Result<(), Failure> {
    match of {
        EventsOf::State { context, key, at } => {
            let path = path(context, key);
            let text = api.get(&path, &given([("at", at)])).await?;
            if as_json {
                return say(&text);
            }
            let state: State = decode(&path, &text)?;
            note(&format!(
                "{context}/{key} as of position {}: stream version {}",
                state.at, state.stream_version
            ));
            say(&pretty(&state.state))
        }
        EventsOf::Diff { context, key, from, to } => {
            let path = path(context, key);
            // One of them at least, or it would be a single state.
            let from = Some(from.unwrap_or(0));
            let text = api.get(&path, &given([("from", &from), ("to", to)])).await?;
            if as_json {
                return say(&text);
            }
            let difference: Difference = decode(&path, &text)?;
            difference.changes.iter().try_for_each(|change| say(&line(change)))
        }
    }
}

fn path(context: &str, key: &str) -> String {
    let escaped = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    format!("/admin/state/{}/{}", escaped(context), escaped(key))
}

fn given<const N: usize>(positions: [(&'static str, &Option<i64>); N]) -> Vec<(&'static str, String)> {
    positions
        .into_iter()
        .filter_map(|(name, position)| Some((name, position.as_ref()?.to_string())))
        .collect()
}

#[derive(Deserialize)]
struct State {
    at: i64,
    stream_version: i64,
    state: Value,
}

#[derive(Deserialize)]
struct Difference {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    pointer: String,
    from: Option<Value>,
    to: Option<Value>,
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

fn line(Change { pointer, from, to }: &Change) -> String {
    let pointer = if pointer.is_empty() { "/" } else { pointer };
    match (from, to) {
        (None, Some(to)) => format!("+ {pointer}  {to}"),
        (Some(from), None) => format!("- {pointer}  {from}"),
        (from, to) => {
            let text = |side: &Option<Value>| side.clone().unwrap_or_default().to_string();
            format!("~ {pointer}  {} -> {}", text(from), text(to))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_hold_anything() {
        assert_eq!(path("recipes", "a/b ü~"), "/admin/state/recipes/a%2Fb%20%C3%BC~");
    }

    #[test]
    fn a_change_is_one_line() {
        let read = |json| line(&serde_json::from_str(json).unwrap());
        assert_eq!(read(r#"{"pointer": "/a", "to": 1}"#), "+ /a  1");
        assert_eq!(read(r#"{"pointer": "/a/0", "from": "x"}"#), "- /a/0  \"x\"");
        assert_eq!(read(r#"{"pointer": "", "from": null, "to": {}}"#), "+ /  {}");
        assert_eq!(read(r#"{"pointer": "/a", "from": 1, "to": 2}"#), "~ /a  1 -> 2");
    }
}
