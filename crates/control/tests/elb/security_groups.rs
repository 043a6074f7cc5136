//! The security groups of load balancers.

use control::ec2::Run;
use control::ec2::security_groups::CreateSecurityGroup;
use control::elb::create_load_balancer::CreateLoadBalancer;
use control::elb::set_security_groups::SetSecurityGroups;

use crate::support::{Fixture, error, fixture, fixture_with};

async fn security_group(fixture: &Fixture, name: &str) -> String {
    let request = CreateSecurityGroup {
        group_name: Some(name.to_owned()),
        description: Some(name.to_owned()),
        vpc_id: Some(fixture.vpc.clone()),
        ..CreateSecurityGroup::default()
    };
    let ec2 = fixture.control.ec2(Run::Wet);
    ec2.create_security_group(request)
        .await
        .unwrap()
        .id
        .to_string()
}

#[tokio::test]
async fn they_are_replaced_and_have_to_exist() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let set = |groups: &[&str]| SetSecurityGroups {
        load_balancer_arn: shop.arn.to_string(),
        security_groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        enforce_on_private_link_traffic: None,
    };
    let present = shop.security_groups[0].to_string();
    let changed = fixture
        .control
        .set_security_groups(set(&[&present, &present]))
        .await
        .unwrap();
    assert_eq!(changed.security_groups, shop.security_groups);
    for (groups, expected) in [
        (
            &["sg-x"][..],
            "Validation: Security group 'sg-x' is not valid",
        ),
        (
            &["sg-0123456789abcdef0"],
            "InvalidSecurityGroup: The security group 'sg-0123456789abcdef0' does not exist",
        ),
        (
            &[],
            "Validation: At least one security group must be specified",
        ),
    ] {
        assert_eq!(
            error(fixture.control.set_security_groups(set(groups)).await),
            expected
        );
    }
}

#[tokio::test]
async fn there_is_a_limit_for_each_load_balancer() {
    let fixture = fixture_with(|settings| {
        settings.limits.ec2.security_groups_per_network_interface = 2;
    })
    .await;
    let mut groups = Vec::new();
    for name in ["a", "b", "c"] {
        groups.push(security_group(&fixture, name).await);
    }
    let create = |groups: &[String]| CreateLoadBalancer {
        security_groups: groups.to_vec(),
        ..fixture.load_balancer_input("shop")
    };
    let refused = "InvalidConfigurationRequest: The maximum number of security groups per load balancer has been reached.";
    let created = fixture.control.create_load_balancer(create(&groups));
    assert_eq!(error(created.await), refused);
    let created = fixture.control.create_load_balancer(create(&groups[..2]));
    let shop = created.await.unwrap().load_balancer;
    let set = SetSecurityGroups {
        load_balancer_arn: shop.arn.to_string(),
        security_groups: groups,
        enforce_on_private_link_traffic: None,
    };
    assert_eq!(
        error(fixture.control.set_security_groups(set).await),
        refused
    );
}
