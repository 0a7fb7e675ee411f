//! Addresses as Trino's type IPADDRESS has them: `ip_address`, `try_ip_address`, `ip_order`.
//!
//! CAST and TRY_CAST to that type are made of the first two, comparisons of such values of the third.

use std::net::IpAddr;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::NETWORK as FAMILY;
use super::network::address;
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const IP_ADDRESS: Function = Function::new(
    "ip_address",
    Doc {
        family: FAMILY,
        syntax: "ip_address(text) → varchar",
        description: "What `CAST(text AS ipaddress)` becomes: the address in its shortest spelling, an IPv4 \
                      address in IPv6 as IPv4. A text that is no address is an error.",
        example: "ip_address('2001:0DB8:0::1') -- 2001:db8::1",
    },
    |types| coerce("ip_address", types, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| spelled(args, false),
);

pub(super) const TRY_IP_ADDRESS: Function = Function::new(
    "try_ip_address",
    Doc {
        family: FAMILY,
        syntax: "try_ip_address(text) → varchar",
        description: "What `TRY_CAST(text AS ipaddress)` becomes: as `ip_address`, with NULL where the text \
                      is no address, as names of services are.",
        example: "try_ip_address('cloudtrail.amazonaws.com') -- NULL",
    },
    |types| coerce("try_ip_address", types, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| spelled(args, true),
);

pub(super) const IP_ORDER: Function = Function::new(
    "ip_order",
    Doc {
        family: FAMILY,
        syntax: "ip_order(address) → varchar",
        description: "A text whose order is that of addresses: 32 hexadecimal digits of the address as IPv6. \
                      Comparisons of values that are cast to `ipaddress` are made of it. NULL where the text \
                      is no address.",
        example: "ip_order('10.0.0.2') < ip_order('10.0.0.10') -- true",
    },
    |types| coerce("ip_order", types, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    order,
);

fn spelled(args: &ScalarFunctionArgs, lenient: bool) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    rows.give_texts(|row| match texts.get(row) {
        None => Ok(None),
        Some(text) => match address(text) {
            Some(ip) => Ok(Some(ip.to_string())),
            None if lenient => Ok(None),
            None => exec_err!("`{}` is not an address", shown(text)),
        },
    })
}

fn order(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    rows.give_texts(|row| {
        let ip = texts.get(row).and_then(address);
        Ok(ip.map(|ip| {
            let wide = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            format!("{:032x}", wide.to_bits())
        }))
    })
}

#[cfg(test)]
mod tests {
    use crate::engine::functions::trino::checks::check;

    #[test]
    fn addresses() {
        check(&[
            ("ip_address('::ffff:1.2.3.4')", "1.2.3.4"),
            (
                "ip_address('ec2.amazonaws.com')",
                "error: is not an address",
            ),
            ("try_ip_address('ec2.amazonaws.com')", "NULL"),
            ("ip_order('10.0.0.2') < ip_order('10.0.0.10')", "true"),
            ("ip_order('10.0.0.2') < ip_order('2001:db8::1')", "true"),
            ("ip_order('AWS Internal')", "NULL"),
        ]);
    }
}
