//! The forms of the Query protocols: no input makes the decoder panic, and an error can always be told.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|form: &[u8]| match api::query::decode(form) {
    Ok(node) => {
        let _ = node.text("Action");
    }
    Err(error) => assert!(api::ApiError::from(error).status < 500, "it is the caller's fault"),
});
