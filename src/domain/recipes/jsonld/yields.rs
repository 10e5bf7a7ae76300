//! Reads how many servings a recipe makes out of what it says about its yield.

use super::node;
use super::numbers::{Token, tokens};
use super::text::quote;
use crate::domain::measure::Milli;
use serde_json::{Value, json};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Yield {
    pub(super) servings: Option<Milli>,
    /// The source's own words, unless they are a mere number.
    pub(super) text: Option<String>,
    pub(super) remark: Option<String>,
}

/// How sure it is that a number counts servings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    /// It counts something else, such as cookies.
    Pieces,
    Bare,
    Stated,
}

struct Reading {
    certainty: Certainty,
    servings: Milli,
    range: bool,
}

const MOST_SERVINGS: Milli = Milli::whole(10_000);
/// Fewer than this of a thing that is cut up say nothing about servings.
const FEW: Milli = Milli::whole(6);

/// Reads a `recipeYield` of any shape.
pub(super) fn read(value: &Value) -> Yield {
    let texts: Vec<String> = node::items(value).into_iter().filter_map(phrase).collect();
    let mut best: Option<(&str, Reading)> = None;
    for text in &texts {
        let reading = interpret(text);
        if reading.as_ref().map(|r| r.certainty) > best.as_ref().map(|(_, r)| r.certainty) {
            best = reading.map(|reading| (text.as_str(), reading));
        }
    }
    let text = texts.iter().rfind(|text| !is_bare(text)).cloned();
    let remark = match &best {
        None => texts.first().map(|text| format!("yield {} does not say how many servings", quote(text))),
        Some((source, reading)) if reading.range || reading.certainty == Certainty::Pieces => {
            Some(format!("yield {} was taken as {} servings", quote(source), reading.servings))
        }
        Some(_) => None,
    };
    Yield { servings: best.map(|(_, reading)| reading.servings), text, remark }
}

/// The `recipeYield` from which [`read`] gets the same servings and text.
pub(super) fn write(servings: Option<Milli>, text: Option<&str>) -> Option<Value> {
    match (servings, text) {
        (None, text) => text.map(|text| json!(text)),
        (Some(servings), None) => Some(json!(servings.to_string())),
        (Some(servings), Some(text)) if interpret(text).is_some_and(|r| r.servings == servings) => {
            Some(json!(text))
        }
        (Some(servings), Some(text)) => Some(json!([format!("{servings} servings"), text])),
    }
}

fn phrase(value: &Value) -> Option<String> {
    let Value::Object(map) = value else { return node::text(value) };
    let unit = node::first_text(map, &["unitText", "unitCode", "name"]).unwrap_or_default();
    let ends = [node::first_text(map, &["minValue"]), node::first_text(map, &["maxValue"])];
    let amount = node::first_text(map, &["value", "@value"]).or_else(|| {
        Some(ends.into_iter().flatten().collect::<Vec<_>>().join("-")).filter(|text| !text.is_empty())
    });
    amount.map_or_else(|| node::text(value), |amount| Some(format!("{amount} {unit}").trim().to_owned()))
}

fn is_bare(text: &str) -> bool {
    matches!(tokens(text).as_slice(), [Token::Number(_)])
}

fn interpret(text: &str) -> Option<Reading> {
    let tokens = tokens(text);
    let clauses = tokens.split(|token| match token {
        Token::Mark(mark) => matches!(mark, '(' | ')' | ',' | ';' | '/' | '|'),
        Token::Word(word) => matches!(word.as_str(), "or" | "oder" | "ou"),
        Token::Number(_) | Token::Range => false,
    });
    let readings =
        clauses.filter_map(clause).filter(|r| r.servings > Milli::ZERO && r.servings <= MOST_SERVINGS);
    readings.reduce(|best, next| if next.certainty > best.certainty { next } else { best })
}

fn clause(tokens: &[Token]) -> Option<Reading> {
    let words: Vec<&str> = tokens.iter().filter_map(as_word).collect();
    let dozens = words.iter().any(|word| matches!(*word, "dozen" | "dozens" | "dutzend"));
    let first = tokens.iter().position(|token| matches!(token, Token::Number(_)));
    let (amount, range) = match first.map(|at| &tokens[at..]) {
        Some([Token::Number(low), Token::Range, Token::Number(_), ..]) => (*low, true),
        Some([Token::Number(amount), ..]) => (*amount, false),
        _ if dozens => (Milli::whole(1), false),
        _ => return None,
    };
    let servings = if dozens { amount.scale(12, 1) } else { amount };
    let behind: Vec<&str> = tokens.iter().skip(first.map_or(0, |at| at + 1)).filter_map(as_word).collect();
    let certainty = certainty(&words, &behind, servings)?;
    Some(Reading { certainty, servings, range })
}

fn certainty(words: &[&str], behind: &[&str], amount: Milli) -> Option<Certainty> {
    if words.iter().any(|word| has(SERVINGS, word)) {
        return Some(Certainty::Stated);
    }
    let things = behind.iter().filter(|word| !has(FILLERS, word)).count();
    let measured = behind.iter().any(|word| has(UNITS, word));
    let cut_up = behind.iter().any(|word| has(WHOLES, word)) && amount < FEW;
    match things {
        0 => Some(Certainty::Bare),
        _ if measured || cut_up || amount <= Milli::whole(1) => None,
        _ => Some(Certainty::Pieces),
    }
}

fn as_word(token: &Token) -> Option<&str> {
    match token {
        Token::Word(word) => Some(word),
        Token::Number(_) | Token::Range | Token::Mark(_) => None,
    }
}

fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

const SERVINGS: &str = "serving servings serve serves portion portions portionen person persons personen people personne \
    personnes persona personas persone pers guest guests eater eaters adult adults diners porción \
    porciones porzione porzioni porties helping helpings bowl bowls plate plates glass glasses mug \
    mugs drink drinks cocktail cocktails sandwich sandwiches smoothie smoothies comensales raciones \
    couverts";
const FILLERS: &str = "a an about approx approximately around ca circa dozen dozens dutzend each for für generously in \
    makes more of plus pour roughly to total yield yields";
const UNITS: &str = "g gr gram grams kg mg oz ounce ounces lb lbs pound pounds ml cl dl l liter liters litre litres cup \
    cups pint pints quart quarts gallon gallons tablespoon tablespoons teaspoon teaspoons tbsp tsp \
    inch inches cm";
const WHOLES: &str = "batch batches bottle bottles bundt cake cakes casserole casseroles cheesecake crust crusts dish \
    jar jars loaf loaves pan pans pie pies pizza pizzas pot quiche recipe roast sheet tart tarts tin \
    tray trays";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn servings_are_found_in_every_wording() {
        for (value, servings, text) in [
            (json!("4"), Some(4000), None),
            (json!(4), Some(4000), None),
            (json!(2.5), Some(2500), None),
            (json!("4 servings"), Some(4000), Some("4 servings")),
            (json!(["4", "4 servings"]), Some(4000), Some("4 servings")),
            (json!(["12", "12 cookies"]), Some(12000), Some("12 cookies")),
            (json!(["1 loaf", "8 servings"]), Some(8000), Some("8 servings")),
            (json!(["8", "1 casserole"]), Some(8000), Some("1 casserole")),
            (json!("Serves 4-6"), Some(4000), Some("Serves 4-6")),
            (json!("6 to 8 servings"), Some(6000), Some("6 to 8 servings")),
            (json!("Serves: two"), Some(2000), Some("Serves: two")),
            (json!("Makes 12 cookies"), Some(12000), Some("Makes 12 cookies")),
            (json!("about 2 dozen"), Some(24000), Some("about 2 dozen")),
            (json!("a dozen rolls"), Some(12000), Some("a dozen rolls")),
            (json!("half a dozen"), Some(6000), Some("half a dozen")),
            (json!("12 cookies (4 servings)"), Some(4000), Some("12 cookies (4 servings)")),
            (json!("1 loaf (12 slices)"), Some(12000), Some("1 loaf (12 slices)")),
            (json!("4 (1-cup) servings"), Some(4000), Some("4 (1-cup) servings")),
            (json!("1 9-inch pie, 8 servings"), Some(8000), Some("1 9-inch pie, 8 servings")),
            (json!("4 servings of 2 cups each"), Some(4000), Some("4 servings of 2 cups each")),
            (json!("für 3 Personen"), Some(3000), Some("für 3 Personen")),
            (json!("4+"), Some(4000), Some("4+")),
            (json!("1 loaf"), None, Some("1 loaf")),
            (json!("1 9-inch pie"), None, Some("1 9-inch pie")),
            (json!("500 g"), None, Some("500 g")),
            (json!("2 cups"), None, Some("2 cups")),
            (json!("a crowd"), None, Some("a crowd")),
            (json!("0"), None, None),
            (json!("99999999"), None, None),
            (json!(null), None, None),
            (json!([]), None, None),
            (
                json!({"@type": "QuantitativeValue", "value": 4, "unitText": "servings"}),
                Some(4000),
                Some("4 servings"),
            ),
            (json!({"@type": "QuantitativeValue", "minValue": 4, "maxValue": 6}), Some(4000), Some("4-6")),
            (json!({"@type": "QuantitativeValue", "value": "4"}), Some(4000), None),
        ] {
            let found = read(&value);
            assert_eq!(found.servings, servings.map(Milli), "{value}");
            assert_eq!(found.text.as_deref(), text, "{value}");
        }
    }

    #[test]
    fn what_was_guessed_or_not_understood_is_said() {
        for (text, remark) in [
            ("1 loaf", Some("yield \"1 loaf\" does not say how many servings")),
            ("Makes 12 cookies", Some("yield \"Makes 12 cookies\" was taken as 12 servings")),
            ("4-6", Some("yield \"4-6\" was taken as 4 servings")),
            ("4 servings", None),
        ] {
            assert_eq!(read(&json!(text)).remark.as_deref(), remark, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec("([0-9]{1,3}|½|-|loaf|servings|cookies|[(),]| ){0,6}|.*", 0..4)) {
            let first = read(&json!(texts));
            let written = write(first.servings, first.text.as_deref());
            let second = read(&written.unwrap_or_default());
            prop_assert_eq!((first.servings, first.text), (second.servings, second.text));
        }
    }
}
