//! What the store in memory forgets with age, and what it keeps because it is still needed.

use super::tables::Tables;
use meal_planner::store::{Aged, DeadLetter, DeadLetterState, EffectState, Outcome, StoredEffect};
use std::collections::HashSet;
use uuid::Uuid;

impl Tables {
    pub(super) fn forget_aged(&mut self, what: Aged, before_us: i64, limit: usize) -> u64 {
        match what {
            Aged::Attempts => self.forget_attempts(before_us, limit),
            Aged::Effects => {
                let ended = |stored: &StoredEffect| {
                    matches!(stored.state, EffectState::Done | EffectState::Failed)
                        && stored.ended_us.is_some_and(|ended_us| ended_us < before_us)
                        && !self.inbox.contains_key(&stored.effect.position)
                        && !self.may_be_replayed(stored.effect.position)
                };
                let old = self.effects.values().filter(|stored| ended(stored)).map(|stored| stored.effect.id);
                let old: Vec<Uuid> = old.take(limit).collect();
                old.iter().filter(|id| self.effects.remove(*id).is_some()).count() as u64
            }
            Aged::Outcomes => {
                let kept: HashSet<_> =
                    self.idempotency.values().filter_map(|(key, _)| self.ids.get(&key.message_id)).collect();
                let old = self.outcomes.iter().filter(|(position, stored)| {
                    stored.at_us < before_us
                        && !matches!(stored.outcome, Outcome::Dead { .. })
                        && !kept.contains(position)
                });
                let old: Vec<i64> = old.map(|(position, _)| *position).take(limit).collect();
                old.iter().filter(|position| self.outcomes.remove(position).is_some()).count() as u64
            }
            Aged::Idempotency => {
                let mut old: Vec<_> =
                    self.idempotency.iter().map(|(digest, (_, at_us))| (*at_us, *digest)).collect();
                old.retain(|(at_us, _)| *at_us < before_us);
                old.sort_unstable();
                old.truncate(limit);
                old.iter().filter(|(_, digest)| self.idempotency.remove(digest).is_some()).count() as u64
            }
            Aged::DeadLetters => {
                let old = self.dead_letters.values().filter(|letter| {
                    letter.state != DeadLetterState::Open
                        && letter.settled_us.is_some_and(|at| at < before_us)
                });
                let old: Vec<_> = old.map(|letter| letter.id.clone()).take(limit).collect();
                old.iter().filter(|id| self.dead_letters.remove(id).is_some()).count() as u64
            }
            Aged::Sessions => {
                let old = self.sessions.iter().filter(|(_, expires_us)| **expires_us < before_us);
                let old: Vec<_> = old.map(|(digest, _)| *digest).take(limit).collect();
                old.iter().filter(|digest| self.sessions.remove(*digest).is_some()).count() as u64
            }
        }
    }

    fn forget_attempts(&mut self, before_us: i64, limit: usize) -> u64 {
        let needed = |position: &i64| {
            let is_open = |letter: &DeadLetter| {
                letter.id.position == *position && letter.state == DeadLetterState::Open
            };
            self.inbox.contains_key(position) || self.dead_letters.values().any(is_open)
        };
        let unneeded: Vec<i64> = self.attempts.keys().copied().filter(|position| !needed(position)).collect();
        let mut forgotten = 0;
        for position in unneeded {
            let Some(attempts) = self.attempts.get_mut(&position) else { continue };
            attempts.retain(|attempt| {
                let goes = forgotten < limit && attempt.at_us < before_us;
                forgotten += usize::from(goes);
                !goes
            });
            if attempts.is_empty() {
                self.attempts.remove(&position);
            }
        }
        forgotten as u64
    }

    /// Whether what was known of a dead message is needed by whoever gives it again, or by what was given.
    fn may_be_replayed(&self, position: i64) -> bool {
        self.dead_letters.iter().any(|(id, letter)| {
            let given = letter.replayed_as.and_then(|id| self.ids.get(&id));
            id.position == position
                && (letter.state == DeadLetterState::Open
                    || given.is_some_and(|given| self.inbox.contains_key(given)))
        })
    }
}
