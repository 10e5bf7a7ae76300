//! What a dish is known by beside its nutrients: its kind of protein, and the tags that rules speak of.

use super::learned::{KnownFood, KnownRecipe};
use crate::domain::diet::Diet;
use crate::domain::foods::{Aisle, FoodId};
use std::collections::{BTreeMap, BTreeSet};

/// Words in the id of a food, and the kind of protein it is; the first that fits.
const PROTEINS: [(&[&str], &str); 11] = [
    (&["chicken", "turkey", "duck", "goose"], "poultry"),
    (&["beef", "veal", "steak"], "beef"),
    (&["pork", "ham", "bacon", "chorizo", "salami", "prosciutto"], "pork"),
    (&["lamb", "mutton", "goat"], "lamb"),
    (&["shrimp", "prawn", "mussel", "clam", "squid", "crab", "scallop"], "seafood"),
    (&["tofu", "tempeh", "edamame", "soy"], "soy"),
    (&["lentil", "chickpea", "bean", "beans", "lentils", "chickpeas", "hummus", "dal"], "legumes"),
    (&["egg", "eggs"], "eggs"),
    (&["cheese", "feta", "halloumi", "paneer", "mozzarella", "ricotta", "cottage"], "cheese"),
    (&["salmon", "tuna", "cod", "trout", "sardine", "sardines", "mackerel"], "fish"),
    (&["seitan"], "wheat"),
];
/// Less of it in a serving, in grams, does not make the dish.
const LEAST_GRAMS: i64 = 25;

/// The kind of protein that a food is, if it is one.
pub(super) fn protein(food: &FoodId, aisle: Aisle) -> Option<&'static str> {
    let words: Vec<&str> = food.as_str().split('-').collect();
    // Their sauces, stocks and milks are not what one tastes.
    if words.iter().any(|word| ["sauce", "stock", "broth", "milk", "sprouts", "green"].contains(word)) {
        return None;
    }
    let named = PROTEINS.iter().find(|(known, _)| words.iter().any(|word| known.contains(word)));
    named.map(|(_, class)| *class).or(match aisle {
        Aisle::Fish => Some("fish"),
        Aisle::Meat => Some("meat"),
        Aisle::Produce
        | Aisle::Bakery
        | Aisle::DairyAndEggs
        | Aisle::Frozen
        | Aisle::CannedAndJars
        | Aisle::PastaAndGrains
        | Aisle::Baking
        | Aisle::Spices
        | Aisle::OilsAndCondiments
        | Aisle::NutsAndSeeds
        | Aisle::SnacksAndSweets
        | Aisle::Drinks
        | Aisle::Other => None,
    })
}

/// The kind of protein that a recipe has most of.
pub(super) fn main_protein(recipe: &KnownRecipe, foods: &BTreeMap<FoodId, KnownFood>) -> Option<String> {
    let mut grams: BTreeMap<&str, i64> = BTreeMap::new();
    for (food, amount) in &recipe.foods {
        if let Some(class) = foods.get(food).and_then(|food| food.protein.as_deref()) {
            *grams.entry(class).or_default() += amount.0;
        }
    }
    let most =
        grams.into_iter().filter(|(_, grams)| *grams >= LEAST_GRAMS * 1000).max_by_key(|(_, grams)| *grams);
    most.map(|(class, _)| class.to_owned())
}

/// Everything that a rule may call the recipe by, in lower case.
pub(super) fn tags(recipe: &KnownRecipe, foods: &BTreeMap<FoodId, KnownFood>) -> BTreeSet<String> {
    let mut tags: BTreeSet<String> = recipe.tags.clone();
    tags.extend(recipe.cuisine.clone());
    tags.extend(main_protein(recipe, foods));
    let has =
        |aisle| recipe.foods.iter().any(|(food, _)| foods.get(food).is_some_and(|food| food.aisle == aisle));
    for (aisle, tag) in [(Aisle::Meat, "meat"), (Aisle::Fish, "fish")] {
        if has(aisle) {
            tags.insert(tag.to_owned());
        }
    }
    for (diet, tag) in [(Diet::Vegan, "vegan"), (Diet::Vegetarian, "vegetarian")] {
        if recipe.diet.is_some_and(|known| diet.allows(known)) {
            tags.insert(tag.to_owned());
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foods_are_known_by_their_kind_of_protein() {
        let class = |id: &str, aisle| protein(&id.parse().unwrap(), aisle);
        assert_eq!(class("chicken-breast", Aisle::Meat), Some("poultry"));
        assert_eq!(class("smoked-eel", Aisle::Fish), Some("fish"));
        assert_eq!(class("red-lentils", Aisle::PastaAndGrains), Some("legumes"));
        assert_eq!(class("chicken-stock", Aisle::CannedAndJars), None);
        assert_eq!(class("soy-sauce", Aisle::OilsAndCondiments), None);
        assert_eq!(class("carrot", Aisle::Produce), None);
    }
}
