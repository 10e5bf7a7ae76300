//! The state of one aggregate from what is stored of it, and when a snapshot spares the way there.

use crate::domain::context::Context;
use crate::domain::message::Message;
use crate::store::{StateMark, Stream};
use chrono::TimeDelta;

/// When a snapshot of an aggregate is taken along with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshots {
    /// Events between two of them.
    pub every: i64,
    /// Or once its replay took longer, however few events there were.
    pub slow_ms: i64,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { every: 100, slow_ms: 20 }
    }
}

impl Snapshots {
    /// Between these two stream versions.
    pub(super) fn is_due(&self, before: i64, after: i64) -> bool {
        before / self.every.max(1) != after / self.every.max(1)
    }

    pub(super) fn is_slow(&self, replay: TimeDelta) -> bool {
        replay.num_milliseconds() > self.slow_ms
    }
}

/// Stream version and state: the snapshot, then the events after it.
///
/// # Errors
/// What does not read.
pub(super) fn folded<C: Context>(stream: &Stream) -> Result<(i64, C::State), String> {
    let (mut version, mut state) = match &stream.snapshot {
        Some(snapshot) => {
            let state = serde_json::from_str(&snapshot.body).map_err(|error| error.to_string())?;
            (snapshot.stream_version, state)
        }
        None => (0, C::State::default()),
    };
    for event in &stream.events {
        if !event.is_erased() {
            let decoded = C::Event::decode(&event.type_name, event.schema_version, &event.body);
            C::evolve(&mut state, &decoded.map_err(|error| error.to_string())?);
        }
        version = event.stream_version.unwrap_or(version);
    }
    match &stream.unreadable {
        Some(unreadable) => Err(unreadable.reason.clone()),
        None => Ok((version, state)),
    }
}

/// The snapshots that this program trusts.
pub(super) fn mark<C: Context>() -> StateMark {
    StateMark { version: C::STATE_VERSION, code_hash: crate::domain::CODE_HASH }
}
