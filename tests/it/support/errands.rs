//! A context that calls the outside, and a world with a remote to call.

use super::contexts::Ledger;
use super::remote::{Remote, RemoteClient};
use super::until;
use super::world::{World, command, fresh_folder};
use meal_planner::actors::{Contexts, NewCommand, Retries};
use meal_planner::domain::breakers::{Breaker, Breakers, Circuit, ConfigureBreaker, Settings};
use meal_planner::domain::context::{Call, Context, Recovery, Rejection};
use meal_planner::domain::envelope::{Metadata, derived_id};
use meal_planner::domain::message::Message;
use meal_planner::messages;
use meal_planner::store::{Change, EffectQuery, Store, StoredEffect, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Push {
    pub number: i64,
    /// repeat, ask or operator
    pub recovery: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pushed {
    pub number: i64,
    pub answer: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnedDown {
    pub number: i64,
    pub error: String,
}

messages! { pub enum ErrandCommand { Push = 1 } }
messages! { pub enum ErrandEvent { Pushed = 1, TurnedDown = 1 } }

/// Pushes numbers to the remote. Numbers from 100 on take a refusal for an answer, from 1000 on they are not pushed.
pub struct Errands;

impl Context for Errands {
    const NAME: &'static str = "errands";
    type State = Vec<i64>;
    type Command = ErrandCommand;
    type Event = ErrandEvent;
    type Facts = ();

    fn decide(
        _: &Vec<i64>,
        ErrandCommand::Push(push): &ErrandCommand,
        (): &(),
        _: &Metadata,
    ) -> Result<Vec<ErrandEvent>, Rejection> {
        Err(Rejection::conflict(format!("{} was decided without a call", push.number), "call"))
    }

    fn call(
        _: &Vec<i64>,
        ErrandCommand::Push(push): &ErrandCommand,
        _: &Metadata,
    ) -> Result<Option<Call>, Rejection> {
        if push.number >= 1000 {
            return Err(Rejection::invalid("/number", "too large", "push less"));
        }
        let recovery = match push.recovery.as_str() {
            "ask" => Recovery::Ask,
            "operator" => Recovery::Operator,
            _ => Recovery::Repeat,
        };
        Ok(Some(Call { service: "remote", operation: "push", request: push.number.to_string(), recovery }))
    }

    fn answered(
        _: &Vec<i64>,
        ErrandCommand::Push(push): &ErrandCommand,
        response: &str,
        _: &Metadata,
    ) -> Result<Vec<ErrandEvent>, Rejection> {
        Ok(vec![Pushed { number: push.number, answer: response.to_owned() }.into()])
    }

    fn refused(
        _: &Vec<i64>,
        ErrandCommand::Push(push): &ErrandCommand,
        error: &str,
        _: &Metadata,
    ) -> Option<Result<Vec<ErrandEvent>, Rejection>> {
        let event = TurnedDown { number: push.number, error: error.to_owned() };
        (push.number >= 100).then(|| Ok(vec![event.into()]))
    }

    fn evolve(state: &mut Vec<i64>, event: &ErrandEvent) {
        if let ErrandEvent::Pushed(pushed) = event {
            state.push(pushed.number);
        }
    }
}

pub fn push(key: &str, number: i64, recovery: &str) -> NewCommand {
    command::<Errands>(key, Push { number, recovery: recovery.to_owned() })
}

/// The key that the remote is given for a message.
pub fn effect_of(message: Uuid) -> Uuid {
    derived_id(message, 1 << 34)
}

pub fn contexts(client: RemoteClient) -> Contexts {
    let contexts = Contexts::default().with::<Errands>().with::<Breakers>().with::<Ledger>();
    contexts.retries(Retries::at_once()).gateway(Arc::new(client))
}

pub async fn start(remote: &Remote) -> World {
    World::start_with(fresh_folder().await, contexts(RemoteClient::new(remote))).await
}

pub async fn crash_and_start(world: World, remote: &Remote) -> World {
    World::start_with(world.crash().await, contexts(RemoteClient::new(remote))).await
}

impl World {
    pub async fn effect(&self, message: Uuid) -> Option<StoredEffect> {
        let query = EffectQuery { id: Some(effect_of(message)), limit: 1, ..EffectQuery::default() };
        self.store.effects(query).await.unwrap().pop()
    }

    /// Numbers pushed by a key, from its events alone.
    pub async fn pushed(&self, key: &str) -> Vec<i64> {
        let mut numbers = Vec::new();
        for event in self.events("errands", Some(key)).await {
            let event = ErrandEvent::decode(&event.type_name, event.schema_version, &event.body).unwrap();
            Errands::evolve(&mut numbers, &event);
        }
        numbers
    }

    /// Why a key waits, waited for.
    pub async fn waits_for(&self, key: &str, reason: &str) {
        let what = format!("{key} waits: {reason}");
        until(&what, || {
            let waits = self.view("contexts/errands").waits;
            std::future::ready(waits.iter().any(|wait| wait.key == key && wait.reason.contains(reason)))
        })
        .await;
    }

    pub async fn configure(&self, settings: Settings) {
        self.ask(command::<Breakers>("remote", ConfigureBreaker { settings })).await;
        let hub = self.runtime.hub();
        until("the settings are known", || {
            std::future::ready(hub.gateways.board.breaker("remote").settings == settings)
        })
        .await;
    }

    pub fn breaker(&self) -> Breaker {
        self.runtime.hub().gateways.board.breaker("remote")
    }

    pub async fn breaker_is(&self, what: &str, is: impl Fn(Circuit) -> bool) {
        until(what, || std::future::ready(is(self.breaker().circuit))).await;
    }

    pub async fn breaker_events(&self) -> Vec<String> {
        let events = self.events("breakers", Some("remote")).await;
        events.iter().map(|event| event.type_name.to_string()).collect()
    }

    pub async fn attempts_of(&self, message: Uuid) -> usize {
        let position = self.status(message).await.envelope.position;
        Store::attempts(&*self.store, position).await.unwrap().len()
    }
}

/// Units with such a change.
pub fn changes(is: fn(&Change) -> bool) -> impl Fn(&Unit) -> bool + Send + Sync + Copy + 'static {
    move |unit| unit.changes.iter().any(is)
}

pub fn is_staged(change: &Change) -> bool {
    matches!(change, Change::StageEffect(_))
}

pub fn is_sent(change: &Change) -> bool {
    matches!(change, Change::SendEffect { .. })
}

pub fn is_ended(change: &Change) -> bool {
    matches!(change, Change::EndEffect { .. })
}
