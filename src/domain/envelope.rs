//! The one envelope for everything that travels: who it is for, what caused it, and its body as text.

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The id of an aggregate within its context. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Key(#[schemars(with = "String")] Arc<str>);

impl Key {
    /// Longest key taken, in bytes.
    pub const MAX_BYTES: usize = 200;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as a uuid, where the context's aggregates are named by one.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.0).ok()
    }
}

impl<T: AsRef<str>> From<T> for Key {
    fn from(text: T) -> Self {
        Self(text.as_ref().into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command asks one recipient for something; an event says what has happened, to any number of readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Command,
    Event,
}

/// Whom the outcome of a command is reported to, as a message of its own in the same commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    pub context: String,
    pub key: Key,
    /// What the recipient calls the question, such as a saga step.
    pub step: String,
}

/// The rarer part of an envelope, stored as one JSON column and only when there is something in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// Position of the dead letter in whose place this command was given: of its key, it comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<i64>,
    /// The key of the call that the dead letter's message had wanted made: with it, this command's call is no second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Uuid>,
    /// Its body is not the dead letter's, so that it may want another call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
}

impl Extra {
    /// What goes on to everything that is caused: who, and the feature flags that decided it.
    #[must_use]
    pub fn inherited(&self) -> Self {
        let Self { user, tenant, flags, .. } = self.clone();
        Self { user, tenant, flags, ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A command or an event as it is stored and delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Place in the one order of everything; zero until the journal has committed it.
    pub position: i64,
    pub id: Uuid,
    pub kind: Kind,
    pub context: Arc<str>,
    pub key: Key,
    /// For events: the count of the aggregate's events including this one. `None` for commands.
    pub stream_version: Option<i64>,
    /// The stored name of the type, which never changes.
    pub type_name: Arc<str>,
    pub schema_version: u16,
    /// JSON text, decoded into its type by whoever handles it.
    pub body: String,
    pub time: DateTime<Utc>,
    pub causation_id: Option<Uuid>,
    pub correlation_id: Uuid,
    /// W3C `traceparent` of the request that began it all.
    pub trace: Option<Arc<str>>,
    pub extra: Extra,
}

/// The body of a message whose person was erased.
pub const ERASED: &str = r#"{"erased":true}"#;
/// What stands where an erased person was named.
pub const NOBODY: &str = "(erased)";

impl Envelope {
    /// What it said went with the key of the person it was about.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.body == ERASED
    }

    /// A command without a cause: the start of a correlation.
    #[must_use]
    pub fn command(to: &Address, type_name: &str, body: String, id: Uuid, time: DateTime<Utc>) -> Self {
        Self {
            position: 0,
            id,
            kind: Kind::Command,
            context: to.context.clone(),
            key: to.key.clone(),
            stream_version: None,
            type_name: type_name.into(),
            schema_version: 1,
            body,
            time,
            causation_id: None,
            correlation_id: id,
            trace: None,
            extra: Extra::default(),
        }
    }

    /// The id of the `n`-th thing this message gives rise to: the same at every handling, and close to this
    /// id in order, so that index pages stay warm.
    #[must_use]
    pub fn derived_id(&self, n: u64) -> Uuid {
        derived_id(self.id, n)
    }

    /// As shown to the outside: AWS EventBridge's nine fields plus the runtime's own.
    #[must_use]
    pub fn public(&self) -> PublicEnvelope<'_> {
        PublicEnvelope {
            version: "0",
            id: self.id,
            source: format!("meal-planner.{}", self.context),
            account: self.extra.tenant.as_deref().unwrap_or("home"),
            time: self.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            region: "local",
            resources: vec![format!("{}/{}", self.context, self.key)],
            detail_type: &self.type_name,
            detail: RawValue::from_string(self.body.clone()).ok(),
            position: self.position,
            kind: self.kind,
            context: &self.context,
            key: &self.key,
            stream_version: self.stream_version,
            schema_version: self.schema_version,
            causation_id: self.causation_id,
            correlation_id: self.correlation_id,
            trace: self.trace.as_deref(),
            user: self.extra.user.as_deref(),
            replay_of: self.extra.replay_of,
            flags: &self.extra.flags,
        }
    }
}

/// See [`Envelope::derived_id`].
#[must_use]
pub fn derived_id(id: Uuid, n: u64) -> Uuid {
    let mut bytes = *id.as_bytes();
    let digest = Uuid::new_v5(&id, &n.to_be_bytes());
    // The first eight bytes hold a v7 id's clock and version; the last eight are replaced, variant included.
    bytes[8..].copy_from_slice(&digest.as_bytes()[8..]);
    Uuid::from_bytes(bytes)
}

/// Where a command goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub context: Arc<str>,
    pub key: Key,
}

impl Address {
    #[must_use]
    pub fn new(context: &str, key: impl Into<Key>) -> Self {
        Self { context: context.into(), key: key.into() }
    }
}

/// [`Envelope`] as JSON for the outside.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublicEnvelope<'a> {
    pub version: &'static str,
    pub id: Uuid,
    pub source: String,
    pub account: &'a str,
    pub time: String,
    pub region: &'static str,
    pub resources: Vec<String>,
    pub detail_type: &'a str,
    pub detail: Option<Box<RawValue>>,
    pub position: i64,
    pub kind: Kind,
    pub context: &'a str,
    pub key: &'a Key,
    #[serde(rename = "stream_version", skip_serializing_if = "Option::is_none")]
    pub stream_version: Option<i64>,
    #[serde(rename = "schema_version")]
    pub schema_version: u16,
    #[serde(rename = "causation_id", skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    #[serde(rename = "correlation_id")]
    pub correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    #[serde(rename = "replay_of", skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub flags: &'a [String],
}

/// What a rule may know of the message it decides on: time and ids are data, never looked up.
#[derive(Clone, Debug)]
pub struct Metadata {
    pub id: Uuid,
    pub key: Key,
    pub position: i64,
    /// When the command was accepted.
    pub time: DateTime<Utc>,
    pub correlation_id: Uuid,
    pub user: Option<String>,
    /// Feature flags as they were when the command that began it all was accepted.
    pub flags: Vec<String>,
}

impl Metadata {
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            id: envelope.id,
            key: envelope.key.clone(),
            position: envelope.position,
            time: envelope.time,
            correlation_id: envelope.correlation_id,
            user: envelope.extra.user.clone(),
            flags: envelope.extra.flags.clone(),
        }
    }

    /// The value of a feature flag, if it is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&str> {
        let mut pairs = self.flags.iter().filter_map(|flag| flag.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A new id for the `n`-th thing this command creates; the same at every handling.
    #[must_use]
    pub fn new_id(&self, n: u64) -> Uuid {
        derived_id(self.id, n.wrapping_add(1 << 32))
    }
}
