//! What a rule does with a request.
//!
//! Source: ELB API, `Action`; ALB guide, "Action types for listener rules".

use serde::{Deserialize, Serialize};

use crate::arn::TargetGroupArn;
use crate::authentication::Authentication;
use crate::text_enum;

/// The actions of a rule: exactly one that routes, after at most one that authenticates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    /// Who may pass, on listeners with TLS only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<AuthenticationAction>,
    /// The order of the routing action as it was given, 1 to 50,000.
    pub order: Option<u32>,
    /// Where the request goes.
    pub routing: RoutingAction,
}

/// The action that looks at who sends a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationAction {
    /// Its order as it was given, 1 to 50,000 and below that of the routing action.
    pub order: u32,
    /// How clients show who they are.
    pub method: Authentication,
}

/// The action that answers a request or sends it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutingAction {
    /// To a target of one of some target groups.
    Forward(ForwardAction),
    /// Back with a `Location`.
    Redirect(RedirectAction),
    /// Back with a fixed answer.
    FixedResponse(FixedResponseAction),
}

/// One to five target groups, each of them once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardAction {
    /// The groups in the order given.
    pub target_groups: Vec<WeightedTargetGroup>,
    /// How long a client stays with a group, 1 to 604,800 s; there always when group stickiness is on. The API
    /// gives the number back also when it is off.
    pub stickiness_duration_seconds: Option<u32>,
    /// Whether group stickiness is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_sticky: bool,
}

/// A target group with its share of the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedTargetGroup {
    /// Which group.
    pub arn: TargetGroupArn,
    /// 0 to 999; a share of the sum of all weights.
    pub weight: u32,
}

text_enum! {
    /// The status code of a redirect.
    pub enum RedirectStatus {
        /// Moved permanently.
        Http301 = "HTTP_301",
        /// Found.
        Http302 = "HTTP_302",
    }
}

impl RedirectStatus {
    /// The number that goes on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Http301 => 301,
            Self::Http302 => 302,
        }
    }
}

/// A redirect with its defaults filled in. Parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}`
/// and `#{query}`.
///
/// Source: ELB API, `RedirectActionConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectAction {
    /// `HTTP`, `HTTPS` or `#{protocol}` (the default).
    pub protocol: String,
    /// 1 to 65535 or `#{port}` (the default).
    pub port: String,
    /// 1 to 128 characters. Default `#{host}`.
    pub host: String,
    /// 1 to 128 characters, from `/` on. Default `/#{path}`.
    pub path: String,
    /// 0 to 128 characters, without `?`. Default `#{query}`.
    pub query: String,
    /// 301 or 302.
    pub status: RedirectStatus,
}

text_enum! {
    /// The content type of a fixed response.
    pub enum FixedContentType {
        /// Text.
        Plain = "text/plain",
        /// A style sheet.
        Css = "text/css",
        /// A page.
        Html = "text/html",
        /// A script.
        Javascript = "application/javascript",
        /// JSON.
        Json = "application/json",
    }
}

/// A fixed answer.
///
/// Source: ELB API, `FixedResponseActionConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedResponseAction {
    /// 200 to 299 or 400 to 599.
    pub status: u16,
    /// The type of the body; absent if neither type nor body were given.
    pub content_type: Option<FixedContentType>,
    /// At most 1,024 characters.
    pub body: Option<String>,
}

impl Actions {
    /// The target groups that requests may be forwarded to.
    pub fn target_groups(&self) -> impl Iterator<Item = &TargetGroupArn> {
        let groups = self.forward().into_iter();
        groups.flat_map(|forward| forward.target_groups.iter().map(|group| &group.arn))
    }

    /// The routing action, if it is one that forwards.
    #[must_use]
    pub fn forward(&self) -> Option<&ForwardAction> {
        match &self.routing {
            RoutingAction::Forward(forward) => Some(forward),
            RoutingAction::Redirect(_) | RoutingAction::FixedResponse(_) => None,
        }
    }
}
