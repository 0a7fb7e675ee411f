//! Conversion, conditions, addresses and what is left.

mod address;
mod conditions;
mod math;
pub(in crate::engine) mod network;
mod numbers;

use datafusion::logical_expr::ScalarUDF;

use super::define::{Family, Function};

const NETWORK: Family = Family {
    title: "Addresses",
    page: "https://trino.io/docs/current/functions/ipaddress.html",
};
const CONDITIONAL: Family = Family {
    title: "Conditions and types",
    page: "https://trino.io/docs/current/functions/conditional.html",
};
const CONVERSION: Family = Family {
    title: "Conversion",
    page: "https://trino.io/docs/current/functions/conversion.html",
};
const MATH: Family = Family {
    title: "Numbers",
    page: "https://trino.io/docs/current/functions/math.html",
};
const BITS: Family = Family {
    title: "Bits",
    page: "https://trino.io/docs/current/functions/bitwise.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut functions = vec![
        conditions::GREATEST,
        conditions::LEAST,
        conditions::TYPEOF,
        math::TRUNCATE,
        address::IP_ADDRESS,
        address::TRY_IP_ADDRESS,
        address::IP_ORDER,
        network::IP_PREFIX,
        network::IP_SUBNET_MAX,
        network::IP_SUBNET_MIN,
        network::IP_SUBNET_RANGE,
        network::IS_SUBNET_OF,
    ];
    functions.extend(math::FUNCTIONS);
    functions.extend(numbers::FUNCTIONS);
    functions.into_iter().map(Function::into_udf).collect()
}

#[cfg(test)]
mod tests;
