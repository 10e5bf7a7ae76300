//! The command line: what a person or a script types, and the start and end of the server's process.
//!
//! Not known here: SQL, what a command means, how a plan is found. Every command but `serve`, `replay`, `migrate-store`,
//! `config` and `openapi` is a client of the HTTP interface. Invariants: results go to stdout, remarks, logs and errors to stderr; a secret
//! is printed only by `token`, which exists for that.

mod actors;
mod args;
mod breakers;
mod config;
mod connect;
mod data;
mod dead_letters;
mod demo;
mod embedded;
mod events;
mod failure;
mod greeting;
mod import;
mod logging;
mod migration;
mod openapi;
mod operations;
mod output;
mod plan;
mod recipes;
mod replay;
mod sagas;
mod schedule;
mod serve;
mod settings;
mod shopping;
mod sources;
mod starting;
mod states;
mod table;
mod token;
mod verbs;
mod week;
mod wire;

use args::{Cli, Command};
use clap::Parser;
use config::Loaded;
use failure::{Exit, Failure};
use std::process::ExitCode;
use std::time::Duration;

/// How long tasks that are still at work may hold up the end of the process.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Runs what the command line asks and answers how the process ends.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let as_json = cli.global.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(as_json);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Help and the version are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && as_json {
        let text = error.to_string();
        let text = text.trim_start_matches("error: ").trim();
        Failure::new(Exit::Usage, text, "see meal-planner --help").tell(true);
    } else {
        let _ = error.print();
    }
    if error.use_stderr() { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let loaded = config::load(cli.layer(), cli.global.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(dispatch(cli, &loaded));
    runtime.shutdown_timeout(LAST_PATIENCE);
    result
}

async fn dispatch(cli: Cli, loaded: &Loaded) -> Result<(), Failure> {
    let (config, json) = (&loaded.config, cli.global.json);
    match cli.command {
        Command::Serve(options) => serve::run(config, options.demo, json).await,
        Command::Import(options) => import::run(&connect::api(config)?, &options.sources, json).await,
        Command::Plan(options) => plan::run(&connect::api(config)?, &options, json).await,
        Command::ShoppingList { id } => shopping::run(&connect::api(config)?, id, json).await,
        Command::Recipes { query } => recipes::run(&connect::api(config)?, query, json).await,
        Command::Events(options) => events::run(&connect::api(config)?, &options, json).await,
        Command::Breakers { order } => breakers::run(&connect::api(config)?, order, json).await,
        Command::Replay { verify } => replay::run(config, verify, json).await,
        Command::Actors => actors::run(&connect::api(config)?, json).await,
        Command::DeadLetters(options) => dead_letters::run(&connect::api(config)?, options, json).await,
        Command::Sagas { verb } => sagas::run(&connect::api(config)?, verb, json).await,
        Command::Schedule { verb } => schedule::run(&connect::api(config)?, verb, json).await,
        Command::Config { template: true } => output::say(config::template().trim_end()),
        Command::Config { template: false } => settings::show(loaded, json),
        Command::Token { link: false } => token::show(config, json),
        Command::Token { link: true } => token::link(&connect::api(config)?, json).await,
        Command::MigrateStore { from, to } => migration::run(config, &from, &to, json).await,
        Command::Backup => operations::back_up(&connect::api(config)?, json).await,
        Command::Drill => operations::drill(&connect::api(config)?, json).await,
        Command::Restore { file, replace } => operations::restore(config, &file, replace, json).await,
        Command::Erase { person, why } => {
            operations::erase(&connect::api(config)?, &person, &why, json).await
        }
        Command::Openapi => openapi::show(),
    }
}
