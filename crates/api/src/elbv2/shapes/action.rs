//! `Action`: what a rule does with a request.

use control::elb::input::{
    Action, ActionType, FixedResponseConfig, ForwardConfig, RedirectConfig,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use model::action::{
    Actions, FixedResponseAction, ForwardAction, RedirectAction, RedirectStatus, RoutingAction,
};

use crate::input::{BOOLEAN, Fields, INTEGER, OneOf, TEXT};
use crate::xml::Xml;

pub(crate) fn read(fields: &Fields<'_>) -> Action {
    Action {
        action_type: fields.required("Type", OneOf(ActionType::ALL)),
        target_group_arn: fields.optional("TargetGroupArn", TEXT),
        order: fields.optional("Order", INTEGER.within(1, 50_000)),
        redirect_config: fields.structure("RedirectConfig", redirect),
        fixed_response_config: fields.structure("FixedResponseConfig", fixed_response),
        forward_config: fields.structure("ForwardConfig", forward),
        other_configs: [
            "AuthenticateOidcConfig",
            "AuthenticateCognitoConfig",
            "JwtValidationConfig",
        ]
        .into_iter()
        .filter(|name| fields.is_present(name))
        .collect(),
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

/// Prints a list of actions, `Actions` or `DefaultActions`.
pub(crate) fn print(xml: &mut Xml, name: &str, actions: &Actions) {
    xml.list(
        name,
        [actions],
        |xml, Actions { order, routing }| match routing {
            RoutingAction::Forward(forward) => {
                xml.text("Type", ActionType::Forward);
                // A single group is told in both forms.
                if let [only] = forward.target_groups.as_slice() {
                    xml.text("TargetGroupArn", &only.arn);
                }
                xml.optional("Order", *order);
                print_forward(xml, forward);
            }
            RoutingAction::Redirect(redirect) => {
                xml.text("Type", ActionType::Redirect);
                xml.optional("Order", *order);
                print_redirect(xml, redirect);
            }
            RoutingAction::FixedResponse(response) => {
                xml.text("Type", ActionType::FixedResponse);
                xml.optional("Order", *order);
                print_fixed_response(xml, response);
            }
        },
    );
}

fn print_forward(xml: &mut Xml, forward: &ForwardAction) {
    xml.element("ForwardConfig", |xml| {
        xml.list("TargetGroups", &forward.target_groups, |xml, group| {
            xml.text("TargetGroupArn", &group.arn);
            xml.text("Weight", group.weight);
        });
        xml.element("TargetGroupStickinessConfig", |xml| {
            xml.text("Enabled", false);
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
