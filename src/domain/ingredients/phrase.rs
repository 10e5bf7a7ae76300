//! The words of a line behind its amount: the food, what is done to it, what may be taken instead.

use super::lead::{Lead, lead};
use super::lexicon;
use super::line::{Measure, Size};
use super::measures::{aside, joined};
use super::quantity::Cursor;
use super::tokens::{Kind, Token, tokens};

#[derive(Debug, Default)]
pub(super) struct Phrase {
    pub food: String,
    pub notes: Vec<String>,
    pub alternatives: Vec<String>,
    pub optional: bool,
    pub per_person: bool,
    pub measure: Option<Measure>,
    pub count: Option<Lead>,
    pub size: Option<Size>,
}

/// Words behind which no food is named any more, only what it is for.
const MARKERS: &[&str] = &[
    " or to taste",
    " or more",
    " or less",
    " or so",
    " or as needed",
    " or similar",
    " or other",
    " for ",
    " to ",
    " as ",
    " if ",
    " plus ",
    " such as ",
    " preferably",
    " preferrably",
    " at room temperature",
    " cut ",
    " into ",
    " without ",
    " with their ",
    " with its ",
    " with skin",
    " with bone",
    " until ",
    " per ",
    " of your ",
    " of choice",
    " of any ",
    " of some ",
    " recommended",
    " suggested",
    " including ",
    " like ",
    " from ",
    " q.b",
    " by ",
    " + ",
    " e.g",
    " weighing ",
    " about ",
    " divided",
];

pub(super) fn phrase(all: &[Token]) -> Phrase {
    let mut phrase = Phrase::default();
    let mut text = String::new();
    for token in all {
        if token.kind == Kind::Paren {
            if !(token.glued && token.text.len() <= 2) {
                phrase.take_aside(token.text);
            }
            continue;
        }
        if !token.glued && !text.is_empty() || text.ends_with(',') {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    phrase.read(&text);
    phrase
}

impl Phrase {
    /// Takes in the text of a parenthesis.
    pub(super) fn take_aside(&mut self, text: &str) {
        let text = self.without_optional(text);
        if text.is_empty() {
            return;
        }
        if let Some(aside) = aside(&text) {
            if self.measure.is_none() {
                self.measure = Some(aside.measure);
            }
            self.note(&aside.rest);
            return;
        }
        if let Some(other) = text.strip_prefix("or ")
            && !other.starts_with(|c: char| c.is_ascii_digit())
            && !["more", "less", "to ", "if "].iter().any(|start| other.starts_with(start))
        {
            self.alternatives.push(tidy(other).to_owned());
            return;
        }
        let found = tokens(&text);
        let mut cursor = Cursor { tokens: &found };
        match lead(&mut cursor, false) {
            Some(count) if cursor.peek().is_none() && self.count.is_none() => self.count = Some(count),
            _ => {
                let size = found.first().filter(|_| found.len() <= 2);
                self.size = self.size.or_else(|| size.and_then(|word| Size::read(word.text)));
                self.note(&joined(&found));
            }
        }
    }

    fn note(&mut self, text: &str) {
        let text = tidy(text);
        if !text.is_empty() {
            self.notes.push(text.to_owned());
        }
    }

    fn without_optional(&mut self, text: &str) -> String {
        let is_it =
            |word: &&str| word.trim_matches(|c: char| !c.is_alphabetic()).eq_ignore_ascii_case("optional");
        if !text.split_whitespace().any(|word| is_it(&word)) {
            return text.trim().to_owned();
        }
        self.optional = true;
        let kept: Vec<&str> = text.split_whitespace().filter(|word| !is_it(word)).collect();
        tidy(&kept.join(" ")).to_owned()
    }

    fn read(&mut self, text: &str) {
        let text = self.without_optional(text);
        let text = self.without_purpose(&text);
        let (text, remark) = split_sentence(&text);
        let (head, aside) = text.split_once(" - ").unwrap_or((text, ""));
        let (head, aside) = if tidy(head).is_empty() { (aside, "") } else { (head, aside) };
        let head = self.first_segment(head);
        let head = self.without_markers(&head);
        let head = self.without_alternatives(&head);
        self.food = self.without_trailing_preparation(without_filler(tidy(&head)));
        self.note(aside);
        self.note(remark);
    }

    /// `For the tin: butter` is butter.
    fn without_purpose(&mut self, text: &str) -> String {
        match text.split_once(':') {
            Some((purpose, food)) if purpose.to_lowercase().starts_with("for ") && !tidy(food).is_empty() => {
                self.note(purpose);
                tidy(food).to_owned()
            }
            Some((food, remark)) if !tidy(food).is_empty() => {
                self.note(remark);
                tidy(food).to_owned()
            }
            _ => text.to_owned(),
        }
    }

    /// The text before the comma; what is before it only describes (`boneless, skinless thighs`) joins the next.
    fn first_segment(&mut self, text: &str) -> String {
        let mut parts = text.split([',', ';']).map(tidy).filter(|part| !part.is_empty());
        let mut food = parts.next().unwrap_or("").to_owned();
        while lexicon::only_describes(&food)
            && let Some(next) = parts.next()
        {
            food = if lexicon::only_describes(next) {
                format!("{food}, {next}")
            } else {
                format!("{food} {next}")
            };
        }
        for part in parts {
            match aside(part) {
                Some(aside) if self.measure.is_none() && aside.rest.split(' ').count() <= 2 => {
                    self.measure = Some(aside.measure);
                    self.note(&aside.rest);
                }
                _ => self.take_segment(part),
            }
        }
        food
    }

    fn take_segment(&mut self, part: &str) {
        match part.strip_prefix("or ") {
            Some(other)
                if !lexicon::only_describes(other) && !MARKERS.iter().any(|m| part.starts_with(m.trim())) =>
            {
                self.alternatives.push(tidy(other).to_owned());
            }
            _ => self.note(part),
        }
    }

    fn without_markers(&mut self, text: &str) -> String {
        let lower = text.to_lowercase();
        if lower.len() != text.len() {
            return text.to_owned();
        }
        self.per_person |= lower.contains(" per person") || lower.contains(" per serving");
        let padded = format!("{lower} ");
        let found = MARKERS.iter().filter_map(|marker| padded.find(marker)).filter(|&at| at > 0).min();
        match found.and_then(|at| Some((text.get(..at)?, text.get(at..)?))) {
            Some((food, remark)) if !lower.starts_with("ready to ") => {
                self.note(remark);
                food.to_owned()
            }
            _ => text.to_owned(),
        }
    }

    /// `butter or margarine` is butter; `chicken or beef stock` is chicken stock.
    fn without_alternatives(&mut self, text: &str) -> String {
        let text = text.replace(" and/or ", " or ").replace(" OR ", " or ").replace(" Or ", " or ");
        let text = text.replace(" / ", " or ").replace('/', " or ");
        let mut parts = text.split(" or ").map(tidy).filter(|part| !part.is_empty());
        let first = parts.next().unwrap_or("").to_owned();
        let others: Vec<&str> = parts.collect();
        let Some(last) = others.last() else { return first };
        let noun = last.rsplit(' ').next().unwrap_or("");
        let counted = last.starts_with(|c: char| c.is_ascii_digit()) || last.starts_with(&first);
        let shares = last.contains(' ') && !counted && lexicon::shares_noun(&first, noun);
        if !shares && lexicon::only_describes(&first) {
            return last.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned();
        }
        for other in &others {
            let full = shares && !other.contains(' ');
            self.alternatives.push(if full { format!("{other} {noun}") } else { (*other).to_owned() });
        }
        if shares { format!("{first} {noun}") } else { first }
    }

    /// `onion finely chopped` is onion, and the rest a note.
    fn without_trailing_preparation(&mut self, text: &str) -> String {
        let words: Vec<&str> = text.split(' ').collect();
        let is_preparation = |word: &&str| lexicon::is_preparation(word) || matches!(*word, "and" | "&");
        let kept = words.iter().rposition(|word| !is_preparation(word)).map_or(words.len(), |last| last + 1);
        let (food, preparation) = words.split_at(kept);
        self.note(&preparation.join(" "));
        tidy(&food.join(" ")).to_owned()
    }
}

/// The first sentence, and the others.
fn split_sentence(text: &str) -> (&str, &str) {
    let end = text.match_indices(". ").map(|(at, _)| at).find(|&at| {
        let word = text.get(..at).and_then(|before| before.rsplit(' ').next()).unwrap_or("");
        word.len() > 3
    });
    end.and_then(|at| Some((text.get(..at)?, text.get(at + 2..)?))).unwrap_or((text, ""))
}

fn without_filler(text: &str) -> &str {
    const FILLER: &[&str] = &[
        "of ",
        "some ",
        "any ",
        "more ",
        "additional ",
        "a little ",
        "little ",
        "a bit of ",
        "a good bit of ",
        "small amount of ",
        "a small amount of ",
        "enough ",
        "lots of ",
        "plenty of ",
        "a lot of ",
        "hint of ",
        "a hint of ",
        "the ",
        "few ",
        "a few ",
        "several ",
        "a ",
        "an ",
        "x ",
        "each ",
        "your favourite ",
        "your favorite ",
    ];
    let mut rest = text;
    while let Some(after) = FILLER.iter().find_map(|filler| {
        let start = rest.get(..filler.len())?;
        start.eq_ignore_ascii_case(filler).then(|| rest.get(filler.len()..))?
    }) {
        rest = after.trim_start();
    }
    rest
}

/// Without the punctuation and spaces around it.
pub(super) fn tidy(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, ',' | ';' | '.' | ':' | '-' | '/' | '|' | '+' | '*' | '!' | '=' | '~')
    })
}
