//! Idempotent at the edge: a message is accepted once, and a repeat gets the first answer.

use crate::support::contexts::times_decided;
use crate::support::world::{World, append, worlds_over_both_engines};
use meal_planner::actors::{NewCommand, Refusal};
use meal_planner::domain::envelope::Kind;
use meal_planner::store::Filter;
use uuid::Uuid;

worlds_over_both_engines!(
    one_id_given_by_many_callers_at_once_is_accepted_once,
    one_idempotency_key_given_by_many_callers_at_once_is_accepted_once,
    a_repeat_gets_the_first_answer_also_after_a_restart,
    a_key_used_for_something_else_is_refused,
    different_bodies_under_one_key_at_once_are_told_apart,
    repeats_at_once_wait_for_the_first_and_fail_no_commit,
);

const CALLERS: usize = 50;

async fn all_at_once(world: &World, commands: Vec<NewCommand>) -> Vec<Result<Uuid, Refusal>> {
    let callers: Vec<_> = commands.into_iter().map(|command| world.accepting(command)).collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap().map(|accepted| accepted.id));
    }
    answers
}

async fn commands(world: &World) -> usize {
    let filter =
        Filter { kinds: Some(Kind::Command), contexts: vec!["ledger".to_owned()], ..Filter::default() };
    world.messages(filter).await.len()
}

async fn one_id_given_by_many_callers_at_once_is_accepted_once() {
    let world = World::start().await;
    let command = NewCommand { id_given: true, ..append("a", 1) };
    let answers = all_at_once(&world, vec![command.clone(); CALLERS]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(id) if *id == command.id)), "{answers:?}");
    world.settled().await;
    assert_eq!((commands(&world).await, times_decided(command.id)), (1, 1));
    assert_eq!(world.numbers("a").await, [1]);
}

async fn one_idempotency_key_given_by_many_callers_at_once_is_accepted_once() {
    let world = World::start().await;
    let repeat = |_| NewCommand { idempotency: Some(([1; 32], [2; 32])), ..append("a", 1) };
    let answers = all_at_once(&world, (0..CALLERS).map(repeat).collect()).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Ok(id) if *id == first)), "{answers:?}");
    world.settled().await;
    assert_eq!(commands(&world).await, 1);
    assert_eq!(world.numbers("a").await, [1]);
}

async fn a_repeat_gets_the_first_answer_also_after_a_restart() {
    let world = World::start().await;
    let repeat = || NewCommand { idempotency: Some(([1; 32], [2; 32])), ..append("a", 1) };
    let first = world.ask(repeat()).await;
    assert_eq!(world.ask(repeat()).await, first);
    let world = world.crash_and_start().await;
    assert_eq!(world.ask(repeat()).await, first);
    assert_eq!(world.numbers("a").await, [1]);
}

async fn a_key_used_for_something_else_is_refused() {
    let world = World::start().await;
    let first = NewCommand { idempotency: Some(([1; 32], [2; 32])), id_given: true, ..append("a", 1) };
    let id = first.id;
    world.ask(first).await;
    let others = [
        NewCommand { idempotency: Some(([1; 32], [3; 32])), ..append("a", 2) },
        NewCommand { id, id_given: true, ..append("a", 2) },
        NewCommand { id, id_given: true, ..append("b", 1) },
        NewCommand { id, id_given: true, type_name: "Refuse".to_owned(), ..append("a", 1) },
    ];
    for other in others {
        let refused = world.accept(other.clone()).await;
        assert!(matches!(refused, Err(Refusal::KeyReused)), "{other:?}: {refused:?}");
    }
    world.settled().await;
    assert_eq!(commands(&world).await, 1);
}

async fn different_bodies_under_one_key_at_once_are_told_apart() {
    let world = World::start().await;
    let other = |n: u8| NewCommand { idempotency: Some(([1; 32], [n; 32])), ..append("a", n.into()) };
    let answers = all_at_once(&world, (0..CALLERS as u8).map(other).collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let reused = answers.iter().filter(|answer| matches!(answer, Err(Refusal::KeyReused))).count();
    assert_eq!(reused, CALLERS - 1, "{answers:?}");
    assert_eq!(commands(&world).await, 1);
}

async fn repeats_at_once_wait_for_the_first_and_fail_no_commit() {
    let world = World::start().await;
    let mut gate = world.store.hold(|unit| unit.idempotency.is_some());
    let repeat = || NewCommand { idempotency: Some(([1; 32], [2; 32])), ..append("a", 1) };
    let first = world.accepting(repeat());
    gate.reached().await;
    let second = world.accepting(repeat());
    crate::support::let_others_run().await;
    assert!(!second.is_finished());
    gate.open();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!((first.id, second.id, second.repeated), (first.id, first.id, true));
    let with_key = |unit: &meal_planner::store::Unit| unit.idempotency.is_some();
    assert_eq!(world.store.committed().into_iter().filter(with_key).count(), 1);
    assert_eq!(world.view("journal").failed, 0);
}
