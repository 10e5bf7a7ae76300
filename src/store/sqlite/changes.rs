//! The rarer parts of a group: one set-based statement a kind, each with its rows as one JSON text.

use super::encode::{JsonRow, JsonRows};
use crate::store::{Burial, Burn, Change, Effect, EffectEnd, EffectState, Settled, StoreResult, Timer, Unit};
use std::fmt::Write;

/// Parameters of [`STATEMENTS`] are `$8` and up, in their order; `$19` is the time.
pub(super) const FIRST: usize = 8;
pub(super) const NOW: usize = FIRST + STATEMENTS.len();

/// A kind of change and what is done with its rows.
const STATEMENTS: [(Kind, &str); 11] = [
    (
        Kind::Burn,
        "
INSERT INTO attempts (position, attempt, cause, error, generation, epoch, at_us)
SELECT i.position, i.attempts + 1, b.value ->> 1, b.value ->> 2, b.value ->> 3, $2, $19
FROM json_each($8) AS b JOIN inbox AS i ON i.position = b.value ->> 0;
UPDATE inbox SET attempts = attempts + 1, last_error = b.value ->> 2, available_at_us = b.value ->> 4
FROM json_each($8) AS b WHERE inbox.position = b.value ->> 0;",
    ),
    (
        Kind::Start,
        "
UPDATE inbox SET started_generation = s.value ->> 1, started_epoch = $2
FROM json_each($9) AS s WHERE inbox.position = s.value ->> 0;",
    ),
    (
        Kind::Bury,
        "
INSERT INTO dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position, holds, state,
                          raw)
SELECT b.value ->> 0, b.value ->> 1, b.value ->> 2, b.value ->> 3, b.value ->> 4, 1, b.value ->> 5, $19, $1 - 1,
       b.value ->> 6, 0, unhex(b.value ->> 7)
FROM json_each($10) AS b WHERE true ON CONFLICT (position, reader) DO NOTHING;",
    ),
    (
        Kind::EditDeadLetter,
        "
UPDATE dead_letters SET body = d.value ->> 2 FROM json_each($11) AS d
WHERE dead_letters.position = d.value ->> 0 AND dead_letters.reader = d.value ->> 1 AND dead_letters.state = 0;",
    ),
    (
        Kind::SettleDeadLetter,
        "
UPDATE dead_letters SET state = d.value ->> 2, settled_as = unhex(d.value ->> 3), note = d.value ->> 4,
       settled_us = $19
FROM json_each($12) AS d
WHERE dead_letters.position = d.value ->> 0 AND dead_letters.reader = d.value ->> 1 AND dead_letters.state = 0;",
    ),
    (
        Kind::SetTimer,
        "
INSERT OR REPLACE INTO timers (context, key, name, id, due_us, to_context, to_key, type, schema_version, body,
                               causation_id, correlation_id, trace, extra, schedule)
SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2, unhex(t.value ->> 3), t.value ->> 4, t.value ->> 5,
       t.value ->> 6, t.value ->> 7, t.value ->> 8, t.value -> 9, unhex(t.value ->> 10), unhex(t.value ->> 11),
       t.value ->> 12, t.value ->> 13, t.value ->> 14
FROM json_each($13) AS t;",
    ),
    (
        Kind::EndTimer,
        "
DELETE FROM timers WHERE EXISTS (
    SELECT 1 FROM json_each($14) AS t
    WHERE timers.context = t.value ->> 0 AND timers.key = t.value ->> 1 AND timers.name = t.value ->> 2
      AND (t.value ->> 3 IS NULL OR timers.id = unhex(t.value ->> 3)));",
    ),
    (
        Kind::StageEffect,
        "
INSERT INTO effects (id, position, context, key, service, operation, request, recovery, state, attempt, epoch,
                     staged_us)
SELECT unhex(e.value ->> 0), e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value ->> 4, e.value ->> 5,
       e.value ->> 6, e.value ->> 7, 0, 0, $2, $19
FROM json_each($15) AS e;",
    ),
    (
        Kind::SendEffect,
        "
UPDATE effects SET state = 1, attempt = e.value ->> 1, epoch = $2, sent_us = $19, ended_us = NULL
FROM json_each($16) AS e WHERE effects.id = unhex(e.value ->> 0);",
    ),
    (
        Kind::EndEffect,
        "
UPDATE effects SET late = json_insert(coalesce(late, '[]'), '$[#]', json_object(
           'attempt', e.value ->> 1, 'response', e.value ->> 3, 'error', e.value ->> 4, 'at_us', $19))
FROM json_each($17) AS e
WHERE effects.id = unhex(e.value ->> 0) AND (effects.attempt <> e.value ->> 1 OR effects.state <> 1);
UPDATE effects SET state = e.value ->> 2, response = e.value ->> 3, error = e.value ->> 4, ended_us = $19
FROM json_each($17) AS e
WHERE effects.id = unhex(e.value ->> 0) AND effects.attempt = e.value ->> 1 AND effects.state = 1;",
    ),
    (
        Kind::DecideEffect,
        "
UPDATE effects SET state = e.value ->> 2, response = e.value ->> 3, error = e.value ->> 4, ended_us = $19
FROM json_each($18) AS e WHERE effects.id = unhex(e.value ->> 0) AND effects.state = 4;",
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Burn,
    Start,
    Bury,
    EditDeadLetter,
    SettleDeadLetter,
    SetTimer,
    EndTimer,
    StageEffect,
    SendEffect,
    EndEffect,
    DecideEffect,
    /// Said by its own statement, without rows.
    Table,
}

fn kind(change: &Change) -> Kind {
    match change {
        Change::Burn(_) => Kind::Burn,
        Change::Start { .. } => Kind::Start,
        Change::Bury(_) => Kind::Bury,
        Change::EditDeadLetter { .. } => Kind::EditDeadLetter,
        Change::SettleDeadLetter { .. } => Kind::SettleDeadLetter,
        Change::SetTimer(_) => Kind::SetTimer,
        Change::EndTimer { .. } => Kind::EndTimer,
        Change::StageEffect(_) => Kind::StageEffect,
        Change::SendEffect { .. } => Kind::SendEffect,
        Change::EndEffect { .. } => Kind::EndEffect,
        Change::DecideEffect { .. } => Kind::DecideEffect,
        Change::SwapTable { .. } | Change::DropTable { .. } | Change::DropSnapshots => Kind::Table,
    }
}

fn changes(units: &[Unit]) -> impl Iterator<Item = &Change> {
    units.iter().flat_map(|unit| &unit.changes)
}

/// The statements that this group needs.
pub(super) fn sql(units: &[Unit], into: &mut String) {
    if units.iter().all(|unit| unit.changes.is_empty()) {
        return;
    }
    for (wanted, text) in STATEMENTS {
        if changes(units).any(|change| kind(change) == wanted) {
            into.push_str(text);
        }
    }
}

/// Read models' tables are changed in their place, so that what comes after finds them.
pub(super) fn tables_sql(units: &[Unit], into: &mut String) {
    for change in changes(units) {
        // Writing to a text cannot fail.
        let _ = match change {
            Change::SwapTable { built, live } => write!(
                into,
                "DROP TABLE IF EXISTS \"{live}\"; ALTER TABLE \"{built}\" RENAME TO \"{live}\";
                 DROP INDEX IF EXISTS \"{built}_sort\"; CREATE INDEX \"{live}_sort\" ON \"{live}\" (sort, key);"
            ),
            Change::DropTable { table } => write!(into, "DROP TABLE IF EXISTS \"{table}\";"),
            Change::DropSnapshots => write!(into, "DELETE FROM snapshots;"),
            Change::Burn(_)
            | Change::Start { .. }
            | Change::Bury(_)
            | Change::EditDeadLetter { .. }
            | Change::SettleDeadLetter { .. }
            | Change::SetTimer(_)
            | Change::EndTimer { .. }
            | Change::StageEffect(_)
            | Change::SendEffect { .. }
            | Change::EndEffect { .. }
            | Change::DecideEffect { .. } => Ok(()),
        };
    }
}

/// One text a statement of [`STATEMENTS`]; empty where it is not used.
pub(super) fn parameters(units: &[Unit]) -> StoreResult<Vec<String>> {
    let mut texts = vec![String::new(); STATEMENTS.len()];
    if units.iter().all(|unit| unit.changes.is_empty()) {
        return Ok(texts);
    }
    for (text, (wanted, _)) in texts.iter_mut().zip(STATEMENTS) {
        let mut rows = JsonRows::with_capacity(256);
        for change in changes(units).filter(|change| kind(change) == wanted) {
            encode(&mut rows, change)?;
        }
        if !rows.is_empty() {
            *text = rows.finish()?;
        }
    }
    Ok(texts)
}

fn encode(rows: &mut JsonRows, change: &Change) -> StoreResult<()> {
    let mut row = rows.row();
    match change {
        Change::Burn(Burn { position, cause, error, generation, available_at_us }) => {
            row.value(position)?.value(cause.name())?.value(error)?;
            row.value(generation)?.value(available_at_us)?;
        }
        Change::Start { position, generation } => {
            row.value(position)?.value(generation)?;
        }
        Change::Bury(Burial { id, context, key, type_name, reason, holds, raw }) => {
            row.value(&id.position)?.value(&id.reader)?.value(&**context)?.value(key.as_str())?;
            row.value(&**type_name)?.value(reason)?.value(&u8::from(*holds))?.optional_bytes(raw.as_deref());
        }
        Change::EditDeadLetter { id, body } => {
            row.value(&id.position)?.value(&id.reader)?.value(body)?;
        }
        Change::SettleDeadLetter { id, how, note } => {
            let (state, as_id) = match how {
                Settled::Replayed { as_id } => (1, Some(as_id)),
                Settled::Discarded => (2, None),
            };
            row.value(&id.position)?.value(&id.reader)?.value(&state)?;
            row.optional_uuid(as_id).value(note)?;
        }
        Change::SetTimer(timer) => encode_timer(&mut row, timer)?,
        Change::EndTimer { owner, id } => {
            row.value(&owner.context)?.value(owner.key.as_str())?.value(&owner.name)?;
            row.optional_uuid(id.as_ref());
        }
        Change::StageEffect(Effect { id, position, context, key, service, operation, request, recovery }) => {
            row.uuid(id).value(position)?.value(&**context)?.value(key.as_str())?;
            row.value(service)?.value(operation)?.value(request)?.value(&(*recovery as u8))?;
        }
        Change::SendEffect { id, attempt } => {
            row.uuid(id).value(attempt)?;
        }
        Change::EndEffect { id, attempt, end } => {
            row.uuid(id).value(attempt)?;
            encode_end(&mut row, end)?;
        }
        Change::DecideEffect { id, end } => {
            row.uuid(id).raw("null");
            encode_end(&mut row, end)?;
        }
        Change::SwapTable { .. } | Change::DropTable { .. } | Change::DropSnapshots => {}
    }
    row.end();
    Ok(())
}

fn encode_timer(row: &mut JsonRow<'_>, timer: &Timer) -> StoreResult<()> {
    let Timer { owner, id, due_us, to_context, to_key, .. } = timer;
    row.value(&owner.context)?.value(owner.key.as_str())?.value(&owner.name)?;
    row.uuid(id).value(due_us)?.value(&**to_context)?.value(&to_key.as_ref().map(|key| key.as_str()))?;
    row.value(&*timer.type_name)?.value(&timer.schema_version)?.raw(&timer.body);
    row.optional_uuid(timer.causation_id.as_ref()).optional_uuid(timer.correlation_id.as_ref());
    row.value(&timer.trace.as_deref())?.extra(&timer.extra)?.value(&timer.schedule)?;
    Ok(())
}

fn encode_end(row: &mut JsonRow<'_>, end: &EffectEnd) -> StoreResult<()> {
    let (state, response, error) = match end {
        EffectEnd::Done { response } => (EffectState::Done, Some(response), None),
        EffectEnd::Failed { error } => (EffectState::Failed, None, Some(error)),
        EffectEnd::Unknown { error } => (EffectState::Unknown, None, Some(error)),
    };
    row.value(&(state as u8))?.value(&response)?.value(&error)?;
    Ok(())
}
