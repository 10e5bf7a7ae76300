//! Why a meal stays empty: the rule, or the pair of rules, that no recipe passes.

use super::filters::{ALLERGENS, COVERAGE, DIET, EATEN, EXCLUDED, Faults, MINUTES, SLOT};
use super::state::State;
use super::table::Table;

/// In the order in which they are blamed.
const RULES: [Faults; 6] = [MINUTES, COVERAGE, EATEN, EXCLUDED, DIET, ALLERGENS];

/// One sentence about an empty meal, without a full stop.
pub(super) fn why(state: &State<'_>, meal: usize) -> String {
    let table = state.table;
    let facts = &table.meals[meal];
    let slot = facts.slot;
    if facts.locked == Some(None) {
        return "kept empty as you set it".to_owned();
    }
    if facts.eaters.is_empty() {
        return format!("nobody eats {slot} at home");
    }
    if table.recipes.is_empty() {
        return "there are no recipes to choose from".to_owned();
    }
    let faults: Vec<Faults> =
        (0..table.recipes.len()).map(|r| table.fault(meal, r)).filter(|fault| fault & SLOT == 0).collect();
    let all = faults.len();
    if all == 0 {
        return format!("no recipe suits {slot}");
    }
    let fit = faults.iter().filter(|&&fault| fault == 0).count();
    if fit > 0 {
        return blocked(state, meal, fit);
    }
    if let Some(&rule) = RULES.iter().find(|&&rule| faults.iter().all(|fault| fault & rule != 0)) {
        return format!("{} {}", counted("all", all, slot.as_str()), verb(table, meal, rule, all));
    }
    let pairs =
        RULES.iter().flat_map(|&one| RULES.iter().map(move |&two| (one, two))).filter(|(one, two)| one > two);
    for (one, two) in pairs {
        if faults.iter().all(|fault| fault & (one | two) != 0) {
            let by = faults.iter().filter(|&fault| fault & one != 0).count();
            return format!(
                "{by} of {all} are ruled out by {}, the rest by {}",
                name(table, meal, one),
                name(table, meal, two)
            );
        }
    }
    let by = |rule: Faults| faults.iter().filter(|&fault| fault & rule != 0).count();
    let parts: Vec<String> = RULES
        .iter()
        .filter(|&&rule| by(rule) > 0)
        .map(|&rule| format!("{} ({})", name(table, meal, rule), by(rule)))
        .collect();
    format!("{} are ruled out together by {}", counted("all", all, slot.as_str()), parts.join(", "))
}

/// Recipes pass every rule for the meal alone, and still it is empty.
fn blocked(state: &State<'_>, meal: usize, fit: usize) -> String {
    let facts = &state.table.meals[meal];
    if facts.cook.iter().any(|&recipe| state.may_cook(meal, recipe)) {
        return format!(
            "each of the {fit} recipes that fit would make the plan worse than an empty {}",
            facts.slot
        );
    }
    let gap = days(state.table.problem.repeat_gap_days);
    match fit {
        1 => format!("the only recipe that fits is cooked already within {gap}"),
        _ => format!("each of the {fit} recipes that fit is cooked already within {gap}"),
    }
}

/// "all 12 lunch recipes", "the only lunch recipe".
fn counted(all: &str, count: usize, slot: &str) -> String {
    if count == 1 { format!("the only {slot} recipe") } else { format!("{all} {count} {slot} recipes") }
}

fn days(count: u32) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

fn limit(table: &Table<'_>, meal: usize) -> u32 {
    let facts = &table.meals[meal];
    let planned =
        table.problem.days.get(facts.day).and_then(|day| day.meals.iter().find(|m| m.slot == facts.slot));
    planned.and_then(|meal| meal.max_minutes).unwrap_or(0)
}

/// The rule as what the recipes do.
fn verb(table: &Table<'_>, meal: usize, rule: Faults, count: usize) -> String {
    let s = if count == 1 { "s" } else { "" };
    let be = if count == 1 { "is" } else { "are" };
    match rule {
        MINUTES => {
            let limit = limit(table, meal);
            let slot = table.meals[meal].slot;
            let unknown =
                table.problem.recipes.iter().any(|r| r.slots.contains(&slot) && r.minutes.is_none());
            let or = if unknown {
                format!(", or do{} not say how long", if count == 1 { "es" } else { "" })
            } else {
                String::new()
            };
            format!("take{s} longer than {limit} minutes{or}")
        }
        COVERAGE => format!("{be} known to less than {} %", table.problem.min_coverage_permille.div_ceil(10)),
        EATEN => format!("{be} too soon after being eaten last"),
        _ => format!("{be} ruled out by {}", name(table, meal, rule)),
    }
}

/// The rule as a thing that rules recipes out.
fn name(table: &Table<'_>, meal: usize, rule: Faults) -> String {
    match rule {
        MINUTES => format!("the limit of {} minutes", limit(table, meal)),
        COVERAGE => "incomplete data".to_owned(),
        EATEN => "having been eaten lately".to_owned(),
        EXCLUDED => format!("foods that {} never served", people(table, meal, rule, " is", " are")),
        DIET => format!("{} diet", people(table, meal, rule, "'s", "'s")),
        _ => format!("{} allergens", people(table, meal, rule, "'s", "'s")),
    }
}

/// Those at the table who bring the rule.
fn people(table: &Table<'_>, meal: usize, rule: Faults, one: &str, many: &str) -> String {
    let slot = table.meals[meal].slot;
    let brings = |e: &&usize| {
        let eater = &table.problem.eaters[**e];
        let recipes = table.problem.recipes.iter().filter(|recipe| recipe.slots.contains(&slot));
        recipes.into_iter().any(|recipe| super::filters::against(eater, recipe) & rule != 0)
    };
    let names: Vec<&str> = table.meals[meal]
        .eaters
        .iter()
        .filter(brings)
        .map(|&e| table.problem.eaters[e].name.as_str())
        .collect();
    match names.split_last() {
        None => format!("somebody{one}"),
        Some((last, [])) => format!("{last}{one}"),
        Some((last, rest)) => format!("{} and {last}{many}", rest.join(", ")),
    }
}
