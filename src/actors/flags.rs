//! The feature flags in force, as they are stamped on new messages.

use super::hub::Hub;
use crate::domain::context::Projection;
use crate::domain::flags::{Active, ActiveFlag};
use crate::domain::message::from_text;
use crate::store::{RowQuery, StoreResult};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError, RwLock};

/// More flags than anybody keeps track of.
const MOST: u32 = 500;

/// The newest change of the read model, and how often its table was taken over or replaced.
type AsOf = (i64, u64);

/// Read again only when the read model has changed.
#[derive(Default)]
pub(super) struct Flags(RwLock<(AsOf, Arc<[String]>)>);

impl Hub {
    /// As of the newest change that the read model has seen; nothing is read while there was none.
    ///
    /// # Errors
    /// When the store cannot be read: a message without the flags that it is due would decide differently.
    pub(super) async fn active_flags(&self) -> StoreResult<Arc<[String]>> {
        let Some(view) = self.views.get(Active::NAME) else { return Ok(Arc::default()) };
        // Before the rows: what changes while they are read is read again.
        let as_of = (view.changed.load(Relaxed), view.swaps.load(Relaxed));
        {
            let known = self.flags.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.0 == as_of {
                return Ok(known.1.clone());
            }
        }
        let page = self.store.rows(&view.table, RowQuery { limit: MOST, ..RowQuery::default() }).await?;
        if page.next.is_some() {
            tracing::error!(most = MOST, "there are more flags than this; the rest is not in force");
        }
        let mut flags = Vec::with_capacity(page.rows.len());
        for (name, body) in &page.rows {
            match from_text::<ActiveFlag>(Active::NAME, body) {
                Ok(flag) => flags.push(flag.stamp()),
                Err(error) => tracing::error!(name, %error, "a flag does not read and is not in force"),
            }
        }
        let flags: Arc<[String]> = flags.into();
        let mut known = self.flags.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.0 < as_of {
            *known = (as_of, flags.clone());
        }
        Ok(flags)
    }
}
