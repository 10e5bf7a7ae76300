//! What a bounded context is to the runtime: a pure decider, its messages, its endpoints and its read models.

pub use super::endpoint::{Endpoint, KeyFrom, Verb};
use super::envelope::{Envelope, Metadata};
pub use super::gateway::{Call, Recovery};
use super::message::{DecodeError, Message};
pub use super::outgoing::{Outgoing, When};
pub use super::person::Personal;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One bounded context. Everything here is pure: no clock, no randomness, no input or output.
pub trait Context: Send + Sync + 'static {
    /// The stored name, in the plural where it owns things (`recipes`); never changes.
    const NAME: &'static str;
    /// The node of the supervision tree that its actor stands under.
    const NODE: &'static str = "contexts";
    /// Raised when the meaning of a snapshot changes, so that old ones are dropped and folded anew.
    const STATE_VERSION: u32 = 1;
    /// What becomes of the later messages of a key when one of them has gone to the dead letters.
    const AFTER_DEAD: AfterDead = AfterDead::GoOn;

    type State: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    type Command: Message;
    type Event: Message;
    /// What deciding some commands needs beside the aggregate, read from this context's own read models.
    type Facts: Default + Send + Sync + 'static;

    /// What the command leads to, or why not.
    ///
    /// # Errors
    /// A [`Rejection`] is the domain's no: an answer, not a failure.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        facts: &Self::Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Self::Event>, Rejection>;

    /// The fold. Total: whatever was stored can be folded.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// Commands that leave with an event of this context, in the same commit; `state` includes the event.
    ///
    /// # Errors
    /// When a command has no JSON form.
    fn sends(
        _state: &Self::State,
        _event: &Self::Event,
        _metadata: &Metadata,
    ) -> Result<Vec<Outgoing>, DecodeError> {
        Ok(Vec::new())
    }

    /// The call to the outside that a command wants made before it is decided; asked once, with the state then.
    ///
    /// # Errors
    /// A [`Rejection`] when it makes no sense to call.
    fn call(
        _state: &Self::State,
        _command: &Self::Command,
        _metadata: &Metadata,
    ) -> Result<Option<Call>, Rejection> {
        Ok(None)
    }

    /// What the command leads to, now that its call was answered; in the place of [`Context::decide`].
    ///
    /// # Errors
    /// A [`Rejection`] is the domain's no.
    fn answered(
        _state: &Self::State,
        _command: &Self::Command,
        _response: &str,
        _metadata: &Metadata,
    ) -> Result<Vec<Self::Event>, Rejection> {
        Ok(Vec::new())
    }

    /// What the command leads to when the service has refused its call for good. `None`: a dead letter.
    fn refused(
        _state: &Self::State,
        _command: &Self::Command,
        _error: &str,
        _metadata: &Metadata,
    ) -> Option<Result<Vec<Self::Event>, Rejection>> {
        None
    }

    /// Checks that need no state, made before a command is accepted.
    ///
    /// # Errors
    /// A [`Rejection`] of kind invalid.
    fn check(_command: &Self::Command) -> Result<(), Rejection> {
        Ok(())
    }

    /// Which rows of this context's read models [`Context::facts`] wants for a command.
    fn needs(_command: &Self::Command) -> Vec<Need> {
        Vec::new()
    }

    /// Makes the facts of the rows asked for. Only called when [`Context::needs`] is not empty, and again only
    /// when one of those read models has changed.
    ///
    /// # Errors
    /// When a row does not decode.
    fn facts(_rows: &Rows) -> Result<Self::Facts, DecodeError> {
        Ok(Self::Facts::default())
    }

    /// Commands made of a body in a foreign format that was sent to the endpoint of `type_name`.
    /// `None`: this context does not read that format there.
    #[must_use]
    fn read_foreign(
        _type_name: &str,
        _format: Foreign,
        _body: &str,
    ) -> Option<Result<Vec<Given<Self>>, Rejection>>
    where
        Self: Sized,
    {
        None
    }

    /// The commands that can be given over HTTP.
    #[must_use]
    fn endpoints() -> Vec<Endpoint> {
        Vec::new()
    }

    /// Contexts whose events [`Context::reaction`] wants to see.
    const REACTS_TO: &'static [&'static str] = &[];

    /// Choreography: the commands this context gives itself when something happened elsewhere.
    ///
    /// # Errors
    /// When the event does not decode.
    fn reaction(_event: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        Ok(Vec::new())
    }

    /// What of a message of this context is about a person. Asked of every message, so it must be quick; a body that
    /// does not decode is about somebody all the same.
    #[must_use]
    fn personal(_message: &Envelope) -> Personal {
        Personal::Nothing
    }

    /// Shows each read model of this context to the visitor.
    fn projections(_visitor: &mut dyn ProjectionVisitor)
    where
        Self: Sized,
    {
    }
}

/// See [`Context::AFTER_DEAD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterDead {
    GoOn,
    /// They wait until somebody has replayed or discarded the dead letter.
    Hold,
}

/// Formats of others that an endpoint may take beside its own JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// `application/ld+json`: schema.org.
    JsonLd,
}

/// A command with the aggregate it is for.
pub type Given<C> = (super::envelope::Key, <C as Context>::Command);

/// The kinds of no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectionKind {
    /// The thing spoken of does not exist.
    NotFound,
    /// It does not fit what is there now.
    Conflict,
    /// It makes no sense whatever is there.
    Invalid,
}

/// The domain's no, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    pub kind: RejectionKind,
    pub message: String,
    pub hint: String,
    /// JSON pointer to the field at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Rejection {
    fn new(kind: RejectionKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), pointer: None }
    }

    pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(RejectionKind::NotFound, message, hint)
    }

    pub fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(RejectionKind::Conflict, message, hint)
    }

    pub fn invalid(pointer: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.to_owned()), ..Self::new(RejectionKind::Invalid, message, hint) }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.hint)
    }
}

impl From<DecodeError> for Rejection {
    fn from(error: DecodeError) -> Self {
        let hint = "see /openapi.json for the fields of this command";
        match error {
            DecodeError::Malformed { pointer, message, .. } => Self::invalid(&pointer, message, hint),
            DecodeError::UnknownType { .. } | DecodeError::UnknownVersion { .. } => {
                Self::invalid("", error.to_string(), hint)
            }
        }
    }
}

/// Rows of one read model that a decision wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    pub projection: &'static str,
    /// `None` asks for every row.
    pub keys: Option<Vec<String>>,
}

impl Need {
    #[must_use]
    pub fn all<P: Projection>() -> Self {
        Self { projection: P::NAME, keys: None }
    }

    #[must_use]
    pub fn rows<P: Projection>(keys: Vec<String>) -> Self {
        Self { projection: P::NAME, keys: Some(keys) }
    }
}

/// What was asked for by [`Context::needs`], as stored text in the order of the keys.
#[derive(Clone, Debug, Default)]
pub struct Rows(pub BTreeMap<&'static str, Vec<(String, String)>>);

impl Rows {
    /// # Errors
    /// When a row does not decode.
    pub fn of<P: Projection>(&self) -> Result<Vec<P::Row>, DecodeError> {
        let rows = self.0.get(P::NAME).map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(|(_, body)| super::message::from_text(P::NAME, body)).collect()
    }
}

/// A read model: each row is itself a fold of the events that are routed to its key.
pub trait Projection: Send + Sync + 'static {
    /// `<context>_<what>`; the name of its table.
    const NAME: &'static str;
    /// Raised when rows have to be built anew.
    const VERSION: u32 = 1;
    /// The contexts whose events it folds.
    const READS: &'static [&'static str];

    type Row: Serialize + DeserializeOwned + Clone + Send + Sync + JsonSchema + 'static;
    /// What it understands of the events.
    type Event: Send + Sync + 'static;

    /// `None` for events it does not care about.
    ///
    /// # Errors
    /// When an event of interest does not decode.
    fn read(envelope: &Envelope) -> Result<Option<Self::Event>, DecodeError>;

    /// The rows an event concerns.
    fn keys(envelope: &Envelope, event: &Self::Event) -> Vec<String>;

    /// Folds the event into one row; leaving `None` deletes it.
    fn apply(row: &mut Option<Self::Row>, key: &str, envelope: &Envelope, event: &Self::Event);

    /// What lists are ordered by, before the key.
    fn sort(_row: &Self::Row) -> String {
        String::new()
    }

    /// Text that `?q=` looks in.
    fn search(_row: &Self::Row) -> String {
        String::new()
    }

    /// Whether the work that a row tells of has come to its end; whoever waits for a result waits for this.
    fn is_final(_row: &Self::Row) -> bool {
        true
    }

    /// Where the rows can be read over HTTP.
    #[must_use]
    fn routes() -> Vec<Route> {
        Vec::new()
    }
}

/// Reads all events of one context: the common body of [`Projection::read`].
///
/// # Errors
/// When the event does not decode.
pub fn read_as<C: Context>(envelope: &Envelope) -> Result<Option<C::Event>, DecodeError> {
    if &*envelope.context != C::NAME || envelope.is_erased() {
        return Ok(None);
    }
    C::Event::decode(&envelope.type_name, envelope.schema_version, &envelope.body).map(Some)
}

/// Something that is shown every read model with its types.
pub trait ProjectionVisitor {
    /// Called once a projection, with what the runtime needs of it.
    fn erased(&mut self, projection: std::sync::Arc<dyn ErasedProjection>);
}

/// One changed row of a read model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    pub key: String,
    /// `None` deletes the row.
    pub row: Option<StoredRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    pub sort: String,
    pub search: String,
    pub body: String,
}

/// A read model whose types are known to nobody but itself; made by [`super::erased::Erased`].
pub trait ErasedProjection: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn reads(&self) -> &'static [&'static str];
    fn routes(&self) -> Vec<Route>;
    /// See [`Projection::is_final`]. A row that does not read will not change either.
    fn is_final(&self, body: &str) -> bool;
    fn row_schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema;
    /// A fold in progress, holding rows in memory.
    fn fold(&self) -> Box<dyn Fold>;
}

/// Folds batches of events into rows. The caller loads what is missing and stores what changed.
pub trait Fold: Send + Sync {
    /// Takes events in order. An event of interest that does not decode is left out of the fold and told.
    fn begin(&mut self, events: &[std::sync::Arc<Envelope>]) -> Begun;
    /// Gives the rows asked for that exist and answers every changed row.
    ///
    /// # Errors
    /// When a stored row does not decode.
    fn finish(&mut self, loaded: Vec<(String, String)>) -> Result<Vec<RowChange>, DecodeError>;
}

/// What a fold wants before it can finish.
#[derive(Debug, Default)]
pub struct Begun {
    /// Rows to be loaded.
    pub missing: Vec<String>,
    pub unread: Vec<(std::sync::Arc<Envelope>, DecodeError)>,
}

/// How a read model can be read over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A page of rows, with `?q=`, `?limit=` and `?cursor=`.
    List { path: &'static str, summary: &'static str },
    /// The row whose key stands in the path.
    Item { path: &'static str, summary: &'static str },
    /// The row of a fixed key.
    One { path: &'static str, key: &'static str, summary: &'static str },
}
