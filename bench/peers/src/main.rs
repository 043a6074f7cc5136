//! The targets, the clients and the proxy of the benchmark that no packaged program offers, on one thread each.
//! `bench/run` builds and starts them; what they do is the same for every proxy.

mod added;
mod closed_loop;
mod copy;
mod grpc_target;
mod handshake_load;
mod websocket;
mod websocket_load;
mod websocket_target;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::LocalSet;

use closed_loop::Plan;

const USAGE: &str = "usage:
  bench-peers copy LISTEN TARGET
  bench-peers grpc-target LISTEN
  bench-peers websocket-target LISTEN
  bench-peers websocket-load ADDRESS CONNECTIONS SECONDS
  bench-peers handshake-load ADDRESS CONNECTIONS SECONDS";

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, run(std::env::args().skip(1).collect()))
}

async fn run(arguments: Vec<String>) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["copy", listen, target] => {
            copy::serve(TcpListener::bind(listen).await?, target.parse()?).await?;
        }
        ["grpc-target", listen] => grpc_target::serve(TcpListener::bind(listen).await?).await?,
        ["websocket-target", listen] => {
            websocket_target::serve(TcpListener::bind(listen).await?).await?;
        }
        ["websocket-load", rest @ ..] => {
            let plan = parse_plan(rest)?;
            println!("{}", closed_loop::run(&plan, websocket_load::Client).await?);
        }
        ["handshake-load", rest @ ..] => {
            let plan = parse_plan(rest)?;
            println!(
                "{}",
                closed_loop::run(&plan, handshake_load::Client::new()?).await?
            );
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn parse_plan(arguments: &[&str]) -> Result<Plan, Box<dyn Error>> {
    let [address, connections, seconds] = arguments else {
        return Err(USAGE.into());
    };
    Ok(Plan {
        address: address.parse::<SocketAddr>()?,
        connections: connections.parse()?,
        length: Duration::from_secs(seconds.parse()?),
    })
}
