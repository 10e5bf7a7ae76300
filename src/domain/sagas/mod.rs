//! Sagas: work over several contexts, step by step, undone in reverse when a step fails.
//!
//! Not known here: how a step does its work. A step is a command to another context; its answer comes back as a
//! message. A flow is one file: its input, its steps, what undoes them.

mod meal_plan_generation;
mod view;

pub use meal_plan_generation::{MealPlanGeneration, StartMealPlanGeneration};
pub use view::{SagaStatus, Sagas as SagasView, Status, StepStatus};

use super::context::{Context, Endpoint, KeyFrom, Outgoing, Projection, ProjectionVisitor, Rejection, Verb};
use super::envelope::Metadata;
use super::erased;
use super::message::DecodeError;
use super::reply::{Ending, RecordAnswer};
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A running flow with its input; pinned at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "flow", rename_all = "snake_case")]
pub enum Flow {
    MealPlanGeneration(MealPlanGeneration),
}

/// One step: a command, and the command that undoes it.
pub(super) struct Step {
    pub name: &'static str,
    pub command: Outgoing,
    pub compensation: Option<Outgoing>,
}

impl Flow {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MealPlanGeneration(_) => meal_plan_generation::NAME,
        }
    }

    fn steps(&self) -> Result<Vec<Step>, DecodeError> {
        match self {
            Self::MealPlanGeneration(flow) => flow.steps(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaStarted {
    pub flow: Flow,
    /// Names of the steps, as they are at the start.
    pub steps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepCompleted {
    pub step: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepFailed {
    pub step: String,
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepCompensated {
    pub step: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaCompleted {}

/// Every step that was done is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaFailed {
    pub error: String,
}

/// A step could not be undone: the operator decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaStuck {
    pub step: String,
    pub error: String,
}

messages! { pub enum Command { StartMealPlanGeneration = 1, RecordAnswer = 1 } }
messages! {
    pub enum Event {
        SagaStarted = 1, StepCompleted = 1, StepFailed = 1, StepCompensated = 1, SagaCompleted = 1,
        SagaFailed = 1, SagaStuck = 1,
    }
}

/// One saga.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    flow: Option<Flow>,
    steps: Vec<String>,
    /// How many of the steps are done and not undone.
    done: usize,
    /// Why it goes backwards, once it does.
    error: Option<String>,
    ended: bool,
}

/// Goes before a step's name in the answer to its compensation.
const UNDO: &str = "undo:";

pub struct Sagas;

impl Context for Sagas {
    const NAME: &'static str = "sagas";
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
        match command {
            Command::StartMealPlanGeneration(_) if state.flow.is_some() => {
                Err(Rejection::conflict("this saga has started already", "start a new one"))
            }
            Command::StartMealPlanGeneration(start) => {
                start.check_start(metadata)?;
                let flow = Flow::MealPlanGeneration(start.flow(metadata));
                let steps = flow.steps()?.iter().map(|step| step.name.to_owned()).collect();
                Ok(vec![SagaStarted { flow, steps }.into()])
            }
            Command::RecordAnswer(answer) => Ok(answered(state, answer)),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::SagaStarted(started) => {
                state.flow = Some(started.flow.clone());
                state.steps.clone_from(&started.steps);
            }
            Event::StepCompleted(_) => state.done += 1,
            Event::StepFailed(failed) => state.error = Some(failed.error.clone()),
            Event::StepCompensated(_) => state.done = state.done.saturating_sub(1),
            Event::SagaCompleted(_) | Event::SagaFailed(_) | Event::SagaStuck(_) => state.ended = true,
        }
    }

    fn sends(state: &State, event: &Event, _: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let Some(flow) = &state.flow else { return Ok(Vec::new()) };
        let mut steps = flow.steps()?;
        match event {
            Event::SagaStarted(_) | Event::StepCompleted(_) if state.done < steps.len() => {
                let step = steps.swap_remove(state.done);
                Ok(vec![step.command.replying(step.name)])
            }
            Event::StepFailed(_) | Event::StepCompensated(_) if state.done > 0 => {
                let step = steps.swap_remove((state.done - 1).min(steps.len() - 1));
                let name = format!("{UNDO}{}", step.name);
                Ok(step.compensation.into_iter().map(|command| command.replying(name.clone())).collect())
            }
            Event::SagaStarted(_)
            | Event::StepCompleted(_)
            | Event::StepFailed(_)
            | Event::StepCompensated(_)
            | Event::SagaCompleted(_)
            | Event::SagaFailed(_)
            | Event::SagaStuck(_) => Ok(Vec::new()),
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::StartMealPlanGeneration(start) => start.check(),
            Command::RecordAnswer(_) => Ok(()),
        }
    }

    fn endpoints() -> Vec<Endpoint> {
        vec![Endpoint {
            verb: Verb::Post,
            path: "/api/triggers/meal_plan_generation",
            type_name: "StartMealPlanGeneration",
            key: KeyFrom::New,
            summary: "Plan a week and write its shopping list",
            result: Some(SagasView::NAME),
        }]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<SagasView>(visitor);
    }
}

/// What an answer leads to. Answers to steps that are not awaited change nothing.
fn answered(state: &State, answer: &RecordAnswer) -> Vec<Event> {
    if state.ended {
        return Vec::new();
    }
    let error = match &answer.ending {
        Ending::Handled => None,
        Ending::Rejected { rejection } => Some(rejection.to_string()),
        Ending::Dead { reason } => Some(reason.clone()),
    };
    match (answer.step.strip_prefix(UNDO), &state.error) {
        (None, None) if state.steps.get(state.done) == Some(&answer.step) => {
            forward(state, &answer.step, error)
        }
        (Some(step), Some(cause))
            if state.done > 0 && state.steps.get(state.done - 1).is_some_and(|s| s == step) =>
        {
            backward(state, step, error, cause)
        }
        (None | Some(_), _) => Vec::new(),
    }
}

fn forward(state: &State, step: &str, error: Option<String>) -> Vec<Event> {
    let step = step.to_owned();
    match error {
        None if state.done + 1 == state.steps.len() => {
            vec![StepCompleted { step }.into(), SagaCompleted {}.into()]
        }
        None => vec![StepCompleted { step }.into()],
        Some(error) if state.done == 0 => {
            vec![StepFailed { step, error: error.clone() }.into(), SagaFailed { error }.into()]
        }
        Some(error) => vec![StepFailed { step, error }.into()],
    }
}

fn backward(state: &State, step: &str, error: Option<String>, cause: &str) -> Vec<Event> {
    let step = step.to_owned();
    match error {
        Some(error) => vec![SagaStuck { step, error }.into()],
        None if state.done == 1 => {
            vec![StepCompensated { step }.into(), SagaFailed { error: cause.to_owned() }.into()]
        }
        None => vec![StepCompensated { step }.into()],
    }
}

#[cfg(test)]
mod tests;
