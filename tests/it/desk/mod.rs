//! The operator's desk: what each verb does, does once, and leaves behind.

mod orders;
mod over_http;
mod pages;

use crate::support::contexts::Ledger;
use crate::support::world::{World, append, command};
use meal_planner::actors::NewCommand;
use meal_planner::actors::desk::{self, Desk, DeskError, DryRun, Mark, Replayed, Sweep};
use meal_planner::domain::context::Rejection;
use meal_planner::domain::envelope::{Envelope, Key};
use meal_planner::domain::operations::Reason;
use meal_planner::store::{DeadLetterId, DeadLetterQuery, DeadLetterState, Filter, Outcome, Store};
use serde_json::{Value, json};
use uuid::Uuid;

fn why(text: &str) -> Reason {
    desk::reason("a test", text).unwrap()
}

/// A command that dies at its first attempt: its body is none of its type.
fn broken(type_name: &str, key: &str) -> NewCommand {
    let body = "{\"number\":\"seven\"}".to_owned();
    NewCommand { type_name: type_name.to_owned(), body, ..append(key, 0) }
}

struct Dead {
    world: World,
    desk: Desk,
    /// Of the dead message.
    id: Uuid,
    letter: DeadLetterId,
}

async fn bury(world: &World, command: NewCommand) -> DeadLetterId {
    let accepted = world.accept(command).await.unwrap();
    assert!(matches!(world.outcome(accepted.id).await.outcome, Outcome::Dead { .. }));
    DeadLetterId { position: accepted.position, reader: String::new() }
}

async fn with_dead(command: NewCommand) -> Dead {
    let world = World::start().await;
    let id = command.id;
    let letter = bury(&world, command).await;
    let desk = Desk::new(world.runtime.hub().clone());
    Dead { world, desk, id, letter }
}

impl Dead {
    async fn replay(&self, reason: &str) -> Result<Uuid, DeskError> {
        match self.desk.replay(&self.letter, why(reason)).await? {
            Replayed::As { id, .. } => Ok(id),
            other @ (Replayed::Answered { .. } | Replayed::Rebuilding { .. }) => panic!("{other:?}"),
        }
    }

    async fn edit(&self, body: &Value) -> Result<(), DeskError> {
        self.desk.edit(&self.letter, &body.to_string(), why("a typing error")).await.map(drop)
    }

    async fn state(&self) -> DeadLetterState {
        self.desk.find(&self.letter).await.unwrap().state
    }

    /// What the desk has told of itself: type of the event, by whom, why.
    async fn told(&self) -> Vec<(String, String, String)> {
        let notices = self.world.events("operations", Some(&desk::name(&self.letter))).await;
        let verbs = notices.into_iter().filter(|notice| *notice.type_name != *"DeadLetterAdded");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        verbs
            .map(|notice| {
                let body: Value = serde_json::from_str(&notice.body).unwrap();
                assert_eq!(notice.causation_id, Some(self.id));
                (notice.type_name.to_string(), text(&body["reason"]["by"]), text(&body["reason"]["why"]))
            })
            .collect()
    }
}

fn told(verb: &str, why: &str) -> (String, String, String) {
    (verb.to_owned(), "a test".to_owned(), why.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_dead_letter_is_replayed_as_one_new_message() {
    let dead = with_dead(broken("Append", "a")).await;
    dead.edit(&json!({"number": 7})).await.unwrap();
    let id = dead.replay("the body is right now").await.unwrap();
    assert_eq!(dead.world.outcome(id).await.outcome, Outcome::Handled);
    assert_eq!(dead.world.numbers("a").await, [7]);
    assert_eq!(dead.state().await, DeadLetterState::Replayed);
    let replay = dead.world.status(id).await.envelope;
    let original = dead.world.status(dead.id).await.envelope;
    assert_eq!((replay.causation_id, replay.key.clone()), (Some(dead.id), original.key));
    assert_eq!(replay.correlation_id, original.correlation_id);
    assert_eq!(replay.extra.replay_of, Some(dead.letter.position));
    let verbs =
        [told("DeadLetterEdited", "a typing error"), told("DeadLetterReplayed", "the body is right now")];
    assert_eq!(dead.told().await, verbs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_replays_at_once_one_is_made() {
    let dead = with_dead(broken("Append", "a")).await;
    dead.edit(&json!({"number": 7})).await.unwrap();
    let tries = (0..8).map(|_| dead.replay("again"));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let id = results.iter().find_map(|result| result.as_ref().ok().copied()).unwrap();
    for refused in results.into_iter().filter_map(Result::err) {
        let DeskError::Settled { state, replayed_as, .. } = refused else { panic!("{refused}") };
        assert_eq!((state, replayed_as), (DeadLetterState::Replayed, Some(id)));
    }
    dead.world.outcome(id).await;
    assert_eq!(dead.world.numbers("a").await, [7]);
    assert_eq!(dead.told().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_discarded_is_not_replayed_and_says_why() {
    let dead = with_dead(broken("Append", "a")).await;
    let letter = dead.desk.discard(&dead.letter, why("nobody wants it")).await.unwrap();
    assert_eq!((letter.state, letter.note.as_deref()), (DeadLetterState::Discarded, Some("nobody wants it")));
    for refused in [
        dead.replay("after all").await.err(),
        dead.edit(&json!({"number": 7})).await.err(),
        dead.desk.discard(&dead.letter, why("twice")).await.err(),
    ] {
        let state = DeadLetterState::Discarded;
        assert!(matches!(refused, Some(DeskError::Settled { state: s, .. }) if s == state), "{refused:?}");
    }
    assert_eq!(dead.told().await, [told("DeadLetterDiscarded", "nobody wants it")]);
    assert_eq!(dead.world.numbers("a").await, [] as [i64; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_answers_whoever_waits_for_the_step() {
    let world = World::start().await;
    let hub = world.runtime.hub().clone();
    let mut asking = broken("Append", "b");
    let forward = command::<Ledger>(
        "a",
        crate::support::contexts::Forward { number: 1, to: "b".to_owned(), ask: true },
    );
    // What a step is asked under is in the message that is forwarded: take it over into one that dies.
    world.ask(forward).await;
    world.settled().await;
    let forwarded = world.messages(Filter { key: Some("b".to_owned()), ..Filter::default() }).await;
    let reply_to = forwarded[0].extra.reply_to.clone().unwrap();
    asking.id = Uuid::now_v7();
    let mut envelope = Envelope::command(
        &asking.to,
        &asking.type_name,
        asking.body.clone(),
        asking.id,
        meal_planner::clock::now(),
    );
    envelope.extra.reply_to = Some(reply_to);
    envelope.extra.flags = vec!["a_flag".to_owned()];
    let unit = meal_planner::store::Unit { messages: vec![envelope], ..Default::default() };
    let placed = hub.journal.commit(meal_planner::actors::Origin::Edge, vec![unit]).await.unwrap();
    world.outcome(asking.id).await;
    let letter = DeadLetterId { position: placed[0].first, reader: String::new() };
    let desk = Desk::new(hub);
    desk.edit(&letter, "{\"number\":2}", why("mended")).await.unwrap();
    let Replayed::As { id, .. } = desk.replay(&letter, why("mended")).await.unwrap() else {
        panic!("no message")
    };
    world.outcome(id).await;
    assert_eq!(world.status(id).await.envelope.extra.flags, ["a_flag"]);
    world.settled().await;
    let answers = world.replayed("a").await.answers;
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert!(answers[1].starts_with("dead") && answers[2] == "handled", "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_none_of_its_type_is_pointed_at_and_not_kept() {
    let dead = with_dead(broken("Append", "a")).await;
    let refused = dead.edit(&json!({"number": [1]})).await.unwrap_err();
    let DeskError::Invalid(Rejection { pointer, .. }) = refused else { panic!("{refused}") };
    assert_eq!(pointer.as_deref(), Some("/number"));
    assert_eq!(dead.desk.find(&dead.letter).await.unwrap().edited, None);
    assert_eq!(dead.told().await, []);
}

async fn everything(world: &World) -> (i64, Vec<(String, i64)>, Vec<DeadLetterId>) {
    let letters = DeadLetterQuery { limit: 100, ..DeadLetterQuery::default() };
    let letters = world.store.dead_letters(letters).await.unwrap();
    (
        world.store.last_position().await.unwrap(),
        world.store.waiting_counts().await.unwrap(),
        letters.into_iter().map(|letter| letter.id).collect(),
    )
}

async fn dry_run(dead: &Dead) -> Value {
    let before = everything(&dead.world).await;
    let committed = dead.world.store.committed().len();
    let run: DryRun = dead.desk.dry_run(&dead.letter).await.unwrap();
    assert_eq!(everything(&dead.world).await, before);
    assert_eq!(dead.world.store.committed().len(), committed, "a dry run has committed something");
    assert_eq!(dead.told().await.len(), 1, "the edit alone");
    json!(run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_events_commands_and_state_and_keeps_nothing() {
    let dead = with_dead(broken("Forward", "a")).await;
    dead.world.ask(append("a", 1)).await;
    dead.world.settled().await;
    dead.edit(&json!({"number": 2, "to": "b", "ask": false})).await.unwrap();
    let run = dry_run(&dead).await;
    assert_eq!(run["outcome"], "handled");
    assert_eq!(run["events"][0]["type"], "Forwarded");
    assert_eq!(
        (&run["commands"][0]["to"], &run["commands"][0]["detail"]),
        (&json!("ledger/b"), &json!({"number": 2}))
    );
    assert_eq!(run["state"]["numbers"], json!([1, 2]), "on the state as it is now");
    assert_eq!(dead.world.numbers("a").await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_what_the_domain_would_refuse() {
    let dead = with_dead(broken("Refuse", "a")).await;
    dead.edit(&json!({"why": "because"})).await.unwrap();
    let run = dry_run(&dead).await;
    assert_eq!((&run["outcome"], &run["rejection"]["message"]), (&json!("rejected"), &json!("because")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_of_a_handler_that_panics_kills_nobody() {
    let dead = with_dead(broken("Explode", "a")).await;
    dead.edit(&json!({"times": u32::MAX, "number": 1})).await.unwrap();
    let generation = dead.world.view("contexts/ledger").generation;
    let run = dry_run(&dead).await;
    assert_eq!(run["outcome"], "panic");
    assert!(run["reason"].as_str().unwrap().contains("boom"), "{run}");
    assert_eq!(dead.world.view("contexts/ledger").generation, generation);
    assert_eq!(dead.world.ask(append("a", 1)).await.outcome, Outcome::Handled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_of_the_original_says_why_it_does_not_read() {
    let dead = with_dead(broken("Append", "a")).await;
    let run = json!(dead.desk.dry_run(&dead.letter).await.unwrap());
    assert_eq!(run["outcome"], "error");
    assert!(run["reason"].as_str().unwrap().contains("/number"), "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inspecting_shows_the_aggregate_as_it_was_then() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    let letter = bury(&world, broken("Append", "a")).await;
    world.ask(append("a", 2)).await;
    let desk = Desk::new(world.runtime.hub().clone());
    let found = desk.inspect(&letter).await.unwrap();
    let state = found.state.unwrap();
    assert_eq!((state.version, &state.state["numbers"]), (1, &json!([1])));
    assert_eq!(found.message.unwrap().position, letter.position);
    assert!(found.letter.reason.contains("number"), "{}", found.letter.reason);
    let now = world.runtime.hub().state_at("ledger", &Key::from("a"), i64::MAX).await.unwrap().unwrap();
    assert_eq!(now.state["numbers"], json!([1, 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_whose_events_do_not_read_is_shown_up_to_there() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    let mut unknown = world.events("ledger", Some("a")).await.remove(0);
    (unknown.id, unknown.stream_version, unknown.position) = (Uuid::now_v7(), Some(2), 0);
    unknown.type_name = "OfAnotherProgram".into();
    let unit = meal_planner::store::Unit { messages: vec![unknown], ..Default::default() };
    let hub = world.runtime.hub();
    let placed = hub.journal.commit(meal_planner::actors::Origin::Edge, vec![unit]).await.unwrap();
    let state = hub.state_at("ledger", &Key::from("a"), i64::MAX).await.unwrap().unwrap();
    assert_eq!((state.version, &state.state["numbers"]), (1, &json!([1])));
    assert_eq!(state.stopped.unwrap().position, placed[0].first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_replays_page_by_page_oldest_first_and_says_what_it_left() {
    let world = World::start().await;
    let desk = Desk::new(world.runtime.hub().clone());
    let mut letters = Vec::new();
    for n in 0..5 {
        let letter = bury(&world, broken("Append", "a")).await;
        desk.edit(&letter, &json!({ "number": n }).to_string(), why("mended")).await.unwrap();
        letters.push(letter);
    }
    let elsewhere = bury(&world, broken("Append", "b")).await;
    let sweep = |after| Sweep { key: Some("a".to_owned()), after, limit: 2, ..Sweep::default() };
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let swept = desk.replay_all(sweep(after), &why("all of them")).await.unwrap();
        assert!(swept.left.is_empty(), "{swept:?}");
        pages.push(swept.done);
        after = swept.next.map(|next| Mark::parse(&next.to_string()).unwrap());
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    world.settled().await;
    assert_eq!(world.numbers("a").await, [0, 1, 2, 3, 4]);
    assert_eq!(desk.find(&elsewhere).await.unwrap().state, DeadLetterState::Open);
    let again = desk.replay_all(sweep(None), &why("again")).await.unwrap();
    assert_eq!((again.done, again.next), (0, None));
    let discarded = Sweep { limit: 10, ..Sweep::default() };
    assert_eq!(desk.discard_all(discarded, &why("the rest")).await.unwrap().done, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_is_not_written_leaves_the_dead_letter_open() {
    let dead = with_dead(broken("Append", "a")).await;
    dead.edit(&json!({"number": 7})).await.unwrap();
    dead.world.store.fail_commits(1);
    assert!(matches!(dead.replay("now").await, Err(DeskError::Store(_))));
    assert_eq!(dead.state().await, DeadLetterState::Open);
    let id = dead.replay("now").await.unwrap();
    dead.world.outcome(id).await;
    assert_eq!(dead.world.numbers("a").await, [7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_whose_answer_was_lost_is_not_made_twice() {
    let dead = with_dead(broken("Append", "a")).await;
    dead.edit(&json!({"number": 7})).await.unwrap();
    dead.world.store.lose_answers(1);
    assert!(matches!(dead.replay("now").await, Err(DeskError::Store(_))));
    let again = dead.replay("now").await;
    assert!(matches!(again, Err(DeskError::Settled { .. })), "{again:?}");
    // Whatever is committed next makes the journal look at what it did not hear of.
    dead.world.ask(append("b", 1)).await;
    dead.world.settled().await;
    assert_eq!(dead.world.numbers("a").await, [7]);
}

#[test]
fn ids_of_dead_letters_read_back_as_they_are_written() {
    let id = DeadLetterId { position: 17, reader: "ledger_sums_v1".to_owned() };
    assert_eq!(desk::of_name(&desk::name(&id)), Some(id));
    for text in ["", "x", "0", "-1", ":a"] {
        assert_eq!(desk::of_name(text), None, "{text:?}");
    }
    assert!(desk::reason("me", " ").is_err() && desk::reason("me", &"x".repeat(2000)).is_err());
}
