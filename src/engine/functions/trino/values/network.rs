//! Addresses and networks as text: `ip_prefix`, `ip_subnet_min`, `ip_subnet_max`, `ip_subnet_range`,
//! `is_subnet_of`, and what `contains(network, address)` means.
//!
//! Trino has types for them, and casting a text that is no address fails there. Here they are texts, and
//! what is no address is NULL: `sourceipaddress` also holds names of services.

use std::net::IpAddr;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::NETWORK as FAMILY;
use crate::engine::functions::arguments::text_list;
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

/// Addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    bits: u32,
}

pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn width(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The address with a number, of the same version as `like`.
fn numbered(number: u128, like: IpAddr) -> IpAddr {
    match (like, u32::try_from(number)) {
        (IpAddr::V4(_), Ok(number)) => IpAddr::V4(number.into()),
        _ => IpAddr::V6(number.into()),
    }
}

impl Network {
    fn new(ip: IpAddr, bits: u32) -> Option<Self> {
        let host_bits = width(ip).checked_sub(bits)?;
        let base = number(ip) & !ones(host_bits);
        let base = numbered(base, ip);
        Some(Self { base, bits })
    }

    /// An address alone is a network of one.
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            Some((ip, bits)) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let ip = ip.parse::<IpAddr>().ok()?;
                Self::new(ip, bits.parse().ok()?)
            }
            Some(_) => None,
            None => address(text).and_then(|ip| Self::new(ip, width(ip))),
        }
    }

    fn last(self) -> IpAddr {
        let host_bits = width(self.base).saturating_sub(self.bits);
        numbered(number(self.base) | ones(host_bits), self.base)
    }

    fn contains(self, other: Self) -> bool {
        width(self.base) == width(other.base)
            && self.bits <= other.bits
            && (number(self.base)..=number(self.last())).contains(&number(other.base))
    }
}

/// A number of that many low bits.
fn ones(bits: u32) -> u128 {
    1u128.checked_shl(bits).map_or(u128::MAX, |bit| bit - 1)
}

/// `contains(network, address)` over texts. The network is read once as long as it is the same.
///
/// # Errors
///
/// Where the network is none; an address that is none is NULL.
pub(in crate::engine) fn contains(
    function: &str,
    args: &ScalarFunctionArgs,
) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (networks, addresses) = (rows.texts(0)?, rows.texts(1)?);
    let mut last: Option<(&str, Network)> = None;
    rows.give_truths(|row| {
        let Some(text) = networks.get(row) else {
            return Ok(None);
        };
        let network = match last {
            Some((known, network)) if known == text => network,
            _ => Network::parse(text).ok_or_else(|| no_network(function, text))?,
        };
        last = Some((text, network));
        let inner = addresses.get(row).and_then(Network::parse);
        Ok(inner.map(|inner| network.contains(inner)))
    })
}

fn no_network(function: &str, text: &str) -> datafusion::common::DataFusionError {
    exec_datafusion_err!(
        "`{function}` takes a network like `10.0.0.0/8`, not `{}`",
        shown(text)
    )
}

pub(super) const IS_SUBNET_OF: Function = Function::new(
    "is_subnet_of",
    Doc {
        family: FAMILY,
        syntax: "is_subnet_of(network, address) → boolean\nis_subnet_of(network, network) → boolean",
        description: "Whether an address or a network lies in a network. NULL where the second is \
            neither, as names of services in `sourceipaddress` are; an error where the first is none.",
        example: "is_subnet_of('10.0.0.0/8', '10.1.2.3') -- true",
    },
    |given| coerce("is_subnet_of", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| contains("is_subnet_of", args),
);

pub(super) const IP_PREFIX: Function = Function::new(
    "ip_prefix",
    Doc {
        family: FAMILY,
        syntax: "ip_prefix(address, bits) → varchar",
        description: "The network of that many bits that an address lies in. NULL where the text is no \
            address; an error where the address has fewer bits.",
        example: "ip_prefix('192.168.255.255', 9) -- 192.128.0.0/9",
    },
    |given| coerce("ip_prefix", given, &[Kind::Text, Kind::Integer], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    prefix,
);

fn prefix(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (addresses, sizes) = (rows.texts(0)?, rows.integers(1)?);
    rows.give_texts(|row| {
        let ip = addresses.get(row).and_then(address);
        let Some((ip, bits)) = ip.zip(sizes.get(row)) else {
            return Ok(None);
        };
        let network = u32::try_from(bits)
            .ok()
            .and_then(|bits| Network::new(ip, bits));
        match network {
            Some(network) => Ok(Some(format!("{}/{}", network.base, network.bits))),
            None => exec_err!("`ip_prefix` takes 0 to {} bits, not `{bits}`", width(ip)),
        }
    })
}

pub(super) const IP_SUBNET_MIN: Function = Function::new(
    "ip_subnet_min",
    Doc {
        family: FAMILY,
        syntax: "ip_subnet_min(network) → varchar",
        description: "The first address of a network. NULL where the text is no network.",
        example: "ip_subnet_min('192.168.1.7/24') -- 192.168.1.0",
    },
    |given| coerce("ip_subnet_min", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let networks = rows.texts(0)?;
        rows.give_texts(|row| {
            let network = networks.get(row).and_then(Network::parse);
            Ok(network.map(|network| network.base.to_string()))
        })
    },
);

pub(super) const IP_SUBNET_MAX: Function = Function::new(
    "ip_subnet_max",
    Doc {
        family: FAMILY,
        syntax: "ip_subnet_max(network) → varchar",
        description: "The last address of a network. NULL where the text is no network.",
        example: "ip_subnet_max('192.168.1.7/24') -- 192.168.1.255",
    },
    |given| coerce("ip_subnet_max", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let networks = rows.texts(0)?;
        rows.give_texts(|row| {
            let network = networks.get(row).and_then(Network::parse);
            Ok(network.map(|network| network.last().to_string()))
        })
    },
);

pub(super) const IP_SUBNET_RANGE: Function = Function::new(
    "ip_subnet_range",
    Doc {
        family: FAMILY,
        syntax: "ip_subnet_range(network) → array(varchar)",
        description: "The first and the last address of a network. NULL where the text is no network.",
        example: "ip_subnet_range('10.0.0.0/30') -- [10.0.0.0, 10.0.0.3]",
    },
    |given| coerce("ip_subnet_range", given, &[Kind::Text], 1),
    Returns::Type(|_| {
        let item = Field::new_list_field(DataType::Utf8, true);
        Ok(DataType::List(std::sync::Arc::new(item)))
    }),
    |args| {
        let rows = Rows::new(args);
        let networks = rows.texts(0)?;
        rows.give(text_list((0..rows.n_rows()).map(|row| {
            let network = networks.get(row).and_then(Network::parse)?;
            Some(vec![network.base.to_string(), network.last().to_string()])
        })))
    },
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::functions::trino::checks::check;

    #[test]
    fn networks_contain_addresses() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.1.2", Some(true)),
            ("10.1.2.3/8", "10.255.1.2", Some(true)),
            ("10.0.0.0/8", "11.0.0.0", Some(false)),
            ("10.0.0.0/8", "::ffff:10.0.0.1", Some(true)),
            ("10.0.0.0/8", "10.1.0.0/16", Some(true)),
            ("10.1.0.0/16", "10.0.0.0/8", Some(false)),
            ("0.0.0.0/0", "255.1.1.1", Some(true)),
            ("0.0.0.0/0", "2001:db8::1", Some(false)),
            ("::/0", "2001:db8::1", Some(true)),
            ("2001:db8::/32", "2001:db8:ffff::1", Some(true)),
            ("1.2.3.4", "1.2.3.4", Some(true)),
            ("1.2.3.4/32", "1.2.3.5", Some(false)),
            ("10.0.0.0/8", "ec2.amazonaws.com", None),
            ("10.0.0.0/8", "AWS Internal", None),
            ("10.0.0.0/33", "10.0.0.0", None),
            ("10.0.0.0/-1", "10.0.0.0", None),
            ("10.0.0.0/", "10.0.0.0", None),
            ("", "", None),
        ] {
            assert_eq!(
                Network::parse(network)
                    .zip(Network::parse(address))
                    .map(|(network, address)| network.contains(address)),
                expected,
                "{network} {address}"
            );
        }
    }

    #[test]
    fn network_functions() {
        check(&[
            ("ip_prefix('192.168.255.255', 9)", "192.128.0.0/9"),
            ("ip_prefix('2001:db8:1::1', 32)", "2001:db8::/32"),
            ("ip_prefix('s3.amazonaws.com', 9)", "NULL"),
            ("ip_prefix('1.2.3.4', 33)", "error: takes 0 to 32 bits"),
            ("ip_subnet_min('192.168.1.7/24')", "192.168.1.0"),
            ("ip_subnet_max('192.168.1.7/24')", "192.168.1.255"),
            (
                "ip_subnet_max('::/0')",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
            ("ip_subnet_range('10.0.0.0/30')", "[10.0.0.0, 10.0.0.3]"),
            ("ip_subnet_range(NULL)", "NULL"),
            ("is_subnet_of('10.0.0.0/8', '10.1.2.3')", "true"),
            ("is_subnet_of('10.0.0.0/8', 'AWS Internal')", "NULL"),
            (
                "is_subnet_of('ten', '10.1.2.3')",
                "error: takes a network like",
            ),
        ]);
    }
}
