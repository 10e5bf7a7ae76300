//! The rarer tables of the store in memory: attempts, dead letters, timers, effects, marks; and what is forgotten.

use super::tables::{Tables, is_json};
use meal_planner::store::{
    Attempt, Burial, Burn, Cause, Change, DeadLetter, DeadLetterId, DeadLetterQuery, DeadLetterState, Effect,
    EffectEnd, EffectQuery, EffectState, Handled, HeldKey, Outcome, Settled, StoredEffect, Timer, TimerQuery,
    Timers, Unit,
};
use std::collections::HashSet;
use uuid::Uuid;

const CRASHED: &str = "the process died while it was handled";

fn changes(units: &[Unit]) -> impl Iterator<Item = &Change> {
    units.iter().flat_map(|unit| &unit.changes)
}

/// An engine makes all changes of one kind before those of the next.
fn rank(change: &Change) -> u8 {
    match change {
        Change::Burn(_) => 0,
        Change::Start { .. } | Change::Rest { .. } => 1,
        Change::Bury(_) => 2,
        Change::EditDeadLetter { .. } => 3,
        Change::SettleDeadLetter { .. } => 4,
        Change::SetTimer(_) | Change::EndTimer { .. } => 5,
        Change::StageEffect(_) => 7,
        Change::SendEffect { .. } => 8,
        Change::EndEffect { .. } => 9,
        Change::DecideEffect { .. } => 10,
        Change::SwapTable { .. } | Change::DropTable { .. } | Change::DropSnapshots => 11,
    }
}

fn parts(end: &EffectEnd) -> (EffectState, Option<String>, Option<String>) {
    match end {
        EffectEnd::Done { response } => (EffectState::Done, Some(response.clone()), None),
        EffectEnd::Failed { error } => (EffectState::Failed, None, Some(error.clone())),
        EffectEnd::Unknown { error } => (EffectState::Unknown, None, Some(error.clone())),
    }
}

impl Tables {
    /// The next epoch; answers whether the one before ended without saying so: then what it handled is charged.
    pub(super) fn begin_epoch(&mut self, now_us: i64) -> bool {
        let unclean = !self.clean;
        if unclean {
            let marked: HashSet<i64> = self.marks.values().copied().collect();
            for (position, row) in &mut self.inbox {
                if !marked.contains(position) && row.started.is_none() {
                    continue;
                }
                row.attempts += 1;
                row.crashes += 1;
                row.available_at_us = 0;
                row.last_error = Some(CRASHED.to_owned());
                self.attempts.entry(*position).or_default().push(Attempt {
                    attempt: row.attempts,
                    cause: Cause::ProcessCrash,
                    error: CRASHED.to_owned(),
                    generation: row.started.take().map_or(0, |(generation, _)| generation),
                    epoch: self.epoch,
                    at_us: now_us,
                });
            }
        }
        self.marks.clear();
        self.clean = false;
        self.epoch += 1;
        unclean
    }

    pub(super) fn check_changes(&self, units: &[Unit]) -> Result<(), String> {
        let (mut burnt, mut staged) = (HashSet::new(), HashSet::new());
        for change in changes(units) {
            if let Change::Burn(burn) = change
                && self.inbox.contains_key(&burn.position)
                && !burnt.insert(burn.position)
            {
                return Err(format!("one attempt at {} is counted twice", burn.position));
            }
            if let Change::StageEffect(effect) = change
                && !staged.insert(effect.id)
            {
                return Err(format!("the effect {} is staged twice", effect.id));
            }
            if let Change::SetTimer(timer) = change
                && !is_json(&timer.body)
            {
                return Err(format!("the body of {:?} is no JSON", timer.owner));
            }
            if let Change::SwapTable { built, .. } = change
                && !self.rows.contains_key(built)
            {
                return Err(format!("there is no table {built}"));
            }
        }
        Ok(())
    }

    pub(super) fn change(&mut self, units: &[Unit], before: i64, at_us: i64) {
        let mut changes: Vec<_> = changes(units).collect();
        changes.sort_by_key(|change| rank(change));
        for change in changes {
            self.make(change, before, at_us);
        }
    }

    fn make(&mut self, change: &Change, before: i64, at_us: i64) {
        match change {
            Change::Burn(burn) => self.burn(burn, at_us),
            Change::Start { position, generation } => {
                let started = Some((*generation, self.epoch));
                self.inbox.entry(*position).and_modify(|row| row.started = started);
            }
            Change::Rest { position } => {
                self.inbox.entry(*position).and_modify(|row| row.started = None);
            }
            Change::Bury(Burial { id, context, key, type_name, reason, holds, raw }) => {
                let letter = DeadLetter {
                    context: context.to_string(),
                    key: key.clone(),
                    type_name: type_name.to_string(),
                    attempts: 1,
                    reason: reason.clone(),
                    holds: *holds,
                    raw: raw.clone(),
                    ..open_letter(id.clone(), before, at_us)
                };
                self.dead_letters.entry(id.clone()).or_insert(letter);
            }
            Change::EditDeadLetter { id, body } => {
                self.open_letter(id).into_iter().for_each(|letter| letter.edited = Some(body.clone()));
            }
            Change::SettleDeadLetter { id, how, note } => {
                let Some(letter) = self.open_letter(id) else { return };
                (letter.state, letter.replayed_as) = match how {
                    Settled::Replayed { as_id } => (DeadLetterState::Replayed, Some(*as_id)),
                    Settled::Discarded => (DeadLetterState::Discarded, None),
                };
                letter.note = Some(note.clone());
                letter.settled_us = Some(at_us);
            }
            Change::SetTimer(timer) => drop(self.timers.insert(timer.owner.clone(), (**timer).clone())),
            Change::EndTimer { owner, id } => {
                if self.timers.get(owner).is_some_and(|timer| id.is_none_or(|id| timer.id == id)) {
                    self.timers.remove(owner);
                }
            }
            Change::SwapTable { built, live } => {
                let rows = self.rows.remove(built).unwrap_or_default();
                self.rows.insert(live.clone(), rows);
            }
            Change::DropTable { table } => drop(self.rows.remove(table)),
            Change::DropSnapshots => self.snapshots.clear(),
            Change::StageEffect(effect) => self.stage(effect, at_us),
            Change::SendEffect { id, attempt } => {
                let epoch = self.epoch;
                let Some(stored) = self.effects.get_mut(id) else { return };
                (stored.state, stored.attempt, stored.epoch) = (EffectState::Sent, *attempt, epoch);
                (stored.sent_us, stored.ended_us) = (Some(at_us), None);
            }
            Change::EndEffect { id, attempt, end } => {
                let Some(stored) = self.effects.get_mut(id) else { return };
                match stored.attempt == *attempt && stored.state == EffectState::Sent {
                    true => end_effect(stored, end, at_us),
                    false => record_late(stored, *attempt, end, at_us),
                }
            }
            Change::DecideEffect { id, end } => {
                let stored = self.effects.get_mut(id);
                if let Some(stored) = stored.filter(|stored| stored.state == EffectState::Unknown) {
                    end_effect(stored, end, at_us);
                }
            }
        }
    }

    fn burn(&mut self, burn: &Burn, at_us: i64) {
        let Some(row) = self.inbox.get_mut(&burn.position) else { return };
        if row.attempts >= burn.attempt {
            return;
        }
        row.attempts += 1;
        row.last_error = Some(burn.error.clone());
        row.available_at_us = burn.available_at_us;
        row.started = None;
        self.attempts.entry(burn.position).or_default().push(Attempt {
            attempt: row.attempts,
            cause: burn.cause,
            error: burn.error.clone(),
            generation: burn.generation,
            epoch: self.epoch,
            at_us,
        });
    }

    fn open_letter(&mut self, id: &DeadLetterId) -> Option<&mut DeadLetter> {
        self.dead_letters.get_mut(id).filter(|letter| letter.state == DeadLetterState::Open)
    }

    /// A command that is given up, while its inbox row still stands.
    pub(super) fn bury(&mut self, handled: &Handled, before: i64, at_us: i64) {
        let Outcome::Dead { reason } = &handled.outcome else { return };
        let (Some(row), Some(message)) = (self.inbox.get(&handled.position), self.at(handled.position))
        else {
            return;
        };
        let id = DeadLetterId { position: handled.position, reader: String::new() };
        let letter = DeadLetter {
            context: message.context.to_string(),
            key: message.key.clone(),
            type_name: message.type_name.to_string(),
            attempts: row.attempts,
            reason: reason.clone(),
            holds: handled.holds,
            raw: handled.raw.clone(),
            ..open_letter(id.clone(), before, at_us)
        };
        self.dead_letters.insert(id, letter);
    }

    fn stage(&mut self, effect: &Effect, at_us: i64) {
        let stored = StoredEffect {
            effect: effect.clone(),
            state: EffectState::Staged,
            attempt: 0,
            epoch: self.epoch,
            response: None,
            error: None,
            late: None,
            staged_us: at_us,
            sent_us: None,
            ended_us: None,
        };
        self.effects.entry(effect.id).and_modify(|known| known.effect = effect.clone()).or_insert(stored);
    }

    pub(super) fn find_dead_letters(&self, query: &DeadLetterQuery) -> Vec<DeadLetter> {
        let matches = |letter: &&DeadLetter| {
            query.id.as_ref().is_none_or(|id| letter.id == *id)
                && query.state.is_none_or(|state| letter.state == state)
                && query.context.as_ref().is_none_or(|context| letter.context == *context)
                && query.key.as_ref().is_none_or(|key| letter.key.as_str() == key)
                && query.type_name.as_ref().is_none_or(|name| letter.type_name == *name)
                && query.before.as_ref().is_none_or(|before| letter.id < *before)
                && query.after.as_ref().is_none_or(|after| letter.id > *after)
        };
        let mut found: Vec<_> = self.dead_letters.values().filter(matches).cloned().collect();
        if query.after.is_none() {
            found.reverse();
        }
        found.truncate(query.limit as usize);
        found
    }

    /// Open ones, and those whose replay still waits.
    pub(super) fn held_keys(&self, context: &str) -> Vec<HeldKey> {
        let waits = |id: &Uuid| self.ids.get(id).is_some_and(|position| self.inbox.contains_key(position));
        let holds = |letter: &&DeadLetter| {
            letter.context == context
                && letter.holds
                && letter.id.reader.is_empty()
                && match letter.state {
                    DeadLetterState::Open => true,
                    DeadLetterState::Replayed => letter.replayed_as.as_ref().is_some_and(waits),
                    DeadLetterState::Discarded => false,
                }
        };
        let held = self.dead_letters.values().filter(holds);
        held.map(|letter| HeldKey {
            key: letter.key.clone(),
            id: letter.id.clone(),
            replayed_as: letter.replayed_as,
        })
        .collect()
    }

    pub(super) fn find_timers(&self, query: &TimerQuery) -> Timers {
        let matches = |timer: &&Timer| {
            query.due_before_us.is_none_or(|due_us| timer.due_us <= due_us)
                && query.context.as_ref().is_none_or(|context| timer.owner.context == *context)
        };
        let mut found: Vec<_> = self.timers.values().filter(matches).cloned().collect();
        found.sort_by_key(|timer| (timer.due_us, timer.id));
        found.truncate(query.limit as usize);
        Timers { timers: found, unreadable: Vec::new() }
    }

    pub(super) fn find_effects(&self, query: &EffectQuery) -> Vec<StoredEffect> {
        let matches = |stored: &&StoredEffect| {
            query.id.is_none_or(|id| stored.effect.id == id)
                && query.position.is_none_or(|position| stored.effect.position == position)
                && query.state.is_none_or(|state| stored.state == state)
                && query.service.as_ref().is_none_or(|service| stored.effect.service == *service)
                && query.before_us.is_none_or(|before_us| stored.staged_us < before_us)
        };
        let mut found: Vec<_> = self.effects.values().filter(matches).cloned().collect();
        found.sort_by_key(|stored| (std::cmp::Reverse(stored.staged_us), stored.effect.id));
        found.truncate(query.limit as usize);
        found
    }
}

fn open_letter(id: DeadLetterId, seen_position: i64, at_us: i64) -> DeadLetter {
    DeadLetter {
        id,
        context: String::new(),
        key: "".into(),
        type_name: String::new(),
        attempts: 0,
        reason: String::new(),
        at_us,
        seen_position,
        holds: false,
        state: DeadLetterState::Open,
        edited: None,
        raw: None,
        settled_us: None,
        replayed_as: None,
        note: None,
    }
}

fn end_effect(stored: &mut StoredEffect, end: &EffectEnd, at_us: i64) {
    (stored.state, stored.response, stored.error) = parts(end);
    stored.ended_us = Some(at_us);
}

fn record_late(stored: &mut StoredEffect, attempt: u32, end: &EffectEnd, at_us: i64) {
    let late = stored.late.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut late: Vec<serde_json::Value> = late.unwrap_or_default();
    let (_, response, error) = parts(end);
    late.push(
        serde_json::json!({ "attempt": attempt, "response": response, "error": error, "at_us": at_us }),
    );
    stored.late = Some(serde_json::json!(late).to_string());
}
