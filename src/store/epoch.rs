//! The change of owners: what the one before was handling when it died is charged with an attempt.

use super::Cause;

pub(super) const CRASHED: &str = "the process died while it was handled";

/// Records the attempts. `is_marked`: whether `position` is among the marks `$1`. `$2` the epoch that begins,
/// `$3` what is said, `$4` the time.
pub(super) fn charge_sql(is_marked: &str) -> String {
    format!(
        "INSERT INTO attempts (position, attempt, cause, error, generation, epoch, at_us)
         SELECT position, attempts + 1, '{}', $3, coalesce(started_generation, 0), $2 - 1, $4
         FROM inbox WHERE {is_marked} OR started_epoch IS NOT NULL",
        Cause::ProcessCrash.name()
    )
}

/// Counts them. `$2` what is said.
pub(super) fn count_sql(is_marked: &str) -> String {
    format!(
        "UPDATE inbox SET attempts = attempts + 1, crashes = crashes + 1, last_error = $2, available_at_us = 0,
                started_generation = NULL, started_epoch = NULL
         WHERE {is_marked} OR started_epoch IS NOT NULL"
    )
}

pub(super) const BEGIN_SQL: &str = "UPDATE process_epoch SET epoch = $1, started_us = $2, clean = 0";
pub(super) const END_SQL: &str = "UPDATE process_epoch SET clean = 1 WHERE epoch = $1";
