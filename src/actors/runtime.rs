//! Builds the tree from the list of contexts, starts it, and stops it in the reverse order.

use super::context_actor::{self, ContextActor};
use super::deaths::burn;
use super::dispatcher::{Dispatcher, Watermarks};
use super::doorbell::Doorbell;
use super::environment::Environment;
use super::folded::Snapshots;
use super::follower::{self, Follower};
use super::gateway::Gateways;
use super::hub::Hub;
use super::journal::{self, Journal, JournalHandle};
use super::lane::Lane;
use super::projector::{self, Projector, table_name};
use super::reactor::{self, Reaction, Reactor};
use super::retry::Retries;
use super::scheduler::{self, Scheduler};
use super::status::{Registry, Stage};
use super::supervisor::{
    ChildSpec, HasRegistry, Plan, Start, Strategy, Supervisor, SupervisorMsg, TREE_INTENSITY,
};
use super::tasks;
use super::upkeep::{Housekeeper, Upkeep};
use super::view::View;
use crate::clients::gateway::Gateway;
use crate::domain::breakers::Breakers;
use crate::domain::context::{Context, ErasedProjection, Projection, ProjectionVisitor};
use crate::domain::erased;
use crate::domain::operations;
use crate::domain::registry::Visitor;
use crate::domain::rehearsal::{self, ErasedContext};
use crate::store::{Store, StoreError};
use ractor::{Actor, ActorCell, ActorRef};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

type ChildOf = Box<dyn Fn(Arc<Hub>) -> ChildSpec>;

/// What a runtime is made of, one context after the other.
#[derive(Default)]
pub struct Contexts {
    /// With the node of the tree that each stands under.
    names: Vec<(&'static str, &'static str)>,
    erased: BTreeMap<&'static str, Arc<dyn ErasedContext>>,
    actors: Vec<(&'static str, ChildOf)>,
    reactors: Vec<ChildOf>,
    projections: Vec<Arc<dyn ErasedProjection>>,
    watermarks: Watermarks,
    upkeep: Option<Arc<Upkeep>>,
    environment: Environment,
    retries: Retries,
    gateways: Vec<Arc<dyn Gateway>>,
    snapshots: Snapshots,
}

impl ProjectionVisitor for Contexts {
    fn erased(&mut self, projection: Arc<dyn ErasedProjection>) {
        self.projections.push(projection);
    }
}

impl Contexts {
    /// Registers a context with its actor, its reactions and its read models.
    #[must_use]
    pub fn with<C: Context>(mut self) -> Self {
        self.names.push((C::NAME, C::NODE));
        self.erased.insert(C::NAME, rehearsal::erased::<C>());
        self.actors.push((C::NODE, Box::new(context_child::<C>)));
        if !C::REACTS_TO.is_empty() {
            let (name, reacts_to, reaction) = (C::NAME, C::REACTS_TO, C::reaction as Reaction);
            self.reactors.push(Box::new(move |hub| reactor_child(hub, name, reacts_to, reaction)));
        }
        C::projections(&mut self);
        self
    }

    /// Lets the runtime keep house: backups, drills, forgetting what is old.
    #[must_use]
    pub fn upkeep(mut self, upkeep: Upkeep) -> Self {
        self.upkeep = Some(Arc::new(upkeep));
        self
    }

    #[must_use]
    pub fn watermarks(mut self, watermarks: Watermarks) -> Self {
        self.watermarks = watermarks;
        self
    }

    /// An outside service that commands may call.
    #[must_use]
    pub fn gateway(mut self, gateway: Arc<dyn Gateway>) -> Self {
        self.gateways.push(gateway);
        self
    }

    /// When failed messages are tried again.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// When snapshots are taken.
    #[must_use]
    pub fn snapshots(mut self, snapshots: Snapshots) -> Self {
        self.snapshots = snapshots;
        self
    }

    /// Time, chance and threads of a simulation instead of the machine's.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    #[must_use]
    pub fn projections(&self) -> &[Arc<dyn ErasedProjection>] {
        &self.projections
    }
}

/// A running tree.
pub struct Runtime {
    pub(super) hub: Arc<Hub>,
    pub(super) root: ActorCell,
}

impl Visitor for Contexts {
    fn context<C: Context>(&mut self) {
        *self = std::mem::take(self).with::<C>();
    }

    fn projection<P: Projection>(&mut self) {
        erased::show::<P>(self);
    }
}

impl HasRegistry for Hub {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn environment(&self) -> Environment {
        self.environment.clone()
    }

    fn noticed(&self, path: &str, event: operations::Event) {
        self.notice(path, &event);
    }
}

impl Runtime {
    /// Starts everything; on return every context takes messages.
    ///
    /// # Errors
    /// When the store cannot be read or an actor does not start.
    pub async fn start(store: Arc<dyn Store>, contexts: Contexts) -> Result<Self, StoreError> {
        let hub = Arc::new(build_hub(store, &contexts).await?);
        let status = hub.registry.at("", "supervisor");
        let plan = Plan {
            strategy: Strategy::RestForOne,
            intensity: TREE_INTENSITY,
            children: children(&hub, &contexts),
            hub: hub.clone(),
            status,
        };
        let (root, _) = Actor::spawn(None, Supervisor, plan)
            .await
            .map_err(|error| StoreError::Unavailable(format!("the runtime did not start: {error}")))?;
        hub.registry.at("", "supervisor").set_stage(Stage::Running);
        let above = root.clone();
        hub.take_orders(move |path| drop(above.cast(SupervisorMsg::Revive(path))));
        Ok(Self { hub, root: root.get_cell() })
    }

    #[must_use]
    pub fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(self.hub.clone())
    }

    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Ends one actor at once, as a crash would; its supervisor sees to the rest. The empty path ends them all.
    pub fn kill(&self, path: &str) {
        if path.is_empty() {
            return self.root.kill();
        }
        let root = ActorRef::<SupervisorMsg>::from(self.root.clone());
        drop(root.cast(SupervisorMsg::Kill(path.to_owned())));
    }

    /// Resolves when the tree has given up or was stopped.
    pub async fn ended(&self) {
        let _ = self.root.wait(None).await;
    }
}

async fn build_hub(store: Arc<dyn Store>, contexts: &Contexts) -> Result<Hub, StoreError> {
    let registry = Registry::default();
    let mut lanes = BTreeMap::new();
    for (name, node) in &contexts.names {
        let status = registry.at(&format!("{node}/{name}"), "context");
        lanes.insert(*name, Arc::new(Lane::new(name, status)));
    }
    for (context, count) in store.waiting_counts().await? {
        if let Some(lane) = lanes.get(&*context) {
            lane.status.waiting.store(count, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let mut views = BTreeMap::new();
    for projection in &contexts.projections {
        let view = View::new(table_name(&**projection), projection.reads());
        views.insert(projection.name(), view);
    }
    let last = store.last_position().await?;
    let mut hub = Hub::new(store, JournalHandle::default(), registry, lanes, views, last);
    hub.environment = contexts.environment.clone();
    hub.retries = contexts.retries.clone();
    hub.contexts.clone_from(&contexts.erased);
    hub.watermarks = contexts.watermarks;
    hub.gateways = Gateways::new(&contexts.gateways);
    hub.upkeep = contexts.upkeep.clone();
    hub.snapshots = contexts.snapshots;
    Ok(hub)
}

fn children(hub: &Arc<Hub>, contexts: &Contexts) -> Vec<ChildSpec> {
    let projectors = contexts.projections.iter().map(|p| projector_child(hub.clone(), p.clone())).collect();
    let reactors = contexts.reactors.iter().map(|child| child(hub.clone())).collect();
    let tree = |name: &str, children| {
        ChildSpec::supervisor(name, Strategy::OneForOne, children, hub.clone() as Arc<dyn HasRegistry>)
    };
    let mut children =
        vec![journal_child(hub), scheduler_child(hub.clone()), tree("projections", projectors)];
    for node in nodes(contexts) {
        let here = contexts.actors.iter().filter(|(under, _)| *under == node);
        let board = (node == Breakers::NODE).then(|| follower_child(hub));
        children
            .push(tree(node, board.into_iter().chain(here.map(|(_, child)| child(hub.clone()))).collect()));
    }
    children.push(tree("reactions", reactors));
    if hub.upkeep.is_some() {
        children.push(housekeeper_child(hub.clone()));
    }
    children
}

/// Where contexts stand, the breakers before those who go by them.
fn nodes(contexts: &Contexts) -> Vec<&'static str> {
    let mut nodes: Vec<_> = contexts.actors.iter().map(|(node, _)| *node).collect();
    nodes.sort_by_key(|node| *node != Breakers::NODE);
    let mut seen = BTreeSet::new();
    nodes.retain(|node| seen.insert(*node));
    nodes
}

fn follower_child(hub: &Arc<Hub>) -> ChildSpec {
    let bell = Arc::new(Doorbell::default());
    add_reader(hub, &bell);
    let hub = hub.clone();
    ChildSpec::new("board", "reader", move |start: Start| {
        let Start { supervisor, status, .. } = start;
        let arguments = follower::Arguments { hub: hub.clone(), bell: bell.clone(), status };
        async move { Ok(Actor::spawn_linked(None, Follower, arguments, supervisor).await?.0.get_cell()) }
    })
    .quarantined_when_exhausted()
}

fn journal_child(hub: &Arc<Hub>) -> ChildSpec {
    let (hub, handle) = (Arc::downgrade(hub), hub.journal.clone());
    let dying = handle.clone();
    ChildSpec::new("journal", "journal", move |start: Start| {
        let (hub, handle) = (hub.clone(), handle.clone());
        async move {
            let arguments = (handle.clone(), hub, start.status);
            let (journal, ended) = Actor::spawn_linked(None, Journal, arguments, start.supervisor).await?;
            // The supervisor may be waiting for another child, which waits for the journal: it cannot see to it.
            let incarnation = handle.incarnation();
            let close = async move {
                drop(ended.await);
                handle.close_after(incarnation);
            };
            tasks::watched(close, |panic| tracing::error!(panic, "nobody sees the end of the journal"));
            Ok(journal.get_cell())
        }
    })
    .on_death(move |_| {
        dying.close(journal::DIED);
        std::future::ready(())
    })
}

fn scheduler_child(hub: Arc<Hub>) -> ChildSpec {
    ChildSpec::new("scheduler", "scheduler", move |start: Start| {
        let Start { supervisor, status, generation } = start;
        let arguments = scheduler::Arguments { hub: hub.clone(), status, generation };
        async move { Ok(Actor::spawn_linked(None, Scheduler, arguments, supervisor).await?.0.get_cell()) }
    })
    .quarantined_when_exhausted()
}

fn housekeeper_child(hub: Arc<Hub>) -> ChildSpec {
    ChildSpec::new("housekeeper", "housekeeper", move |start: Start| {
        let arguments = (hub.clone(), start.status);
        async move {
            Ok(Actor::spawn_linked(None, Housekeeper, arguments, start.supervisor).await?.0.get_cell())
        }
    })
    .quarantined_when_exhausted()
}

fn context_child<C: Context>(hub: Arc<Hub>) -> ChildSpec {
    let (starting, dying) = (hub.clone(), hub);
    ChildSpec::new(C::NAME, "context", move |start: Start| {
        let hub = starting.clone();
        async move {
            let lane = hub.lanes.get(C::NAME).cloned();
            let lane = lane.unwrap_or_else(|| Arc::new(Lane::new(C::NAME, start.status.clone())));
            let arguments = context_actor::Arguments { hub, lane, generation: start.generation };
            let actor = ContextActor::<C>::default();
            Ok(Actor::spawn_linked(None, actor, arguments, start.supervisor).await?.0.get_cell())
        }
    })
    .quarantined_when_exhausted()
    .on_death(move |death| burn(dying.clone(), death))
}

fn projector_child(hub: Arc<Hub>, projection: Arc<dyn ErasedProjection>) -> ChildSpec {
    let bell = hub.views.get(projection.name()).map(|view| view.bell.clone()).unwrap_or_default();
    add_reader(&hub, &bell);
    ChildSpec::new(projection.name(), "projector", move |start: Start| {
        let arguments = projector::Arguments {
            hub: hub.clone(),
            projection: projection.clone(),
            bell: bell.clone(),
            status: start.status,
            generation: start.generation,
        };
        async move {
            Ok(Actor::spawn_linked(None, Projector, arguments, start.supervisor).await?.0.get_cell())
        }
    })
    .quarantined_when_exhausted()
}

fn reactor_child(
    hub: Arc<Hub>,
    context: &'static str,
    reacts_to: &'static [&'static str],
    reaction: Reaction,
) -> ChildSpec {
    let bell = Arc::new(Doorbell::default());
    add_reader(&hub, &bell);
    ChildSpec::new(context, "reactor", move |start: Start| {
        let arguments = reactor::Arguments {
            hub: hub.clone(),
            context,
            reacts_to,
            reaction,
            bell: bell.clone(),
            status: start.status,
            generation: start.generation,
        };
        async move { Ok(Actor::spawn_linked(None, Reactor, arguments, start.supervisor).await?.0.get_cell()) }
    })
    .quarantined_when_exhausted()
}

fn add_reader(hub: &Hub, bell: &Arc<Doorbell>) {
    hub.readers.write().unwrap_or_else(PoisonError::into_inner).push(bell.clone());
}
