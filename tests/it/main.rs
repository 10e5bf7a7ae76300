//! Integration tests: the store's contract, and the laws of the durable runtime.

mod laws;
mod store_contract;
mod support;
