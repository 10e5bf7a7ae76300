//! Old messages stay readable: one stored sample at least of every type and version ever written.

mod schema;

use meal_planner::domain;
use meal_planner::domain::context::Context;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::domain::operations;
use meal_planner::domain::registry::Visitor;
use meal_planner::domain::reply::ANSWER_VERSION;
use schema::Shape;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A type of message that contexts write, without its Rust type.
struct Written {
    context: &'static str,
    name: &'static str,
    version: u16,
    /// Reads a body of any version and writes it as the current one.
    recode: fn(&str, u16, &str) -> Result<String, DecodeError>,
    shape: Shape,
}

#[derive(Default)]
struct Types(Vec<Written>);

impl Types {
    fn all() -> Vec<Written> {
        let mut types = Self::default();
        domain::contexts(&mut types);
        types.add::<operations::Event>(operations::NAME);
        types.0
    }

    fn add<M: Message>(&mut self, context: &'static str) {
        let mut generator = SchemaGenerator::default();
        let schemas: BTreeMap<&str, Schema> = M::schemas(&mut generator).into_iter().collect();
        let definitions = generator.take_definitions(true);
        for (name, version) in M::TYPES {
            let shape = Shape { schema: schemas[name].clone().to_value(), definitions: definitions.clone() };
            let recode = |name: &str, version, body: &str| M::decode(name, version, body)?.encode();
            self.0.push(Written { context, name, version: *version, recode, shape });
        }
    }
}

impl Visitor for Types {
    fn context<C: Context>(&mut self) {
        self.add::<C::Command>(C::NAME);
        self.add::<C::Event>(C::NAME);
    }
}

/// `<context>/<Type>.v<version>.json`, or `….v<version>.<what>.json` for further ones.
struct Sample {
    /// Below the folder of samples, with `/`.
    path: String,
    context: String,
    type_name: String,
    version: u16,
    text: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for context in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if !context.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&context).unwrap().map(|entry| entry.unwrap().path()) {
            let context = context.file_name().unwrap().to_str().unwrap().to_owned();
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let path = format!("{context}/{name}");
            let mut parts = name.split('.');
            let type_name = parts.next().unwrap().to_owned();
            let version = parts.next().and_then(|part| part.strip_prefix('v')?.parse().ok());
            let version = version.unwrap_or_else(|| panic!("{path}: name it <Type>.v<version>.json"));
            let text = std::fs::read_to_string(&file).unwrap();
            samples.push(Sample { path, context, type_name, version, text });
        }
    }
    samples.sort_by(|a, b| a.path.cmp(&b.path));
    samples
}

fn of<'a>(written: &Written, version: u16, samples: &'a [Sample]) -> Vec<&'a Sample> {
    let fits = |sample: &&Sample| {
        sample.context == written.context && sample.type_name == written.name && sample.version == version
    };
    samples.iter().filter(fits).collect()
}

fn parsed(sample: &Sample) -> Value {
    serde_json::from_str(&sample.text).unwrap_or_else(|error| panic!("{}: {error}", sample.path))
}

const CHANGED: &str = "the stored shape of this type has changed, and rows of the old shape are out there: \
    raise the type's version in messages!, give it an upcast from the old version, keep the old sample as it is, \
    and add one of the new version (`just samples` drafts it)";

#[test]
fn every_version_of_every_type_has_a_sample_that_reads() {
    let samples = samples();
    let mut faults = Vec::new();
    for written in Types::all() {
        for version in 1..=written.version {
            let found = of(&written, version, &samples);
            if found.is_empty() {
                faults.push(format!(
                    "{}/{}.v{version}.json is missing: `just samples` drafts the current version",
                    written.context, written.name
                ));
            }
            for sample in found {
                if let Err(error) = (written.recode)(written.name, version, &sample.text) {
                    faults.push(format!("{}: {error}\n  {CHANGED}", sample.path));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_stored_shape_changes_only_with_its_version() {
    let samples = samples();
    for written in Types::all() {
        for sample in of(&written, written.version, &samples) {
            let again = (written.recode)(written.name, written.version, &sample.text).unwrap();
            let again: Value = serde_json::from_str(&again).unwrap();
            assert_eq!(again, parsed(sample), "{}\n  {CHANGED}", sample.path);
        }
    }
}

#[test]
fn a_sample_leaves_no_field_and_no_variant_out() {
    let samples = samples();
    for written in Types::all() {
        let values: Vec<Value> = of(&written, written.version, &samples).into_iter().map(parsed).collect();
        let missing = written.shape.missing(&values);
        assert!(
            missing.is_empty(),
            "no sample of {}/{} version {} has {missing:?}: add {0}/{1}.v{2}.<what>.json",
            written.context,
            written.name,
            written.version
        );
    }
}

#[test]
fn every_sample_is_of_a_version_that_a_context_reads() {
    let types = Types::all();
    for sample in samples() {
        let known = types.iter().any(|written| {
            written.context == sample.context
                && written.name == sample.type_name
                && (1..=written.version).contains(&sample.version)
        });
        assert!(
            known,
            "{} is of no type and version that is read: rows like it exist, so keep the type and its upcasts",
            sample.path
        );
    }
}

#[test]
fn an_answer_is_sent_in_the_version_that_its_recipients_read() {
    let answers: Vec<u16> =
        Types::all().iter().filter(|w| w.name == "RecordAnswer").map(|w| w.version).collect();
    assert!(!answers.is_empty() && answers.iter().all(|version| *version == ANSWER_VERSION), "{answers:?}");
}

const CHECKSUMS: &str = "checksums.txt";

fn checksums(samples: &[Sample]) -> String {
    let mut list = String::new();
    for sample in samples {
        let digest = ring::digest::digest(&ring::digest::SHA256, sample.text.as_bytes());
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(list, "{hex}  {}", sample.path).unwrap();
    }
    list
}

#[test]
fn samples_are_added_and_never_changed() {
    let listed = std::fs::read_to_string(folder().join(CHECKSUMS)).unwrap();
    assert_eq!(
        listed,
        checksums(&samples()),
        "a landed sample is what a store may hold: undo the edit. For a new one run `just samples`, which adds \
         its line to tests/samples/{CHECKSUMS} and leaves the others"
    );
}

/// `just samples`: drafts what is missing of the current versions and lists what is new; changes nothing landed.
#[test]
#[ignore = "writes files; run by `just samples`"]
fn draft_missing_samples() {
    let present = samples();
    for written in Types::all() {
        if of(&written, written.version, &present).is_empty() {
            draft(&written);
        }
    }
    let path = folder().join(CHECKSUMS);
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    let now = checksums(&samples());
    let kept: Vec<&str> = listed.lines().collect();
    let is_new = |line: &&str| !kept.iter().any(|old| old.ends_with(&line[64..]));
    let mut lines: Vec<&str> = kept.iter().copied().chain(now.lines().filter(is_new)).collect();
    lines.sort_by_key(|line| &line[64..]);
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// Rounds of variants after which a draft is as good as it gets.
const MOST_ROUNDS: usize = 8;

fn draft(written: &Written) {
    let folder = folder().join(written.context);
    std::fs::create_dir_all(&folder).unwrap();
    let mut drafts: Vec<Value> = Vec::new();
    for round in 0..MOST_ROUNDS {
        let draft = written.shape.draft(round).to_string();
        let stored = (written.recode)(written.name, written.version, &draft).unwrap_or_else(|error| {
            panic!("write a sample by hand, for the draft {draft} does not read: {error}")
        });
        drafts.push(serde_json::from_str(&stored).unwrap());
        let n = match round {
            0 => String::new(),
            round => format!(".{}", round + 1),
        };
        let file = folder.join(format!("{}.v{}{n}.json", written.name, written.version));
        let text = serde_json::to_string_pretty(&drafts[round]).unwrap();
        std::fs::write(file, text + "\n").unwrap();
        if written.shape.missing(&drafts).is_empty() {
            return;
        }
    }
}
