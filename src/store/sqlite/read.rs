//! Everything read of messages, streams and marks, over the read-only pool.

use crate::domain::envelope::{Envelope, Extra, Kind};
use crate::store::{
    Filter, Found, Idempotency, MessageStatus, Outcome, Page, Snapshot, StateMark, StoreError, StoreResult,
    StoredOutcome, Stream, Unreadable, Waiting, WaitingStatus,
};
use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

use crate::domain::envelope::Key;

/// Columns of `events` in the order that [`envelope`] reads.
macro_rules! columns {
    ($prefix:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $prefix,
            "position, ",
            $prefix,
            "id, ",
            $prefix,
            "kind, ",
            $prefix,
            "context, ",
            $prefix,
            "key, ",
            $prefix,
            "stream_version, ",
            $prefix,
            "type, ",
            $prefix,
            "schema_version, ",
            $prefix,
            "body, ",
            $prefix,
            "time_us, ",
            $prefix,
            "causation_id, ",
            $prefix,
            "correlation_id, ",
            $prefix,
            "trace, ",
            $prefix,
            "extra",
            $rest
        )
    };
}

/// Rows looked at for one page, so that a rare filter cannot make one request read everything.
const SCAN_LIMIT: i64 = 20_000;

pub(super) async fn last_position(pool: &SqlitePool) -> StoreResult<i64> {
    let row = sqlx::query("SELECT coalesce(max(position), 0) FROM events").fetch_one(pool).await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn messages_after(
    pool: &SqlitePool,
    after: i64,
    limit: u32,
    filter: Filter,
) -> StoreResult<Page> {
    const SQL: &str = columns!(
        "",
        " FROM events WHERE position > ?1 AND position <= ?2
            AND (?3 IS NULL OR kind = ?3)
            AND (?4 IS NULL OR context IN (SELECT value FROM json_each(?4)))
            AND (?5 IS NULL OR type = ?5)
            AND (?6 IS NULL OR key = ?6)
            AND (?7 IS NULL OR correlation_id = ?7)
            AND (?8 IS NULL OR instr(trace, ?8))
          ORDER BY position LIMIT ?9"
    );
    let newest = last_position(pool).await?;
    let to = newest.min(after.saturating_add(SCAN_LIMIT));
    let contexts = (!filter.contexts.is_empty()).then(|| serde_json::json!(filter.contexts).to_string());
    let rows = sqlx::query(SQL)
        .bind(after)
        .bind(to)
        .bind(filter.kinds.map(|kind| i64::from(kind == Kind::Event)))
        .bind(contexts)
        .bind(filter.type_name)
        .bind(filter.key)
        .bind(filter.correlation.map(|id| id.as_bytes().to_vec()))
        .bind(filter.trace)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    let last: Option<i64> = rows.last().map(|row| row.try_get(0)).transpose()?;
    let full = rows.len() >= limit as usize;
    let read_to = last.filter(|_| full).unwrap_or(to).max(after);
    let mut page = Page { read_to, ..Page::default() };
    for row in &rows {
        match found(row)? {
            Ok(message) => page.messages.push(message),
            Err(unreadable) => page.unreadable.push(unreadable),
        }
    }
    Ok(page)
}

pub(super) async fn range(pool: &SqlitePool, first: i64, last: i64) -> StoreResult<Vec<Envelope>> {
    const SQL: &str = columns!("", " FROM events WHERE position BETWEEN ?1 AND ?2 ORDER BY position");
    sqlx::query(SQL).bind(first).bind(last).fetch_all(pool).await?.iter().map(envelope).collect()
}

pub(super) async fn message(pool: &SqlitePool, id: Uuid) -> StoreResult<Option<MessageStatus>> {
    const SQL: &str = columns!(
        "e.",
        ", o.status, o.first_position, o.last_position, o.answer, o.at_us, i.attempts, i.last_error, i.available_at_us
          FROM events AS e
          LEFT JOIN outcomes AS o ON o.position = e.position
          LEFT JOIN inbox AS i ON i.position = e.position
          WHERE e.id = ?1"
    );
    let Some(row) = sqlx::query(SQL).bind(id.as_bytes().as_slice()).fetch_optional(pool).await? else {
        return Ok(None);
    };
    let waiting = match row.try_get::<Option<i64>, _>(19)? {
        Some(attempts) => Some(WaitingStatus {
            attempts: count(attempts),
            last_error: row.try_get(20)?,
            available_at_us: row.try_get(21)?,
        }),
        None => None,
    };
    Ok(Some(MessageStatus { envelope: envelope(&row)?, outcome: outcome(&row)?, waiting }))
}

fn outcome(row: &SqliteRow) -> StoreResult<Option<StoredOutcome>> {
    let Some(status) = row.try_get::<Option<i64>, _>(14)? else { return Ok(None) };
    let answer: Option<String> = row.try_get(17)?;
    let answer = answer.unwrap_or_default();
    let outcome = match status {
        0 => Outcome::Handled,
        1 => Outcome::Rejected { rejection: serde_json::from_str(&answer).map_err(damaged)? },
        _ => Outcome::Dead { reason: answer },
    };
    let first: Option<i64> = row.try_get(15)?;
    let last: Option<i64> = row.try_get(16)?;
    Ok(Some(StoredOutcome { outcome, caused: first.zip(last), at_us: row.try_get(18)? }))
}

pub(super) async fn idempotency(pool: &SqlitePool, digest: [u8; 32]) -> StoreResult<Option<Idempotency>> {
    let row = sqlx::query("SELECT body_digest, message_id FROM idempotency WHERE digest = ?1")
        .bind(digest.as_slice())
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let body: Vec<u8> = row.try_get(0)?;
    let body_digest = body.try_into().map_err(|_| damaged("a digest of another length"))?;
    Ok(Some(Idempotency { digest, body_digest, message_id: uuid(&row, 1)?.unwrap_or_default() }))
}

/// Of one aggregate only when its key is given.
pub(super) async fn waiting(
    pool: &SqlitePool,
    context: String,
    key: Option<Key>,
    after: i64,
    limit: u32,
) -> StoreResult<Vec<Waiting>> {
    const SQL: &str = columns!(
        "e.",
        ", i.attempts, i.crashes, i.available_at_us, i.last_error
          FROM inbox AS i JOIN events AS e ON e.position = i.position
          WHERE i.context = ?1 AND i.position > ?2 AND (?4 IS NULL OR e.key = ?4) ORDER BY i.position LIMIT ?3"
    );
    let query = sqlx::query(SQL).bind(context).bind(after).bind(i64::from(limit));
    let rows = query.bind(key.as_ref().map(Key::as_str)).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                position: row.try_get(0)?,
                found: found(row)?,
                attempts: count(row.try_get(14)?),
                crashes: count(row.try_get(15)?),
                available_at_us: row.try_get(16)?,
                last_error: row.try_get(17)?,
            })
        })
        .collect()
}

pub(super) async fn waiting_counts(pool: &SqlitePool) -> StoreResult<Vec<(String, i64)>> {
    let rows = sqlx::query("SELECT context, count(*) FROM inbox GROUP BY context").fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Snapshots and later events of many keys by two statements.
pub(super) async fn streams(
    pool: &SqlitePool,
    context: String,
    mark: StateMark,
    keys: Vec<Key>,
) -> StoreResult<Vec<Stream>> {
    const SNAPSHOTS: &str = "
        SELECT k.key, s.stream_version, s.body FROM json_each(?2) AS k
        JOIN snapshots AS s ON s.context = ?1 AND s.key = k.value
        WHERE s.state_version = ?3 AND s.code_hash = ?4";
    const EVENTS: &str = columns!(
        "e.",
        ", k.key FROM json_each(?2) AS k
          JOIN events AS e ON e.context = ?1 AND e.key = k.value ->> 0 AND e.stream_version > k.value ->> 1
          ORDER BY k.key, e.stream_version"
    );
    let mut streams = vec![Stream::default(); keys.len()];
    let shared: Arc<str> = context.as_str().into();
    let asked = serde_json::json!(keys).to_string();
    // One connection and one transaction, so that both statements see the same moment.
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query(SNAPSHOTS)
        .bind(&context)
        .bind(asked)
        .bind(i64::from(mark.version))
        .bind(mark.code_hash)
        .fetch_all(&mut *transaction)
        .await?;
    for row in rows {
        let n: i64 = row.try_get(0)?;
        let Some((stream, key)) = at(&mut streams, n).zip(keys.get(usize::try_from(n).unwrap_or(0))) else {
            continue;
        };
        stream.snapshot = Some(Snapshot {
            context: shared.clone(),
            key: key.clone(),
            stream_version: row.try_get(1)?,
            mark,
            body: row.try_get(2)?,
        });
    }
    let from: Vec<_> = keys
        .iter()
        .zip(&streams)
        .map(|(key, stream)| (key, stream.snapshot.as_ref().map_or(0, |found| found.stream_version)))
        .collect();
    let asked = serde_json::json!(from).to_string();
    let rows = sqlx::query(EVENTS).bind(&context).bind(asked).fetch_all(&mut *transaction).await?;
    for row in rows {
        if let Some(stream) = at(&mut streams, row.try_get(14)?) {
            add(stream, &row)?;
        }
    }
    transaction.commit().await?;
    Ok(streams)
}

/// Nothing after the first event that does not read: a state cannot be made of it.
fn add(stream: &mut Stream, row: &SqliteRow) -> StoreResult<()> {
    if stream.unreadable.is_none() {
        match found(row)? {
            Ok(event) => stream.events.push(event),
            Err(unreadable) => stream.unreadable = Some(unreadable),
        }
    }
    Ok(())
}

pub(super) async fn stream_after(
    pool: &SqlitePool,
    context: String,
    key: Key,
    after_version: i64,
    until_position: i64,
    limit: u32,
) -> StoreResult<Stream> {
    const SQL: &str = columns!(
        "",
        " FROM events WHERE context = ?1 AND key = ?2 AND stream_version > ?3 AND position <= ?4
          ORDER BY stream_version LIMIT ?5"
    );
    let query = sqlx::query(SQL).bind(context).bind(key.as_str()).bind(after_version);
    let rows = query.bind(until_position).bind(i64::from(limit)).fetch_all(pool).await?;
    let mut stream = Stream::default();
    for row in &rows {
        add(&mut stream, row)?;
    }
    Ok(stream)
}

fn at(streams: &mut [Stream], n: i64) -> Option<&mut Stream> {
    streams.get_mut(usize::try_from(n).ok()?)
}

pub(super) async fn checkpoint(pool: &SqlitePool, reader: String) -> StoreResult<i64> {
    let row = sqlx::query("SELECT position FROM checkpoints WHERE reader = ?1")
        .bind(reader)
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get(0)?))
}

pub(super) async fn session_expiry(pool: &SqlitePool, digest: [u8; 32]) -> StoreResult<Option<i64>> {
    let row = sqlx::query("SELECT expires_us FROM sessions WHERE digest = ?1")
        .bind(digest.as_slice())
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

thread_local! {
    /// Names recur in every row: one allocation each.
    static NAMES: std::cell::RefCell<HashMap<String, Arc<str>>> = std::cell::RefCell::new(HashMap::new());
}

/// Most names kept; beyond it a name costs an allocation.
const NAMES_KEPT: usize = 1024;

fn name(text: &str) -> Arc<str> {
    NAMES.with_borrow_mut(|names| {
        if let Some(known) = names.get(text) {
            return known.clone();
        }
        let shared: Arc<str> = text.into();
        if names.len() < NAMES_KEPT {
            names.insert(text.to_owned(), shared.clone());
        }
        shared
    })
}

pub(super) fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The message of a row, or what is wrong with the row. An error is one of the database.
pub(super) fn found(row: &SqliteRow) -> StoreResult<Found> {
    match envelope(row) {
        Ok(envelope) => Ok(Ok(envelope)),
        Err(error) if is_connection(&error) => Err(error),
        Err(error) => {
            let raw = raw(row);
            Ok(Err(Unreadable { position: row.try_get(0)?, reason: error.to_string(), raw }))
        }
    }
}

fn is_connection(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

/// The body and the rarer part, as they stand.
fn raw(row: &SqliteRow) -> Vec<u8> {
    let bytes =
        |column| row.try_get_unchecked::<Option<Vec<u8>>, _>(column).ok().flatten().unwrap_or_default();
    let mut raw = bytes(8);
    let extra = bytes(13);
    if !extra.is_empty() {
        raw.push(b'\n');
        raw.extend(extra);
    }
    raw
}

fn envelope(row: &SqliteRow) -> StoreResult<Envelope> {
    let kind: i64 = row.try_get(2)?;
    let version: i64 = row.try_get(7)?;
    let time: i64 = row.try_get(9)?;
    let extra: Option<&str> = row.try_get(13)?;
    Ok(Envelope {
        position: row.try_get(0)?,
        id: uuid(row, 1)?.unwrap_or_default(),
        kind: if kind == 0 { Kind::Command } else { Kind::Event },
        context: name(row.try_get(3)?),
        key: Key::from(row.try_get::<&str, _>(4)?),
        stream_version: row.try_get(5)?,
        type_name: name(row.try_get(6)?),
        schema_version: u16::try_from(version).unwrap_or(u16::MAX),
        body: row.try_get(8)?,
        time: DateTime::from_timestamp_micros(time).ok_or_else(|| damaged("a time out of range"))?,
        causation_id: uuid(row, 10)?,
        correlation_id: uuid(row, 11)?.unwrap_or_default(),
        trace: row.try_get::<Option<&str>, _>(12)?.map(Arc::from),
        extra: extra.map_or(Ok(Extra::default()), |text| serde_json::from_str(text).map_err(damaged))?,
    })
}

pub(super) fn uuid(row: &SqliteRow, column: usize) -> StoreResult<Option<Uuid>> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| Uuid::from_slice(bytes).map_err(damaged)).transpose()
}

pub(super) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable {
        message: format!("a stored row does not read: {what}"),
        hint: "restore the newest backup of the data folder".to_owned(),
    }
}
