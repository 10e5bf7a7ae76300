//! Where recipes are imported from: files, folders with everything below them, web addresses, the standard input.

use crate::clients::web;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

const ENDINGS: [&str; 5] = ["json", "jsonld", "ndjson", "html", "htm"];

/// One text with recipes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Web(String),
    Stdin,
}

/// Something that could not be taken over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub at: String,
    pub reason: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Web(address) => f.write_str(address),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// The texts that the arguments stand for, folders in the order of names; a file that is named is taken whatever its
/// ending.
#[must_use]
pub fn discover(arguments: &[String]) -> Vec<Result<Source, Broken>> {
    arguments.iter().flat_map(|argument| one(argument)).collect()
}

fn one(argument: &str) -> Vec<Result<Source, Broken>> {
    if argument == "-" {
        return vec![Ok(Source::Stdin)];
    }
    if argument.starts_with("http://") || argument.starts_with("https://") {
        return vec![Ok(Source::Web(argument.to_owned()))];
    }
    let path = Path::new(argument);
    if !path.is_dir() {
        return vec![Ok(Source::File(path.to_owned()))];
    }
    let mut found = Vec::new();
    walk(path, &mut found);
    if found.is_empty() {
        let reason = format!("no file in it ends in .{}", ENDINGS.join(", ."));
        found.push(Err(Broken { at: argument.to_owned(), reason }));
    }
    found
}

/// Hidden entries are left out, and links to folders, which could lead in circles.
fn walk(folder: &Path, found: &mut Vec<Result<Source, Broken>>) {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            found.push(Err(Broken { at: folder.display().to_string(), reason: error.to_string() }));
            return;
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, found);
        } else if has_known_ending(&path) && path.is_file() {
            found.push(Ok(Source::File(path)));
        }
    }
}

fn has_known_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The text itself.
///
/// # Errors
/// When it cannot be had.
pub async fn read(source: &Source) -> Result<String, Broken> {
    let bytes = match source {
        Source::File(path) => std::fs::read(path),
        Source::Stdin => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        Source::Web(address) => {
            let page = web::fetch(address).await;
            return page.map_err(|error| Broken { at: source.to_string(), reason: error.to_string() });
        }
    };
    let broken = |error: std::io::Error| Broken { at: source.to_string(), reason: error.to_string() };
    bytes.map(web::text).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_to_the_bottom_for_known_endings() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("b/c");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        for name in ["z.HTML", "a.jsonld", "readme.md", "b/c/d.ndjson", "b/e.json", ".git/f.json", ".g.json"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = discover(&[folder.path().display().to_string()]);
        let names: Vec<String> = found.into_iter().map(|source| source.unwrap().to_string()).collect();
        let expected = ["a.jsonld", "b/c/d.ndjson", "b/e.json", "z.HTML"];
        assert_eq!(names, expected.map(|name| folder.path().join(name).display().to_string()));
    }

    #[test]
    fn addresses_the_standard_input_and_named_files_are_taken_as_they_are() {
        let given = ["https://example.org/soup", "-", "soup.txt"].map(str::to_owned);
        let found: Vec<Source> = discover(&given).into_iter().map(Result::unwrap).collect();
        assert_eq!(found[0], Source::Web("https://example.org/soup".into()));
        assert_eq!(found[1], Source::Stdin);
        assert_eq!(found[2], Source::File("soup.txt".into()));
    }

    #[test]
    fn a_folder_without_recipes_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(discover(&[folder.path().display().to_string()])[0].is_err());
    }
}
