//! Takes the short texts for times and yields apart into numbers, words and marks.

use crate::domain::measure::Milli;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(Milli),
    /// Letters only, lower case.
    Word(String),
    /// A hyphen or dash, or a word that means "to".
    Range,
    Mark(char),
}

/// Longer texts are no times or yields, and would take quadratic time.
const LONGEST: usize = 200;

/// The tokens of a text's beginning; number words up to twelve count as numbers.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let lower = text.chars().take(LONGEST).collect::<String>().to_lowercase();
    let mut rest = lower.trim_start();
    let mut out = Vec::new();
    while let Some(c) = rest.chars().next() {
        if let Some((number, tail)) = leading_number(rest) {
            out.push(Token::Number(number));
            rest = tail;
        } else if c.is_alphabetic() {
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            out.push(word(&rest[..end]));
            rest = &rest[end..];
        } else {
            out.push(if matches!(c, '-' | '–' | '—' | '−' | '~') {
                Token::Range
            } else {
                Token::Mark(c)
            });
            rest = &rest[c.len_utf8()..];
        }
        rest = rest.trim_start();
    }
    out
}

fn word(word: &str) -> Token {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if let Some(at) = NUMBERS.iter().position(|known| *known == word) {
        return i64::try_from(at + 1).map_or(Token::Mark(' '), |n| Token::Number(Milli::whole(n)));
    }
    match word {
        "half" => Token::Number(Milli(500)),
        "to" | "bis" | "à" => Token::Range,
        _ => Token::Word(word.to_owned()),
    }
}

/// The number a text begins with (`4`, `1.5`, `1,5`, `1/2`, `1 1/2`, `½`, `1½`) and the text behind it.
pub(super) fn leading_number(text: &str) -> Option<(Milli, &str)> {
    if let Some(simple) = fraction(text) {
        return Some(simple);
    }
    let (whole, rest) = decimal(text)?;
    match fraction(rest.trim_start()) {
        Some((part, tail)) if whole.0 % 1000 == 0 => Some((whole + part, tail)),
        _ => Some((whole, rest)),
    }
}

fn digits(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let value = text[..end].parse().ok().filter(|n| *n <= Milli::LIMIT / 1000)?;
    Some((value, &text[end..]))
}

fn decimal(text: &str) -> Option<(Milli, &str)> {
    let (units, rest) = if text.starts_with('.') { (0, text) } else { digits(text)? };
    let Some((_, tail)) = rest.strip_prefix(['.', ',']).and_then(digits) else {
        return (!text.starts_with('.')).then(|| (Milli::whole(units), rest));
    };
    let places = &rest[1..rest.len() - tail.len()];
    if rest.starts_with(',') && places.len() == 3 {
        let grouped = units.saturating_mul(1000).saturating_add(places.parse().ok()?);
        return (grouped <= Milli::LIMIT / 1000).then(|| (Milli::whole(grouped), tail));
    }
    let kept = format!("{places:0<3}");
    Some((Milli::whole(units) + Milli(kept.get(..3)?.parse().ok()?), tail))
}

fn fraction(text: &str) -> Option<(Milli, &str)> {
    let first = text.chars().next()?;
    if let Some((_, thousandths)) = FRACTIONS.iter().find(|(sign, _)| *sign == first) {
        return Some((Milli(*thousandths), &text[first.len_utf8()..]));
    }
    let (numerator, rest) = digits(text)?;
    let (denominator, tail) = digits(rest.trim_start().strip_prefix(['/', '⁄'])?.trim_start())?;
    let sane = (1..=1000).contains(&denominator) && numerator <= 1000;
    sane.then(|| (Milli::whole(numerator).scale(1, denominator), tail))
}

const FRACTIONS: &[(char, i64)] = &[
    ('½', 500),
    ('⅓', 333),
    ('⅔', 667),
    ('¼', 250),
    ('¾', 750),
    ('⅕', 200),
    ('⅖', 400),
    ('⅗', 600),
    ('⅘', 800),
    ('⅙', 167),
    ('⅚', 833),
    ('⅛', 125),
    ('⅜', 375),
    ('⅝', 625),
    ('⅞', 875),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_in_every_spelling() {
        for (text, thousandths, rest) in [
            ("4 x", 4000, " x"),
            ("1.5", 1500, ""),
            ("1,5 h", 1500, " h"),
            ("1,500", 1_500_000, ""),
            ("2.25", 2250, ""),
            ("2.", 2000, "."),
            ("1/2", 500, ""),
            ("1 1/2 h", 1500, " h"),
            ("1 ½", 1500, ""),
            ("1½", 1500, ""),
            ("¾", 750, ""),
            (".5", 500, ""),
            ("4/0", 4000, "/0"),
        ] {
            assert_eq!(leading_number(text), Some((Milli(thousandths), rest)), "{text}");
        }
        for text in ["", "x", "-1", "99999999999999999999", ".", ".x"] {
            assert_eq!(leading_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn taking_apart_never_panics(text in "[0-9.,/½⅓ a-zé-]{0,20}|.*") {
            tokens(&text);
        }
    }
}
