//! Whole answers: envelope, status and header fields, by service.

use control::ManualClock;
use http_body_util::BodyExt;
use hyper::header::HeaderValue;

use super::*;
use crate::signed::{NOW_MILLIS, REQUEST_ID, endpoint, parts, sign};

pub(super) struct Answered {
    pub(super) status: u16,
    content_type: String,
    request_id: Option<String>,
    pub(super) body: String,
}

pub(super) async fn send(endpoint: &Endpoint, request: Request<Bytes>) -> Answered {
    let response = endpoint.answer(request).await;
    let field = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    Answered {
        status: response.status().as_u16(),
        content_type: field("content-type").expect("every answer has a content type"),
        request_id: field("x-amzn-requestid"),
        body: {
            let bytes = response
                .into_body()
                .collect()
                .await
                .expect("it is all there")
                .to_bytes();
            String::from_utf8(bytes.to_vec()).expect("answers are UTF-8")
        },
    }
}

fn signed(service: &str, method: &str, target: &str, body: &str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in sign(service, method, target, body) {
        request = request.header(name, value);
    }
    request
        .body(Bytes::from(body.to_owned()))
        .expect("the parts are valid")
}

fn unsigned(target: &str) -> Request<Bytes> {
    Request::builder()
        .uri(target)
        .body(Bytes::new())
        .expect("the target is valid")
}

async fn check(request: Request<Bytes>, status: u16, content_type: &str, body: &str) {
    let answered = send(&endpoint().await, request).await;
    assert_eq!(answered.body, body);
    assert_eq!(
        (answered.status, &*answered.content_type),
        (status, content_type),
        "{body}"
    );
    assert_eq!(answered.request_id.as_deref(), Some(REQUEST_ID), "{body}");
}

/// Checks the code in the body of an error.
async fn check_refused(request: Request<Bytes>, status: u16, code: &str, message: &str) {
    let answered = send(&endpoint().await, request).await;
    let body = &answered.body;
    assert_eq!(answered.status, status, "{body}");
    assert!(
        body.contains(&format!("<Code>{code}</Code><Message>{message}")),
        "{code} {message}: {body}"
    );
    assert!(body.contains(REQUEST_ID), "{body}");
}

#[tokio::test]
async fn each_service_answers_in_its_own_envelope() {
    check(
        signed("sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15"),
        200,
        "text/xml",
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <UserId>123456789012</UserId><Account>123456789012</Account>\
         <Arn>arn:aws:iam::123456789012:root</Arn></GetCallerIdentityResult><ResponseMetadata>\
         <RequestId>00000000-0000-4000-8000-000000000001</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
    )
    .await;
    check(
        signed("elasticloadbalancing", "GET", "/?Action=DescribeTargetGroups&Version=2015-12-01", ""),
        200,
        "text/xml",
        "<DescribeTargetGroupsResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <DescribeTargetGroupsResult><TargetGroups></TargetGroups></DescribeTargetGroupsResult><ResponseMetadata>\
         <RequestId>00000000-0000-4000-8000-000000000001</RequestId></ResponseMetadata></DescribeTargetGroupsResponse>",
    )
    .await;
    check(
        signed("ec2", "POST", "/", "Action=DescribeInstances&Version=2016-11-15"),
        200,
        "text/xml;charset=UTF-8",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>00000000-0000-4000-8000-000000000001</requestId><reservationSet></reservationSet>\
         </DescribeInstancesResponse>",
    )
    .await;
}

#[tokio::test]
async fn each_service_refuses_in_its_own_envelope() {
    check(
        signed("elasticloadbalancing", "POST", "/", "Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1=x"),
        400,
        "text/xml",
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Sender</Type>\
         <Code>LoadBalancerNotFound</Code><Message>Load balancers '[x]' not found</Message></Error>\
         <RequestId>00000000-0000-4000-8000-000000000001</RequestId></ErrorResponse>",
    )
    .await;
    check(
        signed("ec2", "POST", "/", "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-12345678"),
        400,
        "text/xml;charset=UTF-8",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>\
         <Message>The vpc ID 'vpc-12345678' does not exist</Message></Error></Errors>\
         <RequestID>00000000-0000-4000-8000-000000000001</RequestID></Response>",
    )
    .await;
    check(
        unsigned("/?Action=DescribeTags&Version=2015-12-01"),
        403,
        "text/xml",
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Sender</Type>\
         <Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message></Error>\
         <RequestId>00000000-0000-4000-8000-000000000001</RequestId></ErrorResponse>",
    )
    .await;
    check(
        unsigned("/managedresources"),
        403,
        "application/json",
        "{\"message\":\"Request is missing Authentication Token\"}",
    )
    .await;
    check(
        unsigned("/?Action=DescribeVpcs&Version=2016-11-15"),
        403,
        "text/xml;charset=UTF-8",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>MissingAuthenticationToken</Code>\
         <Message>Request is missing Authentication Token</Message></Error></Errors>\
         <RequestID>00000000-0000-4000-8000-000000000001</RequestID></Response>",
    )
    .await;
}

#[tokio::test]
async fn what_names_no_operation_is_refused() {
    const ELB: &str = "elasticloadbalancing";
    for (service, method, target, body, status, code, message) in [
        (
            ELB,
            "POST",
            "/",
            "",
            400,
            "MissingAction",
            "The request must contain the parameter Action",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=&Version=2015-12-01",
            400,
            "MissingAction",
            "The request must",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=A&Version=2015-12-01",
            400,
            "InvalidAction",
            "Could not find operation A for version 2015-12-01",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=A",
            400,
            "InvalidAction",
            "Could not find operation A for version NO_VERSION_SPECIFIED",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=DescribeVpcs&Version=2016-11-15",
            400,
            "InvalidAction",
            "Could not find operation DescribeVpcs for version 2016-11-15",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=DescribeLoadBalancers&Version=2012-06-01",
            400,
            "InvalidAction",
            "elbow does not support Classic Load Balancers",
        ),
        (
            "sts",
            "POST",
            "/",
            "Action=AssumeRole&Version=2011-06-15",
            400,
            "InvalidAction",
            "elbow does not support the operation AssumeRole yet",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=A&Action=B",
            400,
            "InvalidQueryParameter",
            "The query string is malformed: the parameter 'Action'",
        ),
        (
            ELB,
            "POST",
            "/?Action=A",
            "Action=A",
            400,
            "InvalidQueryParameter",
            "The query string is malformed",
        ),
        (
            ELB,
            "POST",
            "/",
            "Action=%",
            404,
            "MalformedQueryString",
            "The query string is malformed",
        ),
        (
            ELB,
            "POST",
            "/x",
            "Action=A",
            400,
            "InvalidAction",
            "There is no operation at the path '/x'",
        ),
        (
            ELB,
            "DELETE",
            "/",
            "",
            405,
            "InvalidAction",
            "Operations are called with GET or POST, not with DELETE.",
        ),
        (
            "ec2",
            "POST",
            "/",
            "Action=A",
            400,
            "MissingParameter",
            "The request must contain the parameter Version",
        ),
        (
            "ec2",
            "POST",
            "/",
            "Action=A&Version=1",
            400,
            "NoSuchVersion",
            "The requested version (1) of service AmazonEC2",
        ),
        (
            "sts",
            "POST",
            "/",
            "Action=AssumeRole&Version=2011-06-15",
            400,
            "InvalidAction",
            "elbow does not support the operation AssumeRole yet",
        ),
        (
            "sts",
            "POST",
            "/",
            "Action=A&Version=2011-06-15",
            400,
            "InvalidAction",
            "Could not find operation A for version 2011-06-15",
        ),
        (
            "s3",
            "GET",
            "/",
            "",
            400,
            "InvalidAction",
            "elbow does not support the service 's3'; this endpoint answers for",
        ),
    ] {
        check_refused(signed(service, method, target, body), status, code, message).await;
    }
}

#[tokio::test]
async fn a_wrong_signature_is_refused_in_the_words_of_the_service() {
    for (service, status, code) in [
        ("elasticloadbalancing", 403, "SignatureDoesNotMatch"),
        ("s3", 403, "SignatureDoesNotMatch"),
    ] {
        let mut request = signed(service, "POST", "/", "Action=A");
        *request.body_mut() = Bytes::from("Action=B");
        check_refused(request, status, code, "").await;
    }
    let mut request = signed("ec2", "POST", "/", "Action=A");
    *request.body_mut() = Bytes::from("Action=B");
    let whole = "AWS was not able to validate the provided access credentials</Message>";
    check_refused(request, 401, "AuthFailure", whole).await;
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_refused_in_the_words_of_the_service() {
    const SIXTEEN_MINUTES: u64 = 16 * 60 * 1000;
    let old = "Signature expired: 20260102T030405Z is now earlier than 20260102T030505Z \
               (20260102T032005Z - 15 min.)";
    let future = "Signature not yet current: 20260102T030405Z is still later than 20260102T030305Z \
                  (20260102T024805Z + 15 min.)";
    for (now, text) in [
        (NOW_MILLIS + SIXTEEN_MINUTES, old),
        (NOW_MILLIS - SIXTEEN_MINUTES, future),
    ] {
        let endpoint = Endpoint::new(Parts {
            clock: Arc::new(ManualClock::at(now)),
            ..parts().await
        });
        for (service, status, code, text) in [
            ("elasticloadbalancing", 403, "SignatureDoesNotMatch", text),
            ("sts", 403, "SignatureDoesNotMatch", text),
            ("ec2", 400, "RequestExpired", "Request has expired."),
            ("acm", 400, "InvalidSignatureException", text),
            ("arc-zonal-shift", 403, "InvalidSignatureException", text),
        ] {
            let response = endpoint.answer(signed(service, "GET", "/", "")).await;
            assert_eq!(response.status(), status, "{service}");
            let kind = response.headers().get(rest_json::ERROR_TYPE).cloned();
            let body = response.into_body().collect().await.expect("it is there");
            let body = String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8");
            let whole = match service {
                "acm" => format!(r#"{{"__type":"{code}","message":"{text}"}}"#),
                "arc-zonal-shift" => format!(r#"{{"message":"{text}"}}"#),
                _ => format!("<Code>{code}</Code><Message>{text}</Message>"),
            };
            assert!(body.contains(&whole), "{service}: {body}");
            let kind = kind.as_ref().map(HeaderValue::as_bytes);
            let is_in_head = service == "arc-zonal-shift";
            assert_eq!(kind, is_in_head.then_some(code.as_bytes()), "{service}");
        }
    }
}

#[tokio::test]
async fn anybody_may_ask_whether_it_answers() {
    let answered = send(&endpoint().await, unsigned(HEALTH_PATH)).await;
    assert_eq!(
        (answered.status, &*answered.content_type),
        (200, "application/json")
    );
    assert_eq!(answered.body, "{\"status\":\"ok\"}\n");
}

#[tokio::test]
async fn anybody_may_read_the_metrics() {
    let answered = send(&endpoint().await, unsigned(METRICS_PATH)).await;
    assert_eq!(
        (answered.status, &*answered.content_type),
        (200, "text/plain; version=0.0.4")
    );
    assert_eq!(answered.body, "requests 1\n");
}

fn to_acm(operation: &str, body: &str) -> Request<Bytes> {
    let mut request = signed("acm", "POST", "/", body);
    let target = format!("CertificateManager.{operation}");
    let target = HeaderValue::try_from(target).expect("a header value");
    request.headers_mut().insert("x-amz-target", target);
    request
}

#[tokio::test]
async fn a_json_service_is_named_in_its_target() {
    const JSON: &str = "application/x-amz-json-1.1";
    let list = || to_acm("ListCertificates", "{}");
    check(list(), 200, JSON, "{\"CertificateSummaryList\":[]}").await;
    check(
        to_acm("ListCertificates", "{\"MaxItems\":0}"),
        400,
        JSON,
        "{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected: Value '0' at 'maxItems' \
         failed to satisfy constraint: Member must have value greater than or equal to 1\"}",
    )
    .await;
    check(
        to_acm("CreateAcmeEndpoint", "{}"),
        400,
        JSON,
        "{\"__type\":\"UnknownOperationException\",\"message\":\"elbow does not support the operation \
         CreateAcmeEndpoint yet; nothing was done.\"}",
    )
    .await;
    let mut foreign = list();
    let target = HeaderValue::from_static("DynamoDB_20120810.ListTables");
    foreign.headers_mut().insert("x-amz-target", target);
    let without = signed("acm", "POST", "/", "Action=ListCertificates");
    for request in [foreign, without] {
        check(
            request,
            400,
            JSON,
            "{\"__type\":\"UnknownOperationException\",\"message\":\"The X-Amz-Target of the request names no \
             operation of the service that it is signed for.\"}",
        )
        .await;
    }
    let mut forged = list();
    let later = HeaderValue::from_static("20260102T030406Z");
    forged.headers_mut().insert("x-amz-date", later);
    let answered = send(&endpoint().await, forged).await;
    assert_eq!(answered.status, 400);
    assert!(
        answered.body.contains("\"InvalidSignatureException\""),
        "{}",
        answered.body
    );
    let mut bare = list();
    bare.headers_mut().remove("authorization");
    check(
        bare,
        400,
        JSON,
        "{\"__type\":\"MissingAuthenticationTokenException\",\"message\":\"Request is missing Authentication \
         Token\"}",
    )
    .await;
}

#[tokio::test]
async fn anybody_may_read_a_public_key_by_its_id() {
    let endpoint = endpoint().await;
    let found = send(&endpoint, unsigned("/_elbow/public-keys/key-1")).await;
    assert_eq!(
        (found.status, &*found.content_type, &*found.body),
        (200, "application/x-pem-file", "a key in PEM\n")
    );
    for path in ["/_elbow/public-keys/", "/_elbow/public-keys/key-2"] {
        assert_eq!(send(&endpoint, unsigned(path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_rest_service_is_found_by_its_signature_and_an_operation_by_its_path() {
    let list = || signed("arc-zonal-shift", "GET", "/zonalshifts?maxResults=5", "");
    check(list(), 200, "application/json", "{\"items\":[]}").await;
    let without_input = signed("arc-zonal-shift", "POST", "/zonalshifts", "{}");
    let answered = endpoint().await.answer(without_input).await;
    assert_eq!(
        answered.headers()["x-amzn-errortype"],
        "ValidationException"
    );
    assert_eq!(answered.status(), 400);
    check(
        signed("arc-zonal-shift", "DELETE", "/zonalshifts/unknown", ""),
        404,
        "application/json",
        "{\"message\":\"There is no zonal shift unknown.\"}",
    )
    .await;
    let at_another = signed("acm", "GET", "/zonalshifts", "");
    let answered = send(&endpoint().await, at_another).await;
    assert!(
        answered.body.contains("UnknownOperationException"),
        "{}",
        answered.body
    );
    let mut altered = list();
    *altered.uri_mut() = "/zonalshifts?maxResults=6".parse().expect("a target");
    let answered = endpoint().await.answer(altered).await;
    assert_eq!(
        answered.headers()["x-amzn-errortype"],
        "InvalidSignatureException"
    );
    assert_eq!(answered.status(), 403);
}

#[tokio::test]
async fn who_may_call_the_apis_may_ask_what_would_become_of_a_request() {
    let endpoint = endpoint().await;
    let ask = |service: &str, method: &str, question: &str| {
        send(&endpoint, signed(service, method, EXPLAIN_PATH, question))
    };
    let answered = ask("elasticloadbalancing", "POST", "{}").await;
    assert_eq!(
        (answered.status, &*answered.content_type, &*answered.body),
        (200, "application/json", "{\"answer\":1}\n")
    );
    let refused = ask("elasticloadbalancing", "POST", "?").await;
    assert_eq!(
        (refused.status, &*refused.body),
        (400, "that is no question\n")
    );
    assert_eq!(ask("elasticloadbalancing", "GET", "").await.status, 405);
    let of_another_service = ask("ec2", "POST", "{}").await;
    assert_eq!(of_another_service.status, 403);
    let unsigned = send(&endpoint, unsigned(EXPLAIN_PATH)).await;
    assert_eq!(unsigned.status, 403, "{}", unsigned.body);
}

#[tokio::test]
async fn a_download_needs_the_signature_of_its_url() {
    for path in [
        "",
        "0123456789abcdef",
        "0123456789abcdef/bundle",
        "0123456789abcdef/bundle?expires=9999999999&signature=",
        "0123456789abcdef/revocations/1?expires=9999999999&signature=00",
        "0123456789abcdef/revocations/x?expires=9999999999&signature=00",
    ] {
        let target = format!("{}{path}", downloads::PATH);
        let answered = send(&endpoint().await, unsigned(&target)).await;
        assert_eq!(answered.status, 403, "{target}: {}", answered.body);
    }
}
