//! The structures that several operations take: as the API has them, before they mean anything.

use model::authentication::{JwtValidation, OnUnauthenticatedRequest};
use model::secret::Secret;
use model::text_enum;
use model::transform::TransformType;

/// A key and a value, in the order of the request.
pub type Pairs = Vec<(String, String)>;

text_enum! {
    /// What an action does.
    ///
    /// Source: ELB API, `ActionTypeEnum`.
    pub enum ActionType {
        /// To target groups.
        Forward = "forward",
        /// With an OpenID Connect provider.
        AuthenticateOidc = "authenticate-oidc",
        /// With a Cognito user pool.
        AuthenticateCognito = "authenticate-cognito",
        /// With a `Location`.
        Redirect = "redirect",
        /// With a fixed answer.
        FixedResponse = "fixed-response",
        /// By a token in the request.
        JwtValidation = "jwt-validation",
    }
}

/// An action of a request. Source: ELB API, `Action`.
#[derive(Clone, Debug)]
pub struct Action {
    /// `Type`.
    pub action_type: ActionType,
    /// `Order`.
    pub order: Option<i32>,
    /// `TargetGroupArn`.
    pub target_group_arn: Option<String>,
    /// `ForwardConfig`.
    pub forward_config: Option<ForwardConfig>,
    /// `RedirectConfig`.
    pub redirect_config: Option<RedirectConfig>,
    /// `FixedResponseConfig`.
    pub fixed_response_config: Option<FixedResponseConfig>,
    /// `AuthenticateOidcConfig`.
    pub authenticate_oidc_config: Option<AuthenticateOidcConfig>,
    /// `AuthenticateCognitoConfig`.
    pub authenticate_cognito_config: Option<AuthenticateCognitoConfig>,
    /// `JwtValidationConfig`.
    pub jwt_validation_config: Option<JwtValidation>,
}

impl Action {
    /// An action of this type with nothing else.
    #[must_use]
    pub fn new(action_type: ActionType) -> Self {
        Self {
            action_type,
            order: None,
            target_group_arn: None,
            forward_config: None,
            redirect_config: None,
            fixed_response_config: None,
            authenticate_oidc_config: None,
            authenticate_cognito_config: None,
            jwt_validation_config: None,
        }
    }
}

/// Source: ELB API, `ForwardActionConfig`.
#[derive(Clone, Debug, Default)]
pub struct ForwardConfig {
    /// `TargetGroups`.
    pub target_groups: Vec<TargetGroupTuple>,
    /// `TargetGroupStickinessConfig`.
    pub stickiness: Option<TargetGroupStickinessConfig>,
}

/// Source: ELB API, `TargetGroupTuple`.
#[derive(Clone, Debug, Default)]
pub struct TargetGroupTuple {
    /// `TargetGroupArn`.
    pub target_group_arn: Option<String>,
    /// `Weight`.
    pub weight: Option<i32>,
}

/// Source: ELB API, `TargetGroupStickinessConfig`.
#[derive(Clone, Debug, Default)]
pub struct TargetGroupStickinessConfig {
    /// `Enabled`.
    pub enabled: Option<bool>,
    /// `DurationSeconds`.
    pub duration_seconds: Option<i32>,
}

/// Source: ELB API, `RedirectActionConfig`.
#[derive(Clone, Debug, Default)]
pub struct RedirectConfig {
    /// `Protocol`.
    pub protocol: Option<String>,
    /// `Port`.
    pub port: Option<String>,
    /// `Host`.
    pub host: Option<String>,
    /// `Path`.
    pub path: Option<String>,
    /// `Query`.
    pub query: Option<String>,
    /// `StatusCode`, `HTTP_301` or `HTTP_302`.
    pub status_code: String,
}

/// Source: ELB API, `FixedResponseActionConfig`.
#[derive(Clone, Debug, Default)]
pub struct FixedResponseConfig {
    /// `MessageBody`.
    pub message_body: Option<String>,
    /// `StatusCode`.
    pub status_code: String,
    /// `ContentType`.
    pub content_type: Option<String>,
}

/// Source: ELB API, `AuthenticateOidcActionConfig`.
#[derive(Clone, Debug, Default)]
pub struct AuthenticateOidcConfig {
    /// `Issuer`.
    pub issuer: String,
    /// `AuthorizationEndpoint`.
    pub authorization_endpoint: String,
    /// `TokenEndpoint`.
    pub token_endpoint: String,
    /// `UserInfoEndpoint`.
    pub user_info_endpoint: String,
    /// `ClientId`.
    pub client_id: String,
    /// `ClientSecret`.
    pub client_secret: Option<Secret>,
    /// `UseExistingClientSecret`.
    pub use_existing_client_secret: Option<bool>,
    /// The members that a login at a user pool has too.
    pub login: Login,
}

/// Source: ELB API, `AuthenticateCognitoActionConfig`.
#[derive(Clone, Debug, Default)]
pub struct AuthenticateCognitoConfig {
    /// `UserPoolArn`.
    pub user_pool_arn: String,
    /// `UserPoolClientId`.
    pub user_pool_client_id: String,
    /// `UserPoolDomain`.
    pub user_pool_domain: String,
    /// The members that a login at any provider has.
    pub login: Login,
}

/// What both kinds of login have.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// `SessionCookieName`.
    pub session_cookie_name: Option<String>,
    /// `Scope`.
    pub scope: Option<String>,
    /// `SessionTimeout`.
    pub session_timeout: Option<i64>,
    /// `AuthenticationRequestExtraParams`.
    pub extra_params: Pairs,
    /// `OnUnauthenticatedRequest`.
    pub on_unauthenticated_request: Option<OnUnauthenticatedRequest>,
}

/// A transform of a request. Source: ELB API, `RuleTransform`.
#[derive(Clone, Debug)]
pub struct RuleTransform {
    /// `Type`.
    pub transform_type: TransformType,
    /// `HostHeaderRewriteConfig`: expression and replacement of each of its `Rewrites`.
    pub host_header_rewrite_config: Option<Pairs>,
    /// `UrlRewriteConfig`: expression and replacement of each of its `Rewrites`.
    pub url_rewrite_config: Option<Pairs>,
}

/// A condition of a request. Source: ELB API, `RuleCondition`.
#[derive(Clone, Debug, Default)]
pub struct RuleCondition {
    /// `Field`.
    pub field: Option<String>,
    /// `Values`, the older form for `host-header` and `path-pattern`; absent members are empty.
    pub values: Vec<String>,
    /// `RegexValues` beside `Values`, for `http-header` too.
    pub regex_values: Vec<String>,
    /// `HostHeaderConfig`.
    pub host_header_config: Option<PatternConfig>,
    /// `PathPatternConfig`.
    pub path_pattern_config: Option<PatternConfig>,
    /// `HttpHeaderConfig`.
    pub http_header_config: Option<HttpHeaderConfig>,
    /// `HttpRequestMethodConfig`.
    pub http_request_method_config: Option<HttpRequestMethodConfig>,
    /// `QueryStringConfig`.
    pub query_string_config: Option<QueryStringConfig>,
    /// `SourceIpConfig`.
    pub source_ip_config: Option<SourceIpConfig>,
}

/// Source: ELB API, `HostHeaderConditionConfig` and `PathPatternConditionConfig`.
#[derive(Clone, Debug, Default)]
pub struct PatternConfig {
    /// `Values`.
    pub values: Vec<String>,
    /// `RegexValues`.
    pub regex_values: Vec<String>,
}

/// Source: ELB API, `HttpHeaderConditionConfig`.
#[derive(Clone, Debug, Default)]
pub struct HttpHeaderConfig {
    /// `HttpHeaderName`.
    pub http_header_name: Option<String>,
    /// `Values`.
    pub values: Vec<String>,
    /// `RegexValues`.
    pub regex_values: Vec<String>,
}

/// Source: ELB API, `HttpRequestMethodConditionConfig`.
#[derive(Clone, Debug, Default)]
pub struct HttpRequestMethodConfig {
    /// `Values`.
    pub values: Vec<String>,
}

/// Source: ELB API, `QueryStringConditionConfig`.
#[derive(Clone, Debug, Default)]
pub struct QueryStringConfig {
    /// `Values`: key and value of each.
    pub values: Vec<(Option<String>, Option<String>)>,
}

/// Source: ELB API, `SourceIpConditionConfig`.
#[derive(Clone, Debug, Default)]
pub struct SourceIpConfig {
    /// `Values`.
    pub values: Vec<String>,
    /// `IpAddressType`, for Network Load Balancers only.
    pub ip_address_type: Option<String>,
}

/// Source: ELB API, `SubnetMapping`.
#[derive(Clone, Debug, Default)]
pub struct SubnetMapping {
    /// `SubnetId`.
    pub subnet_id: Option<String>,
    /// `AllocationId`.
    pub allocation_id: Option<String>,
    /// `PrivateIPv4Address`.
    pub private_ipv4_address: Option<String>,
    /// `IPv6Address`.
    pub ipv6_address: Option<String>,
    /// `SourceNatIpv6Prefix`.
    pub source_nat_ipv6_prefix: Option<String>,
}

text_enum! {
    /// Source: ELB API, `AdvertiseTrustStoreCaNamesEnum`.
    pub enum AdvertiseTrustStoreCaNames {
        /// Clients are told the names of the authorities.
        On = "on",
        /// They are not.
        Off = "off",
    }
}

text_enum! {
    /// Source: ELB API, `TrustStoreAssociationStatusEnum`.
    pub enum TrustStoreAssociationStatus {
        /// The trust store can be used.
        Active = "active",
        /// Its owner has taken it back.
        Removed = "removed",
    }
}

/// What only listeners with TLS have. Source: ELB API, `CreateListener`.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// `SslPolicy`.
    pub ssl_policy: Option<String>,
    /// `Certificates`.
    pub certificates: Vec<CertificateSetting>,
    /// `AlpnPolicy`.
    pub alpn_policy: Vec<String>,
    /// `MutualAuthentication`.
    pub mutual_authentication: Option<MutualAuthenticationAttributes>,
}

/// Source: ELB API, `Certificate`.
#[derive(Clone, Debug, Default)]
pub struct CertificateSetting {
    /// `CertificateArn`.
    pub certificate_arn: Option<String>,
    /// `IsDefault`, which is for answers only.
    pub is_default: Option<bool>,
}

/// Source: ELB API, `MutualAuthenticationAttributes`.
#[derive(Clone, Debug, Default)]
pub struct MutualAuthenticationAttributes {
    /// `Mode`.
    pub mode: Option<String>,
    /// `TrustStoreArn`.
    pub trust_store_arn: Option<String>,
    /// `IgnoreClientCertificateExpiry`.
    pub ignore_client_certificate_expiry: Option<bool>,
    /// `TrustStoreAssociationStatus`, which is for answers only.
    pub trust_store_association_status: Option<TrustStoreAssociationStatus>,
    /// `AdvertiseTrustStoreCaNames`.
    pub advertise_trust_store_ca_names: Option<AdvertiseTrustStoreCaNames>,
}

/// The settings of health checks of a request. Source: ELB API, `CreateTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct HealthCheckSettings {
    /// `HealthCheckProtocol`.
    pub protocol: Option<model::protocol::Protocol>,
    /// `HealthCheckPort`.
    pub port: Option<String>,
    /// `HealthCheckEnabled`.
    pub enabled: Option<bool>,
    /// `HealthCheckPath`.
    pub path: Option<String>,
    /// `HealthCheckIntervalSeconds`.
    pub interval_seconds: Option<i32>,
    /// `HealthCheckTimeoutSeconds`.
    pub timeout_seconds: Option<i32>,
    /// `HealthyThresholdCount`.
    pub healthy_threshold_count: Option<i32>,
    /// `UnhealthyThresholdCount`.
    pub unhealthy_threshold_count: Option<i32>,
    /// `Matcher`.
    pub matcher: Option<Matcher>,
}

/// Source: ELB API, `Matcher`.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    /// `HttpCode`.
    pub http_code: Option<String>,
    /// `GrpcCode`.
    pub grpc_code: Option<String>,
}

/// Source: ELB API, `TargetDescription`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetDescription {
    /// `Id`.
    pub id: String,
    /// `Port`.
    pub port: Option<i32>,
    /// `AvailabilityZone`.
    pub availability_zone: Option<String>,
    /// `QuicServerId`.
    pub quic_server_id: Option<String>,
}
