//! `elbow explain` on both of its sides: what is asked and what is answered, as JSON. `answer` is the side of the
//! server, which has the live snapshot; `commands/explain.rs` is that of the client.

pub(crate) mod answer;
pub(crate) mod mutual_tls;
mod node;
mod targets;
mod url;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use self::mutual_tls::MutualTls;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// What would become of a request; the answer is an `Answer`.
    Request(Question),
    /// Which connections to targets security groups drop; the answer is a list of `DroppedConnections`.
    DroppedConnections,
}

/// A request that nobody has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) method: String,
    /// `http://host[:port]/path?query`, or `https://…`.
    pub(crate) url: String,
    /// Names and values in their order, without what the URL says.
    pub(crate) headers: Vec<(String, String)>,
    /// The client's address; absent: the one that this machine connects to itself from.
    pub(crate) from: Option<IpAddr>,
    /// The ARN of the listener, if the URL's host is no load balancer.
    pub(crate) listener: Option<String>,
    /// The load balancer's address that the client connects to, if the URL's host is none.
    pub(crate) address: Option<IpAddr>,
    /// The certificate that the client has, and those after it in its chain, in PEM.
    pub(crate) client_certificate: Option<String>,
    pub(crate) is_http2: bool,
}

/// What would become of it, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) load_balancer: String,
    /// Absent if none is on the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listener: Option<String>,
    /// Where the client connects to.
    pub(crate) address: String,
    /// Absent if nothing is at the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    pub(crate) from: IpAddr,
    pub(crate) security_groups: Vec<String>,
    /// Whether the security groups let the connection through; absent if there is nothing to connect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_admitted: Option<bool>,
    /// What a client that speaks TLS is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<Certificate>,
    /// What becomes of the client's own certificate; absent if it has none and is asked for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mutual_tls: Option<MutualTls>,
    /// How far the request is trusted; absent if nothing is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) desync: Option<String>,
    /// The rules up to the one that matches, which is the last one.
    pub(crate) rules: Vec<RuleStep>,
    /// Limits and logins that stand before the action.
    pub(crate) before_action: Vec<String>,
    pub(crate) outcome: Outcome,
}

/// The certificate that SNI chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) arn: String,
    /// What the client asks for; absent: the URL has an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
    /// Whether it is the listener's default.
    pub(crate) is_default: bool,
    /// What it is for.
    pub(crate) names: Vec<String>,
    /// Whether one of the names is what the client asks for. One that asks for another refuses it.
    pub(crate) is_for_name: bool,
}

/// A rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuleStep {
    /// A number, or `default`.
    pub(crate) priority: String,
    pub(crate) arn: String,
    /// Why it does not match, a sentence for each condition; none: it does.
    pub(crate) failed: Vec<String>,
}

/// What becomes of the request in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// There is no connection for it.
    NoConnection { reason: String },
    /// It is answered with an error.
    Refused { status: u16, reason: String },
    /// The client is sent to another URL.
    Redirect { status: u16, location: String },
    /// It is answered from here.
    FixedResponse { status: u16 },
    /// It ends a login at one of these identity providers.
    LoginCallback { issuers: Vec<String> },
    /// A target gets it.
    Forward {
        /// What the transforms make of `Host`.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// What the transforms make of path and query.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The target groups of the action; if a cookie has the request stay with one of them, that one alone.
        target_groups: Vec<TargetGroup>,
        /// The cookie of the request about the target group.
        #[serde(skip_serializing_if = "Option::is_none")]
        cookie: Option<Cookie>,
        /// How clients stay with a target group.
        #[serde(skip_serializing_if = "Option::is_none")]
        stickiness: Option<String>,
        /// Where a copy goes.
        #[serde(skip_serializing_if = "Option::is_none")]
        mirror: Option<String>,
    },
}

/// A cookie of the request by which its client stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookie {
    /// Such as `AWSALB`.
    pub(crate) name: String,
    /// Why it does not count; absent: the client stays with what it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
}

/// A target group that the request may go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetGroup {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// How many of `weights` requests it gets.
    pub(crate) weight: u32,
    pub(crate) weights: u32,
    /// Why it answers with an error, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<String>,
    /// Such as `round_robin`.
    pub(crate) algorithm: String,
    /// Whether requests go to unhealthy targets because too few are healthy.
    pub(crate) fails_open: bool,
    /// How clients stay with a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stickiness: Option<String>,
    /// The cookie of the request about the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cookie: Option<Cookie>,
    /// The target that the request goes to: the one that the cookie names, if that counts, or else the next by the
    /// algorithm; absent if chance decides, or there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    pub(crate) targets: Vec<Target>,
}

/// A target of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Its id and its port.
    pub(crate) target: String,
    /// Such as `healthy`.
    pub(crate) state: String,
    /// Whether it can get this request.
    pub(crate) is_eligible: bool,
    /// Whether security groups drop new connections for requests to it.
    pub(crate) is_out_of_reach: bool,
    /// Why not, why it is not healthy, and whose rules drop connections to it; empty: it is healthy and can.
    pub(crate) reason: String,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuestionError {
    #[error(
        "the question is not what `elbow explain` sends; use the same version of elbow on both sides"
    )]
    Json(#[from] serde_json::Error),
    #[error("'{0}' is not a URL such as http://shop.example/path?query")]
    Url(String),
    #[error("the header '{0}' has a character that no request can have")]
    Header(String),
    #[error(
        "no load balancer has the name or the address '{host}'; say with --listener or --address which one the client \
         connects to"
    )]
    NoLoadBalancer { host: String },
    #[error("there is no listener {0}")]
    NoListener(String),
    #[error(
        "the listener {listener} has no address of {wanted} to connect to; say with --address which one it has"
    )]
    NoAddress { listener: String, wanted: IpAddr },
    #[error(
        "a client with the address {from} cannot connect to {to}, which is of the other family; say with --from an \
         address of {}", family(*.to)
    )]
    Family { from: IpAddr, to: IpAddr },
    #[error("a regular expression of a rule cannot be compiled")]
    Rule(#[from] engine::router::CompileError),
    #[error(
        "a client shows a certificate in TLS only, and the URL says http; ask about https, or without \
         --client-certificate"
    )]
    ClearText,
    #[error(transparent)]
    ClientCertificate(#[from] proxy::explain::PeerCertificatesError),
    #[error("the listener cannot speak TLS")]
    Tls(#[from] proxy::TlsErrorReason),
    #[error("the health of the targets is not known")]
    Health(#[from] control::elb::ElbError),
}

/// The word for the family of an address.
fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}
