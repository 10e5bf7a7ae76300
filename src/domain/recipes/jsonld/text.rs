//! Cleans the texts of foreign recipes: HTML tags, character references and stray white space.

use super::entities::decode;

/// Tags after which a browser starts a new line.
const BLOCKS: &[&str] = &[
    "article",
    "blockquote",
    "br",
    "center",
    "div",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];
const INLINE: &[&str] = &[
    "a", "abbr", "b", "cite", "code", "del", "em", "font", "i", "iframe", "img", "input", "ins", "label",
    "mark", "nobr", "noscript", "picture", "q", "s", "script", "small", "source", "span", "strike", "strong",
    "style", "sub", "sup", "svg", "tbody", "td", "tfoot", "th", "thead", "time", "tt", "u", "video", "wbr",
];
/// Texts encoded more often than this are left as they are.
const MAX_ROUNDS: usize = 4;

/// The text as one line, as a reader of a page would see it.
pub(super) fn clean(text: &str) -> String {
    lines(text).join(" ")
}

/// The visible lines of a text, none of them blank.
pub(super) fn lines(text: &str) -> Vec<String> {
    plain(text)
        .split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
        .map(squeeze)
        .filter(|line| !line.is_empty())
        .collect()
}

/// A piece of a source for a remark: in quotes, on one line, shortened.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = clean(text);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}…\"", &line[..end]),
        None => format!("\"{line}\""),
    }
}

fn plain(text: &str) -> String {
    let mut now = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let mut next = strip_tags(&decode(&now)).replace("\\r\\n", "\n").replace("\\n", "\n");
        next.retain(|c| c.is_whitespace() || !is_invisible(c));
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{2060}' | '\u{200e}' | '\u{200f}')
}

fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let (replacement, len) = tag(tail).unwrap_or(("<", 0));
        out.push_str(replacement);
        rest = &tail[len..];
    }
    out.push_str(rest);
    out
}

/// What a tag turns into and how much of the text behind its `<` goes with it; `None` for a mere less-than sign.
fn tag(tail: &str) -> Option<(&'static str, usize)> {
    if tail.starts_with("!--") {
        return Some(("", tail.find("-->").map_or(tail.len(), |at| at + 3)));
    }
    let end = tail.find(['<', '>']).filter(|at| tail[*at..].starts_with('>'))?;
    let inner = tail[..end].trim_start_matches('/');
    let name = inner.split(|c: char| c.is_whitespace() || c == '/').next()?.to_ascii_lowercase();
    if BLOCKS.contains(&name.as_str()) {
        return Some(("\n", end + 1));
    }
    let custom = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.contains(['-', ':']);
    if !custom && !INLINE.contains(&name.as_str()) {
        return None;
    }
    let hides = !tail.starts_with('/') && matches!(name.as_str(), "script" | "style");
    Some(match name.as_str() {
        "td" | "th" => (" ", end + 1),
        _ if hides => ("", end + 1 + tail[end + 1..].find("</").unwrap_or(tail.len() - end - 1)),
        _ => ("", end + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_reads_as_on_the_page() {
        for (source, seen) in [
            ("Mac &amp; cheese", "Mac & cheese"),
            ("Mac &amp;amp;amp; cheese", "Mac & cheese"),
            ("1&frac12;&nbsp;cups", "1½ cups"),
            ("cr&#232;me br&#xFB;l&eacute;e", "crème brûlée"),
            ("Mum&#146;s &#8220;best&#8221;", "Mum’s “best”"),
            ("<p>Mix <b>well</b>.</p><p>Bake.</p>", "Mix well. Bake."),
            ("&lt;strong&gt;Hot&lt;/strong&gt;", "Hot"),
            ("bake at < 200 °C and > 150 °C", "bake at < 200 °C and > 150 °C"),
            ("if x <y then <b>bold</b>", "if x <y then bold"),
            ("take <your favourite> beans", "take <your favourite> beans"),
            ("a<!-- note -->b<script>x()</script>c<wp-box x=1>d", "abcd"),
            ("  tab\there\u{200b}\u{0}  too\u{a0}", "tab here too"),
            ("&unknown; &; & &#; &#xZZ; &#1114112;", "&unknown; &; & &#; &#xZZ; \u{fffd}"),
            ("salt &amp;lt; pepper", "salt < pepper"),
        ] {
            assert_eq!(clean(source), seen, "{source}");
        }
    }

    #[test]
    fn block_tags_and_breaks_make_lines() {
        let source = "<ol><li>One</li><li>Two<br/>three</li></ol>four\\nfive\r\n\r\nsix";
        assert_eq!(lines(source), ["One", "Two", "three", "four", "five", "six"]);
    }

    #[test]
    fn a_deeply_encoded_text_takes_no_longer_than_its_length() {
        assert_eq!(clean(&format!("&{}lt;b", "amp;".repeat(100_000))), "<b");
        assert_eq!(clean(&"<".repeat(100_000)).len(), 100_000);
    }

    #[test]
    fn quotes_are_short_and_never_cut_a_character() {
        assert_eq!(quote(" so\non "), "\"so on\"");
        assert_eq!(quote(&"ö".repeat(100)).chars().count(), 63);
    }

    proptest! {
        #[test]
        fn cleaning_never_panics(text in any::<String>()) {
            clean(&text);
        }

        #[test]
        fn a_clean_text_stays_as_it_is(text in "([<>/&;#x ]|amp|lt|br|li|b|é|½|39|\\n|-){0,20}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
