//! Notifications to ntfy topics and webhooks.

use super::gateway::{CallError, Gateway, read_answer};
use crate::clock;
use crate::domain::notifications::{ChannelKind, Push};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::{Client, RequestBuilder, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Tokens by the name of the channel that shows them.
pub type Tokens = HashMap<String, SecretString>;

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Beyond the gateway's own time-out, which comes first: no connection stays open for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub struct PushClient {
    kind: ChannelKind,
    tokens: Tokens,
    /// Through the proxy of the machine, where there is one.
    far: Client,
    near: Client,
}

impl PushClient {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(kind: ChannelKind, tokens: Tokens) -> Result<Self, CallError> {
        super::use_ring();
        let builder = || {
            let agent = concat!("meal-planner/", env!("CARGO_PKG_VERSION"));
            let builder = Client::builder().user_agent(agent).connect_timeout(CONNECT_PATIENCE);
            // Whoever is sent elsewhere would take the token along.
            builder.timeout(PATIENCE).redirect(redirect::Policy::none())
        };
        let made = |built: Result<Client, reqwest::Error>| {
            built.map_err(|error| CallError::permanent(super::cause(&error)))
        };
        Ok(Self { kind, tokens, far: made(builder().build())?, near: made(builder().no_proxy().build())? })
    }

    fn request(&self, key: Uuid, push: &Push) -> Result<RequestBuilder, CallError> {
        let mut url = Url::parse(&push.address)
            .map_err(|error| CallError::permanent(format!("the address does not read: {error}")))?;
        // A server of the house is never behind the proxy to the outside.
        let is_near = url.domain().is_none_or(|name| name == "localhost");
        let client = if is_near { &self.near } else { &self.far };
        let body = match self.kind {
            ChannelKind::Webhook => json!({
                "id": push.id, "time": push.at, "title": push.title, "body": push.body, "about": push.about,
            }),
            ChannelKind::Ntfy => {
                let topic = last_segment(&mut url)?;
                json!({ "topic": topic, "title": push.title, "message": push.body })
            }
        };
        let request = client.post(url).header("idempotency-key", key.to_string()).json(&body);
        Ok(match self.tokens.get(&push.channel) {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        })
    }
}

/// The topic, taken away from the address: JSON is posted to the root of an ntfy server.
fn last_segment(url: &mut Url) -> Result<String, CallError> {
    let segments: Vec<String> =
        url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let Some((topic, rest)) = segments.split_last() else {
        return Err(CallError::permanent("the address names no topic"));
    };
    url.set_path(&rest.join("/"));
    Ok(topic.clone())
}

impl Gateway for PushClient {
    fn service(&self) -> &'static str {
        self.kind.service()
    }

    fn call<'a>(
        &'a self,
        key: Uuid,
        _: &'a str,
        request: &'a str,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        async move {
            let push: Push = serde_json::from_str(request)
                .map_err(|error| CallError::permanent(format!("the request does not read: {error}")))?;
            let sent = self.request(key, &push)?.send().await;
            // What is said there is of no use here.
            read_answer(sent, clock::now()).await.map(|_| String::new())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_is_the_last_part_of_the_address() {
        for (address, topic, server) in [
            ("https://ntfy.sh/meals", "meals", "https://ntfy.sh/"),
            ("http://192.0.2.1:8090/ntfy/meals/", "meals", "http://192.0.2.1:8090/ntfy"),
        ] {
            let mut url = Url::parse(address).unwrap();
            assert_eq!(last_segment(&mut url).unwrap(), topic);
            assert_eq!(url.as_str(), server);
        }
        assert!(last_segment(&mut Url::parse("https://ntfy.sh").unwrap()).is_err());
    }
}
