//! Load balancers from creation to deletion.

use std::net::Ipv4Addr;

use control::Settings;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::delete_load_balancer::DeleteLoadBalancer;
use control::elb::describe_account_limits::DescribeAccountLimits;
use control::elb::describe_load_balancers::DescribeLoadBalancers;
use control::elb::describe_target_groups::DescribeTargetGroups;
use control::elb::input::SubnetMapping;
use control::elb::load_balancer_attributes::ModifyLoadBalancerAttributes;
use control::elb::set_subnets::SetSubnets;
use control::elb::{LoadBalancerStateCode, Paging};
use model::load_balancer::{LoadBalancerType, Scheme};
use model::protocol::IpAddressType;

use crate::support::{Fixture, error, fixed, fixture, fixture_with, pairs};

#[tokio::test]
async fn a_new_load_balancer_has_its_names_and_an_address_in_each_zone() {
    let fixture = fixture().await;
    let input = fixture.load_balancer_input("Shop");
    let created = fixture.control.create_load_balancer(input).await.unwrap();
    assert_eq!(created.state, LoadBalancerStateCode::Provisioning);
    assert_eq!(created.canonical_hosted_zone_id, "Z35SXDOTRQ7X7K");
    let shop = created.load_balancer;
    let arn = shop.arn.to_string();
    let prefix = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/Shop/";
    assert!(
        arn.starts_with(prefix) && arn.len() == prefix.len() + 16,
        "{arn}"
    );
    let digits = shop.dns_name.strip_prefix("Shop-").unwrap();
    let digits = digits.strip_suffix(".us-east-1.elb.internal").unwrap();
    assert!(matches!(digits.len(), 9 | 10) && digits.bytes().all(|b| b.is_ascii_digit()));
    assert_eq!(shop.scheme, Scheme::InternetFacing);
    assert_eq!(
        shop.security_groups.len(),
        1,
        "the default group of the VPC"
    );
    let addresses: Vec<_> = shop.zones.iter().map(|zone| zone.address).collect();
    assert_eq!(
        addresses,
        [Ipv4Addr::new(127, 65, 1, 10), Ipv4Addr::new(127, 65, 2, 10)]
    );
    let zones: Vec<_> = shop.zones.iter().map(|zone| zone.zone.as_str()).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b"]);
    let all = DescribeLoadBalancers::default();
    let described = fixture.control.describe_load_balancers(all).await.unwrap();
    assert_eq!(described.items[0].state, LoadBalancerStateCode::Active);
}

#[tokio::test]
async fn addresses_belong_to_one_load_balancer_and_to_no_instance() {
    let fixture = fixture().await;
    fixture.instance("127.65.1.11").await;
    fixture.load_balancer("one").await;
    let two = fixture.load_balancer("two").await;
    let addresses: Vec<_> = two
        .zones
        .iter()
        .map(|zone| zone.address.to_string())
        .collect();
    assert_eq!(addresses, ["127.65.1.12", "127.65.2.11"]);
}

#[tokio::test]
async fn an_internal_one_says_so_in_its_dns_name() {
    let fixture = fixture().await;
    let input = CreateLoadBalancer {
        scheme: Some(Scheme::Internal),
        ..fixture.load_balancer_input("shop")
    };
    let created = fixture.control.create_load_balancer(input).await.unwrap();
    assert!(created.load_balancer.dns_name.starts_with("internal-shop-"));
}

#[tokio::test]
async fn refused_requests_create_nothing() {
    let fixture = fixture().await;
    let before = fixture.stored();
    let valid = || fixture.load_balancer_input("shop");
    let one_subnet = vec![fixture.subnets[0].clone()];
    let one_zone = vec![fixture.subnets[0].clone(); 2];
    let mapping = |mapping: SubnetMapping| CreateLoadBalancer {
        subnets: Vec::new(),
        subnet_mappings: vec![mapping],
        ..valid()
    };
    let id = || Some(fixture.subnets[0].clone());
    for (input, expected) in [
        (
            CreateLoadBalancer {
                name: "a".repeat(33),
                ..valid()
            },
            "Validation: The load balancer name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' cannot be longer than '32' characters",
        ),
        (
            CreateLoadBalancer {
                subnets: Vec::new(),
                ..valid()
            },
            "Validation: At least two subnets in two different Availability Zones must be specified",
        ),
        (
            CreateLoadBalancer {
                subnets: one_subnet,
                ..valid()
            },
            "Validation: At least two subnets in two different Availability Zones must be specified",
        ),
        (
            CreateLoadBalancer {
                subnets: one_zone,
                ..valid()
            },
            "InvalidConfigurationRequest: A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        ),
        (
            CreateLoadBalancer {
                subnets: vec!["subnet-x".to_owned()],
                ..valid()
            },
            "SubnetNotFound: The subnet ID 'subnet-x' does not exist",
        ),
        (
            CreateLoadBalancer {
                security_groups: vec!["sg-x".to_owned()],
                ..valid()
            },
            "Validation: Security group 'sg-x' is not valid",
        ),
        (
            CreateLoadBalancer {
                load_balancer_type: Some(LoadBalancerType::Network),
                ..valid()
            },
            "InvalidConfigurationRequest: Load balancer type 'network' is not supported by elbow yet",
        ),
        (
            CreateLoadBalancer {
                ip_address_type: Some(IpAddressType::Dualstack),
                ..valid()
            },
            "Validation: You must specify subnets with an associated IPv6 CIDR block.",
        ),
        (
            CreateLoadBalancer {
                ip_address_type: Some(IpAddressType::DualstackWithoutPublicIpv4),
                scheme: Some(Scheme::Internal),
                ..valid()
            },
            "InvalidConfigurationRequest: The IP address type 'dualstack-without-public-ipv4' is not supported on load balancers with scheme 'internal'",
        ),
        (
            CreateLoadBalancer {
                customer_owned_ipv4_pool: Some("p".to_owned()),
                ..valid()
            },
            "InvalidConfigurationRequest: CustomerOwnedIpv4Pool is not supported by elbow yet",
        ),
        (
            CreateLoadBalancer {
                tags: pairs(&[("a", "1"), ("a", "2")]),
                ..valid()
            },
            "DuplicateTagKeys: The tag key 'a' has been specified more than once",
        ),
        (
            mapping(SubnetMapping {
                subnet_id: id(),
                allocation_id: id(),
                ..Default::default()
            }),
            "Validation: Elastic IPs are not supported for load balancers with type 'application'",
        ),
        (
            mapping(SubnetMapping {
                subnet_id: id(),
                private_ipv4_address: id(),
                ..Default::default()
            }),
            "Validation: You can only specify private IPv4 addresses for Network Load Balancers with scheme 'internal'.",
        ),
        (
            mapping(SubnetMapping {
                subnet_id: id(),
                ipv6_address: id(),
                ..Default::default()
            }),
            "Validation: 'IPv6Address' can only be specified for LoadBalancer type 'network'.",
        ),
    ] {
        assert_eq!(
            error(fixture.control.create_load_balancer(input).await),
            expected
        );
    }
    assert_eq!(fixture.stored(), before);
}

#[tokio::test]
async fn the_same_request_finds_the_same_one_and_another_is_a_duplicate() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let again = fixture.load_balancer_input("shop");
    let again = fixture.control.create_load_balancer(again).await.unwrap();
    assert_eq!(again.load_balancer.arn, shop.arn);
    assert_eq!(
        again.state,
        LoadBalancerStateCode::Active,
        "it serves already"
    );
    let input = CreateLoadBalancer {
        scheme: Some(Scheme::Internal),
        ..fixture.load_balancer_input("shop")
    };
    assert_eq!(
        error(fixture.control.create_load_balancer(input).await),
        "DuplicateLoadBalancerName: A load balancer with the same name 'shop' exists, but with different settings"
    );
}

#[tokio::test]
async fn there_is_a_limit() {
    let fixture = fixture_with(|settings| settings.limits.load_balancers = 1).await;
    fixture.load_balancer("one").await;
    let two = fixture.load_balancer_input("two");
    assert_eq!(
        error(fixture.control.create_load_balancer(two).await),
        "TooManyLoadBalancers: The maximum number of load balancers has been reached"
    );
}

#[tokio::test]
async fn unknown_ones_are_not_found_by_name_and_arn() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let gone = shop.arn.to_string().replace("/shop/", "/shoe/");
    for (arns, names, expected) in [
        (
            vec![gone],
            vec![],
            "LoadBalancerNotFound: One or more load balancers not found",
        ),
        (
            vec![],
            vec!["shoe".to_owned()],
            "LoadBalancerNotFound: Load balancers '[shoe]' not found",
        ),
        (
            vec![],
            ["zz", "shop", "yy"].map(str::to_owned).to_vec(),
            "LoadBalancerNotFound: Load balancers '[zz, yy]' not found",
        ),
        (
            vec!["shoe".to_owned()],
            vec![],
            "Validation: 'shoe' is not a valid load balancer ARN",
        ),
    ] {
        let input = DescribeLoadBalancers {
            load_balancer_arns: arns,
            names,
            ..Default::default()
        };
        assert_eq!(
            error(fixture.control.describe_load_balancers(input).await),
            expected
        );
    }
}

#[tokio::test]
async fn an_arn_of_elsewhere_is_refused_unless_it_was_given_here() {
    let fixture = fixture().await;
    let arn = fixture.load_balancer("shop").await.arn.to_string();
    let of_other = arn.replace("123456789012", "210987654321");
    let check = |fixture: &Fixture, arn: &str| fixture.control.check_place(arn);
    for here in [
        &arn,
        &arn.replace("/shop/", "/gone/"),
        "arn:aws:s3:::shop",
        "x",
    ] {
        assert!(
            check(&fixture, here).is_ok(),
            "{here} is for operations to judge"
        );
    }
    assert_eq!(
        error(check(&fixture, &of_other)),
        format!("Validation: '{of_other}' is not a valid load balancer ARN")
    );
    let renamed = |settings: &mut Settings| settings.place.account = "555555555555".to_owned();
    let renamed = fixture.restart_changed(renamed).await;
    assert!(
        check(&renamed, &arn).is_ok(),
        "it was made under the former number"
    );
    assert!(check(&renamed, &arn.replace("/shop/", "/gone/")).is_err());
}

#[tokio::test]
async fn a_marker_is_one_that_an_answer_to_the_same_operation_gave() {
    let fixture = fixture().await;
    let a = fixture.load_balancer("a").await;
    fixture.load_balancer("b").await;
    let paging = |marker: Option<&str>| Paging {
        marker: marker.map(str::to_owned),
        page_size: Some(1),
    };
    let describe = |marker: Option<&str>| {
        fixture
            .control
            .describe_load_balancers(DescribeLoadBalancers {
                paging: paging(marker),
                ..DescribeLoadBalancers::default()
            })
    };
    let marker = describe(None).await.unwrap().next_marker.unwrap();
    let groups = DescribeTargetGroups {
        paging: paging(Some(&marker)),
        ..DescribeTargetGroups::default()
    };
    let limits = DescribeAccountLimits {
        paging: paging(Some("a")),
    };
    let refused = |marker: &str| {
        format!(
            "Validation: The marker '{marker}' is not valid; use the NextMarker of an answer to the same request"
        )
    };
    let of_groups = fixture.control.describe_target_groups(groups).await;
    assert_eq!(error(of_groups), refused(&marker));
    let of_limits = fixture.control.describe_account_limits(limits).await;
    assert_eq!(error(of_limits), refused("a"));
    for never_given in ["", "a", "YQ", "é", &marker[1..]] {
        let outcome = describe(Some(never_given)).await;
        assert_eq!(error(outcome), refused(never_given));
    }
    let delete = DeleteLoadBalancer {
        load_balancer_arn: a.arn.to_string(),
    };
    fixture.control.delete_load_balancer(delete).await.unwrap();
    let page = describe(Some(&marker)).await.unwrap();
    assert_eq!(page.items[0].load_balancer.name(), "b");
}

#[tokio::test]
async fn pages_have_everything_once() {
    let fixture = fixture().await;
    for name in ["b", "a", "c"] {
        fixture.load_balancer(name).await;
    }
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let paging = Paging {
            marker,
            page_size: Some(2),
        };
        let input = DescribeLoadBalancers {
            paging,
            ..Default::default()
        };
        let page = fixture
            .control
            .describe_load_balancers(input)
            .await
            .unwrap();
        names.extend(
            page.items
                .iter()
                .map(|it| it.load_balancer.name().to_owned()),
        );
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
    let paging = Paging {
        marker: None,
        page_size: Some(401),
    };
    let input = DescribeLoadBalancers {
        paging,
        ..Default::default()
    };
    assert_eq!(
        error(fixture.control.describe_load_balancers(input).await),
        "Validation: 1 validation error detected: Value '401' at 'pageSize' failed to satisfy constraint: \
         Member must have value less than or equal to 400"
    );
}

#[tokio::test]
async fn deletion_takes_the_listeners_and_may_be_repeated() {
    let fixture = fixture().await;
    let before = fixture.stored();
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    fixture.rule(&listener, 1, "/a").await;
    let delete = || DeleteLoadBalancer {
        load_balancer_arn: shop.arn.to_string(),
    };
    let protect = |value: &str| ModifyLoadBalancerAttributes {
        load_balancer_arn: shop.arn.to_string(),
        attributes: pairs(&[("deletion_protection.enabled", value)]),
    };
    fixture
        .control
        .modify_load_balancer_attributes(protect("true"))
        .await
        .unwrap();
    assert_eq!(
        error(fixture.control.delete_load_balancer(delete()).await),
        format!(
            "OperationNotPermitted: Load balancer '{}' cannot be deleted because deletion protection is enabled",
            shop.arn
        )
    );
    fixture
        .control
        .modify_load_balancer_attributes(protect("false"))
        .await
        .unwrap();
    fixture
        .control
        .delete_load_balancer(delete())
        .await
        .unwrap();
    assert_eq!(fixture.stored(), before, "nothing is left");
    assert!(
        fixture.plane.live().frontends.is_empty(),
        "the port is closed"
    );
    fixture
        .control
        .delete_load_balancer(delete())
        .await
        .unwrap();
}

#[tokio::test]
async fn zones_that_stay_keep_their_addresses() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let set = |subnets: Vec<String>| SetSubnets {
        load_balancer_arn: shop.arn.to_string(),
        subnets,
        ..Default::default()
    };
    let changed = fixture
        .control
        .set_subnets(set(fixture.subnets.clone()))
        .await
        .unwrap();
    assert_eq!(changed.zones, shop.zones);
    assert_eq!(
        error(
            fixture
                .control
                .set_subnets(set(fixture.subnets[..1].to_vec()))
                .await
        ),
        "Validation: At least two subnets in two different Availability Zones must be specified"
    );
}
