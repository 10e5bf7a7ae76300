//! The walls as a test: what each layer must not know, and what no file may hold.
//!
//! A rule that is broken names the file, the line and the reason. Each rule is itself tested on planted text.

mod source;

use source::{Source, find_word, module_tree, read_tree};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// Paths that a folder must not name, in code or in `use`. Comments and strings do not count.
struct Wall {
    folder: &'static str,
    /// Files and folders within it that may, each with its reason.
    except: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
    tests_too: bool,
    reason: &'static str,
}

const DOMAIN: Wall = Wall {
    folder: "src/domain/",
    except: &[],
    words: &[],
    tests_too: true,
    reason: "the domain is pure: it knows no clock, disk, wire, database, runtime or layer above it",
};

const WALLS: &[Wall] = &[
    Wall { words: &["sqlx", "ractor", "axum", "tokio", "reqwest", "tower", "tracing", "metrics"], ..DOMAIN },
    Wall { words: &["std::fs", "std::net", "std::env", "std::process"], ..DOMAIN },
    Wall {
        except: &[
            (
                "src/domain/planning/search/chains.rs",
                "joins its chains in one scope: which thread runs which is no matter",
            ),
            (
                "src/domain/planning/search/bound/pricing.rs",
                "solves days beside each other and joins them: the same",
            ),
        ],
        words: &["std::thread"],
        ..DOMAIN
    },
    Wall { words: &["Utc::now", "Local::now", "SystemTime", "Instant", "Uuid::now_v7"], ..DOMAIN },
    Wall {
        words: &[
            "crate::store",
            "crate::actors",
            "crate::http",
            "crate::clients",
            "crate::cli",
            "crate::clock",
            "crate::fault",
        ],
        ..DOMAIN
    },
    Wall {
        folder: "src/domain/",
        except: &[
            ("src/domain/measure.rs", "where decimal numbers of JSON become thousandths"),
            (
                "src/domain/recipes/jsonld/node.rs",
                "reads JSON numbers of strangers, into thousandths at once",
            ),
        ],
        words: &["f32", "f64"],
        tests_too: false,
        reason: "amounts are exact: floats add up differently in another order; use Milli or an integer",
    },
    Wall {
        folder: "src/store/",
        except: &[],
        words: &["f32", "f64"],
        tests_too: false,
        reason: "nothing stored is a float",
    },
    Wall {
        folder: "src/store/",
        except: &[],
        words: &["ractor", "axum", "reqwest", "crate::actors", "crate::http", "crate::clients", "crate::cli"],
        tests_too: true,
        reason: "the store knows the domain and its database, nobody who calls it",
    },
    Wall {
        folder: "src/clients/",
        except: &[],
        words: &["sqlx", "ractor", "axum", "crate::store", "crate::actors", "crate::http", "crate::cli"],
        tests_too: true,
        reason: "a client knows one outside service and the domain's types",
    },
    Wall {
        folder: "src/actors/",
        except: &[],
        words: &["axum", "sqlx", "crate::http", "crate::cli"],
        tests_too: true,
        reason: "the runtime knows neither who talks to us nor SQL",
    },
    Wall {
        folder: "src/http/",
        except: &[],
        words: &["sqlx", "ractor", "crate::cli"],
        tests_too: true,
        reason: "the edge parses, accepts and answers; it goes through the dispatcher and the store's contract",
    },
    Wall {
        folder: "src/",
        except: &[("src/actors/", "the one layer that knows actors")],
        words: &["ractor"],
        tests_too: true,
        reason: "ractor stays in src/actors",
    },
    Wall {
        folder: "src/",
        except: &[("src/store/", "the one layer that knows SQL")],
        words: &["sqlx", "libsqlite3_sys"],
        tests_too: true,
        reason: "SQL stays in src/store",
    },
    Wall {
        folder: "src/",
        except: &[("src/http/", "the one layer that knows the web server")],
        words: &["axum"],
        tests_too: true,
        reason: "axum stays in src/http",
    },
];

/// Text that no Rust file may hold.
struct Ban {
    words: &'static [&'static str],
    /// Whether it counts in comments and strings, and in test code.
    reach: Reach,
    reason: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// The code of `src` without tests.
    Shipped,
    /// All code, tests and benches included.
    Code,
    /// Comments and strings as well.
    Text,
}

const BANS: &[Ban] = &[
    Ban {
        words: &[".unwrap()", ".expect("],
        reach: Reach::Shipped,
        reason: "a panic kills an actor: return an error that says what to do",
    },
    Ban {
        words: &["#[allow(", "#![allow("],
        reach: Reach::Code,
        reason: "use #[expect(…, reason = \"…\")], which tells when it is no longer needed",
    },
    Ban {
        words: &["todo!", "unimplemented!", "dbg!"],
        reach: Reach::Code,
        reason: "what is not done is an issue, not a panic",
    },
    // Split, so that this file does not hold them.
    Ban {
        words: &[concat!("FIX", "ME"), concat!("X", "XX"), concat!("TO", "DO")],
        reach: Reach::Text,
        reason: "what is not done is an issue, not a comment",
    },
];

/// Lines of a file without its tests.
const LONGEST: usize = 400;
const LONG_FILES: &[(&str, &str)] =
    &[("src/actors/supervisor.rs", "one supervisor: start, death, budget and stop hang on each other")];

/// File and FNV-1a of its text. May only grow: what has run on somebody's disk is never edited.
const MIGRATIONS: &[(&str, u64)] = &[
    ("migrations/sqlite/0001_store.sql", 0x0622_daab_8c7d_8486),
    ("migrations/sqlite/0002_laws.sql", 0x1567_0218_a67e_6217),
    ("migrations/sqlite/0003_operations.sql", 0x2538_a6ff_34b5_a8be),
    ("migrations/postgres/0001_store.sql", 0x1ba5_240b_9cad_b832),
    ("migrations/postgres/0002_laws.sql", 0xc63a_981a_5593_eb82),
    ("migrations/postgres/0003_operations.sql", 0xeb8e_0d55_0ae1_d790),
];

#[derive(Debug, PartialEq)]
struct Finding {
    file: String,
    line: usize,
    rule: String,
    reason: String,
}

impl Finding {
    fn new(file: &str, line: usize, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule: rule.into(), reason: reason.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} ({})", self.file, self.line, self.rule, self.reason)
    }
}

fn assert_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} broken:\n{}", findings.len(), lines.join("\n"));
}

fn rust_files(folders: &[&str]) -> Vec<Source> {
    let files = folders.iter().flat_map(|folder| read_tree(folder, ".rs"));
    files.map(|(path, text)| Source::new(&path, &text)).collect()
}

fn over_walls(file: &Source, for_tests: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for wall in WALLS.iter().filter(|wall| file.path.starts_with(wall.folder)) {
        let excepted = wall.except.iter().any(|(path, _)| file.path.starts_with(path));
        if excepted || (for_tests && !wall.tests_too) {
            continue;
        }
        let code = if wall.tests_too { &file.code } else { &file.shipped };
        for (line, path) in file.paths(code) {
            if let Some(word) = wall.words.iter().find(|word| ends_in(&path, word)) {
                findings.push(Finding::new(&file.path, line, format!("names {word}"), wall.reason));
            }
        }
    }
    findings
}

/// Whether the path has just come to `word`; each longer path is seen as well, so each use counts once.
fn ends_in(path: &str, word: &str) -> bool {
    path.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

fn banned(file: &Source, for_tests: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in BANS {
        let text = match ban.reach {
            Reach::Shipped if for_tests || !file.path.starts_with("src/") => continue,
            Reach::Shipped => &file.shipped,
            Reach::Code => &file.code,
            Reach::Text => &file.text,
        };
        for (n, line) in text.lines().enumerate() {
            if let Some(word) = ban.words.iter().find(|word| stands_in(line, word)) {
                findings.push(Finding::new(&file.path, n + 1, format!("holds {word}"), ban.reason));
            }
        }
    }
    findings
}

/// Words of letters only count as whole words.
fn stands_in(line: &str, word: &str) -> bool {
    if word.starts_with(char::is_alphabetic) { find_word(line, word).is_some() } else { line.contains(word) }
}

fn headless(file: &Source) -> Option<Finding> {
    let reason = "a file begins with one sentence on what it is for: //! …";
    (!file.text.starts_with("//! ")).then(|| Finding::new(&file.path, 1, "has no //! line", reason))
}

fn too_long(file: &Source, for_tests: bool) -> Option<Finding> {
    let lines = file.shipped_lines();
    let excepted = for_tests || LONG_FILES.iter().any(|(path, _)| *path == file.path);
    let rule = format!("has {lines} lines without its tests, more than {LONGEST}");
    (lines > LONGEST && !excepted)
        .then(|| Finding::new(&file.path, lines, rule, "split it by what it speaks of"))
}

fn dead_files(files: &[Source]) -> Vec<Finding> {
    let (reached, _) = module_tree(files);
    let dead = files.iter().filter(|file| !reached.contains(&file.path));
    let reason = "nothing compiles it: declare it or delete it";
    dead.map(|file| Finding::new(&file.path, 1, "is in no module", reason)).collect()
}

/// Exceptions and migrations that name nothing: a list that says more than is there hides the next one.
fn stale_lists(files: &[Source], migrations: &[(String, String)]) -> Vec<Finding> {
    let walls = WALLS.iter().flat_map(|wall| wall.except).chain(LONG_FILES).map(|(path, _)| *path);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let stale = walls.filter(|path| !paths.iter().any(|file| file.starts_with(path)));
    let gone = MIGRATIONS.iter().map(|(path, _)| *path);
    let gone = gone.filter(|path| !migrations.iter().any(|(file, _)| file == path));
    let reason = "it stands in a list of tests/it/tidy.rs and is not there";
    stale.chain(gone).map(|path| Finding::new(path, 1, "is gone", reason)).collect()
}

fn edited_migrations(files: &[(String, String)], known: &[(&str, u64)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        let sum = fnv1a(text.as_bytes());
        match known.iter().find(|(name, _)| name == path) {
            Some((_, expected)) if *expected == sum => {}
            Some(_) => {
                let reason = "it has run on somebody's disk: write a new one instead";
                findings.push(Finding::new(path, 1, "was edited", reason));
            }
            None => {
                let reason = format!("add (\"{path}\", 0x{sum:016x}) to MIGRATIONS in tests/it/tidy.rs");
                findings.push(Finding::new(path, 1, "is not listed", reason));
            }
        }
    }
    findings
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Relative links of a Markdown page that lead nowhere. Code does not count.
fn broken_links(path: &str, text: &str, exists: impl Fn(&Path) -> bool) -> Vec<Finding> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    let mut in_code = false;
    for (n, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for target in links(line) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = file.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !outside && !exists(&folder.join(file)) {
                let rule = format!("links to {target}");
                findings.push(Finding::new(path, n + 1, rule, "there is no such file"));
            }
        }
    }
    findings
}

/// Targets of `[text](target)` outside code spans; the text itself may be a code span.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, tail)) = after.split_once(')') else { break };
        if before.matches('`').count() % 2 == 0 {
            found.extend(target.split_whitespace().next());
        }
        rest = tail;
    }
    found
}

/// Every rule that looks at one file of Rust.
fn judged(files: &[Source]) -> Vec<Finding> {
    let (_, for_tests) = module_tree(files);
    let mut findings = Vec::new();
    for file in files {
        let is_test = for_tests.contains(&file.path) || !file.path.starts_with("src/");
        findings.extend(over_walls(file, is_test));
        findings.extend(banned(file, is_test));
        findings.extend(headless(file));
        findings.extend(too_long(file, is_test));
    }
    findings
}

const RUST_FOLDERS: &[&str] = &["src", "tests", "benches", "examples"];

#[test]
fn every_file_keeps_to_the_rules_of_its_layer() {
    let files = rust_files(RUST_FOLDERS);
    assert!(files.len() > 50, "only {} files were found", files.len());
    assert_none(&judged(&files));
}

#[test]
fn every_file_is_compiled() {
    assert_none(&dead_files(&rust_files(&["src"])));
}

#[test]
fn migrations_are_never_edited() {
    let files = read_tree("migrations", ".sql");
    assert!(!files.is_empty());
    assert_none(&edited_migrations(&files, MIGRATIONS));
}

#[test]
fn exceptions_name_files_that_are_there() {
    assert_none(&stale_lists(&rust_files(RUST_FOLDERS), &read_tree("migrations", ".sql")));
}

#[test]
fn links_lead_to_files() {
    let pages = read_tree("", ".md");
    assert!(pages.iter().any(|(path, _)| path == "README.md"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let exists = |path: &Path| root.join(path).exists();
    let findings = pages.iter().flat_map(|(path, text)| broken_links(path, text, exists));
    assert_none(&findings.collect::<Vec<_>>());
}

/// What the rules find in one planted file, as `line: rule`.
fn found_in(path: &str, text: &str) -> Vec<String> {
    let text = format!("//! Planted.\n{text}\n");
    judged(&[Source::new(path, &text)])
        .iter()
        .map(|found| format!("{}: {}", found.line, found.rule))
        .collect()
}

#[test]
fn every_word_of_every_wall_is_seen() {
    for wall in WALLS {
        for word in wall.words {
            let path = format!("{}planted.rs", wall.folder);
            let text = format!("//! Planted.\nfn f() {{ {word}::g(); }}\n");
            let found = over_walls(&Source::new(&path, &text), false);
            let expected = (2, format!("names {word}"), wall.reason.to_owned());
            let found: Vec<_> = found.into_iter().map(|f| (f.line, f.rule, f.reason)).collect();
            assert!(found.contains(&expected), "{path}: {word}: {found:?}");
        }
    }
}

#[test]
fn walls_see_through_nesting_and_relative_paths() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("src/domain/foods/a.rs", "use std::{fmt, fs::File};", &["2: names std::fs"]),
        ("src/domain/foods/a.rs", "use crate::{domain, store::{self, Unit}};", &["2: names crate::store"]),
        ("src/domain/foods/a.rs", "use super::super::super::clock;", &["2: names crate::clock"]),
        ("src/domain/foods/mod.rs", "use super::super::{\n    store,\n};", &["3: names crate::store"]),
        ("src/domain/a.rs", "fn f() -> T { chrono::Utc::now() }", &["2: names Utc::now"]),
        ("src/domain/a.rs", "#[cfg(test)]\nmod tests {\n    use tokio::time;\n}", &["4: names tokio"]),
        ("src/store/a.rs", "use crate::{actors::Hub, domain};", &["2: names crate::actors"]),
        ("src/http/a.rs", "use ractor::Actor;", &["2: names ractor", "2: names ractor"]),
        ("src/cli/a.rs", "use axum::Router;", &["2: names axum"]),
    ];
    for (path, text, expected) in cases {
        assert_eq!(found_in(path, text), *expected, "{path}: {text}");
    }
}

#[test]
fn floats_are_seen_with_and_without_their_name() {
    for text in ["fn f(x: f64) {}", "const X: Y = 0.5;", "fn f() { g(1f32) }", "fn f() { 2.max(1.5_f64) }"] {
        assert!(
            found_in("src/domain/a.rs", text).iter().any(|rule| rule.starts_with("2: names f")),
            "{text}"
        );
    }
    for text in ["fn f() { (0..5).map(|x| x.0.1 + 0x1e5) }", "fn f() { v.as_f64() }", "// 1.5 f64"] {
        assert_eq!(found_in("src/domain/a.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn only_code_counts() {
    let harmless = [
        "// ractor, std::fs and .unwrap() are only spoken of",
        "/* /* axum */ sqlx::query */",
        "const A: &str = \"sqlx::query(\\\"x\\\") tokio\";",
        "const B: &str = r#\"ractor \"tokio\" .unwrap()\"#;",
        "const C: (char, char) = ('\"', '\\''); struct D<'a>(&'a str);",
        "fn f(value: &Value) { value.as_ractor(); my_tokio::f() }",
        "#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap(); }\n}",
    ];
    for text in harmless {
        assert_eq!(found_in("src/domain/a.rs", text), [""; 0], "{text}");
    }
    let after = "const A: &str = \"\\\\\"; use tokio::time; const B: char = '\"'; use sqlx::Row;";
    assert_eq!(found_in("src/domain/a.rs", after).len(), 3, "code between literals counts");
}

#[test]
fn each_ban_is_seen() {
    let cases = [
        ("fn f() { g()\n    .unwrap() }", "3: holds .unwrap()"),
        ("fn f() { g().expect(\"h\") }", "2: holds .expect("),
        ("#[allow(dead_code)]\nfn f() {}", "2: holds #[allow("),
        ("#![allow(dead_code)]", "2: holds #![allow("),
        ("fn f() { todo!() }", "2: holds todo!"),
        ("fn f() { unimplemented!(\"x\") }", "2: holds unimplemented!"),
        ("fn f() { dbg!(1); }", "2: holds dbg!"),
        (concat!("// FIX", "ME: later"), concat!("2: holds FIX", "ME")),
        (concat!("// X", "XX"), concat!("2: holds X", "XX")),
        (concat!("// TO", "DO"), concat!("2: holds TO", "DO")),
    ];
    for (text, expected) in cases {
        assert_eq!(found_in("src/actors/a.rs", text), [expected], "{text}");
    }
    assert_eq!(found_in("tests/it/a.rs", "fn f() { g().unwrap() }"), [""; 0]);
}

#[test]
fn a_file_without_its_sentence_is_seen() {
    assert!(headless(&Source::new("src/a.rs", "use std::fmt;\n")).is_some());
}

#[test]
fn a_long_file_is_seen_and_its_tests_do_not_count() {
    let long = |tests: &str| format!("{}{tests}", "fn f() {}\n".repeat(LONGEST));
    let tests = "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
    assert!(too_long(&Source::new("src/a.rs", &long(tests)), false).is_none());
    let found = too_long(&Source::new("src/a.rs", &long("fn g() {}\n")), false);
    assert_eq!(found.map(|finding| finding.line), Some(LONGEST + 1));
}

#[test]
fn a_dead_file_is_seen_and_files_of_tests_are_known() {
    let files = [
        ("src/lib.rs", "pub mod a;\n// mod dead;\n"),
        ("src/a/mod.rs", "mod b;\nmod c;\n#[cfg(test)]\npub(crate) mod testing;\n"),
        ("src/a/b.rs", "#[cfg(test)]\nmod tests;\n"),
        ("src/a/b/tests.rs", "fn f() {}\n"),
        ("src/a/c.rs", "#[cfg(test)]\n#[path = \"c_tests.rs\"]\nmod tests;\n"),
        ("src/a/c_tests.rs", "fn f() {}\n"),
        ("src/a/testing.rs", "fn f() {}\n"),
        ("src/dead.rs", "fn f() {}\n"),
    ]
    .map(|(path, text)| Source::new(path, text));
    let found: Vec<_> = dead_files(&files).into_iter().map(|finding| finding.file).collect();
    assert_eq!(found, ["src/dead.rs"]);
    let for_tests = ["src/a/b/tests.rs", "src/a/c_tests.rs", "src/a/testing.rs"].map(str::to_owned);
    assert_eq!(module_tree(&files).1, BTreeSet::from(for_tests));
}

#[test]
fn an_edited_or_unlisted_migration_is_seen() {
    let files = [("a.sql".to_owned(), "SELECT 1;\n".to_owned())];
    let known = [("a.sql", fnv1a(b"SELECT 1;\n"))];
    assert_eq!(edited_migrations(&files, &known), []);
    let edited = [("a.sql".to_owned(), "SELECT 2;\n".to_owned())];
    assert_eq!(edited_migrations(&edited, &known)[0].rule, "was edited");
    assert_eq!(edited_migrations(&files, &[])[0].rule, "is not listed");
    assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c, "the published vector");
}

#[test]
fn a_stale_exception_is_seen() {
    let stale = stale_lists(&[], &[]);
    let listed = WALLS.iter().map(|wall| wall.except.len()).sum::<usize>() + LONG_FILES.len();
    assert_eq!(stale.len(), listed + MIGRATIONS.len());
}

#[test]
fn a_broken_link_is_seen() {
    let text = "[a](b.md) [c](https://x.y/z) [d](#e) `[f](g.md)`\n```\n[h](i.md)\n```\n[`j`](../k.md#l)\n";
    let found = broken_links("docs/a.md", text, |_| false);
    let found: Vec<_> = found.iter().map(|f| (f.line, f.rule.as_str())).collect();
    assert_eq!(found, [(1, "links to b.md"), (5, "links to ../k.md#l")]);
    assert_eq!(broken_links("docs/a.md", text, |_| true), []);
}
