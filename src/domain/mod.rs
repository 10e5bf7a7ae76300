//! What the planner knows: pure rules, nothing that touches a clock, a disk or a wire.
//!
//! Every context is registered in [`contexts`] and nowhere else; each layer wires itself from there.

pub mod breakers;
pub mod context;
pub mod diet;
pub mod endpoint;
pub mod envelope;
pub mod erased;
pub mod flags;
pub mod foods;
pub mod gateway;
pub mod household;
pub mod ingredients;
pub mod invalid;
pub mod measure;
pub mod message;
pub mod notifications;
pub mod nutrition;
pub mod operations;
pub mod outgoing;
pub mod person;
pub mod planning;
pub mod recipes;
pub mod registry;
pub mod rehearsal;
pub mod reply;
pub mod sagas;
pub mod schedule;
pub mod schedules;
pub mod shopping;
pub mod statistics;
#[cfg(test)]
pub(crate) mod testing;

/// Of the rules that made a snapshot, over the text of this folder: a snapshot made by others is folded anew.
pub const CODE_HASH: i64 = match i64::from_str_radix(env!("DOMAIN_HASH"), 10) {
    Ok(hash) => hash,
    Err(_) => panic!("build.rs gives a number"),
};

/// Shows every context to a visitor, and the read models that belong to none.
pub fn contexts(visitor: &mut impl registry::Visitor) {
    visitor.context::<breakers::Breakers>();
    visitor.context::<flags::Flags>();
    visitor.context::<foods::Foods>();
    visitor.context::<household::Household>();
    visitor.context::<nutrition::Nutrition>();
    visitor.context::<recipes::Recipes>();
    visitor.context::<planning::Planning>();
    visitor.context::<shopping::Shopping>();
    visitor.context::<sagas::Sagas>();
    visitor.context::<schedules::Schedules>();
    visitor.context::<notifications::Notifications>();
    visitor.projection::<statistics::EventStatistics>();
}
