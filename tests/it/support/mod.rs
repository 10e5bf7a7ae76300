//! What the tests stand on: small contexts, a store whose faults are scripted, and a world that can crash.

pub mod contexts;
pub mod errands;
pub mod faulty;
pub mod memory;
pub mod place;
pub mod postgres;
pub mod proxy;
pub mod remote;
pub mod world;

use std::future::Future;
use std::time::Duration;

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come; panics with `what` if it does not.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// Asks again and again until the answer is yes.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let wait = async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    };
    soon(what, wait).await;
}

/// Gives everything that is ready to run many chances to do so.
pub async fn let_others_run() {
    for _ in 0..2000 {
        tokio::task::yield_now().await;
    }
}
