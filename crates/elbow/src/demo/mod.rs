//! `elbow demo`: a whole example with real processes and real requests, made through the public API.
//!
//! It starts an `elbow serve` with state of its own, four instances of the demo application in two zones,
//! and a load balancer in front of them; shows a request, kills an instance, and shows who noticed.

mod process;
mod setup;
mod traffic;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use model::Cidr;

use crate::cli::DemoArgs;
use crate::client::{CallError, Client};
use crate::config::directory::{DataDirectory, DirectoryError};
use crate::contact::{Contact, ContactError};
use crate::stop;
use process::{Process, ProcessError};
use setup::{Balancer, INSTANCE_PORT, Registered, Role, Setup};
use traffic::Tally;

/// How long the instances may take to pass their first check, and a dead one to be noticed: the interval
/// is 5 s, the timeout 2 s, and two checks have to fail.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(45);
const HEALTH_POLL: Duration = Duration::from_millis(500);

/// How long requests are sent before an instance is killed, and after.
const TRAFFIC: Duration = Duration::from_millis(1500);

/// The instances: name, zone (1 or 2), what they are for.
const INSTANCES: [(&str, u8, Role); 4] = [
    ("web-a", 1, Role::Web),
    ("web-b", 2, Role::Web),
    ("api-a", 1, Role::Api),
    ("api-b", 2, Role::Api),
];

/// Last part of the address of the first instance of a zone.
const FIRST_HOST: u8 = 100;

/// The demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(
        "{0} cannot be the demo's network: it takes a /16 inside 127.0.0.0/8, such as 127.65.0.0/16"
    )]
    Network(Cidr),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("no port is free for the endpoint")]
    Endpoint(#[source] io::Error),
    #[error("{0} could not be killed")]
    Kill(&'static str, #[source] io::Error),
    #[error("the targets did not become {wanted} in {} seconds; they are {seen:?}", HEALTH_TIMEOUT.as_secs())]
    Health {
        wanted: &'static str,
        seen: Vec<(String, String)>,
    },
    #[error("the load balancer did not answer: {0}")]
    Silent(String),
}

/// Everything the demo has running.
struct Stage {
    directory: DataDirectory,
    server: Process,
    instances: Vec<Process>,
}

/// Shows the demo; without `--exit` it then stays up until it is told to stop.
///
/// # Errors
/// A part of it does not start or does not do what it should.
pub(crate) async fn run(args: DemoArgs) -> Result<(), DemoError> {
    let directory = DataDirectory::at(own_directory());
    let outcome = run_in(&directory, args).await;
    // It is the system's temporary directory: what cannot be removed now goes with the rest of it.
    let _ = std::fs::remove_dir_all(directory.path());
    outcome
}

async fn run_in(directory: &DataDirectory, args: DemoArgs) -> Result<(), DemoError> {
    let zones = zones(args.vpc_cidr)?;
    let endpoint = free_endpoint(args.listen).map_err(DemoError::Endpoint)?;
    let stop = stop::requested(false);
    tokio::pin!(stop);
    let mut stage = Stage::set(directory, args.vpc_cidr, zones, endpoint).await?;
    let shown = tokio::select! {
        shown = show(&mut stage, zones) => shown,
        () = &mut stop => {
            stage.clear().await;
            return Ok(());
        }
    };
    if shown.is_ok() && !args.exit {
        println!("Press Ctrl-C to stop.");
        stop.await;
    }
    stage.clear().await;
    shown
}

async fn show(stage: &mut Stage, zones: [Ipv4Addr; 2]) -> Result<(), DemoError> {
    let client = Client::new(Contact::find(&stage.directory)?, None);
    println!(
        "Making an Application Load Balancer with the calls that the aws command would make:\n"
    );
    let setup = Setup::new(&client);
    let subnets = setup.subnets().await?;
    let mut registered = Vec::new();
    for (index, (name, zone, role)) in INSTANCES.into_iter().enumerate() {
        let address = IpAddr::V4(address_of(zones, index));
        let subnet = &subnets[usize::from(zone) - 1];
        registered.push(setup.instance(name, role, address, subnet).await?);
    }
    let balancer = setup.balancer(&subnets, &registered).await?;
    wait_for_health(&client, &balancer, "healthy", |states| {
        states.iter().all(|(_, state)| state == "healthy")
    })
    .await?;
    show_requests(&balancer).await?;
    show_a_crash(stage, &client, &balancer, &registered).await?;
    println!("{}", invitation(&stage.directory, &balancer));
    Ok(())
}

/// One request to each rule.
async fn show_requests(balancer: &Balancer) -> Result<(), DemoError> {
    let address = balancer.sockets()[0];
    println!(
        "Requests to {address}, an address of {}:\n",
        balancer.dns_name
    );
    for path in ["/", "/api/orders", "/old/page"] {
        println!(
            "$ curl -i -H 'Host: {}' http://{address}{path}",
            balancer.dns_name
        );
        let answer = traffic::get(address, &balancer.dns_name, path).await;
        println!("{}", answer.map_err(DemoError::Silent)?);
    }
    Ok(())
}

/// Kills the first instance under traffic and counts what the clients saw.
async fn show_a_crash(
    stage: &mut Stage,
    client: &Client,
    balancer: &Balancer,
    registered: &[Registered],
) -> Result<(), DemoError> {
    let (name, ..) = INSTANCES[0];
    let sockets = balancer.sockets();
    let mut tally = Tally::default();
    println!(
        "Sending requests, and killing {name} (process {}) meanwhile:\n",
        stage.instances[0].id()
    );
    tally.send(&sockets, &balancer.dns_name, TRAFFIC).await;
    let killing = stage.instances[0].kill();
    let (killed, ()) = tokio::join!(killing, tally.send(&sockets, &balancer.dns_name, TRAFFIC));
    killed.map_err(|source| DemoError::Kill(name, source))?;
    println!("{tally}\n");
    let dead = &registered[0].id;
    let states = wait_for_health(client, balancer, "unhealthy", |states| {
        let is_noticed =
            |(id, state): &(String, String)| id == dead && state.starts_with("unhealthy");
        states.iter().any(is_noticed)
    })
    .await?;
    println!("The health checks have noticed by now:\n");
    for (id, state) in states {
        println!("  {id}: {state}");
    }
    println!();
    Ok(())
}

/// Asks for the health of the web targets until `is_reached`.
async fn wait_for_health(
    client: &Client,
    balancer: &Balancer,
    wanted: &'static str,
    is_reached: impl Fn(&[(String, String)]) -> bool,
) -> Result<Vec<(String, String)>, DemoError> {
    let deadline = tokio::time::Instant::now() + HEALTH_TIMEOUT;
    loop {
        let seen = setup::health(client, &balancer.web).await?;
        if is_reached(&seen) {
            return Ok(seen);
        }
        if tokio::time::Instant::now() > deadline {
            return Err(DemoError::Health { wanted, seen });
        }
        tokio::time::sleep(HEALTH_POLL).await;
    }
}

fn invitation(directory: &DataDirectory, balancer: &Balancer) -> String {
    let path = directory.path().display();
    let url = |socket| match balancer.port {
        80 => format!("http://{}/", SocketAddr::ip(&socket)),
        _ => format!("http://{socket}/"),
    };
    let urls: Vec<_> = balancer.sockets().into_iter().map(url).collect();
    format!(
        "Open {}\n\n\
         To use this elbow with the aws command:  eval \"$(elbow env --data-dir {path})\"\n\
         To use the load balancer by its name:    elbow hosts --data-dir {path} >> /etc/hosts\n",
        urls.join(" or ")
    )
}

impl Balancer {
    fn sockets(&self) -> Vec<SocketAddr> {
        let socket = |address: &IpAddr| SocketAddr::new(*address, self.port);
        self.addresses.iter().map(socket).collect()
    }
}

impl Stage {
    /// Starts the processes.
    async fn set(
        directory: &DataDirectory,
        vpc_cidr: Cidr,
        zones: [Ipv4Addr; 2],
        endpoint: SocketAddr,
    ) -> Result<Self, DemoError> {
        directory.create()?;
        println!("Starting elbow with the endpoint http://{endpoint}");
        let mut serve: Vec<String> = ["serve", "--log", "warn"].map(str::to_owned).to_vec();
        let block = |zone: char, subnet| format!("us-east-1{zone}={subnet}/24");
        for (option, value) in [
            ("--data-dir", directory.path().display().to_string()),
            ("--listen", endpoint.to_string()),
            ("--vpc-cidr", vpc_cidr.to_string()),
            ("--zone", block('a', zones[0])),
            ("--zone", block('b', zones[1])),
        ] {
            serve.extend([option.to_owned(), value]);
        }
        let server = Process::start(&serve).await?;
        let mut instances = Vec::new();
        for (index, (name, ..)) in INSTANCES.into_iter().enumerate() {
            let address = format!("{}:{INSTANCE_PORT}", address_of(zones, index));
            let arguments = ["app", "--listen", &address, "--name", name];
            let instance = Process::start(&arguments.map(str::to_owned)).await?;
            println!("Started {name} on {address}, process {}", instance.id());
            instances.push(instance);
        }
        println!();
        Ok(Self {
            directory: directory.clone(),
            server,
            instances,
        })
    }

    /// Ends the processes.
    async fn clear(self) {
        self.server.end().await;
        for instance in self.instances {
            instance.end().await;
        }
    }
}

fn own_directory() -> PathBuf {
    std::env::temp_dir().join(format!("elbow-demo-{}", std::process::id()))
}

/// The networks of the two zones in the demo's block.
fn zones(block: Cidr) -> Result<[Ipv4Addr; 2], DemoError> {
    match (block.network(), block.prefix_length()) {
        (IpAddr::V4(network), 16) if network.is_loopback() => {
            let [a, b, ..] = network.octets();
            Ok([1, 2].map(|zone| Ipv4Addr::new(a, b, zone, 0)))
        }
        _ => Err(DemoError::Network(block)),
    }
}

/// The address of the instance at `index`: instances of one zone stand next to each other.
fn address_of(zones: [Ipv4Addr; 2], index: usize) -> Ipv4Addr {
    let (_, zone, _) = INSTANCES[index];
    let before = INSTANCES[..index]
        .iter()
        .filter(|(_, other, _)| *other == zone);
    let host = (FIRST_HOST..)
        .nth(before.count())
        .expect("a zone has few instances");
    let [a, b, c, _] = zones[usize::from(zone) - 1].octets();
    Ipv4Addr::new(a, b, c, host)
}

/// `wanted`, or a free port of the same address if another program listens there.
fn free_endpoint(wanted: SocketAddr) -> io::Result<SocketAddr> {
    match TcpListener::bind(wanted) {
        Ok(_) => Ok(wanted),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let free = TcpListener::bind((wanted.ip(), 0))?.local_addr()?;
            println!("{wanted} is in use, so the demo takes {free}.");
            Ok(free)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_addresses_of_their_own_in_their_zones() {
        let zones = zones("127.7.0.0/16".parse().unwrap()).unwrap();
        let addresses = [0, 1, 2, 3].map(|index| address_of(zones, index).to_string());
        assert_eq!(
            addresses,
            ["127.7.1.100", "127.7.2.100", "127.7.1.101", "127.7.2.101"]
        );
    }

    #[test]
    fn only_a_loopback_network_is_taken() {
        for block in ["10.0.0.0/16", "127.7.0.0/24", "::/16"] {
            assert!(zones(block.parse().unwrap()).is_err(), "{block}");
        }
    }
}
