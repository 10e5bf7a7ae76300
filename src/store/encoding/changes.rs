//! Changes as rows, one text a kind.

use super::{JsonRow, JsonRows};
use crate::store::{Burial, Burn, Change, Effect, EffectEnd, EffectState, Settled, StoreResult, Timer, Unit};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
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

impl Kind {
    /// Those with rows, in the order in which they are written.
    pub(in crate::store) const WITH_ROWS: [Self; 11] = [
        Self::Burn,
        Self::Start,
        Self::Bury,
        Self::EditDeadLetter,
        Self::SettleDeadLetter,
        Self::SetTimer,
        Self::EndTimer,
        Self::StageEffect,
        Self::SendEffect,
        Self::EndEffect,
        Self::DecideEffect,
    ];
}

pub(in crate::store) fn kind(change: &Change) -> Kind {
    match change {
        Change::Burn(_) => Kind::Burn,
        Change::Start { .. } | Change::Rest { .. } => Kind::Start,
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

pub(in crate::store) fn all(units: &[Unit]) -> impl Iterator<Item = &Change> {
    units.iter().flat_map(|unit| &unit.changes)
}

/// One text a kind of [`Kind::WITH_ROWS`]; empty where there is none.
pub(in crate::store) fn parameters(units: &[Unit]) -> StoreResult<Vec<String>> {
    let mut texts = vec![String::new(); Kind::WITH_ROWS.len()];
    if units.iter().all(|unit| unit.changes.is_empty()) {
        return Ok(texts);
    }
    for (text, wanted) in texts.iter_mut().zip(Kind::WITH_ROWS) {
        let mut rows = JsonRows::with_capacity(256);
        for (n, change) in all(units).enumerate().filter(|(_, change)| kind(change) == wanted) {
            if !is_overtaken(units, n, change) {
                encode(&mut rows, change)?;
            }
        }
        if !rows.is_empty() || all(units).any(|change| kind(change) == wanted) {
            *text = rows.finish()?;
        }
    }
    Ok(texts)
}

/// Timers are set before they are ended, whatever the order of the units: an end that a later setting replaces
/// must not end that.
fn is_overtaken(units: &[Unit], n: usize, change: &Change) -> bool {
    let Change::EndTimer { owner, id: None } = change else { return false };
    let sets = |later: &Change| matches!(later, Change::SetTimer(timer) if timer.owner == *owner);
    all(units).skip(n + 1).any(sets)
}

fn encode(rows: &mut JsonRows, change: &Change) -> StoreResult<()> {
    let mut row = rows.row();
    match change {
        Change::Burn(Burn { position, attempt, cause, error, generation, available_at_us }) => {
            row.value(position)?.value(cause.name())?.value(error)?;
            row.value(generation)?.value(available_at_us)?.value(attempt)?;
        }
        Change::Start { position, generation } => {
            row.value(position)?.value(generation)?;
        }
        Change::Rest { position } => {
            row.value(position)?.raw("null");
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
