//! Why a slot stays empty, and which rules would have to give way.

use super::filters::{self, Faults};
use super::plan::{Choice, Plan};
use super::problem::{Kind, Problem};
use super::state::State;
use super::table::Table;

/// A hard rule that keeps recipes out of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The recipe takes too long, or nobody knows how long.
    Minutes,
    /// Its data are incomplete.
    Coverage,
    /// It was eaten lately.
    Eaten,
    /// The plan cooks it too close to the slot.
    Repeated,
    /// A rule for the day, such as "no meat".
    Tags,
    /// A food that somebody is never served.
    Excluded,
    Diet,
    /// It is meant for other meals of the day.
    Unsuitable,
    /// Never proposed to be relaxed.
    Allergens,
}

const RULES: [(Rule, Faults); 9] = [
    (Rule::Minutes, filters::MINUTES),
    (Rule::Coverage, filters::COVERAGE),
    (Rule::Eaten, filters::EATEN),
    (Rule::Repeated, filters::REPEATED),
    (Rule::Tags, filters::TAGS),
    (Rule::Excluded, filters::EXCLUDED),
    (Rule::Diet, filters::DIET),
    (Rule::Unsuitable, filters::UNSUITABLE),
    (Rule::Allergens, filters::ALLERGENS),
];

/// Why nothing is planned in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no such slot, or it is not empty.
    NotEmpty,
    Locked,
    NobodyEats,
    NoRecipes,
    /// Recipes fit, but every one would make the plan worse than none.
    Dearer {
        recipes: usize,
    },
    /// No recipe passes the rules.
    Rules {
        /// How many recipes break each rule, the most first.
        broken: Vec<(Rule, usize)>,
        /// The single rules, else the pairs, whose relaxing would let recipes in, and how many; the most first.
        relax: Vec<(Vec<Rule>, usize)>,
    },
}

/// What must not be eaten is not, even where somebody asks for it: the first such rule that a recipe breaks at a meal.
#[must_use]
pub fn forbidden(problem: &Problem, day: usize, kind: Kind, recipe: u32) -> Option<Rule> {
    let meal = problem.days.get(day)?.meals.iter().find(|meal| meal.kind == kind)?;
    let broken = filters::against(&filters::needs_of(problem, meal), problem.recipes.get(recipe as usize)?);
    RULES.iter().rev().find(|(_, bit)| broken & bit != 0).map(|(rule, _)| *rule)
}

/// Explains an empty slot of a plan.
#[must_use]
pub fn why_empty(problem: &Problem, table: &Table, plan: &Plan, slot: usize) -> Why {
    let Some(place) = table.slots.get(slot).filter(|_| plan.choices.get(slot) == Some(&Choice::Empty)) else {
        return Why::NotEmpty;
    };
    if place.eaters.is_empty() && place.guests == 0 {
        return Why::NobodyEats;
    }
    if place.locked.is_some() {
        return Why::Locked;
    }
    if problem.recipes.is_empty() {
        return Why::NoRecipes;
    }
    let sets = sets(problem, table, plan, slot);
    let free = sets.iter().filter(|&&set| set == 0).count();
    if free > 0 {
        return Why::Dearer { recipes: free };
    }
    let count = |&(rule, bit): &(Rule, Faults)| (rule, sets.iter().filter(|&&set| set & bit != 0).count());
    let mut broken: Vec<(Rule, usize)> =
        RULES.iter().map(count).filter(|(_, recipes)| *recipes > 0).collect();
    broken.sort_by_key(|&(rule, recipes)| (std::cmp::Reverse(recipes), rule));
    Why::Rules { broken, relax: relaxed(&sets) }
}

/// The rules that each recipe breaks in a slot, the plan's repeats included.
fn sets(problem: &Problem, table: &Table, plan: &Plan, slot: usize) -> Vec<Faults> {
    let state = State::of(table, plan);
    let place = &table.slots[slot];
    let meal =
        problem.days.get(place.day).and_then(|day| day.meals.iter().find(|meal| meal.kind == place.kind));
    let Some(meal) = meal else { return Vec::new() };
    let (needs, lately) =
        (filters::needs_of(problem, meal), filters::eaten_lately(problem, place.day, meal.kind));
    let set = |(r, recipe)| {
        let number = super::plan::number(r);
        filters::against(&needs, recipe)
            | filters::at(problem, meal, recipe)
            | if lately.binary_search(&number).is_ok() { filters::EATEN } else { 0 }
            | if state.repeats(slot, number) { filters::REPEATED } else { 0 }
    };
    problem.recipes.iter().enumerate().map(set).collect()
}

fn relaxed(sets: &[Faults]) -> Vec<(Vec<Rule>, usize)> {
    let rules = RULES.iter().filter(|(rule, _)| *rule != Rule::Allergens);
    let freed = |bits: Faults| sets.iter().filter(|&&set| set & !bits == 0).count();
    let mut found: Vec<(Vec<Rule>, usize)> =
        rules.clone().map(|&(rule, bit)| (vec![rule], freed(bit))).collect();
    found.retain(|(_, recipes)| *recipes > 0);
    if found.is_empty() {
        for (i, &(one, bit)) in rules.clone().enumerate() {
            let pairs = rules.clone().skip(i + 1).map(|&(two, other)| (vec![one, two], freed(bit | other)));
            found.extend(pairs.filter(|(_, recipes)| *recipes > 0));
        }
    }
    found.sort_by_key(|(rules, recipes)| (std::cmp::Reverse(*recipes), rules.clone()));
    found
}
