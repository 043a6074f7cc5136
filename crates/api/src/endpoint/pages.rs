//! What the endpoint answers beside the operations of the services: what would become of a request, and the contents
//! of trust stores.

use control::elb::trust_store_downloads::DownloadError;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::facts::Facts;
use super::print::response;
use super::{Answer, Endpoint, Members};
use crate::ApiError;
use crate::elbv2::downloads;
use crate::service::Service;
use crate::sigv4;

impl Endpoint {
    /// What is at a URL for downloads; `path` is what follows their common beginning.
    pub(super) fn answer_download(&self, path: &str, query: &str) -> Response<Full<Bytes>> {
        match downloads::download(&self.0.accounts, path, query) {
            Ok(pem) => response(StatusCode::OK, "application/x-pem-file", pem),
            Err(error) => {
                let status = match error {
                    DownloadError::NotSigned | DownloadError::Expired => StatusCode::FORBIDDEN,
                    DownloadError::Gone => StatusCode::NOT_FOUND,
                };
                response(status, "text/plain", format!("{error}\n"))
            }
        }
    }

    /// What would become of a request.
    pub(super) async fn answer_explain(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let request = sigv4::Request::of(&head, &body);
        let service = Service::ElasticLoadBalancing;
        let claim = sigv4::claim(&request);
        let mut facts = Facts::of(&head, service, claim.as_ref().ok());
        "Explain".clone_into(&mut facts.operation);
        facts.is_question = true;
        match self.authenticate(&request, claim, &mut facts) {
            Ok(signed_for) if signed_for == service => {}
            Ok(_) => {
                let message = "This question has to be signed for elasticloadbalancing.";
                let error = ApiError::new("SignatureDoesNotMatch", 403, message);
                return self.finish(&facts, Err(error));
            }
            Err(error) => return self.finish(&facts, Err(service.translate(error))),
        }
        let account = facts.actor.as_ref().map(|actor| actor.account.clone());
        let account = account.unwrap_or_else(|| self.0.accounts.first().clone());
        let answer = match head.method == Method::POST {
            true => (self.0.explain)(account, body.clone())
                .await
                .map_err(ApiError::validation),
            false => Err(ApiError::new(
                "InvalidAction",
                405,
                "questions are asked with POST",
            )),
        };
        let noted = match &answer {
            Ok(_) => Ok(Answer {
                status: StatusCode::OK,
                result: Members::Json(None),
            }),
            Err(error) => Err(error.clone()),
        };
        self.note(&facts, &noted);
        match answer {
            Ok(answer) => response(StatusCode::OK, "application/json", answer + "\n"),
            Err(error) => refusal(error),
        }
    }
}

/// In plain text: it is a person who asks.
fn refusal(error: ApiError) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = response(status, "text/plain", error.message + "\n");
    // RFC 9110 section 15.5.6.
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let methods = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}
