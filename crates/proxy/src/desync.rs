//! Requests that two peers may read differently: how bad each is, why, and what the listener's mode says.
//!
//! `http_desync_guardian` gives the class and the reason. It never sees an ordinary request: a look at the
//! version and the kinds of the fields tells that there is nothing to find.
//!
//! Whatever the mode, a head that the parser refuses stays refused: its bytes could only be handed on by
//! guessing what they mean; `docs/parity.md` lists them. What the parser takes is written anew for the target, with
//! one framing and without fields that only resemble framing, so that no class of it is dangerous to the target; the
//! class says how much the client, or a proxy before it, is to be trusted with the connection.

use std::net::SocketAddr;

use engine::http::DesyncMitigation;
use http_desync_guardian::http_token_utils::{CL, TE, TokenSimilarity, determine_similarity};
use http_desync_guardian::request_analyzer::{HttpHeader, HttpRequestData};
use http_desync_guardian::{ClassificationReason, RequestSafetyTier};

use crate::counters::Counters;
use crate::desync_reason::Reason;
use crate::http1::field::Field;
use crate::http1::request::RequestHead;
use crate::http1::{Fields, Version};

/// How dangerous a request is that does not follow the RFCs.
///
/// Source: ALB guide, "Desync mitigation mode", "Classifications".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Acceptable,
    Ambiguous,
    Severe,
}

impl Class {
    /// The name in the access log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Acceptable => "Acceptable",
            Self::Ambiguous => "Ambiguous",
            Self::Severe => "Severe",
        }
    }
}

/// What is wrong with a request, and how bad that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) class: Class,
    pub(crate) reason: Reason,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Pass,
    /// It passes, and the connections of client and target are closed after the response.
    PassAndClose,
    /// 400.
    Refuse,
}

impl Verdict {
    /// For a line that ends with a bare line feed; it is refused before the head is whole.
    pub(crate) const BARE_LINE_FEED: Self = Self {
        class: Class::Acceptable,
        reason: Reason::NonCrLfLineTermination,
    };

    /// Source: ALB guide, "Desync mitigation mode", "Modes".
    pub(crate) fn treatment(self, mode: DesyncMitigation) -> Treatment {
        match (mode, self.class) {
            (DesyncMitigation::Monitor, _) => Treatment::Pass,
            (DesyncMitigation::Defensive, Class::Acceptable) => Treatment::Pass,
            (DesyncMitigation::Defensive, Class::Ambiguous) => Treatment::PassAndClose,
            (DesyncMitigation::Defensive, Class::Severe) | (DesyncMitigation::Strictest, _) => {
                Treatment::Refuse
            }
        }
    }

    /// Counts a request, whether it passes or not, and logs it.
    pub(crate) fn record(self, counters: &Counters, peer: SocketAddr) {
        match self.class {
            Class::Acceptable => counters.desync_acceptable.increment(),
            Class::Ambiguous => counters.desync_ambiguous.increment(),
            Class::Severe => counters.desync_severe.increment(),
        }
        counters.desync_reasons.increment(self.reason);
        let (class, reason) = (self.class.name(), self.reason.name());
        tracing::debug!(%peer, class, reason, "request not compliant");
    }
}

/// The verdict on a head that has been parsed; `None`: it is compliant.
pub(crate) fn classify(head: &RequestHead<'_, '_>) -> Option<Verdict> {
    if looks_ordinary(head) {
        return None;
    }
    let headers = head.fields.iter();
    let mut request = HttpRequestData {
        method: head.method.as_bytes(),
        version: match head.version {
            Version::Http09 => b"",
            Version::Http10 => b"HTTP/1.0",
            Version::Http11 => b"HTTP/1.1",
            // Its frames leave nothing to disagree on.
            Version::Http2 => return None,
        },
        uri: head.path,
        headers: headers
            .map(|(_, name, value)| HttpHeader::new(name.as_bytes(), value))
            .collect(),
    };
    let result = request.analyze_parsed_request();
    let verdict = verdict(result.tier, result.reason);
    if frames_suspiciously_twice(head.fields) {
        // The one reason of the access log that the classifier does not have.
        let suspicious = Verdict {
            class: Class::Severe,
            reason: Reason::SuspiciousTeClPresent,
        };
        return verdict
            .filter(|verdict| verdict.class == Class::Severe)
            .or(Some(suspicious));
    }
    verdict
}

/// The verdict on a head that the parser has refused; `None`: it is refused for something else.
pub(crate) fn classify_refused(head: &[u8]) -> Option<Verdict> {
    let result = HttpRequestData::analyze_raw_request(head);
    verdict(result.tier, result.reason)
}

/// Whether the classifier would find nothing in a head that the parser has taken. `false` may be wrong.
fn looks_ordinary(head: &RequestHead<'_, '_>) -> bool {
    if head.version == Version::Http09 {
        return false;
    }
    let mut lengths = 0;
    for kind in head.fields.kinds() {
        match kind {
            Field::TransferEncoding | Field::LooksLikeFraming => return false,
            Field::ContentLength => lengths += 1,
            _ => {}
        }
    }
    match lengths {
        0 => true,
        1 => !matches!(head.method, "GET" | "HEAD"),
        _ => false,
    }
}

/// Whether a field that is neither `Transfer-Encoding` nor `Content-Length` may be taken for one of them, such
/// as `Transfer_Encoding`.
pub(crate) fn looks_like_framing(name: &[u8]) -> bool {
    // Hardly any field passes this, so that hardly any is compared.
    let may_be = name.len() >= CL.len()
        && name
            .first()
            .is_some_and(|b| matches!(b, b'c' | b'C' | b't' | b'T') || !b.is_ascii_alphanumeric());
    may_be
        && [TE, CL]
            .iter()
            .any(|framing| determine_similarity(framing, name) == TokenSimilarity::SameLetters)
}

/// Whether both kinds of framing are there, one of them in a spelling that only resembles it.
fn frames_suspiciously_twice(fields: Fields<'_, '_>) -> bool {
    let (mut codes, mut measures, mut is_suspicious) = (false, false, false);
    for (kind, name, _) in fields.iter() {
        match kind {
            Field::TransferEncoding => codes = true,
            Field::ContentLength => measures = true,
            Field::LooksLikeFraming => {
                is_suspicious = true;
                let is_coding =
                    determine_similarity(TE, name.as_bytes()) != TokenSimilarity::Distant;
                codes |= is_coding;
                measures |= !is_coding;
            }
            _ => {}
        }
    }
    codes && measures && is_suspicious
}

fn verdict(tier: RequestSafetyTier, reason: ClassificationReason) -> Option<Verdict> {
    let class = match tier {
        RequestSafetyTier::Compliant => return None,
        RequestSafetyTier::Acceptable => Class::Acceptable,
        RequestSafetyTier::Ambiguous => Class::Ambiguous,
        RequestSafetyTier::Severe => Class::Severe,
    };
    let reason = Reason::of(reason)?;
    Some(Verdict { class, reason })
}

#[cfg(test)]
#[path = "desync_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "desync_page_tests.rs"]
mod desync_page;
