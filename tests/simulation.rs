//! The simulation alone, so that it can be built with optimisation: `just simulate`. It is part of the integration
//! tests as well.
#![cfg(test)]
#![expect(unreachable_pub, reason = "a test binary has nobody to be public for")]
#![expect(clippy::disallowed_methods, reason = "tests stand in for callers, who are tasks of their own")]
#![expect(clippy::cast_possible_truncation, reason = "test data is small")]

#[path = "it/simulation/mod.rs"]
mod simulation;
#[expect(dead_code, unused_imports, unused_macros, reason = "the other tests use the rest")]
#[path = "it/support/mod.rs"]
mod support;
