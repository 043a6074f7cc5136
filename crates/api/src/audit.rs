//! One line of JSON for each API call, whatever became of it, in the format of CloudTrail's records.
//!
//! Source: CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity
//! events" and "CloudTrail userIdentity element".

mod elements;
mod members;

use std::net::IpAddr;

use model::arn::Place;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::caller::Caller;
use crate::query::Node;
use crate::service::Service;
use crate::xml::Xml;
use crate::{ApiError, RequestId};

/// Where the lines go.
pub trait AuditLog: Send + Sync + 'static {
    /// Appends a line, which comes without a line feed and has none in it. It must neither fail nor wait: what
    /// cannot be written is lost and counted.
    fn append(&self, line: String);
}

/// The version of the record's format. None of what 1.10 and 1.11 added applies here.
const EVENT_VERSION: &str = "1.09";
/// Most bytes of `requestParameters` and of `responseElements`; what is larger is left out, and says so.
const ELEMENTS_BYTES_MAX: usize = 100 * 1024;
/// Most bytes of `userAgent`, `errorMessage` and of names that come from the caller; the rest is cut off.
const TEXT_BYTES_MAX: usize = 1024;

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) place: &'a Place,
    pub(crate) at: OffsetDateTime,
    pub(crate) request_id: RequestId,
    pub(crate) event_id: RequestId,
    pub(crate) service: Service,
    /// The service that the request is signed for, if that is verified and none of elbow's.
    pub(crate) foreign_service: Option<&'a str>,
    /// Empty if the request names none.
    pub(crate) operation: &'a str,
    /// Whether it changes nothing; `None` if elbow does not serve it.
    pub(crate) is_read: Option<bool>,
    /// Who called, or who is said to have if that is not verified.
    pub(crate) caller: Result<&'a Caller, Option<&'a str>>,
    pub(crate) input: &'a Node,
    pub(crate) source: Option<IpAddr>,
    pub(crate) user_agent: &'a str,
    pub(crate) outcome: Result<Outcome<'a>, &'a ApiError>,
}

/// The members of a result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    Xml(&'a Xml),
    Json(Option<&'a Value>),
}

impl Event<'_> {
    /// The record.
    pub(crate) fn line(&self) -> String {
        let mut hidden = Vec::new();
        // Which parameters of other operations are secrets is not known.
        let parameters = match self.is_read {
            Some(_) => elements::of_input(self.service, self.operation, self.input, &mut hidden),
            None => Value::Null,
        };
        let mut elements = match self.outcome {
            // Source: "responseElements", which only actions that make changes have.
            Ok(outcome) if self.is_read == Some(false) => {
                elements::of_outcome(self.service, outcome)
            }
            _ => Value::Null,
        };
        // EC2 has it in the body of the answer.
        if let (Service::Ec2, Value::Object(members)) = (self.service, &mut elements) {
            members.insert("requestId".to_owned(), self.request_id.to_string().into());
        }
        let name = match self.operation {
            "" => "Unknown",
            name => cut(name),
        };
        let mut record = json!({
            "eventVersion": EVENT_VERSION,
            "userIdentity": self.identity(),
            "eventTime": printed(self.at),
            "eventSource": self.source_name(),
            "eventName": name,
            "awsRegion": self.place.region,
            "sourceIPAddress": self.source.map(|it| it.to_canonical().to_string()),
            "userAgent": cut(self.user_agent),
            "requestParameters": bounded(parameters, "requestParameters"),
            "responseElements": bounded(elements, "responseElements"),
            "requestID": self.request_id.to_string(),
            "eventID": self.event_id.to_string(),
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": self.place.account,
            "eventCategory": "Management",
        });
        // The records of the other services leave it out.
        if self.service == Service::ElasticLoadBalancing {
            record["apiVersion"] = self.service.version().into();
        }
        if let Some(is_read) = self.is_read {
            record["readOnly"] = is_read.into();
        }
        if let Err(error) = self.outcome {
            record["errorCode"] = self.error_code(error).into();
            if let Some(message) = self.error_message(error, &hidden) {
                record["errorMessage"] = message.into();
            }
        }
        record.to_string()
    }

    fn identity(&self) -> Value {
        let place = self.place;
        match self.caller {
            Ok(caller) => {
                let mut identity = json!({
                    "type": "Root",
                    "principalId": caller.user_id(place),
                    "arn": caller.arn(place),
                    "accountId": place.account,
                    "accessKeyId": caller.access_key_id(),
                });
                if let Caller::User(key) = caller {
                    identity["type"] = "IAMUser".into();
                    identity["userName"] = key.user_name.to_string().into();
                }
                identity
            }
            Err(claimed) => {
                let mut identity = json!({ "type": "Unknown" });
                if let Some(id) = claimed.filter(|id| is_access_key_id(id)) {
                    identity["accessKeyId"] = id.into();
                }
                identity
            }
        }
    }

    fn source_name(&self) -> String {
        match (self.foreign_service, self.service) {
            (Some(name), _) => format!("{}.amazonaws.com", cut(name)),
            (None, Service::Elbow) => "elbow.internal".to_owned(),
            (None, service) => format!("{}.amazonaws.com", service.signing_name()),
        }
    }

    /// EC2's codes say whose fault it is.
    fn error_code(&self, error: &ApiError) -> String {
        match (self.service, error.status) {
            (Service::Ec2, 500..) => format!("Server.{}", error.code),
            (Service::Ec2, _) => format!("Client.{}", error.code),
            _ => error.code.to_owned(),
        }
    }

    /// The message, unless it repeats what the parameters hide. Of a request that is not verified, the first line:
    /// what follows repeats the request. Some texts there repeat the credentials that a client has mixed up.
    fn error_message(&self, error: &ApiError, hidden: &[String]) -> Option<String> {
        if self.caller.is_err() {
            let is_repeating = error.code.starts_with("IncompleteSignature");
            let first = error.message.lines().next().unwrap_or_default();
            return (!is_repeating).then(|| cut(first).to_owned());
        }
        let is_telling = |value: &String| error.message.contains(value.as_str());
        let shown = match hidden.iter().any(is_telling) {
            true => elements::HIDDEN,
            false => cut(&error.message),
        };
        Some(shown.to_owned())
    }
}

/// Somebody may have put the secret where the id belongs.
fn is_access_key_id(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.len() == 20 && text.bytes().all(is_letter)
}

/// `elements`, or in their place how large they are.
fn bounded(elements: Value, name: &str) -> Value {
    let size = elements.to_string().len();
    match size <= ELEMENTS_BYTES_MAX {
        true => elements,
        false => json!({
            "omitted": true,
            "originalSize": size,
            "reason": format!("{name} too large"),
        }),
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

fn printed(at: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at.format(FORMAT).unwrap_or_default()
}

#[cfg(test)]
mod tests;
