//! One ingredient line, read into amount, unit, food and what else it says.

use super::clean::clean;
use super::lead::{Lead, lead};
use super::phrase::{Phrase, phrase};
use super::quantity::{Cursor, Quantity};
use super::tokens::{Kind, Token, tokens};
use super::units::Unit;
use crate::domain::measure::Milli;
use serde::{Deserialize, Serialize};

/// An amount in another unit than the main one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    pub quantity: Quantity,
    pub unit: Unit,
    /// Of each of the counted things (`2 x 400 g tins`), not of all together.
    #[serde(default)]
    pub each: bool,
}

/// How big a counted piece is said to be.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Small,
    Medium,
    Large,
}

impl Size {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        Some(match lower.trim_end_matches("-sized").trim_end_matches("-size") {
            "small" | "smallish" | "little" | "mini" => Self::Small,
            "medium" | "average" | "med" => Self::Medium,
            "large" | "big" | "jumbo" | "extra-large" | "lg" | "huge" => Self::Large,
            _ => return None,
        })
    }
}

/// What a line of an ingredient list says. `raw` is the line as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParsedLine {
    pub raw: String,
    #[serde(default)]
    pub amount: Option<Quantity>,
    #[serde(default)]
    pub unit: Option<Unit>,
    #[serde(default)]
    pub size: Option<Size>,
    /// The same amount in another unit, or the size of each package.
    #[serde(default)]
    pub alternative: Option<Measure>,
    /// The phrase that names the food.
    pub food: String,
    /// Preparation and remarks.
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub optional: bool,
    /// Other foods that may be taken instead.
    #[serde(default)]
    pub alternatives: Vec<String>,
    /// The line names a group of ingredients and is none itself.
    #[serde(default)]
    pub is_heading: bool,
}

impl ParsedLine {
    /// Reads a line. Never fails: what is not understood is the food, without an amount.
    #[must_use]
    pub fn read(raw: &str) -> Self {
        let text = clean(raw);
        if let Some(title) = heading(raw, &text) {
            return Self { is_heading: true, ..Self::plain(raw, title) };
        }
        let all = tokens(&text);
        let mut front = String::new();
        let start = all.iter().take_while(|token| is_preface(token, &mut front)).count();
        let body = all.get(start..).unwrap_or(&[]);
        let (yield_word, body) = yield_of(body);
        let (found, rest) = split_amount(body);
        let mut phrase = phrase(&rest);
        phrase.take_aside(&front);
        assemble(raw, &text, found, phrase, yield_word)
    }

    fn plain(raw: &str, food: &str) -> Self {
        Self {
            raw: raw.to_owned(),
            amount: None,
            unit: None,
            size: None,
            alternative: None,
            food: food.to_owned(),
            note: None,
            optional: false,
            alternatives: Vec::new(),
            is_heading: false,
        }
    }
}

/// The title of a line that heads others: `For the sauce:`, `# Dough`, `Topping:`.
fn heading<'a>(raw: &str, text: &'a str) -> Option<&'a str> {
    let title = text.trim_end_matches(|c: char| c == ':' || c.is_whitespace());
    let lower = title.to_lowercase();
    let marked =
        text.ends_with(':') || raw.trim_start().starts_with("##") || raw.trim_start().starts_with("# ");
    let for_the = lower.starts_with("for the ") && !text.contains([':', ',']);
    let counted = text.starts_with(|c: char| c.is_ascii_digit());
    let heads = (marked || for_the) && !counted && !title.trim_start_matches('#').trim().is_empty();
    heads.then(|| title.trim_start_matches('#').trim())
}

/// A parenthesis or mark before the line proper, as in `(optional) 30 g cocoa`.
fn is_preface(token: &Token, front: &mut String) -> bool {
    if token.kind == Kind::Paren && front.is_empty() {
        front.push_str(token.text);
        return true;
    }
    token.kind != Kind::Word
        && !matches!(token.kind, Kind::Number { .. } | Kind::Paren)
        && !token.is_mark('~')
        && !token.is_mark('<')
}

/// `juice of 1 lemon` is an amount of lemon juice.
fn yield_of<'t, 'a>(body: &'t [Token<'a>]) -> (Option<&'a str>, &'t [Token<'a>]) {
    let mut cursor = Cursor { tokens: body };
    cursor.take_word(&["the", "freshly", "squeezed", "finely", "grated", "fresh"]);
    let Some(first) = cursor.peek() else { return (None, body) };
    let mut ahead = cursor;
    if !ahead.take_word(&["juice", "zest", "rind", "peel"]) {
        return (None, body);
    }
    if ahead.take_word(&["and", "&"]) || ahead.take_mark(&['&', '/', '+']) {
        ahead.take_word(&["zest", "juice", "rind"]);
    }
    if ahead.take_word(&["of", "from"]) { (Some(first.text), ahead.tokens) } else { (None, body) }
}

/// The amount of a line, at its start or its end, and the tokens without it.
fn split_amount<'a>(body: &[Token<'a>]) -> (Lead, Vec<Token<'a>>) {
    let mut cursor = Cursor { tokens: body };
    if let Some(found) = lead(&mut cursor, true) {
        return (found, cursor.tokens.to_vec());
    }
    for (at, token) in body.iter().enumerate().skip(1) {
        let Kind::Number { .. } = token.kind else { continue };
        let mut cursor = Cursor { tokens: body.get(at..).unwrap_or(&[]) };
        let Some(found) = lead(&mut cursor, false) else { continue };
        if cursor.peek().is_none_or(ends_amount) {
            let mut rest = without_trailing_marks(body.get(..at).unwrap_or(&[])).to_vec();
            rest.extend_from_slice(cursor.tokens);
            return (found, rest);
        }
    }
    (Lead::default(), body.to_vec())
}

fn ends_amount(token: &Token) -> bool {
    token.kind == Kind::Paren
        || matches!(token.kind, Kind::Mark(',' | ';' | '.' | '-' | '|' | '+'))
        || token.is_word("or")
        || token.is_word("to")
        || token.is_word("for")
}

fn without_trailing_marks<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let is_filler = |token: &Token| {
        matches!(token.kind, Kind::Mark(_)) || token.is_word("about") || token.is_word("approx")
    };
    let end = tokens.iter().rposition(|token| !is_filler(token)).map_or(0, |last| last + 1);
    tokens.get(..end).unwrap_or(&[])
}

fn assemble(raw: &str, text: &str, mut found: Lead, phrase: Phrase, yield_word: Option<&str>) -> ParsedLine {
    let mut line = ParsedLine::plain(raw, &phrase.food);
    if let Some(measure) = phrase.measure {
        if found.amount.is_none() && !measure.each {
            found.amount = Some(measure.quantity);
            found.unit = Some(measure.unit);
        } else {
            found.offer(measure);
        }
    }
    if let Some(count) = phrase.count.filter(|_| found.amount.is_none()) {
        found = Lead { notes: found.notes, ..count };
    }
    line.amount = found.amount;
    line.unit = found.unit;
    line.size = found.size.or(phrase.size);
    line.alternative = found.alternative;
    line.optional = phrase.optional;
    line.alternatives = phrase.alternatives;
    let mut notes = found.notes;
    notes.extend(phrase.notes);
    if phrase.per_person {
        line.amount = None;
        line.unit = None;
        line.alternative = None;
    }
    name_part(&mut line);
    if let Some(part) = yield_word {
        line.food = format!("{} {}", singular_fruit(&line.food), part.to_lowercase());
        line.unit = line.unit.or(Some(Unit::Fruit)).filter(|_| line.amount.is_some());
    }
    if line.food.is_empty() {
        text.clone_into(&mut line.food);
    }
    line.note = Some(notes.join(", ")).filter(|note| !note.is_empty());
    line
}

fn singular_fruit(food: &str) -> &str {
    food.strip_suffix('s').unwrap_or(food)
}

/// Moves a part between food and unit: `2 garlic cloves` is 2 cloves of garlic, `2 breasts of chicken` chicken breast.
fn name_part(line: &mut ParsedLine) {
    if let Some(unit @ (Unit::Breast | Unit::Thigh)) = line.unit {
        if !line.food.to_lowercase().contains(unit.name()) {
            line.food = format!("{} {unit}", line.food);
        }
        return;
    }
    let counted = line.amount.is_some_and(|amount| amount.low > Milli::ZERO) && line.unit.is_none();
    let Some((stem, last)) = line.food.rsplit_once(' ').filter(|_| counted) else { return };
    let Some(unit) = Unit::read(last).filter(|_| last.len() > 2) else { return };
    let stem_lower = stem.to_lowercase();
    let of = |foods: &[&str]| foods.iter().any(|food| stem_lower.contains(food));
    let separable =
        matches!(unit, Unit::Sprig | Unit::Head | Unit::Slice | Unit::Bulb | Unit::Ear | Unit::Wedge)
            || unit == Unit::Clove && of(&["garlic"])
            || unit == Unit::Stick && of(&["celery", "butter"])
            || unit == Unit::Stalk && (!last.to_lowercase().starts_with("rib") || of(&["celery"]))
            || unit == Unit::Cube && stem_lower == "ice";
    let keeps_name = matches!(
        unit,
        Unit::Leaf | Unit::Breast | Unit::Thigh | Unit::Fillet | Unit::Cube | Unit::Sheet | Unit::Stick
    );
    if separable {
        line.food = stem.to_owned();
        line.unit = Some(unit);
    } else if keeps_name {
        line.unit = Some(unit);
    }
}
