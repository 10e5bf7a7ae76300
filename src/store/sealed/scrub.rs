//! Takes a person out of a store: their key, and whatever is readable of them beside the sealed messages.

use super::{Scrub, blot_out, escaped};
use crate::domain::envelope::NOBODY;
use crate::domain::person::WRITTEN_BY_US;
use crate::fault;
use crate::store::StoreResult;
use crate::store::reading::Value;
use futures_util::future::BoxFuture;

/// What is left where somebody's rejected command was answered.
const ANSWER: &str = r#"{"kind":"not_found","message":"what was said of an erased person is gone","hint":"nothing is left of it"}"#;

/// Texts beside the messages: table and column.
const TEXTS: &[(&str, &str)] = &[
    ("outcomes", "answer"),
    ("inbox", "last_error"),
    ("attempts", "error"),
    ("dead_letters", "reason"),
    ("dead_letters", "body"),
    ("dead_letters", "note"),
    ("effects", "request"),
    ("effects", "response"),
    ("effects", "error"),
    ("effects", "late"),
    ("timers", "body"),
];

/// An engine within the one transaction that a scrub is.
pub(in crate::store) trait Hands: Send {
    /// How a statement asks whether a column holds the text of a parameter.
    fn holds(column: &str, parameter: &str) -> String;
    fn execute(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<u64>>;
    /// The first column of each row.
    fn texts(&mut self, sql: String, values: Vec<Value>) -> BoxFuture<'_, StoreResult<Vec<String>>>;
}

pub(in crate::store) async fn scrub<H: Hands>(hands: &mut H, scrub: &Scrub) -> StoreResult<u64> {
    let mut changed = forget(hands, scrub).await?;
    fault::point("erase.middle");
    for (table, column) in TEXTS {
        changed += blot(hands, table, column, "TRUE", scrub).await?;
    }
    let contexts: Vec<String> = WRITTEN_BY_US.iter().map(|name| format!("'{name}'")).collect();
    let ours = format!("context IN ({})", contexts.join(", "));
    Ok(changed + blot(hands, "events", "body", &ours, scrub).await?)
}

/// The key, and what came of the messages that were sealed with it.
async fn forget<H: Hands>(hands: &mut H, scrub: &Scrub) -> StoreResult<u64> {
    const OF_PERSON: &str =
        "position IN (SELECT position FROM events WHERE substr(body, 1, length($1)) = $1)";
    let (subject, now) = (Value::from(scrub.subject.to_string()), Value::from(scrub.now_us));
    // Also for one who never had a key: that somebody was erased is known from here.
    let key = "INSERT INTO subject_keys (subject, sealed, made_us, erased_us) VALUES ($1, NULL, $2, $2)
               ON CONFLICT (subject) DO UPDATE SET sealed = NULL, erased_us = excluded.erased_us";
    let mut changed = hands.execute(key.to_owned(), vec![subject, now.clone()]).await?;
    changed += hands.execute("DELETE FROM snapshots".to_owned(), Vec::new()).await?;
    let beginning = Value::from(Scrub::beginning(scrub.subject));
    for sql in [
        format!("UPDATE outcomes SET answer = '{ANSWER}' WHERE status = 1 AND {OF_PERSON}"),
        format!("UPDATE outcomes SET answer = '{NOBODY}' WHERE status = 2 AND {OF_PERSON}"),
        format!("UPDATE attempts SET error = '{NOBODY}' WHERE {OF_PERSON}"),
        format!("UPDATE inbox SET last_error = '{NOBODY}' WHERE last_error IS NOT NULL AND {OF_PERSON}"),
        format!("UPDATE dead_letters SET reason = '{NOBODY}', body = NULL, raw = NULL WHERE {OF_PERSON}"),
        "DELETE FROM timers WHERE substr(body, 1, length($1)) = $1".to_owned(),
    ] {
        changed += hands.execute(sql, vec![beginning.clone()]).await?;
    }
    // Nobody can make anything of them any more, and what waits behind them must not wait for ever.
    let settle = format!(
        "UPDATE dead_letters SET state = 2, settled_us = $2, note = 'the person was erased'
         WHERE state = 0 AND {OF_PERSON}"
    );
    Ok(changed + hands.execute(settle, vec![beginning, now]).await?)
}

/// Blots the person's words out of one column.
async fn blot<H: Hands>(
    hands: &mut H,
    table: &str,
    column: &str,
    only: &str,
    scrub: &Scrub,
) -> StoreResult<u64> {
    let mut changed = 0;
    for word in &scrub.words {
        let (plain, within) = (H::holds(column, "$1"), H::holds(column, "$2"));
        let found = format!("SELECT DISTINCT {column} FROM {table} WHERE {only} AND ({plain} OR {within})");
        let texts = hands.texts(found, vec![word.clone().into(), escaped(word).into()]).await?;
        for text in texts {
            let Some(blotted) = blot_out(&text, &scrub.words) else { continue };
            let update = format!("UPDATE {table} SET {column} = $1 WHERE {only} AND {column} = $2");
            changed += hands.execute(update, vec![blotted.into(), text.into()]).await?;
        }
    }
    Ok(changed)
}
