//! Decisions that rest on more than their aggregate: facts are gathered beside the actor, and shared while they hold.

use super::hub::Hub;
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
    slots: tokio::sync::Semaphore,
    facts: Mutex<Known<C::Facts>>,
}

impl<C: Context> Default for Gathering<C> {
    fn default() -> Self {
        Self { slots: tokio::sync::Semaphore::new(DECIDED_ASIDE), facts: Mutex::default() }
    }
}

impl<C: Context> Gathering<C> {
    /// The outer result says that the attempt failed; the inner one is the domain's answer.
    pub(super) async fn decide(
        &self,
        hub: &Hub,
        message: &Arc<Envelope>,
        command: C::Command,
        state: C::State,
    ) -> Result<Result<Vec<C::Event>, Outcome>, String> {
        let _slot = self.slots.acquire().await.map_err(|error| error.to_string())?;
        let facts = self.facts(hub, C::needs(&command), message.position).await?;
        let metadata = Metadata::of(message);
        let decided = hub.environment.heavy(move || C::decide(&state, &command, &facts, &metadata)).await?;
        Ok(decided.map_err(|rejection| Outcome::Rejected { rejection }))
    }

    /// Facts that include everything before `position`.
    async fn facts(&self, hub: &Hub, needs: Vec<Need>, position: i64) -> Result<Arc<C::Facts>, String> {
        let mut changed = Vec::with_capacity(needs.len());
        let mut tables = Vec::with_capacity(needs.len());
        for need in &needs {
            let view = hub.views.get(need.projection);
            let view = view.ok_or_else(|| format!("no read model is called {}", need.projection))?;
            let mut caught_up = view.caught_up.subscribe();
            caught_up.wait_for(|reached| *reached >= position).await.map_err(|error| error.to_string())?;
            changed.push((view.changed.load(Relaxed), view.swaps.load(Relaxed)));
            tables.push(&view.table);
        }
        let known = self.facts.lock().unwrap_or_else(PoisonError::into_inner).get(&needs).cloned();
        if let Some((as_of, facts)) = known
            && as_of == changed
        {
            return Ok(facts);
        }
        let mut rows = Rows::default();
        for (need, table) in needs.iter().zip(tables) {
            let found = match &need.keys {
                Some(keys) => hub.patiently(|| hub.store.rows_by_key(table, keys.clone())).await,
                None => hub.patiently(|| all_rows(hub, table)).await,
            };
            rows.0.insert(need.projection, found.map_err(|error| error.to_string())?);
        }
        let facts =
            hub.environment.heavy(move || C::facts(&rows)).await?.map_err(|error| error.to_string())?;
        let facts = Arc::new(facts);
        let mut known = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FACTS_KEPT {
            known.clear();
        }
        known.insert(needs, (changed, facts.clone()));
        Ok(facts)
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
