//! Given / when / then for deciders, in three lines a rule.

use super::context::Context;
use super::envelope::{Key, Metadata};
use uuid::Uuid;

/// The state after these events.
pub(crate) fn given<C: Context>(events: &[C::Event]) -> C::State {
    let mut state = C::State::default();
    for event in events {
        C::evolve(&mut state, event);
    }
    state
}

/// Of some message, always the same.
pub(crate) fn metadata() -> Metadata {
    let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    Metadata {
        id,
        key: Key::from(id.to_string()),
        position: 1,
        time: chrono::DateTime::from_timestamp(1_763_640_000, 0).unwrap_or_default(),
        correlation_id: id,
        user: None,
        flags: Vec::new(),
    }
}
