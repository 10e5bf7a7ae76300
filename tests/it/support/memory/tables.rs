//! The tables of the store in memory: what a commit checks and changes, and what is read of messages and rows.

use meal_planner::domain::context::StoredRow;
use meal_planner::domain::envelope::{Envelope, Key, Kind};
use meal_planner::store::{
    Attempt, DeadLetter, DeadLetterId, Filter, Handled, Idempotency, MessageStatus, Page, Placed, RowCursor,
    RowPage, RowQuery, Snapshot, StateMark, StoreError, StoreResult, StoredEffect, StoredOutcome, Stream,
    Timer, TimerName, Unit, Waiting, WaitingStatus,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Messages looked at for one page.
const SCAN_LIMIT: i64 = 20_000;

type StreamKey = (Arc<str>, Key);

/// A command that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxRow {
    pub context: String,
    pub attempts: u32,
    pub crashes: u32,
    pub available_at_us: i64,
    pub last_error: Option<String>,
    /// By which generation it was started, and in which epoch.
    pub started: Option<(u64, i64)>,
}

/// All tables. The message at position `n` is the `n - 1`-th.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    pub epoch: i64,
    pub clean: bool,
    pub marks: BTreeMap<usize, i64>,
    pub events: Vec<Envelope>,
    pub ids: HashMap<Uuid, i64>,
    pub streams: HashMap<StreamKey, BTreeMap<i64, i64>>,
    pub inbox: BTreeMap<i64, InboxRow>,
    pub outcomes: BTreeMap<i64, StoredOutcome>,
    pub attempts: BTreeMap<i64, Vec<Attempt>>,
    pub dead_letters: BTreeMap<DeadLetterId, DeadLetter>,
    pub timers: BTreeMap<TimerName, Timer>,
    pub effects: BTreeMap<Uuid, StoredEffect>,
    pub snapshots: HashMap<StreamKey, Snapshot>,
    pub checkpoints: BTreeMap<String, i64>,
    /// With the time of each.
    pub idempotency: BTreeMap<[u8; 32], (Idempotency, i64)>,
    pub rows: BTreeMap<String, BTreeMap<String, StoredRow>>,
    pub sessions: BTreeMap<[u8; 32], i64>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            epoch: 0,
            clean: true,
            marks: BTreeMap::new(),
            events: Vec::new(),
            ids: HashMap::new(),
            streams: HashMap::new(),
            inbox: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            attempts: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
            timers: BTreeMap::new(),
            effects: BTreeMap::new(),
            snapshots: HashMap::new(),
            checkpoints: BTreeMap::new(),
            idempotency: BTreeMap::new(),
            rows: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }
}

pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn stream_key(message: &Envelope) -> StreamKey {
    (message.context.clone(), message.key.clone())
}

/// Writes.
impl Tables {
    /// Every constraint, before anything is written.
    pub(super) fn check(&self, units: &[Unit]) -> Result<(), String> {
        let (mut ids, mut versions) = (HashSet::new(), HashSet::new());
        for message in units.iter().flat_map(|unit| &unit.messages) {
            if self.ids.contains_key(&message.id) || !ids.insert(message.id) {
                return Err(format!("the id {} is taken", message.id));
            }
            if let Some(version) = message.stream_version {
                let stream = stream_key(message);
                let taken = self.streams.get(&stream).is_some_and(|known| known.contains_key(&version));
                if taken || !versions.insert((stream, version)) {
                    return Err(format!("version {version} of {} is taken", message.key));
                }
            }
            if !is_json(&message.body) {
                return Err(format!("the body of {} is no JSON", message.id));
            }
        }
        self.check_marks(units)?;
        self.check_changes(units)
    }

    fn check_marks(&self, units: &[Unit]) -> Result<(), String> {
        let (mut done, mut digests) = (HashSet::new(), HashSet::new());
        for unit in units {
            if let Some(Handled { position, .. }) = &unit.handled
                && (self.outcomes.contains_key(position) || !done.insert(*position))
            {
                return Err(format!("{position} has an outcome"));
            }
            if let Some(key) = &unit.idempotency
                && (self.idempotency.contains_key(&key.digest) || !digests.insert(key.digest))
            {
                return Err("the idempotency key is taken".to_owned());
            }
            if let Some(change) = &unit.table {
                if !self.rows.contains_key(&change.table) {
                    return Err(format!("there is no table {}", change.table));
                }
                if !change.rows.iter().filter_map(|row| row.row.as_ref()).all(|row| is_json(&row.body)) {
                    return Err(format!("a row of {} is no JSON", change.table));
                }
            }
        }
        Ok(())
    }

    /// In the order of an engine's statements: all messages, all changes, then what ends messages.
    pub(super) fn apply(&mut self, units: &[Unit], at_us: i64) -> Vec<Placed> {
        let before = self.last_position();
        let mut placed = Vec::with_capacity(units.len());
        for unit in units {
            placed.push(Placed { first: self.last_position() + 1 });
            unit.messages.iter().for_each(|message| self.insert(message));
        }
        self.change(units, before, at_us);
        for (unit, place) in units.iter().zip(&placed) {
            if let Some(handled) = &unit.handled {
                let last = place.first + unit.messages.len() as i64 - 1;
                self.bury(handled, before, at_us);
                let caused = (last >= place.first).then_some((place.first, last));
                let outcome = StoredOutcome { outcome: handled.outcome.clone(), caused, at_us };
                self.outcomes.insert(handled.position, outcome);
                self.inbox.remove(&handled.position);
            }
            self.remember(unit, at_us);
        }
        placed
    }

    fn insert(&mut self, message: &Envelope) {
        let position = self.last_position() + 1;
        self.ids.insert(message.id, position);
        if let Some(version) = message.stream_version {
            self.streams.entry(stream_key(message)).or_default().insert(version, position);
        }
        if message.kind == Kind::Command {
            let context = message.context.to_string();
            self.inbox.insert(position, InboxRow { context, ..InboxRow::default() });
        }
        self.events.push(Envelope { position, ..message.clone() });
    }

    fn remember(&mut self, unit: &Unit, at_us: i64) {
        if let Some(snapshot) = &unit.snapshot {
            let stream = (snapshot.context.clone(), snapshot.key.clone());
            self.snapshots.insert(stream, snapshot.clone());
        }
        if let Some(checkpoint) = &unit.checkpoint {
            self.checkpoints.insert(checkpoint.reader.clone(), checkpoint.position);
        }
        if let Some(key) = &unit.idempotency {
            self.idempotency.insert(key.digest, (key.clone(), at_us));
        }
        let Some(change) = &unit.table else { return };
        let table = self.rows.entry(change.table.clone()).or_default();
        for change in &change.rows {
            match &change.row {
                Some(row) => drop(table.insert(change.key.clone(), row.clone())),
                None => drop(table.remove(&change.key)),
            }
        }
    }
}

/// Reads.
impl Tables {
    pub fn last_position(&self) -> i64 {
        self.events.len() as i64
    }

    pub fn at(&self, position: i64) -> Option<&Envelope> {
        self.events.get(usize::try_from(position - 1).ok()?)
    }

    pub(super) fn page(&self, after: i64, limit: u32, filter: &Filter) -> Page {
        let to = self.last_position().min(after.saturating_add(SCAN_LIMIT));
        let range = usize::try_from(after).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        let found = self.events.get(range).unwrap_or_default().iter();
        let messages: Vec<_> =
            found.filter(|message| filter.matches(message)).take(limit as usize).cloned().collect();
        let full = messages.len() >= limit as usize;
        let read_to = messages.last().filter(|_| full).map_or(to, |last| last.position);
        Page { messages, read_to: read_to.max(after), unreadable: Vec::new() }
    }

    pub(super) fn message(&self, id: Uuid) -> Option<MessageStatus> {
        let position = *self.ids.get(&id)?;
        let waiting = self.inbox.get(&position).map(|row| WaitingStatus {
            attempts: row.attempts,
            available_at_us: row.available_at_us,
            last_error: row.last_error.clone(),
        });
        let outcome = self.outcomes.get(&position).cloned();
        Some(MessageStatus { envelope: self.at(position)?.clone(), outcome, waiting })
    }

    pub(super) fn waiting(&self, context: &str, key: Option<&Key>, after: i64, limit: u32) -> Vec<Waiting> {
        let rows = self.inbox.range(after + 1..).filter(|(_, row)| row.context == context);
        let waiting = rows.filter_map(|(position, row)| {
            let envelope = self.at(*position).filter(|found| key.is_none_or(|key| found.key == *key))?;
            Some(Waiting {
                position: *position,
                found: Ok(envelope.clone()),
                attempts: row.attempts,
                crashes: row.crashes,
                available_at_us: row.available_at_us,
                last_error: row.last_error.clone(),
            })
        });
        waiting.take(limit as usize).collect()
    }

    pub(super) fn waiting_counts(&self) -> Vec<(String, i64)> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for row in self.inbox.values() {
            *counts.entry(&row.context).or_default() += 1;
        }
        counts.into_iter().map(|(context, count)| (context.to_owned(), count)).collect()
    }

    fn events_of(&self, stream: &StreamKey, after_version: i64) -> impl Iterator<Item = &Envelope> {
        let versions = self.streams.get(stream).map(|versions| versions.range(after_version + 1..));
        versions.into_iter().flatten().filter_map(|(_, position)| self.at(*position))
    }

    pub(super) fn stream(&self, context: &str, mark: StateMark, key: Key) -> Stream {
        let stream = (context.into(), key);
        let snapshot = self.snapshots.get(&stream).filter(|found| found.mark == mark);
        let from = snapshot.map_or(0, |snapshot| snapshot.stream_version);
        let events = self.events_of(&stream, from).cloned().collect();
        Stream { snapshot: snapshot.cloned(), events, unreadable: None }
    }

    pub(super) fn stream_after(&self, context: &str, key: Key, after: i64, until: i64, limit: u32) -> Stream {
        let stream = (context.into(), key);
        let events = self.events_of(&stream, after).filter(|event| event.position <= until);
        Stream { events: events.take(limit as usize).cloned().collect(), ..Stream::default() }
    }

    pub(super) fn rows_by_key(&self, table: &str, keys: Vec<String>) -> StoreResult<Vec<(String, String)>> {
        let table = self.table(table)?;
        let rows = keys.into_iter().filter_map(|key| {
            let body = table.get(&key)?.body.clone();
            Some((key, body))
        });
        Ok(rows.collect())
    }

    pub(super) fn find_rows(&self, table: &str, query: &RowQuery) -> StoreResult<RowPage> {
        let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
        let mut found: Vec<_> = self
            .table(table)?
            .iter()
            .filter(|(_, row)| words.iter().all(|word| row.search.contains(word)))
            .map(|(key, row)| ((&row.sort, key), &row.body))
            .filter(|(place, _)| query.after.as_ref().is_none_or(|c| *place > (&c.sort, &c.key)))
            .collect();
        found.sort();
        let limit = query.limit as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|((sort, key), _)| RowCursor { sort: (*sort).clone(), key: (*key).clone() });
        let rows = found.into_iter().map(|((_, key), body)| (key.clone(), body.clone())).collect();
        Ok(RowPage { rows, next })
    }

    fn table(&self, table: &str) -> StoreResult<&BTreeMap<String, StoredRow>> {
        self.rows.get(table).ok_or_else(|| StoreError::Refused(format!("there is no table {table}")))
    }
}
