//! The command line: which subcommands there are and what each of them takes.
//!
//! Every option of `serve` can also come from the environment and, with few exceptions, from the
//! configuration file; `config` says which of them wins.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::Cidr;
use model::account::AccountId;

use crate::config::topology::Zone;

/// An Application Load Balancer and the AWS APIs that drive it, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "elbow", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the AWS APIs and the load balancers made with them, until SIGINT or SIGTERM.
    Serve(Box<ServeArgs>),
    /// Print the variables that point AWS clients here: eval "$(elbow env)".
    Env(ElbowArgs),
    /// Print lines for /etc/hosts: the name and the addresses of each load balancer.
    Hosts(ClientArgs),
    /// Print the root certificate of the local certificate authority, for clients to trust.
    Ca(ElbowArgs),
    /// Print load balancers, listeners, rules and targets, and whether they are well.
    ///
    /// The exit status is 0 if all is well; 1 if a load balancer does not serve, a target in use is unhealthy, or a
    /// target group in use has no target that gets requests; 2 after an error.
    Status(StatusArgs),
    /// Say what is wrong with load balancers, targets, certificates and this machine, and what to do about it.
    ///
    /// It connects to the identity providers of rules, and to each port whose health checks fail or that gets requests
    /// while the checks use another port or protocol: up to three times, and as often again if target groups of HTTP/1
    /// and of HTTP/2 or gRPC have it. The exit status is 0 if nothing was found, 1 if something was, 2 after an error.
    Doctor(DoctorArgs),
    /// Say what would become of a request, without sending one: listener, certificate, rules, target.
    ///
    /// The exit status is 0 if a rule's action would answer it or a target would get it; 1 if it would be refused, have
    /// no target or find no listener; 2 after an error.
    Explain(ExplainArgs),
    /// Register the machines that run your application.
    Instance {
        #[command(subcommand)]
        command: InstanceCommand,
    },
    /// Make and list accounts beside the one of the configuration.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Make, list and revoke access keys beside the root key.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Run a whole example, made through the public API, and stay up until stopped.
    Demo(DemoArgs),
    /// Run the small HTTP application that the demo uses as its instances.
    App(AppArgs),
    /// Print the version.
    Version,
}

/// The options of `elbow serve`.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Configuration file (TOML).
    #[arg(long, env = "ELBOW_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory for the state and the root access key.
    #[arg(long, env = "ELBOW_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of the AWS endpoint [default: 127.0.0.1:4566]. Port 0 takes a free one.
    #[arg(long, env = "ELBOW_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Serve the AWS endpoint on an address other than loopback although it has no TLS.
    #[arg(long, env = "ELBOW_INSECURE_PUBLIC_ENDPOINT")]
    pub(crate) insecure_public_endpoint: bool,
    /// Threads that serve load balancer traffic [default: one for each core].
    #[arg(long, env = "ELBOW_WORKERS", value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// AWS Region to be [default: us-east-1].
    #[arg(long, env = "ELBOW_REGION")]
    pub(crate) region: Option<String>,
    /// AWS account to be, 12 digits [default: 123456789012].
    #[arg(long, env = "ELBOW_ACCOUNT", value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Address block of the default VPC [default: 127.65.0.0/16].
    #[arg(long, env = "ELBOW_VPC_CIDR", value_name = "CIDR")]
    pub(crate) vpc_cidr: Option<Cidr>,
    /// Address block of Elastic IP addresses, outside of the VPC [default: 127.66.0.0/24 beside a VPC on
    /// loopback, else none].
    #[arg(long, env = "ELBOW_ELASTIC_CIDR", value_name = "CIDR")]
    pub(crate) elastic_cidr: Option<Cidr>,
    /// Availability zone and the block of its subnet; repeat for each zone
    /// [default: us-east-1a=127.65.1.0/24 us-east-1b=127.65.2.0/24].
    #[arg(
        long = "zone",
        env = "ELBOW_ZONES",
        value_name = "NAME=CIDR",
        value_delimiter = ','
    )]
    pub(crate) zones: Vec<Zone>,
    /// Domain under which load balancers get their names [default: elb.internal].
    #[arg(long, env = "ELBOW_BASE_DOMAIN", value_name = "DOMAIN")]
    pub(crate) base_domain: Option<String>,
    /// Another value for one of AWS's limits; repeat for each.
    #[arg(
        long = "limit",
        env = "ELBOW_LIMITS",
        value_name = "NAME=MAX",
        value_delimiter = ',',
        value_parser = parse_limit
    )]
    pub(crate) limits: Vec<(String, u32)>,
    /// What to log: error, warn, info, debug, trace, or directives such as proxy=debug,info.
    #[arg(long, env = "ELBOW_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// Stop when standard input ends, so that no server outlives the program that started it.
    #[arg(long)]
    pub(crate) stop_at_end_of_input: bool,
}

/// How a command finds the elbow it is about.
#[derive(Debug, Args)]
pub(crate) struct ElbowArgs {
    /// Configuration file of that elbow.
    #[arg(long, env = "ELBOW_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory of that elbow.
    #[arg(long, env = "ELBOW_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// How a command that calls the APIs finds the elbow to talk to, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) elbow: ElbowArgs,
    /// Account to act in [default: the one of the configuration].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
}

/// The options of `elbow status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Print one load balancer [default: all of them].
    #[arg(value_name = "LOAD-BALANCER")]
    pub(crate) load_balancer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options of `elbow doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options of `elbow explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Method of the request.
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// URL of the request; its host is the name or an address of a load balancer, or else --listener or --address
    /// says where the client connects to.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Header of the request; repeat for each. There is no other than these and Host.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    pub(crate) headers: Vec<(String, String)>,
    /// Address of the client [default: 127.0.0.1, and ::1 if the client connects to an IPv6 address].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<IpAddr>,
    /// Listener the client connects to.
    #[arg(long, value_name = "ARN")]
    pub(crate) listener: Option<String>,
    /// Address of a load balancer that the client connects to.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<IpAddr>,
    /// PEM file with the certificate that the client has, and after it those that lead to its authority; nothing else
    /// in it is sent [default: the client has none].
    #[arg(long, value_name = "FILE")]
    pub(crate) client_certificate: Option<PathBuf>,
    /// The client speaks HTTP/2.
    #[arg(long)]
    pub(crate) http2: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do with instances.
#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// Register a machine by its address in one of the subnets; prints its instance id.
    Add(InstanceAddArgs),
    /// List the registered machines.
    List(ClientArgs),
    /// Terminate (forget) machines.
    Remove(InstanceRemoveArgs),
}

/// The options of `elbow instance add`.
#[derive(Debug, Args)]
pub(crate) struct InstanceAddArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Private address of the machine; it lies in one of the subnets.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: IpAddr,
    /// Value of its tag Name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Security group it belongs to; repeat for several [default: the VPC's default group].
    #[arg(long = "security-group", value_name = "SG-ID")]
    pub(crate) security_groups: Vec<String>,
}

/// The options of `elbow instance remove`.
#[derive(Debug, Args)]
pub(crate) struct InstanceRemoveArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Ids of the instances.
    #[arg(required = true, value_name = "I-ID")]
    pub(crate) ids: Vec<String>,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account with a default VPC and subnets of its own; `elbow key create --account ID` makes its keys.
    Create(AccountCreateArgs),
    /// List the accounts beside the one of the configuration: id, block of the VPC, time of making.
    List(ElbowArgs),
}

/// The options of `elbow account create`.
#[derive(Debug, Args)]
pub(crate) struct AccountCreateArgs {
    #[command(flatten)]
    pub(crate) elbow: ElbowArgs,
    /// Id of the account: 12 digits.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Address block of its default VPC [default: one that is free, on loopback].
    #[arg(long, value_name = "CIDR")]
    pub(crate) vpc_cidr: Option<Cidr>,
    /// Address block of its Elastic IP addresses, outside of the VPC [default: one that is free, on loopback].
    #[arg(long, value_name = "CIDR")]
    pub(crate) elastic_cidr: Option<Cidr>,
}

/// What to do with access keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print the variables for AWS clients; its secret is shown this once.
    Create(KeyCreateArgs),
    /// List the keys but the root key: id, access, time of making, name, account.
    List(ElbowArgs),
    /// Revoke a key at once.
    Revoke(KeyRevokeArgs),
}

/// The options of `elbow key create`.
#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The key may describe, list and get, and change nothing.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Name of the user whose key it is, as GetCallerIdentity and the audit log tell it; no other key has it
    /// [default: the id of the key].
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
}

/// The options of `elbow key revoke`.
#[derive(Debug, Args)]
pub(crate) struct KeyRevokeArgs {
    #[command(flatten)]
    pub(crate) elbow: ElbowArgs,
    /// Id of the key.
    #[arg(value_name = "ACCESS_KEY_ID")]
    pub(crate) access_key_id: String,
}

/// The options of `elbow demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after the show instead of staying up.
    #[arg(long, env = "ELBOW_DEMO_EXIT")]
    pub(crate) exit: bool,
    /// Address of the demo's AWS endpoint. A port in use is replaced by a free one.
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Loopback block of the demo, a /16: its zones are the /24 blocks 1 and 2 in it.
    #[arg(long, default_value = "127.65.0.0/16", value_name = "CIDR")]
    pub(crate) vpc_cidr: Cidr,
}

/// The options of `elbow app`.
#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Name that the application answers with.
    #[arg(long)]
    pub(crate) name: String,
    /// Stop when standard input ends.
    #[arg(long)]
    pub(crate) stop_at_end_of_input: bool,
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("expected 'Name: value', for example 'Accept: text/html'")?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn parse_limit(text: &str) -> Result<(String, u32), String> {
    let (name, max) = text
        .split_once('=')
        .ok_or("expected NAME=MAX, for example rules-per-application-load-balancer=1000")?;
    let max = max
        .parse()
        .map_err(|_| format!("the limit '{max}' is not a whole number"))?;
    Ok((name.to_owned(), max))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_limit_has_a_name_and_a_number() {
        assert_eq!(
            parse_limit("target-groups=7"),
            Ok(("target-groups".to_owned(), 7))
        );
        for text in ["target-groups", "target-groups=", "target-groups=-1"] {
            assert!(parse_limit(text).is_err(), "{text} is not a limit");
        }
    }
}
