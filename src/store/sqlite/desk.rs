//! What the operator and the scheduler read: attempts, dead letters, timers, effects; and what is forgotten with age.

use super::read::{count, damaged, uuid};
use crate::domain::envelope::{Extra, Key};
use crate::store::{
    Aged, Attempt, Cause, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState, Effect, EffectQuery,
    EffectState, Recovery, StoreResult, StoredEffect, Timer, TimerName, TimerQuery,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use std::sync::Arc;

pub(super) async fn attempts(pool: &SqlitePool, position: i64) -> StoreResult<Vec<Attempt>> {
    const SQL: &str = "SELECT attempt, cause, error, generation, epoch, at_us FROM attempts
                       WHERE position = ?1 ORDER BY attempt";
    let rows = sqlx::query(SQL).bind(position).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                attempt: count(row.try_get(0)?),
                cause: Cause::of_name(row.try_get(1)?),
                error: row.try_get(2)?,
                generation: u64::try_from(row.try_get::<i64, _>(3)?).unwrap_or(0),
                epoch: row.try_get(4)?,
                at_us: row.try_get(5)?,
            })
        })
        .collect()
}

pub(super) async fn dead_letters(pool: &SqlitePool, query: DeadLetterQuery) -> StoreResult<Vec<DeadLetter>> {
    const SQL: &str = "
        SELECT position, reader, context, key, type, attempts, reason, at_us, seen_position, holds, state, body, raw,
               settled_us, settled_as, note
        FROM dead_letters
        WHERE (?1 IS NULL OR (position = ?1 AND reader = ?2))
          AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR context = ?4) AND (?5 IS NULL OR key = ?5)
          AND (?6 IS NULL OR type = ?6) AND (?7 IS NULL OR (position, reader) < (?7, ?8))
        ORDER BY position DESC, reader DESC LIMIT ?9";
    let (id, reader) = query.id.map(|id| (id.position, id.reader)).unzip();
    let (before, before_reader) = query.before.map(|id| (id.position, id.reader)).unzip();
    let rows = sqlx::query(SQL)
        .bind(id)
        .bind(reader)
        .bind(query.state.map(|state| state as i64))
        .bind(query.context)
        .bind(query.key)
        .bind(query.type_name)
        .bind(before)
        .bind(before_reader)
        .bind(i64::from(query.limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(dead_letter).collect()
}

fn dead_letter(row: &SqliteRow) -> StoreResult<DeadLetter> {
    Ok(DeadLetter {
        id: DeadLetterId { position: row.try_get(0)?, reader: row.try_get(1)? },
        context: row.try_get(2)?,
        key: Key::from(row.try_get::<&str, _>(3)?),
        type_name: row.try_get(4)?,
        attempts: count(row.try_get(5)?),
        reason: row.try_get(6)?,
        at_us: row.try_get(7)?,
        seen_position: row.try_get(8)?,
        holds: row.try_get(9)?,
        state: match row.try_get::<i64, _>(10)? {
            0 => DeadLetterState::Open,
            1 => DeadLetterState::Replayed,
            _ => DeadLetterState::Discarded,
        },
        edited: row.try_get(11)?,
        raw: row.try_get(12)?,
        settled_us: row.try_get(13)?,
        replayed_as: uuid(row, 14)?,
        note: row.try_get(15)?,
    })
}

pub(super) async fn held_keys(pool: &SqlitePool, context: String) -> StoreResult<Vec<(Key, DeadLetterId)>> {
    const SQL: &str = "SELECT key, position, reader FROM dead_letters
                       WHERE context = ?1 AND state = 0 AND holds = 1 AND reader = '' ORDER BY position";
    let rows = sqlx::query(SQL).bind(context).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            let id = DeadLetterId { position: row.try_get(1)?, reader: row.try_get(2)? };
            Ok((Key::from(row.try_get::<&str, _>(0)?), id))
        })
        .collect()
}

pub(super) async fn timers(pool: &SqlitePool, query: TimerQuery) -> StoreResult<Vec<Timer>> {
    const SQL: &str = "
        SELECT context, key, name, id, due_us, to_context, to_key, type, schema_version, body, causation_id,
               correlation_id, trace, extra, schedule
        FROM timers WHERE (?1 IS NULL OR due_us <= ?1) AND (?2 IS NULL OR context = ?2)
        ORDER BY due_us, id LIMIT ?3";
    let rows = sqlx::query(SQL).bind(query.due_before_us).bind(query.context).bind(i64::from(query.limit));
    rows.fetch_all(pool).await?.iter().map(timer).collect()
}

fn timer(row: &SqliteRow) -> StoreResult<Timer> {
    let extra: Option<&str> = row.try_get(13)?;
    Ok(Timer {
        owner: TimerName {
            context: row.try_get(0)?,
            key: Key::from(row.try_get::<&str, _>(1)?),
            name: row.try_get(2)?,
        },
        id: uuid(row, 3)?.unwrap_or_default(),
        due_us: row.try_get(4)?,
        to_context: Arc::from(row.try_get::<&str, _>(5)?),
        to_key: row.try_get::<Option<&str>, _>(6)?.map(Key::from),
        type_name: Arc::from(row.try_get::<&str, _>(7)?),
        schema_version: u16::try_from(row.try_get::<i64, _>(8)?).unwrap_or(u16::MAX),
        body: row.try_get(9)?,
        causation_id: uuid(row, 10)?,
        correlation_id: uuid(row, 11)?,
        trace: row.try_get::<Option<&str>, _>(12)?.map(Arc::from),
        extra: extra.map_or(Ok(Extra::default()), |text| serde_json::from_str(text).map_err(damaged))?,
        schedule: row.try_get(14)?,
    })
}

pub(super) async fn effects(pool: &SqlitePool, query: EffectQuery) -> StoreResult<Vec<StoredEffect>> {
    const SQL: &str = "
        SELECT id, position, context, key, service, operation, request, recovery, state, attempt, epoch, response,
               error, late, staged_us, sent_us, ended_us
        FROM effects
        WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR position = ?2) AND (?3 IS NULL OR state = ?3)
          AND (?4 IS NULL OR service = ?4) AND (?5 IS NULL OR staged_us < ?5)
        ORDER BY staged_us DESC, id LIMIT ?6";
    let rows = sqlx::query(SQL)
        .bind(query.id.map(|id| id.as_bytes().to_vec()))
        .bind(query.position)
        .bind(query.state.map(|state| state as i64))
        .bind(query.service)
        .bind(query.before_us)
        .bind(i64::from(query.limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(effect).collect()
}

fn effect(row: &SqliteRow) -> StoreResult<StoredEffect> {
    let (recovery, state): (i64, i64) = (row.try_get(7)?, row.try_get(8)?);
    let recovery = usize::try_from(recovery).ok().and_then(|n| Recovery::ALL.get(n).copied());
    let state = usize::try_from(state).ok().and_then(|n| EffectState::ALL.get(n).copied());
    Ok(StoredEffect {
        effect: Effect {
            id: uuid(row, 0)?.unwrap_or_default(),
            position: row.try_get(1)?,
            context: Arc::from(row.try_get::<&str, _>(2)?),
            key: Key::from(row.try_get::<&str, _>(3)?),
            service: row.try_get(4)?,
            operation: row.try_get(5)?,
            request: row.try_get(6)?,
            recovery: recovery.ok_or_else(|| damaged("a recovery out of range"))?,
        },
        state: state.ok_or_else(|| damaged("an effect's state out of range"))?,
        attempt: count(row.try_get(9)?),
        epoch: row.try_get(10)?,
        response: row.try_get(11)?,
        error: row.try_get(12)?,
        late: row.try_get(13)?,
        staged_us: row.try_get(14)?,
        sent_us: row.try_get(15)?,
        ended_us: row.try_get(16)?,
    })
}

/// Deletes at most `?2` rows that are older than `?1`.
pub(super) fn forget_sql(what: Aged) -> &'static str {
    match what {
        Aged::Attempts => {
            "DELETE FROM attempts WHERE (position, attempt) IN (
                 SELECT a.position, a.attempt FROM attempts AS a
                 WHERE a.at_us < ?1 AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = a.position)
                   AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.position = a.position AND d.state = 0)
                 LIMIT ?2)"
        }
        Aged::Effects => {
            "DELETE FROM effects WHERE id IN (
                 SELECT e.id FROM effects AS e WHERE e.state IN (2, 3) AND e.ended_us < ?1
                   AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = e.position) LIMIT ?2)"
        }
        Aged::Outcomes => {
            "DELETE FROM outcomes WHERE position IN (
                 SELECT o.position FROM outcomes AS o WHERE o.at_us < ?1 AND o.status <> 2
                   AND NOT EXISTS (SELECT 1 FROM idempotency AS k JOIN events AS e ON e.id = k.message_id
                                   WHERE e.position = o.position) LIMIT ?2)"
        }
        Aged::Idempotency => {
            "DELETE FROM idempotency WHERE digest IN (
                 SELECT digest FROM idempotency WHERE at_us < ?1 ORDER BY at_us LIMIT ?2)"
        }
        Aged::DeadLetters => {
            "DELETE FROM dead_letters WHERE (position, reader) IN (
                 SELECT position, reader FROM dead_letters WHERE state <> 0 AND settled_us < ?1 LIMIT ?2)"
        }
        Aged::Sessions => {
            "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_us < ?1 LIMIT ?2)"
        }
    }
}
