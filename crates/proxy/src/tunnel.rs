//! Two connections joined after 101: bytes pass both ways until one side has had its say.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::buffer::{BufferPool, Lease};
use crate::connection::Client;
use crate::forward::Returned;
use crate::registry::Tick;
use crate::stream::Stream;
use crate::worker::Worker;

/// One direction of a tunnel.
struct Direction {
    /// Owned only while there are bytes in it, so that a silent tunnel takes no memory.
    buffer: Option<Lease>,
    has_ended: bool,
}

/// Joins the client and the target until both directions have ended, one connection has failed, or nothing
/// has moved for the idle timeout.
pub(crate) async fn tunnel(
    worker: &Rc<Worker>,
    client: &mut Client,
    received: &mut Lease,
    returned: Returned,
    idle_timeout: Tick,
) {
    let mut target = returned.stream;
    let early = (!received.is_empty()).then(|| std::mem::replace(received, worker.buffers.head()));
    let mut up = Direction {
        buffer: early,
        has_ended: false,
    };
    let mut down = Direction {
        buffer: returned.surplus,
        has_ended: false,
    };
    client.entry.arm(idle_timeout);
    poll_fn(|cx| {
        if client.entry.poll_signal(cx).is_some() || client.entry.is_closing() {
            return Poll::Ready(());
        }
        let mut moved = false;
        let buffers = &worker.buffers;
        let outcome = up
            .poll(cx, &mut client.stream, &mut target, buffers, &mut moved)
            .and_then(|()| down.poll(cx, &mut target, &mut client.stream, buffers, &mut moved));
        if moved {
            client.entry.arm(idle_timeout);
        }
        match outcome {
            Ok(()) if !(up.has_ended && down.has_ended) => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
    target.say_goodbye();
    target.count_bytes(
        &worker.counters.bytes_from_targets,
        &worker.counters.bytes_to_targets,
    );
}

/// One of the two connections has failed.
struct Broken;

impl Direction {
    /// Moves what can be moved now, and hands the end of the source on.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Stream,
        sink: &mut Stream,
        buffers: &Rc<BufferPool>,
        moved: &mut bool,
    ) -> Result<(), Broken> {
        while !self.has_ended {
            while let Some(buffer) = self.buffer.as_mut().filter(|buffer| !buffer.is_empty()) {
                match sink.poll_write(cx, buffer.filled()) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Err(_)) => return Err(Broken),
                    Poll::Ready(Ok(count)) => buffer.consume(count),
                }
                *moved = true;
            }
            self.buffer = None;
            if source.poll_readable(cx).is_pending() {
                return Ok(());
            }
            let buffer = self.buffer.insert(buffers.head());
            match source.poll_fill(cx, buffer) {
                Poll::Pending => {
                    self.buffer = None;
                    return Ok(());
                }
                Poll::Ready(Err(_)) => return Err(Broken),
                Poll::Ready(Ok(0)) => {
                    sink.shut_down();
                    self.has_ended = true;
                }
                Poll::Ready(Ok(_)) => *moved = true,
            }
        }
        Ok(())
    }
}
