//! Contexts without meaning, each there to show one thing that the runtime promises.

use meal_planner::domain::context::{
    AfterDead, Context, Need, Outgoing, Projection, ProjectionVisitor, Rejection, Rows, read_as,
};
use meal_planner::domain::envelope::{Envelope, Metadata};
use meal_planner::domain::erased;
use meal_planner::domain::message::DecodeError;
use meal_planner::domain::reply::{Ending, RecordAnswer};
use meal_planner::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{LazyLock, Mutex};
use uuid::Uuid;

/// How often each message was decided; keyed by message id, so that tests do not meet in it.
static DECIDED: LazyLock<Mutex<HashMap<Uuid, u32>>> = LazyLock::new(Mutex::default);

/// What the pure parts of these contexts are asked to do.
pub enum Moment<'a> {
    /// With the state that the ledger decides on.
    Decides {
        id: Uuid,
        book: Option<&'a Book>,
    },
    Folds {
        position: i64,
    },
    Reacts {
        position: i64,
    },
}

type Observer = Rc<dyn Fn(&Moment)>;

thread_local! {
    static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
}

/// Has all that these contexts do on this thread seen by somebody, who may panic in their place.
pub fn observe(observer: Option<Observer>) {
    OBSERVER.set(observer);
}

fn observed(moment: &Moment) {
    let observer = OBSERVER.with_borrow(Clone::clone);
    if let Some(observer) = observer {
        observer(moment);
    }
}

fn decided(id: Uuid) -> u32 {
    let mut counts = DECIDED.lock().unwrap();
    let count = counts.entry(id).or_default();
    *count += 1;
    *count
}

/// How often a message has come before the decider.
pub fn times_decided(id: Uuid) -> u32 {
    DECIDED.lock().unwrap().get(&id).copied().unwrap_or(0)
}

macro_rules! body {
    ($($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $(pub $field: $type),* })*
    };
}

body! {
    Append { number: i64 }
    Refuse { why: String }
    Explode { times: u32, number: i64 }
    /// Appends here, and gives another ledger the same number.
    Forward { number: i64, to: String, ask: bool }
    Appended { number: i64 }
    Forwarded { number: i64, to: String, ask: bool }
    Answered { step: String, how: String, caused: u64 }
}

messages! { pub enum LedgerCommand { Append = 1, Refuse = 1, Explode = 1, Forward = 1, RecordAnswer = 1 } }
messages! { pub enum LedgerEvent { Appended = 1, Forwarded = 1, Answered = 1 } }

/// Appends numbers to a key.
pub struct Ledger;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub numbers: Vec<i64>,
    pub answers: Vec<String>,
}

impl Context for Ledger {
    const NAME: &'static str = "ledger";
    type State = Book;
    type Command = LedgerCommand;
    type Event = LedgerEvent;
    type Facts = ();

    fn decide(
        book: &Book,
        command: &LedgerCommand,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<LedgerEvent>, Rejection> {
        observed(&Moment::Decides { id: metadata.id, book: Some(book) });
        let times = decided(metadata.id);
        match command {
            LedgerCommand::Append(append) => Ok(vec![Appended { number: append.number }.into()]),
            LedgerCommand::Refuse(refuse) => Err(Rejection::conflict(&*refuse.why, "ask for something else")),
            LedgerCommand::Explode(explode) => {
                assert!(times > explode.times, "boom {times}");
                Ok(vec![Appended { number: explode.number }.into()])
            }
            LedgerCommand::Forward(forward) => {
                let Forward { number, to, ask } = forward.clone();
                Ok(vec![Forwarded { number, to, ask }.into()])
            }
            LedgerCommand::RecordAnswer(answer) => {
                let how = match &answer.ending {
                    Ending::Handled => "handled".to_owned(),
                    Ending::Rejected { rejection } => format!("rejected: {}", rejection.message),
                    Ending::Dead { reason } => format!("dead: {reason}"),
                };
                let caused = answer.events.len() as u64;
                Ok(vec![Answered { step: answer.step.clone(), how, caused }.into()])
            }
        }
    }

    fn evolve(state: &mut Book, event: &LedgerEvent) {
        match event {
            LedgerEvent::Appended(appended) => state.numbers.push(appended.number),
            LedgerEvent::Forwarded(forwarded) => state.numbers.push(forwarded.number),
            LedgerEvent::Answered(answered) => state.answers.push(answered.how.clone()),
        }
    }

    fn sends(_: &Book, event: &LedgerEvent, _: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let LedgerEvent::Forwarded(Forwarded { number, to, ask }) = event else { return Ok(Vec::new()) };
        let outgoing = Outgoing::new::<Self>(to, &Append { number: *number }.into())?;
        Ok(vec![if *ask { outgoing.replying("forwarding") } else { outgoing }])
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Sums>(visitor);
    }
}

/// Counts every event it is shown: an event folded twice or not at all shows.
pub struct Sums;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sum {
    pub sum: i64,
    pub events: u64,
    pub last_version: i64,
}

impl Projection for Sums {
    const NAME: &'static str = "ledger_sums";
    const READS: &'static [&'static str] = &["ledger"];
    type Row = Sum;
    type Event = LedgerEvent;

    fn read(envelope: &Envelope) -> Result<Option<LedgerEvent>, DecodeError> {
        read_as::<Ledger>(envelope)
    }

    fn keys(envelope: &Envelope, _: &LedgerEvent) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<Sum>, _: &str, envelope: &Envelope, event: &LedgerEvent) {
        observed(&Moment::Folds { position: envelope.position });
        let row = row.get_or_insert_default();
        row.sum += match event {
            LedgerEvent::Appended(appended) => appended.number,
            LedgerEvent::Forwarded(forwarded) => forwarded.number,
            LedgerEvent::Answered(_) => 0,
        };
        row.events += 1;
        row.last_version = envelope.stream_version.unwrap_or(0);
    }
}

body! {
    Note { number: i64, of: Uuid }
    Noted { number: i64, of: Uuid }
}

messages! { pub enum MirrorCommand { Note = 1 } }
messages! { pub enum MirrorEvent { Noted = 1 } }

/// Answers each number in a ledger with a note under the same key.
pub struct Mirror;

impl Context for Mirror {
    const NAME: &'static str = "mirror";
    const REACTS_TO: &'static [&'static str] = &["ledger"];
    type State = u64;
    type Command = MirrorCommand;
    type Event = MirrorEvent;
    type Facts = ();

    fn decide(
        _: &u64,
        command: &MirrorCommand,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<MirrorEvent>, Rejection> {
        observed(&Moment::Decides { id: metadata.id, book: None });
        let MirrorCommand::Note(note) = command;
        Ok(vec![Noted { number: note.number, of: note.of }.into()])
    }

    fn evolve(state: &mut u64, _: &MirrorEvent) {
        *state += 1;
    }

    fn reaction(envelope: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        observed(&Moment::Reacts { position: envelope.position });
        let Some(LedgerEvent::Appended(appended)) = read_as::<Ledger>(envelope)? else {
            return Ok(Vec::new());
        };
        let note = Note { number: appended.number, of: envelope.id };
        Ok(vec![Outgoing::new::<Self>(envelope.key.as_str(), &note.into())?])
    }
}

body! {
    /// Decided with the sums of these ledgers.
    Weigh { ledgers: Vec<String>, number: i64 }
    Jot { number: i64 }
    Weighed { total: i64, number: i64 }
    Jotted { number: i64 }
}

messages! { pub enum ScaleCommand { Weigh = 1, Jot = 1 } }
messages! { pub enum ScaleEvent { Weighed = 1, Jotted = 1 } }

/// Decides some commands on facts.
pub struct Scale;

#[derive(Default)]
pub struct Weights(i64);

impl Context for Scale {
    const NAME: &'static str = "scale";
    type State = Vec<i64>;
    type Command = ScaleCommand;
    type Event = ScaleEvent;
    type Facts = Weights;

    fn decide(
        _: &Vec<i64>,
        command: &ScaleCommand,
        facts: &Weights,
        metadata: &Metadata,
    ) -> Result<Vec<ScaleEvent>, Rejection> {
        observed(&Moment::Decides { id: metadata.id, book: None });
        decided(metadata.id);
        Ok(vec![match command {
            ScaleCommand::Weigh(weigh) => Weighed { total: facts.0, number: weigh.number }.into(),
            ScaleCommand::Jot(jot) => Jotted { number: jot.number }.into(),
        }])
    }

    fn evolve(state: &mut Vec<i64>, event: &ScaleEvent) {
        state.push(match event {
            ScaleEvent::Weighed(weighed) => weighed.number,
            ScaleEvent::Jotted(jotted) => jotted.number,
        });
    }

    fn needs(command: &ScaleCommand) -> Vec<Need> {
        match command {
            ScaleCommand::Weigh(weigh) => vec![Need::rows::<Sums>(weigh.ledgers.clone())],
            ScaleCommand::Jot(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Weights, DecodeError> {
        Ok(Weights(rows.of::<Sums>()?.iter().map(|row| row.sum).sum()))
    }
}

/// A ledger whose keys stop at a dead letter until somebody has settled it.
pub struct Vault;

impl Context for Vault {
    const NAME: &'static str = "vault";
    const AFTER_DEAD: AfterDead = AfterDead::Hold;
    type State = Book;
    type Command = LedgerCommand;
    type Event = LedgerEvent;
    type Facts = ();

    fn decide(
        state: &Book,
        command: &LedgerCommand,
        facts: &(),
        metadata: &Metadata,
    ) -> Result<Vec<LedgerEvent>, Rejection> {
        Ledger::decide(state, command, facts, metadata)
    }

    fn evolve(state: &mut Book, event: &LedgerEvent) {
        Ledger::evolve(state, event);
    }
}
