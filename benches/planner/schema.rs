//! Reads planning instances.

use anyhow::Context;
use meal_planner::domain::planning::search::{
    Current, Day, Eaten, Eater, Food, Goal, Kind, Kinds, Lock, Locked, Lot, Meal, NUTRIENTS, Needs, Problem,
    Recipe, Rules, Weights,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Library {
    ingredients: Vec<IngredientJson>,
    recipes: Vec<RecipeJson>,
}

#[derive(Deserialize)]
struct IngredientJson {
    eur_per_kg: f64,
    staple: bool,
}

#[derive(Deserialize)]
struct RecipeJson {
    slots: Vec<String>,
    cuisine: String,
    protein: String,
    minutes: u32,
    shelf_days: u8,
    allergens: Vec<String>,
    diet: String,
    nutrients: [i32; NUTRIENTS],
    ingredients: Vec<(u32, i32)>,
}

#[derive(Deserialize)]
struct Instance {
    library: String,
    days: u32,
    persons: Vec<Person>,
    allergens: Vec<String>,
    diet: String,
    excluded_ingredients: Vec<u32>,
    max_minutes: Vec<BTreeMap<String, u32>>,
    skips: Vec<Skip>,
    locks: Vec<LockJson>,
    pantry: Vec<PantryJson>,
    budget_eur: i64,
    ratings_x10: Vec<u8>,
    history: Vec<u32>,
    rules: RulesJson,
    weights: WeightsJson,
}

#[derive(Deserialize)]
struct Person {
    portion_pct: u16,
    goals: [GoalJson; NUTRIENTS],
}

/// lo, hi, min, max, ref, importance.
type GoalJson = (Option<i32>, Option<i32>, Option<i32>, Option<i32>, i32, i32);

#[derive(Deserialize)]
struct Skip {
    day: u32,
    slot: String,
}

#[derive(Deserialize)]
struct LockJson {
    day: u32,
    slot: String,
    recipe: u32,
}

#[derive(Deserialize)]
struct PantryJson {
    ingredient: u32,
    grams: i32,
    expires_day: Option<i32>,
}

#[derive(Deserialize)]
struct RulesJson {
    repeat_gap_main_days: u32,
    repeat_gap_other_days: u32,
    cuisine_cap: u32,
    protein_week_cap: u32,
    leftover_max_shelf: u32,
}

#[derive(Deserialize)]
struct WeightsJson {
    rating_star: i64,
    minute: i64,
    shop_item: i64,
    eur: i64,
    eur_over_budget: i64,
    waste_eur: i64,
    cuisine_excess: i64,
    protein_same_day: i64,
    protein_week_excess: i64,
    leftover: i64,
}

/// Reads an instance and its library, which lies beside it.
///
/// # Errors
/// What cannot be read, in words.
pub(crate) fn read(path: &Path) -> anyhow::Result<Problem> {
    let instance: Instance = parse(path)?;
    let library: Library = parse(&path.with_file_name(&instance.library))?;
    Ok(problem(&instance, &library))
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

/// Numbers of names, in the order of their first use.
#[derive(Default)]
struct Names(BTreeMap<String, u16>);

impl Names {
    fn number(&mut self, name: &str) -> u16 {
        let next = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        *self.0.entry(name.to_owned()).or_insert(next)
    }

    fn bits(&mut self, names: &[String]) -> u64 {
        names.iter().fold(0, |bits, name| bits | 1 << (self.number(name) % 64))
    }
}

fn problem(instance: &Instance, library: &Library) -> Problem {
    let (mut allergens, mut cuisines, mut proteins) = (Names::default(), Names::default(), Names::default());
    let recipe = |(r, recipe): (usize, &RecipeJson)| Recipe {
        kinds: recipe.slots.iter().filter_map(|slot| kind(slot)).fold(Kinds::NONE, Kinds::with),
        minutes: Some(recipe.minutes),
        allergens: allergens.bits(&recipe.allergens),
        allergens_complete: true,
        diet: diet(&recipe.diet),
        nutrients: recipe.nutrients.map(Some),
        coverage_permille: 1000,
        foods: recipe.ingredients.clone(),
        leftover_days: recipe.shelf_days,
        rating_x10: instance.ratings_x10.get(r).copied(),
        cuisine: Some(cuisines.number(&recipe.cuisine)),
        protein: (recipe.protein != "none").then(|| proteins.number(&recipe.protein)),
        tags: 0,
        preference: 0,
    };
    let recipes = library.recipes.iter().enumerate().map(recipe).collect();
    let household = Needs {
        allergens: allergens.bits(&instance.allergens),
        diet: diet(&instance.diet),
        excluded_foods: instance.excluded_ingredients.clone(),
    };
    let eaten = instance.history.iter().map(|&recipe| Eaten { recipe, days_before: None });
    Problem {
        days: (0..instance.days).map(|day| meals(instance, day)).collect(),
        eaters: instance.persons.iter().map(eater).collect(),
        recipes,
        foods: library.ingredients.iter().map(food).collect(),
        pantry: pantry(instance),
        locks: instance.locks.iter().filter_map(lock).collect(),
        eaten: eaten.collect(),
        current: Vec::<Current>::new(),
        quotas: Vec::new(),
        household,
        rules: Rules {
            repeat_gap_main_days: instance.rules.repeat_gap_main_days,
            repeat_gap_other_days: instance.rules.repeat_gap_other_days,
            leftover_max_days: instance.rules.leftover_max_shelf,
            cuisine_cap: instance.rules.cuisine_cap,
            protein_cap: instance.rules.protein_week_cap,
            ..Rules::default()
        },
        weights: weights(&instance.weights),
        budget: Some(instance.budget_eur * 10_000),
        ..Problem::default()
    }
}

fn meals(instance: &Instance, day: u32) -> Day {
    let planned = |kind: &Kind| !instance.skips.iter().any(|s| s.day == day && s.slot == letter(*kind));
    let limits = instance.max_minutes.get(day as usize);
    let everybody = 0..u32::try_from(instance.persons.len()).unwrap_or(0);
    let meal = |kind: Kind| Meal {
        kind,
        max_minutes: limits.and_then(|limits| limits.get(letter(kind))).copied(),
        eaters: everybody.clone().collect(),
        guests: Vec::new(),
        forbidden_tags: 0,
        required_tags: 0,
    };
    Day { meals: Kind::ALL.into_iter().filter(planned).map(meal).collect() }
}

fn eater(person: &Person) -> Eater {
    let goal = |(lo, hi, min, max, reference, importance): GoalJson| {
        Some(Goal { lo, hi, min, max, reference, importance })
    };
    Eater { goals: person.goals.map(goal), portions: vec![person.portion_pct], needs: Needs::default() }
}

fn food(ingredient: &IngredientJson) -> Food {
    #[expect(clippy::cast_possible_truncation, reason = "prices a kilogram are small; reading only")]
    let price = (ingredient.eur_per_kg * 10.0).round_ties_even() as i32;
    Food { price: Some(price), staple: ingredient.staple }
}

/// The last entry of a food counts, as in `evaluate.py`.
fn pantry(instance: &Instance) -> Vec<Lot> {
    let lots: BTreeMap<u32, Lot> = instance
        .pantry
        .iter()
        .map(|lot| (lot.ingredient, Lot { food: lot.ingredient, mass: lot.grams, last_day: lot.expires_day }))
        .collect();
    lots.into_values().collect()
}

fn lock(lock: &LockJson) -> Option<Lock> {
    let kind = kind(&lock.slot)?;
    Some(Lock { day: lock.day, kind, dish: Locked::Recipe(lock.recipe), portions: Vec::new() })
}

fn weights(weights: &WeightsJson) -> Weights {
    Weights {
        rating_star: weights.rating_star,
        minute: weights.minute,
        leftover: weights.leftover,
        protein_same_day: weights.protein_same_day,
        cuisine_excess: weights.cuisine_excess,
        protein_excess: weights.protein_week_excess,
        money: weights.eur,
        over_budget: weights.eur_over_budget,
        waste: weights.waste_eur,
        item: weights.shop_item,
        ..Weights::default()
    }
}

fn kind(letter: &str) -> Option<Kind> {
    match letter {
        "B" => Some(Kind::Breakfast),
        "L" => Some(Kind::Lunch),
        "D" => Some(Kind::Dinner),
        "S" => Some(Kind::Snack),
        _ => None,
    }
}

pub(crate) const fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Breakfast => "B",
        Kind::Lunch => "L",
        Kind::Dinner => "D",
        Kind::Snack => "S",
    }
}

fn diet(name: &str) -> u8 {
    match name {
        "vegan" => 0,
        "vegetarian" => 1,
        "pescatarian" => 2,
        _ => 3,
    }
}
