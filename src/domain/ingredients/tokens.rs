//! Cuts a cleaned line into numbers, words, marks and parentheses.

use crate::domain::measure::Milli;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number {
        value: Milli,
        /// Written with a slash.
        fraction: bool,
    },
    Word,
    /// A whole parenthesis; the text is what stands inside.
    Paren,
    Mark(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// No space before it.
    pub glued: bool,
}

impl Token<'_> {
    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut glued = false;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.get(first.len_utf8()..).unwrap_or("");
            glued = false;
            continue;
        }
        let (token, length) = next(rest, first);
        if let Some((kind, text)) = token {
            found.push(Token { kind, text, glued });
        }
        rest = rest.get(length.max(1)..).unwrap_or("");
        glued = true;
    }
    found
}

/// The token at the start of a text, and how many bytes it takes.
fn next(rest: &str, first: char) -> (Option<(Kind, &str)>, usize) {
    if let Some((value, fraction, length)) = number(rest) {
        return (Some((Kind::Number { value, fraction }, rest.get(..length).unwrap_or(""))), length);
    }
    if first == '(' {
        return parenthesis(rest);
    }
    if first == ')' {
        return (None, 1);
    }
    if first.is_alphanumeric() {
        let length = word_length(rest);
        return (Some((Kind::Word, rest.get(..length).unwrap_or(""))), length);
    }
    let length = first.len_utf8();
    (Some((Kind::Mark(first), rest.get(..length).unwrap_or(""))), length)
}

fn parenthesis(rest: &str) -> (Option<(Kind, &str)>, usize) {
    let mut depth = 0_usize;
    let closing = rest.char_indices().find(|&(_, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    let end = closing.map_or(rest.len(), |(at, _)| at);
    let inner = rest.get(1..end).unwrap_or("").trim();
    let token = (!inner.is_empty()).then_some((Kind::Paren, inner));
    (token, end + 1)
}

fn word_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inside = c.is_alphanumeric() || is_joined(c, chars.peek().map(|&(_, next)| next));
        if !inside {
            return at;
        }
    }
    rest.len()
}

fn is_joined(c: char, next: Option<char>) -> bool {
    matches!(c, '-' | '\'') && next.is_some_and(char::is_alphabetic) || matches!(c, '\u{300}'..='\u{36f}')
}

/// A number of at most nine digits: `2`, `1.5`, `1,5`, `1,000`, `.5`, `3/4`.
fn number(rest: &str) -> Option<(Milli, bool, usize)> {
    let whole = digits(rest);
    let after = rest.get(whole.len()..).unwrap_or("");
    if whole.is_empty() {
        let decimals = digits(after.strip_prefix('.')?);
        return Some((decimal("", decimals)?, false, 1 + decimals.len()));
    }
    if let Some(bottom) = after.strip_prefix('/').map(digits).filter(|bottom| !bottom.is_empty()) {
        let (top, bottom_value) = (integer(whole)?, integer(bottom)?);
        let value = (bottom_value > 0).then(|| Milli::whole(top).scale(1, bottom_value))?;
        return Some((value, true, whole.len() + 1 + bottom.len()));
    }
    let decimals = after.strip_prefix(['.', ',']).map_or("", digits);
    if decimals.is_empty() {
        return Some((decimal(whole, "")?, false, whole.len()));
    }
    let length = whole.len() + 1 + decimals.len();
    let thousands =
        after.starts_with(',') && decimals.len() == 3 && whole.len() <= 3 && !whole.starts_with('0');
    if thousands {
        return Some((Milli::whole(integer(whole)? * 1000 + integer(decimals)?), false, length));
    }
    Some((decimal(whole, decimals)?, false, length))
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.len() <= 9)
}

fn decimal(whole: &str, decimals: &str) -> Option<Milli> {
    let units = if whole.is_empty() { 0 } else { integer(whole)? };
    let thousandths: String = decimals.chars().chain("000".chars()).take(3).collect();
    (!(whole.is_empty() && decimals.is_empty())).then_some(())?;
    Some(Milli(units * 1000 + integer(&thousandths)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<i64> {
        tokens(text)
            .iter()
            .filter_map(
                |token| if let Kind::Number { value, .. } = token.kind { Some(value.0) } else { None },
            )
            .collect()
    }

    #[test]
    fn numbers_are_exact_to_a_thousandth() {
        assert_eq!(values("2 1.5 2,5kg 1,000 .5 1/3 0,125"), [2000, 1500, 2500, 1_000_000, 500, 333, 125]);
        assert_eq!(values("99999999999"), Vec::<i64>::new());
    }

    #[test]
    fn words_keep_their_hyphens_and_parentheses_stay_whole() {
        let found = tokens("14-ounce (drained (well)) all-purpose brewer's");
        let texts: Vec<_> = found.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["14", "-", "ounce", "drained (well)", "all-purpose", "brewer's"]);
    }
}
