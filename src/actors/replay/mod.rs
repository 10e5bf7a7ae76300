//! Replay outside the running tree: everything folded again from its events, and states as they were.
//!
//! Not known here: any context by name. Invariant: nothing is written, nothing is sent.

mod changes;
mod report;
mod tables;
mod verify;

pub use changes::{Difference, differences};
pub use report::{Fault, Report, RowFault, TableReport};
pub use verify::{fold_all, verify};

use super::folded::{folded, mark};
use crate::domain::context::{Context, ErasedProjection, Projection, ProjectionVisitor};
use crate::domain::envelope::{Envelope, Key};
use crate::domain::erased;
use crate::domain::message::{DecodeError, Message};
use crate::domain::registry::Visitor;
use crate::store::{StateMark, Stream};
use std::collections::HashMap;
use std::sync::Arc;

/// Every context and read model, ready to be folded.
#[derive(Default)]
pub struct Replay {
    contexts: HashMap<&'static str, Box<dyn Aggregates>>,
    projections: Vec<Arc<dyn ErasedProjection>>,
}

impl Replay {
    #[must_use]
    pub fn with<C: Context>(mut self) -> Self {
        self.contexts.insert(C::NAME, Box::new(Folds::<C>(HashMap::new())));
        C::projections(&mut self);
        self
    }

    /// How many aggregates were met.
    #[must_use]
    pub fn aggregates(&self) -> usize {
        self.contexts.values().map(|context| context.keys().len()).sum()
    }
}

impl Visitor for Replay {
    fn context<C: Context>(&mut self) {
        *self = std::mem::take(self).with::<C>();
    }

    fn projection<P: Projection>(&mut self) {
        erased::show::<P>(self);
    }
}

impl ProjectionVisitor for Replay {
    fn erased(&mut self, projection: Arc<dyn ErasedProjection>) {
        self.projections.push(projection);
    }
}

/// The aggregates of one context without its types.
trait Aggregates: Send + Sync {
    fn mark(&self) -> StateMark;
    fn keys(&self) -> Vec<Key>;
    fn fold(&mut self, event: &Envelope) -> Result<(), Misfit>;
    /// Stream version and state as JSON text; `None` when nothing of it was folded.
    fn state(&self, key: &Key) -> Result<Option<(i64, String)>, DecodeError>;
    /// The same of what a running program would load.
    fn loaded(&self, stream: &Stream) -> Result<(i64, String), String>;
}

/// Why an event does not go onto what was folded before.
enum Misfit {
    Version {
        expected: i64,
    },
    Unreadable(DecodeError),
    /// An earlier one of the aggregate did not.
    Broken,
}

/// Stream version and state of each aggregate; no state once an event did not fit.
struct Folds<C: Context>(HashMap<Key, (i64, Option<C::State>)>);

impl<C: Context> Aggregates for Folds<C> {
    fn mark(&self) -> StateMark {
        mark::<C>()
    }

    fn keys(&self) -> Vec<Key> {
        self.0.keys().cloned().collect()
    }

    fn fold(&mut self, event: &Envelope) -> Result<(), Misfit> {
        let known = match self.0.get_mut(&event.key) {
            Some(known) => known,
            None => self.0.entry(event.key.clone()).or_insert_with(|| (0, Some(C::State::default()))),
        };
        let (version, Some(state)) = known else { return Err(Misfit::Broken) };
        *version += 1;
        if event.stream_version != Some(*version) {
            let expected = *version;
            known.1 = None;
            return Err(Misfit::Version { expected });
        }
        // Its place in the stream is what is left of it.
        if event.is_erased() {
            return Ok(());
        }
        match C::Event::decode(&event.type_name, event.schema_version, &event.body) {
            Ok(decoded) => C::evolve(state, &decoded),
            Err(error) => {
                known.1 = None;
                return Err(Misfit::Unreadable(error));
            }
        }
        Ok(())
    }

    fn state(&self, key: &Key) -> Result<Option<(i64, String)>, DecodeError> {
        let Some((version, Some(state))) = self.0.get(key) else { return Ok(None) };
        Ok(Some((*version, crate::domain::message::to_text("state", state)?)))
    }

    fn loaded(&self, stream: &Stream) -> Result<(i64, String), String> {
        let (version, state) = folded::<C>(stream)?;
        let text = crate::domain::message::to_text("state", &state).map_err(|error| error.to_string())?;
        Ok((version, text))
    }
}
