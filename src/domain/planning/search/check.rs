//! What a problem must be before the search takes it: the bounds that keep every sum within 64 bits.

mod wishes;

use super::problem::{Eater, Goal, Problem, Recipe};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashSet;

pub const MAX_DAYS: usize = 28;
pub const MAX_EATERS: usize = 8;
pub const MAX_RECIPES: usize = 20_000;
pub const MAX_FOODS: usize = 100_000;
pub const MAX_INGREDIENTS: usize = 200;
pub const MAX_LOTS: usize = 10_000;
/// Largest nutrient value of a serving or a goal, as stored.
pub const MAX_NUTRIENT: i64 = 100_000_000;
/// Largest amount of one food in a serving, and (times 1000) in the pantry, as stored.
pub const MAX_MASS: i64 = 2_000_000;
pub const MAX_CENTS_PER_KG: i64 = 100_000;
pub const MAX_WEIGHT: i64 = 1_000_000;
pub const MAX_EMPTY_WEIGHT: i64 = 1_000_000_000;
pub const MAX_MINUTES: u32 = 10_080;

/// One thing that is wrong with a problem, where (a JSON pointer), and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("{pointer}: {message} ({hint})")]
pub struct Invalid {
    pub pointer: String,
    pub message: String,
    pub hint: String,
}

struct Findings(Vec<Invalid>);

impl Findings {
    fn unless(&mut self, holds: bool, pointer: impl Into<String>, message: impl Into<String>, hint: &str) {
        if !holds {
            self.0.push(Invalid { pointer: pointer.into(), message: message.into(), hint: hint.to_owned() });
        }
    }
}

impl Problem {
    /// Says everything that is wrong, or that the search can take it.
    ///
    /// # Errors
    /// A list, never empty, in the order of the fields.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings(Vec::new());
        self.check_days(&mut findings);
        self.check_sizes(&mut findings);
        let mut eaters = HashSet::new();
        for (i, eater) in self.eaters.iter().enumerate() {
            let at = format!("/eaters/{i}");
            findings.unless(
                eaters.insert(eater.id),
                format!("{at}/id"),
                "this eater is listed twice",
                "list each eater once",
            );
            self.check_eater(eater, &at, &mut findings);
        }
        let mut recipes = HashSet::new();
        for (i, recipe) in self.recipes.iter().enumerate() {
            let at = format!("/recipes/{i}");
            findings.unless(
                recipes.insert(recipe.id),
                format!("{at}/id"),
                "this recipe is listed twice",
                "list each recipe once",
            );
            self.check_recipe(recipe, &at, &mut findings);
        }
        self.check_stock(&mut findings);
        self.check_rules(&mut findings);
        self.check_locks(&recipes, &mut findings);
        if findings.0.is_empty() { Ok(()) } else { Err(findings.0) }
    }

    fn check_days(&self, findings: &mut Findings) {
        let days = self.days.len();
        findings.unless(days > 0, "/days", "there is no day to plan", "plan at least one day");
        findings.unless(
            days <= MAX_DAYS,
            "/days",
            format!("{days} days are more than {MAX_DAYS}"),
            "plan at most four weeks at a time",
        );
        for (i, pair) in self.days.windows(2).enumerate() {
            let follows = matches!(pair, [a, b] if a.date.succ_opt() == Some(b.date));
            findings.unless(
                follows,
                format!("/days/{}/date", i + 1),
                "the days do not follow each other",
                "list every day once, in order, with unplanned slots where nothing is to be cooked",
            );
        }
        for (i, day) in self.days.iter().enumerate() {
            let sane = day
                .slots
                .iter()
                .flatten()
                .all(|slot| slot.max_minutes.is_none_or(|minutes| minutes <= MAX_MINUTES));
            findings.unless(
                sane,
                format!("/days/{i}/slots"),
                "the cooking time is longer than a week",
                "give it in minutes",
            );
        }
    }

    fn check_sizes(&self, findings: &mut Findings) {
        findings.unless(!self.eaters.is_empty(), "/eaters", "nobody eats", "add a member to the household");
        findings.unless(
            !self.recipes.is_empty(),
            "/recipes",
            "there is no recipe",
            "add or import recipes first",
        );
        let sizes = [
            ("/eaters", self.eaters.len(), MAX_EATERS),
            ("/recipes", self.recipes.len(), MAX_RECIPES),
            ("/foods", self.foods.len(), MAX_FOODS),
            ("/pantry", self.pantry.len(), MAX_LOTS),
        ];
        for (pointer, size, limit) in sizes {
            findings.unless(
                size <= limit,
                pointer,
                format!("{size} are more than the {limit} the search takes"),
                "leave some out",
            );
        }
    }

    fn check_eater(&self, eater: &Eater, at: &str, findings: &mut Findings) {
        findings.unless(
            (1..=300).contains(&eater.portion_pct),
            format!("{at}/portion_pct"),
            "the usual portion is not within 1 to 300 %",
            "100 is one serving",
        );
        let known = eater.excluded_foods.iter().all(|&food| (food as usize) < self.foods.len());
        findings.unless(
            known,
            format!("{at}/excluded_foods"),
            "an excluded food is not in the list of foods",
            "use indices into foods",
        );
        for (n, goal) in eater.goals.iter().enumerate() {
            if let Some(goal) = goal {
                self.check_goal(goal, &format!("{at}/goals/{n}"), findings);
            }
        }
    }

    fn check_goal(&self, goal: &Goal, at: &str, findings: &mut Findings) {
        let bounds: Vec<i64> = [goal.min, goal.lo, goal.hi, goal.max].into_iter().flatten().collect();
        findings.unless(bounds.is_sorted(), at, "the bounds contradict each other", "min <= lo <= hi <= max");
        let sane = bounds.iter().all(|bound| (0..=MAX_NUTRIENT).contains(bound));
        findings.unless(
            sane,
            at,
            "a bound is negative or absurdly large",
            "give bounds per day in thousandths",
        );
        let reference = (self.unit..=MAX_NUTRIENT).contains(&goal.reference);
        findings.unless(
            reference,
            format!("{at}/reference"),
            "the reference is not at least one whole unit",
            "use the daily amount that counts as 100 %",
        );
        findings.unless(
            (0..=100).contains(&goal.importance),
            format!("{at}/importance"),
            "the importance is not within 0 to 100",
            "10 is usual",
        );
    }

    fn check_recipe(&self, recipe: &Recipe, at: &str, findings: &mut Findings) {
        let nutrients = recipe.nutrients.iter().flatten().all(|value| (0..=MAX_NUTRIENT).contains(value));
        findings.unless(
            nutrients,
            format!("{at}/nutrients"),
            "a nutrient is negative or absurdly large",
            "give them per serving in thousandths",
        );
        findings.unless(
            recipe.coverage <= 1000,
            format!("{at}/coverage"),
            "the coverage is above 1000 per mille",
            "1000 is all of it",
        );
        findings.unless(
            recipe.minutes <= MAX_MINUTES,
            format!("{at}/minutes"),
            "the cooking time is longer than a week",
            "give it in minutes",
        );
        findings.unless(
            recipe.rating_x10.is_none_or(|rating| rating <= 50),
            format!("{at}/rating_x10"),
            "the rating is above 50",
            "five stars are 50",
        );
        findings.unless(
            recipe.ingredients.len() <= MAX_INGREDIENTS,
            format!("{at}/ingredients"),
            "there are more than 200 ingredients",
            "split the recipe",
        );
        for (i, ingredient) in recipe.ingredients.iter().enumerate() {
            let known = (ingredient.food as usize) < self.foods.len();
            findings.unless(
                known,
                format!("{at}/ingredients/{i}/food"),
                "this food is not in the list of foods",
                "use indices into foods",
            );
            findings.unless(
                (0..=MAX_MASS).contains(&ingredient.mg),
                format!("{at}/ingredients/{i}/mg"),
                "the amount is negative or above two kilograms a serving",
                "give milligrams per serving",
            );
        }
    }

    fn check_stock(&self, findings: &mut Findings) {
        for (i, food) in self.foods.iter().enumerate() {
            let sane = food.cents_per_kg.is_none_or(|cents| (0..=MAX_CENTS_PER_KG).contains(&cents));
            findings.unless(
                sane,
                format!("/foods/{i}/cents_per_kg"),
                "the price is negative or above 1000 a kilogram",
                "give hundredths per kilogram",
            );
        }
        for (i, lot) in self.pantry.iter().enumerate() {
            let known = (lot.food as usize) < self.foods.len();
            findings.unless(
                known,
                format!("/pantry/{i}/food"),
                "this food is not in the list of foods",
                "use indices into foods",
            );
            findings.unless(
                (0..=MAX_MASS * 1000).contains(&lot.mg),
                format!("/pantry/{i}/mg"),
                "the amount is negative or above two tonnes",
                "give milligrams",
            );
        }
    }
}
