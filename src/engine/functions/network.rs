//! Source addresses: `ip_network`, `is_public_ip`, `in_network`.
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

/// Whether the address lies in the network, given as `address/bits` or as one address.
fn is_in(text: &str, cidr: &str) -> bool {
    let (base, bits) = match cidr.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (cidr, Some(u128::BITS)),
    };
    let same = |a: u128, b: u128, width: u32, bits: u32| {
        let shift = width - bits.min(width);
        a.checked_shr(shift) == b.checked_shr(shift)
    };
    match (parse(text), parse(base), bits) {
        (Some(IpAddr::V4(ip)), Some(IpAddr::V4(net)), Some(bits)) => same(
            u128::from(ip.to_bits()),
            u128::from(net.to_bits()),
            32,
            bits,
        ),
        (Some(IpAddr::V6(ip)), Some(IpAddr::V6(net)), Some(bits)) => {
            same(ip.to_bits(), net.to_bits(), 128, bits)
        }
        _ => false,
    }
}

pub(super) fn in_network() -> ScalarUDF {
    Spec {
        name: "in_network",
        parameters: &[
            ("ip", "an address, as in `sourceipaddress`"),
            ("cidr", "a network, as in `known_networks`: `203.0.113.0/24`, or one address"),
        ],
        description: "Whether an address lies in a network. False where either text is none; NULL if \
            either is NULL.",
        example: "in_network('203.0.113.77', '203.0.113.0/24') -- true",
        body: Body::TruthOfTwo(is_in),
    }
    .into_udf()
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
    fn addresses_in_networks() {
        for (text, cidr, expected) in [
            ("203.0.113.77", "203.0.113.0/24", true),
            ("203.0.113.77", "203.0.113.64/27", true),
            ("203.0.113.77", "203.0.113.0/26", false),
            ("203.0.113.77", "203.0.113.77", true),
            ("203.0.113.77", "0.0.0.0/0", true),
            ("::ffff:203.0.113.77", "203.0.113.0/24", true),
            ("2001:db8::5", "2001:db8::/32", true),
            ("2001:db9::5", "2001:db8::/32", false),
            ("2001:db8::5", "::/0", true),
            ("2001:db8::5", "0.0.0.0/0", false),
            ("ec2.amazonaws.com", "0.0.0.0/0", false),
            ("203.0.113.77", "203.0.113.0/x", false),
            ("203.0.113.77", "office", false),
        ] {
            assert_eq!(is_in(text, cidr), expected, "{text} {cidr}");
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
