//! Writes plans in the format of the instances.

use super::schema::letter;
use meal_planner::domain::planning::search::{Choice, Plan, Table};
use serde_json::Value;

/// `[[day, meal, "r", recipe] | [day, meal, "l", day of the dinner]]`.
pub(crate) fn solution(table: &Table, plan: &Plan) -> Value {
    let rows = plan.choices.iter().zip(&table.slots).filter_map(|(choice, slot)| {
        let letter = letter(slot.kind);
        match choice {
            Choice::Empty => None,
            Choice::Cook(recipe) => Some(serde_json::json!([slot.day, letter, "r", recipe])),
            Choice::Leftover(of) => {
                let day = table.slots.get(*of as usize)?.day;
                Some(serde_json::json!([slot.day, letter, "l", day]))
            }
        }
    });
    Value::Array(rows.collect())
}
