//! Source text as the rules see it: comments and strings blanked, paths spelled out, test code known.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// A file of the repository, or one planted by a test.
pub(super) struct Source {
    /// From the repository's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with comments and literals blanked; lines and offsets stay.
    pub(super) code: String,
    /// The code without what only tests compile.
    pub(super) shipped: String,
    test_parts: Vec<Range<usize>>,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let test_parts = test_parts(&code);
        let mut shipped = code.clone().into_bytes();
        test_parts.iter().for_each(|part| blank(&mut shipped[part.clone()]));
        let shipped = String::from_utf8_lossy(&shipped).into_owned();
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, test_parts }
    }

    /// Lines that are not test code.
    pub(super) fn shipped_lines(&self) -> usize {
        let mut start = 0;
        let starts = self.text.split_inclusive('\n').map(|line| {
            start += line.len();
            start - line.len()
        });
        starts.filter(|at| !self.test_parts.iter().any(|part| part.contains(at))).count()
    }

    /// The module this file is, below `crate`: `src/domain/foods/table.rs` is `[domain, foods, table]`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let path = path.trim_end_matches("/mod");
        if matches!(path, "lib" | "main") {
            return Vec::new();
        }
        path.split('/').map(str::to_owned).collect()
    }

    /// Every path and identifier with its line: `use a::{b, c}` gives `a::b` and `a::c`; `super` and `self`
    /// are resolved; a float literal gives `f64`.
    pub(super) fn paths(&self, of: &str) -> Vec<(usize, String)> {
        let module = self.module();
        let mut found = Vec::new();
        let mut groups: Vec<Vec<String>> = Vec::new();
        let (mut current, mut joined): (Vec<String>, bool) = (Vec::new(), false);
        for (line, token) in tokens(of) {
            let goes_on = match token {
                Token::Join | Token::Open => true,
                Token::Word(_) => joined,
                Token::Float | Token::Close | Token::Other => false,
            };
            if !goes_on {
                current.clear();
            }
            match token {
                Token::Word(word) => {
                    if !joined {
                        current = groups.last().cloned().unwrap_or_default();
                    }
                    current.push(word.to_owned());
                    found.push((line, resolved(&current, &module)));
                }
                Token::Float => found.push((line, "f64".to_owned())),
                Token::Open => {
                    groups.push(if joined { std::mem::take(&mut current) } else { Vec::new() });
                    current.clear();
                }
                Token::Close => drop(groups.pop()),
                Token::Join | Token::Other => {}
            }
            joined = matches!(token, Token::Join);
        }
        found
    }
}

fn resolved(path: &[String], module: &[String]) -> String {
    let ups = path.iter().take_while(|word| *word == "super").count();
    let own = usize::from(ups == 0 && path.first().is_some_and(|word| word == "self"));
    if ups + own == 0 || ups > module.len() {
        return path.join("::");
    }
    let parents = &module[..module.len() - ups];
    let words = std::iter::once("crate").chain(parents.iter().chain(&path[ups + own..]).map(String::as_str));
    words.collect::<Vec<_>>().join("::")
}

enum Token<'a> {
    Word(&'a str),
    /// A number with a point or a float's suffix.
    Float,
    Join,
    Open,
    Close,
    Other,
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let (mut found, mut line, mut rest, mut after_dot) = (Vec::new(), 1, code, false);
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        if is_word_char(first) {
            length = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
            if first.is_ascii_digit() {
                let fraction = fraction(&rest[length..]);
                let suffixed = rest[..length].ends_with("f64") || rest[..length].ends_with("f32");
                if suffixed || (fraction > 0 && !after_dot) {
                    found.push((line, Token::Float));
                }
                length += fraction;
            } else {
                found.push((line, Token::Word(&rest[..length])));
            }
        } else if rest.starts_with("::") {
            length = 2;
            found.push((line, Token::Join));
        } else if !first.is_whitespace() {
            let token = match first {
                '{' => Token::Open,
                '}' => Token::Close,
                _ => Token::Other,
            };
            found.push((line, token));
        }
        line += usize::from(first == '\n');
        after_dot = first == '.';
        rest = &rest[length..];
    }
    found
}

/// Length of `.5` at the start, 0 if there is none: `0..5` and `1.max(2)` have none.
fn fraction(rest: &str) -> usize {
    let Some(digits) = rest.strip_prefix('.') else { return 0 };
    match digits.find(|c| !is_word_char(c)).unwrap_or(digits.len()) {
        length if digits.starts_with(|c: char| c.is_ascii_digit()) => length + 1,
        _ => 0,
    }
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether `word` stands in `text` with no part of a word on either side; answers where.
pub(super) fn find_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word_char) && !after.is_some_and(is_word_char)
    })
}

/// Blanks comments, strings and character literals; line ends stay.
fn mask(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let (mut at, mut in_word) = (0, false);
    while let Some(first) = text[at..].chars().next() {
        let blanked = literal(&text[at..], in_word);
        blank(&mut out[at..at + blanked]);
        in_word = blanked == 0 && is_word_char(first);
        at += blanked.max(first.len_utf8());
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// Length of the comment or literal that starts here, 0 if none does.
fn literal(text: &str, in_word: bool) -> usize {
    let up_to = |end: Option<usize>| end.unwrap_or(text.len());
    if text.starts_with("//") {
        return up_to(text.find('\n'));
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return string(text);
    }
    if let Some(rest) = text.strip_prefix('\'') {
        return character(rest);
    }
    let raw = if text.starts_with("br") { 2 } else { usize::from(text.starts_with('r')) };
    let hashes = text[raw..].chars().take_while(|c| *c == '#').count();
    if raw == 0 || in_word || !text[raw + hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = raw + hashes + 1;
    up_to(text[body..].find(&close).map(|end| body + end + close.len()))
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// Length of the character literal whose quote stands before `rest`, 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices();
    match chars.next() {
        Some((_, '\\')) => rest.get(2..).and_then(|tail| tail.find('\'')).map_or(0, |end| end + 4),
        Some(_) => match chars.next() {
            Some((end, '\'')) => end + 2,
            Some(_) | None => 0,
        },
        None => 0,
    }
}

/// Items under `#[cfg(test)]`: up to their closing brace, or their semicolon.
fn test_parts(code: &str) -> Vec<Range<usize>> {
    const MARK: &str = "#[cfg(test)]";
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (at, _) in code.match_indices(MARK) {
        if parts.last().is_none_or(|part| part.end <= at) {
            let end = item_end(&code[at + MARK.len()..]);
            parts.push(at..at + MARK.len() + end);
        }
    }
    parts
}

fn item_end(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

/// The files that `mod` declarations lead to from the roots, and those among them that only tests compile.
pub(super) fn module_tree(files: &[Source]) -> (BTreeSet<String>, BTreeSet<String>) {
    let by_path: BTreeMap<&str, &Source> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let (mut reached, mut for_tests) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<(String, bool)> =
        ["src/lib.rs", "src/main.rs"].map(|root| (root.to_owned(), false)).to_vec();
    while let Some((path, is_test)) = open.pop() {
        let Some(file) = by_path.get(path.as_str()) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        if is_test {
            for_tests.insert(path.clone());
        }
        for (places, child_is_test) in declared(file) {
            open.extend(places.into_iter().map(|place| (place, is_test || child_is_test)));
        }
    }
    (reached, for_tests)
}

/// For each `mod name;` where its file may be, and whether only tests compile it.
fn declared(file: &Source) -> Vec<(Vec<String>, bool)> {
    let mut found = Vec::new();
    for (end, _) in file.code.match_indices(';') {
        let start = file.code[..end].rfind([';', '{', '}']).map_or(0, |at| at + 1);
        let mut words = file.code[start..end].split_whitespace().rev();
        let (Some(name), Some("mod")) = (words.next(), words.next()) else { continue };
        let path = file.text[start..end].split_once("#[path = \"").and_then(|(_, rest)| rest.split_once('"'));
        let places = match path {
            Some((path, _)) => vec![format!("{}/{path}", folder(&file.path))],
            None => candidates(&file.path, name),
        };
        found.push((places, file.shipped[start..end].trim().is_empty()));
    }
    found
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn candidates(path: &str, name: &str) -> Vec<String> {
    let is_folder = ["/mod.rs", "/lib.rs", "/main.rs"].iter().any(|end| path.ends_with(end));
    let folder = if is_folder { folder(path) } else { path.trim_end_matches(".rs") };
    vec![format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
}

/// All files below a folder of the repository with this ending, as path and text.
pub(super) fn read_tree(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if name.ends_with(ending) {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{relative}: {e}"));
                found.push((relative, text));
            }
        }
    }
    found.sort();
    found
}
