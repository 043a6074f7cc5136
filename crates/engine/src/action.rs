//! What is done with a request that a rule has matched.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use model::authentication::{JwtValidation, Oidc};

use crate::extension::Extensions;
use crate::pool::{Pool, PoolId};
use crate::transform::Transforms;

/// What a rule does with a request, in the order of the members.
#[derive(Clone, Debug)]
pub struct Action {
    /// Who may pass.
    pub authentication: Option<Authentication>,
    /// How the request is rewritten for the target.
    pub transforms: Transforms,
    /// What elbow does beyond AWS; `None`: nothing.
    pub extensions: Option<Arc<Extensions>>,
    /// Where it goes.
    pub routing: Routing,
}

impl From<Routing> for Action {
    fn from(routing: Routing) -> Self {
        Self {
            authentication: None,
            transforms: Transforms::default(),
            extensions: None,
            routing,
        }
    }
}

/// How a client shows who it is.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// By a login at an identity provider.
    Oidc(Arc<Oidc>),
    /// By a token in the request.
    Jwt(Arc<JwtValidation>),
}

/// The action that answers a request or sends it on.
#[derive(Clone, Debug)]
pub enum Routing {
    /// Send the request to a target.
    Forward(Forward),
    /// Answer with a `Location`.
    Redirect(Redirect),
    /// Answer with a fixed status and body.
    FixedResponse(FixedResponse),
}

/// One or several weighted pools.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The pools, each with a cumulative weight: the sum of its own and of all before it.
    pools: Vec<(u32, Arc<Pool>)>,
    /// How long a client stays with the pool of its first request, 1 to 604,800 s; `None`: it does not.
    pub stickiness: Option<Duration>,
}

impl Forward {
    /// A choice among `pools` in proportion to their weights (0 to 999 each).
    #[must_use]
    pub fn new(pools: Vec<(Arc<Pool>, u32)>) -> Self {
        let mut sum = 0;
        let cumulative = |(pool, weight): (Arc<Pool>, u32)| {
            sum += weight;
            (sum, pool)
        };
        Self {
            pools: pools.into_iter().map(cumulative).collect(),
            stickiness: None,
        }
    }

    /// The pool for one request; `draw` is uniform over all `u32`. `None` when every weight is 0.
    ///
    /// Pools never fail over to each other: an empty pool keeps its share.
    /// Source: ALB guide, "Forward actions".
    #[must_use]
    pub fn choose_pool(&self, draw: u32) -> Option<&Arc<Pool>> {
        let total = self.pools.last()?.0;
        // Multiply and shift maps the draw to 0..total without the bias and the cost of a remainder.
        let point = ((u64::from(draw) * u64::from(total)) >> 32) as u32;
        self.pools
            .iter()
            .find(|(upto, _)| point < *upto)
            .map(|(_, pool)| pool)
    }

    /// The pool that a client stays with, also one of weight 0; `None` if it is not one of these.
    #[must_use]
    pub fn pool_by_id(&self, id: PoolId) -> Option<&Arc<Pool>> {
        self.pools().find(|pool| pool.id == id)
    }

    /// Whether the choice needs no draw.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.pools.len() == 1
    }

    /// All pools with their own weights.
    pub fn weighted_pools(&self) -> impl Iterator<Item = (&Arc<Pool>, u32)> {
        let mut before = 0;
        self.pools.iter().map(move |(upto, pool)| {
            let weight = upto - std::mem::replace(&mut before, *upto);
            (pool, weight)
        })
    }

    /// All pools, also those of weight 0.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.pools.iter().map(|(_, pool)| pool)
    }
}

/// A redirect whose parts may hold placeholders.
///
/// Source: ELB API, `RedirectActionConfig`; ALB guide, "Redirect actions".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    pub protocol: Template,
    /// 1 to 65535 or `#{port}`.
    pub port: Template,
    /// May hold `#{host}`.
    pub host: Template,
    /// Starts with `/`; may hold `#{host}`, `#{path}`, `#{port}`.
    pub path: Template,
    /// Without the `?`; may hold any placeholder.
    pub query: Template,
    /// 301 or 302.
    pub status: u16,
}

/// Text with placeholders, cut into its parts once so that a request only concatenates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Protocol,
    Host,
    Port,
    Path,
    Query,
}

const PLACEHOLDERS: [(&str, Part); 5] = [
    ("#{protocol}", Part::Protocol),
    ("#{host}", Part::Host),
    ("#{port}", Part::Port),
    ("#{path}", Part::Path),
    ("#{query}", Part::Query),
];

impl Template {
    /// Cuts `text` at its placeholders. Anything else, also an unknown `#{…}`, is literal.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((at, name, part)) = PLACEHOLDERS
            .iter()
            .filter_map(|(name, part)| rest.find(name).map(|at| (at, *name, part)))
            .min_by_key(|(at, ..)| *at)
        {
            if at > 0 {
                parts.push(Part::Literal(rest[..at].into()));
            }
            parts.push(part.clone());
            rest = &rest[at + name.len()..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        Self(parts)
    }
}

/// The parts of a request that a redirect can take up, as received and not re-encoded.
#[derive(Clone, Copy, Debug)]
pub struct RedirectSubject<'a> {
    /// `http` or `https`.
    pub protocol: &'a str,
    /// The host without its port.
    pub host: &'a [u8],
    /// The port of the listener.
    pub port: u16,
    /// The path with its leading `/`.
    pub path: &'a [u8],
    /// The query without `?`; empty if there is none.
    pub query: &'a [u8],
}

impl Redirect {
    /// Longest `Location` that is sent; more is answered with 507.
    ///
    /// Source: ALB guide, "Troubleshoot your Application Load Balancers", HTTP 507.
    pub const LOCATION_BYTES_MAX: usize = 8 * 1024;

    /// Appends the `Location` for `subject` to `out`. The port is always explicit.
    pub fn write_location(&self, subject: &RedirectSubject<'_>, out: &mut Vec<u8>) {
        let scheme_at = out.len();
        self.protocol.write(subject, out);
        out[scheme_at..].make_ascii_lowercase();
        out.extend_from_slice(b"://");
        self.host.write(subject, out);
        out.push(b':');
        self.port.write(subject, out);
        self.path.write(subject, out);
        let query_at = out.len();
        out.push(b'?');
        self.query.write(subject, out);
        if out.len() == query_at + 1 {
            out.truncate(query_at);
        }
    }
}

impl Template {
    fn write(&self, subject: &RedirectSubject<'_>, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Protocol => out.extend_from_slice(subject.protocol.as_bytes()),
                Part::Host => out.extend_from_slice(subject.host),
                Part::Port => {
                    write!(out, "{}", subject.port).expect("a write to memory does not fail");
                }
                Part::Path => {
                    out.extend_from_slice(subject.path.strip_prefix(b"/").unwrap_or(subject.path));
                }
                Part::Query => out.extend_from_slice(subject.query),
            }
        }
    }
}

/// A response that is the same for every request.
///
/// Source: ELB API, `FixedResponseActionConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedResponse {
    /// 200 to 299 or 400 to 599.
    pub status: u16,
    /// The `Content-Type` to send, complete with its charset; absent when there is no body.
    pub content_type: Option<Box<str>>,
    /// At most 1,024 bytes.
    pub body: Box<[u8]>,
}
