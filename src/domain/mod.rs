//! What the planner knows: pure rules, nothing that touches a clock, a disk or a wire.

pub mod measure;
pub mod planning;
