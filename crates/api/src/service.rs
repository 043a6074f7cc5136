//! The services behind the one endpoint: their names, their versions and the envelopes of their answers.
//!
//! A service is a module with a table `OPERATIONS`, each of which reads its input and prints the members of its
//! result, as `Xml` or as JSON; what stands around them is printed here.

use hyper::http::request;
use serde_json::Value;

use crate::json::{self, Target};
use crate::operation::Operations;
use crate::query::Node;
use crate::rest_json::{self, Route};
use crate::xml::{self, Xml};
use crate::{ApiError, RequestId, acm, arc_zonal_shift, ec2, elbow, elbv2, sts};

/// A service that this endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// AWS Certificate Manager.
    Acm,
    /// Elastic Load Balancing.
    ElasticLoadBalancing,
    /// Elastic Compute Cloud: the inventory.
    Ec2,
    /// Security Token Service.
    Sts,
    /// ARC zonal shift.
    ArcZonalShift,
    /// The access keys of elbow, which is no service of AWS.
    Elbow,
}

/// How requests to a service are written, and the operations that they name.
pub(crate) enum Protocol {
    /// AWS Query or EC2 Query: a form.
    Query(&'static Operations<Xml>),
    /// AWS JSON 1.1: the operation in `X-Amz-Target`, after this name and a dot.
    Json(&'static str, &'static Operations<Option<Value>>),
    /// AWS REST-JSON: the operation in method and path.
    RestJson(&'static [Route], &'static Operations<Option<Value>>),
}

impl Service {
    /// Every service.
    pub(crate) const ALL: [Self; 6] = [
        Self::ElasticLoadBalancing,
        Self::Ec2,
        Self::Sts,
        Self::Acm,
        Self::ArcZonalShift,
        Self::Elbow,
    ];

    /// How requests to it are written, and its operations.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::ElasticLoadBalancing => Protocol::Query(&elbv2::OPERATIONS),
            Self::Ec2 => Protocol::Query(&ec2::OPERATIONS),
            Self::Sts => Protocol::Query(&sts::OPERATIONS),
            Self::Elbow => Protocol::Query(&elbow::OPERATIONS),
            Self::Acm => Protocol::Json(json::ACM, &acm::OPERATIONS),
            Self::ArcZonalShift => {
                Protocol::RestJson(arc_zonal_shift::ROUTES, &arc_zonal_shift::OPERATIONS)
            }
        }
    }

    /// Whether an operation changes nothing; `None` if elbow does not serve it.
    pub(crate) fn is_read(self, operation: &str) -> Option<bool> {
        match self.protocol() {
            Protocol::Query(operations) => operations.is_read(operation),
            Protocol::Json(_, operations) | Protocol::RestJson(_, operations) => {
                operations.is_read(operation)
            }
        }
    }

    /// The service that a signature is scoped to.
    pub(crate) fn signed_for(name: &str) -> Result<Self, ApiError> {
        let service = Self::ALL
            .into_iter()
            .find(|service| service.signing_name() == name);
        service.ok_or_else(|| {
            let known = Self::ALL.map(Self::signing_name).join(", ");
            ApiError::sender(
                "InvalidAction",
                format!("elbow does not support the service '{name}'; this endpoint answers for {known}."),
            )
        })
    }

    /// The service that `input` most likely means, for the shape of an error that comes before the
    /// signature could be read.
    pub(crate) fn guess(head: &request::Parts, input: Option<&Node>) -> Self {
        if Target::of(&head.headers).is_some_and(|target| target.prefix == json::ACM) {
            return Self::Acm;
        }
        let address = (head.method.as_str(), head.uri.path());
        if rest_json::route(arc_zonal_shift::ROUTES, address).is_some() {
            return Self::ArcZonalShift;
        }
        let version = input.and_then(|input| input.text("Version"));
        let service = Self::ALL
            .into_iter()
            .find(|service| version == Some(service.version()));
        service.unwrap_or(Self::ElasticLoadBalancing)
    }

    /// How the service is called in the scope of a signature.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Self::ElasticLoadBalancing => "elasticloadbalancing",
            Self::Ec2 => "ec2",
            Self::Sts => "sts",
            Self::Acm => "acm",
            Self::ArcZonalShift => "arc-zonal-shift",
            Self::Elbow => "elbow",
        }
    }

    /// The version of the API that is served.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::ElasticLoadBalancing => "2015-12-01",
            Self::Ec2 => "2016-11-15",
            Self::Sts => "2011-06-15",
            Self::Acm => "2015-12-08",
            Self::ArcZonalShift => "2022-10-30",
            Self::Elbow => "2026-11-21",
        }
    }

    /// Checks the `Version` parameter.
    pub(crate) fn check_version(self, action: &str, version: Option<&str>) -> Result<(), ApiError> {
        let given = version.unwrap_or("NO_VERSION_SPECIFIED");
        match self {
            _ if given == self.version() => Ok(()),
            Self::ElasticLoadBalancing if given == "2012-06-01" => Err(ApiError::sender(
                "InvalidAction",
                "elbow does not support Classic Load Balancers (version 2012-06-01) yet; \
                 use `aws elbv2`, version 2015-12-01.",
            )),
            Self::Ec2 if version.is_none() => Err(ApiError::sender(
                "MissingParameter",
                "The request must contain the parameter Version",
            )),
            Self::Ec2 => Err(ApiError::sender(
                "NoSuchVersion",
                format!(
                    "The requested version ({given}) of service AmazonEC2 does not exist; elbow has {}",
                    self.version()
                ),
            )),
            Self::ElasticLoadBalancing
            | Self::Sts
            | Self::Acm
            | Self::ArcZonalShift
            | Self::Elbow => Err(self.unknown_operation(action, given)),
        }
    }

    /// The error for an operation that the version of the API does not have.
    pub(crate) fn unknown_operation(self, name: &str, version: &str) -> ApiError {
        let message = match self {
            Self::Ec2 => format!("The action {name} is not valid for this web service."),
            Self::ElasticLoadBalancing
            | Self::Sts
            | Self::Acm
            | Self::ArcZonalShift
            | Self::Elbow => {
                format!("Could not find operation {name} for version {version}")
            }
        };
        ApiError::sender("InvalidAction", message)
    }

    /// The error of the service for an error that all services share.
    pub(crate) fn translate(self, error: ApiError) -> ApiError {
        const REFUSED: &str = "AWS was not able to validate the provided access credentials";
        match (self, error.code) {
            (Self::Ec2, "InvalidClientTokenId" | "SignatureDoesNotMatch") => {
                tracing::debug!(reason = error.message, "credentials are refused");
                ApiError::new("AuthFailure", 401, REFUSED)
            }
            // Source: EC2 API, "Error codes for the Amazon EC2 API", `RequestExpired`.
            (Self::Ec2, "RequestExpired") => ApiError::sender(error.code, "Request has expired."),
            // The others take the time for a part of the signature, whatever their common errors say.
            (_, "RequestExpired") => {
                self.translate(ApiError::new("SignatureDoesNotMatch", 403, error.message))
            }
            // Source: EC2 API, "Error codes for the Amazon EC2 API", `UnauthorizedOperation`.
            (Self::Ec2, "AccessDenied") => ApiError::new(
                "UnauthorizedOperation",
                403,
                format!(
                    "You are not authorized to perform this operation. {}",
                    error.message
                ),
            ),
            (Self::Acm, code) => json::translate(code, error),
            (Self::ArcZonalShift, _) => arc_zonal_shift::translate(error),
            _ => error,
        }
    }

    /// An answer with the members of `result`.
    pub(crate) fn response(self, operation: &str, id: RequestId, result: &Xml) -> String {
        match self {
            Self::Ec2 => xml::ec2_response(self.namespace(), operation, &id.to_string(), result),
            Self::ElasticLoadBalancing
            | Self::Sts
            | Self::Acm
            | Self::ArcZonalShift
            | Self::Elbow => {
                xml::query_response(self.namespace(), operation, &id.to_string(), result)
            }
        }
    }

    /// An answer that says what went wrong.
    pub(crate) fn error(self, id: RequestId, error: &ApiError) -> String {
        match self {
            Self::Acm => json::error(error),
            Self::ArcZonalShift => rest_json::error(error),
            Self::Ec2 => xml::ec2_error(&id.to_string(), error),
            Self::ElasticLoadBalancing | Self::Sts | Self::Elbow => {
                xml::query_error(self.namespace(), &id.to_string(), error)
            }
        }
    }

    /// The content type of its answers.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Acm => json::CONTENT_TYPE,
            Self::ArcZonalShift => rest_json::CONTENT_TYPE,
            Self::Ec2 => "text/xml;charset=UTF-8",
            Self::ElasticLoadBalancing | Self::Sts | Self::Elbow => "text/xml",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::ElasticLoadBalancing => {
                "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
            }
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Elbow => "https://elbow.internal/doc/2026-11-21/",
            // They do not speak XML.
            Self::Acm | Self::ArcZonalShift => "",
        }
    }
}
