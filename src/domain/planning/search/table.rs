//! The problem as flat tables: what the search looks up a million times is computed once.

use super::check::MAX_AMOUNT;
use super::filters::{self, Faults};
use super::objective::{Band, Prices, share, unknown_costs};
use super::problem::{Candidate, PORTIONS, Problem};
use crate::domain::recipes::slots::MealSlot;

/// "No recipe" and "not a leftover" in the flat arrays.
pub(super) const NONE: u32 = u32::MAX;
/// Index of 100 % in `PORTIONS`.
pub(super) const WHOLE: u8 = 1;
/// Leftover meals that one cooking serves at most.
pub(super) const MAX_LEFTOVERS: u8 = 2;

/// A plan as flat arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Recipe by meal, or `NONE`.
    pub(super) recipe: Vec<u32>,
    /// The meal it was cooked at, for leftovers; else `NONE`.
    pub(super) of: Vec<u32>,
    /// Index into `PORTIONS` by meal and eater.
    pub(super) portion: Vec<u8>,
}

impl Plan {
    pub(super) fn recipe_at(&self, meal: usize) -> Option<usize> {
        index(self.recipe[meal])
    }

    pub(super) fn cook_of(&self, meal: usize) -> Option<usize> {
        index(self.of[meal])
    }
}

pub(super) fn index(number: u32) -> Option<usize> {
    if number == NONE { None } else { usize::try_from(number).ok() }
}

pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// One meal of the plan.
#[derive(Clone, Debug)]
pub(super) struct MealFacts {
    pub(super) day: usize,
    pub(super) slot: MealSlot,
    pub(super) eaters: Vec<usize>,
    /// Recipes that may be cooked here.
    pub(super) cook: Vec<u32>,
    pub(super) locked: Option<Option<u32>>,
    /// Something is to be chosen: somebody eats it and it is not locked.
    pub(super) open: bool,
    /// Breakfasts and snacks may repeat at half the price.
    pub(super) mild: bool,
    pub(super) empty_cost: i64,
}

/// One recipe, priced.
#[derive(Clone, Debug)]
pub(super) struct RecipeFacts {
    /// By portion: the amounts eaten.
    pub(super) amounts: [[i64; 8]; 4],
    /// Nutrients without a value, as bits.
    pub(super) unknown: usize,
    pub(super) foods: Vec<usize>,
    main: u32,
    pub(super) leftover_days: usize,
    pub(super) rating: i64,
    pub(super) effort: i64,
    coverage: i64,
    eaten: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    pub(super) problem: &'a Problem,
    pub(super) prices: Prices,
    pub(super) meals: Vec<MealFacts>,
    pub(super) recipes: Vec<RecipeFacts>,
    pub(super) eaters: usize,
    pub(super) foods: usize,
    /// By day and eater.
    pub(super) bands: Vec<[Band; 8]>,
    /// By meal and recipe.
    pub(super) faults: Vec<Faults>,
    unknown_costs: Vec<Vec<i64>>,
    /// Range of meals by day.
    days: Vec<std::ops::Range<usize>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        let prices = Prices::of(problem);
        let eaten = filters::eaten_before(problem);
        let recipes: Vec<_> =
            problem.recipes.iter().zip(&eaten).map(|(r, e)| facts(problem, &prices, r, *e)).collect();
        let against = filters::tables(problem);
        let (mut meals, mut faults, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for (day, planned) in problem.days.iter().enumerate() {
            let first = meals.len();
            for meal in &planned.meals {
                let eaters: Vec<usize> = (0..problem.eaters.len())
                    .filter(|&e| problem.eaters[e].slots.contains(&meal.slot))
                    .collect();
                let row = faults.len();
                faults.extend(problem.recipes.iter().enumerate().map(|(r, recipe)| {
                    let alone = filters::at(problem, day, meal, recipe, eaten[r]);
                    eaters.iter().fold(alone, |all, &e| all | against[e][r])
                }));
                let cook = (0..recipes.len()).filter(|r| faults[row + r] == 0).map(number).collect();
                let lock = problem.locks.iter().find(|lock| lock.day == day && lock.slot == meal.slot);
                let locked = lock.map(|lock| lock.recipe.filter(|&r| r < recipes.len()).map(number));
                let open = locked.is_none() && !eaters.is_empty();
                meals.push(MealFacts {
                    day,
                    slot: meal.slot,
                    eaters,
                    cook,
                    locked,
                    open,
                    mild: matches!(meal.slot, MealSlot::Breakfast | MealSlot::Snack),
                    empty_cost: if open { prices.empty } else { 0 },
                });
            }
            days.push(first..meals.len());
        }
        let unknown_costs = problem.eaters.iter().map(|eater| unknown_costs(eater, &prices)).collect();
        let mut table = Self {
            problem,
            prices,
            meals,
            recipes,
            eaters: problem.eaters.len(),
            foods: problem.foods,
            bands: Vec::new(),
            faults,
            unknown_costs,
            days,
        };
        table.bands = (0..table.days.len() * table.eaters)
            .map(|cell| table.band(cell / table.eaters, cell % table.eaters))
            .collect();
        table
    }

    /// The goals of an eater for the meals he eats at home that day.
    fn band(&self, day: usize, eater: usize) -> [Band; 8] {
        let at_home = self.of_day(day).filter(|&m| {
            let meal = &self.meals[m];
            meal.locked != Some(None) && meal.eaters.contains(&eater)
        });
        let part = at_home.map(|m| share(self.meals[m].slot)).sum::<i64>();
        let weight = self.problem.weights.nutrition;
        let goals = &self.problem.eaters[eater].goals;
        std::array::from_fn(|n| match &goals[n] {
            Some(goal) if part > 0 => Band::new(goal, part, weight),
            _ => Band::FREE,
        })
    }

    pub(super) fn of_day(&self, day: usize) -> std::ops::Range<usize> {
        self.days.get(day).cloned().unwrap_or(0..0)
    }

    pub(super) fn fault(&self, meal: usize, recipe: usize) -> Faults {
        self.faults[meal * self.recipes.len() + recipe]
    }

    /// Days from meal `a` to meal `b` or back.
    pub(super) fn apart(&self, a: usize, b: usize) -> usize {
        self.meals[a].day.abs_diff(self.meals[b].day)
    }

    /// What the dish's missing data costs at a meal.
    pub(super) fn coverage(&self, meal: usize, recipe: usize) -> i64 {
        let facts = &self.recipes[recipe];
        if facts.unknown == 0 {
            return facts.coverage;
        }
        let eaters = self.meals[meal].eaters.iter();
        facts.coverage + eaters.map(|&e| self.unknown_costs[e][facts.unknown]).sum::<i64>()
    }

    /// What cooking a recipe again costs that was eaten shortly before the plan.
    pub(super) fn since_eaten(&self, meal: usize, recipe: usize) -> i64 {
        let Some(before) = self.recipes[recipe].eaten else { return 0 };
        let days = self.meals[meal].day.saturating_add(usize::try_from(before).unwrap_or(usize::MAX));
        if days > 7 { 0 } else { self.prices.again[days] / if self.meals[meal].mild { 2 } else { 1 } }
    }

    /// What two meals being alike costs.
    pub(super) fn pair(&self, plan: &Plan, a: usize, b: usize) -> i64 {
        let (Some(one), Some(two)) = (plan.recipe_at(a), plan.recipe_at(b)) else { return 0 };
        if one == two {
            let days = self.apart(a, b);
            if plan.of[a] != NONE || plan.of[b] != NONE {
                return if days == 0 { self.prices.again[2] } else { 0 };
            }
            let mild = self.meals[a].mild && self.meals[b].mild;
            return self.prices.again[days.min(7)] / if mild { 2 } else { 1 };
        }
        let (main, other) = (self.recipes[one].main, self.recipes[two].main);
        if main != other || main == NONE {
            return 0;
        }
        self.prices.alike.get(self.apart(a, b)).copied().unwrap_or(0)
    }

    /// What an eater eats in a day, from scratch.
    pub(super) fn sums(&self, plan: &Plan, day: usize, eater: usize) -> [i64; 8] {
        let mut sums = [0; 8];
        for m in self.of_day(day).filter(|&m| self.meals[m].eaters.contains(&eater)) {
            if let Some(r) = plan.recipe_at(m) {
                let portion = usize::from(plan.portion[m * self.eaters + eater]);
                sums.iter_mut()
                    .zip(self.recipes[r].amounts[portion])
                    .for_each(|(sum, amount)| *sum += amount);
            }
        }
        sums
    }
}

fn facts(problem: &Problem, prices: &Prices, recipe: &Candidate, eaten: Option<u32>) -> RecipeFacts {
    let portion = |p: usize, n: usize| {
        let amount = recipe.per_serving[n].unwrap_or(0).clamp(0, MAX_AMOUNT);
        (amount * i64::from(PORTIONS[p]) + 50) / 100
    };
    let mut foods: Vec<usize> =
        recipe.foods.iter().map(|&(food, _)| food).filter(|f| *f < problem.foods).collect();
    foods.sort_unstable();
    foods.dedup();
    let main =
        recipe.foods.iter().max_by_key(|&&(food, amount)| (amount, food)).map_or(NONE, |&(f, _)| number(f));
    let stars = i64::from(recipe.stars.unwrap_or(3).clamp(1, 5));
    let minutes = i64::from(recipe.minutes.unwrap_or(30).min(1440));
    RecipeFacts {
        amounts: std::array::from_fn(|p| std::array::from_fn(|n| portion(p, n))),
        unknown: (0..8).filter(|&n| recipe.per_serving[n].is_none()).map(|n| 1 << n).sum(),
        foods,
        main,
        leftover_days: usize::try_from(recipe.leftover_days).unwrap_or(usize::MAX),
        rating: (5 - stars) * prices.star,
        effort: minutes * prices.half_hour / 30,
        coverage: i64::from(1000 - recipe.coverage_permille.min(1000)) * prices.coverage / 10,
        eaten,
    }
}
