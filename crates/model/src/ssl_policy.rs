//! The security policies of HTTPS and TLS listeners: which protocols and ciphers each of them allows.
//!
//! The names are AWS's and stand for nothing but this table, which is what `DescribeSSLPolicies`
//! answers and what the handshakes of every policy are tested against.
//! Source: Elastic Load Balancing, "Security policies for your Application Load Balancer".

mod ciphers;

use crate::load_balancer::LoadBalancerType;
use crate::text_enum;

use TlsProtocol::{Tls10, Tls11, Tls12, Tls13};
use ciphers::*;

text_enum! {
    /// A version of TLS, as the ELB API names it.
    ///
    /// Source: ELB API, `SslPolicy`, `SslProtocols`.
    pub enum TlsProtocol {
        /// RFC 2246.
        Tls10 = "TLSv1",
        /// RFC 4346.
        Tls11 = "TLSv1.1",
        /// RFC 5246.
        Tls12 = "TLSv1.2",
        /// RFC 8446.
        Tls13 = "TLSv1.3",
    }
}

/// What the handshakes of a listener may agree on.
///
/// Source: ELB API, `SslPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SslPolicy {
    /// Such as `ELBSecurityPolicy-2016-08`; compared by case.
    pub name: &'static str,
    /// The versions, oldest first.
    pub protocols: &'static [TlsProtocol],
    /// The ciphers by their OpenSSL names, in the order in which the server prefers them. The API's
    /// `Priority` is the place in this list, counted from 1.
    pub ciphers: &'static [&'static str],
    /// Where the policy is listed.
    pub supported_load_balancer_types: &'static [LoadBalancerType],
}

impl SslPolicy {
    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SSL_POLICIES.iter().find(|policy| policy.name == name)
    }

    /// Whether a load balancer of that type may use it.
    #[must_use]
    pub fn is_supported_by(&self, kind: LoadBalancerType) -> bool {
        self.supported_load_balancer_types.contains(&kind)
    }

    /// Whether TLS 1.3 may be agreed on.
    #[must_use]
    pub fn allows_tls13(&self) -> bool {
        self.protocols.contains(&TlsProtocol::Tls13)
    }

    /// Whether it adds the hybrid post-quantum groups to the key exchange.
    #[must_use]
    pub fn is_post_quantum(&self) -> bool {
        self.name.contains("-PQ-")
    }

    /// Whether it keeps to what FIPS 140-3 approves; such a policy has no ChaCha20.
    #[must_use]
    pub fn is_fips(&self) -> bool {
        self.name.contains("-FIPS-")
    }

    /// Whether it follows the CNSA profile of RFC 9151.
    #[must_use]
    pub fn is_rfc9151(&self) -> bool {
        self.name.contains("-RFC9151-")
    }
}

/// The policy of a listener that was created without one.
pub const DEFAULT_SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// The policy of the connections to targets, which follows from the policies of all the TLS listeners
/// of a load balancer.
///
/// Source: "Security policies for your Application Load Balancer", "Backend connections".
#[must_use]
pub fn target_ssl_policy(listeners: &[&SslPolicy]) -> &'static SslPolicy {
    let any = |test: fn(&SslPolicy) -> bool| listeners.iter().any(|policy| test(policy));
    let name = if any(SslPolicy::is_rfc9151) {
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07"
    } else if any(|policy| policy.is_fips() && policy.is_post_quantum()) {
        "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09"
    } else if any(SslPolicy::is_fips) {
        "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04"
    } else if any(SslPolicy::is_post_quantum) {
        "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09"
    } else if any(SslPolicy::allows_tls13) {
        "ELBSecurityPolicy-TLS13-1-0-2021-06"
    } else {
        DEFAULT_SSL_POLICY
    };
    SslPolicy::named(name).expect("the policies towards targets are in the table")
}

/// Every policy, in the order in which `DescribeSSLPolicies` lists them.
pub const SSL_POLICIES: &[SslPolicy] = &[
    policy("ELBSecurityPolicy-TLS13-1-3-2021-06", ONLY_1_3, T3),
    policy("ELBSecurityPolicy-TLS13-1-2-2021-06", FROM_1_2, T3_G_C),
    policy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", FROM_1_2, T3_G),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
        FROM_1_2,
        T3_G_C_R1,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
        FROM_1_2,
        T3_G_C_S_R,
    ),
    policy("ELBSecurityPolicy-TLS13-1-1-2021-06", FROM_1_1, T3_G_C_S_R),
    policy("ELBSecurityPolicy-TLS13-1-0-2021-06", FROM_1_0, T3_G_C_S_R),
    policy("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", ONLY_1_3, T3),
    policy("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", FROM_1_2, T3_G_C),
    policy("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", FROM_1_2, T3_G),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09",
        FROM_1_2,
        T3_G_C_R1,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09",
        FROM_1_2,
        T3_G_C_S_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09",
        FROM_1_0,
        T3_G_C_S_R,
    ),
    policy("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", ONLY_1_3, T3F),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
        FROM_1_2,
        T3F_G_C,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
        FROM_1_2,
        T3F_G,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04",
        FROM_1_2,
        T3F_G_C_S,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04",
        FROM_1_2,
        T3F_G_C_R1,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04",
        FROM_1_2,
        T3F_G_C_S_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04",
        FROM_1_1,
        T3F_G_C_S_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04",
        FROM_1_0,
        T3F_G_C_S_R,
    ),
    policy("ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09", ONLY_1_3, T3F),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
        FROM_1_2,
        T3F_G_C,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
        FROM_1_2,
        T3F_G,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-PQ-2025-09",
        FROM_1_2,
        T3F_G_C_S,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-PQ-2025-09",
        FROM_1_2,
        T3F_G_C_R1,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-PQ-2025-09",
        FROM_1_2,
        T3F_G_C_S_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09",
        FROM_1_0,
        T3F_G_C_S_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07",
        ONLY_1_3,
        CNSA_T3,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07",
        FROM_1_2,
        CNSA_T3_G,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
        FROM_1_2,
        CNSA_T3_G_R,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07",
        FROM_1_2,
        CNSA_INTEROP_1,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07",
        FROM_1_2,
        CNSA_INTEROP_2,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07",
        FROM_1_2,
        CNSA_INTEROP_3,
    ),
    policy(
        "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
        FROM_1_2,
        CNSA_INTEROP_4,
    ),
    policy("ELBSecurityPolicy-FS-1-2-Res-2020-10", ONLY_1_2, G),
    policy("ELBSecurityPolicy-FS-1-2-Res-2019-08", ONLY_1_2, G_C),
    policy("ELBSecurityPolicy-FS-1-2-2019-08", ONLY_1_2, G_C_S),
    policy(
        "ELBSecurityPolicy-FS-1-1-2019-08",
        UP_TO_1_2_FROM_1_1,
        G_C_S,
    ),
    policy("ELBSecurityPolicy-FS-2018-06", UP_TO_1_2_FROM_1_0, G_C_S),
    policy("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", ONLY_1_2, G_C_S_R),
    policy("ELBSecurityPolicy-TLS-1-2-2017-01", ONLY_1_2, G_C_R1),
    policy(
        "ELBSecurityPolicy-TLS-1-1-2017-01",
        UP_TO_1_2_FROM_1_1,
        G_C_S_R,
    ),
    policy("ELBSecurityPolicy-2016-08", UP_TO_1_2_FROM_1_0, G_C_S_R),
    // The old name of 2016-08, which is no longer listed for Application Load Balancers.
    SslPolicy {
        supported_load_balancer_types: NETWORK_ONLY,
        ..policy("ELBSecurityPolicy-2015-05", UP_TO_1_2_FROM_1_0, G_C_S_R)
    },
    policy(
        "ELBSecurityPolicy-TLS-1-0-2015-04",
        UP_TO_1_2_FROM_1_0,
        G_C_S_R_DES,
    ),
];

/// A policy of both kinds of load balancers that terminate TLS.
const fn policy(
    name: &'static str,
    protocols: &'static [TlsProtocol],
    ciphers: &'static [&'static str],
) -> SslPolicy {
    SslPolicy {
        name,
        protocols,
        ciphers,
        supported_load_balancer_types: APPLICATION_AND_NETWORK,
    }
}

const APPLICATION_AND_NETWORK: &[LoadBalancerType] =
    &[LoadBalancerType::Application, LoadBalancerType::Network];
const NETWORK_ONLY: &[LoadBalancerType] = &[LoadBalancerType::Network];

const ONLY_1_3: &[TlsProtocol] = &[Tls13];
const FROM_1_2: &[TlsProtocol] = &[Tls12, Tls13];
const FROM_1_1: &[TlsProtocol] = &[Tls11, Tls12, Tls13];
const FROM_1_0: &[TlsProtocol] = &[Tls10, Tls11, Tls12, Tls13];
const ONLY_1_2: &[TlsProtocol] = &[Tls12];
const UP_TO_1_2_FROM_1_1: &[TlsProtocol] = &[Tls11, Tls12];
const UP_TO_1_2_FROM_1_0: &[TlsProtocol] = &[Tls10, Tls11, Tls12];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_policy_has_a_name_of_its_own_and_ciphers_for_its_protocols() {
        let mut names = HashSet::new();
        for policy in SSL_POLICIES {
            let name = policy.name;
            assert!(names.insert(name), "{name} is in the table twice");
            assert!(name.starts_with("ELBSecurityPolicy-"), "{name}");
            assert!(
                policy.protocols.is_sorted(),
                "{name} lists the oldest protocol first"
            );
            let unique: HashSet<_> = policy.ciphers.iter().collect();
            assert_eq!(
                unique.len(),
                policy.ciphers.len(),
                "{name} lists a cipher twice"
            );

            // The ciphers of TLS 1.3 are of no use to older versions, and the reverse.
            let (new, old): (Vec<&str>, Vec<&str>) = policy
                .ciphers
                .iter()
                .partition(|cipher| cipher.starts_with("TLS_"));
            assert_eq!(!new.is_empty(), policy.allows_tls13(), "{name}");
            let is_old_allowed = policy.protocols.iter().any(|protocol| *protocol < Tls13);
            assert_eq!(!old.is_empty(), is_old_allowed, "{name}");
            let has_chacha20 = policy
                .ciphers
                .iter()
                .any(|cipher| cipher.contains("CHACHA20"));
            assert_eq!(
                has_chacha20,
                policy.allows_tls13() && !policy.is_fips(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_policy_is_found_by_its_whole_name() {
        let policy = SslPolicy::named(DEFAULT_SSL_POLICY).expect("the default is in the table");
        assert_eq!(policy.protocols, [Tls10, Tls11, Tls12]);
        assert_eq!(
            policy.ciphers.first(),
            Some(&"ECDHE-ECDSA-AES128-GCM-SHA256")
        );
        assert_eq!(policy.ciphers.len(), 18);
        assert!(policy.is_supported_by(LoadBalancerType::Application));
        assert_eq!(SslPolicy::named("ELBSecurityPolicy-2016-8"), None);
        assert_eq!(SslPolicy::named("elbsecuritypolicy-2016-08"), None);
    }

    #[test]
    fn the_policy_towards_targets_follows_the_strictest_family_of_the_listeners() {
        let check = |listeners: &[&str], expected: &str| {
            let full = |name: &str| SslPolicy::named(&format!("ELBSecurityPolicy-{name}"));
            let policies: Vec<&SslPolicy> = listeners
                .iter()
                .map(|name| full(name).expect("a policy of the table"))
                .collect();
            let chosen = target_ssl_policy(&policies).name;
            assert_eq!(
                chosen,
                format!("ELBSecurityPolicy-{expected}"),
                "{listeners:?}"
            );
        };
        check(&[], "2016-08");
        check(&["FS-1-2-Res-2020-10"], "2016-08");
        check(&["2016-08", "TLS13-1-2-2021-06"], "TLS13-1-0-2021-06");
        check(
            &["TLS13-1-2-2021-06", "TLS13-1-2-PQ-2025-09"],
            "TLS13-1-0-PQ-2025-09",
        );
        check(
            &["TLS13-1-2-PQ-2025-09", "TLS13-1-3-FIPS-2023-04"],
            "TLS13-1-0-FIPS-2023-04",
        );
        check(
            &["TLS13-1-3-FIPS-2023-04", "TLS13-1-3-FIPS-PQ-2025-09"],
            "TLS13-1-0-FIPS-PQ-2025-09",
        );
        check(
            &[
                "TLS13-1-3-FIPS-PQ-2025-09",
                "TLS13-1-2-RFC9151-FIPS-2023-07",
            ],
            "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
        );
    }
}
