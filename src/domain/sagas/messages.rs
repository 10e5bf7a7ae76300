//! What is said to a saga and what becomes of it, as stored.

use super::Flow;
pub use super::meal_plan_generation::StartMealPlanGeneration;
use crate::domain::reply::RecordAnswer;
use crate::messages;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares bodies of messages: commands refuse unknown fields.
macro_rules! bodies {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        $(#[$meta])*
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* })*
    };
}

bodies! {
    /// No answer came in time. `answer`: the one that was waited for.
    #[serde(deny_unknown_fields)]
    TimeOutStep { answer: String }
    #[serde(deny_unknown_fields)]
    TimeOutSaga {}
    /// The pause after a failed compensation is over.
    #[serde(deny_unknown_fields)]
    RetryCompensation { step: String, attempt: u32 }
    /// Try again to undo the step that a stuck saga could not undo.
    #[serde(deny_unknown_fields)]
    RetryStep { why: String }
    /// Go on as if the step at hand were done, or, when stuck, as if it were undone.
    #[serde(deny_unknown_fields)]
    SkipStep { why: String }
    /// Go backwards now.
    #[serde(deny_unknown_fields)]
    CompensateSaga { why: String }
    /// Leave everything as it is.
    #[serde(deny_unknown_fields)]
    AbandonSaga { why: String }

    SagaStarted {
        flow: Flow,
        /// Names of the steps, as they are at the start.
        steps: Vec<String>,
        /// Of the flow's definitions the one that this saga follows to its end.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        definition: u32,
    }
    StepCompleted { step: String }
    StepFailed { step: String, error: String }
    /// It did not answer in time, and may yet be done.
    StepTimedOut { step: String }
    /// The answer to a step that the saga had gone on without; `error`: it was not done.
    StepAnsweredLate {
        step: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    }
    StepCompensated { step: String }
    /// It is tried again at the time given.
    CompensationFailed { step: String, attempt: u32, error: String, retry_at: DateTime<Utc> }
    CompensationRetried { step: String, attempt: u32 }
    SagaTimedOut {}
    SagaCompleted {}
    /// Every step that was done is undone.
    SagaFailed { error: String }
    /// A step could not be undone: the operator decides.
    SagaStuck { step: String, error: String }
    /// By an operator, as are the next three.
    StepRetried { step: String, attempt: u32, by: String, why: String }
    StepSkipped { step: String, by: String, why: String }
    CompensationOrdered { by: String, why: String }
    SagaAbandoned { by: String, why: String }
}

fn first() -> u32 {
    1
}

fn is_first(definition: &u32) -> bool {
    *definition == 1
}

/// The first version of a start had the days, the seed and the moves of a plan only.
#[expect(clippy::unnecessary_wraps, reason = "the shape of an upcast")]
fn without_options(start: serde_json::Value) -> Result<serde_json::Value, String> {
    Ok(start)
}

messages! {
    pub enum Command {
        StartMealPlanGeneration = 2 upcasts { 1 => without_options }, RecordAnswer = 1, TimeOutStep = 1, TimeOutSaga = 1, RetryCompensation = 1,
        RetryStep = 1, SkipStep = 1, CompensateSaga = 1, AbandonSaga = 1,
    }
}
messages! {
    pub enum Event {
        SagaStarted = 1, StepCompleted = 1, StepFailed = 1, StepTimedOut = 1, StepAnsweredLate = 1,
        StepCompensated = 1, CompensationFailed = 1, CompensationRetried = 1, SagaTimedOut = 1, SagaCompleted = 1,
        SagaFailed = 1, SagaStuck = 1, StepRetried = 1, StepSkipped = 1, CompensationOrdered = 1, SagaAbandoned = 1,
    }
}
