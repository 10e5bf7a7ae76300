//! The grammar of an amount with its unit: `2 x 400 g tins of`, `1 (15 oz) can`, `a pint and a half of`.

use super::line::{Measure, Size};
use super::measures::{aside, in_unit, is_length, measure, pass_hyphen, surer, unit};
use super::quantity::{Cursor, Quantity, half_after, quantity};
use super::tokens::{Kind, Token};
use super::units::{Unit, UnitKind};
use crate::domain::measure::Milli;

/// An amount with everything that belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lead {
    pub amount: Option<Quantity>,
    pub unit: Option<Unit>,
    pub size: Option<Size>,
    pub alternative: Option<Measure>,
    pub notes: Vec<String>,
}

impl Lead {
    /// Keeps the measure that says most: a mass before a volume, the first before the others.
    pub(super) fn offer(&mut self, measure: Measure) {
        self.alternative = Some(surer(self.alternative, measure));
    }
}

/// The amount at the cursor, which then stands behind it; unmoved when there is none.
///
/// `leading` says that the food follows, so that in `2 cloves` the cloves are the food.
pub(super) fn lead(cursor: &mut Cursor, leading: bool) -> Option<Lead> {
    let mut ahead = *cursor;
    let mut found = Lead::default();
    if let Some(amount) = quantity(&mut ahead) {
        found.amount = Some(amount);
        pass_of_a(&mut ahead);
        package(&mut ahead, &mut found);
        pass_hyphen(&mut ahead);
        found.size = sizes(&mut ahead).or(found.size);
        found.unit = unit_for(&mut ahead, leading);
    } else if leading {
        found.size = sizes(&mut ahead);
        found.unit = Some(implied_unit(&mut ahead)?);
        found.amount = Some(Quantity::exactly(Milli::whole(1)));
    } else {
        return None;
    }
    after_unit(&mut ahead, &mut found);
    *cursor = ahead;
    Some(found)
}

fn after_unit(cursor: &mut Cursor, found: &mut Lead) {
    add_half(cursor, found);
    add_more(cursor, found);
    other_measures(cursor, found);
    if found.unit.is_some_and(Unit::is_measure) {
        let mut ahead = *cursor;
        sizes(&mut ahead);
        if unit_for(&mut ahead, true).is_some_and(|unit| unit.kind() == UnitKind::Container) {
            *cursor = ahead;
            other_measures(cursor, found);
        }
    }
    if found.unit.is_some_and(is_length) {
        cursor.take_mark(&['-']);
        let mut ahead = *cursor;
        if ahead.take_word(&["piece", "pieces", "knob", "thumb", "chunk", "slice"]) {
            *cursor = ahead;
        }
    }
    let mut ahead = *cursor;
    if ahead.take_word(&["or"]) && ahead.take_word(&["less", "more", "so"]) {
        *cursor = ahead;
    }
    while cursor.take_word(&["of"]) {}
}

/// `of a` between an amount and its unit.
fn pass_of_a(cursor: &mut Cursor) {
    let mut ahead = *cursor;
    if ahead.take_word(&["of"]) && ahead.take_word(&["a", "an", "the"]) {
        *cursor = ahead;
    }
}

/// The size of one of several: `x 400 g`, `(15 oz)`, `14-ounce` after the count.
fn package(cursor: &mut Cursor, found: &mut Lead) {
    let mut ahead = *cursor;
    if let Some(Token { kind: Kind::Paren, text, .. }) = ahead.peek() {
        ahead.advance(1);
        let followed = ahead.peek().is_some_and(|next| next.kind == Kind::Word && !next.is_word("of"));
        if let Some(aside) = aside(text).filter(|_| followed) {
            found.offer(Measure { each: true, ..aside.measure });
            *cursor = ahead;
        }
        return;
    }
    ahead.take_word(&["x"]);
    if let Some(measure) = measure(&mut ahead).filter(|measure| measure.unit != Unit::Stick) {
        if measure.unit.is_measure() {
            found.offer(Measure { each: true, ..measure });
        }
        *cursor = ahead;
        other_measures(cursor, found);
    }
}

fn sizes(cursor: &mut Cursor) -> Option<Size> {
    const HEAPED: &[&str] = &[
        "heaped",
        "heaping",
        "level",
        "rounded",
        "scant",
        "overfilled",
        "full",
        "generous",
        "good",
        "packed",
        "each",
        "metric",
        "us",
        "imperial",
        "very",
        "big",
        "giant",
        "mounded",
        "x",
    ];
    let mut size = None;
    while let Some(token) = cursor.peek().filter(|token| token.kind == Kind::Word) {
        let passed = Size::read(token.text);
        if passed.is_none() && !HEAPED.iter().any(|word| token.is_word(word)) {
            break;
        }
        size = passed.or(size);
        let after = cursor.peek_at(1);
        cursor.advance(1);
        if after.is_some_and(|next| next.is_word("sized") || next.is_word("size")) {
            cursor.advance(1);
        }
    }
    size
}

/// The unit at the cursor, unless it is the food itself.
fn unit_for(cursor: &mut Cursor, leading: bool) -> Option<Unit> {
    let mut ahead = *cursor;
    let unit = unit(&mut ahead)?;
    let food_follows = ahead.tokens.iter().take_while(|token| !token.is_mark(',')).any(|token| {
        token.kind == Kind::Word && !token.is_word("of") && !token.is_word("or") && !token.is_word("and")
    });
    let eye = ahead.peek().is_some_and(|next| next.is_word("eye") || next.is_word("gourd"));
    if eye || leading && !food_follows && !unit.is_measure() {
        return None;
    }
    *cursor = ahead;
    Some(unit)
}

/// A unit without a number, as in `pinch of salt` and `bunch of dill`, is one of it.
fn implied_unit(cursor: &mut Cursor) -> Option<Unit> {
    let word = cursor.peek()?.text;
    let mut ahead = *cursor;
    let unit = unit_for(&mut ahead, true)?;
    let plural = word.ends_with('s') && !matches!(word.to_ascii_lowercase().as_str(), "glass");
    let of_hand = matches!(unit.kind(), UnitKind::Rough(_))
        && !matches!(unit, Unit::Drop | Unit::Mug | Unit::Bowl | Unit::Glass | Unit::Spoon)
        || matches!(unit, Unit::Teaspoon | Unit::Tablespoon);
    let of_follows = ahead.peek().is_some_and(|next| next.is_word("of"));
    if plural || word.len() < 3 || !(of_hand || of_follows) {
        return None;
    }
    *cursor = ahead;
    Some(unit)
}

/// `and a half` behind the unit.
fn add_half(cursor: &mut Cursor, found: &mut Lead) {
    let mut ahead = *cursor;
    if found.unit.is_none() || !ahead.take_word(&["and"]) {
        return;
    }
    if let (Some(half), Some(amount)) = (half_after(&mut ahead), found.amount) {
        found.amount = Some(amount.plus(half));
        *cursor = ahead;
    }
}

/// `+ 2 tablespoons`, counted in the first unit.
fn add_more(cursor: &mut Cursor, found: &mut Lead) {
    let mut ahead = *cursor;
    if !ahead.take_mark(&['+']) && !ahead.take_word(&["plus", "and"]) {
        return;
    }
    let (Some(unit), Some(amount)) = (found.unit, found.amount) else { return };
    match measure(&mut ahead).and_then(|more| in_unit(more, unit)) {
        Some(more) => {
            found.amount = Some(amount.plus(more));
            *cursor = ahead;
        }
        None => _ = cursor.take_mark(&['+']),
    }
}

/// The same amount again in other units: `(240 ml)`, `/ 425 g`, `or 1 lb`.
fn other_measures(cursor: &mut Cursor, found: &mut Lead) {
    loop {
        let mut ahead = *cursor;
        if let Some(Token { kind: Kind::Paren, text, .. }) = ahead.peek() {
            let Some(aside) = aside(text) else { return };
            let container = found.unit.is_some_and(|unit| unit.kind() == UnitKind::Container);
            let total = aside.rest.contains("total") || aside.rest.contains("altogether");
            found.offer(Measure { each: aside.measure.each || container && !total, ..aside.measure });
            found.notes.extend(Some(aside.rest).filter(|rest| !rest.is_empty()));
            ahead.advance(1);
        } else {
            let joined = ahead.take_mark(&['/', '|', '=']) || ahead.take_word(&["or"]);
            let Some(measure) = measure(&mut ahead).filter(|_| joined) else { return };
            found.offer(measure);
        }
        *cursor = ahead;
    }
}
