//! Managed prefix lists: repetitions of a request, and blocks that are given twice.

use control::ec2::TagSpecification;
use control::ec2::prefix_lists::{CreateManagedPrefixList, EntryInput, ModifyManagedPrefixList};

use crate::support::{fixture, refused};

fn entry(cidr: &str) -> EntryInput {
    EntryInput {
        cidr: cidr.to_owned(),
        description: None,
    }
}

fn offices(entries: &[&str]) -> CreateManagedPrefixList {
    CreateManagedPrefixList {
        name: "offices".to_owned(),
        family: "IPv4".to_owned(),
        entries_max: Some(5),
        entries: entries.iter().map(|cidr| entry(cidr)).collect(),
        client_token: Some("once".to_owned()),
        ..CreateManagedPrefixList::default()
    }
}

#[tokio::test]
async fn a_token_stands_for_one_request() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    let request = || offices(&["10.0.0.0/8"]);
    let made = ec2.create_managed_prefix_list(request()).await.unwrap();
    for other in [
        offices(&["10.0.0.0/8", "192.0.2.0/24"]),
        CreateManagedPrefixList {
            entries_max: Some(6),
            ..request()
        },
        CreateManagedPrefixList {
            tag_specifications: vec![TagSpecification {
                resource_type: "prefix-list".to_owned(),
                tags: vec![("team".to_owned(), "blue".to_owned())],
            }],
            ..request()
        },
        CreateManagedPrefixList {
            name: "homes".to_owned(),
            ..request()
        },
    ] {
        refused(
            ec2.create_managed_prefix_list(other).await,
            "The client token 'once' was used in a request with other parameters",
        );
    }
    let change = ModifyManagedPrefixList {
        prefix_list_id: made.id.to_string(),
        current_version: Some(1),
        name: Some("homes".to_owned()),
        add: vec![entry("192.0.2.0/24")],
        ..ModifyManagedPrefixList::default()
    };
    let changed = ec2.modify_managed_prefix_list(change).await.unwrap();
    let repeated = ec2.create_managed_prefix_list(request()).await.unwrap();
    assert_eq!(repeated, changed, "the list that the request has made");
}

#[tokio::test]
async fn a_request_adds_and_removes_100_entries_at_most() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    let blocks: Vec<String> = (0..=100)
        .map(|number| format!("10.{number}.0.0/16"))
        .collect();
    let list = |count: usize| CreateManagedPrefixList {
        name: "offices".to_owned(),
        family: "IPv4".to_owned(),
        entries_max: Some(200),
        entries: blocks[..count].iter().map(|block| entry(block)).collect(),
        ..CreateManagedPrefixList::default()
    };
    let refusal = "The number of entries per request cannot exceeds limit (100).";
    refused(ec2.create_managed_prefix_list(list(101)).await, refusal);
    let made = ec2.create_managed_prefix_list(list(100)).await.unwrap();
    let change = |add: &[String], remove: &[String]| ModifyManagedPrefixList {
        prefix_list_id: made.id.to_string(),
        current_version: Some(1),
        add: add.iter().map(|block| entry(block)).collect(),
        remove: remove.to_vec(),
        ..ModifyManagedPrefixList::default()
    };
    for too_much in [change(&blocks, &[]), change(&[], &blocks)] {
        refused(ec2.modify_managed_prefix_list(too_much).await, refusal);
    }
    let others: Vec<String> = (0..100)
        .map(|number| format!("11.{number}.0.0/16"))
        .collect();
    let both = change(&others, &blocks[..100]);
    let changed = ec2.modify_managed_prefix_list(both).await.unwrap();
    assert_eq!(changed.entries.len(), 100);
}

#[tokio::test]
async fn one_block_is_given_once_whatever_its_host_bits() {
    let fixture = fixture().await;
    let twice = offices(&["10.0.0.0/8", "10.1.0.0/8"]);
    refused(
        fixture.ec2().create_managed_prefix_list(twice).await,
        "It is given twice.",
    );
}

#[tokio::test]
async fn one_block_is_not_added_and_removed_whatever_its_host_bits() {
    let fixture = fixture().await;
    let ec2 = fixture.ec2();
    let request = offices(&["10.0.0.0/8"]);
    let made = ec2.create_managed_prefix_list(request).await.unwrap();
    let change = ModifyManagedPrefixList {
        prefix_list_id: made.id.to_string(),
        current_version: Some(1),
        add: vec![entry("10.1.0.0/8")],
        remove: vec!["10.2.0.0/8".to_owned()],
        ..ModifyManagedPrefixList::default()
    };
    refused(
        ec2.modify_managed_prefix_list(change).await,
        "Request cannot contain Cidr 10.0.0.0/8 in both AddPrefixListEntries and RemovePrefixListEntries",
    );
}

#[tokio::test]
async fn a_token_has_up_to_255_characters() {
    let fixture = fixture().await;
    let with = |length| CreateManagedPrefixList {
        client_token: Some("é".repeat(length)),
        ..offices(&[])
    };
    refused(
        fixture.ec2().create_managed_prefix_list(with(256)).await,
        "for parameter clientToken is invalid. A token has up to 255 characters.",
    );
    let made = fixture.ec2().create_managed_prefix_list(with(255)).await;
    made.expect("the longest token");
}
