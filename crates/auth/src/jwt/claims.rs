//! Whether the claims of a token hold: here, now, and for what the action asks.

use std::time::{Duration, SystemTime};

use model::authentication::{Claim, ClaimFormat, JwtValidation};
use serde_json::{Map, Value};

use crate::clock::seconds;
use crate::outcome::Reason;

/// How far an issuer's clock may be ahead of ours. It is for tokens that have just been made, which would be
/// refused for no fault of their bearer; so it applies to `nbf` and `iat` and does not prolong `exp`.
/// The length is that of Envoy's `clock_skew_seconds`.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// Checks the claims of a token whose signature is good.
pub(super) fn check(
    claims: &Map<String, Value>,
    settings: &JwtValidation,
    now: SystemTime,
) -> Result<(), Reason> {
    let now = seconds(now) as f64;
    let required = |name: &str| claims.get(name).ok_or(Reason::JwtClaimNotPresent);
    let holds = |is_true: bool| is_true.then_some(()).ok_or(Reason::JwtClaimValueInvalid);

    let issuer = required("iss")?.as_str();
    holds(issuer.ok_or(Reason::JwtClaimFormatInvalid)? == settings.issuer)?;
    holds(now < date(required("exp")?)?)?;
    for name in ["nbf", "iat"] {
        if let Some(value) = claims.get(name) {
            holds(date(value)? <= now + CLOCK_TOLERANCE.as_secs_f64())?;
        }
    }
    for claim in &settings.additional_claims {
        holds(is_met(claim, required(&claim.name)?)?)?;
    }
    Ok(())
}

/// A NumericDate: seconds since 1970, which may have a fraction (RFC 7519 section 2).
fn date(value: &Value) -> Result<f64, Reason> {
    value.as_f64().ok_or(Reason::JwtClaimFormatInvalid)
}

fn is_met(claim: &Claim, value: &Value) -> Result<bool, Reason> {
    let malformed = Reason::JwtClaimFormatInvalid;
    let is_wanted = |text: &str| claim.values.iter().any(|wanted| wanted == text);
    match claim.format {
        ClaimFormat::SingleString => Ok(is_wanted(value.as_str().ok_or(malformed)?)),
        ClaimFormat::StringArray => {
            let texts = value.as_array().ok_or(malformed)?.iter().map(Value::as_str);
            let texts: Vec<&str> = texts.collect::<Option<_>>().ok_or(malformed)?;
            Ok(texts.into_iter().any(is_wanted))
        }
        ClaimFormat::SpaceSeparatedValues => {
            let text = value.as_str().ok_or(malformed)?;
            let has = |wanted: &String| text.split(' ').any(|word| word == wanted);
            Ok(claim.values.iter().all(has))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const NOW: u64 = 1_800_000_000;

    fn check(additional: &[Claim], claims: &str, expected: Result<(), Reason>) {
        let settings = JwtValidation {
            jwks_endpoint: "https://idp.example.com/jwks".to_owned(),
            issuer: "https://idp.example.com".to_owned(),
            additional_claims: additional.to_vec(),
        };
        let object = json::object(claims.as_bytes()).expect("the test's JSON is good");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        assert_eq!(super::check(&object, &settings, now), expected, "{claims}");
    }

    #[test]
    fn issuer_and_times_have_to_hold() {
        use Reason::{
            JwtClaimFormatInvalid as Format, JwtClaimNotPresent as Missing,
            JwtClaimValueInvalid as Value,
        };
        let iss = r#""iss":"https://idp.example.com""#;
        for (claims, expected) in [
            (format!(r#"{{{iss},"exp":1800000001}}"#), Ok(())),
            (format!(r#"{{{iss},"exp":1800000000.5}}"#), Ok(())),
            (format!(r#"{{{iss},"exp":1800000000}}"#), Err(Value)),
            (format!(r#"{{{iss},"exp":-1}}"#), Err(Value)),
            (format!(r#"{{{iss},"exp":"1800000001"}}"#), Err(Format)),
            (format!(r#"{{{iss},"exp":null}}"#), Err(Format)),
            (format!(r#"{{{iss}}}"#), Err(Missing)),
            (r#"{"exp":1800000001}"#.to_owned(), Err(Missing)),
            (
                r#"{"iss":"https://idp.example.com/","exp":1800000001}"#.to_owned(),
                Err(Value),
            ),
            (
                r#"{"iss":["https://idp.example.com"],"exp":1800000001}"#.to_owned(),
                Err(Format),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"nbf":1800000060}}"#),
                Ok(()),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"nbf":1800000061}}"#),
                Err(Value),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"nbf":"x"}}"#),
                Err(Format),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"iat":1800000060}}"#),
                Ok(()),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"iat":1800000061}}"#),
                Err(Value),
            ),
            (
                format!(r#"{{{iss},"exp":1900000000,"iat":true}}"#),
                Err(Format),
            ),
        ] {
            check(&[], &claims, expected);
        }
    }

    #[test]
    fn additional_claims_have_three_formats() {
        use ClaimFormat::{SingleString, SpaceSeparatedValues, StringArray};
        use Reason::{
            JwtClaimFormatInvalid as Format, JwtClaimNotPresent as Missing,
            JwtClaimValueInvalid as Value,
        };
        for (format, values, claim, expected) in [
            (SingleString, "a", r#","c":"a""#, Ok(())),
            (SingleString, "a b", r#","c":"b""#, Ok(())),
            (SingleString, "a", r#","c":"A""#, Err(Value)),
            (SingleString, "a", r#","c":["a"]"#, Err(Format)),
            (SingleString, "a", r#","c":1"#, Err(Format)),
            (SingleString, "a", "", Err(Missing)),
            (StringArray, "a b", r#","c":["x","b"]"#, Ok(())),
            (StringArray, "a b", r#","c":["x"]"#, Err(Value)),
            (StringArray, "a b", r#","c":[]"#, Err(Value)),
            (StringArray, "a", r#","c":"a""#, Err(Format)),
            (StringArray, "a", r#","c":["a",1]"#, Err(Format)),
            (StringArray, "a", "", Err(Missing)),
            (SpaceSeparatedValues, "a b", r#","c":"b x a""#, Ok(())),
            (SpaceSeparatedValues, "a b", r#","c":"a""#, Err(Value)),
            (SpaceSeparatedValues, "a", r#","c":"ab a.b""#, Err(Value)),
            (SpaceSeparatedValues, "a", r#","c":["a"]"#, Err(Format)),
            (SpaceSeparatedValues, "a", "", Err(Missing)),
        ] {
            let additional = Claim {
                name: "c".to_owned(),
                format,
                values: values.split(' ').map(str::to_owned).collect(),
            };
            let claims = format!(r#"{{"iss":"https://idp.example.com","exp":1900000000{claim}}}"#);
            check(std::slice::from_ref(&additional), &claims, expected);
            // One claim that holds does not make up for one that does not.
            let held = Claim {
                name: "iss2".to_owned(),
                format: SingleString,
                values: vec!["x".to_owned()],
            };
            let both = claims.replacen('{', r#"{"iss2":"x","#, 1);
            check(&[held, additional], &both, expected);
        }
    }
}
