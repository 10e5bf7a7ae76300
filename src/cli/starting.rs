//! Everything between the command and the first request: folder, store, token, socket, actors, foods.

use super::config::Config;
use super::data;
use super::embedded;
use super::failure::{Exit, Failure};
use crate::actors::{
    Contexts, Dispatcher, NewCommand, Refusal, Retention, Retries, Runtime, Through, Upkeep, Watermarks,
};
use crate::clients::push::PushClient;
use crate::clock;
use crate::domain;
use crate::domain::context::Context;
use crate::domain::envelope::Address;
use crate::domain::foods::{self, CATALOGUE, Foods, ImportFoods};
use crate::domain::message::Message;
use crate::domain::notifications::ChannelKind;
use crate::domain::person::People;
use crate::http::{Api, App, Gate, Metrics};
use crate::store::postgres::PostgresStore;
use crate::store::sealed::{SealedStore, Vault};
use crate::store::sqlite::SqliteStore;
use crate::store::{Outcome, Store};
use secrecy::{ExposeSecret, SecretString};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

/// Below the data folder.
const BACKUPS: &str = "backups";
/// How long the starter foods may take.
const FOODS_PATIENCE: Duration = Duration::from_secs(60);

/// A server that has everything but requests.
pub(super) struct Started {
    pub runtime: Runtime,
    pub listener: TcpListener,
    pub app: App,
    pub token: SecretString,
}

/// # Errors
/// When the folder, the store, the socket or the actors are not to be had; nothing runs on then.
pub(super) async fn start(config: &Config) -> Result<Started, Failure> {
    data::make_folder(&config.data)?;
    let store = open_store(config).await?;
    match assemble(config, &store).await {
        Ok(started) => Ok(started),
        Err(failure) => {
            if let Err(error) = store.close().await {
                tracing::warn!(%error, "the store did not close in order");
            }
            Err(failure)
        }
    }
}

/// In the database that is named, else in the data folder; what is said of people sealed with the keys of the folder.
pub(super) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let now_us = clock::now().timestamp_micros();
    let store: Arc<dyn Vault> = match &config.database_url {
        Some(url) => Arc::new(PostgresStore::open(url.expose_secret(), &config.data, now_us).await?),
        None => Arc::new(SqliteStore::open(&config.data, now_us).await?),
    };
    sealed(&config.data, store).await
}

async fn sealed(folder: &Path, store: Arc<dyn Vault>) -> Result<Arc<dyn Store>, Failure> {
    match SealedStore::over(store.clone(), folder, People::known()).await {
        Ok(sealed) => Ok(Arc::new(sealed)),
        Err(error) => {
            if let Err(error) = store.close().await {
                tracing::warn!(%error, "the store did not close in order");
            }
            Err(error.into())
        }
    }
}

/// Backups in a folder of their own; a restored one is looked at with the keys of the data folder.
fn upkeep(config: &Config, contexts: &Contexts) -> Upkeep {
    let folder = config.data.join(BACKUPS);
    let mut upkeep = Upkeep::new(folder, through(&config.data), contexts.projections().to_vec());
    upkeep.keep = config.backups_keep;
    upkeep.backup_every = hours(config.backup_every_h);
    upkeep.drill_every = hours(config.drill_every_h);
    upkeep.retention = Retention { idempotency: config.idempotency_days, ..Retention::default() };
    upkeep
}

fn retries(config: &Config) -> Retries {
    Retries::new(config.retry_pauses_s.iter().copied().map(Duration::from_secs).collect())
}

fn watermarks(config: &Config) -> Watermarks {
    Watermarks {
        soft: config.watermark_soft.into(),
        hard: config.watermark_hard.into(),
        hard_in_total: config.watermark_total.into(),
    }
}

/// 0 hours: never.
fn hours(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 3600))
}

fn through(data: &Path) -> Arc<Through> {
    let data = data.to_owned();
    Arc::new(move |store| {
        let data = data.clone();
        Box::pin(async move {
            Ok(Arc::new(SealedStore::for_reading(store, &data, People::known()).await?) as Arc<dyn Store>)
        })
    })
}

async fn assemble(config: &Config, store: &Arc<dyn Store>) -> Result<Started, Failure> {
    let listener = bind(config.listen).await?;
    let gate = Gate::new(store.clone(), hosts(config));
    let token = admit_owner(config, &gate).await?;
    let (mut contexts, mut api) = (Contexts::default(), Api::default());
    domain::contexts(&mut contexts);
    domain::contexts(&mut api);
    for kind in ChannelKind::ALL {
        contexts = contexts.gateway(Arc::new(push_client(kind, config)?));
    }
    let upkeep = upkeep(config, &contexts);
    contexts = contexts.upkeep(upkeep).retries(retries(config)).watermarks(watermarks(config));
    let runtime = Runtime::start(store.clone(), contexts).await?;
    if let Err(failure) = load_foods(&runtime.dispatcher()).await {
        if let Err(error) = runtime.stop().await {
            tracing::warn!(%error, "the actors did not stop in order");
        }
        return Err(failure);
    }
    if let Err(error) = runtime.hub().end_erasures().await {
        tracing::error!(%error, "an erasure is not at its end; the next start carries on");
    }
    let app = App::new(runtime.dispatcher(), api, gate, Metrics::default());
    Ok(Started { runtime, listener, app, token })
}

fn push_client(kind: ChannelKind, config: &Config) -> Result<PushClient, Failure> {
    PushClient::new(kind, config.channel_tokens.clone()).map_err(|error| {
        Failure::failed(format!("notifications cannot be sent: {error}"), "this is a defect of the build")
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the standard library adds kinds")]
        let hint = match error.kind() {
            ErrorKind::AddrInUse => {
                "another program, perhaps another meal-planner, has this port; give --listen another"
            }
            ErrorKind::PermissionDenied => "ports below 1024 are for root; give --listen a higher one",
            ErrorKind::AddrNotAvailable => "this machine has no such address; give --listen one it has",
            _ => "give --listen another address",
        };
        Failure::failed(format!("cannot listen on {address}: {error}"), hint)
    })
}

/// The names that are given, and the address itself where it is one.
fn hosts(config: &Config) -> Vec<String> {
    let ip = config.listen.ip();
    let own = match ip {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let own = (!ip.is_unspecified()).then_some(own);
    config.allowed_hosts.iter().cloned().chain(own).collect()
}

/// Lets the holder of the token in. A folder without one gets a new one, and whoever was let in before is a stranger.
async fn admit_owner(config: &Config, gate: &Gate) -> Result<SecretString, Failure> {
    let token = match data::read_token(&config.data)? {
        Some(token) => token,
        None => {
            gate.revoke_all().await?;
            data::new_token(&config.data)?
        }
    };
    gate.trust(token.expose_secret()).await?;
    Ok(token)
}

/// Sends the starter foods as a command whose id is made of its content: each table is accepted once.
async fn load_foods(dispatcher: &Dispatcher) -> Result<(), Failure> {
    let (accepted, done) = dispatcher.ask(starter_foods()?, FOODS_PATIENCE).await.map_err(refused)?;
    let Some(done) = done else {
        tracing::warn!("the starter foods are accepted but not yet handled");
        return Ok(());
    };
    match done.outcome {
        Outcome::Handled => {}
        Outcome::Rejected { rejection } => {
            return Err(Failure::failed(
                format!("the starter foods were refused: {}", rejection.message),
                rejection.hint,
            ));
        }
        // The server is of use without them, and stopping would not bring them back.
        Outcome::Dead { reason } => tracing::error!(reason, "the starter foods could not be taken in"),
    }
    let caught_up = dispatcher.hub().caught_up(Foods::NAME, done.position);
    if tokio::time::timeout(FOODS_PATIENCE, caught_up).await.is_err() {
        tracing::warn!("the starter foods are not yet to be seen everywhere");
    }
    tracing::debug!(message.id = %accepted.id, repeated = accepted.repeated, "the starter foods are there");
    Ok(())
}

fn starter_foods() -> Result<NewCommand, Failure> {
    let defect = |reason: &str| {
        Failure::new(
            Exit::Failed,
            format!("the starter foods do not read: {reason}"),
            "this is a defect of the build",
        )
    };
    let table = embedded::foods().ok_or_else(|| defect("they are not there"))?;
    let read = foods::read_table(&table);
    let foods =
        read.map_err(|faults| defect(&faults.first().map(ToString::to_string).unwrap_or_default()))?;
    let command = foods::Command::from(ImportFoods { foods });
    let body = command.encode().map_err(|error| defect(&error.to_string()))?;
    Ok(NewCommand {
        to: Address::new(Foods::NAME, CATALOGUE),
        type_name: command.type_name().to_owned(),
        schema_version: command.schema_version(),
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, body.as_bytes()),
        body,
        id_given: true,
        idempotency: None,
        trace: None,
        user: None,
        control: false,
    })
}

fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Store(error) => error.into(),
        Refusal::UnknownContext(_)
        | Refusal::Busy { .. }
        | Refusal::Overloaded { .. }
        | Refusal::KeyReused
        | Refusal::Gone(_)
        | Refusal::Invalid(_) => {
            Failure::failed(format!("the starter foods were not accepted: {refusal}"), "the log has more")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_foods_have_the_same_id_at_every_start() {
        assert_eq!(starter_foods().unwrap().id, starter_foods().unwrap().id);
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_with_a_hint() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let failure = bind(taken.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        assert!(failure.hint.unwrap().contains("--listen"));
    }
}
