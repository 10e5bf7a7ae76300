//! What comes of a call to the outside, and what the ledger and the breaker are told of it.

use super::breakers::Pass;
use super::hub::Hub;
use crate::domain::envelope::Envelope;
use crate::fault;
use crate::store::Change;
use std::sync::Arc;
use uuid::Uuid;

/// What came of a call, and what is to be committed with what that leads to.
pub(super) struct Settled {
    pub verdict: Verdict,
    pub record: Record,
}

pub(super) enum Verdict {
    Response(String),
    /// For good.
    Refused(String),
    /// It may go better another time.
    Failed {
        error: String,
        not_before_us: i64,
    },
}

/// What is told to the ledger and to the breaker.
#[derive(Default)]
pub(super) struct Record {
    pub changes: Vec<Change>,
    pub messages: Vec<Envelope>,
    pub told: Option<Told>,
}

/// Done when the record is durable.
pub(super) struct Told {
    pub hub: Arc<Hub>,
    pub pass: Option<Pass>,
    /// Effect and attempt.
    pub call: Option<(Uuid, u32)>,
}

impl Told {
    pub(super) fn durable(self) {
        if let Some(pass) = self.pass {
            pass.judged();
        }
        if let Some((effect, attempt)) = self.call {
            fault::point("effect.recorded");
            self.hub.gateways.calls.forget(effect, attempt);
        }
    }
}
