//! How answers are printed, with the envelope of the service.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::facts::Facts;
use super::{Answer, Members};
use crate::rest_json;
use crate::service::Protocol;
use crate::{ApiError, RequestId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The answer to a call, with its id.
pub(super) fn print(
    facts: &Facts,
    id: RequestId,
    answer: Result<Answer, ApiError>,
) -> Response<Full<Bytes>> {
    let (service, operation) = (facts.service, &*facts.operation);
    let mut response = match answer {
        Ok(Answer { status, result }) => {
            tracing::info!(%id, service = service.signing_name(), operation, "answered");
            let body = match result {
                Members::Xml(members) => service.response(operation, id, &members),
                Members::Json(members) => members.map_or_else(String::new, |it| it.to_string()),
            };
            response(status, service.content_type(), body)
        }
        Err(error) => {
            tracing::info!(%id, service = service.signing_name(), code = error.code, "refused");
            let status =
                StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = response(status, service.content_type(), service.error(id, &error));
            if matches!(service.protocol(), Protocol::RestJson(..)) {
                let code = HeaderValue::from_static(error.code);
                response.headers_mut().insert(rest_json::ERROR_TYPE, code);
            }
            response
        }
    };
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Any answer.
pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: String,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
