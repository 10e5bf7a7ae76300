//! Parses JSON as pages really carry it: wrapped, with stray characters, commas and broken escapes.

use super::entities::decode;
use serde_json::{Error, Value};

/// The value of a JSON text; what sites commonly break is mended, else the error of the text as it came.
pub(super) fn parse(text: &str) -> Result<Value, Error> {
    let body = unwrap(text);
    serde_json::from_str(text).or_else(|error| {
        let mended = serde_json::from_str(body).or_else(|_| serde_json::from_str(&mend(body)));
        mended.or_else(|_| {
            if body.contains("&quot;") { serde_json::from_str(&mend(&decode(body))) } else { Err(error) }
        })
    })
}

/// The text without the comments, CDATA marks and semicolons around it.
fn unwrap(text: &str) -> &str {
    const BEFORE: [&str; 6] = ["\u{feff}", "<!--", "<![CDATA[", "//", "/*", "*/"];
    const BEHIND: [&str; 7] = ["-->", "]]>", "//", "/*", "*/", ";", "\0"];
    let mut now = text.trim();
    loop {
        let before = BEFORE.iter().find_map(|mark| now.strip_prefix(mark));
        match before.or_else(|| BEHIND.iter().find_map(|mark| now.strip_suffix(mark))) {
            Some(inner) => now = inner.trim(),
            None => return now,
        }
    }
}

fn mend(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => rest = mend_string(rest, &mut out),
            ',' if ends_a_list(rest) => {}
            '/' if rest.starts_with('*') => rest = rest.split_once("*/").map_or("", |(_, tail)| tail),
            '/' if rest.starts_with('/') => rest = rest.split_once('\n').map_or("", |(_, tail)| tail),
            c if c.is_control() || c.is_whitespace() || c == '\u{feff}' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn ends_a_list(rest: &str) -> bool {
    rest.trim_start().starts_with([']', '}', ','])
}

/// Copies a string with valid escapes only; `rest` begins behind its opening quote, the answer behind its closing one.
fn mend_string<'a>(rest: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut rest = rest;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => {
                out.push('"');
                return rest;
            }
            '\\' => rest = mend_escape(rest, out),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    rest
}

fn mend_escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(c) = rest.chars().next() else { return rest };
    let tail = &rest[c.len_utf8()..];
    match c {
        '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
            out.push('\\');
            out.push(c);
            tail
        }
        'u' => mend_unicode(rest, out),
        _ => rest,
    }
}

/// Keeps `uXXXX` and its surrogate partner, replaces lone surrogates, drops what is none.
fn mend_unicode<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(code) = unit(rest) else { return rest };
    let tail = &rest[5..];
    match code {
        0xd800..=0xdbff => {
            let partner =
                tail.strip_prefix('\\').and_then(unit).filter(|low| (0xdc00..=0xdfff).contains(low));
            if let (Some(_), Some(pair)) = (partner, rest.get(..11)) {
                out.push('\\');
                out.push_str(pair);
                return &rest[11..];
            }
            out.push_str("\\ufffd");
        }
        0xdc00..=0xdfff => out.push_str("\\ufffd"),
        _ => {
            out.push('\\');
            out.push_str(&rest[..5]);
        }
    }
    tail
}

fn unit(text: &str) -> Option<u32> {
    let hex = text.strip_prefix('u')?.get(..4)?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_sites_break_is_mended() {
        for (text, value) in [
            ("\u{feff}{\"a\":1}", json!({"a": 1})),
            ("{\"a\":1};", json!({"a": 1})),
            ("{\"a\":[1,2,],}", json!({"a": [1, 2]})),
            ("{\"a\":1,,\"b\":2}", json!({"a": 1, "b": 2})),
            ("{\"a\":\"x\ny\tz\u{1}\"}", json!({"a": "x\ny\tz"})),
            ("{\"a\":\"it\\'s\"}", json!({"a": "it's"})),
            (
                "{\"a\":\"\\ud83d x \\ude00 \\ud83d\\ude00 \\uZZ\"}",
                json!({"a": "\u{fffd} x \u{fffd} 😀 uZZ"}),
            ),
            ("<!-- {\"a\":1} -->", json!({"a": 1})),
            ("//<![CDATA[\n{\"a\":1}\n//]]>", json!({"a": 1})),
            ("/*<![CDATA[*/ {\"a\":1} /*]]>*/", json!({"a": 1})),
            ("{\"a\":1 /* one */, // two\n\"b\":2}", json!({"a": 1, "b": 2})),
            ("{&quot;a&quot;:&quot;x &amp;amp; y&quot;}", json!({"a": "x & y"})),
            ("{\u{a0}\"a\":1}", json!({"a": 1})),
        ] {
            assert_eq!(parse(text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn sound_json_is_taken_as_it_is() {
        assert_eq!(parse("{\"a\":\"&quot; // ,]\"}").unwrap(), json!({"a": "&quot; // ,]"}));
    }

    #[test]
    fn the_error_speaks_of_the_text_as_it_came() {
        let error = parse("{\n\"a\": oops}").unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 6));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "([\\[\\]{}:,\"/*;]|\\\\|u|d83d|\\\\ud800|é|1|&quot;| |\\n){0,24}|.*") {
            let _ = parse(&text);
        }

        #[test]
        fn mending_keeps_sound_json(text in any::<String>()) {
            let sound = json!([text]).to_string();
            prop_assert_eq!(serde_json::from_str::<Value>(&mend(&sound)).unwrap(), json!([text]));
        }
    }
}
