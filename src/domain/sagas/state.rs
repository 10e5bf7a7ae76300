//! The fold: where each step stands, and which one an event gives the turn to.

use super::messages::Event;
use super::{Flow, Step};
use crate::domain::message::DecodeError;
use serde::{Deserialize, Serialize};

/// One saga.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(super) flow: Option<Flow>,
    pub(super) definition: u32,
    pub(super) steps: Vec<StepState>,
    pub(super) stage: Stage,
    /// The step whose command, or compensation, leaves with the newest event.
    pub(super) turn: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    #[default]
    None,
    Forward,
    Backward {
        cause: String,
    },
    Stuck {
        cause: String,
    },
    Completed,
    Failed {
        cause: String,
    },
    Abandoned,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepState {
    pub name: String,
    pub at: At,
}

/// Where a step stands. `attempt` numbers the compensations sent, `tries` those since somebody looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum At {
    Waiting,
    Asked,
    Done,
    Failed,
    /// The saga went on without its answer: it may yet turn out done.
    Unanswered,
    Undoing {
        attempt: u32,
        tries: u32,
    },
    /// Until its compensation is tried again.
    Pausing {
        attempt: u32,
        tries: u32,
    },
    Stuck {
        attempt: u32,
    },
    Undone,
    /// Done, and left so by the operator.
    Kept,
}

impl State {
    pub(super) fn definitions(&self) -> Result<Vec<Step>, DecodeError> {
        self.flow.as_ref().map_or_else(|| Ok(Vec::new()), |flow| flow.steps(self.definition))
    }

    pub(super) fn find(&self, step: &str) -> Option<At> {
        self.steps.iter().find(|known| known.name == step).map(|known| known.at)
    }

    /// The step that is waited for, forwards or backwards.
    pub(super) fn current(&self) -> Option<&StepState> {
        let is_current = |step: &&StepState| match step.at {
            At::Asked | At::Undoing { .. } | At::Pausing { .. } | At::Stuck { .. } => true,
            At::Waiting | At::Done | At::Failed | At::Unanswered | At::Undone | At::Kept => false,
        };
        self.steps.iter().find(is_current)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        self.turn = None;
        match event {
            Event::SagaStarted(started) => {
                self.flow = Some(started.flow.clone());
                self.definition = started.definition;
                let waiting = |name: &String| StepState { name: name.clone(), at: At::Waiting };
                self.steps = started.steps.iter().map(waiting).collect();
                self.stage = Stage::Forward;
            }
            Event::StepCompleted(done) => self.set(&done.step, At::Done),
            Event::StepFailed(failed) => {
                self.set(&failed.step, At::Failed);
                self.turn_back(failed.error.clone());
            }
            Event::StepTimedOut(late) => {
                self.turn_back(format!("the step {} did not answer in time", late.step));
            }
            Event::SagaTimedOut(_) => self.turn_back("it was not done in time".to_owned()),
            Event::CompensationOrdered(ordered) => {
                self.turn_back(format!("{} said so: {}", ordered.by, ordered.why));
            }
            Event::StepAnsweredLate(late) => {
                self.set(&late.step, if late.error.is_none() { At::Done } else { At::Failed });
                if let (None, Stage::Failed { cause }) = (&late.error, &self.stage) {
                    self.stage = Stage::Backward { cause: cause.clone() };
                }
            }
            Event::StepCompensated(undone) => {
                self.set(&undone.step, At::Undone);
                self.go_on();
            }
            Event::CompensationFailed(failed) => {
                let tries = self.tries(&failed.step);
                self.set(&failed.step, At::Pausing { attempt: failed.attempt, tries });
            }
            Event::CompensationRetried(again) => {
                let tries = self.tries(&again.step) + 1;
                self.give_turn(&again.step, At::Undoing { attempt: again.attempt, tries });
            }
            Event::StepRetried(again) => {
                self.go_on();
                self.give_turn(&again.step, At::Undoing { attempt: again.attempt, tries: 1 });
            }
            Event::StepSkipped(skipped) => {
                let was_asked = self.find(&skipped.step) == Some(At::Asked);
                self.set(&skipped.step, if was_asked { At::Unanswered } else { At::Kept });
                self.go_on();
            }
            Event::SagaStuck(stuck) => {
                let attempt = self.attempt(&stuck.step);
                self.set(&stuck.step, At::Stuck { attempt });
                if let Stage::Backward { cause } = &self.stage {
                    self.stage = Stage::Stuck { cause: cause.clone() };
                }
            }
            Event::SagaCompleted(_) => self.stage = Stage::Completed,
            Event::SagaFailed(failed) => self.stage = Stage::Failed { cause: failed.error.clone() },
            Event::SagaAbandoned(_) => self.stage = Stage::Abandoned,
        }
        self.advance();
    }

    fn set(&mut self, step: &str, at: At) {
        if let Some(known) = self.steps.iter_mut().find(|known| known.name == step) {
            known.at = at;
        }
    }

    fn give_turn(&mut self, step: &str, at: At) {
        self.set(step, at);
        self.turn = self.steps.iter().position(|known| known.name == step);
    }

    fn turn_back(&mut self, cause: String) {
        for step in self.steps.iter_mut().filter(|step| step.at == At::Asked) {
            step.at = At::Unanswered;
        }
        self.stage = Stage::Backward { cause };
    }

    /// What was stuck is not any more.
    fn go_on(&mut self) {
        if let Stage::Stuck { cause } = &self.stage {
            self.stage = Stage::Backward { cause: cause.clone() };
        }
    }

    /// Gives the turn to the next step, unless one is waited for.
    fn advance(&mut self) {
        if self.current().is_some() {
            return;
        }
        let (next, at) = match self.stage {
            Stage::Forward => (self.steps.iter().position(|step| step.at == At::Waiting), At::Asked),
            Stage::Backward { .. } => (
                self.steps.iter().rposition(|step| step.at == At::Done),
                At::Undoing { attempt: 1, tries: 1 },
            ),
            Stage::None
            | Stage::Stuck { .. }
            | Stage::Completed
            | Stage::Failed { .. }
            | Stage::Abandoned => {
                return;
            }
        };
        if let Some(step) = next.and_then(|n| self.steps.get_mut(n)) {
            step.at = at;
            self.turn = next;
        }
    }

    fn tries(&self, step: &str) -> u32 {
        match self.find(step) {
            Some(At::Undoing { tries, .. } | At::Pausing { tries, .. }) => tries,
            _ => 1,
        }
    }

    pub(super) fn attempt(&self, step: &str) -> u32 {
        match self.find(step) {
            Some(At::Undoing { attempt, .. } | At::Pausing { attempt, .. } | At::Stuck { attempt }) => {
                attempt
            }
            _ => 1,
        }
    }
}
