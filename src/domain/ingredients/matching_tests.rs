//! Which phrases mean which foods, and which must mean none.

use super::matching::{FoodIndex, FoodMatch, MIN_CONFIDENCE};
use crate::domain::diet::Diet;
use crate::domain::foods::{Aisle, Food};
use proptest::prelude::*;
use std::sync::Arc;

fn food(name: &str, aliases: &[&str], aisle: Aisle) -> Arc<Food> {
    let id = name.to_lowercase().replace(',', "").replace(' ', "-").parse().unwrap();
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    Arc::new(Food { aliases, aisle, ..Food::unknown(id, name, Diet::Vegan) })
}

/// Only plain foods, so that every finer one has to stay unknown.
fn plain_foods() -> FoodIndex {
    use Aisle::{DairyAndEggs, Meat, OilsAndCondiments, Other, PastaAndGrains, Produce, Spices};
    FoodIndex::new([
        food("Milk", &["whole milk"], DairyAndEggs),
        food("Butter", &[], DairyAndEggs),
        food("Cream", &["heavy cream"], DairyAndEggs),
        food("Cheddar", &["cheddar cheese"], DairyAndEggs),
        food("Egg", &[], DairyAndEggs),
        food("Yogurt", &[], DairyAndEggs),
        food("Chicken", &["chicken breast"], Meat),
        food("Beef", &[], Meat),
        food("Bacon", &[], Meat),
        food("Tomato", &[], Produce),
        food("Potato", &[], Produce),
        food("Onion", &["yellow onion"], Produce),
        food("Scallion", &["spring onion", "green onion"], Produce),
        food("Bell pepper", &["red bell pepper"], Produce),
        food("Broccoli", &[], Produce),
        food("Lemon", &[], Produce),
        food("Apple", &[], Produce),
        food("Apricot", &[], Produce),
        food("Parsley", &[], Produce),
        food("Coconut", &[], Produce),
        food("Garlic", &[], Produce),
        food("Corn", &[], Produce),
        food("Beans", &[], Produce),
        food("Zucchini", &[], Produce),
        food("Rice", &["white rice"], PastaAndGrains),
        food("Pasta", &[], PastaAndGrains),
        food("Oats", &["rolled oats"], PastaAndGrains),
        food("All-purpose flour", &["flour", "plain flour", "wheat flour"], Aisle::Baking),
        food("Sugar", &[], Aisle::Baking),
        food("Chocolate", &[], Aisle::Baking),
        food("Salt", &[], Spices),
        food("Pepper", &["black pepper"], Spices),
        food("Oregano", &[], Spices),
        food("Cloves", &["whole cloves"], Spices),
        food("Mustard", &[], OilsAndCondiments),
        food("Fennel", &[], Produce),
        food("Olive oil", &["extra virgin olive oil"], OilsAndCondiments),
        food("Worcestershire sauce", &[], OilsAndCondiments),
        food("Mayonnaise", &[], OilsAndCondiments),
        food("Water", &[], Other),
        food("Almonds", &["almond"], Aisle::NutsAndSeeds),
        food("Curry", &["curry powder"], Spices),
        food("Creme fraiche", &["crème fraîche"], DairyAndEggs),
    ])
}

fn name_of(found: Option<FoodMatch>) -> String {
    found.map_or_else(|| "none".to_owned(), |found| found.food.name.clone())
}

#[test]
fn other_foods_never_match_the_plain_one_they_are_named_after() {
    let index = plain_foods();
    for phrase in [
        "coconut milk",
        "almond milk",
        "oat milk",
        "condensed milk",
        "evaporated milk",
        "milk powder",
        "milk chocolate",
        "chocolate milk",
        "peanut butter",
        "almond butter",
        "butter beans",
        "butternut squash",
        "chicken stock",
        "chicken broth",
        "chicken liver",
        "chicken stock cube",
        "beef stock",
        "ground beef",
        "tomato paste",
        "tomato sauce",
        "tomato soup",
        "sun-dried tomatoes",
        "rice vinegar",
        "rice noodles",
        "rice flour",
        "rice milk",
        "wild rice",
        "brown rice",
        "sweet potato",
        "potato starch",
        "potato chips",
        "coconut oil",
        "coconut flour",
        "coconut sugar",
        "brown sugar",
        "vanilla sugar",
        "almond flour",
        "apple juice",
        "apple cider vinegar",
        "lemon juice",
        "lemongrass",
        "onion powder",
        "garlic powder",
        "garlic salt",
        "celery salt",
        "chili pepper",
        "cayenne pepper",
        "hot pepper sauce",
        "hot peppers",
        "sweet peppers",
        "almond extract",
        "curry leaves",
        "lemon pepper",
        "green pepper",
        "mustard seeds",
        "fennel seeds",
        "corn syrup",
        "corn starch",
        "black beans",
        "green beans",
        "vanilla beans",
        "dried apricots",
        "dried parsley",
        "cooked pasta",
        "cooked rice",
        "oat bran",
        "egg noodles",
        "eggplant",
        "egg white",
        "cream cheese",
        "sour cream",
        "ice cream",
        "cream of tartar",
        "goat cheese",
        "cheese",
        "oil",
        "sesame oil",
        "sauce",
        "soy sauce",
        "rose water",
        "coconut water",
        "fish",
        "batter",
        "",
        "()",
        "of the",
        "fresh",
        "thermometer",
    ] {
        assert_eq!(name_of(index.best(phrase)), "none", "{phrase}");
    }
}

#[test]
fn wording_preparation_and_typing_errors_do_not_hide_a_food() {
    let index = plain_foods();
    for (phrase, name, least) in [
        ("Milk", "Milk", 1000),
        ("MILK", "Milk", 1000),
        ("whole milk", "Milk", 1000),
        ("tomatoes", "Tomato", 1000),
        ("potatoes", "Potato", 1000),
        ("all purpose flour", "All-purpose flour", 1000),
        ("crème fraîche", "Creme fraiche", 1000),
        ("Creme Fraiche", "Creme fraiche", 1000),
        ("courgettes", "Zucchini", 1000),
        ("green onions", "Scallion", 1000),
        ("eggs", "Egg", 1000),
        ("cloves", "Cloves", 1000),
        ("large eggs", "Egg", 950),
        ("free-range eggs", "Egg", 900),
        ("large organic free-range eggs", "Egg", 900),
        ("fresh chopped parsley", "Parsley", 950),
        ("boneless skinless chicken breasts", "Chicken", 950),
        ("freshly ground black pepper", "Pepper", 900),
        ("kosher salt", "Salt", 850),
        ("fine sea salt", "Salt", 850),
        ("unsalted butter", "Butter", 850),
        ("yellow potatoes", "Potato", 850),
        ("Yukon gold potatoes", "Potato", 800),
        ("red onion", "Onion", 850),
        ("yellow bell peppers", "Bell pepper", 850),
        ("dried oregano", "Oregano", 850),
        ("garlic cloves", "Garlic", 850),
        ("parsley leaves", "Parsley", 850),
        ("worcestershire", "Worcestershire sauce", 850),
        ("sharp cheddar cheese", "Cheddar", 850),
        ("olive oil, extra virgin", "Olive oil", 850),
        ("basmati rice", "Rice", 850),
        ("spaghetti pasta", "none", 0),
        ("brocolli", "Broccoli", 800),
        ("mayonnese", "Mayonnaise", 750),
        ("salt and pepper", "Salt", 900),
        ("salt & freshly ground black pepper", "Salt", 900),
    ] {
        let found = index.best(phrase);
        assert!(found.as_ref().map_or(0, |found| found.confidence) >= least, "{phrase}: {found:?}");
        assert_eq!(name_of(found), name, "{phrase}");
    }
}

#[test]
fn a_finer_food_wins_when_it_is_known() {
    let index = FoodIndex::new([
        food("Milk", &[], Aisle::DairyAndEggs),
        food("Coconut milk", &[], Aisle::CannedAndJars),
        food("Chicken", &[], Aisle::Meat),
        food("Whole chicken", &[], Aisle::Meat),
        food("Tomatoes, canned", &[], Aisle::CannedAndJars),
        food("Tomato", &[], Aisle::Produce),
        food("Salt and pepper", &[], Aisle::Spices),
        food("Salt", &[], Aisle::Spices),
    ]);
    for (phrase, name) in [
        ("light coconut milk", "Coconut milk"),
        ("whole chickens", "Whole chicken"),
        ("whole ckicken", "Whole chicken"),
        ("canned tomatoes", "Tomatoes, canned"),
        ("canned diced tomatoes", "Tomatoes, canned"),
        ("ripe tomatoes", "Tomato"),
        ("salt and pepper", "Salt and pepper"),
    ] {
        assert_eq!(name_of(index.best(phrase)), name, "{phrase}");
    }
}

#[test]
fn the_order_of_foods_makes_no_difference() {
    let twins =
        [food("Rapeseed oil", &["canola"], Aisle::Other), food("Canola oil", &["canola"], Aisle::Other)];
    let forward = FoodIndex::new(twins.clone());
    let backward = FoodIndex::new(twins.into_iter().rev());
    assert_eq!(forward.best("canola"), backward.best("canola"));
    assert_eq!(name_of(forward.best("canola")), "Canola oil");
}

#[test]
fn candidates_start_with_the_best_and_go_on_with_what_shares_a_word() {
    let index = plain_foods();
    let names: Vec<_> =
        index.candidates("chopped onion", 3).into_iter().map(|found| found.food.name.clone()).collect();
    assert_eq!(names, ["Onion", "Scallion"]);
    let unsure = index.candidates("peanut butter", 5);
    assert_eq!(unsure.first().map(|found| found.food.name.as_str()), Some("Butter"));
    assert!(unsure.iter().all(|found| found.confidence < MIN_CONFIDENCE));
    assert!(index.candidates("onion", 0).is_empty());
}

proptest! {
    #[test]
    fn any_phrase_has_a_confident_food_or_none(phrase in "\\PC{0,80}") {
        let index = FoodIndex::new([food("Milk", &["é"], Aisle::Other), food("Rice", &[], Aisle::Other)]);
        for found in index.candidates(&phrase, 5) {
            prop_assert!(found.confidence <= 1000);
        }
        let best = index.best(&phrase);
        prop_assert!(best.is_none_or(|found| found.confidence >= MIN_CONFIDENCE));
    }
}
