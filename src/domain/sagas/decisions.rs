//! What an answer, a time-out or an operator's word leads to, as one match over where the step stands.

use super::messages::{
    AbandonSaga, Command, CompensateSaga, CompensationFailed, CompensationOrdered, CompensationRetried,
    Event, RetryCompensation, RetryStep, SagaAbandoned, SagaCompleted, SagaFailed, SagaStuck, SagaTimedOut,
    SkipStep, StepAnsweredLate, StepCompensated, StepCompleted, StepFailed, StepRetried, StepSkipped,
    StepTimedOut, TimeOutStep,
};
use super::state::{At, Stage, State};
use super::{Asked, start};
use crate::domain::context::Rejection;
use crate::domain::envelope::Metadata;
use crate::domain::reply::{Ending, RecordAnswer};
use chrono::TimeDelta;

/// Seconds before a failed compensation is tried again; after the last one the saga is stuck.
const PAUSES_S: [i64; 4] = [5, 30, 180, 900];

pub(super) fn decide(state: &State, command: &Command, metadata: &Metadata) -> Result<Vec<Event>, Rejection> {
    let events = match command {
        Command::StartMealPlanGeneration(_) if state.flow.is_some() => {
            return Err(Rejection::conflict("this saga has started already", "start a new one"));
        }
        Command::StartMealPlanGeneration(given) => {
            given.check_start(metadata)?;
            vec![start(given.flow(metadata).into())?.into()]
        }
        Command::RecordAnswer(answer) => answered(state, answer, metadata),
        Command::TimeOutStep(TimeOutStep { answer }) => timed_out(state, answer, metadata),
        Command::TimeOutSaga(_) if state.stage == Stage::Forward => vec![SagaTimedOut {}.into()],
        Command::TimeOutSaga(_) => Vec::new(),
        Command::RetryCompensation(RetryCompensation { step, attempt }) => match state.find(step) {
            Some(At::Pausing { attempt: last, .. }) if last == *attempt => {
                vec![CompensationRetried { step: step.clone(), attempt: attempt + 1 }.into()]
            }
            _ => Vec::new(),
        },
        Command::RetryStep(_)
        | Command::SkipStep(_)
        | Command::CompensateSaga(_)
        | Command::AbandonSaga(_) => {
            vec![ordered(state, command, metadata)?]
        }
    };
    Ok(settled(state, events))
}

/// With what follows at once: the end of the saga, and steps that need nothing to be undone.
fn settled(state: &State, mut events: Vec<Event>) -> Vec<Event> {
    if events.is_empty() {
        return events;
    }
    let mut after = state.clone();
    events.iter().for_each(|event| after.apply(event));
    // Of a definition that this program does not know, sending the next command fails, and says so.
    let definitions = after.definitions().unwrap_or_default();
    while let Some(event) =
        follows(&after, |n| definitions.get(n).is_some_and(|step| step.compensation.is_none()))
    {
        after.apply(&event);
        events.push(event);
    }
    events
}

fn follows(state: &State, needs_no_undoing: impl Fn(usize) -> bool) -> Option<Event> {
    match (&state.stage, state.current(), state.turn) {
        (Stage::Forward, None, _) => Some(SagaCompleted {}.into()),
        (Stage::Backward { cause }, None, _) => Some(SagaFailed { error: cause.clone() }.into()),
        (Stage::Backward { .. }, Some(step), Some(n)) if needs_no_undoing(n) => {
            Some(StepCompensated { step: step.name.clone() }.into())
        }
        _ => None,
    }
}

fn answered(state: &State, answer: &RecordAnswer, metadata: &Metadata) -> Vec<Event> {
    let error = match &answer.ending {
        Ending::Handled => None,
        Ending::Rejected { rejection } => Some(rejection.to_string()),
        Ending::Dead { reason } => Some(reason.clone()),
    };
    let asked = Asked::of(&answer.step);
    let step = asked.step.to_owned();
    match (state.find(&step), asked.compensation, error) {
        (Some(At::Asked), None, None) => vec![StepCompleted { step }.into()],
        (Some(At::Asked), None, Some(error)) => vec![StepFailed { step, error }.into()],
        (Some(At::Unanswered), None, error) => vec![StepAnsweredLate { step, error }.into()],
        (Some(At::Undoing { .. } | At::Pausing { .. } | At::Stuck { .. }), Some(_), None) => {
            vec![StepCompensated { step }.into()]
        }
        (Some(At::Undoing { attempt, tries }), Some(answered), Some(error)) if answered == attempt => {
            vec![not_undone(step, attempt, tries, error, metadata)]
        }
        // A repeat, or of an attempt that another one has overtaken.
        _ => Vec::new(),
    }
}

fn timed_out(state: &State, answer: &str, metadata: &Metadata) -> Vec<Event> {
    let asked = Asked::of(answer);
    let step = asked.step.to_owned();
    match (state.find(&step), asked.compensation) {
        (Some(At::Asked), None) => vec![StepTimedOut { step }.into()],
        (Some(At::Undoing { attempt, tries }), Some(awaited)) if awaited == attempt => {
            vec![not_undone(step, attempt, tries, "it did not answer in time".to_owned(), metadata)]
        }
        _ => Vec::new(),
    }
}

fn not_undone(step: String, attempt: u32, tries: u32, error: String, metadata: &Metadata) -> Event {
    match PAUSES_S.get(tries.saturating_sub(1) as usize) {
        Some(pause_s) => {
            let retry_at = metadata.time + TimeDelta::seconds(*pause_s);
            CompensationFailed { step, attempt, error, retry_at }.into()
        }
        None => SagaStuck { step, error }.into(),
    }
}

/// The operator's verbs.
fn ordered(state: &State, command: &Command, metadata: &Metadata) -> Result<Event, Rejection> {
    let by = metadata.user.clone().unwrap_or_else(|| "operator".to_owned());
    let current = state.current().map(|step| (step.name.clone(), step.at));
    match (command, &state.stage, current) {
        (_, Stage::None, _) => {
            let hint = "GET /admin/sagas lists them";
            Err(Rejection::not_found(format!("there is no saga {}", metadata.key), hint))
        }
        (
            Command::RetryStep(RetryStep { why }),
            _,
            Some((step, At::Stuck { attempt } | At::Pausing { attempt, .. })),
        ) => Ok(StepRetried { step, attempt: attempt + 1, by, why: why.clone() }.into()),
        (
            Command::SkipStep(SkipStep { why }),
            Stage::Forward | Stage::Backward { .. } | Stage::Stuck { .. },
            Some((step, _)),
        ) => Ok(StepSkipped { step, by, why: why.clone() }.into()),
        (Command::CompensateSaga(CompensateSaga { why }), Stage::Forward, _) => {
            Ok(CompensationOrdered { by, why: why.clone() }.into())
        }
        (
            Command::AbandonSaga(AbandonSaga { why }),
            Stage::Forward | Stage::Backward { .. } | Stage::Stuck { .. },
            _,
        ) => Ok(SagaAbandoned { by, why: why.clone() }.into()),
        (_, stage, _) => Err(Rejection::conflict(format!("the saga {}", told(stage)), hint(stage))),
    }
}

fn told(stage: &Stage) -> &'static str {
    match stage {
        Stage::None => "has not begun",
        Stage::Forward => "is running, and waits for the answer to its step",
        Stage::Backward { .. } => "is going backwards already",
        Stage::Stuck { .. } => "is stuck on its way back",
        Stage::Completed => "is completed",
        Stage::Failed { .. } => "has failed, and what was done is undone",
        Stage::Abandoned => "was abandoned",
    }
}

fn hint(stage: &Stage) -> &'static str {
    match stage {
        Stage::None | Stage::Completed | Stage::Failed { .. } | Stage::Abandoned => "start a new one",
        Stage::Forward => "it can be skipped, compensated or abandoned",
        Stage::Backward { .. } => "the step at hand can be skipped, the saga abandoned",
        Stage::Stuck { .. } => "the step can be retried or skipped, the saga abandoned",
    }
}
