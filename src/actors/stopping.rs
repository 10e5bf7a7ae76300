//! The end of a runtime: in order and within a deadline.

use super::runtime::Runtime;
use crate::fault;
use crate::store::StoreError;
use std::time::Duration;

/// How long a stop may take before what is left is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// And how much of it calls to the outside have for their end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

impl Runtime {
    /// [`Runtime::stop_within`] twenty seconds.
    ///
    /// # Errors
    /// See there.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.stop_within(STOP_PATIENCE).await
    }

    /// Stops all actors in the reverse order of their start, then marks a clean end. What is left at the deadline is
    /// killed; it waits in the table, and the end is not marked as clean.
    ///
    /// # Errors
    /// When the deadline has passed, or the store cannot be closed in order.
    pub async fn stop_within(self, deadline: Duration) -> Result<(), StoreError> {
        fault::point("shutdown.drain");
        let began = tokio::time::Instant::now();
        self.hub.gateways.drain(DRAIN_PATIENCE.min(deadline)).await;
        let left = deadline.saturating_sub(began.elapsed());
        if self.root.stop_and_wait(None, Some(left)).await.is_err() {
            self.root.kill();
            let waiting = self.hub.waiting_in_total();
            return Err(StoreError::Unavailable(format!(
                "the deadline of {} s has passed with work under way; {waiting} messages wait for the next start",
                deadline.as_secs()
            )));
        }
        self.hub.journal.close("the server is stopping");
        fault::point("shutdown.close");
        self.hub.store.close().await
    }
}
