//! The days on which clocks are changed, the ends of months and years, and what was missed.

use super::*;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule { cron: cron.to_owned(), time_zone: zone.parse().unwrap(), missed: Missed::Once }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Occurrences after a moment, by the clock of the place, with the offset.
fn next(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(cron, zone);
    let walk = std::iter::successors(Some(utc(after)), |last| schedule.next_after(*last));
    let local = |moment: DateTime<Utc>| {
        moment.with_timezone(&schedule.time_zone).format("%m-%d %H:%M%:z").to_string()
    };
    walk.skip(1).take(count).map(local).collect()
}

#[test]
fn a_time_that_does_not_exist_happens_right_after_the_gap() {
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]
    );
    assert_eq!(
        next("15 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", 3),
        ["03-07 02:15-05:00", "03-08 03:00-04:00", "03-09 02:15-04:00"]
    );
    // Half an hour is left out.
    assert_eq!(
        next("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        ["10-04 02:30+11:00", "10-05 02:10+11:00"]
    );
}

#[test]
fn a_time_that_comes_twice_happens_the_first_time_only() {
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30+02:00", "10-26 02:30+01:00"]
    );
    assert_eq!(
        next("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
        ["11-01 01:30-04:00", "11-02 01:30-05:00"]
    );
    assert_eq!(
        next("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
        ["04-05 01:45+11:00", "04-06 01:45+10:30"]
    );
    // Asked between the two.
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), ["10-26 02:30+01:00"]);
}

#[test]
fn several_times_in_the_hour_that_comes_twice_happen_once_each() {
    assert_eq!(
        next("0,30 1-3 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", 7),
        [
            "10-25 01:00+02:00",
            "10-25 01:30+02:00",
            "10-25 02:00+02:00",
            "10-25 02:30+02:00",
            "10-25 03:00+01:00",
            "10-25 03:30+01:00",
            "10-26 01:00+01:00",
        ]
    );
}

#[test]
fn what_runs_every_hour_goes_by_elapsed_time() {
    assert_eq!(
        next("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", 3),
        ["03-29 01:00+01:00", "03-29 03:00+02:00", "03-29 04:00+02:00"]
    );
    assert_eq!(
        next("@hourly", "Europe/Berlin", "2026-10-24T22:30:00Z", 4),
        ["10-25 01:00+02:00", "10-25 02:00+02:00", "10-25 02:00+01:00", "10-25 03:00+01:00"]
    );
}

#[test]
fn a_daily_time_happens_once_on_each_of_a_thousand_days_wherever_one_lives() {
    for zone in
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Havana"]
    {
        for cron in ["0 0 * * *", "30 1 * * *", "0 2 * * *", "10 2 * * *", "59 2 * * *", "30 23 * * *"] {
            let schedule = schedule(cron, zone);
            let mut days: BTreeMap<NaiveDate, u32> = BTreeMap::new();
            let mut last = utc("2025-01-01T12:00:00Z");
            for _ in 0..1000 {
                let found = schedule.next_after(last).unwrap();
                assert!(found > last, "{zone} {cron} {last} {found}");
                *days.entry(found.with_timezone(&schedule.time_zone).date_naive()).or_default() += 1;
                last = found;
            }
            let first = *days.keys().next().unwrap();
            let all: Vec<NaiveDate> = first.iter_days().take(1000).collect();
            assert_eq!(days.keys().copied().collect::<Vec<_>>(), all, "{zone} {cron}");
        }
    }
}

#[test]
fn leap_days_and_the_ends_of_months_and_years() {
    let days = |cron, after, count| -> Vec<String> {
        let schedule = schedule(cron, "Europe/Vienna");
        let walk = std::iter::successors(Some(utc(after)), |last| schedule.next_after(*last));
        let local =
            |moment: DateTime<Utc>| moment.with_timezone(&schedule.time_zone).date_naive().to_string();
        walk.skip(1).take(count).map(local).collect()
    };
    assert_eq!(days("0 6 29 2 *", "2026-01-01T00:00:00Z", 2), ["2028-02-29", "2032-02-29"]);
    assert_eq!(days("0 6 L * *", "2027-01-31T12:00:00Z", 3), ["2027-02-28", "2027-03-31", "2027-04-30"]);
    assert_eq!(days("0 6 31 * *", "2026-01-31T12:00:00Z", 2), ["2026-03-31", "2026-05-31"]);
    assert_eq!(days("59 23 31 12 *", "2026-12-31T22:58:00Z", 2), ["2026-12-31", "2027-12-31"]);
    assert_eq!(days("0 0 1 1 *", "2026-12-31T22:59:59Z", 1), ["2027-01-01"]);
    let friday = schedule("0 6 * * FRI", "Europe/Vienna").next_after(utc("2026-11-20T05:00:00Z")).unwrap();
    assert_eq!(friday, utc("2026-11-27T05:00:00Z"), "later than, not at");
}

#[test]
fn what_never_comes_and_what_does_not_read_is_refused() {
    for cron in ["0 6 30 2 *", "60 6 * * *", "0 6 * *", "0 0 6 * * FRI", "every friday", ""] {
        let no = schedule(cron, "UTC").check(utc("2026-11-20T05:00:00Z")).unwrap_err();
        assert_eq!(no.pointer.as_deref(), Some("/cron"), "{cron}");
    }
}

fn turn(missed: Missed, cron: &str, due: &str, now: &str) -> (usize, Option<String>, String) {
    let schedule = Schedule { missed, ..schedule(cron, "UTC") };
    let Turn { given, next } = schedule.turn(utc(due), utc(now));
    assert!(given.is_sorted() && given.iter().all(|moment| *moment >= utc(due) && *moment <= utc(now)));
    (given.len(), given.last().map(|moment| moment.to_rfc3339()), next.unwrap().to_rfc3339())
}

#[test]
fn in_time_every_policy_gives_the_occurrence() {
    for missed in [Missed::Skip, Missed::Once, Missed::All] {
        let (given, last, next) = turn(missed, "0 6 * * *", "2026-11-20T06:00:00Z", "2026-11-20T06:00:01Z");
        assert_eq!((given, last.as_deref()), (1, Some("2026-11-20T06:00:00+00:00")), "{missed:?}");
        assert_eq!(next, "2026-11-21T06:00:00+00:00");
    }
}

#[test]
fn missed_occurrences_are_made_up_for_as_the_policy_says() {
    for (missed, given) in [(Missed::Skip, 0), (Missed::Once, 1), (Missed::All, 3)] {
        let turn = turn(missed, "0 6 * * *", "2026-11-18T06:00:00Z", "2026-11-20T15:00:00Z");
        assert_eq!((turn.0, turn.2.as_str()), (given, "2026-11-21T06:00:00+00:00"), "{missed:?}");
    }
}

#[test]
fn years_of_minutes_are_made_up_for_within_reason() {
    let turn = turn(Missed::All, "* * * * *", "2020-01-01T00:00:00Z", "2026-11-20T15:00:30Z");
    assert_eq!(turn.0, MOST_MADE_UP);
    assert_eq!(turn.1.as_deref(), Some("2026-11-20T15:00:00+00:00"));
    assert_eq!(turn.2, "2026-11-20T15:01:00+00:00");
}

#[test]
fn a_turn_that_comes_too_early_gives_nothing() {
    let schedule = schedule("0 6 * * *", "UTC");
    let due = utc("2026-11-20T06:00:00Z");
    let turn = schedule.turn(due, due - TimeDelta::seconds(1));
    assert_eq!(turn, Turn { given: Vec::new(), next: Some(due) });
}

#[test]
fn a_whole_day_that_was_left_out_is_no_reason_to_stop() {
    // Samoa went from the 29th to the 31st.
    let apia = schedule("0 6 * * *", "Pacific/Apia");
    let walk = std::iter::successors(Some(utc("2011-12-29T00:00:00Z")), |last| apia.next_after(*last));
    let days: Vec<u32> = walk.skip(1).take(3).map(|m| m.with_timezone(&apia.time_zone).day()).collect();
    assert_eq!(days, [29, 31, 31]);
}
