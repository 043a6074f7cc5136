//! One request at one target: the head and body go out, the response comes back, both at once.
//!
//! A target may answer before it has read the whole request, and a client may send while it receives, so
//! both directions are polled together. Memory is bounded by two buffers a direction.

mod relay;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use engine::{Endpoint, Pool};

use crate::buffer::{Buffer, Lease};
use crate::connection::{Client, Next};
use crate::exchange::Exchange;
use crate::forward::Returned;
use crate::http1::response;
use crate::http1::scan::{RESPONSE_LIMITS, Scan, Scanner};
use crate::http1::{FieldStorage, Version};
use crate::outgoing::Persistence;
use crate::pump::{Pump, PumpError, Side};
use crate::registry::Signal;
use crate::stream::Stream;
use crate::worker::Worker;

use relay::Response;

/// Interim responses before a final one; a target that sends more is answered with 502.
pub(crate) const INTERIM_RESPONSES_MAX: u32 = 16;

/// The exchange of one request with one target.
pub(crate) struct Conversation<'a> {
    worker: &'a Rc<Worker>,
    client: &'a mut Client,
    /// What the client has sent and is not used yet: its body, or the next request.
    received: &'a mut Lease,
    pool: &'a Pool,
    endpoint: &'a Endpoint,
    target: Stream,
    /// The request head and what goes out with it.
    request: &'a Buffer,
    sent: usize,
    upload: Option<Pump>,
    /// The target takes no more of the body; its response may be there all the same.
    has_upload_failed: bool,
    is_client_silent: bool,
    exchange: &'a Exchange,
    /// That of the final response, or 101, once it has come.
    status: Option<u16>,
    /// Leased when the target has something to read, so that waiting for it takes no memory.
    response: Option<Lease>,
}

/// A target, and a connection to it.
pub(crate) struct Reached<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) stream: Stream,
}

/// The end of a conversation that had a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    /// The response has been sent to the client.
    Responded {
        /// What becomes of the client's connection.
        client: Next,
        /// Whether the target's connection can carry another request.
        target_stays: bool,
    },
    /// The target has switched protocols, and the client knows.
    Switched,
}

/// The end of a conversation that had none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoResponse {
    pub(crate) failure: Failure,
    /// Whether the request was read to its end.
    pub(crate) is_upload_done: bool,
}

/// Whose fault it is, and so what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client reset its connection, or closed it before its request was complete.
    ClientGone,
    /// The client stopped sending its request.
    ClientStalled,
    /// The request body is not what its framing says.
    BadBody,
    /// The target closed before its response was complete enough to hand on.
    TargetClosed { received_bytes: usize },
    /// The target stopped before its response began.
    TargetStalled,
    /// The deregistration delay ended, or the target was deregistered and went away without looking at a request of
    /// whose body it had been sent a part.
    TargetCut,
    /// The response is not HTTP, or is ambiguous.
    BadResponse,
    /// The response had begun when one side failed.
    ResponseCut,
}

/// What is to be done with a head of the target.
enum HeadPlan {
    /// 100: for us alone.
    Drop,
    /// Another interim response, written for the client.
    Interim(Lease),
    /// 101, written for the client.
    Switch(Lease),
    /// A final response.
    Final(Response),
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(
        worker: &'a Rc<Worker>,
        client: &'a mut Client,
        received: &'a mut Lease,
        reached: Reached<'a>,
        request: &'a Buffer,
        upload: Option<Pump>,
        exchange: &'a Exchange,
    ) -> Self {
        Self {
            worker,
            client,
            received,
            pool: reached.pool,
            endpoint: reached.endpoint,
            target: reached.stream,
            request,
            sent: 0,
            upload,
            has_upload_failed: false,
            is_client_silent: false,
            exchange,
            status: None,
            response: None,
        }
    }

    /// Whether any byte of the request may have reached the target.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent > 0 || self.target.is_write_pending()
    }

    pub(crate) fn into_parts(self) -> Returned {
        Returned {
            stream: self.target,
            status: self.status,
            surplus: self.response,
        }
    }

    /// Sends the request and hands the response on.
    pub(crate) async fn run(&mut self) -> Result<Finished, NoResponse> {
        self.touch();
        for _ in 0..=INTERIM_RESPONSES_MAX {
            let (start, end) = self
                .read_head()
                .await
                .map_err(|failure| self.no_response(failure))?;
            let plan = self.plan_head(start, end);
            let mut plan = plan.map_err(|failure| self.no_response(failure))?;
            // By reference: what is moved into an arm is there twice while the arm waits.
            match &mut plan {
                HeadPlan::Drop => {}
                HeadPlan::Interim(head) => {
                    self.send(head)
                        .await
                        .map_err(|failure| self.no_response(failure))?;
                }
                HeadPlan::Switch(head) => {
                    self.send(head)
                        .await
                        .map_err(|failure| self.no_response(failure))?;
                    return Ok(Finished::Switched);
                }
                HeadPlan::Final(response) => {
                    self.relay(response)
                        .await
                        .map_err(|failure| self.no_response(failure))?;
                    return Ok(self.finished(response));
                }
            }
        }
        Err(self.no_response(Failure::BadResponse))
    }

    fn no_response(&self, failure: Failure) -> NoResponse {
        NoResponse {
            failure,
            is_upload_done: self.upload.is_none() && !self.has_upload_failed,
        }
    }

    fn finished(&mut self, response: &Response) -> Finished {
        if response.ends_with_close {
            self.client.stream.shut_down();
        }
        let is_upload_done = self.upload.is_none() && !self.has_upload_failed;
        let is_sending_done =
            is_upload_done && self.received.is_empty() && !self.exchange.is_simple();
        let client = match response.persistence {
            Persistence::KeepAlive if is_upload_done => Next::KeepOpen,
            Persistence::Close if is_sending_done => Next::Close,
            _ => Next::Linger,
        };
        Finished::Responded {
            client,
            target_stays: response.target_stays && is_upload_done,
        }
    }

    /// A byte has moved: the idle timeout starts again.
    fn touch(&self) {
        self.client.entry.arm(self.exchange.idle_timeout);
    }

    /// The reason to stop, if there is one.
    fn poll_signal(&self, cx: &Context<'_>) -> Option<Failure> {
        self.client
            .entry
            .poll_signal(cx)
            .map(|signal| match signal {
                Signal::TargetCut => Failure::TargetCut,
                Signal::Expired => match &self.upload {
                    Some(pump) if pump.waits_for() == Side::Source => Failure::ClientStalled,
                    _ => Failure::TargetStalled,
                },
            })
    }

    /// Sends the request while it waits for the next head of the target.
    async fn read_head(&mut self) -> Result<(usize, usize), Failure> {
        let mut scanner = Scanner::default();
        poll_fn(|cx| {
            if let Some(failure) = self.poll_signal(cx) {
                return Poll::Ready(Err(failure));
            }
            if let Poll::Ready(Err(failure)) = self.poll_send_request(cx) {
                return Poll::Ready(Err(failure));
            }
            loop {
                if let Some(response) = &self.response {
                    match scanner.scan(response.filled(), &RESPONSE_LIMITS) {
                        Scan::Complete { start, end } => return Poll::Ready(Ok((start, end))),
                        Scan::Refused(_) => return Poll::Ready(Err(Failure::BadResponse)),
                        Scan::Incomplete => {}
                    }
                }
                match self.poll_receive(cx) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                    Poll::Pending => break,
                }
            }
            match self.poll_client(cx) {
                Poll::Ready(failure) => Poll::Ready(Err(failure)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Sends what is left of the head and the body. Ready when there is nothing left, or on a failure that
    /// leaves no hope for a response.
    fn poll_send_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        while self.sent < self.request.len() && !self.has_upload_failed {
            match self
                .target
                .poll_write(cx, &self.request.filled()[self.sent..])
            {
                Poll::Ready(Ok(count)) => {
                    self.sent += count;
                    self.touch();
                }
                // A response may have come before the target closed; reading tells.
                Poll::Ready(Err(_)) => self.has_upload_failed = true,
                Poll::Pending => return Poll::Pending,
            }
        }
        let Some(pump) = self.upload.as_mut().filter(|_| !self.has_upload_failed) else {
            return Poll::Ready(Ok(()));
        };
        let buffers = &self.worker.buffers;
        let outcome = pump.poll(
            cx,
            &mut self.client.stream,
            self.received,
            &mut self.target,
            buffers,
        );
        if pump.take_moved() {
            self.touch();
        }
        match outcome {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                self.upload = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(PumpError::Gone(Side::Sink))) => {
                self.has_upload_failed = true;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(PumpError::Gone(Side::Source))) => {
                Poll::Ready(Err(Failure::ClientGone))
            }
            Poll::Ready(Err(PumpError::BadChunk)) => Poll::Ready(Err(Failure::BadBody)),
        }
    }

    /// Reads once from the target.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        if self.response.is_none() {
            std::task::ready!(self.target.poll_readable(cx));
        }
        let response = self
            .response
            .get_or_insert_with(|| self.worker.buffers.bulk());
        match self.target.poll_fill(cx, response) {
            Poll::Pending if response.is_empty() => {
                self.response = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0) | Err(_)) => {
                let received_bytes = response.len();
                Poll::Ready(Err(Failure::TargetClosed { received_bytes }))
            }
            Poll::Ready(Ok(count)) => {
                self.touch();
                Poll::Ready(Ok(count))
            }
        }
    }

    /// Notices a client that resets its connection, so that the target's work is not wasted on it. A client
    /// that only closes its sending side still gets its response (RFC 9112 section 9.6).
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        while self.upload.is_none() && !self.is_client_silent && !self.received.spare().is_empty() {
            match self.client.stream.poll_fill(cx, self.received) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(Failure::ClientGone),
                Poll::Ready(Ok(0)) => self.is_client_silent = true,
                Poll::Ready(Ok(_)) => {}
            }
        }
        Poll::Pending
    }

    /// Parses the head that was received and writes what the client gets of it.
    fn plan_head(&mut self, start: usize, end: usize) -> Result<HeadPlan, Failure> {
        let mut response = self.response.take().expect("a head was scanned in it");
        let mut storage = FieldStorage::new();
        let head = &response.filled()[start..end];
        let head = response::parse(head, self.exchange.is_head, &mut storage)
            .map_err(|_| Failure::BadResponse)?;
        let plan = match head.status {
            100 => HeadPlan::Drop,
            101 if self.exchange.is_upgrade => HeadPlan::Switch(self.written_switch(&head)),
            101 => return Err(Failure::BadResponse),
            // RFC 9110 section 15.2: HTTP/1.0 has no interim responses.
            102..200 if self.exchange.version <= Version::Http10 => HeadPlan::Drop,
            102..200 => HeadPlan::Interim(self.written_interim(&head)),
            _ => HeadPlan::Final(self.plan_response(&head)),
        };
        if matches!(plan, HeadPlan::Switch(_) | HeadPlan::Final(_)) {
            self.status = Some(head.status);
        }
        response.consume(end);
        self.response = Some(response);
        Ok(plan)
    }
}
