//! Turns a group of units into the arrays and JSON texts that `commit_group` takes.

use super::read::table;
use super::text::{escape, escape_json};
use crate::domain::context::{RowChange, StoredRow};
use crate::domain::envelope::{Envelope, Kind};
use crate::store::encoding::{self, changes};
use crate::store::{Change, Handled, Outcome, StoreError, StoreResult, Unit};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use std::borrow::Cow;

pub(super) const COMMIT_GROUP: &str = "SELECT pg_temp.commit_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
    $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, \
    $36)";

/// What a group is committed as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    /// The position of its first message.
    pub(super) first: i64,
    pub(super) epoch: i64,
    pub(super) now_us: i64,
    /// Its number, for a group without messages.
    pub(super) group: Option<i64>,
}

pub(super) fn arguments(units: &[Unit], heading: Heading) -> StoreResult<PgArguments> {
    let mut into = PgArguments::default();
    add(&mut into, heading.first)?;
    add(&mut into, heading.epoch)?;
    add(&mut into, heading.now_us)?;
    add(&mut into, heading.group)?;
    add_messages(&mut into, units)?;
    add_handled(&mut into, units, heading.first)?;
    let has_changes = units.iter().any(|unit| !unit.changes.is_empty());
    let texts = if has_changes { changes::parameters(units)? } else { Vec::new() };
    add(&mut into, texts.iter().map(|text| escape_json(text)).collect::<Vec<_>>())?;
    let snapshots = encoding::snapshots(units.iter().filter_map(|unit| unit.snapshot.as_ref()))?;
    add(&mut into, escape_json(&snapshots))?;
    add(&mut into, escape_json(&encoding::checkpoints(units)?))?;
    add(&mut into, encoding::idempotency(units, heading.now_us)?)?;
    add(&mut into, tables_sql(units))?;
    add_rows(&mut into, units)?;
    Ok(into)
}

fn add<'q, T>(arguments: &mut PgArguments, value: T) -> StoreResult<()>
where
    T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    arguments.add(value).map_err(|error| StoreError::Refused(error.to_string()))
}

fn add_messages(into: &mut PgArguments, units: &[Unit]) -> StoreResult<()> {
    let messages: Vec<_> = units.iter().flat_map(|unit| &unit.messages).collect();
    let column = |text: fn(&Envelope) -> &str| -> Vec<Cow<'_, str>> {
        messages.iter().map(|message| escape(text(message))).collect()
    };
    let numbers = |number: fn(&Envelope) -> i64| -> Vec<i64> {
        messages.iter().map(|message| number(message)).collect()
    };
    let extras = messages.iter().map(|message| {
        let text = (!message.extra.is_empty()).then(|| serde_json::to_string(&message.extra)).transpose();
        text.map_err(|error| StoreError::Refused(error.to_string()))
    });
    add(into, messages.iter().map(|message| message.id.as_bytes().as_slice()).collect::<Vec<_>>())?;
    add(into, numbers(|message| i64::from(message.kind == Kind::Event)))?;
    add(into, column(|message| &message.context))?;
    add(into, column(|message| message.key.as_str()))?;
    add(into, messages.iter().map(|message| message.stream_version).collect::<Vec<_>>())?;
    add(into, column(|message| &message.type_name))?;
    add(into, numbers(|message| message.schema_version.into()))?;
    add(into, column(|message| &message.body))?;
    add(into, numbers(|message| message.time.timestamp_micros()))?;
    let causes =
        messages.iter().map(|message| message.causation_id.as_ref().map(|id| id.as_bytes().as_slice()));
    add(into, causes.collect::<Vec<_>>())?;
    add(
        into,
        messages.iter().map(|message| message.correlation_id.as_bytes().as_slice()).collect::<Vec<_>>(),
    )?;
    add(into, messages.iter().map(|message| message.trace.as_deref().map(escape)).collect::<Vec<_>>())?;
    add(into, extras.collect::<StoreResult<Vec<_>>>()?)
}

fn add_handled(into: &mut PgArguments, units: &[Unit], first: i64) -> StoreResult<()> {
    let mut next = first;
    let mut handled: Vec<(&Handled, Option<i64>, Option<i64>)> = Vec::new();
    for unit in units {
        let from = next;
        next += unit.messages.len() as i64;
        if let Some(done) = &unit.handled {
            let caused = (next > from).then_some((from, next - 1));
            let (from, to) = caused.unzip();
            handled.push((done, from, to));
        }
    }
    let answers = handled.iter().map(|(done, ..)| match &done.outcome {
        Outcome::Handled => Ok(None),
        Outcome::Rejected { rejection } => {
            serde_json::to_string(rejection).map(Some).map_err(|e| StoreError::Refused(e.to_string()))
        }
        Outcome::Dead { reason } => Ok(Some(escape(reason).into_owned())),
    });
    let answers = answers.collect::<StoreResult<Vec<_>>>()?;
    add(into, handled.iter().map(|(done, ..)| done.position).collect::<Vec<_>>())?;
    add(into, handled.iter().map(|(done, ..)| status(&done.outcome)).collect::<Vec<_>>())?;
    add(into, handled.iter().map(|(_, from, _)| *from).collect::<Vec<_>>())?;
    add(into, handled.iter().map(|(.., to)| *to).collect::<Vec<_>>())?;
    add(into, answers)?;
    add(into, handled.iter().map(|(done, ..)| i64::from(done.holds)).collect::<Vec<_>>())?;
    add(into, handled.iter().map(|(done, ..)| done.raw.as_deref()).collect::<Vec<_>>())
}

fn status(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Handled => 0,
        Outcome::Rejected { .. } => 1,
        Outcome::Dead { .. } => 2,
    }
}

/// Tables are swapped and dropped in their place, so that the rows that come after find them.
fn tables_sql(units: &[Unit]) -> String {
    let mut sql = String::new();
    for change in changes::all(units) {
        if let Change::SwapTable { built, live } = change {
            sql.push_str(&format!("DROP TABLE IF EXISTS {};", table(live)));
            sql.push_str(&super::write::rename_sql(built, live));
        } else if let Change::DropTable { table: name } = change {
            sql.push_str(&format!("DROP TABLE IF EXISTS {};", table(name)));
        } else if let Change::DropSnapshots = change {
            sql.push_str("DELETE FROM store.snapshots;");
        }
    }
    sql
}

/// Rows of all tables in a row, and where those of each begin and end.
fn add_rows(into: &mut PgArguments, units: &[Unit]) -> StoreResult<()> {
    let names = encoding::tables(units);
    let mut rows: Vec<&RowChange> = Vec::new();
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for name in &names {
        from.push(rows.len() as i64 + 1);
        rows.extend(encoding::rows_of(units, name));
        to.push(rows.len() as i64);
    }
    let column = |text: fn(&StoredRow) -> &str| -> Vec<Option<Cow<'_, str>>> {
        rows.iter().map(|change| change.row.as_ref().map(|row| escape(text(row)))).collect()
    };
    add(into, names.into_iter().map(table).collect::<Vec<_>>())?;
    add(into, from)?;
    add(into, to)?;
    add(into, rows.iter().map(|change| escape(&change.key)).collect::<Vec<_>>())?;
    add(into, column(|row| &row.sort))?;
    add(into, column(|row| &row.search))?;
    add(into, column(|row| &row.body))
}
