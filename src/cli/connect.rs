//! Which server a command talks to, and with which token.

use super::config::Config;
use super::data;
use super::failure::Failure;
use crate::clients::own_api::OwnApi;

/// # Errors
/// When the address or a token file does not read; a missing token is the server's to refuse.
pub fn api(config: &Config) -> Result<OwnApi, Failure> {
    let token = match &config.token {
        Some(token) => Some(token.clone()),
        None => data::read_token(&config.data)?,
    };
    Ok(OwnApi::new(&config.server, token)?)
}
