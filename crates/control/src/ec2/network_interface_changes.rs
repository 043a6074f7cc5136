//! ModifyNetworkInterfaceAttribute, DeleteNetworkInterface, DetachNetworkInterface: what can be done with a
//! network interface beside what is done with its owner.

use std::sync::Arc;

use model::ec2::{Instance, InterfaceKind, NetworkInterface, NetworkInterfaceId};

use crate::ec2::instance_attributes::{InstanceChange, modify};
use crate::ec2::network_interfaces::{attachment_id, network_interfaces};
use crate::ec2::{Ec2, Ec2Error};
use crate::state::{Draft, State};

/// A new value for an attribute of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyNetworkInterfaceAttribute {
    /// The interface.
    pub network_interface_id: String,
    /// The attribute of its instance with its value.
    pub change: InstanceChange,
}

impl Ec2<'_> {
    /// Changes the interface of an instance, and thus the instance. Listeners obey changed groups when this
    /// returns.
    ///
    /// # Errors
    /// `MalformedId`, `NetworkInterfaceNotFound`, `NotYourInterface` for one of a load balancer, and those
    /// of `modify_instance_attribute`.
    pub async fn modify_network_interface_attribute(
        &self,
        request: ModifyNetworkInterfaceAttribute,
    ) -> Result<(), Ec2Error> {
        self.change(move |draft| {
            let interface = find(draft.state(), &request.network_interface_id)?;
            let instance = owner(draft, &interface)?;
            modify(draft, &instance, &request.change)
        })
        .await
    }

    /// Refuses: an interface goes together with its owner.
    ///
    /// # Errors
    /// `MalformedId`, `NetworkInterfaceNotFound`, `InterfaceInUse`.
    pub fn delete_network_interface(&self, id: &str) -> Result<(), Ec2Error> {
        self.show(|it| Err(Ec2Error::InterfaceInUse(find(it.state, id)?.id)))
    }

    /// Refuses: the interface of a load balancer is its own, and an instance has one alone.
    ///
    /// # Errors
    /// `AttachmentNotFound`, `NotYourAttachment`, `OnlyInterface`.
    pub fn detach_network_interface(&self, attachment: &str) -> Result<(), Ec2Error> {
        self.show(|it| {
            let mut interfaces = network_interfaces(it.state).into_iter();
            let found = interfaces.find(|interface| attachment_id(interface) == attachment);
            match found.map(|interface| interface.kind) {
                None => Err(Ec2Error::AttachmentNotFound(attachment.to_owned())),
                Some(InterfaceKind::LoadBalancer { .. }) => Err(Ec2Error::NotYourAttachment),
                Some(InterfaceKind::Instance { .. }) => Err(Ec2Error::OnlyInterface),
            }
        })
    }
}

fn find(state: &State, id: &str) -> Result<NetworkInterface, Ec2Error> {
    let id: NetworkInterfaceId = id.parse()?;
    let mut interfaces = network_interfaces(state).into_iter();
    let found = interfaces.find(|interface| interface.id == id);
    found.ok_or_else(|| Ec2Error::NetworkInterfaceNotFound(id.to_string()))
}

/// The instance that has an interface.
fn owner(draft: &Draft, interface: &NetworkInterface) -> Result<Arc<Instance>, Ec2Error> {
    match &interface.kind {
        InterfaceKind::Instance { id, .. } => Ok(Arc::clone(&draft.state().ec2.instances[id])),
        InterfaceKind::LoadBalancer { .. } => Err(Ec2Error::NotYourInterface(interface.id.clone())),
    }
}
