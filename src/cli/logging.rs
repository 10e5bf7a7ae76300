//! The log: on stderr, pretty for people, JSON for machines.

use super::config::{Config, LogFormat};
use super::failure::{Exit, Failure};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for the rest of the process.
///
/// # Errors
/// When the level does not read.
pub fn start(config: &Config) -> Result<(), Failure> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(text),
        Ok(_) | Err(_) => EnvFilter::try_new(&config.log_level),
    };
    let filter = filter.map_err(|error| {
        let hint = "write error, warn, info or debug, or as RUST_LOG is written: info,meal_planner=debug";
        Failure::new(Exit::Usage, format!("the log level does not read: {error}"), hint)
    })?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, leaves the first one in place.
    let _ = match config.log_format() {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto if !is_terminal => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto | LogFormat::Pretty => builder.with_ansi(is_terminal).compact().try_init(),
    };
    Ok(())
}
