//! Changes: one set-based statement a kind, each with its rows as one JSON text.

use crate::store::encoding::changes::{Kind, all, kind};
use crate::store::{Change, Unit};
use std::fmt::Write;

/// Parameters of [`STATEMENTS`] are `$8` and up, in their order; `$19` is the time.
pub(super) const FIRST: usize = 8;
pub(super) const NOW: usize = FIRST + STATEMENTS.len();

/// A kind of change and what is done with its rows.
const STATEMENTS: [(Kind, &str); Kind::WITH_ROWS.len()] = [
    (
        Kind::Burn,
        "
INSERT INTO attempts (position, attempt, cause, error, generation, epoch, at_us)
SELECT i.position, i.attempts + 1, b.value ->> 1, b.value ->> 2, b.value ->> 3, $2, $19
FROM jsonb_each($8) AS b JOIN inbox AS i ON i.position = b.value ->> 0 AND i.attempts < b.value ->> 5;
UPDATE inbox SET attempts = attempts + 1, last_error = b.value ->> 2, available_at_us = b.value ->> 4,
       started_generation = NULL, started_epoch = NULL
FROM jsonb_each($8) AS b WHERE inbox.position = b.value ->> 0 AND inbox.attempts < b.value ->> 5;",
    ),
    (
        Kind::Start,
        "
UPDATE inbox SET started_generation = s.value ->> 1, started_epoch = iif(s.value ->> 1 IS NULL, NULL, $2)
FROM jsonb_each($9) AS s WHERE inbox.position = s.value ->> 0;",
    ),
    (
        Kind::Bury,
        "
INSERT INTO dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position, holds, state,
                          raw)
SELECT b.value ->> 0, b.value ->> 1, b.value ->> 2, b.value ->> 3, b.value ->> 4, 1, b.value ->> 5, $19, $1 - 1,
       b.value ->> 6, 0, unhex(b.value ->> 7)
FROM jsonb_each($10) AS b WHERE true ON CONFLICT (position, reader) DO NOTHING;",
    ),
    (
        Kind::EditDeadLetter,
        "
UPDATE dead_letters SET body = d.value ->> 2 FROM jsonb_each($11) AS d
WHERE dead_letters.position = d.value ->> 0 AND dead_letters.reader = d.value ->> 1 AND dead_letters.state = 0;",
    ),
    (
        Kind::SettleDeadLetter,
        "
UPDATE dead_letters SET state = d.value ->> 2, settled_as = unhex(d.value ->> 3), note = d.value ->> 4,
       settled_us = $19
FROM jsonb_each($12) AS d
WHERE dead_letters.position = d.value ->> 0 AND dead_letters.reader = d.value ->> 1 AND dead_letters.state = 0;",
    ),
    (
        Kind::SetTimer,
        "
INSERT OR REPLACE INTO timers (context, key, name, id, due_us, to_context, to_key, type, schema_version, body,
                               causation_id, correlation_id, trace, extra, schedule)
SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2, unhex(t.value ->> 3), t.value ->> 4, t.value ->> 5,
       t.value ->> 6, t.value ->> 7, t.value ->> 8, t.value ->> 9, unhex(t.value ->> 10), unhex(t.value ->> 11),
       t.value ->> 12, t.value ->> 13, t.value ->> 14
FROM jsonb_each($13) AS t;",
    ),
    (
        Kind::EndTimer,
        "
DELETE FROM timers WHERE EXISTS (
    SELECT 1 FROM jsonb_each($14) AS t
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
FROM jsonb_each($15) AS e WHERE true ON CONFLICT (id) DO UPDATE
SET position = excluded.position, service = excluded.service, operation = excluded.operation,
    request = excluded.request, recovery = excluded.recovery;",
    ),
    (
        Kind::SendEffect,
        "
UPDATE effects SET state = 1, attempt = e.value ->> 1, epoch = $2, sent_us = $19, ended_us = NULL
FROM jsonb_each($16) AS e WHERE effects.id = unhex(e.value ->> 0);",
    ),
    (
        Kind::EndEffect,
        "
UPDATE effects SET late = json_insert(coalesce(late, '[]'), '$[#]', json_object(
           'attempt', e.value ->> 1, 'response', e.value ->> 3, 'error', e.value ->> 4, 'at_us', $19))
FROM jsonb_each($17) AS e
WHERE effects.id = unhex(e.value ->> 0) AND (effects.attempt <> e.value ->> 1 OR effects.state <> 1);
UPDATE effects SET state = e.value ->> 2, response = e.value ->> 3, error = e.value ->> 4, ended_us = $19
FROM jsonb_each($17) AS e
WHERE effects.id = unhex(e.value ->> 0) AND effects.attempt = e.value ->> 1 AND effects.state = 1;",
    ),
    (
        Kind::DecideEffect,
        "
UPDATE effects SET state = e.value ->> 2, response = e.value ->> 3, error = e.value ->> 4, ended_us = $19
FROM jsonb_each($18) AS e WHERE effects.id = unhex(e.value ->> 0) AND effects.state = 4;",
    ),
];

/// The statements that this group needs.
pub(super) fn sql(units: &[Unit], into: &mut String) {
    if units.iter().all(|unit| unit.changes.is_empty()) {
        return;
    }
    for (wanted, text) in STATEMENTS {
        if all(units).any(|change| kind(change) == wanted) {
            into.push_str(text);
        }
    }
}

/// Read models' tables are changed in their place, so that what comes after finds them.
pub(super) fn tables_sql(units: &[Unit], into: &mut String) {
    for change in all(units) {
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
            | Change::Rest { .. }
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
