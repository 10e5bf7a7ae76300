//! Repeats that come while the first is on its way to the disk wait for it, instead of failing its group commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// What two requests must not both bring in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Id(Uuid),
    /// Digest of an `Idempotency-Key`.
    Key([u8; 32]),
}

/// Names under way. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashMap<Name, watch::Receiver<()>>>>);

/// Held until the outcome of the acceptance is known.
pub(super) struct Claim {
    claims: Claims,
    names: Vec<Name>,
    /// Dropped with the claim, which those who wait see.
    _done: watch::Sender<()>,
}

impl Claims {
    /// Returns when none of the names is under way any more, and holds them.
    pub(super) async fn claim(&self, names: Vec<Name>) -> Claim {
        loop {
            let mut first = {
                let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let first = names.iter().find_map(|name| taken.get(name).cloned());
                let Some(first) = first else {
                    let (done, waiting) = watch::channel(());
                    taken.extend(names.iter().map(|name| (*name, waiting.clone())));
                    return Claim { claims: self.clone(), names, _done: done };
                };
                first
            };
            // Nothing is ever sent: it ends when the claim is dropped.
            let _ = first.changed().await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            taken.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_name_is_held_by_one_at_a_time_and_others_by_whoever_comes() {
        let claims = Claims::default();
        let (id, key) = (Name::Id(Uuid::nil()), Name::Key([1; 32]));
        let first = claims.claim(vec![id, key]).await;
        let mut second = Box::pin(claims.claim(vec![key]));
        assert!(second.as_mut().now_or_never().is_none());
        let other = claims.claim(vec![Name::Key([2; 32])]).await;
        drop(first);
        let second = second.now_or_never().expect("it is free");
        assert!(claims.claim(vec![key]).now_or_never().is_none());
        drop((second, other));
        assert!(claims.claim(vec![id, key]).now_or_never().is_some());
    }
}
