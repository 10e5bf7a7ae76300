//! Where each saga stands.

use super::{Event, Sagas as SagaContext};
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Running,
    Compensating,
    Completed,
    Failed,
    Stuck,
    Abandoned,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepStatus {
    pub name: String,
    /// `waiting`, `running`, `completed`, `failed`, `unanswered`, `compensating`, `compensated`, `stuck` or `skipped`
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaStatus {
    pub id: String,
    pub flow: String,
    pub definition: u32,
    pub status: Status,
    pub steps: Vec<StepStatus>,
    pub started: DateTime<Utc>,
    /// When something last happened.
    pub changed: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When a failed compensation is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
    /// The last word of an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// Ids of what it makes, by name, such as `plan`.
    #[serde(flatten)]
    pub made: BTreeMap<String, Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Word {
    pub verb: String,
    pub by: String,
    pub why: String,
}

impl SagaStatus {
    fn set(&mut self, step: &str, status: &str, error: Option<&str>) {
        if let Some(found) = self.steps.iter_mut().find(|known| known.name == step) {
            status.clone_into(&mut found.status);
            found.error = error.map(str::to_owned);
        }
    }

    fn set_all(&mut self, from: &str, to: &str) {
        for step in self.steps.iter_mut().filter(|step| step.status == from) {
            to.clone_into(&mut step.status);
        }
    }

    fn run_next(&mut self) {
        if let Some(next) = self.steps.iter_mut().find(|step| step.status == "waiting") {
            "running".clone_into(&mut next.status);
        }
    }

    fn turn_back(&mut self, error: &str) {
        self.status = Status::Compensating;
        self.error = Some(error.to_owned());
        self.set_all("running", "unanswered");
    }

    fn said(&mut self, verb: &str, by: &str, why: &str) {
        self.word = Some(Word { verb: verb.to_owned(), by: by.to_owned(), why: why.to_owned() });
    }

    fn apply(&mut self, event: &Event) {
        self.retry_at = None;
        match event {
            Event::SagaStarted(_) => self.run_next(),
            Event::StepCompleted(done) => {
                self.set(&done.step, "completed", None);
                self.run_next();
            }
            Event::StepFailed(failed) => {
                self.set(&failed.step, "failed", Some(&failed.error));
                self.turn_back(&failed.error);
            }
            Event::StepTimedOut(late) => {
                self.turn_back(&format!("the step {} did not answer in time", late.step));
            }
            Event::SagaTimedOut(_) => self.turn_back("it was not done in time"),
            Event::StepAnsweredLate(late) => {
                let status = if late.error.is_some() { "failed" } else { "completed" };
                self.set(&late.step, status, late.error.as_deref());
                if self.status == Status::Failed && late.error.is_none() {
                    self.status = Status::Compensating;
                }
            }
            Event::StepCompensated(undone) => {
                self.set(&undone.step, "compensated", None);
                self.status = Status::Compensating;
            }
            Event::CompensationFailed(failed) => {
                self.set(&failed.step, "compensating", Some(&failed.error));
                self.retry_at = Some(failed.retry_at);
            }
            Event::CompensationRetried(again) => self.set(&again.step, "compensating", None),
            Event::SagaCompleted(_) => self.status = Status::Completed,
            Event::SagaFailed(_) => {
                self.status = Status::Failed;
                self.set_all("waiting", "skipped");
            }
            Event::SagaStuck(stuck) => {
                self.status = Status::Stuck;
                self.set(&stuck.step, "stuck", Some(&stuck.error));
            }
            Event::StepRetried(again) => {
                self.status = Status::Compensating;
                self.set(&again.step, "compensating", None);
                self.said("retry", &again.by, &again.why);
            }
            Event::StepSkipped(skipped) => {
                self.set(&skipped.step, "skipped", None);
                match self.status {
                    Status::Running => self.run_next(),
                    Status::Compensating
                    | Status::Completed
                    | Status::Failed
                    | Status::Stuck
                    | Status::Abandoned => self.status = Status::Compensating,
                }
                self.said("skip", &skipped.by, &skipped.why);
            }
            Event::CompensationOrdered(ordered) => {
                self.turn_back(&ordered.why);
                self.said("compensate", &ordered.by, &ordered.why);
            }
            Event::SagaAbandoned(abandoned) => {
                self.status = Status::Abandoned;
                self.said("abandon", &abandoned.by, &abandoned.why);
            }
        }
    }
}

/// Sagas by id.
pub struct Sagas;

impl Projection for Sagas {
    const NAME: &'static str = "sagas_status";
    const VERSION: u32 = 2;
    const READS: &'static [&'static str] = &[SagaContext::NAME];
    type Row = SagaStatus;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<SagaContext>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<SagaStatus>, key: &str, envelope: &Envelope, event: &Event) {
        if let Event::SagaStarted(started) = event {
            let waiting =
                |name: &String| StepStatus { name: name.clone(), status: "waiting".into(), error: None };
            let made = started.flow.made().into_iter();
            *row = Some(SagaStatus {
                id: key.to_owned(),
                flow: started.flow.name().to_owned(),
                definition: started.definition,
                status: Status::Running,
                steps: started.steps.iter().map(waiting).collect(),
                started: envelope.time,
                changed: envelope.time,
                error: None,
                retry_at: None,
                word: None,
                made: made.map(|(name, id)| (name.to_owned(), id)).collect(),
            });
        }
        if let Some(saga) = row {
            saga.changed = envelope.time;
            saga.apply(event);
        }
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/sagas", summary: "Sagas" },
            Route::Item { path: "/api/sagas/{id}", summary: "Where a saga stands" },
            Route::List { path: "/admin/sagas", summary: "Sagas, for the operator" },
        ]
    }

    fn is_final(row: &SagaStatus) -> bool {
        match row.status {
            Status::Running | Status::Compensating => false,
            Status::Completed | Status::Failed | Status::Stuck | Status::Abandoned => true,
        }
    }

    fn sort(row: &SagaStatus) -> String {
        // The newest first.
        format!("{:020}", i64::MAX - row.started.timestamp_micros())
    }

    fn search(row: &SagaStatus) -> String {
        format!("{} {}", row.flow, serde_json::json!(row.status).as_str().unwrap_or_default())
    }
}
