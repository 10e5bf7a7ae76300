//! Takes the mark-up and typography off a line, so that the grammar meets plain words and numbers only.

/// Longest line that is looked at, in characters.
const LONGEST: usize = 1000;

/// The text of a line without HTML, Markdown, bullets and typographic characters.
pub(super) fn clean(raw: &str) -> String {
    let text: String = raw.chars().take(LONGEST).collect();
    let text = plain_characters(&without_tags(&decoded(&text)));
    let text = without_markdown(&text);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    without_bullet(&joined).trim().to_owned()
}

fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 10);
        if let Some((character, tail)) = entity.and_then(|(name, tail)| Some((entity_char(name)?, tail))) {
            out.push(character);
            rest = tail;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse(), |digits| u32::from_str_radix(digits, 16)).ok()?;
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "quot" | "ldquo" | "rdquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "lt" => '<',
        "gt" => '>',
        "frac12" | "half" => '½',
        "frac14" => '¼',
        "frac34" => '¾',
        "frac13" => '⅓',
        "frac23" => '⅔',
        "frasl" => '/',
        "deg" => '°',
        "ndash" => '–',
        "mdash" => '—',
        "times" => '×',
        "eacute" => 'é',
        "egrave" => 'è',
        "ecirc" => 'ê',
        "agrave" => 'à',
        "acirc" => 'â',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "auml" => 'ä',
        "icirc" => 'î',
        _ => return None,
    })
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match after.split_once('>') {
            Some((_, tail)) if is_tag => {
                out.push(' ');
                rest = tail;
            }
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn plain_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if let Some(fraction) = vulgar_fraction(c) {
            if out.ends_with(|before: char| before.is_ascii_digit()) {
                out.push(' ');
            }
            out.push_str(fraction);
            continue;
        }
        match c {
            '\u{2044}' | '\u{2215}' => out.push('/'),
            '—' | '―' => out.push_str(" - "),
            '–' | '‒' | '−' | '‐' | '‑' => out.push('-'),
            '’' | '‘' | 'ʼ' | '´' => out.push('\''),
            '“' | '”' | '„' => out.push('"'),
            '≈' => out.push('~'),
            '×' => out.push_str(" x "),
            '【' | '［' | '（' => out.push('('),
            '】' | '］' | '）' => out.push(')'),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' | '\u{fe0f}' => {}
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

const fn vulgar_fraction(c: char) -> Option<&'static str> {
    Some(match c {
        '½' => "1/2",
        '⅓' => "1/3",
        '⅔' => "2/3",
        '¼' => "1/4",
        '¾' => "3/4",
        '⅕' => "1/5",
        '⅖' => "2/5",
        '⅗' => "3/5",
        '⅘' => "4/5",
        '⅙' => "1/6",
        '⅚' => "5/6",
        '⅐' => "1/7",
        '⅛' => "1/8",
        '⅜' => "3/8",
        '⅝' => "5/8",
        '⅞' => "7/8",
        '⅑' => "1/9",
        '⅒' => "1/10",
        _ => return None,
    })
}

fn without_markdown(text: &str) -> String {
    let text = unlinked(text);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '*' => {
                let digit = |c: char| c.is_ascii_digit();
                let before = text.get(..at).is_some_and(|t| t.trim_end().ends_with(digit));
                let after = text.get(at + 1..).is_some_and(|t| t.trim_start().starts_with(digit));
                out.push_str(if before && after { " x " } else { "" });
            }
            '`' => {}
            '_' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// `[text](address)` becomes `text`, `[1]` goes, other brackets become parentheses.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let Some((inner, tail)) = after.split_once(']') else {
            rest = after;
            continue;
        };
        if let Some((_, end)) = tail.strip_prefix('(').and_then(|link| link.split_once(')')) {
            out.push_str(inner);
            rest = end;
            continue;
        }
        if !matches!(inner.trim(), "" | "x" | "X") && !inner.chars().all(|c| c.is_ascii_digit()) {
            out.push('(');
            out.push_str(inner);
            out.push(')');
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn without_bullet(text: &str) -> &str {
    text.trim_start_matches(|c: char| {
        matches!(
            c,
            '-' | '+'
                | '•'
                | '·'
                | '▪'
                | '◦'
                | '‣'
                | '●'
                | '○'
                | '□'
                | '☐'
                | '✓'
                | '>'
                | ':'
                | ';'
                | ','
                | '|'
        ) || c.is_whitespace()
    })
    .trim_start_matches("...")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn mark_up_and_typography_go() {
        for (raw, plain) in [
            ("1½ cups  flour", "1 1/2 cups flour"),
            ("• **2** eggs", "2 eggs"),
            ("1&frac12; cup cr&egrave;me", "1 1/2 cup crème"),
            ("[soy sauce](/soy-sauce), 1 tbsp", "soy sauce, 1 tbsp"),
            ("- [ ] salt &amp; pepper", "salt & pepper"),
            ("2–3 <b>red</b> onions", "2-3 red onions"),
            ("Water *3 dl*", "Water 3 dl"),
            ("2 * 400 g tins", "2 x 400 g tins"),
            ("3⁄4 cup", "3/4 cup"),
            ("Sugar&#32;1 cup [2]", "Sugar 1 cup"),
            ("a & b", "a & b"),
        ] {
            assert_eq!(clean(raw), plain, "{raw}");
        }
    }
}
