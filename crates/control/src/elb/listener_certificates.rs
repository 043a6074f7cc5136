//! `AddListenerCertificates`, `DescribeListenerCertificates` and `RemoveListenerCertificates`: the
//! certificates that are chosen by the name of the host.

use model::certificate::CertificateArn;
use model::id::LoadBalancerId;
use model::listener::{Listener, ListenerTls};

use super::input::CertificateSetting;
use super::listener_tls::{certificate, too_many};
use super::{ElbError, Page, Paging, find};
use crate::{Control, Draft, State};

/// Source: ELB API, `AddListenerCertificates`.
#[derive(Clone, Debug, Default)]
pub struct AddListenerCertificates {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Certificates`: one.
    pub certificates: Vec<CertificateSetting>,
}

/// Source: ELB API, `DescribeListenerCertificates`.
#[derive(Clone, Debug, Default)]
pub struct DescribeListenerCertificates {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Marker` and `PageSize`.
    pub paging: Paging,
}

/// Source: ELB API, `RemoveListenerCertificates`.
#[derive(Clone, Debug, Default)]
pub struct RemoveListenerCertificates {
    /// `ListenerArn`.
    pub listener_arn: String,
    /// `Certificates`: one.
    pub certificates: Vec<CertificateSetting>,
}

/// A certificate of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerCertificate {
    /// `CertificateArn`.
    pub arn: CertificateArn,
    /// `IsDefault`.
    pub is_default: bool,
}

impl Control {
    /// Adds a certificate to those of a listener; one that is there already is left where it is.
    ///
    /// # Errors
    /// `CertificateNotFound`, `ListenerNotFound`, `TooManyCertificates`, `UnsupportedCertificate`, `Validation`.
    pub async fn add_listener_certificates(
        &self,
        input: AddListenerCertificates,
    ) -> Result<Vec<CertificateArn>, ElbError> {
        self.transact(move |draft| add(draft, &input)).await
    }

    /// The certificates of a listener: the default one first, then the others as they were added.
    ///
    /// # Errors
    /// `ListenerNotFound`, `Validation`.
    pub async fn describe_listener_certificates(
        &self,
        input: DescribeListenerCertificates,
    ) -> Result<Page<ListenerCertificate>, ElbError> {
        self.read(|state| describe(state, &input))
    }

    /// Removes a certificate from those of a listener; one that is not there does not matter.
    ///
    /// # Errors
    /// `ListenerNotFound`, `OperationNotPermitted`, `Validation`.
    pub async fn remove_listener_certificates(
        &self,
        input: RemoveListenerCertificates,
    ) -> Result<(), ElbError> {
        self.transact(move |draft| remove(draft, &input)).await
    }
}

fn add(
    draft: &mut Draft,
    input: &AddListenerCertificates,
) -> Result<Vec<CertificateArn>, ElbError> {
    let (listener, mut tls) = secure(draft.state(), &input.listener_arn)?;
    let arn = certificate(draft.state(), only(&input.certificates)?)?;
    if !tls.certificates.contains(&arn) {
        let most = draft.settings().limits.certificates_per_load_balancer;
        if count(draft.state(), listener.arn.load_balancer.id) >= most {
            return Err(ElbError::TooManyCertificates(format!(
                "A load balancer can have at most {most} certificates besides the default ones"
            )));
        }
        tls.certificates.push(arn.clone());
        put(draft, listener, tls);
    }
    Ok(vec![arn])
}

fn describe(
    state: &State,
    input: &DescribeListenerCertificates,
) -> Result<Page<ListenerCertificate>, ElbError> {
    let listener = find::listener(state, &input.listener_arn)?;
    let shown = listener.tls.iter().flat_map(ListenerTls::all_certificates);
    let numbered = shown.enumerate().map(|(index, arn)| {
        let certificate = ListenerCertificate {
            arn: arn.clone(),
            is_default: index == 0,
        };
        (index, certificate)
    });
    let page = input.paging.page(
        "listener-certificates",
        numbered,
        |(index, _)| *index,
        |marker| marker.parse().ok(),
    )?;
    Ok(Page {
        items: page.items.into_iter().map(|(_, it)| it).collect(),
        next_marker: page.next_marker,
    })
}

fn remove(draft: &mut Draft, input: &RemoveListenerCertificates) -> Result<(), ElbError> {
    let (listener, mut tls) = secure(draft.state(), &input.listener_arn)?;
    let setting = only(&input.certificates)?;
    let Some(text) = setting.certificate_arn.as_deref() else {
        return Err(ElbError::Validation(
            "A certificate ARN must be specified".to_owned(),
        ));
    };
    let arn: CertificateArn = text
        .parse()
        .map_err(|_| ElbError::Validation(format!("Certificate ARN '{text}' is not valid")))?;
    // A default certificate that was also added is removed from those that were added.
    match tls.certificates.iter().position(|present| *present == arn) {
        Some(at) => {
            tls.certificates.remove(at);
            put(draft, listener, tls);
            Ok(())
        }
        None if tls.default_certificate == arn => Err(ElbError::OperationNotPermitted(format!(
            "The default certificate '{arn}' cannot be removed from the listener; replace it with ModifyListener"
        ))),
        None => Ok(()),
    }
}

/// The listener with its TLS settings.
fn secure(state: &State, arn: &str) -> Result<(Listener, ListenerTls), ElbError> {
    let listener = Listener::clone(find::listener(state, arn)?);
    match listener.tls.clone() {
        Some(tls) => Ok((listener, tls)),
        None => Err(ElbError::Validation(format!(
            "A certificate cannot be specified for {} listeners",
            listener.protocol
        ))),
    }
}

fn only(certificates: &[CertificateSetting]) -> Result<&CertificateSetting, ElbError> {
    match certificates {
        [one] => Ok(one),
        [] => Err(ElbError::Validation(
            "A certificate ARN must be specified".to_owned(),
        )),
        more => Err(too_many(more)),
    }
}

/// How many certificates the listeners of a load balancer have besides the default ones.
fn count(state: &State, owner: LoadBalancerId) -> usize {
    let listeners = state.elb.listeners_of(owner).into_iter();
    let settings = listeners.filter_map(|listener| listener.tls.as_ref());
    settings.map(|tls| tls.certificates.len()).sum()
}

fn put(draft: &mut Draft, listener: Listener, tls: ListenerTls) {
    draft.put(Listener {
        tls: Some(tls),
        ..listener
    });
}
