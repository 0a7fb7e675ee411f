//! Source addresses: `ip_network`, `is_public_ip`.
//!
//! The field also holds service names, "AWS Internal" and, in anonymized sets, impossible addresses;
//! all of these are NULL.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};

fn parse(text: &str) -> Option<IpAddr> {
    // Most texts that are no address are names; their first letter tells.
    let first = text.as_bytes().first()?;
    if !(first.is_ascii_hexdigit() || *first == b':') {
        return None;
    }
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn network(text: &str) -> Option<Cow<'_, str>> {
    Some(match parse(text)? {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24").into()
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            let net = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            format!("{net}/48").into()
        }
    })
}

fn is_public(text: &str) -> Option<bool> {
    Some(match parse(text)? {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    })
}

/// By the IANA registry of special addresses. The ranges for documentation count as public: in
/// shared evidence they stand for public addresses.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let carrier_grade_nat = a == 100 && (64..128).contains(&b);
    let protocol_assignments = (a, b, c) == (192, 0, 0);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || carrier_grade_nat
        || protocol_assignments
        || benchmarks
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local())
}

/// Only the global unicast block is handed out.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xe000 == 0x2000
}

pub(super) fn ip_network() -> ScalarUDF {
    Spec {
        name: "ip_network",
        parameters: &[("ip", "an address, as in `sourceipaddress`")],
        description: "The network that an address belongs to for comparison: /24 for IPv4, /48 for \
            IPv6. IPv4 written as IPv6 counts as IPv4. NULL where the text is no address.",
        example: "ip_network('203.0.113.77') -- 203.0.113.0/24",
        body: Body::Text(network),
    }
    .into_udf()
}

pub(super) fn is_public_ip() -> ScalarUDF {
    Spec {
        name: "is_public_ip",
        parameters: &[("ip", "an address, as in `sourceipaddress`")],
        description: "Whether an address is routed on the internet: not private, shared, local, \
            multicast or reserved. The ranges for documentation count as public. NULL where the text \
            is no address.",
        example: "is_public_ip('10.0.0.1') -- false",
        body: Body::Truth(is_public),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (text, expected) in [
            ("203.0.113.77", Some("203.0.113.0/24")),
            ("2001:db8:1:2::5", Some("2001:db8:1::/48")),
            ("::1", Some("::/48")),
            ("::ffff:203.0.113.77", Some("203.0.113.0/24")),
            ("06.237.252.245", None),
            ("225.178.039.250", None),
            ("203.0.113.77:443", None),
            ("cloudformation.amazonaws.com", None),
            ("ec2.amazonaws.com", None),
            ("AWS Internal", None),
            ("", None),
        ] {
            assert_eq!(network(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn public_addresses() {
        for (text, expected) in [
            ("203.0.113.77", Some(true)),
            ("8.8.8.8", Some(true)),
            ("2001:db8::1", Some(true)),
            ("2600:1f18::1", Some(true)),
            ("10.1.2.3", Some(false)),
            ("172.31.0.1", Some(false)),
            ("172.32.0.1", Some(true)),
            ("192.168.0.1", Some(false)),
            ("169.254.169.254", Some(false)),
            ("100.64.0.1", Some(false)),
            ("198.18.0.1", Some(false)),
            ("224.0.0.1", Some(false)),
            ("fd00::1", Some(false)),
            ("::ffff:10.0.0.1", Some(false)),
            ("sts.amazonaws.com", None),
        ] {
            assert_eq!(is_public(text), expected, "{text}");
        }
    }
}
