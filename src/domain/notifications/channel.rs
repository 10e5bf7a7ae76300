//! Channels: by which ways, beside the app, notifications leave the house.

use super::{ChannelSetUp, Event, NotificationSent, SetUpChannel};
use crate::domain::context::Rejection;
use crate::domain::envelope::Key;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The channel that is always there and needs no setting up.
const IN_APP: &str = "in_app";
const LONGEST_NAME: usize = 40;
const LONGEST_ADDRESS: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A topic of an ntfy server.
    Ntfy,
    /// JSON by POST, with the key in `Idempotency-Key`.
    Webhook,
}

impl ChannelKind {
    pub const ALL: [Self; 2] = [Self::Ntfy, Self::Webhook];

    /// The outside service, which has its own breaker.
    #[must_use]
    pub fn service(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    pub kind: ChannelKind,
    pub address: String,
}

/// What the client is asked to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The client looks for a token under this name.
    pub channel: String,
    pub address: String,
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub title: String,
    pub body: String,
    pub about: Option<String>,
}

impl Channel {
    pub(super) fn push(&self, name: &str, sent: &NotificationSent) -> Push {
        Push {
            channel: name.to_owned(),
            address: self.address.clone(),
            id: sent.id,
            at: sent.at,
            title: sent.title.clone(),
            body: sent.body.clone(),
            about: sent.about.clone(),
        }
    }
}

pub(super) fn set_up(
    known: Option<&Channel>,
    set: &SetUpChannel,
    name: &Key,
) -> Result<Vec<Event>, Rejection> {
    check_name(name.as_str())?;
    let channel = Channel { kind: set.kind, address: set.address.trim().to_owned() };
    if known == Some(&channel) {
        return Ok(Vec::new());
    }
    Ok(vec![ChannelSetUp { channel }.into()])
}

fn check_name(name: &str) -> Result<(), Rejection> {
    if name == IN_APP {
        return Err(Rejection::conflict("in_app is always there", "choose another name"));
    }
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    let hint = format!("use 1 to {LONGEST_NAME} of a-z, 0-9, - and _");
    Err(Rejection::invalid("", format!("{name:?} is no name for a channel"), hint))
}

pub(super) fn check(set: &SetUpChannel) -> Result<(), Rejection> {
    let address = set.address.trim();
    let wrong = |message: &str, hint: &str| Err(Rejection::invalid("/address", message, hint));
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let Some(rest) = rest.filter(|_| address.len() <= LONGEST_ADDRESS) else {
        return wrong("this is no address", "give http://… or https://…, up to 500 characters");
    };
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("there are blanks in the address", "write them as %20");
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || host.starts_with(':') {
        return wrong("the address names no host", "give http://host/…");
    }
    if host.contains('@') {
        return wrong(
            "the address holds a password",
            "leave it out; put a token into the configuration, under the channel's name",
        );
    }
    let topic = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if set.kind == ChannelKind::Ntfy && topic.is_empty() {
        return wrong("the address names no topic", "give https://ntfy.sh/<your-topic>");
    }
    Ok(())
}
