//! A context without its types: checks bodies, folds states to be shown, and rehearses commands on a copy.

use super::context::{Call, Context, Need, Outgoing, Rejection, Rows, When};
use super::envelope::{Envelope, Metadata};
use super::message::{DecodeError, Message, from_text, to_text};
use serde::Serialize;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;

/// One context for whoever does not know its types. Pure, as the context is.
pub trait ErasedContext: Send + Sync {
    /// Schema version and canonical body of a command that somebody has written.
    ///
    /// # Errors
    /// When it does not decode as its type or fails a check that needs no state.
    fn check(&self, type_name: &str, body: &str) -> Result<(u16, String), Rejection>;
    /// A state without events.
    fn fold(&self) -> Box<dyn StateFold>;
    /// See [`Context::reaction`].
    ///
    /// # Errors
    /// When the event does not decode.
    fn reaction(&self, event: &Envelope) -> Result<Vec<Outgoing>, DecodeError>;
}

/// The state of one aggregate on its way through its events.
pub trait StateFold: Send {
    /// # Errors
    /// When the event does not decode.
    fn take(&mut self, event: &Envelope) -> Result<(), DecodeError>;
    /// # Errors
    /// When the state has no JSON form.
    fn shown(&self) -> Result<Value, DecodeError>;
    /// See [`Context::needs`].
    ///
    /// # Errors
    /// When the command does not decode.
    fn needs(&self, message: &Envelope) -> Result<Vec<Need>, DecodeError>;
    /// What the command would lead to in this state; `rows` are those it needs.
    ///
    /// # Errors
    /// When something does not decode, or has no JSON form.
    fn rehearse(&mut self, message: &Envelope, rows: &Rows) -> Result<Rehearsal, DecodeError>;
}

/// What would become of a command.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Rehearsal {
    Handled {
        events: Vec<Emitted>,
        commands: Vec<Sent>,
        /// The aggregate afterwards.
        state: Value,
    },
    Rejected {
        rejection: Rejection,
    },
    /// It would call the outside first; what follows depends on the answer.
    Calls {
        service: &'static str,
        operation: &'static str,
        request: Value,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Emitted {
    #[serde(rename = "type")]
    pub type_name: &'static str,
    pub detail: Value,
}

/// A command that would be given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sent {
    pub to: String,
    #[serde(rename = "type")]
    pub type_name: &'static str,
    pub detail: Value,
    /// `now`, the time it is given at, or `never` where a timer is taken away.
    pub when: String,
}

impl Sent {
    /// # Errors
    /// When the body is no JSON.
    pub fn of(outgoing: &Outgoing) -> Result<Self, DecodeError> {
        let when = match &outgoing.when {
            When::Now => "now".to_owned(),
            When::At { due, .. } => due.to_rfc3339(),
            When::Never { timer } => {
                let to = format!("timer {timer}");
                return Ok(Self { to, type_name: "", detail: Value::Null, when: "never".to_owned() });
            }
        };
        Ok(Self {
            to: format!("{}/{}", outgoing.to.context, outgoing.to.key),
            type_name: outgoing.type_name,
            detail: from_text(outgoing.type_name, &outgoing.body)?,
            when,
        })
    }
}

/// Without its types.
#[must_use]
pub fn erased<C: Context>() -> Arc<dyn ErasedContext> {
    Arc::new(Typeless::<C>(PhantomData))
}

/// Schema version and canonical body of a command that has passed every check that needs no state.
///
/// # Errors
/// When it does not decode as its type or fails a check.
pub fn checked<C: Context>(type_name: &str, body: &str) -> Result<(u16, String), Rejection> {
    let current = C::Command::TYPES.iter().find(|(name, _)| *name == type_name);
    let command = C::Command::decode(type_name, current.map_or(1, |(_, version)| *version), body)?;
    C::check(&command)?;
    Ok((command.schema_version(), command.encode()?))
}

struct Typeless<C>(PhantomData<C>);

impl<C: Context> ErasedContext for Typeless<C> {
    fn check(&self, type_name: &str, body: &str) -> Result<(u16, String), Rejection> {
        checked::<C>(type_name, body)
    }

    fn fold(&self) -> Box<dyn StateFold> {
        Box::new(TypedState::<C> { state: C::State::default() })
    }

    fn reaction(&self, event: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        C::reaction(event)
    }
}

struct TypedState<C: Context> {
    state: C::State,
}

fn decode<M: Message>(message: &Envelope) -> Result<M, DecodeError> {
    M::decode(&message.type_name, message.schema_version, &message.body)
}

impl<C: Context> StateFold for TypedState<C> {
    fn take(&mut self, event: &Envelope) -> Result<(), DecodeError> {
        if !event.is_erased() {
            C::evolve(&mut self.state, &decode(event)?);
        }
        Ok(())
    }

    fn shown(&self) -> Result<Value, DecodeError> {
        from_text("state", &to_text("state", &self.state)?)
    }

    fn needs(&self, message: &Envelope) -> Result<Vec<Need>, DecodeError> {
        Ok(C::needs(&decode(message)?))
    }

    fn rehearse(&mut self, message: &Envelope, rows: &Rows) -> Result<Rehearsal, DecodeError> {
        let (command, metadata) = (decode::<C::Command>(message)?, Metadata::of(message));
        match C::call(&self.state, &command, &metadata) {
            Err(rejection) => return Ok(Rehearsal::Rejected { rejection }),
            Ok(Some(Call { service, operation, request, .. })) => {
                let request = from_text(operation, &request)?;
                return Ok(Rehearsal::Calls { service, operation, request });
            }
            Ok(None) => {}
        }
        let facts = if rows.0.is_empty() { C::Facts::default() } else { C::facts(rows)? };
        let events = match C::decide(&self.state, &command, &facts, &metadata) {
            Ok(events) => events,
            Err(rejection) => return Ok(Rehearsal::Rejected { rejection }),
        };
        let (mut emitted, mut commands) = (Vec::new(), Vec::new());
        for event in &events {
            C::evolve(&mut self.state, event);
            let type_name = event.type_name();
            emitted.push(Emitted { type_name, detail: from_text(type_name, &event.encode()?)? });
            for outgoing in C::sends(&self.state, event, &metadata)? {
                commands.push(Sent::of(&outgoing)?);
            }
        }
        Ok(Rehearsal::Handled { events: emitted, commands, state: self.shown()? })
    }
}
