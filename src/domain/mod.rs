//! What the planner knows: pure rules, nothing that touches a clock, a disk or a wire.

pub mod diet;
pub mod foods;
pub mod ingredients;
pub mod invalid;
pub mod measure;
