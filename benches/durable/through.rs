//! Through the whole runtime: accept, handle, commit.

use crate::engines::Home;
use crate::measure::{Measured, measured};
use crate::workload::{Counters, call};
use meal_planner::actors::{Contexts, Dispatcher, Runtime};
use std::time::{Duration, Instant};

pub async fn ops(home: &Home, callers: usize, length: Duration) -> anyhow::Result<Measured> {
    let runtime = Runtime::start(home.open().await?, Contexts::default().with::<Counters>()).await?;
    let measured = drive(&runtime.dispatcher(), callers, length).await?;
    runtime.stop().await?;
    Ok(measured)
}

pub async fn drive(dispatcher: &Dispatcher, callers: usize, length: Duration) -> anyhow::Result<Measured> {
    let began = Instant::now();
    let until = began + length;
    let tasks: Vec<_> = (0..callers).map(|n| tokio::spawn(call(dispatcher.clone(), n, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(measured(latencies, began.elapsed()))
}
