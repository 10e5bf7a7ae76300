//! What is done over and over: counters that are added to, with a read model of their totals.

use meal_planner::actors::{Dispatcher, NewCommand};
use meal_planner::domain::context::{
    Context, Endpoint, KeyFrom, Projection, ProjectionVisitor, Rejection, Verb, read_as,
};
use meal_planner::domain::envelope::{Address, Envelope, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::messages;
use meal_planner::store::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const KEYS: usize = 1000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Add {
    pub amount: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    pub amount: i64,
    pub total: i64,
}

messages! { pub enum Command { Add = 1 } }
messages! { pub enum Event { Added = 1 } }

pub struct Counters;

impl Context for Counters {
    const NAME: &'static str = "counters";
    type State = i64;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &i64, command: &Command, (): &(), _: &Metadata) -> Result<Vec<Event>, Rejection> {
        let Command::Add(add) = command;
        Ok(vec![Added { amount: add.amount, total: state + add.amount }.into()])
    }

    fn evolve(state: &mut i64, event: &Event) {
        let Event::Added(added) = event;
        *state = added.total;
    }

    fn endpoints() -> Vec<Endpoint> {
        vec![Endpoint {
            verb: Verb::Post,
            path: "/api/counters/{id}",
            type_name: "Add",
            key: KeyFrom::Path,
            summary: "Add to a counter",
            result: Some(Totals::NAME),
        }]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Totals>(visitor);
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    total: i64,
}

pub struct Totals;

impl Projection for Totals {
    const NAME: &'static str = "counters_totals";
    const READS: &'static [&'static str] = &["counters"];
    type Row = Total;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Counters>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Total>, _: &str, _: &Envelope, event: &Event) {
        let Event::Added(added) = event;
        *row = Some(Total { total: added.total });
    }
}

/// Asks until the time is over; answers how long each answer took, in microseconds.
pub async fn call(dispatcher: Dispatcher, caller: usize, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut n = caller;
    while Instant::now() < until {
        let began = Instant::now();
        let (_, done) = dispatcher.ask(command(n), Duration::from_secs(30)).await?;
        anyhow::ensure!(done.is_some_and(|done| done.outcome == Outcome::Handled), "not handled in 30 s");
        latencies.push(u32::try_from(began.elapsed().as_micros())?);
        n += 7919;
    }
    Ok(latencies)
}

pub fn command(n: usize) -> NewCommand {
    NewCommand {
        to: Address::new("counters", key(n)),
        type_name: "Add".to_owned(),
        schema_version: 1,
        body: Command::from(Add { amount: 1 }).encode().unwrap(),
        id: Uuid::now_v7(),
        id_given: false,
        idempotency: None,
        trace: None,
        user: None,
        control: false,
    }
}

pub fn key(n: usize) -> String {
    format!("counter-{}", n % KEYS)
}
