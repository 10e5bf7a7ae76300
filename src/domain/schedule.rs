//! When something recurs: a cron expression by the clocks of a place, and what becomes of occurrences that passed
//! while nobody could act.
//!
//! The rule for the days on which clocks are changed. An expression that names hours (`30 2 * * *`) goes by the
//! clock: each of its times happens once on each of its days. A time that does not exist happens at the first
//! moment after the gap, one that comes twice happens the first time. An expression for every hour (`*/15 * * * *`)
//! goes by elapsed time: it skips the hour that does not exist and runs in both of those that read the same.

use super::context::Rejection;
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Passed occurrences that are still made up for, the newest ones.
pub const MOST_MADE_UP: usize = 50;
/// An occurrence is missed when its turn comes later than this.
const GRACE: TimeDelta = TimeDelta::seconds(120);
/// No gap of a clock is longer: whole days have been left out.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(25);

/// What becomes of occurrences that were missed, such as while the machine was off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing.
    Skip,
    /// They are made up for once, however many they were.
    #[default]
    Once,
    /// Each is made up for, the newest 50 at most.
    All,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Minute, hour, day of month, month, day of week: `0 6 * * FRI`.
    pub cron: String,
    /// IANA name such as `Europe/Vienna`.
    #[schemars(with = "String")]
    pub time_zone: Tz,
    pub missed: Missed,
}

/// What a look at the clock leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The occurrences that happen now, oldest first.
    pub given: Vec<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
}

impl Schedule {
    /// # Errors
    /// When the expression does not read, or names a time that never comes.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Rejection> {
        let hint = "write minute, hour, day of month, month and day of week, such as `0 6 * * FRI`";
        parse(&self.cron).map_err(|error| Rejection::invalid("/cron", error, hint))?;
        match self.next_after(now) {
            Some(_) => Ok(()),
            None => Err(Rejection::invalid("/cron", "such a time never comes", hint)),
        }
    }

    /// The first occurrence later than this. Pure: the same for the same rules of time zones.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let cron = parse(&self.cron).ok()?;
        if runs_every_hour(&cron) {
            let local = after.with_timezone(&self.time_zone);
            return cron.find_next_occurrence(&local, false).ok().map(|next| next.to_utc());
        }
        let mut wall = after.with_timezone(&self.time_zone).naive_local().with_nanosecond(0)?;
        let mut inclusive = true;
        loop {
            wall = cron.find_next_occurrence(&wall, inclusive).ok()?;
            match self.moment(wall) {
                Some(moment) if moment > after => return Some(moment),
                Some(_) | None => inclusive = false,
            }
        }
    }

    /// What to do at `now` about a schedule whose next occurrence was to be `due`.
    #[must_use]
    pub fn turn(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Turn {
        if now < due {
            return Turn { given: Vec::new(), next: Some(due) };
        }
        let mut given = self.passed(due, now);
        match self.missed {
            Missed::Skip => given.retain(|occurrence| now - *occurrence <= GRACE),
            Missed::Once => drop(given.drain(..given.len().saturating_sub(1))),
            Missed::All => {}
        }
        Turn { given, next: self.next_after(now) }
    }

    /// The newest occurrences from `due` to `now`, oldest first.
    fn passed(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        // Wider and wider, so that years of minutes need not be walked through.
        let mut span = TimeDelta::hours(1);
        loop {
            let is_all = now - span <= due;
            let first = if is_all { Some(due) } else { self.next_after(now - span) };
            let walk = std::iter::successors(first, |occurrence| self.next_after(*occurrence));
            let mut found: Vec<_> = walk.take_while(|occurrence| *occurrence <= now).collect();
            if is_all || found.len() >= MOST_MADE_UP {
                found.drain(..found.len().saturating_sub(MOST_MADE_UP));
                return found;
            }
            span = span * 24;
        }
    }

    /// When clocks of the place read so; `None` where they never did within a day of it.
    fn moment(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.time_zone.from_local_datetime(&wall) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
            LocalResult::None => self.end_of_gap(wall),
        }
    }

    /// The first moment whose clock reads later than a time within a gap.
    fn end_of_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let reads_later = |moment: DateTime<Utc>| moment.with_timezone(&self.time_zone).naive_local() > wall;
        // The offset of the time zone is less than a day, and so is what the gap leaves out.
        let (mut before, mut after) = (wall.and_utc() - LONGEST_GAP, wall.and_utc() + LONGEST_GAP);
        if reads_later(before) || !reads_later(after) {
            return None;
        }
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            if reads_later(middle) { after = middle } else { before = middle }
        }
        Some(after)
    }
}

fn parse(cron: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(cron).map_err(|error| error.to_string())
}

fn runs_every_hour(cron: &Cron) -> bool {
    (0..24).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false))
}

#[cfg(test)]
mod tests;
