//! The whole way, over a socket.

use crate::measure::{Measured, measured};
use crate::workload::{Counters, key};
use meal_planner::actors::{Contexts, Runtime};
use meal_planner::clock;
use meal_planner::domain::registry::Visitor;
use meal_planner::http::{self, Api, App, Gate, Metrics};
use meal_planner::store::sqlite::SqliteStore;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The whole way: a socket, HTTP/1.1 with keep-alive, token, JSON, `Prefer: wait`, and the read model caught up.
pub async fn over_http(callers: usize, length: Duration) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path(), clock::now().timestamp_micros()).await?);
    let runtime = Runtime::start(store.clone(), Contexts::default().with::<Counters>()).await?;
    let gate = Gate::new(store, []);
    gate.trust("bench").await?;
    let mut api = Api::default();
    api.context::<Counters>();
    let app = App::new(runtime.dispatcher(), api, gate, Metrics::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, http::router(&app)).await });
    let began = Instant::now();
    let until = began + length;
    let tasks: Vec<_> = (0..callers).map(|n| tokio::spawn(post(address, n, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let measured = measured(latencies, began.elapsed());
    server.abort();
    runtime.stop().await?;
    Ok(measured)
}

/// A caller that costs little itself: one connection, one request at a time.
async fn post(address: SocketAddr, caller: usize, until: Instant) -> anyhow::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 4096];
    let mut n = caller;
    while Instant::now() < until {
        let began = Instant::now();
        let request = format!(
            "POST /api/counters/{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bench\r\nPrefer: wait=30\r\n\
             Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"amount\":1}}",
            key(n)
        );
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await?;
            anyhow::ensure!(read > 0, "the server closed the connection");
            filled += read;
            let text = std::str::from_utf8(&buffer[..filled])?;
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let field = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= field.unwrap_or("0").parse()? {
                    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
                    break;
                }
            }
        }
        latencies.push(u32::try_from(began.elapsed().as_micros())?);
        n += 7919;
    }
    Ok(latencies)
}
