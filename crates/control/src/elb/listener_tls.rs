//! From the TLS settings of a request to what a listener keeps of them.

use model::arn::TrustStoreArn;
use model::certificate::{CertificateArn, CertificateRequest};
use model::id::LoadBalancerId;
use model::listener::{Listener, ListenerTls, MutualAuthentication};
use model::protocol::Protocol;
use model::ssl_policy::{DEFAULT_SSL_POLICY, SslPolicy};

use super::input::{
    AdvertiseTrustStoreCaNames, CertificateSetting, MutualAuthenticationAttributes, TlsSettings,
};
use super::{ElbError, find};
use crate::State;
use crate::settings::Limits;

impl TlsSettings {
    /// What a listener of this protocol keeps, with `present` for what is absent here; `None` for a listener
    /// without TLS.
    pub(super) fn apply(
        &self,
        state: &State,
        protocol: Protocol,
        present: Option<&ListenerTls>,
    ) -> Result<Option<ListenerTls>, ElbError> {
        if !self.alpn_policy.is_empty() {
            return refused("You cannot set ALPN policy on load balancers of type 'application'");
        }
        match protocol {
            Protocol::Http => self.refuse().map(|()| None),
            Protocol::Https => Ok(Some(ListenerTls {
                policy: self.policy(present)?,
                default_certificate: self.default_certificate(state, present)?,
                certificates: present.map_or_else(Vec::new, |it| it.certificates.clone()),
                mutual_authentication: self.mutual_authentication(state, present)?,
            })),
            other => Err(ElbError::Validation(format!(
                "Listener protocol '{other}' must be one of 'HTTP, HTTPS'"
            ))),
        }
    }

    /// Refuses what an HTTP listener cannot have.
    fn refuse(&self) -> Result<(), ElbError> {
        if !self.certificates.is_empty() {
            return refused("A certificate cannot be specified for HTTP listeners");
        }
        if self.ssl_policy.is_some() {
            return refused("An SSL policy cannot be specified for HTTP listeners");
        }
        let mode = self.mutual_authentication.as_ref().map(|it| &it.mode);
        if mode.is_some_and(|mode| mode.as_deref() != Some("off")) {
            return refused("Mutual Authentication cannot be set for non secure listeners");
        }
        Ok(())
    }

    fn policy(&self, present: Option<&ListenerTls>) -> Result<String, ElbError> {
        let Some(name) = &self.ssl_policy else {
            return Ok(present
                .map_or(DEFAULT_SSL_POLICY, |it| &it.policy)
                .to_owned());
        };
        // Templates from before 2016 have the one that is no longer listed for Application Load Balancers.
        SslPolicy::named(name)
            .map(|policy| policy.name.to_owned())
            .ok_or_else(|| not_found(name))
    }

    fn default_certificate(
        &self,
        state: &State,
        present: Option<&ListenerTls>,
    ) -> Result<CertificateArn, ElbError> {
        match (self.certificates.as_slice(), present) {
            ([], Some(present)) => Ok(present.default_certificate.clone()),
            ([], None) => refused("A certificate must be specified for HTTPS listeners"),
            ([one], _) => certificate(state, one),
            (more, _) => Err(too_many(more)),
        }
    }

    fn mutual_authentication(
        &self,
        state: &State,
        present: Option<&ListenerTls>,
    ) -> Result<MutualAuthentication, ElbError> {
        match (&self.mutual_authentication, present) {
            (Some(settings), _) => settings.parse(state),
            (None, Some(present)) => Ok(present.mutual_authentication.clone()),
            (None, None) => Ok(MutualAuthentication::Off),
        }
    }
}

impl MutualAuthenticationAttributes {
    fn parse(&self, state: &State) -> Result<MutualAuthentication, ElbError> {
        if self.trust_store_association_status.is_some() {
            return refused(
                "TrustStoreAssociationStatus is part of answers and cannot be specified",
            );
        }
        let mode = match self.mode.as_deref() {
            Some("off") => MutualAuthentication::Off,
            Some("passthrough") => MutualAuthentication::Passthrough,
            Some("verify") => return self.verify(state),
            None => return refused("A Mutual Authentication mode must be specified"),
            Some(other) => {
                return Err(ElbError::Validation(format!(
                    "Mutual Authentication mode '{other}' must be one of 'off, passthrough, verify'"
                )));
            }
        };
        let only_verify = [
            ("TrustStoreArn", self.trust_store().is_some()),
            (
                "IgnoreClientCertificateExpiry",
                self.ignore_client_certificate_expiry == Some(true),
            ),
            (
                "AdvertiseTrustStoreCaNames",
                self.advertise_trust_store_ca_names == Some(AdvertiseTrustStoreCaNames::On),
            ),
        ];
        match only_verify.iter().find(|(_, is_given)| *is_given) {
            Some((member, _)) => Err(ElbError::Validation(format!(
                "'{member}' can only be specified with Mutual Authentication mode verify"
            ))),
            None => Ok(mode),
        }
    }

    /// Terraform sends an empty ARN for what its user has not set.
    fn trust_store(&self) -> Option<&str> {
        let given = self.trust_store_arn.as_deref();
        given.filter(|arn| !arn.is_empty())
    }

    fn verify(&self, state: &State) -> Result<MutualAuthentication, ElbError> {
        let Some(arn) = self.trust_store() else {
            return refused("Mutual Authentication mode verify requires a trust store arn");
        };
        let trust_store: TrustStoreArn = find::trust_store(state, arn)?.arn.clone();
        Ok(MutualAuthentication::Verify {
            trust_store,
            ignores_expiry: self.ignore_client_certificate_expiry.unwrap_or_default(),
            advertises_names: self.advertise_trust_store_ca_names
                == Some(AdvertiseTrustStoreCaNames::On),
        })
    }
}

/// The certificate of a request, if listeners can show it.
pub(super) fn certificate(
    state: &State,
    setting: &CertificateSetting,
) -> Result<CertificateArn, ElbError> {
    if setting.is_default.is_some() {
        return refused("You cannot set the 'IsDefault' parameter for a certificate");
    }
    let Some(text) = setting.certificate_arn.as_deref() else {
        return refused("A certificate ARN must be specified");
    };
    if text.contains(":server-certificate/") {
        return Err(ElbError::CertificateNotFound(format!(
            "Certificate '{text}' not found: elbow has no server certificates of IAM; import it with `aws acm \
             import-certificate`"
        )));
    }
    let arn: CertificateArn = text
        .parse()
        .map_err(|_| ElbError::Validation(format!("Certificate ARN '{text}' is not valid")))?;
    let found = state.acm.certificates.get(&arn.id);
    let found = found
        .filter(|found| found.arn == arn)
        .ok_or_else(|| ElbError::CertificateNotFound(format!("Certificate '{text}' not found")))?;
    // A certificate that is not issued has no key size that could be supported; AWS says the same of it.
    let is_revoked = found.request().is_some_and(CertificateRequest::is_revoked);
    let facts = found.facts().filter(|_| !is_revoked);
    if facts.is_none_or(|facts| facts.domain_name.is_none()) {
        return Err(ElbError::UnsupportedCertificate(format!(
            "The certificate '{text}' must have a fully-qualified domain name, a supported signature, and a \
             supported key size."
        )));
    }
    Ok(arn)
}

/// The error for a policy that is not in the table.
pub(super) fn not_found(name: &str) -> ElbError {
    ElbError::SslPolicyNotFound(format!("SSL policy '{name}' not found"))
}

/// The error for more than one certificate.
pub(super) fn too_many(certificates: &[CertificateSetting]) -> ElbError {
    ElbError::Validation(format!(
        "Up to '1' certificate ARNs can be specified, but '{}' were specified",
        certificates.len()
    ))
}

/// Whether both are the same but for the certificates that are added after the creation.
pub(super) fn is_same_tls(some: Option<&ListenerTls>, other: Option<&ListenerTls>) -> bool {
    let created = |tls: &ListenerTls| ListenerTls {
        certificates: Vec::new(),
        ..tls.clone()
    };
    some.map(created) == other.map(created)
}

/// Checks how many listeners of the load balancer verify clients.
pub(super) fn check_verifying(
    state: &State,
    limits: &Limits,
    owner: LoadBalancerId,
) -> Result<(), ElbError> {
    let verifies = |listener: &Listener| {
        let tls = listener.tls.as_ref();
        tls.is_some_and(|tls| tls.trust_store().is_some())
    };
    let listeners = state.elb.listeners_of(owner).into_iter();
    let limit = limits.verifying_listeners_per_load_balancer;
    match listeners.filter(|listener| verifies(listener)).count() {
        count if count > limit => Err(ElbError::InvalidConfigurationRequest(format!(
            "A load balancer can have at most {limit} listeners with Mutual Authentication mode verify"
        ))),
        _ => Ok(()),
    }
}

fn refused<T>(message: &str) -> Result<T, ElbError> {
    Err(ElbError::Validation(message.to_owned()))
}
