//! Where each saga stands.

use super::{Event, Flow, Sagas as SagaContext};
use crate::domain::context::{Context, Projection, Route, read_as};
use crate::domain::envelope::Envelope;
use crate::domain::message::DecodeError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Running,
    Compensating,
    Completed,
    Failed,
    Stuck,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepStatus {
    pub name: String,
    /// waiting, running, completed, failed, compensated, stuck or skipped
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SagaStatus {
    pub id: String,
    pub flow: String,
    pub status: Status,
    pub steps: Vec<StepStatus>,
    pub plan: Uuid,
    pub shopping_list: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl SagaStatus {
    fn set(&mut self, step: &str, status: &str, error: Option<String>) {
        if let Some(found) = self.steps.iter_mut().find(|known| known.name == step) {
            status.clone_into(&mut found.status);
            found.error = error;
        }
    }

    fn run_next(&mut self) {
        if let Some(next) = self.steps.iter_mut().find(|step| step.status == "waiting") {
            "running".clone_into(&mut next.status);
        }
    }
}

/// Sagas by id.
pub struct Sagas;

impl Projection for Sagas {
    const NAME: &'static str = "sagas_status";
    const READS: &'static [&'static str] = &[SagaContext::NAME];
    type Row = SagaStatus;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<SagaContext>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<SagaStatus>, key: &str, _: &Envelope, event: &Event) {
        if let Event::SagaStarted(started) = event {
            let waiting =
                |name: &String| StepStatus { name: name.clone(), status: "waiting".into(), error: None };
            let Flow::MealPlanGeneration(flow) = &started.flow;
            let mut saga = SagaStatus {
                id: key.to_owned(),
                flow: started.flow.name().to_owned(),
                status: Status::Running,
                steps: started.steps.iter().map(waiting).collect(),
                plan: flow.plan,
                shopping_list: flow.shopping_list,
                error: None,
            };
            saga.run_next();
            *row = Some(saga);
        }
        let Some(saga) = row else { return };
        match event {
            Event::SagaStarted(_) => {}
            Event::StepCompleted(done) => {
                saga.set(&done.step, "completed", None);
                saga.run_next();
            }
            Event::StepFailed(failed) => {
                saga.status = Status::Compensating;
                saga.error = Some(failed.error.clone());
                saga.set(&failed.step, "failed", Some(failed.error.clone()));
            }
            Event::StepCompensated(undone) => saga.set(&undone.step, "compensated", None),
            Event::SagaCompleted(_) => saga.status = Status::Completed,
            Event::SagaFailed(_) => {
                saga.status = Status::Failed;
                for step in saga.steps.iter_mut().filter(|step| step.status == "waiting") {
                    "skipped".clone_into(&mut step.status);
                }
            }
            Event::SagaStuck(stuck) => {
                saga.status = Status::Stuck;
                saga.set(&stuck.step, "stuck", Some(stuck.error.clone()));
            }
        }
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/sagas", summary: "Sagas" },
            Route::Item { path: "/api/sagas/{id}", summary: "Where a saga stands" },
        ]
    }
}
