//! Transforms of rules: what they can be, and what becomes of them.

use std::sync::Arc;

use control::elb::create_rule::CreateRule;
use control::elb::input::RuleTransform;
use control::elb::modify_rule::ModifyRule;
use engine::{RequestFacts, Transforms};
use model::rule::Rule;
use model::transform::TransformType;

use crate::support::{Fixture, error, fixed, fixture, forward, path_condition, rule_input};

fn host(rewrites: &[(&str, &str)]) -> RuleTransform {
    RuleTransform {
        transform_type: TransformType::HostHeaderRewrite,
        host_header_rewrite_config: Some(crate::support::pairs(rewrites)),
        url_rewrite_config: None,
    }
}

fn url(rewrites: &[(&str, &str)]) -> RuleTransform {
    RuleTransform {
        transform_type: TransformType::UrlRewrite,
        host_header_rewrite_config: None,
        url_rewrite_config: Some(crate::support::pairs(rewrites)),
    }
}

/// A GET of a path.
struct Get<'a>(&'a str);

impl RequestFacts for Get<'_> {
    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn host(&self) -> &[u8] {
        b""
    }

    fn path(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn query(&self) -> &[u8] {
        b""
    }

    fn any_field(&self, _name: &[u8], _visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }

    fn source_ip(&self) -> std::net::IpAddr {
        [127, 0, 0, 1].into()
    }
}

/// How requests for `path` are rewritten.
fn live(fixture: &Fixture, path: &str) -> Transforms {
    let snapshot = fixture.plane.live();
    let (_, action) = snapshot.frontends[0].router.route(&Get(path));
    action.transforms.clone()
}

/// The expressions and replacements of a rule, host first.
fn texts(rule: &Rule) -> Vec<(&str, &str)> {
    let both = rule.transforms.host.iter().chain(&rule.transforms.url);
    both.map(|rewrite| (rewrite.regex(), rewrite.replace()))
        .collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_transform_is_said() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let before = fixture.stored();
    let bare = |transform_type| RuleTransform {
        transform_type,
        host_header_rewrite_config: None,
        url_rewrite_config: None,
    };
    for (transforms, expected) in [
        (
            vec![bare(TransformType::UrlRewrite)],
            "For transforms of type 'url-rewrite', you must specify the following fields: 'UrlRewriteConfig'",
        ),
        (
            vec![bare(TransformType::HostHeaderRewrite)],
            "For transforms of type 'host-header-rewrite', you must specify the following fields: 'HostHeaderRewriteConfig'",
        ),
        (
            vec![RuleTransform {
                transform_type: TransformType::HostHeaderRewrite,
                ..url(&[("a", "b")])
            }],
            "'UrlRewriteConfig' cannot be specified for transforms of type 'host-header-rewrite'",
        ),
        (
            vec![url(&[])],
            "You must specify exactly one rewrite in 'UrlRewriteConfig'",
        ),
        (
            vec![host(&[("a", "b"), ("c", "d")])],
            "You must specify exactly one rewrite in 'HostHeaderRewriteConfig'",
        ),
        (
            vec![url(&[("a", "b")]), host(&[("a", "b")]), url(&[("c", "d")])],
            "A rule can only have one 'url-rewrite' transform",
        ),
        (
            vec![url(&[("(", "b")])],
            "The regular expression '(' is not valid: unclosed group",
        ),
        (
            vec![url(&[("a++", "b")])],
            "The regular expression 'a++' is not valid: possessive quantifiers, and quantifiers of quantifiers, are not supported",
        ),
    ] {
        let input = CreateRule {
            transforms,
            ..rule_input(&listener, 1, "/")
        };
        let expected = format!("Validation: {expected}");
        assert_eq!(error(fixture.control.create_rule(input).await), expected);
    }
    assert_eq!(fixture.stored(), before, "refusals change nothing");
}

#[tokio::test]
async fn transforms_are_replaced_kept_and_reset() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let input = CreateRule {
        transforms: vec![url(&[("^/a", "/b")]), host(&[("^www", "shop")])],
        ..rule_input(&listener, 1, "/a*")
    };
    let created = fixture.control.create_rule(input).await.unwrap();
    assert_eq!(texts(&created), [("^www", "shop"), ("^/a", "/b")]);
    let modify = async |change: ModifyRule| -> Result<Arc<Rule>, _> {
        let input = ModifyRule {
            rule_arn: created.arn.to_string(),
            ..change
        };
        fixture.control.modify_rule(input).await
    };
    let other_path = ModifyRule {
        conditions: vec![path_condition(&["/c*"])],
        ..ModifyRule::default()
    };
    let kept = modify(other_path).await.unwrap();
    assert_eq!(kept.transforms, created.transforms, "what is absent stays");
    let other_url = || ModifyRule {
        transforms: vec![url(&[("^/c", "/d")])],
        ..ModifyRule::default()
    };
    let replaced = modify(other_url()).await.unwrap();
    assert_eq!(
        texts(&replaced),
        [("^/c", "/d")],
        "the list replaces the list"
    );
    let both = ModifyRule {
        reset_transforms: Some(true),
        ..other_url()
    };
    assert_eq!(
        error(modify(both).await),
        "Validation: You cannot both specify transforms and set ResetTransforms to true"
    );
    let reset = ModifyRule {
        reset_transforms: Some(true),
        ..ModifyRule::default()
    };
    assert!(modify(reset).await.unwrap().transforms.is_empty());
    let not_reset = ModifyRule {
        reset_transforms: Some(false),
        ..ModifyRule::default()
    };
    assert_eq!(
        error(modify(not_reset).await),
        "Validation: Either conditions or actions must be specified"
    );
}

#[tokio::test]
async fn transforms_reach_the_data_plane_and_stay_with_their_rules() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let web = fixture.group("web").await;
    let listener = fixture.listener(&shop, 80, fixed("200")).await;
    let input = CreateRule {
        transforms: vec![url(&[("^/a", "/b")]), host(&[("^www", "shop")])],
        actions: vec![forward(&web)],
        ..rule_input(&listener, 2, "/a*")
    };
    let created = fixture.control.create_rule(input).await.unwrap();
    let transforms = live(&fixture, "/a");
    let host = transforms.host.expect("the host is rewritten");
    assert!(
        host.pattern.is_match(b"WWW.example.com"),
        "the case of a host does not matter"
    );
    assert_eq!(&*host.replacement, "shop");
    let url_rewrite = transforms.url.expect("the URL is rewritten");
    assert!(url_rewrite.pattern.is_match(b"/a"));
    assert!(!url_rewrite.pattern.is_match(b"/A"), "that of a URL does");
    assert_eq!(&*url_rewrite.replacement, "/b");
    let other = live(&fixture, "/other");
    assert!(
        other.host.is_none() && other.url.is_none(),
        "the default rule has none"
    );
    // A target that comes changes the pool, and a rule that comes moves this one to another place.
    let instance = fixture.instance("127.65.1.100").await;
    fixture.register(&web, &[&instance]).await.unwrap();
    fixture.rule(&listener, 1, "/first").await;
    let after = live(&fixture, "/a").url.expect("the URL is rewritten");
    assert!(after.pattern.is_match(b"/a"));
    assert!(live(&fixture, "/first").url.is_none());
    let again = fixture.restart().await;
    assert!(live(&again, "/a").url.is_some(), "they are stored");
    let change = ModifyRule {
        rule_arn: created.arn.to_string(),
        transforms: vec![url(&[("^/a", "/c")])],
        ..ModifyRule::default()
    };
    fixture.control.modify_rule(change).await.unwrap();
    let changed = live(&fixture, "/a");
    assert!(changed.host.is_none());
    assert_eq!(
        &*changed.url.expect("the URL is rewritten").replacement,
        "/c"
    );
}
