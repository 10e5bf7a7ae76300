//! The audit itself: damage that is done by hand is seen.

use super::case::{Case, Template};
use super::engine::Engine;
use crate::support::world::raw;
use sqlx::Connection;
use uuid::Uuid;

/// What is done to the database, and what must be said of it.
const DAMAGE: &[(&str, &str)] = &[
    (
        "DELETE FROM outcomes WHERE position = (SELECT max(position) FROM outcomes)",
        "done: false, waiting: false",
    ),
    (
        "INSERT INTO inbox (position, context) SELECT position, context FROM events WHERE type = 'AddMember' LIMIT 1",
        "done: true, waiting: true",
    ),
    ("DELETE FROM events WHERE position = (SELECT max(position) FROM events) - 3", "is missing"),
    (
        "DELETE FROM events WHERE type = 'MemberAdded' AND position = (SELECT max(position) FROM events
         WHERE type = 'MemberAdded')",
        "is not version",
    ),
    (
        "INSERT INTO events SELECT (SELECT max(position) + 1 FROM events), randomblob(16), kind, context, key, 1000000, type,
             schema_version, body, time_us, causation_id, correlation_id, trace, extra, epoch FROM events
         WHERE type = 'RecipeRated' LIMIT 1",
        "its outcome says",
    ),
    (
        "UPDATE outcomes SET first_position = 1, last_position = 1
         WHERE position = (SELECT max(position) FROM events WHERE type = 'UpdateMember')",
        "before its predecessor",
    ),
    ("UPDATE household_profile_v1 SET body = json_remove(body, '$.members[0]')", "not what a rebuild makes"),
    ("DELETE FROM recipes_catalogue_v1", "not what a rebuild makes"),
    ("UPDATE checkpoints SET position = 1000000", "has read up to"),
    ("UPDATE events SET body = '{}' WHERE type = 'UpdateRecipe'", "became"),
    ("UPDATE outcomes SET status = 2, answer = 'x' WHERE status = 0", "ended as"),
    (
        "INSERT INTO events SELECT (SELECT max(position) + 1 FROM events), randomblob(16), 0, context, key, NULL, type,
             schema_version, body, time_us, NULL, correlation_id, trace, extra, epoch FROM events
         WHERE type = 'RateRecipe' LIMIT 1",
        "accepted twice",
    ),
    ("UPDATE effects SET state = 1 WHERE id = (SELECT max(id) FROM effects)", "is left sent"),
    ("DELETE FROM effects WHERE id = (SELECT max(id) FROM effects)", "0 lines on the ledger"),
    ("DELETE FROM events WHERE type = 'FollowTimeZone'", "was answered 0 times"),
    (
        "INSERT INTO timers (context, key, name, id, due_us, to_context, type, schema_version, body)
         VALUES ('sagas', 'x', 'step', randomblob(16), 1, 'sagas', 'x', 1, '{}')",
        "is left of a saga",
    ),
    (
        "UPDATE sagas_status_v2 SET body = json_set(body, '$.status', 'running')",
        "has not ended",
    ),
    ("UPDATE process_epoch SET clean = 0", "ended in order"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_damage_is_seen() {
    let engine = Engine::Sqlite;
    let template = Template::new(&engine).await;
    for (damage, expected) in DAMAGE {
        let case = template.case(damage).await;
        let mut connection = raw(case.data()).await;
        let done = sqlx::query(*damage).execute(&mut connection).await.unwrap();
        assert!(done.rows_affected() > 0, "{damage}");
        connection.close().await.unwrap();
        must_see(&case, expected).await;
    }
    let mut case = template.case("an acknowledged message that is not there").await;
    case.load.answered[1].push(Uuid::nil());
    must_see(&case, "is lost").await;
    let case = template.case("a call that took effect twice").await;
    let body = case.remote.effects().pop().expect("a call");
    case.remote.act("another key", &body);
    must_see(&case, "took effect 2 times").await;
}

async fn must_see(case: &Case, expected: &str) {
    let found = case.audit().await;
    assert!(found.iter().any(|fault| fault.contains(expected)), "{}: {found:#?}", case.story);
}
