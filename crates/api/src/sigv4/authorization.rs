//! What a request says about its signature, in the `Authorization` field or in the query.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, DATE};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;

use super::{ALGORITHM, PRESIGNED_LIFE_MAX, Request, SignatureError, TERMINATOR, date};

/// Who is said to have signed a request, when and what of it. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key and the scope.
    pub credential: Credential,
    /// The names of the signed header fields, in lower case and sorted.
    pub signed_headers: Vec<String>,
    /// The 32 bytes of the signature.
    pub signature: Vec<u8>,
    /// When it was made.
    pub signed_at: OffsetDateTime,
    /// How long a presigned URL is good for; `None` if the signature is in the header.
    pub expires: Option<Duration>,
    pub(super) has_session_token: bool,
}

/// `KEY-ID/DAY/REGION/SERVICE/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Which key signed.
    pub access_key_id: String,
    /// The day, eight digits.
    pub date: String,
    /// The Region the request is for.
    pub region: String,
    /// The signing name of the service the request is for, such as `elasticloadbalancing`.
    pub service: String,
    /// Has to be `aws4_request`.
    terminator: String,
}

impl Claim {
    /// The value of a header field that has to be signed if it is there.
    pub(crate) fn signed_value<'a>(
        &self,
        request: &Request<'a>,
        name: &'static str,
    ) -> Result<Option<&'a str>, SignatureError> {
        match sole(request.headers, name)? {
            Some(_) if !self.signed_headers.iter().any(|it| it == name) => {
                Err(SignatureError::FieldNotSigned(name))
            }
            value => Ok(value),
        }
    }

    pub(super) fn read(request: &Request<'_>) -> Result<Self, SignatureError> {
        let parameters = Parameters::read(request.query)?;
        match (
            request.headers.contains_key(AUTHORIZATION),
            parameters.is_presigned(),
        ) {
            (false, false) => Err(SignatureError::Missing),
            (true, true) => Err(SignatureError::Several),
            (true, false) => Self::of_header(request.headers),
            (false, true) => Self::of_query(&parameters),
        }
    }

    fn of_header(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let header = Authorization::parse(sole(headers, AUTHORIZATION.as_str())?.unwrap_or(""))?;
        let at = match sole(headers, "x-amz-date")? {
            Some(text) => {
                date::parse_basic(text).ok_or_else(|| SignatureError::Date(text.to_owned()))?
            }
            None => {
                let text = sole(headers, DATE.as_str())?.ok_or(SignatureError::NoDate)?;
                date::parse_any(text).ok_or_else(|| SignatureError::Date(text.to_owned()))?
            }
        };
        Self::new(header, at, None, false)
    }

    fn of_query(parameters: &Parameters) -> Result<Self, SignatureError> {
        let fields = parameters.required()?;
        if fields.algorithm != ALGORITHM {
            return Err(SignatureError::Algorithm(fields.algorithm.to_owned()));
        }
        let at = date::parse_basic(fields.date)
            .ok_or_else(|| SignatureError::Date(fields.date.to_owned()))?;
        let expires = match fields.expires.parse() {
            Ok(seconds @ 1..) if seconds <= PRESIGNED_LIFE_MAX.as_secs() => {
                Duration::from_secs(seconds)
            }
            _ => {
                return Err(SignatureError::Expires {
                    given: fields.expires.to_owned(),
                });
            }
        };
        let authorization = Authorization {
            credential: fields.credential,
            signed_headers: fields.signed_headers,
            signature: fields.signature,
        };
        Self::new(
            authorization,
            at,
            Some(expires),
            parameters.0.contains_key("X-Amz-Security-Token"),
        )
    }

    fn new(
        authorization: Authorization<'_>,
        signed_at: OffsetDateTime,
        expires: Option<Duration>,
        has_session_token: bool,
    ) -> Result<Self, SignatureError> {
        let mut signed_headers: Vec<_> = authorization
            .signed_headers
            .split(';')
            .map(str::to_ascii_lowercase)
            .collect();
        signed_headers.sort();
        Ok(Self {
            credential: Credential::parse(authorization.credential)?,
            signed_headers,
            signature: signature_bytes(authorization.signature)
                .ok_or(SignatureError::SignatureForm)?,
            signed_at,
            expires,
            has_session_token,
        })
    }
}

impl Credential {
    fn parse(text: &str) -> Result<Self, SignatureError> {
        let parts: Vec<_> = text.split('/').map(str::to_owned).collect();
        match <[String; 5]>::try_from(parts) {
            Ok([access_key_id, date, region, service, terminator]) => Ok(Self {
                access_key_id,
                date,
                region,
                service,
                terminator,
            }),
            Err(_) => Err(SignatureError::Credential(text.to_owned())),
        }
    }

    /// `DAY/REGION/SERVICE/aws4_request`.
    pub(super) fn scope(&self) -> String {
        format!(
            "{}/{}/{}/{TERMINATOR}",
            self.date, self.region, self.service
        )
    }

    /// The service is checked by whoever chose it.
    pub(super) fn check_scope(
        &self,
        region: &str,
        signed_at: OffsetDateTime,
    ) -> Result<(), SignatureError> {
        let signed = date::print(signed_at);
        let day = &signed[..8.min(signed.len())];
        if self.terminator != TERMINATOR {
            return Err(SignatureError::ScopeTerminator(self.terminator.clone()));
        }
        if self.region != region {
            return Err(SignatureError::ScopeRegion {
                given: self.region.clone(),
                region: region.to_owned(),
            });
        }
        if self.date != day {
            return Err(SignatureError::ScopeDate {
                scope: self.date.clone(),
                day: day.to_owned(),
                signed,
            });
        }
        Ok(())
    }
}

/// The three parts of the `Authorization` field.
#[derive(Debug)]
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(field: &'a str) -> Result<Self, SignatureError> {
        let field = field.trim();
        let (algorithm, rest) = field.split_once([' ', '\t']).unwrap_or((field, ""));
        if algorithm != ALGORITHM {
            return Err(SignatureError::Algorithm(algorithm.to_owned()));
        }
        let mut parts = BTreeMap::new();
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
            if parts.insert(name, value).is_some() {
                return Err(SignatureError::Several);
            }
        }
        let part = |name| {
            parts
                .get(name)
                .copied()
                .filter(|value: &&str| !value.is_empty())
        };
        match (part("Credential"), part("SignedHeaders"), part("Signature")) {
            (Some(credential), Some(signed_headers), Some(signature)) => Ok(Self {
                credential,
                signed_headers,
                signature,
            }),
            _ => {
                let names = ["Credential", "Signature", "SignedHeaders"];
                let absent = names.into_iter().filter(|&name| part(name).is_none());
                Err(SignatureError::HeaderIncomplete(absent.collect()))
            }
        }
    }
}

/// The `X-Amz-` parameters of the query.
struct Parameters(BTreeMap<String, String>);

struct Required<'a> {
    algorithm: &'a str,
    credential: &'a str,
    date: &'a str,
    expires: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, SignatureError> {
        let mut parameters = BTreeMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decode_str(name).decode_utf8_lossy();
            if !name.starts_with("X-Amz-") {
                continue;
            }
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            if parameters.insert(name.into_owned(), value).is_some() {
                return Err(SignatureError::Several);
            }
        }
        Ok(Self(parameters))
    }

    fn is_presigned(&self) -> bool {
        self.0.contains_key("X-Amz-Signature") || self.0.contains_key("X-Amz-Algorithm")
    }

    fn required(&self) -> Result<Required<'_>, SignatureError> {
        const NAMES: [&str; 6] = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        ];
        let [
            algorithm,
            credential,
            date,
            expires,
            signed_headers,
            signature,
        ] = NAMES.map(|name| self.0.get(name).map_or("", String::as_str));
        let absent: Vec<_> = NAMES
            .into_iter()
            .filter(|&name| self.0.get(name).is_none_or(String::is_empty))
            .collect();
        match absent.is_empty() {
            true => Ok(Required {
                algorithm,
                credential,
                date,
                expires,
                signed_headers,
                signature,
            }),
            false => Err(SignatureError::QueryIncomplete(absent)),
        }
    }
}

/// The value of a field that may occur once.
fn sole<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    match values.next() {
        Some(_) => Err(SignatureError::Several),
        // What is not ASCII is in no valid value, so that the empty text is refused all the same.
        None => Ok(value.map(|value| value.to_str().unwrap_or(""))),
    }
}

fn signature_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    (text.len() == 64)
        .then(|| {
            pairs
                .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
                .collect()
        })
        .flatten()
}
