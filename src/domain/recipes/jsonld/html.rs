//! Finds the JSON-LD blocks of an HTML page.

use super::entities::decode;

/// The contents of every `<script type="application/ld+json">`, in order.
pub(super) fn blocks(page: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = page;
    while let Some(at) = find_ignoring_case(rest, "<script") {
        let Some((is_data, content)) = open_tag(&rest[at + "<script".len()..]) else { break };
        let end = find_ignoring_case(content, "</script").unwrap_or(content.len());
        if is_data {
            out.push(&content[..end]);
        }
        rest = &content[end..];
    }
    out
}

/// Whether the tag's type is JSON-LD, and what follows the tag; `None` when the tag never ends.
fn open_tag(after_name: &str) -> Option<(bool, &str)> {
    let mut rest = after_name;
    let mut is_data = false;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '='));
        if let Some(content) = rest.strip_prefix('>') {
            return Some((is_data, content));
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))?;
        let (name, tail) = rest.split_at(end);
        rest = tail;
        if let Some(value) = tail.trim_start().strip_prefix('=') {
            let (value, behind) = attribute(value.trim_start())?;
            is_data |= name.eq_ignore_ascii_case("type") && is_json_ld(value);
            rest = behind;
        }
    }
}

/// An attribute's value, with or without quotes, and what follows it.
fn attribute(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote);
        }
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '>')?;
    Some(text.split_at(end))
}

fn is_json_ld(value: &str) -> bool {
    decode(value).trim().to_ascii_lowercase().starts_with("application/ld+json")
}

fn find_ignoring_case(text: &str, ascii: &str) -> Option<usize> {
    text.as_bytes().windows(ascii.len()).position(|window| window.eq_ignore_ascii_case(ascii.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_found_however_the_tag_is_written() {
        for tag in [
            "<script type=\"application/ld+json\">",
            "<script type='application/ld+json'>",
            "<script type=application/ld+json>",
            "<SCRIPT id=\"x\" TYPE=\"Application/LD+JSON\" data-a='>'>",
            "<script async type = \"application/ld+json; charset=utf-8\" class=\"a b\">",
            "<script type=\"application/ld&#x2B;json\"\n>",
            "<script defer/type=\"application/ld+json\"/>",
        ] {
            let page = format!("<html>é<script>var a = \"<b>\";</script>{tag} {{}} </ScRiPt><p>");
            assert_eq!(blocks(&page), [" {} "], "{tag}");
        }
    }

    #[test]
    fn other_scripts_and_torn_pages_do_no_harm() {
        assert_eq!(blocks("<script type=\"text/javascript\">{}</script>"), Vec::<&str>::new());
        assert_eq!(blocks("<script type=\"application/ld+json\">{\"a\":1"), ["{\"a\":1"]);
        assert_eq!(blocks("<script type=\"application/ld+json"), Vec::<&str>::new());
        assert_eq!(blocks("<scr"), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn searching_never_panics(page in "(<script|</script|>| |type=|\"|'|application/ld\\+json|é|x|/){0,16}|.*") {
            blocks(&page);
        }
    }
}
