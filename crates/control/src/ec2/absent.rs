//! Describe operations of what elbow never has: tools ask for it beside what it has, and the answer is empty.

use std::ops::RangeInclusive;

use model::ec2::Tags;

use crate::ec2::filter::Filters;
use crate::ec2::paging::USUAL_SIZES;
use crate::ec2::{Ec2, Ec2Error, Filter, PageRequest};

/// A kind of resource of which there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentKind {
    /// Sets of DHCP options. VPCs have `default`, which stands for no set.
    DhcpOptions,
    /// Ways out of a VPC for IPv6 alone.
    EgressOnlyInternetGateway,
    /// What machines are started from. Instances have the names of some as notes.
    Image,
    /// What machines are logged in to with.
    KeyPair,
    /// Ways out of a VPC that translate addresses.
    NatGateway,
    /// The addresses of AWS's own services. Managed prefix lists are another matter.
    ServicePrefixList,
    /// Copies of volumes.
    Snapshot,
    /// Disks.
    Volume,
    /// Ways from a VPC to a service.
    VpcEndpoint,
    /// Ways between two VPCs.
    VpcPeeringConnection,
    /// Ways from a VPC to a private network.
    VpnGateway,
}

impl AbsentKind {
    /// What EC2 says of an id that names none.
    pub(crate) fn not_found(self, id: &str) -> Ec2Error {
        let message = self.message(id);
        Ec2Error::AbsentNotFound {
            kind: self,
            message,
        }
    }

    fn message(self, id: &str) -> String {
        match self {
            Self::DhcpOptions => format!("The dhcpOption ID '{id}' does not exist"),
            Self::EgressOnlyInternetGateway => {
                format!("The egressOnlyInternetGateway ID '{id}' does not exist")
            }
            Self::Image => format!("The image id '[{id}]' does not exist"),
            Self::KeyPair => format!("The key pair '{id}' does not exist"),
            Self::NatGateway => format!("The Nat Gateway {id} was not found"),
            Self::ServicePrefixList => format!("The prefix list ID '{id}' does not exist"),
            Self::Snapshot => format!("The snapshot '{id}' does not exist."),
            Self::Volume => format!("The volume '{id}' does not exist."),
            Self::VpcEndpoint => format!("The Vpc Endpoint Id '{id}' does not exist"),
            Self::VpcPeeringConnection => {
                format!("The vpcPeeringConnection ID '{id}' does not exist")
            }
            Self::VpnGateway => format!("The vpnGateway ID '{id}' does not exist"),
        }
    }

    /// How many a page may have.
    ///
    /// Source: EC2 API, `MaxResults` of each operation. That of `DescribeVpcEndpoints` has no bound: more than 1,000
    /// mean 1,000.
    fn page_sizes(self) -> RangeInclusive<i64> {
        match self {
            Self::EgressOnlyInternetGateway => 5..=255,
            Self::VpcEndpoint => 1..=i64::MAX,
            _ => USUAL_SIZES,
        }
    }

    /// The names of its filters, beside those of tags.
    fn filters(self) -> &'static [&'static str] {
        match self {
            Self::DhcpOptions => &["dhcp-options-id", "key", "value", "owner-id"],
            Self::EgressOnlyInternetGateway => &[],
            Self::Image => &[
                "architecture",
                "block-device-mapping.delete-on-termination",
                "block-device-mapping.device-name",
                "block-device-mapping.encrypted",
                "block-device-mapping.snapshot-id",
                "block-device-mapping.volume-size",
                "block-device-mapping.volume-type",
                "boot-mode",
                "creation-date",
                "description",
                "ena-support",
                "free-tier-eligible",
                "hypervisor",
                "image-allowed",
                "image-id",
                "image-type",
                "image-watermark.source-image-creation-time",
                "image-watermark.source-image-id",
                "image-watermark.source-image-region",
                "image-watermark.watermark-creation-time",
                "image-watermark.watermark-key",
                "instance-type-specification.supported-instance-type",
                "instance-type-specification.unsupported-instance-type",
                "is-public",
                "kernel-id",
                "manifest-location",
                "name",
                "owner-alias",
                "owner-id",
                "platform",
                "product-code",
                "product-code.type",
                "public-ssm-parameter-name",
                "ramdisk-id",
                "root-device-name",
                "root-device-type",
                "scan-result.critical-fix-available-since",
                "scan-result.finding-scan-date",
                "scan-result.high-fix-available-since",
                "scan-result.highest-finding-severity-label",
                "scan-result.informational-fix-available-since",
                "scan-result.low-fix-available-since",
                "scan-result.medium-fix-available-since",
                "source-image-id",
                "source-image-region",
                "source-instance-id",
                "sriov-net-support",
                "state",
                "state-reason-code",
                "state-reason-message",
                "virtualization-type",
            ],
            Self::KeyPair => &["fingerprint", "key-name", "key-pair-id"],
            Self::NatGateway => &["nat-gateway-id", "state", "subnet-id", "vpc-id"],
            Self::ServicePrefixList => &["prefix-list-id", "prefix-list-name"],
            Self::Snapshot => &[
                "description",
                "encrypted",
                "owner-alias",
                "owner-id",
                "progress",
                "snapshot-id",
                "start-time",
                "status",
                "storage-tier",
                "transfer-type",
                "volume-id",
                "volume-size",
            ],
            Self::Volume => &[
                "attachment.attach-time",
                "attachment.delete-on-termination",
                "attachment.device",
                "attachment.instance-id",
                "attachment.status",
                "availability-zone",
                "availability-zone-id",
                "create-time",
                "encrypted",
                "fast-restored",
                "multi-attach-enabled",
                "operator.managed",
                "operator.principal",
                "size",
                "snapshot-id",
                "status",
                "volume-id",
                "volume-type",
            ],
            Self::VpcEndpoint => &[
                "ip-address-type",
                "service-name",
                "service-region",
                "vpc-endpoint-id",
                "vpc-endpoint-state",
                "vpc-endpoint-type",
                "vpc-id",
            ],
            Self::VpcPeeringConnection => &[
                "accepter-vpc-info.cidr-block",
                "accepter-vpc-info.owner-id",
                "accepter-vpc-info.vpc-id",
                "expiration-time",
                "requester-vpc-info.cidr-block",
                "requester-vpc-info.owner-id",
                "requester-vpc-info.vpc-id",
                "status-code",
                "status-message",
                "vpc-peering-connection-id",
            ],
            Self::VpnGateway => &[
                "amazon-side-asn",
                "attachment.state",
                "attachment.vpc-id",
                "availability-zone",
                "state",
                "type",
                "vpn-gateway-id",
            ],
        }
    }
}

/// Which resources of the kind to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeAbsent {
    /// The kind.
    pub kind: AbsentKind,
    /// These alone; all for an empty list.
    pub ids: Vec<String>,
    /// What must be true of them.
    pub filters: Vec<Filter>,
    /// Which part of the answer.
    pub page: PageRequest,
}

impl Ec2<'_> {
    /// Nothing, if the request is in order.
    ///
    /// # Errors
    /// `AbsentNotFound` if an id is given, and those of filters and pages.
    pub fn describe_absent(&self, request: &DescribeAbsent) -> Result<(), Ec2Error> {
        self.show(|_| {
            let filters: Filters<Tags> = Filters {
                columns: &[],
                absent: request.kind.filters(),
                tags: Some(|tags| tags),
            };
            let _nothing_to_test = filters.parse(&request.filters)?;
            match request.ids.first() {
                Some(id) => Err(request.kind.not_found(id)),
                None => request.page.require_valid(request.kind.page_sizes()),
            }
        })
    }
}
