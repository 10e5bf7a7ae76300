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
use std::io::Write;
use std::time::{Duration, Instant};

/// Longer than anything takes that works, pauses between attempts and a busy machine of two cores included.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Looks at what must come before there are pauses between them, and how long those are.
const LOOKS_AT_ONCE: u32 = 500;
const PAUSE: Duration = Duration::from_millis(2);

/// Waits for what must come; panics with `what` if it does not.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// Asks again and again until the answer is yes. Not where time is paused: its pauses would let that run on.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let (began, mut looks) = (Instant::now(), 0);
    while !ask().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        between_looks(&mut looks).await;
    }
}

/// What comes at once is seen at once; what takes longer is left the processor. Without the runtime's timers: a
/// handler that hangs may keep the thread that would look after them.
pub async fn between_looks(looks: &mut u32) {
    *looks += 1;
    if *looks <= LOOKS_AT_ONCE {
        tokio::task::yield_now().await;
    } else {
        tokio::task::spawn_blocking(|| std::thread::sleep(PAUSE)).await.expect("it sleeps");
    }
}

/// Gives everything that is ready to run many chances to do so.
pub async fn let_others_run() {
    for _ in 0..2000 {
        tokio::task::yield_now().await;
    }
}

/// Says that a test tests nothing on this machine, past the capture of its output: that must be seen.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
