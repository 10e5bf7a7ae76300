//! Amounts in masses and volumes, and the parentheses that give one.

use super::line::Measure;
use super::quantity::{Cursor, quantity};
use super::tokens::{Kind, Token, tokens};
use super::units::Unit;
use crate::domain::measure::Milli;

/// What stands in a parenthesis that gives a measure.
pub(super) struct Aside {
    pub measure: Measure,
    pub rest: String,
}

/// The one that says more: a mass before a volume, the first before the second.
pub(super) fn surer(first: Option<Measure>, second: Measure) -> Measure {
    let is_mass = |measure: Measure| measure.unit.grams(Milli::ZERO).is_some();
    first.filter(|&first| is_mass(first) || !is_mass(second)).unwrap_or(second)
}

pub(super) fn is_length(unit: Unit) -> bool {
    matches!(unit, Unit::Inch | Unit::Centimeter)
}

pub(super) fn pass_hyphen(cursor: &mut Cursor) {
    let mut ahead = *cursor;
    let hyphen = ahead.take_mark(&['-']);
    if hyphen && ahead.peek().is_some_and(|next| next.kind == Kind::Word && Unit::read(next.text).is_some()) {
        *cursor = ahead;
    }
}

/// An amount with a mass, a volume or sticks.
pub(super) fn measure(cursor: &mut Cursor) -> Option<Measure> {
    let mut ahead = *cursor;
    let quantity = quantity(&mut ahead)?;
    pass_hyphen(&mut ahead);
    let mut word = ahead;
    let unit = unit(&mut ahead)?;
    let temperature = word.take_word(&["c"]) && quantity.middle() > Milli::whole(12);
    if temperature || !(unit.is_measure() || matches!(unit, Unit::Stick | Unit::Inch | Unit::Centimeter)) {
        return None;
    }
    *cursor = ahead;
    Some(Measure { quantity, unit, each: false })
}

/// The measure a parenthesis begins with, and what else it says.
pub(super) fn aside(text: &str) -> Option<Aside> {
    let tokens = tokens(text);
    let mut cursor = Cursor { tokens: &tokens };
    let mut each = cursor.take_word(&["each"]);
    let mut best = measure(&mut cursor).filter(|measure| !is_length(measure.unit))?;
    loop {
        let mut ahead = cursor;
        let joined = ahead.take_mark(&['/', ',', ';', '=', '|']) || ahead.take_word(&["or"]);
        match measure(&mut ahead).filter(|_| joined) {
            Some(measure) => best = surer(Some(best), measure),
            None => break,
        }
        cursor = ahead;
    }
    each |= cursor.take_word(&["each", "apiece"]);
    if cursor.peek().is_some_and(|next| next.is_word("of") || next.is_mark('+')) {
        return None;
    }
    Some(Aside { measure: Measure { each, ..best }, rest: joined(cursor.tokens) })
}

pub(super) fn unit(cursor: &mut Cursor) -> Option<Unit> {
    let mut ahead = *cursor;
    if ahead.take_mark(&['#']) {
        *cursor = ahead;
        return Some(Unit::Pound);
    }
    if ahead.take_word(&["fl", "fluid"]) {
        ahead.take_mark(&['.', '-']);
        let ounces = ahead.take_word(&["oz", "ozs", "ounce", "ounces"]);
        ahead.take_mark(&['.']);
        *cursor = if ounces { ahead } else { *cursor };
        return ounces.then_some(Unit::FluidOunce);
    }
    if ahead.take_mark(&['"']) {
        *cursor = ahead;
        return Some(Unit::Inch);
    }
    let word = ahead.peek().filter(|token| token.kind == Kind::Word)?;
    let unit = Unit::read(word.text)?;
    ahead.advance(1);
    if ahead.peek().is_some_and(|next| next.glued && next.is_mark('.')) {
        ahead.advance(1);
    }
    if ahead.peek().is_some_and(|next| next.glued && next.kind == Kind::Paren && next.text == "s") {
        ahead.advance(1);
    }
    *cursor = ahead;
    Some(unit)
}

pub(super) fn in_unit(measure: Measure, unit: Unit) -> Option<Milli> {
    let one = Milli::whole(1000);
    let amount = measure.quantity.middle();
    let (part, whole) = match (measure.unit.grams(one), unit.grams(one)) {
        (Some(part), Some(whole)) => (part, whole),
        _ => (measure.unit.milliliters(one)?, unit.milliliters(one)?),
    };
    (whole > Milli::ZERO).then(|| amount.scale(part.0, whole.0))
}

/// The text of tokens, with the spaces they had.
pub(super) fn joined(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !token.glued && !text.is_empty() {
            text.push(' ');
        }
        match token.kind {
            Kind::Paren => {
                text.push('(');
                text.push_str(token.text);
                text.push(')');
            }
            Kind::Number { .. } | Kind::Word | Kind::Mark(_) => text.push_str(token.text),
        }
    }
    let trimmed = text
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '.' | ':' | '-' | '/' | '|'));
    trimmed.to_owned()
}
