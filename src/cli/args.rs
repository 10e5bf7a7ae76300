//! What may be written on the command line.

use super::config::{Layer, LogFormat, Profile, nothing};
use super::verbs::{BreakerOrder, DeadLetters, SagaVerb, ScheduleVerb};
use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes:
  0  it is done
  1  it failed, at least in part
  2  the command line or the configuration is wrong
  3  the server cannot be reached
  4  the server refused (4xx)
  5  the data folder cannot be used, or another server uses it

Start with `meal-planner serve --demo`, which plans a sample week, or with `meal-planner serve`.";

/// Plans a household's meals and never loses or repeats what it has accepted.
#[derive(Debug, Parser)]
#[command(name = "meal-planner", version, after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Configuration file [default: meal-planner.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "MEAL_PLANNER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print JSON for scripts, errors included
    #[arg(long, global = true)]
    pub json: bool,
    /// The folder that keeps everything [default: meal-planner-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// `PostgreSQL` database to keep everything in; other users see it in the list of processes, so prefer
    /// `DATABASE_URL` when it holds a password [default: a file in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<SecretString>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The server to talk to [default: http://127.0.0.1:8080]"
    )]
    server: Option<String>,
    /// The token to show it; other users see it in the list of processes, so prefer `MEAL_PLANNER_TOKEN`
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<SecretString>,
    /// What kind of installation this is [default: dev]
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "dev|staging|prod")]
    profile: Option<Profile>,
    /// What is logged: error, warn, info, debug, or by module [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How the log is written
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "auto|pretty|json")]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server until it is told to stop
    Serve(Serve),
    /// Take recipes over: schema.org JSON-LD or web pages that carry it
    Import(Import),
    /// Plan meals and print the plan
    Plan(Plan),
    /// Print a shopping list
    ShoppingList {
        /// Which one [default: that of the newest plan]
        id: Option<String>,
    },
    /// List the recipes
    Recipes {
        /// Words that must occur
        #[arg(short, long, value_name = "WORDS")]
        query: Option<String>,
    },
    /// Print what has happened, oldest first; or what it made of one aggregate
    Events(Events),
    /// Fold everything that is stored again, without a server; see --verify
    Replay {
        /// Compare with what is stored: snapshots, read models, positions, answers
        #[arg(long)]
        verify: bool,
    },
    /// Print the tree of actors
    Actors,
    /// Print the outside services with their breakers, or force a breaker open or closed
    Breakers {
        #[command(subcommand)]
        order: Option<BreakerOrder>,
    },
    /// See, mend, replay or discard what could not be handled
    DeadLetters(DeadLetters),
    /// List sagas, or decide about one
    Sagas {
        #[command(subcommand)]
        verb: Option<SagaVerb>,
    },
    /// Print what is triggered when, or change it
    Schedule {
        #[command(subcommand)]
        verb: Option<ScheduleVerb>,
    },
    /// Print the configuration in effect and where each value comes from
    Config {
        /// Print a file to start from instead
        #[arg(long)]
        template: bool,
    },
    /// Print the token of the data folder
    Token {
        /// Print a new one-time login link instead, from the running server
        #[arg(long)]
        link: bool,
    },
    /// Copy a stopped store to an empty place of the same engine or the other, and compare what arrived
    MigrateStore {
        /// A data folder, or postgres://user@host:5432/database (a password is read from PGPASSWORD)
        from: String,
        /// Likewise
        to: String,
    },
    /// Back the running server up, at a known position
    Backup,
    /// Restore the newest backup to a temporary place and compare
    Drill,
    /// Make the data folder's store of a backup; no server may use the folder
    Restore {
        file: PathBuf,
        /// Move the store that is there aside first
        #[arg(long)]
        replace: bool,
    },
    /// Destroy a person's key, and with it whatever was said of them
    Erase {
        /// The member's id
        person: String,
        /// Kept with the event of the erasure
        #[arg(long)]
        why: String,
    },
    /// Print the `OpenAPI` document
    Openapi,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT", value_parser = super::config::listen_address)]
    listen: Option<SocketAddr>,
    /// Load a cookbook and a household of two, plan their week and print it, then go on serving
    #[arg(long)]
    pub demo: bool,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Files (.json, .jsonld, .ndjson, .html), folders, http(s) addresses, or - for the standard input
    #[arg(required = true, value_name = "PATH|URL|-")]
    pub sources: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// First day [default: the server decides]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub start: Option<chrono::NaiveDate>,
    /// How many days [default: 7]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=28))]
    pub days: Option<u8>,
    /// The same seed gives the same plan
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many seconds to wait for the plan
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub wait: u64,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Events {
    #[command(subcommand)]
    pub of: Option<super::states::EventsOf>,
    /// Go on with what happens from now on, or from --after on
    #[arg(short, long)]
    pub follow: bool,
    /// Only past this position
    #[arg(long, value_name = "POSITION")]
    pub after: Option<i64>,
    /// Only of this type, such as `RecipeImported`
    #[arg(long = "type", value_name = "TYPE")]
    pub type_name: Option<String>,
    /// Only of this context, such as recipes
    #[arg(long)]
    pub context: Option<String>,
    /// Only of this aggregate
    #[arg(long)]
    pub key: Option<String>,
    /// Only of this trace
    #[arg(long)]
    pub trace: Option<String>,
    /// How many at most [default: 50, without end with --follow]
    #[arg(long)]
    pub limit: Option<usize>,
}

impl Cli {
    /// What the flags say of the configuration.
    #[must_use]
    pub(super) fn layer(&self) -> Layer {
        let global = &self.global;
        let listen = match &self.command {
            Command::Serve(serve) => serve.listen,
            Command::Import(_)
            | Command::Plan(_)
            | Command::ShoppingList { .. }
            | Command::Recipes { .. }
            | Command::Events(_)
            | Command::Replay { .. }
            | Command::Actors
            | Command::Breakers { .. }
            | Command::DeadLetters(_)
            | Command::Sagas { .. }
            | Command::Schedule { .. }
            | Command::Config { .. }
            | Command::Token { .. }
            | Command::MigrateStore { .. }
            | Command::Backup
            | Command::Drill
            | Command::Restore { .. }
            | Command::Erase { .. }
            | Command::Openapi => None,
        };
        Layer {
            profile: global.profile,
            data: global.data.clone(),
            database_url: global.database_url.clone(),
            listen,
            log_level: global.log_level.clone(),
            log_format: global.log_format,
            server: global.server.clone(),
            token: global.token.clone(),
            ..nothing()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_sweep_has_to_be_asked_for() {
        let replay = |more: &[&str]| {
            let given = ["meal-planner", "dead-letters", "replay", "--why", "x"];
            Cli::try_parse_from(given.iter().chain(more)).is_ok()
        };
        assert!(replay(&["17"]) && replay(&["--all"]) && replay(&["--all", "--context", "recipes"]));
        assert!(!replay(&[]) && !replay(&["17", "--all"]) && !replay(&["--context", "recipes"]));
    }

    #[test]
    fn listen_is_a_flag_of_serve_and_reaches_the_configuration() {
        let cli = Cli::try_parse_from(["meal-planner", "serve", "--listen", "0.0.0.0:9"]).unwrap();
        assert_eq!(cli.layer().listen, Some("0.0.0.0:9".parse().unwrap()));
    }
}
