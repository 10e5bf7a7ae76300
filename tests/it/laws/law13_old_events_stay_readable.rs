//! Old events stay readable: three programs, each newer than the one before, over one folder.

use crate::support::soon;
use crate::support::world::{World, command, raw};
use meal_planner::actors::Contexts;
use meal_planner::domain;
use meal_planner::domain::context::{Context, Rejection};
use meal_planner::domain::envelope::Metadata;
use meal_planner::domain::message::{DecodeError, Message};
use meal_planner::messages;
use meal_planner::store::{Outcome, Store as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// A program that keeps a jar: how it writes what was filled in, and what it makes of it.
macro_rules! program {
    ($name:ident, $(#[$doc:meta])* Filled { $($field:ident: $type:ty),* } = $version:literal $([$($upcasts:tt)+])?,
     state $state:ty = $state_version:literal, fill |$fill:ident| $filled:expr, evolve |$old:ident, $event:ident| $evolved:expr) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Fill { pub text: String }
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Look {}
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Filled { $(pub $field: $type),* }
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Seen { pub state: String }

            messages! { pub enum Command { Fill = 1, Look = 1 } }
            messages! { pub enum Event { Filled = $version $($($upcasts)+)?, Seen = 1 } }

            pub struct Jars;

            impl Context for Jars {
                const NAME: &'static str = "jars";
                const STATE_VERSION: u32 = $state_version;
                type State = $state;
                type Command = Command;
                type Event = Event;
                type Facts = ();

                fn decide(state: &$state, command: &Command, (): &(), _: &Metadata) -> Result<Vec<Event>, Rejection> {
                    Ok(vec![match command {
                        Command::Fill($fill) => $filled.into(),
                        Command::Look(_) => Seen { state: format!("{state:?}") }.into(),
                    }])
                }

                fn evolve($old: &mut $state, event: &Event) {
                    if let Event::Filled($event) = event {
                        $evolved;
                    }
                }
            }
        }
    };
}

program!(
    first,
    /// Writes down what it was told.
    Filled { text: String } = 1,
    state Vec<String> = 1,
    fill |fill| Filled { text: fill.text.clone() },
    evolve |state, filled| state.push(filled.text.clone())
);

program!(
    second,
    /// Tells the number from the unit.
    Filled { number: u64, unit: String } = 2 [upcasts { 1 => super::split_number_and_unit }],
    state Vec<(u64, String)> = 2,
    fill |fill| {
        let (number, unit) = fill.text.split_once(' ').unwrap();
        Filled { number: number.parse().unwrap(), unit: unit.to_owned() }
    },
    evolve |state, filled| state.push((filled.number, filled.unit.clone()))
);

program!(
    third,
    /// Knows millilitres only.
    Filled { millilitres: u64 } = 3 [upcasts { 1 => super::split_number_and_unit, 2 => super::to_millilitres }],
    state u64 = 3,
    fill |fill| Filled { millilitres: fill.text.parse().unwrap() },
    evolve |state, filled| *state += filled.millilitres
);

fn split_number_and_unit(old: serde_json::Value) -> Result<serde_json::Value, String> {
    let text = old["text"].as_str().ok_or("there is no text")?;
    let (number, unit) = text.split_once(' ').ok_or_else(|| format!("{text:?} has no unit"))?;
    let number: u64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    Ok(serde_json::json!({ "number": number, "unit": unit }))
}

fn to_millilitres(old: serde_json::Value) -> Result<serde_json::Value, String> {
    let number = old["number"].as_u64().ok_or("there is no number")?;
    let of_one = match old["unit"].as_str() {
        Some("ml") => 1,
        Some("cups") => 250,
        other => return Err(format!("{other:?} is no unit")),
    };
    Ok(serde_json::json!({ "millilitres": number * of_one }))
}

async fn run<C: Context>(folder: TempDir) -> World {
    World::start_with(folder, Contexts::default().with::<C>()).await
}

/// What the running program takes the jar to hold, as it decides on it.
async fn seen<C: Context>(world: &World, look: impl Into<C::Command>) -> String {
    let asked = command::<C>("jar", look);
    let id = asked.id;
    assert_eq!(world.ask(asked).await.outcome, Outcome::Handled);
    let (first, _) = world.outcome(id).await.caused.unwrap();
    let event = world.store.range(first, first).await.unwrap().remove(0);
    assert_eq!(&*event.type_name, "Seen");
    serde_json::from_str::<serde_json::Value>(&event.body).unwrap()["state"].as_str().unwrap().to_owned()
}

async fn old_folder() -> TempDir {
    let world = run::<first::Jars>(tempfile::tempdir().unwrap()).await;
    for text in ["2 cups", "30 ml"] {
        world.ask(command::<first::Jars>("jar", first::Fill { text: text.to_owned() })).await;
    }
    assert_eq!(seen::<first::Jars>(&world, first::Look {}).await, r#"["2 cups", "30 ml"]"#);
    world.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_reads_what_all_before_it_have_written() {
    let world = run::<second::Jars>(old_folder().await).await;
    world.ask(command::<second::Jars>("jar", second::Fill { text: "1 cups".to_owned() })).await;
    let state = seen::<second::Jars>(&world, second::Look {}).await;
    assert_eq!(state, r#"[(2, "cups"), (30, "ml"), (1, "cups")]"#);
    let world = run::<third::Jars>(world.stop().await).await;
    world.ask(command::<third::Jars>("jar", third::Fill { text: "5".to_owned() })).await;
    assert_eq!(seen::<third::Jars>(&world, third::Look {}).await, "785");
    let filled: Vec<u16> = world.events("jars", Some("jar")).await.iter().map(|e| e.schema_version).collect();
    assert_eq!(filled, [1, 1, 1, 2, 1, 3, 1], "rows stay as they were written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_an_older_program_is_folded_anew() {
    let world = run::<first::Jars>(tempfile::tempdir().unwrap()).await;
    for _ in 0..120 {
        world.ask(command::<first::Jars>("jar", first::Fill { text: "1 cups".to_owned() })).await;
    }
    let folder = world.stop().await;
    let mut connection = raw(folder.path()).await;
    let (version,): (i64,) = sqlx::query_as("SELECT state_version FROM snapshots WHERE context = 'jars'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(version, 1);
    drop(connection);
    let world = run::<third::Jars>(folder).await;
    assert_eq!(seen::<third::Jars>(&world, third::Look {}).await, (120 * 250).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_made_by_other_rules_is_folded_anew() {
    let world = run::<first::Jars>(tempfile::tempdir().unwrap()).await;
    for _ in 0..100 {
        world.ask(command::<first::Jars>("jar", first::Fill { text: "1 cups".to_owned() })).await;
    }
    let mut folder = world.stop().await;
    let one_cup = r#"["1 cups"]"#;
    for (hash, trusted) in [(domain::CODE_HASH, true), (domain::CODE_HASH.wrapping_add(1), false)] {
        let mut connection = raw(folder.path()).await;
        let altered =
            sqlx::query("UPDATE snapshots SET code_hash = ?1, body = ?2 WHERE stream_version = 100");
        let altered = altered.bind(hash).bind(one_cup).execute(&mut connection).await.unwrap();
        assert_eq!(altered.rows_affected(), 1);
        drop(connection);
        let world = run::<first::Jars>(folder).await;
        let state = seen::<first::Jars>(&world, first::Look {}).await;
        assert_eq!(state == one_cup, trusted, "{state}");
        folder = world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_program_says_which_version_it_does_not_know_and_serves_the_others() {
    let world = run::<third::Jars>(tempfile::tempdir().unwrap()).await;
    world.ask(command::<third::Jars>("jar", third::Fill { text: "5".to_owned() })).await;
    let world = run::<second::Jars>(world.stop().await).await;
    let done = world.ask(command::<second::Jars>("jar", second::Look {})).await;
    let Outcome::Dead { reason } = done.outcome else { panic!("it was handled") };
    assert!(reason.contains("Filled version 3 is not known"), "{reason}");
    let done = world.ask(command::<second::Jars>("other", second::Look {})).await;
    assert_eq!((done.outcome, world.restarts("contexts/jars")), (Outcome::Handled, 0));
    // The newer program comes back, and nothing of it is lost.
    let world = run::<third::Jars>(world.stop().await).await;
    assert_eq!(soon("the jar", seen::<third::Jars>(&world, third::Look {})).await, "5");
}

#[test]
fn the_current_version_takes_no_detour_and_every_fault_is_named() {
    use third::{Event, Filled};
    let read = |version, body| Event::decode("Filled", version, body);
    assert_eq!(read(3, r#"{"millilitres":7}"#).unwrap(), Filled { millilitres: 7 }.into());
    assert_eq!(read(1, r#"{"text":"2 cups"}"#).unwrap(), Filled { millilitres: 500 }.into());
    assert_eq!(read(2, r#"{"number":2,"unit":"ml"}"#).unwrap(), Filled { millilitres: 2 }.into());
    for version in [0, 4, u16::MAX] {
        let unknown = DecodeError::UnknownVersion { type_name: "Filled".to_owned(), version };
        assert_eq!(read(version, "{}"), Err(unknown));
    }
    for (version, body, says) in [
        (1, "{}", "version 1 does not become version 2: there is no text"),
        (1, r#"{"text":"2 barrels"}"#, "version 2 does not become version 3"),
        (2, "{", "EOF"),
        (3, r#"{"text":"2 cups"}"#, "missing field `millilitres`"),
    ] {
        let error = read(version, body).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
