//! Names of types: Trino's, with those that take others in parentheses, to Arrow's.
//!
//! Source: <https://trino.io/docs/current/language/types.html>. Addresses and UUIDs are texts here.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, TimezoneInfo,
};

use crate::engine::functions::types::{address_field, json_field, timestamp, timestamp_with_zone};

/// The name under which a nested type's text passes the parser.
pub(super) const WRITTEN_TYPE: &str = "written_type";

/// Types nest in text of the user's.
const MAX_NESTING: usize = 32;

/// A decimal without a precision, as in Trino.
const DECIMAL_DIGITS: u8 = 38;

#[derive(Debug)]
pub(super) struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let field = match sql_type {
            SqlType::JSON => json_field(""),
            SqlType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
                plain(timestamp_with_zone("UTC"))
            }
            SqlType::Timestamp(digits, _) => plain(timestamp_of(*digits)),
            SqlType::Datetime(_) => plain(timestamp()),
            SqlType::Text | SqlType::String(_) | SqlType::Char(_) | SqlType::Uuid => {
                plain(DataType::Utf8View)
            }
            SqlType::Varbinary(_) | SqlType::Binary(_) => plain(DataType::Binary),
            SqlType::Float(ExactNumberInfo::None) => plain(DataType::Float32),
            SqlType::Array(ArrayElemTypeDef::AngleBracket(_)) => return Ok(None),
            SqlType::Custom(name, arguments) => {
                match (
                    name.to_string().to_lowercase().as_str(),
                    arguments.as_slice(),
                ) {
                    (WRITTEN_TYPE, [text]) => field_of(text)?,
                    ("ipaddress", _) => address_field(""),
                    ("string", _) => plain(DataType::Utf8View),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(field)))
    }
}

fn plain(data_type: DataType) -> Field {
    Field::new("", data_type, true)
}

/// Trino's default is milliseconds; more digits than six are cut to six.
fn timestamp_of(digits: Option<u64>) -> DataType {
    match digits {
        Some(4..) => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => timestamp(),
    }
}

/// The nullable field of a type's text.
///
/// # Errors
///
/// Names the part that is no type.
fn field_of(text: &str) -> Result<Field> {
    let mut reader = Reader { rest: text };
    let field = reader.read(0)?;
    if reader.rest.trim().is_empty() {
        return Ok(field);
    }
    plan_err!(
        "`{text}` is not a type: `{}` is left over",
        reader.rest.trim()
    )
}

/// Reads types from the front of a text.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn read(&mut self, depth: usize) -> Result<Field> {
        if depth > MAX_NESTING {
            return plan_err!("a type nests deeper than {MAX_NESTING}");
        }
        let name = self.word();
        match name.to_lowercase().as_str() {
            "array" => {
                self.expect('(')?;
                let inner = self.read(depth + 1)?.with_name("item");
                self.expect(')')?;
                Ok(plain(DataType::List(Arc::new(inner))))
            }
            "map" => {
                self.expect('(')?;
                let key = self.read(depth + 1)?.with_name("key").with_nullable(false);
                self.expect(',')?;
                let value = self.read(depth + 1)?.with_name("value");
                self.expect(')')?;
                let entry = DataType::Struct(Fields::from(vec![key, value]));
                let entries = Field::new("entries", entry, false);
                Ok(plain(DataType::Map(Arc::new(entries), false)))
            }
            "row" => self.row(depth),
            _ => self.simple(name),
        }
    }

    fn row(&mut self, depth: usize) -> Result<Field> {
        self.expect('(')?;
        let mut fields = Vec::new();
        loop {
            let before = self.rest;
            let name = self.word().to_lowercase();
            // `row(bigint, varchar)` names no fields.
            let named = !self.rest.trim_start().starts_with([',', ')', '(']);
            let name = if named {
                name
            } else {
                self.rest = before;
                format!("field{}", fields.len())
            };
            fields.push(self.read(depth + 1)?.with_name(name));
            if self.eat(')') {
                return Ok(plain(DataType::Struct(Fields::from(fields))));
            }
            self.expect(',')?;
        }
    }

    fn simple(&mut self, name: &str) -> Result<Field> {
        let digits = self.digits()?;
        let lower = name.to_lowercase();
        let data_type = match lower.as_str() {
            "varchar" | "char" | "string" | "ipaddress" | "uuid" | "text" => DataType::Utf8View,
            "json" => return Ok(json_field("")),
            "boolean" => DataType::Boolean,
            "tinyint" => DataType::Int8,
            "smallint" => DataType::Int16,
            "integer" | "int" => DataType::Int32,
            "bigint" => DataType::Int64,
            "real" => DataType::Float32,
            "double" => DataType::Float64,
            "date" => DataType::Date32,
            "varbinary" => DataType::Binary,
            "decimal" => decimal(&digits),
            "timestamp" => {
                let zoned = self.eat_words("with time zone");
                self.eat_words("without time zone");
                if zoned {
                    timestamp_with_zone("UTC")
                } else {
                    timestamp_of(digits.first().copied())
                }
            }
            _ => return plan_err!("`{name}` is not a type"),
        };
        Ok(plain(data_type))
    }

    /// The numbers in parentheses, if any.
    fn digits(&mut self) -> Result<Vec<u64>> {
        let mut digits = Vec::new();
        if !self.eat('(') {
            return Ok(digits);
        }
        loop {
            let word = self.word();
            match word.parse() {
                Ok(number) => digits.push(number),
                Err(_) => return plan_err!("`{word}` is not a length of a type"),
            }
            if self.eat(')') {
                return Ok(digits);
            }
            self.expect(',')?;
        }
    }

    /// A name, without its quotes if it has some.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        if let Some(quoted) = self.rest.strip_prefix('"')
            && let Some((name, rest)) = quoted.split_once('"')
        {
            self.rest = rest;
            return name;
        }
        let end = self
            .rest
            .find(|character: char| !(character.is_alphanumeric() || character == '_'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name
    }

    fn eat(&mut self, character: char) -> bool {
        match self.rest.trim_start().strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn eat_words(&mut self, words: &str) -> bool {
        let before = self.rest;
        let all = words
            .split(' ')
            .all(|word| self.word().eq_ignore_ascii_case(word));
        if !all {
            self.rest = before;
        }
        all
    }

    fn expect(&mut self, character: char) -> Result<()> {
        if self.eat(character) {
            return Ok(());
        }
        plan_err!("a type lacks `{character}` before `{}`", self.rest.trim())
    }
}

fn decimal(digits: &[u64]) -> DataType {
    let precision = digits
        .first()
        .and_then(|&digits| u8::try_from(digits).ok())
        .unwrap_or(DECIMAL_DIGITS);
    let scale = digits
        .get(1)
        .and_then(|&digits| i8::try_from(digits).ok())
        .unwrap_or(0);
    DataType::Decimal128(precision.min(DECIMAL_DIGITS), scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_types() {
        for (text, expected) in [
            ("array(varchar)", "List(Utf8View)"),
            ("ARRAY( JSON )", "List(Utf8View"),
            (
                "map(varchar, array(bigint))",
                "Map(\"entries\": non-null Struct(\"key\": non-null Utf8View, \"value\": List(Int64)",
            ),
            (
                "row(cidrIp varchar, \"to\" integer)",
                "Struct(\"cidrip\": Utf8View, \"to\": Int32)",
            ),
            (
                "row(bigint, decimal(10, 2))",
                "Struct(\"field0\": Int64, \"field1\": Decimal128(10, 2))",
            ),
            (
                "row(t timestamp(3) with time zone)",
                "Struct(\"t\": Timestamp(ms, \"UTC\"))",
            ),
            (
                "row(a row(b varchar(10)))",
                "Struct(\"a\": Struct(\"b\": Utf8View))",
            ),
        ] {
            let shown = field_of(text).unwrap().data_type().to_string();
            assert!(shown.starts_with(expected), "{text}: {shown}");
        }
    }

    #[test]
    fn what_is_no_type_is_named() {
        for (text, expected) in [
            ("array(varchr)", "`varchr` is not a type"),
            ("array(varchar", "a type lacks `)` before ``"),
            ("array(varchar) x", "`x` is left over"),
            ("row(a)", "`a` is not a type"),
        ] {
            let error = field_of(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(field_of(&"array(".repeat(100)).is_err());
    }
}
