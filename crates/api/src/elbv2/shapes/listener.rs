//! `Listener`.

use std::borrow::Borrow;

use control::elb::input::{
    AdvertiseTrustStoreCaNames, CertificateSetting, MutualAuthenticationAttributes, TlsSettings,
    TrustStoreAssociationStatus,
};
use model::listener::{Listener, ListenerTls, MutualAuthentication};

use super::action;
use crate::input::{BOOLEAN, Fields, OneOf, TEXT};
use crate::xml::Xml;

/// The members of a listener with TLS.
pub(crate) fn read_tls(fields: &Fields<'_>) -> TlsSettings {
    TlsSettings {
        ssl_policy: fields.optional("SslPolicy", TEXT),
        certificates: read_certificates(fields),
        alpn_policy: fields.list("AlpnPolicy", TEXT),
        mutual_authentication: fields.structure("MutualAuthentication", read_mutual_authentication),
    }
}

/// `Certificates`.
pub(crate) fn read_certificates(fields: &Fields<'_>) -> Vec<CertificateSetting> {
    fields.structures("Certificates", |certificate| CertificateSetting {
        certificate_arn: certificate.optional("CertificateArn", TEXT),
        is_default: certificate.optional("IsDefault", BOOLEAN),
    })
}

fn read_mutual_authentication(fields: &Fields<'_>) -> MutualAuthenticationAttributes {
    let statuses = OneOf(TrustStoreAssociationStatus::ALL);
    let advertise = OneOf(AdvertiseTrustStoreCaNames::ALL);
    MutualAuthenticationAttributes {
        mode: fields.optional("Mode", TEXT),
        trust_store_arn: fields.optional("TrustStoreArn", TEXT),
        ignore_client_certificate_expiry: fields.optional("IgnoreClientCertificateExpiry", BOOLEAN),
        trust_store_association_status: fields.optional("TrustStoreAssociationStatus", statuses),
        advertise_trust_store_ca_names: fields.optional("AdvertiseTrustStoreCaNames", advertise),
    }
}

pub(crate) fn print_all<L: Borrow<Listener>>(
    xml: &mut Xml,
    listeners: impl IntoIterator<Item = L>,
) {
    xml.list("Listeners", listeners, |xml, listener| {
        print(xml, listener.borrow())
    });
}

fn print(xml: &mut Xml, listener: &Listener) {
    xml.text("ListenerArn", &listener.arn);
    xml.text("LoadBalancerArn", &listener.arn.load_balancer);
    xml.text("Port", listener.port);
    xml.text("Protocol", listener.protocol);
    if let Some(tls) = &listener.tls {
        print_tls(xml, tls);
    }
    action::print(xml, "DefaultActions", &listener.default_actions);
    if let Some(tls) = &listener.tls {
        print_mutual_authentication(xml, &tls.mutual_authentication);
    }
}

/// The default certificate without `IsDefault`: the answers about listeners have no more.
fn print_tls(xml: &mut Xml, tls: &ListenerTls) {
    xml.list("Certificates", [&tls.default_certificate], |xml, arn| {
        xml.text("CertificateArn", arn);
    });
    xml.text("SslPolicy", &tls.policy);
}

fn print_mutual_authentication(xml: &mut Xml, settings: &MutualAuthentication) {
    xml.element("MutualAuthentication", |xml| match settings {
        MutualAuthentication::Off => xml.text("Mode", "off"),
        MutualAuthentication::Passthrough => xml.text("Mode", "passthrough"),
        MutualAuthentication::Verify {
            trust_store,
            ignores_expiry,
            advertises_names,
        } => {
            let advertise = match advertises_names {
                true => AdvertiseTrustStoreCaNames::On,
                false => AdvertiseTrustStoreCaNames::Off,
            };
            xml.text("Mode", "verify");
            xml.text("TrustStoreArn", trust_store);
            xml.text("IgnoreClientCertificateExpiry", ignores_expiry);
            xml.text(
                "TrustStoreAssociationStatus",
                TrustStoreAssociationStatus::Active,
            );
            xml.text("AdvertiseTrustStoreCaNames", advertise);
        }
    });
}
