//! `serve`: the life of the server's process, from its start to its end by signal or by defect.

use super::config::{Config, Profile};
use super::demo;
use super::failure::{Exit, Failure};
use super::greeting::{self, Place};
use super::logging;
use super::starting::{self, Started};
use crate::actors::Runtime;
use crate::clients::own_api::OwnApi;
use crate::http;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;

/// How long requests at work may hold up the end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);
const ECHO: Duration = Duration::from_millis(500);
const FENCE_CHECK: Duration = Duration::from_secs(1);

/// # Errors
/// When the server cannot start, or ends without being told to.
pub(super) async fn run(config: &Config, with_demo: bool, as_json: bool) -> Result<(), Failure> {
    if with_demo && config.profile == Profile::Prod {
        let hint = "try it elsewhere: meal-planner serve --demo --profile dev --data demo-data";
        return Err(Failure::new(
            Exit::Usage,
            "--demo is not for profile prod: it adds people and recipes",
            hint,
        ));
    }
    logging::start(config)?;
    let mut signals = Signals::new()?;
    let started = tokio::select! {
        started = starting::start(config) => started?,
        () = signals.next() => return Ok(()),
    };
    let place = Place::new(config, started.listener.local_addr()?);
    let Started { runtime, listener, app, token } = started;
    let api = OwnApi::new(&place.address, Some(token))?;
    tracing::info!(address = %place.address, data = %config.data.display(), "listening");

    let (stop, stopped) = watch::channel(false);
    let mut serving = pin!(http::serve(listener, &app, stopped));
    let end = tokio::select! {
        result = &mut serving => End::Socket(result.err().map(|error| error.to_string())),
        end = ending(&runtime, &mut signals) => end,
        end = talk(&api, &place, with_demo, as_json) => end,
    };
    tracing::info!("stopping");
    stop.send_replace(true);
    let began = tokio::time::Instant::now();
    let deadline = Duration::from_secs(config.shutdown_deadline_s);
    if !matches!(end, End::Socket(_)) {
        tokio::select! {
            _ = &mut serving => {}
            () = tokio::time::sleep(DRAIN_PATIENCE.min(deadline)) => tracing::warn!("some requests were cut off"),
            () = signals.again() => tracing::warn!("told again to stop: some requests were cut off"),
        }
    }
    let closed = runtime.stop_within(deadline.saturating_sub(began.elapsed())).await;
    end.result()?;
    closed?;
    tracing::info!("stopped");
    Ok(())
}

/// Why the server ends.
enum End {
    Signal,
    Runtime,
    Fenced,
    Socket(Option<String>),
}

impl End {
    fn result(self) -> Result<(), Failure> {
        match self {
            Self::Signal => Ok(()),
            Self::Runtime => Err(Failure::failed(
                "the actors have given up",
                "the log says which one failed and why; what was accepted is safe, start the server again",
            )),
            Self::Fenced => Err(Failure::failed(
                "another process has taken over the data folder",
                "run one server at a time on a folder; what was accepted is safe",
            )),
            Self::Socket(error) => Err(Failure::failed(
                format!("the socket failed: {}", error.unwrap_or_else(|| "it was closed".to_owned())),
                "start the server again",
            )),
        }
    }
}

async fn ending(runtime: &Runtime, signals: &mut Signals) -> End {
    tokio::select! {
        () = signals.next() => End::Signal,
        () = runtime.ended() => End::Runtime,
        () = fenced(runtime) => End::Fenced,
    }
}

async fn fenced(runtime: &Runtime) {
    while !runtime.hub().journal.is_fenced() {
        tokio::time::sleep(FENCE_CHECK).await;
    }
}

/// Tells what a person needs to know; the server runs on whatever comes of it.
async fn talk(api: &OwnApi, place: &Place, with_demo: bool, as_json: bool) -> End {
    let told = match with_demo {
        true => demo::run(api, place, as_json).await,
        false => greeting::run(api, place, as_json).await,
    };
    if let Err(failure) = told {
        failure.tell(as_json);
    }
    std::future::pending().await
}

impl Signals {
    /// Resolves when somebody insists. Launchers such as `timeout` pass one signal on twice, which does not count.
    async fn again(&mut self) {
        let mut echoes_end = pin!(tokio::time::sleep(ECHO));
        loop {
            tokio::select! {
                () = &mut echoes_end => break,
                () = self.next() => {}
            }
        }
        self.next().await;
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Resolves when somebody tells the process to stop.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the other systems' form")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
