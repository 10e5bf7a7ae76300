//! What lines weigh and what a serving contains, with its gaps.

use super::nutrition::{RecipeNutrition, ResolvedLine, nutrition};
use super::{FoodIndex, How, Unit, Unmeasured};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::foods::{Food, read_table};
use crate::domain::measure::Milli;
use std::num::NonZeroU32;
use std::sync::Arc;

const TABLE: &str = "\
id,name,aliases,ndb,kcal,protein_g,carbs_g,fat_g,saturated_fat_g,fibre_g,sugar_g,sodium_mg,density_g_per_ml,cup_g,\
tbsp_g,tsp_g,pieces,shelf_life_days,aisle,allergens,diet,staple
flour,Flour,,,360,10,76,1,0.2,3,0.3,2,,120,,,,300,baking,gluten,vegan,yes
milk,Milk,,,60,3,5,3,2,,5,43,1.03,,,,,7,dairy & eggs,milk,vegetarian,
butter,Butter,,,700,1,0,80,50,0,0,600,,,,4.7,,30,dairy & eggs,milk,vegetarian,
egg,Egg,,,140,12,1,10,3,0,0,140,,,,,each=50;small=38,21,dairy & eggs,egg,vegetarian,
garlic,Garlic,,,149,6,33,0.5,0.1,2,1,17,,,8.4,,clove=3;head=40,90,produce,,vegan,
carrot,Carrot,,,41,1,10,0.2,0,3,5,69,,,,,each=60,30,produce,,vegan,
chickpeas,Chickpeas,canned chickpeas,,139,7,23,3,0.3,6,4,240,,160,,,can=240,700,canned & jars,,vegan,
salmon,Salmon,,,200,20,0,13,3,0,0,60,,,,,fillet=150,2,fish,fish,pescatarian,
walnut,Walnuts,walnut,,650,15,14,65,6,7,3,2,,100,,,,100,nuts & seeds,nuts,vegan,
salt,Salt,,,0,0,0,0,0,0,0,38000,,,,6,,,spices,,vegan,yes
ginger,Ginger,,,80,2,18,1,0.2,2,2,13,,,,2,thumb=20,30,produce,,vegan,
lemon-juice,Lemon juice,,,22,0.4,7,0.2,0,0.3,2.5,1,1.03,,,,,30,produce,,vegan,
mystery,Mystery sauce,,,,,,,,,,,,240,,,,,other,,vegan,
";

fn foods() -> Vec<Arc<Food>> {
    read_table(TABLE).unwrap().into_iter().map(Arc::new).collect()
}

fn resolved(line: &str) -> ResolvedLine {
    ResolvedLine::resolve(line, &FoodIndex::new(foods()))
}

fn of_recipe(lines: &[&str], servings: u32) -> RecipeNutrition {
    let lines: Vec<_> = lines.iter().map(|line| resolved(line)).collect();
    let find = |id: &_| foods().into_iter().find(|food| food.id == *id);
    nutrition(&lines, find, NonZeroU32::new(servings).unwrap())
}

#[test]
fn weights_come_from_the_surest_source() {
    for (line, grams, how) in [
        ("200 g flour", 200_000, How::Weight),
        ("2 lb carrots", 907_185, How::Weight),
        ("1 cup (130 g) flour", 130_000, How::Weight),
        ("2 cups flour", 240_000, How::HouseholdMeasure),
        ("2 tbsp flour", 15_000, How::HouseholdMeasure),
        ("1 tsp flour", 2_500, How::HouseholdMeasure),
        ("1 cup butter", 225_600, How::HouseholdMeasure),
        ("2 tbsp garlic", 16_800, How::HouseholdMeasure),
        ("250 ml milk", 257_500, How::Density),
        ("1 cup milk", 243_686, How::Density),
        ("1 dl flour", 50_721, How::HouseholdMeasure),
        ("3 eggs", 150_000, How::Piece),
        ("2 small eggs", 76_000, How::Piece),
        ("2 large eggs", 130_000, How::Estimated),
        ("2-3 carrots", 150_000, How::Piece),
        ("4 garlic cloves", 12_000, How::Piece),
        ("1 head garlic", 40_000, How::Piece),
        ("2 salmon fillets", 300_000, How::Piece),
        ("2 salmon fillets (180 g each)", 360_000, How::PackageWeight),
        ("2 x 400 g cans chickpeas", 800_000, How::PackageWeight),
        ("2 x 400 g cans chickpeas, drained", 480_000, How::PackageWeight),
        ("1 can chickpeas", 240_000, How::Piece),
        ("1 stick butter", 113_000, How::Estimated),
        ("a pinch of salt", 375, How::Estimated),
        ("a handful of walnuts", 50_000, How::Estimated),
        ("1-inch piece of ginger", 10_000, How::Piece),
        ("juice of 2 lemons", 90_000, How::Estimated),
        ("500 g dragon fruit", 500_000, How::Weight),
    ] {
        let line = resolved(line);
        assert_eq!((line.grams, line.how), (Some(Milli(grams)), Some(how)), "{}", line.raw);
    }
}

#[test]
fn an_unknown_weight_has_a_reason() {
    for (line, reason) in [
        ("salt to taste", Unmeasured::NoAmount),
        ("2 dragon fruits", Unmeasured::UnknownFood),
        ("1 bunch carrots", Unmeasured::NoMeasureForUnit { unit: Unit::Bunch }),
        ("2 slices garlic", Unmeasured::NoMeasureForUnit { unit: Unit::Slice }),
        ("3 walnuts", Unmeasured::NoPieceWeight),
        ("999999999 kg flour", Unmeasured::TooMuch),
    ] {
        let line = resolved(line);
        assert_eq!((line.grams, line.unmeasured), (None, Some(reason)), "{}", line.raw);
    }
}

#[test]
fn a_serving_is_the_sum_of_its_lines() {
    let recipe = of_recipe(&["For the batter:", "200 g flour", "500 ml milk", "2 eggs"], 4);
    assert_eq!(recipe.per_serving.kcal, Some(Milli(292_250)));
    assert_eq!(recipe.grams_per_serving, Some(Milli(203_750)));
    assert_eq!((recipe.coverage.lines_counted, recipe.coverage.lines_total), (3, 3));
    assert_eq!(recipe.coverage.mass_share_permille, Some(1000));
    assert_eq!(recipe.coverage.incomplete.into_iter().collect::<Vec<_>>(), ["fibre_g"]);
    assert_eq!(
        recipe.allergens.into_iter().collect::<Vec<_>>(),
        [Allergen::Gluten, Allergen::Egg, Allergen::Milk]
    );
    assert!(recipe.allergens_complete);
    assert_eq!(recipe.diet, Some(Diet::Vegetarian));
}

#[test]
fn what_is_not_counted_is_listed_and_never_zero() {
    let recipe = of_recipe(&["300 g flour", "100 g unicorn", "salt to taste", "1 cup mystery sauce"], 1);
    let coverage = recipe.coverage;
    assert_eq!((coverage.lines_counted, coverage.lines_total), (1, 4));
    assert_eq!(coverage.mass_share_permille, Some(469));
    let reasons: Vec<_> =
        coverage.uncounted.iter().map(|left| (left.line.as_str(), left.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("100 g unicorn", "the food is not known"),
            ("salt to taste", "no amount is given"),
            ("1 cup mystery sauce", "the composition of the food is not known"),
        ]
    );
    assert_eq!((recipe.allergens_complete, recipe.diet), (false, None));
}

#[test]
fn optional_lines_count_for_allergens_only() {
    let recipe = of_recipe(&["100 g flour", "50 g walnuts (optional)", "1 salmon fillet (optional)"], 1);
    assert_eq!(recipe.per_serving.kcal, Some(Milli::whole(360)));
    assert!(recipe.allergens.contains(&Allergen::Nuts) && recipe.allergens.contains(&Allergen::Fish));
    assert_eq!(recipe.diet, Some(Diet::Pescatarian));
    assert_eq!(recipe.coverage.optional.len(), 2);
    assert_eq!(recipe.coverage.lines_total, 1);
}

#[test]
fn a_nutrient_that_no_food_has_a_value_for_is_unknown() {
    let recipe = of_recipe(&["100 ml milk"], 1);
    assert_eq!(recipe.per_serving.fibre_g, None);
    let empty = of_recipe(&["For the dough:"], 2);
    assert_eq!((empty.per_serving.kcal, empty.coverage.mass_share_permille), (None, None));
    assert!(!empty.allergens_complete);
}

#[test]
fn resolved_lines_and_nutrition_survive_json() {
    let line = resolved("2 x 400 g cans chickpeas, drained");
    let text = serde_json::to_string(&line).unwrap();
    assert_eq!(serde_json::from_str::<ResolvedLine>(&text).unwrap(), line);
    let recipe = of_recipe(&["100 g flour", "1 bunch carrots"], 3);
    let text = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<RecipeNutrition>(&text).unwrap(), recipe);
}
