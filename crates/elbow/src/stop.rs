//! When a program of this binary has to end.

use std::io::Read;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Catches SIGINT and SIGTERM from now on. The future completes at one of them, and at the end of standard
/// input if `at_end_of_input`.
///
/// Standard input as a leash is how the demo makes sure that none of its processes outlives it, however it
/// ends: the kernel closes the other end of the pipe.
pub(crate) fn requested(at_end_of_input: bool) -> impl Future<Output = ()> {
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be caught");
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
    let end_of_input = async move {
        match at_end_of_input {
            true => end_of_input().await,
            false => std::future::pending().await,
        }
    };
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = end_of_input => {}
        }
    }
}

/// A thread of its own reads, because a read of tokio's would keep the runtime from ending.
async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
        let _ = ended.send(());
    });
    let _ = end.await;
}
