//! Whether the locks of a problem can stand beside each other.

use super::check::{Checked, MAX_PORTION, require};
use super::problem::{Kind, Lock, Locked, Problem};

/// Checks every lock.
pub(super) fn check(problem: &Problem) -> Checked {
    problem.locks.iter().enumerate().try_for_each(|(l, lock)| sound(problem, lock, l))
}

fn sound(problem: &Problem, lock: &Lock, l: usize) -> Checked {
    let at = format!("/locks/{l}");
    let planned =
        problem.days.get(lock.day as usize).is_some_and(|day| day.meals.iter().any(|m| m.kind == lock.kind));
    require(planned, &at, || ("no such meal is planned on that day", "lock a planned meal"))?;
    let twice = problem.locks[..l].iter().any(|other| (other.day, other.kind) == (lock.day, lock.kind));
    require(!twice, &at, || ("the meal is locked twice", "lock each meal once"))?;
    let known = |&(eater, percent): &(u32, u16)| {
        (eater as usize) < problem.eaters.len() && (1..=MAX_PORTION).contains(&percent)
    };
    require(lock.portions.iter().all(known), format!("{at}/portions"), || {
        ("an eater does not exist, or the portion is absurd", "give 1 to 1000 % to eaters of the problem")
    })?;
    match lock.dish {
        Locked::Empty => Ok(()),
        Locked::Recipe(recipe) => {
            require((recipe as usize) < problem.recipes.len(), format!("{at}/dish"), || {
                ("there is no such recipe", "use the number of a recipe")
            })
        }
        Locked::LeftoverOf { day, kind } => leftover(problem, lock, (day, kind), &at),
    }
}

fn leftover(problem: &Problem, lock: &Lock, of: (u32, Kind), at: &str) -> Checked {
    let cooked = problem.locks.iter().find(|other| (other.day, other.kind) == of);
    let is_recipe = cooked.is_some_and(|cooked| matches!(cooked.dish, Locked::Recipe(_)));
    require(is_recipe, at, || ("what it is left of is not locked", "lock the cooking to its recipe first"))?;
    let rules = &problem.rules;
    let apart = lock.day.checked_sub(of.0).is_some_and(|days| (1..=rules.leftover_max_days).contains(&days));
    let allowed = apart && rules.leftover_from.has(of.1) && rules.leftover_into.has(lock.kind);
    require(allowed, at, || {
        ("the rules do not let this meal eat those leftovers", "see the rules for leftovers")
    })?;
    let dish = lock.dish;
    let eaters: Vec<&Lock> = problem.locks.iter().filter(|other| other.dish == dish).collect();
    let same_day = eaters.iter().filter(|other| other.day == lock.day).count();
    let few = eaters.len() <= usize::from(rules.leftover_uses) && same_day == 1;
    require(few, at, || ("more meals eat those leftovers than may", "at most one a day, and not too many"))
}
