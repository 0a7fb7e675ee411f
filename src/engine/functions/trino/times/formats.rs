//! Times from texts and to texts by a pattern: `date_parse` and `date_format` with MySQL's letters,
//! `parse_datetime` and `format_datetime` with Joda-Time's, and Teradata's `to_char`, `to_date` and
//! `to_timestamp`.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF};

use super::FAMILY;
use super::moments::{Kind, Moment, Moments, Slot, coerce, literal, literal_text, text, texts};
use super::pattern::{Parsed, Pattern, Patterns, Written, joda, mysql, teradata};
use super::range;
use super::units::Unit;
use super::zone::Zone;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::types::{event_time, timestamp, timestamp_with_zone};

pub(super) const FUNCTIONS: [Function; 7] = [
    DATE_PARSE,
    DATE_FORMAT,
    PARSE_DATETIME,
    FORMAT_DATETIME,
    TO_CHAR,
    TO_DATE,
    TO_TIMESTAMP,
];

type Compile = fn(&str) -> Result<Pattern, String>;

const DATE_PARSE: Function = Function::new(
    "date_parse",
    Doc {
        family: FAMILY,
        syntax: "date_parse(string, format) → timestamp(3)",
        description: "Reads a text by a format with MySQL's letters (`%Y-%m-%d %H:%i:%s`). What the format \
                      does not say is as early as can be. A text that does not fit is an error. \
                      `eventtime` is read as the text that CloudTrail wrote.",
        example: "SELECT date_parse('2022/10/20/05', '%Y/%m/%d/%H'); -- 2022-10-20T05:00:00",
    },
    |types| coerce("date_parse", types, &[Slot::Time, Slot::Text]),
    Returns::Type(|_| Ok(timestamp())),
    |args| parse("date_parse", mysql, args, &timestamp()),
)
.with_preimage(|args, literal, info| parse_preimage(mysql, args, literal, info));

const DATE_FORMAT: Function = Function::new(
    "date_format",
    Doc {
        family: FAMILY,
        syntax: "date_format(timestamp, format) → varchar",
        description: "Writes a time by a format with MySQL's letters, in the zone of its type.",
        example: "SELECT date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H'); -- 10-20-2022 05",
    },
    |types| coerce("date_format", types, &[Slot::Time, Slot::Text]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| format("date_format", mysql, args),
)
.with_preimage(|args, literal, info| format_preimage(mysql, args, literal, info));

const PARSE_DATETIME: Function = Function::new(
    "parse_datetime",
    Doc {
        family: FAMILY,
        syntax: "parse_datetime(string, format) → timestamp(3) with time zone",
        description: "Reads a text by a format with Joda-Time's letters (`yyyy-MM-dd''T''HH:mm:ssZ`). \
                      Without a zone in the text it is in UTC. Years of two digits are 1970 to 2069; in \
                      Trino this changes with the present year. The answer is shown in UTC, in Trino with \
                      the zone of the text.",
        example: "SELECT parse_datetime('2022/10/20/05:10', 'yyyy/MM/dd/HH:mm'); -- 2022-10-20T05:10:00Z",
    },
    |types| coerce("parse_datetime", types, &[Slot::Time, Slot::Text]),
    Returns::Type(|_| Ok(timestamp_with_zone("UTC"))),
    |args| parse("parse_datetime", joda, args, &timestamp_with_zone("UTC")),
)
.with_preimage(|args, literal, info| parse_preimage(joda, args, literal, info));

const FORMAT_DATETIME: Function = Function::new(
    "format_datetime",
    Doc {
        family: FAMILY,
        syntax: "format_datetime(timestamp, format) → varchar",
        description: "Writes a time by a format with Joda-Time's letters, in the zone of its type. A time \
                      without a zone cannot be written with one.",
        example: "SELECT format_datetime(TIMESTAMP '2022-10-20 05:10:00', 'yyyy/MM/dd HH'); -- 2022/10/20 05",
    },
    |types| coerce("format_datetime", types, &[Slot::Time, Slot::Text]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| format("format_datetime", joda, args),
)
.with_preimage(|args, literal, info| format_preimage(joda, args, literal, info));

const TO_CHAR: Function = Function::new(
    "to_char",
    Doc {
        family: FAMILY,
        syntax: "to_char(timestamp, format) → varchar",
        description: "Writes a time by a format with Teradata's words (`yyyy-mm-dd hh24:mi:ss`).",
        example: "SELECT to_char(TIMESTAMP '2022-10-20 05:10:00', 'yyyy/mm/dd hh24'); -- 2022/10/20 05",
    },
    |types| coerce("to_char", types, &[Slot::Time, Slot::Text]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| format("to_char", teradata, args),
)
.with_preimage(|args, literal, info| format_preimage(teradata, args, literal, info));

const TO_DATE: Function = Function::new(
    "to_date",
    Doc {
        family: FAMILY,
        syntax: "to_date(string, format) → date\nto_date(x) → date",
        description: "Reads a text by a format with Teradata's words. With one argument, which Trino has \
                      not, DataFusion's function: a text or a number of days as a date.",
        example: "SELECT to_date('2022/10/20', 'yyyy/mm/dd'); -- 2022-10-20",
    },
    |types| coerce_or_pass("to_date", types),
    Returns::Type(|_| Ok(DataType::Date32)),
    |args| match args.args.len() {
        1 => datetime::to_date().invoke_with_args(args.clone()),
        _ => parse("to_date", teradata, args, &DataType::Date32),
    },
);

const TO_TIMESTAMP: Function = Function::new(
    "to_timestamp",
    Doc {
        family: FAMILY,
        syntax: "to_timestamp(string, format) → timestamp(3)\nto_timestamp(x) → timestamp(9)",
        description: "Reads a text by a format with Teradata's words. With one argument, which Trino has \
                      not, DataFusion's function: a text or a number of seconds as a time.",
        example: "SELECT to_timestamp('2022/10/20 05', 'yyyy/mm/dd hh24'); -- 2022-10-20T05:00:00",
    },
    |types| coerce_or_pass("to_timestamp", types),
    Returns::Type(|types| match types {
        [_] => to_timestamp().inner().return_type(types),
        _ => Ok(timestamp()),
    }),
    |args| match args.args.len() {
        1 => to_timestamp().invoke_with_args(args.clone()),
        _ => parse("to_timestamp", teradata, args, &timestamp()),
    },
);

fn to_timestamp() -> Arc<ScalarUDF> {
    datetime::to_timestamp(&datafusion::config::ConfigOptions::default())
}

/// One argument stays as it is, for DataFusion's function.
fn coerce_or_pass(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_] => Ok(types.to_vec()),
        _ => coerce(name, types, &[Slot::Time, Slot::Text]),
    }
}

fn parse(
    name: &'static str,
    compile: Compile,
    args: &ScalarFunctionArgs,
    data_type: &DataType,
) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [given, formats] = arrays else {
            return exec_err!("`{name}` takes 2 arguments");
        };
        let formats = texts(formats)?;
        let mut patterns = Patterns::new(name, compile);
        let kind = Kind::of(name, data_type)?;
        let source = Source::new(name, given)?;
        let numbers = (0..n_rows).map(|row| {
            let Some(format) = text(formats, row) else {
                return Ok(None);
            };
            source.read(name, row, &*patterns.get(format)?, format, kind)
        });
        let numbers = numbers.collect::<Result<Int64Array>>()?;
        kind.array(&numbers, data_type)
    })
}

/// What is read: event times, and their texts where a pattern does not read all of them.
struct Source<'a> {
    given: &'a ArrayRef,
    moments: Option<Moments>,
    texts: OnceCell<ArrayRef>,
}

impl<'a> Source<'a> {
    fn new(name: &'static str, given: &'a ArrayRef) -> Result<Self> {
        let moments = match given.data_type() {
            data_type if data_type == &event_time() => Some(Moments::new(name, given)?),
            _ => None,
        };
        Ok(Self {
            given,
            moments,
            texts: OnceCell::new(),
        })
    }

    fn texts(&self) -> Result<&StringViewArray> {
        if let Some(made) = self.texts.get() {
            return texts(made);
        }
        let made = cast(self.given, &DataType::Utf8View)?;
        texts(self.texts.get_or_init(|| made))
    }

    fn read(
        &self,
        name: &str,
        row: usize,
        pattern: &Pattern,
        format: &str,
        kind: Kind,
    ) -> Result<Option<i64>> {
        if let Some(moments) = &self.moments
            && pattern.reads_event_times()
        {
            let moment = moments.get(row)?;
            return Ok(moment.and_then(|moment| kind.raw_of_utc(moment.utc)));
        }
        let Some(text) = text(self.texts()?, row) else {
            return Ok(None);
        };
        match pattern.parse(text).and_then(|parsed| number(kind, parsed)) {
            Some(number) => Ok(Some(number)),
            None => exec_err!("`{name}` cannot read `{text}` with the format `{format}`"),
        }
    }
}

fn number(kind: Kind, parsed: Parsed) -> Option<i64> {
    match parsed.zone {
        Some(zone) => kind.raw_of_utc(zone.utc(parsed.local)?),
        None => kind.raw_of_utc(parsed.local),
    }
}

/// Where a pattern reads all of an event's time, what it reads is the time, to the millisecond.
fn parse_preimage(
    compile: Compile,
    args: &[Expr],
    constant: &Expr,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    let [argument, format] = args else {
        return Ok(PreimageResult::None);
    };
    let (Some(format), Some(constant)) = (literal_text(format), constant.as_literal()) else {
        return Ok(PreimageResult::None);
    };
    let pattern = compile(format).ok();
    let whole = pattern.is_some_and(|pattern| pattern.reads_event_times());
    let Some(constant) = literal(constant) else {
        return Ok(PreimageResult::None);
    };
    if !whole || info.get_data_type(argument)? != event_time() {
        return Ok(PreimageResult::None);
    }
    range::preimage(argument, info, |moment| {
        Some(Unit::Millisecond.floor(moment.utc)?.cmp(&constant.utc))
    })
}

fn format(
    name: &'static str,
    compile: Compile,
    args: &ScalarFunctionArgs,
) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [given, formats] = arrays else {
            return exec_err!("`{name}` takes 2 arguments");
        };
        let moments = Moments::new(name, given)?;
        let formats = texts(formats)?;
        let mut patterns = Patterns::new(name, compile);
        let rows = moments.rows(n_rows, |row, moment| {
            let Some(format) = text(formats, row) else {
                return Ok(None);
            };
            let pattern = patterns.get(format)?;
            if pattern.has_zone() && moments.kind.zone().is_none() {
                return exec_err!(
                    "`{name}` cannot write a zone (`{format}`) for a time that has none"
                );
            }
            Ok(Some(pattern.format(written(moments.kind, moment))))
        })?;
        Ok(Arc::new(StringViewArray::from_iter(rows)))
    })
}

fn written(kind: Kind, moment: Moment) -> Written {
    Written {
        local: moment.local,
        utc: moment.utc,
        zone: kind.zone().unwrap_or(Zone::UTC),
    }
}

/// Where texts are in the order of their times.
fn format_preimage(
    compile: Compile,
    args: &[Expr],
    constant: &Expr,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    let [argument, format] = args else {
        return Ok(PreimageResult::None);
    };
    let (Some(format), Some(constant)) = (literal_text(format), literal_text(constant)) else {
        return Ok(PreimageResult::None);
    };
    let pattern = match compile(format) {
        Ok(pattern) if pattern.keeps_order() => pattern,
        _ => return Ok(PreimageResult::None),
    };
    let Ok(kind) = Kind::of("", &info.get_data_type(argument)?) else {
        return Ok(PreimageResult::None);
    };
    range::preimage(argument, info, |moment| {
        Some(pattern.format(written(kind, moment)).as_str().cmp(constant))
    })
}
