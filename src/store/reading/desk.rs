//! What the operator and the scheduler read: attempts, dead letters, timers, effects.

use super::envelope::{damaged, extra};
use super::{Columns, Reader, fetch};
use crate::domain::envelope::Key;
use crate::store::{
    Attempt, Cause, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState, Effect, EffectQuery,
    EffectState, HeldKey, Recovery, StoreError, StoreResult, StoredEffect, Timer, TimerName, TimerQuery,
    Timers, UnreadableTimer,
};
use std::sync::Arc;

pub(in crate::store) async fn attempts<R: Reader>(reader: &R, position: i64) -> StoreResult<Vec<Attempt>> {
    const SQL: &str = "SELECT attempt, cause, error, generation, epoch, at_us FROM attempts
                       WHERE position = $1 ORDER BY attempt";
    fetch(reader, SQL, vec![position.into()])
        .await?
        .iter()
        .map(|row| {
            Ok(Attempt {
                attempt: row.count(0)?,
                cause: Cause::of_name(&row.text(1)?),
                error: row.string(2)?,
                generation: u64::try_from(row.integer(3)?).unwrap_or(0),
                epoch: row.integer(4)?,
                at_us: row.integer(5)?,
            })
        })
        .collect()
}

macro_rules! dead_letters_sql {
    ($order:literal) => {
        concat!(
            "SELECT position, reader, context, key, type, attempts, reason, at_us, seen_position, holds, state, body,
                    raw, settled_us, settled_as, note
             FROM dead_letters
             WHERE ($1 IS NULL OR (position = $1 AND reader = $2))
               AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR context = $4) AND ($5 IS NULL OR key = $5)
               AND ($6 IS NULL OR type = $6) AND ($7 IS NULL OR (position, reader) < ($7, $8))
               AND ($9 IS NULL OR (position, reader) > ($9, $10))
             ORDER BY ",
            $order,
            " LIMIT $11"
        )
    };
}

pub(in crate::store) async fn dead_letters<R: Reader>(
    reader: &R,
    query: DeadLetterQuery,
) -> StoreResult<Vec<DeadLetter>> {
    let sql = match query.after {
        None => dead_letters_sql!("position DESC, reader DESC"),
        Some(_) => dead_letters_sql!("position, reader"),
    };
    let (id, id_reader) = query.id.map(|id| (id.position, id.reader)).unzip();
    let (before, before_reader) = query.before.map(|id| (id.position, id.reader)).unzip();
    let (after, after_reader) = query.after.map(|id| (id.position, id.reader)).unzip();
    let values = vec![
        id.into(),
        id_reader.into(),
        query.state.map(|state| state as i64).into(),
        query.context.into(),
        query.key.into(),
        query.type_name.into(),
        before.into(),
        before_reader.into(),
        after.into(),
        after_reader.into(),
        query.limit.into(),
    ];
    fetch(reader, sql, values).await?.iter().map(dead_letter).collect()
}

fn dead_letter(row: &impl Columns) -> StoreResult<DeadLetter> {
    Ok(DeadLetter {
        id: DeadLetterId { position: row.integer(0)?, reader: row.string(1)? },
        context: row.string(2)?,
        key: Key::from(&*row.text(3)?),
        type_name: row.string(4)?,
        attempts: row.count(5)?,
        reason: row.string(6)?,
        at_us: row.integer(7)?,
        seen_position: row.integer(8)?,
        holds: row.integer(9)? != 0,
        state: match row.integer(10)? {
            0 => DeadLetterState::Open,
            1 => DeadLetterState::Replayed,
            _ => DeadLetterState::Discarded,
        },
        edited: row.maybe_string(11)?,
        raw: row.maybe_bytes(12)?.map(<[u8]>::to_vec),
        settled_us: row.maybe_integer(13)?,
        replayed_as: row.maybe_uuid(14)?,
        note: row.maybe_string(15)?,
    })
}

pub(in crate::store) async fn held_keys<R: Reader>(reader: &R, context: String) -> StoreResult<Vec<HeldKey>> {
    const SQL: &str = "
        SELECT d.key, d.position, d.reader, d.settled_as FROM dead_letters AS d
        WHERE d.context = $1 AND d.holds = 1 AND d.reader = '' AND (d.state = 0 OR (d.state = 1 AND EXISTS (
            SELECT 1 FROM events AS e JOIN inbox AS i ON i.position = e.position WHERE e.id = d.settled_as)))
        ORDER BY d.position";
    fetch(reader, SQL, vec![context.into()])
        .await?
        .iter()
        .map(|row| {
            let id = DeadLetterId { position: row.integer(1)?, reader: row.string(2)? };
            Ok(HeldKey { key: Key::from(&*row.text(0)?), id, replayed_as: row.maybe_uuid(3)? })
        })
        .collect()
}

pub(in crate::store) async fn timers<R: Reader>(reader: &R, query: TimerQuery) -> StoreResult<Timers> {
    const SQL: &str = "
        SELECT context, key, name, id, due_us, to_context, to_key, type, schema_version, body, causation_id,
               correlation_id, trace, extra, schedule
        FROM timers WHERE ($1 IS NULL OR due_us <= $1) AND ($2 IS NULL OR context = $2)
        ORDER BY due_us, id LIMIT $3";
    let values = vec![query.due_before_us.into(), query.context.into(), query.limit.into()];
    let mut found = Timers::default();
    for row in &fetch(reader, SQL, values).await? {
        match timer(row) {
            Ok(timer) => found.timers.push(timer),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => found.unreadable.push(unreadable_timer(row, &error)?),
        }
    }
    Ok(found)
}

/// Its name and time must be there for it to be told of and taken away.
fn unreadable_timer(row: &impl Columns, error: &StoreError) -> StoreResult<UnreadableTimer> {
    Ok(UnreadableTimer {
        owner: timer_name(row)?,
        due_us: row.integer(4)?,
        reason: error.to_string(),
        raw: row.as_it_stands(9),
    })
}

fn timer_name(row: &impl Columns) -> StoreResult<TimerName> {
    Ok(TimerName { context: row.string(0)?, key: Key::from(&*row.text(1)?), name: row.string(2)? })
}

fn timer(row: &impl Columns) -> StoreResult<Timer> {
    Ok(Timer {
        owner: timer_name(row)?,
        id: row.uuid(3)?,
        due_us: row.integer(4)?,
        to_context: Arc::from(&*row.text(5)?),
        to_key: row.maybe_text(6)?.map(|key| Key::from(&*key)),
        type_name: Arc::from(&*row.text(7)?),
        schema_version: u16::try_from(row.integer(8)?).unwrap_or(u16::MAX),
        body: row.string(9)?,
        causation_id: row.maybe_uuid(10)?,
        correlation_id: row.maybe_uuid(11)?,
        trace: row.maybe_text(12)?.map(|text| Arc::from(&*text)),
        extra: extra(row, 13)?,
        schedule: row.maybe_string(14)?,
    })
}

pub(in crate::store) async fn effects<R: Reader>(
    reader: &R,
    query: EffectQuery,
) -> StoreResult<Vec<StoredEffect>> {
    const SQL: &str = "
        SELECT id, position, context, key, service, operation, request, recovery, state, attempt, epoch, response,
               error, late, staged_us, sent_us, ended_us
        FROM effects
        WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR position = $2) AND ($3 IS NULL OR state = $3)
          AND ($4 IS NULL OR service = $4) AND ($5 IS NULL OR staged_us < $5)
        ORDER BY staged_us DESC, id LIMIT $6";
    let values = vec![
        query.id.into(),
        query.position.into(),
        query.state.map(|state| state as i64).into(),
        query.service.into(),
        query.before_us.into(),
        query.limit.into(),
    ];
    fetch(reader, SQL, values).await?.iter().map(effect).collect()
}

fn effect(row: &impl Columns) -> StoreResult<StoredEffect> {
    let (recovery, state) = (row.integer(7)?, row.integer(8)?);
    let recovery = usize::try_from(recovery).ok().and_then(|n| Recovery::ALL.get(n).copied());
    let state = usize::try_from(state).ok().and_then(|n| EffectState::ALL.get(n).copied());
    Ok(StoredEffect {
        effect: Effect {
            id: row.uuid(0)?,
            position: row.integer(1)?,
            context: Arc::from(&*row.text(2)?),
            key: Key::from(&*row.text(3)?),
            service: row.string(4)?,
            operation: row.string(5)?,
            request: row.string(6)?,
            recovery: recovery.ok_or_else(|| damaged("a recovery out of range"))?,
        },
        state: state.ok_or_else(|| damaged("an effect's state out of range"))?,
        attempt: row.count(9)?,
        epoch: row.integer(10)?,
        response: row.maybe_string(11)?,
        error: row.maybe_string(12)?,
        late: row.maybe_string(13)?,
        staged_us: row.integer(14)?,
        sent_us: row.maybe_integer(15)?,
        ended_us: row.maybe_integer(16)?,
    })
}
