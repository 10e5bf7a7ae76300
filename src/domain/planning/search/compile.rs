//! Makes the flat table of a problem that [`super::check()`] has accepted.

use super::band::{Amounts, Band, slope};
use super::check::MAX_GOAL;
use super::plan::{Choice, NONE, number};
use super::problem::{Eater, Goal, Kind, Locked, NUTRIENTS, Problem, Recipe};
use super::scale::Scale;
use super::slots::{self, Draft};
use super::table::{Details, Facts, NO_CLASS, Stock, StockLot, Table, household};

/// Compiles a problem; call [`super::check()`] first.
#[must_use]
pub fn compile(problem: &Problem) -> Table {
    let (percents, choices) = portions(problem);
    let usual: Vec<u8> = choices.iter().map(|steps| usual(&percents, steps)).collect();
    let drafts = slots::drafts(problem);
    let (stocks, lots, stock_of) = stocks(problem);
    let mut table = Table {
        days: problem.days.len(),
        eaters: problem.eaters.len(),
        slots: Vec::new(),
        groups: Vec::new(),
        places: Vec::new(),
        recipes: Vec::with_capacity(problem.recipes.len()),
        details: Vec::with_capacity(problem.recipes.len()),
        portion_prices: portion_prices(problem, &percents, &usual),
        unknown_prices: unknown_prices(problem),
        bands: bands(problem, &drafts),
        rows: rows(problem, &percents),
        scale: Scale::new(problem, &percents),
        fixed: slots::fixed(problem, &drafts, &percents),
        percents,
        choices,
        usual,
        foods: Vec::new(),
        masses: Vec::new(),
        food_counts: Vec::new(),
        food_prices: problem.foods.iter().map(|food| i64::from(food.price.unwrap_or(0))).collect(),
        users: Vec::new(),
        user_starts: Vec::new(),
        stocked: Vec::new(),
        stocks,
        lots,
        base_percent: 0,
        least_base: 0,
        cuisines: classes(problem, |recipe| recipe.cuisine),
        proteins: classes(problem, |recipe| recipe.protein),
        windows: 1,
        quotas: problem.quotas.clone(),
        budget: problem.budget,
        rules: problem.rules.clone(),
        weights: problem.weights.clone(),
    };
    table.windows = table.window(table.days.saturating_sub(1)) + 1;
    slots::place(problem, drafts, &mut table);
    table.base_percent = usual_percent(&table);
    for recipe in &problem.recipes {
        add(problem, recipe, &stock_of, &mut table);
    }
    table.least_base = table.recipes.iter().map(|facts| facts.base).min().unwrap_or(0);
    index_users(&mut table);
    slots::group(problem, &mut table);
    table
}

/// Lists the recipes of every food.
fn index_users(table: &mut Table) {
    let mut starts = vec![0u32; table.food_prices.len() + 1];
    table.foods.iter().for_each(|&food| starts[usize::from(food) + 1] += 1);
    for food in 0..table.food_prices.len() {
        starts[food + 1] += starts[food];
    }
    let mut next = starts.clone();
    let mut users = vec![0; table.foods.len()];
    for r in 0..table.recipes.len() {
        for &food in table.foods_of(r) {
            let place = &mut next[usize::from(food)];
            users[*place as usize] = number(r);
            *place += 1;
        }
    }
    table.users = users;
    table.user_starts = starts;
}

/// Every portion that somebody may get, and each eater's choices among them.
fn portions(problem: &Problem) -> (Vec<u16>, Vec<Vec<u8>>) {
    let chosen = problem.eaters.iter().flat_map(|eater| eater.portions.iter().copied());
    let locked = problem.locks.iter().flat_map(|lock| lock.portions.iter().map(|(_, percent)| *percent));
    let mut percents: Vec<u16> = chosen.chain(locked).collect();
    percents.sort_unstable();
    percents.dedup();
    if percents.is_empty() {
        percents.push(100);
    }
    let steps = |portions: &[u16]| {
        let mut steps: Vec<u8> = portions.iter().filter_map(|p| portion(&percents, *p)).collect();
        steps.sort_unstable();
        steps.dedup();
        if steps.is_empty() { vec![0] } else { steps }
    };
    let choices = problem.eaters.iter().map(|eater| steps(&eater.portions)).collect();
    (percents, choices)
}

/// The index of a portion.
pub(super) fn portion(percents: &[u16], percent: u16) -> Option<u8> {
    percents.binary_search(&percent).ok().and_then(|step| u8::try_from(step).ok())
}

/// The step nearest to a whole serving.
fn usual(percents: &[u16], steps: &[u8]) -> u8 {
    let off = |step: &&u8| percents[usize::from(**step)].abs_diff(100);
    steps.iter().min_by_key(off).copied().unwrap_or(0)
}

fn portion_prices(problem: &Problem, percents: &[u16], usual: &[u8]) -> Vec<i64> {
    let price = |usual: u8, percent: u16| {
        i64::from(percent.abs_diff(percents[usize::from(usual)])) * problem.weights.portion / 25
    };
    usual.iter().flat_map(|&usual| percents.iter().map(move |&percent| price(usual, percent))).collect()
}

fn unknown_prices(problem: &Problem) -> Vec<[i64; 256]> {
    let importance = |goals: &[Option<super::problem::Goal>; NUTRIENTS], set: usize| -> i64 {
        let unknown = goals.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1);
        unknown.filter_map(|(_, goal)| goal.map(|goal| i64::from(goal.importance))).sum()
    };
    let prices = |eater: &super::problem::Eater| {
        std::array::from_fn(|set| importance(&eater.goals, set) * problem.weights.unknown)
    };
    problem.eaters.iter().map(prices).collect()
}

fn bands(problem: &Problem, drafts: &[Draft<'_>]) -> Vec<Band> {
    let mut bands = Vec::with_capacity(problem.days.len() * problem.eaters.len());
    for day in 0..problem.days.len() {
        for (e, eater) in problem.eaters.iter().enumerate() {
            let eats = |draft: &&Draft<'_>| {
                draft.day == day
                    && draft.locked != Some(Choice::Empty)
                    && draft.meal.eaters.contains(&number(e))
            };
            let share = drafts.iter().filter(eats).map(|draft| draft.meal.kind.share()).sum();
            let goals = shifted(problem, eater, day, e);
            bands.push(Band::new(&goals, share, problem.weights.nutrition));
        }
    }
    bands
}

/// The goals of an eater on one day.
fn shifted(problem: &Problem, eater: &Eater, day: usize, e: usize) -> [Option<Goal>; NUTRIENTS] {
    let mut goals = eater.goals;
    for shift in problem.shifts.iter().filter(|shift| (shift.day as usize, shift.eater as usize) == (day, e))
    {
        let Some(Some(goal)) = goals.get_mut(usize::from(shift.nutrient)) else { continue };
        for amount in [&mut goal.lo, &mut goal.hi, &mut goal.min, &mut goal.max].into_iter().flatten() {
            *amount = amount.saturating_add(shift.amount).clamp(0, MAX_GOAL);
        }
    }
    goals
}

/// What everybody's portions of every recipe hold.
fn rows(problem: &Problem, percents: &[u16]) -> Vec<Amounts> {
    let mut rows = Vec::with_capacity(problem.recipes.len() * percents.len());
    for recipe in &problem.recipes {
        let serving = recipe.nutrients.map(|amount| amount.unwrap_or(0));
        for &percent in percents {
            // At most 10^6 units and 1000 %: the product stays below 2^31.
            rows.push(serving.map(|amount| (amount * i32::from(percent) + 50) / 100));
        }
    }
    rows
}

/// The pantry by food, the first to expire first; and for each food its stock.
fn stocks(problem: &Problem) -> (Vec<Stock>, Vec<StockLot>, Vec<u32>) {
    let staple = |food: u32| problem.foods.get(food as usize).is_none_or(|food| food.staple);
    let mut sorted: Vec<_> = problem.pantry.iter().filter(|lot| !staple(lot.food)).collect();
    sorted.sort_by_key(|lot| (lot.food, lot.last_day.unwrap_or(i32::MAX), lot.mass));
    let (mut stocks, mut lots): (Vec<Stock>, Vec<StockLot>) = (Vec::new(), Vec::new());
    let mut stock_of = vec![NONE; problem.foods.len()];
    for lot in sorted {
        let food = lot.food as usize;
        if stock_of[food] == NONE {
            stock_of[food] = number(stocks.len());
            let price = i64::from(problem.foods[food].price.unwrap_or(0));
            stocks.push(Stock { price, lots: lots.len()..lots.len() });
        }
        lots.push(StockLot { mass: i64::from(lot.mass), last_day: lot.last_day.unwrap_or(i32::MAX) });
        if let Some(stock) = stocks.last_mut() {
            stock.lots.end = lots.len();
        }
    }
    (stocks, lots, stock_of)
}

fn classes(problem: &Problem, class: impl Fn(&Recipe) -> Option<u16>) -> usize {
    problem.recipes.iter().filter_map(class).map(|class| usize::from(class) + 1).max().unwrap_or(0)
}

/// The most usual total of portions at a meal.
fn usual_percent(table: &Table) -> u32 {
    let mut totals: Vec<u32> = (0..table.slots.len()).map(|slot| table.percent(slot, &table.usual)).collect();
    totals.sort_unstable();
    let runs = totals.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
    runs.and_then(|run| run.first()).copied().unwrap_or(0)
}

/// Appends the facts of a recipe.
fn add(problem: &Problem, recipe: &Recipe, stock_of: &[u32], table: &mut Table) {
    let (first_food, first_stock) = (number(table.foods.len()), number(table.stocked.len()));
    let (mut cost, mut unpriced) = (0, 0);
    for &(food, mass) in &recipe.foods {
        let known = problem.foods[food as usize];
        if known.staple || mass <= 0 {
            continue;
        }
        unpriced += i64::from(known.price.is_none());
        match stock_of[food as usize] {
            NONE => {
                // Foods are fewer than 2^16, which `check` sees to.
                table.foods.push(u16::try_from(food).unwrap_or(u16::MAX));
                table.masses.push(mass);
                cost += household(mass, table.base_percent) * table.food_prices[food as usize];
            }
            stock => table.stocked.push((stock, mass)),
        }
    }
    let (rules, weights) = (&problem.rules, &problem.weights);
    let stars = i64::from(50 - i32::from(recipe.rating_x10.unwrap_or(rules.unrated_x10)));
    let rating = stars * weights.rating_star / 10;
    let missing = i64::from((1000 - i32::from(recipe.coverage_permille)).max(0));
    let coverage = missing * weights.coverage / 10 + unpriced * weights.unpriced;
    let preference = i64::from(recipe.preference);
    let unknown = recipe.nutrients.iter().enumerate().filter(|(_, amount)| amount.is_none());
    let count = |from: u32, to: usize| u16::try_from(to - from as usize).unwrap_or(u16::MAX);
    table.food_counts.push(u8::try_from(table.foods.len() - first_food as usize).unwrap_or(u8::MAX));
    table.details.push(Details { rating, preference });
    table.recipes.push(Facts {
        base: rating + coverage + preference,
        effort: i64::from(recipe.minutes.unwrap_or(rules.unknown_minutes)) * weights.minute,
        cost,
        tags: recipe.tags,
        foods: first_food,
        stocks: first_stock,
        food_count: count(first_food, table.foods.len()),
        stock_count: count(first_stock, table.stocked.len()),
        cuisine: recipe.cuisine.unwrap_or(NO_CLASS),
        protein: recipe.protein.unwrap_or(NO_CLASS),
        leftover_days: recipe.leftover_days.min(u8::try_from(rules.leftover_max_days).unwrap_or(u8::MAX)),
        unknown: unknown.fold(0, |set, (n, _)| set | 1 << n),
    });
}

/// Slopes of all goals of the problem, for the bounds that `check` keeps.
pub(super) fn slopes(problem: &Problem) -> impl Iterator<Item = u32> + '_ {
    let goals = problem.eaters.iter().flat_map(|eater| eater.goals.iter().flatten());
    goals.map(|goal| slope(goal, problem.weights.nutrition))
}

/// What a lock puts into its slot; `at` finds slots.
pub(super) fn locked(dish: Locked, at: impl Fn(u32, Kind) -> Option<usize>) -> Choice {
    match dish {
        Locked::Recipe(recipe) => Choice::Cook(recipe),
        Locked::Empty => Choice::Empty,
        Locked::LeftoverOf { day, kind } => {
            at(day, kind).map_or(Choice::Empty, |of| Choice::Leftover(number(of)))
        }
    }
}
