//! The planner's objective is that of the reference evaluator, to the unit; and its proofs hold.
//!
//! `PLANNING_INSTANCES`: a folder of instances and their `evaluate.py`, which is then asked about random plans of each.

#[path = "../../benches/planner/schema.rs"]
mod schema;
#[path = "../../benches/planner/solution.rs"]
mod solution;

use meal_planner::domain::planning::search::{self, Choice, Kind, Plan, Table};
use serde_json::Value;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Random plans of each instance that the reference evaluator is asked about.
const PLANS: usize = 20;

fn instances() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instances")
}

fn small() -> Table {
    let problem = schema::read(&instances().join("small.json")).unwrap();
    search::check(&problem).unwrap();
    search::compile(&problem)
}

fn of_letter(letter: &str) -> Kind {
    match letter {
        "B" => Kind::Breakfast,
        "L" => Kind::Lunch,
        "D" => Kind::Dinner,
        "S" => Kind::Snack,
        other => panic!("no meal is called {other}"),
    }
}

/// A plan in the instances' format.
fn plan(table: &Table, rows: &Value) -> Plan {
    let mut plan = search::random(table, 1);
    let at = |day: &Value, kind: Kind| {
        let day = day.as_u64().unwrap() as usize;
        table.slots.iter().position(|slot| slot.day == day && slot.kind == kind).unwrap()
    };
    for row in rows.as_array().unwrap() {
        let slot = at(&row[0], of_letter(row[1].as_str().unwrap()));
        plan.choices[slot] = match row[2].as_str().unwrap() {
            "r" => Choice::Cook(row[3].as_u64().unwrap() as u32),
            _ => Choice::Leftover(at(&row[3], Kind::Dinner) as u32),
        };
    }
    plan
}

#[test]
fn the_objective_is_that_of_the_reference_evaluator_to_the_unit() {
    let table = small();
    let text = std::fs::read_to_string(instances().join("small_plans.json")).unwrap();
    let plans: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(plans.len(), 12);
    for sample in plans {
        let plan = plan(&table, &sample["plan"]);
        assert_eq!(search::broken(&table, &plan), None, "{sample}");
        let terms = search::evaluate(&table, &plan);
        assert_eq!(terms.total(), sample["objective"].as_i64().unwrap(), "{sample}");
        for (name, value) in terms.named() {
            assert_eq!(value, sample["parts"][name].as_i64().unwrap_or(0), "{name} of {sample}");
        }
        assert_eq!(
            plan,
            self::plan(&table, &solution::solution(&table, &plan)),
            "it is written as it is read"
        );
    }
}

/// The instances that a folder of `PLANNING_INSTANCES` holds; `None` when there is none, or nothing to run its evaluator.
fn real_instances(test: &str) -> Option<(PathBuf, Vec<PathBuf>)> {
    let skip = |why: &str| {
        // Past the capture of the test's output: a test that tests nothing must be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
        None
    };
    let Some(folder) = std::env::var_os("PLANNING_INSTANCES").map(PathBuf::from) else {
        return skip("PLANNING_INSTANCES names no folder of instances");
    };
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|output| output.status.success()) {
        return skip("this machine has no python3 for the reference evaluator");
    }
    let is_instance = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with('h') && name.ends_with("_s1.json")
    };
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(is_instance).collect();
    found.sort();
    assert!(!found.is_empty(), "{} holds no instance", folder.display());
    Some((folder, found))
}

/// What the reference evaluator says of a plan.
fn by_the_reference(folder: &Path, instance: &Path, solution: &Path) -> Value {
    let mut command = Command::new("python3");
    command.arg(folder.join("evaluate.py")).arg(instance).arg(solution);
    let output = command.output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said} {errors}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn random_plans_of_real_instances_cost_what_the_reference_evaluator_says() {
    let test = "random_plans_of_real_instances_cost_what_the_reference_evaluator_says";
    let Some((folder, instances)) = real_instances(test) else { return };
    let own = tempfile::tempdir().unwrap();
    let file = own.path().join("solution.json");
    for instance in instances {
        let problem = schema::read(&instance).unwrap();
        search::check(&problem).unwrap();
        let table = search::compile(&problem);
        // The reference knows no empty meals.
        let whole = |(_, plan): &(u64, Plan)| !plan.choices.contains(&Choice::Empty);
        let drawn = (0..1000).map(|seed| (seed, search::random(&table, seed)));
        let plans: Vec<(u64, Plan)> = drawn.filter(whole).take(PLANS).collect();
        assert_eq!(plans.len(), PLANS, "{}: nearly every plan has empty meals", instance.display());
        for (seed, plan) in plans {
            let told = format!("{}, seed {seed}", instance.display());
            assert_eq!(search::broken(&table, &plan), None, "{told}");
            std::fs::write(&file, solution::solution(&table, &plan).to_string()).unwrap();
            let reference = by_the_reference(&folder, &instance, &file);
            let terms = search::evaluate(&table, &plan);
            for (name, value) in terms.named() {
                assert_eq!(value, reference["parts"][name].as_i64().unwrap_or(0), "{name} of {told}");
            }
            assert_eq!(terms.total(), reference["objective"].as_i64().unwrap(), "{told}");
        }
    }
}

#[test]
fn what_is_proven_is_below_every_plan_and_near_the_best_one() {
    let table = small();
    let go_on = |_: &search::Progress| ControlFlow::Continue(());
    let effort = search::Effort { seed: 1, moves: 20_000, ..search::Effort::default() };
    let best = search::solve(&table, None, &effort, &go_on).objective;
    let mut told = Vec::new();
    let bound = search::prove(&table, Some(best), 40, &mut |bound| {
        told.push(bound);
        ControlFlow::Continue(())
    });
    let bound = bound.unwrap();
    assert!(told.is_sorted() && told.iter().all(|told| *told <= bound), "{told:?} {bound}");
    assert!(bound <= best, "{bound} {best}");
    assert!(bound * 100 >= best * 90, "more than 10 % is open: {bound} {best}");
    for seed in 0..50 {
        let random = search::evaluate(&table, &search::random(&table, seed)).total();
        assert!(bound <= random, "{bound} {random}");
    }
}
