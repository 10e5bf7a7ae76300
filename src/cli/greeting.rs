//! What the server says on stdout when it is up: where it is, how to get in, what to do first.

use super::config::Config;
use super::data;
use super::failure::Failure;
use super::output::{note, say};
use super::token::new_link;
use super::wire::{Page, Recipe};
use crate::clients::own_api::OwnApi;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where the server can be found.
pub struct Place {
    /// Of the server, as seen from this machine.
    pub address: String,
    listen: SocketAddr,
    data: PathBuf,
    token: PathBuf,
}

impl Place {
    #[must_use]
    pub fn new(config: &Config, listen: SocketAddr) -> Self {
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let address = format!("http://{}", SocketAddr::new(ip, listen.port()));
        Self { address, listen, data: config.data.clone(), token: data::token_path(&config.data) }
    }
}

/// # Errors
/// When the server does not answer itself.
pub async fn run(api: &OwnApi, place: &Place, as_json: bool) -> Result<(), Failure> {
    warn_beyond_loopback(place);
    let recipes: Page<Recipe> = api.read("/api/recipes?limit=1").await?;
    where_and_how(api, place, as_json).await?;
    if recipes.items.is_empty() && !as_json {
        say(&first_steps(place))?;
    }
    Ok(())
}

/// Address, link and token.
///
/// # Errors
/// When the server does not answer itself.
pub async fn where_and_how(api: &OwnApi, place: &Place, as_json: bool) -> Result<(), Failure> {
    let link = new_link(api).await?;
    let Place { address, data, token, .. } = place;
    if as_json {
        return say(&json!({ "address": address, "link": link, "data": data, "token": token }).to_string());
    }
    say(&format!("meal-planner listens on {address}"))?;
    say(&format!("  open   {link}"))?;
    say("         (works once; `meal-planner token --link` makes another)")?;
    say(&format!("  token  in {}, for scripts and commands", token.display()))?;
    say(&format!("  data   {}", data.display()))
}

fn first_steps(place: &Place) -> String {
    let mut flags = String::new();
    if place.listen.port() != 8080 {
        flags = format!("{flags} --server {}", place.address);
    }
    if place.data != std::path::Path::new("meal-planner-data") {
        flags = format!("{flags} --data {}", place.data.display());
    }
    format!(
        "\nThere are no recipes yet. In another terminal:\n\
        \x20 meal-planner import{flags} PATH|URL    takes recipes over from files, folders and web pages\n\
        \x20 meal-planner plan{flags}               plans a week and writes its shopping list\n\
        The page behind the link shows what there is. For a tour: meal-planner serve --demo --data demo-data"
    )
}

/// The token and everything else would cross the network in the clear.
pub fn warn_beyond_loopback(place: &Place) {
    if place.listen.ip().is_loopback() {
        return;
    }
    note(&format!(
        "warning: {} can be reached from other machines, without encryption\n\
         hint: put a reverse proxy with TLS before it and listen on 127.0.0.1; names go into allowed_hosts",
        place.listen
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_all_interfaces_is_reached_by_loopback() {
        let config = super::super::config::load(super::super::config::nothing(), None).unwrap().config;
        let address = |listen: &str| Place::new(&config, listen.parse().unwrap()).address;
        assert_eq!(address("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(address("[::]:80"), "http://[::1]:80");
        assert_eq!(address("192.168.1.2:80"), "http://192.168.1.2:80");
    }
}
