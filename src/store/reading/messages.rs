//! Everything read of messages, streams and marks.

use super::envelope::{columns, damaged, envelope, found};
use super::{Columns, Reader, Value, fetch};
use crate::domain::envelope::{Envelope, Key, Kind};
use crate::store::{
    CommandEnd, Filter, Idempotency, MessageStatus, Outcome, Page, Snapshot, StateMark, StoreResult,
    StoredOutcome, Stream, Waiting, WaitingStatus,
};
use sqlx::SqlSafeStr;
use std::sync::Arc;
use uuid::Uuid;

/// Rows looked at for one page, so that a rare filter cannot make one request read everything.
const SCAN_LIMIT: i64 = 20_000;

pub(in crate::store) async fn last_position<R: Reader>(reader: &R) -> StoreResult<i64> {
    let rows = fetch(reader, "SELECT coalesce(max(position), 0) FROM events", vec![]).await?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

pub(in crate::store) async fn messages_after<R: Reader>(
    reader: &R,
    after: i64,
    limit: u32,
    filter: Filter,
) -> StoreResult<Page> {
    let newest = last_position(reader).await?;
    let to = newest.min(after.saturating_add(SCAN_LIMIT));
    let values = vec![
        after.into(),
        to.into(),
        filter.kinds.map(|kind| i64::from(kind == Kind::Event)).into(),
        Value::Texts((!filter.contexts.is_empty()).then_some(filter.contexts)),
        filter.type_name.into(),
        filter.key.into(),
        filter.correlation.into(),
        filter.trace.into(),
        limit.into(),
    ];
    let rows = reader.fetch_as(R::TEXTS.messages_after.into_sql_str(), values, |row| found(&row)).await?;
    let last =
        rows.last().map(|found| found.as_ref().map_or_else(|row| row.position, |message| message.position));
    let full = rows.len() >= limit as usize;
    let read_to = last.filter(|_| full).unwrap_or(to).max(after);
    let mut page = Page { read_to, messages: Vec::with_capacity(rows.len()), unreadable: Vec::new() };
    for found in rows {
        match found {
            Ok(message) => page.messages.push(message),
            Err(unreadable) => page.unreadable.push(unreadable),
        }
    }
    Ok(page)
}

pub(in crate::store) async fn range<R: Reader>(
    reader: &R,
    first: i64,
    last: i64,
) -> StoreResult<Vec<Envelope>> {
    const SQL: &str = columns!("", " FROM events WHERE position BETWEEN $1 AND $2 ORDER BY position");
    fetch(reader, SQL, vec![first.into(), last.into()]).await?.iter().map(envelope).collect()
}

pub(in crate::store) async fn message<R: Reader>(reader: &R, id: Uuid) -> StoreResult<Option<MessageStatus>> {
    const SQL: &str = columns!(
        "e.",
        ", o.status, o.first_position, o.last_position, o.answer, o.at_us, i.attempts, i.last_error, i.available_at_us
          FROM events AS e
          LEFT JOIN outcomes AS o ON o.position = e.position
          LEFT JOIN inbox AS i ON i.position = e.position
          WHERE e.id = $1"
    );
    let rows = fetch(reader, SQL, vec![Some(id).into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let waiting = match row.maybe_integer(19)? {
        Some(attempts) => Some(WaitingStatus {
            attempts: super::count(attempts),
            last_error: row.maybe_string(20)?,
            available_at_us: row.integer(21)?,
        }),
        None => None,
    };
    Ok(Some(MessageStatus { envelope: envelope(row)?, outcome: outcome(row)?, waiting }))
}

pub(in crate::store) async fn command_ends<R: Reader>(
    reader: &R,
    first: i64,
    last: i64,
) -> StoreResult<Vec<CommandEnd>> {
    const SQL: &str = "
        SELECT e.position, i.position, o.position, o.first_position, o.last_position
        FROM events AS e
        LEFT JOIN inbox AS i ON i.position = e.position
        LEFT JOIN outcomes AS o ON o.position = e.position
        WHERE e.kind = 0 AND e.position BETWEEN $1 AND $2 ORDER BY e.position";
    let end = |row: &R::Row| {
        Ok(CommandEnd {
            position: row.integer(0)?,
            waits: row.maybe_integer(1)?.is_some(),
            has_outcome: row.maybe_integer(2)?.is_some(),
            caused: row.maybe_integer(3)?.zip(row.maybe_integer(4)?),
        })
    };
    fetch(reader, SQL, vec![first.into(), last.into()]).await?.iter().map(end).collect()
}

fn outcome(row: &impl Columns) -> StoreResult<Option<StoredOutcome>> {
    let Some(status) = row.maybe_integer(14)? else { return Ok(None) };
    let answer = row.maybe_string(17)?.unwrap_or_default();
    let outcome = match status {
        0 => Outcome::Handled,
        1 => Outcome::Rejected { rejection: serde_json::from_str(&answer).map_err(damaged)? },
        _ => Outcome::Dead { reason: answer },
    };
    let caused = row.maybe_integer(15)?.zip(row.maybe_integer(16)?);
    Ok(Some(StoredOutcome { outcome, caused, at_us: row.integer(18)? }))
}

pub(in crate::store) async fn idempotency<R: Reader>(
    reader: &R,
    digest: [u8; 32],
) -> StoreResult<Option<Idempotency>> {
    const SQL: &str = "SELECT body_digest, message_id FROM idempotency WHERE digest = $1";
    let rows = fetch(reader, SQL, vec![digest.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let body = row.maybe_bytes(0)?.and_then(|bytes| bytes.try_into().ok());
    let body_digest = body.ok_or_else(|| damaged("a digest of another length"))?;
    Ok(Some(Idempotency { digest, body_digest, message_id: row.uuid(1)? }))
}

/// Of one aggregate only when its key is given.
pub(in crate::store) async fn waiting<R: Reader>(
    reader: &R,
    context: String,
    key: Option<Key>,
    after: i64,
    limit: u32,
) -> StoreResult<Vec<Waiting>> {
    const SQL: &str = columns!(
        "e.",
        ", i.attempts, i.crashes, i.available_at_us, i.last_error
          FROM inbox AS i JOIN events AS e ON e.position = i.position
          WHERE i.context = $1 AND i.position > $2 AND ($4 IS NULL OR e.key = $4) ORDER BY i.position LIMIT $3"
    );
    let key = key.map(|key| key.as_str().to_owned());
    let rows = fetch(reader, SQL, vec![context.into(), after.into(), limit.into(), key.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                position: row.integer(0)?,
                found: found(row)?,
                attempts: row.count(14)?,
                crashes: row.count(15)?,
                available_at_us: row.integer(16)?,
                last_error: row.maybe_string(17)?,
            })
        })
        .collect()
}

pub(in crate::store) async fn waiting_counts<R: Reader>(reader: &R) -> StoreResult<Vec<(String, i64)>> {
    let rows = fetch(reader, "SELECT context, count(*) FROM inbox GROUP BY context", vec![]).await?;
    rows.iter().map(|row| Ok((row.string(0)?, row.integer(1)?))).collect()
}

/// Snapshots and later events of many keys by two statements. An event that comes between the two is found by the
/// second, whichever snapshot the first has found.
pub(in crate::store) async fn streams<R: Reader>(
    reader: &R,
    context: String,
    mark: StateMark,
    keys: Vec<Key>,
) -> StoreResult<Vec<Stream>> {
    let mut streams = vec![Stream::default(); keys.len()];
    let shared: Arc<str> = context.as_str().into();
    let names: Vec<String> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    let values = vec![
        context.clone().into(),
        Value::Texts(Some(names.clone())),
        mark.version.into(),
        mark.code_hash.into(),
    ];
    for row in fetch(reader, R::TEXTS.snapshots, values).await? {
        let n = row.integer(0)?;
        let Some((stream, key)) = at(&mut streams, n).zip(keys.get(usize::try_from(n).unwrap_or(0))) else {
            continue;
        };
        stream.snapshot = Some(Snapshot {
            context: shared.clone(),
            key: key.clone(),
            stream_version: row.integer(1)?,
            mark,
            body: row.string(2)?,
        });
    }
    let from = |stream: &Stream| stream.snapshot.as_ref().map_or(0, |found| found.stream_version);
    let asked = names.into_iter().zip(streams.iter().map(from)).collect();
    let values = vec![context.into(), Value::Pairs(asked)];
    for row in reader.fetch(R::TEXTS.events_of.into_sql_str(), values).await? {
        if let Some(stream) = at(&mut streams, row.integer(14)?) {
            add(stream, &row)?;
        }
    }
    Ok(streams)
}

fn at(streams: &mut [Stream], n: i64) -> Option<&mut Stream> {
    streams.get_mut(usize::try_from(n).ok()?)
}

/// Nothing after the first event that does not read: a state cannot be made of it.
fn add(stream: &mut Stream, row: &impl Columns) -> StoreResult<()> {
    if stream.unreadable.is_none() {
        match found(row)? {
            Ok(event) => stream.events.push(event),
            Err(unreadable) => stream.unreadable = Some(unreadable),
        }
    }
    Ok(())
}

pub(in crate::store) async fn stream_after<R: Reader>(
    reader: &R,
    context: String,
    key: Key,
    after_version: i64,
    until_position: i64,
    limit: u32,
) -> StoreResult<Stream> {
    const SQL: &str = columns!(
        "",
        " FROM events WHERE context = $1 AND key = $2 AND stream_version > $3 AND position <= $4
          ORDER BY stream_version LIMIT $5"
    );
    let key = key.as_str().to_owned();
    let values = vec![context.into(), key.into(), after_version.into(), until_position.into(), limit.into()];
    let mut stream = Stream::default();
    for row in fetch(reader, SQL, values).await? {
        add(&mut stream, &row)?;
    }
    Ok(stream)
}

pub(in crate::store) async fn checkpoint<R: Reader>(reader: &R, name: String) -> StoreResult<i64> {
    let rows = fetch(reader, "SELECT position FROM checkpoints WHERE reader = $1", vec![name.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

pub(in crate::store) async fn session_expiry<R: Reader>(
    reader: &R,
    digest: [u8; 32],
) -> StoreResult<Option<i64>> {
    let rows =
        fetch(reader, "SELECT expires_us FROM sessions WHERE digest = $1", vec![digest.into()]).await?;
    rows.first().map(|row| row.integer(0)).transpose()
}
