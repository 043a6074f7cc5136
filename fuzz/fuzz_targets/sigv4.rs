//! Signatures: no request makes the verifier panic, and none is accepted that was not signed.
#![no_main]

use api::sigv4::{self, AccessKey, Keys};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|input: (&[u8], &str, &str, &[u8])| {
    let (authorization, query, date, body) = input;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("127.0.0.1:4566"));
    if let Ok(value) = HeaderValue::from_bytes(authorization) {
        headers.insert(AUTHORIZATION, value);
    }
    if let Ok(value) = HeaderValue::from_str(date) {
        headers.insert("x-amz-date", value);
    }
    let request = sigv4::Request { method: "POST", path: "/", query, headers: &headers, body };
    let keys = Keys::from_iter([AccessKey::new("AKIDEXAMPLE", "a secret that the input does not know")]);
    if let Ok(claim) = sigv4::claim(&request) {
        let now = datetime!(2026-01-02 03:04:05 UTC);
        let verified = sigv4::verify(&claim, &request, "us-east-1", &keys, now);
        assert!(verified.is_err(), "a forged signature was accepted");
    }
});
