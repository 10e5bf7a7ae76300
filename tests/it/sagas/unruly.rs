//! The real contexts, which can be told to refuse a message of a saga, or to be slow about it.

use meal_planner::actors::Contexts;
use meal_planner::domain;
use meal_planner::domain::context::{
    Call, Context, Endpoint, Need, Outgoing, Projection, ProjectionVisitor, Rejection, Rows, read_as,
};
use meal_planner::domain::envelope::{Envelope, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::domain::registry::Visitor;
use meal_planner::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{LazyLock, Mutex};
use uuid::Uuid;

/// Refuses messages of one type: of those that come, in the order of their coming, these.
struct Rule {
    from: usize,
    to: usize,
    seen: Vec<Uuid>,
}

/// By correlation and type, so that sagas of other tests are not met.
static RULES: LazyLock<Mutex<HashMap<(Uuid, String), Rule>>> = LazyLock::new(Mutex::default);

/// Within this correlation, refuses the messages of a type from the `from`-th to before the `to`-th.
pub fn refuse(correlation: Uuid, type_name: &str, from: usize, to: usize) {
    let rule = Rule { from, to, seen: Vec::new() };
    RULES.lock().unwrap().insert((correlation, type_name.to_owned()), rule);
}

pub fn refuse_no_more(correlation: Uuid, type_name: &str) {
    RULES.lock().unwrap().remove(&(correlation, type_name.to_owned()));
}

fn is_refused(metadata: &Metadata, type_name: &str) -> bool {
    let mut rules = RULES.lock().unwrap();
    let Some(rule) = rules.get_mut(&(metadata.correlation_id, type_name.to_owned())) else { return false };
    if !rule.seen.contains(&metadata.id) {
        rule.seen.push(metadata.id);
    }
    let nth = rule.seen.iter().position(|id| *id == metadata.id).unwrap();
    (rule.from..rule.to).contains(&nth)
}

/// The rows that a message of this type waits for, to be held back by a test.
pub fn stall_key(type_name: &str) -> String {
    format!("stall {type_name}")
}

/// See the module.
pub struct Unruly<C>(PhantomData<C>);

impl<C: Context> Context for Unruly<C> {
    const NAME: &'static str = C::NAME;
    const STATE_VERSION: u32 = C::STATE_VERSION;
    const AFTER_DEAD: domain::context::AfterDead = C::AFTER_DEAD;
    const REACTS_TO: &'static [&'static str] = C::REACTS_TO;
    type State = C::State;
    type Command = C::Command;
    type Event = C::Event;
    type Facts = C::Facts;

    fn decide(
        state: &C::State,
        command: &C::Command,
        facts: &C::Facts,
        metadata: &Metadata,
    ) -> Result<Vec<C::Event>, Rejection> {
        if is_refused(metadata, command.type_name()) {
            return Err(Rejection::conflict("a test says no", "wait until it is over"));
        }
        C::decide(state, command, facts, metadata)
    }

    fn evolve(state: &mut C::State, event: &C::Event) {
        C::evolve(state, event);
    }

    fn sends(state: &C::State, event: &C::Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        C::sends(state, event, metadata)
    }

    fn call(state: &C::State, command: &C::Command, metadata: &Metadata) -> Result<Option<Call>, Rejection> {
        C::call(state, command, metadata)
    }

    fn answered(
        state: &C::State,
        command: &C::Command,
        response: &str,
        metadata: &Metadata,
    ) -> Result<Vec<C::Event>, Rejection> {
        C::answered(state, command, response, metadata)
    }

    fn check(command: &C::Command) -> Result<(), Rejection> {
        C::check(command)
    }

    fn needs(command: &C::Command) -> Vec<Need> {
        let mut needs = C::needs(command);
        if C::NAME != domain::sagas::Sagas::NAME {
            needs.push(Need::rows::<Stalls>(vec![stall_key(command.type_name())]));
        }
        needs
    }

    fn facts(rows: &Rows) -> Result<C::Facts, DecodeError> {
        C::facts(rows)
    }

    fn endpoints() -> Vec<Endpoint> {
        C::endpoints()
    }

    fn reaction(event: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        C::reaction(event)
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        C::projections(visitor);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stall {}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stalled {}
messages! { pub enum StallCommand { Stall = 1 } }
messages! { pub enum StallEvent { Stalled = 1 } }

/// Owns rows that are never there; reading them takes as long as a test says.
struct Stalling;

impl Context for Stalling {
    const NAME: &'static str = "stalling";
    type State = ();
    type Command = StallCommand;
    type Event = StallEvent;
    type Facts = ();

    fn decide((): &(), _: &StallCommand, (): &(), _: &Metadata) -> Result<Vec<StallEvent>, Rejection> {
        Ok(Vec::new())
    }

    fn evolve((): &mut (), _: &StallEvent) {}

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Stalls>(visitor);
    }
}

pub struct Stalls;

impl Projection for Stalls {
    const NAME: &'static str = "stalling_stalls";
    const READS: &'static [&'static str] = &["stalling"];
    type Row = Stalled;
    type Event = StallEvent;

    fn read(envelope: &Envelope) -> Result<Option<StallEvent>, DecodeError> {
        read_as::<Stalling>(envelope)
    }

    fn keys(envelope: &Envelope, _: &StallEvent) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(_: &mut Option<Stalled>, _: &str, _: &Envelope, _: &StallEvent) {}
}

struct All(Contexts);

impl Visitor for All {
    fn context<C: Context>(&mut self) {
        self.0 = std::mem::take(&mut self.0).with::<Unruly<C>>();
    }
}

/// Every real context, unruly.
pub fn contexts() -> Contexts {
    let mut all = All(Contexts::default().with::<Stalling>());
    domain::contexts(&mut all);
    all.0
}
