//! The configuration: one typed record out of flags, environment, a TOML file and defaults.

use super::failure::{Exit, Failure};
use confique::{Config as _, File, FileFormat, Layer as _};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file that is read from the working directory when none is named.
pub(super) const DEFAULT_FILE: &str = "meal-planner.toml";

const MOST_RETRIES: usize = 100;
/// A day.
const LONGEST_PAUSE_S: u64 = 86_400;

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    /// Logs for people on a terminal; `--demo` is allowed.
    #[default]
    Dev,
    /// Logs in JSON; `--demo` is allowed.
    Staging,
    /// Logs in JSON; `--demo` is refused.
    Prod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

/// Configuration of meal-planner.
///
/// What is given as a flag goes before the environment, that before this file, that before the defaults.
#[derive(Clone, Debug, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub(super) struct Config {
    /// What kind of installation this is: dev, staging or prod.
    /// staging and prod log JSON by default; prod refuses --demo.
    #[config(default = "dev", env = "MEAL_PLANNER_PROFILE")]
    pub profile: Profile,

    /// The folder that keeps everything: the database unless database_url names another, the lock and admin.token.
    /// Relative to the working directory.
    #[config(default = "meal-planner-data", env = "MEAL_PLANNER_DATA")]
    pub data: PathBuf,

    /// A PostgreSQL database to keep everything in instead: postgres://user:password@host:5432/database, of which the
    /// user is the owner. Default: a file in the data folder.
    #[config(env = "DATABASE_URL")]
    pub database_url: Option<SecretString>,

    /// Address and port on which the server listens. Beyond loopback, put a reverse proxy with TLS before it.
    #[config(default = "127.0.0.1:8080", env = "MEAL_PLANNER_LISTEN", deserialize_with = read_listen)]
    pub listen: SocketAddr,

    /// Names, beside localhost, by which the server may be addressed (checked against the Host header).
    #[config(default = [], env = "MEAL_PLANNER_ALLOWED_HOSTS", parse_env = confique::env::parse::list_by_comma)]
    pub allowed_hosts: Vec<String>,

    /// How many backups stay in the folder backups of the data folder; older ones are removed.
    #[config(default = 7, env = "MEAL_PLANNER_BACKUPS_KEEP")]
    pub backups_keep: usize,

    /// Hours between backups that the server makes by itself; 0: none.
    #[config(default = 24, env = "MEAL_PLANNER_BACKUP_EVERY_H")]
    pub backup_every_h: u32,

    /// Hours between drills, which restore the newest backup to a temporary place and compare; 0: none.
    #[config(default = 168, env = "MEAL_PLANNER_DRILL_EVERY_H")]
    pub drill_every_h: u32,

    /// Days for which an Idempotency-Key is known; longer than any client repeats a request.
    #[config(default = 30, env = "MEAL_PLANNER_IDEMPOTENCY_DAYS")]
    pub idempotency_days: u32,

    /// Seconds before a message that failed is tried again, one pause an attempt, each with a quarter of jitter; past
    /// the last it is a dead letter.
    #[config(default = [0, 2, 4, 8, 16], env = "MEAL_PLANNER_RETRY_PAUSES_S", parse_env = confique::env::parse::list_by_comma)]
    pub retry_pauses_s: Vec<u64>,

    /// Messages waiting for one context past which the policies of others hold back what they have for it.
    #[config(default = 50000, env = "MEAL_PLANNER_WATERMARK_SOFT")]
    pub watermark_soft: u32,

    /// And past which new ones for it are refused (429).
    #[config(default = 100000, env = "MEAL_PLANNER_WATERMARK_HARD")]
    pub watermark_hard: u32,

    /// Messages waiting in all past which every new one is refused (503).
    #[config(default = 300000, env = "MEAL_PLANNER_WATERMARK_TOTAL")]
    pub watermark_total: u32,

    /// Seconds in which the server must have stopped when it is told to; what is left then waits in the store.
    #[config(default = 20, env = "MEAL_PLANNER_SHUTDOWN_DEADLINE_S")]
    pub shutdown_deadline_s: u64,

    /// What is logged, as in RUST_LOG (which goes before it): error, warn, info, debug, or by module.
    #[config(default = "info", env = "MEAL_PLANNER_LOG_LEVEL")]
    pub log_level: String,

    /// auto (pretty on a terminal, JSON otherwise), pretty or json. Default: auto in dev, json in staging and prod.
    #[config(env = "MEAL_PLANNER_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// The server that commands such as import and plan talk to.
    #[config(default = "http://127.0.0.1:8080", env = "MEAL_PLANNER_SERVER")]
    pub server: String,

    /// The token they show it. Default: what stands in admin.token in the data folder.
    #[config(env = "MEAL_PLANNER_TOKEN")]
    pub token: Option<SecretString>,

    /// Tokens that notifications show to their channels, by the channel's name. In the environment: name=token, with
    /// commas between.
    #[config(default = {}, env = "MEAL_PLANNER_CHANNEL_TOKENS", parse_env = read_tokens)]
    pub channel_tokens: HashMap<String, SecretString>,
}

/// The tokens themselves are no part of it.
#[derive(Debug, thiserror::Error)]
#[error("write name=token, with commas between")]
struct BadTokens;

fn read_tokens(text: &str) -> Result<HashMap<String, SecretString>, BadTokens> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, token) = pair.split_once('=').ok_or(BadTokens)?;
            Ok((name.trim().to_owned(), SecretString::from(token.trim())))
        })
        .collect()
}

/// A partly filled configuration, such as what one file says.
pub(super) type Layer = <Config as confique::Config>::Layer;

/// Nothing said.
#[must_use]
pub(super) fn nothing() -> Layer {
    Layer::empty()
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Flag,
    Environment,
    File,
    Default,
}

/// One value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    pub name: &'static str,
    pub value: String,
    pub source: Source,
}

/// The configuration with the origin of each value.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub config: Config,
    pub shown: Vec<Shown>,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
}

/// Reads everything there is. `file`: named by the user, so it must be there.
///
/// # Errors
/// When a source does not read; secrets are not repeated in the message.
pub(super) fn load(flags: Layer, file: Option<&Path>) -> Result<Loaded, Failure> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let source = File::with_format(path, FileFormat::Toml);
    let source = if file.is_some() { source.required() } else { source };
    let from_file: Layer = source.load().map_err(|error| unreadable(&error))?;
    let read = (file.is_some() || path.exists()).then(|| path.to_owned());
    let environment = Layer::from_env().map_err(|error| unreadable(&error))?;
    let loaded = merge(flags, environment, from_file)?;
    Ok(Loaded { file: read, ..loaded })
}

/// Flags before environment before file before defaults.
fn merge(flags: Layer, environment: Layer, file: Layer) -> Result<Loaded, Failure> {
    let layers = [(Source::Flag, &flags), (Source::Environment, &environment), (Source::File, &file)];
    let source = |is_given: fn(&Layer) -> bool| {
        let found = layers.iter().find(|(_, layer)| is_given(layer));
        found.map_or(Source::Default, |(source, _)| *source)
    };
    let sources = [
        source(|layer| layer.profile.is_some()),
        source(|layer| layer.data.is_some()),
        source(|layer| layer.database_url.is_some()),
        source(|layer| layer.listen.is_some()),
        source(|layer| layer.allowed_hosts.is_some()),
        source(|layer| layer.backups_keep.is_some()),
        source(|layer| layer.backup_every_h.is_some()),
        source(|layer| layer.drill_every_h.is_some()),
        source(|layer| layer.idempotency_days.is_some()),
        source(|layer| layer.retry_pauses_s.is_some()),
        source(|layer| layer.watermark_soft.is_some()),
        source(|layer| layer.watermark_hard.is_some()),
        source(|layer| layer.watermark_total.is_some()),
        source(|layer| layer.shutdown_deadline_s.is_some()),
        source(|layer| layer.log_level.is_some()),
        source(|layer| layer.log_format.is_some()),
        source(|layer| layer.server.is_some()),
        source(|layer| layer.token.is_some()),
        source(|layer| layer.channel_tokens.is_some()),
    ];
    let merged = flags.with_fallback(environment).with_fallback(file).with_fallback(Layer::default_values());
    let config = Config::from_layer(merged).map_err(|error| unreadable(&error))?;
    config.check_runtime()?;
    let shown = config.values().into_iter().zip(sources);
    let shown = shown.map(|((name, value), source)| Shown { name, value, source }).collect();
    Ok(Loaded { config, shown, file: None })
}

impl Config {
    #[must_use]
    pub(super) fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(match self.profile {
            Profile::Dev => LogFormat::Auto,
            Profile::Staging | Profile::Prod => LogFormat::Json,
        })
    }

    /// What the runtime could not work with.
    fn check_runtime(&self) -> Result<(), Failure> {
        let usage = |message: &str, hint: String| Err(Failure::new(Exit::Usage, message, hint));
        let bad = self.retry_pauses_s.iter().any(|&pause| pause > LONGEST_PAUSE_S);
        if bad || self.retry_pauses_s.len() > MOST_RETRIES {
            let hint = format!("give at most {MOST_RETRIES} pauses of at most {LONGEST_PAUSE_S} s");
            return usage("retry_pauses_s is out of its bounds", hint);
        }
        let Self { watermark_soft: soft, watermark_hard: hard, watermark_total: total, .. } = *self;
        if soft == 0 || soft > hard || hard > total {
            let hint = "give 1 or more, with watermark_soft <= watermark_hard <= watermark_total".to_owned();
            return usage("the watermarks are out of order", hint);
        }
        Ok(())
    }

    fn masked_channel_tokens(&self) -> String {
        let mut names: Vec<_> = self.channel_tokens.keys().map(|name| format!("{name}=********")).collect();
        names.sort();
        names.join(", ")
    }

    /// By name, with secrets masked.
    fn values(&self) -> [(&'static str, String); 19] {
        [
            ("profile", word(&self.profile)),
            ("data", self.data.display().to_string()),
            ("database_url", masked(self.database_url.as_ref())),
            ("listen", self.listen.to_string()),
            ("allowed_hosts", self.allowed_hosts.join(", ")),
            ("backups_keep", self.backups_keep.to_string()),
            ("backup_every_h", self.backup_every_h.to_string()),
            ("drill_every_h", self.drill_every_h.to_string()),
            ("idempotency_days", self.idempotency_days.to_string()),
            ("retry_pauses_s", self.retry_pauses_s.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
            ("watermark_soft", self.watermark_soft.to_string()),
            ("watermark_hard", self.watermark_hard.to_string()),
            ("watermark_total", self.watermark_total.to_string()),
            ("shutdown_deadline_s", self.shutdown_deadline_s.to_string()),
            ("log_level", self.log_level.clone()),
            ("log_format", word(&self.log_format())),
            ("server", self.server.clone()),
            ("token", masked(self.token.as_ref())),
            ("channel_tokens", self.masked_channel_tokens()),
        ]
    }
}

fn masked(secret: Option<&SecretString>) -> String {
    secret.map_or_else(String::new, |_| "********".to_owned())
}

/// How serde names a value without fields.
fn word(value: &impl Serialize) -> String {
    serde_json::json!(value).as_str().unwrap_or_default().to_owned()
}

/// A file to start from, with every field explained.
#[must_use]
pub(super) fn template() -> String {
    confique::toml::template::<Config>(confique::toml::FormatOptions::default())
}

/// The error with its cause, without the line it quotes, which may hold a secret.
fn unreadable(error: &confique::Error) -> Failure {
    let cause = std::error::Error::source(error).map(|cause| without_quotes(&cause)).unwrap_or_default();
    let separator = if cause.is_empty() { "" } else { ": " };
    let hint = "`meal-planner config --template` prints every field that there is, with its meaning";
    Failure::new(Exit::Usage, format!("{error}{separator}{cause}"), hint)
}

fn without_quotes(cause: &impl Display) -> String {
    let text = cause.to_string();
    let is_quote = |line: &&str| {
        line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|')
    };
    text.trim_end().lines().filter(|line| !is_quote(line)).collect::<Vec<_>>().join(": ")
}

/// `localhost:8080` is what people write.
///
/// # Errors
/// When it is no address with a port.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = numeric.as_deref().unwrap_or(text).parse();
    address.map_err(|_| {
        format!("{text:?} is no IP:PORT; write 127.0.0.1:8080, or 0.0.0.0:8080 for all interfaces")
    })
}

fn read_listen<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<SocketAddr, D::Error> {
    listen_address(&String::deserialize(reader)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
