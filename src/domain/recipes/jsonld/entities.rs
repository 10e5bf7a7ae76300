//! Resolves the character references of HTML.

/// Resolves character references; one that stands for `&` is read on, which undoes double encoding.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut found = reference(rest);
        while let Some(('&', len)) = found {
            rest = &rest[len..];
            found = reference(rest);
        }
        out.push(found.map_or('&', |(c, _)| c));
        rest = &rest[found.map_or(0, |(_, len)| len)..];
    }
    out.push_str(rest);
    out
}

/// The character a reference stands for, and its length without the `&` and with the `;`.
fn reference(after_ampersand: &str) -> Option<(char, usize)> {
    const LONGEST_NAME: usize = 12;
    let end = after_ampersand.bytes().take(LONGEST_NAME).position(|byte| byte == b';')?;
    let name = &after_ampersand[..end];
    let c = match name.strip_prefix('#') {
        Some(number) => numeric(number)?,
        None => named(name)?,
    };
    Some((c, end + 1))
}

fn numeric(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let meant = match code {
        128..=159 => WINDOWS_1252.chars().nth(usize::try_from(code - 128).ok()?)?,
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some(meant)
}

/// What browsers take the numbers 128 to 159 for.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

fn named(name: &str) -> Option<char> {
    let mut words = NAMED.split_ascii_whitespace();
    if words.any(|known| name.len() > 1 && known == name) {
        return words.next()?.chars().next();
    }
    if let Some((_, blank)) = BLANKS.iter().find(|(known, _)| *known == name) {
        return Some(*blank);
    }
    let at = LATIN_1.split_ascii_whitespace().position(|known| known == name)?;
    char::from_u32(u32::try_from(at + 160).ok()?)
}

/// The names of the characters 160 to 255, in order.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde \
    Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde \
    Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";

/// Names, each followed by its character; names are at least two letters long, so the two cannot be confused.
const NAMED: &str = "amp & AMP & lt < LT < gt > GT > quot \" QUOT \" ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ \
    rdquo ” bdquo „ hellip … bull • euro € trade ™ frasl ⁄ frac13 ⅓ frac23 ⅔ frac18 ⅛ frac38 ⅜ \
    frac58 ⅝ frac78 ⅞ frac15 ⅕ comma , colon : lpar ( rpar ) num # sol / oelig œ OElig Œ scaron š \
    Scaron Š prime ′ Prime ″ minus − le ≤ ge ≥ apos ' zwnj \u{200c} zwj \u{200d}";

const BLANKS: [(&str, char); 5] =
    [("ensp", ' '), ("emsp", ' '), ("thinsp", ' '), ("NewLine", '\n'), ("Tab", '\t')];
