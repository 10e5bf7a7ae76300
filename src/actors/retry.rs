//! When a message that failed is tried again, and when it is given up.

use super::environment::Environment;
use chrono::TimeDelta;
use std::time::Duration;

/// Pauses before the second, third, … attempt. After the last of them the message is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries(Vec<Duration>);

impl Default for Retries {
    /// At once, then after 2, 4, 8 and 16 seconds.
    fn default() -> Self {
        Self([0, 2, 4, 8, 16].map(Duration::from_secs).to_vec())
    }
}

impl Retries {
    #[must_use]
    pub fn new(pauses: Vec<Duration>) -> Self {
        Self(pauses)
    }

    /// As often as by default, without a pause.
    #[must_use]
    pub fn at_once() -> Self {
        Self(vec![Duration::ZERO; Self::default().0.len()])
    }

    /// Attempts that may fail.
    #[must_use]
    pub fn limit(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// When the next attempt may begin, if `failed` have failed; 0 for at once. Jitter of a quarter each way keeps
    /// those that failed together from coming back together.
    pub(super) fn available_at_us(&self, failed: u32, environment: &Environment) -> i64 {
        let pause = failed.checked_sub(1).and_then(|n| self.0.get(n as usize)).copied().unwrap_or_default();
        let pause_us = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX / 4);
        if pause_us == 0 {
            return 0;
        }
        let spread = u64::try_from(pause_us / 2).unwrap_or(0) + 1;
        let jitter_us = i64::try_from(environment.random() % spread).unwrap_or(0);
        let pause = TimeDelta::microseconds(pause_us - pause_us / 4 + jitter_us);
        (environment.now() + pause).timestamp_micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn the_pauses_double_with_jitter_and_the_first_retry_is_at_once() {
        let start = chrono::DateTime::from_timestamp(1_763_640_000, 0).unwrap();
        let (retries, mut seen) = (Retries::default(), std::collections::HashSet::new());
        assert_eq!(retries.limit(), 6);
        for seed in 0..100 {
            let environment = Environment::simulated(seed, start);
            let began = Instant::now();
            assert_eq!(retries.available_at_us(1, &environment), 0);
            for (failed, seconds) in [(2, 2), (3, 4), (4, 8), (5, 16)] {
                let pause_us = retries.available_at_us(failed, &environment) - start.timestamp_micros();
                let middle_us = seconds * 1_000_000;
                assert!((middle_us * 3 / 4..=middle_us * 5 / 4).contains(&pause_us), "{failed}: {pause_us}");
                seen.insert(pause_us);
            }
            assert_eq!(Instant::now(), began);
        }
        assert!(seen.len() > 300, "there is no jitter: {}", seen.len());
    }
}
