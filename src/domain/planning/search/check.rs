//! Refuses problems that make no sense or whose numbers could overflow, naming the place.

use super::compile::slopes;
use super::locks;
use super::problem::{Eater, Goal, Kinds, NUTRIENTS, Problem, Recipe};
use super::table::household;

/// Longest plan, in days.
pub const MAX_DAYS: usize = 28;
pub const MAX_EATERS: usize = 32;
pub const MAX_RECIPES: usize = 100_000;
pub const MAX_FOODS: usize = 60_000;
/// Most of a nutrient in a serving.
pub const MAX_AMOUNT: i32 = 1_000_000;
/// Largest amount of a goal.
pub const MAX_GOAL: i32 = 50_000_000;
/// Largest portion, in percent.
pub const MAX_PORTION: u16 = 1_000;
/// Largest price of anything but an empty meal.
pub const MAX_WEIGHT: i64 = 1_000_000_000;

const MAX_CLASS: u16 = 10_000;
const MAX_FOODS_OF_A_RECIPE: usize = 250;
const MAX_PORTIONS: usize = 64;
/// Meals that a quota may ask for.
const MAX_QUOTA: u32 = 10_000;
/// Most that each of a few parts of the objective may come to.
const MAX_PART: i128 = 1 << 58;
/// More than any day's amount of a nutrient is off its goal, counted up to eightfold.
const MAX_MISS: i128 = 1 << 29;

/// What is wrong with a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the problem.
    pub pointer: String,
    pub message: String,
    pub hint: String,
}

pub(super) type Checked = Result<(), Fault>;

/// Whether the problem can be compiled and solved; without recipes it can, and every meal is empty.
///
/// # Errors
/// The first place that is wrong.
pub fn check(problem: &Problem) -> Checked {
    sizes(problem)?;
    (0..problem.days.len()).try_for_each(|day| meals(problem, day))?;
    problem.eaters.iter().enumerate().try_for_each(|(e, eater)| eats(eater, e))?;
    problem.recipes.iter().enumerate().try_for_each(|(r, recipe)| cooks(problem, recipe, r))?;
    references(problem)?;
    rules(problem)?;
    weights(problem)?;
    locks::check(problem)?;
    sums(problem)
}

fn sizes(problem: &Problem) -> Checked {
    let within = |count: usize, least: usize, most: usize, pointer: &str, what: &str| {
        require((least..=most).contains(&count), pointer, || {
            (format!("there are {count} {what}"), format!("give {least} to {most}"))
        })
    };
    within(problem.days.len(), 1, MAX_DAYS, "/days", "days")?;
    within(problem.eaters.len(), 1, MAX_EATERS, "/eaters", "eaters")?;
    within(problem.recipes.len(), 0, MAX_RECIPES, "/recipes", "recipes")?;
    within(problem.foods.len(), 0, MAX_FOODS, "/foods", "foods")?;
    within(problem.pantry.len(), 0, MAX_FOODS, "/pantry", "lots")?;
    within(problem.quotas.len(), 0, 1000, "/quotas", "quotas")?;
    let chosen = problem.eaters.iter().flat_map(|eater| eater.portions.iter());
    let locked = problem.locks.iter().flat_map(|lock| lock.portions.iter().map(|(_, percent)| percent));
    let mut portions: Vec<u16> = chosen.chain(locked).copied().collect();
    portions.sort_unstable();
    portions.dedup();
    within(portions.len(), 0, MAX_PORTIONS, "/eaters", "different portions")
}

fn meals(problem: &Problem, day: usize) -> Checked {
    let mut seen = Kinds::NONE;
    for (m, meal) in problem.days[day].meals.iter().enumerate() {
        let at = || format!("/days/{day}/meals/{m}");
        require(!seen.has(meal.kind), at(), || {
            ("the meal is planned twice on one day", "plan each kind once a day")
        })?;
        seen = seen.with(meal.kind);
        let mut eaters = meal.eaters.clone();
        eaters.sort_unstable();
        eaters.dedup();
        let known = eaters.last().is_none_or(|&e| (e as usize) < problem.eaters.len());
        require(known && eaters.len() == meal.eaters.len(), at() + "/eaters", || {
            ("an eater does not exist or is named twice", "name each eater of the meal once")
        })?;
        let guests: u64 = meal.guests.iter().map(|guest| u64::from(guest.percent)).sum();
        require(guests <= 50_000, at() + "/guests", || {
            ("the guests eat too much", "give at most 50 000 % together")
        })?;
    }
    Ok(())
}

fn eats(eater: &Eater, e: usize) -> Checked {
    let portions = &eater.portions;
    let sound = !portions.is_empty() && portions.iter().all(|percent| (1..=MAX_PORTION).contains(percent));
    require(sound, format!("/eaters/{e}/portions"), || {
        ("there is no portion, or an absurd one", "give 1 to 1000 %")
    })?;
    for n in 0..NUTRIENTS {
        if let Some(goal) = &eater.goals[n] {
            aims(goal, &format!("/eaters/{e}/goals/{n}"))?;
        }
    }
    Ok(())
}

fn aims(goal: &Goal, at: &str) -> Checked {
    let given: Vec<i32> = [goal.min, goal.lo, goal.hi, goal.max].into_iter().flatten().collect();
    let sound = given.iter().all(|amount| (0..=MAX_GOAL).contains(amount));
    require(sound, at, || ("an amount is negative or absurdly large", "use 0 to 50 000 000 units"))?;
    require(given.is_sorted(), at, || ("the goal contradicts itself", "keep min <= lo <= hi <= max"))?;
    let sound = (1..=MAX_GOAL).contains(&goal.reference);
    require(sound, at, || ("the reference is not a daily amount", "give 1 to 50 000 000 units"))?;
    require((0..=1000).contains(&goal.importance), at, || ("the importance is absurd", "give 0 to 1000"))
}

fn cooks(problem: &Problem, recipe: &Recipe, r: usize) -> Checked {
    // Ten thousand sound recipes are not to cost a pointer each.
    match unsound(problem, recipe) {
        None => Ok(()),
        Some((field, message, hint)) => require(false, format!("/recipes/{r}/{field}"), || (message, hint)),
    }
}

/// The field of a recipe that is wrong, and what is.
fn unsound(problem: &Problem, recipe: &Recipe) -> Option<(&'static str, &'static str, &'static str)> {
    if !recipe.nutrients.iter().flatten().all(|amount| (0..=MAX_AMOUNT).contains(amount)) {
        return Some(("nutrients", "an amount is negative or absurdly large", "use 0 to 1 000 000 units"));
    }
    let foods = &recipe.foods;
    let known = foods.iter().all(|&(food, mass)| (food as usize) < problem.foods.len() && mass >= 0);
    if !known || foods.len() > MAX_FOODS_OF_A_RECIPE {
        return Some(("foods", "a food is not numbered, or there are too many", "give at most 250 foods"));
    }
    if foods.iter().enumerate().any(|(i, (food, _))| foods.iter().take(i).any(|(other, _)| other == food)) {
        return Some(("foods", "a food is listed twice", "add its amounts up"));
    }
    let classes = [("cuisine", recipe.cuisine), ("protein", recipe.protein)];
    let class = classes.into_iter().find(|(_, class)| class.is_some_and(|class| class >= MAX_CLASS));
    if let Some((field, _)) = class {
        return Some((field, "the class is not numbered", "number the classes from 0, below 10 000"));
    }
    if recipe.minutes.is_some_and(|minutes| minutes > 100_000) {
        return Some(("minutes", "it takes absurdly long", "give at most 100 000 minutes"));
    }
    if recipe.coverage_permille > 1000 || recipe.rating_x10.is_some_and(|rating| rating > 50) {
        return Some((
            "coverage_permille",
            "coverage or rating is out of range",
            "use 0 to 1000, and 0 to 50",
        ));
    }
    let preference = i64::from(recipe.preference).abs();
    (preference > MAX_WEIGHT).then_some(("preference", "the price is absurd", "use at most 1 000 000 000"))
}

fn references(problem: &Problem) -> Checked {
    let recipe = |recipe: u32| (recipe as usize) < problem.recipes.len();
    let day = |day: u32| (day as usize) < problem.days.len();
    let none = || ("there is no such day, recipe or food", "use the numbers of the problem");
    for (i, eaten) in problem.eaten.iter().enumerate() {
        require(recipe(eaten.recipe), format!("/eaten/{i}"), none)?;
    }
    for (i, current) in problem.current.iter().enumerate() {
        require(day(current.day) && current.recipe.is_none_or(recipe), format!("/current/{i}"), none)?;
    }
    for (i, lot) in problem.pantry.iter().enumerate() {
        let sound = (lot.food as usize) < problem.foods.len() && lot.mass >= 0;
        require(sound, format!("/pantry/{i}"), none)?;
    }
    for (i, shift) in problem.shifts.iter().enumerate() {
        let known = (shift.eater as usize) < problem.eaters.len() && usize::from(shift.nutrient) < NUTRIENTS;
        require(day(shift.day) && known, format!("/shifts/{i}"), none)?;
    }
    for (i, quota) in problem.quotas.iter().enumerate() {
        let sound = quota.first_day <= quota.last_day
            && day(quota.last_day)
            && quota.least <= quota.most
            && quota.least <= MAX_QUOTA;
        require(sound, format!("/quotas/{i}"), none)?;
    }
    for (i, food) in problem.foods.iter().enumerate() {
        let sound = food.price.is_none_or(|price| price >= 0);
        require(sound, format!("/foods/{i}/price"), || {
            ("a price is negative", "leave out what is not known")
        })?;
    }
    Ok(())
}

fn rules(problem: &Problem) -> Checked {
    let rules = &problem.rules;
    let sound = rules.repeat_gap_main_days <= 366
        && rules.repeat_gap_other_days <= 366
        && rules.leftover_uses <= 3
        && rules.leftover_max_days <= 28
        && rules.unrated_x10 <= 50
        && rules.unknown_minutes <= 100_000;
    require(sound, "/rules", || ("a rule is out of range", "gaps to 366 days, 3 uses of leftovers, 28 days"))
}

fn weights(problem: &Problem) -> Checked {
    let w = &problem.weights;
    let prices = [
        w.nutrition,
        w.rating_star,
        w.minute,
        w.leftover_excess,
        w.protein_same_day,
        w.cuisine_excess,
        w.protein_excess,
        w.money,
        w.over_budget,
        w.waste,
        w.item,
        w.coverage,
        w.unknown,
        w.unpriced,
        w.portion,
        w.repeat,
        w.change,
        w.leftover.abs(),
    ];
    let quotas = problem.quotas.iter().flat_map(|quota| [quota.price_missing, quota.price_excess]);
    let sound = prices.into_iter().chain(quotas).all(|price| (0..=MAX_WEIGHT).contains(&price));
    require(sound && (0..=1_000_000_000_000).contains(&w.empty), "/weights", || {
        ("a price is negative or absurdly large", "use 0 to 1 000 000 000")
    })?;
    let sound = problem.budget.is_none_or(|budget| (0..=1 << 50).contains(&budget));
    require(sound, "/budget", || ("the budget is negative or absurdly large", "leave it out for none"))
}

/// Bounds the parts of the objective that are sums of products.
fn sums(problem: &Problem) -> Checked {
    let w = &problem.weights;
    let goals = problem.eaters.iter().flat_map(|eater| eater.goals.iter().flatten());
    let steep = |goal: &Goal| {
        i128::from(goal.importance) * 1000 * i128::from(w.nutrition) / i128::from(goal.reference)
    };
    require(goals.map(steep).all(|slope| slope <= i128::from(u32::MAX)), "/eaters", || {
        ("a goal is too important for so small a reference", "use larger units or a smaller importance")
    })?;
    let days = problem.days.len() as i128;
    let nutrition: i128 = slopes(problem).map(|slope| i128::from(slope) * MAX_MISS * days).sum();
    require(nutrition <= MAX_PART, "/eaters", || {
        ("the goals are too important for their units", "use larger units or smaller importances")
    })?;
    let price = |food: u32| i128::from(problem.foods[food as usize].price.unwrap_or(0));
    let cost = |recipe: &Recipe| -> i128 {
        recipe.foods.iter().map(|&(food, mass)| i128::from(household(mass, 100_000)) * price(food)).sum()
    };
    let meals: usize = problem.days.iter().map(|day| day.meals.len()).sum();
    let spent = problem.recipes.iter().map(cost).max().unwrap_or(0) * meals as i128;
    let stocked: i128 = problem.pantry.iter().map(|lot| i128::from(lot.mass) * price(lot.food)).sum();
    let dear = i128::from(w.money.max(w.over_budget).max(w.waste).max(1));
    require(spent.saturating_add(stocked).saturating_mul(dear) <= 1 << 61, "/foods", || {
        ("amounts, prices and weights are too large together", "check the units of mass and price")
    })
}

/// A fault unless something holds.
pub(super) fn require<M: Into<String>, H: Into<String>>(
    holds: bool,
    pointer: impl Into<String>,
    words: impl FnOnce() -> (M, H),
) -> Checked {
    if holds {
        return Ok(());
    }
    let (message, hint) = words();
    Err(Fault { pointer: pointer.into(), message: message.into(), hint: hint.into() })
}
