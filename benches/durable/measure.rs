//! Numbers and how they are summed up.

use std::time::Duration;

pub struct Measured {
    pub ops_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Of latencies in microseconds.
pub fn measured(mut latencies: Vec<u32>, took: Duration) -> Measured {
    latencies.sort_unstable();
    let at =
        |share: usize| latencies[(latencies.len() * share / 100).min(latencies.len() - 1)] as f64 / 1000.0;
    Measured { ops_per_s: latencies.len() as f64 / took.as_secs_f64(), p50_ms: at(50), p99_ms: at(99) }
}

/// Memory of this process, which is server and callers together.
pub fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
