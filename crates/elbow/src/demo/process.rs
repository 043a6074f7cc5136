//! The processes of the demo: other commands of this binary that end when the demo ends, however it ends.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a process may take to say that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a process may take to end by itself.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// A running command of this binary.
#[derive(Debug)]
pub(super) struct Process {
    /// Its standard input is its leash: see `stop::requested`.
    child: Child,
    id: u32,
    /// Kept, so that a process that prints is not stopped by a closed pipe.
    _output: Lines<BufReader<ChildStdout>>,
}

/// A process of the demo did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("`elbow {command}` cannot be started")]
    Start {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("`elbow {command}` ended before it was ready; its own message is above")]
    Ended { command: String },
    #[error("`elbow {command}` was not ready after {} seconds", READY_TIMEOUT.as_secs())]
    TimedOut { command: String },
}

impl Process {
    /// Starts `elbow ARGUMENTS` and waits for its first line, by which it says that it is ready.
    ///
    /// # Errors
    /// It cannot be started, or ends or stays silent instead.
    pub(super) async fn start(arguments: &[String]) -> Result<Self, ProcessError> {
        let command = arguments.join(" ");
        let failed = |source| ProcessError::Start {
            command: command.clone(),
            source,
        };
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(arguments)
            .arg("--stop-at-end-of-input")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C in a terminal goes to the whole process group; the demo alone decides what it means.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let id = child
            .id()
            .expect("a process that was not waited for has an id");
        let output = child.stdout.take().expect("the output is piped");
        let mut output = BufReader::new(output).lines();
        match tokio::time::timeout(READY_TIMEOUT, output.next_line()).await {
            Ok(Ok(Some(_))) => Ok(Self {
                child,
                id,
                _output: output,
            }),
            Ok(Ok(None)) => Err(ProcessError::Ended { command }),
            Ok(Err(source)) => Err(failed(source)),
            Err(_) => Err(ProcessError::TimedOut { command }),
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Lets it end in order, and kills it if it does not.
    pub(super) async fn end(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(END_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            // Nothing is left to do about a process that cannot even be killed.
            let _ = self.child.kill().await;
        }
    }
}
