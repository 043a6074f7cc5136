//! Tags of rules that begin with `elbow:`: when they are taken, and what becomes of them.

use std::io;
use std::sync::{Arc, Mutex};

use control::elb::create_rule::CreateRule;
use control::elb::create_target_group::CreateTargetGroup;
use control::elb::delete_target_group::DeleteTargetGroup;
use control::elb::deregister_targets::DeregisterTargets;
use control::elb::listener_attributes::{DescribeListenerAttributes, ModifyListenerAttributes};
use control::elb::modify_listener::ModifyListener;
use control::elb::tags::{AddTags, RemoveTags};
use engine::Extensions;
use model::arn::RuleArn;
use model::listener::Listener;
use store::{Store, Transaction};

use crate::support::{
    Fixture, error, fixed, fixture, forward, listener_input, pairs, rule_input, target,
};

const TEAM: (&str, &str) = ("elbow:request-header.set.1", "X-Team=blue");

/// The extensions of the first listener's rules in the order of their priorities, the default last.
fn live(fixture: &Fixture) -> Vec<Option<Arc<Extensions>>> {
    let snapshot = fixture.plane.live();
    let actions = snapshot.frontends[0].router.actions();
    actions.map(|action| action.extensions.clone()).collect()
}

fn names(extensions: &Option<Arc<Extensions>>) -> Vec<&str> {
    let names = extensions.iter().flat_map(|it| it.request_fields.names());
    names.collect()
}

async fn listener(fixture: &Fixture) -> Arc<Listener> {
    let shop = fixture.load_balancer("shop").await;
    fixture.listener(&shop, 80, fixed("200")).await
}

fn add(arn: &str, tags: &[(&str, &str)]) -> AddTags {
    AddTags {
        resource_arns: vec![arn.to_owned()],
        tags: pairs(tags),
    }
}

#[tokio::test]
async fn the_tags_of_a_rule_become_its_extensions() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let input = CreateRule {
        tags: pairs(&[TEAM, ("Name", "x")]),
        ..rule_input(&listener, 1, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    fixture.rule(&listener, 2, "/b").await;
    let [first, second, default] = &live(&fixture)[..] else {
        panic!("three rules")
    };
    assert_eq!(names(first), ["X-Team"]);
    assert!(second.is_none() && default.is_none(), "off by default");

    let arn = rule.arn.to_string();
    let more = add(&arn, &[("elbow:request-header.remove.1", "X-Debug")]);
    fixture.control.add_tags(more).await.unwrap();
    assert_eq!(names(&live(&fixture)[0]), ["X-Team", "X-Debug"]);

    let default = RuleArn {
        listener: listener.arn.clone(),
        id: listener.default_rule_id,
    };
    let to_default = add(&default.to_string(), &[TEAM]);
    fixture.control.add_tags(to_default).await.unwrap();
    assert_eq!(names(&live(&fixture)[2]), ["X-Team"]);

    let remove = RemoveTags {
        resource_arns: vec![arn],
        tag_keys: vec![
            TEAM.0.to_owned(),
            "elbow:request-header.remove.1".to_owned(),
        ],
    };
    fixture.control.remove_tags(remove).await.unwrap();
    assert!(live(&fixture)[0].is_none());
    let restarted = fixture.restart().await;
    assert_eq!(names(&live(&restarted)[2]), ["X-Team"], "they are stored");
}

#[tokio::test]
async fn what_has_not_changed_is_taken_over() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let input = CreateRule {
        tags: pairs(&[TEAM]),
        ..rule_input(&listener, 7, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let before = live(&fixture)[0].clone().unwrap();
    fixture.rule(&listener, 1, "/first").await;
    let other = add(&rule.arn.to_string(), &[("Name", "x")]);
    fixture.control.add_tags(other).await.unwrap();
    let after = live(&fixture)[1].clone().unwrap();
    assert!(Arc::ptr_eq(&before, &after));
}

#[tokio::test]
async fn a_limit_goes_on_counting_until_it_changes() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let input = CreateRule {
        tags: pairs(&[("elbow:rate-limit.requests", "5")]),
        ..rule_input(&listener, 1, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let arn = rule.arn.to_string();
    let limiter = || live(&fixture)[0].clone()?.rate_limiter.clone();
    let first = limiter().unwrap();
    assert_eq!(first.limit().burst, 5);
    fixture.control.add_tags(add(&arn, &[TEAM])).await.unwrap();
    assert!(Arc::ptr_eq(&first, &limiter().unwrap()));
    let burst = add(&arn, &[("elbow:rate-limit.burst", "9")]);
    fixture.control.add_tags(burst).await.unwrap();
    assert_eq!(limiter().unwrap().limit().burst, 9);

    let remove = |key: &str| RemoveTags {
        resource_arns: vec![arn.clone()],
        tag_keys: vec![key.to_owned()],
    };
    let outcome = fixture
        .control
        .remove_tags(remove("elbow:rate-limit.requests"));
    assert_eq!(
        error(outcome.await),
        "Validation: The tag 'elbow:rate-limit.burst' needs the tag 'elbow:rate-limit.requests' beside it"
    );
    assert!(limiter().is_some());
}

#[tokio::test]
async fn what_cannot_be_obeyed_is_refused_by_name() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let rule = fixture.rule(&listener, 1, "/a").await.arn.to_string();
    let before = fixture.stored();
    let unknown = "Validation: The tag key 'elbow:retries' begins with 'elbow:' and is none that elbow knows; \
                   see 'Extensions' in docs/parity.md, or choose another key";
    let not_a_rule = "Validation: The tag key 'elbow:request-header.set.1' begins with 'elbow:', which is \
                      for the rules of listeners; tag a rule, or choose another key";
    let value = "Validation: The value of the tag 'elbow:request-header.remove.1' must be a field's name of \
                 letters, digits and hyphens, but was 'X Team'";
    let input = CreateRule {
        tags: pairs(&[("elbow:retries", "1")]),
        ..rule_input(&listener, 2, "/b")
    };
    assert_eq!(error(fixture.control.create_rule(input).await), unknown);
    for (arn, tag, expected) in [
        (&rule, ("elbow:retries", "1"), unknown),
        (&rule, ("elbow:request-header.remove.1", "X Team"), value),
        (&listener.arn.to_string(), TEAM, not_a_rule),
    ] {
        let outcome = fixture.control.add_tags(add(arn, &[tag])).await;
        assert_eq!(error(outcome), expected);
    }
    assert_eq!(fixture.stored(), before);
}

/// What is written to the log as long as the guard is there.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        tracing::subscriber::set_default(subscriber.with_writer(move || log.clone()).finish())
    }

    fn lines_with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An elbow of before there were extensions has stored any tag.
#[tokio::test]
async fn a_stored_tag_that_cannot_be_obeyed_is_passed_over() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let input = CreateRule {
        tags: pairs(&[TEAM, ("Name", "elbow.colour")]),
        ..rule_input(&listener, 1, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    let (key, record) = fixture
        .stored()
        .into_iter()
        .find(|(_, record)| record.contains("elbow.colour"))
        .unwrap();
    let older = record.replace(r#""Name":"elbow.colour""#, r#""elbow:colour":"red""#);
    assert_ne!(older, record);
    let transaction = Transaction::new().put(&*key, older.as_bytes());
    fixture.store.transact(transaction).unwrap();

    let log = Log::default();
    let guard = log.capture();
    let restarted = fixture.restart().await;
    assert_eq!(names(&live(&restarted)[0]), ["X-Team"]);
    let arn = rule.arn.to_string();
    let warnings = log.lines_with("elbow:colour");
    let [warning] = &warnings[..] else {
        panic!("one warning, got {warnings:?}")
    };
    assert!(
        warning.contains("WARN") && warning.contains(&arn),
        "{warning}"
    );
    let add_tag = |tag| restarted.control.add_tags(add(&arn, &[tag]));
    add_tag(("Name", "x")).await.unwrap();
    assert_eq!(log.lines_with("elbow:colour").len(), 1, "it is told once");
    drop(guard);

    let refused = error(add_tag(("elbow:colour", "blue")).await);
    assert!(refused.contains("none that elbow knows"), "{refused}");
    let remove = RemoveTags {
        resource_arns: vec![arn.clone()],
        tag_keys: vec!["elbow:colour".to_owned()],
    };
    restarted.control.remove_tags(remove).await.unwrap();
    assert!(!restarted.stored()[&key].contains("elbow:colour"));
    assert_eq!(names(&live(&restarted)[0]), ["X-Team"]);
}

#[tokio::test]
async fn a_listener_has_pages_of_its_own() {
    let fixture = fixture().await;
    let listener = listener(&fixture).await;
    let modify = |attributes: &[(&str, &str)]| {
        let input = ModifyListenerAttributes {
            listener_arn: listener.arn.to_string(),
            attributes: pairs(attributes),
        };
        fixture.control.modify_listener_attributes(input)
    };
    let describe = || {
        let listener_arn = listener.arn.to_string();
        let input = DescribeListenerAttributes { listener_arn };
        fixture.control.describe_listener_attributes(input)
    };
    let plain = describe().await.unwrap();
    assert!(plain.iter().all(|(key, _)| !key.starts_with("elbow.")));
    let body = "elbow.error_page.5xx.body";
    let content_type = "elbow.error_page.5xx.content_type";
    for (attributes, expected) in [
        (
            &[("elbow.error_page.200.body", "x")][..],
            "Validation: Listener attribute key 'elbow.error_page.200.body' is not recognized",
        ),
        (
            &[(content_type, "text/plain")],
            "Validation: The attribute 'elbow.error_page.5xx.content_type' needs a value of \
             'elbow.error_page.5xx.body' beside it",
        ),
    ] {
        assert_eq!(error(modify(attributes).await), expected);
    }
    let long = "ä".repeat(1025);
    let refused = error(modify(&[(body, &long)]).await);
    assert!(refused.starts_with("Validation: "), "{refused}");

    let changed = modify(&[(body, "sorry"), (content_type, "text/plain")]);
    let changed = changed.await.unwrap();
    let added = [
        (body, "sorry".to_owned()),
        (content_type, "text/plain".to_owned()),
    ];
    assert_eq!(changed[plain.len()..], added);
    assert_eq!(describe().await.unwrap(), changed);
    let page = |status| {
        let snapshot = fixture.plane.live();
        let page = snapshot.frontends[0].http.error_pages.page(status).cloned();
        page.map(|page| (page.content_type.into_string(), page.body.into_string()))
    };
    let sorry = ("text/plain; charset=utf-8".to_owned(), "sorry".to_owned());
    assert_eq!(page(502), Some(sorry));
    assert_eq!(page(404), None);
    let reset = modify(&[(body, ""), (content_type, "")]).await.unwrap();
    assert_eq!(reset, plain);
    assert_eq!(page(502), None);
}

#[tokio::test]
async fn a_listener_compresses_responses_when_it_is_asked_to() {
    let fixture = fixture().await;
    let listener_arn = listener(&fixture).await.arn.to_string();
    let modify = |attributes: &[(&str, &str)]| {
        let input = ModifyListenerAttributes {
            listener_arn: listener_arn.clone(),
            attributes: pairs(attributes),
        };
        fixture.control.modify_listener_attributes(input)
    };
    let live = || {
        let snapshot = fixture.plane.live();
        let compression = snapshot.frontends[0].http.response_compression.as_ref()?;
        Some((compression.content_types.len(), compression.minimum_bytes))
    };
    let refused = modify(&[(
        "elbow.response_compression.content_types",
        "application/grpc",
    )]);
    let refused = error(refused.await);
    assert!(
        refused.starts_with(
            "Validation: The value of 'elbow.response_compression.content_types' must be"
        ),
        "{refused}"
    );
    assert_eq!(live(), None, "off by default");
    modify(&[("elbow.response_compression.minimum_bytes", "7")])
        .await
        .unwrap();
    assert_eq!(live(), None);
    let enabled = modify(&[
        ("elbow.response_compression.enabled", "true"),
        (
            "elbow.response_compression.content_types",
            "text/html,text/css",
        ),
    ]);
    let described = enabled.await.unwrap();
    assert_eq!(described.len(), modify(&[]).await.unwrap().len());
    assert!(described.contains(&("elbow.response_compression.minimum_bytes", "7".to_owned())));
    assert_eq!(live(), Some((2, 7)));
    modify(&[("elbow.response_compression.enabled", "false")])
        .await
        .unwrap();
    assert_eq!(live(), None);
}

#[tokio::test]
async fn a_mirror_uses_its_target_group() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (main, shadow) = (fixture.group("main").await, fixture.group("shadow").await);
    let listener = fixture.listener(&shop, 80, forward(&main)).await;
    let instance = fixture.instance("127.65.1.200").await;
    fixture.register(&shadow, &[&instance]).await.unwrap();
    assert_eq!(fixture.plane.live().pools.len(), 1);
    let input = CreateRule {
        tags: pairs(&[
            ("elbow:mirror.target-group", &shadow),
            ("elbow:mirror.percentage", "5"),
        ]),
        actions: vec![forward(&main)],
        ..rule_input(&listener, 1, "/a")
    };
    let rule = fixture.control.create_rule(input).await.unwrap();
    assert_eq!(fixture.plane.live().pools.len(), 2, "it is health checked");
    let mirror = || {
        let mirror = live(&fixture)[0].as_ref()?.mirror.clone()?;
        Some((mirror.pool.endpoints.len(), mirror.percentage))
    };
    assert_eq!(mirror(), Some((1, 5)));
    assert!(live(&fixture)[1].is_none());

    let delete = || DeleteTargetGroup {
        target_group_arn: shadow.clone(),
    };
    let refused = error(fixture.control.delete_target_group(delete()).await);
    assert!(refused.starts_with("ResourceInUse: "), "{refused}");
    assert!(refused.ends_with(&format!(": {}", rule.arn)), "{refused}");
    let other = fixture.instance("127.65.1.201").await;
    fixture.register(&shadow, &[&other]).await.unwrap();
    assert_eq!(mirror(), Some((2, 5)), "new targets are seen");
    let deregister = DeregisterTargets {
        target_group_arn: shadow.clone(),
        targets: vec![target(&other)],
    };
    fixture
        .control
        .deregister_targets(deregister)
        .await
        .unwrap();
    assert_eq!(mirror(), Some((1, 5)));

    // It belongs to this load balancer now.
    let second = fixture.load_balancer("second").await;
    let input = listener_input(&second, 80, forward(&shadow));
    let refused = error(fixture.control.create_listener(input).await);
    assert!(
        refused.starts_with("TargetGroupAssociationLimit: "),
        "{refused}"
    );

    let restarted = fixture.restart().await;
    assert_eq!(restarted.plane.live().pools.len(), 2, "it is stored");
    let remove = RemoveTags {
        resource_arns: vec![rule.arn.to_string()],
        tag_keys: ["target-group", "percentage"]
            .map(|key| format!("elbow:mirror.{key}"))
            .into(),
    };
    restarted.control.remove_tags(remove).await.unwrap();
    assert_eq!(restarted.plane.live().pools.len(), 1);
    restarted
        .control
        .delete_target_group(delete())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_mirror_that_cannot_be_is_refused() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let (main, shadow) = (fixture.group("main").await, fixture.group("shadow").await);
    let listener = fixture.listener(&shop, 80, forward(&main)).await;
    let fixed_rule = fixture.rule(&listener, 1, "/a").await.arn.to_string();
    let default_rule = RuleArn {
        listener: listener.arn.clone(),
        id: listener.default_rule_id,
    };
    let default_rule = default_rule.to_string();
    let second = fixture.load_balancer("second").await;
    let taken = fixture.group("taken").await;
    fixture.listener(&second, 80, forward(&taken)).await;
    let grpc = CreateTargetGroup {
        protocol_version: Some("GRPC".to_owned()),
        ..fixture.target_group_input("grpc")
    };
    let grpc = fixture.control.create_target_group(grpc).await.unwrap();
    let grpc = grpc.target_group.arn.to_string();
    let gone = shadow.replace("/shadow/", "/gone/");
    for (rule, group, expected) in [
        (&default_rule, &gone, "TargetGroupNotFound: "),
        (&default_rule, &taken, "TargetGroupAssociationLimit: "),
        (
            &default_rule,
            &grpc,
            "Validation: The tag 'elbow:mirror.target-group' is for target groups with the protocol version HTTP1",
        ),
        (
            &fixed_rule,
            &shadow,
            "Validation: The tag 'elbow:mirror.target-group' is for rules with an action of type 'forward'",
        ),
    ] {
        let tags = add(rule, &[("elbow:mirror.target-group", group)]);
        let refused = error(fixture.control.add_tags(tags).await);
        assert!(refused.starts_with(expected), "{refused}");
    }
    let tags = add(&default_rule, &[("elbow:mirror.target-group", &shadow)]);
    fixture.control.add_tags(tags).await.unwrap();
    // What the rule does cannot be changed under the tag either.
    let input = ModifyListener {
        listener_arn: listener.arn.to_string(),
        default_actions: vec![fixed("200")],
        ..ModifyListener::default()
    };
    let refused = error(fixture.control.modify_listener(input).await);
    assert!(refused.contains("remove it, or forward"), "{refused}");
}
