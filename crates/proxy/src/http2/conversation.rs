//! The request of one stream at one target of HTTP/1.1, both directions at once; the counterpart of
//! `conversation.rs` for clients that speak HTTP/2.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use engine::{Endpoint, Pool};

use super::download::{Download, Stopped};
use super::state::Gone;
use super::stream::ClientStream;
use super::upload::Upload;
use crate::buffer::{Buffer, Lease};
use crate::conversation::{Failure, INTERIM_RESPONSES_MAX, Reached};
use crate::exchange::Exchange;
use crate::http1::FieldStorage;
use crate::http1::response;
use crate::http1::scan::{RESPONSE_LIMITS, Scan, Scanner};
use crate::registry::Signal;
use crate::stream::Stream;
use crate::worker::Worker;

pub(super) struct Conversation<'a> {
    worker: &'a Rc<Worker>,
    client: &'a ClientStream,
    pool: &'a Pool,
    endpoint: &'a Endpoint,
    target: Stream,
    /// The request head and what goes out with it.
    request: &'a Buffer,
    sent: usize,
    upload: Option<Upload>,
    /// The target takes no more of the request; its response may be there all the same.
    has_upload_failed: bool,
    exchange: &'a Exchange,
    /// That of the final response, once it has come.
    status: Option<u16>,
    /// Leased when the target has something to read, so that waiting for it takes no memory.
    response: Option<Lease>,
}

/// The response has been handed on whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// Whether the target's connection can carry another request.
    pub(super) target_stays: bool,
}

/// There was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoResponse {
    pub(super) failure: Failure,
}

impl From<Failure> for NoResponse {
    fn from(failure: Failure) -> Self {
        Self { failure }
    }
}

/// What is to be done with a head of the target.
enum HeadPlan {
    /// An interim response. Clients of HTTP/2 get none.
    Drop,
    /// A final response, whose head was written for the client.
    Final {
        download: Option<Download>,
        keeps_alive: bool,
    },
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        worker: &'a Rc<Worker>,
        client: &'a ClientStream,
        reached: Reached<'a>,
        request: &'a Buffer,
        upload: Option<Upload>,
        exchange: &'a Exchange,
    ) -> Self {
        Self {
            worker,
            client,
            pool: reached.pool,
            endpoint: reached.endpoint,
            target: reached.stream,
            request,
            sent: 0,
            upload,
            has_upload_failed: false,
            exchange,
            status: None,
            response: None,
        }
    }

    /// Whether any byte of the request may have reached the target.
    pub(super) fn has_sent(&self) -> bool {
        self.sent > 0
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    pub(super) fn into_target(self) -> Stream {
        self.target
    }

    /// Sends the request and hands the response on.
    pub(super) async fn run(&mut self) -> Result<Finished, NoResponse> {
        self.touch();
        for _ in 0..=INTERIM_RESPONSES_MAX {
            let (start, end) = self.read_head().await?;
            if let HeadPlan::Final {
                download,
                keeps_alive,
            } = self.plan_head(start, end)?
            {
                self.relay(download).await?;
                let has_surplus = self.response.as_ref().is_some_and(|rest| !rest.is_empty());
                let is_upload_done = self.upload.is_none() && !self.has_upload_failed;
                return Ok(Finished {
                    target_stays: keeps_alive && is_upload_done && !has_surplus,
                });
            }
        }
        Err(Failure::BadResponse.into())
    }

    /// A byte has moved: the idle timeout starts again.
    fn touch(&self) {
        self.client.entry().arm(self.exchange.idle_timeout);
    }

    /// The reason to stop, if there is one.
    fn poll_signal(&self, cx: &Context<'_>) -> Option<Failure> {
        match self.client.poll_gone(cx) {
            Some(Gone::Malformed) => return Some(Failure::BadBody),
            Some(_) => return Some(Failure::ClientGone),
            None => {}
        }
        let signal = self.client.entry().poll_signal(cx)?;
        Some(match signal {
            Signal::TargetCut => Failure::TargetCut,
            Signal::Expired => match &self.upload {
                Some(upload) if upload.waits_for_client() => Failure::ClientStalled,
                _ => Failure::TargetStalled,
            },
        })
    }

    /// Sends the request while it waits for the next head of the target, and then until the client's
    /// connection has room for it.
    async fn read_head(&mut self) -> Result<(usize, usize), Failure> {
        let mut scanner = Scanner::default();
        let mut found = None;
        poll_fn(|cx| {
            if let Some(failure) = self.poll_signal(cx) {
                return Poll::Ready(Err(failure));
            }
            // Whether it has come to an end is known from its state.
            let _ = self.poll_send_request(cx);
            loop {
                if let Some(head) = found {
                    return self.client.poll_room().map(|()| Ok(head));
                }
                if let Some(response) = &self.response {
                    match scanner.scan(response.filled(), &RESPONSE_LIMITS) {
                        Scan::Complete { start, end } => {
                            found = Some((start, end));
                            continue;
                        }
                        Scan::Refused(_) => return Poll::Ready(Err(Failure::BadResponse)),
                        Scan::Incomplete => {}
                    }
                }
                ready!(self.poll_receive(cx))?;
            }
        })
        .await
    }

    /// Sends what is left of the head and the body. Ready when there is nothing left, or no use in it.
    fn poll_send_request(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.sent < self.request.len() && !self.has_upload_failed {
            let rest = &self.request.filled()[self.sent..];
            match ready!(self.target.poll_write(cx, rest)) {
                Ok(count) => {
                    self.sent += count;
                    self.touch();
                }
                // A response may have come before the target closed; reading tells.
                Err(_) => self.has_upload_failed = true,
            }
        }
        let Some(upload) = self.upload.as_mut().filter(|_| !self.has_upload_failed) else {
            return Poll::Ready(());
        };
        let outcome = upload.poll(cx, self.client, &mut self.target, &self.worker.buffers);
        if upload.take_moved() {
            self.touch();
        }
        match ready!(outcome) {
            Ok(()) => self.upload = None,
            Err(_) => self.has_upload_failed = true,
        }
        Poll::Ready(())
    }

    /// Reads once from the target.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if self.response.is_none() {
            ready!(self.target.poll_readable(cx));
        }
        let buffers = &self.worker.buffers;
        let response = self.response.get_or_insert_with(|| buffers.bulk());
        match self.target.poll_fill(cx, response) {
            Poll::Pending => {
                if response.is_empty() {
                    self.response = None;
                }
                Poll::Pending
            }
            Poll::Ready(Ok(0) | Err(_)) => {
                let received_bytes = response.len();
                Poll::Ready(Err(Failure::TargetClosed { received_bytes }))
            }
            Poll::Ready(Ok(_)) => {
                self.touch();
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Parses the head that was received and writes what the client gets of it.
    fn plan_head(&mut self, start: usize, end: usize) -> Result<HeadPlan, Failure> {
        let mut response = self.response.take().expect("a head was scanned in it");
        let mut storage = FieldStorage::new();
        let head = &response.filled()[start..end];
        let head = response::parse(head, self.exchange.is_head, &mut storage)
            .map_err(|_| Failure::BadResponse)?;
        let plan = match head.status {
            // No request of HTTP/2 asks for another protocol.
            101 => return Err(Failure::BadResponse),
            100..200 => HeadPlan::Drop,
            _ => {
                self.status = Some(head.status);
                let (client, exchange) = (self.client, self.exchange);
                let compressor =
                    client.write_response(self.worker, exchange, self.pool, self.endpoint, &head);
                HeadPlan::Final {
                    download: Download::new(head.framing, compressor),
                    keeps_alive: head.keeps_alive,
                }
            }
        };
        response.consume(end);
        self.response = Some(response);
        Ok(plan)
    }

    /// Hands the body of the response on, and what is still to come of the request to the target.
    async fn relay(&mut self, download: Option<Download>) -> Result<(), Failure> {
        let Some(mut download) = download else {
            return Ok(());
        };
        poll_fn(|cx| {
            match self.poll_signal(cx) {
                Some(failure @ (Failure::ClientGone | Failure::BadBody)) => {
                    return Poll::Ready(Err(failure));
                }
                Some(_) => return Poll::Ready(Err(Failure::ResponseCut)),
                None => {}
            }
            // A request that can no longer be sent does not spoil the response.
            let _ = self.poll_send_request(cx);
            let buffers = &self.worker.buffers;
            let received = self.response.get_or_insert_with(|| buffers.bulk());
            let outcome = download.poll(cx, &mut self.target, received, self.client);
            if download.take_moved() {
                self.touch();
            }
            match outcome {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
                Poll::Ready(Err(Stopped)) => Poll::Ready(Err(Failure::ResponseCut)),
            }
        })
        .await
    }
}
