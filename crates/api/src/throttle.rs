//! How often operations may be called: token buckets for each account, as AWS has them.
//!
//! Source: Elastic Load Balancing User Guide, "Request throttling for the ELB API", EC2 Developer Guide,
//! "Request throttling for the Amazon EC2 API", and ACM guide, "Quotas", "API rate quotas". What is not named there is
//! not throttled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::ApiError;
use crate::query::Node;
use crate::service::Service;

/// A bucket of tokens, of which each request takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Tokens in a full bucket, which are the requests that may come at once. At least 1.
    pub capacity: u32,
    /// Thousandths of a token that are added each second. At least 1.
    pub refill_millis: u32,
}

/// There is no bucket of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no bucket '{name}'; the buckets are {}", BUCKETS.map(|(name, ..)| name).join(", "))]
pub struct UnknownBucket {
    name: String,
}

/// The buckets with AWS's sizes: the name, the tokens, and thousandths of a token for each second. The
/// operations of ELB share those of their class; of EC2 each operation has one of the size of its class.
const BUCKETS: [(&str, u32, u32); 34] = [
    ("elb-account", 40, 10_000),
    ("elb-non-mutating", 200, 50_000),
    ("elb-mutating", 20, 3_000),
    ("elb-registration", 20, 4_000),
    ("elb-resource-intensive", 10, 200),
    ("elb-trust-store-create", 10, 200),
    ("elb-trust-store-change", 10, 200),
    ("elb-trust-store-get", 20, 4_000),
    ("elb-trust-store-describe", 40, 10_000),
    ("ec2-non-mutating", 100, 20_000),
    ("ec2-unfiltered", 50, 10_000),
    ("ec2-mutating", 50, 5_000),
    ("ec2-resource-intensive", 50, 5_000),
    ("ec2-run-instances", 5, 2_000),
    ("ec2-terminate-instances", 100, 5_000),
    ("ec2-tags", 100, 10_000),
    ("ec2-network-interfaces", 100, 5_000),
    ("ec2-security-group-relations", 20, 5_000),
    ("ec2-default-networks", 1, 1_000),
    // ACM's are requests in a second, of each operation.
    ("acm-add-tags-to-certificate", 5, 5_000),
    ("acm-delete-certificate", 10, 10_000),
    ("acm-describe-certificate", 10, 10_000),
    ("acm-export-certificate", 10, 10_000),
    ("acm-get-account-configuration", 1, 1_000),
    ("acm-get-certificate", 10, 10_000),
    ("acm-import-certificate", 1, 1_000),
    ("acm-list-certificates", 8, 8_000),
    ("acm-list-tags-for-certificate", 10, 10_000),
    ("acm-put-account-configuration", 1, 1_000),
    ("acm-remove-tags-from-certificate", 5, 5_000),
    ("acm-renew-certificate", 5, 5_000),
    ("acm-request-certificate", 5, 5_000),
    ("acm-search-certificates", 5, 5_000),
    ("acm-update-certificate-options", 5, 5_000),
];

/// The buckets of all accounts. They begin full.
#[derive(Debug)]
pub struct Throttle {
    sizes: BTreeMap<&'static str, Bucket>,
    /// By account; then by the name of the bucket and, for EC2, that of the operation.
    levels: Mutex<BTreeMap<String, BTreeMap<Key, Level>>>,
    refused: AtomicU64,
}

/// What is in a bucket.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// Millionths of a token: what a thousandth of a token each second adds in a millisecond.
    micros: u64,
    at_millis: u64,
}

/// What is called.
#[derive(Clone, Copy)]
pub(crate) struct Called<'a> {
    pub(crate) account: &'a str,
    pub(crate) service: Service,
    pub(crate) operation: &'static str,
    pub(crate) is_read: bool,
    pub(crate) input: &'a Node,
}

impl Default for Throttle {
    /// AWS's buckets.
    fn default() -> Self {
        let size = |(name, capacity, refill_millis)| {
            let bucket = Bucket {
                capacity,
                refill_millis,
            };
            (name, bucket)
        };
        Self {
            sizes: BUCKETS.into_iter().map(size).collect(),
            levels: Mutex::default(),
            refused: AtomicU64::new(0),
        }
    }
}

impl Throttle {
    /// Gives the bucket of this name another size.
    ///
    /// # Errors
    /// `UnknownBucket`.
    pub fn resize(&mut self, name: &str, bucket: Bucket) -> Result<(), UnknownBucket> {
        let size = self.sizes.get_mut(name);
        *size.ok_or_else(|| UnknownBucket {
            name: name.to_owned(),
        })? = bucket;
        Ok(())
    }

    /// How many requests have been refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Takes a token out of each bucket of the operation, or none.
    ///
    /// # Errors
    /// One of them is empty; the code and the text are those of the service.
    pub(crate) fn take(&self, called: Called<'_>, now_millis: u64) -> Result<(), ApiError> {
        let (account, class) = buckets(called);
        let names = account.into_iter().chain(class);
        let mut accounts = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let levels = accounts.entry(called.account.to_owned()).or_default();
        let mut taken = Vec::new();
        for key in names {
            let size = self.sizes[key.0];
            let level = levels.get(&key).map_or(size.full(now_millis), |level| {
                size.refilled(*level, now_millis)
            });
            match level.micros.checked_sub(TOKEN) {
                Some(micros) => taken.push((key, Level { micros, ..level })),
                None => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    return Err(refusal(called.service));
                }
            }
        }
        levels.extend(taken);
        Ok(())
    }
}

/// Millionths.
const TOKEN: u64 = 1_000_000;

impl Bucket {
    fn full(self, at_millis: u64) -> Level {
        Level {
            micros: u64::from(self.capacity) * TOKEN,
            at_millis,
        }
    }

    fn refilled(self, level: Level, now_millis: u64) -> Level {
        // A clock that was set back adds nothing.
        let elapsed = now_millis.saturating_sub(level.at_millis);
        let added = elapsed.saturating_mul(u64::from(self.refill_millis));
        let full = self.full(now_millis);
        Level {
            micros: level.micros.saturating_add(added).min(full.micros),
            ..full
        }
    }
}

type Key = (&'static str, &'static str);

/// The bucket of all operations together and that of the operation, where there are such.
fn buckets(called: Called<'_>) -> (Option<Key>, Option<Key>) {
    match called.service {
        Service::ElasticLoadBalancing => (Some(("elb-account", "")), Some((elb_class(called), ""))),
        Service::Ec2 => (None, Some((ec2_class(called), called.operation))),
        Service::Acm => (None, acm_bucket(called).map(|name| (name, ""))),
        Service::Sts | Service::ArcZonalShift | Service::Elbow => (None, None),
    }
}

/// The bucket named for the operation.
fn acm_bucket(called: Called<'_>) -> Option<&'static str> {
    let is_its = |name: &str| {
        let words = name.strip_prefix("acm-").unwrap_or_default();
        words
            .replace('-', "")
            .eq_ignore_ascii_case(called.operation)
    };
    let mut names = BUCKETS.iter().map(|(name, ..)| *name);
    names.find(|name| name.starts_with("acm-") && is_its(name))
}

fn elb_class(called: Called<'_>) -> &'static str {
    match called.operation {
        "CreateLoadBalancer" | "SetSubnets" => "elb-resource-intensive",
        "RegisterTargets" | "DeregisterTargets" => "elb-registration",
        "CreateTrustStore" => "elb-trust-store-create",
        "GetTrustStoreCaCertificatesBundle"
        | "GetTrustStoreRevocationContent"
        | "GetResourcePolicy" => "elb-trust-store-get",
        name if name.contains("TrustStore") && called.is_read => "elb-trust-store-describe",
        name if name.contains("TrustStore") => "elb-trust-store-change",
        _ if called.is_read => "elb-non-mutating",
        _ => "elb-mutating",
    }
}

fn ec2_class(called: Called<'_>) -> &'static str {
    let is_selective = || {
        ["Filter", "MaxResults"]
            .iter()
            .any(|it| called.input.child(it).is_some())
    };
    match called.operation {
        "DescribeInstances"
        | "DescribeInstanceStatus"
        | "DescribeNetworkInterfaces"
        | "DescribeSecurityGroups"
            if !is_selective() =>
        {
            "ec2-unfiltered"
        }
        "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress" => "ec2-resource-intensive",
        "RunInstances" | "StartInstances" => "ec2-run-instances",
        "TerminateInstances" => "ec2-terminate-instances",
        "CreateTags" | "DeleteTags" => "ec2-tags",
        "DeleteNetworkInterface" | "ModifyNetworkInterfaceAttribute" => "ec2-network-interfaces",
        "DescribeSecurityGroupReferences" | "DescribeStaleSecurityGroups" => {
            "ec2-security-group-relations"
        }
        "CreateDefaultSubnet" | "CreateDefaultVpc" => "ec2-default-networks",
        _ if called.is_read => "ec2-non-mutating",
        _ => "ec2-mutating",
    }
}

fn refusal(service: Service) -> ApiError {
    match service {
        // Source: EC2 API, "Error codes for the Amazon EC2 API", `RequestLimitExceeded`.
        Service::Ec2 => ApiError::new("RequestLimitExceeded", 503, "Request limit exceeded."),
        Service::Acm => ApiError::sender("ThrottlingException", "Rate exceeded"),
        _ => ApiError::sender("Throttling", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query;

    /// Calls an operation, `SERVICE OPERATION FORM`, until it is refused; how often it was not.
    fn burst(throttle: &Throttle, line: &'static str, now_millis: u64) -> usize {
        let (service, rest) = line.split_once(' ').expect(line);
        let (operation, form) = rest.split_once(' ').unwrap_or((rest, ""));
        let service = Service::signed_for(service).expect(line);
        let input = query::decode(form.as_bytes()).expect(line);
        let called = Called {
            account: "123456789012",
            service,
            operation,
            is_read: service.is_read(operation).expect(line),
            input: &input,
        };
        let calls = (0..1000).take_while(|_| throttle.take(called, now_millis).is_ok());
        calls.count()
    }

    #[test]
    fn operations_have_the_buckets_of_aws() {
        for (line, expected) in [
            // Its own bucket has 200; that of the account has 40.
            ("elasticloadbalancing DescribeLoadBalancers", 40),
            ("elasticloadbalancing CreateRule", 20),
            ("elasticloadbalancing RegisterTargets", 20),
            ("elasticloadbalancing CreateLoadBalancer", 10),
            ("elasticloadbalancing SetSubnets", 10),
            ("elasticloadbalancing CreateTrustStore", 10),
            ("elasticloadbalancing DeleteTrustStore", 10),
            ("elasticloadbalancing DescribeTrustStores", 40),
            ("elasticloadbalancing GetResourcePolicy", 20),
            ("ec2 DescribeVpcs", 100),
            ("ec2 DescribeInstances", 50),
            ("ec2 DescribeInstances MaxResults=5", 100),
            ("ec2 DescribeInstances Filter.1.Name=x", 100),
            ("ec2 DescribeInstances InstanceId.1=x", 50),
            ("ec2 CreateSecurityGroup", 50),
            ("ec2 RunInstances", 5),
            ("ec2 TerminateInstances", 100),
            ("ec2 CreateTags", 100),
            ("ec2 StartInstances", 5),
            ("ec2 StopInstances", 50),
            ("ec2 ModifyNetworkInterfaceAttribute", 100),
            ("ec2 DescribeStaleSecurityGroups", 20),
            ("ec2 CreateDefaultVpc", 1),
            ("acm ListCertificates", 8),
            ("acm ListTagsForCertificate", 10),
            ("acm ImportCertificate", 1),
            ("acm RequestCertificate", 5),
            // These have none.
            ("acm RevokeCertificate", 1000),
            ("sts GetCallerIdentity", 1000),
            ("elbow ListAccessKeys", 1000),
        ] {
            assert_eq!(burst(&Throttle::default(), line, 0), expected, "{line}");
        }
    }

    #[test]
    fn every_bucket_of_acm_is_that_of_an_operation() {
        let all: Vec<_> = crate::acm::OPERATIONS.served.iter().collect();
        for (name, capacity, _) in BUCKETS.iter().filter(|it| it.0.starts_with("acm-")) {
            let calls = all.iter().filter(|operation| {
                let called = Called {
                    account: "123456789012",
                    service: Service::Acm,
                    operation: operation.name,
                    is_read: false,
                    input: &Node::default(),
                };
                acm_bucket(called) == Some(name)
            });
            assert_eq!(calls.count(), 1, "{name} of {capacity}");
        }
    }

    #[test]
    fn a_bucket_fills_again_up_to_its_size() {
        let throttle = Throttle::default();
        let create = "elasticloadbalancing CreateRule";
        assert_eq!(burst(&throttle, create, 1000), 20);
        assert_eq!(throttle.refused(), 1);
        // 3 tokens a second: one in 334 ms, and nothing is lost between two looks.
        assert_eq!(burst(&throttle, create, 1200), 0);
        assert_eq!(burst(&throttle, create, 1334), 1);
        assert_eq!(burst(&throttle, create, 2001), 2);
        assert_eq!(burst(&throttle, create, 0), 0, "a clock that was set back");
        assert_eq!(burst(&throttle, create, 100_000), 20);
    }

    #[test]
    fn operations_of_elb_share_a_bucket_and_those_of_ec2_do_not() {
        let throttle = Throttle::default();
        assert_eq!(burst(&throttle, "elasticloadbalancing CreateRule", 0), 20);
        assert_eq!(burst(&throttle, "elasticloadbalancing DeleteRule", 0), 0);
        assert_eq!(
            burst(&throttle, "elasticloadbalancing DescribeRules", 0),
            20,
            "what is left of the account's"
        );
        assert_eq!(burst(&throttle, "ec2 CreateSubnet", 0), 50);
        assert_eq!(burst(&throttle, "ec2 DeleteSubnet", 0), 50);
    }

    #[test]
    fn accounts_have_buckets_of_their_own() {
        let throttle = Throttle::default();
        assert_eq!(burst(&throttle, "elasticloadbalancing CreateRule", 0), 20);
        let input = Node::default();
        let of_another = Called {
            account: "210987654321",
            service: Service::ElasticLoadBalancing,
            operation: "CreateRule",
            is_read: false,
            input: &input,
        };
        let calls = (0..100).take_while(|_| throttle.take(of_another, 0).is_ok());
        assert_eq!(calls.count(), 20);
    }

    #[test]
    fn a_bucket_can_have_another_size() {
        let mut throttle = Throttle::default();
        let bucket = Bucket {
            capacity: 2,
            refill_millis: 500,
        };
        throttle.resize("elb-mutating", bucket).unwrap();
        assert_eq!(burst(&throttle, "elasticloadbalancing CreateRule", 0), 2);
        assert_eq!(burst(&throttle, "elasticloadbalancing CreateRule", 1999), 0);
        assert_eq!(burst(&throttle, "elasticloadbalancing CreateRule", 2000), 1);
        let error = throttle.resize("nlb", bucket).unwrap_err().to_string();
        assert!(
            error.contains("'nlb'") && error.contains("elb-account"),
            "{error}"
        );
    }

    #[test]
    fn each_service_refuses_in_its_own_words() {
        let elb = refusal(Service::ElasticLoadBalancing);
        assert_eq!(elb.to_string(), "Throttling (400): Rate exceeded");
        let ec2 = refusal(Service::Ec2);
        assert_eq!(
            ec2.to_string(),
            "RequestLimitExceeded (503): Request limit exceeded."
        );
        let acm = refusal(Service::Acm);
        assert_eq!(acm.to_string(), "ThrottlingException (400): Rate exceeded");
    }
}
