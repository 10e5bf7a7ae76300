//! Feature flags: named values that whoever runs the server sets. Those in force when a command is accepted travel with
//! it and with everything it causes, so that handling it again decides the same.

use super::context::{
    Context, Endpoint, KeyFrom, Projection, ProjectionVisitor, Rejection, Route, Verb, read_as,
};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::message::DecodeError;
use super::operations::Reason;
use crate::messages;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 200;
const LONGEST_WHY: usize = 1000;

/// Sets a flag for commands accepted from now on; `null` takes it away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFlag {
    pub value: Option<String>,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlagSet {
    pub name: String,
    pub value: Option<String>,
    pub reason: Reason,
}

messages! { pub enum Command { SetFlag = 1 } }
messages! { pub enum Event { FlagSet = 1 } }

/// See the module. One aggregate a flag, named by it.
pub struct Flags;

impl Context for Flags {
    const NAME: &'static str = "flags";

    type State = Option<String>;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(
        state: &Option<String>,
        command: &Command,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        let Command::SetFlag(SetFlag { value, why }) = command;
        let name = metadata.key.as_str();
        if !is_name(name) {
            let hint = format!("use 1 to {LONGEST_NAME} lowercase letters, digits, '_', '-' or '.'");
            return Err(Rejection::invalid("", format!("{name:?} is no name of a flag"), hint));
        }
        if state == value {
            return Ok(Vec::new());
        }
        let by = metadata.user.clone().unwrap_or_else(|| "operator".to_owned());
        let reason = Reason { by, why: why.trim().to_owned() };
        Ok(vec![FlagSet { name: name.to_owned(), value: value.clone(), reason }.into()])
    }

    fn evolve(state: &mut Option<String>, event: &Event) {
        let Event::FlagSet(FlagSet { value, .. }) = event;
        state.clone_from(value);
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        let Command::SetFlag(SetFlag { value, why }) = command;
        let odd = |value: &String| {
            value.is_empty() || value.len() > LONGEST_VALUE || value.chars().any(char::is_control)
        };
        if value.as_ref().is_some_and(odd) {
            let hint = format!("use 1 to {LONGEST_VALUE} characters, or null to take the flag away");
            return Err(Rejection::invalid("/value", "this is no value of a flag", hint));
        }
        if why.trim().is_empty() || why.len() > LONGEST_WHY {
            let hint = format!("say in 1 to {LONGEST_WHY} characters why; it is kept with the event");
            return Err(Rejection::invalid("/why", "a reason is needed", hint));
        }
        Ok(())
    }

    fn endpoints() -> Vec<Endpoint> {
        vec![Endpoint {
            verb: Verb::Put,
            path: "/admin/flags/{id}",
            type_name: "SetFlag",
            key: KeyFrom::Path,
            summary: "Sets a feature flag for commands accepted from now on",
            result: Some(Active::NAME),
        }]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Active>(visitor);
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(plain)
}

/// The flags in force.
pub struct Active;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActiveFlag {
    pub id: String,
    pub name: String,
    pub value: String,
    pub since: DateTime<Utc>,
    pub reason: Reason,
}

impl ActiveFlag {
    /// As it travels with messages; see [`Metadata::flag`].
    #[must_use]
    pub fn stamp(&self) -> String {
        format!("{}={}", self.name, self.value)
    }
}

impl Projection for Active {
    const NAME: &'static str = "flags_active";
    const READS: &'static [&'static str] = &[Flags::NAME];

    type Row = ActiveFlag;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Flags>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<ActiveFlag>, _: &str, envelope: &Envelope, event: &Event) {
        let Event::FlagSet(FlagSet { name, value, reason }) = event;
        *row = value.as_ref().map(|value| ActiveFlag {
            id: name.clone(),
            name: name.clone(),
            value: value.clone(),
            since: envelope.time,
            reason: reason.clone(),
        });
    }

    fn routes() -> Vec<Route> {
        vec![Route::List { path: "/admin/flags", summary: "The feature flags in force" }]
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::Key;
    use super::super::testing::{given, metadata};
    use super::*;

    fn set(value: Option<&str>) -> SetFlag {
        SetFlag { value: value.map(str::to_owned), why: "to try it".to_owned() }
    }

    fn decide(state: &Option<String>, value: Option<&str>, name: &str) -> Result<Vec<Event>, Rejection> {
        let metadata = Metadata { key: Key::from(name), ..metadata() };
        Flags::decide(state, &set(value).into(), &(), &metadata)
    }

    #[test]
    fn a_flag_is_set_once_and_taken_away() {
        let events = decide(&None, Some("on"), "new_search").unwrap();
        let state = given::<Flags>(&events);
        assert_eq!(state.as_deref(), Some("on"));
        assert_eq!(decide(&state, Some("on"), "new_search").unwrap(), []);
        assert_eq!(given::<Flags>(&decide(&state, None, "new_search").unwrap()), None);
    }

    #[test]
    fn odd_names_and_values_are_refused() {
        for name in ["", "A", "a=b", "a b", &"x".repeat(65)] {
            assert!(decide(&None, Some("on"), name).is_err(), "{name:?}");
        }
        for value in ["", "a\nb", &"x".repeat(201)] {
            let refused = Flags::check(&set(Some(value)).into()).unwrap_err();
            assert_eq!(refused.pointer.as_deref(), Some("/value"), "{value:?}");
        }
        assert!(Flags::check(&SetFlag { why: " ".to_owned(), ..set(None) }.into()).is_err());
    }

    #[test]
    fn a_decision_sees_the_value_that_travels_with_its_message() {
        let flags = vec!["new_search=on=1".to_owned(), "other=x".to_owned()];
        let metadata = Metadata { flags, ..metadata() };
        assert_eq!(metadata.flag("new_search"), Some("on=1"));
        assert_eq!(metadata.flag("new"), None);
    }
}
