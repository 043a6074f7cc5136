//! `RuleCondition`: what a request has to be like for a rule.

use control::elb::input::{
    HttpHeaderConfig, HttpRequestMethodConfig, PatternConfig, QueryStringConfig, RuleCondition,
    SourceIpConfig,
};
use model::condition::{Condition, Patterns};

use crate::input::{Fields, OneOf, TEXT};
use crate::xml::Xml;

pub(crate) fn read(fields: &Fields<'_>) -> RuleCondition {
    RuleCondition {
        field: fields.optional("Field", TEXT.at_most(64)),
        values: fields.list("Values", TEXT),
        host_header_config: fields.structure("HostHeaderConfig", patterns),
        path_pattern_config: fields.structure("PathPatternConfig", patterns),
        http_header_config: fields.structure("HttpHeaderConfig", |header| HttpHeaderConfig {
            http_header_name: header.optional("HttpHeaderName", TEXT),
            values: header.list("Values", TEXT),
            regex_values: header.list("RegexValues", TEXT),
        }),
        query_string_config: fields.structure("QueryStringConfig", |query| QueryStringConfig {
            values: query.structures("Values", |pair| {
                (pair.optional("Key", TEXT), pair.optional("Value", TEXT))
            }),
        }),
        http_request_method_config: fields.structure("HttpRequestMethodConfig", |method| {
            HttpRequestMethodConfig {
                values: method.list("Values", TEXT),
            }
        }),
        source_ip_config: fields.structure("SourceIpConfig", |source| SourceIpConfig {
            values: source.list("Values", TEXT),
            ip_address_type: source
                .optional("IpAddressType", OneOf(&["ipv4", "ipv6"]))
                .map(str::to_owned),
        }),
        regex_values: fields.list("RegexValues", TEXT),
    }
}

fn patterns(fields: &Fields<'_>) -> PatternConfig {
    PatternConfig {
        values: fields.list("Values", TEXT),
        regex_values: fields.list("RegexValues", TEXT),
    }
}

/// Prints one condition. Host and path are told in both forms, the older one and the configuration.
pub(crate) fn print(xml: &mut Xml, condition: &Condition) {
    match condition {
        Condition::HostHeader(patterns) => {
            print_both_forms(xml, "host-header", "HostHeaderConfig", patterns);
        }
        Condition::PathPattern(patterns) => {
            print_both_forms(xml, "path-pattern", "PathPatternConfig", patterns);
        }
        Condition::HttpHeader { name, patterns } => {
            xml.text("Field", "http-header");
            xml.element("HttpHeaderConfig", |xml| {
                xml.text("HttpHeaderName", name);
                print_patterns(xml, patterns);
            });
        }
        Condition::QueryString(pairs) => {
            xml.text("Field", "query-string");
            xml.element("QueryStringConfig", |xml| {
                xml.list("Values", pairs, |xml, pair| {
                    xml.optional("Key", pair.key.as_ref());
                    xml.text("Value", &pair.value);
                });
            });
        }
        Condition::HttpRequestMethod(methods) => {
            xml.text("Field", "http-request-method");
            xml.element("HttpRequestMethodConfig", |xml| {
                xml.texts("Values", methods)
            });
        }
        Condition::SourceIp(blocks) => {
            xml.text("Field", "source-ip");
            xml.element("SourceIpConfig", |xml| xml.texts("Values", blocks));
        }
    }
}

fn print_both_forms(xml: &mut Xml, field: &str, config: &str, patterns: &Patterns) {
    xml.text("Field", field);
    if let Patterns::Wildcards(values) = patterns {
        xml.texts("Values", values);
    }
    xml.element(config, |xml| print_patterns(xml, patterns));
    if let Patterns::Regexes(values) = patterns {
        xml.texts("RegexValues", values);
    }
}

fn print_patterns(xml: &mut Xml, patterns: &Patterns) {
    match patterns {
        Patterns::Wildcards(values) => xml.texts("Values", values),
        Patterns::Regexes(values) => xml.texts("RegexValues", values),
    }
}
