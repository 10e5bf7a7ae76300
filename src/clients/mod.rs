//! Who we call: other programs over HTTP. The only outbound HTTP.
//!
//! Not known here: what is done with the answers. Invariants: every call has a time-out and a size limit; tokens
//! are never part of an error or a log line.

pub mod gateway;
pub mod own_api;
pub mod push;
pub mod sse;
pub mod web;

/// Makes ring the process's provider of TLS; reqwest panics without one. Safe to call again.
pub fn use_ring() {
    // An error says that somebody was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The innermost cause, which says what happened; the layers above it only say where.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
