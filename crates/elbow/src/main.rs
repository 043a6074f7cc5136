//! The binary: reads the command line, runs one command, reports how it failed.

mod app;
mod audit;
mod cli;
mod client;
mod commands;
mod config;
mod contact;
mod credentials;
mod demo;
mod explain;
mod key_file;
mod metrics;
mod objects;
mod plane;
mod serve;
mod stop;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use cli::{AccountCommand, Cli, Command, InstanceCommand, KeyCommand};

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // A command that judges says with 1 that something is wrong with what it has seen.
    let after_error = match command {
        Command::Status(_) | Command::Explain(_) | Command::Doctor(_) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    };
    run(command).unwrap_or_else(|error| {
        // Nobody may be reading it, and the status says it too.
        let _ = writeln!(std::io::stderr(), "elbow: {}", chain(&*error));
        after_error
    })
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Doctor(args) => return Ok(block_on(commands::doctor::run(args))??),
        Command::Explain(args) => return Ok(block_on(commands::explain::run(args))??),
        Command::Status(args) => return Ok(block_on(commands::status::run(args))??),
        Command::Serve(args) => serve::run(*args)?,
        Command::Env(args) => commands::env::run(args)?,
        Command::Hosts(args) => block_on(commands::hosts::run(args))??,
        Command::Ca(args) => commands::ca::run(args)?,
        Command::Instance { command } => match command {
            InstanceCommand::Add(args) => block_on(commands::instance::add(args))??,
            InstanceCommand::List(args) => block_on(commands::instance::list(args))??,
            InstanceCommand::Remove(args) => block_on(commands::instance::remove(args))??,
        },
        Command::Account { command } => match command {
            AccountCommand::Create(args) => block_on(commands::account::create(args))??,
            AccountCommand::List(args) => block_on(commands::account::list(args))??,
        },
        Command::Key { command } => match command {
            KeyCommand::Create(args) => block_on(commands::key::create(args))??,
            KeyCommand::List(args) => block_on(commands::key::list(args))??,
            KeyCommand::Revoke(args) => block_on(commands::key::revoke(args))??,
        },
        Command::Demo(args) => block_on(demo::run(args))??,
        Command::App(args) => block_on(app::run(args))??,
        Command::Version => commands::print(concat!("elbow ", env!("CARGO_PKG_VERSION"), "\n"))?,
    }
    Ok(ExitCode::SUCCESS)
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
