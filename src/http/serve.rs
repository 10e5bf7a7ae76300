//! Serving the surface on a socket, and ending in order.

use super::{App, router};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Answers requests until `stopped` holds true; then takes no new ones, ends event streams, and returns when the
/// requests at work are answered.
///
/// # Errors
/// When the socket fails.
pub async fn serve(listener: TcpListener, app: &App, stopped: watch::Receiver<bool>) -> std::io::Result<()> {
    let router = router(app).layer(from_fn_with_state(stopped.clone(), end_streams));
    axum::serve(listener, router).with_graceful_shutdown(stop(stopped)).await
}

async fn stop(mut stopped: watch::Receiver<bool>) {
    // Whoever could have said so is gone: that is a stop, too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// An event stream has no end of its own and would hold up every stop.
async fn end_streams(State(stopped): State<watch::Receiver<bool>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let media = response.headers().get(header::CONTENT_TYPE);
    if !media.is_some_and(|media| media.as_bytes().starts_with(b"text/event-stream")) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let until = body.into_data_stream().take_until(Box::pin(stop(stopped)));
    Response::from_parts(parts, Body::from_stream(until))
}
