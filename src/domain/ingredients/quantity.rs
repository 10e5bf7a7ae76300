//! Amounts as people write them: digits, fractions, words and ranges.

use super::tokens::{Kind, Token};
use crate::domain::measure::Milli;
use serde::{Deserialize, Serialize};

/// An amount, or a range when `high` is known. Never negative, and `low <= high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    pub low: Milli,
    #[serde(default)]
    pub high: Option<Milli>,
}

impl Quantity {
    #[must_use]
    pub const fn exactly(amount: Milli) -> Self {
        Self { low: amount, high: None }
    }

    /// The amount itself, or the middle of the range.
    #[must_use]
    pub fn middle(self) -> Milli {
        self.high.map_or(self.low, |high| (self.low + high).scale(1, 2))
    }

    #[must_use]
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        Self {
            low: self.low.scale(numerator, denominator),
            high: self.high.map(|high| high.scale(numerator, denominator)),
        }
    }

    pub(super) fn plus(self, more: Milli) -> Self {
        Self { low: self.low + more, high: self.high.map(|high| high + more) }
    }

    fn between(a: Milli, b: Milli) -> Self {
        if a == b { Self::exactly(a) } else { Self { low: a.min(b), high: Some(a.max(b)) } }
    }
}

/// A place in the tokens of a line; copying it is how the grammar looks ahead.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t, 'a> {
    pub tokens: &'t [Token<'a>],
}

impl<'t, 'a> Cursor<'t, 'a> {
    pub(super) fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.first()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&'t Token<'a>> {
        self.tokens.get(ahead)
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.tokens = self.tokens.get(count..).unwrap_or(&[]);
    }

    pub(super) fn take_word(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|token| words.iter().any(|word| token.is_word(word)));
        self.advance(usize::from(found));
        found
    }

    pub(super) fn take_mark(&mut self, marks: &[char]) -> bool {
        let found = self.peek().is_some_and(|token| marks.iter().any(|&mark| token.is_mark(mark)));
        self.advance(usize::from(found));
        found
    }
}

const ROUGHLY: &[&str] = &[
    "about",
    "approximately",
    "approx",
    "around",
    "roughly",
    "circa",
    "ca",
    "nearly",
    "almost",
    "scant",
    "generous",
    "good",
    "up",
    "least",
    "at",
    "another",
    "just",
    "over",
    "under",
    "exactly",
    "maybe",
    "max",
    "maximum",
    "min",
];

/// The amount at the cursor, which then stands behind it; unmoved when there is none.
pub(super) fn quantity(cursor: &mut Cursor) -> Option<Quantity> {
    let mut ahead = *cursor;
    while ahead.take_mark(&['~', '<', '>']) || ahead.take_word(ROUGHLY) {
        ahead.take_word(&["to"]);
        ahead.take_mark(&['.']);
    }
    let first = single(&mut ahead, true)?;
    let found = range(&mut ahead, first).unwrap_or(Quantity::exactly(first));
    let percent = ahead.peek().is_some_and(|token| token.is_mark('%') || token.is_mark('°'));
    if percent || found.middle() <= Milli::ZERO {
        return None;
    }
    *cursor = ahead;
    Some(found)
}

fn range(cursor: &mut Cursor, first: Milli) -> Option<Quantity> {
    let mut ahead = *cursor;
    if !ahead.take_mark(&['-']) && !ahead.take_word(&["to", "or"]) {
        return None;
    }
    ahead.take_mark(&['~']);
    let is_fraction = matches!(ahead.peek()?.kind, Kind::Number { fraction: true, .. });
    let second = single(&mut ahead, false)?;
    *cursor = ahead;
    if is_fraction && second < Milli::whole(1) && first.0 % 1000 == 0 && first > second {
        return Some(Quantity::exactly(first + second));
    }
    Some(Quantity::between(first, second))
}

/// One number; `leading` allows the words that are a number only at the start (`a`, `half`).
fn single(cursor: &mut Cursor, leading: bool) -> Option<Milli> {
    let token = *cursor.peek()?;
    match token.kind {
        Kind::Number { value, fraction } => {
            cursor.advance(1);
            let value = if fraction { value } else { value + fraction_after(cursor).unwrap_or(Milli::ZERO) };
            let dozens = cursor.take_word(&["dozen"]);
            (value > Milli::ZERO || token.text == "0").then(|| value.scale(if dozens { 12 } else { 1 }, 1))
        }
        Kind::Word => in_words(cursor, token.text, leading),
        Kind::Paren | Kind::Mark(_) => None,
    }
}

/// The `1/2` of `1 1/2`, `1 and 1/2` or `one and a half`.
fn fraction_after(cursor: &mut Cursor) -> Option<Milli> {
    let mut ahead = *cursor;
    let joined = ahead.take_word(&["and"]) || ahead.take_mark(&['&']);
    if let Kind::Number { value, fraction: true } = ahead.peek()?.kind {
        let proper = value < Milli::whole(1);
        ahead.advance(1);
        *cursor = if proper { ahead } else { *cursor };
        return proper.then_some(value);
    }
    if !joined {
        return None;
    }
    let value = half_after(&mut ahead)?;
    *cursor = ahead;
    Some(value)
}

/// `half`, `a half`, `a quarter`, as after `and`.
pub(super) fn half_after(cursor: &mut Cursor) -> Option<Milli> {
    cursor.take_word(&["a", "one"]);
    let value = part(cursor.peek()?.text)?;
    cursor.advance(1);
    Some(value)
}

fn part(word: &str) -> Option<Milli> {
    Some(match word.to_ascii_lowercase().as_str() {
        "half" | "halves" => Milli(500),
        "third" | "thirds" => Milli(333),
        "quarter" | "quarters" | "fourth" => Milli(250),
        "eighth" => Milli(125),
        _ => return None,
    })
}

fn in_words(cursor: &mut Cursor, word: &str, leading: bool) -> Option<Milli> {
    let mut ahead = *cursor;
    ahead.advance(1);
    let value = if let Some(part) = part(word).filter(|_| leading) {
        if ahead.take_word(&["and"]) {
            return None;
        }
        of_a(&mut ahead, part)
    } else {
        let count = counted(&word.to_ascii_lowercase(), leading)?;
        let parts = ahead.peek().and_then(|next| part(next.text));
        let is_article = matches!(word, "a" | "A" | "an" | "An");
        match (parts, fraction_after(&mut ahead)) {
            (Some(parts), _) => {
                ahead.advance(1);
                of_a(&mut ahead, count.scale(parts.0, 1000))
            }
            (None, Some(more)) => count + more,
            (None, None) if is_article => article(&mut ahead)?,
            (None, None) => count,
        }
    };
    let dozens = if ahead.take_word(&["dozen"]) { 12 } else { 1 };
    *cursor = ahead;
    Some(value.scale(dozens, 1))
}

/// What `a` means before the words that follow it: `a couple of`, `a few`, or one; nothing before `a little`.
fn article(cursor: &mut Cursor) -> Option<Milli> {
    const NONE: &[&str] = &["little", "bit", "lot", "touch", "hint", "good", "small"];
    let next = cursor.peek()?;
    let amount_follows = cursor.peek_at(1).is_none_or(|token| token.is_word("of") || token.is_word("amount"));
    if next.is_word("little") || (NONE.iter().any(|word| next.is_word(word)) && amount_follows) {
        return None;
    }
    let value = if cursor.take_word(&["couple"]) {
        2
    } else if cursor.take_word(&["few"]) {
        3
    } else {
        return (next.kind == Kind::Word || next.kind == Kind::Paren).then_some(Milli::whole(1));
    };
    cursor.take_word(&["of"]);
    Some(Milli::whole(value))
}

/// Passes the `of a` of `half of a cup` and the `a` of `half a cup`.
fn of_a(cursor: &mut Cursor, value: Milli) -> Milli {
    let mut ahead = *cursor;
    ahead.take_word(&["of"]);
    if ahead.take_word(&["a", "an", "one"]) {
        *cursor = ahead;
    }
    value
}

fn counted(word: &str, leading: bool) -> Option<Milli> {
    let count = match word {
        "a" | "an" | "dozen" | "few" | "couple" if !leading => return None,
        "a" | "an" | "one" => 1,
        "two" | "couple" => 2,
        "three" | "few" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" | "dozen" => 12,
        _ => return None,
    };
    Some(Milli::whole(count))
}
