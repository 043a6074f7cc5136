//! A target that answers its checks as a script says, and notes what has happened to it and when.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::health::Health;
use engine::{Endpoint, EndpointState, Reach};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

/// A target, and what has happened to it: lines of a moment in seconds and everything that happened then.
pub(super) struct Target {
    pub(super) endpoint: Arc<Endpoint>,
    /// Checks that it keeps waiting.
    pub(super) kept_waiting: Cell<usize>,
    is_healthy: Cell<Option<bool>>,
    history: RefCell<Vec<(Duration, String)>>,
    start: Instant,
}

impl Target {
    pub(super) async fn listen(answers: &str) -> Rc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().unwrap();
        let target = Rc::new(Self {
            endpoint: Arc::new(Endpoint {
                address,
                check_address: address,
                reach: Reach::FULL,
                zone: None,
                key: 1,
                state: Arc::new(EndpointState::new(address.port().into())),
            }),
            kept_waiting: Cell::new(0),
            is_healthy: Cell::new(None),
            history: RefCell::default(),
            start: Instant::now(),
        });
        spawn_local(Rc::clone(&target).answer_all(listener, script(answers)));
        target
    }

    async fn answer_all(self: Rc<Self>, listener: TcpListener, answers: VecDeque<Answer>) {
        for answer in answers {
            let (stream, _) = listener.accept().await.expect("a check");
            spawn_local(Rc::clone(&self).answer(stream, answer));
        }
        // Checks beyond the script are noted, and refused.
        while listener.accept().await.is_ok() {
            self.note("unexpected");
        }
    }

    async fn answer(self: Rc<Self>, mut stream: TcpStream, answer: Answer) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut request).await.expect("a request"), 0);
        }
        assert!(request.starts_with(b"GET /hello HTTP/1.1\r\n"));
        self.note("check");
        let status = match answer {
            Answer::Status(status) => status,
            Answer::Late(delay) => {
                self.keep_waiting(sleep(delay)).await;
                200
            }
            Answer::Never => {
                let mut rest = Vec::new();
                self.keep_waiting(stream.read_to_end(&mut rest)).await;
                return self.note("given-up");
            }
        };
        let response = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: 0\r\n\r\n");
        stream
            .write_all(response.as_bytes())
            .await
            .expect("a reader");
    }

    async fn keep_waiting(&self, until: impl Future) {
        self.kept_waiting.set(self.kept_waiting.get() + 1);
        until.await;
        self.kept_waiting.set(self.kept_waiting.get() - 1);
    }

    fn note(&self, what: &str) {
        let now = self.start.elapsed();
        let mut history = self.history.borrow_mut();
        match history.last_mut() {
            Some((at, line)) if *at == now => {
                line.push(' ');
                line.push_str(what);
            }
            _ => history.push((now, what.to_owned())),
        }
    }

    pub(super) fn note_health(&self) {
        let state = &self.endpoint.state;
        let is_healthy = match state.health() {
            Health::Initial { .. } => return,
            Health::Healthy { .. } => true,
            Health::Unhealthy { .. } => false,
        };
        if self.is_healthy.replace(Some(is_healthy)) == Some(is_healthy) {
            return;
        }
        match state.failure() {
            None => self.note("healthy"),
            Some(failure) => self.note(&format!("unhealthy:{failure:?}")),
        }
    }

    pub(super) fn history(&self) -> Vec<String> {
        let history = self.history.borrow();
        let lines = history.iter();
        lines
            .map(|(at, what)| format!("{} {what}", at.as_secs_f64()))
            .collect()
    }
}

/// What a target does with a check.
#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    /// 200, so long after the check.
    Late(Duration),
    Never,
}

/// Answers in the order of the checks: a status, a number of seconds to wait with 200 (`9.5s`), or `silent`.
fn script(text: &str) -> VecDeque<Answer> {
    let answer = |word: &str| match word.strip_suffix('s') {
        Some(seconds) => Answer::Late(Duration::from_secs_f64(seconds.parse().unwrap())),
        None if word == "silent" => Answer::Never,
        None => Answer::Status(word.parse().unwrap()),
    };
    text.split_whitespace().map(answer).collect()
}
