//! Identifiers, ARNs and times of EC2 resources.

use std::net::Ipv4Addr;

use model::arn::Place;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::record::Table;
use crate::state::Draft;

/// An identifier that `taken` does not have.
pub(crate) fn fresh<K: Ord + Clone, R>(
    draft: &Draft,
    from_bits: fn(u64) -> K,
    taken: &Table<K, R>,
) -> K {
    loop {
        let id = from_bits(draft.draw());
        if !taken.contains_key(&id) {
            return id;
        }
    }
}

/// The ARN of an EC2 resource, such as `subnet/subnet-…`.
#[must_use]
pub fn arn(place: &Place, resource: &str) -> String {
    format!(
        "arn:{}:ec2:{}:{}:{resource}",
        place.partition, place.region, place.account
    )
}

/// The name that a private address has inside a VPC, such as `ip-10-0-0-5.ec2.internal`.
///
/// Source: EC2 User Guide, "EC2 instance hostnames and domains", "IP name".
#[must_use]
pub fn private_dns_name(address: Ipv4Addr, region: &str) -> String {
    let [a, b, c, d] = address.octets();
    match region {
        "us-east-1" => format!("ip-{a}-{b}-{c}-{d}.ec2.internal"),
        region => format!("ip-{a}-{b}-{c}-{d}.{region}.compute.internal"),
    }
}

/// A time as EC2 writes it, in UTC: `2021-09-29T11:04:43.305Z`. `millis` counts from 1970.
#[must_use]
pub fn timestamp(millis: u64) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    // A time after the year 9999 has no such text and is written as that of 1970.
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(format)
        .unwrap_or_default()
}

/// A time as EC2 writes it in the reason of a state: `2021-09-29 11:04:43 GMT`. `millis` counts from 1970.
#[must_use]
pub fn spelled_time(millis: u64) -> String {
    let whole = timestamp(millis);
    let seconds = whole.split('.').next().unwrap_or_default();
    format!("{} GMT", seconds.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_names_have_the_region_but_for_the_first_one() {
        let address = Ipv4Addr::new(10, 0, 0, 5);
        for (region, name) in [
            ("us-east-1", "ip-10-0-0-5.ec2.internal"),
            ("eu-west-1", "ip-10-0-0-5.eu-west-1.compute.internal"),
        ] {
            assert_eq!(private_dns_name(address, region), name);
        }
    }
}
