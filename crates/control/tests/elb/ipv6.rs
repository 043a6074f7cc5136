//! Load balancers with addresses of IPv6, and target groups whose targets have some.

use std::io::ErrorKind;
use std::sync::Arc;

use control::ec2::Run;
use control::ec2::ipv6_blocks::{AssociateSubnetCidrBlock, AssociateVpcCidrBlock, NewIpv6Block};
use control::ec2::run_instances::RunInstances;
use control::elb::ElbError;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::create_rule::CreateRule;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::delete_listener::DeleteListener;
use control::elb::delete_load_balancer::DeleteLoadBalancer;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::input::TargetDescription;
use control::elb::register_targets::RegisterTargets;
use control::elb::set_ip_address_type::SetIpAddressType;
use control::elb::set_subnets::SetSubnets;
use model::load_balancer::{LoadBalancer, Scheme};
use model::protocol::{IpAddressType, TargetGroupIpAddressType};
use model::target_group::TargetType;

use crate::support::{Fixture, error, fixed, fixture, forward, listener_input, rule_input, target};

/// The VPC has fd65::/56, its subnets the /64 blocks 1 and 2 of it; their associations.
async fn dualstack() -> (Fixture, Vec<String>) {
    let fixture = fixture().await;
    let ec2 = fixture.control.ec2(Run::Wet);
    let vpc = AssociateVpcCidrBlock {
        vpc_id: Some(fixture.vpc.clone()),
        block: NewIpv6Block {
            cidr_block: Some("fd65::/56".to_owned()),
            is_provided: false,
        },
    };
    ec2.associate_vpc_cidr_block(vpc).await.unwrap();
    let mut associations = Vec::new();
    for (number, id) in (1..).zip(&fixture.subnets) {
        let subnet = AssociateSubnetCidrBlock {
            subnet_id: Some(id.clone()),
            ipv6_cidr_block: Some(format!("fd65:0:0:{number}::/64")),
        };
        let (_, block) = ec2.associate_subnet_cidr_block(subnet).await.unwrap();
        associations.push(block.id.to_string());
    }
    (fixture, associations)
}

impl Fixture {
    fn dualstack_input(&self, name: &str) -> CreateLoadBalancer {
        CreateLoadBalancer {
            ip_address_type: Some(IpAddressType::Dualstack),
            ..self.load_balancer_input(name)
        }
    }

    async fn dualstack_load_balancer(&self, name: &str) -> Arc<LoadBalancer> {
        let input = self.dualstack_input(name);
        let created = self.control.create_load_balancer(input).await;
        created.unwrap().load_balancer
    }

    async fn set_type(
        &self,
        load_balancer: &LoadBalancer,
        ip_address_type: IpAddressType,
    ) -> Result<Arc<LoadBalancer>, ElbError> {
        let input = SetIpAddressType {
            load_balancer_arn: load_balancer.arn.to_string(),
            ip_address_type,
        };
        self.control.set_ip_address_type(input).await
    }

    async fn ipv6_group(&self, name: &str, target_type: TargetType) -> String {
        let input = CreateTargetGroup {
            ip_address_type: Some(TargetGroupIpAddressType::Ipv6),
            target_type: Some(target_type),
            ..self.target_group_input(name)
        };
        let created = self.control.create_target_group(input).await.unwrap();
        created.target_group.arn.to_string()
    }

    /// Where the only listener listens, and in which zones.
    fn listening(&self) -> Vec<String> {
        let frontend = Arc::clone(&self.plane.live().frontends[0]);
        let zoned = frontend.addresses.iter().zip(&frontend.zones);
        zoned
            .map(|(address, zone)| format!("{address} {zone}"))
            .collect()
    }
}

const BOTH: [&str; 4] = [
    "127.65.1.10:80 us-east-1a",
    "[fd65:0:0:1::a]:80 us-east-1a",
    "127.65.2.10:80 us-east-1b",
    "[fd65:0:0:2::a]:80 us-east-1b",
];
const IPV4: [&str; 2] = ["127.65.1.10:80 us-east-1a", "127.65.2.10:80 us-east-1b"];

#[tokio::test]
async fn a_dualstack_load_balancer_listens_on_both_families_in_each_zone() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    fixture.listener(&shop, 80, fixed("200")).await;
    assert_eq!(fixture.listening(), BOTH);
    let addresses = fixture.plane.live().addresses.clone();
    assert_eq!(addresses.len(), 4, "also before there is a listener");
    let other = fixture.dualstack_load_balancer("other").await;
    assert_eq!(other.zones[0].ipv6_address, "fd65:0:0:1::b".parse().ok());
}

#[tokio::test]
async fn the_address_type_is_a_setting_of_the_request() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    let again = fixture.dualstack_load_balancer("shop").await;
    assert_eq!(again.arn, shop.arn);
    for other in [
        IpAddressType::Ipv4,
        IpAddressType::DualstackWithoutPublicIpv4,
    ] {
        let input = CreateLoadBalancer {
            ip_address_type: Some(other),
            ..fixture.load_balancer_input("shop")
        };
        let refused = error(fixture.control.create_load_balancer(input).await);
        assert!(
            refused.starts_with("DuplicateLoadBalancerName"),
            "{refused}"
        );
    }
    let input = CreateLoadBalancer {
        scheme: Some(Scheme::Internal),
        ..fixture.dualstack_input("inside")
    };
    let inside = fixture.control.create_load_balancer(input).await.unwrap();
    let has_ipv6 = inside.load_balancer.zones[0].ipv6_address.is_some();
    assert!(has_ipv6, "an internal one may be dualstack");
}

#[tokio::test]
async fn the_address_type_can_be_changed() {
    let (fixture, associations) = dualstack().await;
    let shop = fixture.load_balancer("shop").await;
    fixture.listener(&shop, 80, fixed("200")).await;
    assert_eq!(fixture.listening(), IPV4);
    for ip_address_type in [
        IpAddressType::Dualstack,
        IpAddressType::DualstackWithoutPublicIpv4,
    ] {
        let changed = fixture.set_type(&shop, ip_address_type).await.unwrap();
        assert_eq!(changed.ip_address_type, ip_address_type);
        assert_eq!(fixture.listening(), BOTH, "those it has it keeps");
    }
    let ec2 = fixture.control.ec2(Run::Wet);
    let in_use = ec2.disassociate_subnet_cidr_block(associations[0].clone());
    let in_use = in_use.await.unwrap_err().to_string();
    assert!(in_use.ends_with("in use: fd65:0:0:1::a"), "{in_use}");
    let generation = fixture.plane.live().generation;
    let same = IpAddressType::DualstackWithoutPublicIpv4;
    fixture.set_type(&shop, same).await.unwrap();
    assert_eq!(fixture.plane.live().generation, generation);
    fixture.set_type(&shop, IpAddressType::Ipv4).await.unwrap();
    assert_eq!(fixture.listening(), IPV4);
    for association in associations {
        let freed = ec2.disassociate_subnet_cidr_block(association).await;
        freed.unwrap();
    }
    assert_eq!(
        error(fixture.set_type(&shop, IpAddressType::Dualstack).await),
        "Validation: You must specify subnets with an associated IPv6 CIDR block."
    );
}

#[tokio::test]
async fn subnets_and_the_address_type_can_be_set_together() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.load_balancer("shop").await;
    let set = |ip_address_type| SetSubnets {
        load_balancer_arn: shop.arn.to_string(),
        subnets: fixture.subnets.clone(),
        ip_address_type,
        ..SetSubnets::default()
    };
    let changed = fixture.control.set_subnets(set(None)).await.unwrap();
    assert_eq!(changed.ip_address_type, IpAddressType::Ipv4);
    let input = set(Some(IpAddressType::Dualstack));
    let changed = fixture.control.set_subnets(input).await.unwrap();
    assert_eq!(changed.ip_address_type, IpAddressType::Dualstack);
    assert_eq!(changed.zones[1].ipv6_address, "fd65:0:0:2::a".parse().ok());
    let kept = fixture.control.set_subnets(set(None)).await.unwrap();
    assert_eq!(kept.zones, changed.zones, "the type stays if none is given");
}

#[tokio::test]
async fn an_address_that_is_not_local_is_refused_with_what_to_do() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.load_balancer("shop").await;
    fixture.plane.refuse(Some(ErrorKind::AddrNotAvailable));
    let before = fixture.stored();
    let input = fixture.dualstack_input("other");
    for refused in [
        error(fixture.set_type(&shop, IpAddressType::Dualstack).await),
        error(fixture.control.create_load_balancer(input).await),
    ] {
        let command = "'ip -6 route add local fd65:0:0:1::/64 dev lo src ::1'";
        assert!(refused.starts_with("InvalidConfigurationRequest"));
        assert!(refused.contains(command), "{refused}");
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn a_group_of_ipv6_needs_a_load_balancer_of_ipv6() {
    let refusal = "InvalidConfigurationRequest: You cannot associate an IPv6 target group with a load balancer \
                   that has an 'ipv4' IP address type";
    let (fixture, _) = dualstack().await;
    let shop = fixture.load_balancer("shop").await;
    let group = fixture.ipv6_group("six", TargetType::Ip).await;
    let input = || listener_input(&shop, 80, forward(&group));
    assert_eq!(
        error(fixture.control.create_listener(input()).await),
        refusal
    );
    let listener = fixture.listener(&shop, 81, fixed("200")).await;
    let rule = CreateRule {
        actions: vec![forward(&group)],
        ..rule_input(&listener, 1, "/a")
    };
    assert_eq!(error(fixture.control.create_rule(rule).await), refusal);
    fixture
        .set_type(&shop, IpAddressType::Dualstack)
        .await
        .unwrap();
    let listener = fixture.control.create_listener(input()).await.unwrap();
    assert_eq!(
        error(fixture.set_type(&shop, IpAddressType::Ipv4).await),
        refusal
    );
    let input = DeleteListener {
        listener_arn: listener.arn.to_string(),
    };
    fixture.control.delete_listener(input).await.unwrap();
    fixture.set_type(&shop, IpAddressType::Ipv4).await.unwrap();
}

#[tokio::test]
async fn targets_have_addresses_of_their_groups_family() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    let group = fixture.ipv6_group("six", TargetType::Ip).await;
    fixture.listener(&shop, 80, forward(&group)).await;
    for (id, expected) in [
        (
            "127.65.1.20",
            "Validation: The IP address '127.65.1.20' is not a valid IPv6 address",
        ),
        (
            "2001:db8::1",
            "Validation: The IP address '2001:db8::1' is not allowed, as it must be an address from a VPC subnet, or RFC4193",
        ),
        (
            "::ffff:127.65.1.20",
            "Validation: The IP address '::ffff:127.65.1.20' is not allowed, as it must be an address from a VPC subnet, or RFC4193",
        ),
        (
            "fd99::1",
            "Validation: You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since the IP address 'fd99::1' is outside the VPC",
        ),
    ] {
        assert_eq!(error(fixture.register(&group, &[id]).await), expected);
    }
    let outside = TargetDescription {
        availability_zone: Some("all".to_owned()),
        ..target("fd99::1")
    };
    let input = RegisterTargets {
        target_group_arn: group.clone(),
        targets: vec![
            outside,
            target("::1"),
            target("FD65:0:0:1:0:0:0:20"),
            target("fd65:0:0:2::a"),
        ],
    };
    fixture.control.register_targets(input).await.unwrap();
    let live = fixture.plane.live();
    let endpoints = live.pools[0].endpoints.iter();
    let endpoints: Vec<_> = endpoints
        .map(|it| format!("{} {:?}", it.address, it.zone.as_deref()))
        .collect();
    assert_eq!(
        endpoints,
        [
            "[::1]:8080 None",
            "[fd65:0:0:1::20]:8080 Some(\"us-east-1a\")",
            "[fd99::1]:8080 None",
        ]
    );
    let unusable = "unused Target.IpUnusable".to_owned();
    assert!(
        fixture.health(&group).await.contains(&unusable),
        "the load balancer's own address"
    );
    let input = DeregisterTargets {
        target_group_arn: group.clone(),
        targets: vec![target("fd65:0:0:1::0020")],
    };
    fixture.control.deregister_targets(input).await.unwrap();
    assert_eq!(fixture.plane.live().pools[0].endpoints.len(), 2);
}

#[tokio::test]
async fn a_target_at_an_address_that_a_load_balancer_takes_is_unusable_as_long_as_it_has_it() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    let other = fixture.load_balancer("other").await;
    let group = fixture.ipv6_group("six", TargetType::Ip).await;
    fixture.listener(&shop, 80, forward(&group)).await;
    fixture.register(&group, &["fd65:0:0:1::b"]).await.unwrap();
    let in_use = || fixture.plane.live().pools[0].endpoints.len();
    for (ip_address_type, count) in [
        (IpAddressType::Ipv4, 1),
        (IpAddressType::Dualstack, 0),
        (IpAddressType::Ipv4, 1),
    ] {
        fixture.set_type(&other, ip_address_type).await.unwrap();
        assert_eq!(in_use(), count, "the other is {ip_address_type}");
    }
}

#[tokio::test]
async fn an_instance_is_a_target_by_its_primary_ipv6_address() {
    let (fixture, _) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    let group = fixture.ipv6_group("six", TargetType::Instance).await;
    let web = fixture.group("four").await;
    fixture.listener(&shop, 80, forward(&group)).await;
    fixture.listener(&shop, 81, forward(&web)).await;
    let run = |host: u8, has_primary_ipv6| {
        let request = RunInstances {
            min_count: Some(1),
            max_count: Some(1),
            private_address: Some(format!("127.65.1.{host}")),
            ipv6_addresses: vec![format!("fd65:0:0:1::{host}")],
            has_primary_ipv6,
            ..RunInstances::default()
        };
        let ec2 = fixture.control.ec2(Run::Wet);
        async move {
            let launched = ec2.run_instances(request).await.unwrap();
            launched[0].instance.id.to_string()
        }
    };
    let (primary, secondary) = (run(20, true).await, run(21, false).await);
    let plain = fixture.instance("127.65.1.22").await;
    assert_eq!(
        error(
            fixture
                .register(&group, &[&primary, &secondary, &plain])
                .await
        ),
        format!(
            "InvalidTarget: The following targets cannot be used with this IPv6 target group because of missing \
             primary IPv6 addresses: '{secondary}', '{plain}'"
        )
    );
    fixture.register(&group, &[&primary]).await.unwrap();
    fixture.register(&web, &[&primary]).await.unwrap();
    let live = fixture.plane.live();
    let addresses = live.pools.iter().flat_map(|pool| &pool.endpoints);
    let mut addresses: Vec<_> = addresses.map(|it| it.address.to_string()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["127.65.1.20:8080", "[fd65:0:0:1::20]:8080"]);
}

#[tokio::test]
async fn a_restart_and_a_deletion_mind_both_families() {
    let (fixture, associations) = dualstack().await;
    let shop = fixture.dualstack_load_balancer("shop").await;
    fixture.listener(&shop, 80, fixed("200")).await;
    let again = fixture.restart().await;
    assert_eq!(again.listening(), BOTH);
    let input = DeleteLoadBalancer {
        load_balancer_arn: shop.arn.to_string(),
    };
    again.control.delete_load_balancer(input).await.unwrap();
    assert!(again.plane.live().addresses.is_empty());
    let ec2 = again.control.ec2(Run::Wet);
    for association in associations {
        let freed = ec2.disassociate_subnet_cidr_block(association).await;
        freed.unwrap();
    }
}
