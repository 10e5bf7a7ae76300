//! Pages of the web, such as those that carry a recipe.

use reqwest::Client;
use std::time::Duration;
use thiserror::Error;

/// Largest page taken, in bytes.
pub const PAGE_LIMIT: usize = 10 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a page could not be had.
#[derive(Debug, Error)]
pub enum WebError {
    #[error("{0}")]
    Failed(String),
    #[error("the server there answered {0}")]
    Status(u16),
    #[error("it has more than {} MB", PAGE_LIMIT / 1024 / 1024)]
    TooLarge,
}

/// The text at an `http` or `https` address.
///
/// # Errors
/// See [`WebError`].
pub async fn fetch(address: &str) -> Result<String, WebError> {
    super::use_ring();
    let failed = |error: reqwest::Error| WebError::Failed(super::causes(&error.without_url()));
    let agent = concat!("meal-planner/", env!("CARGO_PKG_VERSION"));
    let client = Client::builder().timeout(PATIENCE).user_agent(agent).build().map_err(failed)?;
    let mut response = client.get(address).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(WebError::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > PAGE_LIMIT {
            return Err(WebError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(text(bytes))
}

/// UTF-8, else read as Latin-1, which every byte fits.
#[must_use]
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}
