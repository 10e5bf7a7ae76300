//! Work beside an actor that cannot die unseen: its panic is reported to whoever started it.

use futures_util::FutureExt;
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

/// Runs a future; a panic in it is told to `failed`.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns, and it watches what it spawned")]
pub(super) fn watched(
    future: impl Future<Output = ()> + Send + 'static,
    failed: impl FnOnce(String) + Send + 'static,
) {
    tokio::spawn(async move {
        if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
            failed(text(&*panic));
        }
    });
}

/// Runs a long computation off the runtime's threads.
///
/// # Errors
/// The message of its panic.
pub(super) async fn heavy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => text(&*panic),
        Err(error) => error.to_string(),
    })
}

/// Runs a computation on this thread, after others had their turn.
///
/// # Errors
/// The message of its panic.
pub(super) async fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    tokio::task::yield_now().await;
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text(&*panic))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", message.unwrap_or("without a message"))
}
