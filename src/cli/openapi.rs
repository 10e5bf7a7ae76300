//! `openapi`: the document of the HTTP interface, made without a server.

use super::failure::Failure;
use super::output::say;
use crate::domain;
use crate::http::{Api, openapi_document};

/// # Errors
/// When nobody takes the output.
pub fn show() -> Result<(), Failure> {
    let mut api = Api::default();
    domain::contexts(&mut api);
    say(&format!("{:#}", openapi_document(&api)))
}
