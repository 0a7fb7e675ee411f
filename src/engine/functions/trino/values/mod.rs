//! Conversion, conditions, addresses and what is left.

pub(in crate::engine) mod network;

use datafusion::logical_expr::ScalarUDF;

use super::define::{Family, Function};

const NETWORK: Family = Family {
    title: "Addresses",
    page: "https://trino.io/docs/current/functions/ipaddress.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    [
        network::IP_PREFIX,
        network::IP_SUBNET_MAX,
        network::IP_SUBNET_MIN,
        network::IP_SUBNET_RANGE,
        network::IS_SUBNET_OF,
    ]
    .into_iter()
    .map(Function::into_udf)
    .collect()
}
