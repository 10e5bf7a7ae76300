//! Decisions that rest on more than their aggregate: facts are gathered beside the actor, and shared while they hold.

use super::hub::Hub;
use super::status::ActorStatus;
use super::trouble::Failure;
use super::view::View;
use crate::domain::context::{Context, Need, Rows};
use crate::domain::envelope::{Envelope, Metadata};
use crate::store::{Outcome, RowQuery, StoreError};
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows read at a time.
const PAGE: u32 = 1000;
/// Decides that run beside the actor at once, per context.
const DECIDED_ASIDE: usize = 2;
/// Sets of facts kept while their read models stay as they are.
const FACTS_KEPT: usize = 4;

/// Facts as of the last change of the read models they were made of.
type Known<F> = HashMap<Vec<Need>, (Vec<(i64, u64)>, Arc<F>)>;

/// Decisions beside the actor: bounded, with facts shared as long as they hold.
pub(super) struct Gathering<C: Context> {
    places: tokio::sync::Semaphore,
    facts: Mutex<Known<C::Facts>>,
}

impl<C: Context> Default for Gathering<C> {
    fn default() -> Self {
        Self { places: tokio::sync::Semaphore::new(DECIDED_ASIDE), facts: Mutex::default() }
    }
}

impl<C: Context> Gathering<C> {
    /// The outer result says that the attempt failed; the inner one is the domain's answer.
    pub(super) async fn decide(
        &self,
        hub: &Hub,
        status: &ActorStatus,
        message: &Arc<Envelope>,
        command: C::Command,
        state: C::State,
    ) -> Result<Result<Vec<C::Event>, Outcome>, Failure> {
        let needs = C::needs(&command);
        // Before a place is taken: a read model that is far behind must not hold up those that need others.
        catch_up(hub, status, &needs, message).await?;
        let _place = self.places.acquire().await.map_err(Failure::transient)?;
        let slot = hub.slots.take(&hub.store);
        slot.mark(message.position);
        let facts = self.facts(hub, needs).await?;
        let metadata = Metadata::of(message);
        let decided = hub.environment.heavy(move || C::decide(&state, &command, &facts, &metadata)).await;
        Ok(decided.map_err(Failure::Panic)?.map_err(|rejection| Outcome::Rejected { rejection }))
    }

    async fn facts(&self, hub: &Hub, needs: Vec<Need>) -> Result<Arc<C::Facts>, Failure> {
        let mut views = Vec::with_capacity(needs.len());
        for need in &needs {
            views.push(view(hub, need)?);
        }
        let as_of = |view: &&View| (view.changed.load(Relaxed), view.swaps.load(Relaxed));
        let changed: Vec<_> = views.iter().map(as_of).collect();
        let known = self.facts.lock().unwrap_or_else(PoisonError::into_inner).get(&needs).cloned();
        if let Some((as_of, facts)) = known
            && as_of == changed
        {
            return Ok(facts);
        }
        let mut rows = Rows::default();
        for (need, view) in needs.iter().zip(views) {
            let found = hub.patiently(|| rows_of(hub, need, &view.table)).await;
            rows.0.insert(need.projection, found.map_err(Failure::transient)?);
        }
        let facts = hub.environment.heavy(move || C::facts(&rows)).await.map_err(Failure::Panic)?;
        let facts = Arc::new(facts.map_err(|error| Failure::Permanent(error.to_string()))?);
        let mut known = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FACTS_KEPT {
            known.clear();
        }
        known.insert(needs, (changed, facts.clone()));
        Ok(facts)
    }
}

fn view<'a>(hub: &'a Hub, need: &Need) -> Result<&'a View, Failure> {
    let view = hub.views.get(need.projection);
    view.ok_or_else(|| Failure::Permanent(format!("no read model is called {}", need.projection)))
}

/// Whether [`catch_up`] returns at once.
pub(super) fn has_caught_up(hub: &Hub, needs: &[Need], message: &Envelope) -> bool {
    let has = |view: &View| *view.caught_up.borrow() >= message.position;
    needs.iter().all(|need| hub.views.get(need.projection).is_none_or(has))
}

/// Returns when everything before the message is in the read models that it needs.
pub(super) async fn catch_up(
    hub: &Hub,
    status: &ActorStatus,
    needs: &[Need],
    message: &Envelope,
) -> Result<(), Failure> {
    for need in needs {
        let view = view(hub, need)?;
        if *view.caught_up.borrow() >= message.position {
            continue;
        }
        let reason = format!("for the read model {} to catch up", need.projection);
        status.waits.begin(&message.key, reason, None, &hub.environment);
        let mut caught_up = view.caught_up.subscribe();
        let reached = caught_up.wait_for(|reached| *reached >= message.position).await.map(drop);
        status.waits.end(&message.key);
        reached.map_err(Failure::transient)?;
    }
    Ok(())
}

/// The rows that are asked for.
pub(super) async fn rows_of(
    hub: &Hub,
    need: &Need,
    table: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    match &need.keys {
        Some(keys) => hub.store.rows_by_key(table, keys.clone()).await,
        None => all_rows(hub, table).await,
    }
}

async fn all_rows(hub: &Hub, table: &str) -> Result<Vec<(String, String)>, StoreError> {
    let mut all = Vec::new();
    let mut query = RowQuery { limit: PAGE, ..Default::default() };
    loop {
        let page = hub.store.rows(table, query.clone()).await?;
        all.extend(page.rows);
        if page.next.is_none() {
            return Ok(all);
        }
        query.after = page.next;
    }
}
