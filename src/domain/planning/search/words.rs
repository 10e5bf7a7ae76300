//! Amounts, days and lists in sentences.

use super::model::Model;
use super::problem::NUTRIENTS;
use crate::domain::measure::{Milli, Nutrients};
use chrono::NaiveDate;

/// "112 g protein", "2014 kcal"; a decimal below ten.
pub(super) fn amount(model: &Model<'_>, nutrient: usize, value: i64) -> String {
    let name = nutrient_name(nutrient);
    let tenths = Milli(value).scale(10, model.problem.unit).0;
    let number = if tenths < 100 { Milli(tenths * 100) } else { Milli::whole(Milli(tenths).scale(1, 10).0) };
    match name.rsplit_once('_') {
        Some((name, unit)) => format!("{number} {unit} {}", name.replace('_', " ")),
        None => format!("{number} {name}"),
    }
}

pub(super) fn nutrient_name(nutrient: usize) -> &'static str {
    const { assert!(Nutrients::NAMES.len() == NUTRIENTS) };
    Nutrients::NAMES.get(nutrient).copied().unwrap_or("nutrient")
}

/// "12.3" points of 10 000 each.
pub(super) fn points(cost: i64) -> String {
    Milli(Milli(cost).scale(1, 1000).0 * 100).to_string()
}

pub(super) fn weekday(date: NaiveDate) -> String {
    date.format("%A").to_string()
}

/// "a", "a and b", "a, b and c".
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
