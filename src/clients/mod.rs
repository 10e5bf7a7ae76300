//! Who we call: other programs over HTTP. The only outbound HTTP.
//!
//! Not known here: what is done with the answers. Invariants: every call has a time-out and a size limit; tokens
//! are never part of an error or a log line.

pub mod own_api;
pub mod sse;
pub mod web;

/// Makes ring the process's provider of TLS; reqwest panics without one. Safe to call again.
pub fn use_ring() {
    // An error says that somebody was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The error with its causes, which reqwest leaves out of its own text.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}
