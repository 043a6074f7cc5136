//! The binary: reads the command line, runs one command, reports how it failed.

mod app;
mod cli;
mod client;
mod commands;
mod config;
mod contact;
mod credentials;
mod demo;
mod key_file;
mod metrics;
mod objects;
mod plane;
mod serve;
mod stop;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, InstanceCommand};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("elbow: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(args) => serve::run(*args)?,
        Command::Env(args) => commands::env::run(args)?,
        Command::Hosts(args) => block_on(commands::hosts::run(args))??,
        Command::Ca(args) => commands::ca::run(args)?,
        Command::Instance { command } => match command {
            InstanceCommand::Add(args) => block_on(commands::instance::add(args))??,
            InstanceCommand::List(args) => block_on(commands::instance::list(args))??,
            InstanceCommand::Remove(args) => block_on(commands::instance::remove(args))??,
        },
        Command::Demo(args) => block_on(demo::run(args))??,
        Command::App(args) => block_on(app::run(args))??,
        Command::Version => println!("elbow {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(())
}

/// Runs a command that waits for little at a time: one thread is enough.
fn block_on<F: Future>(command: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(command))
}

/// An error with the errors that caused it, outermost first.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        format!("{text}: {}", cause.to_string().trim_end())
    })
}
