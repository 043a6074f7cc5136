//! `Listener`.

use std::borrow::Borrow;

use control::elb::create_listener::TlsSettings;
use model::listener::Listener;

use super::action;
use crate::input::{Fields, TEXT};
use crate::xml::Xml;

/// The members of a listener with TLS. Those inside certificates and mutual authentication that say
/// more are not read, because neither is supported yet.
pub(crate) fn read_tls(fields: &Fields<'_>) -> TlsSettings {
    TlsSettings {
        ssl_policy: fields.optional("SslPolicy", TEXT),
        certificates: fields.structures("Certificates", |certificate| {
            certificate.is_present("IsDefault");
            certificate
                .optional("CertificateArn", TEXT)
                .unwrap_or_default()
        }),
        alpn_policy: fields.list("AlpnPolicy", TEXT),
        mutual_authentication_mode: fields.structure("MutualAuthentication", |settings| {
            settings.is_present("TrustStoreArn");
            settings.is_present("IgnoreClientCertificateExpiry");
            settings.is_present("TrustStoreAssociationStatus");
            settings.is_present("AdvertiseTrustStoreCaNames");
            settings.optional("Mode", TEXT).unwrap_or_default()
        }),
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
    action::print(xml, "DefaultActions", &listener.default_actions);
}
