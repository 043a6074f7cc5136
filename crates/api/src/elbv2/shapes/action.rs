//! `Action`: what a rule does with a request.

use control::elb::input::{
    Action, ActionType, AuthenticateCognitoConfig, AuthenticateOidcConfig, FixedResponseConfig,
    ForwardConfig, Login, RedirectConfig, TargetGroupStickinessConfig, TargetGroupTuple,
};
use model::action::{
    Actions, AuthenticationAction, FixedResponseAction, ForwardAction, RedirectAction,
    RedirectStatus, RoutingAction,
};
use model::authentication::{
    Authentication, Claim, ClaimFormat, Cognito, JwtValidation, Oidc, OnUnauthenticatedRequest,
};
use model::secret::{SealedSecret, Secret};

use crate::input::{BOOLEAN, Fields, INTEGER, LONG, OneOf, TEXT};
use crate::xml::Xml;

pub(crate) fn read(fields: &Fields<'_>) -> Action {
    Action {
        action_type: fields.required("Type", OneOf(ActionType::ALL)),
        target_group_arn: fields.optional("TargetGroupArn", TEXT),
        order: fields.optional("Order", INTEGER.within(1, 50_000)),
        redirect_config: fields.structure("RedirectConfig", redirect),
        fixed_response_config: fields.structure("FixedResponseConfig", fixed_response),
        forward_config: fields.structure("ForwardConfig", forward),
        authenticate_oidc_config: fields.structure("AuthenticateOidcConfig", oidc),
        authenticate_cognito_config: fields.structure("AuthenticateCognitoConfig", cognito),
        jwt_validation_config: fields.structure("JwtValidationConfig", jwt),
    }
}

fn oidc(fields: &Fields<'_>) -> AuthenticateOidcConfig {
    AuthenticateOidcConfig {
        issuer: fields.required("Issuer", TEXT),
        authorization_endpoint: fields.required("AuthorizationEndpoint", TEXT),
        token_endpoint: fields.required("TokenEndpoint", TEXT),
        user_info_endpoint: fields.required("UserInfoEndpoint", TEXT),
        client_id: fields.required("ClientId", TEXT),
        client_secret: fields.optional("ClientSecret", TEXT).map(Secret::from),
        use_existing_client_secret: fields.optional("UseExistingClientSecret", BOOLEAN),
        login: login(fields),
    }
}

fn cognito(fields: &Fields<'_>) -> AuthenticateCognitoConfig {
    AuthenticateCognitoConfig {
        user_pool_arn: fields.required("UserPoolArn", TEXT),
        user_pool_client_id: fields.required("UserPoolClientId", TEXT),
        user_pool_domain: fields.required("UserPoolDomain", TEXT),
        login: login(fields),
    }
}

fn login(fields: &Fields<'_>) -> Login {
    Login {
        session_cookie_name: fields.optional("SessionCookieName", TEXT),
        scope: fields.optional("Scope", TEXT),
        session_timeout: fields.optional("SessionTimeout", LONG),
        extra_params: fields.map("AuthenticationRequestExtraParams"),
        on_unauthenticated_request: fields.optional(
            "OnUnauthenticatedRequest",
            OneOf(OnUnauthenticatedRequest::ALL),
        ),
    }
}

fn jwt(fields: &Fields<'_>) -> JwtValidation {
    JwtValidation {
        jwks_endpoint: fields.required("JwksEndpoint", TEXT),
        issuer: fields.required("Issuer", TEXT),
        additional_claims: fields.structures("AdditionalClaims", |claim| Claim {
            format: claim.required("Format", OneOf(ClaimFormat::ALL)),
            name: claim.required("Name", TEXT),
            values: claim.required_list("Values", TEXT),
        }),
    }
}

fn redirect(fields: &Fields<'_>) -> RedirectConfig {
    let protocol = TEXT.matching(r"^(HTTPS?|#\{protocol\})$", |text| {
        matches!(text, "HTTP" | "HTTPS" | "#{protocol}")
    });
    RedirectConfig {
        protocol: fields.optional("Protocol", protocol),
        port: fields.optional("Port", TEXT),
        host: fields.optional("Host", TEXT.between(1, 128)),
        path: fields.optional("Path", TEXT.between(1, 128)),
        query: fields.optional("Query", TEXT.at_most(128)),
        status_code: fields
            .required("StatusCode", OneOf(RedirectStatus::ALL))
            .to_string(),
    }
}

fn fixed_response(fields: &Fields<'_>) -> FixedResponseConfig {
    let status_code = TEXT.matching(r"^(2|4|5)\d\d$", |text| {
        matches!(
            text.as_bytes(),
            [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9']
        )
    });
    FixedResponseConfig {
        message_body: fields.optional("MessageBody", TEXT.at_most(1024)),
        status_code: fields.required("StatusCode", status_code),
        content_type: fields.optional("ContentType", TEXT.at_most(32)),
    }
}

fn forward(fields: &Fields<'_>) -> ForwardConfig {
    ForwardConfig {
        target_groups: fields.structures("TargetGroups", |group| TargetGroupTuple {
            target_group_arn: group.optional("TargetGroupArn", TEXT),
            weight: group.optional("Weight", INTEGER),
        }),
        stickiness: fields.structure("TargetGroupStickinessConfig", |stickiness| {
            TargetGroupStickinessConfig {
                enabled: stickiness.optional("Enabled", BOOLEAN),
                duration_seconds: stickiness.optional("DurationSeconds", INTEGER),
            }
        }),
    }
}

/// Prints a list of actions, `Actions` or `DefaultActions`, in their order.
pub(crate) fn print(xml: &mut Xml, name: &str, actions: &Actions) {
    let authentication = actions.authentication.iter().map(Printed::Authentication);
    let routing = Printed::Routing(actions.order, &actions.routing);
    xml.list(
        name,
        authentication.chain([routing]),
        |xml, action| match action {
            Printed::Authentication(action) => print_authentication(xml, action),
            Printed::Routing(order, action) => print_routing(xml, order, action),
        },
    );
}

enum Printed<'a> {
    Authentication(&'a AuthenticationAction),
    Routing(Option<u32>, &'a RoutingAction),
}

fn print_authentication(xml: &mut Xml, action: &AuthenticationAction) {
    match &action.method {
        Authentication::Oidc(oidc) => {
            xml.text("Type", ActionType::AuthenticateOidc);
            xml.element("AuthenticateOidcConfig", |xml| print_oidc(xml, oidc));
        }
        Authentication::Cognito(cognito) => {
            xml.text("Type", ActionType::AuthenticateCognito);
            xml.element("AuthenticateCognitoConfig", |xml| {
                print_cognito(xml, cognito)
            });
        }
        Authentication::Jwt(jwt) => {
            xml.text("Type", ActionType::JwtValidation);
            xml.element("JwtValidationConfig", |xml| print_jwt(xml, jwt));
        }
    }
    xml.text("Order", action.order);
}

/// Without the client secret, which is never told.
fn print_oidc(xml: &mut Xml, oidc: &Oidc<SealedSecret>) {
    xml.text("Issuer", &oidc.issuer);
    xml.text("AuthorizationEndpoint", &oidc.authorization_endpoint);
    xml.text("TokenEndpoint", &oidc.token_endpoint);
    xml.text("UserInfoEndpoint", &oidc.user_info_endpoint);
    xml.text("ClientId", &oidc.client_id);
    print_login(xml, oidc);
}

fn print_cognito(xml: &mut Xml, cognito: &Cognito) {
    xml.text("UserPoolArn", &cognito.user_pool_arn);
    xml.text("UserPoolClientId", &cognito.oidc.client_id);
    xml.text("UserPoolDomain", &cognito.user_pool_domain);
    print_login(xml, &cognito.oidc);
}

fn print_login(xml: &mut Xml, oidc: &Oidc<SealedSecret>) {
    xml.text("SessionCookieName", &oidc.session_cookie_name);
    xml.text("Scope", &oidc.scope);
    xml.text("SessionTimeout", oidc.session_timeout_seconds);
    if !oidc.extra_params.is_empty() {
        xml.map("AuthenticationRequestExtraParams", &oidc.extra_params);
    }
    xml.text("OnUnauthenticatedRequest", oidc.on_unauthenticated_request);
}

fn print_jwt(xml: &mut Xml, jwt: &JwtValidation) {
    xml.text("JwksEndpoint", &jwt.jwks_endpoint);
    xml.text("Issuer", &jwt.issuer);
    xml.list("AdditionalClaims", &jwt.additional_claims, |xml, claim| {
        xml.text("Format", claim.format);
        xml.text("Name", &claim.name);
        xml.texts("Values", &claim.values);
    });
}

fn print_routing(xml: &mut Xml, order: Option<u32>, action: &RoutingAction) {
    match action {
        RoutingAction::Forward(forward) => {
            xml.text("Type", ActionType::Forward);
            // A single group is told in both forms.
            if let [only] = forward.target_groups.as_slice() {
                xml.text("TargetGroupArn", &only.arn);
            }
            xml.optional("Order", order);
            print_forward(xml, forward);
        }
        RoutingAction::Redirect(redirect) => {
            xml.text("Type", ActionType::Redirect);
            xml.optional("Order", order);
            print_redirect(xml, redirect);
        }
        RoutingAction::FixedResponse(response) => {
            xml.text("Type", ActionType::FixedResponse);
            xml.optional("Order", order);
            print_fixed_response(xml, response);
        }
    }
}

fn print_forward(xml: &mut Xml, forward: &ForwardAction) {
    xml.element("ForwardConfig", |xml| {
        xml.list("TargetGroups", &forward.target_groups, |xml, group| {
            xml.text("TargetGroupArn", &group.arn);
            xml.text("Weight", group.weight);
        });
        xml.element("TargetGroupStickinessConfig", |xml| {
            xml.text("Enabled", forward.is_sticky);
            xml.optional("DurationSeconds", forward.stickiness_duration_seconds);
        });
    });
}

fn print_redirect(xml: &mut Xml, redirect: &RedirectAction) {
    xml.element("RedirectConfig", |xml| {
        xml.text("Protocol", &redirect.protocol);
        xml.text("Port", &redirect.port);
        xml.text("Host", &redirect.host);
        xml.text("Path", &redirect.path);
        xml.text("Query", &redirect.query);
        xml.text("StatusCode", redirect.status);
    });
}

fn print_fixed_response(xml: &mut Xml, response: &FixedResponseAction) {
    xml.element("FixedResponseConfig", |xml| {
        xml.optional("MessageBody", response.body.as_ref());
        xml.text("StatusCode", response.status);
        xml.optional("ContentType", response.content_type);
    });
}
