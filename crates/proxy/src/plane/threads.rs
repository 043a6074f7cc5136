//! The threads of the data plane, each with an event loop of its own.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;

use super::{Clock, Config};
use crate::counters::Counters;
use crate::worker::{COMMANDS_MAX, ClearText, Command, Worker};

#[derive(Debug)]
pub(super) struct WorkerHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) counters: Arc<Counters>,
    pub(super) thread: Option<JoinHandle<()>>,
}

pub(super) fn start_worker(
    index: u64,
    seed: u64,
    config: Config,
    clear_text: ClearText,
) -> io::Result<WorkerHandle> {
    let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
    let counters = Arc::new(Counters::default());
    let shared = Arc::clone(&counters);
    let thread = spawn_local_runtime(format!("elbow-worker-{index}"), move || async move {
        let worker = Worker::new(shared, seed, &config, clear_text);
        if config.clock == Clock::System {
            tokio::task::spawn_local(std::rc::Rc::clone(&worker).follow_clock());
        }
        worker.run(receiver).await;
    })?;
    Ok(WorkerHandle {
        commands,
        counters,
        thread: Some(thread),
    })
}

/// Runs `main` on an event loop in a thread of its own.
pub(super) fn spawn_local_runtime<F: Future<Output = ()>>(
    name: String,
    main: impl FnOnce() -> F + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => {
                let _ = ready.send(Ok(()));
                runtime.block_on(main());
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    })?;
    is_ready
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread ended at once")))?;
    Ok(thread)
}
