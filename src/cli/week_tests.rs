//! Tests of a plan's printed form.

use super::*;
use serde_json::json;

fn sample() -> MealPlan {
    serde_json::from_value(json!({
        "id": "p", "start": "2026-11-23", "days": 2,
        "meals": [
            { "date": "2026-11-23", "slot": "dinner", "minutes": 40,
              "dish": { "kind": "cook", "recipe_id": "r", "recipe": "Lentil Bolognese", "servings": 4.5 },
              "portions": [{ "member": "a", "name": "Ann", "percent": 100 },
                           { "member": "b", "name": "Ben", "percent": 125 }] },
            { "date": "2026-11-24", "slot": "lunch",
              "dish": { "kind": "leftover", "recipe_id": "r", "recipe": "Lentil Bolognese",
                        "from_date": "2026-11-23", "from_slot": "dinner" }, "portions": [] },
            { "date": "2026-11-24", "slot": "dinner", "dish": { "kind": "empty", "why": "nothing fits" } },
        ],
        "totals": [{ "date": "2026-11-23", "member": "a", "name": "Ann", "per_nutrient": {
            "kcal": { "planned": 1980.5, "complete": true, "low": 1900, "high": 2100 },
            "protein_g": { "planned": 61.2, "complete": true, "min": 90 },
            "fat_g": { "planned": 95.0, "complete": false, "max": 80 },
            "fibre_g": { "planned": null, "complete": false, "min": 28 },
        } }],
        "unmet": [{ "sentence": "Ann gets too little protein." }],
    }))
    .unwrap()
}

#[test]
fn a_week_shows_days_dishes_portions_leftovers_and_gaps() {
    let text = render(&sample());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "DAY         LUNCH                 DINNER");
    assert_eq!(lines[2], "Mon 23 Nov                        Lentil Bolognese");
    assert_eq!(lines[3], "                                  cook 4.5 servings, 40");
    assert!(text.contains("Ann 100% Ben 125%") && text.contains("left from Mon dinner"), "{text}");
    assert!(text.contains("- (nothing fits)") && text.contains("- Ann gets too little protein."), "{text}");
}

#[test]
fn misses_are_marked_and_what_is_unknown_is_said() {
    let text = render(&sample());
    let row = text.lines().find(|line| line.contains("Ann  ")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["Mon", "23", "Nov", "Ann", "1980", "61", "▼", "?", "≥95", "▲", "?"]);
    assert!(text.contains("Ann a day: kcal 1900-2100, protein at least 90 g, fat at most 80 g"), "{text}");
}

#[test]
fn an_incomplete_sum_below_the_goal_is_not_called_a_miss() {
    let below = Amount { planned: Some(50.0), complete: false, min: Some(90.0), ..Amount::default() };
    assert_eq!(amount(Some(&below)), "≥50  ");
}
