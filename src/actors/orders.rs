//! What an operator may ask of an actor, and the record that is kept of what happens to actors.

use super::hub::Hub;
use super::journal::{Origin, Unwritten};
use crate::domain::envelope::Envelope;
use crate::domain::operations::{self, Event};
use crate::store::{StoreError, Unit};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use thiserror::Error;

/// Kept while the journal cannot take them.
const UNTOLD_KEPT: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// With those who share its fate; its budget begins anew, a quarantine ends.
    Restart,
    /// It accepts and takes nothing new until it is resumed, at the latest by the next start of the process.
    Pause,
    Resume,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderRefused {
    #[error("no actor has the path {0:?}")]
    NoSuchActor(String),
    #[error("a {kind} cannot be paused")]
    CannotPause { kind: &'static str },
}

type Revive = Box<dyn Fn(String) + Send + Sync>;

/// Part of the hub.
#[derive(Default)]
pub(super) struct Desk {
    revive: OnceLock<Revive>,
    untold: Arc<Mutex<Vec<Envelope>>>,
}

impl Hub {
    pub(super) fn take_orders(&self, revive: impl Fn(String) + Send + Sync + 'static) {
        // Set once a hub, when its tree has started.
        let _ = self.desk.revive.set(Box::new(revive));
    }

    /// Carries out an order. It is not recorded here: whoever orders says who and why.
    ///
    /// # Errors
    /// When there is no such actor or it cannot do that.
    pub fn order(&self, path: &str, order: Order) -> Result<(), OrderRefused> {
        let status = self.registry.find(path).ok_or_else(|| OrderRefused::NoSuchActor(path.to_owned()))?;
        match order {
            Order::Restart => {
                if let Some(revive) = self.desk.revive.get() {
                    revive(path.to_owned());
                }
            }
            Order::Pause if !matches!(status.kind, "context" | "projector" | "reactor") => {
                return Err(OrderRefused::CannotPause { kind: status.kind });
            }
            Order::Pause => status.set_paused(true),
            Order::Resume => {
                status.set_paused(false);
                self.ring_all();
            }
        }
        Ok(())
    }

    fn ring_all(&self) {
        self.lanes.values().for_each(|lane| lane.bell.ring());
        self.ring_readers();
    }

    /// Puts something on the record without waiting for it. Kept and tried again while the journal is down.
    pub fn notice(&self, key: &str, event: &Event) {
        let environment = &self.environment;
        let made = operations::notice(key, event, environment.new_id(), environment.now(), None);
        let notice = match made {
            Ok(notice) => notice,
            Err(error) => return tracing::error!(%error, "a notice could not be written"),
        };
        let untold = self.desk.untold.clone();
        let mut messages = std::mem::take(&mut *untold.lock().unwrap_or_else(PoisonError::into_inner));
        messages.push(notice);
        let kept = messages.clone();
        let origin = Origin::Actor { path: operations::NAME.into(), generation: 0 };
        self.journal.submit(origin, vec![Unit { messages, ..Unit::default() }], move |result| {
            if matches!(result, Err(Unwritten { error: StoreError::Unavailable(_), .. })) {
                let mut untold = untold.lock().unwrap_or_else(PoisonError::into_inner);
                untold.extend(kept);
                let excess = untold.len().saturating_sub(UNTOLD_KEPT);
                untold.drain(..excess);
            }
        });
    }
}
