//! How the operations of the inventory are run on the live state.
//!
//! Later nouns have their operations beside them, in the files that say what they mean.

use std::sync::Arc;

use model::arn::Place;
use model::ec2::{
    Instance, SecurityGroup, SecurityGroupId, Subnet, SubnetIpv6Block, Vpc, VpcIpv6Block, Zone,
};

use crate::Control;
use crate::ec2::account::{self, AccountAttribute};
use crate::ec2::describe_instances::{
    self, DescribeInstanceStatus, DescribeInstances, InstanceDescription,
};
use crate::ec2::ipv6_blocks::{self, AssociateSubnetCidrBlock, AssociateVpcCidrBlock};
use crate::ec2::network_interfaces::{
    self, DescribeNetworkInterfaces, NetworkInterfaceDescription,
};
use crate::ec2::networks::{self, DescribeAvailabilityZones, DescribeRegions, DescribeVpcs};
use crate::ec2::run_instances::{self, RunInstances};
use crate::ec2::security_group_rules::{
    self, AuthorizeSecurityGroup, DescribeSecurityGroupRules, RevokeSecurityGroup, RevokedRules,
    RuleDescription,
};
use crate::ec2::security_groups::{
    self, CreateSecurityGroup, DescribeSecurityGroups, GroupReference,
};
use crate::ec2::subnet_changes;
use crate::ec2::subnets::{self, CreateSubnet, DescribeSubnets, SubnetDescription};
use crate::ec2::tags::{self, CreateTags, DeleteTags, DescribeTags, TagDescription};
use crate::ec2::{Ec2Error, Page};
use crate::settings::Settings;
use crate::state::{Draft, State};

/// Whether a request is to be carried out or only checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Carry it out.
    Wet,
    /// Check everything, change nothing, and answer `Ec2Error::DryRun` where the other would succeed.
    Dry,
}

/// The operations of EC2 on one control plane.
pub struct Ec2<'a> {
    control: &'a Control,
    run: Run,
}

impl Control {
    /// The inventory.
    #[must_use]
    pub fn ec2(&self, run: Run) -> Ec2<'_> {
        Ec2 { control: self, run }
    }
}

/// What an operation that shows something looks at.
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) settings: &'a Settings,
    pub(crate) now_millis: u64,
}

impl Ec2<'_> {
    /// Whose resources these are.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.control.settings().place
    }

    /// Runs an operation that shows something.
    pub(crate) fn show<T>(
        &self,
        read: impl FnOnce(View<'_>) -> Result<T, Ec2Error>,
    ) -> Result<T, Ec2Error> {
        let settings = self.control.settings();
        let now_millis = self.control.inner.parts.clock.now_millis();
        let answer = self.control.read(|state| {
            read(View {
                state,
                settings,
                now_millis,
            })
        })?;
        self.run.admit(answer)
    }

    /// Runs an operation that changes something; nothing has changed if it fails.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Draft) -> Result<T, Ec2Error> + Send + 'static,
    ) -> Result<T, Ec2Error> {
        let run = self.run;
        self.control
            .transact(move |draft| run.admit(change(draft)?))
            .await
    }
}

impl Run {
    /// The answer of a request that is in order. A dry run fails here, and its draft is dropped.
    fn admit<T>(self, answer: T) -> Result<T, Ec2Error> {
        match self {
            Self::Wet => Ok(answer),
            Self::Dry => Err(Ec2Error::DryRun),
        }
    }
}

/// Operations that show something.
impl Ec2<'_> {
    /// The VPCs.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_vpcs(&self, request: &DescribeVpcs) -> Result<Page<Arc<Vpc>>, Ec2Error> {
        self.show(|it| networks::describe_vpcs(it.state, it.settings, request))
    }

    /// The zones.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_availability_zones(
        &self,
        request: &DescribeAvailabilityZones,
    ) -> Result<Vec<Zone>, Ec2Error> {
        self.show(|it| networks::describe_zones(it.settings, request))
    }

    /// The names of the regions.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_regions(&self, request: &DescribeRegions) -> Result<Vec<String>, Ec2Error> {
        self.show(|it| networks::describe_regions(it.settings, request))
    }

    /// Facts about the account, by name; all of them for no name.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_account_attributes(
        &self,
        request: &[String],
    ) -> Result<Vec<AccountAttribute>, Ec2Error> {
        self.show(|it| account::describe(it.state, &it.settings.limits.ec2, request))
    }

    /// The subnets.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_subnets(
        &self,
        request: &DescribeSubnets,
    ) -> Result<Page<SubnetDescription>, Ec2Error> {
        self.show(|it| subnets::describe(it.state, it.settings, request))
    }

    /// The security groups.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_security_groups(
        &self,
        request: &DescribeSecurityGroups,
    ) -> Result<Page<Arc<SecurityGroup>>, Ec2Error> {
        self.show(|it| security_groups::describe(it.state, it.settings, request))
    }

    /// The rules of security groups.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_security_group_rules(
        &self,
        request: &DescribeSecurityGroupRules,
    ) -> Result<Page<RuleDescription>, Ec2Error> {
        self.show(|it| security_group_rules::describe(it.state, request))
    }

    /// The instances.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_instances(
        &self,
        request: &DescribeInstances,
    ) -> Result<Page<InstanceDescription>, Ec2Error> {
        self.show(|it| describe_instances::describe(it.state, it.settings, it.now_millis, request))
    }

    /// The instances whose status is asked for.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_instance_status(
        &self,
        request: &DescribeInstanceStatus,
    ) -> Result<Page<Arc<Instance>>, Ec2Error> {
        self.show(|it| {
            describe_instances::describe_status(it.state, it.settings, it.now_millis, request)
        })
    }

    /// The addresses in use.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_network_interfaces(
        &self,
        request: &DescribeNetworkInterfaces,
    ) -> Result<Page<NetworkInterfaceDescription>, Ec2Error> {
        self.show(|it| network_interfaces::describe(it.state, it.settings, request))
    }

    /// The tags of everything.
    ///
    /// # Errors
    /// What the request breaks.
    pub fn describe_tags(&self, request: &DescribeTags) -> Result<Page<TagDescription>, Ec2Error> {
        self.show(|it| tags::describe(it.state, request))
    }
}

/// Operations that change something.
impl Ec2<'_> {
    /// Makes a subnet.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn create_subnet(
        &self,
        request: CreateSubnet,
    ) -> Result<SubnetDescription, Ec2Error> {
        self.change(move |draft| subnets::create(draft, &request))
            .await
    }

    /// Removes the subnet with this id.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn delete_subnet(&self, request: String) -> Result<(), Ec2Error> {
        self.change(move |draft| subnet_changes::delete(draft, &request))
            .await
    }

    /// Gives a VPC an IPv6 block.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn associate_vpc_cidr_block(
        &self,
        request: AssociateVpcCidrBlock,
    ) -> Result<(Arc<Vpc>, VpcIpv6Block), Ec2Error> {
        self.change(move |draft| ipv6_blocks::associate_vpc(draft, &request))
            .await
    }

    /// Takes the IPv6 block with this association from its VPC.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn disassociate_vpc_cidr_block(
        &self,
        request: String,
    ) -> Result<(Arc<Vpc>, VpcIpv6Block), Ec2Error> {
        self.change(move |draft| ipv6_blocks::disassociate_vpc(draft, &request))
            .await
    }

    /// Gives a subnet an IPv6 block.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn associate_subnet_cidr_block(
        &self,
        request: AssociateSubnetCidrBlock,
    ) -> Result<(Arc<Subnet>, SubnetIpv6Block), Ec2Error> {
        self.change(move |draft| ipv6_blocks::associate_subnet(draft, &request))
            .await
    }

    /// Takes the IPv6 block with this association from its subnet.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn disassociate_subnet_cidr_block(
        &self,
        request: String,
    ) -> Result<(Arc<Subnet>, SubnetIpv6Block), Ec2Error> {
        self.change(move |draft| ipv6_blocks::disassociate_subnet(draft, &request))
            .await
    }

    /// Makes a security group.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn create_security_group(
        &self,
        request: CreateSecurityGroup,
    ) -> Result<Arc<SecurityGroup>, Ec2Error> {
        self.change(move |draft| security_groups::create(draft, &request))
            .await
    }

    /// Removes a security group.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn delete_security_group(
        &self,
        request: GroupReference,
    ) -> Result<SecurityGroupId, Ec2Error> {
        self.change(move |draft| security_groups::delete(draft, &request))
            .await
    }

    /// Gives rules to a security group; listeners obey them when this returns.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn authorize_security_group(
        &self,
        request: AuthorizeSecurityGroup,
    ) -> Result<Vec<RuleDescription>, Ec2Error> {
        self.change(move |draft| security_group_rules::authorize(draft, &request))
            .await
    }

    /// Takes rules from a security group; listeners obey when this returns.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn revoke_security_group(
        &self,
        request: RevokeSecurityGroup,
    ) -> Result<RevokedRules, Ec2Error> {
        self.change(move |draft| security_group_rules::revoke(draft, &request))
            .await
    }

    /// Registers machines; they make one reservation.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn run_instances(
        &self,
        request: RunInstances,
    ) -> Result<Vec<InstanceDescription>, Ec2Error> {
        self.change(move |draft| run_instances::run(draft, &request))
            .await
    }

    /// Sets tags.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn create_tags(&self, request: CreateTags) -> Result<(), Ec2Error> {
        self.change(move |draft| tags::create(draft, &request))
            .await
    }

    /// Removes tags.
    ///
    /// # Errors
    /// What the request breaks; nothing has changed then.
    pub async fn delete_tags(&self, request: DeleteTags) -> Result<(), Ec2Error> {
        self.change(move |draft| tags::delete(draft, &request))
            .await
    }
}
