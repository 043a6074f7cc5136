//! The domains of a request: which can be requested, and what would show who owns them.
//!
//! Source: ACM API, `RequestCertificate`; ACM guide, "AWS Certificate Manager DNS validation" and "email
//! validation".

use aws_lc_rs::digest::{SHA256, digest};
use model::certificate::{DomainValidation, ValidationMethod};

use super::AcmError;

/// Most characters of the first name, which becomes the common name. RFC 5280, `ub-common-name`.
const DOMAIN_NAME_MAX: usize = 64;

/// What stands before the `@` of the addresses that ACM would write to.
const MAILBOXES: [&str; 5] = [
    "admin",
    "administrator",
    "hostmaster",
    "postmaster",
    "webmaster",
];

/// Where the owner of a domain is asked, as a caller says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainValidationOption {
    /// `DomainName`: one of the names of the request.
    pub domain_name: String,
    /// `ValidationDomain`: the same, or a domain above it.
    pub validation_domain: String,
}

/// A record that shows who owns a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRecord {
    /// `Name`, with a dot at its end.
    pub name: String,
    /// `Value` of the CNAME, with a dot at its end.
    pub value: String,
}

/// The domains of a request, each once and in lower case, the domain name first.
pub(super) fn parse(
    domain_name: &str,
    alternative_names: &[String],
    method: ValidationMethod,
    options: &[DomainValidationOption],
) -> Result<Vec<DomainValidation>, AcmError> {
    if domain_name.len() > DOMAIN_NAME_MAX {
        return Err(AcmError::InvalidParameter(format!(
            "The domain name '{domain_name}' has more than {DOMAIN_NAME_MAX} characters. Request a shorter one and \
             add this one as a subject alternative name."
        )));
    }
    let mut domains: Vec<DomainValidation> = Vec::new();
    for name in std::iter::once(domain_name).chain(alternative_names.iter().map(String::as_str)) {
        let domain_name = name.to_ascii_lowercase();
        if domains.iter().any(|known| known.domain_name == domain_name) {
            continue;
        }
        check_labels(&domain_name)?;
        domains.push(DomainValidation {
            validation_domain: asked_domain(&domain_name, method).to_owned(),
            domain_name,
        });
    }
    for option in options {
        let named = option.domain_name.to_ascii_lowercase();
        let domain = domains.iter_mut().find(|it| it.domain_name == named);
        let domain = domain.ok_or_else(|| {
            AcmError::InvalidDomainValidationOptions(format!(
                "The domain '{}' of the domain validation options is not one of the requested domains.",
                option.domain_name
            ))
        })?;
        let validation_domain = option.validation_domain.to_ascii_lowercase();
        if !is_at_or_above(&validation_domain, &named) {
            return Err(AcmError::InvalidDomainValidationOptions(format!(
                "The validation domain '{validation_domain}' is neither the domain '{named}' nor a superdomain of it."
            )));
        }
        domain.validation_domain = validation_domain;
    }
    Ok(domains)
}

/// Source: ACM guide, "Managed certificate renewal": two characters and two hyphens only begin a label in Punycode.
fn check_labels(name: &str) -> Result<(), AcmError> {
    let is_reserved = |label: &str| label.get(2..4) == Some("--") && !label.starts_with("xn--");
    match name.split('.').find(|label| is_reserved(label)) {
        Some(label) => Err(AcmError::InvalidParameter(format!(
            "The label '{label}' of the domain '{name}' has hyphens as its third and fourth character and does not \
             begin with 'xn--'."
        ))),
        None => Ok(()),
    }
}

/// Source: ACM guide, "AWS Certificate Manager email validation": mail goes to the domain without `www.` or `*.`.
fn asked_domain(name: &str, method: ValidationMethod) -> &str {
    match method {
        ValidationMethod::Dns | ValidationMethod::Http => name,
        ValidationMethod::Email => {
            let base = name.strip_prefix("*.").unwrap_or(name);
            base.strip_prefix("www.")
                .filter(|rest| rest.contains('.'))
                .unwrap_or(base)
        }
    }
}

fn is_at_or_above(above: &str, name: &str) -> bool {
    let rest = name.strip_suffix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The record for a domain: the same for every certificate of the account, with and without `*.`.
pub(super) fn resource_record(account: &str, domain_name: &str) -> ResourceRecord {
    let base = domain_name.strip_prefix("*.").unwrap_or(domain_name);
    let drawn = |purpose: &str| {
        let text = format!("{purpose}\n{account}\n{base}");
        digest(&SHA256, text.as_bytes())
    };
    let (name, value, zone) = (drawn("name"), drawn("value"), drawn("zone"));
    let digits = |bytes: &[u8]| -> String {
        let digits = bytes[..16].iter().map(|byte| format!("{byte:02x}"));
        digits.collect()
    };
    let letters = zone.as_ref()[..10].iter();
    let letters: String = letters.map(|byte| char::from(b'a' + byte % 26)).collect();
    ResourceRecord {
        name: format!("_{}.{base}.", digits(name.as_ref())),
        value: format!("_{}.{letters}.acm-validations.aws.", digits(value.as_ref())),
    }
}

/// The addresses that ACM would write to.
pub(super) fn mail_addresses(validation_domain: &str) -> Vec<String> {
    let domain = validation_domain.strip_prefix("*.");
    let domain = domain.unwrap_or(validation_domain);
    let addresses = MAILBOXES.iter();
    addresses.map(|name| format!("{name}@{domain}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_to_the_domain_itself() {
        for (name, asked) in [
            ("example.com", "example.com"),
            ("www.example.com", "example.com"),
            ("*.example.com", "example.com"),
            ("*.www.example.com", "example.com"),
            ("api.example.com", "api.example.com"),
            ("www.com", "www.com"),
        ] {
            assert_eq!(asked_domain(name, ValidationMethod::Email), asked, "{name}");
            assert_eq!(asked_domain(name, ValidationMethod::Dns), name);
        }
    }

    #[test]
    fn only_a_domain_above_is_asked_instead() {
        for (above, name, is_above) in [
            ("example.com", "example.com", true),
            ("example.com", "a.b.example.com", true),
            ("example.com", "*.example.com", true),
            ("ample.com", "example.com", false),
            ("a.example.com", "example.com", false),
        ] {
            assert_eq!(is_at_or_above(above, name), is_above, "{above} of {name}");
        }
    }

    #[test]
    fn a_record_belongs_to_the_account_and_the_domain() {
        let record = resource_record("123456789012", "example.com");
        assert_eq!(record, resource_record("123456789012", "*.example.com"));
        assert_ne!(record, resource_record("123456789013", "example.com"));
        assert_ne!(
            record.value,
            resource_record("123456789012", "a.example.com").value
        );
        assert!(record.name.ends_with(".example.com."), "{record:?}");
        assert_eq!(record.name.find('.'), Some(33), "{record:?}");
        assert!(
            record.value.ends_with(".acm-validations.aws."),
            "{record:?}"
        );
    }
}
