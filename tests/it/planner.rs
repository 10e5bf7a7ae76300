//! The planner's objective is that of the reference evaluator, to the unit; and its proofs hold.

#[path = "../../benches/planner/schema.rs"]
mod schema;
#[path = "../../benches/planner/solution.rs"]
mod solution;

use meal_planner::domain::planning::search::{self, Choice, Kind, Plan, Table};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

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
