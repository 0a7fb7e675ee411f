//! Texts: strings, regular expressions, URLs, encodings and digests.

mod basic;
mod compare;
mod digest;
mod encode;
mod format;
mod join;
mod regexp;
mod search;
mod split;
mod trim;
mod url;

use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::define::{Doc, Family, Function, Returns};

const STRINGS: Family = Family {
    title: "Texts",
    page: "https://trino.io/docs/current/functions/string.html",
};
const REGULAR: Family = Family {
    title: "Regular expressions",
    page: "https://trino.io/docs/current/functions/regexp.html",
};
const URLS: Family = Family {
    title: "URLs",
    page: "https://trino.io/docs/current/functions/url.html",
};
const BINARY: Family = Family {
    title: "Bytes, encodings and digests",
    page: "https://trino.io/docs/current/functions/binary.html",
};

const VARCHAR: Returns = Returns::Type(|_| Ok(DataType::Utf8View));

const fn doc(
    family: Family,
    syntax: &'static str,
    description: &'static str,
    example: &'static str,
) -> Doc {
    Doc {
        family,
        syntax,
        description,
        example,
    }
}

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut functions = vec![
        basic::CHR,
        basic::CODEPOINT,
        basic::LENGTH,
        basic::LOWER,
        basic::REVERSE,
        basic::TITLE_CASE,
        basic::TRANSLATE,
        basic::UPPER,
        compare::HAMMING_DISTANCE,
        compare::LEVENSHTEIN_DISTANCE,
        compare::LUHN_CHECK,
        compare::SOUNDEX,
        format::FORMAT,
        join::CONCAT,
        join::CONCAT_WS,
        search::ENDS_WITH,
        search::REPLACE,
        search::STARTS_WITH,
        search::STRPOS,
        search::SUBSTR,
        split::SPLIT,
        split::SPLIT_PART,
        split::SPLIT_TO_MAP,
        split::SPLIT_TO_MULTIMAP,
        trim::LPAD,
        trim::LTRIM,
        trim::RPAD,
        trim::RTRIM,
        trim::TRIM,
    ];
    functions.extend(regexp::FUNCTIONS);
    functions.extend(url::FUNCTIONS);
    functions.extend(encode::FUNCTIONS);
    functions.extend(digest::FUNCTIONS);
    functions.into_iter().map(Function::into_udf).collect()
}

#[cfg(test)]
mod tests;
