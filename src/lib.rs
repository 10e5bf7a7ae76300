//! meal-planner: a home server that plans a household's meals and never loses or repeats what it has accepted.

pub mod actors;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod domain;
pub mod fault;
pub mod http;
pub mod store;
