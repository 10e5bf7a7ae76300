//! Supervision as in OTP: order, strategies, budgets, generations.

use crate::support::world::{World, append, attempt_limit, command, worlds_over_both_engines};
use crate::support::{soon, until};
use meal_planner::actors::{
    ChildSpec, Exhausted, HasRegistry, Intensity, Origin, Plan, Registry, Stage, Start, Strategy, Supervisor,
    SupervisorMsg, TREE_INTENSITY,
};
use meal_planner::store::Store as _;
use meal_planner::store::{StoreError, Unit};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

worlds_over_both_engines!(
    what_a_zombie_hands_in_is_refused,
    a_quarantined_context_accepts_and_does_not_handle,
    deaths_restarts_and_dead_letters_are_events,
);

/// What happened, in order: `+name generation` and `-name`.
type Diary = Arc<Mutex<Vec<String>>>;

struct Child;

enum Order {
    Panic,
    Fail,
}

impl Actor for Child {
    type Msg = Order;
    type State = (String, Diary);
    type Arguments = (String, u64, Diary);

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        (name, generation, diary): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        diary.lock().unwrap().push(format!("+{name} {generation}"));
        Ok((name, diary))
    }

    async fn handle(
        &self,
        _: ActorRef<Order>,
        order: Order,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Panic => panic!("as ordered"),
            Order::Fail => Err("as ordered".into()),
        }
    }

    async fn post_stop(
        &self,
        _: ActorRef<Order>,
        (name, diary): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        diary.lock().unwrap().push(format!("-{name}"));
        Ok(())
    }
}

#[derive(Default)]
struct Records(Registry);

impl HasRegistry for Records {
    fn registry(&self) -> &Registry {
        &self.0
    }
}

struct Tree {
    root: ActorRef<SupervisorMsg>,
    records: Arc<Records>,
    diary: Diary,
    cells: Arc<Mutex<std::collections::HashMap<String, ActorCell>>>,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Tree {
    async fn start(strategy: Strategy, change: impl Fn(ChildSpec) -> ChildSpec) -> Self {
        let (diary, records) = (Diary::default(), Arc::new(Records::default()));
        let cells: Arc<Mutex<std::collections::HashMap<String, ActorCell>>> = Arc::default();
        let child = |name: &'static str| {
            let (diary, cells) = (diary.clone(), cells.clone());
            let spec = ChildSpec::new(name, "child", move |start: Start| {
                let arguments = (name.to_owned(), start.generation, diary.clone());
                let cells = cells.clone();
                async move {
                    let (actor, _) = Actor::spawn_linked(None, Child, arguments, start.supervisor).await?;
                    cells.lock().unwrap().insert(name.to_owned(), actor.get_cell());
                    Ok(actor.get_cell())
                }
            });
            change(spec)
        };
        let status = records.0.at("", "supervisor");
        let children = NAMES.map(child).to_vec();
        let plan = Plan { strategy, intensity: TREE_INTENSITY, children, hub: records.clone(), status };
        let (root, _) = Actor::spawn(None, Supervisor, plan).await.unwrap();
        Self { root, records, diary, cells }
    }

    fn order(&self, name: &str, order: Order) {
        let cell = self.cells.lock().unwrap()[name].clone();
        ActorRef::<Order>::from(cell).cast(order).unwrap();
    }

    fn diary(&self) -> Vec<String> {
        self.diary.lock().unwrap().clone()
    }

    /// Since the last three starts.
    async fn diary_of(&self, entries: usize) -> Vec<String> {
        until("the diary fills", || ready(self.diary().len() >= NAMES.len() + entries)).await;
        self.diary().split_off(NAMES.len())
    }

    fn stage(&self, name: &str) -> Stage {
        self.records.0.find(name).unwrap().stage()
    }

    fn generation(&self, name: &str) -> u64 {
        self.records.0.find(name).unwrap().generation()
    }
}

fn small_budget(mut spec: ChildSpec) -> ChildSpec {
    spec.intensity = Intensity { restarts: 2, within: Duration::from_secs(600) };
    spec
}

#[tokio::test]
async fn children_start_in_order_and_stop_in_the_reverse_order() {
    let tree = Tree::start(Strategy::OneForOne, |spec| spec).await;
    assert_eq!(tree.diary(), ["+a 1", "+b 1", "+c 1"]);
    tree.root.get_cell().stop_and_wait(None, None).await.unwrap();
    assert_eq!(tree.diary_of(3).await, ["-c", "-b", "-a"]);
}

#[tokio::test]
async fn one_for_one_restarts_the_one_that_died() {
    let tree = Tree::start(Strategy::OneForOne, |spec| spec).await;
    tree.order("b", Order::Panic);
    assert_eq!(tree.diary_of(1).await, ["+b 2"]);
    tree.order("b", Order::Fail);
    assert_eq!(tree.diary_of(2).await, ["+b 2", "+b 3"]);
    assert_eq!([tree.generation("a"), tree.generation("b"), tree.generation("c")], [1, 3, 1]);
}

#[tokio::test]
async fn rest_for_one_restarts_it_and_those_started_after_it() {
    let tree = Tree::start(Strategy::RestForOne, |spec| spec).await;
    tree.order("b", Order::Panic);
    assert_eq!(tree.diary_of(3).await, ["-c", "+b 2", "+c 2"]);
}

#[tokio::test]
async fn one_for_all_restarts_all() {
    let tree = Tree::start(Strategy::OneForAll, |spec| spec).await;
    tree.order("b", Order::Panic);
    assert_eq!(tree.diary_of(5).await, ["-c", "-a", "+a 2", "+b 2", "+c 2"]);
}

#[tokio::test]
async fn a_killed_child_is_restarted_and_its_path_leads_to_it() {
    let tree = Tree::start(Strategy::OneForOne, |spec| spec).await;
    tree.root.cast(SupervisorMsg::Kill("c".to_owned())).unwrap();
    tree.root.cast(SupervisorMsg::Kill("nobody".to_owned())).unwrap();
    assert_eq!(tree.diary_of(1).await, ["+c 2"]);
}

async fn use_up(tree: &Tree, name: &str) {
    for generation in 1..=3 {
        until("it runs", || ready(tree.stage(name) == Stage::Running && tree.generation(name) == generation))
            .await;
        tree.order(name, Order::Fail);
    }
}

#[tokio::test]
async fn past_its_budget_a_child_is_quarantined_and_its_siblings_run_on() {
    let tree = Tree::start(Strategy::OneForOne, |spec| small_budget(spec).quarantined_when_exhausted()).await;
    use_up(&tree, "b").await;
    until("it is quarantined", || ready(tree.stage("b") == Stage::Quarantined)).await;
    assert_eq!([tree.stage("a"), tree.stage("c")], [Stage::Running, Stage::Running]);
    assert_eq!(tree.diary_of(2).await, ["+b 2", "+b 3"]);
    // The operator may bring it back, budget or not.
    tree.root.cast(SupervisorMsg::Revive("b".to_owned())).unwrap();
    assert_eq!(tree.diary_of(3).await[2], "+b 4");
    until("it runs", || ready(tree.stage("b") == Stage::Running)).await;
}

#[tokio::test]
async fn a_siblings_death_does_not_bring_a_quarantined_child_back() {
    let tree = Tree::start(Strategy::OneForAll, |spec| small_budget(spec).quarantined_when_exhausted()).await;
    use_up(&tree, "b").await;
    until("it is quarantined", || ready(tree.stage("b") == Stage::Quarantined)).await;
    let generation = tree.generation("a");
    tree.order("a", Order::Fail);
    until("a is back", || ready(tree.generation("a") > generation && tree.stage("c") == Stage::Running))
        .await;
    assert_eq!(tree.stage("b"), Stage::Quarantined);
}

#[tokio::test]
async fn past_its_budget_a_child_takes_its_supervisor_down_in_order() {
    let tree = Tree::start(Strategy::OneForOne, small_budget).await;
    use_up(&tree, "b").await;
    soon("the supervisor ends", tree.root.get_cell().wait(None)).await.unwrap();
    assert_eq!(tree.diary_of(4).await, ["+b 2", "+b 3", "-c", "-a"]);
}

#[tokio::test]
async fn a_death_is_told_before_the_restart_with_what_it_was_about() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let tree = Tree::start(Strategy::OneForOne, move |spec| {
        let telling = telling.clone();
        spec.on_death(move |death| {
            telling.lock().unwrap().push((death.path, death.generation, death.current, death.cause));
            ready(())
        })
    })
    .await;
    tree.records.0.find("a").unwrap().current.store(42, std::sync::atomic::Ordering::Relaxed);
    tree.order("a", Order::Panic);
    tree.diary_of(1).await;
    let (path, generation, current, cause) = told.lock().unwrap()[0].clone();
    assert_eq!((&*path, generation, current), ("a", 1, 42));
    assert!(cause.contains("as ordered"), "{cause}");
}

#[tokio::test]
async fn a_child_that_does_not_come_back_uses_up_its_budget() {
    let failing = |name: &'static str| {
        let tries = Arc::new(Mutex::new(0));
        let spec = ChildSpec::new(name, "child", move |start: Start| {
            let tries = tries.clone();
            async move {
                *tries.lock().unwrap() += 1;
                if *tries.lock().unwrap() > 1 {
                    return Err(ractor::SpawnErr::StartupFailed("not again".into()));
                }
                let arguments = ("x".to_owned(), start.generation, Diary::default());
                let (actor, _) = Actor::spawn_linked(None, Child, arguments, start.supervisor).await?;
                actor.cast(Order::Fail).unwrap();
                Ok(actor.get_cell())
            }
        });
        small_budget(spec).quarantined_when_exhausted()
    };
    let records = Arc::new(Records::default());
    let status = records.0.at("", "supervisor");
    let (strategy, intensity) = (Strategy::OneForOne, TREE_INTENSITY);
    let plan = Plan { strategy, intensity, children: vec![failing("x")], hub: records.clone(), status };
    let (root, _) = Actor::spawn(None, Supervisor, plan).await.unwrap();
    let record = records.0.find("x").unwrap();
    until("it is quarantined", || ready(record.stage() == Stage::Quarantined)).await;
    assert!(record.view().last_error.unwrap().contains("not again"));
    root.get_cell().stop_and_wait(None, None).await.unwrap();
}

#[test]
fn a_budget_is_ten_restarts_a_minute_and_exhaustion_escalates_by_default() {
    let spec = ChildSpec::new("x", "child", |_| ready(Err(ractor::SpawnErr::ActorAlreadyStarted)));
    assert_eq!((spec.intensity.restarts, spec.intensity.within), (10, Duration::from_secs(60)));
    assert_eq!(spec.exhausted, Exhausted::Escalate);
}

async fn what_a_zombie_hands_in_is_refused() {
    let world = World::start().await;
    world.ask(append("a", 1)).await;
    let generation = world.view("contexts/ledger").generation;
    world.kill_ledger();
    until("a new one has come", || ready(world.view("contexts/ledger").generation > generation)).await;
    world.ask(append("a", 2)).await;
    let last = world.store.last_position().await.unwrap();
    let mut message = world.status(world.messages(Default::default()).await[0].id).await.envelope;
    message.id = uuid::Uuid::now_v7();
    let unit = Unit { messages: vec![message], ..Unit::default() };
    let journal = &world.runtime.hub().journal;
    let zombie = Origin::Actor { path: "contexts/ledger".into(), generation };
    let refused = journal.commit(zombie, vec![unit.clone()]).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    world.runtime.hub().caught_up("ledger", last).await;
    assert!(!world.store.committed().contains(&unit));
}

async fn a_quarantined_context_accepts_and_does_not_handle() {
    let world = World::start().await;
    for _ in 0..20 {
        let generation = world.view("contexts/ledger").generation;
        world.kill_ledger();
        until("it comes back or stays down", || {
            let view = world.view("contexts/ledger");
            ready(
                view.state == Stage::Quarantined
                    || (view.generation > generation && view.state == Stage::Running),
            )
        })
        .await;
    }
    assert_eq!(world.view("contexts/ledger").state, Stage::Quarantined);
    let accepted = world.accept(append("a", 1)).await.unwrap();
    assert!(world.status(accepted.id).await.waiting.is_some());
    assert!(world.view("contexts/ledger").last_error.is_some());
    let scale = crate::support::contexts::Jot { number: 1 };
    world.ask(crate::support::world::command::<crate::support::contexts::Scale>("x", scale)).await;
    let world = world.restart().await;
    world.outcome(accepted.id).await;
    assert_eq!(world.numbers("a").await, [1]);
}

#[tokio::test]
async fn the_restarts_of_a_whole_tree_are_bounded_too() {
    let plan = |records: &Arc<Records>, children| Plan {
        strategy: Strategy::OneForOne,
        intensity: Intensity { restarts: 3, within: Duration::from_secs(600) },
        children,
        hub: records.clone(),
        status: records.0.at("", "supervisor"),
    };
    let dying = |name: &'static str| {
        ChildSpec::new(name, "child", move |start: Start| async move {
            let arguments = (name.to_owned(), start.generation, Diary::default());
            let (actor, _) = Actor::spawn_linked(None, Child, arguments, start.supervisor).await?;
            if start.generation <= 2 {
                actor.cast(Order::Fail).unwrap();
            }
            Ok(actor.get_cell())
        })
        .quarantined_when_exhausted()
    };
    // Two deaths each: none of them uses up its own budget.
    let records = Arc::new(Records::default());
    let (root, _) = Actor::spawn(None, Supervisor, plan(&records, NAMES.map(dying).to_vec())).await.unwrap();
    soon("the supervisor gives up", root.get_cell().wait(None)).await.unwrap();
    let records = Arc::new(Records::default());
    let (root, _) = Actor::spawn(None, Supervisor, plan(&records, vec![dying("a")])).await.unwrap();
    until("it runs on", || ready(records.0.find("a").unwrap().generation() == 3)).await;
    root.get_cell().stop_and_wait(None, None).await.unwrap();
}

async fn deaths_restarts_and_dead_letters_are_events() {
    let world = World::start().await;
    let explode = crate::support::contexts::Explode { times: u32::MAX, number: 1 };
    let bad = world.accept(command::<crate::support::contexts::Ledger>("a", explode)).await.unwrap();
    world.outcome(bad.id).await;
    let limit = attempt_limit() as usize;
    let of_type = async |name: &str| {
        let mut events = world.events("operations", None).await;
        events.retain(|event| *event.type_name == *name);
        events
    };
    until("all is told", || async { of_type("ActorRestarted").await.len() == limit }).await;
    let died = of_type("ActorDied").await;
    assert_eq!(died.len(), limit);
    assert!(died.iter().all(|event| event.key.as_str() == "contexts/ledger"));
    assert!(died[0].body.contains("boom 1") && died[0].body.contains(&format!(":{}", bad.position)));
    let alerts = of_type("DeadLetterAdded").await;
    assert_eq!((alerts.len(), alerts[0].causation_id), (1, Some(bad.id)));
}
