//! What real-looking ingredient lines are read as.

use super::{ParsedLine, Quantity, Unit};
use crate::domain::measure::Milli;
use proptest::prelude::*;

fn amount(quantity: Quantity) -> String {
    quantity.high.map_or_else(|| quantity.low.to_string(), |high| format!("{}..{high}", quantity.low))
}

/// `amount unit size | food or other ? [measure] note`, without what is missing.
fn shown(line: &str) -> String {
    let read = ParsedLine::read(line);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(read.amount.map(amount));
    parts.extend(read.unit.map(|unit| unit.to_string()));
    parts.extend(read.size.map(|size| size.name().to_owned()));
    parts.push(if read.is_heading { "#".into() } else { "|".into() });
    parts.push(read.food);
    parts.extend(read.alternatives.iter().map(|other| format!("or {other}")));
    parts.extend(read.optional.then(|| "?".to_owned()));
    parts.extend(read.alternative.map(|measure| {
        let each = if measure.each { " each" } else { "" };
        format!("[{} {}{each}]", amount(measure.quantity), measure.unit)
    }));
    parts.extend(read.note.map(|note| format!("({note})")));
    parts.join(" ")
}

const LINES: &[(&str, &str)] = &[
    ("2 eggs", "2 | eggs"),
    ("200 g spaghetti", "200 g | spaghetti"),
    ("1.5kg potatoes", "1.5 kg | potatoes"),
    ("2,5 dl cream", "2.5 dl | cream"),
    ("1,000 g bread flour", "1000 g | bread flour"),
    (".5 cup milk", "0.5 cup | milk"),
    ("1/2 cup rolled oats", "0.5 cup | rolled oats"),
    ("1 1/2 cups plain flour", "1.5 cup | plain flour"),
    ("1-1/2 tsp salt", "1.5 tsp | salt"),
    ("½ tsp cumin", "0.5 tsp | cumin"),
    ("1½ cups lentils", "1.5 cup | lentils"),
    ("2⅓ cups water", "2.333 cup | water"),
    ("3⁄4 cup honey", "0.75 cup | honey"),
    ("2-3 carrots", "2..3 | carrots"),
    ("2–3 tbsp olive oil", "2..3 tbsp | olive oil"),
    ("2 to 3 leeks", "2..3 | leeks"),
    ("4 or 5 plums", "4..5 | plums"),
    ("½-1 tsp chili flakes", "0.5..1 tsp | chili flakes"),
    ("~150g feta", "150 g | feta"),
    ("about 300 g pumpkin", "300 g | pumpkin"),
    ("approx. 20 g parsley", "20 g | parsley"),
    ("a banana", "1 | banana"),
    ("an onion", "1 | onion"),
    ("one lemon", "1 | lemon"),
    ("half a cucumber", "0.5 | cucumber"),
    ("half an avocado, sliced", "0.5 | avocado (sliced)"),
    ("half a cup of yogurt", "0.5 cup | yogurt"),
    ("a quarter of a cabbage", "0.25 | cabbage"),
    ("a dozen eggs", "12 | eggs"),
    ("half a dozen eggs", "6 | eggs"),
    ("two dozen mussels", "24 | mussels"),
    ("a couple of tomatoes", "2 | tomatoes"),
    ("a few sprigs of dill", "3 sprig | dill"),
    ("a pinch of salt", "1 pinch | salt"),
    ("pinch of nutmeg", "1 pinch | nutmeg"),
    ("a handful of spinach", "1 handful | spinach"),
    ("dash of tabasco", "1 dash | tabasco"),
    ("a splash of milk", "1 splash | milk"),
    ("knob of butter", "1 knob | butter"),
    ("bunch of chives", "1 bunch | chives"),
    ("2L water", "2 l | water"),
    ("150g rice", "150 g | rice"),
    ("1-inch piece of ginger", "1 inch | ginger"),
    ("5 cm piece ginger, grated", "5 cm | ginger (grated)"),
    ("1 inch ginger", "1 inch | ginger"),
    ("1 T sugar", "1 tbsp | sugar"),
    ("1 t vanilla", "1 tsp | vanilla"),
    ("2 Tbs. soy sauce", "2 tbsp | soy sauce"),
    ("1 tblsp honey", "1 tbsp | honey"),
    ("3 teaspoonfuls sugar", "3 tsp | sugar"),
    ("2 c. flour", "2 cup | flour"),
    ("4 fl oz cream", "4 fl oz | cream"),
    ("4 fluid ounces apple juice", "4 fl oz | apple juice"),
    ("1 lb. beef mince", "1 lb | beef mince"),
    ("2 lbs potatoes", "2 lb | potatoes"),
    ("2# carrots", "2 lb | carrots"),
    ("8 oz mushrooms", "8 oz | mushrooms"),
    ("16 ounces pasta", "16 oz | pasta"),
    ("100 gr butter", "100 g | butter"),
    ("250 grammes ricotta", "250 g | ricotta"),
    ("10 cl white wine", "10 cl | white wine"),
    ("3 dl stock", "3 dl | stock"),
    ("1 pint milk", "1 pint | milk"),
    ("2 quarts water", "2 quart | water"),
    ("1 gallon cider", "1 gallon | cider"),
    ("1 stick butter", "1 stick | butter"),
    ("2 sticks of butter, softened", "2 stick | butter (softened)"),
    ("3 cloves garlic, crushed", "3 clove | garlic (crushed)"),
    ("3 garlic cloves, crushed", "3 clove | garlic (crushed)"),
    ("2 large cloves of garlic", "2 clove large | garlic"),
    ("8 cloves", "8 | cloves"),
    ("1 head cauliflower", "1 head | cauliflower"),
    ("2 stalks celery, diced", "2 stalk | celery (diced)"),
    ("2 celery ribs, chopped", "2 stalk | celery (chopped)"),
    ("4 slices rye bread", "4 slice | rye bread"),
    ("6 bacon slices", "6 slice | bacon"),
    ("1 can chickpeas, drained", "1 can | chickpeas (drained)"),
    ("1 (15 oz) can chickpeas, rinsed", "1 can | chickpeas [15 oz each] (rinsed)"),
    ("2 (400 g) tins chopped tomatoes", "2 can | chopped tomatoes [400 g each]"),
    ("2 x 400 g tins tomatoes", "2 can | tomatoes [400 g each]"),
    ("2 x 400g tinned tomatoes", "2 | tinned tomatoes [400 g each]"),
    ("2 14-ounce cans black beans", "2 can | black beans [14 oz each]"),
    ("1 14-oz can coconut milk", "1 can | coconut milk [14 oz each]"),
    ("4 15oz cans kidney beans", "4 can | kidney beans [15 oz each]"),
    ("3 cans (each 400 g) white beans", "3 can | white beans [400 g each]"),
    ("400 g tin lentils", "400 g | lentils"),
    ("1 packet (7 g) dried yeast", "1 package | dried yeast [7 g each]"),
    ("1 jar (350 g) passata", "1 jar | passata [350 g each]"),
    ("1 cup (240 ml) vegetable stock", "1 cup | vegetable stock [240 ml]"),
    ("150g (1/3 lb) cheddar", "150 g | cheddar [0.333 lb]"),
    ("15 oz / 425 g pumpkin puree", "15 oz | pumpkin puree [425 g]"),
    ("1 cup/240 ml buttermilk", "1 cup | buttermilk [240 ml]"),
    ("500 g or 1 lb turkey mince", "500 g | turkey mince [1 lb]"),
    ("beef: 1kg | 2 1/4 lb", "1 kg | beef [2.25 lb]"),
    ("2 salmon fillets (150 g each)", "2 fillet | salmon fillets [150 g each]"),
    ("4 (6-ounce) salmon fillets", "4 fillet | salmon fillets [6 oz each]"),
    ("3 eggplants (900 g)", "3 | eggplants [900 g]"),
    ("1 heaped tsp curry powder", "1 tsp | curry powder"),
    ("2 heaping tablespoons cocoa", "2 tbsp | cocoa"),
    ("1 level teaspoon baking soda", "1 tsp | baking soda"),
    ("1 scant cup sugar", "1 cup | sugar"),
    ("2 large eggs", "2 large | eggs"),
    ("3 medium-sized tomatoes, quartered", "3 medium | tomatoes (quartered)"),
    ("1 small bunch coriander", "1 bunch small | coriander"),
    ("Flour - 200 g", "200 g | Flour"),
    ("Butter: 2 tbsp", "2 tbsp | Butter"),
    ("salt, 1 tsp", "1 tsp | salt"),
    ("Rice 300g", "300 g | Rice"),
    ("Eggs (3)", "3 | Eggs"),
    ("Crab (200 grams)", "200 g | Crab"),
    ("Garlic cloves 3, minced", "3 clove | Garlic (minced)"),
    ("Salt to taste", "| Salt (to taste)"),
    ("salt and pepper, to taste", "| salt and pepper (to taste)"),
    ("black pepper, as needed", "| black pepper (as needed)"),
    ("parsley for garnish", "| parsley (for garnish)"),
    ("oil for frying", "| oil (for frying)"),
    ("juice of 1 lemon", "1 fruit | lemon juice"),
    ("Juice of 2 limes", "2 fruit | lime juice"),
    ("zest of 2 oranges", "2 fruit | orange zest"),
    ("grated zest of 1 lemon", "1 fruit | lemon zest"),
    ("1 tsp vanilla extract (optional)", "1 tsp | vanilla extract ?"),
    ("(optional) 30 g walnuts", "30 g | walnuts ?"),
    ("optional: chopped nuts", "| chopped nuts ?"),
    ("chili flakes, optional", "| chili flakes ?"),
    ("[soy sauce](https://example.org/soy), 2 tbsp", "2 tbsp | soy sauce"),
    ("**3** shallots", "3 | shallots"),
    ("- 2 tomatoes", "2 | tomatoes"),
    ("• 1 zucchini", "1 | zucchini"),
    ("1 cup sugar &amp; spice mix", "1 cup | sugar & spice mix"),
    ("1&frac12; cups milk", "1.5 cup | milk"),
    ("For the sauce:", "# For the sauce"),
    ("For the dough", "# For the dough"),
    ("Topping:", "# Topping"),
    ("## Filling", "# Filling"),
    ("2 tbsp butter or margarine", "2 tbsp | butter or margarine"),
    ("1 tbsp butter (or oil)", "1 tbsp | butter or oil"),
    ("2 cups chicken or beef stock", "2 cup | chicken stock or beef stock"),
    ("1 cup red or white wine", "1 cup | red wine or white wine"),
    ("olive oil and/or butter", "| olive oil or butter"),
    ("oil/lard", "| oil or lard"),
    ("1 tbsp honey, or maple syrup", "1 tbsp | honey or maple syrup"),
    ("8 boneless, skinless chicken thighs", "8 thigh | boneless skinless chicken thighs"),
    ("2 chicken breasts, cubed", "2 breast | chicken breasts (cubed)"),
    ("2 breasts of chicken", "2 breast | chicken breast"),
    ("4 bay leaves", "4 leaf | bay leaves"),
    ("1/4 cup + 2 tbsp sugar", "0.375 cup | sugar"),
    ("1 pint and a half of milk", "1.5 pint | milk"),
    ("a table-spoonful of rum", "1 tbsp | rum"),
    ("1 whole chicken (about 1.5 kg)", "1 | whole chicken [1.5 kg]"),
    ("1 turkey, 4-5 kg", "1 | turkey [4..5 kg]"),
    ("50-70% dark chocolate", "| 50-70% dark chocolate"),
    ("18% cream, 2 dl", "2 dl | 18% cream"),
    ("2 tomatoes per person", "| tomatoes (per person)"),
    ("250 g pasta. Any shape will do.", "250 g | pasta (Any shape will do)"),
    ("3 cups flour, plus more for dusting", "3 cup | flour (plus more for dusting)"),
    ("12 ice cubes", "12 cube | ice"),
    ("2 ears of corn", "2 ear | corn"),
    ("1 block (400 g) firm tofu", "1 block | firm tofu [400 g]"),
    ("30g+ butter", "30 g | butter"),
    ("Chinese 5 spice", "| Chinese 5 spice"),
    ("1 - 2/3 cups milk", "1.667 cup | milk"),
    ("half and half", "| half and half"),
    ("1 cup half-and-half", "1 cup | half-and-half"),
    ("1 tbsp sugar or to taste", "1 tbsp | sugar (or to taste)"),
    ("2 onion finely chopped", "2 | onion (finely chopped)"),
    ("¼ tsp each salt", "0.25 tsp | salt"),
    ("...", "| "),
    ("2 cups (packed) brown sugar", "2 cup | brown sugar (packed)"),
    ("1 tsp. dried thyme or 1 tbsp fresh thyme", "1 tsp | dried thyme or 1 tbsp fresh thyme"),
    ("1 clove of garlic (minced)", "1 clove | garlic (minced)"),
    ("1 lime (juiced)", "1 | lime (juiced)"),
    ("1 stalk lemongrass, white part only", "1 stalk | lemongrass (white part only)"),
    ("1 tin (160 g drained) sweetcorn", "1 can | sweetcorn [160 g each] (drained)"),
    ("2 handfuls of rocket", "2 handful | rocket"),
    ("a glass of water", "1 glass | water"),
    ("1 loaf ciabatta", "1 loaf | ciabatta"),
    ("3 spring onions (thinly sliced)", "3 | spring onions (thinly sliced)"),
    ("1/4 tsp each cinnamon and nutmeg", "0.25 tsp | cinnamon and nutmeg"),
    ("400ml coconut milk (full fat)", "400 ml | coconut milk (full fat)"),
    ("2 tbsp. lemon juice (about 1 lemon)", "2 tbsp | lemon juice (about 1 lemon)"),
    ("onions: 400g | 1lb", "400 g | onions [1 lb]"),
    ("1 small onion, peeled and diced", "1 small | onion (peeled and diced)"),
];

#[test]
fn lines_are_read_as_people_mean_them() {
    let wrong: Vec<String> = LINES
        .iter()
        .filter(|(line, expected)| shown(line) != *expected)
        .map(|(line, expected)| format!("{line}\n  expected {expected}\n  but read {}", shown(line)))
        .collect();
    assert!(LINES.len() >= 120 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_survives_json() {
    for (line, _) in LINES {
        let read = ParsedLine::read(line);
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<ParsedLine>(&text).unwrap(), read);
    }
}

#[test]
fn every_unit_reads_back_from_its_name() {
    for &unit in Unit::ALL {
        let read = ParsedLine::read(&format!("3 {unit} of flour"));
        assert_eq!((read.unit, read.food.get(..5)), (Some(unit), Some("flour")), "{unit}");
    }
}

/// Pieces of lines in any order, which meets more of the grammar than random characters do.
fn jumble() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "1",
        "2 ",
        "1/2",
        "½",
        "-",
        " - ",
        " to ",
        "(",
        ")",
        "400 g",
        "cup ",
        "x ",
        "oz",
        "or ",
        "and a half ",
        ",",
        ".",
        "of ",
        "can ",
        "garlic ",
        "cloves",
        "juice of ",
        "optional",
        "/",
        "é",
        "small ",
        ":",
        "|",
        "%",
        "&frac12;",
        "[",
        "](",
        "*",
        "1-inch",
        "+",
        "a ",
        "dozen ",
        "per person",
        "\u{2044}",
        "<b>",
        "0",
        "999999999",
        " ",
        "#",
        "\"",
        "~",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|parts| parts.concat())
}

fn is_sane(raw: &str) -> Result<(), TestCaseError> {
    let read = ParsedLine::read(raw);
    prop_assert_eq!(&read.raw, raw);
    let quantities = read.amount.into_iter().chain(read.alternative.map(|measure| measure.quantity));
    for quantity in quantities {
        prop_assert!(quantity.low >= Milli::ZERO);
        prop_assert!(quantity.high.is_none_or(|high| high >= quantity.low));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(raw in "\\PC{0,120}") {
        is_sane(&raw)?;
    }

    #[test]
    fn any_jumble_of_lines_is_read_without_panic(raw in jumble()) {
        is_sane(&raw)?;
    }
}
