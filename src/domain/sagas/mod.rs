//! Sagas: work over several contexts, step by step, undone in reverse when a step fails.
//!
//! Not known here: how a step does its work. A step is a command to another context; its answer comes back as a
//! message, or a timer says that none did. A flow is one file: its input, its steps, what undoes them, how long they
//! may take. Invariants: a saga follows the definition it was started with to its end; what a step has made is undone
//! also when its answer comes after the saga has ended; a step that cannot be undone leaves the saga stuck, in sight
//! of the operator.

mod decisions;
mod meal_plan_generation;
mod messages;
mod state;
mod view;

pub use meal_plan_generation::MealPlanGeneration;
pub use messages::*;
pub use state::State;
pub use view::{SagaStatus, Sagas as SagasView, Status, StepStatus};

use super::context::{Context, Endpoint, KeyFrom, Outgoing, Projection, ProjectionVisitor, Rejection, Verb};
use super::envelope::Metadata;
use super::erased;
use super::message::{DecodeError, Message as _};
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use state::{At, Stage};
use uuid::Uuid;

/// The flows that can be triggered, by name.
pub const FLOWS: &[&str] = &[meal_plan_generation::NAME];

/// The command that starts a flow.
///
/// # Errors
/// When there is no such flow, or the input does not fit it.
pub fn trigger(flow: &str, input: &Map<String, Value>) -> Result<Command, DecodeError> {
    let type_name = match flow {
        meal_plan_generation::NAME => "StartMealPlanGeneration",
        _ => return Err(DecodeError::UnknownType { type_name: flow.to_owned() }),
    };
    let known = Command::TYPES.iter().find(|(name, _)| *name == type_name);
    let version = known.map_or(1, |(_, version)| *version);
    Command::decode(type_name, version, &super::message::to_text(type_name, input)?)
}

/// A running flow with its input; pinned at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "flow", rename_all = "snake_case")]
pub enum Flow {
    MealPlanGeneration(MealPlanGeneration),
}

/// What a flow is made of.
pub(super) trait Definition {
    const NAME: &'static str;
    /// Raised when steps change; the older ones stay, for sagas that follow them.
    const DEFINITION: u32;
    /// How long all steps together may take.
    const PATIENCE: TimeDelta;

    /// # Errors
    /// When this program does not know the definition.
    fn steps(&self, definition: u32) -> Result<Vec<Step>, DecodeError>;

    /// What it makes, by the names that its row is shown with.
    fn made(&self) -> Vec<(&'static str, Uuid)>;
}

/// One step: a command, and the command that undoes it. Either may be delivered twice.
pub(super) struct Step {
    pub name: &'static str,
    pub command: Outgoing,
    pub compensation: Option<Outgoing>,
    /// How long the answer to either may take.
    pub patience: TimeDelta,
}

impl From<MealPlanGeneration> for Flow {
    fn from(flow: MealPlanGeneration) -> Self {
        Self::MealPlanGeneration(flow)
    }
}

impl Flow {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MealPlanGeneration(_) => MealPlanGeneration::NAME,
        }
    }

    fn definition(&self) -> u32 {
        match self {
            Self::MealPlanGeneration(_) => MealPlanGeneration::DEFINITION,
        }
    }

    fn patience(&self) -> TimeDelta {
        match self {
            Self::MealPlanGeneration(_) => MealPlanGeneration::PATIENCE,
        }
    }

    fn steps(&self, definition: u32) -> Result<Vec<Step>, DecodeError> {
        match self {
            Self::MealPlanGeneration(flow) => flow.steps(definition),
        }
    }

    fn made(&self) -> Vec<(&'static str, Uuid)> {
        match self {
            Self::MealPlanGeneration(flow) => flow.made(),
        }
    }
}

fn start(flow: Flow) -> Result<SagaStarted, DecodeError> {
    let definition = flow.definition();
    let steps = flow.steps(definition)?.iter().map(|step| step.name.to_owned()).collect();
    Ok(SagaStarted { flow, steps, definition })
}

/// Goes before a step's name in the answer to its compensation.
const UNDO: &str = "undo:";

/// What an answer is an answer to.
struct Asked<'a> {
    step: &'a str,
    /// Which attempt at its compensation, if it is one.
    compensation: Option<u32>,
}

impl<'a> Asked<'a> {
    fn of(answer: &'a str) -> Self {
        let Some(undone) = answer.strip_prefix(UNDO) else {
            return Self { step: answer, compensation: None };
        };
        let (step, attempt) = undone.split_once('#').unwrap_or((undone, "1"));
        Self { step, compensation: Some(attempt.parse().unwrap_or(1)) }
    }

    fn undoing(step: &str, attempt: u32) -> String {
        match attempt {
            1 => format!("{UNDO}{step}"),
            _ => format!("{UNDO}{step}#{attempt}"),
        }
    }
}

/// Timers of a saga: of the answer that is waited for or the pause before the next attempt, and of the whole.
const STEP: &str = "step";
const SAGA: &str = "saga";

pub struct Sagas;

impl Context for Sagas {
    const NAME: &'static str = "sagas";
    const STATE_VERSION: u32 = 2;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(
        state: &State,
        command: &Command,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        decisions::decide(state, command, metadata)
    }

    fn evolve(state: &mut State, event: &Event) {
        state.apply(event);
    }

    fn sends(state: &State, event: &Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let mut sends = turn(state, metadata)?;
        let timer = |command: Command, due, name| {
            Ok::<_, DecodeError>(Outgoing::new::<Self>(metadata.key.clone(), &command)?.at(due, name))
        };
        match event {
            Event::SagaStarted(started) => {
                sends.push(timer(TimeOutSaga {}.into(), metadata.time + started.flow.patience(), SAGA)?);
            }
            Event::CompensationFailed(failed) => {
                let retry = RetryCompensation { step: failed.step.clone(), attempt: failed.attempt };
                sends.push(timer(retry.into(), failed.retry_at, STEP)?);
            }
            Event::SagaStuck(_) => sends.push(Outgoing::cancelled(STEP)),
            Event::SagaCompleted(_) | Event::SagaFailed(_) | Event::SagaAbandoned(_) => {
                sends.extend([Outgoing::cancelled(STEP), Outgoing::cancelled(SAGA)]);
            }
            Event::StepCompleted(_)
            | Event::StepFailed(_)
            | Event::StepTimedOut(_)
            | Event::StepAnsweredLate(_)
            | Event::StepCompensated(_)
            | Event::CompensationRetried(_)
            | Event::SagaTimedOut(_)
            | Event::StepRetried(_)
            | Event::StepSkipped(_)
            | Event::CompensationOrdered(_) => {}
        }
        Ok(sends)
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::StartMealPlanGeneration(start) => start.check(),
            Command::RetryStep(RetryStep { why })
            | Command::SkipStep(SkipStep { why })
            | Command::CompensateSaga(CompensateSaga { why })
            | Command::AbandonSaga(AbandonSaga { why }) => check_why(why),
            Command::RecordAnswer(_)
            | Command::TimeOutStep(_)
            | Command::TimeOutSaga(_)
            | Command::RetryCompensation(_) => Ok(()),
        }
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |path, type_name, key, summary| Endpoint {
            verb: Verb::Post,
            path,
            type_name,
            key,
            summary,
            result: Some(SagasView::NAME),
        };
        let of = |path, type_name, summary| endpoint(path, type_name, KeyFrom::Path, summary);
        vec![
            endpoint(
                "/api/triggers/meal_plan_generation",
                "StartMealPlanGeneration",
                KeyFrom::New,
                "Plan a week and write its shopping list; a wait lasts until it is done",
            ),
            of("/admin/sagas/{id}/retry", "RetryStep", "Try again to undo the step that could not be undone"),
            of("/admin/sagas/{id}/skip", "SkipStep", "Go on without the step at hand"),
            of("/admin/sagas/{id}/compensate", "CompensateSaga", "Undo what was done so far"),
            of("/admin/sagas/{id}/abandon", "AbandonSaga", "Leave everything as it is"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<SagasView>(visitor);
    }
}

/// The command of the step whose turn it is, or its compensation, with the timer of its answer.
fn turn(state: &State, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
    let Some((n, step)) = state.turn.and_then(|n| Some((n, state.steps.get(n)?))) else {
        return Ok(Vec::new());
    };
    let mut definitions = state.definitions()?;
    if n >= definitions.len() || state.stage == Stage::None {
        return Ok(Vec::new());
    }
    let definition = definitions.swap_remove(n);
    let (command, answer) = match step.at {
        At::Asked => (Some(definition.command), step.name.clone()),
        At::Undoing { attempt, .. } => (definition.compensation, Asked::undoing(&step.name, attempt)),
        At::Waiting
        | At::Done
        | At::Failed
        | At::Unanswered
        | At::Pausing { .. }
        | At::Stuck { .. }
        | At::Undone
        | At::Kept => (None, String::new()),
    };
    let Some(command) = command else { return Ok(Vec::new()) };
    let time_out = Command::from(TimeOutStep { answer: answer.clone() });
    let due = metadata.time + definition.patience;
    Ok(vec![command.replying(answer), Outgoing::new::<Sagas>(metadata.key.clone(), &time_out)?.at(due, STEP)])
}

fn check_why(why: &str) -> Result<(), Rejection> {
    match why.trim().chars().count() {
        1..=500 => Ok(()),
        _ => Err(Rejection::invalid("/why", "nobody will know why", "write 1 to 500 characters")),
    }
}

#[cfg(test)]
mod tests;
