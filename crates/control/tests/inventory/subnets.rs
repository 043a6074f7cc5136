//! CreateSubnet, DeleteSubnet, DescribeSubnets.

use control::Settings;
use control::ec2::PageRequest;
use control::ec2::networks::DescribeVpcs;
use control::ec2::subnet_changes::ModifySubnetAttribute;
use control::ec2::subnets::{CreateSubnet, DescribeSubnets};

use crate::support::{Fixture, filter, fixture, open, refused, texts};

fn request(fixture: &Fixture, block: &str) -> CreateSubnet {
    let vpcs = fixture
        .ec2()
        .describe_vpcs(&DescribeVpcs::default())
        .unwrap()
        .items;
    CreateSubnet {
        vpc_id: Some(vpcs[0].id.to_string()),
        cidr_block: Some(block.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_subnet_is_cut_from_the_vpc() {
    let fixture = fixture().await;
    let request = CreateSubnet {
        availability_zone: Some("us-east-1b".to_owned()),
        ..request(&fixture, "127.65.9.77/28")
    };
    let made = fixture.ec2().create_subnet(request).await.unwrap();
    assert_eq!(
        made.subnet.cidr.to_string(),
        "127.65.9.64/28",
        "host bits are cleared"
    );
    assert_eq!(made.subnet.zone.name, "us-east-1b");
    assert!(!made.subnet.is_default_for_zone);
    assert_eq!(made.available_addresses, 11);
    assert_eq!(fixture.subnets().len(), 3);
}

#[tokio::test]
async fn default_subnets_map_public_addresses_until_their_owner_says_no() {
    let fixture = fixture().await;
    let maps = |fixture: &Fixture| {
        let subnets = fixture.subnets();
        let maps = subnets.iter().map(|subnet| subnet.maps_public_address);
        maps.collect::<Vec<_>>()
    };
    let request = request(&fixture, "127.65.9.0/28");
    fixture.ec2().create_subnet(request).await.unwrap();
    assert_eq!(maps(&fixture), [true, true, false]);
    let change = ModifySubnetAttribute {
        subnet_id: fixture.subnets()[0].id.to_string(),
        map_public_ip_on_launch: Some(false),
    };
    fixture.ec2().modify_subnet_attribute(change).await.unwrap();
    let again = open(fixture.store, Settings::default()).await.unwrap();
    assert_eq!(maps(&again), [false, true, false]);
}

#[tokio::test]
async fn blocks_that_do_not_fit_are_refused() {
    let fixture = fixture().await;
    for (block, part) in [
        (
            "127.65.1.0/28",
            "The CIDR '127.65.1.0/28' conflicts with another subnet",
        ),
        ("127.65.0.0/16", "conflicts with another subnet"),
        ("127.66.0.0/24", "The CIDR '127.66.0.0/24' is invalid."),
        ("127.0.0.0/8", "is invalid."),
        ("127.65.9.0/29", "is invalid."),
        ("2001:db8::/64", "is invalid."),
        (
            "127.65.9.0",
            "Value (127.65.9.0) for parameter cidrBlock is invalid.",
        ),
    ] {
        refused(
            fixture.ec2().create_subnet(request(&fixture, block)).await,
            part,
        );
    }
    let good = || request(&fixture, "127.65.9.0/24");
    for (request, part) in [
        (
            CreateSubnet {
                vpc_id: None,
                ..good()
            },
            "parameter vpcId",
        ),
        (
            CreateSubnet {
                cidr_block: None,
                ..good()
            },
            "parameter cidrBlock",
        ),
        (
            CreateSubnet {
                vpc_id: Some("vpc-1".into()),
                ..good()
            },
            "The vpc ID 'vpc-1' does not exist",
        ),
        (
            CreateSubnet {
                availability_zone: Some("eu-west-1a".into()),
                ..good()
            },
            "Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b.",
        ),
        (
            CreateSubnet {
                availability_zone: Some("us-east-1a".into()),
                availability_zone_id: Some("use1-az1".into()),
                ..good()
            },
            "cannot be used together",
        ),
    ] {
        refused(fixture.ec2().create_subnet(request).await, part);
    }
    assert_eq!(fixture.subnets().len(), 2, "a refusal leaves no trace");
}

#[tokio::test]
async fn a_subnet_goes_when_nothing_has_an_address_in_it() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    let made = ec2
        .create_subnet(request(&fixture, "127.65.9.0/24"))
        .await
        .unwrap();
    let id = made.subnet.id.to_string();
    let instance = fixture.run("127.65.9.9").await;
    refused(
        ec2.delete_subnet(id.clone()).await,
        "has dependencies and cannot be deleted",
    );
    ec2.terminate_instances(vec![instance]).await.unwrap();
    ec2.delete_subnet(id.clone()).await.unwrap();
    refused(
        ec2.delete_subnet(id.clone()).await,
        &format!("The subnet ID '{id}' does not exist"),
    );
    let default = fixture.subnets()[0].id.to_string();
    refused(
        ec2.delete_subnet(default).await,
        "is the default of its zone",
    );
}

#[tokio::test]
async fn instances_and_load_balancers_take_addresses() {
    let fixture = fixture().await;
    let free = || {
        let page = fixture
            .ec2()
            .describe_subnets(&DescribeSubnets::default())
            .unwrap();
        page.items
            .iter()
            .map(|it| it.available_addresses)
            .sum::<u32>()
    };
    assert_eq!(free(), 2 * 251);
    fixture.run("127.65.1.77").await;
    assert_eq!(free(), 2 * 251 - 1);
    fixture.create_load_balancer("shop", &[]).await;
    assert_eq!(free(), 2 * 251 - 3);
}

#[tokio::test]
async fn subnets_are_found_by_id_and_by_filter() {
    let fixture = fixture().await;
    let [a, b] = &fixture.subnets()[..] else {
        panic!("there are two zones")
    };
    let found = |request: DescribeSubnets| {
        let page = fixture.ec2().describe_subnets(&request);
        page.map(|page| {
            page.items
                .into_iter()
                .map(|it| it.subnet.id.to_string())
                .collect::<Vec<_>>()
        })
    };
    let by_id = |id: &str| DescribeSubnets {
        subnet_ids: texts(&[id]),
        ..Default::default()
    };
    let by = |name, value: &str| DescribeSubnets {
        filters: vec![filter(name, value)],
        ..Default::default()
    };
    assert_eq!(found(by_id(a.id.as_str())).unwrap(), [a.id.to_string()]);
    for (name, value) in [
        ("subnet-id", b.id.as_str()),
        ("availability-zone", "*b"),
        ("availability-zone-id", "use1-az2"),
        ("cidr-block", "127.65.2.0/24"),
        ("subnet-arn", &format!("*/{}", b.id)),
    ] {
        assert_eq!(
            found(by(name, value)).unwrap(),
            [b.id.to_string()],
            "{name}={value}"
        );
    }
    assert_eq!(found(by("vpc-id", a.vpc_id.as_str())).unwrap().len(), 2);
    assert_eq!(found(by("default-for-az", "false")).unwrap(), [""; 0]);
    assert_eq!(found(by("outpost-arn", "*")).unwrap(), [""; 0]);
    refused(found(by("colour", "red")), "The filter 'colour' is invalid");
    refused(
        found(by_id("subnet-1")),
        "The subnet ID 'subnet-1' does not exist",
    );
    let small = PageRequest {
        max_results: Some(1),
        next_token: None,
    };
    refused(
        found(DescribeSubnets {
            page: small,
            ..Default::default()
        }),
        "Value ( 1 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
    );
}
