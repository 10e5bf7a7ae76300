//! Texts with a NUL, which PostgreSQL does not hold: escaped on the way in, so that nothing is lost or refused.
//!
//! U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002: the order of texts stays what it was.

use std::borrow::Cow;

const MARK: char = '\u{1}';

pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte <= 1) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\0' => escaped.extend([MARK, MARK]),
            MARK => escaped.extend([MARK, '\u{2}']),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == 1) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            MARK if chars.next() == Some(MARK) => plain.push('\0'),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// [`escape`] for every string within a JSON text, in which these characters stand as `\u0000` and `\u0001`.
pub(super) fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u000") {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        escaped.push_str(before);
        // An escape is two bytes long, or six for those that begin with `\u`; only these are of interest.
        let (taken, becomes) = match from.get(..6) {
            Some("\\u0000") => (6, "\\u0001\\u0001"),
            Some("\\u0001") => (6, "\\u0001\\u0002"),
            Some(_) | None => (2, from.get(..2).unwrap_or(from)),
        };
        escaped.push_str(becomes);
        rest = from.get(taken..).unwrap_or_default();
    }
    escaped.push_str(rest);
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn odd() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            proptest::sample::select(vec!['\0', '\u{1}', '\u{2}', '\\', 'u', '0', 'ä']),
            0..12,
        )
        .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_without_a_nul_between(text in odd()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains('\0'));
            prop_assert_eq!(&*unescape(&escaped), &*text);
        }

        #[test]
        fn the_order_stays(one in odd(), other in odd()) {
            prop_assert_eq!(one.cmp(&other), escape(&one).cmp(&escape(&other)));
        }

        #[test]
        fn strings_within_json_are_escaped_alike(texts in proptest::collection::vec(odd(), 0..4)) {
            let nested = serde_json::json!(texts).to_string();
            let json = serde_json::json!([texts, nested]).to_string();
            let read: (Vec<String>, String) = serde_json::from_str(&escape_json(&json)).unwrap();
            prop_assert!(read.0.iter().zip(&texts).all(|(read, text)| *read == escape(text)));
            prop_assert_eq!(read.1, nested);
        }
    }
}
