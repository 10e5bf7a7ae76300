//! Notifications as the app shows them, newest first, and the channels that there are.

use super::{Channel, Event, Notifications};
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedChannel {
    pub name: String,
    #[serde(flatten)]
    pub channel: Channel,
}

/// Channels by name.
pub struct Channels;

impl Projection for Channels {
    const NAME: &'static str = "notifications_channels";
    const READS: &'static [&'static str] = &[Notifications::NAME];
    type Row = NamedChannel;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        let event = read_as::<Notifications>(envelope)?;
        Ok(event.filter(|event| matches!(event, Event::ChannelSetUp(_) | Event::ChannelRemoved(_))))
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<NamedChannel>, name: &str, _: &Envelope, event: &Event) {
        match event {
            Event::ChannelSetUp(set) => {
                *row = Some(NamedChannel { name: name.to_owned(), channel: set.channel.clone() });
            }
            Event::ChannelRemoved(_) => *row = None,
            Event::NotificationSent(_) | Event::NotificationDelivered(_) | Event::DeliveryRefused(_) => {}
        }
    }

    fn routes() -> Vec<Route> {
        vec![Route::List { path: "/api/notifications/channels", summary: "Channels beside the app" }]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    OnItsWay,
    Delivered,
    Refused,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    pub channel: String,
    pub state: DeliveryState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One notification with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub title: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Over the channels beside the app.
    pub deliveries: Vec<Delivery>,
}

/// Notifications, newest first.
pub struct Recent;

impl Projection for Recent {
    const NAME: &'static str = "notifications_recent";
    const READS: &'static [&'static str] = &[Notifications::NAME];
    type Row = Notification;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        let event = read_as::<Notifications>(envelope)?;
        Ok(event.filter(|event| !matches!(event, Event::ChannelSetUp(_) | Event::ChannelRemoved(_))))
    }

    fn keys(_: &Envelope, event: &Event) -> Vec<String> {
        let id = match event {
            Event::NotificationSent(sent) => sent.id,
            Event::NotificationDelivered(delivered) => delivered.id,
            Event::DeliveryRefused(refused) => refused.id,
            Event::ChannelSetUp(_) | Event::ChannelRemoved(_) => return Vec::new(),
        };
        vec![id.to_string()]
    }

    fn apply(row: &mut Option<Notification>, _: &str, envelope: &Envelope, event: &Event) {
        let (state, error) = match event {
            Event::NotificationSent(sent) => {
                let on_its_way = |channel: &String| Delivery {
                    channel: channel.clone(),
                    state: DeliveryState::OnItsWay,
                    error: None,
                };
                *row = Some(Notification {
                    id: sent.id,
                    at: sent.at,
                    title: sent.title.clone(),
                    body: sent.body.clone(),
                    about: sent.about.clone(),
                    deliveries: sent.channels.iter().map(on_its_way).collect(),
                });
                return;
            }
            Event::NotificationDelivered(_) => (DeliveryState::Delivered, None),
            Event::DeliveryRefused(refused) => (DeliveryState::Refused, Some(refused.error.clone())),
            Event::ChannelSetUp(_) | Event::ChannelRemoved(_) => return,
        };
        let deliveries = row.iter_mut().flat_map(|row| &mut row.deliveries);
        for delivery in deliveries.filter(|delivery| delivery.channel == envelope.key.as_str()) {
            (delivery.state, delivery.error) = (state, error.clone());
        }
    }

    fn sort(row: &Notification) -> String {
        format!("{:019}", i64::MAX - row.at.timestamp_micros())
    }

    fn search(row: &Notification) -> String {
        format!("{} {}", row.title, row.body)
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/notifications", summary: "Notifications, newest first" },
            Route::Item { path: "/api/notifications/{id}", summary: "One notification" },
        ]
    }
}
