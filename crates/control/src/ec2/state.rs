//! The stored EC2 nouns in memory.

use model::ec2::{
    Instance, InstanceId, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId,
};

use crate::record::{Record, Table};
use crate::state::State;

/// The EC2 part of the state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ec2State {
    /// The networks; the default one and no other so far.
    pub vpcs: Table<VpcId, Vpc>,
    /// The subnets of all networks.
    pub subnets: Table<SubnetId, Subnet>,
    /// The security groups of all networks.
    pub security_groups: Table<SecurityGroupId, SecurityGroup>,
    /// The instances, running ones and those terminated a short while ago.
    pub instances: Table<InstanceId, Instance>,
}

macro_rules! record {
    ($noun:ident, $key:ident, $kind:literal $(version $version:literal)?, $table:ident) => {
        impl Record for $noun {
            const KIND: &'static str = $kind;
            $(const VERSION: u32 = $version;)?
            type Key = $key;

            fn key(&self) -> $key {
                self.id.clone()
            }

            fn table(state: &State) -> &Table<$key, Self> {
                &state.ec2.$table
            }

            fn table_mut(state: &mut State) -> &mut Table<$key, Self> {
                &mut state.ec2.$table
            }
        }
    };
}

// Version 2 can have IPv6; what has none is as in version 1.
record!(Vpc, VpcId, "ec2/vpc" version 2, vpcs);
// As in VPCs.
record!(Subnet, SubnetId, "ec2/subnet" version 2, subnets);
record!(
    SecurityGroup,
    SecurityGroupId,
    "ec2/security-group",
    security_groups
);
// As in VPCs.
record!(Instance, InstanceId, "ec2/instance" version 2, instances);

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::record::{decode, encode};

    /// The bytes are read, and what was read is written as the same bytes but for the version.
    fn check<R: Record + Debug>(golden: &str, key: &str) {
        // The text has line breaks for its readers only.
        let golden: String = golden.lines().map(str::trim_start).collect();
        let noun: R = decode(golden.as_bytes()).expect(&golden);
        assert_eq!(noun.key().to_string(), key);
        let present = format!("\"version\":{}", R::VERSION);
        assert_eq!(
            String::from_utf8(encode(&noun)).unwrap(),
            golden.replacen("\"version\":1", &present, 1),
            "{noun:?}"
        );
    }

    #[test]
    fn what_has_ipv6_is_of_version_2() {
        check::<Vpc>(
            r#"{"version":2,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"127.65.0.0/16",
                "ipv6_blocks":[{"id":"vpc-cidr-assoc-0000000000000000b",
                "cidr":"fd65::/56","is_provided":true}],
                "is_default":true,
                "internet_gateway":{"id":"igw-00000000000000002","tags":{}},
                "tags":{}}}"#,
            "vpc-00000000000000001",
        );
        check::<Subnet>(
            r#"{"version":2,"record":{
                "id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "cidr":"127.65.1.0/24",
                "ipv6_block":{"id":"subnet-cidr-assoc-0000000000000000c","cidr":"fd65:0:0:1::/64"},
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "is_default_for_zone":true,
                "tags":{}}}"#,
            "subnet-00000000000000003",
        );
        check::<Instance>(
            r#"{"version":2,"record":{
                "id":"i-00000000000000009",
                "reservation_id":"r-0000000000000000a",
                "private_address":"127.65.1.77",
                "ipv6_address":{"address":"fd65:0:0:1::77","is_primary":true},
                "subnet_id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "state":"Running",
                "image_id":null,
                "instance_type":null,
                "security_groups":["sg-00000000000000004"],
                "launched_at_millis":1700000000000,
                "client_token":null,
                "tags":{}}}"#,
            "i-00000000000000009",
        );
    }

    #[test]
    fn vpcs_of_version_1() {
        check::<Vpc>(
            r#"{"version":1,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"127.65.0.0/16",
                "is_default":true,
                "internet_gateway":{"id":"igw-00000000000000002","tags":{}},
                "tags":{"Name":"main"}}}"#,
            "vpc-00000000000000001",
        );
    }

    #[test]
    fn subnets_of_version_1() {
        check::<Subnet>(
            r#"{"version":1,"record":{
                "id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "cidr":"127.65.1.0/24",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "is_default_for_zone":true,
                "tags":{}}}"#,
            "subnet-00000000000000003",
        );
    }

    #[test]
    fn security_groups_of_version_1() {
        check::<SecurityGroup>(
            r#"{"version":1,"record":{
                "id":"sg-00000000000000004",
                "name":"web",
                "description":"for the web",
                "vpc_id":"vpc-00000000000000001",
                "rules":[
                {"id":"sgr-00000000000000005","direction":"Ingress",
                "traffic":{"Tcp":{"first":80,"last":443}},
                "peer":{"Block":"10.0.0.0/8"},"description":"inside","tags":{}},
                {"id":"sgr-00000000000000006","direction":"Ingress",
                "traffic":{"Icmp":{"kind":8,"code":-1}},
                "peer":{"Members":"sg-00000000000000004"},"description":null,"tags":{}},
                {"id":"sgr-00000000000000007","direction":"Egress",
                "traffic":"All",
                "peer":{"Block":"::/0"},"description":null,"tags":{"a":"b"}},
                {"id":"sgr-00000000000000008","direction":"Egress",
                "traffic":{"Other":50},
                "peer":{"Block":"0.0.0.0/0"},"description":null,"tags":{}}],
                "tags":{}}}"#,
            "sg-00000000000000004",
        );
    }

    #[test]
    fn instances_of_version_1() {
        for state in [
            r#""Running""#,
            r#"{"Terminated":{"at_millis":1700000000001}}"#,
        ] {
            let golden = r#"{"version":1,"record":{
                "id":"i-00000000000000009",
                "reservation_id":"r-0000000000000000a",
                "private_address":"127.65.1.77",
                "subnet_id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "state":STATE,
                "image_id":"ami-1",
                "instance_type":null,
                "security_groups":["sg-00000000000000004"],
                "launched_at_millis":1700000000000,
                "client_token":"once",
                "tags":{}}}"#;
            check::<Instance>(&golden.replace("STATE", state), "i-00000000000000009");
        }
    }
}
