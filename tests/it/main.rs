//! Integration tests: the store's contract, the laws of the durable runtime, the real process, and the walls.
#![cfg(test)]
#![expect(unreachable_pub, reason = "a test binary has nobody to be public for")]
#![expect(clippy::disallowed_methods, reason = "tests stand in for callers, who are tasks of their own")]
#![expect(clippy::cast_possible_truncation, reason = "test data is small")]

mod crash;
mod data;
mod desk;
mod flags;
mod http;
mod laws;
mod model;
mod notifications;
mod operations;
mod planner;
mod process;
mod replay;
mod sagas;
mod samples;
mod scenario;
mod shopping;
mod simulation;
mod store_contract;
mod store_faults;
mod support;
mod tidy;
mod timers;
