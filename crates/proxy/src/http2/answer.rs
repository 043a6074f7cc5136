//! Answers that are made here, to streams that need no target.

use std::task::Poll;

use engine::Frontend;

use super::connection::Connection;
use super::head::Http2Head;
use crate::decide::count_own;
use crate::http1::Framing;
use crate::outgoing::Persistence;
use crate::registry::ticks;
use crate::respond::Answer;

/// Answers with the page of `status`, which this counts.
pub(super) fn answer_page(
    connection: &mut Connection<'_>,
    stream: u32,
    ends_stream: bool,
    status: u16,
) {
    count_own(&connection.worker.counters, status);
    let frontend = connection.listener.for_request();
    let page = Answer::Page(status);
    answer(connection, stream, ends_stream, &page, &frontend, false);
}

/// Answers a stream. What the client's windows do not let go at once is left to a task.
pub(super) fn answer(
    connection: &mut Connection<'_>,
    stream: u32,
    ends_stream: bool,
    answer: &Answer<'_>,
    frontend: &Frontend,
    is_head: bool,
) {
    let worker = connection.worker;
    let date = worker.date();
    let mut body = worker.buffers.head();
    if !is_head {
        answer.write_body(&frontend.http, &mut body);
    }
    let write_head = |head: &mut Http2Head<'_>| {
        answer.write_head(head, &frontend.http, Persistence::KeepAlive, &date);
    };
    let client = if ends_stream {
        let mut state = connection.shared.borrow_mut();
        if state.answer(stream, body.filled(), write_head) {
            return;
        }
        drop(state);
        connection.open(stream, ends_stream, Framing::Chunked)
    } else {
        let client = connection.open(stream, ends_stream, Framing::Chunked);
        client.write_fields(body.is_empty(), write_head);
        // At once, so that an answer leaves in one piece and needs no task.
        if !body.is_empty()
            && let Poll::Ready(count) = client.poll_send(body.filled(), true)
        {
            body.consume(count);
        }
        client
    };
    if !body.is_empty() {
        let idle_timeout = ticks(frontend.idle_timeout);
        tokio::task::spawn_local(async move { client.send_rest(&mut body, idle_timeout).await });
    }
}
