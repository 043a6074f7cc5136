//! Health checks: one task a target, which asks, waits, and asks again.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::health::{Check, Failure, after_check};
use engine::{Endpoint, HttpVersion, Pool, PoolId, Snapshot};
use model::health_check::HealthCheck;
use rustc_hash::FxHashMap;
use tls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::counters::Counters;
use crate::http1::scan::{RESPONSE_LIMITS, Scan, Scanner};
use crate::http1::{FieldStorage, response};
use crate::http2;
use crate::tls_configs::HealthCheckTls;

/// What the data plane asks of the prober.
#[derive(Debug)]
pub(crate) enum Command {
    /// Check the targets of this snapshot, and no others.
    Publish {
        snapshot: Arc<Snapshot>,
        done: oneshot::Sender<()>,
    },
}

/// The checks that are made at once: what is due beyond that waits. Bounds the sockets that checks take, also
/// when many targets are registered in one moment and when many of them do not answer.
const CHECKS_MAX: usize = 1024;

/// How often the shares of targets in slow start grow.
const SLOW_START_STEP: Duration = Duration::from_secs(1);

/// How many of those steps there are to an evaluation of what has become of requests: one in 5 s.
///
/// Source: ALB guide, "Automatic Target Weights (ATW)".
const EVALUATION_STEPS: u64 = 5;

/// The checks that are running, by registration.
struct Prober {
    /// How targets are spoken to whose checks go through TLS.
    tls: HealthCheckTls,
    shared: Rc<Shared>,
    running: FxHashMap<u64, Running>,
    /// Those of the latest snapshot.
    pools: FxHashMap<PoolId, Arc<Pool>>,
    steps: u64,
}

/// What all checks share.
struct Shared {
    /// What a check holds while it is made.
    permits: Semaphore,
    counters: Arc<Counters>,
    /// What the times of `Pool::refresh` are counted from.
    start: Instant,
}

struct Running {
    /// Those of the latest snapshot; the task reads them before each check.
    checked: Rc<RefCell<Checked>>,
    check: HealthCheck,
    is_tls: bool,
    task: JoinHandle<()>,
}

/// A target that is checked.
struct Checked {
    endpoint: Arc<Endpoint>,
    pool: Arc<Pool>,
}

impl Running {
    /// Whether `pool` is checked in the same way.
    fn goes_on_for(&self, pool: &Pool) -> bool {
        self.check == pool.settings.health_check && self.is_tls == pool.settings.health_check_is_tls
    }
}

impl Shared {
    /// What one more check has to hold; waits while as many as may be are made.
    async fn permit(&self) -> SemaphorePermit<'_> {
        if let Ok(permit) = self.permits.try_acquire() {
            return permit;
        }
        self.counters.health_checks_over_limit.increment();
        self.permits.acquire().await.expect("it is never closed")
    }
}

/// Runs the checks of the latest snapshot until the commands end.
pub(crate) async fn run(
    mut commands: mpsc::Receiver<Command>,
    tls: HealthCheckTls,
    counters: Arc<Counters>,
) {
    let mut prober = Prober::new(tls, counters);
    let mut step = interval(SLOW_START_STEP);
    step.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(Command::Publish { snapshot, done }) = command else {
                    return;
                };
                prober.follow(&snapshot);
                // Nobody may be waiting any more.
                let _ = done.send(());
            }
            _ = step.tick() => prober.step(),
        }
    }
}

impl Prober {
    fn new(tls: HealthCheckTls, counters: Arc<Counters>) -> Self {
        Self {
            tls,
            shared: Rc::new(Shared {
                permits: Semaphore::new(CHECKS_MAX),
                counters,
                start: Instant::now(),
            }),
            running: FxHashMap::default(),
            pools: FxHashMap::default(),
            steps: 0,
        }
    }

    /// Takes over the pools that have changed; the checks of the others go on as they are.
    fn follow(&mut self, snapshot: &Snapshot) {
        let mut before = std::mem::take(&mut self.pools);
        let mut changed = Vec::new();
        let mut outdated = FxHashMap::default();
        for pool in &snapshot.pools {
            let known = before.remove(&pool.id);
            if !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, pool)) {
                outdated.extend(self.take_running(known.as_ref()));
                changed.push(pool);
            }
            self.pools.insert(pool.id, Arc::clone(pool));
        }
        for gone in before.values() {
            outdated.extend(self.take_running(Some(gone)));
        }
        for pool in changed {
            for endpoint in &pool.endpoints {
                let id = endpoint.state.id();
                let checked = Checked {
                    endpoint: Arc::clone(endpoint),
                    pool: Arc::clone(pool),
                };
                let running = match outdated.remove(&id) {
                    Some(running) if running.goes_on_for(pool) => {
                        running.checked.replace(checked);
                        running
                    }
                    outdated => {
                        if let Some(outdated) = outdated {
                            outdated.task.abort();
                        }
                        self.start_checking(checked)
                    }
                };
                self.running.insert(id, running);
            }
            // A check may have ended between the compilation of this pool and now.
            pool.refresh(self.shared.start.elapsed());
        }
        for gone in outdated.into_values() {
            gone.task.abort();
        }
    }

    /// Takes out the checks of the targets of `pool`.
    fn take_running(&mut self, pool: Option<&Arc<Pool>>) -> Vec<(u64, Running)> {
        let endpoints = pool.into_iter().flat_map(|pool| &pool.endpoints);
        let ids = endpoints.map(|endpoint| endpoint.state.id());
        let running = |id| Some((id, self.running.remove(&id)?));
        ids.filter_map(running).collect()
    }

    /// Moves the weights of targets.
    fn step(&mut self) {
        self.steps += 1;
        for pool in self.pools.values() {
            pool.step_slow_start(self.shared.start.elapsed());
            if self.steps.is_multiple_of(EVALUATION_STEPS) {
                pool.evaluate_outcomes();
            }
        }
    }

    fn start_checking(&self, checked: Checked) -> Running {
        let settings = &checked.pool.settings;
        let check = settings.health_check.clone();
        let is_tls = settings.health_check_is_tls;
        let tls = is_tls.then(|| self.tls.for_version(settings.protocol.version));
        let checked = Rc::new(RefCell::new(checked));
        let task = tokio::task::spawn_local(check_forever(
            Rc::clone(&checked),
            check.clone(),
            tls,
            Rc::clone(&self.shared),
        ));
        Running {
            checked,
            check,
            is_tls,
            task,
        }
    }
}

async fn check_forever(
    checked: Rc<RefCell<Checked>>,
    config: HealthCheck,
    tls: Option<Arc<ClientConfig>>,
    shared: Rc<Shared>,
) {
    let mut due = interval(config.interval);
    // A slow answer does not shift the next check; one that was missed is not made up for.
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        due.tick().await;
        let endpoint = Arc::clone(&checked.borrow().endpoint);
        let outcome = match endpoint.reach.admits_checks {
            true => {
                let _permit = shared.permit().await;
                shared.counters.health_checks.increment();
                let version = checked.borrow().pool.settings.protocol.version;
                let check = check_once(&endpoint, version, &config, tls.as_deref());
                let outcome = timeout(config.timeout, check).await;
                outcome.unwrap_or(Err(Failure::Timeout))
            }
            // The packets are dropped, so that nothing ever answers them. There is no socket that a permit would be
            // for, and those that are in reach do not wait for it.
            false => {
                sleep(config.timeout).await;
                Err(Failure::Timeout)
            }
        };
        let check = if outcome.is_ok() {
            Check::Pass
        } else {
            Check::Fail
        };
        let before = endpoint.state.health();
        let after = after_check(before, check, &config);
        endpoint.state.set_health(after, outcome.err());
        if before.is_healthy() != after.is_healthy() {
            tracing::info!(target = %endpoint.address, health = ?after, failure = ?outcome.err(), "target health changed");
            checked.borrow().pool.refresh(shared.start.elapsed());
        }
    }
}

/// Makes one check on a connection of its own.
async fn check_once(
    endpoint: &Endpoint,
    version: HttpVersion,
    config: &HealthCheck,
    tls: Option<&ClientConfig>,
) -> Result<(), Failure> {
    let address = endpoint.check_address;
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::Timeout,
            _ => Failure::FailedHealthChecks,
        })?;
    let (scheme, default_port) = match tls {
        Some(_) => ("https", 443),
        None => ("http", 80),
    };
    let host = match (address, address.port() == default_port) {
        (SocketAddr::V6(v6), true) => format!("[{}]", v6.ip()),
        (SocketAddr::V4(v4), true) => v4.ip().to_string(),
        (_, false) => address.to_string(),
    };
    let Some(tls) = tls else {
        return check_on(stream, version, scheme, &host, config).await;
    };
    // The address is no name to ask for.
    let encrypted = tls.connect(None, stream).await;
    let encrypted = encrypted.map_err(|_| Failure::FailedHealthChecks)?;
    check_on(encrypted, version, scheme, &host, config).await
}

/// Source: ALB guide, "Health checks for your target groups"; the fields are those seen on the service.
async fn check_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    version: HttpVersion,
    scheme: &str,
    host: &str,
    config: &HealthCheck,
) -> Result<(), Failure> {
    if version != HttpVersion::Http1 {
        return http2::check(stream, scheme, host, config).await;
    }
    let path = &config.path;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
    );
    let status = ask(stream, &request).await?;
    if config.matcher.matches(status) {
        Ok(())
    } else {
        Err(Failure::ResponseCodeMismatch(status))
    }
}

/// Sends a request of HTTP/1.1 and gives the status of the answer.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> Result<u16, Failure> {
    let io = |_| Failure::FailedHealthChecks;
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut received = Vec::new();
    let mut scanner = Scanner::default();
    loop {
        if stream.read_buf(&mut received).await.map_err(io)? == 0 {
            return Err(Failure::FailedHealthChecks);
        }
        let status = match scanner.scan(&received, &RESPONSE_LIMITS) {
            Scan::Incomplete => continue,
            Scan::Refused(_) => return Err(Failure::FailedHealthChecks),
            Scan::Complete { start, end } => parsed_status(&received[start..end])?,
        };
        if status >= 200 {
            return Ok(status);
        }
        // An interim response; the final one follows.
        return Err(Failure::ResponseCodeMismatch(status));
    }
}

fn parsed_status(head: &[u8]) -> Result<u16, Failure> {
    response::parse(head, false, &mut FieldStorage::new())
        .map(|head| head.status)
        .map_err(|_| Failure::FailedHealthChecks)
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
