//! What must hold of a store whatever its owners died of.

use super::load::{Load, request};
use meal_planner::actors::Contexts;
use meal_planner::domain;
use meal_planner::domain::context::ErasedProjection;
use meal_planner::domain::envelope::{Envelope, Key, Kind};
use meal_planner::domain::operations;
use meal_planner::store::{Filter, Outcome, RowQuery, Store, StoredOutcome};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Everything in the store, read once.
pub struct Books {
    all: Vec<Arc<Envelope>>,
    outcomes: HashMap<Uuid, StoredOutcome>,
    /// Commands that wait.
    waiting: HashSet<Uuid>,
}

impl Books {
    pub async fn read(store: &dyn Store) -> Self {
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let page = store.messages_after(after, 5000, Filter::default()).await.expect("it reads");
            assert!(page.unreadable.is_empty(), "rows that do not read: {:?}", page.unreadable);
            if page.read_to == after {
                break;
            }
            after = page.read_to;
            all.extend(page.messages.into_iter().map(Arc::new));
        }
        let (mut outcomes, mut waiting) = (HashMap::new(), HashSet::new());
        for command in all.iter().filter(|message| message.kind == Kind::Command) {
            let status = store.message(command.id).await.expect("it reads").expect("it is there");
            outcomes.extend(status.outcome.map(|outcome| (command.id, outcome)));
            waiting.extend(status.waiting.map(|_| command.id));
        }
        Self { all, outcomes, waiting }
    }

    pub fn of_type<'b>(&'b self, type_name: &'b str) -> impl Iterator<Item = &'b Arc<Envelope>> {
        self.all.iter().filter(move |message| &*message.type_name == type_name)
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Commands that nobody has handled.
    pub fn waiting(&self) -> Vec<String> {
        self.waiting.iter().map(|id| format!("{id} still waits")).collect()
    }

    fn commands(&self) -> impl Iterator<Item = &Arc<Envelope>> {
        self.all.iter().filter(|message| message.kind == Kind::Command)
    }

    /// Positions, streams, inbox and outcomes: what each commit must have kept whole.
    pub fn inconsistencies(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (message, position) in self.all.iter().zip(1..) {
            if message.position != position {
                found.push(format!("position {position} is missing"));
                break;
            }
        }
        let mut versions: HashMap<(&str, &Key), i64> = HashMap::new();
        // What the runtime notes of itself belongs to no aggregate.
        let of_aggregates = |message: &&Arc<Envelope>| {
            message.kind == Kind::Event
                && (&*message.context != operations::NAME || message.stream_version.is_some())
        };
        for event in self.all.iter().filter(of_aggregates) {
            let version = versions.entry((&event.context, &event.key)).or_default();
            *version += 1;
            if event.stream_version != Some(*version) {
                let what = (&event.context, &event.key, event.stream_version);
                found.push(format!("{what:?} is not version {version}"));
            }
        }
        for command in self.commands() {
            let (done, waits) = (self.outcomes.contains_key(&command.id), self.waiting.contains(&command.id));
            if done == waits {
                found.push(format!("{} done: {done}, waiting: {waits}", named(command)));
            }
        }
        found.extend(self.handled_twice());
        found.extend(self.out_of_order());
        found
    }

    /// What a command led to stands together, where its outcome says, and nowhere else.
    fn handled_twice(&self) -> Vec<String> {
        let mut led_to: HashMap<Uuid, Vec<i64>> = HashMap::new();
        // A breaker hears of each attempt at a call, not of its command.
        let to_breakers: HashSet<i64> =
            self.commands().filter(|m| &*m.context == "breakers").map(|m| m.position).collect();
        for message in self.all.iter().filter(|message| !to_breakers.contains(&message.position)) {
            led_to.entry(message.causation_id.unwrap_or_default()).or_default().push(message.position);
        }
        let mut found = Vec::new();
        for command in self.commands() {
            let positions = led_to.get(&command.id).cloned().unwrap_or_default();
            let said = self.outcomes.get(&command.id).and_then(|outcome| outcome.caused);
            let expected = said.map_or_else(Vec::new, |(first, last)| {
                (first..=last).filter(|position| !to_breakers.contains(position)).collect()
            });
            if positions != expected {
                found.push(format!("{} led to {positions:?}, its outcome says {said:?}", named(command)));
            }
        }
        found
    }

    /// Commands of one aggregate were handled in the order in which they were accepted.
    fn out_of_order(&self) -> Vec<String> {
        let mut last: HashMap<(&str, &Key), i64> = HashMap::new();
        let mut found = Vec::new();
        for command in self.commands() {
            let Some((first, _)) = self.outcomes.get(&command.id).and_then(|outcome| outcome.caused) else {
                continue;
            };
            let before = last.insert((&command.context, &command.key), first).unwrap_or(0);
            if first <= before {
                found.push(format!("{} was handled before its predecessor", named(command)));
            }
        }
        found
    }

    /// What the clients were told is there once, in their order, and was handled.
    pub fn broken_promises(&self, load: &Load, poison: &str) -> Vec<String> {
        let by_id: HashMap<Uuid, &Arc<Envelope>> = self.commands().map(|m| (m.id, m)).collect();
        let mut found = Vec::new();
        for (client, answered) in load.answered.iter().enumerate() {
            let mut last = 0;
            for (n, id) in answered.iter().enumerate() {
                let Some(command) = by_id.get(id) else {
                    found.push(format!("{client}-{n}: {id} was acknowledged and is lost"));
                    continue;
                };
                if command.position <= last {
                    found.push(format!("{client}-{n}: {} came before its predecessor", named(command)));
                }
                last = command.position;
                found.extend(misheard(command, client, n, &load.hook));
                let outcome = self.outcomes.get(id).map(|stored| &stored.outcome);
                if outcome != Some(&Outcome::Handled) && command.key.as_str() != poison {
                    found.push(format!("{client}-{n}: {} ended as {outcome:?}", named(command)));
                }
            }
        }
        let told: HashSet<Uuid> = load.answered.iter().flatten().copied().collect();
        let from_clients = self.commands().filter(|m| m.causation_id.is_none() && &*m.context != "foods");
        let more = from_clients.filter(|command| !told.contains(&command.id));
        found.extend(more.map(|command| format!("{} was accepted twice or for nobody", named(command))));
        if told.len() != load.requests() {
            found.push("two requests were answered with one id".to_owned());
        }
        found.extend(self.waiting());
        found
    }
}

/// The command says what was asked.
fn misheard(command: &Envelope, client: usize, n: usize, hook: &str) -> Option<String> {
    let asked = request(client, n, hook);
    let name = ["/name", "/person/name", "/recipe/name", "/title", "/address"]
        .iter()
        .find_map(|at| asked.body.pointer(at));
    let text = name.and_then(serde_json::Value::as_str)?;
    (!command.body.contains(text)).then(|| format!("{client}-{n}: {text:?} became {}", command.body))
}

fn named(message: &Envelope) -> String {
    let Envelope { position, context, key, type_name, id, .. } = message;
    format!("{position} {context}/{key} {type_name} {id}")
}

/// Read models that are not what a rebuild makes of the same events.
pub async fn stale_rows(store: &dyn Store, books: &Books) -> Vec<String> {
    let mut contexts = Contexts::default();
    domain::contexts(&mut contexts);
    let mut found = Vec::new();
    for projection in contexts.projections() {
        let table = format!("{}_v{}", projection.name(), projection.version());
        let checkpoint = store.checkpoint(&table).await.expect("it reads");
        if checkpoint > books.all.len() as i64 {
            found.push(format!("{table} has read up to {checkpoint}, of {}", books.all.len()));
        }
        let rebuilt = rebuilt(&**projection, &books.all, checkpoint);
        let kept = rows(store, &table).await;
        if rebuilt != kept {
            let differs = |key: &&String| rebuilt.get(*key) != kept.get(*key);
            let keys: Vec<_> = rebuilt.keys().chain(kept.keys()).filter(differs).take(3).collect();
            found.push(format!("{table} at {checkpoint} is not what a rebuild makes: {keys:?}"));
        }
    }
    found
}

fn rebuilt(projection: &dyn ErasedProjection, all: &[Arc<Envelope>], until: i64) -> BTreeMap<String, String> {
    let of_interest = |event: &&Arc<Envelope>| {
        event.kind == Kind::Event
            && event.position <= until
            && projection.reads().contains(&event.context.as_ref())
    };
    let events: Vec<_> = all.iter().filter(of_interest).cloned().collect();
    let mut fold = projection.fold();
    assert!(fold.begin(&events).unread.is_empty(), "events that do not decode");
    let rows = fold.finish(Vec::new()).expect("nothing is loaded");
    rows.into_iter().filter_map(|change| Some((change.key, change.row?.body))).collect()
}

async fn rows(store: &dyn Store, table: &str) -> BTreeMap<String, String> {
    let (mut rows, mut query) = (BTreeMap::new(), RowQuery { limit: 1000, ..RowQuery::default() });
    loop {
        let page = store.rows(table, query.clone()).await.expect("it reads");
        rows.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return rows,
        }
    }
}
