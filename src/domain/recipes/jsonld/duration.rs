//! Reads times: ISO 8601 durations, and the many ways in which people write them instead.

use super::node;
use super::numbers::{Token, leading_number, tokens};
use crate::domain::measure::Milli;
use serde_json::Value;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;
/// Nothing cooks longer.
const LONGEST_MINUTES: i64 = 5 * YEAR / MINUTE;

/// Whole minutes, rounded up; `None` when nothing is given; the source's text when it is no duration.
pub(super) fn minutes(value: &Value) -> Result<Option<u32>, String> {
    let texts = texts(value);
    match texts.iter().find_map(|text| parse(text)) {
        Some(minutes) => Ok(Some(minutes)),
        None => texts.into_iter().next().map_or(Ok(None), Err),
    }
}

/// `PT1H30M` for 90.
pub(super) fn to_iso(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("PT{rest}M"),
        (hours, 0) => format!("PT{hours}H"),
        (hours, rest) => format!("PT{hours}H{rest}M"),
    }
}

/// The texts that may hold the duration, the most telling first.
fn texts(value: &Value) -> Vec<String> {
    let Value::Object(map) = value else {
        return node::items(value)
            .into_iter()
            .flat_map(|item| match item {
                Value::Object(_) => texts(item),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    node::text(item).into_iter().collect()
                }
            })
            .collect();
    };
    let unit = node::first_text(map, &["unitText", "unitCode"]).unwrap_or_default();
    ["maxValue", "value", "@value", "name", "text", "duration", "minValue"]
        .iter()
        .filter_map(|key| node::first_text(map, &[key]))
        .map(|text| if text.contains(char::is_alphabetic) { text } else { format!("{text} {unit}") })
        .collect()
}

fn parse(text: &str) -> Option<u32> {
    let thousandths = iso(text).or_else(|| clock(text)).or_else(|| prose(text))?;
    let minutes = (thousandths + MINUTE * 1000 - 1) / (MINUTE * 1000);
    u32::try_from(minutes).ok().filter(|minutes| i64::from(*minutes) <= LONGEST_MINUTES)
}

/// Thousandths of a second in `PnYnMnWnDTnHnMnS`, also without its `T` or its last letter.
fn iso(text: &str) -> Option<i64> {
    let compact: String =
        text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let mut rest =
        compact.strip_prefix('P').or_else(|| compact.starts_with('T').then_some(compact.as_str()))?;
    let timeless = !rest.contains('T');
    let (mut in_time, mut last, mut sum) = (false, DAY, None);
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('T') {
            (in_time, rest) = (true, tail);
            continue;
        }
        let (amount, tail) = leading_number(rest)?;
        last = match tail.chars().next() {
            Some('Y') if !in_time => YEAR,
            Some('M') if in_time || timeless => MINUTE,
            Some('M') => MONTH,
            Some('W') if !in_time => WEEK,
            Some('D') if !in_time => DAY,
            Some('H') => HOUR,
            Some('S') => 1,
            None if last == MINUTE => 1,
            None => MINUTE,
            Some(_) => return None,
        };
        sum = Some(add(sum.unwrap_or(0), times(amount, last)?)?);
        rest = tail.get(1..).unwrap_or_default();
    }
    sum
}

/// `1:30` and `0:45:00`.
fn clock(text: &str) -> Option<i64> {
    let parts = text.trim().split(':').map(|part| part.parse::<u16>().ok()).collect::<Option<Vec<_>>>()?;
    let sound = matches!(parts.len(), 2 | 3) && parts.iter().skip(1).all(|part| *part < 60);
    let units = [HOUR, MINUTE, 1];
    sound.then(|| parts.iter().zip(units).map(|(part, unit)| i64::from(*part) * unit * 1000).sum())
}

struct Term {
    amount: Milli,
    unit: Option<i64>,
    ends_a_range: bool,
}

/// `1 hour 30 minutes`, `45 min to 1 h`, `half an hour`, `30`: of a range the longer end.
fn prose(text: &str) -> Option<i64> {
    let mut terms = terms(&tokens(&without_brackets(text)))?;
    let mut following: Option<(i64, bool)> = None;
    for at in (0..terms.len()).rev() {
        let before = at.checked_sub(1).and_then(|i| terms.get(i)).and_then(|term| term.unit);
        let term = terms.get_mut(at)?;
        let unit = match (term.unit, following) {
            (Some(unit), _) | (None, Some((unit, true))) => unit,
            (None, Some((_, false))) => return None,
            (None, None) if before == Some(HOUR) && term.amount.0 < 1000 => HOUR,
            (None, None) => MINUTE,
        };
        term.unit = Some(unit);
        following = Some((unit, term.ends_a_range));
    }
    total(&terms)
}

fn terms(tokens: &[Token]) -> Option<Vec<Term>> {
    let mut terms: Vec<Term> = Vec::new();
    let mut range = false;
    for (at, token) in tokens.iter().enumerate() {
        let open = terms.last_mut().filter(|term| term.unit.is_none());
        match (token, open) {
            (Token::Number(part), Some(open)) if !range && part.0 < 1000 => open.amount += *part,
            (Token::Number(_), Some(_)) if !range => return None,
            (Token::Number(amount), _) => {
                terms.push(Term { amount: *amount, unit: None, ends_a_range: range });
                range = false;
            }
            (Token::Range, _) => range = !terms.is_empty(),
            (Token::Word(word), Some(open)) => match unit(word) {
                Some(unit) => open.unit = Some(unit),
                None if matches!(word.as_str(), "a" | "an" | "and" | "or") => {}
                None => return None,
            },
            (Token::Word(word), None) if matches!(word.as_str(), "a" | "an") => {
                if matches!(tokens.get(at + 1), Some(Token::Word(next)) if unit(next).is_some()) {
                    terms.push(Term { amount: Milli::whole(1), unit: None, ends_a_range: range });
                    range = false;
                }
            }
            (Token::Word(_), None) | (Token::Mark(_), _) => {}
        }
    }
    Some(terms)
}

fn total(terms: &[Term]) -> Option<i64> {
    let (mut floor, mut sum, mut last, mut last_unit) = (0, None, 0, 0);
    for term in terms {
        let unit = term.unit?;
        let value = times(term.amount, unit)?;
        let before = sum.unwrap_or(0);
        sum = Some(if term.ends_a_range && unit > last_unit {
            floor = before.max(floor);
            value
        } else if term.ends_a_range {
            add(before, (value - last).max(0))?
        } else {
            add(before, value)?
        });
        (last, last_unit) = (value, unit);
    }
    sum.map(|sum| sum.max(floor))
}

fn unit(word: &str) -> Option<i64> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" | "sek" | "sekunden" | "secondes" | "segundos" => 1,
        "m" | "mn" | "min" | "mins" | "minute" | "minutes" | "minuten" | "minuto" | "minutos" | "minuti" => {
            MINUTE
        }
        "h" | "hr" | "hrs" | "hur" | "hour" | "hours" | "std" | "stunde" | "stunden" | "heure" | "heures"
        | "hora" | "horas" | "ora" | "ore" | "uur" => HOUR,
        "d" | "day" | "days" | "tag" | "tage" | "jour" | "jours" | "día" | "días" | "dag" | "dagen" => DAY,
        "w" | "wk" | "week" | "weeks" | "woche" | "wochen" => WEEK,
        "month" | "months" | "monat" | "monate" => MONTH,
        _ => return None,
    })
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let outside = text.chars().filter(|c| {
        depth += usize::from(*c == '(');
        let keep = depth == 0;
        depth = depth.saturating_sub(usize::from(*c == ')'));
        keep
    });
    outside.collect()
}

fn times(amount: Milli, unit: i64) -> Option<i64> {
    amount.0.checked_mul(unit)
}

fn add(a: i64, b: i64) -> Option<i64> {
    a.checked_add(b).filter(|sum| *sum < i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn durations_in_every_spelling() {
        for (text, expected) in [
            ("PT1H30M", 90),
            ("P0DT0H45M", 45),
            ("PT90M", 90),
            ("PT1.5H", 90),
            ("PT1,5H", 90),
            ("P1DT2H", 1560),
            ("PT0S", 0),
            ("P0Y0M0DT0H35M0.000S", 35),
            ("PT20S", 1),
            ("pt 1h 15m", 75),
            ("P45M", 45),
            ("P1M1DT1H", 31 * 1440 + 60),
            ("PT45", 45),
            ("PT1H30", 90),
            ("T20M", 20),
            ("P2W", 20160),
            ("P1H", 60),
            ("1 hour 30 minutes", 90),
            ("1 hour, 30 minutes", 90),
            ("1 Hr. 5 Mins.", 65),
            ("45 min", 45),
            ("45min", 45),
            ("1h", 60),
            ("1h30", 90),
            ("1h30m", 90),
            ("1:30", 90),
            ("0:45:00", 45),
            ("30", 30),
            ("~30 minutes", 30),
            ("about an hour", 60),
            ("half an hour", 30),
            ("1 and a half hours", 90),
            ("one and a half hours", 90),
            ("1 1/2 hours", 90),
            ("1½ hours", 90),
            ("2.5 hrs", 150),
            (".5 hours", 30),
            ("30-40 minutes", 40),
            ("30 to 40 minutes", 40),
            ("30–40", 40),
            ("1-2 hours", 120),
            ("45 minutes to 1 hour", 60),
            ("1 hour 15 minutes to 1 hour 30 minutes", 90),
            ("1 hour 15 to 20 minutes", 80),
            ("1 hour to 90 minutes", 90),
            ("20 minutes plus 2 hours chilling", 140),
            ("1 hour (60 minutes)", 60),
            ("1 Std. 10 Min.", 70),
            ("2 days", 2880),
        ] {
            assert_eq!(minutes(&json!(text)), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_handed_back() {
        for text in
            ["soon", "overnight", "3 potatoes", "P", "PT", "PTM", "P1X", "30 40", "1:75", "P99999999Y"]
        {
            assert_eq!(minutes(&json!(text)), Err(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_in_every_shape() {
        for (value, expected) in [
            (json!(45), Some(45)),
            (json!(12.5), Some(13)),
            (json!(null), None),
            (json!(""), None),
            (json!([]), None),
            (json!({}), None),
            (json!(false), None),
            (json!([null, "PT5M"]), Some(5)),
            (json!({"@type": "Duration", "@value": "PT10M"}), Some(10)),
            (json!({"@type": "Duration", "minValue": "PT10M", "maxValue": "PT15M"}), Some(15)),
            (json!({"@type": "Duration", "minValue": "PT10M"}), Some(10)),
            (json!({"@type": "QuantitativeValue", "value": 2, "unitCode": "HUR"}), Some(120)),
            (
                json!({"@type": "QuantitativeValue", "minValue": 10, "maxValue": 20, "unitText": "minutes"}),
                Some(20),
            ),
        ] {
            assert_eq!(minutes(&value), Ok(expected), "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0..10_000_u32) {
            prop_assert_eq!(minutes(&json!(to_iso(value))), Ok(Some(value)));
        }

        #[test]
        fn reading_never_panics(text in "[PT0-9HMS.,: a-z½-]{0,16}|[0-9]{0,20} (h|min|years|d) to .*|.*") {
            let _ = minutes(&json!(text));
        }
    }
}
