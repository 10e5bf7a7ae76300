//! The one place that reads the wall clock.

use chrono::{DateTime, Utc};

/// Now, in whole microseconds, as it is stored.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the edge where time becomes data")]
pub fn now() -> DateTime<Utc> {
    chrono::SubsecRound::trunc_subsecs(Utc::now(), 6)
}
