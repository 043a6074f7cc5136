//! The stored EC2 nouns in memory.

use model::ec2::{
    AllocationId, ElasticAddress, Instance, InstanceId, InternetGateway, InternetGatewayId,
    NetworkInterfaceId, NetworkInterfaceTags, PrefixList, PrefixListId, RouteTable, RouteTableId,
    SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId,
};

use crate::record::{Table, record};

/// The EC2 part of the state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ec2State {
    /// The networks.
    pub vpcs: Table<VpcId, Vpc>,
    /// The ways from networks to the internet.
    pub internet_gateways: Table<InternetGatewayId, InternetGateway>,
    /// The route tables of all networks.
    pub route_tables: Table<RouteTableId, RouteTable>,
    /// The subnets of all networks.
    pub subnets: Table<SubnetId, Subnet>,
    /// The addresses of the account.
    pub elastic_addresses: Table<AllocationId, ElasticAddress>,
    /// The prefix lists.
    pub prefix_lists: Table<PrefixListId, PrefixList>,
    /// The security groups of all networks.
    pub security_groups: Table<SecurityGroupId, SecurityGroup>,
    /// The instances, running ones and those terminated a short while ago.
    pub instances: Table<InstanceId, Instance>,
    /// The tags of network interfaces that have some.
    pub network_interface_tags: Table<NetworkInterfaceId, NetworkInterfaceTags>,
}

// What the later versions added may be absent, or has a value that says so, so that none needs a migration.
record!(Vpc, VpcId, "ec2/vpc" version 3, ec2.vpcs, it => it.id.clone());
record!(InternetGateway, InternetGatewayId, "ec2/internet-gateway", ec2.internet_gateways, it => it.id.clone());
record!(RouteTable, RouteTableId, "ec2/route-table", ec2.route_tables, it => it.id.clone());
record!(Subnet, SubnetId, "ec2/subnet" version 3, ec2.subnets, it => it.id.clone());
record!(SecurityGroup, SecurityGroupId, "ec2/security-group" version 2, ec2.security_groups, it => it.id.clone());
record!(ElasticAddress, AllocationId, "ec2/elastic-address", ec2.elastic_addresses, it => it.id.clone());
record!(PrefixList, PrefixListId, "ec2/prefix-list" version 2, ec2.prefix_lists, it => it.id.clone());
record!(Instance, InstanceId, "ec2/instance" version 5, ec2.instances, it => it.id.clone());
record!(NetworkInterfaceTags, NetworkInterfaceId, "ec2/network-interface", ec2.network_interface_tags, it => it.id.clone());

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::record::{Record, decode, encode};
    use crate::secrets::{SECRET_KEY_BYTES, SecretKey};

    /// Bytes of the present version: they are read, and what was read is written as the same bytes.
    fn check<R: Record + Debug>(golden: &str, key: &str) {
        check_raised::<R>(golden, golden, key);
    }

    /// Bytes of an earlier version, and those that are written for what they say.
    fn check_raised<R: Record + Debug>(stored: &str, written: &str, key: &str) {
        // The texts have line breaks for their readers only.
        let joined = |text: &str| text.lines().map(str::trim_start).collect::<String>();
        let secret_key = SecretKey::new(&[7; SECRET_KEY_BYTES]);
        let decoded = decode::<R>(joined(stored).as_bytes(), &secret_key);
        let noun = decoded.expect(stored).noun;
        assert_eq!(noun.key().to_string(), key);
        assert_eq!(
            String::from_utf8(encode(&noun)).unwrap(),
            joined(written),
            "{noun:?}"
        );
    }

    /// What version 2 added: blocks and addresses of IPv6.
    #[test]
    fn what_has_ipv6() {
        let vpc = |version, internet_gateway, dns| {
            let record = r#"{"version":VERSION,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"127.65.0.0/16",
                "ipv6_blocks":[{"id":"vpc-cidr-assoc-0000000000000000b",
                "cidr":"fd65::/56","is_provided":true}],
                "is_default":true,
                GATEWAY
                DNS
                "tags":{}}}"#;
            let record = record.replace("VERSION", version).replace("DNS", dns);
            record.replace("GATEWAY", internet_gateway)
        };
        let gateway = r#""internet_gateway":{"id":"igw-00000000000000002","tags":{}},"#;
        let dns = r#""dns":{"is_supported":true,"has_hostnames":true},"#;
        check_raised::<Vpc>(
            &vpc("2", gateway, ""),
            &vpc("3", gateway, dns),
            "vpc-00000000000000001",
        );
        let subnet = |version, added| {
            let record = r#"{"version":VERSION,"record":{
                "id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "cidr":"127.65.1.0/24",
                "ipv6_block":{"id":"subnet-cidr-assoc-0000000000000000c","cidr":"fd65:0:0:1::/64"},
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "is_default_for_zone":true,
                ADDED
                "tags":{}}}"#;
            record.replace("VERSION", version).replace("ADDED", added)
        };
        check_raised::<Subnet>(
            &subnet("2", ""),
            &subnet("3", r#""maps_public_address":false,"#),
            "subnet-00000000000000003",
        );
        let instance = |version, index, added| {
            let record = r#"{"version":VERSION,"record":{
                "id":"i-00000000000000009",
                "reservation_id":"r-0000000000000000a",
                INDEX
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
                ADDED
                "client_token":null,
                "tags":{}}}"#;
            record
                .replace("VERSION", version)
                .replace("INDEX", index)
                .replace("ADDED", added)
        };
        let added = r#""started_at_millis":null,
            "protection":{"from_termination":false,"from_stop":false},"#;
        check_raised::<Instance>(
            &instance("2", "", ""),
            &instance("5", r#""launch_index":0,"#, added),
            "i-00000000000000009",
        );
    }

    #[test]
    fn vpcs() {
        check_raised::<Vpc>(
            r#"{"version":1,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"127.65.0.0/16",
                "is_default":true,
                "internet_gateway":{"id":"igw-00000000000000002","tags":{}},
                "tags":{"Name":"main"}}}"#,
            r#"{"version":3,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"127.65.0.0/16",
                "is_default":true,
                "internet_gateway":{"id":"igw-00000000000000002","tags":{}},
                "dns":{"is_supported":true,"has_hostnames":true},
                "tags":{"Name":"main"}}}"#,
            "vpc-00000000000000001",
        );
        check::<Vpc>(
            r#"{"version":3,"record":{
                "id":"vpc-00000000000000001",
                "cidr":"10.0.0.0/16",
                "is_default":false,
                "dns":{"is_supported":true,"has_hostnames":false},
                "tags":{}}}"#,
            "vpc-00000000000000001",
        );
    }

    #[test]
    fn internet_gateways() {
        for vpc_id in [r#""vpc-00000000000000001""#, "null"] {
            let golden = r#"{"version":1,"record":{
                "id":"igw-00000000000000002",
                "vpc_id":VPC,
                "tags":{"Name":"out"}}}"#;
            check::<InternetGateway>(&golden.replace("VPC", vpc_id), "igw-00000000000000002");
        }
    }

    #[test]
    fn route_tables() {
        for note in [
            r#""client_token":null,"#,
            r#""client_token":"once","request_digest":"e3b0c442","#,
        ] {
            let golden = r#"{"version":1,"record":{
                "id":"rtb-0000000000000000b",
                "vpc_id":"vpc-00000000000000001",
                "routes":[
                {"destination":"0.0.0.0/0","gateway_id":"igw-00000000000000002"}],
                "associations":[
                {"id":"rtbassoc-0000000000000000c","with":"Main"},
                {"id":"rtbassoc-0000000000000000d",
                "with":{"Subnet":"subnet-00000000000000003"}}],
                NOTE
                "tags":{}}}"#;
            check::<RouteTable>(&golden.replace("NOTE", note), "rtb-0000000000000000b");
        }
    }

    #[test]
    fn subnets() {
        check_raised::<Subnet>(
            r#"{"version":1,"record":{
                "id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "cidr":"127.65.1.0/24",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "is_default_for_zone":true,
                "tags":{}}}"#,
            r#"{"version":3,"record":{
                "id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "cidr":"127.65.1.0/24",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "is_default_for_zone":true,
                "maps_public_address":false,
                "tags":{}}}"#,
            "subnet-00000000000000003",
        );
    }

    #[test]
    fn security_groups() {
        let record = |version, added| {
            let record = r#"{"version":VERSION,"record":{
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
                ADDED
                {"id":"sgr-00000000000000007","direction":"Egress",
                "traffic":"All",
                "peer":{"Block":"::/0"},"description":null,"tags":{"a":"b"}},
                {"id":"sgr-00000000000000008","direction":"Egress",
                "traffic":{"Other":50},
                "peer":{"Block":"0.0.0.0/0"},"description":null,"tags":{}}],
                "tags":{}}}"#;
            record.replace("VERSION", version).replace("ADDED", added)
        };
        let key = "sg-00000000000000004";
        check_raised::<SecurityGroup>(&record("1", ""), &record("2", ""), key);
        let by_list = r#"{"id":"sgr-0000000000000000e","direction":"Ingress",
            "traffic":"All",
            "peer":{"PrefixList":"pl-0000000000000000f"},"description":null,"tags":{}},"#;
        check::<SecurityGroup>(&record("2", by_list), key);
    }

    #[test]
    fn elastic_addresses() {
        check::<ElasticAddress>(
            r#"{"version":1,"record":{
                "id":"eipalloc-00000000000000010",
                "address":"127.66.0.1",
                "tags":{"Name":"front"}}}"#,
            "eipalloc-00000000000000010",
        );
    }

    #[test]
    fn network_interfaces() {
        check::<NetworkInterfaceTags>(
            r#"{"version":1,"record":{
                "id":"eni-00000000000000011",
                "tags":{"Name":"front"}}}"#,
            "eni-00000000000000011",
        );
    }

    #[test]
    fn prefix_lists() {
        for note in ["", r#""request_digest":"e3b0c442","#] {
            let golden = r#"{"version":VERSION,"record":{
                "id":"pl-0000000000000000f",
                "name":"offices",
                "family":"Ipv4",
                "entries_max":5,
                "entries":[
                {"cidr":"192.0.2.0/24","description":"here"},
                {"cidr":"198.51.100.0/24","description":null}],
                "version":2,
                MODIFIED
                "client_token":"once",
                NOTE
                "tags":{}}}"#;
            let record = |version, modified| {
                let record = golden.replace("VERSION", version).replace("NOTE", note);
                record.replace("MODIFIED", modified)
            };
            let key = "pl-0000000000000000f";
            let raised = record("2", r#""is_modified":false,"#);
            check_raised::<PrefixList>(&record("1", ""), &raised, key);
            check::<PrefixList>(&record("2", r#""is_modified":true,"#), key);
        }
    }

    #[test]
    fn instances() {
        for state in [
            r#""Running""#,
            r#"{"Terminated":{"at_millis":1700000000001}}"#,
        ] {
            let record = |version, index, added| {
                let record = r#"{"version":VERSION,"record":{
                    "id":"i-00000000000000009",
                    "reservation_id":"r-0000000000000000a",
                    INDEX
                    "private_address":"127.65.1.77",
                    "subnet_id":"subnet-00000000000000003",
                    "vpc_id":"vpc-00000000000000001",
                    "zone":{"name":"us-east-1a","id":"use1-az1"},
                    "state":STATE,
                    "image_id":"ami-1",
                    "instance_type":null,
                    "security_groups":["sg-00000000000000004"],
                    "launched_at_millis":1700000000000,
                    ADDED
                    "client_token":"once",
                    "tags":{}}}"#;
                let record = record.replace("VERSION", version).replace("STATE", state);
                record.replace("INDEX", index).replace("ADDED", added)
            };
            let added = r#""started_at_millis":null,
                "protection":{"from_termination":false,"from_stop":false},"#;
            let index = r#""launch_index":0,"#;
            let written = record("5", index, added);
            let stored = [
                record("1", "", ""),
                record("3", "", added),
                record("4", index, added),
            ];
            for stored in stored {
                check_raised::<Instance>(&stored, &written, "i-00000000000000009");
            }
        }
    }

    #[test]
    fn instances_that_stopped() {
        check::<Instance>(
            r#"{"version":5,"record":{
                "id":"i-00000000000000009",
                "reservation_id":"r-0000000000000000a",
                "launch_index":2,
                "private_address":"127.65.1.77",
                "subnet_id":"subnet-00000000000000003",
                "vpc_id":"vpc-00000000000000001",
                "zone":{"name":"us-east-1a","id":"use1-az1"},
                "state":{"Stopped":{"at_millis":1700000000002}},
                "image_id":null,
                "instance_type":"t3.micro",
                "cpu_credits":"Unlimited",
                "security_groups":["sg-00000000000000004"],
                "launched_at_millis":1700000000000,
                "started_at_millis":1700000000001,
                "protection":{"from_termination":true,"from_stop":false},
                "client_token":"once",
                "request_digest":"e3b0c442",
                "tags":{}}}"#,
            "i-00000000000000009",
        );
    }
}
