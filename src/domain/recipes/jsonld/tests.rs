//! Whole documents in, drafts out.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn one(value: &Value) -> RecipeDraft {
    let drafts = read(&value.to_string()).unwrap();
    assert_eq!(drafts.len(), 1, "{value}");
    drafts[0].clone()
}

fn without_remarks(mut draft: RecipeDraft) -> RecipeDraft {
    draft.remarks.clear();
    draft
}

#[test]
fn a_full_recipe_keeps_everything() {
    let draft = one(&json!({
        "@context": "https://schema.org/", "@graph": [
            {"@type": "Person", "@id": "#ann", "name": "Ann Cook"},
            {"@type": "ImageObject", "@id": "#pic", "url": "https://food.test/a.jpg?x=1&amp;y=2"},
            {"@type": ["Recipe", "NewsArticle"], "@id": "https://food.test/soup/#recipe", "name": "Bean &amp; leek soup",
             "description": "<p>Warm.</p><p>Cheap.</p>", "url": "https://food.test/soup",
             "image": [{"@id": "#pic"}], "author": [{"@id": "#ann"}, "Bo"], "license": {"@id": "https://l.test/by"},
             "recipeYield": ["4", "4 bowls"], "prepTime": "PT15M", "cookTime": "PT1H", "totalTime": "PT1H15M",
             "recipeCategory": "Soup, Main course", "recipeCuisine": ["French"],
             "keywords": ["beans", {"@type": "DefinedTerm", "name": "winter"}, "Beans"],
             "suitableForDiet": ["https://schema.org/VeganDiet", {"@id": "https://schema.org/LowFatDiet"}],
             "recipeIngredient": ["200 g beans", "1 leek"],
             "recipeInstructions": [{"@type": "HowToStep", "text": "Boil."}],
             "nutrition": {"@type": "NutritionInformation", "calories": "200"}, "aggregateRating": null}]}));
    assert_eq!(
        draft,
        RecipeDraft {
            external_id: Some("https://food.test/soup/#recipe".into()),
            name: "Bean & leek soup".into(),
            description: Some("Warm. Cheap.".into()),
            source_url: Some("https://food.test/soup".into()),
            image: Some("https://food.test/a.jpg?x=1&y=2".into()),
            author: Some("Ann Cook, Bo".into()),
            license: Some("https://l.test/by".into()),
            servings: Some(Milli::whole(4)),
            yield_text: Some("4 bowls".into()),
            prep_minutes: Some(15),
            cook_minutes: Some(60),
            total_minutes: Some(75),
            categories: vec!["Soup".into(), "Main course".into()],
            cuisine: Some("French".into()),
            keywords: vec!["beans".into(), "winter".into()],
            diets: vec!["vegan".into(), "low-fat".into()],
            ingredient_lines: vec!["200 g beans".into(), "1 leek".into()],
            steps: vec!["Boil.".into()],
            remarks: vec![],
        }
    );
}

#[test]
fn the_external_id_is_the_most_specific_one() {
    for (fields, id) in [
        (json!({"identifier": "a", "@id": "b", "url": "https://c.test"}), Some("a")),
        (json!({"identifier": 7}), Some("7")),
        (json!({"identifier": {"@type": "PropertyValue", "propertyID": "x", "value": "a"}}), Some("a")),
        (json!({"identifier": [{"@id": "https://a.test"}]}), Some("https://a.test")),
        (json!({"@id": "https://b.test/#r", "url": "https://c.test"}), Some("https://b.test/#r")),
        (json!({"@id": "#recipe", "url": "https://c.test"}), Some("https://c.test")),
        (json!({"mainEntityOfPage": {"@type": "WebPage", "@id": "https://d.test"}}), Some("https://d.test")),
        (json!({"url": "javascript:alert(1)"}), None),
        (json!({}), None),
    ] {
        let mut recipe = json!({"@type": "Recipe", "name": "x"});
        recipe.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(one(&recipe).external_id.as_deref(), id, "{fields}");
    }
}

#[test]
fn what_is_missing_or_odd_is_remarked() {
    let draft = one(&json!({"@type": "Recipe", "url": "https://food.test/recipes/lentil-soup.html?print",
        "cookTime": "soon", "totalTime": "PT0M", "prepTime": "PT5M", "recipeYield": "1 loaf", "image": "/a.jpg",
        "recipeIngredient": ["For the soup:", "1 leek"]}));
    assert_eq!(draft.name, "Lentil soup");
    assert_eq!((draft.prep_minutes, draft.cook_minutes, draft.total_minutes), (Some(5), None, None));
    assert_eq!(
        draft.remarks,
        [
            "image \"/a.jpg\" is not a web address",
            "the recipe has no name; it was named after its address",
            "cookTime \"soon\" is not a duration",
            "totalTime is zero and was taken as not given",
            "yield \"1 loaf\" does not say how many servings",
            "headings among the ingredients were left out: \"For the soup\"",
            "no steps were found",
        ]
    );
}

#[test]
fn a_recipe_with_nothing_in_it_is_still_a_draft() {
    for value in
        [json!({"@type": "Recipe"}), json!({"@type": "Recipe", "name": [], "recipeYield": {}, "image": 5})]
    {
        let draft = one(&value);
        assert_eq!(draft.name, "Untitled recipe");
        assert_eq!(
            draft.remarks,
            ["the recipe has no name", "no ingredients were found", "no steps were found"]
        );
    }
}

#[test]
fn times_that_are_all_zero_are_unknown() {
    let draft = one(
        &json!({"@type": "Recipe", "name": "x", "prepTime": "PT0S", "cookTime": "PT0S", "totalTime": "PT0S"}),
    );
    assert_eq!((draft.prep_minutes, draft.cook_minutes, draft.total_minutes), (None, None, None));
    let raw = one(&json!({"@type": "Recipe", "name": "x", "prepTime": "PT10M", "cookTime": "PT0S"}));
    assert_eq!((raw.prep_minutes, raw.cook_minutes), (Some(10), Some(0)));
}

#[test]
fn one_odd_recipe_loses_no_others() {
    let text = json!([{"@type": "Recipe", "name": "a"}, 5, {"@type": "Recipe", "name": {}}, null, "x",
        {"@type": "Recipe", "name": "b"}, {"@type": "Recipe", "name": "a"}]);
    let names: Vec<String> = read(&text.to_string()).unwrap().into_iter().map(|draft| draft.name).collect();
    assert_eq!(names, ["a", "Untitled recipe", "b"]);
}

#[test]
fn a_recipe_a_line_is_a_set() {
    let text = "{\"@type\":\"Recipe\",\"name\":\"a\"}\r\n\n{\"@type\":\"Recipe\",\"name\":oops}\n{\"x\":1}\n\
                {\"@type\":\"Recipe\",\"name\":\"b\",}\n";
    let drafts = read(text).unwrap();
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    assert_eq!(names, ["a", "Untitled recipe", "b"]);
    assert_eq!(drafts[0].remarks.last().unwrap(), "Line 4 of the set holds no Recipe.");
    assert!(
        drafts[1].remarks[0].starts_with("Line 3 is not JSON (line 1, column 26)"),
        "{:?}",
        drafts[1].remarks
    );
}

#[test]
fn pages_are_read_block_by_block() {
    let page = "<!DOCTYPE html><html><head><script type='application/ld+json'>{\"@type\":\"WebSite\"}</script>\
        <script type=\"application/ld+json\">{oops</script><script>var x;</script>\
        <script type=\"application/ld+json\">{\"@type\":\"Recipe\",\"name\":\"a\",\"author\":{\"@id\":\"#p\"}}</script>\
        <script type=\"application/ld+json\">[{\"@type\":\"Person\",\"@id\":\"#p\",\"name\":\"Ann\"}]</script></head>";
    let drafts = read_any(page).unwrap();
    assert_eq!((drafts.len(), drafts[0].name.as_str(), drafts[0].author.as_deref()), (1, "a", Some("Ann")));
    assert!(drafts[0].remarks.last().unwrap().starts_with("JSON-LD block 2 of the page is not JSON"));
}

#[test]
fn errors_say_what_the_text_is() {
    for (text, message) in [
        ("", "The text is empty."),
        (" \n\u{feff}", "The text is empty."),
        ("[]", "The JSON is empty."),
        ("null", "The JSON is empty."),
        ("{\n \"a\": oops}", "The text is not JSON (line 2, column 7): expected value."),
        ("hello", "The text is not JSON (line 1, column 1): expected value."),
        ("{\"@type\":\"Recipe\"", "The text is not JSON (line 1, column 17): EOF while parsing an object."),
        ("5", "This is JSON, but there is no schema.org Recipe in it: nothing in it has an @type."),
        (
            "[{\"@type\":\"WebPage\",\"author\":{\"@type\":\"schema:Person\"}}]",
            "This is JSON, but there is no schema.org Recipe in it: its @types are \"Person\", \"WebPage\".",
        ),
        ("<html></html>", "The page carries no JSON-LD."),
        (
            "<script type=application/ld+json>{</script>",
            "JSON-LD block 1 of the page is not JSON (line 1, column 1): EOF while parsing an object.",
        ),
    ] {
        assert_eq!(read_any(text).unwrap_err().message, message, "{text}");
    }
    let deep = format!("{{\"@type\":\"Recipe\",\"recipeInstructions\":{}", "[".repeat(50_000));
    assert!(read(&deep).unwrap_err().message.contains("recursion limit exceeded"));
}

#[test]
fn long_texts_take_no_longer_than_their_length() {
    for piece in ["1", "<", "<a ", "&amp;", "<script ", "1. ", "- ", ",", "\\", "(", "é", "<script>", "a: "]
    {
        let text = piece.repeat(20_000);
        let recipe = json!({"@type": "Recipe", "name": text, "recipeYield": text, "prepTime": text, "keywords": text,
            "recipeIngredient": text, "recipeInstructions": text, "suitableForDiet": text, "author": text, "url": text});
        one(&recipe);
        let _ = (read(&text), read_html(&text));
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9é½,.:;()<>/&#\\[\\]* -]{0,16}",
        "([0-9]|servings|loaf|cookies| |-|,|/|dozen){0,6}",
        "(PT|P|[0-9]|H|M|S| min| h|-| to ){0,6}",
        "(https?://|//|x|/|-|\\.|#|é| ){0,6}",
        "(&amp;|&lt;|<br>|<li>|\\n|Step |1\\.|2\\.|x|For the |:|gluten free){0,6}",
        any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "@id",
        "@type",
        "@value",
        "@list",
        "name",
        "text",
        "url",
        "itemListElement",
        "item",
        "value",
        "unitText",
        "minValue",
        "maxValue",
        "0",
        "1",
        "identifier",
        "image",
    ];
    let leaf = prop_oneof![
        4 => any_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => (-10..2000_i64).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(KEYS).prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_recipe() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "@id",
        "identifier",
        "name",
        "url",
        "image",
        "author",
        "license",
        "description",
        "recipeYield",
        "prepTime",
        "cookTime",
        "totalTime",
        "recipeCategory",
        "recipeCuisine",
        "keywords",
        "suitableForDiet",
        "recipeIngredient",
        "recipeInstructions",
        "schema:name",
        "mainEntityOfPage",
        "ingredients",
        "isBasedOn",
    ];
    let field = prop::sample::select(KEYS).prop_map(str::to_owned);
    prop::collection::hash_map(field, any_value(), 0..14).prop_map(|fields| {
        let mut recipe: node::Object = fields.into_iter().collect();
        recipe.insert("@type".to_owned(), json!("Recipe"));
        Value::Object(recipe)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in ".*|[{}\\[\\]\":,a-z@<>/ \\n]{0,40}") {
        let _ = (read(&text), read_html(&text), read_any(&text));
    }

    #[test]
    fn any_document_is_read_or_refused(document in any_value()) {
        let _ = read(&document.to_string());
    }

    #[test]
    fn what_is_written_is_read(recipe in any_recipe()) {
        let draft = without_remarks(one(&recipe));
        prop_assert!(!draft.name.trim().is_empty());
        prop_assert_eq!(without_remarks(one(&write(&draft))), draft);
    }

    #[test]
    fn a_draft_travels_as_json(recipe in any_recipe()) {
        let draft = one(&recipe);
        let text = serde_json::to_string(&draft).unwrap();
        prop_assert_eq!(serde_json::from_str::<RecipeDraft>(&text).unwrap(), draft);
    }
}
