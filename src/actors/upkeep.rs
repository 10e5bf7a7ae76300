//! What a server does for itself: backups and drills when they are due or asked for, and forgetting what is old.

use super::drill::{DrillReport, Through, drill};
use super::hub::Hub;
use super::status::ActorStatus;
use super::tasks;
use crate::domain::context::ErasedProjection;
use crate::domain::operations::{BackupFailed, BackupMade, DrillFailed, DrillPassed, Event, Reason};
use crate::store::backup::{Backup, keep, list, make, put_list_beside};
use crate::store::{Aged, StoreError, StoreResult};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, oneshot};

/// Between two looks at what is due.
const TURN: Duration = Duration::from_secs(600);
const FIRST_TURN: Duration = Duration::from_secs(60);
/// Rows forgotten at a time, so that the writer is never long away.
const BATCH: u32 = 500;
const PAUSE: Duration = Duration::from_millis(50);
const DAY_US: i64 = 86_400_000_000;

/// How long what is no longer needed is kept, in days. Events are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub attempts: u32,
    pub effects: u32,
    /// Answers. A repeat of a message older than that is told only that it was handled.
    pub outcomes: u32,
    /// Keys of clients: longer than any of them repeats a request.
    pub idempotency: u32,
    /// Settled dead letters.
    pub dead_letters: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { attempts: 90, effects: 180, outcomes: 180, idempotency: 30, dead_letters: 365 }
    }
}

impl Retention {
    /// What is older than this goes; sessions end by themselves.
    fn before_us(&self, what: Aged, now_us: i64) -> i64 {
        let days = match what {
            Aged::Attempts => self.attempts,
            Aged::Effects => self.effects,
            // The answer to a key outlives the key.
            Aged::Outcomes => self.outcomes.max(self.idempotency),
            Aged::Idempotency => self.idempotency,
            Aged::DeadLetters => self.dead_letters,
            Aged::Sessions => 0,
        };
        now_us - i64::from(days) * DAY_US
    }
}

/// See the module.
pub struct Upkeep {
    /// Where backups go: a folder within the data folder.
    pub folder: PathBuf,
    /// How many of them stay.
    pub keep: usize,
    /// `None`: only when asked for.
    pub backup_every: Option<Duration>,
    pub drill_every: Option<Duration>,
    pub retention: Retention,
    /// How the store of a restored backup is looked at.
    pub through: Arc<Through>,
    pub projections: Vec<Arc<dyn ErasedProjection>>,
    pub(super) at_work: Mutex<()>,
}

impl Upkeep {
    #[must_use]
    pub fn new(folder: PathBuf, through: Arc<Through>, projections: Vec<Arc<dyn ErasedProjection>>) -> Self {
        Self {
            folder,
            keep: 7,
            backup_every: None,
            drill_every: None,
            retention: Retention::default(),
            through,
            projections,
            at_work: Mutex::default(),
        }
    }
}

fn none() -> StoreError {
    StoreError::Unavailable("this server keeps no backups".to_owned())
}

impl Hub {
    /// Backs up the store as it is now; on the record either way.
    ///
    /// # Errors
    /// When the store cannot be read or the disk refuses.
    pub async fn back_up(self: &Arc<Self>, reason: Reason) -> StoreResult<Backup> {
        self.detached(move |hub| async move { hub.make_backup(reason).await }).await
    }

    /// Tries the newest backup out; on the record either way.
    ///
    /// # Errors
    /// When there is none, or it cannot be restored.
    pub async fn drill(self: &Arc<Self>) -> StoreResult<DrillReport> {
        self.detached(|hub| async move { hub.make_drill().await }).await
    }

    /// Goes on though whoever asked has gone away.
    pub(super) async fn detached<T: Send + 'static, F: Future<Output = StoreResult<T>> + Send>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, receiver) = oneshot::channel();
        let hub = self.clone();
        let failed = |panic: String| tracing::error!(panic, "work beside the actors failed");
        tasks::watched(async move { drop(sender.send(work(hub).await)) }, failed);
        receiver.await.unwrap_or_else(|_| Err(StoreError::Unavailable("it failed; see the log".to_owned())))
    }

    async fn make_backup(self: Arc<Self>, reason: Reason) -> StoreResult<Backup> {
        let upkeep = self.upkeep.as_ref().ok_or_else(none)?;
        let _one = upkeep.at_work.lock().await;
        let made = async {
            let now_us = self.environment.now().timestamp_micros();
            let mut source = self.store.source().await?;
            let backup = make(&mut *source, self.store.engine(), &upkeep.folder, now_us).await?;
            keep(&upkeep.folder, upkeep.keep)?;
            if let Some(data) = upkeep.folder.parent() {
                put_list_beside(data, &upkeep.folder)?;
            }
            Ok(backup)
        };
        let made: StoreResult<Backup> = made.await;
        match &made {
            Ok(backup) => {
                let Backup { path, bytes, manifest } = backup;
                let (position, sha256) = (manifest.position, manifest.hash.sha256.clone());
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                self.notice(&name, &BackupMade { reason, position, bytes: *bytes, sha256 }.into());
                tracing::info!(backup = %path.display(), position, "backed up");
            }
            Err(error) => self.notice("backups", &BackupFailed { reason, error: error.to_string() }.into()),
        }
        made
    }

    async fn make_drill(self: Arc<Self>) -> StoreResult<DrillReport> {
        let upkeep = self.upkeep.as_ref().ok_or_else(none)?;
        let _one = upkeep.at_work.lock().await;
        let newest = list(&upkeep.folder)?.into_iter().next().ok_or_else(|| StoreError::Unusable {
            message: format!("there is no backup in {}", upkeep.folder.display()),
            hint: "make one: meal-planner backup".to_owned(),
        })?;
        let scratch = upkeep.folder.join("drill");
        let result = drill(&newest, &scratch, &upkeep.projections, &*upkeep.through).await;
        let name = newest.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let event: Event = match &result {
            Ok(report) if report.differences.is_empty() => {
                DrillPassed { position: report.position, sha256: report.sha256.clone() }.into()
            }
            Ok(report) => DrillFailed { errors: report.differences.clone() }.into(),
            Err(error) => DrillFailed { errors: vec![error.to_string()] }.into(),
        };
        self.notice(&name, &event);
        result
    }

    /// Forgets what is old, a little at a time; answers how much it was.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn forget_old(&self, retention: Retention) -> StoreResult<u64> {
        let mut all = 0;
        for what in Aged::ALL {
            let before_us = retention.before_us(what, self.environment.now().timestamp_micros());
            loop {
                let forgotten = self.store.forget_aged(what, before_us, BATCH).await?;
                all += forgotten;
                if forgotten < u64::from(BATCH) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(all)
    }
}

#[derive(Debug)]
pub(super) struct Turn;

/// The actor that sees to it.
pub(super) struct Housekeeper;

impl Actor for Housekeeper {
    type Msg = Turn;
    type State = (Arc<Hub>, Arc<ActorStatus>, Option<SystemTime>);
    type Arguments = (Arc<Hub>, Arc<ActorStatus>);

    async fn pre_start(
        &self,
        myself: ActorRef<Turn>,
        (hub, status): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        myself.send_after(FIRST_TURN, || Turn);
        Ok((hub, status, None))
    }

    /// What fails is on the record and tried again at the next turn.
    async fn handle(
        &self,
        myself: ActorRef<Turn>,
        _: Turn,
        (hub, status, drilled): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(upkeep) = &hub.upkeep else { return Ok(()) };
        match hub.forget_old(upkeep.retention).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "old rows were forgotten"),
            Err(error) => status.set_error(error.to_string()),
        }
        if is_due(newest(upkeep), upkeep.backup_every) {
            let reason = Reason { by: "schedule".to_owned(), why: "it was due".to_owned() };
            if let Err(error) = hub.back_up(reason).await {
                status.set_error(error.to_string());
            }
        }
        if newest(upkeep).is_some() && is_due(*drilled, upkeep.drill_every) {
            *drilled = Some(SystemTime::now());
            if let Err(error) = hub.drill().await {
                status.set_error(error.to_string());
            }
        }
        myself.send_after(TURN, || Turn);
        Ok(())
    }
}

fn newest(upkeep: &Upkeep) -> Option<SystemTime> {
    let newest = list(&upkeep.folder).ok()?.into_iter().next()?;
    newest.metadata().ok()?.modified().ok()
}

fn is_due(last: Option<SystemTime>, every: Option<Duration>) -> bool {
    let age = last.map(|last| SystemTime::now().duration_since(last).unwrap_or_default());
    every.is_some_and(|every| age.is_none_or(|age| age >= every))
}
