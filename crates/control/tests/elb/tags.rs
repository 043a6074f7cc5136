//! Tags on each kind of resource.

use control::elb::tags::{AddTags, DescribeTags, RemoveTags};
use model::arn::RuleArn;

use crate::support::{error, fixed, fixture, pairs};

#[tokio::test]
async fn each_kind_of_resource_has_tags() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let rule = fixture.rule(&listener, 1, "/a").await;
    let default = RuleArn {
        listener: listener.arn.clone(),
        id: listener.default_rule_id,
    };
    let arns = vec![
        shop.arn.to_string(),
        listener.arn.to_string(),
        rule.arn.to_string(),
        default.to_string(),
        fixture.group("web").await,
    ];
    let tags = pairs(&[("a", "1"), ("b", "2")]);
    let add = AddTags {
        resource_arns: arns.clone(),
        tags,
    };
    fixture.control.add_tags(add).await.unwrap();
    let remove = RemoveTags {
        resource_arns: arns.clone(),
        tag_keys: vec!["a".to_owned(), "x".to_owned()],
    };
    fixture.control.remove_tags(remove).await.unwrap();
    let describe = DescribeTags {
        resource_arns: arns.clone(),
    };
    let described = fixture.control.describe_tags(describe).await.unwrap();
    for (description, arn) in described.iter().zip(&arns) {
        assert_eq!(description.resource_arn.to_string(), *arn);
        assert_eq!(
            description.tags.iter().collect::<Vec<_>>(),
            [("b", "2")],
            "{arn}"
        );
    }
}

#[tokio::test]
async fn one_bad_resource_or_tag_changes_none() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await.arn.to_string();
    let before = fixture.stored();
    let gone = shop.replace("/shop/", "/shoe/");
    let add = |arns: &[&String], tags: &[(&str, &str)]| AddTags {
        resource_arns: arns.iter().map(|arn| (*arn).clone()).collect(),
        tags: pairs(tags),
    };
    for (input, expected) in [
        (
            add(&[&shop, &gone], &[("a", "1")]),
            "LoadBalancerNotFound: One or more load balancers not found",
        ),
        (
            add(&[&shop], &[("a", "1"), ("aws:b", "2")]),
            "Validation: Tag key 'aws:b' cannot start with 'aws:'",
        ),
        (
            add(&[&shop], &[("a", "1"), ("a", "2")]),
            "DuplicateTagKeys: The tag key 'a' has been specified more than once",
        ),
    ] {
        assert_eq!(error(fixture.control.add_tags(input).await), expected);
    }
    assert_eq!(fixture.stored(), before);
}
