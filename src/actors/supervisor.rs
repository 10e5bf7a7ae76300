//! OTP-style supervision: children started in order, restarted by strategy within a budget, stopped in reverse.

use super::environment::Environment;
use super::status::{ActorStatus, Registry, Stage};
use super::trouble::cause_of;
use crate::domain::operations::{self, ActorDied, ActorQuarantined, ActorRestarted};
use crate::store::Cause;
use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The kind of a supervisor that is a child itself.
const SUPERVISOR: &str = "supervisor";

/// Which children share the fate of one that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    OneForOne,
    OneForAll,
    /// It and those started after it.
    RestForOne,
}

/// What happens when a child has used up its restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The supervisor fails, which its own supervisor sees.
    Escalate,
    /// The child stays down, loudly; its siblings run on.
    Quarantine,
}

/// Restarts allowed within a time.
#[derive(Clone, Copy, Debug)]
pub struct Intensity {
    pub restarts: usize,
    pub within: Duration,
}

/// Of a whole tree: several children may use up theirs before it gives up.
pub const TREE_INTENSITY: Intensity = Intensity { restarts: 40, within: Duration::from_secs(60) };

impl Default for Intensity {
    fn default() -> Self {
        Self { restarts: 10, within: Duration::from_secs(60) }
    }
}

impl Intensity {
    /// Whether there were more deaths than it allows; forgets those that are too old to count.
    fn spent(&self, deaths: &mut VecDeque<Instant>) -> bool {
        let now = Instant::now();
        deaths.retain(|at| now.duration_since(*at) < self.within);
        deaths.len() > self.restarts
    }
}

/// What a child is started with.
pub struct Start {
    pub supervisor: ActorCell,
    pub status: Arc<ActorStatus>,
    pub generation: u64,
}

/// How and why a child died.
#[derive(Clone, Debug)]
pub struct Death {
    pub path: String,
    pub generation: u64,
    pub cause: String,
    pub kind: Cause,
    /// Position of the message it was handling, 0 for none.
    pub current: i64,
    /// How often that message had failed before.
    pub attempts: u32,
}

type StartFn = Arc<dyn Fn(Start) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;
type DeathFn = Arc<dyn Fn(Death) -> BoxFuture<'static, ()> + Send + Sync>;

/// One child: everything needed to start it again.
#[derive(Clone)]
pub struct ChildSpec {
    pub name: String,
    pub kind: &'static str,
    pub start: StartFn,
    pub exhausted: Exhausted,
    pub intensity: Intensity,
    /// How long it may take to stop by itself before it is killed.
    pub patience: Duration,
    /// Done before the restart, so that what is told there is durable first. A death that is told there with the
    /// message it is blamed on is charged to that message, not to the child's budget.
    pub on_death: Option<DeathFn>,
}

impl ChildSpec {
    pub fn new<F, Fut>(name: impl Into<String>, kind: &'static str, start: F) -> Self
    where
        F: Fn(Start) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ActorCell, SpawnErr>> + Send + 'static,
    {
        Self {
            name: name.into(),
            kind,
            start: Arc::new(move |given| Box::pin(start(given))),
            exhausted: Exhausted::Escalate,
            intensity: Intensity::default(),
            patience: Duration::from_secs(5),
            on_death: None,
        }
    }

    #[must_use]
    pub fn quarantined_when_exhausted(mut self) -> Self {
        self.exhausted = Exhausted::Quarantine;
        self
    }

    #[must_use]
    pub fn on_death<F, Fut>(mut self, tell: F) -> Self
    where
        F: Fn(Death) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.on_death = Some(Arc::new(move |death| Box::pin(tell(death))));
        self
    }

    /// A supervisor as a child of another.
    #[must_use]
    pub fn supervisor(
        name: &str,
        strategy: Strategy,
        children: Vec<Self>,
        hub: Arc<dyn HasRegistry>,
    ) -> Self {
        Self::new(name, SUPERVISOR, move |start: Start| {
            let (children, hub) = (children.clone(), hub.clone());
            let plan = Plan { strategy, intensity: TREE_INTENSITY, children, hub, status: start.status };
            async move { Ok(Actor::spawn_linked(None, Supervisor, plan, start.supervisor).await?.0.get_cell()) }
        })
    }
}

/// Where supervisors find the records of their children, and chance.
pub trait HasRegistry: Send + Sync {
    fn registry(&self) -> &Registry;

    fn environment(&self) -> Environment {
        Environment::default()
    }

    /// Something has happened to the actor at this path that is to be on the record.
    fn noticed(&self, _path: &str, _event: operations::Event) {}
}

/// What a supervisor is made of.
pub struct Plan {
    pub strategy: Strategy,
    /// Restarts of all children together, past which the supervisor itself fails.
    pub intensity: Intensity,
    pub children: Vec<ChildSpec>,
    pub hub: Arc<dyn HasRegistry>,
    pub status: Arc<ActorStatus>,
}

/// See the module.
pub struct Supervisor;

pub enum SupervisorMsg {
    /// Start children from `first` to `last` again, if nothing else has happened to them since.
    Restart { first: usize, last: usize, round: u64 },
    /// The operator wants the actor at this path restarted, budget or not.
    Revive(String),
    /// Ends the actor at this path at once, wherever it stands below this supervisor.
    Kill(String),
}

pub struct SupervisorState {
    strategy: Strategy,
    children: Vec<Child>,
    intensity: Intensity,
    /// Of all children together.
    deaths: VecDeque<Instant>,
    hub: Arc<dyn HasRegistry>,
    environment: Environment,
    /// Counts restarts that were asked for, so that an overtaken one is not carried out.
    round: u64,
}

struct Child {
    spec: ChildSpec,
    status: Arc<ActorStatus>,
    cell: Option<ActorCell>,
    deaths: VecDeque<Instant>,
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = SupervisorState;
    type Arguments = Plan;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMsg>,
        plan: Plan,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let mut children = Vec::with_capacity(plan.children.len());
        for spec in plan.children {
            let path = match plan.status.path.as_str() {
                "" => spec.name.clone(),
                parent => format!("{parent}/{}", spec.name),
            };
            let status = plan.hub.registry().at(&path, spec.kind);
            children.push(Child { spec, status, cell: None, deaths: VecDeque::new() });
        }
        let mut state = SupervisorState {
            strategy: plan.strategy,
            children,
            intensity: plan.intensity,
            deaths: VecDeque::new(),
            environment: plan.hub.environment(),
            hub: plan.hub,
            round: 0,
        };
        for n in 0..state.children.len() {
            if let Err(error) = state.start(n, &myself).await {
                state.stop_all().await;
                return Err(error);
            }
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Restart { first, last, round } if round == state.round => {
                state.restart(first, last, &myself).await
            }
            SupervisorMsg::Restart { .. } => Ok(()),
            SupervisorMsg::Revive(path) => state.revive(&path, &myself).await,
            SupervisorMsg::Kill(path) => {
                state.kill(&path);
                Ok(())
            }
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, kind, cause) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, cause_of(&error), error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                (cell, Cause::Kill, reason.unwrap_or_else(|| "it ended".to_owned()))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => return Ok(()),
        };
        // Not ours any more: one that this supervisor stopped itself.
        let is_it = |child: &Child| child.cell.as_ref().is_some_and(|known| known.get_id() == cell.get_id());
        match state.children.iter().position(is_it) {
            Some(n) => state.died(n, kind, cause, &myself).await,
            None => Ok(()),
        }
    }

    async fn post_stop(
        &self,
        _: ActorRef<SupervisorMsg>,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.stop_all().await;
        Ok(())
    }
}

impl SupervisorState {
    async fn start(&mut self, n: usize, myself: &ActorRef<SupervisorMsg>) -> Result<(), ActorProcessingErr> {
        let Some(child) = self.children.get_mut(n) else { return Ok(()) };
        let generation = child.status.next_generation();
        child.status.set_stage(Stage::Starting);
        let start = Start { supervisor: myself.get_cell(), status: child.status.clone(), generation };
        match (child.spec.start)(start).await {
            Ok(cell) => {
                child.cell = Some(cell);
                child.status.set_stage(Stage::Running);
                if generation > 1 {
                    self.hub.noticed(&child.status.path, ActorRestarted { generation }.into());
                }
                Ok(())
            }
            Err(error) => {
                let text = start_error(error);
                child.status.set_error(text.clone());
                Err(format!("{} did not start: {text}", child.status.path).into())
            }
        }
    }

    async fn died(
        &mut self,
        n: usize,
        kind: Cause,
        cause: String,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(child) = self.children.get_mut(n) else { return Ok(()) };
        child.cell = None;
        let status = &child.status;
        let death = Death {
            path: status.path.clone(),
            generation: status.generation(),
            cause: cause.clone(),
            kind,
            current: status.current.swap(0, std::sync::atomic::Ordering::Relaxed),
            attempts: status.current_attempts.load(std::sync::atomic::Ordering::Relaxed),
        };
        tracing::error!(
            actor.path = %death.path, actor.generation = death.generation,
            message.position = death.current, cause, "an actor has died"
        );
        let message_position = (death.current != 0).then_some(death.current);
        let (generation, path) = (death.generation, death.path.clone());
        self.hub.noticed(&path, ActorDied { generation, cause: cause.clone(), message_position }.into());
        status.set_error(cause);
        status.set_stage(Stage::Restarting);
        let mut charged_to_message = false;
        if let Some(tell) = child.spec.on_death.clone() {
            charged_to_message = death.current != 0;
            tell(death).await;
        }
        if !charged_to_message {
            child.deaths.push_back(Instant::now());
            self.deaths.push_back(Instant::now());
        }
        self.plan_restart(n, myself).await
    }

    /// Looks at the child's budget and sends for its restart after a pause, with those who share its fate.
    async fn plan_restart(
        &mut self,
        n: usize,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(child) = self.children.get_mut(n) else { return Ok(()) };
        let (spent, all_spent) =
            (child.spec.intensity.spent(&mut child.deaths), self.intensity.spent(&mut self.deaths));
        if spent || all_spent {
            let end = if all_spent { Err(overspent(&self.deaths)) } else { exhausted(child, &*self.hub) };
            if end.is_err() {
                // A failed supervisor's children would be killed in no order.
                self.stop_all().await;
            }
            return end;
        }
        let pause = pause(child.deaths.len(), self.environment.random());
        let (first, last) = self.sharing_fate(n);
        for other in (first..=last).rev() {
            self.stop(other).await;
        }
        // A child of its own fate must not overtake or undo a sibling's pending restart.
        if self.strategy != Strategy::OneForOne {
            self.round += 1;
        }
        let round = self.round;
        myself.send_after(pause, move || SupervisorMsg::Restart { first, last, round });
        Ok(())
    }

    async fn restart(
        &mut self,
        first: usize,
        last: usize,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), ActorProcessingErr> {
        for n in first..=last {
            let stays = |child: &Child| child.cell.is_some() || child.status.stage() == Stage::Quarantined;
            if self.children.get(n).is_some_and(stays) {
                continue;
            }
            if let Err(error) = self.start(n, myself).await {
                tracing::error!(%error, "an actor did not restart");
                if let Some(child) = self.children.get_mut(n) {
                    child.deaths.push_back(Instant::now());
                    self.deaths.push_back(Instant::now());
                }
                return self.plan_restart(n, myself).await;
            }
        }
        Ok(())
    }

    async fn stop_all(&mut self) {
        for n in (0..self.children.len()).rev() {
            self.stop(n).await;
        }
    }

    /// The child at this path, or the one that it stands below.
    fn towards(&self, path: &str) -> Option<usize> {
        self.children.iter().position(|child| {
            let rest = path.strip_prefix(&*child.status.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn kill(&self, path: &str) {
        let Some(child) = self.towards(path).and_then(|n| self.children.get(n)) else { return };
        match &child.cell {
            Some(cell) if child.status.path == path => cell.kill(),
            Some(cell) => pass_on(child, cell, SupervisorMsg::Kill(path.to_owned())),
            None => {}
        }
    }

    /// Stops and starts it with those who share its fate.
    async fn revive(
        &mut self,
        path: &str,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(n) = self.towards(path) else { return Ok(()) };
        let (mut first, last) = self.sharing_fate(n);
        let is_down = |child: &Child| child.cell.is_none() && child.status.stage() != Stage::Quarantined;
        let down = self.children.iter().position(is_down);
        let Some(child) = self.children.get_mut(n) else { return Ok(()) };
        if child.status.path != path {
            if let Some(cell) = &child.cell {
                pass_on(child, cell, SupervisorMsg::Revive(path.to_owned()));
            }
            return Ok(());
        }
        child.deaths.clear();
        self.deaths.clear();
        for other in (first..=last).rev() {
            self.stop(other).await;
        }
        if let Some(child) = self.children.get(n) {
            child.status.set_stage(Stage::Restarting);
        }
        // Overtakes a restart that is pending, so it takes on those who wait for that.
        if self.strategy != Strategy::OneForOne {
            self.round += 1;
            first = first.min(down.unwrap_or(first));
        }
        self.restart(first, last, myself).await
    }

    fn sharing_fate(&self, n: usize) -> (usize, usize) {
        let end = self.children.len().saturating_sub(1);
        match self.strategy {
            Strategy::OneForOne => (n, n),
            Strategy::OneForAll => (0, end),
            Strategy::RestForOne => (n, end),
        }
    }

    /// Stop, wait, then kill.
    async fn stop(&mut self, n: usize) {
        let Some(child) = self.children.get_mut(n) else { return };
        let Some(cell) = child.cell.take() else { return };
        if cell.stop_and_wait(None, Some(child.spec.patience)).await.is_err() {
            cell.kill();
            let _ = cell.wait(Some(child.spec.patience)).await;
        }
        child.status.set_stage(Stage::Stopped);
    }
}

fn pass_on(child: &Child, cell: &ActorCell, order: SupervisorMsg) {
    if child.spec.kind == SUPERVISOR {
        drop(ActorRef::<SupervisorMsg>::from(cell.clone()).cast(order));
    }
}

fn overspent(deaths: &VecDeque<Instant>) -> ActorProcessingErr {
    format!("the restarts of the whole tree are used up ({} deaths)", deaths.len()).into()
}

fn exhausted(child: &Child, hub: &dyn HasRegistry) -> Result<(), ActorProcessingErr> {
    let path = &child.status.path;
    match child.spec.exhausted {
        Exhausted::Quarantine => {
            child.status.set_stage(Stage::Quarantined);
            tracing::error!(actor.path = %path, "an actor has used up its restarts and is quarantined");
            let cause = child.status.view().last_error.unwrap_or_default();
            let generation = child.status.generation();
            hub.noticed(path, ActorQuarantined { generation, cause }.into());
            Ok(())
        }
        Exhausted::Escalate => Err(format!("{path} has used up its restarts").into()),
    }
}

fn start_error(error: SpawnErr) -> String {
    match error {
        SpawnErr::StartupFailed(error) => error.to_string(),
        SpawnErr::ActorAlreadyStarted => "it is already started".to_owned(),
        SpawnErr::ActorAlreadyRegistered(name) => format!("the name {name} is taken"),
    }
}

/// The first restart at once, then full jitter over a doubling span.
fn pause(deaths: usize, random: u64) -> Duration {
    let doublings = u32::try_from(deaths.saturating_sub(2)).unwrap_or(u32::MAX).min(10);
    let span_ms = if deaths <= 1 { 0 } else { (10_u64 << doublings).min(5_000) };
    Duration::from_millis(random % (span_ms + 1))
}
