//! What a plan's cooked meals need, line by line.

use super::amount::Piece;
use super::context::Facts;
use super::merge::{Need, Reason};
use super::views::{KnownFood, KnownRecipe};
use crate::domain::foods::Aisle;
use crate::domain::ingredients::ResolvedLine;
use crate::domain::measure::Milli;
use crate::domain::planning::{Dish, Meal, MealPlan};

/// The needs, and remarks on what could not be looked up.
pub(super) fn needs(plan: &MealPlan, facts: &Facts) -> (Vec<Need>, Vec<String>) {
    let mut all = Vec::new();
    let mut remarks = Vec::new();
    for meal in &plan.meals {
        let Dish::Cook { recipe_id, recipe, servings } = &meal.dish else { continue };
        match facts.recipes.get(recipe_id) {
            Some(known) => {
                let bought = |line: &&ResolvedLine| {
                    let from_tap = line.food.as_ref().is_some_and(|food| food.as_str() == TAP);
                    !line.optional && !line.is_heading && !from_tap
                };
                let lines = known.lines.iter().filter(bought);
                all.extend(lines.map(|line| need(line, meal, known, servings.0, facts)));
            }
            None => {
                remarks.push(format!("{recipe} on {} was deleted; its ingredients are missing", meal.date))
            }
        }
    }
    (all, remarks)
}

/// `servings` in thousandths.
fn need(line: &ResolvedLine, meal: &Meal, recipe: &KnownRecipe, servings: i64, facts: &Facts) -> Need {
    let food = line.food.as_ref().and_then(|id| facts.foods.get(id));
    let grams = line.grams.map(|grams| grams.scale(servings, i64::from(recipe.servings.max(1)) * 1000));
    let written = if line.phrase.is_empty() { &line.raw } else { &line.phrase };
    Need {
        food: food.map(|food| food.id.to_string()),
        name: food.map_or_else(|| written.clone(), |food| food.name.clone()),
        aisle: food.map_or(Aisle::Other, |food| food.aisle).to_string(),
        grams,
        raw_line: line.raw.clone(),
        staple: food.is_some_and(|food| food.staple),
        piece: food.and_then(piece),
        density_g_per_ml: food.and_then(|food| food.density_g_per_ml),
        reason: Reason {
            date: meal.date,
            slot: meal.slot.to_string(),
            recipe: recipe.name.clone(),
            recipe_id: recipe.id,
            grams,
        },
    }
}

/// Lightest piece that one counts in a shop; berries and cloves are weighed.
const LIGHTEST_PIECE: Milli = Milli::whole(40);

/// Cans, heads and the like are bought whole, and so are things one counts.
fn piece(food: &KnownFood) -> Option<Piece> {
    let packed = ["can", "jar", "packet", "head"].into_iter();
    let packed =
        packed.filter_map(|name| Some(Piece { name: name.to_owned(), grams: *food.pieces.get(name)? }));
    let counted = matches!(food.aisle, Aisle::Produce | Aisle::DairyAndEggs);
    let each = food.pieces.get("each").filter(|grams| counted && **grams >= LIGHTEST_PIECE);
    packed.chain(each.map(|grams| Piece { name: food.name.clone(), grams: *grams })).next()
}

/// What comes out of the tap.
const TAP: &str = "water";

/// Aisles in the order one walks through them.
pub(super) fn aisle_rank(name: &str) -> u32 {
    let found = Aisle::ALL.iter().position(|aisle| aisle.to_string() == name);
    found.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX)
}
