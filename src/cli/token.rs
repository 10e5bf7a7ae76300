//! `token`: the token itself, or a one-time link made with it.

use super::config::Config;
use super::data;
use super::failure::Failure;
use super::output::say;
use super::wire::Link;
use crate::clients::own_api::{Ask, OwnApi, decode};
use secrecy::ExposeSecret;
use serde_json::json;

const LINKS: &str = "/admin/login-links";

/// # Errors
/// When there is no token yet.
pub fn show(config: &Config, as_json: bool) -> Result<(), Failure> {
    let path = data::token_path(&config.data);
    let Some(token) = data::read_token(&config.data)? else {
        let message = format!("there is no token in {}", path.display());
        let hint = "the first `meal-planner serve` writes it; --data names another folder";
        return Err(Failure::failed(message, hint));
    };
    match as_json {
        true => say(&json!({ "token": token.expose_secret(), "path": path }).to_string()),
        false => say(token.expose_secret()),
    }
}

/// # Errors
/// When the server gives no link.
pub async fn link(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    let link = new_link(api).await?;
    if as_json { say(&json!({ "link": link }).to_string()) } else { say(&link) }
}

/// An address that logs a browser in once.
///
/// # Errors
/// When the server gives no link.
pub async fn new_link(api: &OwnApi) -> Result<String, Failure> {
    let text = api.post(LINKS, Ask::default()).await?;
    let link: Link = decode(LINKS, &text)?;
    Ok(format!("{}{}", api.server(), link.path))
}
