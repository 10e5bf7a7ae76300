//! One pass over all messages that folds every aggregate and every read model, then compares with what is stored.

use super::changes::differences;
use super::report::{Fault, Report};
use super::tables::Table;
use super::{Misfit, Replay};
use crate::domain::envelope::{Envelope, Kind};
use crate::domain::message::Message;
use crate::domain::operations;
use crate::store::hash::replay_hash;
use crate::store::{CommandEnd, Filter, Page, Store, StoreResult};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Messages read at a time.
const PAGE: u32 = 5000;
/// Aggregates whose snapshots are looked at together.
const KEYS: usize = 200;

/// Rebuilds everything from the messages and compares it with what is stored. Nobody may write meanwhile.
///
/// # Errors
/// When the store cannot be read.
pub async fn verify(store: &dyn Store, mut replay: Replay) -> StoreResult<Report> {
    let mut report = Report { last_position: store.last_position().await?, ..Report::default() };
    let mut tables = Vec::new();
    for projection in &replay.projections {
        tables.push(Table::open(store, &**projection).await?);
    }
    let started = Instant::now();
    let mut read_to = 0;
    while let Some((page, from)) = next_page(store, &mut read_to, report.last_position).await? {
        check_positions(&page, from, &mut report);
        let messages: Vec<Arc<Envelope>> = page.messages.into_iter().map(Arc::new).collect();
        for message in &messages {
            replay.take(message, &mut report);
        }
        let mut readable = Vec::with_capacity(tables.len());
        for mut table in tables {
            match table.take(&messages) {
                Ok(()) => readable.push(table),
                Err(error) => {
                    let reason = format!("its rows do not read back: {error}");
                    report.add(Fault::Table { table: table.name().to_owned(), reason });
                }
            }
        }
        tables = readable;
        for end in store.command_ends(from + 1, read_to).await? {
            check_command(end, &mut report);
        }
    }
    report.timed(started.elapsed());
    replay.compare_snapshots(store, &mut report).await?;
    for table in tables {
        table.compare(store, &mut report).await?;
    }
    report.hash = Some(replay_hash(&mut *store.source().await?).await?);
    Ok(report)
}

/// Folds every aggregate from its events, page by page, and answers how many events that were.
///
/// # Errors
/// When the store cannot be read.
pub async fn fold_all(store: &dyn Store, replay: &mut Replay) -> StoreResult<Report> {
    let mut report = Report { last_position: store.last_position().await?, ..Report::default() };
    let mut read_to = 0;
    while let Some((page, _)) = next_page(store, &mut read_to, report.last_position).await? {
        for message in &page.messages {
            replay.take(message, &mut report);
        }
    }
    report.aggregates = replay.aggregates() as u64;
    Ok(report)
}

/// The next page and the position it begins after.
async fn next_page(store: &dyn Store, read_to: &mut i64, last: i64) -> StoreResult<Option<(Page, i64)>> {
    if *read_to >= last {
        return Ok(None);
    }
    let from = *read_to;
    let page = store.messages_after(from, PAGE, Filter::default()).await?;
    // A page that ends where it began would be asked for without end.
    *read_to = page.read_to.max(from + 1);
    Ok(Some((page, from)))
}

fn check_positions(page: &Page, from: i64, report: &mut Report) {
    for row in &page.unreadable {
        report.add(Fault::Row { position: row.position, reason: row.reason.clone() });
    }
    let readable = page.messages.iter().map(|message| message.position);
    let positions: BTreeSet<i64> = readable.chain(page.unreadable.iter().map(|row| row.position)).collect();
    let mut expected = from + 1;
    for found in positions {
        if found != expected {
            report.add(Fault::Gap { expected, found });
        }
        expected = found + 1;
    }
}

fn check_command(end: CommandEnd, report: &mut Report) {
    let reason = match (end.waits, end.has_outcome, end.caused) {
        (true, true, _) => "has an answer and waits all the same",
        // Answers are forgotten after some time.
        (false, false, _) => return,
        (_, _, Some((first, last)))
            if first <= end.position || last < first || last > report.last_position =>
        {
            "is said to have caused what is not there"
        }
        (true, false, _) | (false, true, _) => return,
    };
    report.add(Fault::Command { position: end.position, reason: reason.to_owned() });
}

impl Replay {
    fn take(&mut self, message: &Envelope, report: &mut Report) {
        if message.kind == Kind::Command {
            report.commands += 1;
            return;
        }
        report.events += 1;
        let position = message.position;
        let (context, key) = (|| message.context.to_string(), || message.key.to_string());
        if &*message.context == operations::NAME {
            // Nobody decides on these, so there is nothing to fold.
            let read = operations::Event::decode(&message.type_name, message.schema_version, &message.body);
            if let Err(error) = read
                && !message.is_erased()
            {
                let (context, key, reason) = (context(), key(), error.to_string());
                report.add(Fault::Undecodable { position, context, key, reason });
            }
            return;
        }
        let Some(aggregates) = self.contexts.get_mut(&*message.context) else {
            return report.add(Fault::UnknownContext { position, context: context() });
        };
        match aggregates.fold(message) {
            Ok(()) | Err(Misfit::Broken) => {}
            Err(Misfit::Version { expected }) => {
                let found = message.stream_version;
                let (context, key) = (context(), key());
                report.add(Fault::StreamVersion { position, context, key, expected, found });
            }
            Err(Misfit::Unreadable(error)) => {
                let (context, key, reason) = (context(), key(), error.to_string());
                report.add(Fault::Undecodable { position, context, key, reason });
            }
        }
    }

    /// What a running program would load, snapshot first, against the fold of all events.
    async fn compare_snapshots(&self, store: &dyn Store, report: &mut Report) -> StoreResult<()> {
        report.aggregates = self.aggregates() as u64;
        for (name, aggregates) in &self.contexts {
            let mut keys = aggregates.keys();
            keys.sort_unstable();
            for keys in keys.chunks(KEYS) {
                let streams = store.streams(name, aggregates.mark(), keys.to_vec()).await?;
                for (key, stream) in keys.iter().zip(streams) {
                    let Some(snapshot) = &stream.snapshot else { continue };
                    report.snapshots += 1;
                    let found = match (aggregates.loaded(&stream), aggregates.state(key)) {
                        // Told already, event by event.
                        (_, Ok(None)) => continue,
                        (Ok(loaded), Ok(Some(folded))) if loaded == folded => continue,
                        (Ok(loaded), Ok(Some(folded))) => unequal(snapshot.stream_version, &loaded, &folded),
                        (Err(reason), _) => {
                            Some((format!("its snapshot does not load: {reason}"), Vec::new()))
                        }
                        (_, Err(error)) => Some((format!("its state has no JSON form: {error}"), Vec::new())),
                    };
                    if let Some((reason, differences)) = found {
                        let (context, key) = ((*name).to_owned(), key.to_string());
                        report.add(Fault::State { context, key, reason, differences });
                    }
                }
            }
        }
        Ok(())
    }
}

type Inequality = (String, Vec<super::Difference>);

fn unequal(snapshot: i64, loaded: &(i64, String), folded: &(i64, String)) -> Option<Inequality> {
    if loaded.0 != folded.0 {
        let reason =
            format!("its snapshot at {snapshot} leads to version {} instead of {}", loaded.0, folded.0);
        return Some((reason, Vec::new()));
    }
    // A map without order may have been written in another one.
    let [from, to] =
        [&loaded.1, &folded.1].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    let differences = differences(&from, &to);
    let reason = format!("its snapshot at stream version {snapshot} is not what its events fold to");
    (!differences.is_empty()).then_some((reason, differences))
}
