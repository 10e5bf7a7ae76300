//! Why a slot stays empty: the rule, or the pair of rules, that took its last recipe.

use super::filters::{self, Rule, RuleSet};
use super::model::Model;
use super::problem::SlotRef;
use super::state::State;
use super::words::{list, weekday};
use schemars::JsonSchema;
use serde::Serialize;

/// How many of the slot's recipes a rule keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleCount {
    pub rule: Rule,
    pub recipes: usize,
}

/// A slot without a meal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmptySlot {
    pub at: SlotRef,
    /// Recipes meant for this slot, before any rule.
    pub recipes: usize,
    pub counts: Vec<RuleCount>,
    /// The fewest rules that keep all of them out together; none where a meal was possible but dearer than none.
    pub blocking: Vec<Rule>,
    pub sentence: String,
    /// What would help. Never that an allergen be risked.
    pub hint: String,
}

pub(super) fn explain_empty(state: &State<'_>, position: usize) -> EmptySlot {
    let model = state.model;
    let place = &model.positions[position];
    let broken = |recipe: usize| {
        let rules = filters::broken(model, position, recipe)?;
        Some(rules.with(Rule::RepeatGap, state.too_close_cooking(position, recipe).is_some()))
    };
    let sets: Vec<RuleSet> = (0..model.dishes.len()).filter_map(broken).collect();
    let count = |rule| RuleCount { rule, recipes: sets.iter().filter(|set| set.has(rule)).count() };
    let counts: Vec<RuleCount> = Rule::ALL.map(count).into_iter().filter(|count| count.recipes > 0).collect();
    let blocking = if sets.iter().any(|set| set.is_empty()) { Vec::new() } else { blocking(&sets, &counts) };
    let (sentence, hint) = words(model, position, &sets, &blocking);
    EmptySlot { at: place.at, recipes: sets.len(), counts, blocking, sentence, hint }
}

/// One rule that breaks for all, else a pair that does together, else every rule that breaks. Safety comes first.
fn blocking(sets: &[RuleSet], counts: &[RuleCount]) -> Vec<Rule> {
    if let Some(one) = counts.iter().find(|count| count.recipes == sets.len()) {
        return vec![one.rule];
    }
    for (i, first) in counts.iter().enumerate() {
        for second in counts.iter().skip(i + 1) {
            if sets.iter().all(|set| set.has(first.rule) || set.has(second.rule)) {
                return vec![first.rule, second.rule];
            }
        }
    }
    counts.iter().map(|count| count.rule).collect()
}

fn words(model: &Model<'_>, position: usize, sets: &[RuleSet], blocking: &[Rule]) -> (String, String) {
    let place = &model.positions[position];
    let (slot, day) = (place.slot.name(), weekday(place.at.date));
    let (left, hint) = (format!("{day}'s {slot} is empty"), format!("add {slot} recipes"));
    if sets.is_empty() {
        return (format!("{left}: no recipe is meant for {slot}"), hint);
    }
    let Some(first) = blocking.first() else {
        let hint = "check that the goals leave room for this meal".to_owned();
        return (format!("{left}: every {slot} recipe left would make the plan worse than none"), hint);
    };
    let minutes = place.max_minutes.unwrap_or(0);
    let hints: Vec<String> = blocking.iter().map(|&rule| advice(rule, slot)).collect();
    let what = if blocking.len() == 1 {
        let all = match sets.len() {
            1 => format!("the only {slot} recipe"),
            count => format!("all {count} {slot} recipes"),
        };
        format!("{all} {}", verdict(*first, sets.len(), minutes))
    } else {
        let mut rest: Vec<RuleSet> = sets.to_vec();
        let mut parts = Vec::new();
        for &rule in blocking {
            let before = rest.len();
            rest.retain(|set| !set.has(rule));
            if before > rest.len() {
                parts.push(format!(
                    "{} {}",
                    before - rest.len(),
                    verdict(rule, before - rest.len(), minutes)
                ));
            }
        }
        format!("of {} {slot} recipes {}", sets.len(), list(&parts))
    };
    (format!("{left}: {what}"), hints.join("; or "))
}

fn verdict(rule: Rule, count: usize, minutes: u32) -> String {
    let text = match rule {
        Rule::Allergen => (
            "contains an allergen of somebody who eats then",
            "contain an allergen of somebody who eats then",
        ),
        Rule::AllergensUnknown => {
            ("has allergens that are not completely known", "have allergens that are not completely known")
        }
        Rule::Diet => ("does not fit the diet", "do not fit the diet"),
        Rule::ExcludedFood => ("contains an excluded food", "contain an excluded food"),
        Rule::UnknownEnergy => ("has an unknown energy content", "have an unknown energy content"),
        Rule::Coverage => ("is not known well enough", "are not known well enough"),
        Rule::Minutes => {
            return format!("{} more than {minutes} minutes", if count == 1 { "takes" } else { "take" });
        }
        Rule::RecentlyEaten => ("was eaten lately", "were eaten lately"),
        Rule::RepeatGap => ("is cooked too close to it", "are cooked too close to it"),
    };
    (if count == 1 { text.0 } else { text.1 }).to_owned()
}

fn advice(rule: Rule, slot: &str) -> String {
    match rule {
        Rule::Allergen => format!("add {slot} recipes without these allergens"),
        Rule::AllergensUnknown => "complete the allergens of the recipes".to_owned(),
        Rule::Diet => format!("add {slot} recipes for this diet"),
        Rule::ExcludedFood => format!("add {slot} recipes without the excluded foods"),
        Rule::UnknownEnergy | Rule::Coverage => "complete the nutrition of the recipes".to_owned(),
        Rule::Minutes => format!("allow more minutes or add quicker {slot} recipes"),
        Rule::RecentlyEaten | Rule::RepeatGap => format!("add {slot} recipes or allow repeats sooner"),
    }
}
