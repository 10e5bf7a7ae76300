//! What survives: the contract of the durable store and its engines. The only SQL stands below here.
//!
//! Not known here: what a message means. Invariants: positions are gapless to readers; a group of units
//! commits wholly or not at all; a writer whose epoch is gone writes nothing; event rows are never changed.

mod aging;
pub mod backup;
mod change;
mod contract;
pub mod copy;
mod encoding;
mod engine;
mod epoch;
mod errors;
pub mod hash;
pub mod lock;
mod marks;
mod migrations;
pub mod postgres;
mod reading;
pub mod sealed;
pub mod sqlite;
pub mod tables;
pub mod transfer;

pub use change::*;
pub use contract::*;
