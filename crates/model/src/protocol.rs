//! The protocols of listeners, target groups and health checks, and the IP families.

use crate::text_enum;

text_enum! {
    /// What a listener or a target speaks.
    ///
    /// Source: ELB API, `ProtocolEnum`.
    pub enum Protocol {
        /// HTTP over TCP.
        Http = "HTTP",
        /// HTTP over TLS.
        Https = "HTTPS",
        /// Bytes over TCP.
        Tcp = "TCP",
        /// Bytes over TLS.
        Tls = "TLS",
        /// Datagrams.
        Udp = "UDP",
        /// Both on one port.
        TcpUdp = "TCP_UDP",
        /// Encapsulated packets, for gateway load balancers.
        Geneve = "GENEVE",
        /// QUIC passed through.
        Quic = "QUIC",
        /// QUIC and TCP on one port.
        TcpQuic = "TCP_QUIC",
    }
}

text_enum! {
    /// Which addresses a load balancer or a target group has.
    ///
    /// Source: ELB API, `IpAddressType`.
    pub enum IpAddressType {
        /// IPv4 only.
        Ipv4 = "ipv4",
        /// IPv4 and IPv6.
        Dualstack = "dualstack",
        /// IPv6 in public, private IPv4 only.
        DualstackWithoutPublicIpv4 = "dualstack-without-public-ipv4",
    }
}

text_enum! {
    /// Which addresses the targets of a target group have.
    ///
    /// Source: ELB API, `TargetGroupIpAddressTypeEnum`.
    pub enum TargetGroupIpAddressType {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }
}
