//! What is done with a request of HTTP/2, up to the point where somebody has to wait for something.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use engine::{HttpVersion, Pool};

use super::hpack::{FieldList, Scheme};
use super::request::{self, Storage};
use super::stream::ClientStream;
use super::target_head::{TargetHead, TargetRequest};
use super::{exchange, target_exchange};
use crate::buffer::Lease;
use crate::decide::{ConnectionFacts, Decision, count_own, decide};
use crate::exchange::Exchange;
use crate::forwarded::Forwarded;
use crate::head_sink::{DowngradedHead, Http1Head};
use crate::http1::FIELDS_MAX;
use crate::http1::request::RequestHead;
use crate::logins::Ask;
use crate::respond::Answer;
use crate::tls_facts::TlsFacts;
use crate::worker::{SharedFrontend, Worker};

/// What comes next for a request.
pub(super) enum Step<'f> {
    /// It is answered here. The answer has been counted.
    Answer(Answer<'f>),
    /// It goes to a target.
    Forward(Forward),
    /// Somebody has to be asked first.
    Ask(Ask),
}

/// A request that goes to a target.
pub(super) struct Forward {
    message: Message,
    exchange: Exchange,
    pool: Arc<Pool>,
}

/// The head as the target gets it.
enum Message {
    Http1(Lease),
    Http2(TargetRequest),
}

/// Decides on a request, and writes the head for the target it goes to.
pub(super) fn route<'f>(
    worker: &Worker,
    frontend: &'f SharedFrontend,
    connection: ConnectionFacts<'_>,
    head: &RequestHead<'_, '_>,
    asked: Option<auth::Outcome>,
) -> Step<'f> {
    let route = match decide(worker, frontend, connection, head, asked) {
        Decision::Answer(answer) => return Step::Answer(answer),
        Decision::Ask(ask) => return Step::Ask(ask),
        Decision::Forward(route) => route,
    };
    let forwarded = Forwarded {
        request: head,
        frontend,
        connection,
        route: &route,
    };
    let protocol = route.pool.settings.protocol;
    let message = if protocol.version == HttpVersion::Http1 {
        let mut out = worker.buffers.head();
        forwarded.write_head(&mut DowngradedHead(Http1Head(&mut out)));
        Message::Http1(out)
    } else {
        let scheme = match protocol.is_tls {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let mut out = TargetHead::new(scheme, worker.buffers.head());
        forwarded.write_head(&mut out);
        let Some(request) = out.into_request() else {
            worker.counters.requests_malformed.increment();
            count_own(&worker.counters, 400);
            let page = Answer::Page(400)
                .with_cookies(route.stay.pool_cookies(worker))
                .with_cookies(route.user.set_cookies);
            return Step::Answer(page.of_rule(route.extensions.map(Arc::as_ref)));
        };
        Message::Http2(request)
    };
    let mut exchange = Exchange::of(head, frontend);
    exchange.stay = route.stay;
    exchange.set_cookies = route.user.set_cookies;
    exchange.extensions = route.extensions.cloned();
    Step::Forward(Forward {
        message,
        exchange,
        pool: route.pool,
    })
}

impl Forward {
    /// Starts the task that sees to the rest.
    pub(super) fn start(self, worker: Rc<Worker>, client: ClientStream) {
        let Self {
            message,
            exchange,
            pool,
        } = self;
        // By reference: what is moved into a future is there twice.
        match message {
            Message::Http1(mut head) => {
                tokio::task::spawn_local(async move {
                    exchange::forward(&worker, &client, &mut head, &exchange, &pool).await;
                });
            }
            Message::Http2(request) => {
                tokio::task::spawn_local(async move {
                    target_exchange::forward(&worker, &client, &request, &exchange, &pool).await;
                });
            }
        }
    }
}

/// A request about which somebody has to be asked, with what it takes to decide on it again.
pub(super) struct Asking {
    pub(super) fields: FieldList,
    pub(super) ends_stream: bool,
    pub(super) frontend: SharedFrontend,
    pub(super) peer: SocketAddr,
    pub(super) tls: Option<Rc<TlsFacts>>,
}

impl Asking {
    /// Asks, and goes on with the outcome.
    pub(super) async fn run(self, worker: Rc<Worker>, client: ClientStream, ask: Ask) {
        let outcome = ask.run(&worker.logins).await;
        match self.step(&worker, outcome) {
            Some((Step::Answer(answer), is_head)) => {
                client
                    .answer(&worker, &self.frontend, &answer, is_head)
                    .await;
            }
            Some((Step::Forward(forward), _)) => forward.start(worker, client),
            // It was well-formed before, and is asked about once.
            Some((Step::Ask(_), _)) | None => {}
        }
    }

    fn step(&self, worker: &Worker, outcome: auth::Outcome) -> Option<(Step<'_>, bool)> {
        let mut storage = Storage::<FIELDS_MAX>::new();
        let head = request::parse(&self.fields, self.ends_stream, storage.places()).ok()?;
        let connection = ConnectionFacts {
            peer: self.peer,
            tls: self.tls.as_deref(),
        };
        let step = route(worker, &self.frontend, connection, &head, Some(outcome));
        Some((step, head.method == "HEAD"))
    }
}
