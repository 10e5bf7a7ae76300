//! Notifications: what the household is told, in the app always, and over the channels it has set up.
//!
//! Not known here: how a channel is spoken to, and its token. A channel is an aggregate under its name, so that what
//! goes over it goes in order and one that is dead holds up nobody else; a notification is one under its own key.

mod alerts;
mod channel;
mod views;

pub use channel::{Channel, ChannelKind, Push};
pub use views::{Channels, Delivery, DeliveryState, NamedChannel, Notification, Recent};

use super::context::{
    Call, Context, Endpoint, KeyFrom, Need, Outgoing, Projection, ProjectionVisitor, Recovery, Rejection,
    Rows, Verb,
};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::message::{DecodeError, to_text};
use super::operations;
use crate::messages;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Alerts of one kind leave the house once within this time; the others are shown in the app.
const QUIET: TimeDelta = TimeDelta::minutes(15);
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 4000;

/// Replaces what was set up under this name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpChannel {
    pub kind: ChannelKind,
    /// Where it is sent: for ntfy the address of the topic, such as `https://ntfy.sh/my-topic`. A token is no part
    /// of it: it stands in the configuration, under the channel's name.
    pub address: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveChannel {}

/// Tells the household.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    pub title: String,
    pub body: String,
    /// What it is about, such as `/api/meal-plans/…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Tells the household of trouble; within some time after one such, the next under the same key stay in the app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    pub title: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// It is about the channels themselves and would make more of the same.
    pub stays_in_app: bool,
}

/// One notification over one channel; sent by the notification to the channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    pub notification: NotificationSent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelSetUp {
    pub channel: Channel,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelRemoved {}

/// It is to be seen in the app from now on, and on its way over these channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationSent {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub title: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    pub channels: Vec<String>,
}

/// The service behind a channel has taken it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationDelivered {
    pub id: Uuid,
}

/// The service behind a channel will not take it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRefused {
    pub id: Uuid,
    pub error: String,
}

messages! { pub enum Command { SetUpChannel = 1, RemoveChannel = 1, Notify = 1, Alert = 1, Deliver = 1 } }
messages! {
    pub enum Event {
        ChannelSetUp = 1, ChannelRemoved = 1, NotificationSent = 1, NotificationDelivered = 1, DeliveryRefused = 1,
    }
}

/// A channel, or the notifications under one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    channel: Option<Channel>,
    /// When one under this key last left the house.
    last_left: Option<DateTime<Utc>>,
}

/// Names of the channels that there are.
#[derive(Default)]
pub struct Facts(Vec<String>);

/// See the module.
pub struct Notifications;

impl Context for Notifications {
    const NAME: &'static str = "notifications";
    const REACTS_TO: &'static [&'static str] = &[operations::NAME];
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(
        state: &State,
        command: &Command,
        facts: &Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::SetUpChannel(set) => channel::set_up(state.channel.as_ref(), set, &metadata.key),
            Command::RemoveChannel(_) if state.channel.is_some() => Ok(vec![ChannelRemoved {}.into()]),
            Command::RemoveChannel(_) => Err(Rejection::not_found(
                format!("no channel is called {}", metadata.key),
                "GET /api/notifications/channels lists them",
            )),
            Command::Notify(Notify { title, body, about }) => {
                Ok(vec![sent(title, body, about, facts.0.clone(), metadata)])
            }
            Command::Alert(Alert { title, body, about, stays_in_app }) => {
                let is_quiet = state.last_left.is_some_and(|left| metadata.time < left + QUIET);
                let channels = if is_quiet || *stays_in_app { Vec::new() } else { facts.0.clone() };
                Ok(vec![sent(title, body, about, channels, metadata)])
            }
            // Only without a channel: else its call is made and answered.
            Command::Deliver(Deliver { notification }) => {
                let error = "the channel is gone".to_owned();
                Ok(vec![DeliveryRefused { id: notification.id, error }.into()])
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::ChannelSetUp(set) => state.channel = Some(set.channel.clone()),
            Event::ChannelRemoved(_) => state.channel = None,
            Event::NotificationSent(sent) if !sent.channels.is_empty() => state.last_left = Some(sent.at),
            Event::NotificationSent(_) | Event::NotificationDelivered(_) | Event::DeliveryRefused(_) => {}
        }
    }

    fn sends(_: &State, event: &Event, _: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let Event::NotificationSent(sent) = event else { return Ok(Vec::new()) };
        let deliver = Command::from(Deliver { notification: sent.clone() });
        sent.channels.iter().map(|channel| Outgoing::new::<Self>(channel, &deliver)).collect()
    }

    /// Repeated when nobody knows: a webhook is given the key to tell by, and twice on the phone is better than never.
    fn call(state: &State, command: &Command, metadata: &Metadata) -> Result<Option<Call>, Rejection> {
        let (Command::Deliver(deliver), Some(channel)) = (command, &state.channel) else { return Ok(None) };
        let push = channel.push(metadata.key.as_str(), &deliver.notification);
        let request = to_text("Deliver", &push)?;
        let service = channel.kind.service();
        Ok(Some(Call { service, operation: "push", request, recovery: Recovery::Repeat }))
    }

    fn answered(_: &State, command: &Command, _: &str, _: &Metadata) -> Result<Vec<Event>, Rejection> {
        let Command::Deliver(Deliver { notification }) = command else { return Ok(Vec::new()) };
        Ok(vec![NotificationDelivered { id: notification.id }.into()])
    }

    fn refused(
        _: &State,
        command: &Command,
        error: &str,
        _: &Metadata,
    ) -> Option<Result<Vec<Event>, Rejection>> {
        let Command::Deliver(Deliver { notification }) = command else { return None };
        Some(Ok(vec![DeliveryRefused { id: notification.id, error: error.to_owned() }.into()]))
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::SetUpChannel(set) => channel::check(set),
            Command::Notify(Notify { title, body, .. }) | Command::Alert(Alert { title, body, .. }) => {
                check_text("/title", title, 1, LONGEST_TITLE)?;
                check_text("/body", body, 0, LONGEST_BODY)
            }
            Command::RemoveChannel(_) | Command::Deliver(_) => Ok(()),
        }
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::Notify(_) | Command::Alert(_) => vec![Need::all::<Channels>()],
            Command::SetUpChannel(_) | Command::RemoveChannel(_) | Command::Deliver(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        Ok(Facts(rows.of::<Channels>()?.into_iter().map(|row| row.name).collect()))
    }

    fn reaction(event: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        alerts::reaction(event)
    }

    fn endpoints() -> Vec<Endpoint> {
        let of = |verb, path, type_name, key, result, summary| Endpoint {
            verb,
            path,
            type_name,
            key,
            summary,
            result,
        };
        let channel = "/api/notifications/channels/{id}";
        let row = Some(<Channels as Projection>::NAME);
        vec![
            of(Verb::Post, "/api/notifications", "Notify", KeyFrom::New, None, "Tell the household"),
            of(Verb::Put, channel, "SetUpChannel", KeyFrom::Path, row, "Set up a channel"),
            of(Verb::Delete, channel, "RemoveChannel", KeyFrom::Path, None, "Remove a channel"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Channels>(visitor);
        erased::show::<Recent>(visitor);
    }
}

fn sent(
    title: &str,
    body: &str,
    about: &Option<String>,
    channels: Vec<String>,
    metadata: &Metadata,
) -> Event {
    NotificationSent {
        id: metadata.new_id(0),
        at: metadata.time,
        title: title.to_owned(),
        body: body.to_owned(),
        about: about.clone(),
        channels,
    }
    .into()
}

fn check_text(pointer: &str, text: &str, least: usize, most: usize) -> Result<(), Rejection> {
    let length = text.trim().chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    let hint = format!("write {least} to {most} characters");
    Err(Rejection::invalid(pointer, format!("it has {length} characters"), hint))
}

#[cfg(test)]
mod tests;
