//! Actions that authenticate: what they can be, where they can stand, and what becomes of them.

use control::CognitoUserPool;
use control::elb::create_listener::CreateListener;
use control::elb::create_rule::CreateRule;
use control::elb::input::{
    Action, ActionType, AuthenticateCognitoConfig, AuthenticateOidcConfig, Login, RedirectConfig,
};
use control::elb::modify_listener::ModifyListener;
use control::elb::modify_rule::ModifyRule;
use engine::Authentication;
use model::authentication::{JwtValidation, Oidc, OnUnauthenticatedRequest};
use model::listener::Listener;
use model::protocol::Protocol;

use crate::support::{Fixture, error, fixed, fixture, fixture_with, listener_input, rule_input};

const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_aBc123";

fn config() -> AuthenticateOidcConfig {
    AuthenticateOidcConfig {
        issuer: "https://idp.example.com".to_owned(),
        authorization_endpoint: "https://idp.example.com/authorize".to_owned(),
        token_endpoint: "https://idp.example.com/token".to_owned(),
        user_info_endpoint: "https://idp.example.com/userinfo".to_owned(),
        client_id: "shop".to_owned(),
        client_secret: Some("hush".into()),
        use_existing_client_secret: None,
        login: Login::default(),
    }
}

fn keeping() -> AuthenticateOidcConfig {
    AuthenticateOidcConfig {
        client_secret: None,
        use_existing_client_secret: Some(true),
        ..config()
    }
}

fn oidc(config: AuthenticateOidcConfig) -> Action {
    Action {
        order: Some(1),
        authenticate_oidc_config: Some(config),
        ..Action::new(ActionType::AuthenticateOidc)
    }
}

fn cognito(user_pool_arn: &str, client_id: &str, domain: &str) -> Action {
    Action {
        order: Some(1),
        authenticate_cognito_config: Some(AuthenticateCognitoConfig {
            user_pool_arn: user_pool_arn.to_owned(),
            user_pool_client_id: client_id.to_owned(),
            user_pool_domain: domain.to_owned(),
            login: Login::default(),
        }),
        ..Action::new(ActionType::AuthenticateCognito)
    }
}

pub(crate) fn jwt() -> Action {
    Action {
        order: Some(1),
        jwt_validation_config: Some(JwtValidation {
            jwks_endpoint: "https://idp.example.com/jwks".to_owned(),
            issuer: "https://idp.example.com".to_owned(),
            additional_claims: Vec::new(),
        }),
        ..Action::new(ActionType::JwtValidation)
    }
}

fn redirect(protocol: &str, port: &str) -> Action {
    Action {
        redirect_config: Some(RedirectConfig {
            protocol: Some(protocol.to_owned()),
            port: Some(port.to_owned()),
            status_code: "HTTP_301".to_owned(),
            ..RedirectConfig::default()
        }),
        ..Action::new(ActionType::Redirect)
    }
}

pub(crate) fn ordered(action: Action, order: i32) -> Action {
    Action {
        order: Some(order),
        ..action
    }
}

fn rule(listener: &Listener, priority: i32, actions: Vec<Action>) -> CreateRule {
    CreateRule {
        actions,
        ..rule_input(listener, priority, "/")
    }
}

fn pool(client_id: &str, endpoint: Option<&str>) -> CognitoUserPool {
    CognitoUserPool {
        arn: POOL.to_owned(),
        client_id: client_id.to_owned(),
        client_secret: "secret".into(),
        endpoint: endpoint.map(str::to_owned),
    }
}

/// How the default action of the only listener that is served authenticates.
fn live(fixture: &Fixture) -> Authentication {
    struct Anything;
    impl engine::RequestFacts for Anything {
        fn method(&self) -> &[u8] {
            b"GET"
        }
        fn host(&self) -> &[u8] {
            b""
        }
        fn path(&self) -> &[u8] {
            b"/"
        }
        fn query(&self) -> &[u8] {
            b""
        }
        fn any_field(&self, _: &[u8], _: &mut dyn FnMut(&[u8]) -> bool) -> bool {
            false
        }
        fn source_ip(&self) -> std::net::IpAddr {
            [127, 0, 0, 1].into()
        }
    }
    let snapshot = fixture.plane.live();
    let (_, action) = snapshot.frontends[0].router.route(&Anything);
    action
        .authentication
        .clone()
        .expect("the action authenticates")
}

fn live_oidc(fixture: &Fixture) -> Oidc {
    match live(fixture) {
        Authentication::Oidc(oidc) => Oidc::clone(&oidc),
        Authentication::Jwt(_) => panic!("this is no login"),
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_action_is_said() {
    let fixture =
        fixture_with(|settings| settings.cognito_user_pools = vec![pool("shop", None)]).await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    let before = fixture.stored();
    let last = |action: Action| ordered(action, 2);
    let login = |login: Login| oidc(AuthenticateOidcConfig { login, ..config() });
    let params = |names: &[&str]| {
        login(Login {
            extra_params: names
                .iter()
                .map(|name| ((*name).to_owned(), String::new()))
                .collect(),
            ..Login::default()
        })
    };
    for (actions, expected) in [
        (
            vec![oidc(config())],
            "Validation: An action of type 'authenticate-oidc' must be followed by an action of type 'forward', 'redirect' or 'fixed-response'",
        ),
        (
            vec![
                Action {
                    order: None,
                    ..jwt()
                },
                last(fixed("200")),
            ],
            "Validation: When you specify multiple actions, you must specify an order for each action",
        ),
        (
            vec![jwt(), ordered(fixed("200"), 1)],
            "Validation: An action of type 'fixed-response' must have a higher order than all other actions",
        ),
        (
            vec![ordered(redirect("HTTPS", "444"), 1), ordered(jwt(), 2)],
            "Validation: An action of type 'redirect' must have a higher order than all other actions",
        ),
        (
            vec![jwt(), last(oidc(config()))],
            "Validation: Action types 'jwt-validation,authenticate-oidc' cannot be specified together",
        ),
        (
            vec![jwt(), last(oidc(config())), ordered(fixed("200"), 3)],
            "TooManyActions: A rule can have at most 2 actions",
        ),
        (
            vec![
                ordered(Action::new(ActionType::AuthenticateOidc), 1),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: For actions of type 'authenticate-oidc', you must specify the following fields: 'AuthenticateOidcConfig'",
        ),
        (
            vec![
                ordered(Action::new(ActionType::JwtValidation), 1),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: For actions of type 'jwt-validation', you must specify the following fields: 'JwtValidationConfig'",
        ),
        (
            vec![
                jwt(),
                Action {
                    jwt_validation_config: jwt().jwt_validation_config,
                    ..last(fixed("200"))
                },
            ],
            "Validation: 'JwtValidationConfig' cannot be specified for actions of type 'fixed-response'",
        ),
        (
            vec![
                oidc(AuthenticateOidcConfig {
                    issuer: "idp".to_owned(),
                    ..config()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: The 'idp' URL is not valid",
        ),
        (
            vec![
                oidc(AuthenticateOidcConfig {
                    client_id: String::new(),
                    ..config()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: The 'client id' field must be between 1 and 1024 characters in length",
        ),
        (
            vec![
                oidc(AuthenticateOidcConfig {
                    client_secret: None,
                    ..config()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: You must specify a client secret; when you modify an action of type 'authenticate-oidc', you can set UseExistingClientSecret to true instead",
        ),
        (
            vec![
                oidc(AuthenticateOidcConfig {
                    use_existing_client_secret: Some(true),
                    ..config()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: You cannot both specify a client secret and set UseExistingClientSecret to true",
        ),
        (
            vec![oidc(keeping()), last(fixed("200"))],
            "InvalidLoadBalancerAction: You cannot set UseExistingClientSecret to true, because there is no action of type 'authenticate-oidc' yet; specify a client secret",
        ),
        (
            vec![
                login(Login {
                    session_timeout: Some(700_000),
                    ..Login::default()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: 'Session timeout' value '700000' must be between 1 and 604800 inclusive",
        ),
        (
            vec![
                login(Login {
                    session_timeout: Some(-1),
                    ..Login::default()
                }),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: 'Session timeout' value '-1' must be between 1 and 604800 inclusive",
        ),
        (
            vec![params(&["display", "display"]), last(fixed("200"))],
            "InvalidLoadBalancerAction: The authentication request extra parameter 'display' is specified more than once",
        ),
        (
            vec![params(&["scope"]), last(fixed("200"))],
            "InvalidLoadBalancerAction: The authentication request extra parameter 'scope' is set by the load balancer and cannot be specified",
        ),
        (
            vec![
                cognito("us-east-1_aBc123", "shop", "shop"),
                last(fixed("200")),
            ],
            "InvalidLoadBalancerAction: 'us-east-1_aBc123' is not a valid user pool ARN",
        ),
        (
            vec![cognito(POOL, "shop", "https://shop"), last(fixed("200"))],
            "InvalidLoadBalancerAction: 'https://shop' is not a valid user pool domain; specify its prefix or its whole name",
        ),
        (
            vec![cognito(POOL, "other", "shop"), last(fixed("200"))],
            "InvalidLoadBalancerAction: The user pool client must have a client secret, and elbow knows none of client 'other' of user pool 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_aBc123'; give it in a [[cognito_user_pool]] of elbow's configuration file, with arn, client_id and client_secret, and restart elbow",
        ),
        (
            vec![redirect("HTTP", "80")],
            "InvalidLoadBalancerAction: You cannot redirect HTTPS to HTTP.",
        ),
        (
            vec![redirect("HTTPS", "#{port}")],
            "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.",
        ),
        (
            vec![redirect("HTTPS", "443")],
            "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.",
        ),
    ] {
        let input = rule(&listener, 1, actions);
        assert_eq!(error(fixture.control.create_rule(input).await), expected);
    }
    assert_eq!(fixture.stored(), before, "refusals change nothing");
}

#[tokio::test]
async fn only_https_listeners_authenticate() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let plain = fixture.listener(&shop, 80, fixed("200")).await;
    let secure = fixture.https_listener(&shop, 443).await;
    let refused = |kind: &str| {
        format!(
            "InvalidLoadBalancerAction: Actions of type '{kind}' are supported only on HTTPS listeners"
        )
    };
    let actions = || vec![jwt(), ordered(fixed("200"), 2)];
    let input = rule(&plain, 1, actions());
    assert_eq!(
        error(fixture.control.create_rule(input).await),
        refused("jwt-validation")
    );
    let input = CreateListener {
        default_actions: vec![oidc(config()), ordered(fixed("200"), 2)],
        ..listener_input(&shop, 81, fixed("200"))
    };
    assert_eq!(
        error(fixture.control.create_listener(input).await),
        refused("authenticate-oidc")
    );
    let input = rule(&secure, 1, actions());
    fixture.control.create_rule(input).await.unwrap();
    let to_plain = ModifyListener {
        listener_arn: secure.arn.to_string(),
        protocol: Some(Protocol::Http),
        ..ModifyListener::default()
    };
    assert_eq!(
        error(fixture.control.modify_listener(to_plain).await),
        refused("jwt-validation"),
        "a rule of the listener needs TLS"
    );
}

#[tokio::test]
async fn defaults_are_filled_in_and_reach_the_data_plane() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    let modify = async |action: Action| {
        let input = ModifyListener {
            listener_arn: listener.arn.to_string(),
            default_actions: vec![action, ordered(fixed("200"), 7)],
            ..ModifyListener::default()
        };
        fixture.control.modify_listener(input).await.unwrap()
    };
    let modified = modify(oidc(config())).await;
    assert_eq!(modified.default_actions.order, Some(7));
    let expected = Oidc {
        issuer: "https://idp.example.com".to_owned(),
        authorization_endpoint: "https://idp.example.com/authorize".to_owned(),
        token_endpoint: "https://idp.example.com/token".to_owned(),
        user_info_endpoint: "https://idp.example.com/userinfo".to_owned(),
        client_id: "shop".to_owned(),
        client_secret: "hush".into(),
        session_cookie_name: "AWSELBAuthSessionCookie".to_owned(),
        scope: "openid".to_owned(),
        session_timeout_seconds: 604_800,
        extra_params: Vec::new(),
        on_unauthenticated_request: OnUnauthenticatedRequest::Authenticate,
        signer: shop.arn.to_string(),
    };
    assert_eq!(live_oidc(&fixture), expected);
    let login = Login {
        session_cookie_name: Some("who".to_owned()),
        scope: Some("openid email".to_owned()),
        session_timeout: Some(60),
        extra_params: vec![
            ("prompt".to_owned(), "login".to_owned()),
            ("display".to_owned(), "page".to_owned()),
        ],
        on_unauthenticated_request: Some(OnUnauthenticatedRequest::Deny),
    };
    modify(oidc(AuthenticateOidcConfig { login, ..keeping() })).await;
    let given = live_oidc(&fixture);
    let params = [("display", "page"), ("prompt", "login")];
    let expected = Oidc {
        session_cookie_name: "who".to_owned(),
        scope: "openid email".to_owned(),
        session_timeout_seconds: 60,
        extra_params: params
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        on_unauthenticated_request: OnUnauthenticatedRequest::Deny,
        ..expected
    };
    assert_eq!(given, expected, "with the client secret of before");
    let again = fixture.restart().await;
    assert_eq!(live_oidc(&again), expected, "all of it is stored");
    modify(jwt()).await;
    assert!(matches!(live(&fixture), Authentication::Jwt(_)));
}

#[tokio::test]
async fn a_rule_keeps_its_client_secret_when_told_to() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    let actions = |action| vec![action, ordered(fixed("200"), 2)];
    let input = rule(&listener, 1, actions(oidc(config())));
    let created = fixture.control.create_rule(input).await.unwrap();
    let modify = |action| ModifyRule {
        rule_arn: created.arn.to_string(),
        actions: actions(action),
        ..ModifyRule::default()
    };
    let same = fixture.control.modify_rule(modify(oidc(keeping()))).await;
    assert_eq!(same.unwrap(), created);
    fixture.control.modify_rule(modify(jwt())).await.unwrap();
    assert_eq!(
        error(fixture.control.modify_rule(modify(oidc(keeping()))).await),
        "InvalidLoadBalancerAction: You cannot set UseExistingClientSecret to true, because there is no action of type 'authenticate-oidc' yet; specify a client secret"
    );
}

/// What is sealed anew looks different each time; what is not changed is not sealed anew.
#[tokio::test]
async fn client_secrets_are_stored_sealed_and_compared_opened() {
    let fixture =
        fixture_with(|settings| settings.cognito_user_pools = vec![pool("shop", None)]).await;
    let control = &fixture.control;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let listener = |port, action| CreateListener {
        default_actions: vec![action, ordered(fixed("200"), 2)],
        ..crate::tls_listeners::secure(&shop, port, crate::tls_listeners::tls(&certificate))
    };
    let cognito = || cognito(POOL, "shop", "login");
    for (port, action) in [(443, oidc(config())), (444, cognito())] {
        let created = control.create_listener(listener(port, action.clone()));
        let created = created.await.unwrap();
        let repeated = control
            .create_listener(listener(port, action.clone()))
            .await;
        assert_eq!(repeated.unwrap(), created, "the same settings");
        let actions = vec![action, ordered(fixed("200"), 2)];
        let rule = rule(&created, 1, actions.clone());
        let rule = control.create_rule(rule).await.unwrap();
        let before = fixture.stored();
        let modify = ModifyRule {
            rule_arn: rule.arn.to_string(),
            actions,
            ..ModifyRule::default()
        };
        assert_eq!(control.modify_rule(modify).await.unwrap(), rule);
        assert_eq!(fixture.stored(), before, "nothing is written");
    }
    let other = oidc(AuthenticateOidcConfig {
        client_secret: Some("other".into()),
        ..config()
    });
    assert_eq!(
        error(control.create_listener(listener(443, other)).await),
        format!(
            "DuplicateListener: A listener already exists on this port for this load balancer '{}'",
            shop.arn
        )
    );
    let stored: String = fixture.stored().into_values().collect();
    assert!(stored.contains("\"sealed_client_secret\":\""));
    for secret in ["\"hush\"", "\"secret\""] {
        assert!(!stored.contains(secret), "{secret} is stored in the clear");
    }
}

/// As they were stored before client secrets were sealed.
#[tokio::test]
async fn client_secrets_in_the_clear_are_sealed_at_the_next_start() {
    let fixture = fixture().await;
    let shop = fixture.load_balancer("shop").await;
    let certificate = fixture.certificate("shop").await;
    let actions = || vec![oidc(config()), ordered(fixed("200"), 2)];
    let listener = CreateListener {
        default_actions: actions(),
        ..crate::tls_listeners::secure(&shop, 443, crate::tls_listeners::tls(&certificate))
    };
    let listener = fixture.control.create_listener(listener).await.unwrap();
    let input = rule(&listener, 1, actions());
    fixture.control.create_rule(input).await.unwrap();
    let expected = live_oidc(&fixture);
    let mut count = 0;
    for (key, text) in fixture.stored() {
        let member = "\"sealed_client_secret\":\"";
        let Some(at) = text.find(member) else {
            continue;
        };
        let (before, sealed) = text.split_at(at);
        let (_, after) = sealed[member.len()..].split_once('"').unwrap();
        let clear = format!("{before}\"client_secret\":\"hush\"{after}");
        let put = store::Transaction::new().put(key, clear.into_bytes());
        store::Store::transact(&*fixture.store, put).unwrap();
        count += 1;
    }
    assert_eq!(count, 2, "a listener and a rule");
    let again = fixture.restart().await;
    assert_eq!(live_oidc(&again), expected);
    let stored: String = again.stored().into_values().collect();
    assert!(!stored.contains("hush"), "it is sealed by the start");
    assert_eq!(stored.matches("\"sealed_client_secret\"").count(), 2);
    assert_eq!(live_oidc(&again.restart().await), expected);
}

#[tokio::test]
async fn user_pools_have_their_endpoints_and_the_secret_of_the_configuration() {
    let fixture = fixture_with(|settings| {
        settings.cognito_user_pools = vec![
            pool("shop", None),
            pool("local", Some("http://127.0.0.1:9229")),
        ];
    })
    .await;
    let shop = fixture.load_balancer("shop").await;
    let listener = fixture.https_listener(&shop, 443).await;
    for (client_id, domain, issuer, token) in [
        (
            "shop",
            "login",
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aBc123",
            "https://login.auth.us-east-1.amazoncognito.com/oauth2/token",
        ),
        (
            "shop",
            "login.example.com",
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aBc123",
            "https://login.example.com/oauth2/token",
        ),
        (
            "local",
            "login",
            "http://127.0.0.1:9229/us-east-1_aBc123",
            "http://127.0.0.1:9229/oauth2/token",
        ),
    ] {
        let input = ModifyListener {
            listener_arn: listener.arn.to_string(),
            default_actions: vec![cognito(POOL, client_id, domain), ordered(fixed("200"), 2)],
            ..ModifyListener::default()
        };
        fixture.control.modify_listener(input).await.unwrap();
        let oidc = live_oidc(&fixture);
        assert_eq!(
            [
                &oidc.client_id,
                oidc.client_secret.reveal(),
                &oidc.issuer,
                &oidc.token_endpoint
            ],
            [client_id, "secret", issuer, token]
        );
    }
}
