//! A closed loop: a number of connections, each of which starts its next turn when the last one
//! is answered. Any failure ends the program, because figures of a proxy that fails do not compare.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

/// A turn that takes longer has failed, as with the other load generators.
const TURN_MAX: Duration = Duration::from_secs(10);

/// How long, and over how many connections at a time.
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) length: Duration,
}

/// One kind of load.
pub(crate) trait Client: Clone + 'static {
    /// What is kept from one turn to the next: a connection, or nothing.
    type State: 'static;

    /// Prepares one connection. Its time is not measured.
    async fn open(&self, address: SocketAddr) -> io::Result<Self::State>;

    /// Does once what is counted.
    async fn turn(&self, state: &mut Self::State) -> io::Result<()>;
}

/// What was seen, printed as the JSON object that `harness/load.py` reads.
pub(crate) struct Report {
    requests: usize,
    seconds: f64,
    latency_p50: Duration,
    latency_p99: Duration,
}

/// Runs the whole load.
///
/// # Errors
/// The first turn that failed, or that no turn was completed.
pub(crate) async fn run<C: Client>(plan: &Plan, client: C) -> io::Result<Report> {
    let mut states = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        states.push(in_time(client.open(plan.address)).await?);
    }
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let started = Instant::now();
    let deadline = started + plan.length;
    let mut turns = JoinSet::new();
    for mut state in states {
        let (client, latencies) = (client.clone(), Rc::clone(&latencies));
        turns.spawn_local(async move {
            let mut before = Instant::now();
            while before < deadline {
                in_time(client.turn(&mut state)).await?;
                let after = Instant::now();
                latencies.borrow_mut().push(after - before);
                before = after;
            }
            io::Result::Ok(())
        });
    }
    while let Some(ended) = turns.join_next().await {
        ended??;
    }
    Report::of(latencies.take(), started.elapsed())
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(TURN_MAX, step).await?
}

impl Report {
    fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> io::Result<Self> {
        if latencies.is_empty() {
            return Err(io::Error::other("no request was answered"));
        }
        latencies.sort_unstable();
        let percentile = |percent| latencies[(latencies.len() - 1) * percent / 100];
        Ok(Self {
            requests: latencies.len(),
            seconds: elapsed.as_secs_f64(),
            latency_p50: percentile(50),
            latency_p99: percentile(99),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = |latency: Duration| latency.as_secs_f64() * 1e6;
        write!(
            f,
            r#"{{"requests": {}, "seconds": {:.6}, "latency_p50_us": {:.1}, "latency_p99_us": {:.1}}}"#,
            self.requests,
            self.seconds,
            microseconds(self.latency_p50),
            microseconds(self.latency_p99),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_read_from_the_sorted_latencies() {
        let latencies = (1..=100).rev().map(Duration::from_micros).collect();
        let report = Report::of(latencies, Duration::from_secs(2)).unwrap();
        assert_eq!(
            report.to_string(),
            r#"{"requests": 100, "seconds": 2.000000, "latency_p50_us": 50.0, "latency_p99_us": 99.0}"#
        );
    }

    #[test]
    fn a_load_without_an_answer_has_no_figures() {
        assert!(Report::of(Vec::new(), Duration::from_secs(1)).is_err());
    }
}
