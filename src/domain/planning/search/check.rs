//! Refuses problems that make no sense, naming the place, before any search is spent on them.

use super::problem::{Goal, Problem};
use crate::domain::invalid::Invalid;
use std::collections::BTreeSet;

/// Longest plan, in days.
pub const MAX_DAYS: usize = 28;
/// Most people a plan is for.
pub const MAX_EATERS: usize = 32;
/// Most recipes to choose from.
pub const MAX_RECIPES: usize = 100_000;
/// Largest amount of a goal or a serving, in thousandths of the nutrient's unit.
pub const MAX_AMOUNT: i64 = 1_000_000_000;
/// Largest weight, in percent.
pub const MAX_WEIGHT: u32 = 10_000;

const MAX_FOODS: usize = 1_000_000;

type Checked = Result<(), Invalid>;

/// Whether the problem can be solved as it stands; without recipes it can, and every meal is empty.
///
/// # Errors
/// Names the first place that is wrong, as a JSON pointer into the problem.
pub fn check(problem: &Problem) -> Checked {
    sizes(problem)?;
    for (d, day) in problem.days.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (m, meal) in day.meals.iter().enumerate() {
            if !seen.insert(meal.slot) {
                return wrong(
                    format!("/days/{d}/meals/{m}"),
                    format!("{} is planned twice on one day", meal.slot),
                    "give each slot once a day",
                );
            }
        }
    }
    eaters(problem)?;
    recipes(problem)?;
    places(problem)?;
    weights(problem)
}

fn sizes(problem: &Problem) -> Checked {
    if problem.days.is_empty() || problem.days.len() > MAX_DAYS {
        return wrong("/days", format!("{} days cannot be planned", problem.days.len()), "plan 1 to 28 days");
    }
    let follow = problem.days.windows(2).position(|two| two[0].date.succ_opt() != Some(two[1].date));
    if let Some(d) = follow {
        return wrong(
            format!("/days/{}", d + 1),
            "the date does not follow the day before",
            "give consecutive days",
        );
    }
    if problem.eaters.is_empty() || problem.eaters.len() > MAX_EATERS {
        return wrong("/eaters", "there must be 1 to 32 eaters", "add somebody to the household");
    }
    if problem.recipes.len() > MAX_RECIPES {
        return wrong("/recipes", "there are more than 100 000 recipes", "choose among fewer recipes");
    }
    if problem.foods > MAX_FOODS {
        return wrong("/foods", "there are more than a million foods", "number only the foods that are used");
    }
    Ok(())
}

fn eaters(problem: &Problem) -> Checked {
    for (e, eater) in problem.eaters.iter().enumerate() {
        for (n, goal) in eater.goals.iter().enumerate() {
            if let Some(goal) = goal {
                sound(goal, &format!("/eaters/{e}/goals/{n}"))?;
            }
        }
        if eater.excluded.last().is_some_and(|&food| food >= problem.foods) {
            return wrong(
                format!("/eaters/{e}/excluded"),
                "a food is not numbered",
                "use numbers below the number of foods",
            );
        }
    }
    Ok(())
}

fn sound(goal: &Goal, pointer: &str) -> Checked {
    let given: Vec<i64> = [goal.min, goal.low, goal.high, goal.max].into_iter().flatten().collect();
    if given.iter().any(|amount| !(0..=MAX_AMOUNT).contains(amount)) {
        return wrong(pointer, "an amount is negative or absurdly large", "use 0 to 1 000 000 units");
    }
    if !given.is_sorted() {
        return wrong(pointer, "the goal contradicts itself", "keep min <= low <= high <= max");
    }
    if !(1..=10).contains(&goal.importance) {
        return wrong(format!("{pointer}/importance"), "the importance is not 1 to 10", "use 1 to 10");
    }
    Ok(())
}

fn recipes(problem: &Problem) -> Checked {
    for (r, recipe) in problem.recipes.iter().enumerate() {
        let at = |field: &str| format!("/recipes/{r}/{field}");
        if recipe.per_serving.iter().flatten().any(|amount| !(0..=MAX_AMOUNT).contains(amount)) {
            return wrong(
                at("per_serving"),
                "an amount is negative or absurdly large",
                "use 0 to 1 000 000 units",
            );
        }
        if recipe.foods.iter().any(|&(food, _)| food >= problem.foods) {
            return wrong(at("foods"), "a food is not numbered", "use numbers below the number of foods");
        }
        if recipe.coverage_permille > 1000 {
            return wrong(at("coverage_permille"), "more than everything is covered", "use 0 to 1000");
        }
        if recipe.stars.is_some_and(|stars| !(1..=5).contains(&stars)) {
            return wrong(at("stars"), "the stars are not 1 to 5", "use 1 to 5, or leave them out");
        }
    }
    Ok(())
}

fn places(problem: &Problem) -> Checked {
    let mut locked = BTreeSet::new();
    for (l, lock) in problem.locks.iter().enumerate() {
        let at = format!("/locks/{l}");
        let planned =
            problem.days.get(lock.day).is_some_and(|day| day.meals.iter().any(|meal| meal.slot == lock.slot));
        if !planned {
            return wrong(at, format!("no {} is planned on that day", lock.slot), "lock a planned meal");
        }
        if lock.recipe.is_some_and(|recipe| recipe >= problem.recipes.len()) {
            return wrong(format!("{at}/recipe"), "there is no such recipe", "use the index of a recipe");
        }
        if !locked.insert((lock.day, lock.slot)) {
            return wrong(at, "the meal is locked twice", "lock each meal once");
        }
    }
    for (e, eaten) in problem.eaten.iter().enumerate() {
        if eaten.recipe >= problem.recipes.len() {
            return wrong(
                format!("/eaten/{e}/recipe"),
                "there is no such recipe",
                "use the index of a recipe",
            );
        }
        if eaten.days_before == 0 {
            return wrong(
                format!("/eaten/{e}/days_before"),
                "the first day is not before itself",
                "count the day before as 1",
            );
        }
    }
    Ok(())
}

fn weights(problem: &Problem) -> Checked {
    let w = problem.weights;
    let all = [
        ("nutrition", w.nutrition),
        ("variety", w.variety),
        ("items", w.items),
        ("rating", w.rating),
        ("effort", w.effort),
        ("leftovers", w.leftovers),
        ("coverage", w.coverage),
    ];
    match all.into_iter().find(|&(_, weight)| weight > MAX_WEIGHT) {
        Some((name, _)) => {
            wrong(format!("/weights/{name}"), "the weight is absurd", "use 0 to 10 000 percent")
        }
        None => Ok(()),
    }
}

fn wrong(pointer: impl Into<String>, message: impl Into<String>, hint: &str) -> Checked {
    Err(Invalid::new(pointer, message, hint))
}
