//! The list of crash points and the code agree.

use meal_planner::fault::POINTS;
use std::collections::BTreeSet;
use std::path::Path;

const CALL: &str = "fault::point(\"";

fn placed_in(text: &str) -> BTreeSet<String> {
    text.split(CALL).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn placed_below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(placed_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(placed_in(&std::fs::read_to_string(path).unwrap()));
        }
    }
    found
}

#[test]
fn every_listed_point_is_placed_and_every_placed_one_is_listed() {
    let listed: BTreeSet<String> = POINTS.iter().map(|point| point.name.to_owned()).collect();
    assert_eq!(listed.len(), POINTS.len(), "a name stands twice");
    let placed = placed_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_eq!(placed, listed);
}

#[test]
fn points_are_found_in_text() {
    let text = "fault::point(\"a.b\"); x(|| fault::point(\"c\"));\n// fault::pointless";
    assert_eq!(placed_in(text), BTreeSet::from(["a.b".to_owned(), "c".to_owned()]));
}
