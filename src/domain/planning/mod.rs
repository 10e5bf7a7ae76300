//! Planning: which dish at which meal, and how much of it for whom.

pub mod search;
