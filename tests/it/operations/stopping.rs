//! The end of a server has a deadline: what is stuck then waits in the table and is handled once at the next start.

use crate::support::soon;
use crate::support::world::{
    World, append, command, contexts, fresh_folder, handles, worlds_over_both_engines,
};
use meal_planner::domain::context::{Context, Rejection};
use meal_planner::domain::envelope::Metadata;
use meal_planner::messages;
use meal_planner::store::{Store as _, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::Duration;
use uuid::Uuid;

const DEADLINE: Duration = Duration::from_millis(300);

/// Who is at a door, by message; keyed so, that tests do not meet in it.
static DOORS: LazyLock<(Mutex<HashMap<Uuid, Door>>, Condvar)> = LazyLock::new(Default::default);

#[derive(Clone, Copy, PartialEq)]
enum Door {
    Shut,
    /// Somebody waits.
    Reached,
    Open,
}

fn set_door(id: Uuid, door: Door) {
    DOORS.0.lock().unwrap().insert(id, door);
    DOORS.1.notify_all();
}

/// Blocks as a handler does that hangs, where there is a door that is not open.
fn pass_door(id: Uuid) {
    let mut doors = DOORS.0.lock().unwrap();
    while doors.get(&id).is_some_and(|door| *door != Door::Open) {
        doors.insert(id, Door::Reached);
        doors = DOORS.1.wait(doors).unwrap();
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hang {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hung {}

messages! { pub enum HangCommand { Hang = 1 } }
messages! { pub enum HangEvent { Hung = 1 } }

struct Hanging;

impl Context for Hanging {
    const NAME: &'static str = "hanging";
    type State = u32;
    type Command = HangCommand;
    type Event = HangEvent;
    type Facts = ();

    fn decide(_: &u32, _: &HangCommand, (): &(), metadata: &Metadata) -> Result<Vec<HangEvent>, Rejection> {
        pass_door(metadata.id);
        Ok(vec![Hung {}.into()])
    }

    fn evolve(state: &mut u32, _: &HangEvent) {
        *state += 1;
    }
}

worlds_over_both_engines!(
    a_handler_that_hangs_does_not_keep_the_server_from_stopping,
    a_commit_that_hangs_does_not_either,
    an_end_in_order_leaves_nothing_behind,
);

async fn a_handler_that_hangs_does_not_keep_the_server_from_stopping() {
    let world = World::start_with(fresh_folder().await, contexts().with::<Hanging>()).await;
    let hang = command::<Hanging>("a", Hang {});
    let id = hang.id;
    set_door(id, Door::Shut);
    world.accept(hang).await.unwrap();
    let reached = || DOORS.0.lock().unwrap().get(&id) == Some(&Door::Reached);
    crate::support::until("it hangs", || async { reached() }).await;

    let World { folder, store, runtime } = world;
    let stopped = soon("the deadline passes", runtime.stop_within(DEADLINE)).await;
    let Err(StoreError::Unavailable(said)) = stopped else { panic!("{stopped:?}") };
    assert!(said.contains("deadline") && said.contains("1 message"), "{said}");
    store.crash().await;
    set_door(id, Door::Open);

    let world = World::start_with(folder, contexts().with::<Hanging>()).await;
    assert!(world.store.was_unclean(), "it did not end in order, and does not say so");
    world.outcome(id).await;
    assert_eq!(world.events("hanging", None).await.len(), 1);
}

async fn a_commit_that_hangs_does_not_either() {
    let world = World::start().await;
    let stuck = append("a", 1);
    let mut gate = world.store.hold(handles(stuck.id));
    let id = world.accept(stuck).await.unwrap().id;
    gate.reached().await;
    let World { folder, store, runtime } = world;
    let stopped = soon("the deadline passes", runtime.stop_within(DEADLINE)).await;
    assert!(matches!(stopped, Err(StoreError::Unavailable(_))), "{stopped:?}");
    store.crash().await;
    let world = World::start_in(folder).await;
    world.outcome(id).await;
    world.settled().await;
    assert_eq!(world.numbers("a").await, [1]);
}

async fn an_end_in_order_leaves_nothing_behind() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    world.settled().await;
    let world = world.restart().await;
    assert!(!world.store.was_unclean());
    assert_eq!(world.numbers("a").await, [1]);
}
