//! Recipes: how they come in from outside, and at which meals they can be eaten.

pub mod jsonld;
pub mod slots;
