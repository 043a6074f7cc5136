//! Health checks: one task a target, which asks, waits, and asks again.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::health::{Check, Failure, after_check};
use engine::{Endpoint, Pool, Snapshot};
use model::health_check::HealthCheck;
use rustc_hash::FxHashMap;
use tls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::http1::scan::{RESPONSE_LIMITS, Scan, Scanner};
use crate::http1::{FieldStorage, response};

/// What the data plane asks of the prober.
#[derive(Debug)]
pub(crate) enum Command {
    /// Check the targets of this snapshot, and no others.
    Publish {
        snapshot: Arc<Snapshot>,
        done: oneshot::Sender<()>,
    },
}

/// How often the shares of targets in slow start grow.
const SLOW_START_STEP: Duration = Duration::from_secs(1);

/// How many of those steps there are to an evaluation of what has become of requests: one in 5 s.
///
/// Source: ALB guide, "Automatic Target Weights (ATW)".
const EVALUATION_STEPS: u64 = 5;

/// The checks that are running, by registration.
struct Prober {
    /// How targets are spoken to whose checks go through TLS.
    tls: Arc<ClientConfig>,
    running: FxHashMap<u64, Running>,
    /// Those of the latest snapshot.
    pools: Vec<Arc<Pool>>,
    /// What the times of `Pool::refresh` are counted from.
    start: Instant,
    steps: u64,
}

struct Running {
    /// The pool of the latest snapshot; the task reads it before each check.
    pool: Rc<RefCell<Arc<Pool>>>,
    check: HealthCheck,
    is_tls: bool,
    task: JoinHandle<()>,
}

/// Runs the checks of the latest snapshot until the commands end.
pub(crate) async fn run(mut commands: mpsc::Receiver<Command>, tls: Arc<ClientConfig>) {
    let mut prober = Prober {
        tls,
        running: FxHashMap::default(),
        pools: Vec::new(),
        start: Instant::now(),
        steps: 0,
    };
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
    fn follow(&mut self, snapshot: &Snapshot) {
        let mut before = std::mem::take(&mut self.running);
        for pool in &snapshot.pools {
            for endpoint in &pool.endpoints {
                let running = match before.remove(&endpoint.state.id()) {
                    Some(running)
                        if running.check == pool.settings.health_check
                            && running.is_tls == pool.settings.health_check_is_tls =>
                    {
                        running.pool.replace(Arc::clone(pool));
                        running
                    }
                    outdated => {
                        if let Some(outdated) = outdated {
                            outdated.task.abort();
                        }
                        self.start_checking(pool, endpoint)
                    }
                };
                self.running.insert(endpoint.state.id(), running);
            }
            // A check may have ended between the compilation of this pool and now.
            pool.refresh(self.start.elapsed());
        }
        self.pools.clone_from(&snapshot.pools);
        for gone in before.into_values() {
            gone.task.abort();
        }
    }

    /// Moves the weights of targets.
    fn step(&mut self) {
        self.steps += 1;
        for pool in &self.pools {
            pool.step_slow_start(self.start.elapsed());
            if self.steps.is_multiple_of(EVALUATION_STEPS) {
                pool.evaluate_outcomes();
            }
        }
    }

    fn start_checking(&self, pool: &Arc<Pool>, endpoint: &Arc<Endpoint>) -> Running {
        let pool = Rc::new(RefCell::new(Arc::clone(pool)));
        let check = pool.borrow().settings.health_check.clone();
        let is_tls = pool.borrow().settings.health_check_is_tls;
        let task = tokio::task::spawn_local(check_forever(
            Rc::clone(&pool),
            Arc::clone(endpoint),
            check.clone(),
            is_tls.then(|| Arc::clone(&self.tls)),
            self.start,
        ));
        Running {
            pool,
            check,
            is_tls,
            task,
        }
    }
}

async fn check_forever(
    pool: Rc<RefCell<Arc<Pool>>>,
    endpoint: Arc<Endpoint>,
    config: HealthCheck,
    tls: Option<Arc<ClientConfig>>,
    start: Instant,
) {
    let mut due = interval(config.interval);
    // A slow answer does not shift the next check; one that was missed is not made up for.
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        due.tick().await;
        let outcome = check_once(endpoint.check_address, &config, tls.as_deref()).await;
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
            pool.borrow().refresh(start.elapsed());
        }
    }
}

/// Makes one check, within its timeout.
async fn check_once(
    address: SocketAddr,
    config: &HealthCheck,
    tls: Option<&ClientConfig>,
) -> Result<(), Failure> {
    let status = timeout(config.timeout, request_status(address, &config.path, tls))
        .await
        .map_err(|_| Failure::Timeout)??;
    if config.matcher.matches(status) {
        Ok(())
    } else {
        Err(Failure::ResponseCodeMismatch(status))
    }
}

/// Asks for `path` on a connection of its own and gives the status of the answer.
///
/// Source: ALB guide, "Health checks for your target groups"; the fields are those seen on the service.
async fn request_status(
    address: SocketAddr,
    path: &str,
    tls: Option<&ClientConfig>,
) -> Result<u16, Failure> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::Timeout,
            _ => Failure::FailedHealthChecks,
        })?;
    let default_port = if tls.is_some() { 443 } else { 80 };
    let host = match address.port() {
        port if port == default_port => address.ip().to_string(),
        _ => address.to_string(),
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n"
    );
    match tls {
        None => ask(stream, &request).await,
        Some(tls) => {
            // The address is no name to ask for.
            let encrypted = tls.connect(None, stream).await;
            ask(
                encrypted.map_err(|_| Failure::FailedHealthChecks)?,
                &request,
            )
            .await
        }
    }
}

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
