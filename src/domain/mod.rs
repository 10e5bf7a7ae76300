//! What the planner knows: pure rules, nothing that touches a clock, a disk or a wire.

pub mod context;
pub mod diet;
pub mod envelope;
pub mod erased;
pub mod foods;
pub mod household;
pub mod ingredients;
pub mod invalid;
pub mod measure;
pub mod message;
pub mod nutrition;
pub mod planning;
pub mod recipes;
pub mod registry;
pub mod reply;
pub mod shopping;
#[cfg(test)]
pub(crate) mod testing;

/// Shows every context to a layer: the one list of them.
pub fn contexts<V: registry::Visitor>(visitor: &mut V) {
    visitor.context::<foods::Foods>();
    visitor.context::<household::Household>();
    visitor.context::<nutrition::Nutrition>();
    visitor.context::<recipes::Recipes>();
}
