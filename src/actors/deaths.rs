//! What is recorded of an actor's death before its successor comes back to the same message.

use super::hub::Hub;
use super::journal::Origin;
use super::supervisor::Death;
use crate::fault;
use crate::store::{Burn, Change, Unit};
use std::sync::Arc;

/// Counts the failed attempt before the actor comes back to the same message.
pub(super) async fn burn(hub: Arc<Hub>, death: Death) {
    if death.current == 0 {
        return;
    }
    let burn = Change::Burn(Burn {
        position: death.current,
        attempt: death.attempts + 1,
        cause: death.kind,
        error: death.cause,
        generation: death.generation,
        available_at_us: hub.retries.available_at_us(death.attempts + 1, &hub.environment),
    });
    let unit = Unit { changes: vec![burn], ..Unit::default() };
    // Not the actor's own path: of the dead nothing is written any more, but this is about them.
    let path = format!("{}#deaths", death.path);
    let origin = Origin::Actor { path: path.into(), generation: death.generation };
    fault::point("burn.before");
    if let Err(error) = hub.journal.commit(origin, vec![unit]).await {
        tracing::error!(%error, message.position = death.current, "a failed attempt could not be recorded");
    }
    fault::point("burn.after");
}
